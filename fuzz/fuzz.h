/**
 * fuzz.h: what every fuzz target shares. README.md in this folder says how they are built and run.
 */
#pragma once

#include <glib.h>

/**
 * LLVMFuzzerTestOneInput: the target: read @data as the format that the file is named after.
 *
 * Whatever the bytes are, there is a result or an error: a crash, a leak, a hang, or more memory
 * than they can justify is a fault, and so is what the target itself holds with g_assert().
 */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/** LLVMFuzzerInitialize: what GLib calls critical, or warns of, ends the program. */
int LLVMFuzzerInitialize (int *argc, char ***argv);

/** fuzz_file: the bytes as a file, for what reads from a path. It is the same file in every call.
 */
const char *fuzz_file (const guint8 *data, gsize size);

/** fuzz_text: the bytes as a string; what stands behind a NUL is out of sight. g_free it. */
char *fuzz_text (const guint8 *data, gsize size);

/** fuzz_check: there is a result or an error, not both, and the message is one that can be shown.
 */
void fuzz_check (gboolean result, GError **error);

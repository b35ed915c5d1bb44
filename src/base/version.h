/**
 * version.h: which program this is.
 */
#pragma once

/** version_text: "0.1.0 (1a2b3c4)"; the commit is left out where it is not known. */
const char *version_text (void);

/** version_call: how this program was called, as a shell takes it, for commands that are shown to
 * be typed: "./ctclip-tui". */
const char *version_call (void);
/** version_set_call: @call: main's argv[0] (nullable). */
void version_set_call (const char *call);

/** version_print: version, libraries and features on stdout. */
void version_print (void);

/**
 * foreign.h: saying what a thing is that is not a NIfTI volume, and what to do with it. Private to
 * the room.
 */
#pragma once

#include <glib.h>

/** foreign_explain_directory: set an error about a directory named where a volume should be. */
void foreign_explain_directory (const char *path, GError **error);

/** foreign_explain_file: set an error about a file that starts with these bytes. */
void foreign_explain_file (const char *path, const guint8 *bytes, gsize n, GError **error);

/**
 * key_file.h: GLib's key files, of whatever bytes.
 */
#pragma once

#include <glib.h>

/**
 * key_file_parse: read a key file from text.
 *
 * Text that is not UTF-8 and a backslash that escapes nothing are refused too, since GLib reads
 * values only when they are asked for and then reports some such twice.
 *
 * Returns: (transfer full): free with g_key_file_unref; %NULL with @error: what is wrong, without
 * the name of the file.
 */
GKeyFile *key_file_parse (const char *text, GError **error);

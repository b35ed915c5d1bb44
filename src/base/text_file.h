/**
 * text_file.h: small files, read whole.
 */
#pragma once

#include <glib.h>

/**
 * text_file_read: as g_file_get_contents(), with an error that names the path once.
 *
 * @what: what the file is, "run file"
 * Returns: (transfer full): free with g_free; %NULL with @error
 */
char *text_file_read (const char *path, const char *what, GError **error);

/**
 * buffer.h: large buffers whose refusal is an error, not the end of the program. Private to the
 * room.
 */
#pragma once

#include <glib.h>

/**
 * buffer_new: `n` elements of `size` bytes, not cleared; free with g_free.
 *
 * @path: the file they are for, @what: what they hold; both go into the CTCLIP_ERROR_MEMORY message
 */
gpointer buffer_new (const char *path, const char *what, gsize n, gsize size, GError **error);

/**
 * buffer_use_huge_pages: ask for large pages below a buffer that will be written whole.
 *
 * A prepared volume is 54,000 small pages, and entering each for the first time costs more than
 * all arithmetic on it. Only advice: never fails.
 */
void buffer_use_huge_pages (gpointer buffer, gsize size);

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

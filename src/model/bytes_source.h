/**
 * bytes_source.h: a file or a block of memory that is read at offsets. Private to the checkpoint
 * reader.
 */
#pragma once

#include <glib.h>

typedef struct _BytesSource BytesSource;

/** bytes_source_open: @path is named in every error. */
BytesSource *bytes_source_open (const char *path, GError **error);

/** bytes_source_of: @bytes are kept by reference; @name is named in errors. */
BytesSource *bytes_source_of (GBytes *bytes, const char *name);
void bytes_source_free (BytesSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BytesSource, bytes_source_free)

const char *bytes_source_name (const BytesSource *source);

/**
 * bytes_source_check_name: a name that was read from the source can stand in a message.
 *
 * Anything but UTF-8 without control characters, which a terminal would obey, is
 * CTCLIP_ERROR_CORRUPT.
 */
gboolean bytes_source_check_name (const BytesSource *source, const char *name, GError **error);
guint64 bytes_source_size (const BytesSource *source);

/** bytes_source_read: exactly @size bytes; what lies past the end is CTCLIP_ERROR_CORRUPT. */
gboolean bytes_source_read (BytesSource *source, guint64 offset, gsize size, void *buffer,
                            GError **error);

/** bytes_source_load: the same into a new buffer with a zero behind it; g_free it. */
guint8 *bytes_source_load (BytesSource *source, guint64 offset, gsize size, GError **error);

/**
 * stream.h: the bytes of a .nii or .nii.gz file from first to last. Private to the room.
 *
 * Gzip is recognised by content. Members that follow each other are one stream, as gzip has it;
 * anything else after a complete member is ignored. Wrong checksums and damage are errors.
 */
#pragma once

#include "base/file_stamp.h"

#include <gio/gio.h>

typedef struct _VolumeStream VolumeStream;

/** volume_stream_open: @cancellable (nullable) is looked at between pieces of some 256 KiB. */
VolumeStream *volume_stream_open (const char *path, GCancellable *cancellable, GError **error);
void volume_stream_free (VolumeStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VolumeStream, volume_stream_free)

gboolean volume_stream_is_gzip (const VolumeStream *stream);

/** volume_stream_is_truncated: the end was reached inside a gzip member. */
gboolean volume_stream_is_truncated (const VolumeStream *stream);

/** volume_stream_stamp: the file as it was when the stream was opened. */
FileStamp volume_stream_stamp (const VolumeStream *stream);

/** volume_stream_changed: whether it is another by now than the one that @stamp was taken of. */
gboolean volume_stream_changed (const VolumeStream *stream, const FileStamp *stamp);

/**
 * volume_stream_read: the next @size bytes.
 *
 * Returns how many came: fewer than asked only where the data ends; -1 on error.
 */
gssize volume_stream_read (VolumeStream *stream, gpointer buffer, gsize size, GError **error);

/**
 * volume_stream_finish: read to the end, so that the last checksum is looked at too; a gzip member
 * that is cut off is an error.
 */
gboolean volume_stream_finish (VolumeStream *stream, GError **error);

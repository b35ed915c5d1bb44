/**
 * slice_reader.h: a volume's stored slices one after another. Private to the room.
 */
#pragma once

#include "volume/volume.h"

typedef struct _SliceReader SliceReader;

/**
 * slice_reader_open: stand before the first slice.
 *
 * @threads: with 2 or more, a thread of its own inflates ahead of the caller
 */
SliceReader *slice_reader_open (const VolumeHeader *header, guint threads,
                                GCancellable *cancellable, GError **error);

/**
 * slice_reader_next: the next slice, n[0] * n[1] stored voxels, x fastest, in the machine's byte
 * order; valid until the next call. Not to be called more often than there are slices.
 */
gconstpointer slice_reader_next (SliceReader *reader, GError **error);

/** slice_reader_finish: after the last slice, check what only the file's end can tell, and that the
 * file is still the one whose header was read. */
gboolean slice_reader_finish (SliceReader *reader, GError **error);

/** slice_reader_free: at any point; a thread is stopped and waited for. */
void slice_reader_free (SliceReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SliceReader, slice_reader_free)

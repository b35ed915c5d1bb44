/**
 * viewer_cache.h: the last few volumes stay in memory, under a bound.
 *
 * Used from one thread. No call waits for a file.
 */
#pragma once

#include "volume/viewer.h"

typedef struct _VolumeViewerCache VolumeViewerCache;

/** What a viewer shows: the cache's key. */
typedef struct
{
  const char *path;
  VolumeMetadata metadata;
  VolumeRescale rescale;
  VolumeOrient orient;
} VolumeViewerRequest;

/**
 * volume_viewer_cache_new: keep viewers of @limit_bytes together.
 *
 * @wake: as in viewer.h, for all of them; it should lead to volume_viewer_cache_trim()
 */
VolumeViewerCache *volume_viewer_cache_new (guint64 limit_bytes, VolumeViewerWake wake,
                                            gpointer wake_data);
void volume_viewer_cache_free (VolumeViewerCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VolumeViewerCache, volume_viewer_cache_free)

/**
 * volume_viewer_cache_get: the viewer to look at from now on; the caller's reference.
 *
 * One that was kept is returned at once and the file looked at meanwhile: if its size or time
 * changed, the viewer's state tells (changed_on_disk) and the next call reads it anew. So does a
 * call after an error.
 */
VolumeViewer *volume_viewer_cache_get (VolumeViewerCache *cache, const VolumeViewerRequest *request,
                                       GError **error);

/**
 * volume_viewer_cache_prefetch: begin to read what is likely to be wanted next, best once the one
 * in view is finished. It never drives out the one in view, leaves itself where there is no room,
 * and is given up when another one is got before it is finished. What can't be begun is not told:
 * the later get will.
 */
void volume_viewer_cache_prefetch (VolumeViewerCache *cache, const VolumeViewerRequest *request);

/**
 * volume_viewer_cache_trim: drop the longest unused ones until the rest keeps to the bound; never
 * the one in view, which is the last that was got. How large a volume is shows only when its header
 * was read: call it after every wake-up.
 */
void volume_viewer_cache_trim (VolumeViewerCache *cache);

/** volume_viewer_cache_bytes: memory of all that are kept. */
guint64 volume_viewer_cache_bytes (VolumeViewerCache *cache);

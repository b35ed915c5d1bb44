#include "volume/viewer_cache.h"

#include <math.h>
#include <string.h>

typedef struct
{
  char *path;
  VolumeViewerRequest request; /* its path is the one above */
  VolumeViewer *viewer;
  gboolean ahead; /* prefetched, and not got yet */
} Entry;

struct _VolumeViewerCache
{
  guint64 limit_bytes;
  VolumeViewerWake wake;
  gpointer wake_data;
  GQueue entries; /* Entry; the latest first, and that is the one in view once there was one */
  gboolean in_view;
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  volume_viewer_unref (entry->viewer);
  g_free (entry->path);
  g_free (entry);
}

static guint64
entry_bytes (const Entry *entry)
{
  g_auto (VolumeViewerState) state = { 0 };

  volume_viewer_state (entry->viewer, &state);
  return state.size_bytes;
}

/** Whether reading again would show something else, or might. */
static gboolean
entry_is_stale (const Entry *entry)
{
  g_auto (VolumeViewerState) state = { 0 };

  volume_viewer_state (entry->viewer, &state);
  return state.changed_on_disk || state.error != NULL;
}

/** Numbers that are not given are NaN and equal each other. */
static gboolean
same_number (double a, double b)
{
  return a == b || (isnan (a) && isnan (b));
}

static gboolean
same_metadata (const VolumeMetadata *a, const VolumeMetadata *b)
{
  return same_number (a->slope, b->slope) && same_number (a->intercept, b->intercept)
         && same_number (a->spacing_z_mm, b->spacing_z_mm)
         && same_number (a->spacing_x_mm, b->spacing_x_mm)
         && same_number (a->spacing_y_mm, b->spacing_y_mm);
}

static GList *
find (VolumeViewerCache *cache, const VolumeViewerRequest *request)
{
  for (GList *link = cache->entries.head; link != NULL; link = link->next)
    {
      const VolumeViewerRequest *kept = &((const Entry *) link->data)->request;

      if (strcmp (kept->path, request->path) == 0 && kept->rescale == request->rescale
          && kept->orient == request->orient && same_metadata (&kept->metadata, &request->metadata))
        return link;
    }
  return NULL;
}

static Entry *
entry_new (VolumeViewerCache *cache, const VolumeViewerRequest *request, GError **error)
{
  VolumeViewer *viewer = volume_viewer_open (request->path, &request->metadata, request->rescale,
                                             request->orient, cache->wake, cache->wake_data, error);
  Entry *entry;

  if (viewer == NULL)
    return NULL;
  entry = g_new0 (Entry, 1);
  entry->viewer = viewer;
  entry->path = g_strdup (request->path);
  entry->request = *request;
  entry->request.path = entry->path;
  return entry;
}

VolumeViewerCache *
volume_viewer_cache_new (guint64 limit_bytes, VolumeViewerWake wake, gpointer wake_data)
{
  VolumeViewerCache *cache = g_new0 (VolumeViewerCache, 1);

  cache->limit_bytes = limit_bytes;
  cache->wake = wake;
  cache->wake_data = wake_data;
  g_queue_init (&cache->entries);
  return cache;
}

void
volume_viewer_cache_free (VolumeViewerCache *cache)
{
  g_queue_clear_full (&cache->entries, entry_free);
  g_free (cache);
}

static gboolean
entry_is_finished (const Entry *entry)
{
  g_auto (VolumeViewerState) state = { 0 };

  volume_viewer_state (entry->viewer, &state);
  return state.finished;
}

/** What is still being read ahead gives way to what is wanted. */
static void
give_up_reading_ahead (VolumeViewerCache *cache, const GList *wanted)
{
  for (GList *link = cache->entries.head, *next; link != NULL; link = next)
    {
      Entry *entry = link->data;

      next = link->next;
      if (link == wanted || !entry->ahead || entry_is_finished (entry))
        continue;
      g_queue_delete_link (&cache->entries, link);
      entry_free (entry);
    }
}

VolumeViewer *
volume_viewer_cache_get (VolumeViewerCache *cache, const VolumeViewerRequest *request,
                         GError **error)
{
  GList *link = find (cache, request);
  Entry *entry;

  give_up_reading_ahead (cache, link);
  if (link != NULL && !entry_is_stale (link->data))
    {
      entry = link->data;
      g_queue_unlink (&cache->entries, link);
      g_queue_push_head_link (&cache->entries, link);
      volume_viewer_check (entry->viewer);
    }
  else
    {
      entry = entry_new (cache, request, error);
      if (entry == NULL)
        return NULL;
      if (link != NULL)
        {
          entry_free (link->data);
          g_queue_delete_link (&cache->entries, link);
        }
      g_queue_push_head (&cache->entries, entry);
    }
  entry->ahead = FALSE;
  cache->in_view = TRUE;
  volume_viewer_cache_trim (cache);
  return volume_viewer_ref (entry->viewer);
}

void
volume_viewer_cache_prefetch (VolumeViewerCache *cache, const VolumeViewerRequest *request)
{
  Entry *entry;

  if (find (cache, request) != NULL)
    return;
  give_up_reading_ahead (cache, NULL);
  entry = entry_new (cache, request, NULL);
  if (entry == NULL)
    return;
  entry->ahead = TRUE;
  g_queue_push_nth (&cache->entries, entry, cache->in_view ? 1 : 0);
}

void
volume_viewer_cache_trim (VolumeViewerCache *cache)
{
  const guint least = cache->in_view ? 1 : 0;
  guint64 bytes = volume_viewer_cache_bytes (cache);

  while (bytes > cache->limit_bytes && cache->entries.length > least)
    {
      Entry *oldest = g_queue_pop_tail (&cache->entries);

      bytes -= entry_bytes (oldest);
      entry_free (oldest);
    }
}

guint64
volume_viewer_cache_bytes (VolumeViewerCache *cache)
{
  guint64 bytes = 0;

  for (const GList *link = cache->entries.head; link != NULL; link = link->next)
    bytes += entry_bytes (link->data);
  return bytes;
}

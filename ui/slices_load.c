#include "slices_private.h"

#include "catalog/query.h"
#include "catalog/runs.h"
#include "study/encoding.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES (4ull << 30)

/** A quarter of the machine's memory, within a bound. */
static guint64
cache_limit (void)
{
  long pages = sysconf (_SC_PHYS_PAGES), page_bytes = sysconf (_SC_PAGESIZE);

  if (pages <= 0 || page_bytes <= 0)
    return MOST_BYTES / 4;
  return MIN ((guint64) pages * (guint64) page_bytes / 4, MOST_BYTES);
}

/** The record with its labels, and what the chosen run says of it: three look-ups by key. */
static void
find_record (Slices *slices)
{
  CatalogStore *store = app_store (slices->app);
  const AppRun *run = app_chosen_run (slices->app);

  if (slices->record_known || store == NULL)
    return;
  slices->record_known = TRUE;
  g_clear_pointer (&slices->record, catalog_record_free);
  slices->has_predictions = FALSE;
  if (slices->volume == NULL)
    return;
  slices->record = catalog_record_get (store, slices->volume, NULL);
  if (slices->record != NULL && run->id != 0)
    slices->has_predictions = catalog_record_predictions (store, run->id, slices->record->volume,
                                                          slices->probabilities, NULL);
}

void
slices_close (Slices *slices)
{
  slices_play (slices, FALSE);
  slices->waiting = slices->asked = slices->looked_ahead = FALSE;
  g_clear_pointer (&slices->viewer, volume_viewer_unref);
  g_clear_pointer (&slices->slice, volume_slice_free);
  g_clear_pointer (&slices->fault, g_free);
  volume_viewer_state_clear (&slices->state);
  slices->state = (VolumeViewerState){ 0 };
  slices_changed (slices);
}

static VolumeViewerRequest
request_for (const char *path, const CatalogRecord *record)
{
  return (VolumeViewerRequest){ .path = path,
                                .metadata = encoding_metadata (record),
                                .rescale = VOLUME_RESCALE_AUTO,
                                .orient = VOLUME_ORIENT_LPS };
}

void
slices_open (Slices *slices)
{
  VolumeViewerRequest request;
  g_autoptr (GError) error = NULL;

  find_record (slices);
  if (slices->path == NULL && slices->volume != NULL)
    slices->path = g_strdup (app_volume_path (slices->app, slices->volume));
  if (slices->viewer != NULL || slices->fault != NULL || slices->path == NULL)
    return;
  if (slices->cache == NULL)
    slices->cache = volume_viewer_cache_new (cache_limit (), app_wake, slices->app);
  request = request_for (slices->path, slices->record);
  slices->viewer = volume_viewer_cache_get (slices->cache, &request, &error);
  if (slices->viewer == NULL)
    slices->fault = g_strdup (error->message);
  slices_read_on (slices);
}

/** The planes' place, once the size is known; a restored one may be of another file. */
static void
place (Slices *slices)
{
  for (guint i = 0; i < 3; i++)
    slices->voxel[i] =
        slices->placed ? MIN (slices->voxel[i], slices->state.n[i] - 1) : slices->state.n[i] / 2;
  slices->placed = TRUE;
  slices->shown = slices->state.arrives_from_far_end ? slices_count (slices) - 1 : 0;
  if (slices->asked)
    slices_go_to (slices, slices->asked_for);
  slices->asked = FALSE;
}

/** The neighbour that the next J or K goes to is read once there is nothing else to read. */
static void
look_ahead (Slices *slices)
{
  CatalogStore *store = app_store (slices->app);
  g_autofree char *path = NULL, *volume = NULL;
  g_autoptr (CatalogRecord) record = NULL;

  if (slices->looked_ahead || !slices->state.finished || slices->state.error != NULL)
    return;
  slices->looked_ahead = TRUE;
  volume = app_neighbour (slices->app, slices->direction, &path);
  if (path == NULL)
    return;
  if (volume != NULL && store != NULL)
    record = catalog_record_get (store, volume, NULL);
  {
    const VolumeViewerRequest request = request_for (path, record);

    volume_viewer_cache_prefetch (slices->cache, &request);
  }
}

void
slices_read_on (Slices *slices)
{
  const gsize arrived = slices->state.arrived;
  const gboolean ready = slices->state.ready, finished = slices->state.finished;

  if (slices->viewer == NULL)
    return;
  volume_viewer_state_clear (&slices->state);
  volume_viewer_state (slices->viewer, &slices->state);
  if (slices->state.changed_on_disk)
    {
      app_message (slices->app, "%s has changed on disk: reading it anew", slices->path);
      slices_close (slices);
      slices_open (slices);
      return;
    }
  if (slices->state.ready && !ready)
    place (slices);
  if (slices->waiting
      && (slices->state.finished
          || volume_viewer_state_has (&slices->state, slices->axis,
                                      slices->voxel[slices_through (slices->axis)])))
    slices->waiting = FALSE;
  look_ahead (slices);
  if (slices->state.arrived != arrived || slices->state.ready != ready
      || slices->state.finished != finished)
    slices_changed (slices);
}

void
slices_look_at (gpointer screen, const char *volume, const char *path)
{
  Slices *slices = screen;
  g_autofree char *full = path != NULL ? g_canonicalize_filename (path, NULL) : NULL;
  const gboolean same = slices->path != NULL && g_strcmp0 (volume, slices->volume) == 0
                        && (full == NULL || strcmp (full, slices->path) == 0);

  /* The same again after an error reads it anew. */
  if (same && slices->fault == NULL && slices->state.error == NULL)
    return;
  slices_close (slices);
  g_free (slices->volume);
  g_free (slices->path);
  slices->volume = g_strdup (volume);
  slices->path = g_steal_pointer (&full);
  slices->record_known = slices->placed = slices->cursor = FALSE;
  slices->zoom = 1;
  slices->pan_x_mm = slices->pan_y_mm = 0;
  g_clear_pointer (&slices->record, catalog_record_free);
  slices->has_predictions = FALSE;
  slices_open (slices);
}

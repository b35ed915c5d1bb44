#include "volume/viewer.h"

#include "base/error.h"
#include "volume/slice_layout.h"
#include "volume/slice_reader.h"
#include "volume/viewer_voxels.h"

#include <math.h>
#include <pthread.h>

#define WAKE_INTERVAL_US (G_USEC_PER_SEC / 30)

/**
 * @mutex guards all that follows it. Voxels are the exception: slices below arrived.n are never
 * written again and are read without it; all others are the reader's alone.
 */
struct _VolumeViewer
{
  char *path;
  VolumeMetadata metadata;
  VolumeRescale rescale;
  VolumeOrient orient;
  GCancellable *cancellable;

  pthread_mutex_t mutex;
  guint owners;
  guint users; /* owners and threads; the last one frees */
  VolumeViewerWake wake;
  gpointer wake_data;
  gint64 woken_us;
  FileStamp stamp;
  gboolean stamped;     /* the file was there */
  ViewerVoxels *voxels; /* (nullable) before the header was read */
  ViewerArrived arrived;
  gboolean finished;
  GError *error;
  gboolean checking, changed_on_disk;
};

/* ---- owners and threads ---- */

static void
viewer_leave (VolumeViewer *viewer)
{
  gboolean last;

  pthread_mutex_lock (&viewer->mutex);
  last = --viewer->users == 0;
  pthread_mutex_unlock (&viewer->mutex);
  if (!last)
    return;
  pthread_mutex_destroy (&viewer->mutex);
  g_clear_pointer (&viewer->voxels, viewer_voxels_free);
  g_clear_error (&viewer->error);
  g_object_unref (viewer->cancellable);
  g_free (viewer->path);
  g_free (viewer);
}

/** Start a thread that calls viewer_leave() at its end. */
static gboolean
start_thread (VolumeViewer *viewer, GThreadFunc work, GError **error)
{
  GError *cause = NULL;
  GThread *thread;

  pthread_mutex_lock (&viewer->mutex);
  viewer->users++;
  pthread_mutex_unlock (&viewer->mutex);
  thread = g_thread_try_new ("volume viewer", work, viewer, &cause);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return TRUE;
    }
  viewer_leave (viewer);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_FAILED,
               "%s: no thread could be had to read it: %s; close other programs", viewer->path,
               cause->message);
  g_error_free (cause);
  return FALSE;
}

/** With the lock held. */
static void
wake_owner (VolumeViewer *viewer, gboolean at_once)
{
  const gint64 now_us = g_get_monotonic_time ();

  if (viewer->wake == NULL || (!at_once && now_us - viewer->woken_us < WAKE_INTERVAL_US))
    return;
  viewer->woken_us = now_us;
  viewer->wake (viewer->wake_data);
}

/* ---- the reader's thread ---- */

/** Before the file is opened, so that one that is replaced meanwhile counts as changed. */
static void
note_stamp (VolumeViewer *viewer)
{
  FileStamp stamp;

  if (!file_stamp_of (viewer->path, &stamp))
    return;
  pthread_mutex_lock (&viewer->mutex);
  viewer->stamp = stamp;
  viewer->stamped = TRUE;
  pthread_mutex_unlock (&viewer->mutex);
}

static void
tell_header (VolumeViewer *viewer, ViewerVoxels *voxels)
{
  pthread_mutex_lock (&viewer->mutex);
  viewer->voxels = voxels;
  wake_owner (viewer, TRUE);
  pthread_mutex_unlock (&viewer->mutex);
}

static void
tell_slice (VolumeViewer *viewer, const RescaleDecision *decision)
{
  pthread_mutex_lock (&viewer->mutex);
  viewer->arrived.n++;
  viewer->arrived.candidate = (guint) (rescale_favourite (decision) - decision->candidates);
  wake_owner (viewer, viewer->arrived.n == 1);
  pthread_mutex_unlock (&viewer->mutex);
}

static void
tell_end (VolumeViewer *viewer, GError *error)
{
  pthread_mutex_lock (&viewer->mutex);
  viewer->finished = TRUE;
  viewer->error = error;
  wake_owner (viewer, TRUE);
  pthread_mutex_unlock (&viewer->mutex);
}

static gboolean
read_slices (VolumeViewer *viewer, ViewerVoxels *voxels, RescaleDecision *decision, GError **error)
{
  const VolumeHeader *header = voxels->header;
  g_autoptr (SliceReader) reader = slice_reader_open (header, 1, viewer->cancellable, error);

  if (reader == NULL)
    return FALSE;
  for (gsize i = 0; i < header->n[2]; i++)
    {
      gconstpointer stored = slice_reader_next (reader, error);

      if (stored == NULL)
        return FALSE;
      rescale_count (decision, header->datatype, stored, voxels->slice_voxels);
      viewer_voxels_put (voxels, i, stored);
      tell_slice (viewer, decision);
    }
  return slice_reader_finish (reader, error);
}

static gboolean
read_file (VolumeViewer *viewer, GError **error)
{
  g_autoptr (VolumeHeader) header = volume_header_read (viewer->path, error);
  RescaleDecision decision;
  ViewerVoxels *voxels;

  if (header == NULL
      || !rescale_begin (header, &viewer->metadata, viewer->rescale, &decision, error))
    return FALSE;
  voxels = viewer_voxels_new (g_steal_pointer (&header), &viewer->metadata, viewer->orient,
                              &decision, error);
  if (voxels == NULL)
    return FALSE;
  tell_header (viewer, voxels);
  return read_slices (viewer, voxels, &decision, error);
}

static gpointer
read_volume (gpointer data)
{
  VolumeViewer *viewer = data;
  GError *error = NULL;

  note_stamp (viewer);
  read_file (viewer, &error);
  tell_end (viewer, error);
  viewer_leave (viewer);
  return NULL;
}

/* ---- owners ---- */

VolumeViewer *
volume_viewer_open (const char *path, const VolumeMetadata *metadata, VolumeRescale rescale,
                    VolumeOrient orient, VolumeViewerWake wake, gpointer wake_data, GError **error)
{
  const VolumeMetadata none = VOLUME_METADATA_NONE;
  g_autoptr (VolumeViewer) viewer = g_new0 (VolumeViewer, 1);

  viewer->path = g_strdup (path);
  viewer->metadata = metadata != NULL ? *metadata : none;
  viewer->rescale = rescale;
  viewer->orient = orient;
  viewer->cancellable = g_cancellable_new ();
  pthread_mutex_init (&viewer->mutex, NULL);
  viewer->owners = viewer->users = 1;
  viewer->wake = wake;
  viewer->wake_data = wake_data;
  return start_thread (viewer, read_volume, error) ? g_steal_pointer (&viewer) : NULL;
}

VolumeViewer *
volume_viewer_ref (VolumeViewer *viewer)
{
  pthread_mutex_lock (&viewer->mutex);
  viewer->owners++;
  viewer->users++;
  pthread_mutex_unlock (&viewer->mutex);
  return viewer;
}

void
volume_viewer_unref (VolumeViewer *viewer)
{
  gboolean last;

  pthread_mutex_lock (&viewer->mutex);
  last = --viewer->owners == 0;
  if (last)
    viewer->wake = NULL;
  pthread_mutex_unlock (&viewer->mutex);
  if (last)
    g_cancellable_cancel (viewer->cancellable);
  viewer_leave (viewer);
}

/* ---- what is known ---- */

void
volume_viewer_state (VolumeViewer *viewer, VolumeViewerState *state)
{
  const ViewerVoxels *voxels;

  *state = (VolumeViewerState){ 0 };
  pthread_mutex_lock (&viewer->mutex);
  voxels = viewer->voxels;
  if (voxels != NULL)
    {
      const VolumeScaling *scaling = &voxels->candidates[viewer->arrived.candidate];

      state->ready = TRUE;
      for (guint i = 0; i < 3; i++)
        {
          state->n[i] = voxels->n[i];
          state->spacing_mm[i] = voxels->spacing_mm[i];
          state->axes[i] = voxels->axes[i];
        }
      state->has_orientation = voxels->header->has_orientation;
      state->arrival_axis = voxels->arrival_axis;
      state->arrives_from_far_end = voxels->map.flipped[voxels->arrival_axis];
      state->arrived = viewer->arrived.n;
      state->applied = scaling->rescale;
      state->slope = scaling->slope;
      state->intercept = scaling->intercept;
      state->size_bytes = voxels->slice_bytes * voxels->header->n[2];
    }
  state->finished = viewer->finished;
  state->error = viewer->error != NULL ? g_error_copy (viewer->error) : NULL;
  state->changed_on_disk = viewer->changed_on_disk;
  pthread_mutex_unlock (&viewer->mutex);
}

void
volume_viewer_state_clear (VolumeViewerState *state)
{
  g_clear_error (&state->error);
}

gsize
volume_viewer_state_count (const VolumeViewerState *state, VolumeAxis axis)
{
  return state->n[slice_layout (axis)->through];
}

gboolean
volume_viewer_state_has (const VolumeViewerState *state, VolumeAxis axis, gsize index)
{
  const guint through = slice_layout (axis)->through;
  const gsize n = state->n[state->arrival_axis];

  if (!state->ready || index >= state->n[through])
    return FALSE;
  if (through != state->arrival_axis)
    return state->arrived == n;
  return state->arrives_from_far_end ? index >= n - state->arrived : index < state->arrived;
}

/** The voxels that can be read without the lock; %NULL before the header is there. */
static const ViewerVoxels *
arrived_voxels (VolumeViewer *viewer, ViewerArrived *arrived)
{
  const ViewerVoxels *voxels;

  pthread_mutex_lock (&viewer->mutex);
  voxels = viewer->voxels;
  *arrived = viewer->arrived;
  pthread_mutex_unlock (&viewer->mutex);
  return voxels;
}

VolumeSlice *
volume_viewer_slice (VolumeViewer *viewer, VolumeAxis axis, gsize index)
{
  ViewerArrived arrived;
  const ViewerVoxels *voxels = arrived_voxels (viewer, &arrived);

  return voxels != NULL ? viewer_voxels_slice (voxels, axis, index, arrived) : NULL;
}

float
volume_viewer_hu (VolumeViewer *viewer, gsize x, gsize y, gsize z)
{
  const gsize voxel[3] = { x, y, z };
  ViewerArrived arrived;
  const ViewerVoxels *voxels = arrived_voxels (viewer, &arrived);

  return voxels != NULL ? viewer_voxels_hu (voxels, voxel, arrived) : NAN;
}

gboolean
volume_viewer_position_mm (VolumeViewer *viewer, gsize x, gsize y, gsize z, double lps_mm[3])
{
  const gsize voxel[3] = { x, y, z };
  ViewerArrived arrived;
  const ViewerVoxels *voxels = arrived_voxels (viewer, &arrived);

  if (voxels == NULL)
    return FALSE;
  viewer_voxels_position_mm (voxels, voxel, lps_mm);
  return TRUE;
}

/* ---- the file later on ---- */

/** A file that can't be found says nothing: a network that is away must not take the picture. */
static gpointer
check_file (gpointer data)
{
  VolumeViewer *viewer = data;
  FileStamp now;
  gboolean found = file_stamp_of (viewer->path, &now);

  pthread_mutex_lock (&viewer->mutex);
  viewer->checking = FALSE;
  if (found && !file_stamp_equal (&now, &viewer->stamp))
    {
      viewer->changed_on_disk = TRUE;
      wake_owner (viewer, TRUE);
    }
  pthread_mutex_unlock (&viewer->mutex);
  viewer_leave (viewer);
  return NULL;
}

void
volume_viewer_check (VolumeViewer *viewer)
{
  gboolean wanted;

  pthread_mutex_lock (&viewer->mutex);
  wanted = viewer->stamped && !viewer->checking;
  viewer->checking |= wanted;
  pthread_mutex_unlock (&viewer->mutex);
  if (wanted && !start_thread (viewer, check_file, NULL))
    {
      pthread_mutex_lock (&viewer->mutex);
      viewer->checking = FALSE;
      pthread_mutex_unlock (&viewer->mutex);
    }
}

#include "volume/slice_reader.h"

#include "base/error.h"
#include "volume/buffer.h"
#include "volume/stream.h"
#include "volume/voxels.h"

#include <pthread.h>

/* Enough that a slow slice on one side does not stop the other. */
#define SLICES_AHEAD 4

/**
 * Slices read ahead. @mutex guards all but the slots; slot i % SLICES_AHEAD belongs to
 * the thread until slice i is read, and to the caller from then on until it asks for the next.
 * POSIX's own mutex, for ThreadSanitizer does not see GLib's.
 */
typedef struct
{
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  gsize read;       /* slices read; one more when the file's end was looked at too */
  gsize taken;      /* slices that the caller has asked for, the one that it holds included */
  gboolean stopped; /* by an error of the thread, or by the caller */
  GError *error;    /* the thread's, until it is handed over */
  pthread_t thread;
} Ahead;

struct _SliceReader
{
  const VolumeHeader *header;
  VolumeStream *stream; /* the thread's alone, where there is one */
  gsize slice_voxels;
  guint64 delivered;             /* bytes read so far, for the message about a truncated file */
  gpointer stored[SLICES_AHEAD]; /* only the first without a thread */
  Ahead *ahead;                  /* (nullable) */
};

static gboolean
truncated (const SliceReader *reader, GError **error)
{
  const VolumeHeader *header = reader->header;
  guint64 size = (guint64) header->data_offset
                 + (guint64) reader->slice_voxels * header->n[2] * header->bytes_per_voxel;

  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: ends after %.1f of %.1f MB; the file is truncated, download it again",
               header->path, (double) reader->delivered / 1e6, (double) size / 1e6);
  return FALSE;
}

/** Read exactly @size bytes. */
static gboolean
read_bytes (SliceReader *reader, gpointer buffer, gsize size, GError **error)
{
  gssize n = volume_stream_read (reader->stream, buffer, size, error);

  if (n < 0)
    return FALSE;
  reader->delivered += (guint64) n;
  return (gsize) n == size || truncated (reader, error);
}

static gboolean
read_slice (SliceReader *reader, gpointer stored, GError **error)
{
  return read_bytes (reader, stored, reader->slice_voxels * reader->header->bytes_per_voxel, error);
}

/** Leave header and extensions behind. */
static gboolean
skip_to_data (SliceReader *reader, GError **error)
{
  guint8 skipped[4096];

  while (reader->delivered < (guint64) reader->header->data_offset)
    {
      guint64 left = (guint64) reader->header->data_offset - reader->delivered;

      if (!read_bytes (reader, skipped, MIN (left, sizeof skipped), error))
        return FALSE;
    }
  return TRUE;
}

/** The thread's side: wait until the slot of slice @i is free; FALSE when it should end. */
static gboolean
wait_for_room (Ahead *ahead, gsize i)
{
  gboolean stopped;

  pthread_mutex_lock (&ahead->mutex);
  while (!ahead->stopped && i + 1 > ahead->taken + SLICES_AHEAD - 1)
    pthread_cond_wait (&ahead->changed, &ahead->mutex);
  stopped = ahead->stopped;
  pthread_mutex_unlock (&ahead->mutex);
  return !stopped;
}

/** The thread's side: tell that one more is read, or why not. */
static void
tell (Ahead *ahead, GError *error)
{
  pthread_mutex_lock (&ahead->mutex);
  ahead->error = error;
  ahead->stopped |= error != NULL;
  ahead->read += error == NULL;
  pthread_cond_signal (&ahead->changed);
  pthread_mutex_unlock (&ahead->mutex);
}

/** The thread: all slices in order, then what the file's end tells. */
static gpointer
read_ahead (gpointer data)
{
  SliceReader *reader = data;
  const gsize n_slices = reader->header->n[2];
  GError *error = NULL;

  for (gsize i = 0; i < n_slices && error == NULL; i++)
    {
      if (!wait_for_room (reader->ahead, i))
        return NULL;
      read_slice (reader, reader->stored[i % SLICES_AHEAD], &error);
      tell (reader->ahead, error);
    }
  if (error == NULL)
    {
      volume_stream_finish (reader->stream, &error);
      tell (reader->ahead, error);
    }
  return NULL;
}

/** Start the thread; where none can be had, the caller's own does it all. */
static void
start_ahead (SliceReader *reader)
{
  Ahead *ahead = g_new0 (Ahead, 1);

  pthread_mutex_init (&ahead->mutex, NULL);
  pthread_cond_init (&ahead->changed, NULL);
  reader->ahead = ahead;
  if (pthread_create (&ahead->thread, NULL, read_ahead, reader) == 0)
    return;
  pthread_cond_destroy (&ahead->changed);
  pthread_mutex_destroy (&ahead->mutex);
  g_clear_pointer (&reader->ahead, g_free);
}

static void
stop_ahead (Ahead *ahead)
{
  pthread_mutex_lock (&ahead->mutex);
  ahead->stopped = TRUE;
  pthread_cond_signal (&ahead->changed);
  pthread_mutex_unlock (&ahead->mutex);
  pthread_join (ahead->thread, NULL);
  pthread_cond_destroy (&ahead->changed);
  pthread_mutex_destroy (&ahead->mutex);
  g_clear_error (&ahead->error);
  g_free (ahead);
}

/** The caller's side: give back what it holds and wait for the next, whose number is @taken. */
static gboolean
take_next (Ahead *ahead, gsize *taken, GError **error)
{
  gboolean came;

  pthread_mutex_lock (&ahead->mutex);
  *taken = ahead->taken++;
  pthread_cond_signal (&ahead->changed);
  while (!ahead->stopped && ahead->read <= *taken)
    pthread_cond_wait (&ahead->changed, &ahead->mutex);
  came = ahead->read > *taken;
  if (!came)
    g_propagate_error (error, g_steal_pointer (&ahead->error));
  pthread_mutex_unlock (&ahead->mutex);
  return came;
}

/** A fault that came with a change of the file is the change's. */
static void
blame_change (const SliceReader *reader, GError *fault, GError **error)
{
  if (fault->domain != CTCLIP_ERROR
      || !volume_stream_changed (reader->stream, &reader->header->stamp))
    {
      g_propagate_error (error, fault);
      return;
    }
  g_error_free (fault);
  file_stamp_fail (reader->header->path, error);
}

SliceReader *
slice_reader_open (const VolumeHeader *header, guint threads, GCancellable *cancellable,
                   GError **error)
{
  g_autoptr (SliceReader) reader = g_new0 (SliceReader, 1);
  guint n_slots = threads > 1 ? SLICES_AHEAD : 1;
  GError *fault = NULL;

  reader->header = header;
  reader->slice_voxels = header->n[0] * header->n[1];
  for (guint i = 0; i < n_slots; i++)
    {
      reader->stored[i] = buffer_new (header->path, "one slice", reader->slice_voxels,
                                      header->bytes_per_voxel, error);
      if (reader->stored[i] == NULL)
        return NULL;
    }
  reader->stream = volume_stream_open (header->path, cancellable, error);
  if (reader->stream == NULL)
    return NULL;
  if (!skip_to_data (reader, &fault))
    {
      blame_change (reader, fault, error);
      return NULL;
    }
  if (threads > 1)
    start_ahead (reader);
  return g_steal_pointer (&reader);
}

gconstpointer
slice_reader_next (SliceReader *reader, GError **error)
{
  const VolumeHeader *header = reader->header;
  GError *fault = NULL;
  gpointer stored = NULL;
  gsize i = 0;

  if (reader->ahead == NULL || take_next (reader->ahead, &i, &fault))
    stored = reader->stored[i % SLICES_AHEAD];
  if (fault != NULL || (reader->ahead == NULL && !read_slice (reader, stored, &fault)))
    {
      blame_change (reader, fault, error);
      return NULL;
    }
  if (header->swapped)
    voxels_swap (stored, reader->slice_voxels, header->bytes_per_voxel);
  return stored;
}

gboolean
slice_reader_finish (SliceReader *reader, GError **error)
{
  GError *fault = NULL;
  gsize i;

  if (!(reader->ahead != NULL ? take_next (reader->ahead, &i, &fault)
                              : volume_stream_finish (reader->stream, &fault)))
    {
      blame_change (reader, fault, error);
      return FALSE;
    }
  return !volume_stream_changed (reader->stream, &reader->header->stamp)
         || file_stamp_fail (reader->header->path, error);
}

void
slice_reader_free (SliceReader *reader)
{
  g_clear_pointer (&reader->ahead, stop_ahead);
  for (guint i = 0; i < SLICES_AHEAD; i++)
    g_free (reader->stored[i]);
  g_clear_pointer (&reader->stream, volume_stream_free);
  g_free (reader);
}

#include "volume/slice_reader.h"

#include "base/error.h"
#include "volume/buffer.h"
#include "volume/stream.h"
#include "volume/voxels.h"

/* Enough that a slow slice on one side does not stop the other. */
#define SLICES_AHEAD 4

/** One slice on its way from the inflating thread to the caller and back. */
typedef struct
{
  gpointer stored;
  GError *error;
} Parcel;

/**
 * With a thread, parcels circulate through the two queues, and the stream belongs to the thread
 * alone; without one, the first parcel serves every slice.
 */
struct _SliceReader
{
  const VolumeHeader *header;
  VolumeStream *stream;
  gsize slice_voxels;
  guint64 delivered; /* bytes read so far, for the message about a truncated file */
  Parcel parcels[SLICES_AHEAD];
  Parcel *current; /* what the caller holds */
  Parcel stop;     /* sent instead of an empty one to end the thread */
  GThread *thread; /* (nullable) */
  GAsyncQueue *empty, *full;
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
read_slice (SliceReader *reader, Parcel *parcel, GError **error)
{
  return read_bytes (reader, parcel->stored, reader->slice_voxels * reader->header->bytes_per_voxel,
                     error);
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

/** The thread: all slices in order, then one parcel that says how the end looked. */
static gpointer
read_ahead (gpointer data)
{
  SliceReader *reader = data;
  gsize n_slices = reader->header->n[2];

  for (gsize i = 0; i <= n_slices; i++)
    {
      Parcel *parcel = g_async_queue_pop (reader->empty);

      if (parcel == &reader->stop)
        break;
      if (i < n_slices)
        read_slice (reader, parcel, &parcel->error);
      else
        volume_stream_finish (reader->stream, &parcel->error);
      g_async_queue_push (reader->full, parcel);
      if (parcel->error != NULL)
        break;
    }
  return NULL;
}

SliceReader *
slice_reader_open (const VolumeHeader *header, guint threads, GCancellable *cancellable,
                   GError **error)
{
  g_autoptr (SliceReader) reader = g_new0 (SliceReader, 1);
  guint n_parcels = threads > 1 ? SLICES_AHEAD : 1;

  reader->header = header;
  reader->slice_voxels = header->n[0] * header->n[1];
  for (guint i = 0; i < n_parcels; i++)
    {
      reader->parcels[i].stored = buffer_new (header->path, "one slice", reader->slice_voxels,
                                              header->bytes_per_voxel, error);
      if (reader->parcels[i].stored == NULL)
        return NULL;
    }
  reader->stream = volume_stream_open (header->path, cancellable, error);
  if (reader->stream == NULL || !skip_to_data (reader, error))
    return NULL;
  if (threads > 1)
    {
      reader->empty = g_async_queue_new ();
      reader->full = g_async_queue_new ();
      for (guint i = 0; i < n_parcels; i++)
        g_async_queue_push (reader->empty, &reader->parcels[i]);
      /* Where no thread can be had the caller's own does it all. */
      reader->thread = g_thread_try_new ("inflate", read_ahead, reader, NULL);
    }
  return g_steal_pointer (&reader);
}

/** Give back what the caller holds and take what comes next from the thread. */
static Parcel *
next_parcel (SliceReader *reader, GError **error)
{
  if (reader->current != NULL)
    g_async_queue_push (reader->empty, reader->current);
  reader->current = g_async_queue_pop (reader->full);
  if (reader->current->error == NULL)
    return reader->current;
  g_propagate_error (error, g_steal_pointer (&reader->current->error));
  return NULL;
}

gconstpointer
slice_reader_next (SliceReader *reader, GError **error)
{
  const VolumeHeader *header = reader->header;
  Parcel *parcel = &reader->parcels[0];

  if (reader->thread != NULL)
    parcel = next_parcel (reader, error);
  else if (!read_slice (reader, parcel, error))
    parcel = NULL;
  if (parcel == NULL)
    return NULL;
  if (header->swapped)
    voxels_swap (parcel->stored, reader->slice_voxels, header->bytes_per_voxel);
  return parcel->stored;
}

gboolean
slice_reader_finish (SliceReader *reader, GError **error)
{
  if (reader->thread != NULL)
    return next_parcel (reader, error) != NULL;
  return volume_stream_finish (reader->stream, error);
}

void
slice_reader_free (SliceReader *reader)
{
  if (reader->thread != NULL)
    {
      g_async_queue_push_front (reader->empty, &reader->stop);
      g_thread_join (reader->thread);
    }
  g_clear_pointer (&reader->empty, g_async_queue_unref);
  g_clear_pointer (&reader->full, g_async_queue_unref);
  for (guint i = 0; i < SLICES_AHEAD; i++)
    {
      g_clear_error (&reader->parcels[i].error);
      g_free (reader->parcels[i].stored);
    }
  g_clear_pointer (&reader->stream, volume_stream_free);
  g_free (reader);
}

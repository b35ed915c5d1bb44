#include "volume/scan.h"

#include "volume/slice_reader.h"

static gboolean
run_pass (const VolumeHeader *header, RescaleDecision *decision, guint threads,
          const ScanCalls *calls, gpointer data, VolumeScaling *applied, GCancellable *cancellable,
          GError **error)
{
  gsize slice_voxels = header->n[0] * header->n[1];
  g_autoptr (SliceReader) reader = slice_reader_open (header, threads, cancellable, error);

  if (reader == NULL)
    return FALSE;
  for (gsize i = 0; i < header->n[2]; i++)
    {
      gconstpointer stored = slice_reader_next (reader, error);

      if (stored == NULL)
        return FALSE;
      rescale_count (decision, header->datatype, stored, slice_voxels);
      if (i == 0)
        {
          *applied = *rescale_favourite (decision);
          if (!calls->begin (data, applied, error))
            return FALSE;
        }
      calls->slice (data, i, stored);
    }
  return slice_reader_finish (reader, error);
}

gboolean
volume_scan (const VolumeHeader *header, RescaleDecision *decision, guint threads,
             const ScanCalls *calls, gpointer data, VolumeScaling *applied,
             GCancellable *cancellable, GError **error)
{
  const VolumeScaling *favourite;

  if (!run_pass (header, decision, threads, calls, data, applied, cancellable, error))
    return FALSE;
  favourite = rescale_favourite (decision);
  if (favourite->rescale == applied->rescale)
    return TRUE;
  decision->candidates[0] = *favourite;
  decision->open = FALSE;
  return run_pass (header, decision, threads, calls, data, applied, cancellable, error);
}

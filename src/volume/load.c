#include "base/error.h"
#include "volume/buffer.h"
#include "volume/orient.h"
#include "volume/scan.h"
#include "volume/spacing.h"
#include "volume/voxels.h"

#include <float.h>
#include <string.h>

/** A volume on its way into memory. */
typedef struct
{
  const VolumeHeader *header;
  Volume *volume;
  gssize origin;    /* where the first stored voxel goes */
  gssize stride[3]; /* from there, along the stored axes; negative where flipped */
  VoxelMap *map;
  float *row; /* one stored row as HU */
} Loading;

static void
loading_clear (Loading *loading)
{
  g_clear_pointer (&loading->volume, volume_free);
  g_clear_pointer (&loading->map, voxel_map_free);
  g_free (loading->row);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Loading, loading_clear)

static gboolean
begin_pass (gpointer data, const VolumeScaling *scaling, GError **error)
{
  Loading *loading = data;
  const VoxelFormula formula = { .slope = scaling->slope,
                                 .intercept = scaling->intercept,
                                 .low = -FLT_MAX,
                                 .high = FLT_MAX,
                                 .divisor = 1 };

  g_clear_pointer (&loading->map, voxel_map_free);
  loading->map = voxel_map_new (loading->header->datatype, &formula);
  return TRUE;
}

static void
take_slice (gpointer data, gsize index, gconstpointer stored)
{
  Loading *loading = data;
  const VolumeHeader *header = loading->header;
  const gsize width = header->n[0], row_size = width * header->bytes_per_voxel;
  const gssize step = loading->stride[0];

  for (gsize y = 0; y < header->n[1]; y++)
    {
      float *out = loading->volume->hu + loading->origin + (gssize) index * loading->stride[2]
                   + (gssize) y * loading->stride[1];

      voxel_map_apply (loading->map, (const guint8 *) stored + y * row_size, width, loading->row);
      for (gsize x = 0; x < width; x++)
        out[(gssize) x * step] = loading->row[x];
    }
}

/** Sizes, strides and memory of the oriented volume. */
static gboolean
lay_out (Loading *loading, const VolumeMetadata *metadata, const OrientMap *map, GError **error)
{
  const VolumeHeader *header = loading->header;
  Volume *volume = loading->volume;
  double stored_spacing_mm[3], difference;
  gsize stride = 1;

  if (!volume_spacing (header, metadata, stored_spacing_mm, &difference, error))
    return FALSE;
  for (guint i = 0; i < 3; i++)
    {
      guint stored = map->stored_axis[i];

      volume->n[i] = header->n[stored];
      volume->spacing_mm[i] = stored_spacing_mm[stored];
      loading->stride[stored] = map->flipped[i] ? -(gssize) stride : (gssize) stride;
      if (map->flipped[i])
        loading->origin += (gssize) (stride * (volume->n[i] - 1));
      stride *= volume->n[i];
    }
  orient_axes (header, map, volume->axes);
  loading->row = buffer_new (header->path, "one row", header->n[0], sizeof (float), error);
  volume->hu = buffer_new (header->path, "the volume", stride, sizeof (float), error);
  return loading->row != NULL && volume->hu != NULL;
}

Volume *
volume_load (const char *path, const VolumeMetadata *metadata, VolumeRescale rescale,
             VolumeOrient orient, GCancellable *cancellable, GError **error)
{
  static const ScanCalls calls = { .begin = begin_pass, .slice = take_slice };
  g_autoptr (VolumeHeader) header = volume_header_read (path, error);
  g_auto (Loading) loading = { .header = header, .volume = g_new0 (Volume, 1) };
  RescaleDecision decision;
  VolumeScaling scaling;
  OrientMap map;

  if (header == NULL)
    return NULL;
  map = orient_map (header, orient);
  if (!rescale_begin (header, metadata, rescale, &decision, error)
      || !lay_out (&loading, metadata, &map, error)
      || !volume_scan (header, &decision, 1, &calls, &loading, &scaling, cancellable, error))
    return NULL;
  loading.volume->applied = scaling.rescale;
  loading.volume->slope = scaling.slope;
  loading.volume->intercept = scaling.intercept;
  return g_steal_pointer (&loading.volume);
}

void
volume_free (Volume *volume)
{
  g_free (volume->hu);
  g_free (volume);
}

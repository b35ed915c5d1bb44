#include "volume/viewer_voxels.h"

#include "volume/buffer.h"
#include "volume/slice_layout.h"
#include "volume/spacing.h"

#include <float.h>
#include <math.h>
#include <nifti1.h>
#include <string.h>

/** Where the oriented axes run through the kept voxels. */
static gboolean
lay_out (ViewerVoxels *voxels, const VolumeMetadata *metadata, VolumeOrient orient, GError **error)
{
  const VolumeHeader *header = voxels->header;
  const gsize strides[3] = { 1, header->n[0], header->n[0] * header->n[1] };
  double spacing_mm[3], difference;

  if (!volume_spacing (header, metadata, spacing_mm, &difference, error))
    return FALSE;
  voxels->map = orient_map (header, orient);
  orient_axes (header, &voxels->map, voxels->axes);
  for (guint i = 0; i < 3; i++)
    {
      const guint stored = voxels->map.stored_axis[i];
      const gboolean flipped = voxels->map.flipped[i];

      voxels->n[i] = header->n[stored];
      voxels->spacing_mm[i] = spacing_mm[stored];
      voxels->stride[i] = flipped ? -(gssize) strides[stored] : (gssize) strides[stored];
      voxels->origin += flipped ? strides[stored] * (header->n[stored] - 1) : 0;
      voxels->column_scale[stored] = spacing_mm[stored] / header->spacing_mm[stored];
      if (stored == 2)
        voxels->arrival_axis = i;
    }
  return TRUE;
}

static void
take_readings (ViewerVoxels *voxels, const RescaleDecision *decision)
{
  const guint n = decision->open ? 2 : 1;

  for (guint i = 0; i < n; i++)
    {
      const VolumeScaling *scaling = &decision->candidates[i];
      const VoxelFormula formula = { .slope = scaling->slope,
                                     .intercept = scaling->intercept,
                                     .low = -FLT_MAX,
                                     .high = FLT_MAX,
                                     .divisor = 1 };

      voxels->candidates[i] = *scaling;
      voxels->to_hu[i] = voxel_map_new (voxels->datatype, &formula);
    }
}

ViewerVoxels *
viewer_voxels_new (VolumeHeader *header, const VolumeMetadata *metadata, VolumeOrient orient,
                   const RescaleDecision *decision, GError **error)
{
  g_autoptr (ViewerVoxels) voxels = g_new0 (ViewerVoxels, 1);

  voxels->header = header;
  voxels->datatype = header->bytes_per_voxel <= 2 ? header->datatype : DT_FLOAT32;
  voxels->slice_voxels = header->n[0] * header->n[1];
  voxels->slice_bytes = voxels->slice_voxels * voxels_bytes (voxels->datatype);
  if (!lay_out (voxels, metadata, orient, error))
    return NULL;
  take_readings (voxels, decision);
  voxels->kept = buffer_new (header->path, "the volume", header->n[2], voxels->slice_bytes, error);
  if (voxels->kept == NULL)
    return NULL;
  buffer_use_huge_pages (voxels->kept, header->n[2] * voxels->slice_bytes);
  return g_steal_pointer (&voxels);
}

void
viewer_voxels_free (ViewerVoxels *voxels)
{
  g_clear_pointer (&voxels->header, volume_header_free);
  for (guint i = 0; i < G_N_ELEMENTS (voxels->to_hu); i++)
    g_clear_pointer (&voxels->to_hu[i], voxel_map_free);
  g_free (voxels->kept);
  g_free (voxels);
}

void
viewer_voxels_put (ViewerVoxels *voxels, gsize index, gconstpointer stored)
{
  guint8 *slice = voxels->kept + index * voxels->slice_bytes;

  if (voxels->datatype == voxels->header->datatype)
    memcpy (slice, stored, voxels->slice_bytes);
  else
    voxels_to_float (voxels->header->datatype, stored, voxels->slice_voxels, (float *) slice);
}

/** A run of places along an axis. */
typedef struct
{
  gsize first, end;
} Range;

/** Which places along an oriented axis have arrived. */
static Range
arrived_range (const ViewerVoxels *voxels, guint axis, gsize n_arrived)
{
  const gsize n = voxels->n[axis];

  if (axis != voxels->arrival_axis)
    return (Range){ 0, n };
  return voxels->map.flipped[axis] ? (Range){ n - n_arrived, n } : (Range){ 0, n_arrived };
}

static gboolean
holds (Range range, gsize place)
{
  return place >= range.first && place < range.end;
}

/** Bring @n voxels together that lie @stride apart. */
static void
gather (gconstpointer from, gssize stride, gsize n, gsize bytes_per_voxel, gpointer to)
{
  switch (bytes_per_voxel)
    {
#define GATHER(size, type)                                                                         \
  case size:                                                                                       \
    for (gsize i = 0; i < n; i++)                                                                  \
      ((type *) to)[i] = ((const type *) from)[(gssize) i * stride];                               \
    break;
      GATHER (1, guint8)
      GATHER (2, guint16)
      GATHER (4, guint32)
    }
}

static void
fill_absent (float *hu, gsize n)
{
  for (gsize i = 0; i < n; i++)
    hu[i] = NAN;
}

VolumeSlice *
viewer_voxels_slice (const ViewerVoxels *voxels, VolumeAxis axis, gsize index,
                     ViewerArrived arrived)
{
  const SliceLayout *layout = slice_layout (axis);
  const guint through = layout->through, columns = layout->columns, rows = layout->rows;
  const gsize bytes = voxels_bytes (voxels->datatype);
  const Range wide = arrived_range (voxels, columns, arrived.n);
  const Range high = arrived_range (voxels, rows, arrived.n);
  const gboolean here = holds (arrived_range (voxels, through, arrived.n), index);
  g_autofree gpointer row = g_malloc_n (voxels->n[columns], bytes);
  VolumeSlice *slice;

  if (index >= voxels->n[through])
    return NULL;
  slice = g_new (VolumeSlice, 1);
  slice->width = voxels->n[columns];
  slice->height = voxels->n[rows];
  slice->pixel_width_mm = voxels->spacing_mm[columns];
  slice->pixel_height_mm = voxels->spacing_mm[rows];
  slice->hu = g_new (float, slice->width * slice->height);
  for (gsize i = 0; i < slice->height; i++)
    {
      const gsize along = layout->rows_upwards ? slice->height - 1 - i : i;
      const Range range = here && holds (high, along) ? wide : (Range){ 0, 0 };
      const gssize place = (gssize) voxels->origin + (gssize) index * voxels->stride[through]
                           + (gssize) along * voxels->stride[rows]
                           + (gssize) range.first * voxels->stride[columns];
      float *hu = slice->hu + i * slice->width;

      fill_absent (hu, range.first);
      fill_absent (hu + range.end, slice->width - range.end);
      if (range.end == range.first)
        continue;
      gather (voxels->kept + (gsize) place * bytes, voxels->stride[columns],
              range.end - range.first, bytes, row);
      voxel_map_apply (voxels->to_hu[arrived.candidate], row, range.end - range.first,
                       hu + range.first);
    }
  return slice;
}

float
viewer_voxels_hu (const ViewerVoxels *voxels, const gsize voxel[3], ViewerArrived arrived)
{
  const gsize bytes = voxels_bytes (voxels->datatype);
  gssize place = (gssize) voxels->origin;
  float hu;

  for (guint i = 0; i < 3; i++)
    {
      if (!holds (arrived_range (voxels, i, arrived.n), voxel[i]))
        return NAN;
      place += (gssize) voxel[i] * voxels->stride[i];
    }
  voxel_map_apply (voxels->to_hu[arrived.candidate], voxels->kept + (gsize) place * bytes, 1, &hu);
  return hu;
}

void
viewer_voxels_position_mm (const ViewerVoxels *voxels, const gsize voxel[3], double lps_mm[3])
{
  static const double from_ras[3] = { -1, -1, 1 };
  const double (*affine)[4] = voxels->header->affine;

  for (guint row = 0; row < 3; row++)
    {
      double mm = affine[row][3];

      for (guint i = 0; i < 3; i++)
        {
          const guint stored = voxels->map.stored_axis[i];
          const gsize place = voxels->map.flipped[i] ? voxels->n[i] - 1 - voxel[i] : voxel[i];

          mm += affine[row][stored] * voxels->column_scale[stored] * (double) place;
        }
      lps_mm[row] = from_ras[row] * mm;
    }
}

#include "volume/slice.h"

#include "base/error.h"
#include "volume/orient.h"
#include "volume/slice_layout.h"

static const char *const axis_names[] = {
  [VOLUME_AXIS_AXIAL] = "axial",
  [VOLUME_AXIS_CORONAL] = "coronal",
  [VOLUME_AXIS_SAGITTAL] = "sagittal",
};

const SliceLayout *
slice_layout (VolumeAxis axis)
{
  static const SliceLayout layouts[] = {
    [VOLUME_AXIS_AXIAL] = { 2, 0, 1, FALSE },
    [VOLUME_AXIS_CORONAL] = { 1, 0, 2, TRUE },
    [VOLUME_AXIS_SAGITTAL] = { 0, 1, 2, TRUE },
  };

  return &layouts[axis];
}

gboolean
volume_axis_parse (const char *text, VolumeAxis *axis, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (axis_names); i++)
    if (g_ascii_strcasecmp (text, axis_names[i]) == 0)
      {
        *axis = (VolumeAxis) i;
        return TRUE;
      }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "'%s': no such axis; choose axial, coronal or sagittal", text);
  return FALSE;
}

const char *
volume_axis_name (VolumeAxis axis)
{
  return axis_names[axis];
}

void
volume_axis_letters (const char axes[4], VolumeAxis axis, char letters[4])
{
  const SliceLayout *layout = slice_layout (axis);
  const char down = axes[layout->rows], up = orient_opposite (down);

  letters[VOLUME_EDGE_RIGHT] = axes[layout->columns];
  letters[VOLUME_EDGE_LEFT] = orient_opposite (axes[layout->columns]);
  letters[VOLUME_EDGE_TOP] = layout->rows_upwards ? down : up;
  letters[VOLUME_EDGE_BOTTOM] = layout->rows_upwards ? up : down;
}

void
volume_slice_voxel (VolumeAxis axis, const gsize n[3], gsize index, gsize column, gsize row,
                    gsize voxel[3])
{
  const SliceLayout *layout = slice_layout (axis);

  voxel[layout->through] = index;
  voxel[layout->columns] = column;
  voxel[layout->rows] = layout->rows_upwards ? n[layout->rows] - 1 - row : row;
}

void
volume_slice_place (VolumeAxis axis, const gsize n[3], const gsize voxel[3], gsize *index,
                    gsize *column, gsize *row)
{
  const SliceLayout *layout = slice_layout (axis);
  const gsize along = voxel[layout->rows];

  *index = voxel[layout->through];
  *column = voxel[layout->columns];
  *row = layout->rows_upwards ? n[layout->rows] - 1 - along : along;
}

gsize
volume_slice_count (const Volume *volume, VolumeAxis axis)
{
  return volume->n[slice_layout (axis)->through];
}

VolumeSlice *
volume_slice_extract (const Volume *volume, VolumeAxis axis, gsize index)
{
  const gsize strides[3] = { 1, volume->n[0], volume->n[0] * volume->n[1] };
  const SliceLayout *layout = slice_layout (axis);
  const guint columns = layout->columns, rows = layout->rows;
  const float *plane = volume->hu + index * strides[layout->through];
  VolumeSlice *slice = g_new (VolumeSlice, 1);

  slice->width = volume->n[columns];
  slice->height = volume->n[rows];
  slice->pixel_width_mm = volume->spacing_mm[columns];
  slice->pixel_height_mm = volume->spacing_mm[rows];
  slice->hu = g_new (float, slice->width * slice->height);
  for (gsize row = 0; row < slice->height; row++)
    {
      gsize along = layout->rows_upwards ? slice->height - 1 - row : row;
      const float *from = plane + along * strides[rows];
      float *to = slice->hu + row * slice->width;

      for (gsize column = 0; column < slice->width; column++)
        to[column] = from[column * strides[columns]];
    }
  return slice;
}

void
volume_slice_free (VolumeSlice *slice)
{
  g_free (slice->hu);
  g_free (slice);
}

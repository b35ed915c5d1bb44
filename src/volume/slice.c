#include "volume/slice.h"

#include "base/error.h"

static const char *const axis_names[] = {
  [VOLUME_AXIS_AXIAL] = "axial",
  [VOLUME_AXIS_CORONAL] = "coronal",
  [VOLUME_AXIS_SAGITTAL] = "sagittal",
};

/**
 * How a plane of an L P S volume lies on the screen: columns run along one axis to the right, rows
 * along another to the bottom. x runs to the patient's left, y to the back, z to the head, so
 * only rows along z have to be turned over.
 */
static const struct
{
  guint through, columns, rows;
  gboolean rows_upwards;
} layouts[] = {
  [VOLUME_AXIS_AXIAL] = { 2, 0, 1, FALSE },
  [VOLUME_AXIS_CORONAL] = { 1, 0, 2, TRUE },
  [VOLUME_AXIS_SAGITTAL] = { 0, 1, 2, TRUE },
};

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

gsize
volume_slice_count (const Volume *volume, VolumeAxis axis)
{
  return volume->n[layouts[axis].through];
}

VolumeSlice *
volume_slice_extract (const Volume *volume, VolumeAxis axis, gsize index)
{
  const gsize strides[3] = { 1, volume->n[0], volume->n[0] * volume->n[1] };
  const guint columns = layouts[axis].columns, rows = layouts[axis].rows;
  const float *plane = volume->hu + index * strides[layouts[axis].through];
  VolumeSlice *slice = g_new (VolumeSlice, 1);

  slice->width = volume->n[columns];
  slice->height = volume->n[rows];
  slice->pixel_width_mm = volume->spacing_mm[columns];
  slice->pixel_height_mm = volume->spacing_mm[rows];
  slice->hu = g_new (float, slice->width * slice->height);
  for (gsize row = 0; row < slice->height; row++)
    {
      gsize along = layouts[axis].rows_upwards ? slice->height - 1 - row : row;
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

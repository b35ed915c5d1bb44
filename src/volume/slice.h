/**
 * slice.h: slices as pictures.
 */
#pragma once

#include "volume/volume.h"

typedef struct
{
  double centre, width; /* HU */
} VolumeWindow;

/** volume_window_parse: "lung", "mediastinum", "bone", "brain" or "C,W". */
gboolean volume_window_parse (const char *text, VolumeWindow *window, GError **error);

/**
 * volume_window: map HU to 8-bit grey through a display window.
 *
 * @grey: (out) `n` bytes; 0 is the window's lower edge or below, 255 its upper edge or above
 *
 * Linear between the edges; NaN maps to 0. Never fails.
 */
void volume_window (const float *hu, gsize n, VolumeWindow window, guint8 *grey);

typedef enum
{
  VOLUME_AXIS_AXIAL,
  VOLUME_AXIS_CORONAL,
  VOLUME_AXIS_SAGITTAL,
} VolumeAxis;

gboolean volume_axis_parse (const char *text, VolumeAxis *axis, GError **error);

/** A slice laid out for the eye: patient's right on the left (axial, coronal), head up, front up
 * (axial). */
typedef struct
{
  gsize width, height;
  double pixel_width_mm, pixel_height_mm;
  float *hu; /* row-major, top row first */
} VolumeSlice;

/** volume_slice_count: slices along an axis. */
gsize volume_slice_count (const Volume *volume, VolumeAxis axis);

/**
 * volume_slice_extract: one slice of a volume in L P S order.
 *
 * @index: 0 is the most inferior (axial), anterior (coronal), right (sagittal)
 */
VolumeSlice *volume_slice_extract (const Volume *volume, VolumeAxis axis, gsize index);
void volume_slice_free (VolumeSlice *slice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VolumeSlice, volume_slice_free)

/** volume_slice_write_png: 8-bit grey PNG with square pixels (resampled where spacing differs) and
 * pHYs. */
gboolean volume_slice_write_png (const VolumeSlice *slice, VolumeWindow window, const char *path,
                                 gboolean replace, GError **error);

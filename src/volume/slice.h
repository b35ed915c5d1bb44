/**
 * slice.h: slices as pictures.
 */
#pragma once

#include "volume/volume.h"

typedef struct
{
  double centre, width; /* HU */
} VolumeWindow;

/** A window that has a name. */
typedef struct
{
  const char *name;
  char key; /* a letter for it on the screen */
  VolumeWindow window;
} VolumeWindowPreset;

/** volume_window_presets: all of them; static. */
const VolumeWindowPreset *volume_window_presets (guint *n);

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

/** volume_axis_name: "axial" and so on. */
const char *volume_axis_name (VolumeAxis axis);

/** The edges of a picture. */
typedef enum
{
  VOLUME_EDGE_LEFT,
  VOLUME_EDGE_RIGHT,
  VOLUME_EDGE_TOP,
  VOLUME_EDGE_BOTTOM,
} VolumeEdge;

/**
 * volume_axis_letters: which side of the patient each edge of a slice is: R L A P S I.
 *
 * @axes: where the volume's axes point, "LPS" or as stored
 * @letters: (out) by VolumeEdge
 */
void volume_axis_letters (const char axes[4], VolumeAxis axis, char letters[4]);

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

/**
 * volume_slice_voxel: the voxel at a place of a slice; and its inverse, whose @index is the slice
 * that the voxel lies in.
 *
 * @n: the volume's size
 */
void volume_slice_voxel (VolumeAxis axis, const gsize n[3], gsize index, gsize column, gsize row,
                         gsize voxel[3]);
void volume_slice_place (VolumeAxis axis, const gsize n[3], const gsize voxel[3], gsize *index,
                         gsize *column, gsize *row);

/* ---- slices on a screen ---- */

/** How a slice is looked at, and the picture that it is drawn into. */
typedef struct
{
  double zoom;               /* 1: all of the slice just fits; > 0 */
  double pan_x_mm, pan_y_mm; /* from the slice's middle to the picture's, right and down */
  guint width_px, height_px; /* > 0 */
  double pixel_aspect;       /* a pixel's height by its width: 2 for a usual character cell */
} VolumeView;

/**
 * volume_slice_render: draw a slice in true proportions, with black beside it.
 *
 * @inverted: white is the window's lower edge
 * @grey: (out) width_px * height_px bytes, top row first
 *
 * Averages over areas where it shrinks, is linear where it enlarges. Black where a voxel is NaN.
 */
void volume_slice_render (const VolumeSlice *slice, VolumeWindow window, gboolean inverted,
                          const VolumeView *view, guint8 *grey);

/** volume_view_mm_per_pixel: mm of the slice that lie across a pixel's width. */
double volume_view_mm_per_pixel (const VolumeView *view, const VolumeSlice *slice);

/**
 * volume_view_voxel: the place in the slice under a point of the picture (pixel i reaches from i to
 * i + 1, so that its middle is at i + 0.5).
 *
 * %FALSE beside the slice; column and row are then the nearest ones.
 */
gboolean volume_view_voxel (const VolumeView *view, const VolumeSlice *slice, double x_px,
                            double y_px, gsize *column, gsize *row);

/** volume_view_point: the point of the picture, maybe outside of it, at the middle of a place in
 * the slice. */
void volume_view_point (const VolumeView *view, const VolumeSlice *slice, gsize column, gsize row,
                        double *x_px, double *y_px);

/** volume_slice_write_png: 8-bit grey PNG with square pixels (resampled where spacing differs) and
 * pHYs. */
gboolean volume_slice_write_png (const VolumeSlice *slice, VolumeWindow window, const char *path,
                                 gboolean replace, GError **error);

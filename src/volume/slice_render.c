#include "volume/slice.h"

#include <math.h>
#include <string.h>

/**
 * One side of a picture on a slice: pixel i covers the voxels' edges from origin + i · step to
 * origin + (i + 1) · step, where voxel k reaches from k to k + 1.
 */
typedef struct
{
  double origin, step;
} Side;

static Side
side_of (double n_px, double mm_per_px, double pan_mm, gsize n_voxels, double mm_per_voxel)
{
  const double step = mm_per_px / mm_per_voxel;
  const double middle = (double) n_voxels / 2 + pan_mm / mm_per_voxel;

  return (Side){ middle - n_px / 2 * step, step };
}

double
volume_view_mm_per_pixel (const VolumeView *view, const VolumeSlice *slice)
{
  const double across = slice->pixel_width_mm * (double) slice->width / view->width_px;
  const double down =
      slice->pixel_height_mm * (double) slice->height / (view->height_px * view->pixel_aspect);

  return MAX (across, down) / view->zoom;
}

static Side
side_across (const VolumeView *view, const VolumeSlice *slice)
{
  return side_of (view->width_px, volume_view_mm_per_pixel (view, slice), view->pan_x_mm,
                  slice->width, slice->pixel_width_mm);
}

static Side
side_down (const VolumeView *view, const VolumeSlice *slice)
{
  return side_of (view->height_px, volume_view_mm_per_pixel (view, slice) * view->pixel_aspect,
                  view->pan_y_mm, slice->height, slice->pixel_height_mm);
}

/* ---- which voxels make a pixel ---- */

/**
 * For each pixel of a side, the voxels that it is made of: @n[i] from @first[i] on, weighted by
 * weight[i * most ...]. No voxels where the pixel's middle lies beside the slice.
 */
typedef struct
{
  gsize pixels, most;
  gsize *first, *n;
  float *weight;
} Taps;

/** The two voxels whose middles are around a place. */
static void
tap_linear (Taps *taps, gsize i, double place, gsize n_voxels)
{
  const double between = CLAMP (place - 0.5, 0, (double) n_voxels - 1);
  const gsize lower = (gsize) between;
  float *weight = taps->weight + i * taps->most;

  taps->first[i] = lower;
  taps->n[i] = lower + 1 < n_voxels ? 2 : 1;
  weight[1] = taps->n[i] == 2 ? (float) (between - (double) lower) : 0;
  weight[0] = 1 - weight[1];
}

/** All voxels of a stretch, each by its share. */
static void
tap_area (Taps *taps, gsize i, double from, double to, gsize n_voxels)
{
  const double start = MAX (from, 0), end = MIN (to, (double) n_voxels);
  const gsize first = (gsize) start, last = MIN ((gsize) ceil (end), n_voxels);
  float *weight = taps->weight + i * taps->most;

  taps->first[i] = first;
  taps->n[i] = last - first;
  for (gsize k = first; k < last; k++)
    {
      const double share = MIN (end, (double) k + 1) - MAX (start, (double) k);

      weight[k - first] = (float) (share / (end - start));
    }
}

static void
taps_init (Taps *taps, Side side, gsize pixels, gsize n_voxels)
{
  /* A stretch of s voxels touches at most ceil (s) + 1 of them, and of those that there are. */
  taps->most = side.step > 1 ? (gsize) MIN (ceil (side.step) + 1, (double) n_voxels) : 2;
  taps->pixels = pixels;
  taps->first = g_new0 (gsize, pixels);
  taps->n = g_new0 (gsize, pixels);
  taps->weight = g_new0 (float, pixels * taps->most);
  for (gsize i = 0; i < pixels; i++)
    {
      const double from = side.origin + (double) i * side.step;
      const double middle = from + side.step / 2;

      if (!(middle >= 0 && middle < (double) n_voxels))
        continue;
      if (side.step > 1)
        tap_area (taps, i, from, from + side.step, n_voxels);
      else
        tap_linear (taps, i, middle, n_voxels);
    }
}

static void
taps_clear (Taps *taps)
{
  g_free (taps->first);
  g_free (taps->n);
  g_free (taps->weight);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Taps, taps_clear)

/** The voxels from the first to behind the last that any pixel is made of. */
static void
taps_extent (const Taps *taps, gsize *first, gsize *end)
{
  *first = G_MAXSIZE;
  *end = 0;
  for (gsize i = 0; i < taps->pixels; i++)
    if (taps->n[i] > 0)
      {
        *first = MIN (*first, taps->first[i]);
        *end = MAX (*end, taps->first[i] + taps->n[i]);
      }
}

/* ---- drawing ---- */

/** One row of pixels as voxels: the slice's rows under it, averaged. */
static void
average_rows (const VolumeSlice *slice, const Taps *down, gsize row, gsize first, gsize end,
              float *average)
{
  const float *weight = down->weight + row * down->most;

  for (gsize k = 0; k < down->n[row]; k++)
    {
      const float *hu = slice->hu + (down->first[row] + k) * slice->width;

      if (k == 0)
        for (gsize x = first; x < end; x++)
          average[x] = weight[k] * hu[x];
      else
        for (gsize x = first; x < end; x++)
          average[x] += weight[k] * hu[x];
    }
}

/** Pixels out of averaged rows; NaN beside the slice. */
static void
average_columns (const float *average, const Taps *across, float *hu)
{
  for (gsize i = 0; i < across->pixels; i++)
    {
      const float *weight = across->weight + i * across->most;
      const float *from = average + across->first[i];
      float sum = across->n[i] > 0 ? 0 : NAN;

      for (gsize k = 0; k < across->n[i]; k++)
        sum += weight[k] * from[k];
      hu[i] = sum;
    }
}

void
volume_slice_render (const VolumeSlice *slice, VolumeWindow window, gboolean inverted,
                     const VolumeView *view, guint8 *grey)
{
  g_auto (Taps) across = { 0 }, down = { 0 };
  g_autofree float *average = g_new (float, slice->width);
  g_autofree float *hu = g_new (float, view->width_px);
  gsize first, end;

  taps_init (&across, side_across (view, slice), view->width_px, slice->width);
  taps_init (&down, side_down (view, slice), view->height_px, slice->height);
  taps_extent (&across, &first, &end);
  for (gsize row = 0; row < down.pixels; row++)
    {
      guint8 *out = grey + row * view->width_px;

      if (down.n[row] == 0)
        {
          memset (out, 0, view->width_px);
          continue;
        }
      average_rows (slice, &down, row, first, end, average);
      average_columns (average, &across, hu);
      volume_window (hu, view->width_px, window, out);
      for (gsize i = 0; inverted && i < view->width_px; i++)
        if (!isnan (hu[i]))
          out[i] = G_MAXUINT8 - out[i];
    }
}

/* ---- from the picture to the slice and back ---- */

/** The nearest voxel; %FALSE where the place lies beside them. */
static gboolean
voxel_under (Side side, double px, gsize n_voxels, gsize *voxel)
{
  const double place = floor (side.origin + px * side.step);

  *voxel = (gsize) CLAMP (place, 0, (double) n_voxels - 1);
  return place >= 0 && place < (double) n_voxels;
}

gboolean
volume_view_voxel (const VolumeView *view, const VolumeSlice *slice, double x_px, double y_px,
                   gsize *column, gsize *row)
{
  const gboolean across = voxel_under (side_across (view, slice), x_px, slice->width, column);
  const gboolean down = voxel_under (side_down (view, slice), y_px, slice->height, row);

  return across && down;
}

static double
point_at (Side side, gsize voxel)
{
  return ((double) voxel + 0.5 - side.origin) / side.step;
}

void
volume_view_point (const VolumeView *view, const VolumeSlice *slice, gsize column, gsize row,
                   double *x_px, double *y_px)
{
  *x_px = point_at (side_across (view, slice), column);
  *y_px = point_at (side_down (view, slice), row);
}

#include "volume/resample.h"

#include "volume/buffer.h"

#include <math.h>

/* Output rows along x that are computed side by side: their voxels at one x are neighbours in the
 * tensor, so that x is blended for all of them at once and stores fill whole cache lines. */
#define LANES 16

void
resample_axis_init (ResampleAxis *axis, gsize n_source, gsize n_resized, gsize n_target,
                    gboolean flipped)
{
  gsize start = n_resized > n_target ? (n_resized - n_target) / 2 : 0;
  double scale = (double) n_source / (double) n_resized;

  axis->n = MIN (n_resized, n_target);
  axis->first = (n_target - axis->n) / 2;
  axis->lower = g_new (gsize, axis->n);
  axis->upper = g_new (gsize, axis->n);
  axis->weight = g_new (float, axis->n);
  axis->least = n_source;
  axis->most = 0;
  for (gsize i = 0; i < axis->n; i++)
    {
      double source = MAX (((double) (start + i) + 0.5) * scale - 0.5, 0);
      gsize lower = MIN ((gsize) source, n_source - 1);
      double weight = source - (double) lower;
      /* A neighbour without weight need not be there. */
      gsize upper = weight > 0 ? MIN (lower + 1, n_source - 1) : lower;

      axis->lower[i] = flipped ? n_source - 1 - lower : lower;
      axis->upper[i] = flipped ? n_source - 1 - upper : upper;
      axis->weight[i] = (float) weight;
      axis->least = MIN (axis->least, MIN (axis->lower[i], axis->upper[i]));
      axis->most = MAX (axis->most, MAX (axis->lower[i], axis->upper[i]));
    }
}

void
resample_axis_clear (ResampleAxis *axis)
{
  g_clear_pointer (&axis->lower, g_free);
  g_clear_pointer (&axis->upper, g_free);
  g_clear_pointer (&axis->weight, g_free);
}

/** Only the rows and columns that some output needs are mapped: the window, in stored indices. */
struct _Resampler
{
  const ResampleAxis *z, *x, *y;
  gsize shape[3];
  gsize row; /* voxels in a stored row */
  const VoxelMap *map;
  guint bytes_per_voxel;
  float pad;
  float *tensor;
  gsize width, height; /* of the window */
  float *planes[2];    /* windows of the stored slices k and k - 1, at k & 1 */
  float *blend;        /* a window between two slices */
  float *rows;         /* LANES rows of `width`, blended between slices and rows */
  float *columns;      /* the same, LANES numbers for each x */
  gsize written;       /* output slices, counted in the order of arrival */
};

static void
fill (float *out, gsize n, float value)
{
  for (gsize i = 0; i < n; i++)
    out[i] = value;
}

Resampler *
resampler_new (const char *path, const ResampleAxis axes[3], const gsize shape[3], gsize row,
               const VoxelMap *map, guint bytes_per_voxel, double pad, float *tensor,
               GError **error)
{
  g_autoptr (Resampler) resampler = g_new0 (Resampler, 1);
  struct
  {
    float **buffer;
    gsize rows;
  } buffers[] = {
    { &resampler->planes[0], axes[2].most - axes[2].least + 1 },
    { &resampler->planes[1], axes[2].most - axes[2].least + 1 },
    { &resampler->blend, axes[2].most - axes[2].least + 1 },
    { &resampler->rows, LANES },
    { &resampler->columns, LANES },
  };

  resampler->z = &axes[0];
  resampler->x = &axes[1];
  resampler->y = &axes[2];
  for (guint i = 0; i < 3; i++)
    resampler->shape[i] = shape[i];
  resampler->row = row;
  resampler->map = map;
  resampler->bytes_per_voxel = bytes_per_voxel;
  resampler->pad = (float) pad;
  resampler->tensor = tensor;
  resampler->width = axes[1].most - axes[1].least + 1;
  resampler->height = axes[2].most - axes[2].least + 1;
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    {
      *buffers[i].buffer = buffer_new (path, "resizing", resampler->width * buffers[i].rows,
                                       sizeof (float), error);
      if (*buffers[i].buffer == NULL)
        return NULL;
    }
  /* The last tile may leave lanes empty; they are carried along. */
  fill (resampler->rows, LANES * resampler->width, 0);
  return g_steal_pointer (&resampler);
}

void
resampler_free (Resampler *resampler)
{
  g_free (resampler->planes[0]);
  g_free (resampler->planes[1]);
  g_free (resampler->blend);
  g_free (resampler->rows);
  g_free (resampler->columns);
  g_free (resampler);
}

static void
blend_rows (const float *restrict lower, const float *restrict upper, float weight, gsize n,
            float *restrict out)
{
  const float rest = 1 - weight;

  for (gsize i = 0; i < n; i++)
    out[i] = lower[i] * rest + upper[i] * weight;
}

/** The window between the two source slices of output slice @z. */
static const float *
blend_slices (Resampler *resampler, gsize z)
{
  const ResampleAxis *axis = resampler->z;
  const float *lower = resampler->planes[axis->lower[z] & 1];
  const float *upper = resampler->planes[axis->upper[z] & 1];

  if (lower == upper)
    return lower;
  blend_rows (lower, upper, axis->weight[z], resampler->width * resampler->height,
              resampler->blend);
  return resampler->blend;
}

/** The columns of output rows y .. y + n - 1. */
static void
blend_columns (Resampler *resampler, const float *plane, gsize y, gsize n)
{
  const ResampleAxis *axis = resampler->y;
  gsize width = resampler->width;
  const float *restrict rows = resampler->rows;
  float *restrict columns = resampler->columns;

  for (gsize lane = 0; lane < n; lane++)
    blend_rows (plane + (axis->lower[y + lane] - axis->least) * width,
                plane + (axis->upper[y + lane] - axis->least) * width, axis->weight[y + lane],
                width, resampler->rows + lane * width);
  for (gsize i = 0; i < width; i++)
    for (gsize lane = 0; lane < LANES; lane++)
      columns[i * LANES + lane] = rows[lane * width + i];
}

static void
write_slice (Resampler *resampler, gsize z)
{
  const ResampleAxis *x = resampler->x, *y = resampler->y;
  const gsize n_x = resampler->shape[1], n_y = resampler->shape[2];
  float *out = resampler->tensor + (resampler->z->first + z) * n_x * n_y;
  const float *plane = blend_slices (resampler, z);

  fill (out, x->first * n_y, resampler->pad);
  fill (out + (x->first + x->n) * n_y, (n_x - x->first - x->n) * n_y, resampler->pad);
  out += x->first * n_y;
  for (gsize i = 0; i < x->n; i++)
    {
      fill (out + i * n_y, y->first, resampler->pad);
      fill (out + i * n_y + y->first + y->n, n_y - y->first - y->n, resampler->pad);
    }
  out += y->first;
  for (gsize j = 0; j < y->n; j += LANES)
    {
      gsize n = MIN (LANES, y->n - j);

      blend_columns (resampler, plane, j, n);
      for (gsize i = 0; i < x->n; i++)
        blend_rows (resampler->columns + (x->lower[i] - x->least) * LANES,
                    resampler->columns + (x->upper[i] - x->least) * LANES, x->weight[i], n,
                    out + i * n_y + j);
    }
}

/** The number of the output slice that is complete next: the slices arrive as stored, so with z
 * flipped the last comes first. */
static gsize
next_output (const Resampler *resampler)
{
  const ResampleAxis *z = resampler->z;
  gboolean flipped = z->lower[0] > z->lower[z->n - 1];

  return flipped ? z->n - 1 - resampler->written : resampler->written;
}

static gboolean
slice_is_used (const Resampler *resampler, gsize index)
{
  const ResampleAxis *z = resampler->z;
  gsize output = next_output (resampler);

  return z->lower[output] == index || z->upper[output] == index;
}

void
resampler_push (Resampler *resampler, gsize index, gconstpointer stored)
{
  const ResampleAxis *x = resampler->x, *y = resampler->y, *z = resampler->z;
  const gsize area = resampler->shape[1] * resampler->shape[2];

  if (index == 0)
    {
      gsize after = z->first + z->n;

      resampler->written = 0;
      fill (resampler->tensor, z->first * area, resampler->pad);
      fill (resampler->tensor + after * area, (resampler->shape[0] - after) * area,
            resampler->pad);
    }
  if (resampler->written == z->n || !slice_is_used (resampler, index))
    return;
  for (gsize j = 0; j < resampler->height; j++)
    {
      gsize offset = (y->least + j) * resampler->row + x->least;

      voxel_map_apply (resampler->map,
                       (const guint8 *) stored + offset * resampler->bytes_per_voxel,
                       resampler->width, resampler->planes[index & 1] + j * resampler->width);
    }
  for (; resampler->written < z->n; resampler->written++)
    {
      gsize output = next_output (resampler);

      if (MAX (z->lower[output], z->upper[output]) > index)
        break;
      write_slice (resampler, output);
    }
}

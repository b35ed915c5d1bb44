#include "volume/resample.h"

#include "volume/buffer.h"

/* Output rows along x that are computed side by side: their voxels at one x are neighbours in the
 * tensor, so that x is blended for all of them at once and stores fill whole cache lines. */
#define LANES 16

/* Vectors as GCC and clang write them; "loose" ones need no alignment in memory. */
typedef float Quad __attribute__ ((vector_size (4 * sizeof (float))));
typedef float LooseQuad __attribute__ ((vector_size (4 * sizeof (float)), aligned (4)));

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
  gsize width, height; /* of the window; the width is rounded up to whole quads */
  float *planes[2];    /* windows of the stored slices k and k - 1, at k & 1 */
  float *columns;      /* LANES output rows before x is blended, LANES numbers for each x */
  gsize written;       /* output slices, counted in the order of arrival */
};

static void
fill (float *out, gsize n, float value)
{
  const Quad four = { value, value, value, value };

  for (; n >= 4; n -= 4, out += 4)
    *(LooseQuad *) out = four;
  while (n-- > 0)
    *out++ = value;
}

Resampler *
resampler_new (const char *path, const ResampleAxis axes[3], const gsize shape[3], gsize row,
               const VoxelMap *map, guint bytes_per_voxel, double pad, float *tensor,
               GError **error)
{
  g_autoptr (Resampler) resampler = g_new0 (Resampler, 1);
  float **buffers[] = { &resampler->planes[0], &resampler->planes[1], &resampler->columns };

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
  resampler->width = (axes[1].most - axes[1].least + 1 + 3) & ~(gsize) 3;
  resampler->height = axes[2].most - axes[2].least + 1;
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    {
      gsize n = resampler->width * (i < 2 ? resampler->height : LANES);

      *buffers[i] = buffer_new (path, "resizing", n, sizeof (float), error);
      if (*buffers[i] == NULL)
        return NULL;
      fill (*buffers[i], n,
            0); /* what rounding up added to a row is never set, but carried along */
    }
  return g_steal_pointer (&resampler);
}

void
resampler_free (Resampler *resampler)
{
  g_free (resampler->planes[0]);
  g_free (resampler->planes[1]);
  g_free (resampler->columns);
  g_free (resampler);
}

/** One output row before x is blended: four source rows, out of two slices. */
typedef struct
{
  const float *row[4];
  float weight[4];
} Lane;

static Lane
lane_of (const Resampler *resampler, gsize z, gsize y)
{
  const ResampleAxis *slices = resampler->z, *rows = resampler->y;
  const float *near = resampler->planes[slices->lower[z] & 1];
  const float *far = resampler->planes[slices->upper[z] & 1];
  const gsize lower = (rows->lower[y] - rows->least) * resampler->width;
  const gsize upper = (rows->upper[y] - rows->least) * resampler->width;
  const float down = rows->weight[y], across = slices->weight[z];

  return (Lane){ .row = { near + lower, near + upper, far + lower, far + upper },
                 .weight = { (1 - across) * (1 - down), (1 - across) * down, across * (1 - down),
                             across * down } };
}

static inline Quad
lane_quad (const Lane *lane, gsize i)
{
  return *(const LooseQuad *) (lane->row[0] + i) * lane->weight[0]
         + *(const LooseQuad *) (lane->row[1] + i) * lane->weight[1]
         + *(const LooseQuad *) (lane->row[2] + i) * lane->weight[2]
         + *(const LooseQuad *) (lane->row[3] + i) * lane->weight[3];
}

/** Four lanes along all of x, turned: four neighbours in @columns belong to the four lanes. */
static void
blend_four_lanes (const Lane lanes[4], gsize width, float *columns)
{
  for (gsize i = 0; i < width; i += 4)
    {
      const Quad a = lane_quad (&lanes[0], i), b = lane_quad (&lanes[1], i);
      const Quad c = lane_quad (&lanes[2], i), d = lane_quad (&lanes[3], i);
      const Quad ab_first = __builtin_shufflevector (a, b, 0, 4, 1, 5);
      const Quad cd_first = __builtin_shufflevector (c, d, 0, 4, 1, 5);
      const Quad ab_last = __builtin_shufflevector (a, b, 2, 6, 3, 7);
      const Quad cd_last = __builtin_shufflevector (c, d, 2, 6, 3, 7);
      float *out = columns + i * LANES;

      *(LooseQuad *) out = __builtin_shufflevector (ab_first, cd_first, 0, 1, 4, 5);
      *(LooseQuad *) (out + LANES) = __builtin_shufflevector (ab_first, cd_first, 2, 3, 6, 7);
      *(LooseQuad *) (out + 2 * LANES) = __builtin_shufflevector (ab_last, cd_last, 0, 1, 4, 5);
      *(LooseQuad *) (out + 3 * LANES) = __builtin_shufflevector (ab_last, cd_last, 2, 3, 6, 7);
    }
}

/** The columns of output rows from @y on; past the last row that one is repeated. */
static void
blend_columns (Resampler *resampler, gsize z, gsize y)
{
  for (gsize lane = 0; lane < LANES; lane += 4)
    {
      Lane lanes[4];

      for (gsize i = 0; i < 4; i++)
        lanes[i] = lane_of (resampler, z, MIN (y + lane + i, resampler->y->n - 1));
      blend_four_lanes (lanes, resampler->width, resampler->columns + lane);
    }
}

static inline Quad
blend_quads (const float *lower, const float *upper, float weight)
{
  return *(const LooseQuad *) lower * (1 - weight) + *(const LooseQuad *) upper * weight;
}

/** Blend x for @n rows, that is @n neighbours in the tensor. */
static void
blend_x (const Resampler *resampler, gsize n, float *out)
{
  const ResampleAxis *axis = resampler->x;
  const gsize step = resampler->shape[2];

  for (gsize i = 0; i < axis->n; i++, out += step)
    {
      const float *lower = resampler->columns + (axis->lower[i] - axis->least) * LANES;
      const float *upper = resampler->columns + (axis->upper[i] - axis->least) * LANES;
      const float weight = axis->weight[i];
      gsize lane = 0;

      for (; lane + 4 <= n; lane += 4)
        *(LooseQuad *) (out + lane) = blend_quads (lower + lane, upper + lane, weight);
      for (; lane < n; lane++)
        out[lane] = lower[lane] * (1 - weight) + upper[lane] * weight;
    }
}

static void
write_slice (Resampler *resampler, gsize z)
{
  const ResampleAxis *x = resampler->x, *y = resampler->y;
  const gsize n_x = resampler->shape[1], n_y = resampler->shape[2];
  float *out = resampler->tensor + (resampler->z->first + z) * n_x * n_y;

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
      blend_columns (resampler, z, j);
      blend_x (resampler, MIN (LANES, y->n - j), out + j);
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
      fill (resampler->tensor + after * area, (resampler->shape[0] - after) * area, resampler->pad);
    }
  if (resampler->written == z->n || !slice_is_used (resampler, index))
    return;
  for (gsize j = 0; j < resampler->height; j++)
    {
      gsize offset = (y->least + j) * resampler->row + x->least;

      voxel_map_apply (resampler->map,
                       (const guint8 *) stored + offset * resampler->bytes_per_voxel,
                       x->most - x->least + 1, resampler->planes[index & 1] + j * resampler->width);
    }
  for (; resampler->written < z->n; resampler->written++)
    {
      gsize output = next_output (resampler);

      if (MAX (z->lower[output], z->upper[output]) > index)
        break;
      write_slice (resampler, output);
    }
}

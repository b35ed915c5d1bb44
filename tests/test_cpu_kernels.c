/* Every form of the processor's kernels that this processor can run, beside the formula in double.
 */
#include "testing.h"

#include "base/random.h"
#include "model/cpu_kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LANES 32
#define MOST_ROWS 24 /* of tiles */
#define DEPTH 700    /* more than is summed in one go */
#define ODD 1031     /* no multiple of a register's size */

/* DEPTH × lanes each, and not a number more: a sanitizer sees what goes beyond. */
static float *panel, *other, *result;

static float *
panel_new (const CpuKernels *kernels)
{
  void *numbers = NULL;

  assert_int_equal (posix_memalign (&numbers, 64, DEPTH * kernels->lanes * sizeof (float)), 0);
  return numbers;
}

static gint32 *
rounded_new (const CpuKernels *kernels, gsize width)
{
  void *words = NULL;

  assert_int_equal (posix_memalign (&words, 64, cpu_rounded_words (DEPTH, width) * sizeof (gint32)),
                    0);
  return words;
}

static void
fill (float *numbers, gsize n, guint64 seed, double scale)
{
  Random random;

  random_init (&random, seed, 0);
  for (gsize i = 0; i < n; i++)
    numbers[i] = (float) (scale * (2 * random_uniform (&random) - 1));
}

typedef void (*Check) (const CpuKernels *kernels);

static void
check_every_form (Check check)
{
  const CpuKernels *kernels;

  assert_non_null (cpu_kernels (0));
  for (guint i = 0; (kernels = cpu_kernels (i)) != NULL; i++)
    {
      print_message ("%s\n", kernels->name);
      assert_true (kernels->lanes <= MOST_LANES && 2 * kernels->tile_rows <= MOST_ROWS);
      panel = panel_new (kernels);
      other = panel_new (kernels);
      result = panel_new (kernels);
      check (kernels);
      free (panel);
      free (other);
      free (result);
    }
}

static void
assert_near (double is, double expected, double tolerance)
{
  if (!(fabs (is - expected) <= tolerance * MAX (1, fabs (expected))))
    fail_msg ("%.9g is not %.9g", is, expected);
}

static void
check_multiply (const CpuKernels *k)
{
  static float tiles[MOST_ROWS * DEPTH],
      start[MOST_ROWS * MOST_LANES] __attribute__ ((aligned (64)));
  const gsize rows = 2 * k->tile_rows, step = k->tile_rows * DEPTH;

  fill (tiles, rows * DEPTH, 1, 1);
  fill (panel, DEPTH * k->lanes, 2, 1);
  fill (start, rows * k->lanes, 3, 1);
  for (guint with_start = 0; with_start < 2; with_start++)
    {
      k->multiply (tiles, step, 2, DEPTH, panel, with_start ? start : NULL, result);
      for (gsize r = 0; r < rows; r++)
        for (gsize l = 0; l < k->lanes; l++)
          {
            const float *tile = tiles + r / k->tile_rows * step + r % k->tile_rows;
            double sum = with_start ? start[r * k->lanes + l] : 0;

            for (gsize p = 0; p < DEPTH; p++)
              sum += (double) tile[p * k->tile_rows] * panel[p * k->lanes + l];
            assert_near (result[r * k->lanes + l], sum, 3e-5);
          }
    }
}

static void
test_products_are_the_sums (void **state)
{
  check_every_form (check_multiply);
}

/** As many rows as there are lanes, rounded like tokens, give the first tile. */
static gint32 *
round_tile (const CpuKernels *k, const float *rows)
{
  const gsize words = cpu_rounded_words (DEPTH, 1);
  g_autofree gint32 *rounded = rounded_new (k, k->lanes);
  gint32 *tile = rounded_new (k, k->rounded_rows);

  k->round (rows, DEPTH, rounded);
  for (gsize i = 0; i < words; i++)
    memcpy (tile + i * k->rounded_rows, rounded + i * k->lanes, k->rounded_rows * sizeof *tile);
  return tile;
}

/** Σ over the numbers, each rounded as it says, in double. */
static double
rounded_product (const CpuKernels *k, const float *rows, gsize r, const float *tokens, gsize l)
{
  double row_most = 0, token_most = 0, sum = 0;

  for (gsize p = 0; p < DEPTH; p++)
    {
      row_most = MAX (row_most, fabs (rows[p * k->lanes + r]));
      token_most = MAX (token_most, fabs (tokens[p * k->lanes + l]));
    }
  for (gsize p = 0; p < DEPTH; p++)
    sum += rint (rows[p * k->lanes + r] / row_most * CPU_ROUNDED_MOST)
           * rint (tokens[p * k->lanes + l] / token_most * CPU_ROUNDED_MOST);
  return sum * row_most / CPU_ROUNDED_MOST * token_most / CPU_ROUNDED_MOST;
}

static void
check_rounded (const CpuKernels *k)
{
  g_autofree gint32 *tile = NULL;
  g_autofree gint32 *rounded = rounded_new (k, k->lanes);

  fill (other, DEPTH * k->lanes, 16, 0.1);
  fill (panel, DEPTH * k->lanes, 17, 30);
  tile = round_tile (k, other);
  k->round (panel, DEPTH, rounded);
  k->multiply_rounded (tile, 1, DEPTH, rounded, result);
  for (gsize r = 0; r < k->rounded_rows; r++)
    for (gsize l = 0; l < k->lanes; l++)
      {
        double exact = 0, rounded_one = rounded_product (k, other, r, panel, l);

        for (gsize p = 0; p < DEPTH; p++)
          exact += (double) other[p * k->lanes + r] * panel[p * k->lanes + l];
        /* A number on the edge between two may go the other way than in double. */
        assert_near (result[r * k->lanes + l], rounded_one, 2e-3);
        assert_near (result[r * k->lanes + l], exact, 0.05);
        assert_true (fabs (rounded_one - exact) > 1e-6);
      }
}

static void
test_rounded_products_are_the_sums_of_rounded_numbers (void **state)
{
  check_every_form (check_rounded);
}

/** Every number is the largest there is, and so is every sum. */
static void
check_extremes (const CpuKernels *k)
{
  for (guint sign = 0; sign < 3; sign++)
    {
      g_autofree gint32 *tile = NULL;
      g_autofree gint32 *rounded = rounded_new (k, k->lanes);

      for (gsize i = 0; i < DEPTH * k->lanes; i++)
        {
          other[i] = -1;
          panel[i] = sign == 0 || (sign == 2 && i / k->lanes % 2 == 0) ? -1 : 1;
        }
      tile = round_tile (k, other);
      k->round (panel, DEPTH, rounded);
      k->multiply_rounded (tile, 1, DEPTH, rounded, result);
      for (gsize i = 0; i < k->rounded_rows * k->lanes; i++)
        assert_near (result[i], sign == 0 ? DEPTH : sign == 1 ? -DEPTH : 0, 1e-6);
    }
}

static void
test_the_largest_sums_do_not_run_over (void **state)
{
  check_every_form (check_extremes);
}

static void
check_odd_lengths (const CpuKernels *k)
{
  static const gsize lengths[] = { 1, 2, 3, 5, 511, 513, 515 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      const gsize n = lengths[i], words = cpu_rounded_words (n, 1);
      g_autofree gint32 *rounded = rounded_new (k, k->lanes), *tile = rounded_new (k, k->lanes);

      for (gsize p = 0; p < n * k->lanes; p++)
        panel[p] = 3;
      k->round (panel, n, rounded);
      for (gsize w = 0; w < words; w++)
        memcpy (tile + w * k->rounded_rows, rounded + w * k->lanes, k->rounded_rows * sizeof *tile);
      k->multiply_rounded (tile, 1, n, rounded, result);
      assert_near (result[0], 9.0 * (double) n, 1e-6);
      assert_near (result[k->rounded_rows * k->lanes - 1], 9.0 * (double) n, 1e-6);
    }
}

static void
test_rounded_numbers_may_be_of_any_length (void **state)
{
  check_every_form (check_odd_lengths);
}

/** A token of zeros has no scale, and its products are 0. */
static void
check_zeros (const CpuKernels *k)
{
  g_autofree gint32 *tile = NULL;
  g_autofree gint32 *rounded = rounded_new (k, k->lanes);

  fill (other, DEPTH * k->lanes, 18, 1);
  memset (panel, 0, DEPTH * k->lanes * sizeof *panel);
  tile = round_tile (k, other);
  k->round (panel, DEPTH, rounded);
  k->multiply_rounded (tile, 1, DEPTH, rounded, result);
  for (gsize i = 0; i < k->rounded_rows * k->lanes; i++)
    assert_true (result[i] == 0);
}

static void
test_zeros_stay_zeros_when_rounded (void **state)
{
  check_every_form (check_zeros);
}

static void
check_layer_norm (const CpuKernels *k)
{
  float gamma[DEPTH], beta[DEPTH];

  fill (panel, DEPTH * k->lanes, 4, 1);
  fill (gamma, DEPTH, 5, 2);
  fill (beta, DEPTH, 6, 1);
  for (gsize i = 0; i < DEPTH; i++)
    {
      panel[i * k->lanes] = 0.1f;   /* a patch of air has no variance */
      panel[i * k->lanes + 1] += 9; /* and the mean may be far from 0 */
    }
  k->layer_norm (panel, DEPTH, gamma, beta, result);
  for (gsize l = 0; l < k->lanes; l++)
    {
      double mean = 0, variance = 0;

      for (gsize i = 0; i < DEPTH; i++)
        mean += panel[i * k->lanes + l];
      mean /= DEPTH;
      for (gsize i = 0; i < DEPTH; i++)
        variance += (panel[i * k->lanes + l] - mean) * (panel[i * k->lanes + l] - mean);
      variance /= DEPTH;
      for (gsize i = 0; i < DEPTH; i++)
        assert_near (result[i * k->lanes + l],
                     (panel[i * k->lanes + l] - mean) / sqrt (variance + 1e-5) * gamma[i] + beta[i],
                     1e-5);
    }
}

static void
test_layer_norm_has_two_passes (void **state)
{
  check_every_form (check_layer_norm);
}

static void
check_unit (const CpuKernels *k)
{
  float scale[DEPTH];

  fill (panel, DEPTH * k->lanes, 7, 3);
  fill (scale, DEPTH, 8, 1);
  for (gsize i = 0; i < DEPTH; i++)
    panel[i * k->lanes] = 0;
  memcpy (result, panel, DEPTH * k->lanes * sizeof *panel);
  k->unit (result, DEPTH, scale, 8);
  for (gsize l = 0; l < k->lanes; l++)
    {
      double size = 0;

      for (gsize i = 0; i < DEPTH; i++)
        size += (double) panel[i * k->lanes + l] * panel[i * k->lanes + l];
      size = MAX (sqrt (size), 1e-12);
      for (gsize i = 0; i < DEPTH; i++)
        assert_near (result[i * k->lanes + l], 8 * scale[i] * panel[i * k->lanes + l] / size, 1e-6);
    }
}

static void
test_unit_vectors_have_norm_one_and_zero_stays (void **state)
{
  check_every_form (check_unit);
}

static void
check_soften (const CpuKernels *k)
{
  float sum[MOST_LANES] __attribute__ ((aligned (64)));

  fill (panel, DEPTH * k->lanes, 9, 8);
  panel[3 * k->lanes] = -1e30f; /* a key that is not there */
  memcpy (result, panel, DEPTH * k->lanes * sizeof *panel);
  k->soften (result, DEPTH, sum);
  for (gsize l = 0; l < k->lanes; l++)
    {
      double largest = -INFINITY, total = 0;

      for (gsize i = 0; i < DEPTH; i++)
        largest = MAX (largest, (double) panel[i * k->lanes + l]);
      for (gsize i = 0; i < DEPTH; i++)
        {
          double weight = exp (panel[i * k->lanes + l] - largest);

          total += weight;
          assert_near (result[i * k->lanes + l], weight, 5e-7);
        }
      assert_near (sum[l], total, 1e-5);
    }
}

static void
test_softmax_takes_the_largest_off (void **state)
{
  check_every_form (check_soften);
}

static void
check_gate (const CpuKernels *k)
{
  const gsize n = DEPTH * k->lanes;

  fill (panel, n, 10, 2);
  fill (other, n, 11, 7);
  memcpy (result, panel, DEPTH * k->lanes * sizeof *panel);
  k->gate (result, other, DEPTH);
  for (gsize i = 0; i < n; i++)
    assert_near (result[i], panel[i] * (0.5 * other[i] * (1 + erf (other[i] * M_SQRT1_2))), 4e-6);
}

static void
test_gelu_is_the_exact_one (void **state)
{
  check_every_form (check_gate);
}

static void
check_best (const CpuKernels *k)
{
  float largest[MOST_LANES] __attribute__ ((aligned (64)));
  gint32 where[MOST_LANES] __attribute__ ((aligned (64)));
  const gsize half = DEPTH / 2;

  fill (panel, DEPTH * k->lanes, 12, 1);
  for (gsize l = 0; l < k->lanes; l++)
    {
      largest[l] = -INFINITY;
      where[l] = 0;
      panel[(100 + l) * k->lanes + l] = panel[(half + 100) * k->lanes + l] = 2; /* equal ones */
    }
  k->best (panel, half, 0, largest, where);
  k->best (panel + half * k->lanes, DEPTH - half, (gint32) half, largest, where);
  for (gsize l = 0; l < k->lanes; l++)
    {
      assert_int_equal (where[l], 100 + l);
      assert_true (largest[l] == 2);
    }
}

static void
test_the_first_of_equal_codes_is_taken (void **state)
{
  check_every_form (check_best);
}

static void
check_rows (const CpuKernels *k)
{
  static float a[3][ODD], b[3][ODD], start[ODD], sum[ODD];
  const float *rows[3] = { a[0], a[1], a[2] }, *weights[3] = { b[0], b[1], b[2] };
  double product = 0;

  fill (a[0], 3 * ODD, 13, 1);
  fill (b[0], 3 * ODD, 14, 1);
  fill (start, ODD, 15, 1);
  k->weighted_sum (rows, weights, 3, start, ODD, sum);
  for (gsize i = 0; i < ODD; i++)
    {
      double expected = start[i];

      for (gsize row = 0; row < 3; row++)
        expected += (double) a[row][i] * b[row][i];
      assert_near (sum[i], expected, 1e-6);
      product += (double) a[0][i] * b[0][i];
    }
  assert_near (k->dot (a[0], b[0], ODD), product, 1e-5);
}

static void
test_rows_of_any_length_are_summed_to_their_end (void **state)
{
  check_every_form (check_rows);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_products_are_the_sums),
    cmocka_unit_test (test_rounded_products_are_the_sums_of_rounded_numbers),
    cmocka_unit_test (test_the_largest_sums_do_not_run_over),
    cmocka_unit_test (test_rounded_numbers_may_be_of_any_length),
    cmocka_unit_test (test_zeros_stay_zeros_when_rounded),
    cmocka_unit_test (test_layer_norm_has_two_passes),
    cmocka_unit_test (test_unit_vectors_have_norm_one_and_zero_stays),
    cmocka_unit_test (test_softmax_takes_the_largest_off),
    cmocka_unit_test (test_gelu_is_the_exact_one),
    cmocka_unit_test (test_the_first_of_equal_codes_is_taken),
    cmocka_unit_test (test_rows_of_any_length_are_summed_to_their_end),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

#include "testing.h"

#include "base/random.h"
#include "config.h"
#include "model/kernels.h"

#include <math.h>
#include <string.h>
#ifdef HAVE_CUDA
#include <cuda_runtime_api.h>
#endif

/* ---- what the kernels are compared with ---- */

static void
test_reference_takes_the_first_of_equal_codes (void **state)
{
  static const float x[] = { 1, 0, /**/ 0, 1, /**/ -1, 0, /**/ NAN, 0 };
  static const float codes[] = { 0, 1, /**/ 1, 0, /**/ 1, 0, /**/ 0, 1 };
  static const int64_t expected[] = { 1, 0, 0, 0 };
  int64_t nearest[4];

  reference_nearest_code (x, 4, codes, 4, 2, nearest);
  assert_memory_equal (nearest, expected, sizeof expected);
}

#define ROWS 12
#define CLASSES 18

static float
number_at (const json_t *rows, guint i)
{
  return (float) json_number_value (
      json_array_get (json_array_get (rows, i / CLASSES), i % CLASSES));
}

static void
check_focal_case (const json_t *document, const json_t *golden)
{
  const json_t *gradients = json_object_get (golden, "closed_grad");
  float z[ROWS * CLASSES], y[ROWS * CLASSES], positive[CLASSES], negative[CLASSES];
  float loss[ROWS * CLASSES], gradient[ROWS * CLASSES];
  float gamma = (float) json_number_value (json_object_get (golden, "gamma"));
  double mean = 0, expected = json_number_value (json_object_get (golden, "loss_mean"));

  for (guint i = 0; i < ROWS * CLASSES; i++)
    {
      z[i] = number_at (json_object_get (document, "z"), i);
      y[i] = number_at (json_object_get (document, "y"), i);
    }
  for (guint c = 0; c < CLASSES; c++)
    {
      positive[c] =
          (float) json_number_value (json_array_get (json_object_get (document, "pos_weight"), c));
      negative[c] = 1;
    }
  reference_focal_loss (z, y, positive, negative, ROWS, CLASSES, gamma, loss, gradient);
  for (guint i = 0; i < ROWS * CLASSES; i++)
    {
      double slope = number_at (gradients, i);

      mean += loss[i] / (double) (ROWS * CLASSES);
      if (!(fabs (gradient[i] - slope) <= 1e-6 * MAX (1, fabs (slope))))
        fail_msg ("gamma %g, element %u: %.9g, golden %.9g", gamma, i, gradient[i], slope);
    }
  if (!(fabs (mean - expected) <= 1e-6 * MAX (1, fabs (expected))))
    fail_msg ("gamma %g: loss %.9g, golden %.9g", gamma, mean, expected);
}

static void
test_reference_focal_loss_matches_the_goldens (void **state)
{
  json_t *document = testing_json ("golden/metrics/focal.json"), *golden;
  guint checked = 0;
  gsize i;

  json_array_foreach (
      json_object_get (document, "cases"), i,
      golden) if (strcmp (json_string_value (json_object_get (golden, "variant")), "A") == 0
                  && strcmp (json_string_value (json_object_get (golden, "dtype")), "torch.float64")
                         == 0)
  {
    check_focal_case (document, golden);
    checked++;
  }
  assert_int_equal (checked, 6);
  json_decref (document);
}

/* ---- on a GPU ---- */

/** Skips the running test where there is nothing to run a kernel on. */
static void
need_gpu (void)
{
#ifdef HAVE_CUDA
  int count = 0;

  if (cudaGetDeviceCount (&count) == cudaSuccess && count > 0)
    return;
  print_message ("needs a CUDA device\n");
#else
  print_message ("needs a build with nvcc\n");
#endif
  skip ();
}

#ifdef HAVE_CUDA

static void *
to_gpu (const void *data, gsize size)
{
  void *there = NULL;

  assert_int_equal (cudaMalloc (&there, size), cudaSuccess);
  if (data != NULL)
    assert_int_equal (cudaMemcpy (there, data, size, cudaMemcpyHostToDevice), cudaSuccess);
  return there;
}

/** Copies back and frees. */
static void
from_gpu (void *there, void *data, gsize size)
{
  assert_int_equal (cudaMemcpy (data, there, size, cudaMemcpyDeviceToHost), cudaSuccess);
  cudaFree (there);
}

static float *
small_whole_numbers (Random *random, gsize n)
{
  float *numbers = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    numbers[i] = (float) random_below (random, 5) - 2;
  return numbers;
}

/** Whole numbers add up exactly in any order, and tie often. */
static void
check_nearest_code (gsize n, gsize n_codes, gsize dim)
{
  Random random;
  g_autofree int64_t *ours = g_new (int64_t, n), *expected = g_new (int64_t, n);
  g_autofree float *x = NULL, *codes = NULL;
  float *x_there, *codes_there;
  int64_t *nearest_there;

  random_init (&random, n, dim);
  x = small_whole_numbers (&random, n * dim);
  codes = small_whole_numbers (&random, n_codes * dim);
  x[(n / 2) * dim] = NAN;
  x_there = to_gpu (x, n * dim * sizeof *x);
  codes_there = to_gpu (codes, n_codes * dim * sizeof *codes);
  nearest_there = to_gpu (NULL, n * sizeof *ours);
  assert_null (kernel_nearest_code (0, x_there, n, codes_there, n_codes, dim, nearest_there));
  from_gpu (nearest_there, ours, n * sizeof *ours);
  cudaFree (x_there);
  cudaFree (codes_there);

  reference_nearest_code (x, n, codes, n_codes, dim, expected);
  for (gsize i = 0; i < n; i++)
    assert_int_equal (ours[i], expected[i]);
}

static void
check_focal_loss (gsize n, float gamma)
{
  enum
  {
    SIZE = CLASSES * sizeof (float)
  };
  Random random;
  float positive[CLASSES], negative[CLASSES];
  g_autofree float *z = g_new (float, n *CLASSES), *y = g_new (float, n *CLASSES);
  g_autofree float *loss = g_new (float, n *CLASSES), *gradient = g_new (float, n *CLASSES);
  g_autofree float *loss_here = g_new (float, n *CLASSES),
                   *gradient_here = g_new (float, n *CLASSES);
  float *z_there, *y_there, *positive_there, *negative_there, *loss_there, *gradient_there;

  random_init (&random, n, 1);
  for (gsize i = 0; i < n * CLASSES; i++)
    {
      z[i] = (float) (30 * random_normal (&random));
      y[i] = random_uniform (&random) < 0.3;
    }
  for (guint c = 0; c < CLASSES; c++)
    {
      positive[c] = 1 + (float) c;
      negative[c] = 0.5f;
    }
  z_there = to_gpu (z, n * SIZE);
  y_there = to_gpu (y, n * SIZE);
  positive_there = to_gpu (positive, SIZE);
  negative_there = to_gpu (negative, SIZE);
  loss_there = to_gpu (NULL, n * SIZE);
  gradient_there = to_gpu (NULL, n * SIZE);
  assert_null (kernel_focal_loss (0, z_there, y_there, positive_there, negative_there, n, CLASSES,
                                  gamma, loss_there, gradient_there));
  from_gpu (loss_there, loss, n * SIZE);
  from_gpu (gradient_there, gradient, n * SIZE);
  cudaFree (z_there);
  cudaFree (y_there);
  cudaFree (positive_there);
  cudaFree (negative_there);

  reference_focal_loss (z, y, positive, negative, n, CLASSES, gamma, loss_here, gradient_here);
  for (gsize i = 0; i < n * CLASSES; i++)
    {
      assert_true (fabsf (loss[i] - loss_here[i]) <= 1e-5f * MAX (1, fabsf (loss_here[i])));
      assert_true (fabsf (gradient[i] - gradient_here[i])
                   <= 1e-6f * MAX (1, fabsf (gradient_here[i])));
    }
}

#endif

static void
test_gpu_finds_the_references_codes (void **state)
{
  need_gpu ();
#ifdef HAVE_CUDA
  check_nearest_code (1, 1, 1);
  check_nearest_code (65, 129, 17);
  check_nearest_code (200, 1000, 40);
  check_nearest_code (576, 8192, 512);
#endif
}

static void
test_gpu_focal_loss_is_the_references (void **state)
{
  need_gpu ();
#ifdef HAVE_CUDA
  for (guint i = 0; i < 3; i++)
    check_focal_loss (1 + 40 * i, 0.5f * (float) i);
#endif
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_reference_takes_the_first_of_equal_codes),
    cmocka_unit_test (test_reference_focal_loss_matches_the_goldens),
    cmocka_unit_test (test_gpu_finds_the_references_codes),
    cmocka_unit_test (test_gpu_focal_loss_is_the_references),
  };

  return cmocka_run_group_tests_name ("kernels", tests, NULL, NULL);
}

/* Every form of a head's arithmetic that this processor can run, beside plain C. */
#include "testing.h"

#include "base/random.h"
#include "model/head_kernels.h"

#include <math.h>

static double
any_number (Random *random)
{
  return 2 * random_uniform (random) - 1;
}

/** Sums of products in the order of k, in plain C, within what @epsilon allows; a and b both
 * transposed or not. */
static void
check_products (const HeadKernels *kernels, Random *random, gsize m, gsize n, gsize k,
                gboolean transposed)
{
  g_autofree double *a = g_new (double, m *k), *b = g_new (double, k *n), *c = g_new (double, m *n);
  g_autofree float *a_float = g_new (float, m *k), *b_float = g_new (float, k *n),
                   *c_float = g_new (float, m *n + 1);
  const gsize a_row = transposed ? 1 : k, a_column = transposed ? m : 1;
  const gsize b_row = transposed ? 1 : n, b_column = transposed ? k : 1;

  for (gsize i = 0; i < m * k; i++)
    a[i] = (double) (a_float[i] = (float) any_number (random));
  for (gsize i = 0; i < k * n; i++)
    b[i] = (double) (b_float[i] = (float) any_number (random));
  c_float[m * n] = 7; /* must stay */
  kernels->multiply_doubles ((DoubleMatrix){ a, a_row, a_column },
                             (DoubleMatrix){ b, b_row, b_column }, m, n, k, c);
  kernels->multiply_floats ((FloatMatrix){ a_float, a_row, a_column },
                            (FloatMatrix){ b_float, b_row, b_column }, m, n, k, c_float);
  for (gsize i = 0; i < m; i++)
    for (gsize j = 0; j < n; j++)
      {
        double expected = 0;

        for (gsize p = 0; p < k; p++)
          expected += a[i * a_row + p * a_column] * b[p * b_row + j * b_column];
        if (!(fabs (c[i * n + j] - expected) <= 1e-15 * (double) k)
            || !(fabs ((double) c_float[i * n + j] - expected) <= 1e-7 * (double) k))
          fail_msg ("%s, %d x %d x %d, (%d, %d): %.17g and %.9g, not %.17g", kernels->name, (int) m,
                    (int) n, (int) k, (int) i, (int) j, c[i * n + j], (double) c_float[i * n + j],
                    expected);
      }
  assert_true (c_float[m * n] == 7);
}

static void
test_products_of_every_processor_form_match_plain_sums (void **state)
{
  static const gsize sizes[][3] = { { 1, 1, 1 },    { 8, 32, 16 },  { 18, 31, 33 }, { 7, 65, 257 },
                                    { 33, 5, 512 }, { 3, 16, 600 }, { 32, 18, 256 } };
  const HeadKernels *kernels, *last = NULL;
  Random random;

  random_init (&random, 5, 0);
  for (guint k = 0; (kernels = head_kernels (k)) != NULL; last = kernels, k++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
      for (gboolean transposed = FALSE; transposed <= TRUE; transposed++)
        check_products (kernels, &random, sizes[i][0], sizes[i][1], sizes[i][2], transposed);
  assert_string_equal (last->name, "plain");
}

static void
test_adamw_of_every_processor_form_follows_the_formula (void **state)
{
  const HeadKernels *kernels;
  const HeadAdamW step = { .keep = 0.99f,
                           .beta1 = 0.9f,
                           .share1 = 0.1f,
                           .beta2 = 0.999f,
                           .share2 = 0.001f,
                           .size = 0.01f,
                           .root_scale = 3,
                           .epsilon = 1e-8f };

  for (guint k = 0; (kernels = head_kernels (k)) != NULL; k++)
    {
      float gradient[37], weight[37], moment1[37], moment2[37];

      for (guint i = 0; i < 37; i++)
        {
          gradient[i] = (float) i - 18;
          weight[i] = 1;
          moment1[i] = 0.5f;
          moment2[i] = i % 3;
        }
      kernels->adamw (step, 37, gradient, weight, moment1, moment2);
      for (guint i = 0; i < 37; i++)
        {
          double g = i - 18.0, m = 0.9 * 0.5 + 0.1 * g, v = 0.999 * (i % 3) + 0.001 * g * g;

          assert_true (fabs ((double) moment1[i] - m) < 1e-6);
          assert_true (fabs ((double) moment2[i] - v) < 1e-6);
          assert_true (fabs ((double) weight[i] - (0.99 - 0.01 * m / (3 * sqrt (v) + 1e-8)))
                       < 1e-6 * MAX (1, fabs ((double) weight[i])));
        }
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_products_of_every_processor_form_match_plain_sums),
    cmocka_unit_test (test_adamw_of_every_processor_form_follows_the_formula),
  };

  return cmocka_run_group_tests_name ("head kernels", tests, NULL, NULL);
}

#include "testing.h"

#include "base/random.h"
#include "sampling/stratify.h"

#include <math.h>
#include <string.h>

/** A golden label matrix (n × 18 of 0 and 1) as bit sets. */
static guint32 *
golden_labels (const char *name, gsize *n)
{
  g_autoptr (NpyArray) array = testing_npy (name);
  guint32 *labels = g_new0 (guint32, array->shape[0]);

  assert_int_equal (array->type, NPY_UINT8);
  assert_int_equal (array->shape[1], 18);
  *n = array->shape[0];
  for (gsize i = 0; i < *n; i++)
    for (guint l = 0; l < 18; l++)
      labels[i] |= (guint32) ((const guint8 *) array->data)[i * 18 + l] << l;
  return labels;
}

static void
check_golden_folds (const char *labels_name, const char *folds_name)
{
  const double shares[] = { 0.85, 0.15 };
  gsize n;
  g_autofree guint32 *labels = golden_labels (labels_name, &n);
  g_autoptr (NpyArray) expected = testing_npy (folds_name);
  g_autofree guint8 *folds = g_new (guint8, n);

  stratify_folds (labels, n, 18, shares, 2, NULL, folds);
  assert_int_equal (expected->n, n);
  assert_int_equal (expected->type, NPY_INT8);
  for (gsize i = 0; i < n; i++)
    assert_int_equal (folds[i], ((const gint8 *) expected->data)[i]);
}

static void
test_folds_are_those_of_the_reference_500 (void **state)
{
  check_golden_folds ("golden/strat/labels_500.npy", "golden/strat/trent_det_folds_500.npy");
}

static void
test_folds_are_those_of_the_reference_20000 (void **state)
{
  check_golden_folds ("golden/strat/labels_20000.npy", "golden/strat/trent_det_folds_20000.npy");
}

static gsize
count (const guint8 *chosen, gsize n)
{
  gsize sum = 0;

  for (gsize i = 0; i < n; i++)
    {
      assert_true (chosen[i] <= 1);
      sum += chosen[i];
    }
  return sum;
}

static void
test_sample_is_exact_and_balanced_for_any_seed (void **state)
{
  gsize n;
  g_autofree guint32 *labels = golden_labels ("golden/strat/labels_20000.npy", &n);
  g_autofree guint8 *chosen = g_new (guint8, n);
  g_autofree guint8 *again = g_new (guint8, n);

  for (guint64 seed = 0; seed < 8; seed++)
    {
      StratifyShares shares;

      stratify_sample (labels, n, 18, 0.15, seed, chosen);
      assert_int_equal (count (chosen, n), 3000);
      stratify_shares (labels, n, 18, chosen, &shares);
      assert_true (shares.max_deviation <= 1.5e-4);
      stratify_sample (labels, n, 18, 0.15, seed, again);
      assert_memory_equal (chosen, again, n);
      stratify_sample (labels, n, 18, 0.15, seed + 100, again);
      assert_memory_not_equal (chosen, again, n);
    }
}

static void
test_sample_size_rounds_halves_up (void **state)
{
  assert_int_equal (stratify_sample_size (0.15, 20000), 3000);
  assert_int_equal (stratify_sample_size (0.15, 1304), 196);
  assert_int_equal (stratify_sample_size (0.5, 3), 2);
  assert_int_equal (stratify_sample_size (0.5, 1), 1);
  assert_int_equal (stratify_sample_size (1, 7), 7);
  assert_int_equal (stratify_sample_size (0, 7), 0);
}

static void
test_sample_of_odd_matrices_is_exact (void **state)
{
  static const double fractions[] = { 0, 0.01, 0.15, 0.5, 0.77, 1 };
  g_autofree guint32 *labels = g_new0 (guint32, 1000);
  g_autofree guint8 *chosen = g_new (guint8, 1000);
  Random random;

  random_init (&random, 3, 0);
  /* No labels at all; one label everywhere; a label that one row has; all 32 labels at random. */
  for (guint kind = 0; kind < 4; kind++)
    {
      for (gsize i = 0; i < 1000; i++)
        labels[i] = kind == 0   ? 0
                    : kind == 1 ? 1
                    : kind == 2 ? i == 500
                                : (guint32) random_u64 (&random);
      for (guint f = 0; f < G_N_ELEMENTS (fractions); f++)
        {
          stratify_sample (labels, 1000, 32, fractions[f], 1, chosen);
          assert_int_equal (count (chosen, 1000), stratify_sample_size (fractions[f], 1000));
        }
    }
  stratify_sample (labels, 0, 18, 0.5, 1, chosen);
}

static void
test_shares_are_undefined_over_no_rows (void **state)
{
  const guint32 labels[] = { 1, 3, 0, 2 };
  const guint8 chosen[] = { 1, 1, 0, 0 }, none[4] = { 0 };
  StratifyShares shares;

  stratify_shares (labels, 4, 2, chosen, &shares);
  assert_true (shares.share_all[0] == 0.5 && shares.share_all[1] == 0.5);
  assert_true (shares.share_sample[0] == 1 && shares.share_sample[1] == 0.5);
  assert_true (shares.max_deviation == 0.5);
  stratify_shares (labels, 4, 2, none, &shares);
  assert_true (isnan (shares.share_sample[0]));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_folds_are_those_of_the_reference_500),
    cmocka_unit_test (test_folds_are_those_of_the_reference_20000),
    cmocka_unit_test (test_sample_is_exact_and_balanced_for_any_seed),
    cmocka_unit_test (test_sample_size_rounds_halves_up),
    cmocka_unit_test (test_sample_of_odd_matrices_is_exact),
    cmocka_unit_test (test_shares_are_undefined_over_no_rows),
  };

  return cmocka_run_group_tests_name ("sampling", tests, NULL, NULL);
}

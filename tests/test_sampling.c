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

/* ---- against the paper's algorithm without any count kept from one step to the next ---- */

#define NOT_DEALT 255

/** Rows with a label (any row where it is negative) that lie in a fold. */
static double
rows_in (const guint32 *labels, const guint8 *folds, gsize n, int label, guint fold)
{
  double rows = 0;

  for (gsize i = 0; i < n; i++)
    rows += folds[i] == fold && (label < 0 || (labels[i] >> label & 1));
  return rows;
}

static guint
slow_choice (const guint32 *labels, const guint8 *folds, gsize n, int label, const double *shares,
             guint n_folds)
{
  double of_label = 0, best_wish = -INFINITY, best_rows = -INFINITY;
  guint best = 0;

  for (gsize i = 0; i < n; i++)
    of_label += label < 0 || (labels[i] >> label & 1);
  for (guint j = 0; j < n_folds; j++)
    {
      double wish = shares[j] * of_label - rows_in (labels, folds, n, label, j),
             rows = shares[j] * (double) n - rows_in (labels, folds, n, -1, j);

      if (wish > best_wish || (wish == best_wish && rows > best_rows))
        {
          best = j;
          best_wish = wish;
          best_rows = rows;
        }
    }
  return best;
}

static void
slow_folds (const guint32 *labels, gsize n, guint n_labels, const double *shares, guint n_folds,
            guint8 *folds)
{
  int label;

  memset (folds, NOT_DEALT, n);
  do
    {
      double fewest = INFINITY;

      label = -1;
      for (guint l = 0; l < n_labels; l++)
        {
          double left = rows_in (labels, folds, n, (int) l, NOT_DEALT);

          if (left > 0 && left < fewest)
            {
              fewest = left;
              label = (int) l;
            }
        }
      for (gsize i = 0; i < n; i++)
        if (folds[i] == NOT_DEALT && (label < 0 || (labels[i] >> label & 1)))
          folds[i] = (guint8) slow_choice (labels, folds, n, label, shares, n_folds);
    }
  while (label >= 0);
}

static void
test_any_number_of_folds_agrees_with_the_slow_way (void **state)
{
  /* Quarters and eighths, so that every wish is exact and ties are ties. */
  static const double shares[][4] = {
    { 1 }, { 0.5, 0.5 }, { 0.25, 0.5, 0.25 }, { 0.125, 0.375, 0.25, 0.25 }
  };
  static const guint n_labels[] = { 1, 7, 18, 32 };
  guint32 labels[240];
  guint8 folds[240], expected[240];
  Random random;

  random_init (&random, 11, 0);
  for (guint kind = 0; kind < G_N_ELEMENTS (n_labels); kind++)
    for (guint n_folds = 1; n_folds <= 4; n_folds++)
      {
        /* A quarter of the bits, and a row in four without any. */
        for (gsize i = 0; i < 240; i++)
          labels[i] = i % 4 == 0 ? 0
                                 : (guint32) (random_u64 (&random) & random_u64 (&random))
                                       >> (32 - n_labels[kind]);
        stratify_folds (labels, 240, n_labels[kind], shares[n_folds - 1], n_folds, NULL, folds);
        slow_folds (labels, 240, n_labels[kind], shares[n_folds - 1], n_folds, expected);
        assert_memory_equal (folds, expected, 240);
      }
}

static void
test_a_seed_breaks_ties_and_keeps_the_folds_even (void **state)
{
  static const double shares[] = { 0.25, 0.25, 0.25, 0.25 };
  const guint64 one = 1, two = 2;
  gsize n;
  g_autofree guint32 *labels = golden_labels ("golden/strat/labels_500.npy", &n);
  g_autofree guint8 *first = g_new (guint8, n);
  g_autofree guint8 *again = g_new (guint8, n);
  g_autofree guint8 *other = g_new (guint8, n);

  stratify_folds (labels, n, 18, shares, 4, &one, first);
  stratify_folds (labels, n, 18, shares, 4, &one, again);
  stratify_folds (labels, n, 18, shares, 4, &two, other);
  assert_memory_equal (first, again, n);
  assert_memory_not_equal (first, other, n);
  for (guint j = 0; j < 4; j++)
    for (int label = -1; label < 18; label++)
      {
        double all = 0;

        for (guint k = 0; k < 4; k++)
          all += rows_in (labels, other, n, label, k);
        assert_true (fabs (rows_in (labels, other, n, label, j) - all / 4) <= 3);
      }
}

/* ---- samples ---- */

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

  for (guint64 seed = 0; seed < 20; seed++)
    {
      StratifyShares shares;

      stratify_sample (labels, n, 18, 0.15, seed, chosen);
      assert_int_equal (count (chosen, n), 3000);
      stratify_shares (labels, n, 18, chosen, &shares);
      assert_true (shares.max_deviation <= 1.5e-4);
      stratify_sample (labels, n, 18, 0.15, seed, again);
      assert_memory_equal (chosen, again, n);
    }
}

/* Half a row off is as near as whole rows come. */
static void
test_no_label_is_more_than_half_a_row_off (void **state)
{
  static const double fractions[] = { 0.003, 0.02, 0.15, 0.5, 0.9 };
  static const gsize sizes[] = { 5000, 20000 };
  gsize n;
  g_autofree guint32 *labels = golden_labels ("golden/strat/labels_20000.npy", &n);
  g_autofree guint8 *chosen = g_new (guint8, n);

  for (guint f = 0; f < G_N_ELEMENTS (fractions); f++)
    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
      {
        StratifyShares shares;

        stratify_sample (labels, sizes[s], 18, fractions[f], 1, chosen);
        stratify_shares (labels, sizes[s], 18, chosen, &shares);
        assert_true (shares.max_deviation * (double) count (chosen, sizes[s]) <= 0.5 + 1e-9);
      }
}

/** Excess of every label over its due of a half; returns the sum of squares. */
static double
excesses (const guint32 *labels, const guint8 *chosen, gsize n, guint n_labels, double *excess)
{
  double squares = 0;

  for (guint l = 0; l < n_labels; l++)
    {
      excess[l] = 0;
      for (gsize i = 0; i < n; i++)
        excess[l] += (labels[i] >> l & 1) * (chosen[i] - 0.5);
      squares += excess[l] * excess[l];
    }
  return squares;
}

static void
test_no_single_swap_brings_the_shares_nearer (void **state)
{
  guint32 labels[60];
  guint8 chosen[60];
  Random random;
  guint uneven = 0;

  random_init (&random, 8, 0);
  for (guint64 seed = 0; seed < 100; seed++)
    {
      double excess[16], squares, largest = 0;

      for (gsize i = 0; i < 60; i++)
        labels[i] = (guint32) random_below (&random, 1 << 16);
      stratify_sample (labels, 60, 16, 0.5, seed, chosen);
      squares = excesses (labels, chosen, 60, 16, excess);
      for (guint l = 0; l < 16; l++)
        largest = MAX (largest, fabs (excess[l]));
      if (largest <= 0.5)
        continue;
      uneven++;
      for (gsize in = 0; in < 60; in++)
        for (gsize out = 0; out < 60; out++)
          {
            double after = 0;

            if (chosen[in] || !chosen[out])
              continue;
            for (guint l = 0; l < 16; l++)
              {
                double e = excess[l] + (labels[in] >> l & 1) - (labels[out] >> l & 1);

                after += e * e;
              }
            assert_true (after >= squares - 1e-9);
          }
    }
  assert_in_range (uneven, 1, 100);
}

/* Two samples of 15 % share 15 % of their rows, were they drawn without regard to each other. */
static void
test_every_seed_draws_a_sample_of_its_own (void **state)
{
  gsize n, shared = 0;
  g_autofree guint32 *labels = golden_labels ("golden/strat/labels_20000.npy", &n);
  g_autofree guint8 *first = g_new (guint8, n);
  g_autofree guint8 *second = g_new (guint8, n);

  stratify_sample (labels, n, 18, 0.15, 1, first);
  stratify_sample (labels, n, 18, 0.15, 2, second);
  for (gsize i = 0; i < n; i++)
    shared += first[i] && second[i];
  assert_in_range (shared, 350, 550);
}

/* With 32 labels at random no two of 20,000 rows are alike, and there are 51 million swaps to try.
 */
static void
test_rows_that_are_all_different_are_balanced_within_a_row (void **state)
{
  g_autofree guint32 *labels = g_new (guint32, 20000);
  g_autofree guint8 *chosen = g_new (guint8, 20000);
  StratifyShares shares;
  Random random;

  random_init (&random, 17, 0);
  for (gsize i = 0; i < 20000; i++)
    labels[i] = (guint32) random_u64 (&random);
  stratify_sample (labels, 20000, 32, 0.15, 1, chosen);
  stratify_shares (labels, 20000, 32, chosen, &shares);
  assert_int_equal (count (chosen, 20000), 3000);
  assert_true (shares.max_deviation <= 1.0 / 3000);
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
}

static void
test_nothing_to_choose_from_or_no_labels_is_no_fault (void **state)
{
  const double shares[] = { 0.85, 0.15 };
  const guint32 labels[5] = { 0 };
  guint8 chosen[5] = { 7, 7, 7, 7, 7 };

  stratify_sample (labels, 0, 18, 0.5, 1, chosen);
  stratify_folds (labels, 0, 18, shares, 2, NULL, chosen);
  assert_int_equal (chosen[0], 7);
  stratify_sample (labels, 5, 0, 0.5, 1, chosen);
  assert_int_equal (count (chosen, 5), 3);
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
    cmocka_unit_test (test_any_number_of_folds_agrees_with_the_slow_way),
    cmocka_unit_test (test_a_seed_breaks_ties_and_keeps_the_folds_even),
    cmocka_unit_test (test_sample_is_exact_and_balanced_for_any_seed),
    cmocka_unit_test (test_no_label_is_more_than_half_a_row_off),
    cmocka_unit_test (test_no_single_swap_brings_the_shares_nearer),
    cmocka_unit_test (test_every_seed_draws_a_sample_of_its_own),
    cmocka_unit_test (test_rows_that_are_all_different_are_balanced_within_a_row),
    cmocka_unit_test (test_sample_size_rounds_halves_up),
    cmocka_unit_test (test_sample_of_odd_matrices_is_exact),
    cmocka_unit_test (test_nothing_to_choose_from_or_no_labels_is_no_fault),
    cmocka_unit_test (test_shares_are_undefined_over_no_rows),
  };

  return cmocka_run_group_tests_name ("sampling", tests, NULL, NULL);
}

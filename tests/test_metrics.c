#include "testing.h"

#include "base/random.h"
#include "metrics/metrics.h"

#include <math.h>
#include <string.h>

typedef struct
{
  gsize n;
  double *scores;
  guint8 *labels;
} Case;

static Case
read_case (const json_t *object)
{
  Case c = { .n = json_array_size (json_object_get (object, "y")) };

  c.scores = g_new (double, c.n);
  c.labels = g_new (guint8, c.n);
  for (gsize i = 0; i < c.n; i++)
    {
      c.labels[i] = (guint8) json_integer_value (json_array_get (json_object_get (object, "y"), i));
      c.scores[i] = json_number_value (json_array_get (json_object_get (object, "score"), i));
    }
  return c;
}

static void
case_clear (Case *c)
{
  g_free (c->scores);
  g_free (c->labels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

/** Golden and ours agree; null is undefined, and so is a golden 0 whose denominator is 0. */
static void
check_number (const char *name, const char *what, const json_t *golden, double ours,
              gboolean undefined)
{
  if (undefined || !json_is_number (golden))
    {
      if (!isnan (ours))
        fail_msg ("%s: %s is %g and should be undefined", name, what, ours);
      return;
    }
  if (!(fabs (json_number_value (golden) - ours) <= 1e-12))
    fail_msg ("%s: %s is %.17g, golden %.17g", name, what, ours, json_number_value (golden));
}

static void
test_every_golden_score_set_agrees (void **state)
{
  json_t *document = testing_json ("golden/metrics/metrics.json");
  const json_t *cases = json_object_get (document, "cases");

  assert_int_equal (json_array_size (cases), 16);
  for (gsize i = 0; i < json_array_size (cases); i++)
    {
      const json_t *golden = json_array_get (cases, i), *ge = json_object_get (golden, "ge");
      const char *name = json_string_value (json_object_get (golden, "name"));
      g_auto (Case) c = read_case (golden);
      MetricsConfusion confusion = metrics_confusion (c.scores, c.labels, c.n, 0.5);
      gboolean no_positives = confusion.tp + confusion.fn == 0,
               no_negatives = confusion.tn + confusion.fp == 0;

      check_number (name, "auroc", json_object_get (golden, "auroc"),
                    metrics_auroc (c.scores, c.labels, c.n), no_positives || no_negatives);
      check_number (name, "average precision", json_object_get (golden, "average_precision"),
                    metrics_average_precision (c.scores, c.labels, c.n), no_positives);
      assert_int_equal (confusion.tp, json_integer_value (json_object_get (ge, "tp")));
      assert_int_equal (confusion.fp, json_integer_value (json_object_get (ge, "fp")));
      assert_int_equal (confusion.tn, json_integer_value (json_object_get (ge, "tn")));
      assert_int_equal (confusion.fn, json_integer_value (json_object_get (ge, "fn")));
      check_number (name, "accuracy", json_object_get (ge, "accuracy"),
                    metrics_accuracy (confusion), FALSE);
      check_number (name, "sensitivity", json_object_get (ge, "sensitivity"),
                    metrics_sensitivity (confusion), no_positives);
      check_number (name, "specificity", json_object_get (ge, "specificity"),
                    metrics_specificity (confusion), no_negatives);
      check_number (name, "f1", json_object_get (ge, "f1"), metrics_f1 (confusion),
                    2 * confusion.tp + confusion.fp + confusion.fn == 0);
    }
  json_decref (document);
}

/* ---- DeLong, against sums over all pairs ---- */

static double
win (double a, double b)
{
  return a > b ? 1 : a == b ? 0.5 : 0;
}

/** Covariance of two AUROCs straight from DeLong, DeLong & Clarke-Pearson 1988, eq. 4-6. */
static double
slow_covariance (const double *a, const double *b, const guint8 *y, gsize n, double auroc_a,
                 double auroc_b)
{
  double m = 0, k = 0, s10 = 0, s01 = 0;

  for (gsize i = 0; i < n; i++)
    *(y[i] ? &m : &k) += 1;
  for (gsize i = 0; i < n; i++)
    {
      double va = 0, vb = 0;

      for (gsize j = 0; j < n; j++)
        if (y[i] != y[j])
          {
            va += y[i] ? win (a[i], a[j]) : win (a[j], a[i]);
            vb += y[i] ? win (b[i], b[j]) : win (b[j], b[i]);
          }
      if (y[i])
        s10 += (va / k - auroc_a) * (vb / k - auroc_b);
      else
        s01 += (va / m - auroc_a) * (vb / m - auroc_b);
    }
  return s10 / (m - 1) / m + s01 / (k - 1) / k;
}

static void
test_delong_matches_sums_over_all_pairs (void **state)
{
  double a[120], b[120];
  guint8 y[120];
  Random random;

  random_init (&random, 5, 0);
  for (guint round = 0; round < 10; round++)
    {
      MetricsInterval of_a, difference;
      double auroc_a, auroc_b, half, deviation, p;

      for (gsize i = 0; i < 120; i++)
        {
          y[i] = random_uniform (&random) < 0.3;
          /* Rounded, so that there are ties. */
          a[i] = floor (4 * (random_normal (&random) + y[i])) / 4;
          b[i] = floor (4 * (random_normal (&random) + a[i])) / 4;
        }
      of_a = metrics_auroc_interval (a, y, 120);
      auroc_a = metrics_auroc (a, y, 120);
      auroc_b = metrics_auroc (b, y, 120);
      half = 1.959963984540054 * sqrt (slow_covariance (a, a, y, 120, auroc_a, auroc_a));
      assert_true (fabs (of_a.value - auroc_a) < 1e-12);
      assert_true (fabs (of_a.low - MAX (auroc_a - half, 0)) < 1e-12);
      assert_true (fabs (of_a.high - MIN (auroc_a + half, 1)) < 1e-12);

      p = metrics_auroc_difference (a, b, y, 120, &difference);
      deviation = sqrt (slow_covariance (a, a, y, 120, auroc_a, auroc_a)
                        + slow_covariance (b, b, y, 120, auroc_b, auroc_b)
                        - 2 * slow_covariance (a, b, y, 120, auroc_a, auroc_b));
      assert_true (fabs (difference.value - (auroc_a - auroc_b)) < 1e-12);
      assert_true (fabs (difference.high - difference.low - 2 * 1.959963984540054 * deviation)
                   < 1e-12);
      assert_true (fabs (p - erfc (fabs (auroc_a - auroc_b) / deviation / sqrt (2))) < 1e-12);
      assert_true (metrics_auroc_difference (a, a, y, 120, &difference) == 1);
    }
}

static void
test_one_positive_has_an_auroc_and_no_interval (void **state)
{
  const double scores[] = { 0.9, 0.1, 0.2, 0.95 };
  const guint8 labels[] = { 1, 0, 0, 0 }, none[4] = { 0 };
  MetricsInterval interval = metrics_auroc_interval (scores, labels, 4);

  assert_true (fabs (interval.value - 2.0 / 3) < 1e-12);
  assert_true (isnan (interval.low) && isnan (interval.high));
  assert_true (isnan (metrics_auroc_interval (scores, none, 4).value));
  assert_true (isnan (metrics_auroc (scores, labels, 0)));
}

static void
test_nan_scores_rank_lowest_and_are_never_called (void **state)
{
  const double scores[] = { NAN, 0.1, 0.2, NAN };
  const guint8 labels[] = { 0, 1, 1, 0 };

  assert_true (metrics_auroc (scores, labels, 4) == 1);
  assert_int_equal (metrics_confusion (scores, labels, 4, -1000).fp, 0);
}

/* ---- thresholds and curves ---- */

static void
test_youden_takes_the_highest_of_equals (void **state)
{
  const double scores[] = { 0.1, 0.4, 0.35, 0.8 };
  const guint8 labels[] = { 0, 0, 1, 1 }, positive[] = { 1, 1, 1, 1 };

  /* At 0.8: 0.5 + 1 - 1; at 0.35: 1 + 0.5 - 1. Both 0.5. */
  assert_true (metrics_youden_threshold (scores, labels, 4) == 0.8);
  assert_true (isnan (metrics_youden_threshold (scores, positive, 4)));
}

static void
test_roc_runs_from_corner_to_corner_with_one_point_a_score (void **state)
{
  const double scores[] = { 0.5, 0.5, 0.7, 0.1 };
  const guint8 labels[] = { 1, 0, 1, 0 };
  g_autoptr (GArray) points = metrics_roc (scores, labels, 4);
  const MetricsRocPoint *last = &g_array_index (points, MetricsRocPoint, points->len - 1);

  assert_int_equal (points->len, 4);
  assert_true (g_array_index (points, MetricsRocPoint, 0).sensitivity == 0);
  assert_true (g_array_index (points, MetricsRocPoint, 1).sensitivity == 0.5);
  assert_true (g_array_index (points, MetricsRocPoint, 2).false_positive_rate == 0.5);
  assert_true (last->sensitivity == 1 && last->false_positive_rate == 1);
}

/* ---- the table ---- */

static MetricsInput
random_input (double *logits, guint8 *labels, gsize n, guint classes, guint64 seed)
{
  Random random;

  random_init (&random, seed, 0);
  for (gsize i = 0; i < n * classes; i++)
    {
      labels[i] = random_uniform (&random) < 0.3;
      logits[i] = random_normal (&random) + labels[i] - 0.5;
    }
  return (MetricsInput){ .logits = logits,
                         .labels = labels,
                         .n = n,
                         .n_classes = classes,
                         .bootstrap_draws = 500,
                         .bootstrap_seed = 9 };
}

static void
test_golden_multilabel_set_agrees (void **state)
{
  json_t *document = testing_json ("golden/metrics/metrics.json");
  const json_t *golden = json_object_get (document, "multilabel");
  const json_t *truths = json_object_get (golden, "Y"), *scores = json_object_get (golden, "S");
  gsize n = json_array_size (truths);
  g_autofree double *logits = g_new (double, n * 18);
  g_autofree guint8 *labels = g_new (guint8, n * 18);
  MetricsInput input = { .logits = logits, .labels = labels, .n = n, .n_classes = 18 };
  g_autoptr (MetricsTable) table = NULL;

  for (gsize i = 0; i < n * 18; i++)
    {
      double p = json_number_value (json_array_get (json_array_get (scores, i / 18), i % 18));

      labels[i] =
          (guint8) json_integer_value (json_array_get (json_array_get (truths, i / 18), i % 18));
      logits[i] = log (p / (1 - p));
    }
  table = metrics_table (&input, NULL, NULL);
  for (guint class = 0; class < 18; class ++)
    check_number ("multilabel", "auroc", json_array_get (json_object_get (golden, "auroc"), class),
                  table->classes[class].auroc.value, table->classes[class].positives == 0);
  check_number ("multilabel", "macro", json_object_get (golden, "macro_auroc_skip_degenerate"),
                table->macro_auroc.value, FALSE);
  check_number ("multilabel", "subset", json_object_get (golden, "subset_accuracy"),
                table->subset_accuracy, FALSE);
  check_number ("multilabel", "elements", json_object_get (golden, "elementwise_accuracy"),
                table->accuracy, FALSE);
  json_decref (document);
}

static void
test_table_leaves_an_undefined_class_out_of_the_macro_mean (void **state)
{
  double logits[200 * 3];
  guint8 labels[200 * 3];
  MetricsInput input = random_input (logits, labels, 200, 3, 1);
  g_autoptr (MetricsTable) table = NULL;
  double a, b;

  for (gsize i = 0; i < 200; i++)
    labels[i * 3 + 1] = 0;
  table = metrics_table (&input, NULL, NULL);
  a = table->classes[0].auroc.value;
  b = table->classes[2].auroc.value;
  assert_int_equal (table->classes_in_macro, 2);
  assert_true (isnan (table->classes[1].auroc.value) && isnan (table->classes[1].sensitivity));
  assert_true (table->classes[1].specificity > 0);
  assert_true (fabs (table->macro_auroc.value - (a + b) / 2) < 1e-12);
  assert_true (table->macro_auroc.low < table->macro_auroc.value
               && table->macro_auroc.value < table->macro_auroc.high);
  assert_int_equal (table->classes[0].positives + table->classes[0].negatives, 200);
}

static void
test_element_and_subset_accuracy_are_told_apart (void **state)
{
  const double logits[] = { 1, -1, 1, 1 };
  const guint8 labels[] = { 1, 0, 1, 0 };
  MetricsInput input = { .logits = logits, .labels = labels, .n = 2, .n_classes = 2 };
  g_autoptr (MetricsTable) table = metrics_table (&input, NULL, NULL);

  assert_true (table->accuracy == 0.75);
  assert_true (table->subset_accuracy == 0.5);
  assert_true (isnan (table->macro_auroc.low));
}

static void
test_bootstrap_is_seeded_and_wider_over_larger_groups (void **state)
{
  double logits[400 * 4];
  guint8 labels[400 * 4];
  guint32 groups[400];
  MetricsInput input = random_input (logits, labels, 400, 4, 2);
  g_autoptr (MetricsTable) a = metrics_table (&input, NULL, NULL);
  g_autoptr (MetricsTable) b = metrics_table (&input, NULL, NULL);
  g_autoptr (MetricsTable) grouped = NULL;

  assert_true (a->macro_auroc.low == b->macro_auroc.low
               && a->macro_auroc.high == b->macro_auroc.high);
  /* Ten copies of 40 patients know less than 400 patients. */
  for (gsize i = 0; i < 400; i++)
    {
      groups[i] = (guint32) (i % 40);
      memcpy (logits + i * 4, logits + (i % 40) * 4, 4 * sizeof *logits);
      memcpy (labels + i * 4, labels + (i % 40) * 4, 4);
    }
  input.groups = groups;
  grouped = metrics_table (&input, NULL, NULL);
  assert_true (grouped->macro_auroc.high - grouped->macro_auroc.low
               > 1.8 * (a->macro_auroc.high - a->macro_auroc.low));
}

static void
test_bootstrap_interval_covers_the_truth (void **state)
{
  guint covered = 0;

  /* Scores without a signal: the interval should hold 0.5 in some 95 of 100. */
  for (guint64 seed = 0; seed < 100; seed++)
    {
      double logits[120 * 2];
      guint8 labels[120 * 2];
      MetricsInput input = random_input (logits, labels, 120, 2, 100 + seed);
      g_autoptr (MetricsTable) table = NULL;

      for (gsize i = 0; i < 240; i++)
        logits[i] -= labels[i];
      table = metrics_table (&input, NULL, NULL);
      covered += table->macro_auroc.low <= 0.5 && 0.5 <= table->macro_auroc.high;
    }
  assert_in_range (covered, 85, 100);
}

static void
test_table_is_cancelled (void **state)
{
  double logits[50];
  guint8 labels[50];
  MetricsInput input = random_input (logits, labels, 50, 1, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  assert_null (metrics_table (&input, cancellable, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_golden_score_set_agrees),
    cmocka_unit_test (test_delong_matches_sums_over_all_pairs),
    cmocka_unit_test (test_one_positive_has_an_auroc_and_no_interval),
    cmocka_unit_test (test_nan_scores_rank_lowest_and_are_never_called),
    cmocka_unit_test (test_youden_takes_the_highest_of_equals),
    cmocka_unit_test (test_roc_runs_from_corner_to_corner_with_one_point_a_score),
    cmocka_unit_test (test_golden_multilabel_set_agrees),
    cmocka_unit_test (test_table_leaves_an_undefined_class_out_of_the_macro_mean),
    cmocka_unit_test (test_element_and_subset_accuracy_are_told_apart),
    cmocka_unit_test (test_bootstrap_is_seeded_and_wider_over_larger_groups),
    cmocka_unit_test (test_bootstrap_interval_covers_the_truth),
    cmocka_unit_test (test_table_is_cancelled),
  };

  return cmocka_run_group_tests_name ("metrics", tests, NULL, NULL);
}

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

/* ---- against sums over all pairs ---- */

static double
win (double a, double b)
{
  return a > b ? 1 : a == b ? 0.5 : 0;
}

static double
slow_auroc (const double *scores, const guint8 *labels, gsize n)
{
  double won = 0, pairs = 0;

  for (gsize i = 0; i < n; i++)
    for (gsize j = 0; j < n; j++)
      if (labels[i] && !labels[j])
        {
          won += win (scores[i], scores[j]);
          pairs++;
        }
  return won / pairs;
}

static void
test_auroc_with_ties_matches_midranks (void **state)
{
  static const double kinds_of_score[] = {
    0, -0.0, 1, -1, 1e-310, -1e-310, 1e300, -1e300, INFINITY, -INFINITY, 0.1, 0.1 + 1e-17
  };
  double scores[90];
  guint8 labels[90];
  Random random;

  random_init (&random, 2, 0);
  for (guint round = 0; round < 50; round++)
    {
      for (gsize i = 0; i < 90; i++)
        {
          labels[i] = i == 0 || (i > 1 && random_uniform (&random) < 0.4);
          scores[i] = kinds_of_score[random_below (&random, G_N_ELEMENTS (kinds_of_score))];
        }
      assert_true (fabs (metrics_auroc (scores, labels, 90) - slow_auroc (scores, labels, 90))
                   < 1e-12);
    }
}

static void
test_auroc_depends_on_the_order_of_scores_alone (void **state)
{
  double scores[300], stretched[300], turned[300];
  guint8 labels[300], swapped[300];
  MetricsInterval a, b;
  Random random;

  random_init (&random, 3, 0);
  for (gsize i = 0; i < 300; i++)
    {
      labels[i] = random_uniform (&random) < 0.2;
      swapped[i] = !labels[i];
      scores[i] = floor (8 * (random_normal (&random) + labels[i])) / 8;
      stretched[i] = exp (scores[i]) - 100;
      turned[i] = -scores[i];
    }
  a = metrics_auroc_interval (scores, labels, 300);
  b = metrics_auroc_interval (stretched, labels, 300);
  assert_memory_equal (&a, &b, sizeof a);
  b = metrics_auroc_interval (turned, swapped, 300);
  assert_true (fabs (a.value - b.value) < 1e-12 && fabs (a.low - b.low) < 1e-12
               && fabs (a.high - b.high) < 1e-12);
  b = metrics_auroc_interval (turned, labels, 300);
  assert_true (fabs (a.value - (1 - b.value)) < 1e-12 && fabs (a.low - (1 - b.high)) < 1e-12);
}

/* Positives win 1 and 1/2 of the negatives, negatives are beaten by 1/2 and 1 of the positives:
 * variance 1/16 + 1/16. */
static void
test_delong_interval_of_four_rows_worked_by_hand (void **state)
{
  const double scores[] = { 0.8, 0.6, 0.4, 0.2 };
  const guint8 labels[] = { 1, 0, 1, 0 };
  MetricsInterval interval = metrics_auroc_interval (scores, labels, 4);

  assert_true (interval.value == 0.75);
  assert_true (fabs (interval.low - (0.75 - 1.959963984540054 * sqrt (0.125))) < 1e-12);
  assert_true (interval.high == 1);
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
      assert_true (fabs (metrics_auroc_difference (b, a, y, 120, &of_a) - p) < 1e-12);
      assert_true (fabs (of_a.value + difference.value) < 1e-12
                   && fabs (of_a.low + difference.high) < 1e-12);
    }
}

static void
test_curves_of_the_same_order_differ_by_nothing (void **state)
{
  const double a[] = { 1, 2, 3, 4, 5, 5 }, b[] = { -9, 0, 0.5, 1e9, INFINITY, INFINITY },
               perfect[] = { 0, 0, 1, 0, 1, 1 }, wrong[] = { 1, 1, 0, 1, 0, 0 };
  const guint8 labels[] = { 0, 0, 1, 0, 1, 1 }, none[6] = { 0 };
  MetricsInterval difference;

  assert_true (metrics_auroc_difference (a, b, labels, 6, &difference) == 1);
  assert_true (difference.value == 0 && difference.low == 0 && difference.high == 0);
  /* Neither varies, and they are as far apart as can be. */
  assert_true (metrics_auroc_difference (perfect, wrong, labels, 6, &difference) == 0);
  assert_true (difference.value == 1 && difference.low == 1);
  assert_true (isnan (metrics_auroc_difference (a, b, none, 6, &difference)));
  assert_true (isnan (difference.value) && isnan (difference.low));
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
  const double scores[] = { NAN, 0.1, -INFINITY, -NAN };
  const guint8 labels[] = { 0, 1, 1, 0 }, one_of_both[] = { 1, 1, 0, 0 };

  assert_true (metrics_auroc (scores, labels, 4) == 1);
  /* The two NaN tie: the first positive wins half of one pair and none of the other. */
  assert_true (metrics_auroc (scores, one_of_both, 4) == 2.5 / 4);
  assert_int_equal (metrics_confusion (scores, labels, 4, -INFINITY).fp, 0);
  assert_int_equal (metrics_confusion (scores, labels, 4, -INFINITY).tp, 2);
}

/* ---- thresholds and curves ---- */

static void
test_average_precision_sums_precision_over_gained_recall (void **state)
{
  const double scores[] = { 0.9, 0.7, 0.7, 0.7, 0.2, NAN };
  const guint8 labels[] = { 0, 1, 1, 0, 0, 1 };

  /* At 0.7: 2 of 3 positives, 2 of 4 called; at the end the third, 3 of 6 called. */
  assert_true (
      fabs (metrics_average_precision (scores, labels, 6) - (2.0 / 3 * 0.5 + 1.0 / 3 * 0.5))
      < 1e-12);
  assert_true (isnan (metrics_average_precision (scores, labels, 0)));
}

static double
youden_at (const double *scores, const guint8 *labels, gsize n, double threshold)
{
  MetricsConfusion c = metrics_confusion (scores, labels, n, threshold);

  /* Times both counts, so that equals are equal. */
  return (double) c.tp * (c.tn + c.fp) - (double) c.fp * (c.tp + c.fn);
}

static void
test_youden_is_the_best_of_all_thresholds_and_the_highest_of_equals (void **state)
{
  double scores[40];
  guint8 labels[40];
  Random random;
  guint ties = 0;

  random_init (&random, 4, 0);
  for (guint round = 0; round < 200; round++)
    {
      double chosen;

      for (gsize i = 0; i < 40; i++)
        {
          labels[i] = i == 0 || (i > 1 && random_uniform (&random) < 0.3);
          scores[i] = (double) random_below (&random, 12) / 4;
        }
      chosen = metrics_youden_threshold (scores, labels, 40);
      for (gsize i = 0; i < 40; i++)
        {
          double here = youden_at (scores, labels, 40, scores[i]),
                 best = youden_at (scores, labels, 40, chosen);

          assert_true (here < best || (here == best && scores[i] <= chosen));
          ties += here == best && scores[i] < chosen;
        }
    }
  assert_true (ties > 0);
}

static void
test_youden_is_a_number_unless_a_kind_is_absent (void **state)
{
  const double inverted[] = { 0.9, 0.1, NAN }, nothing[] = { NAN, NAN, NAN };
  const guint8 labels[] = { 0, 1, 1 }, positive[] = { 1, 1, 1 };

  /* No threshold is better than calling nobody, and none calls the NaN; the best left is 0.1. */
  assert_true (metrics_youden_threshold (inverted, labels, 3) == 0.1);
  assert_true (isnan (metrics_youden_threshold (nothing, labels, 3)));
  assert_true (isnan (metrics_youden_threshold (inverted, positive, 3)));
}

static void
test_roc_runs_from_corner_to_corner_with_one_point_a_score (void **state)
{
  const double scores[] = { 0.5, 0.5, 0.7, 0.1 };
  const guint8 labels[] = { 1, 0, 1, 0 };
  g_autoptr (GArray) points = metrics_roc (scores, labels, 4);
  const MetricsRocPoint *point = &g_array_index (points, MetricsRocPoint, 0);

  assert_int_equal (points->len, 4);
  assert_true (isinf (point[0].threshold) && point[0].sensitivity == 0
               && point[0].false_positive_rate == 0);
  assert_true (point[1].threshold == 0.7 && point[1].sensitivity == 0.5
               && point[1].false_positive_rate == 0);
  assert_true (point[2].threshold == 0.5 && point[2].sensitivity == 1
               && point[2].false_positive_rate == 0.5);
  assert_true (point[3].threshold == 0.1 && point[3].sensitivity == 1
               && point[3].false_positive_rate == 1);
}

static void
test_area_under_the_roc_is_the_auroc (void **state)
{
  double scores[200], area = 0;
  guint8 labels[200];
  g_autoptr (GArray) points = NULL;
  Random random;

  random_init (&random, 6, 0);
  for (gsize i = 0; i < 200; i++)
    {
      labels[i] = random_uniform (&random) < 0.3;
      scores[i] = i % 20 == 0 ? NAN : floor (6 * (random_normal (&random) + labels[i]));
    }
  points = metrics_roc (scores, labels, 200);
  for (guint i = 1; i < points->len; i++)
    {
      const MetricsRocPoint *to = &g_array_index (points, MetricsRocPoint, i), *from = to - 1;

      area += (to->false_positive_rate - from->false_positive_rate)
              * (to->sensitivity + from->sensitivity) / 2;
    }
  assert_true (fabs (area - metrics_auroc (scores, labels, 200)) < 1e-12);
  assert_true (isnan (g_array_index (points, MetricsRocPoint, points->len - 1).threshold));
}

static void
test_roc_without_positives_has_no_sensitivity (void **state)
{
  const double scores[] = { 1, 2 };
  const guint8 labels[] = { 0, 0 };
  g_autoptr (GArray) points = metrics_roc (scores, labels, 2);

  assert_true (isnan (g_array_index (points, MetricsRocPoint, 2).sensitivity));
  assert_true (g_array_index (points, MetricsRocPoint, 2).false_positive_rate == 1);
}

static void
test_ratios_over_nothing_are_undefined (void **state)
{
  const double scores[] = { 0.5, 0.25 };
  const guint8 labels[] = { 1, 0 };
  MetricsConfusion none = metrics_confusion (scores, labels, 0, 0.5);

  assert_true (isnan (metrics_sensitivity (none)) && isnan (metrics_specificity (none))
               && isnan (metrics_accuracy (none)) && isnan (metrics_f1 (none)));
  assert_true (isnan (metrics_brier (scores, labels, 0)));
  assert_true (metrics_brier (scores, labels, 2) == (0.25 + 0.0625) / 2);
  /* A score at the threshold is called. */
  assert_int_equal (metrics_confusion (scores, labels, 2, 0.5).tp, 1);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_golden_score_set_agrees),
    cmocka_unit_test (test_auroc_with_ties_matches_midranks),
    cmocka_unit_test (test_auroc_depends_on_the_order_of_scores_alone),
    cmocka_unit_test (test_delong_interval_of_four_rows_worked_by_hand),
    cmocka_unit_test (test_delong_matches_sums_over_all_pairs),
    cmocka_unit_test (test_curves_of_the_same_order_differ_by_nothing),
    cmocka_unit_test (test_one_positive_has_an_auroc_and_no_interval),
    cmocka_unit_test (test_nan_scores_rank_lowest_and_are_never_called),
    cmocka_unit_test (test_average_precision_sums_precision_over_gained_recall),
    cmocka_unit_test (test_youden_is_the_best_of_all_thresholds_and_the_highest_of_equals),
    cmocka_unit_test (test_youden_is_a_number_unless_a_kind_is_absent),
    cmocka_unit_test (test_roc_runs_from_corner_to_corner_with_one_point_a_score),
    cmocka_unit_test (test_area_under_the_roc_is_the_auroc),
    cmocka_unit_test (test_roc_without_positives_has_no_sensitivity),
    cmocka_unit_test (test_ratios_over_nothing_are_undefined),
  };

  return cmocka_run_group_tests_name ("metrics", tests, NULL, NULL);
}

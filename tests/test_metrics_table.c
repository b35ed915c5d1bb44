#include "testing.h"

#include "base/random.h"
#include "metrics/metrics.h"

#include <math.h>
#include <string.h>

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

/** A golden number and ours; @undefined where the golden file prints 0 over nothing. */
static void
check_number (const char *what, const json_t *golden, double ours, gboolean undefined)
{
  if (undefined != isnan (ours)
      || (!undefined && !(fabs (json_number_value (golden) - ours) <= 1e-12)))
    fail_msg ("%s is %.17g, golden %.17g", what, ours, json_number_value (golden));
}

static void
check_class (const json_t *golden, const MetricsClass *class)
{
  const json_t *ge = json_object_get (golden, "ge");
  gboolean no_positives = class->positives == 0, no_negatives = class->negatives == 0;

  check_number ("AUROC", json_object_get (golden, "auroc"), class->auroc.value,
                no_positives || no_negatives);
  check_number ("average precision", json_object_get (golden, "average_precision"),
                class->average_precision, no_positives);
  check_number ("sensitivity", json_object_get (ge, "sensitivity"), class->sensitivity,
                no_positives);
  check_number ("specificity", json_object_get (ge, "specificity"), class->specificity,
                no_negatives);
  check_number ("accuracy", json_object_get (ge, "accuracy"), class->accuracy, FALSE);
  assert_int_equal (class->confusion.tp, json_integer_value (json_object_get (ge, "tp")));
  assert_int_equal (class->confusion.fp, json_integer_value (json_object_get (ge, "fp")));
  assert_int_equal (class->confusion.tn, json_integer_value (json_object_get (ge, "tn")));
  assert_int_equal (class->confusion.fn, json_integer_value (json_object_get (ge, "fn")));
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
    check_class (json_array_get (json_object_get (golden, "per_label"), class),
                 &table->classes[class]);
  check_number ("macro AUROC", json_object_get (golden, "macro_auroc_skip_degenerate"),
                table->macro_auroc.value, FALSE);
  check_number ("subset accuracy", json_object_get (golden, "subset_accuracy"),
                table->subset_accuracy, FALSE);
  check_number ("accuracy", json_object_get (golden, "elementwise_accuracy"), table->accuracy,
                FALSE);
  json_decref (document);
}

static void
test_table_holds_what_the_single_functions_say (void **state)
{
  static const double thresholds[] = { 0.5, 0.2, 0.9 };
  double logits[150 * 3], scores[150], probabilities[150], all[450];
  guint8 labels[150 * 3], column[150], all_labels[450];
  MetricsInput input = random_input (logits, labels, 150, 3, 7);
  MetricsConfusion sum = { 0, 0, 0, 0 };
  g_autoptr (MetricsTable) table = NULL;
  double f1 = 0, brier = 0;

  input.thresholds = thresholds;
  table = metrics_table (&input, NULL, NULL);
  for (guint class = 0; class < 3; class ++)
    {
      const MetricsClass *ours = &table->classes[class];
      MetricsInterval auroc;
      MetricsConfusion confusion;

      for (gsize i = 0; i < 150; i++)
        {
          all[class * 150 + i] = scores[i] = logits[i * 3 + class];
          all_labels[class * 150 + i] = column[i] = labels[i * 3 + class];
          probabilities[i] = 1 / (1 + exp (-scores[i]));
        }
      auroc = metrics_auroc_interval (scores, column, 150);
      confusion = metrics_confusion (probabilities, column, 150, thresholds[class]);
      assert_memory_equal (&ours->auroc, &auroc, sizeof auroc);
      assert_memory_equal (&ours->confusion, &confusion, sizeof confusion);
      assert_true (ours->threshold == thresholds[class]);
      assert_true (ours->sensitivity == metrics_sensitivity (confusion));
      assert_true (ours->brier == metrics_brier (probabilities, column, 150));
      assert_true (ours->f1 == metrics_f1 (confusion));
      assert_int_equal (ours->positives, confusion.tp + confusion.fn);
      sum = (MetricsConfusion){ sum.tp + confusion.tp, sum.fp + confusion.fp, sum.tn + confusion.tn,
                                sum.fn + confusion.fn };
      f1 += metrics_f1 (confusion) / 3;
      brier += ours->brier / 3;
    }
  assert_true (fabs (table->micro_auroc - metrics_auroc (all, all_labels, 450)) < 1e-12);
  assert_true (table->micro_sensitivity == metrics_sensitivity (sum));
  assert_true (table->micro_specificity == metrics_specificity (sum));
  assert_true (table->micro_f1 == metrics_f1 (sum));
  assert_true (fabs (table->macro_f1 - f1) < 1e-12);
  assert_true (fabs (table->macro_brier - brier) < 1e-12);
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

/** What is compared bit by bit: a structure's gaps are not. */
static void
assert_same_table (const MetricsTable *a, const MetricsTable *b)
{
  assert_memory_equal (&a->macro_auroc, &b->macro_auroc, sizeof a->macro_auroc);
  assert_memory_equal (&a->micro_auroc, &b->micro_auroc,
                       sizeof *a - G_STRUCT_OFFSET (MetricsTable, micro_auroc));
  assert_int_equal (a->classes_in_macro, b->classes_in_macro);
  assert_memory_equal (a->classes, b->classes, a->n_classes * sizeof *a->classes);
}

static void
test_table_does_not_hang_on_who_shares_the_work (void **state)
{
  double logits[200 * 5];
  guint8 labels[200 * 5];
  MetricsInput input = random_input (logits, labels, 200, 5, 61), with_team = input;
  g_autofree double *turned = g_memdup2 (logits, sizeof logits);
  g_autoptr (MetricsTable) alone = metrics_table (&input, NULL, NULL);
  double low, high, shared_low, shared_high;

  for (gsize i = 0; i < 200 * 5; i++)
    turned[i] = -logits[i];
  metrics_macro_difference_interval (&input, turned, &low, &high, NULL, NULL);
  for (guint threads = 1; threads <= 4; threads++)
    {
      g_autoptr (Team) team = team_new (threads);
      g_autoptr (MetricsTable) shared = NULL;

      with_team.team = team;
      shared = metrics_table (&with_team, NULL, NULL);
      assert_same_table (alone, shared);
      metrics_macro_difference_interval (&with_team, turned, &shared_low, &shared_high, NULL, NULL);
      assert_true (low == shared_low && high == shared_high);
    }
}

static int
compare_doubles (const void *a, const void *b)
{
  return (*(const double *) a > *(const double *) b) - (*(const double *) a < *(const double *) b);
}

/** Macro AUROC of patients drawn by another generator, whose rows are written out one by one. */
static double
slow_draw (const MetricsInput *input, guint32 n_groups, GRand *rand)
{
  g_autoptr (GArray) scores = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GByteArray) labels = g_byte_array_new ();
  g_autofree guint32 *drawn = g_new (guint32, n_groups);
  double sum = 0;
  guint defined = 0;

  for (guint32 g = 0; g < n_groups; g++)
    drawn[g] = (guint32) g_rand_int_range (rand, 0, (gint32) n_groups);
  for (guint class = 0; class < input->n_classes; class ++)
    {
      double auroc;

      g_array_set_size (scores, 0);
      g_byte_array_set_size (labels, 0);
      for (guint32 g = 0; g < n_groups; g++)
        for (gsize i = 0; i < input->n; i++)
          if (input->groups[i] == drawn[g])
            {
              gsize at = i * input->n_classes + class;

              g_array_append_val (scores, input->logits[at]);
              g_byte_array_append (labels, &input->labels[at], 1);
            }
      auroc = metrics_auroc (&g_array_index (scores, double, 0), labels->data, labels->len);
      if (isnan (auroc))
        continue;
      sum += auroc;
      defined++;
    }
  return sum / defined;
}

/* With ties, with patients of one to three scans, and with a class that half of the draws lack. */
static void
test_bootstrap_agrees_with_rows_drawn_one_by_one (void **state)
{
  double logits[60 * 3], draws[4000];
  guint8 labels[60 * 3];
  guint32 groups[60];
  MetricsInput input = random_input (logits, labels, 60, 3, 21);
  g_autoptr (MetricsTable) table = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (gsize i = 0; i < 60; i++)
    {
      groups[i] = (guint32) (i < 30 ? i / 3 : i < 50 ? 10 + (i - 30) / 2 : i - 30);
      labels[i * 3 + 2] = i == 55;
      for (guint class = 0; class < 3; class ++)
        logits[i * 3 + class] = floor (3 * logits[i * 3 + class]) / 3;
      if (i == 55)
        logits[i * 3 + 2] = -9; /* with this class in it, a draw's mean is much lower */
    }
  input.groups = groups;
  input.bootstrap_draws = 4000;
  table = metrics_table (&input, NULL, NULL);
  for (gsize d = 0; d < 4000; d++)
    draws[d] = slow_draw (&input, 30, rand);
  qsort (draws, 4000, sizeof *draws, compare_doubles);
  assert_true (fabs (table->macro_auroc.low - draws[100]) < 0.015);
  assert_true (fabs (table->macro_auroc.high - draws[3900]) < 0.015);
}

static void
test_macro_difference_is_paired (void **state)
{
  double logits[300 * 3], other[300 * 3], low, high;
  guint8 labels[300 * 3];
  MetricsInput input = random_input (logits, labels, 300, 3, 41);
  g_autoptr (MetricsTable) a = metrics_table (&input, NULL, NULL);
  g_autoptr (MetricsTable) b = NULL;
  MetricsInput of_other = input;
  double difference;

  assert_true (metrics_macro_difference_interval (&input, logits, &low, &high, NULL, NULL));
  assert_true (low == 0 && high == 0);

  /* A little worse on every scan: far smaller than what another draw of patients changes. */
  for (gsize i = 0; i < 300 * 3; i++)
    other[i] = logits[i] - (labels[i] != 0 ? 0.3 : 0);
  of_other.logits = other;
  b = metrics_table (&of_other, NULL, NULL);
  difference = a->macro_auroc.value - b->macro_auroc.value;
  assert_true (metrics_macro_difference_interval (&input, other, &low, &high, NULL, NULL));
  assert_true (0 < low && low < difference && difference < high);
  assert_true (high - low < 0.3 * (a->macro_auroc.high - a->macro_auroc.low));

  /* The other way round it is the same with the sign turned. */
  {
    double turned_low, turned_high;

    assert_true (metrics_macro_difference_interval (&of_other, logits, &turned_low, &turned_high,
                                                    NULL, NULL));
    assert_true (fabs (turned_low + high) < 1e-12 && fabs (turned_high + low) < 1e-12);
  }
}

static void
test_macro_difference_agrees_with_rows_drawn_one_by_one (void **state)
{
  double logits[60 * 3], other[60 * 3], draws[2000], low, high;
  guint8 labels[60 * 3];
  guint32 groups[60];
  MetricsInput input = random_input (logits, labels, 60, 3, 51), of_other = input;
  g_autoptr (GRand) noise = g_rand_new_with_seed (2);

  for (gsize i = 0; i < 60; i++)
    groups[i] = (guint32) (i / 2);
  for (gsize i = 0; i < 60 * 3; i++)
    other[i] = logits[i] + g_rand_double_range (noise, -2, 2);
  input.groups = of_other.groups = groups;
  input.bootstrap_draws = 4000;
  of_other.logits = other;
  for (guint32 d = 0; d < 2000; d++)
    {
      g_autoptr (GRand) one = g_rand_new_with_seed (d), same = g_rand_new_with_seed (d);

      draws[d] = slow_draw (&input, 30, one) - slow_draw (&of_other, 30, same);
    }
  qsort (draws, 2000, sizeof *draws, compare_doubles);
  assert_true (metrics_macro_difference_interval (&input, other, &low, &high, NULL, NULL));
  assert_true (fabs (low - draws[50]) < 0.015 && fabs (high - draws[1950]) < 0.015);
}

static void
test_bootstrap_takes_any_patient_numbers_and_number_of_draws (void **state)
{
  double logits[50 * 2];
  guint8 labels[50 * 2];
  guint32 dense[50], sparse[50];
  MetricsInput input = random_input (logits, labels, 50, 2, 31);

  for (gsize i = 0; i < 50; i++)
    {
      dense[i] = (guint32) (i / 2);
      sparse[i] = G_MAXUINT32 - (guint32) (i / 2) * 1000003;
    }
  for (input.bootstrap_draws = 1; input.bootstrap_draws < 20; input.bootstrap_draws += 3)
    {
      g_autoptr (MetricsTable) a = NULL;
      g_autoptr (MetricsTable) b = NULL;

      input.groups = dense;
      a = metrics_table (&input, NULL, NULL);
      input.groups = sparse;
      b = metrics_table (&input, NULL, NULL);
      assert_true (a->macro_auroc.low == b->macro_auroc.low
                   && a->macro_auroc.high == b->macro_auroc.high);
      assert_true (input.bootstrap_draws == 1 ? a->macro_auroc.low == a->macro_auroc.high
                                              : a->macro_auroc.low < a->macro_auroc.high);
    }
}

static void
test_bootstrap_of_equal_scores_is_one_half_in_every_draw (void **state)
{
  double logits[90] = { 0 };
  guint8 labels[90];
  MetricsInput input = {
    .logits = logits, .labels = labels, .n = 90, .n_classes = 1, .bootstrap_draws = 100
  };
  g_autoptr (MetricsTable) equal = NULL;
  g_autoptr (MetricsTable) halves = NULL;

  for (gsize i = 0; i < 90; i++)
    labels[i] = i % 3 == 0;
  equal = metrics_table (&input, NULL, NULL);
  assert_true (equal->macro_auroc.low == 0.5 && equal->macro_auroc.high == 0.5);
  /* Positives at 1 and 2, negatives at 0 and 1: every draw is above a half and short of 1. */
  for (gsize i = 0; i < 90; i++)
    logits[i] = (double) labels[i] + (double) (i % 2);
  halves = metrics_table (&input, NULL, NULL);
  assert_true (halves->macro_auroc.low > 0.75 && halves->macro_auroc.high < 1);
}

/* Of two draws, the interval lies a fortieth of their distance inside of each. */
static void
test_bootstrap_interval_is_between_the_quantiles (void **state)
{
  double logits[80 * 2];
  guint8 labels[80 * 2];

  for (guint64 seed = 0; seed < 10; seed++)
    {
      MetricsInput input = random_input (logits, labels, 80, 2, 41 + seed);
      g_autoptr (MetricsTable) first = NULL;
      g_autoptr (MetricsTable) both = NULL;
      double margin, end;

      input.bootstrap_draws = 1;
      first = metrics_table (&input, NULL, NULL);
      input.bootstrap_draws = 2;
      both = metrics_table (&input, NULL, NULL);
      margin = (both->macro_auroc.high - both->macro_auroc.low) / 0.95 * 0.025;
      end = first->macro_auroc.low;
      assert_true (margin > 0);
      assert_true (fabs (both->macro_auroc.low - margin - end) < 1e-12
                   || fabs (both->macro_auroc.high + margin - end) < 1e-12);
    }
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

static void
test_table_without_rows_is_undefined (void **state)
{
  MetricsInput input = { .n = 0, .n_classes = 2, .bootstrap_draws = 10 };
  g_autoptr (MetricsTable) table = metrics_table (&input, NULL, NULL);

  assert_int_equal (table->classes_in_macro, 0);
  assert_true (isnan (table->macro_auroc.value) && isnan (table->macro_auroc.low)
               && isnan (table->accuracy) && isnan (table->subset_accuracy)
               && isnan (table->micro_auroc) && isnan (table->classes[1].auroc.value));
}

static void
test_a_nan_logit_is_a_wrong_answer_for_a_positive (void **state)
{
  const double logits[] = { NAN, 1, -1 };
  const guint8 labels[] = { 1, 1, 0 };
  MetricsInput input = { .logits = logits, .labels = labels, .n = 3, .n_classes = 1 };
  g_autoptr (MetricsTable) table = metrics_table (&input, NULL, NULL);

  assert_true (table->classes[0].auroc.value == 0.5);
  assert_int_equal (table->classes[0].confusion.fn, 1);
  assert_true (fabs (table->subset_accuracy - 2.0 / 3) < 1e-12);
}

static void
test_a_copy_stands_on_its_own (void **state)
{
  double logits[40 * 2];
  guint8 labels[40 * 2];
  MetricsInput input = random_input (logits, labels, 40, 2, 5);
  MetricsTable *table = metrics_table (&input, NULL, NULL);
  double macro = table->macro_auroc.value, first = table->classes[0].auroc.value;
  g_autoptr (MetricsTable) copy = metrics_table_copy (table);

  table->classes[0].auroc.value = 7;
  metrics_table_free (table);
  assert_true (copy->macro_auroc.value == macro && copy->classes[0].auroc.value == first);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_golden_multilabel_set_agrees),
    cmocka_unit_test (test_table_holds_what_the_single_functions_say),
    cmocka_unit_test (test_table_leaves_an_undefined_class_out_of_the_macro_mean),
    cmocka_unit_test (test_element_and_subset_accuracy_are_told_apart),
    cmocka_unit_test (test_bootstrap_is_seeded_and_wider_over_larger_groups),
    cmocka_unit_test (test_table_does_not_hang_on_who_shares_the_work),
    cmocka_unit_test (test_bootstrap_agrees_with_rows_drawn_one_by_one),
    cmocka_unit_test (test_macro_difference_is_paired),
    cmocka_unit_test (test_macro_difference_agrees_with_rows_drawn_one_by_one),
    cmocka_unit_test (test_bootstrap_takes_any_patient_numbers_and_number_of_draws),
    cmocka_unit_test (test_bootstrap_of_equal_scores_is_one_half_in_every_draw),
    cmocka_unit_test (test_bootstrap_interval_is_between_the_quantiles),
    cmocka_unit_test (test_bootstrap_interval_covers_the_truth),
    cmocka_unit_test (test_table_is_cancelled),
    cmocka_unit_test (test_table_without_rows_is_undefined),
    cmocka_unit_test (test_a_nan_logit_is_a_wrong_answer_for_a_positive),
    cmocka_unit_test (test_a_copy_stands_on_its_own),
  };

  return cmocka_run_group_tests_name ("metrics_table", tests, NULL, NULL);
}

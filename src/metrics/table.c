#include "metrics/bootstrap.h"
#include "metrics/metrics.h"

#include <math.h>

/** One class's numbers. */
static MetricsClass
judge_class (const MetricsInput *input, guint class)
{
  g_autofree double *logits = g_new (double, MAX (input->n, 1));
  g_autofree double *probabilities = g_new (double, MAX (input->n, 1));
  g_autofree guint8 *labels = g_new (guint8, MAX (input->n, 1));
  MetricsClass result = { 0 };

  for (gsize i = 0; i < input->n; i++)
    {
      logits[i] = input->logits[i * input->n_classes + class];
      probabilities[i] = metrics_probability (logits[i]);
      labels[i] = input->labels[i * input->n_classes + class] != 0;
      result.positives += labels[i];
    }
  result.negatives = (guint) input->n - result.positives;
  result.threshold = input->thresholds != NULL ? input->thresholds[class] : 0.5;
  result.auroc = metrics_auroc_interval (logits, labels, input->n);
  result.average_precision = metrics_average_precision (logits, labels, input->n);
  result.confusion = metrics_confusion (probabilities, labels, input->n, result.threshold);
  result.sensitivity = metrics_sensitivity (result.confusion);
  result.specificity = metrics_specificity (result.confusion);
  result.accuracy = metrics_accuracy (result.confusion);
  result.f1 = metrics_f1 (result.confusion);
  result.brier = metrics_brier (probabilities, labels, input->n);
  return result;
}

/** Mean of a member over the classes where it is defined. */
static double
mean_over_classes (const MetricsTable *table, gsize offset, guint *defined)
{
  double sum = 0;
  guint n = 0;

  for (guint class = 0; class < table->n_classes; class ++)
    {
      double value = G_STRUCT_MEMBER (double, &table->classes[class], offset);

      if (isnan (value))
        continue;
      sum += value;
      n++;
    }
  if (defined != NULL)
    *defined = n;
  return n > 0 ? sum / n : NAN;
}

static void
take_means (MetricsTable *table)
{
#define MEAN(member) mean_over_classes (table, G_STRUCT_OFFSET (MetricsClass, member), NULL)
  table->macro_auroc.value = mean_over_classes (table, G_STRUCT_OFFSET (MetricsClass, auroc.value),
                                                &table->classes_in_macro);
  table->macro_sensitivity = MEAN (sensitivity);
  table->macro_specificity = MEAN (specificity);
  table->macro_accuracy = MEAN (accuracy);
  table->macro_f1 = MEAN (f1);
  table->macro_average_precision = MEAN (average_precision);
  table->macro_brier = MEAN (brier);
#undef MEAN
}

/** All classes thrown together. */
static double
micro_auroc (const MetricsInput *input)
{
  gsize n = input->n * input->n_classes;
  g_autofree guint8 *labels = g_new (guint8, MAX (n, 1));

  for (gsize i = 0; i < n; i++)
    labels[i] = input->labels[i] != 0;
  return metrics_auroc (input->logits, labels, n);
}

static void
take_micro (MetricsTable *table)
{
  MetricsConfusion all = { 0, 0, 0, 0 };

  for (guint class = 0; class < table->n_classes; class ++)
    {
      const MetricsConfusion *c = &table->classes[class].confusion;

      all = (MetricsConfusion){ all.tp + c->tp, all.fp + c->fp, all.tn + c->tn, all.fn + c->fn };
    }
  table->micro_sensitivity = metrics_sensitivity (all);
  table->micro_specificity = metrics_specificity (all);
  table->micro_f1 = metrics_f1 (all);
  table->accuracy = metrics_accuracy (all);
}

static double
subset_accuracy (const MetricsTable *table, const MetricsInput *input)
{
  gsize right = 0;

  for (gsize i = 0; i < input->n; i++)
    {
      gboolean all = TRUE;

      for (guint class = 0; all && class < input->n_classes; class ++)
        {
          gsize at = i * input->n_classes + class;

          all = (metrics_probability (input->logits[at]) >= table->classes[class].threshold)
                == (input->labels[at] != 0);
        }
      right += all;
    }
  return input->n > 0 ? (double) right / (double) input->n : NAN;
}

typedef struct
{
  const MetricsInput *input;
  MetricsTable *table;
} Judging;

/** All classes together, which takes longest, and each by itself. A TeamWork. */
static void
judge_all_or_class (gsize item, guint thread, gpointer data)
{
  const Judging *judging = data;

  if (item == 0)
    judging->table->micro_auroc = micro_auroc (judging->input);
  else
    judging->table->classes[item - 1] = judge_class (judging->input, (guint) item - 1);
}

MetricsTable *
metrics_table (const MetricsInput *input, GCancellable *cancellable, GError **error)
{
  g_autoptr (MetricsTable) table = g_new0 (MetricsTable, 1);
  Judging judging = { input, table };

  table->n_classes = input->n_classes;
  table->classes = g_new0 (MetricsClass, MAX (input->n_classes, 1));
  if (!team_run (input->team, 1 + input->n_classes, judge_all_or_class, &judging, cancellable))
    {
      g_cancellable_set_error_if_cancelled (cancellable, error);
      return NULL;
    }
  take_means (table);
  take_micro (table);
  table->subset_accuracy = subset_accuracy (table, input);
  if (!bootstrap_macro_auroc (input, &table->macro_auroc.low, &table->macro_auroc.high, cancellable,
                              error))
    return NULL;
  return g_steal_pointer (&table);
}

MetricsTable *
metrics_table_copy (const MetricsTable *table)
{
  MetricsTable *copy = g_memdup2 (table, sizeof *table);

  copy->classes = g_memdup2 (table->classes, table->n_classes * sizeof *table->classes);
  return copy;
}

void
metrics_table_free (MetricsTable *table)
{
  g_free (table->classes);
  g_free (table);
}

#include "metrics/bootstrap.h"

#include "base/random.h"
#include "metrics/ranking.h"

#include <math.h>
#include <stdlib.h>

#define DRAW_STREAM 0x626f6f74 /* apart from the other uses of the run's seed */

/** A class's rows in ascending order of score. */
typedef struct
{
  guint32 *rows;
  guint8 *labels;   /* of the rows in order */
  guint8 *run_ends; /* 1 where a run of equal scores ends */
} SortedClass;

static SortedClass
sort_class (const MetricsInput *input, guint class)
{
  g_autofree double *scores = g_new (double, input->n);
  SortedClass sorted;

  for (gsize i = 0; i < input->n; i++)
    scores[i] = input->logits[i * input->n_classes + class];
  sorted.rows = ranking_order (scores, input->n);
  sorted.labels = g_new (guint8, input->n);
  sorted.run_ends = g_new0 (guint8, input->n);
  for (gsize i = 0; i < input->n; i++)
    sorted.labels[i] = input->labels[sorted.rows[i] * input->n_classes + class] != 0;
  for (gsize start = 0; start < input->n;)
    {
      start = ranking_run_end (scores, sorted.rows, input->n, start);
      sorted.run_ends[start - 1] = 1;
    }
  return sorted;
}

/** AUROC where row i counts weights[i] times; NaN where a kind is absent. */
static double
weighted_auroc (const SortedClass *sorted, const guint32 *weights, gsize n)
{
  /* Whole numbers: twice the pairs won, so that a tie's half stays exact. */
  guint64 positives = 0, negatives = 0, twice_won = 0, run_positives = 0, run_negatives = 0;

  for (gsize i = 0; i < n; i++)
    {
      guint32 weight = weights[sorted->rows[i]];

      run_positives += sorted->labels[i] ? weight : 0;
      run_negatives += sorted->labels[i] ? 0 : weight;
      if (!sorted->run_ends[i])
        continue;
      twice_won += run_positives * (2 * negatives + run_negatives);
      positives += run_positives;
      negatives += run_negatives;
      run_positives = run_negatives = 0;
    }
  if (positives == 0 || negatives == 0)
    return NAN;
  return (double) twice_won / (2.0 * (double) positives * (double) negatives);
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/** Linear interpolation between order statistics (NumPy's default). */
static double
quantile (const double *sorted, gsize n, double q)
{
  double place = q * (double) (n - 1);
  gsize below = (gsize) floor (place);

  return below + 1 < n
             ? sorted[below] + (place - (double) below) * (sorted[below + 1] - sorted[below])
             : sorted[below];
}

/** Draw as many groups as there are, with replacement; every row counts as often as its group came.
 */
static void
draw_weights (Random *random, const MetricsInput *input, guint32 n_groups, guint32 *group_weights,
              guint32 *weights)
{
  for (guint32 g = 0; g < n_groups; g++)
    group_weights[g] = 0;
  for (guint32 g = 0; g < n_groups; g++)
    group_weights[random_below (random, n_groups)]++;
  for (gsize i = 0; i < input->n; i++)
    weights[i] = group_weights[input->groups != NULL ? input->groups[i] : i];
}

gboolean
bootstrap_macro_auroc (const MetricsInput *input, double *low, double *high,
                       GCancellable *cancellable, GError **error)
{
  g_autofree SortedClass *classes = g_new (SortedClass, MAX (input->n_classes, 1));
  g_autofree double *draws = g_new (double, MAX (input->bootstrap_draws, 1));
  g_autofree guint32 *weights = g_new (guint32, MAX (input->n, 1));
  g_autofree guint32 *group_weights = NULL;
  guint32 n_groups = (guint32) input->n;
  gboolean done = TRUE;
  gsize defined = 0;
  Random random;

  *low = *high = NAN;
  if (input->n == 0 || input->bootstrap_draws == 0)
    return TRUE;
  if (input->groups != NULL)
    {
      n_groups = 0;
      for (gsize i = 0; i < input->n; i++)
        n_groups = MAX (n_groups, input->groups[i] + 1);
    }
  group_weights = g_new (guint32, n_groups);
  for (guint class = 0; class < input->n_classes; class ++)
    classes[class] = sort_class (input, class);

  random_init (&random, input->bootstrap_seed, DRAW_STREAM);
  for (guint draw = 0; done && draw < input->bootstrap_draws; draw++)
    {
      double sum = 0;
      guint n = 0;

      done = !g_cancellable_set_error_if_cancelled (cancellable, error);
      draw_weights (&random, input, n_groups, group_weights, weights);
      for (guint class = 0; class < input->n_classes; class ++)
        {
          double auroc = weighted_auroc (&classes[class], weights, input->n);

          if (isnan (auroc))
            continue;
          sum += auroc;
          n++;
        }
      if (n > 0)
        draws[defined++] = sum / n;
    }
  for (guint class = 0; class < input->n_classes; class ++)
    {
      g_free (classes[class].rows);
      g_free (classes[class].labels);
      g_free (classes[class].run_ends);
    }
  if (!done || defined == 0)
    return done;
  qsort (draws, defined, sizeof *draws, compare_doubles);
  *low = quantile (draws, defined, 0.025);
  *high = quantile (draws, defined, 0.975);
  return TRUE;
}

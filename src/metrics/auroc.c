#include "metrics/metrics.h"

#include "metrics/ranking.h"

#include <math.h>
#include <string.h>

#define Z_95 1.959963984540054 /* 97.5 % quantile of the standard normal */

/* ---- order ---- */

static int
compare_scores (gconstpointer a, gconstpointer b, gpointer scores)
{
  double x = ((const double *) scores)[*(const guint32 *) a],
         y = ((const double *) scores)[*(const guint32 *) b];

  /* A NaN is below every number, so that it is never called positive. */
  if (isnan (x) || isnan (y))
    return (int) isnan (y) - (int) isnan (x);
  return (x > y) - (x < y);
}

static gboolean
same_score (double x, double y)
{
  return x == y || (isnan (x) && isnan (y));
}

guint32 *
ranking_order (const double *scores, gsize n)
{
  guint32 *order = g_new (guint32, MAX (n, 1));

  for (gsize i = 0; i < n; i++)
    order[i] = (guint32) i;
  g_qsort_with_data (order, (gint) n, sizeof *order, compare_scores, (gpointer) scores);
  return order;
}

gsize
ranking_run_end (const double *scores, const guint32 *order, gsize n, gsize start)
{
  gsize end = start + 1;

  while (end < n && same_score (scores[order[end]], scores[order[start]]))
    end++;
  return end;
}

/** Midranks from 1 of the scores that @subset marks (every score where it is %NULL). */
static void
midranks (const double *scores, const guint32 *order, gsize n, const guint8 *labels, int only,
          double *ranks)
{
  double before = 0;

  for (gsize start = 0, end; start < n; start = end)
    {
      gsize in_run = 0;

      end = ranking_run_end (scores, order, n, start);
      for (gsize i = start; i < end; i++)
        in_run += only < 0 || labels[order[i]] == only;
      for (gsize i = start; i < end; i++)
        ranks[order[i]] = before + ((double) in_run + 1) / 2;
      before += (double) in_run;
    }
}

/* ---- DeLong ---- */

/** Sun & Xu's structural components: how a positive (v10) or negative (v01) fares against the other
 * kind. */
typedef struct
{
  gsize m, n; /* positives, negatives */
  double auroc;
  double *v10, *v01;
} Components;

static void
components_clear (Components *components)
{
  g_free (components->v10);
  g_free (components->v01);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Components, components_clear)

static Components
structural_components (const double *scores, const guint8 *labels, gsize n)
{
  g_autofree guint32 *order = ranking_order (scores, n);
  g_autofree double *all = g_new (double, MAX (n, 1));
  g_autofree double *positive = g_new (double, MAX (n, 1));
  g_autofree double *negative = g_new (double, MAX (n, 1));
  Components result = { 0 };
  gsize p = 0, q = 0;
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    result.m += labels[i] != 0;
  result.n = n - result.m;
  result.auroc = NAN;
  if (result.m == 0 || result.n == 0)
    return result;

  midranks (scores, order, n, labels, -1, all);
  midranks (scores, order, n, labels, 1, positive);
  midranks (scores, order, n, labels, 0, negative);
  result.v10 = g_new (double, result.m);
  result.v01 = g_new (double, result.n);
  for (gsize i = 0; i < n; i++)
    if (labels[i])
      {
        sum += all[i];
        result.v10[p++] = (all[i] - positive[i]) / (double) result.n;
      }
    else
      result.v01[q++] = 1 - (all[i] - negative[i]) / (double) result.m;
  result.auroc = (sum - (double) result.m * ((double) result.m + 1) / 2)
                 / ((double) result.m * (double) result.n);
  return result;
}

/** Sample covariance of two component vectors around known means. */
static double
covariance (const double *a, double mean_a, const double *b, double mean_b, gsize n)
{
  double sum = 0;

  if (n < 2)
    return NAN;
  for (gsize i = 0; i < n; i++)
    sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum / ((double) n - 1);
}

/** Covariance of two AUROCs of the same labels. */
static double
auroc_covariance (const Components *a, const Components *b)
{
  return covariance (a->v10, a->auroc, b->v10, b->auroc, a->m) / (double) a->m
         + covariance (a->v01, a->auroc, b->v01, b->auroc, a->n) / (double) a->n;
}

double
metrics_auroc (const double *scores, const guint8 *labels, gsize n)
{
  g_autofree guint32 *order = ranking_order (scores, n);
  double positives = 0, negatives = 0, below = 0; /* below: pairs won, ties half */

  for (gsize start = 0, end; start < n; start = end)
    {
      double run_positives = 0, run_negatives;

      end = ranking_run_end (scores, order, n, start);
      for (gsize i = start; i < end; i++)
        run_positives += labels[order[i]] != 0;
      run_negatives = (double) (end - start) - run_positives;
      below += run_positives * (negatives + run_negatives / 2);
      positives += run_positives;
      negatives += run_negatives;
    }
  return positives > 0 && negatives > 0 ? below / (positives * negatives) : NAN;
}

MetricsInterval
metrics_auroc_interval (const double *scores, const guint8 *labels, gsize n)
{
  g_auto (Components) components = structural_components (scores, labels, n);
  double half;

  if (isnan (components.auroc))
    return (MetricsInterval){ NAN, NAN, NAN };
  half = Z_95 * sqrt (auroc_covariance (&components, &components));
  if (isnan (half))
    return (MetricsInterval){ components.auroc, NAN, NAN };
  return (MetricsInterval){ components.auroc, MAX (components.auroc - half, 0),
                            MIN (components.auroc + half, 1) };
}

double
metrics_auroc_difference (const double *a, const double *b, const guint8 *labels, gsize n,
                          MetricsInterval *difference)
{
  g_auto (Components) of_a = structural_components (a, labels, n);
  g_auto (Components) of_b = structural_components (b, labels, n);
  double variance, deviation;

  *difference = (MetricsInterval){ NAN, NAN, NAN };
  if (isnan (of_a.auroc))
    return NAN;
  difference->value = of_a.auroc - of_b.auroc;
  variance = auroc_covariance (&of_a, &of_a) + auroc_covariance (&of_b, &of_b)
             - 2 * auroc_covariance (&of_a, &of_b);
  if (isnan (variance))
    return NAN;
  deviation = sqrt (MAX (variance, 0));
  difference->low = difference->value - Z_95 * deviation;
  difference->high = difference->value + Z_95 * deviation;
  if (difference->value == 0)
    return 1;
  return deviation > 0 ? erfc (fabs (difference->value) / deviation * M_SQRT1_2) : 0;
}

/* ---- curves ---- */

double
metrics_average_precision (const double *scores, const guint8 *labels, gsize n)
{
  g_autofree guint32 *order = ranking_order (scores, n);
  g_autofree gsize *starts = g_new (gsize, n + 1);
  gsize runs = 0;
  double all = 0, tp = 0, called = 0, sum = 0;

  for (gsize start = 0; start < n; start = ranking_run_end (scores, order, n, start))
    starts[runs++] = start;
  starts[runs] = n;
  for (gsize i = 0; i < n; i++)
    all += labels[i] != 0;
  if (all == 0)
    return NAN;
  /* From the highest score down: precision times the recall gained. */
  for (gsize run = runs; run-- > 0;)
    {
      double gained = 0;

      for (gsize i = starts[run]; i < starts[run + 1]; i++)
        gained += labels[order[i]] != 0;
      tp += gained;
      called += (double) (starts[run + 1] - starts[run]);
      sum += gained / all * (tp / called);
    }
  return sum;
}

GArray *
metrics_roc (const double *scores, const guint8 *labels, gsize n)
{
  g_autofree guint32 *order = ranking_order (scores, n);
  GArray *points = g_array_new (FALSE, FALSE, sizeof (MetricsRocPoint));
  MetricsRocPoint point = { INFINITY, 0, 0 };
  double positives = 0, negatives = 0, tp = 0, fp = 0;

  for (gsize i = 0; i < n; i++)
    *(labels[i] ? &positives : &negatives) += 1;
  g_array_append_val (points, point);
  for (gsize i = n; i-- > 0;)
    {
      *(labels[order[i]] ? &tp : &fp) += 1;
      if (i > 0 && same_score (scores[order[i - 1]], scores[order[i]]))
        continue;
      point.threshold = scores[order[i]];
      point.false_positive_rate = negatives > 0 ? fp / negatives : NAN;
      point.sensitivity = positives > 0 ? tp / positives : NAN;
      g_array_append_val (points, point);
    }
  return points;
}

double
metrics_youden_threshold (const double *scores, const guint8 *labels, gsize n)
{
  g_autoptr (GArray) points = metrics_roc (scores, labels, n);
  double best = -INFINITY, threshold = NAN;

  /* From the highest threshold down, so that of equals the highest stays; the first point calls
   * nothing. */
  for (guint i = 1; i < points->len; i++)
    {
      const MetricsRocPoint *point = &g_array_index (points, MetricsRocPoint, i);
      double youden = point->sensitivity - point->false_positive_rate;

      if (youden > best)
        {
          best = youden;
          threshold = point->threshold;
        }
    }
  return threshold;
}

#include "metrics/metrics.h"

#include "metrics/ranking.h"

#include <math.h>

#define Z_95 1.959963984540054 /* 97.5 % quantile of the standard normal */

/**
 * auroc_of_ranks: AUROC; NaN where a kind is absent.
 *
 * @wins: (out) (nullable) n shares: of the negatives that a positive beats, or of the positives
 *        that a negative is beaten by, ties counting half
 *
 * The wins are DeLong's structural components. In Sun & Xu's form a positive's is its midrank among
 * all rows less its midrank among the positives; that is the number of negatives below it and half
 * of those beside it, which the walk over the runs of equal scores has at hand.
 */
static double
auroc_of_ranks (const double *scores, const guint8 *labels, gsize n, double *wins)
{
  g_autofree RankedRow *ranked = NULL;
  double positives = 0, negatives, positives_below = 0, negatives_below = 0, won = 0;

  for (gsize i = 0; i < n; i++)
    positives += labels[i] != 0;
  negatives = (double) n - positives;
  if (positives == 0 || negatives == 0)
    return NAN;

  ranked = ranking_new (scores, n);
  for (gsize start = 0, end; start < n; start = end)
    {
      double run_positives = 0, run_negatives, beaten, beaten_by;

      end = ranking_run_end (ranked, n, start);
      for (gsize i = start; i < end; i++)
        run_positives += labels[ranked[i].row] != 0;
      run_negatives = (double) (end - start) - run_positives;
      beaten = negatives_below + run_negatives / 2;
      beaten_by = positives - positives_below - run_positives / 2;
      for (gsize i = start; i < end && wins != NULL; i++)
        wins[ranked[i].row] = labels[ranked[i].row] ? beaten / negatives : beaten_by / positives;
      won += run_positives * beaten;
      positives_below += run_positives;
      negatives_below += run_negatives;
    }
  return won / (positives * negatives);
}

/**
 * delong_variance: variance of an AUROC, or of a difference of two, from its components.
 *
 * Sums the components' sample variance among the positives and among the negatives, each over its
 * number (DeLong et al. 1988, eq. 5). NaN with a single positive or a single negative.
 */
static double
delong_variance (const double *components, double mean, const guint8 *labels, gsize n)
{
  double count[2] = { 0, 0 }, squares[2] = { 0, 0 };

  for (gsize i = 0; i < n; i++)
    {
      guint kind = labels[i] != 0;

      count[kind] += 1;
      squares[kind] += (components[i] - mean) * (components[i] - mean);
    }
  if (count[0] < 2 || count[1] < 2)
    return NAN;
  return squares[0] / (count[0] - 1) / count[0] + squares[1] / (count[1] - 1) / count[1];
}

double
metrics_auroc (const double *scores, const guint8 *labels, gsize n)
{
  return auroc_of_ranks (scores, labels, n, NULL);
}

MetricsInterval
metrics_auroc_interval (const double *scores, const guint8 *labels, gsize n)
{
  g_autofree double *wins = g_new (double, MAX (n, 1));
  double auroc = auroc_of_ranks (scores, labels, n, wins), half;

  if (isnan (auroc))
    return (MetricsInterval){ NAN, NAN, NAN };
  half = Z_95 * sqrt (delong_variance (wins, auroc, labels, n));
  if (isnan (half))
    return (MetricsInterval){ auroc, NAN, NAN };
  return (MetricsInterval){ auroc, MAX (auroc - half, 0), MIN (auroc + half, 1) };
}

double
metrics_auroc_difference (const double *a, const double *b, const guint8 *labels, gsize n,
                          MetricsInterval *difference)
{
  g_autofree double *wins_a = g_new (double, MAX (n, 1));
  g_autofree double *wins_b = g_new (double, MAX (n, 1));
  double value = auroc_of_ranks (a, labels, n, wins_a) - auroc_of_ranks (b, labels, n, wins_b),
         deviation;

  *difference = (MetricsInterval){ value, NAN, NAN };
  if (isnan (value))
    return NAN;
  /* The variance of a difference is that of the differing components: what both curves share
   * cancels row by row, not in a difference of large sums. */
  for (gsize i = 0; i < n; i++)
    wins_a[i] -= wins_b[i];
  deviation = sqrt (delong_variance (wins_a, value, labels, n));
  if (isnan (deviation))
    return NAN;
  difference->low = value - Z_95 * deviation;
  difference->high = value + Z_95 * deviation;
  if (value == 0)
    return 1;
  return erfc (fabs (value) / deviation * M_SQRT1_2);
}

#include "metrics/metrics.h"

#include "metrics/ranking.h"

#include <math.h>

/** A threshold on its way from above every score to the lowest, one distinct score a step. */
typedef struct
{
  const double *scores;
  const guint8 *labels;
  RankedRow *ranked;
  gsize left;                  /* rows still below the threshold */
  double positives, negatives; /* of all rows */
  double tp, fp;               /* of the rows at or above the threshold */
  double threshold;
} Sweep;

static Sweep
sweep_begin (const double *scores, const guint8 *labels, gsize n)
{
  Sweep sweep = { .scores = scores, .labels = labels, .left = n, .threshold = INFINITY };

  sweep.ranked = ranking_new (scores, n);
  for (gsize i = 0; i < n; i++)
    *(labels[i] ? &sweep.positives : &sweep.negatives) += 1;
  return sweep;
}

/** Lower the threshold to the next score; %FALSE when there is none. */
static gboolean
sweep_next (Sweep *sweep)
{
  gsize start;

  if (sweep->left == 0)
    return FALSE;
  start = ranking_run_start (sweep->ranked, sweep->left);
  for (gsize i = start; i < sweep->left; i++)
    *(sweep->labels[sweep->ranked[i].row] ? &sweep->tp : &sweep->fp) += 1;
  sweep->threshold = sweep->scores[sweep->ranked[start].row];
  sweep->left = start;
  return TRUE;
}

static void
sweep_clear (Sweep *sweep)
{
  g_free (sweep->ranked);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sweep, sweep_clear)

double
metrics_average_precision (const double *scores, const guint8 *labels, gsize n)
{
  g_auto (Sweep) sweep = sweep_begin (scores, labels, n);
  double sum = 0, tp_before = 0;

  /* Precision times the recall gained. */
  for (; sweep_next (&sweep); tp_before = sweep.tp)
    sum += (sweep.tp - tp_before) / sweep.positives * (sweep.tp / (sweep.tp + sweep.fp));
  return sweep.positives > 0 ? sum : NAN;
}

GArray *
metrics_roc (const double *scores, const guint8 *labels, gsize n)
{
  g_auto (Sweep) sweep = sweep_begin (scores, labels, n);
  GArray *points = g_array_new (FALSE, FALSE, sizeof (MetricsRocPoint));

  do
    {
      MetricsRocPoint point = { .threshold = sweep.threshold,
                                .false_positive_rate = sweep.fp / sweep.negatives,
                                .sensitivity = sweep.tp / sweep.positives };

      g_array_append_val (points, point);
    }
  while (sweep_next (&sweep));
  return points;
}

double
metrics_youden_threshold (const double *scores, const guint8 *labels, gsize n)
{
  g_auto (Sweep) sweep = sweep_begin (scores, labels, n);
  double best = -INFINITY, threshold = NAN;

  if (sweep.positives == 0 || sweep.negatives == 0)
    return NAN;
  /* On the way down the first of equals is the highest. No threshold calls a NaN. */
  while (sweep_next (&sweep) && !isnan (sweep.threshold))
    {
      /* The index times both counts: whole numbers, so that equals are equal. */
      double youden = sweep.tp * sweep.negatives - sweep.fp * sweep.positives;

      if (youden > best)
        {
          best = youden;
          threshold = sweep.threshold;
        }
    }
  return threshold;
}

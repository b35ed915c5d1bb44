#include "metrics/metrics.h"

#include <math.h>

double
metrics_probability (double logit)
{
  return 1 / (1 + exp (-logit));
}

MetricsConfusion
metrics_confusion (const double *scores, const guint8 *labels, gsize n, double threshold)
{
  MetricsConfusion c = { 0, 0, 0, 0 };

  for (gsize i = 0; i < n; i++)
    {
      gboolean called = scores[i] >= threshold;

      if (labels[i])
        *(called ? &c.tp : &c.fn) += 1;
      else
        *(called ? &c.fp : &c.tn) += 1;
    }
  return c;
}

/** A share; undefined over nothing. */
static double
ratio (double part, double whole)
{
  return whole > 0 ? part / whole : NAN;
}

double
metrics_sensitivity (MetricsConfusion c)
{
  return ratio (c.tp, (double) c.tp + c.fn);
}

double
metrics_specificity (MetricsConfusion c)
{
  return ratio (c.tn, (double) c.tn + c.fp);
}

double
metrics_accuracy (MetricsConfusion c)
{
  return ratio ((double) c.tp + c.tn, (double) c.tp + c.fp + c.tn + c.fn);
}

double
metrics_f1 (MetricsConfusion c)
{
  return ratio (2.0 * c.tp, 2.0 * c.tp + c.fp + c.fn);
}

double
metrics_brier (const double *probabilities, const guint8 *labels, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    {
      double difference = probabilities[i] - labels[i];

      sum += difference * difference;
    }
  return ratio (sum, (double) n);
}

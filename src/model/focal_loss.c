#include "model/head.h"

#include <math.h>

/** One element: its loss, and the loss's slope in u = z for label 1, −z for label 0. */
static double
element_loss (double gamma, double u, double *slope)
{
  /* With e = exp (−|u|) neither end saturates: q = σ(−u) and 1 − q are exact to their last digits,
   * and q^γ comes from log q = −softplus (u). */
  const double e = exp (-fabs (u)), rest = log1p (e), large = 1 / (1 + e), small = e / (1 + e);
  const double q = u > 0 ? small : large, p = u > 0 ? large : small;
  const double cross_entropy = (u < 0 ? -u : 0) + rest; /* −log σ(u) = softplus (−u) */
  const double log_q = -((u > 0 ? u : 0) + rest);
  const double focus = gamma == 0 ? 1 : exp (gamma * log_q);

  *slope = -focus * (gamma * p * cross_entropy + q);
  return focus * cross_entropy;
}

double
focal_loss (const FocalLoss *loss, const double *logits, const guint8 *labels, gsize n,
            guint classes, double *gradient)
{
  const gboolean balanced = !isnan (loss->alpha);
  const double elements = (double) n * classes;
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; c < classes; c++)
      {
        const gsize at = i * classes + c;
        const double sign = labels[at] ? 1 : -1;
        double weight = labels[at] && loss->pos_weight != NULL ? loss->pos_weight[c] : 1, slope;

        if (balanced)
          weight *= labels[at] ? loss->alpha : 1 - loss->alpha;
        sum += weight * element_loss (loss->gamma, sign * logits[at], &slope);
        if (gradient != NULL)
          gradient[at] = sign * weight * slope / elements;
      }
  return elements > 0 ? sum / elements : 0;
}

#include "model/head.h"

#include <math.h>

/** log (1 + e^x) without overflow. */
static double
softplus (double x)
{
  return x > 0 ? x + log1p (exp (-x)) : log1p (exp (x));
}

double
focal_loss (const FocalLoss *loss, const double *logits, const guint8 *labels, gsize n,
            guint classes, double *gradient)
{
  double sum = 0, elements = (double) n * classes;

  for (gsize i = 0; i < n; i++)
    for (guint class = 0; class < classes; class ++)
      {
        gsize at = i * classes + class;
        double sign = labels[at] ? 1 : -1;
        double u = sign * logits[at];
        /* −log σ(u) and log q with q = σ(−u): in logarithms neither saturates. */
        double cross_entropy = softplus (-u);
        double log_q = -softplus (u);
        double q = exp (log_q);
        double focus = loss->gamma == 0 ? 1 : exp (loss->gamma * log_q);
        double weight = labels[at] && loss->pos_weight != NULL ? loss->pos_weight[class] : 1;

        if (!isnan (loss->alpha))
          weight *= labels[at] ? loss->alpha : 1 - loss->alpha;
        sum += weight * focus * cross_entropy;
        if (gradient != NULL)
          gradient[at] =
              sign * weight * focus * (-loss->gamma * (1 - q) * cross_entropy - q) / elements;
      }
  return elements > 0 ? sum / elements : 0;
}

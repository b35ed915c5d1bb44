#include "model/kernels.h"

#include <math.h>

void
reference_nearest_code (const float *x, size_t n, const float *codes, size_t n_codes, size_t dim,
                        int64_t *nearest)
{
  for (size_t i = 0; i < n; i++)
    {
      float largest = -INFINITY;

      nearest[i] = 0;
      for (size_t j = 0; j < n_codes; j++)
        {
          float product = 0;

          for (size_t d = 0; d < dim; d++)
            product += x[i * dim + d] * codes[j * dim + d];
          if (product > largest)
            {
              largest = product;
              nearest[i] = (int64_t) j;
            }
        }
    }
}

void
reference_focal_loss (const float *logits, const float *labels, const float *positive_weight,
                      const float *negative_weight, size_t n, size_t classes, float gamma,
                      float *loss, float *gradient)
{
  for (size_t i = 0; i < n * classes; i++)
    {
      size_t c = i % classes;
      float sign = labels[i] > 0 ? 1 : -1;
      float w = labels[i] > 0 ? positive_weight[c] : negative_weight[c];
      float u = sign * logits[i];
      float q = 1 / (1 + expf (u));
      float softplus = fmaxf (-u, 0) + log1pf (expf (-fabsf (u)));
      float q_gamma = powf (q, gamma);

      loss[i] = w * q_gamma * softplus;
      gradient[i] =
          sign * w * (-gamma * q_gamma * (1 - q) * softplus - q_gamma * q) / (float) (n * classes);
    }
}

/**
 * kernels.h: our CUDA kernels, and what each computes in plain C.
 *
 * Pointers of kernel_*() are memory of CUDA device @device; the work is queued on its default
 * stream, where libtorch's own work goes. They return NULL, or what CUDA says went wrong.
 * reference_*() do the same on the processor, one thread, for tests/test_kernels.c to compare with.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kernel_nearest_code: for each row of @x the code with the largest dot product, the first on ties.
 *
 * The products are never stored: each thread keeps the running maximum of its rows.
 *
 * @x: n × dim; @codes: n_codes × dim; both rows of norm 1
 * @nearest: (out) n code numbers; 0 for a row of NaN
 */
const char *kernel_nearest_code (int device, const float *x, size_t n, const float *codes,
                                 size_t n_codes, size_t dim, int64_t *nearest);
void reference_nearest_code (const float *x, size_t n, const float *codes, size_t n_codes,
                             size_t dim, int64_t *nearest);

/**
 * kernel_focal_loss: loss of each element, and the gradient of their mean.
 *
 * u = (2y − 1) z, q = σ(−u): loss = w q^γ softplus(−u),
 * gradient = (2y − 1) w (−γ q^γ (1 − q) softplus(−u) − q^(γ+1)) / (n · classes)
 * (Lin et al. 2017, arXiv 1708.02002, eq. 4-5, with a weight for each class and label).
 *
 * @logits, @labels: n × classes; labels are 0 or 1
 * @positive_weight, @negative_weight: classes numbers, w for y = 1 and y = 0
 * @loss, @gradient: (out) n × classes
 */
const char *kernel_focal_loss (int device, const float *logits, const float *labels,
                               const float *positive_weight, const float *negative_weight, size_t n,
                               size_t classes, float gamma, float *loss, float *gradient);
void reference_focal_loss (const float *logits, const float *labels, const float *positive_weight,
                           const float *negative_weight, size_t n, size_t classes, float gamma,
                           float *loss, float *gradient);

#ifdef __cplusplus
}
#endif

/*
 * One form of the kernels: kernel_forms.h includes this file for each kind of processor, after it
 * has set what is explained there.
 */

#define MULTIPLY(word) FORM (word##_floats)
#define Number float
#define Matrix FloatMatrix
#include "model/head_multiply.h"
#undef MULTIPLY
#undef Number
#undef Matrix

#define MULTIPLY(word) FORM (word##_doubles)
#define Number double
#define Matrix DoubleMatrix
#include "model/head_multiply.h"
#undef MULTIPLY
#undef Number
#undef Matrix

TARGET static void
FORM (adamw) (HeadAdamW step, gsize n, const float *restrict gradient, float *restrict weights,
              float *restrict moment1, float *restrict moment2)
{
  for (gsize i = 0; i < n; i++)
    {
      float g = gradient[i];
      float m = step.beta1 * moment1[i] + step.share1 * g;
      float v = step.beta2 * moment2[i] + step.share2 * g * g;

      moment1[i] = m;
      moment2[i] = v;
      weights[i] =
          step.keep * weights[i] - step.size * m / (sqrtf (v) * step.root_scale + step.epsilon);
    }
}

static const HeadKernels FORM (kernels) = {
  .name = FORM_NAME,
  .multiply_floats = FORM (multiply_floats),
  .multiply_doubles = FORM (multiply_doubles),
  .adamw = FORM (adamw),
};

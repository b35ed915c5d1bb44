#include "model/head_kernels.h"

#include <math.h>
#include <string.h>

typedef HeadKernels Kernels;
#define FORM_FILE "model/head_kernels_form.h"
#include "model/kernel_forms.h"

const HeadKernels *
head_kernels (guint i)
{
  return form (i);
}

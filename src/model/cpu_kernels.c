#include "model/cpu_kernels.h"

#include <math.h>

typedef CpuKernels Kernels;
#define FORM_FILE "model/cpu_kernels_form.h"
#include "model/kernel_forms.h"

const CpuKernels *
cpu_kernels (guint i)
{
  return form (i);
}

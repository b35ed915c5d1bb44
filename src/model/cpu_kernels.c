#include "model/cpu_kernels.h"

#include <math.h>

/* The time goes here, whatever the rest is compiled with. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

/* Rows of a tile leave registers for two vectors of a panel and a factor. */

#define FORM(word) word##_plain
#define FORM_NAME "plain"
#define TARGET
#define VECTOR_BYTES 16
#define TILE_ROWS 4
#include "model/cpu_kernels_form.h"

#if defined(__x86_64__)
#define FORM(word) word##_avx2
#define FORM_NAME "avx2"
#define TARGET __attribute__ ((target ("avx2,fma")))
#define VECTOR_BYTES 32
#define TILE_ROWS 6
#include "model/cpu_kernels_form.h"

#define FORM(word) word##_avx512
#define FORM_NAME "avx512"
#define TARGET __attribute__ ((target ("avx512f,prefer-vector-width=512")))
#define VECTOR_BYTES 64
#define TILE_ROWS 12
#include "model/cpu_kernels_form.h"
#endif

guint
cpu_kernels_all (const CpuKernels *kernels[CPU_KERNELS_MAX])
{
  guint n = 0;

#if defined(__x86_64__)
  if (__builtin_cpu_supports ("avx512f"))
    kernels[n++] = &kernels_avx512;
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    kernels[n++] = &kernels_avx2;
#endif
  kernels[n++] = &kernels_plain;
  return n;
}

const CpuKernels *
cpu_kernels (void)
{
  const CpuKernels *kernels[CPU_KERNELS_MAX];

  cpu_kernels_all (kernels);
  return kernels[0];
}

#include "model/head_kernels.h"

#include <math.h>
#include <string.h>

/* The time goes here, whatever the rest is compiled with. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

#define PANEL_DEPTH 256 /* rows of b that are packed at once: they stay in the first cache */

/* The numbers of rows leave registers for two vectors of b and a factor. */

#define FORM(word) word##_plain
#define FORM_NAME "plain"
#define TARGET
#define VECTOR_BYTES 16
#define TILE_ROWS 4
#include "model/head_kernels_form.h"

#if defined(__x86_64__)
#define FORM(word) word##_avx2
#define FORM_NAME "avx2"
#define TARGET __attribute__ ((target ("avx2,fma")))
#define VECTOR_BYTES 32
#define TILE_ROWS 6
#include "model/head_kernels_form.h"

#define FORM(word) word##_avx512
#define FORM_NAME "avx512"
#define TARGET __attribute__ ((target ("avx512f,prefer-vector-width=512")))
#define VECTOR_BYTES 64
#define TILE_ROWS 8
#include "model/head_kernels_form.h"
#endif

guint
head_kernels_all (const HeadKernels *kernels[HEAD_KERNELS_MAX])
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

const HeadKernels *
head_kernels (void)
{
  const HeadKernels *kernels[HEAD_KERNELS_MAX];

  head_kernels_all (kernels);
  return kernels[0];
}

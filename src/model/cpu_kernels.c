#include "model/cpu_kernels.h"

#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* PAIRS (sum, a, b): to each word of `sum` the products of the halves of a's and b's. */
#define PAIRS_plain(sum, a, b)                                                                     \
  ((sum) + (Words) (((Mask) (a) << 16 >> 16) * ((Mask) (b) << 16 >> 16))                           \
   + (Words) (((Mask) (a) >> 16) * ((Mask) (b) >> 16)))
#ifdef ALL_FORMS
#define PAIRS_avx2 PAIRS_plain
#define PAIRS_avx512 PAIRS_plain
#define PAIRS_avx512vnni PAIRS_plain
#else
#define PAIRS_avx2(sum, a, b) ((sum) + (Words) _mm256_madd_epi16 ((__m256i) (a), (__m256i) (b)))
#define PAIRS_avx512(sum, a, b) ((sum) + (Words) _mm512_madd_epi16 ((__m512i) (a), (__m512i) (b)))
#define PAIRS_avx512vnni(sum, a, b)                                                                \
  ((Words) _mm512_dpwssd_epi32 ((__m512i) (sum), (__m512i) (a), (__m512i) (b)))
#endif

/* Whether a sum takes less than a product: then half of the products become sums. */
#define WINOGRAD_plain 1
#define WINOGRAD_avx2 1
#define WINOGRAD_avx512 1
#define WINOGRAD_avx512vnni 0

typedef CpuKernels Kernels;
#define FORM_FILE "model/cpu_kernels_form.h"
#include "model/kernel_forms.h"

const CpuKernels *
cpu_kernels (guint i)
{
  return form (i);
}

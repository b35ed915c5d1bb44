/*
 * The kinds of processor that there are kernels for, best last. A file of kernels includes this one
 * after it has set
 *
 *   FORM_FILE   the file with one form of them, which ends with a table, FORM (kernels)
 *   Kernels     that table's type
 *
 * FORM_FILE is included for each kind and finds
 *
 *   FORM (word)    a name for this kind of processor
 *   FORM_NAME      its own, in quotes
 *   TARGET         the attribute that lets the compiler use its instructions
 *   VECTOR_BYTES   of one register
 *   TILE_ROWS      rows of sums, two vectors each, that leave registers for two more and a factor
 *
 * With ALL_FORMS every form is offered, made of instructions that any processor has: slow, and for
 * tests of the forms whose own instructions this one lacks.
 */

/* The time goes here, whatever the rest is compiled with. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

#define TARGET_plain
#define VECTOR_BYTES_plain 16
#define TILE_ROWS_plain 4

#define TARGET_avx2 __attribute__ ((target ("avx2,fma")))
#define VECTOR_BYTES_avx2 32
#define TILE_ROWS_avx2 6

#define TARGET_avx512 __attribute__ ((target ("avx512f,avx512bw")))
#define VECTOR_BYTES_avx512 64
#define TILE_ROWS_avx512 12

#define TARGET_avx512vnni __attribute__ ((target ("avx512f,avx512bw,avx512vnni")))
#define VECTOR_BYTES_avx512vnni 64
#define TILE_ROWS_avx512vnni 12

#define JOIN(word, kind) word##_##kind
#define JOIN_EXPANDED(word, kind) JOIN (word, kind)
#define FORM(word) JOIN_EXPANDED (word, KIND)
#define FORM_NAME G_STRINGIFY (KIND)
#ifdef ALL_FORMS
#define TARGET
#else
#define TARGET FORM (TARGET)
#endif
#define VECTOR_BYTES FORM (VECTOR_BYTES)
#define TILE_ROWS FORM (TILE_ROWS)

#define KIND plain
#include FORM_FILE
#undef KIND

#if defined(__x86_64__) || defined(ALL_FORMS)
#define KIND avx2
#include FORM_FILE
#undef KIND

#define KIND avx512
#include FORM_FILE
#undef KIND

#define KIND avx512vnni
#include FORM_FILE
#undef KIND
#endif

/** The form that is the best for this processor but @i; %NULL past the last. */
static const Kernels *
form (guint i)
{
#if defined(ALL_FORMS)
  static const Kernels *const forms[] = { &kernels_avx512vnni, &kernels_avx512, &kernels_avx2,
                                          &kernels_plain };

  return i < G_N_ELEMENTS (forms) ? forms[i] : NULL;
#else
#if defined(__x86_64__)
  const gboolean avx512 = __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw");

  if (avx512 && __builtin_cpu_supports ("avx512vnni") && i-- == 0)
    return &kernels_avx512vnni;
  if (avx512 && i-- == 0)
    return &kernels_avx512;
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma") && i-- == 0)
    return &kernels_avx2;
#endif
  return i == 0 ? &kernels_plain : NULL;
#endif
}

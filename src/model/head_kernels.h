/**
 * head_kernels.h: the arithmetic that training a head spends its time in, in several forms: one for
 * each kind of processor, chosen when the program runs.
 */
#pragma once

#include <glib.h>

/** A matrix as it lies in memory: element (i, j) is numbers[i * row_step + j * column_step]. */
typedef struct
{
  const float *numbers;
  gsize row_step, column_step;
} FloatMatrix;

typedef struct
{
  const double *numbers;
  gsize row_step, column_step;
} DoubleMatrix;

/* Rows of @columns numbers one behind the other, and the transpose of that. */
#define head_rows(data, columns)                                                                   \
  {                                                                                                \
    (data), (columns), 1                                                                           \
  }
#define head_columns(data, columns)                                                                \
  {                                                                                                \
    (data), 1, (columns)                                                                           \
  }

/** One step of AdamW, its scalars worked out. */
typedef struct
{
  float keep;          /* 1 − learning rate · decay */
  float beta1, share1; /* β₁, 1 − β₁ */
  float beta2, share2;
  float size;       /* learning rate / (1 − β₁ᵗ) */
  float root_scale; /* 1 / √(1 − β₂ᵗ) */
  float epsilon;
} HeadAdamW;

typedef struct
{
  const char *name;

  /**
   * multiply_floats: c (m × n, rows of n) = a (m × k) · b (k × n).
   *
   * Every element is one sum in the order of k, whatever m and n are; k > 0.
   */
  void (*multiply_floats) (FloatMatrix a, FloatMatrix b, gsize m, gsize n, gsize k, float *c);
  void (*multiply_doubles) (DoubleMatrix a, DoubleMatrix b, gsize m, gsize n, gsize k, double *c);

  /** adamw: AdamW with decoupled decay (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2).
   */
  void (*adamw) (HeadAdamW step, gsize n, const float *gradient, float *weights, float *moment1,
                 float *moment2);
} HeadKernels;

/** head_kernels: the forms that this processor can run, from the best, 0, to the plain one; %NULL
 * past that. */
const HeadKernels *head_kernels (guint i);

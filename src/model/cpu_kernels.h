/**
 * cpu_kernels.h: the arithmetic that encoding on the processor spends its time in, in several
 * forms: one for each kind of processor, chosen when the program runs.
 *
 * Tokens lie in the lanes of the processor's registers. A panel is `lanes` tokens side by side: its
 * element (i, l), number i of token l, is numbers[i * lanes + l]. All that a network does to single
 * tokens then runs along the panel without ever summing across a register. The other factor of a
 * product lies in tiles of `tile_rows` rows: element (r, p) of a tile is numbers[p * tile_rows +
 * r]. A product of tiles with a panel is again a panel.
 */
#pragma once

#include <glib.h>

typedef struct
{
  const char *name;
  gsize lanes, tile_rows;

  /**
   * multiply: out = start + tiles · panel.
   *
   * @tiles: n_tiles of them, @tile_step numbers apart, each of tile_rows × depth
   * @panel: depth × lanes
   * @start: (nullable) n_tiles · tile_rows × lanes; %NULL: zeros
   * @out: as many
   */
  void (*multiply) (const float *tiles, gsize tile_step, gsize n_tiles, gsize depth,
                    const float *panel, const float *start, float *out);

  /** layer_norm: of each token: (x − mean) / √(variance + 1e-5) · γ + β, biased two-pass variance;
   * @y may be @x. */
  void (*layer_norm) (const float *x, gsize n, const float *gamma, const float *beta, float *y);

  /** unit: each token's n numbers divided by max(‖·‖, 1e-12), times @scale[i] (nullable) and
   * @factor, in place. */
  void (*unit) (float *x, gsize n, const float *scale, float factor);

  /** soften: each token's n numbers to exp(x − largest), in place; @sum: (out) their sums. */
  void (*soften) (float *x, gsize n, float *sum);

  /** gate: x · GELU(gate), in place; GELU(g) = g Φ(g) by an error function good to 4e-7. */
  void (*gate) (float *x, const float *gate, gsize n);

  /** best: for each token the largest of its numbers so far and where it was, the first on ties:
   * number @first + i is @x's i-th. */
  void (*best) (const float *x, gsize n, gint32 first, float *largest, gint32 *where);

  /** weighted_sum: y[i] = start[i] + Σ rows[k][i] · weights[k][i]; no panels. */
  void (*weighted_sum) (const float *const *rows, const float *const *weights, gsize n_rows,
                        const float *start, gsize n, float *y);

  /** dot: Σ a[i] b[i], in parts so that rounding does not grow with the length; no panels. */
  double (*dot) (const float *a, const float *b, gsize n);
} CpuKernels;

/** cpu_kernels: the forms that this processor can run, from the best, 0, to the plain one; %NULL
 * past that. */
const CpuKernels *cpu_kernels (guint i);

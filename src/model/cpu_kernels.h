/**
 * cpu_kernels.h: the arithmetic that encoding on the processor spends its time in, in several
 * forms: one for each kind of processor, chosen when the program runs.
 *
 * Tokens lie in the lanes of the processor's registers. A panel is `lanes` tokens side by side: its
 * element (i, l), number i of token l, is numbers[i * lanes + l]. All that a network does to single
 * tokens then runs along the panel without ever summing across a register. The other factor of a
 * product lies in tiles of `tile_rows` rows: element (r, p) of a tile is numbers[p * tile_rows +
 * r]. A product of tiles with a panel is again a panel.
 *
 * Panels and tiles can also be rounded: to whole numbers of 12 bits, from −2047 to 2047, with a
 * scale for each token or row, so that the largest becomes 2047. Products are then made of
 * integers, without any error, over parts of at most 512 numbers: 2047² · 512 < 2³¹. Rounded, a
 * panel (`width` = lanes) or tile (`width` = rounded_rows) of n numbers per token or row is
 * cpu_rounded_words() words of 32 bits:
 *
 *   width scales, as floats; then for each part
 *     width sums ab + cd + …, of its numbers a, b, c, d, …, and for four numbers each
 *       width words of a (the lower half) and c
 *       width words of b and d
 */
#pragma once

#include <glib.h>

typedef struct
{
  const char *name;
  gsize lanes, tile_rows;
  gsize rounded_rows; /* of a rounded tile */
  gsize whole_rows;   /* rows that tiles of both kinds divide */

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

  /** round: @rounded: (out) a panel of @n numbers per token, which must be finite, rounded. */
  void (*round) (const float *panel, gsize n, gint32 *rounded);

  /**
   * multiply_rounded: out = tiles · panel, both rounded.
   *
   * @tiles: n_tiles of them, one behind the other
   * @out: n_tiles · rounded_rows × lanes
   */
  void (*multiply_rounded) (const gint32 *tiles, gsize n_tiles, gsize depth, const gint32 *panel,
                            float *out);

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

/* Numbers of a token or row whose products are summed as integers. */
#define CPU_ROUNDED_PART 512
#define CPU_ROUNDED_MOST 2047

/** cpu_rounded_words: 32-bit words of a rounded panel or tile. */
static inline gsize
cpu_rounded_words (gsize n, gsize width)
{
  const gsize parts = (n + CPU_ROUNDED_PART - 1) / CPU_ROUNDED_PART, fours = (n + 3) / 4;

  return width * (1 + parts + 2 * fours);
}

/** cpu_kernels: the forms that this processor can run, from the best, 0, to the plain one; %NULL
 * past that. */
const CpuKernels *cpu_kernels (guint i);

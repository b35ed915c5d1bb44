/*
 * Products of the network's matrices with panels of tokens: in floats, or rounded to 12 bits.
 */
#include "model/ctvit_cpu.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* Of weights, what stays in the second cache while panels go by. */
#define GROUP_BYTES (192u << 10)

float *
ctvit_cpu_floats (gsize n, GError **error)
{
  void *numbers = NULL;

  if (posix_memalign (&numbers, 64, MAX (n, 1) * sizeof (float)) == 0)
    return numbers;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY, "%.1f MB for the encoder were refused",
               (double) n * sizeof (float) / 1e6);
  return NULL;
}

float *
ctvit_cpu_tile (const CpuKernels *kernels, const float *numbers, gsize rows, gsize columns,
                GError **error)
{
  const gsize unit = kernels->tile_rows, whole = ctvit_cpu_rows (kernels, rows);
  float *tiles = ctvit_cpu_floats (whole * columns, error), *to = tiles;

  for (gsize first = 0; tiles != NULL && first < whole; first += unit)
    for (gsize c = 0; c < columns; c++)
      for (gsize r = first; r < first + unit; r++)
        *to++ = r < rows ? numbers[r * columns + c] : 0;
  return tiles;
}

gint32 *
ctvit_cpu_round (const CpuKernels *kernels, const float *numbers, gsize rows, gsize columns,
                 GError **error)
{
  const gsize lanes = kernels->lanes, unit = kernels->rounded_rows;
  const gsize words = cpu_rounded_words (columns, 1);
  g_autofree float *panel = ctvit_cpu_floats (columns * lanes, error);
  g_autofree gint32 *rounded =
      panel != NULL ? (gint32 *) ctvit_cpu_floats (words * lanes, error) : NULL;
  gint32 *tiles = rounded != NULL
                      ? (gint32 *) ctvit_cpu_floats (ctvit_cpu_rows (kernels, rows) * words, error)
                      : NULL;

  for (gsize first = 0; tiles != NULL && first < ctvit_cpu_rows (kernels, rows); first += unit)
    {
      gint32 *tile = tiles + first * words;

      /* As many rows as there are lanes take the tokens' place. */
      if (first % lanes == 0)
        {
          ctvit_cpu_load_panel (kernels, numbers + first * columns,
                                first < rows ? MIN (lanes, rows - first) : 0, columns, panel);
          kernels->round (panel, columns, rounded);
        }
      for (gsize i = 0; i < words; i++)
        memcpy (tile + i * unit, rounded + i * lanes + first % lanes, unit * sizeof *tile);
    }
  return tiles;
}

CtvitOperand
ctvit_cpu_operand (const CpuKernels *kernels, const Tensor *weights, const float *panels,
                   gsize step, gsize n, gint32 *rounded)
{
  CtvitOperand x = { .n = n, .panels = panels, .step = step };

  if (weights->rounded == NULL)
    return x;
  x.rounded = rounded;
  x.rounded_step = cpu_rounded_words (weights->columns, kernels->lanes);
  for (gsize i = 0; i < n; i++)
    kernels->round (panels + i * step, weights->columns, rounded + i * x.rounded_step);
  return x;
}

void
ctvit_cpu_multiply (const CpuKernels *kernels, const Tensor *weights, gsize first, gsize rows,
                    const CtvitOperand *x, gsize i, float *out)
{
  const gsize depth = weights->columns, whole = ctvit_cpu_rows (kernels, rows);

  if (x->rounded != NULL)
    kernels->multiply_rounded (weights->rounded + first * cpu_rounded_words (depth, 1),
                               whole / kernels->rounded_rows, depth,
                               x->rounded + i * x->rounded_step, out);
  else
    kernels->multiply (weights->tiles + first * depth, kernels->tile_rows * depth,
                       whole / kernels->tile_rows, depth, x->panels + i * x->step, NULL, out);
}

void
ctvit_cpu_project (const CpuKernels *kernels, const Tensor *weights, const CtvitOperand *x,
                   float *out, gsize out_step)
{
  const gsize bytes = weights->columns * (x->rounded != NULL ? sizeof (gint16) : sizeof (float));
  const gsize unit = kernels->whole_rows, group = MAX (1, GROUP_BYTES / (bytes * unit)) * unit;

  for (gsize first = 0; first < weights->rows; first += group)
    for (gsize i = 0; i < x->n; i++)
      ctvit_cpu_multiply (kernels, weights, first, MIN (group, weights->rows - first), x, i,
                          out + i * out_step + first * kernels->lanes);
}

void
ctvit_cpu_load_panel (const CpuKernels *kernels, const float *tokens, gsize n, gsize width,
                      float *panel)
{
  enum
  {
    PART = 16 /* numbers of a cache line */
  };
  const gsize lanes = kernels->lanes;

  if (n < lanes)
    memset (panel, 0, width * lanes * sizeof *panel);
  for (gsize first = 0; first < width; first += PART)
    for (gsize l = 0; l < n; l++)
      {
        const float *from = tokens + l * width + first;
        float *to = panel + first * lanes + l;

        for (gsize c = 0; c < MIN (PART, width - first); c++)
          to[c * lanes] = from[c];
      }
}

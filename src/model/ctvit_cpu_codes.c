/*
 * The end of the pass: tokens to codes, codes to the latent.
 */
#include "model/ctvit_cpu_pass.h"

#include <math.h>
#include <string.h>

/**
 * A strip is whole_rows codes. Of each token and strip, the largest score by rounded products; of
 * each token, the least that a strip must have to hold the code with the largest score in float32.
 *
 * A number that is rounded to a multiple of `scale` moves by half of that at most, and the sizes in
 * a vector of norm 1 sum to √dim at most: so a score moves by no more than √dim / 2 times both
 * scales, and by float32's own dim · 2⁻²⁴; and so does the score that it is compared with.
 */
static void
score_strips (const Pass *pass, CtvitScratch *s, const CtvitOperand *x)
{
  const CpuKernels *k = pass->kernels;
  const Tensor *codes = pass->net->codes;
  const gsize unit = k->whole_rows, strips = ctvit_cpu_rows (k, codes->rows) / unit;
  const gsize at_once = ctvit_cpu_rows (k, GATE_ROWS), lanes = k->lanes;
  const float root = sqrtf ((float) codes->columns);

  for (gsize i = 0; i < x->n * strips * lanes; i++)
    s->strips[i] = -INFINITY;
  for (gsize first = 0; first < codes->rows; first += at_once)
    for (gsize i = 0; i < x->n; i++)
      {
        const gsize end = MIN (first + at_once, codes->rows);

        ctvit_cpu_multiply (k, codes, first, end - first, x, i, s->scores);
        for (gsize at = first; at < end; at += unit)
          k->best (s->scores + (at - first) * lanes, MIN (unit, end - at), 0,
                   s->strips + (i * strips + at / unit) * lanes, s->where);
      }
  for (gsize i = 0; i < x->n; i++)
    for (gsize l = 0; l < lanes; l++)
      {
        float largest = -INFINITY, scale;

        for (gsize strip = 0; strip < strips; strip++)
          largest = MAX (largest, s->strips[(i * strips + strip) * lanes + l]);
        memcpy (&scale, x->rounded + i * x->rounded_step + l, sizeof scale);
        s->least[i * lanes + l] = largest
                                  - root * (scale + pass->cpu->codes_scale * (1 + root * scale / 2))
                                  - 2 * (float) codes->columns * 0x1p-24f;
      }
}

/** Whether strip @strip may hold the code of a token in panel @i. */
static gboolean
is_likely (const Pass *pass, const CtvitScratch *s, gsize i, gsize strip)
{
  const CpuKernels *k = pass->kernels;
  const gsize strips = ctvit_cpu_rows (k, pass->net->codes->rows) / k->whole_rows;
  const float *largest = s->strips + (i * strips + strip) * k->lanes;
  gboolean likely = FALSE;

  for (gsize l = 0; l < k->lanes; l++)
    likely |= largest[l] >= s->least[i * k->lanes + l];
  return likely;
}

/** The scores of float32 decide; where products are rounded, of the codes that those leave open. */
void
ctvit_cpu_find_codes (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const CpuKernels *k = pass->kernels;
  const Tensor *codes = pass->net->codes;
  CtvitScratch *s = pass->cpu->scratch[thread];
  const Block block = ctvit_cpu_block (k, 0, pass->tokens, item);
  const gsize dim = pass->net->dim, step = dim * k->lanes;
  const gboolean rounded = codes->rounded != NULL;
  const gsize at_once = rounded ? k->whole_rows : ctvit_cpu_rows (k, GATE_ROWS);
  const CtvitOperand x = { .n = block.panels, .panels = s->x, .step = step };

  ctvit_cpu_load_block (pass, &block, s->x);
  for (gsize i = 0; i < block.panels; i++)
    k->unit (s->x + i * step, dim, NULL, 1);
  if (rounded)
    {
      const CtvitOperand y = ctvit_cpu_operand (k, codes, s->x, step, block.panels, s->rounded);

      score_strips (pass, s, &y);
    }
  for (gsize i = 0; i < block.panels * k->lanes; i++)
    {
      s->largest[i] = -INFINITY;
      s->where[i] = 0;
    }
  for (gsize first = 0; first < codes->rows; first += at_once)
    {
      const gsize rows = MIN (at_once, codes->rows - first);

      for (gsize i = 0; i < block.panels; i++)
        if (!rounded || is_likely (pass, s, i, first / at_once))
          {
            ctvit_cpu_multiply (k, codes, first, rows, &x, i, s->scores);
            k->best (s->scores, rows, (gint32) first, s->largest + i * k->lanes,
                     s->where + i * k->lanes);
          }
    }
  for (gsize t = 0; t < block.n; t++)
    pass->indices[block.first + t] = s->where[t];
}

void
ctvit_cpu_pool (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const Ctvit *net = pass->net;
  const gsize dim = net->dim, places = (gsize) net->tokens_h * net->tokens_w;
  float *mean = pass->pooled + item * dim;

  memset (mean, 0, dim * sizeof *mean);
  for (gsize t = 0; t < net->tokens_t; t++)
    {
      const float *code = net->codes->numbers + pass->indices[t * places + item] * (gint64) dim;

      for (gsize c = 0; c < dim; c++)
        mean[c] += code[c];
    }
  for (gsize c = 0; c < dim; c++)
    mean[c] /= (float) net->tokens_t;
}

void
ctvit_cpu_project_latent (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const Tensor *w = pass->net->to_latent;

  pass->raw[item] =
      (float) pass->kernels->dot (w->numbers + item * w->columns, pass->pooled, w->columns);
}

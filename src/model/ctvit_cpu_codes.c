/*
 * The end of the pass: tokens to codes, codes to the latent.
 */
#include "model/ctvit_cpu_pass.h"

#include <math.h>
#include <string.h>

void
ctvit_cpu_find_codes (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const CpuKernels *k = pass->kernels;
  const Tensor *codes = pass->net->codes;
  CtvitScratch *s = pass->cpu->scratch[thread];
  const Block block = ctvit_cpu_block (k, 0, pass->tokens, item);
  const gsize dim = pass->net->dim, step = dim * k->lanes, at_once = ctvit_cpu_rows (k, GATE_ROWS);

  ctvit_cpu_load_block (pass, &block, s->x);
  for (gsize i = 0; i < block.panels; i++)
    k->unit (s->x + i * step, dim, NULL, 1);
  for (gsize i = 0; i < block.panels * k->lanes; i++)
    {
      s->largest[i] = -INFINITY;
      s->where[i] = 0;
    }
  for (gsize first = 0; first < codes->rows; first += at_once)
    {
      const gsize rows = MIN (at_once, codes->rows - first);

      for (gsize i = 0; i < block.panels; i++)
        {
          k->multiply (codes->tiles + first * dim, k->tile_rows * dim,
                       ctvit_cpu_rows (k, rows) / k->tile_rows, dim, s->x + i * step, NULL,
                       s->scores);
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

/*
 * The memory of a pass, and the way of a block of tokens from its rows to panels and back.
 */
#include "model/ctvit_cpu_pass.h"

CtvitScratch *
ctvit_cpu_scratch_new (const CtvitCpu *cpu, GError **error)
{
  const Ctvit *net = cpu->net;
  const CpuKernels *k = cpu->kernels;
  const gsize places = (gsize) net->tokens_h * net->tokens_w;
  const gsize patch = (gsize) net->patch_frames * net->patch_height * net->patch_width;
  const gsize tokens = MAX (places, ctvit_cpu_group (net->tokens_t) * net->tokens_t);
  const gsize keys = ctvit_cpu_rows (k, tokens), attention = (gsize) net->heads * net->dim_head;
  const gsize block = ctvit_cpu_block_panels (k) * k->lanes;
  const gsize panels = ctvit_cpu_panels (k, tokens) * k->lanes;
  g_autoptr (CtvitScratch) s = g_new0 (CtvitScratch, 1);
  const struct
  {
    float **at;
    gsize n;
  } parts[] = {
    { &s->patches, k->lanes * patch },
    { &s->x, block * MAX (patch, net->dim) },
    { &s->normed, block * net->dim },
    { &s->wide,
      MAX (panels * ctvit_cpu_rows (k, attention), block * ctvit_cpu_rows (k, net->inner)) },
    { &s->change, block * ctvit_cpu_rows (k, MAX (2 * attention, net->dim)) },
    { &s->gates, ctvit_cpu_rows (k, GATE_ROWS) * k->lanes },
    { &s->keys, keys * attention },
    { &s->values, keys * net->heads * ctvit_cpu_rows (k, net->dim_head) },
    { &s->scores, MAX (keys, ctvit_cpu_rows (k, GATE_ROWS)) * k->lanes },
    { &s->mask, keys * k->lanes },
    { &s->out, ctvit_cpu_rows (k, net->dim_head) * k->lanes },
    { &s->largest, block },
    { &s->least, block },
    { &s->sum, k->lanes },
  };
  const gsize widest = MAX (MAX (patch, net->inner), MAX (attention, net->dim));
  const gsize strips = ctvit_cpu_rows (k, net->codebook_size) / k->whole_rows;

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if ((*parts[i].at = ctvit_cpu_floats (parts[i].n, error)) == NULL)
      return NULL;
  if ((s->where = (gint32 *) ctvit_cpu_floats (block, error)) == NULL)
    return NULL;
  if (cpu->precision == ENCODER_FLOAT32)
    return g_steal_pointer (&s);
  s->rounded = (gint32 *) ctvit_cpu_floats (cpu_rounded_words (widest, block), error);
  s->strips = s->rounded != NULL ? ctvit_cpu_floats (strips * block, error) : NULL;
  return s->strips != NULL ? g_steal_pointer (&s) : NULL;
}

void
ctvit_cpu_scratch_free (CtvitScratch *s)
{
  if (s == NULL)
    return;
  g_free (s->patches);
  g_free (s->x);
  g_free (s->normed);
  g_free (s->wide);
  g_free (s->change);
  g_free (s->gates);
  g_free (s->keys);
  g_free (s->values);
  g_free (s->scores);
  g_free (s->mask);
  g_free (s->out);
  g_free (s->largest);
  g_free (s->least);
  g_free (s->sum);
  g_free (s->where);
  g_free (s->rounded);
  g_free (s->strips);
  g_free (s);
}

void
ctvit_cpu_load_block (const Pass *pass, const Block *block, float *panels)
{
  const CpuKernels *k = pass->kernels;
  const gsize dim = pass->net->dim;

  for (gsize i = 0; i < block->panels; i++)
    ctvit_cpu_load_panel (k, pass->x + (block->first + i * k->lanes) * dim,
                          ctvit_cpu_tokens_in (k, block, i), dim, panels + i * dim * k->lanes);
}

void
ctvit_cpu_norm_block (const Pass *pass, const Block *block, const CtvitNorm *norm, const float *x,
                      float *y)
{
  const gsize dim = pass->net->dim, step = dim * pass->kernels->lanes;

  for (gsize i = 0; i < block->panels; i++)
    pass->kernels->layer_norm (x + i * step, dim, norm->gamma->numbers, norm->beta->numbers,
                               y + i * step);
}

void
ctvit_cpu_store_block (const Pass *pass, const Block *block, const float *panels, gsize step,
                       gboolean add, float *rows)
{
  const gsize dim = pass->net->dim, lanes = pass->kernels->lanes;

  for (gsize t = 0; t < block->n; t++)
    {
      const float *from = panels + t / lanes * step + t % lanes;
      float *row = rows + (block->first + t) * dim;

      for (gsize c = 0; c < dim; c++)
        row[c] = from[c * lanes] + (add ? row[c] : 0);
    }
}

void
ctvit_cpu_add_block (const Pass *pass, const Block *block, const float *change)
{
  const gsize step = ctvit_cpu_rows (pass->kernels, pass->net->dim) * pass->kernels->lanes;

  ctvit_cpu_store_block (pass, block, change, step, TRUE, pass->x);
  if (pass->change != NULL)
    ctvit_cpu_store_block (pass, block, change, step, FALSE, pass->change);
}

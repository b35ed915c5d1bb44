/*
 * Attention: x += W_out softmax(8 q̂ k̂ᵀ + position) v.
 */
#include "model/ctvit_cpu_pass.h"

#include <string.h>

/** A panel of keys and values goes into tiles: keys as rows, values as columns. */
static void
place_keys (const Pass *pass, CtvitScratch *s, gsize first, const float *panel, gsize keys)
{
  const Ctvit *net = pass->net;
  const CpuKernels *k = pass->kernels;
  const gsize unit = k->tile_rows, d = net->dim_head, d_whole = ctvit_cpu_rows (k, d);
  const float *values = panel + net->heads * d * k->lanes;

  for (gsize token = first; token < MIN (first + k->lanes, keys); token++)
    for (gsize head = 0; head < net->heads; head++)
      {
        float *key = s->keys + head * keys * d + token / unit * unit * d + token % unit;
        float *value = s->values + head * keys * d_whole + token * unit;
        const gsize from = head * d * k->lanes + token - first;

        for (gsize i = 0; i < d; i++)
          {
            key[i * unit] = panel[from + i * k->lanes];
            value[i / unit * unit * keys + i % unit] = values[from + i * k->lanes];
          }
        for (gsize i = d; i < d_whole; i++)
          value[i / unit * unit * keys + i % unit] = 0;
      }
}

/**
 * Queries, keys and values of a group: q from the normalised x, k and v from x as it is; q and k of
 * norm 1 per head, times a learned scale.
 */
static void
project_group (const Pass *pass, CtvitScratch *s, gsize first, gsize tokens, gsize keys)
{
  const Ctvit *net = pass->net;
  const CpuKernels *k = pass->kernels;
  const CtvitAttention *w = &pass->layer->attention;
  const gsize d = net->dim_head, inner = net->heads * d, dim = net->dim, step = dim * k->lanes;
  const gsize q_step = ctvit_cpu_rows (k, inner) * k->lanes,
              kv_step = ctvit_cpu_rows (k, 2 * inner) * k->lanes;

  for (gsize b = 0; b * BLOCK_TOKENS < tokens; b++)
    {
      const Block block = ctvit_cpu_block (k, first, tokens, b);
      const gsize before = b * ctvit_cpu_block_panels (k);
      float *q = s->wide + before * q_step;
      CtvitOperand x;

      ctvit_cpu_load_block (pass, &block, s->x);
      ctvit_cpu_norm_block (pass, &block, &w->norm, s->x, s->normed);
      x = ctvit_cpu_operand (k, w->to_q, s->normed, step, block.panels, s->rounded);
      ctvit_cpu_project (k, w->to_q, &x, q, q_step);
      x = ctvit_cpu_operand (k, w->to_kv, s->x, step, block.panels, s->rounded);
      ctvit_cpu_project (k, w->to_kv, &x, s->change, kv_step);
      for (gsize i = 0; i < block.panels; i++)
        {
          for (gsize head = 0; head < net->heads; head++)
            {
              const gsize at = head * d * k->lanes;

              k->unit (q + i * q_step + at, d, w->q_scale->numbers, CTVIT_ATTENTION_SCALE);
              k->unit (s->change + i * kv_step + at, d, w->k_scale->numbers, 1);
            }
          place_keys (pass, s, (before + i) * k->lanes, s->change + i * kv_step, keys);
        }
    }
}

/** Keys that a panel of queries looks at, in whole tiles. */
typedef struct
{
  gsize first, end;
} KeyRange;

/** Of short sequences a panel holds several: each of its tokens looks at its own only. */
static KeyRange
mask_sequences (const Pass *pass, CtvitScratch *s, gsize query, gsize tokens)
{
  const CpuKernels *k = pass->kernels;
  const gsize n = pass->sequence, last = MIN (query + k->lanes, tokens) - 1;
  const KeyRange range = { query / n * n / k->tile_rows * k->tile_rows,
                           ctvit_cpu_rows (k, (last / n + 1) * n) };
  float *mask = s->mask;

  for (gsize key = range.first; key < range.end; key++)
    for (gsize l = 0; l < k->lanes; l++)
      *mask++ = key < tokens && key / n == (query + l) / n ? 0 : CTVIT_NEVER;
  return range;
}

/** softmax(q k + start) v of one head, in place of the queries. */
static void
attend_panel (const Pass *pass, CtvitScratch *s, gsize head, KeyRange range, gsize keys,
              const float *start, float *queries)
{
  const CpuKernels *k = pass->kernels;
  const gsize d = pass->net->dim_head, unit = k->tile_rows, n = range.end - range.first;
  const float *key_tiles = s->keys + head * keys * d + range.first * d;
  const float *value_tiles = s->values + head * keys * ctvit_cpu_rows (k, d) + range.first * unit;
  float *q = queries + head * d * k->lanes;

  k->multiply (key_tiles, unit * d, n / unit, d, q, start, s->scores);
  k->soften (s->scores, n, s->sum);
  k->multiply (value_tiles, unit * keys, ctvit_cpu_rows (k, d) / unit, n, s->scores, NULL, s->out);
  for (gsize i = 0; i < d; i++)
    for (gsize l = 0; l < k->lanes; l++)
      q[i * k->lanes + l] = s->out[i * k->lanes + l] / s->sum[l];
}

void
ctvit_cpu_add_attention (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const Ctvit *net = pass->net;
  const CpuKernels *k = pass->kernels;
  CtvitScratch *s = pass->cpu->scratch[thread];
  const Tensor *to_out = pass->layer->attention.to_out;
  const gsize first = item * pass->group * pass->sequence;
  const gsize tokens = MIN (pass->group * pass->sequence, pass->tokens - first);
  const gsize keys = ctvit_cpu_rows (k, tokens), panels = ctvit_cpu_panels (k, tokens);
  const gsize inner = (gsize) net->heads * net->dim_head;
  const gsize q_step = ctvit_cpu_rows (k, inner) * k->lanes;
  const gsize change_step = ctvit_cpu_rows (k, net->dim) * k->lanes;

  /* Keys past the last are never looked at, but multiplied with 0. */
  memset (s->values, 0, keys * net->heads * ctvit_cpu_rows (k, net->dim_head) * sizeof *s->values);
  memset (s->keys, 0, keys * inner * sizeof *s->keys);
  project_group (pass, s, first, tokens, keys);
  for (gsize i = 0; i < panels; i++)
    {
      const KeyRange all = { 0, keys };
      const KeyRange range =
          pass->position != NULL ? all : mask_sequences (pass, s, i * k->lanes, tokens);

      for (gsize head = 0; head < net->heads; head++)
        attend_panel (pass, s, head, range, keys,
                      pass->position != NULL
                          ? pass->position + (head * panels + i) * keys * k->lanes
                          : s->mask,
                      s->wide + i * q_step);
    }
  for (gsize b = 0; b * BLOCK_TOKENS < tokens; b++)
    {
      const Block block = ctvit_cpu_block (k, first, tokens, b);

      const float *attended = s->wide + b * ctvit_cpu_block_panels (k) * q_step;
      const CtvitOperand x =
          ctvit_cpu_operand (k, to_out, attended, q_step, block.panels, s->rounded);

      ctvit_cpu_project (k, to_out, &x, s->change, change_step);
      ctvit_cpu_add_block (pass, &block, s->change);
    }
}

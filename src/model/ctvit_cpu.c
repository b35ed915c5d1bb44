/*
 * The pass from a volume to its latent, on the processor. Each step is one loop over parts of the
 * tokens, shared by the threads; within a part tokens lie in panels (cpu_kernels.h), between the
 * steps in rows of `dim` numbers. What a part needs stays in the cache from its first product to
 * its last.
 */
#include "model/ctvit_cpu.h"

#include <math.h>
#include <string.h>

/* Tokens that pass through a layer's products together. */
#define BLOCK_TOKENS 96

/* Short sequences are attended to in groups of about this many tokens. */
#define GROUP_TOKENS 96

/* Values and gates of the feed-forward that are made at once; they are multiplied while in the
 * cache. */
#define GATE_ROWS 96

struct _CtvitScratch
{
  float *patches;       /* of a panel, one behind the other */
  float *x, *normed;    /* a block of panels: patches or tokens, and their norm */
  float *wide;          /* queries of all panels of a group, or a block's hidden layer */
  float *change;        /* a block: keys and values, or what is added to the tokens */
  float *gates;         /* a panel */
  float *keys, *values; /* of a group, in tiles, head by head */
  float *scores, *mask; /* a panel: keys × lanes */
  float *out;           /* a panel: dim_head × lanes */
  float *largest, *sum; /* lanes */
  gint32 *where;
};

/** What stays the same during one pass, and the step at hand. */
typedef struct
{
  CtvitCpu *cpu;
  const Ctvit *net;
  const CpuKernels *kernels;
  const float *volume;
  EngineProbe probe; /* (nullable) */
  gpointer user_data;
  GCancellable *cancellable;

  float *x, *y;   /* tokens × dim: the tokens, and room for those to come */
  float *change;  /* (nullable) tokens × dim: for the probe, what a step adds */
  float *patches; /* (nullable) for the probe */
  gsize tokens;   /* t · h · w */

  const CtvitLayer *layer;
  const CtvitNorm *norm;
  gsize sequence, group; /* tokens of a sequence, sequences of a group */
  const float *position; /* (nullable) of the spatial transformer */
  gsize outer, inner;    /* rows are outer × inner and become inner × outer */

  gint64 *indices; /* tokens */
  float *pooled;   /* h · w · dim */
  float *raw;      /* latent_width */
} Pass;

/* ---- sizes ---- */

static gsize
block_panels (const CpuKernels *kernels)
{
  return BLOCK_TOKENS / kernels->lanes;
}

/** Sequences of @n tokens that are attended to together. */
static gsize
group_of (gsize n)
{
  return MAX (1, GROUP_TOKENS / n);
}

static gsize
panels_of (const CpuKernels *kernels, gsize tokens)
{
  return (tokens + kernels->lanes - 1) / kernels->lanes;
}

/** Rows that a product with tiles fills. */
static gsize
rows_of (const CpuKernels *kernels, gsize rows)
{
  return ctvit_cpu_whole (rows, kernels->tile_rows);
}

CtvitScratch *
ctvit_cpu_scratch_new (const CtvitCpu *cpu)
{
  const Ctvit *net = cpu->net;
  const CpuKernels *k = cpu->kernels;
  const gsize places = (gsize) net->tokens_h * net->tokens_w;
  const gsize patch = (gsize) net->patch_frames * net->patch_height * net->patch_width;
  const gsize tokens = MAX (places, group_of (net->tokens_t) * net->tokens_t);
  const gsize keys = rows_of (k, tokens), attention = (gsize) net->heads * net->dim_head;
  const gsize block = block_panels (k) * k->lanes, panels = panels_of (k, tokens) * k->lanes;
  CtvitScratch *s = g_new0 (CtvitScratch, 1);

  s->patches = ctvit_cpu_floats (k->lanes * patch);
  s->x = ctvit_cpu_floats (block * MAX (patch, net->dim));
  s->normed = ctvit_cpu_floats (block * net->dim);
  s->wide =
      ctvit_cpu_floats (MAX (panels * rows_of (k, attention), block * rows_of (k, net->inner)));
  s->change = ctvit_cpu_floats (block * rows_of (k, MAX (2 * attention, net->dim)));
  s->gates = ctvit_cpu_floats (rows_of (k, GATE_ROWS) * k->lanes);
  s->keys = ctvit_cpu_floats (keys * attention);
  s->values = ctvit_cpu_floats (keys * net->heads * rows_of (k, net->dim_head));
  s->scores = ctvit_cpu_floats (MAX (keys, rows_of (k, GATE_ROWS)) * k->lanes);
  s->mask = ctvit_cpu_floats (keys * k->lanes);
  s->out = ctvit_cpu_floats (rows_of (k, net->dim_head) * k->lanes);
  s->largest = ctvit_cpu_floats (block);
  s->sum = ctvit_cpu_floats (k->lanes);
  s->where = (gint32 *) ctvit_cpu_floats (block);
  return s;
}

void
ctvit_cpu_scratch_free (CtvitScratch *s)
{
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
  g_free (s->sum);
  g_free (s->where);
  g_free (s);
}

/* ---- what steps have in common ---- */

static gboolean
run (Pass *pass, gsize n, TeamWork work)
{
  return team_run (pass->cpu->team, n, work, pass, pass->cancellable);
}

static void show (const Pass *pass, const void *data, guint n_dims, const gint64 *shape,
                  const char *format, ...) G_GNUC_PRINTF (5, 6);

static void
show (const Pass *pass, const void *data, guint n_dims, const gint64 *shape, const char *format,
      ...)
{
  g_autofree char *name = NULL;
  va_list arguments;

  if (pass->probe == NULL || g_cancellable_is_cancelled (pass->cancellable))
    return;
  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  pass->probe (name, n_dims, shape, data, pass->user_data);
}

#define SHOW(pass, data, name, ...)                                                                \
  show (pass, data, G_N_ELEMENTS (((const gint64[]){ __VA_ARGS__ })),                              \
        (const gint64[]){ __VA_ARGS__ }, "%s", name)

/** A block of panels of the pass's tokens. */
typedef struct
{
  gsize first, n; /* tokens */
  gsize panels;
} Block;

static gsize
n_blocks (const Pass *pass)
{
  return (pass->tokens + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
}

/** Block @i of the @n tokens from @first on. */
static Block
block_of (const CpuKernels *kernels, gsize first, gsize n, gsize i)
{
  const gsize start = i * BLOCK_TOKENS, length = MIN (BLOCK_TOKENS, n - start);

  return (Block){ first + start, length, panels_of (kernels, length) };
}

/** Tokens of a block in panel @i. */
static gsize
tokens_in (const CpuKernels *kernels, const Block *block, gsize i)
{
  return MIN (kernels->lanes, block->n - i * kernels->lanes);
}

static void
load_block (const Pass *pass, const Block *block, float *panels)
{
  const CpuKernels *k = pass->kernels;
  const gsize dim = pass->net->dim;

  for (gsize i = 0; i < block->panels; i++)
    ctvit_cpu_load_panel (k, pass->x + (block->first + i * k->lanes) * dim, tokens_in (k, block, i),
                          dim, panels + i * dim * k->lanes);
}

static void
norm_block (const Pass *pass, const Block *block, const CtvitNorm *norm, const float *x, float *y)
{
  const gsize dim = pass->net->dim, step = dim * pass->kernels->lanes;

  for (gsize i = 0; i < block->panels; i++)
    pass->kernels->layer_norm (x + i * step, dim, norm->gamma->numbers, norm->beta->numbers,
                               y + i * step);
}

/** The tokens' rows get (@add: get added) what lies in @panels, @step numbers apart. */
static void
store_block (const Pass *pass, const Block *block, const float *panels, gsize step, gboolean add,
             float *rows)
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

/** x += change, which the probe is shown too. */
static void
add_block (const Pass *pass, const Block *block, const float *change)
{
  const gsize step = rows_of (pass->kernels, pass->net->dim) * pass->kernels->lanes;

  store_block (pass, block, change, step, TRUE, pass->x);
  if (pass->change != NULL)
    store_block (pass, block, change, step, FALSE, pass->change);
}

/* ---- patches to tokens ---- */

/** The voxels of token @token in the order (pt, p1, p2). */
static void
gather_patch (const Pass *pass, gsize token, float *patch)
{
  const Ctvit *net = pass->net;
  const gsize h = net->tokens_h, w = net->tokens_w;
  const gsize height = h * net->patch_height, width = w * net->patch_width;
  const gsize z = token / (h * w) * net->patch_frames, y = token / w % h * net->patch_height;
  const float *corner = pass->volume + (z * height + y) * width + token % w * net->patch_width;

  for (gsize f = 0; f < net->patch_frames; f++)
    for (gsize r = 0; r < net->patch_height; r++, patch += net->patch_width)
      memcpy (patch, corner + (f * height + r) * width, net->patch_width * sizeof *patch);
}

/** Patches → LayerNorm → Linear → LayerNorm. */
static void
embed (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const Ctvit *net = pass->net;
  const CpuKernels *k = pass->kernels;
  CtvitScratch *s = pass->cpu->scratch[thread];
  const Block block = block_of (k, 0, pass->tokens, item);
  const gsize patch = net->patch_weight->columns, dim = net->dim;
  const gsize step = patch * k->lanes, change_step = rows_of (k, dim) * k->lanes;

  for (gsize i = 0; i < block.panels; i++)
    {
      const gsize first = block.first + i * k->lanes, n = tokens_in (k, &block, i);

      for (gsize t = 0; t < n; t++)
        gather_patch (pass, first + t, s->patches + t * patch);
      if (pass->patches != NULL)
        memcpy (pass->patches + first * patch, s->patches, n * patch * sizeof (float));
      ctvit_cpu_load_panel (k, s->patches, n, patch, s->x + i * step);
    }
  for (gsize i = 0; i < block.panels; i++)
    k->layer_norm (s->x + i * step, patch, net->patch_norm.gamma->numbers,
                   net->patch_norm.beta->numbers, s->x + i * step);
  ctvit_cpu_project (k, net->patch_weight->tiles, dim, patch, s->x, step, block.panels, s->change,
                     change_step);
  for (gsize i = 0; i < block.panels; i++)
    {
      float *panel = s->change + i * change_step;

      for (gsize c = 0; c < dim * k->lanes; c++)
        panel[c] += net->patch_bias->numbers[c / k->lanes];
      k->layer_norm (panel, dim, net->token_norm.gamma->numbers, net->token_norm.beta->numbers,
                     panel);
    }
  store_block (pass, &block, s->change, change_step, FALSE, pass->x);
}

/* ---- one layer: x += PEG(x); x += Attention(x); x += FeedForward(x) ---- */

/**
 * y = x + PEG(x), for one row of places. Each channel's 3×3×3 convolution with zeros around the
 * volume: one token on each side in space, two before the start in time, so that a token sees its
 * own time step and the two before it.
 *
 * The memory is read as (t, h, w, d) whatever it holds. For the temporal transformer it holds (h w)
 * t d: that looks like a missing transpose, and the published weights were trained with it.
 */
static void
add_peg (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const Ctvit *net = pass->net;
  const CtvitPeg *peg = &pass->layer->peg;
  const gsize h = net->tokens_h, w = net->tokens_w, dim = net->dim;
  float *change = pass->cpu->scratch[thread]->normed;

  for (gsize token = item * w; token < (item + 1) * w; token++)
    {
      const gsize t = token / (h * w), y = token / w % h, x = token % w;
      const float *rows[27], *weights[27];
      gsize n = 0;

      for (gsize tap = 0; tap < 27; tap++)
        {
          const gsize back = 2 - tap / 9, down = tap / 3 % 3, right = tap % 3;

          if (t < back || y + down < 1 || y + down > h || x + right < 1 || x + right > w)
            continue;
          rows[n] = pass->x + (token - back * h * w + (down * w + right) - (w + 1)) * dim;
          weights[n++] = peg->kernel->tiles + tap * dim;
        }
      pass->kernels->weighted_sum (rows, weights, n, peg->bias->numbers, dim, change);
      for (gsize c = 0; c < dim; c++)
        pass->y[token * dim + c] = pass->x[token * dim + c] + change[c];
      if (pass->change != NULL)
        memcpy (pass->change + token * dim, change, dim * sizeof *change);
    }
}

/** A panel of keys and values goes into tiles: keys as rows, values as columns. */
static void
place_keys (const Pass *pass, CtvitScratch *s, gsize first, const float *panel, gsize keys)
{
  const Ctvit *net = pass->net;
  const CpuKernels *k = pass->kernels;
  const gsize unit = k->tile_rows, d = net->dim_head, d_whole = rows_of (k, d);
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
  const gsize q_step = rows_of (k, inner) * k->lanes, kv_step = rows_of (k, 2 * inner) * k->lanes;

  for (gsize b = 0; b * BLOCK_TOKENS < tokens; b++)
    {
      const Block block = block_of (k, first, tokens, b);
      const gsize before = b * block_panels (k);
      float *q = s->wide + before * q_step;

      load_block (pass, &block, s->x);
      norm_block (pass, &block, &w->norm, s->x, s->normed);
      ctvit_cpu_project (k, w->to_q->tiles, inner, dim, s->normed, step, block.panels, q, q_step);
      ctvit_cpu_project (k, w->to_kv->tiles, 2 * inner, dim, s->x, step, block.panels, s->change,
                         kv_step);
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
                           rows_of (k, (last / n + 1) * n) };
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
  const float *value_tiles = s->values + head * keys * rows_of (k, d) + range.first * unit;
  float *q = queries + head * d * k->lanes;

  k->multiply (key_tiles, unit * d, n / unit, d, q, start, s->scores);
  k->soften (s->scores, n, s->sum);
  k->multiply (value_tiles, unit * keys, rows_of (k, d) / unit, n, s->scores, NULL, s->out);
  for (gsize i = 0; i < d; i++)
    for (gsize l = 0; l < k->lanes; l++)
      q[i * k->lanes + l] = s->out[i * k->lanes + l] / s->sum[l];
}

/** x += Attention(x), for a group of sequences. */
static void
add_attention (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const Ctvit *net = pass->net;
  const CpuKernels *k = pass->kernels;
  CtvitScratch *s = pass->cpu->scratch[thread];
  const gsize first = item * pass->group * pass->sequence;
  const gsize tokens = MIN (pass->group * pass->sequence, pass->tokens - first);
  const gsize keys = rows_of (k, tokens), panels = panels_of (k, tokens);
  const gsize inner = (gsize) net->heads * net->dim_head;
  const gsize q_step = rows_of (k, inner) * k->lanes;
  const gsize change_step = rows_of (k, net->dim) * k->lanes;

  /* Keys past the last are never looked at, but multiplied with 0. */
  memset (s->values, 0, keys * net->heads * rows_of (k, net->dim_head) * sizeof *s->values);
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
      const Block block = block_of (k, first, tokens, b);

      ctvit_cpu_project (k, pass->layer->attention.to_out->tiles, net->dim, inner,
                         s->wide + b * block_panels (k) * q_step, q_step, block.panels, s->change,
                         change_step);
      add_block (pass, &block, s->change);
    }
}

/** x += W_out (a · GELU(b)), where (a, b) = W_in LayerNorm(x). */
static void
add_feed_forward (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const Ctvit *net = pass->net;
  const CpuKernels *k = pass->kernels;
  const CtvitFeedForward *w = &pass->layer->feed_forward;
  CtvitScratch *s = pass->cpu->scratch[thread];
  const Block block = block_of (k, 0, pass->tokens, item);
  const gsize dim = net->dim, step = dim * k->lanes, tile = k->tile_rows * dim;
  const gsize hidden = rows_of (k, net->inner), hidden_step = hidden * k->lanes;
  const gsize at_once = rows_of (k, GATE_ROWS);

  load_block (pass, &block, s->x);
  norm_block (pass, &block, &w->norm, s->x, s->normed);
  for (gsize first = 0; first < hidden; first += at_once)
    {
      const gsize rows = MIN (at_once, hidden - first), tiles = rows / k->tile_rows;
      const float *values = w->in->tiles + first * dim, *gates = values + hidden * dim;

      for (gsize i = 0; i < block.panels; i++)
        {
          const float *x = s->normed + i * step;
          float *out = s->wide + i * hidden_step + first * k->lanes;

          k->multiply (values, tile, tiles, dim, x, NULL, out);
          k->multiply (gates, tile, tiles, dim, x, NULL, s->gates);
          k->gate (out, s->gates, rows);
        }
    }
  ctvit_cpu_project (k, w->out->tiles, dim, net->inner, s->wide, hidden_step, block.panels,
                     s->change, rows_of (k, dim) * k->lanes);
  add_block (pass, &block, s->change);
}

/** LayerNorm, in place, and the same in the other order of tokens into y. */
static void
norm_out (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  CtvitScratch *s = pass->cpu->scratch[thread];
  const Block block = block_of (pass->kernels, 0, pass->tokens, item);
  const gsize dim = pass->net->dim;

  load_block (pass, &block, s->x);
  norm_block (pass, &block, pass->norm, s->x, s->x);
  store_block (pass, &block, s->x, dim * pass->kernels->lanes, FALSE, pass->x);
  for (gsize t = block.first; t < block.first + block.n; t++)
    memcpy (pass->y + (t % pass->inner * pass->outer + t / pass->inner) * dim, pass->x + t * dim,
            dim * sizeof (float));
}

static void
swap_tokens (Pass *pass)
{
  float *x = pass->x;

  pass->x = pass->y;
  pass->y = x;
}

/** All layers and the norm after them; then the tokens are inner × outer. */
static gboolean
transform (Pass *pass, const CtvitTransformer *transformer, gsize outer, gsize inner,
           const char *name)
{
  const Ctvit *net = pass->net;
  const gint64 shape[] = { (gint64) outer, (gint64) inner, net->dim };
  const gint64 images[] = { net->tokens_t, net->tokens_h, net->tokens_w, net->dim };

  pass->outer = outer;
  pass->inner = inner;
  pass->sequence = inner;
  pass->group = pass->position != NULL ? 1 : group_of (inner);
  for (guint i = 0; i < transformer->n_layers; i++)
    {
      pass->layer = &transformer->layers[i];
      if (!run (pass, (gsize) net->tokens_t * net->tokens_h, add_peg))
        return FALSE;
      show (pass, pass->change, 4, images, "%s_%u_peg", name, i);
      swap_tokens (pass);
      if (!run (pass, (outer + pass->group - 1) / pass->group, add_attention))
        return FALSE;
      show (pass, pass->change, 3, shape, "%s_%u_attn", name, i);
      if (!run (pass, n_blocks (pass), add_feed_forward))
        return FALSE;
      show (pass, pass->change, 3, shape, "%s_%u_ff", name, i);
    }
  pass->norm = &transformer->norm_out;
  if (!run (pass, n_blocks (pass), norm_out))
    return FALSE;
  show (pass, pass->x, 3, shape, "%s_out", name);
  swap_tokens (pass);
  return TRUE;
}

/* ---- codes and latent ---- */

/** For a block of tokens the codes with the largest cosine; the first on ties. */
static void
find_codes (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const CpuKernels *k = pass->kernels;
  const Tensor *codes = pass->net->codes;
  CtvitScratch *s = pass->cpu->scratch[thread];
  const Block block = block_of (k, 0, pass->tokens, item);
  const gsize dim = pass->net->dim, step = dim * k->lanes, at_once = rows_of (k, GATE_ROWS);

  load_block (pass, &block, s->x);
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
                       rows_of (k, rows) / k->tile_rows, dim, s->x + i * step, NULL, s->scores);
          k->best (s->scores, rows, (gint32) first, s->largest + i * k->lanes,
                   s->where + i * k->lanes);
        }
    }
  for (gsize t = 0; t < block.n; t++)
    pass->indices[block.first + t] = s->where[t];
}

/** The mean over time of a place's codes. */
static void
pool (gsize item, guint thread, gpointer data)
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

static void
project_latent (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const Tensor *w = pass->net->to_latent;

  pass->raw[item] =
      (float) pass->kernels->dot (w->numbers + item * w->columns, pass->pooled, w->columns);
}

static void
show_codes (const Pass *pass)
{
  const gsize dim = pass->net->dim;
  g_autofree float *codes = NULL;

  if (pass->probe == NULL)
    return;
  codes = g_new (float, pass->tokens *dim);
  for (gsize i = 0; i < pass->tokens; i++)
    memcpy (codes + i * dim, pass->net->codes->numbers + pass->indices[i] * (gint64) dim,
            dim * sizeof *codes);
  SHOW (pass, codes, "vq_quantize", (gint64) pass->tokens, (gint64) dim);
}

/** heads × n × n */
static void
show_position (const Pass *pass)
{
  const Ctvit *net = pass->net;
  const CpuKernels *k = pass->kernels;
  const gsize n = (gsize) net->tokens_h * net->tokens_w, keys = rows_of (k, n);
  g_autofree float *all = NULL;
  float *to;

  if (pass->probe == NULL)
    return;
  to = all = g_new (float, net->heads *n *n);
  for (gsize head = 0; head < net->heads; head++)
    for (gsize i = 0; i < n; i++)
      for (gsize j = 0; j < n; j++)
        *to++ = pass->cpu->position[((head * panels_of (k, n) + i / k->lanes) * keys + j) * k->lanes
                                    + i % k->lanes];
  SHOW (pass, all, "spatial_attn_bias", net->heads, (gint64) n, (gint64) n);
}

/* ---- the whole ---- */

/** Volume → tokens t (h w) d, before codes take their place. */
static gboolean
encode_tokens (Pass *pass)
{
  const Ctvit *net = pass->net;
  const gsize t = net->tokens_t, places = (gsize) net->tokens_h * net->tokens_w;

  show_position (pass);
  if (!run (pass, n_blocks (pass), embed))
    return FALSE;
  if (pass->patches != NULL)
    SHOW (pass, pass->patches, "patch_raw", (gint64) t, (gint64) places,
          (gint64) net->patch_weight->columns);
  SHOW (pass, pass->x, "patch_tokens", (gint64) t, (gint64) places, net->dim);
  pass->position = pass->cpu->position;
  if (!transform (pass, &net->spatial, t, places, "spatial"))
    return FALSE;
  pass->position = NULL;
  return transform (pass, &net->temporal, places, t, "temporal");
}

static gboolean
encode (Pass *pass, float *latent)
{
  const Ctvit *net = pass->net;
  const gsize places = (gsize) net->tokens_h * net->tokens_w;
  float size;

  if (!encode_tokens (pass) || !run (pass, n_blocks (pass), find_codes) || !run (pass, places, pool)
      || !run (pass, net->latent_width, project_latent))
    return FALSE;
  size = (float) sqrt (pass->kernels->dot (pass->raw, pass->raw, net->latent_width));
  for (gsize i = 0; i < net->latent_width; i++)
    latent[i] = pass->raw[i] / MAX (size, 1e-12f);

  SHOW (pass, pass->x, "vq_in", (gint64) pass->tokens, net->dim);
  SHOW (pass, pass->indices, "vq_indices", (gint64) pass->tokens);
  show_codes (pass);
  SHOW (pass, pass->pooled, "pooled", (gint64) places * net->dim);
  SHOW (pass, pass->raw, "latent_raw", net->latent_width);
  SHOW (pass, latent, "latent", net->latent_width);
  return TRUE;
}

gboolean
ctvit_cpu_latent (CtvitCpu *cpu, const float *volume, float *latent, EngineProbe probe,
                  gpointer user_data, GCancellable *cancellable)
{
  const Ctvit *net = cpu->net;
  const gsize places = (gsize) net->tokens_h * net->tokens_w, tokens = net->tokens_t * places;
  g_autofree float *change = probe != NULL ? g_new (float, tokens * net->dim) : NULL;
  g_autofree float *patches =
      probe != NULL ? g_new (float, tokens * net->patch_weight->columns) : NULL;
  g_autofree gint64 *indices = g_new (gint64, tokens);
  g_autofree float *pooled = g_new (float, places * net->dim);
  g_autofree float *raw = g_new (float, net->latent_width);
  Pass pass = { .cpu = cpu,
                .net = net,
                .kernels = cpu->kernels,
                .volume = volume,
                .probe = probe,
                .user_data = user_data,
                .cancellable = cancellable,
                .x = cpu->x,
                .y = cpu->y,
                .change = change,
                .patches = patches,
                .tokens = tokens,
                .indices = indices,
                .pooled = pooled,
                .raw = raw };

  return encode (&pass, latent);
}

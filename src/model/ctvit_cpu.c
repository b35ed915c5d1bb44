/*
 * The pass from a volume to its latent, on the processor: its steps and their order.
 */
#include "model/ctvit_cpu_pass.h"

#include <math.h>
#include <string.h>

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
  const Block block = ctvit_cpu_block (k, 0, pass->tokens, item);
  const gsize patch = net->patch_weight->columns, dim = net->dim;
  const gsize step = patch * k->lanes, change_step = ctvit_cpu_rows (k, dim) * k->lanes;
  CtvitOperand x;

  for (gsize i = 0; i < block.panels; i++)
    {
      const gsize first = block.first + i * k->lanes, n = ctvit_cpu_tokens_in (k, &block, i);

      for (gsize t = 0; t < n; t++)
        gather_patch (pass, first + t, s->patches + t * patch);
      if (pass->patches != NULL)
        memcpy (pass->patches + first * patch, s->patches, n * patch * sizeof (float));
      ctvit_cpu_load_panel (k, s->patches, n, patch, s->x + i * step);
    }
  for (gsize i = 0; i < block.panels; i++)
    k->layer_norm (s->x + i * step, patch, net->patch_norm.gamma->numbers,
                   net->patch_norm.beta->numbers, s->x + i * step);
  x = ctvit_cpu_operand (k, net->patch_weight, s->x, step, block.panels, s->rounded);
  ctvit_cpu_project (k, net->patch_weight, &x, s->change, change_step);
  for (gsize i = 0; i < block.panels; i++)
    {
      float *panel = s->change + i * change_step;

      for (gsize c = 0; c < dim * k->lanes; c++)
        panel[c] += net->patch_bias->numbers[c / k->lanes];
      k->layer_norm (panel, dim, net->token_norm.gamma->numbers, net->token_norm.beta->numbers,
                     panel);
    }
  ctvit_cpu_store_block (pass, &block, s->change, change_step, FALSE, pass->x);
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

/** x += W_out (a · GELU(b)), where (a, b) = W_in LayerNorm(x). */
static void
add_feed_forward (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  const Ctvit *net = pass->net;
  const CpuKernels *k = pass->kernels;
  const CtvitFeedForward *w = &pass->layer->feed_forward;
  CtvitScratch *s = pass->cpu->scratch[thread];
  const Block block = ctvit_cpu_block (k, 0, pass->tokens, item);
  const gsize dim = net->dim, step = dim * k->lanes;
  const gsize hidden = ctvit_cpu_rows (k, net->inner), hidden_step = hidden * k->lanes;
  const gsize at_once = ctvit_cpu_rows (k, GATE_ROWS);
  CtvitOperand x;

  ctvit_cpu_load_block (pass, &block, s->x);
  ctvit_cpu_norm_block (pass, &block, &w->norm, s->x, s->normed);
  x = ctvit_cpu_operand (k, w->in, s->normed, step, block.panels, s->rounded);
  for (gsize first = 0; first < hidden; first += at_once)
    {
      const gsize rows = MIN (at_once, hidden - first);

      for (gsize i = 0; i < block.panels; i++)
        {
          float *out = s->wide + i * hidden_step + first * k->lanes;

          ctvit_cpu_multiply (k, w->in, first, rows, &x, i, out);
          ctvit_cpu_multiply (k, w->in, hidden + first, rows, &x, i, s->gates);
          k->gate (out, s->gates, rows);
        }
    }
  x = ctvit_cpu_operand (k, w->out, s->wide, hidden_step, block.panels, s->rounded);
  ctvit_cpu_project (k, w->out, &x, s->change, ctvit_cpu_rows (k, dim) * k->lanes);
  ctvit_cpu_add_block (pass, &block, s->change);
}

/** LayerNorm, in place, and the same in the other order of tokens into y. */
static void
norm_out (gsize item, guint thread, gpointer data)
{
  const Pass *pass = data;
  CtvitScratch *s = pass->cpu->scratch[thread];
  const Block block = ctvit_cpu_block (pass->kernels, 0, pass->tokens, item);
  const gsize dim = pass->net->dim;

  ctvit_cpu_load_block (pass, &block, s->x);
  ctvit_cpu_norm_block (pass, &block, pass->norm, s->x, s->x);
  ctvit_cpu_store_block (pass, &block, s->x, dim * pass->kernels->lanes, FALSE, pass->x);
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
  pass->group = pass->position != NULL ? 1 : ctvit_cpu_group (inner);
  for (guint i = 0; i < transformer->n_layers; i++)
    {
      pass->layer = &transformer->layers[i];
      if (!run (pass, (gsize) net->tokens_t * net->tokens_h, add_peg))
        return FALSE;
      show (pass, pass->change, 4, images, "%s_%u_peg", name, i);
      swap_tokens (pass);
      if (!run (pass, (outer + pass->group - 1) / pass->group, ctvit_cpu_add_attention))
        return FALSE;
      show (pass, pass->change, 3, shape, "%s_%u_attn", name, i);
      if (!run (pass, ctvit_cpu_n_blocks (pass), add_feed_forward))
        return FALSE;
      show (pass, pass->change, 3, shape, "%s_%u_ff", name, i);
    }
  pass->norm = &transformer->norm_out;
  if (!run (pass, ctvit_cpu_n_blocks (pass), norm_out))
    return FALSE;
  show (pass, pass->x, 3, shape, "%s_out", name);
  swap_tokens (pass);
  return TRUE;
}

/* ---- what is shown at the end ---- */

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
  const gsize n = (gsize) net->tokens_h * net->tokens_w, keys = ctvit_cpu_rows (k, n);
  g_autofree float *all = NULL;
  float *to;

  if (pass->probe == NULL)
    return;
  to = all = g_new (float, net->heads *n *n);
  for (gsize head = 0; head < net->heads; head++)
    for (gsize i = 0; i < n; i++)
      for (gsize j = 0; j < n; j++)
        *to++ =
            pass->cpu
                ->position[((head * ctvit_cpu_panels (k, n) + i / k->lanes) * keys + j) * k->lanes
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
  if (!run (pass, ctvit_cpu_n_blocks (pass), embed))
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

  if (!encode_tokens (pass) || !run (pass, ctvit_cpu_n_blocks (pass), ctvit_cpu_find_codes)
      || !run (pass, places, ctvit_cpu_pool)
      || !run (pass, net->latent_width, ctvit_cpu_project_latent))
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

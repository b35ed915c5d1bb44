/*
 * The pass from a volume to its latent. Shapes in comments: t, h, w are tokens in time, height and
 * width; d is the width of a token.
 */
#include "model/ctvit_torch.h"

/*
 * A layer's work on the tokens goes in blocks of sequences whose widest intermediate takes this
 * much: below the 32 MiB from which malloc returns memory to the system, only to have it zeroed
 * page by page again.
 */
#define BLOCK_BYTES (24u << 20)

/** What stays the same during one pass. */
typedef struct
{
  const CtvitTorch *torch;
  const Ctvit *net;  /* the same, as it was read */
  EngineProbe probe; /* (nullable) */
  gpointer user_data;
} Pass;

static void show (const Pass *pass, TensorScope *scope, const Tensor *x, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static void
show (const Pass *pass, TensorScope *scope, const Tensor *x, const char *format, ...)
{
  gint64 shape[TENSOR_MAX_DIMS];
  guint n_dims = tensor_shape (x, shape);
  g_autofree char *name = NULL;
  g_autofree gint64 *data = NULL; /* of the larger of the two types */
  gsize n = 1;
  va_list arguments;

  if (pass->probe == NULL || !tensor_scope_ok (scope, NULL))
    return;
  for (guint i = 0; i < n_dims; i++)
    n *= shape[i];
  data = g_new (gint64, n);
  if (tensor_is_int64 (x))
    t_read_int64 (scope, x, data, n);
  else
    t_read_floats (scope, x, (float *) data, n);
  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (tensor_scope_ok (scope, NULL))
    pass->probe (name, n_dims, shape, data, pass->user_data);
}

static Tensor *
norm (TensorScope *s, const CtvitNorm *w, const Tensor *x)
{
  return t_layer_norm (s, x, w->gamma, w->beta);
}

/* ---- opening ---- */

/** A tensor's numbers go to the scope's device; a failure is kept there. */
static Tensor *
place (float *numbers, guint n_dims, const gint64 *shape, gpointer scope)
{
  return tensor_adopt_floats (scope, numbers, n_dims, shape);
}

/** heads × n × n: the MLP's result for each distinct offset, spread over all pairs. */
static Tensor *
position_bias (const Ctvit *net, TensorScope *scope)
{
  const CtvitPositionBias *w = &net->position;
  const gsize n = (gsize) net->tokens_h * net->tokens_w;
  const gsize n_offsets = (2 * (gsize) net->tokens_h - 1) * (2 * (gsize) net->tokens_w - 1);
  g_autofree float *offsets = g_new (float, 2 * n_offsets);
  g_autofree gint64 *pairs = g_new (gint64, n * n);
  TensorScope *s = tensor_scope_push (scope);
  Tensor *x;

  ctvit_position_offsets (net, offsets);
  for (gsize i = 0; i < n; i++)
    for (gsize j = 0; j < n; j++)
      pairs[i * n + j] = (gint64) ctvit_position_offset (net, i, j);
  x = t_from_floats (s, offsets, (gint64) n_offsets, 2);
  for (guint i = 0; i < 2; i++)
    x = t_leaky_relu (s, t_linear (s, x, w->weight[i], w->bias[i]), CTVIT_LEAKY_SLOPE);
  x = t_linear (s, x, w->weight[2], w->bias[2]);
  x = t_index_rows (s, x, t_from_int64 (s, pairs, (gint64) (n * n)));
  x = t_view (s, x, (gint64) n, (gint64) n, net->heads);
  return tensor_scope_pop (s, t_contiguous (s, t_permute (s, x, 2, 0, 1)));
}

/** To bfloat16, whatever belongs to the products that nearly all the time goes into. */
static void
round_weights (const Ctvit *net, TensorScope *scope)
{
  const CtvitTransformer *const transformers[] = { &net->spatial, &net->temporal };

  t_round_ (scope, net->patch_weight);
  t_round_ (scope, net->patch_bias);
  for (guint t = 0; t < G_N_ELEMENTS (transformers); t++)
    for (guint i = 0; i < transformers[t]->n_layers; i++)
      {
        const CtvitLayer *layer = &transformers[t]->layers[i];

        t_round_ (scope, layer->attention.to_q);
        t_round_ (scope, layer->attention.to_kv);
        t_round_ (scope, layer->attention.to_out);
        t_round_ (scope, layer->feed_forward.in);
        t_round_ (scope, layer->feed_forward.out);
      }
}

CtvitTorch *
ctvit_torch_load (TensorScope *scope, const char *path, const EncoderDescription *description,
                  GError **error)
{
  g_autoptr (CtvitTorch) torch = g_new0 (CtvitTorch, 1);

  torch->net = ctvit_load (path, description, place, scope, error);
  if (torch->net == NULL)
    return NULL;
  if (description->precision == ENCODER_BF16)
    round_weights (torch->net, scope);
  torch->position_bias = position_bias (torch->net, scope);
  torch->codes = t_select (scope, torch->net->codes, 0, 0);
  torch->unit_codes = t_l2_normalize (scope, torch->codes);
  return tensor_scope_ok (scope, error) ? g_steal_pointer (&torch) : NULL;
}

void
ctvit_torch_free (CtvitTorch *torch)
{
  g_clear_pointer (&torch->net, ctvit_free);
  g_free (torch);
}

/* ---- patches to tokens ---- */

/** Patches in the order (pt, p1, p2) → LayerNorm → Linear → LayerNorm, a time step at a time. */
static Tensor *
embed_patches (const Pass *pass, TensorScope *scope, const Tensor *volume)
{
  const Ctvit *net = pass->net;
  const guint t = net->tokens_t, h = net->tokens_h, w = net->tokens_w;
  const guint pt = net->patch_frames, p1 = net->patch_height, p2 = net->patch_width;
  Tensor *grid = t_permute (scope, t_view (scope, volume, t, pt, h, p1, w, p2), 0, 2, 4, 1, 3, 5);
  Tensor *raw = pass->probe != NULL ? t_empty (scope, t, h * w, pt * p1 * p2) : NULL;
  Tensor *tokens = t_empty (scope, t, h * w, net->dim);

  for (guint i = 0; i < t; i++)
    {
      TensorScope *s = tensor_scope_push (scope);
      Tensor *patches = t_contiguous (s, t_select (s, grid, 0, i));
      Tensor *x = t_view (s, patches, h * w, pt * p1 * p2);

      if (raw != NULL)
        t_copy_ (s, t_select (s, raw, 0, i), x);
      x = t_linear (s, norm (s, &net->patch_norm, x), net->patch_weight, net->patch_bias);
      t_copy_ (s, t_select (s, tokens, 0, i), norm (s, &net->token_norm, x));
      tensor_scope_pop (s, NULL);
    }
  show (pass, scope, raw, "patch_raw");
  show (pass, scope, tokens, "patch_tokens");
  return tokens;
}

/* ---- one layer: x += PEG(x); x += Attention(x); x += FeedForward(x) ---- */

/** dim × 1 × 3 × 3, for one of the three frames. */
static Tensor *
frame_kernel (TensorScope *s, const CtvitPeg *w, gint64 frame)
{
  return t_contiguous (s, t_select (s, w->kernel, 2, frame));
}

/**
 * Each channel's 3×3×3 convolution with zeros around the volume: one token on each side in space,
 * two before the start in time, so that a token sees its own time step and the two before it.
 *
 * The memory is read as (t, h, w, d) whatever it holds. For the temporal transformer it holds (h w)
 * t d: that looks like a missing transpose, and the published weights were trained with it.
 */
static void
add_peg (const Pass *pass, TensorScope *scope, const CtvitPeg *w, Tensor *x, const char *name)
{
  const Ctvit *net = pass->net;
  const gint64 t = net->tokens_t;
  TensorScope *s = tensor_scope_push (scope);
  Tensor *images = t_view (s, x, t, net->tokens_h, net->tokens_w, net->dim);
  Tensor *sum = t_depthwise_conv2d (s, images, frame_kernel (s, w, 2), w->bias);

  for (gint64 back = 1; back <= 2 && back < t; back++)
    {
      TensorScope *step = tensor_scope_push (s);
      Tensor *earlier = t_narrow (step, images, 0, 0, t - back);

      t_add_ (step, t_narrow (step, sum, 0, back, t - back),
              t_depthwise_conv2d (step, earlier, frame_kernel (step, w, 2 - back), NULL));
      tensor_scope_pop (step, NULL);
    }
  show (pass, s, sum, "%s_peg", name);
  t_add_ (s, images, sum);
  tensor_scope_pop (s, NULL);
}

/** x: (sequences, n, heads · dim_head) → (sequences, n, heads, dim_head) */
static Tensor *
split_heads (const Ctvit *net, TensorScope *s, const Tensor *x)
{
  gint64 shape[TENSOR_MAX_DIMS] = { 0 };

  tensor_shape (x, shape);
  return t_view (s, x, shape[0], shape[1], net->heads, net->dim_head);
}

/** (sequences, n, heads, dim_head) ↔ (sequences, heads, n, dim_head) */
static Tensor *
swap_heads (TensorScope *s, const Tensor *x)
{
  return t_permute (s, x, 0, 2, 1, 3);
}

/**
 * softmax(8 q̂ k̂ᵀ + position) v, where q̂ and k̂ have norm 1 per head, times a learned scale. q comes
 * from the normalised x; k and v from x as it is.
 */
static Tensor *
attention (const Ctvit *net, TensorScope *s, const CtvitLayer *layer, const Tensor *x,
           const Tensor *position)
{
  const CtvitAttention *w = &layer->attention;
  const gint64 inner = (gint64) net->heads * net->dim_head;
  Tensor *q = split_heads (net, s, t_linear (s, norm (s, &w->norm, x), w->to_q, NULL));
  Tensor *kv = t_linear (s, x, w->to_kv, NULL);
  Tensor *k = split_heads (net, s, t_narrow (s, kv, 2, 0, inner));
  Tensor *v = split_heads (net, s, t_narrow (s, kv, 2, inner, inner));
  gint64 shape[TENSOR_MAX_DIMS] = { 0 };
  Tensor *out;

  q = t_mul (s, t_l2_normalize (s, q), w->q_scale);
  k = t_mul (s, t_l2_normalize (s, k), w->k_scale);
  out = t_attention (s, swap_heads (s, q), swap_heads (s, k), swap_heads (s, v),
                     CTVIT_ATTENTION_SCALE, position);
  out = t_contiguous (s, swap_heads (s, out));
  tensor_shape (x, shape);
  return t_linear (s, t_view (s, out, shape[0], shape[1], inner), w->to_out, NULL);
}

/** W_out (a · GELU(b)), where (a, b) = W_in LayerNorm(x). */
static Tensor *
feed_forward (const Ctvit *net, TensorScope *s, const CtvitLayer *layer, const Tensor *x,
              const Tensor *position)
{
  const CtvitFeedForward *w = &layer->feed_forward;
  Tensor *hidden = t_linear (s, norm (s, &w->norm, x), w->in, NULL);
  Tensor *gated = t_gelu (s, t_narrow (s, hidden, 2, net->inner, net->inner));

  t_mul_ (s, gated, t_narrow (s, hidden, 2, 0, net->inner));
  return t_linear (s, gated, w->out, NULL);
}

typedef Tensor *(*Sublayer) (const Ctvit *net, TensorScope *s, const CtvitLayer *layer,
                             const Tensor *x, const Tensor *position);

/** x += sublayer(x), block by block: sequences do not look at each other. */
static void
add_sublayer (const Pass *pass, TensorScope *scope, Sublayer sublayer, const CtvitLayer *layer,
              Tensor *x, const Tensor *position, const char *name)
{
  const Ctvit *net = pass->net;
  Tensor *whole = pass->probe != NULL ? t_empty_like (scope, x) : NULL;
  gint64 shape[TENSOR_MAX_DIMS] = { 0 };
  gint64 block;

  tensor_shape (x, shape);
  block = MAX (1, (gint64) (BLOCK_BYTES / (2 * net->inner * sizeof (float))) / MAX (1, shape[1]));
  for (gint64 first = 0; first < shape[0]; first += block)
    {
      const gint64 n = MIN (block, shape[0] - first);
      TensorScope *s = tensor_scope_push (scope);
      Tensor *part = t_narrow (s, x, 0, first, n);
      Tensor *change = sublayer (net, s, layer, part, position);

      if (whole != NULL)
        t_copy_ (s, t_narrow (s, whole, 0, first, n), change);
      t_add_ (s, part, change);
      tensor_scope_pop (s, NULL);
    }
  show (pass, scope, whole, "%s", name);
}

static void
apply_layer (const Pass *pass, TensorScope *scope, const CtvitLayer *layer, Tensor *x,
             const Tensor *position, const char *name)
{
  TensorScope *s = tensor_scope_push (scope);
  g_autofree char *attention_name = g_strconcat (name, "_attn", NULL);
  g_autofree char *feed_forward_name = g_strconcat (name, "_ff", NULL);

  add_peg (pass, s, &layer->peg, x, name);
  add_sublayer (pass, s, attention, layer, x, position, attention_name);
  add_sublayer (pass, s, feed_forward, layer, x, NULL, feed_forward_name);
  tensor_scope_pop (s, NULL);
}

/** All layers and the norm after them, in place. */
static void
transform_ (const Pass *pass, TensorScope *scope, const CtvitTransformer *transformer, Tensor *x,
            const Tensor *position, const char *name)
{
  TensorScope *s = tensor_scope_push (scope);

  for (guint i = 0; i < transformer->n_layers; i++)
    {
      g_autofree char *layer_name = g_strdup_printf ("%s_%u", name, i);

      apply_layer (pass, s, &transformer->layers[i], x, position, layer_name);
    }
  t_copy_ (s, x, norm (s, &transformer->norm_out, x));
  show (pass, s, x, "%s_out", name);
  tensor_scope_pop (s, NULL);
}

/* ---- the whole ---- */

/** Tokens t (h w) d of a volume, before codes take their place. */
static Tensor *
encode_tokens (const Pass *pass, TensorScope *scope, const Tensor *volume)
{
  const Ctvit *net = pass->net;
  TensorScope *s = tensor_scope_push (scope);
  Tensor *tokens, *by_place;

  show (pass, s, pass->torch->position_bias, "spatial_attn_bias");
  tokens = embed_patches (pass, s, volume);
  transform_ (pass, s, &net->spatial, tokens, pass->torch->position_bias, "spatial");
  by_place = t_contiguous (s, t_permute (s, tokens, 1, 0, 2)); /* (h w) t d */
  transform_ (pass, s, &net->temporal, by_place, NULL, "temporal");
  t_copy_ (s, tokens, t_permute (s, by_place, 1, 0, 2));
  return tensor_scope_pop (s, tokens);
}

Tensor *
ctvit_torch_latent (const CtvitTorch *torch, TensorScope *scope, const Tensor *volume,
                    EngineProbe probe, gpointer user_data)
{
  const Ctvit *net = torch->net;
  const Pass pass = { torch, net, probe, user_data };
  const gint64 places = (gint64) net->tokens_h * net->tokens_w, n = net->tokens_t * places;
  TensorScope *s = tensor_scope_push (scope);
  Tensor *tokens = t_view (s, encode_tokens (&pass, s, volume), n, net->dim);
  Tensor *nearest = t_nearest_code (s, t_l2_normalize (s, tokens), torch->unit_codes);
  Tensor *codes = t_index_rows (s, torch->codes, nearest);
  Tensor *pooled = t_mean (s, t_view (s, codes, net->tokens_t, places * net->dim), 0);
  Tensor *raw = t_matvec (s, net->to_latent, pooled);
  Tensor *latent = t_l2_normalize (s, raw);

  show (&pass, s, tokens, "vq_in");
  show (&pass, s, nearest, "vq_indices");
  show (&pass, s, codes, "vq_quantize");
  show (&pass, s, pooled, "pooled");
  show (&pass, s, raw, "latent_raw");
  show (&pass, s, latent, "latent");
  return tensor_scope_pop (s, latent);
}

Tensor *
ctvit_torch_logits (const CtvitTorch *torch, TensorScope *scope, const Tensor *latents)
{
  const Ctvit *net = torch->net;

  return t_linear (scope, t_relu (scope, latents), net->classifier_weight, net->classifier_bias);
}

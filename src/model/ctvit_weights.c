/*
 * Reading an encoder's weights: their names, their shapes, and what both say of its sizes.
 */
#include "model/ctvit.h"

#include "base/error.h"
#include "model/checkpoint.h"
#include "model/weight_names.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#define IMAGE_ENCODER "visual_transformer."
#define FAULTS_SHOWN 12

/**
 * The network is read twice by the same code: first without a place to put it, which compares names
 * and shapes and collects what is wrong, then into it.
 */
typedef struct
{
  Checkpoint *checkpoint;
  CtvitPlace place; /* (nullable) %NULL: compare only */
  gpointer user_data;
  XXH3_state_t *hash;
  GPtrArray *faults; /* of char * */
  GError *error;     /* of the file system, while reading */
} Reader;

static void
reader_clear (Reader *reader)
{
  g_clear_pointer (&reader->checkpoint, checkpoint_free);
  g_clear_pointer (&reader->hash, XXH3_freeState);
  g_clear_pointer (&reader->faults, g_ptr_array_unref);
  g_clear_error (&reader->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

static void fault (Reader *reader, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
fault (Reader *reader, const char *format, ...)
{
  va_list arguments;

  if (reader->place != NULL)
    return;
  va_start (arguments, format);
  g_ptr_array_add (reader->faults, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static char *
shape_text (guint n_dims, const gint64 *shape)
{
  GString *text = g_string_new (n_dims == 0 ? "a single number" : NULL);

  for (guint i = 0; i < n_dims; i++)
    {
      g_string_append (text, i > 0 ? " x " : "");
      if (shape[i] > 0)
        g_string_append_printf (text, "%" G_GINT64_FORMAT, shape[i]);
      else
        g_string_append_c (text, '?');
    }
  return g_string_free (text, FALSE);
}

/** Sizes of 0 in @shape are not known (their tensor is missing too) and fit anything. */
static gboolean
shape_fits (const CheckpointTensor *tensor, guint n_dims, const gint64 *shape)
{
  if (tensor->n_dims != n_dims)
    return FALSE;
  for (guint i = 0; i < n_dims; i++)
    if (shape[i] != 0 && tensor->shape[i] != shape[i])
      return FALSE;
  return TRUE;
}

/* ---- single tensors ---- */

/** One number that is none would make every latent so. */
static gboolean
check_finite (Reader *reader, const char *name, const float *data, gint64 n)
{
  for (gint64 i = 0; i < n; i++)
    if (!isfinite (data[i]))
      {
        g_set_error (&reader->error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                     "%s: tensor %s holds a number that is not finite; the file is damaged or its "
                     "training went astray, get another",
                     checkpoint_path (reader->checkpoint), name);
        return FALSE;
      }
  return TRUE;
}

static Tensor *
read_tensor (Reader *reader, guint n_dims, const gint64 *shape, const char *name)
{
  const CheckpointTensor *tensor = weight_names_find (reader->checkpoint, name);
  float *data;

  if (tensor == NULL)
    {
      fault (reader, "%s is missing", name);
      return NULL;
    }
  if (!shape_fits (tensor, n_dims, shape))
    {
      g_autofree char *is = shape_text (tensor->n_dims, tensor->shape);
      g_autofree char *expected = shape_text (n_dims, shape);

      fault (reader, "%s is %s, not %s", name, is, expected);
      return NULL;
    }
  if (reader->place == NULL || reader->error != NULL)
    return NULL;
  data = checkpoint_read_float (reader->checkpoint, tensor, &reader->error);
  if (data == NULL)
    return NULL;
  if (!check_finite (reader, name, data, tensor->n))
    {
      g_free (data);
      return NULL;
    }
  XXH3_128bits_update (reader->hash, name, strlen (name) + 1);
  XXH3_128bits_update (reader->hash, data, (gsize) tensor->n * sizeof *data);
  return reader->place (data, tensor->n_dims, tensor->shape, reader->user_data);
}

/** A tensor of the part of the network that @stem names. */
#define READ(reader, stem, name, ...)                                                              \
  read_part (reader, stem, name, G_N_ELEMENTS (((const gint64[]){ __VA_ARGS__ })),                 \
             (const gint64[]){ __VA_ARGS__ })

static Tensor *
read_part (Reader *reader, const char *stem, const char *name, guint n_dims, const gint64 *shape)
{
  g_autofree char *path = g_strconcat (stem, name, NULL);

  return read_tensor (reader, n_dims, shape, path);
}

/** Size of a tensor's dimension; 0 where it is not there. */
static gint64
size_of (const Reader *reader, const char *name, guint dim)
{
  const CheckpointTensor *tensor = weight_names_find (reader->checkpoint, name);

  return tensor != NULL && dim < tensor->n_dims ? tensor->shape[dim] : 0;
}

/** One more than the largest N of "<stem>N." in any name: a gap is then a missing key, not the end.
 */
static guint
count_layers (const Reader *reader, const char *stem)
{
  guint64 n = 0;

  for (guint i = 0; i < checkpoint_n_tensors (reader->checkpoint); i++)
    {
      const char *name = weight_names_strip (checkpoint_tensor (reader->checkpoint, i)->name);

      if (g_str_has_prefix (name, stem))
        n = MAX (n, g_ascii_strtoull (name + strlen (stem), NULL, 10) + 1);
    }
  return (guint) MIN (n, 1000);
}

/* ---- parts of the network ---- */

static CtvitNorm
read_norm (Reader *reader, const char *stem, const char *gamma, const char *beta, gint64 width)
{
  CtvitNorm norm;

  norm.gamma = READ (reader, stem, gamma, width);
  norm.beta = READ (reader, stem, beta, width);
  return norm;
}

static CtvitPeg
read_peg (Reader *reader, const char *stem, gint64 dim)
{
  CtvitPeg peg;

  peg.kernel = READ (reader, stem, "dsconv.weight", dim, 1, 3, 3, 3);
  peg.bias = READ (reader, stem, "dsconv.bias", dim);
  return peg;
}

static CtvitAttention
read_attention (Reader *reader, const char *stem, const Ctvit *net)
{
  const gint64 dim = net->dim, inner = (gint64) net->heads * net->dim_head;
  CtvitAttention attention;

  attention.norm = read_norm (reader, stem, "norm.gamma", "norm.beta", dim);
  attention.to_q = READ (reader, stem, "to_q.weight", inner, dim);
  attention.to_kv = READ (reader, stem, "to_kv.weight", 2 * inner, dim);
  attention.to_out = READ (reader, stem, "to_out.weight", dim, inner);
  attention.q_scale = READ (reader, stem, "q_scale", net->dim_head);
  attention.k_scale = READ (reader, stem, "k_scale", net->dim_head);
  return attention;
}

static CtvitFeedForward
read_feed_forward (Reader *reader, const char *stem, const Ctvit *net)
{
  CtvitFeedForward feed_forward;

  feed_forward.norm = read_norm (reader, stem, "0.weight", "0.bias", net->dim);
  feed_forward.in = READ (reader, stem, "1.weight", 2 * (gint64) net->inner, net->dim);
  feed_forward.out = READ (reader, stem, "4.weight", net->dim, net->inner);
  return feed_forward;
}

static void
read_transformer (Reader *reader, CtvitTransformer *transformer, const char *stem, const Ctvit *net)
{
  for (guint i = 0; i < transformer->n_layers; i++)
    {
      g_autofree char *peg = g_strdup_printf ("%slayers.%u.0.", stem, i);
      g_autofree char *attention = g_strdup_printf ("%slayers.%u.1.", stem, i);
      g_autofree char *feed_forward = g_strdup_printf ("%slayers.%u.3.", stem, i);
      CtvitLayer *layer = &transformer->layers[i];

      layer->peg = read_peg (reader, peg, net->dim);
      layer->attention = read_attention (reader, attention, net);
      layer->feed_forward = read_feed_forward (reader, feed_forward, net);
    }
  transformer->norm_out = read_norm (reader, stem, "norm_out.gamma", "norm_out.beta", net->dim);
}

static CtvitPositionBias
read_position_bias (Reader *reader, const Ctvit *net)
{
  const char *stem = IMAGE_ENCODER "spatial_rel_pos_bias.net.";
  const gint64 width = size_of (reader, IMAGE_ENCODER "spatial_rel_pos_bias.net.0.0.weight", 0);
  CtvitPositionBias position;

  position.weight[0] = READ (reader, stem, "0.0.weight", width, 2);
  position.bias[0] = READ (reader, stem, "0.0.bias", width);
  position.weight[1] = READ (reader, stem, "1.0.weight", width, width);
  position.bias[1] = READ (reader, stem, "1.0.bias", width);
  position.weight[2] = READ (reader, stem, "2.weight", net->heads, width);
  position.bias[2] = READ (reader, stem, "2.bias", net->heads);
  return position;
}

static void
read_network (Reader *reader, Ctvit *net)
{
  const char *patches = IMAGE_ENCODER "to_patch_emb.";
  const gint64 patch = (gint64) net->patch_frames * net->patch_height * net->patch_width;
  const gint64 pooled = (gint64) net->tokens_h * net->tokens_w * net->dim;

  net->patch_norm = read_norm (reader, patches, "1.weight", "1.bias", patch);
  net->patch_weight = READ (reader, patches, "2.weight", net->dim, patch);
  net->patch_bias = READ (reader, patches, "2.bias", net->dim);
  net->token_norm = read_norm (reader, patches, "3.weight", "3.bias", net->dim);
  net->position = read_position_bias (reader, net);
  read_transformer (reader, &net->spatial, IMAGE_ENCODER "enc_spatial_transformer.", net);
  read_transformer (reader, &net->temporal, IMAGE_ENCODER "enc_temporal_transformer.", net);
  net->codes = READ (reader, IMAGE_ENCODER, "vq._codebook.embed", 1, net->codebook_size, net->dim);
  net->to_latent = READ (reader, "to_visual_latent.", "weight", net->latent_width, pooled);
}

static void
read_classifier (Reader *reader, Ctvit *net)
{
  net->classes = (guint) size_of (reader, "classifier.weight", 0);
  if (net->classes == 0)
    return;
  net->classifier_weight = READ (reader, "classifier.", "weight", net->classes, net->latent_width);
  net->classifier_bias = READ (reader, "classifier.", "bias", net->classes);
}

/* ---- sizes ---- */

static void
measure (const Reader *reader, const EncoderDescription *description, Ctvit *net)
{
  const char *spatial = IMAGE_ENCODER "enc_spatial_transformer.layers.";
  const char *temporal = IMAGE_ENCODER "enc_temporal_transformer.layers.";

  net->dim = (guint) size_of (reader, IMAGE_ENCODER "to_patch_emb.2.weight", 0);
  net->dim_head =
      (guint) size_of (reader, IMAGE_ENCODER "enc_spatial_transformer.layers.0.1.q_scale", 0);
  net->inner =
      (guint) size_of (reader, IMAGE_ENCODER "enc_spatial_transformer.layers.0.3.4.weight", 1);
  net->codebook_size = (guint) size_of (reader, IMAGE_ENCODER "vq._codebook.embed", 1);
  net->latent_width = (guint) size_of (reader, "to_visual_latent.weight", 0);
  net->spatial.n_layers = count_layers (reader, spatial);
  net->spatial.layers = g_new0 (CtvitLayer, net->spatial.n_layers);
  net->temporal.n_layers = count_layers (reader, temporal);
  net->temporal.layers = g_new0 (CtvitLayer, net->temporal.n_layers);

  net->heads = description->heads;
  net->patch_frames = (guint) description->temporal_patch_size;
  net->patch_height = (guint) description->patch_height;
  net->patch_width = (guint) description->patch_width;
  net->tokens_t = (guint) (description->frames / description->temporal_patch_size);
  net->tokens_h = (guint) (description->image_height / description->patch_height);
  net->tokens_w = (guint) (description->image_width / description->patch_width);
}

/** Sizes of the description that a shape contradicts, each by its key. */
static gboolean
check_description (const Reader *reader, const EncoderDescription *description, const Ctvit *net,
                   GError **error)
{
  const gint64 patch = size_of (reader, IMAGE_ENCODER "to_patch_emb.2.weight", 1);
  const gint64 pooled = size_of (reader, "to_visual_latent.weight", 1);
  const gint64 q_rows =
      size_of (reader, IMAGE_ENCODER "enc_spatial_transformer.layers.0.1.to_q.weight", 0);
  const gint64 described_patch = (gint64) net->patch_frames * net->patch_height * net->patch_width;
  const gint64 described_places = (gint64) net->tokens_h * net->tokens_w;
  g_autofree char *reason = NULL;

  if (patch != 0 && patch != described_patch)
    reason = g_strdup_printf ("patch_size and temporal_patch_size make patches of %" G_GINT64_FORMAT
                              " voxels, the checkpoint's have %" G_GINT64_FORMAT,
                              described_patch, patch);
  else if (net->dim_head != 0 && q_rows != 0 && q_rows != (gint64) net->heads * net->dim_head)
    reason = g_strdup_printf ("heads is %u, the checkpoint has %.4g of %u", net->heads,
                              (double) q_rows / net->dim_head, net->dim_head);
  else if (net->dim != 0 && pooled != 0 && pooled != described_places * net->dim)
    reason = g_strdup_printf ("image_size and patch_size make %" G_GINT64_FORMAT
                              " patches a slice, the checkpoint has %.6g",
                              described_places, (double) pooled / net->dim);
  if (reason == NULL)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: %s; it describes another encoder than %s", description->path, reason,
               checkpoint_path (reader->checkpoint));
  return FALSE;
}

static gboolean
check_faults (const Reader *reader, const Ctvit *net, GError **error)
{
  GPtrArray *faults = reader->faults;
  guint n = faults->len;
  g_autofree char *list = NULL;

  if (n == 0 && net->dim > 0 && net->dim_head > 0 && net->inner > 0 && net->codebook_size > 0
      && net->latent_width > 0)
    return TRUE;
  if (n == 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: the image encoder's tensors are empty; make or download the file again",
                   checkpoint_path (reader->checkpoint));
      return FALSE;
    }
  g_ptr_array_set_size (faults, (gint) MIN (n, FAULTS_SHOWN));
  g_ptr_array_add (faults,
                   n > FAULTS_SHOWN ? g_strdup_printf ("and %u more", n - FAULTS_SHOWN) : NULL);
  if (n > FAULTS_SHOWN)
    g_ptr_array_add (faults, NULL);
  list = g_strjoinv ("; ", (char **) faults->pdata);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: %u of the image encoder's tensors do not fit: %s; is it the checkpoint of this "
               "encoder, and complete?",
               checkpoint_path (reader->checkpoint), n, list);
  return FALSE;
}

/* ---- opening ---- */

static gboolean
check_kind (const Checkpoint *checkpoint, GError **error)
{
  for (guint i = 0; i < checkpoint_n_tensors (checkpoint); i++)
    if (g_str_has_prefix (weight_names_strip (checkpoint_tensor (checkpoint, i)->name),
                          IMAGE_ENCODER))
      return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: has no tensor named %s...; give a checkpoint of CT-CLIP or CT-LiPro",
               checkpoint_path (checkpoint), IMAGE_ENCODER);
  return FALSE;
}

/** The weights alone do not make the latent: the same numbers cut into other patches, or computed
 * with another precision, are another encoder. */
static void
hash_sizes (XXH3_state_t *hash, const Ctvit *net, EncoderPrecision precision)
{
  g_autofree char *sizes = g_strdup_printf (
      "ctvit heads=%u patch=%u,%u,%u tokens=%u,%u,%u%s%s", net->heads, net->patch_frames,
      net->patch_height, net->patch_width, net->tokens_t, net->tokens_h, net->tokens_w,
      precision != ENCODER_FLOAT32 ? " precision=" : "",
      precision != ENCODER_FLOAT32 ? encoder_precision_name (precision) : "");

  XXH3_128bits_update (hash, sizes, strlen (sizes) + 1);
}

static void
hash_text (XXH3_state_t *hash, char text[33])
{
  XXH128_hash_t digest = XXH3_128bits_digest (hash);

  g_snprintf (text, 33, "%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
              (guint64) digest.high64, (guint64) digest.low64);
}

Ctvit *
ctvit_load (const char *path, const EncoderDescription *description, CtvitPlace place,
            gpointer user_data, GError **error)
{
  g_auto (Reader) reader = { .faults = g_ptr_array_new_with_free_func (g_free) };
  g_autoptr (Ctvit) net = g_new0 (Ctvit, 1);

  reader.checkpoint = checkpoint_open (path, error);
  if (reader.checkpoint == NULL || !check_kind (reader.checkpoint, error))
    return NULL;
  reader.hash = XXH3_createState ();
  XXH3_128bits_reset (reader.hash);
  measure (&reader, description, net);
  if (!check_description (&reader, description, net, error))
    return NULL;

  read_network (&reader, net);
  read_classifier (&reader, net);
  if (!check_faults (&reader, net, error))
    return NULL;

  reader.place = place;
  reader.user_data = user_data;
  hash_sizes (reader.hash, net, description->precision);
  read_network (&reader, net);
  hash_text (reader.hash, net->hash);
  read_classifier (&reader, net);
  if (reader.error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&reader.error));
      return NULL;
    }
  return g_steal_pointer (&net);
}

void
ctvit_info (const Ctvit *net, EngineEncoderInfo *info)
{
  info->dim = net->dim;
  info->heads = net->heads;
  info->dim_head = net->dim_head;
  info->spatial_layers = net->spatial.n_layers;
  info->temporal_layers = net->temporal.n_layers;
  info->codebook_size = net->codebook_size;
  info->tokens_t = net->tokens_t;
  info->tokens_h = net->tokens_h;
  info->tokens_w = net->tokens_w;
  info->frames = net->tokens_t * net->patch_frames;
  info->height = net->tokens_h * net->patch_height;
  info->width = net->tokens_w * net->patch_width;
  info->latent_width = net->latent_width;
  info->has_classifier = net->classes > 0;
  info->classes = net->classes;
  g_strlcpy (info->weights_hash, net->hash, sizeof info->weights_hash);
}

void
ctvit_position_offsets (const Ctvit *net, float *offsets)
{
  const gint64 h = net->tokens_h, w = net->tokens_w;

  for (gint64 dy = 1 - h; dy < h; dy++)
    for (gint64 dx = 1 - w; dx < w; dx++)
      {
        *offsets++ = copysignf (log1pf (fabsf ((float) dy)), (float) dy);
        *offsets++ = copysignf (log1pf (fabsf ((float) dx)), (float) dx);
      }
}

gsize
ctvit_position_offset (const Ctvit *net, gsize i, gsize j)
{
  const gsize h = net->tokens_h, w = net->tokens_w;

  return (i / w + h - 1 - j / w) * (2 * w - 1) + (i % w + w - 1 - j % w);
}

void
ctvit_free (Ctvit *net)
{
  if (net == NULL)
    return;
  g_free (net->spatial.layers);
  g_free (net->temporal.layers);
  g_free (net);
}

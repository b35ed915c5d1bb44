#include "study/demo_weights.h"

#include "catalog/labels.h"

#include <math.h>

#define VIT "trained_model.visual_transformer."
#define DIM_HEAD 8
#define INNER ((guint) (4 * 2 / 3.0 * DEMO_DIM)) /* of a feed-forward, as in the real network */
#define PATCH_VOXELS (DEMO_PATCH * DEMO_PATCH * DEMO_PATCH)
#define POSITION_WIDTH DEMO_DIM

/* Channels of a token: two constants, then frequencies; after the spatial feed-forward groups and
 * their negatives. */
#define N_CONSTANTS 2
#define N_FREQUENCIES (DEMO_DIM - N_CONSTANTS)
#define N_GROUPS 16
#define N_PLANE_WAVES 36
#define LATENT (N_GROUPS * N_PLANE_WAVES)

#define LAYER_NORM_EPSILON 1e-5
#define CONSTANT 5.0      /* of the constant channels, where a frequency of 100 HU is 1 */
#define RECTIFIER_GAIN 20 /* gelu(20 x) / 20 is about max (x, 0) */
#define GROUP_GAIN 1.5    /* of groups beside the constants */
#define RANDOM_WEIGHT 0.001

struct _DemoWeights
{
  GArray *items;   /* of CheckpointItem */
  GPtrArray *data; /* their numbers */
  GStringChunk *names;
  float *codebook;
  Random random;
};

/** Frequencies of a cosine wave along time (z), height (x) and width (y). */
typedef struct
{
  guint t, h, w;
} Wave;

/* ---- tensors ---- */

static float *
add_tensor (DemoWeights *weights, const char *stem, const char *name, guint n_dims,
            const gint64 *shape)
{
  g_autofree char *full = g_strconcat (stem, name, NULL);
  CheckpointItem item = { .name = g_string_chunk_insert (weights->names, full), .n_dims = n_dims };
  gsize n = 1;
  float *data;

  for (guint i = 0; i < n_dims; i++)
    {
      item.shape[i] = shape[i];
      n *= (gsize) shape[i];
    }
  data = g_new0 (float, MAX (n, 1));
  item.data = data;
  g_array_append_val (weights->items, item);
  g_ptr_array_add (weights->data, data);
  return data;
}

#define ADD(weights, stem, name, ...)                                                              \
  add_tensor (weights, stem, name, G_N_ELEMENTS (((const gint64[]){ __VA_ARGS__ })),               \
              (const gint64[]){ __VA_ARGS__ })

static void
fill (float *data, gsize n, float value)
{
  for (gsize i = 0; i < n; i++)
    data[i] = value;
}

static void
fill_random (DemoWeights *weights, float *data, gsize n, double deviation)
{
  for (gsize i = 0; i < n; i++)
    data[i] = (float) (deviation * random_normal (&weights->random));
}

static void
add_norm (DemoWeights *weights, const char *stem, const char *gamma, const char *beta, gsize width)
{
  fill (ADD (weights, stem, gamma, (gint64) width), width, 1);
  ADD (weights, stem, beta, (gint64) width);
}

/* ---- cosine waves ---- */

/* The k-th function of the orthonormal cosine transform (DCT-II) over n places. */
static double
cosine (guint k, guint i, guint n)
{
  return sqrt ((k == 0 ? 1.0 : 2.0) / n) * cos (G_PI * k * (i + 0.5) / n);
}

static guint
squared_frequency (const Wave *wave)
{
  return wave->t * wave->t + wave->h * wave->h + wave->w * wave->w;
}

static int
compare_waves (gconstpointer a, gconstpointer b)
{
  const Wave *first = a, *second = b;
  int difference = (int) squared_frequency (first) - (int) squared_frequency (second);

  if (difference != 0)
    return difference;
  return first->t != second->t ? (int) first->t - (int) second->t
                               : (int) first->h - (int) second->h;
}

/* All waves of a block, from the lowest frequency up. (element-type Wave) */
static GArray *
list_waves (guint n_t, guint n_h, guint n_w)
{
  GArray *waves = g_array_new (FALSE, FALSE, sizeof (Wave));

  for (guint t = 0; t < n_t; t++)
    for (guint h = 0; h < n_h; h++)
      for (guint w = 0; w < n_w; w++)
        {
          Wave wave = { t, h, w };

          g_array_append_val (waves, wave);
        }
  g_array_sort (waves, compare_waves);
  return waves;
}

/* Which group a frequency of a patch belongs to: along one axis by axis and number; in a plane by
 * plane and coarse or fine; all others together. */
static guint
wave_group (const Wave *wave)
{
  const guint parts[3] = { wave->t, wave->h, wave->w };
  guint used = 0, axis = 0, idle = 0;

  for (guint i = 0; i < 3; i++)
    if (parts[i] > 0)
      {
        used++;
        axis = i;
      }
    else
      idle = i;
  if (used == 1)
    return axis * (DEMO_PATCH - 1) + parts[axis] - 1;
  if (used == 2)
    return 3 * (DEMO_PATCH - 1) + 2 * idle + (squared_frequency (wave) > 6);
  return N_GROUPS - 1;
}

/* ---- the parts of the network ---- */

static void
add_patches (DemoWeights *weights, const Wave *waves)
{
  const char *stem = VIT "to_patch_emb.";
  float *projection, *bias;

  add_norm (weights, stem, "1.weight", "1.bias", PATCH_VOXELS);
  projection = ADD (weights, stem, "2.weight", DEMO_DIM, PATCH_VOXELS);
  bias = ADD (weights, stem, "2.bias", DEMO_DIM);
  add_norm (weights, stem, "3.weight", "3.bias", DEMO_DIM);
  bias[0] = CONSTANT;
  bias[1] = -CONSTANT;
  for (guint i = 0; i < N_FREQUENCIES; i++)
    {
      const Wave *wave = &waves[i];
      /* A wave of 100 HU (root mean square) gives 1; natural images hold less at high frequencies,
       * which are raised. */
      double gain = DEMO_HU_SCALE * sqrt (LAYER_NORM_EPSILON) / 100 / sqrt (PATCH_VOXELS)
                    * sqrt (sqrt (squared_frequency (wave)));
      float *row = projection + (gsize) (N_CONSTANTS + i) * PATCH_VOXELS;

      for (guint t = 0; t < DEMO_PATCH; t++)
        for (guint h = 0; h < DEMO_PATCH; h++)
          for (guint w = 0; w < DEMO_PATCH; w++)
            *row++ = (float) (gain * cosine (wave->t, t, DEMO_PATCH)
                              * cosine (wave->h, h, DEMO_PATCH) * cosine (wave->w, w, DEMO_PATCH));
    }
}

static void
add_position_bias (DemoWeights *weights)
{
  const char *stem = VIT "spatial_rel_pos_bias.net.";
  const double deviation = 1 / sqrt (POSITION_WIDTH);

  fill_random (weights, ADD (weights, stem, "0.0.weight", POSITION_WIDTH, 2), 2 * POSITION_WIDTH,
               deviation);
  ADD (weights, stem, "0.0.bias", POSITION_WIDTH);
  fill_random (weights, ADD (weights, stem, "1.0.weight", POSITION_WIDTH, POSITION_WIDTH),
               POSITION_WIDTH * POSITION_WIDTH, deviation);
  ADD (weights, stem, "1.0.bias", POSITION_WIDTH);
  fill_random (weights, ADD (weights, stem, "2.weight", DEMO_HEADS, POSITION_WIDTH),
               DEMO_HEADS * POSITION_WIDTH, deviation);
  ADD (weights, stem, "2.bias", DEMO_HEADS);
}

/* Position encoding and attention: present, small. */
static void
add_attention (DemoWeights *weights, const char *layer)
{
  const gint64 width = DEMO_HEADS * DIM_HEAD;
  const double deviation = 1 / sqrt (DEMO_DIM);

  fill_random (weights, ADD (weights, layer, "0.dsconv.weight", DEMO_DIM, 1, 3, 3, 3),
               DEMO_DIM * 27, RANDOM_WEIGHT / 27);
  ADD (weights, layer, "0.dsconv.bias", DEMO_DIM);
  ADD (weights, layer, "1.null_kv", DEMO_HEADS, 0, DIM_HEAD);
  fill (ADD (weights, layer, "1.q_scale", DIM_HEAD), DIM_HEAD, 1);
  fill (ADD (weights, layer, "1.k_scale", DIM_HEAD), DIM_HEAD, 1);
  add_norm (weights, layer, "1.norm.gamma", "1.norm.beta", DEMO_DIM);
  fill_random (weights, ADD (weights, layer, "1.to_q.weight", width, DEMO_DIM),
               (gsize) width * DEMO_DIM, deviation);
  fill_random (weights, ADD (weights, layer, "1.to_kv.weight", 2 * width, DEMO_DIM),
               2 * (gsize) width * DEMO_DIM, deviation);
  fill_random (weights, ADD (weights, layer, "1.to_out.weight", DEMO_DIM, width),
               (gsize) width * DEMO_DIM, RANDOM_WEIGHT * deviation);
}

static void
add_random_feed_forward (DemoWeights *weights, const char *layer)
{
  const double deviation = 1 / sqrt (DEMO_DIM);

  add_norm (weights, layer, "3.0.weight", "3.0.bias", DEMO_DIM);
  fill_random (weights, ADD (weights, layer, "3.1.weight", 2 * INNER, DEMO_DIM),
               2 * INNER * DEMO_DIM, deviation);
  fill_random (weights, ADD (weights, layer, "3.4.weight", DEMO_DIM, INNER), DEMO_DIM * INNER,
               RANDOM_WEIGHT * deviation);
}

/* Takes every frequency away (gelu(x) - gelu(-x) = x) and puts the groups' means of |x| in their
 * place. */
static void
add_rectifier (DemoWeights *weights, const char *layer, const Wave *waves)
{
  float *gamma = ADD (weights, layer, "3.0.weight", DEMO_DIM),
        *beta = ADD (weights, layer, "3.0.bias", DEMO_DIM);
  float *in = ADD (weights, layer, "3.1.weight", 2 * INNER, DEMO_DIM);
  float *out = ADD (weights, layer, "3.4.weight", DEMO_DIM, INNER);
  guint members[N_GROUPS] = { 0 };

  G_STATIC_ASSERT (N_CONSTANTS + 2 * N_GROUPS <= DEMO_DIM);
  g_assert (2 * N_FREQUENCIES <= INNER);
  for (guint i = 0; i < N_FREQUENCIES; i++)
    members[wave_group (&waves[i])]++;
  /* The first channel is 1 whatever comes in: the value that the gates let through. */
  beta[0] = 1;
  for (guint i = 0; i < N_FREQUENCIES; i++)
    {
      guint channel = N_CONSTANTS + i, group = wave_group (&waves[i]);

      gamma[channel] = 1;
      for (guint side = 0; side < 2; side++)
        {
          guint unit = 2 * i + side;
          float sign = side == 0 ? 1 : -1,
                half = (float) GROUP_GAIN / RECTIFIER_GAIN / (float) members[group];

          in[unit * DEMO_DIM] = 1;
          in[(INNER + unit) * DEMO_DIM + channel] = sign * RECTIFIER_GAIN;
          out[channel * INNER + unit] -= sign / RECTIFIER_GAIN;
          out[(N_CONSTANTS + group) * INNER + unit] += half;
          out[(N_CONSTANTS + N_GROUPS + group) * INNER + unit] -= half;
        }
    }
}

/* Latent number (plane wave, group): how that group follows the wave over the image plane. */
static void
add_projection (DemoWeights *weights)
{
  g_autoptr (GArray) waves = list_waves (1, DEMO_TOKENS_HW, DEMO_TOKENS_HW);
  float *at = ADD (weights, "trained_model.", "to_visual_latent.weight", LATENT,
                   DEMO_TOKENS_HW * DEMO_TOKENS_HW * DEMO_DIM);

  for (guint i = 0; i < N_PLANE_WAVES; i++)
    for (guint group = 0; group < N_GROUPS; group++)
      for (guint h = 0; h < DEMO_TOKENS_HW; h++)
        for (guint w = 0; w < DEMO_TOKENS_HW; w++, at += DEMO_DIM)
          {
            const Wave *wave = &g_array_index (waves, Wave, i);

            at[N_CONSTANTS + group] =
                (float) (cosine (wave->h, h, DEMO_TOKENS_HW) * cosine (wave->w, w, DEMO_TOKENS_HW));
          }
}

DemoWeights *
demo_weights_new (guint64 seed)
{
  DemoWeights *weights = g_new0 (DemoWeights, 1);
  g_autoptr (GArray) waves = list_waves (DEMO_PATCH, DEMO_PATCH, DEMO_PATCH);
  const Wave *lowest =
      &g_array_index (waves, Wave, 1); /* without the mean, which LayerNorm has taken */
  const char *spatial = VIT "enc_spatial_transformer.",
             *spatial_layer = VIT "enc_spatial_transformer.layers.0.";
  const char *temporal = VIT "enc_temporal_transformer.",
             *temporal_layer = VIT "enc_temporal_transformer.layers.0.";

  weights->items = g_array_new (FALSE, FALSE, sizeof (CheckpointItem));
  weights->data = g_ptr_array_new_with_free_func (g_free);
  weights->names = g_string_chunk_new (4096);
  random_init (&weights->random, seed, 0);
  add_position_bias (weights);
  add_patches (weights, lowest);
  add_attention (weights, spatial_layer);
  add_rectifier (weights, spatial_layer, lowest);
  add_norm (weights, spatial, "norm_out.gamma", "norm_out.beta", DEMO_DIM);
  add_attention (weights, temporal_layer);
  add_random_feed_forward (weights, temporal_layer);
  add_norm (weights, temporal, "norm_out.gamma", "norm_out.beta", DEMO_DIM);
  fill (ADD (weights, VIT, "vq._codebook.initted", 1), 1, 1);
  weights->codebook = ADD (weights, VIT, "vq._codebook.embed", 1, DEMO_CODES, DEMO_DIM);
  fill_random (weights, weights->codebook, DEMO_CODES * DEMO_DIM, 1);
  add_projection (weights);
  /* CT-LiPro's head has a place here too; it knows nothing. */
  ADD (weights, "classifier.", "weight", CATALOG_N_LABELS, LATENT);
  ADD (weights, "classifier.", "bias", CATALOG_N_LABELS);
  return weights;
}

void
demo_weights_free (DemoWeights *weights)
{
  if (weights == NULL)
    return;
  g_array_unref (weights->items);
  g_ptr_array_unref (weights->data);
  g_string_chunk_free (weights->names);
  g_free (weights);
}

float *
demo_weights_codebook (DemoWeights *weights)
{
  return weights->codebook;
}

gboolean
demo_weights_write (const DemoWeights *weights, const char *path, GError **error)
{
  return checkpoint_write_zip (path, TRUE,
                               (const CheckpointItem *) (gconstpointer) weights->items->data,
                               weights->items->len, error);
}

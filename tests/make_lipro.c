/* make_lipro OUT.pt [--seed N]: a full-size checkpoint whose numbers are NumPy's frozen MT19937
 * stream, seeded by each tensor's name, so that golden outputs made elsewhere belong to it. Only
 * what the image path and the classifier need is written. The names and shapes are read from
 * $CTCLIP_TEST_DATA/tools/lipro_keys.json. */
#include "model/checkpoint.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* ---- NumPy's RandomState ---- */

/* MT19937 (Matsumoto & Nishimura 1998), doubles of 53 bits, Marsaglia's polar normals. */

typedef struct
{
  guint32 words[624];
  guint at;
  gboolean has_spare;
  double spare;
} Stream;

static void
stream_seed (Stream *stream, guint32 seed)
{
  for (guint i = 0; i < 624; i++)
    {
      stream->words[i] = seed;
      seed = 1812433253u * (seed ^ (seed >> 30)) + i + 1;
    }
  stream->at = 624;
  stream->has_spare = FALSE;
}

static guint32
stream_word (Stream *stream)
{
  guint32 *w = stream->words, y;

  if (stream->at == 624)
    {
      for (guint i = 0; i < 624; i++)
        {
          y = (w[i] & 0x80000000u) | (w[(i + 1) % 624] & 0x7fffffffu);
          w[i] = w[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
        }
      stream->at = 0;
    }
  y = w[stream->at++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

static double
stream_double (Stream *stream)
{
  guint32 a = stream_word (stream) >> 5, b = stream_word (stream) >> 6;

  return (a * 67108864.0 + b) / 9007199254740992.0;
}

static double
stream_normal (Stream *stream)
{
  double x, y, square, factor;

  if (stream->has_spare)
    {
      stream->has_spare = FALSE;
      return stream->spare;
    }
  do
    {
      x = 2.0 * stream_double (stream) - 1.0;
      y = 2.0 * stream_double (stream) - 1.0;
      square = x * x + y * y;
    }
  while (square >= 1.0 || square == 0.0);
  factor = sqrt (-2.0 * log (square) / square);
  stream->spare = factor * x;
  stream->has_spare = TRUE;
  return factor * y;
}

/* ---- tensors ---- */

typedef struct
{
  const char *name;
  guint n_dims;
  gint64 shape[CHECKPOINT_MAX_DIMS];
  guint32 seed;
} Tensor;

static gboolean
ends_with (const char *name, const char *const *ends)
{
  for (; *ends != NULL; ends++)
    if (g_str_has_suffix (name, *ends))
      return TRUE;
  return FALSE;
}

static void
fill_uniform (Stream *stream, float *numbers, gsize n, double low, double high)
{
  for (gsize i = 0; i < n; i++)
    numbers[i] = (float) (low + (high - low) * stream_double (stream));
}

/** What kind of numbers a tensor gets goes by its name. */
static gboolean
fill (float *numbers, gsize n, gpointer user_data, GError **error)
{
  static const char *const scales[] = { ".gamma", "q_scale", "k_scale", NULL };
  const Tensor *tensor = user_data;
  Stream stream;

  stream_seed (&stream,
               ((guint32) crc32 (0, (const Bytef *) tensor->name, (uInt) strlen (tensor->name))
                + tensor->seed));
  if (g_str_has_suffix (tensor->name, "initted"))
    fill_uniform (&stream, numbers, n, 1, 1);
  else if (g_str_has_suffix (tensor->name, "cluster_size"))
    fill_uniform (&stream, numbers, n, 0, 50);
  else if (ends_with (tensor->name, scales)
           || (tensor->n_dims == 1 && g_str_has_suffix (tensor->name, "weight")))
    fill_uniform (&stream, numbers, n, 0.6, 1.4);
  else if (g_str_has_suffix (tensor->name, ".beta")
           || (tensor->n_dims == 1 && g_str_has_suffix (tensor->name, ".bias")))
    fill_uniform (&stream, numbers, n, -0.2, 0.2);
  else if (g_str_has_suffix (tensor->name, "_codebook.embed"))
    {
      gsize width = (gsize) tensor->shape[tensor->n_dims - 1];
      g_autofree double *normals = g_new (double, n);

      for (gsize i = 0; i < n; i++)
        normals[i] = stream_normal (&stream);
      for (gsize row = 0; row < n / width; row++)
        {
          double length = 0.7 + (1.3 - 0.7) * stream_double (&stream);

          for (gsize i = 0; i < width; i++)
            numbers[row * width + i] = (float) (normals[row * width + i] * length);
        }
    }
  else
    {
      double fan_in = 1;

      for (guint i = 1; i < tensor->n_dims; i++)
        fan_in *= (double) tensor->shape[i];
      for (gsize i = 0; i < n; i++)
        numbers[i] = (float) (stream_normal (&stream) / sqrt (MAX (fan_in, 1)));
    }
  return TRUE;
}

static gboolean
is_unused (const char *name)
{
  static const char *const unused[] = {
    "to_visual_latent_extra",   "to_text_latent",   "to_pixels",
    "to_patch_emb_first_frame", "text_transformer", "temperature"
  };

  for (guint i = 0; i < G_N_ELEMENTS (unused); i++)
    if (strstr (name, unused[i]) != NULL)
      return TRUE;
  return FALSE;
}

/** The names and shapes that are written, and where their numbers come from. */
static guint
list_items (const json_t *keys, guint32 seed, Tensor *tensors, CheckpointItem *items)
{
  guint n = 0;

  for (size_t i = 0; i < json_array_size (keys); i++)
    {
      const json_t *key = json_array_get (keys, i), *shape = json_array_get (key, 1);
      const char *name = json_string_value (json_array_get (key, 0));

      if (is_unused (name) || strcmp (json_string_value (json_array_get (key, 2)), "float32") != 0)
        continue;
      tensors[n].name = items[n].name = name;
      tensors[n].n_dims = items[n].n_dims = (guint) json_array_size (shape);
      for (guint d = 0; d < items[n].n_dims; d++)
        tensors[n].shape[d] = items[n].shape[d] = json_integer_value (json_array_get (shape, d));
      tensors[n].seed = seed;
      items[n].fill = fill;
      items[n].user_data = &tensors[n];
      n++;
    }
  return n;
}

int
main (int argc, char **argv)
{
  int seed = 1;
  const GOptionEntry options[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "of the numbers; there are golden files for 1", "N" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("OUT.pt");
  const char *data = g_getenv ("CTCLIP_TEST_DATA");
  g_autofree char *keys_path =
      g_build_filename (data != NULL ? data : ".", "tools", "lipro_keys.json", NULL);
  json_t *keys = json_load_file (keys_path, 0, NULL);
  g_autofree Tensor *tensors = g_new0 (Tensor, json_array_size (keys) + 1);
  g_autofree CheckpointItem *items = g_new0 (CheckpointItem, json_array_size (keys) + 1);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 2 || keys == NULL)
    {
      fprintf (stderr,
               "make_lipro OUT.pt [--seed N]; needs $CTCLIP_TEST_DATA/tools/lipro_keys.json\n");
      json_decref (keys);
      return 2;
    }
  if (!checkpoint_write_zip (argv[1], TRUE, items,
                             list_items (keys, (guint32) seed, tensors, items), &error))
    fprintf (stderr, "%s\n", error->message);
  json_decref (keys);
  return error != NULL;
}

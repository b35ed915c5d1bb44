/* Encoding with rounded products beside float32: `--precision int16` on the processor, `bf16` in
 * libtorch's form. */
#include "testing_encoder.h"

#include "base/error.h"
#include "base/random.h"
#include "testing.h"

#include <math.h>
#include <string.h>

/* What this form has, and the other's. */
#define ROUNDED (TESTING_OWN_LOOPS ? ENCODER_INT16 : ENCODER_BF16)
#define NOT_HERE (TESTING_OWN_LOOPS ? ENCODER_BF16 : ENCODER_INT16)

#define MOST_FLIPPED 25 /* one of so many tokens */
#define LARGEST_DIFFERENCE (TESTING_OWN_LOOPS ? 0.02 : 0.1)
#define CODES "trained_model.visual_transformer.vq._codebook.embed"

static EngineEncoder *
open_checkpoint (Engine *engine, const char *folder, const char *path, EncoderPrecision precision)
{
  g_autoptr (EncoderDescription) description = testing_description (folder);
  g_autoptr (GError) error = NULL;
  EngineEncoder *encoder;

  description->precision = precision;
  encoder = engine_encoder_open (engine, path, description, &error);
  assert_no_error (error);
  return encoder;
}

static EngineEncoder *
open_tiny (Engine *engine, const char *folder, EncoderPrecision precision)
{
  g_autofree char *path = g_build_filename ("golden", folder, "lipro.pt", NULL);

  return open_checkpoint (engine, folder, testing_data (path), precision);
}

static NpyArray *
input_of (const char *folder)
{
  g_autofree char *path = g_build_filename ("golden", folder, "input.npy", NULL);

  return testing_npy (path);
}

static float *
encode (EngineEncoder *encoder, const NpyArray *input, EngineProbe probe, gpointer user_data)
{
  float *latents = g_new (float, input->shape[0] * engine_encoder_info (encoder)->latent_width);
  g_autoptr (GError) error = NULL;

  engine_encode (encoder, input->data, input->shape[0], latents, probe, user_data, NULL, &error);
  assert_no_error (error);
  return latents;
}

/* ---- close to float32 ---- */

typedef struct
{
  GArray *tokens, *codes; /* of float, of gint64 */
} Shown;

#define SHOWN_NEW                                                                                  \
  {                                                                                                \
    g_array_new (FALSE, FALSE, sizeof (float)), g_array_new (FALSE, FALSE, sizeof (gint64))        \
  }

static void
remember (const char *name, guint n_dims, const gint64 *shape, const void *data, gpointer user_data)
{
  Shown *shown = user_data;

  if (strcmp (name, "vq_in") == 0)
    g_array_append_vals (shown->tokens, data, (guint) (shape[0] * shape[n_dims - 1]));
  if (strcmp (name, "vq_indices") == 0)
    g_array_append_vals (shown->codes, data, (guint) shape[0]);
}

static void
shown_clear (Shown *shown)
{
  g_array_unref (shown->tokens);
  g_array_unref (shown->codes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Shown, shown_clear)

static void
test_latents_lie_close_to_the_references (void **state)
{
  g_autoptr (EngineEncoder) encoder = open_tiny (testing_engine (), "tiny_a", ROUNDED);
  const gsize width = engine_encoder_info (encoder)->latent_width;
  g_autoptr (NpyArray) input = input_of ("tiny_a");
  g_autoptr (NpyArray) expected = testing_npy ("golden/tiny_a/latent.npy");
  g_autoptr (NpyArray) tokens = testing_npy ("golden/tiny_a/vq_in.npy");
  g_autoptr (NpyArray) codes = testing_npy ("golden/tiny_a/vq_indices.npy");
  g_auto (Shown) shown = SHOWN_NEW;
  g_autofree float *latents = encode (encoder, input, remember, &shown);
  double difference;
  guint flipped = 0;

  for (gsize i = 0; i < input->shape[0]; i++)
    {
      double cosine = 0; /* both have norm 1 */

      for (gsize k = i * width; k < (i + 1) * width; k++)
        cosine += (double) latents[k] * ((const float *) expected->data)[k];
      print_message ("cosine %.9f\n", cosine);
      assert_true (cosine > 0.999);
    }
  assert_int_equal (shown.codes->len, codes->n);
  for (guint i = 0; i < shown.codes->len; i++)
    flipped += g_array_index (shown.codes, gint64, i) != ((gint64 *) codes->data)[i];
  print_message ("another code in %u of %u tokens\n", flipped, shown.codes->len);
  assert_true (flipped <= shown.codes->len / MOST_FLIPPED);
  /* It is not float32 under another name. */
  assert_int_equal (shown.tokens->len, tokens->n);
  difference = testing_max_difference ((float *) shown.tokens->data, tokens->data, tokens->n);
  print_message ("largest difference before the codes %.3g\n", difference);
  assert_true (difference > 1e-4 && difference < LARGEST_DIFFERENCE);
}

static void
test_any_number_of_threads_gives_the_same_bits (void **state)
{
  g_autoptr (EngineEncoder) two = open_tiny (testing_engine (), "tiny_a", ROUNDED);
  g_autoptr (NpyArray) input = input_of ("tiny_a");
  g_autofree float *expected = encode (two, input, NULL, NULL);

  for (guint threads = 1; threads <= 5; threads += 2)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (Engine) engine = engine_open (TESTING_DEVICE, threads, &error);
      g_autoptr (EngineEncoder) encoder = open_tiny (engine, "tiny_a", ROUNDED);
      g_autofree float *latents = encode (encoder, input, NULL, NULL);

      assert_memory_equal (latents, expected,
                           input->shape[0] * engine_encoder_info (encoder)->latent_width
                               * sizeof *latents);
    }
}

/* ---- codes ---- */

/** Cosine of a token and a code. */
static double
score (const float *token, const float *code, gsize n)
{
  double product = 0, token_size = 0, code_size = 0;

  for (gsize i = 0; i < n; i++)
    {
      product += (double) token[i] * code[i];
      token_size += (double) token[i] * token[i];
      code_size += (double) code[i] * code[i];
    }
  return product / sqrt (token_size * code_size);
}

/** All codes become the first one but for a little: less than rounding takes from a score. */
static gboolean
draw_codes_together (CheckpointItem *item, float *data, gpointer user_data)
{
  Random random;
  gsize dim;

  if (strcmp (item->name, CODES) != 0)
    return TRUE;
  dim = (gsize) item->shape[item->n_dims - 1];
  random_init (&random, 1, 0);
  for (gsize i = dim; i < dim * (gsize) item->shape[1]; i++)
    data[i] = data[i % dim] * (float) (1 + 4e-4 * random_uniform (&random));
  return TRUE;
}

/** No code that the rounded scores leave out is nearer than the one that is taken. */
static void
test_the_nearest_code_is_taken_as_float32_scores_it (void **state)
{
  g_autofree char *path =
      testing_changed_checkpoint ("tiny_a", "lipro.pt", draw_codes_together, NULL);
  g_autoptr (EngineEncoder) encoder = open_checkpoint (testing_engine (), "tiny_a", path, ROUNDED);
  const gsize dim = engine_encoder_info (encoder)->dim;
  g_autoptr (NpyArray) input = input_of ("tiny_a");
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) checkpoint = checkpoint_open (path, &error);
  const CheckpointTensor *tensor = checkpoint_find (checkpoint, CODES);
  g_autofree float *codes = checkpoint_read_float (checkpoint, tensor, &error);
  g_auto (Shown) shown = SHOWN_NEW;
  g_autofree float *latents = encode (encoder, input, remember, &shown);

  assert_no_error (error);
  assert_true (shown.codes->len > 0 && shown.codes->len * dim == shown.tokens->len);
  for (gsize t = 0; t < shown.codes->len; t++)
    {
      const float *token = &g_array_index (shown.tokens, float, t *dim);
      const gint64 taken = g_array_index (shown.codes, gint64, t);
      const double its = score (token, codes + taken * (gint64) dim, dim);

      for (gsize c = 0; c < (gsize) tensor->n / dim; c++)
        if (score (token, codes + c * dim, dim) > its + 1e-6)
          fail_msg ("token %d: code %d is nearer than code %d", (int) t, (int) c, (int) taken);
    }
}

/* ---- who is who ---- */

static void
test_another_precision_is_another_encoder (void **state)
{
  g_autoptr (EngineEncoder) float32 = open_tiny (testing_engine (), "tiny_a", ENCODER_FLOAT32);
  g_autoptr (EngineEncoder) rounded = open_tiny (testing_engine (), "tiny_a", ROUNDED);

  assert_string_not_equal (engine_encoder_info (float32)->weights_hash,
                           engine_encoder_info (rounded)->weights_hash);
}

static void
test_a_precision_of_the_other_form_is_refused_with_the_way_out (void **state)
{
  g_autoptr (EncoderDescription) description = testing_description ("tiny_a");
  g_autoptr (GError) error = NULL;

  description->precision = NOT_HERE;
  assert_null (engine_encoder_open (testing_engine (), "any.pt", description, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED));
  assert_error_says (&error, encoder_precision_name (NOT_HERE), "--precision",
                     encoder_precision_name (ROUNDED), "--device", NULL);
}

static void
test_a_precision_that_is_not_there_is_answered_with_those_that_are (void **state)
{
  EncoderPrecision precision = ENCODER_N_PRECISIONS;
  g_autoptr (GError) error = NULL;

  assert_false (encoder_precision_parse ("int61", &precision, &error));
  assert_error_says (&error, "int61", "float32", "int16", "bf16", NULL);
  for (EncoderPrecision i = 0; i < ENCODER_N_PRECISIONS; i++)
    {
      assert_true (encoder_precision_parse (encoder_precision_name (i), &precision, &error));
      assert_int_equal (precision, i);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_latents_lie_close_to_the_references),
    cmocka_unit_test (test_any_number_of_threads_gives_the_same_bits),
    cmocka_unit_test (test_the_nearest_code_is_taken_as_float32_scores_it),
    cmocka_unit_test (test_another_precision_is_another_encoder),
    cmocka_unit_test (test_a_precision_of_the_other_form_is_refused_with_the_way_out),
    cmocka_unit_test (test_a_precision_that_is_not_there_is_answered_with_those_that_are),
  };

  return cmocka_run_group_tests_name ("precision", tests, NULL, NULL);
}

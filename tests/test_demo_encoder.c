#include "testing.h"

#include "base/file_hash.h"
#include "model/checkpoint.h"
#include "study/demo_encoder.h"
#include "study/demo_weights.h"
#include "study/phantom.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define SEED 3

static Engine *
engine (void)
{
  static Engine *opened;
  g_autoptr (GError) error = NULL;

  if (opened == NULL)
    {
      opened = engine_open ("cpu", 2, &error);
      assert_no_error (error);
    }
  return opened;
}

/** A folder with the encoder of a seed. g_free it. */
static char *
make_encoder (const char *name, guint64 seed)
{
  char *directory = testing_path (name);
  g_autoptr (GError) error = NULL;

  g_mkdir (directory, 0777);
  demo_encoder_write (directory, engine (), seed, 2, NULL, NULL, NULL, &error);
  assert_no_error (error);
  return directory;
}

static const char *
first_encoder (void)
{
  static char *directory;

  if (directory == NULL)
    directory = make_encoder ("first", SEED);
  return directory;
}

static EngineEncoder *
open_encoder (const char *directory)
{
  g_autofree char *checkpoint = g_build_filename (directory, DEMO_ENCODER_CHECKPOINT, NULL);
  g_autofree char *path = g_build_filename (directory, DEMO_ENCODER_DESCRIPTION, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (EncoderDescription) description = encoder_description_read (path, &error);
  EngineEncoder *encoder;

  assert_no_error (error);
  encoder = engine_encoder_open (engine (), checkpoint, description, &error);
  assert_no_error (error);
  return encoder;
}

static char *
hash_checkpoint (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autoptr (GError) error = NULL;
  char *hash = file_hash (path, NULL, &error);

  assert_no_error (error);
  return hash;
}

static void
test_the_same_seed_gives_the_same_encoder (void **state)
{
  g_autofree char *directory = make_encoder ("again", SEED);
  g_autofree char *first = hash_checkpoint (first_encoder (), DEMO_ENCODER_CHECKPOINT);
  g_autofree char *again = hash_checkpoint (directory, DEMO_ENCODER_CHECKPOINT);

  assert_string_equal (first, again);
}

static void
test_another_seed_gives_other_weights (void **state)
{
  char *hashes[2];

  for (guint64 i = 0; i < 2; i++)
    {
      g_autofree char *path = testing_path ("weights.pt");
      g_autoptr (DemoWeights) weights = demo_weights_new (SEED + i);
      g_autoptr (GError) error = NULL;

      demo_weights_write (weights, path, &error);
      assert_no_error (error);
      hashes[i] = file_hash (path, NULL, &error);
      assert_no_error (error);
    }
  assert_string_not_equal (hashes[0], hashes[1]);
  g_free (hashes[0]);
  g_free (hashes[1]);
}

static void
test_the_checkpoint_has_the_real_ones_keys (void **state)
{
  g_autofree char *path = g_build_filename (first_encoder (), DEMO_ENCODER_CHECKPOINT, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) checkpoint = checkpoint_open (path, &error);
  g_autoptr (EngineEncoder) encoder = open_encoder (first_encoder ());
  const EngineEncoderInfo *info = engine_encoder_info (encoder);

  assert_no_error (error);
  assert_non_null (
      checkpoint_find (checkpoint, "trained_model.visual_transformer.to_patch_emb.2.weight"));
  assert_non_null (
      checkpoint_find (checkpoint, "trained_model.visual_transformer.vq._codebook.embed"));
  assert_non_null (checkpoint_find (checkpoint, "trained_model.to_visual_latent.weight"));
  assert_non_null (checkpoint_find (checkpoint, "classifier.bias"));
  assert_int_equal (info->dim, DEMO_DIM);
  assert_int_equal (info->codebook_size, DEMO_CODES);
  assert_int_equal (info->tokens_t, DEMO_TOKENS_T);
  assert_true (info->has_classifier);
}

/* ---- what the network computes, against the formulas in demo_encoder.h ---- */

typedef struct
{
  float tokens[DEMO_DIM];
  gsize token; /* which one to keep */
  gint64 codes_seen[DEMO_CODES];
} Probe;

static void
keep (const char *name, guint n_dims, const gint64 *shape, const void *data, gpointer user_data)
{
  Probe *probe = user_data;

  if (strcmp (name, "vq_in") == 0)
    memcpy (probe->tokens, (const float *) data + probe->token * DEMO_DIM, sizeof probe->tokens);
  if (strcmp (name, "vq_indices") == 0)
    for (gsize i = 0; i < DEMO_TOKENS_T * DEMO_TOKENS_HW * DEMO_TOKENS_HW; i++)
      probe->codes_seen[((const gint64 *) data)[i]]++;
}

static void
test_groups_rise_with_contrast_and_do_not_mind_its_sign (void **state)
{
  const gsize n = DEMO_FRAMES * DEMO_IMAGE * DEMO_IMAGE;
  g_autofree float *input = g_new0 (float, n);
  g_autoptr (EngineEncoder) encoder = open_encoder (first_encoder ());
  g_autofree float *latent = g_new (float, engine_encoder_info (encoder)->latent_width);
  g_autoptr (GError) error = NULL;
  /* A step along the slices in the first patch, of so many HU. */
  const double steps[] = { 0, 100, -100, 300 };
  float groups[G_N_ELEMENTS (steps)];

  for (guint step = 0; step < G_N_ELEMENTS (steps); step++)
    {
      Probe probe = { .token = 0 };

      for (gsize z = 0; z < DEMO_PATCH / 2; z++)
        for (gsize x = 0; x < DEMO_PATCH; x++)
          for (gsize y = 0; y < DEMO_PATCH; y++)
            input[(z * DEMO_IMAGE + x) * DEMO_IMAGE + y] = (float) (steps[step] / DEMO_HU_SCALE);
      assert_true (engine_encode (encoder, input, 1, latent, keep, &probe, NULL, &error));
      groups[step] = probe.tokens[2]; /* the lowest frequency along the slices */
      /* Each group stands there with its negative. */
      assert_true (fabsf (probe.tokens[2] + probe.tokens[2 + 16]) < 0.05f);
    }
  assert_true (fabsf (groups[0]) < 0.02f);
  assert_true (groups[1] > 0.05f);
  assert_true (fabsf (groups[2] - groups[1]) < 0.1f * groups[1]);
  assert_true (groups[3] > 2 * groups[1]);
}

static void
test_many_codes_are_used_and_findings_move_the_latent (void **state)
{
  g_autoptr (EngineEncoder) encoder = open_encoder (first_encoder ());
  guint width = engine_encoder_info (encoder)->latent_width, used = 0;
  g_autofree float *latents = g_new (float, 2 * width);
  const gsize n[3] = { DEMO_IMAGE, DEMO_IMAGE, DEMO_FRAMES };
  g_autofree float *input = g_new (float, n[0] * n[1] * n[2]);
  Probe probe = { .token = 0 };
  g_autoptr (GError) error = NULL;
  double cosine = 0;

  for (guint with = 0; with < 2; with++)
    {
      g_autoptr (PhantomGrid) grid =
          phantom_grid_new (n, (PhantomVector){ 5, 5, 6.5f }, (PhantomVector){ 0, 0, 0 });
      double square = 0;
      gsize i = 0;

      phantom_paint (grid, SEED, 5, with << 12); /* pleural effusion */
      for (gsize z = 0; z < n[2]; z++)
        for (gsize y = 0; y < n[1]; y++)
          for (gsize x = 0; x < n[0]; x++, i++)
            input[(z * n[0] + x) * n[1] + y] = CLAMP (grid->hu[i], -1000, 3000) / DEMO_HU_SCALE;
      assert_true (
          engine_encode (encoder, input, 1, latents + with * width, keep, &probe, NULL, &error));
      for (guint k = 0; k < width; k++)
        square += latents[with * width + k] * latents[with * width + k];
      assert_true (fabs (square - 1) < 1e-4);
    }
  for (guint code = 0; code < DEMO_CODES; code++)
    used += probe.codes_seen[code] > 0;
  assert_true (used > DEMO_CODES / 4);
  for (guint k = 0; k < width; k++)
    cosine += latents[k] * latents[width + k];
  assert_true (cosine < 0.999);
}

static void
test_a_folder_that_is_not_there_is_named (void **state)
{
  g_autofree char *directory = testing_path ("nowhere");
  g_autoptr (GError) error = NULL;

  assert_false (demo_encoder_write (directory, engine (), SEED, 2, NULL, NULL, NULL, &error));
  assert_error_says (&error, "nowhere", DEMO_ENCODER_DESCRIPTION, NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_the_same_seed_gives_the_same_encoder),
    cmocka_unit_test (test_another_seed_gives_other_weights),
    cmocka_unit_test (test_the_checkpoint_has_the_real_ones_keys),
    cmocka_unit_test (test_groups_rise_with_contrast_and_do_not_mind_its_sign),
    cmocka_unit_test (test_many_codes_are_used_and_findings_move_the_latent),
    cmocka_unit_test (test_a_folder_that_is_not_there_is_named),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

/*
 * Slow (2 GB of memory, 0.7 GB of disk): the whole path from a stored volume to its
 * latent, with an encoder of the real size. $CTCLIP_FULL_CHECKPOINT names a checkpoint that
 * tools/make_lipro.py or tests/make_lipro made with seed 1, where one is at hand already.
 */
#include "testing.h"

#include "base/share.h"
#include "model/engine.h"
#include "volume/prepare.h"

#include <math.h>
#include <string.h>

#define INPUT_TOLERANCE 2e-6
#define TOKENS_TOLERANCE 5e-4
#define CLEAR_MARGIN 1e-5
#define LATENT_TOLERANCE 1e-6
#define LATENT_TOLERANCE_PER_INDEX 1e-3

/* The form that is tested: "cpu", or "torch" where it is compiled with that. */
#ifndef TESTING_DEVICE
#define TESTING_DEVICE "cpu"
#endif

static Engine *engine;
static EngineEncoder *encoder;
static EncoderDescription *description;

/* ---- the encoder ---- */

/** tests/make_lipro of this build, beside this program. */
static void
make_checkpoint (const char *path)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = g_path_get_dirname (self);
  g_autofree char *top =
      g_str_has_suffix (folder, ".libs") ? g_path_get_dirname (folder) : g_strdup (folder);
  g_autofree char *tool = g_build_filename (top, "make_lipro", NULL);
  const char *arguments[] = { tool, "--seed", "1", path, NULL };
  g_autoptr (GError) error = NULL;
  int status = -1;

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status,
                &error);
  assert_no_error (error);
  assert_int_equal (status, 0);
}

static int
open_encoder (void **state)
{
  g_autofree char *made = testing_path ("lipro_full.pt");
  const char *path = g_getenv ("CTCLIP_FULL_CHECKPOINT");
  g_autofree char *description_path = NULL;
  g_autoptr (GError) error = NULL;

  if (g_getenv ("CTCLIP_TEST_DATA") == NULL)
    return 0; /* the tests skip themselves */
  if (path == NULL || *path == '\0')
    {
      make_checkpoint (made);
      path = made;
    }
  description_path = share_find ("encoders/ct-clip.ini", &error);
  assert_no_error (error);
  description = encoder_description_read (description_path, &error);
  assert_no_error (error);
  engine = engine_open (TESTING_DEVICE, 2, &error);
  assert_no_error (error);
  encoder = engine_encoder_open (engine, path, description, &error);
  assert_no_error (error);
  return 0;
}

static int
close_encoder (void **state)
{
  g_clear_pointer (&encoder, engine_encoder_close);
  g_clear_pointer (&engine, engine_close);
  g_clear_pointer (&description, encoder_description_free);
  return 0;
}

/* ---- one volume ---- */

typedef struct
{
  float *vq_in;
  gint64 *vq_indices;
} Tokens;

static void
keep_tokens (const char *name, guint n_dims, const gint64 *shape, const void *data,
             gpointer user_data)
{
  Tokens *tokens = user_data;

  if (strcmp (name, "vq_in") == 0)
    tokens->vq_in = g_memdup2 (data, (gsize) (shape[0] * shape[1]) * sizeof (float));
  else if (strcmp (name, "vq_indices") == 0)
    tokens->vq_indices = g_memdup2 (data, (gsize) shape[0] * sizeof (gint64));
}

static NpyArray *
golden (const char *volume, const char *what)
{
  g_autofree char *relative = g_strdup_printf ("golden/full_seed1/%s_%s.npy", volume, what);

  return testing_npy (relative);
}

static float *
prepare (const char *volume, const VolumeMetadata *metadata)
{
  VolumePreparation preparation = volume_preparation_default ();
  g_autofree char *relative = g_strdup_printf ("data/%s.nii.gz", volume);
  float *tensor = g_new (float, preparation.shape[0] * preparation.shape[1] * preparation.shape[2]);
  VolumePrepared prepared;
  g_autoptr (GError) error = NULL;

  preparation.rescale = VOLUME_RESCALE_BOTH;
  preparation.orient = VOLUME_ORIENT_AS_STORED;
  volume_prepare (testing_data (relative), metadata, &preparation, 2, tensor, &prepared, NULL,
                  &error);
  assert_no_error (error);
  return tensor;
}

static void
check_input (const char *volume, const float *tensor)
{
  g_autoptr (NpyArray) expected = golden (volume, "input_every4");
  const gsize *n = expected->shape;
  double largest = 0;

  for (gsize z = 0; z < n[0]; z++)
    for (gsize x = 0; x < n[1]; x++)
      for (gsize y = 0; y < n[2]; y++)
        {
          gsize ours =
              (z * 4 * description->image_height + x * 4) * description->image_width + y * 4;
          float golden_voxel = ((float *) expected->data)[(z * n[1] + x) * n[2] + y];

          largest = MAX (largest, fabs ((double) tensor[ours] - golden_voxel));
        }
  print_message ("%s: input differs by %.3g\n", volume, largest);
  assert_true (largest <= INPUT_TOLERANCE);
}

static void
check_tokens (const char *volume, const float *vq_in)
{
  g_autoptr (NpyArray) expected = golden (volume, "vq_in_every97");
  const gsize dim = expected->shape[1];
  double largest = 0;

  for (gsize row = 0; row < expected->shape[0]; row++)
    largest = MAX (largest, testing_max_difference (vq_in + row * 97 * dim,
                                                    (float *) expected->data + row * dim, dim));
  print_message ("%s: tokens differ by %.3g\n", volume, largest);
  assert_true (largest <= TOKENS_TOLERANCE);
}

/** Returns: indices that differ, all of them where the margin is not clear. */
static guint
check_indices (const char *volume, const gint64 *indices)
{
  g_autoptr (NpyArray) expected = golden (volume, "vq_indices");
  g_autoptr (NpyArray) margin = golden (volume, "vq_margin");
  guint flipped = 0;

  assert_int_equal (expected->type, NPY_INT16);
  for (gsize i = 0; i < expected->n; i++)
    if (indices[i] != ((gint16 *) expected->data)[i])
      {
        assert_true (((float *) margin->data)[i] <= CLEAR_MARGIN);
        flipped++;
      }
  print_message ("%s: %u of %" G_GSIZE_FORMAT " indices differ\n", volume, flipped, expected->n);
  return flipped;
}

static void
check_volume (const char *volume, const VolumeMetadata *metadata)
{
  g_autoptr (NpyArray) expected = golden (volume, "latent");
  g_autofree float *tensor = prepare (volume, metadata);
  g_autofree float *latent = g_new (float, expected->n);
  g_autofree float *vq_in = NULL;
  g_autofree gint64 *vq_indices = NULL;
  g_autoptr (GError) error = NULL;
  Tokens tokens = { NULL };
  double difference;
  guint flipped;

  check_input (volume, tensor);
  engine_encode (encoder, tensor, 1, latent, keep_tokens, &tokens, NULL, &error);
  assert_no_error (error);
  vq_in = tokens.vq_in;
  vq_indices = tokens.vq_indices;
  check_tokens (volume, vq_in);
  flipped = check_indices (volume, vq_indices);
  difference = testing_max_difference (latent, expected->data, expected->n);
  print_message ("%s: latent differs by %.3g\n", volume, difference);
  assert_true (difference
               <= (flipped == 0 ? LATENT_TOLERANCE : LATENT_TOLERANCE_PER_INDEX * flipped));
}

static void
test_whole_chest_gives_the_references_latent (void **state)
{
  /* golden/full_seed1/volumes.csv */
  const VolumeMetadata metadata = { 1, 0, 1.0, 0.78125, 0.78125 };

  check_volume ("chest_lidc_0314", &metadata);
}

static void
test_cropped_chest_gives_the_references_latent (void **state)
{
  const VolumeMetadata metadata = { 1, 0, 1.5, 1.5, 1.5 };

  check_volume ("chest_cropped_lps", &metadata);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_whole_chest_gives_the_references_latent),
    cmocka_unit_test (test_cropped_chest_gives_the_references_latent),
  };

  return cmocka_run_group_tests_name ("full", tests, open_encoder, close_encoder);
}

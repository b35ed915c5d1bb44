#include "study/demo_encoder.h"

#include "base/output_file.h"
#include "study/demo_codebook.h"
#include "study/demo_labels.h"
#include "study/demo_scan.h"
#include "study/demo_weights.h"
#include "study/encoding.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* Phantoms that no cohort contains, whatever its seed; see the numbers of patients in
 * demo_cohort.c. */
#define FIRST_INDEX (1u << 26)
#define N_PHANTOMS 40
#define TOKENS_OF_EACH 600
#define K_MEANS_ROUNDS 2
#define TOKENS (DEMO_TOKENS_T * DEMO_TOKENS_HW * DEMO_TOKENS_HW)

static char *
description_text (void)
{
  return g_strdup_printf (
      "# The demo's encoder, made by `demo --make-encoder`. HU are divided by so much that the "
      "first\n"
      "# LayerNorm's epsilon is a contrast of 316 HU: smaller contrasts keep their proportion.\n"
      "\n"
      "[encoder]\n"
      "architecture=ctvit\n"
      "image_size=%d\n"
      "patch_size=%d\n"
      "frames=%d\n"
      "temporal_patch_size=%d\n"
      "heads=%d\n"
      "\n"
      "[preparation]\n"
      "spacing_mm=6.5;5;5\n"
      "shape=%d;%d;%d\n"
      "hu_min=-1000\n"
      "hu_max=3000\n"
      "hu_scale=%d\n"
      "pad=-0.01\n",
      DEMO_IMAGE, DEMO_PATCH, DEMO_FRAMES, DEMO_PATCH, DEMO_HEADS, DEMO_FRAMES, DEMO_IMAGE,
      DEMO_IMAGE, DEMO_HU_SCALE);
}

/** Tokens as they come out of the network, before the codebook. */
typedef struct
{
  float *tokens; /* N_PHANTOMS × TOKENS_OF_EACH × DEMO_DIM */
  gsize n;
  Random random; /* which are taken */
} TokenSample;

static void
take_tokens (const char *name, guint n_dims, const gint64 *shape, const void *data,
             gpointer user_data)
{
  TokenSample *sample = user_data;

  if (strcmp (name, "vq_in") != 0)
    return;
  for (guint i = 0; i < TOKENS_OF_EACH; i++)
    memcpy (sample->tokens + sample->n++ * DEMO_DIM,
            (const float *) data + random_below (&sample->random, TOKENS) * DEMO_DIM,
            DEMO_DIM * sizeof (float));
}

/* One phantom as the program would read it. Its findings are drawn and forgotten: they are there to
 * be seen. */
static gboolean
prepare_phantom (const char *path, guint64 seed, guint32 index,
                 const VolumePreparation *preparation, guint threads, float *input,
                 GCancellable *cancellable, GError **error)
{
  VolumeMetadata metadata = VOLUME_METADATA_NONE;
  VolumePrepared prepared;
  DemoScan scan;
  Random random;

  phantom_random (&random, seed, index, PHANTOM_STREAM_LABELS);
  demo_scan_draw (&scan, seed, index);
  metadata.slope = 1;
  metadata.intercept = scan.scanner->intercept;
  return demo_scan_write (&scan, demo_labels_draw (&random), path, error)
         && volume_prepare (path, &metadata, preparation, threads, input, &prepared, cancellable,
                            error);
}

static gboolean
sample_tokens (TokenSample *sample, const char *directory, EngineEncoder *encoder,
               const EncoderDescription *description, guint64 seed, guint threads,
               DemoProgress progress, gpointer user_data, GCancellable *cancellable, GError **error)
{
  VolumePreparation preparation =
      encoding_preparation (description, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS);
  g_autofree float *input = g_new (float, DEMO_FRAMES *DEMO_IMAGE *DEMO_IMAGE);
  g_autofree float *latent = g_new (float, engine_encoder_info (encoder)->latent_width);
  g_autofree char *path = g_build_filename (directory, "unlabelled.nii.gz", NULL);
  gboolean done = TRUE;

  for (guint i = 0; done && i < N_PHANTOMS; i++)
    {
      done = prepare_phantom (path, seed, FIRST_INDEX + i, &preparation, threads, input,
                              cancellable, error)
             && engine_encode (encoder, input, 1, latent, take_tokens, sample, cancellable, error);
      if (progress != NULL)
        progress (i + 1, N_PHANTOMS, user_data);
    }
  g_unlink (path);
  return done;
}

gboolean
demo_encoder_write (const char *directory, Engine *engine, guint64 seed, guint threads,
                    DemoProgress progress, gpointer user_data, GCancellable *cancellable,
                    GError **error)
{
  g_autofree char *checkpoint = g_build_filename (directory, DEMO_ENCODER_CHECKPOINT, NULL);
  g_autofree char *path = g_build_filename (directory, DEMO_ENCODER_DESCRIPTION, NULL);
  g_autofree float *tokens = g_new (float, N_PHANTOMS *TOKENS_OF_EACH *DEMO_DIM);
  g_autoptr (DemoWeights) weights = demo_weights_new (seed);
  g_autoptr (EncoderDescription) description = NULL;
  g_autoptr (EngineEncoder) encoder = NULL;
  g_autoptr (OutputFile) file = output_file_open (path, TRUE, error);
  g_autofree char *text = description_text ();
  TokenSample sample = { .tokens = tokens };

  if (file == NULL || !output_file_write (file, text, strlen (text), error)
      || !output_file_commit (file, error))
    return FALSE;
  /* The network up to the codebook is ready; its own tokens make the codebook. */
  description = encoder_description_read (path, error);
  if (description == NULL || !demo_weights_write (weights, checkpoint, error))
    return FALSE;
  encoder = engine_encoder_open (engine, checkpoint, description, error);
  if (encoder == NULL)
    return FALSE;
  random_init (&sample.random, seed, 1);
  return sample_tokens (&sample, directory, encoder, description, seed, threads, progress,
                        user_data, cancellable, error)
         && demo_codebook_fit (tokens, sample.n, DEMO_DIM, DEMO_CODES, K_MEANS_ROUNDS,
                               &sample.random, demo_weights_codebook (weights), cancellable, error)
         && demo_weights_write (weights, checkpoint, error);
}

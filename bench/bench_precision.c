/**
 * bench_precision PROGRAM CHECKPOINT SCAN DIR [ROUNDS]: what `--precision int16` gains and costs.
 *
 * The time of encoding one scan beside float32's, by turns, and how many of its tokens get another
 * code; then the demo's cohort in both precisions, in DIR/precision, which is kept: how far its
 * latents lie apart, and what the same training makes of them.
 */
#include "bench_encoder_input.h"
#include "bench_row.h"
#include "bench_store.h"

#include "base/share.h"
#include "catalog/latents.h"
#include "model/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define THREADS 2
#define ROUNDS 5
#define MAX_ROUNDS 100
#define GOAL (1 / 1.6)

/* ---- one scan ---- */

typedef struct
{
  EngineEncoder *encoder;
  const float *input;
  float *latent;
  GArray *codes; /* of gint64 */
} Side;

static EngineEncoder *
open_encoder (Engine *engine, const char *checkpoint, EncoderPrecision precision)
{
  GError *error = NULL;
  g_autofree char *path = share_find ("encoders/ct-clip.ini", &error);
  g_autoptr (EncoderDescription) description = NULL;
  EngineEncoder *encoder;

  bench_stop_on (error);
  description = encoder_description_read (path, &error);
  bench_stop_on (error);
  description->precision = precision;
  encoder = engine_encoder_open (engine, checkpoint, description, &error);
  bench_stop_on (error);
  return encoder;
}

static void
keep_codes (const char *name, guint n_dims, const gint64 *shape, const void *data,
            gpointer user_data)
{
  if (strcmp (name, "vq_indices") == 0)
    g_array_append_vals (user_data, data, (guint) shape[0]);
}

static void
encode (Side *side, EngineProbe probe)
{
  GError *error = NULL;

  engine_encode (side->encoder, side->input, 1, side->latent, probe, side->codes, NULL, &error);
  bench_stop_on (error);
}

static double
encode_s (gpointer data)
{
  const double start_ms = bench_now_ms ();

  encode (data, NULL);
  return (bench_now_ms () - start_ms) / 1e3;
}

static double
processor_s (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) usage.ru_utime.tv_sec + (double) usage.ru_utime.tv_usec / 1e6;
}

/** Other work on the machine lengthens the wall clock's seconds more than the processor's. */
static double
encode_processor_s (gpointer data)
{
  const double start_s = processor_s ();

  encode (data, NULL);
  return processor_s () - start_s;
}

static double
cosine (const float *a, const float *b, gsize n)
{
  double ab = 0, aa = 0, bb = 0;

  for (gsize i = 0; i < n; i++)
    {
      ab += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
  return ab / sqrt (aa * bb);
}

static void
bench_scan (const char *checkpoint, const char *scan, guint rounds)
{
  GError *error = NULL;
  g_autoptr (Engine) engine = engine_open ("cpu", THREADS, &error);
  g_autofree float *input = NULL;
  Side sides[ENCODER_N_PRECISIONS] = { 0 };
  guint flipped = 0;

  bench_stop_on (error);
  input = bench_encoder_input (scan, THREADS);
  for (EncoderPrecision i = 0; i < ENCODER_N_PRECISIONS; i++)
    {
      sides[i].encoder = open_encoder (engine, checkpoint, i);
      sides[i].input = input;
      sides[i].latent = g_new (float, engine_encoder_info (sides[i].encoder)->latent_width);
      sides[i].codes = g_array_new (FALSE, FALSE, sizeof (gint64));
      encode (&sides[i], keep_codes);
    }
  for (guint i = 0; i < sides[ENCODER_INT16].codes->len; i++)
    flipped += g_array_index (sides[ENCODER_INT16].codes, gint64, i)
               != g_array_index (sides[ENCODER_FLOAT32].codes, gint64, i);
  printf (
      "precision int16, one scan: another code in %u of %u tokens, cosine of the latents %.6f\n",
      flipped, sides[ENCODER_INT16].codes->len,
      cosine (sides[ENCODER_INT16].latent, sides[ENCODER_FLOAT32].latent,
              engine_encoder_info (sides[0].encoder)->latent_width));
  bench_row_beside (&(BenchRow){ "precision int16: encode one scan", "s", "float32", GOAL }, rounds,
                    encode_s, &sides[ENCODER_INT16], encode_s, &sides[ENCODER_FLOAT32]);
  bench_row_beside (&(BenchRow){ "the same, processor time", "s", "float32", GOAL }, rounds,
                    encode_processor_s, &sides[ENCODER_INT16], encode_processor_s,
                    &sides[ENCODER_FLOAT32]);
  for (EncoderPrecision i = 0; i < ENCODER_N_PRECISIONS; i++)
    {
      engine_encoder_close (sides[i].encoder);
      g_free (sides[i].latent);
      g_array_unref (sides[i].codes);
    }
}

/* ---- the demo's cohort ---- */

/** What the program prints; it must say that it is done. */
static char *
output_of (const char *const *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) program =
      g_subprocess_newv (arguments, G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
  char *output = NULL;

  if (program == NULL
      || !g_subprocess_communicate_utf8 (program, NULL, NULL, &output, NULL, &error))
    bench_fail ("%s: %s", arguments[0], error->message);
  if (g_subprocess_get_exit_status (program) != 0)
    bench_fail ("%s %s: exit status %d", arguments[0], arguments[2],
                g_subprocess_get_exit_status (program));
  return output;
}

/** Held-out macro AUROC after the last epoch. */
static double
train (const char *program, const char *workspace, const char *encoder)
{
  const char *const arguments[] = { program,   "--batch",        "train", "-w",
                                    workspace, "--encoder-name", encoder, "--lr",
                                    "0.002",   "--fraction",     "0.9",   "--seed",
                                    "1",       "--json",         NULL };
  g_autofree char *output = output_of (arguments);
  const char *auroc = g_strrstr (output, "\"macro_auroc\":");

  if (auroc == NULL)
    bench_fail ("train said %s", output);
  return g_ascii_strtod (auroc + strlen ("\"macro_auroc\":"), NULL);
}

static float *
load_latents (CatalogStore *store, const char *encoder_name, char ***volumes, guint *width)
{
  GError *error = NULL;
  g_autoptr (CatalogEncoder) encoder = catalog_encoder_find (store, encoder_name, &error);
  g_autofree guint8 *present = NULL;
  float *latents;
  gsize n;

  bench_stop_on (error);
  if (*volumes == NULL)
    *volumes = catalog_latent_volumes (store, encoder->id, &error);
  bench_stop_on (error);
  n = g_strv_length (*volumes);
  *width = encoder->width;
  latents = g_new (float, n * encoder->width);
  present = g_new (guint8, n);
  catalog_latents_load (store, encoder->id, (const char *const *) *volumes, n, encoder->width,
                        latents, present, &error);
  bench_stop_on (error);
  if (memchr (present, 0, n) != NULL)
    bench_fail ("%s: not every scan has a latent", encoder_name);
  return latents;
}

static void
print_cosines (const char *workspace, const char *const names[2])
{
  GError *error = NULL;
  g_autofree char *path = g_build_filename (workspace, "workspace.sqlite", NULL);
  g_autoptr (CatalogStore) store = catalog_store_open (path, FALSE, &error);
  g_auto (GStrv) volumes = NULL;
  g_autofree float *a = NULL, *b = NULL;
  double least = 1, sum = 0;
  guint width;
  gsize n;

  bench_stop_on (error);
  a = load_latents (store, names[0], &volumes, &width);
  b = load_latents (store, names[1], &volumes, &width);
  n = g_strv_length (volumes);
  for (gsize i = 0; i < n; i++)
    {
      const double c = cosine (a + i * width, b + i * width, width);

      least = MIN (least, c);
      sum += c;
    }
  printf ("precision int16, demo cohort of %" G_GSIZE_FORMAT
          " scans: cosine of the latents %.6f at least, %.6f in the mean\n",
          n, least, sum / (double) n);
}

static void
bench_demo (const char *program, const char *directory)
{
  static const char *const names[2] = { "demo-ctvit.pt", "demo-ctvit.pt-int16" };
  g_autofree char *workspace = g_build_filename (directory, "precision", NULL);
  g_autofree char *files = g_build_filename (workspace, "demo", NULL);
  g_autofree char *checkpoint = g_build_filename (files, names[0], NULL);
  const char *const demo[] = { program, "--batch", "demo", workspace, NULL };
  const char *const encode_all[] = { program,     "--batch",  "encode",    "-w",  workspace,
                                     "--encoder", checkpoint, "--volumes", files, "--precision",
                                     "int16",     "--device", "cpu",       NULL };
  double auroc[2];

  if (!g_file_test (checkpoint, G_FILE_TEST_EXISTS))
    g_free (output_of (demo));
  g_free (output_of (encode_all));
  print_cosines (workspace, names);
  for (guint i = 0; i < 2; i++)
    auroc[i] = train (program, workspace, names[i]);
  printf ("precision int16, demo cohort: held-out macro AUROC %.4f, of float32 %.4f\n", auroc[1],
          auroc[0]);
}

int
main (int argc, char **argv)
{
  if (argc < 5)
    {
      fprintf (stderr, "usage: bench_precision PROGRAM CHECKPOINT SCAN DIR [ROUNDS]\n");
      return 2;
    }
  bench_scan (argv[2], argv[3], argc > 5 ? (guint) CLAMP (atoi (argv[5]), 1, MAX_ROUNDS) : ROUNDS);
  bench_demo (argv[1], argv[4]);
  return 0;
}

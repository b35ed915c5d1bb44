/**
 * bench_precision PROGRAM CHECKPOINT SCAN DIR [ROUNDS]: what `--precision int16` and `bf16` gain
 * and cost.
 *
 * The time of encoding one scan beside float32's, by turns, and how many of its tokens get another
 * code; then the demo's cohort in all precisions, in DIR/precision, which is kept: how far its
 * latents lie apart, and what the same training makes of them. bf16 runs on the first GPU; without
 * one libtorch computes the same numbers on the processor, and the time is left out.
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
#define WITHOUT_GPU "torch"

typedef struct
{
  EncoderPrecision precision;
  const char *device;
} Rounded;

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
side_init (Side *side, Engine *engine, const char *checkpoint, EncoderPrecision precision,
           const float *input)
{
  side->encoder = open_encoder (engine, checkpoint, precision);
  side->input = input;
  side->latent = g_new (float, engine_encoder_info (side->encoder)->latent_width);
  side->codes = g_array_new (FALSE, FALSE, sizeof (gint64));
  encode (side, keep_codes);
}

static void
side_clear (Side *side)
{
  engine_encoder_close (side->encoder);
  g_free (side->latent);
  g_array_unref (side->codes);
}

static void
bench_scan (const Rounded *rounded, const char *checkpoint, const float *input, guint rounds)
{
  GError *error = NULL;
  g_autoptr (Engine) engine = engine_open (rounded->device, THREADS, &error);
  const char *name = encoder_precision_name (rounded->precision);
  g_autofree char *what = g_strdup_printf ("precision %s: encode one scan", name);
  const BenchRow row = { what, "s", "float32", GOAL };
  Side ours, float32;
  guint flipped = 0;

  bench_stop_on (error);
  side_init (&ours, engine, checkpoint, rounded->precision, input);
  side_init (&float32, engine, checkpoint, ENCODER_FLOAT32, input);
  for (guint i = 0; i < ours.codes->len; i++)
    flipped += g_array_index (ours.codes, gint64, i) != g_array_index (float32.codes, gint64, i);
  printf ("precision %s, one scan: another code in %u of %u tokens, cosine of the latents %.6f\n",
          name, flipped, ours.codes->len,
          cosine (ours.latent, float32.latent, engine_encoder_info (ours.encoder)->latent_width));
  if (strcmp (rounded->device, WITHOUT_GPU) == 0)
    bench_row_left_out (what, "no CUDA device");
  else
    bench_row_beside (&row, rounds, encode_s, &ours, encode_s, &float32);
  if (strcmp (rounded->device, "cpu") == 0)
    bench_row_beside (&(BenchRow){ "the same, processor time", "s", "float32", GOAL }, rounds,
                      encode_processor_s, &ours, encode_processor_s, &float32);
  side_clear (&ours);
  side_clear (&float32);
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
print_cosines (const char *workspace, const char *precision, const char *const names[2])
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
  printf ("precision %s, demo cohort of %" G_GSIZE_FORMAT
          " scans: cosine of the latents %.6f at least, %.6f in the mean\n",
          precision, n, least, sum / (double) n);
}

static void
bench_demo (const Rounded *rounded, const char *program, const char *directory)
{
  const char *precision = encoder_precision_name (rounded->precision);
  g_autofree char *name = g_strconcat ("demo-ctvit.pt-", precision, NULL);
  const char *const names[2] = { "demo-ctvit.pt", name };
  g_autofree char *workspace = g_build_filename (directory, "precision", NULL);
  g_autofree char *files = g_build_filename (workspace, "demo", NULL);
  g_autofree char *checkpoint = g_build_filename (files, names[0], NULL);
  const char *const demo[] = { program, "--batch", "demo", workspace, NULL };
  const char *const encode_all[] = { program,     "--batch",  "encode",        "-w",  workspace,
                                     "--encoder", checkpoint, "--volumes",     files, "--precision",
                                     precision,   "--device", rounded->device, NULL };
  double auroc[2];

  if (!g_file_test (checkpoint, G_FILE_TEST_EXISTS))
    g_free (output_of (demo));
  g_free (output_of (encode_all));
  print_cosines (workspace, precision, names);
  for (guint i = 0; i < 2; i++)
    auroc[i] = train (program, workspace, names[i]);
  printf ("precision %s, demo cohort: held-out macro AUROC %.4f, of float32 %.4f\n", precision,
          auroc[1], auroc[0]);
}

int
main (int argc, char **argv)
{
  Rounded all[] = { { ENCODER_INT16, "cpu" }, { ENCODER_BF16, "cuda:0" } };
  g_autofree float *input = NULL;
  g_autoptr (Engine) gpu = NULL;

  if (argc < 5)
    {
      fprintf (stderr, "usage: bench_precision PROGRAM CHECKPOINT SCAN DIR [ROUNDS]\n");
      return 2;
    }
  engine_prepare_process ();
  input = bench_encoder_input (argv[3], THREADS);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      if (all[i].precision == ENCODER_BF16 && (gpu = engine_open ("cuda:0", THREADS, NULL)) == NULL)
        all[i].device = WITHOUT_GPU;
      bench_scan (&all[i], argv[2], input,
                  argc > 5 ? (guint) CLAMP (atoi (argv[5]), 1, MAX_ROUNDS) : ROUNDS);
    }
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    bench_demo (&all[i], argv[1], argv[4]);
  return 0;
}

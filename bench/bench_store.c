#include "bench_store.h"

#include "tests/ctrate_files.h"

#include "base/random.h"
#include "catalog/import.h"
#include "catalog/latents.h"
#include "catalog/runs.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SEED 2024
#define SIGNAL 0.3

/* ---- the store ---- */

static void
import_split (CatalogStore *store, const char *directory, CatalogSplit split)
{
  gboolean train = split == CATALOG_SPLIT_TRAIN;
  const CtrateShape shape = ctrate_shape (split, 0);
  g_autofree char *reports =
      g_build_filename (directory, train ? "train_reports.csv" : "validation_reports.csv", NULL);
  g_autofree char *labels = g_build_filename (
      directory, train ? "train_predicted_labels.csv" : "valid_predicted_labels.csv", NULL);
  g_autofree char *metadata =
      g_build_filename (directory, train ? "train_metadata.csv" : "validation_metadata.csv", NULL);
  const CatalogImportOptions options = {
    .split = split, .reports_path = reports, .labels_path = labels, .metadata_path = metadata
  };
  CatalogFunnel funnel;
  GError *error = NULL;

  ctrate_files_write (directory, &shape, SEED, &error);
  bench_stop_on (error);
  catalog_import (store, &options, NULL, NULL, &funnel, NULL, &error);
  bench_stop_on (error);
}

static void
add_latents (CatalogStore *store, const CatalogMembers *members)
{
  CatalogEncoder encoder = { .name = (char *) "bench",
                             .weights_hash = (char *) "bench",
                             .checkpoint_path = (char *) "",
                             .description = (char *) "",
                             .width = BENCH_WIDTH };
  g_autofree CatalogLatent *latents = g_new0 (CatalogLatent, members->n);
  g_autofree float *values = g_new (float, members->n *BENCH_WIDTH);
  GError *error = NULL;
  Random random;

  catalog_encoder_ensure (store, &encoder, &error);
  bench_stop_on (error);
  random_init (&random, SEED, members->n);
  /* Each number hears of one label, faintly. */
  for (gsize i = 0; i < members->n * BENCH_WIDTH; i++)
    {
      const guint label = i % BENCH_WIDTH % CATALOG_N_LABELS;

      values[i] = (float) (random_normal (&random)
                           + SIGNAL * (members->labels[i / BENCH_WIDTH] >> label & 1));
    }
  for (gsize i = 0; i < members->n; i++)
    latents[i] = (CatalogLatent){ .key = members->volumes[i],
                                  .volume = members->volumes[i],
                                  .content_hash = "",
                                  .preparation = "",
                                  .values = values + i * BENCH_WIDTH };
  catalog_latents_save (store, encoder.id, latents, members->n, &error);
  bench_stop_on (error);
}

static void
save_sample (CatalogStore *store, const char *name, CatalogSplit split,
             const CatalogMembers *members)
{
  const CatalogSample sample = {
    .name = (char *) name, .split = split, .n = (guint) members->n, .of = (guint) members->n
  };
  GError *error = NULL;

  catalog_sample_save (store, &sample, (const char *const *) members->volumes, &error);
  bench_stop_on (error);
}

static void
add_run (CatalogStore *store, const CatalogMembers *validation)
{
  g_autofree double *logits = g_new (double, validation->n *CATALOG_N_LABELS);
  double thresholds[CATALOG_N_LABELS] = { 0 };
  g_autoptr (GBytes) head = g_bytes_new_static ("", 1);
  const CatalogRunResult result = { .head = head,
                                    .thresholds = thresholds,
                                    .volumes = (const char *const *) validation->volumes,
                                    .labels = validation->labels,
                                    .logits = logits,
                                    .n = validation->n,
                                    .n_classes = CATALOG_N_LABELS };
  CatalogRun *run = g_new0 (CatalogRun, 1);
  GError *error = NULL;
  Random random;

  random_init (&random, SEED, 0);
  for (gsize i = 0; i < validation->n * CATALOG_N_LABELS; i++)
    logits[i] = random_normal (&random);
  run->parameters = g_strdup ("");
  run->encoder = g_strdup ("bench");
  run->train_sample = g_strdup ("train");
  run->valid_sample = g_strdup ("valid");
  run->code_version = g_strdup ("");
  catalog_run_begin (store, run, &error);
  bench_stop_on (error);
  catalog_run_finish (store, run->id, &result, &error);
  bench_stop_on (error);
  catalog_run_free (run);
}

char *
bench_store_make (const char *directory)
{
  char *path = g_build_filename (directory, "workspace.sqlite", NULL);
  g_autofree char *unfinished = g_strconcat (path, ".new", NULL);
  GError *error = NULL;
  g_autoptr (CatalogStore) store = NULL;
  g_autoptr (CatalogMembers) train = NULL, validation = NULL;

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  g_unlink (unfinished);
  g_mkdir_with_parents (directory, 0700);
  store = catalog_store_open (unfinished, TRUE, &error);
  bench_stop_on (error);
  import_split (store, directory, CATALOG_SPLIT_TRAIN);
  import_split (store, directory, CATALOG_SPLIT_VALID);
  train = catalog_split_members (store, CATALOG_SPLIT_TRAIN, &error);
  bench_stop_on (error);
  validation = catalog_split_members (store, CATALOG_SPLIT_VALID, &error);
  bench_stop_on (error);
  add_latents (store, train);
  add_latents (store, validation);
  save_sample (store, "train", CATALOG_SPLIT_TRAIN, train);
  save_sample (store, "valid", CATALOG_SPLIT_VALID, validation);
  add_run (store, validation);
  g_clear_pointer (&store, catalog_store_close); /* nothing is left beside it */
  if (g_rename (unfinished, path) != 0)
    bench_fail ("%s cannot be renamed to %s", unfinished, path);
  return path;
}

/* ---- measuring ---- */

void
bench_fail (const char *format, ...)
{
  va_list arguments;

  fprintf (stderr, "%s: ", g_get_prgname () != NULL ? g_get_prgname () : "bench");
  va_start (arguments, format);
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fputc ('\n', stderr);
  exit (1);
}

void
bench_stop_on (GError *error)
{
  if (error != NULL)
    bench_fail ("%s", error->message);
}

double
bench_now_ms (void)
{
  return (double) g_get_monotonic_time () / 1e3;
}

static int
compare_numbers (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

double
bench_quantile (double *values, gsize n, double share)
{
  if (n == 0)
    return NAN;
  qsort (values, n, sizeof *values, compare_numbers);
  return values[MIN ((gsize) (share * (double) n), n - 1)];
}

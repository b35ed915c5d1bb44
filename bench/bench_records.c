/**
 * bench_records DIR: how long the record list takes at CT-RATE's size.
 *
 * Makes DIR/records.sqlite where it is not there (50,188 rows with reports, 20,000 latents, a run
 * with 1,304 predictions; half a minute), then prints the best of nine of what a screen asks for.
 */
#include "tests/ctrate_files.h"

#include "base/random.h"
#include "catalog/import.h"
#include "catalog/latents.h"
#include "catalog/listing.h"
#include "catalog/runs.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

#define SEED 2024
#define ROUNDS 9
#define WIDTH 512
#define VISIBLE 100

static void
stop_on (GError *error)
{
  if (error == NULL)
    return;
  fprintf (stderr, "bench_records: %s\n", error->message);
  exit (1);
}

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
  stop_on (error);
  catalog_import (store, &options, NULL, NULL, &funnel, NULL, &error);
  stop_on (error);
}

static void
add_latents (CatalogStore *store, const CatalogMembers *members)
{
  CatalogEncoder encoder = { .name = (char *) "bench",
                             .weights_hash = (char *) "bench",
                             .checkpoint_path = (char *) "",
                             .description = (char *) "",
                             .width = WIDTH };
  g_autofree CatalogLatent *latents = g_new0 (CatalogLatent, members->n);
  float values[WIDTH] = { 0 };
  GError *error = NULL;

  catalog_encoder_ensure (store, &encoder, &error);
  stop_on (error);
  for (gsize i = 0; i < members->n; i++)
    latents[i] = (CatalogLatent){ .key = members->volumes[i],
                                  .volume = members->volumes[i],
                                  .content_hash = "",
                                  .preparation = "",
                                  .values = values };
  catalog_latents_save (store, encoder.id, latents, members->n, &error);
  stop_on (error);
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
  stop_on (error);
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
  stop_on (error);
  catalog_run_finish (store, run->id, &result, &error);
  stop_on (error);
  catalog_run_free (run);
}

static void
make_store (const char *directory, const char *path)
{
  GError *error = NULL;
  g_autoptr (CatalogStore) store = NULL;
  g_autoptr (CatalogMembers) train = NULL, validation = NULL;

  g_mkdir_with_parents (directory, 0700);
  store = catalog_store_open (path, TRUE, &error);
  stop_on (error);
  import_split (store, directory, CATALOG_SPLIT_TRAIN);
  import_split (store, directory, CATALOG_SPLIT_VALID);
  train = catalog_split_members (store, CATALOG_SPLIT_TRAIN, &error);
  stop_on (error);
  validation = catalog_split_members (store, CATALOG_SPLIT_VALID, &error);
  stop_on (error);
  add_latents (store, train);
  save_sample (store, "train", CATALOG_SPLIT_TRAIN, train);
  save_sample (store, "valid", CATALOG_SPLIT_VALID, validation);
  add_run (store, validation);
}

/* ---- timing ---- */

static double
now_ms (void)
{
  return (double) g_get_monotonic_time () / 1000;
}

static void
bench_ids (CatalogStore *store, const char *text, CatalogListOptions options)
{
  double fastest = G_MAXDOUBLE;
  GError *error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse (text, &error);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint n = 0;

  stop_on (error);
  options.split = -1;
  options.with_dropped = TRUE;
  for (guint round = 0; round < ROUNDS; round++)
    {
      double start = now_ms ();
      g_autoptr (GArray) ids = catalog_records_ids (store, query, &options, cancellable, &error);

      stop_on (error);
      fastest = MIN (fastest, now_ms () - start);
      n = ids->len;
    }
  printf ("ids, sort %-32s query %-12s search %-16s %6.1f ms for %u\n",
          options.sort != NULL ? options.sort : "-", text, options.search ? options.search : "-",
          fastest, n);
}

static void
bench_pages (CatalogStore *store)
{
  const CatalogRowContext context = { .run_id = 1 };
  CatalogListOptions options = { .split = -1, .sort = "age", .with_dropped = TRUE };
  GError *error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse ("", &error);
  g_autoptr (GArray) ids = catalog_records_ids (store, query, &options, NULL, &error);
  double slowest = 0, sum = 0, start;
  guint n = 0;

  stop_on (error);
  for (guint first = 0; first + VISIBLE <= ids->len; first += VISIBLE, n++)
    {
      g_autoptr (GPtrArray) page = NULL;

      start = now_ms ();
      page = catalog_records_page (store, &g_array_index (ids, gint64, first), VISIBLE, &context,
                                   &error);
      stop_on (error);
      slowest = MAX (slowest, now_ms () - start);
      sum += now_ms () - start;
    }
  printf ("page of %d rows by id: %.2f ms, the slowest of %u %.2f ms\n", VISIBLE, sum / n, n,
          slowest);
  start = now_ms ();
  catalog_records_count (store, query, &options, &error);
  stop_on (error);
  printf ("count: %.2f ms\n", now_ms () - start);
  start = now_ms ();
  for (guint round = 0; round < 1000; round++)
    catalog_stamp (store);
  printf ("stamp: %.4f ms\n", (now_ms () - start) / 1000);
}

int
main (int argc, char **argv)
{
  static const char *const sorts[] = { "volume",    "patient",      "age",       "sex",
                                       "model",     "manufacturer", "spacing_z", "study_date",
                                       "emphysema", "encoded",      "reason",    "probability",
                                       "error" };
  static const char *const searches[] = { "nodule", "n", "train_7", "lung nodule right u", "zzz" };
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) store = NULL;
  GError *error = NULL;
  double start;

  if (argc < 2)
    {
      fprintf (stderr, "usage: bench_records DIR\n");
      return 2;
    }
  path = g_build_filename (argv[1], "records.sqlite", NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    make_store (argv[1], path);
  start = now_ms ();
  store = catalog_store_open (path, FALSE, &error);
  stop_on (error);
  printf ("open: %.2f ms\n", now_ms () - start);
  bench_ids (store, "", (CatalogListOptions){ .limit = VISIBLE });
  bench_ids (store, "", (CatalogListOptions){ 0 });
  for (gsize i = 0; i < G_N_ELEMENTS (sorts); i++)
    bench_ids (store, "", (CatalogListOptions){ .sort = sorts[i], .run_id = 1 });
  for (gsize i = 0; i < G_N_ELEMENTS (searches); i++)
    bench_ids (store, "", (CatalogListOptions){ .search = searches[i] });
  bench_ids (store, "nodule*", (CatalogListOptions){ .sort = "age" });
  bench_ids (store, "age > 60", (CatalogListOptions){ .search = "nodule" });
  bench_pages (store);
  return 0;
}

#include "testing_listing.h"

#include "base/random.h"
#include "catalog/latents.h"
#include "catalog/runs.h"

#include <math.h>

TestingListing testing_listing;

static char *
choose (Random *random, const char *const *texts, guint n)
{
  return g_strdup (texts[random_below (random, n)]);
}

static int
choose_int (Random *random, int low, int high)
{
  return random_below (random, 5) == 0 ? -1
                                       : low + (int) random_below (random, (guint) (high - low));
}

static double
choose_double (Random *random)
{
  return random_below (random, 5) == 0 ? NAN : (double) random_below (random, 12) / 8;
}

static void
make_row (CatalogRecord *row, guint number, Random *random)
{
  static const char *const sexes[] = { "", "F", "M" },
                           *const models[] = { "", "iCT 256", "go.Top", "ICT 128", "Éclair" },
                           *const dates[] = { "", "20190302", "20210427", "20201231" };
  gint64 patient = random_below (random, TESTING_LISTING_ROWS / 2);

  row->id = number + 1;
  row->split = number < TESTING_LISTING_ROWS / 2 ? CATALOG_SPLIT_TRAIN : CATALOG_SPLIT_VALID;
  row->position = number;
  row->reason = random_below (random, 3) == 0 ? CATALOG_DROP_RECONSTRUCTION : CATALOG_KEPT;
  row->patient = g_strdup_printf ("%s_%" G_GINT64_FORMAT, catalog_split_name (row->split), patient);
  row->volume = g_strdup_printf ("%s_a_%u.nii.gz", row->patient, number);
  row->has_labels = random_below (random, 8) > 0;
  row->labels = row->has_labels ? (guint32) random_below (random, 1u << CATALOG_N_LABELS) : 0;
  row->sex = choose (random, sexes, G_N_ELEMENTS (sexes));
  row->manufacturer = choose (random, models, G_N_ELEMENTS (models));
  row->model = choose (random, models, G_N_ELEMENTS (models));
  row->study_date = choose (random, dates, G_N_ELEMENTS (dates));
  row->age_years = choose_int (random, 0, 100);
  row->rows = choose_int (random, 512, 514);
  row->columns = choose_int (random, 512, 515);
  row->slices = choose_int (random, 100, 400);
  row->spacing_xy_mm = choose_double (random);
  row->spacing_z_mm = choose_double (random);
  row->slope = choose_double (random);
  row->intercept = choose_double (random);
  row->encoded = random_below (random, 2);
  row->probability = NAN;
}

static void
bind_int (sqlite3_stmt *statement, int parameter, int value)
{
  if (value >= 0)
    sqlite3_bind_int (statement, parameter, value);
  else
    sqlite3_bind_null (statement, parameter);
}

static void
insert_row (sqlite3_stmt *statement, const CatalogRecord *row)
{
  const char *const texts[] = { row->sex, row->manufacturer, row->model, row->study_date };
  const double numbers[] = { row->spacing_xy_mm, row->spacing_z_mm, row->slope, row->intercept };
  g_autoptr (GError) error = NULL;

  sqlite3_bind_int64 (statement, 1, row->id);
  bind_int (statement, 2, (int) row->split);
  bind_int (statement, 3, (int) row->position);
  store_bind_text (statement, 4, row->volume);
  store_bind_text (statement, 5, row->patient);
  bind_int (statement, 6, (int) row->reason);
  bind_int (statement, 7, row->has_labels ? (int) row->labels : -1);
  bind_int (statement, 8, row->age_years);
  bind_int (statement, 9, row->rows);
  bind_int (statement, 10, row->columns);
  bind_int (statement, 11, row->slices);
  for (int i = 0; i < 4; i++)
    {
      store_bind_text (statement, 12 + i, *texts[i] != '\0' ? texts[i] : NULL);
      sqlite3_bind_double (statement, 16 + i, numbers[i]);
    }
  store_run (testing_listing.store, statement, &error);
  assert_no_error (error);
}

static void
insert_rows (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      testing_listing.store,
      "INSERT INTO volume (id, split, position, name, patient, reason, labels, age, rows, columns,"
      " slices, sex, manufacturer, model, study_date, spacing_xy, spacing_z, slope, intercept)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      &error);

  assert_no_error (error);
  testing_store_exec (testing_listing.store, "BEGIN");
  for (guint i = 0; i < TESTING_LISTING_ROWS; i++)
    insert_row (statement, &testing_listing.rows[i]);
  testing_store_exec (testing_listing.store, "COMMIT");
}

/** Latents for those that are said to be encoded, and one of another encoder for all others. */
static void
add_latents (void)
{
  static const float values[TESTING_WIDTH] = { 1, 2, 3 };
  gint64 other = testing_store_encoder (testing_listing.store, "other", "w1");

  testing_listing.encoder_id = testing_store_encoder (testing_listing.store, "latest", "w2");
  for (guint i = 0; i < TESTING_LISTING_ROWS; i++)
    {
      const CatalogLatent latent = { .key = testing_listing.rows[i].volume,
                                     .volume = testing_listing.rows[i].volume,
                                     .content_hash = "",
                                     .preparation = "",
                                     .values = values };
      g_autoptr (GError) error = NULL;

      catalog_latent_save (testing_listing.store,
                           testing_listing.rows[i].encoded ? testing_listing.encoder_id : other,
                           &latent, &error);
      assert_no_error (error);
    }
}

/** A run that predicted every third labelled row of the validation split. */
static void
add_run (Random *random)
{
  static const double thresholds[TESTING_LISTING_CLASSES] = { 0.5, 0.5, 0.5 };
  g_autoptr (GBytes) head = g_bytes_new_static ("head", 4);
  g_autoptr (CatalogRun) run = g_new0 (CatalogRun, 1);
  g_autofree const char **volumes = g_new (const char *, TESTING_LISTING_ROWS);
  g_autofree guint32 *labels = g_new (guint32, TESTING_LISTING_ROWS);
  g_autofree double *logits = g_new0 (double, TESTING_LISTING_ROWS *TESTING_LISTING_CLASSES);
  CatalogRunResult result = { .head = head,
                              .thresholds = thresholds,
                              .volumes = volumes,
                              .labels = labels,
                              .logits = logits,
                              .n_classes = TESTING_LISTING_CLASSES };
  g_autoptr (GError) error = NULL;

  for (guint i = TESTING_LISTING_ROWS / 2; i < TESTING_LISTING_ROWS; i += 3)
    if (testing_listing.rows[i].has_labels)
      {
        double logit = round (random_normal (random) * 4) / 2;

        volumes[result.n] = testing_listing.rows[i].volume;
        labels[result.n] = testing_listing.rows[i].labels;
        logits[result.n * TESTING_LISTING_CLASSES + TESTING_LISTING_CLASS] = logit;
        testing_listing.rows[i].probability = 1 / (1 + exp (-logit));
        result.n++;
      }
  testing_store_sample (testing_listing.store, "t", volumes, 1);
  testing_store_sample (testing_listing.store, "v", volumes, 1);
  run->parameters = g_strdup ("");
  run->encoder = g_strdup ("latest");
  run->train_sample = g_strdup ("t");
  run->valid_sample = g_strdup ("v");
  run->code_version = g_strdup ("");
  catalog_run_begin (testing_listing.store, run, &error);
  assert_no_error (error);
  catalog_run_finish (testing_listing.store, run->id, &result, &error);
  assert_no_error (error);
  testing_listing.run_id = run->id;
}

int
testing_listing_setup (void **state)
{
  Random random;

  random_init (&random, 7, 0);
  testing_listing.store = testing_store_new ("listing.sqlite", &testing_listing.path);
  for (guint i = 0; i < TESTING_LISTING_ROWS; i++)
    make_row (&testing_listing.rows[i], i, &random);
  insert_rows ();
  add_latents ();
  add_run (&random);
  return 0;
}

int
testing_listing_teardown (void **state)
{
  catalog_store_close (testing_listing.store);
  g_free (testing_listing.path);
  for (guint i = 0; i < TESTING_LISTING_ROWS; i++)
    {
      g_free (testing_listing.rows[i].patient);
      g_free (testing_listing.rows[i].volume);
      g_free (testing_listing.rows[i].sex);
      g_free (testing_listing.rows[i].manufacturer);
      g_free (testing_listing.rows[i].model);
      g_free (testing_listing.rows[i].study_date);
    }
  return 0;
}

GArray *
testing_listing_ids (CatalogStore *of, const char *text, const CatalogListOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse (text, &error);
  GArray *ids;

  assert_no_error (error);
  ids = catalog_records_ids (of, query, options, NULL, &error);
  assert_no_error (error);
  return ids;
}

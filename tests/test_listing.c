/* Long lists: every order, searches, pages by id, and queries that are stopped. */
#include "testing_store.h"

#include "base/error.h"
#include "base/random.h"
#include "catalog/latents.h"
#include "catalog/listing.h"
#include "catalog/row_indexes.h"
#include "catalog/runs.h"

#include <glib/gstdio.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#define N_ROWS 700
#define N_CLASSES 3
#define CLASS 1

/* What stands in the store, by id - 1. Tests that write make a store of their own. */
static CatalogStore *store;
static char *store_path;
static CatalogRecord rows[N_ROWS];
static gint64 encoder_id, run_id;

/* ---- a cohort ---- */

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
  gint64 patient = random_below (random, N_ROWS / 2);

  row->id = number + 1;
  row->split = number < N_ROWS / 2 ? CATALOG_SPLIT_TRAIN : CATALOG_SPLIT_VALID;
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
  store_run (store, statement, &error);
  assert_no_error (error);
}

static void
insert_rows (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store,
      "INSERT INTO volume (id, split, position, name, patient, reason, labels, age, rows, columns,"
      " slices, sex, manufacturer, model, study_date, spacing_xy, spacing_z, slope, intercept)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      &error);

  assert_no_error (error);
  testing_store_exec (store, "BEGIN");
  for (guint i = 0; i < N_ROWS; i++)
    insert_row (statement, &rows[i]);
  testing_store_exec (store, "COMMIT");
}

/** Latents for those that are said to be encoded, and one of another encoder for all others. */
static void
add_latents (void)
{
  static const float values[TESTING_WIDTH] = { 1, 2, 3 };
  gint64 other = testing_store_encoder (store, "other", "w1");

  encoder_id = testing_store_encoder (store, "latest", "w2");
  for (guint i = 0; i < N_ROWS; i++)
    {
      const CatalogLatent latent = { .key = rows[i].volume,
                                     .volume = rows[i].volume,
                                     .content_hash = "",
                                     .preparation = "",
                                     .values = values };
      g_autoptr (GError) error = NULL;

      catalog_latent_save (store, rows[i].encoded ? encoder_id : other, &latent, &error);
      assert_no_error (error);
    }
}

/** A run that predicted every third labelled row of the validation split. */
static void
add_run (Random *random)
{
  static const double thresholds[N_CLASSES] = { 0.5, 0.5, 0.5 };
  g_autoptr (GBytes) head = g_bytes_new_static ("head", 4);
  g_autoptr (CatalogRun) run = g_new0 (CatalogRun, 1);
  g_autofree const char **volumes = g_new (const char *, N_ROWS);
  g_autofree guint32 *labels = g_new (guint32, N_ROWS);
  g_autofree double *logits = g_new0 (double, N_ROWS *N_CLASSES);
  CatalogRunResult result = { .head = head,
                              .thresholds = thresholds,
                              .volumes = volumes,
                              .labels = labels,
                              .logits = logits,
                              .n_classes = N_CLASSES };
  g_autoptr (GError) error = NULL;

  for (guint i = N_ROWS / 2; i < N_ROWS; i += 3)
    if (rows[i].has_labels)
      {
        double logit = round (random_normal (random) * 4) / 2;

        volumes[result.n] = rows[i].volume;
        labels[result.n] = rows[i].labels;
        logits[result.n * N_CLASSES + CLASS] = logit;
        rows[i].probability = 1 / (1 + exp (-logit));
        result.n++;
      }
  testing_store_sample (store, "t", volumes, 1);
  testing_store_sample (store, "v", volumes, 1);
  run->parameters = g_strdup ("");
  run->encoder = g_strdup ("latest");
  run->train_sample = g_strdup ("t");
  run->valid_sample = g_strdup ("v");
  run->code_version = g_strdup ("");
  catalog_run_begin (store, run, &error);
  assert_no_error (error);
  catalog_run_finish (store, run->id, &result, &error);
  assert_no_error (error);
  run_id = run->id;
}

static int
make_store (void **state)
{
  Random random;

  random_init (&random, 7, 0);
  store = testing_store_new ("listing.sqlite", &store_path);
  for (guint i = 0; i < N_ROWS; i++)
    make_row (&rows[i], i, &random);
  insert_rows ();
  add_latents ();
  add_run (&random);
  return 0;
}

static int
close_store (void **state)
{
  catalog_store_close (store);
  g_free (store_path);
  for (guint i = 0; i < N_ROWS; i++)
    {
      g_free (rows[i].patient);
      g_free (rows[i].volume);
      g_free (rows[i].sex);
      g_free (rows[i].manufacturer);
      g_free (rows[i].model);
      g_free (rows[i].study_date);
    }
  return 0;
}

static GArray *
ids_of (CatalogStore *of, const char *text, const CatalogListOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse (text, &error);
  GArray *ids;

  assert_no_error (error);
  ids = catalog_records_ids (of, query, options, NULL, &error);
  assert_no_error (error);
  return ids;
}

/* ---- orders ---- */

/** What a row is sorted by. */
typedef struct
{
  gint64 id;
  gboolean known;
  double number;
  char *text; /* where it is not %NULL, the key */
} Key;

static Key
text_key (const char *text)
{
  return (Key){ .known = *text != '\0', .text = g_strdup (text) };
}

static Key
number_key (double number)
{
  return (Key){ .known = !isnan (number), .number = number };
}

static Key
int_key (int number)
{
  return (Key){ .known = number >= 0, .number = number };
}

static double
error_of (const CatalogRecord *row)
{
  return fabs ((row->labels >> CLASS & 1) - row->probability);
}

static Key
key_of (const CatalogRecord *row, const char *sort)
{
  int label = catalog_label_find (sort);

  if (label >= 0)
    return int_key (row->has_labels ? (int) (row->labels >> label & 1) : -1);
  if (strcmp (sort, "volume") == 0)
    return (Key){ .known = TRUE,
                  .text = g_strdup_printf ("%04zu%s%04zu%s", strlen (row->patient), row->patient,
                                           strlen (row->volume), row->volume) };
  if (strcmp (sort, "patient") == 0)
    return (Key){ .known = TRUE,
                  .text = g_strdup_printf ("%04zu%s", strlen (row->patient), row->patient) };
  if (strcmp (sort, "split") == 0)
    return number_key (row->split);
  if (strcmp (sort, "reason") == 0)
    return number_key (row->reason);
  if (strcmp (sort, "age") == 0)
    return int_key (row->age_years);
  if (strcmp (sort, "sex") == 0)
    return text_key (row->sex);
  if (strcmp (sort, "manufacturer") == 0)
    return text_key (row->manufacturer);
  if (strcmp (sort, "model") == 0)
    return text_key (row->model);
  if (strcmp (sort, "study_date") == 0)
    return text_key (row->study_date);
  if (strcmp (sort, "slices") == 0)
    return int_key (row->slices);
  if (strcmp (sort, "rows") == 0)
    return int_key (row->rows);
  if (strcmp (sort, "columns") == 0)
    return int_key (row->columns);
  if (strcmp (sort, "spacing_xy") == 0)
    return number_key (row->spacing_xy_mm);
  if (strcmp (sort, "spacing_z") == 0)
    return number_key (row->spacing_z_mm);
  if (strcmp (sort, "slope") == 0)
    return number_key (row->slope);
  if (strcmp (sort, "intercept") == 0)
    return number_key (row->intercept);
  if (strcmp (sort, "encoded") == 0)
    return number_key (row->encoded);
  if (strcmp (sort, "probability") == 0)
    return number_key (row->probability);
  if (strcmp (sort, "error") == 0)
    return number_key (-error_of (row));
  fail_msg ("%s: is no sort of this test", sort);
  return number_key (NAN);
}

static int
compare_keys (gconstpointer a, gconstpointer b, gpointer descending)
{
  const Key *left = a, *right = b;
  int order;

  if (left->known != right->known)
    return right->known - left->known;
  order = !left->known         ? 0
          : left->text != NULL ? strcmp (left->text, right->text)
                               : (left->number > right->number) - (left->number < right->number);
  if (order == 0)
    order = (left->id > right->id) - (left->id < right->id);
  return GPOINTER_TO_INT (descending) ? -order : order;
}

static void
assert_order (const char *sort, gboolean descending)
{
  const CatalogListOptions options = { .split = -1,
                                       .with_dropped = TRUE,
                                       .sort = sort,
                                       .descending = descending,
                                       .run_id = run_id,
                                       .class_index = CLASS };
  g_autoptr (GArray) ids = ids_of (store, "", &options);
  Key keys[N_ROWS];

  for (guint i = 0; i < N_ROWS; i++)
    {
      keys[i] = key_of (&rows[i], sort);
      keys[i].id = rows[i].id;
    }
  g_qsort_with_data (keys, N_ROWS, sizeof *keys, compare_keys, GINT_TO_POINTER (descending));
  assert_int_equal (ids->len, N_ROWS);
  for (guint i = 0; i < N_ROWS; i++)
    {
      gint64 id = g_array_index (ids, gint64, i);

      if (id != keys[i].id)
        fail_msg ("%s%s: row %u is %s and not %s", sort, descending ? ", descending" : "", i,
                  rows[id - 1].volume, rows[keys[i].id - 1].volume);
      g_free (keys[i].text);
    }
}

static void
test_every_order_is_that_of_a_plain_sort (void **state)
{
  static const char *const sorts[] = { "volume",     "patient",   "split",        "reason",
                                       "age",        "sex",       "manufacturer", "model",
                                       "study_date", "slices",    "rows",         "columns",
                                       "spacing_xy", "spacing_z", "slope",        "intercept",
                                       "encoded",    "error",     "probability" };

  for (gsize i = 0; i < G_N_ELEMENTS (sorts); i++)
    {
      assert_order (sorts[i], FALSE);
      assert_order (sorts[i], TRUE);
    }
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      assert_order (catalog_label_name (label), FALSE);
      assert_order (catalog_label_name (label), TRUE);
    }
}

static void
test_most_confident_errors_come_first (void **state)
{
  const CatalogListOptions options = {
    .split = -1, .with_dropped = TRUE, .sort = "error", .run_id = run_id, .class_index = CLASS
  };
  g_autoptr (GArray) ids = ids_of (store, "", &options);
  double largest = 0;

  for (guint i = 0; i < N_ROWS; i++)
    if (!isnan (rows[i].probability))
      largest = MAX (largest, error_of (&rows[i]));
  assert_true (largest > 0.5);
  assert_true (error_of (&rows[g_array_index (ids, gint64, 0) - 1]) == largest);
}

static void
test_order_by_encoding_is_that_of_the_encoder (void **state)
{
  CatalogListOptions options = { .split = -1, .with_dropped = TRUE, .sort = "encoded" };
  g_autoptr (GArray) latest = ids_of (store, "", &options);
  g_autoptr (GArray) named = NULL, other = NULL;

  options.encoder_id = encoder_id;
  named = ids_of (store, "", &options);
  assert_memory_equal (named->data, latest->data, N_ROWS * sizeof (gint64));
  /* The other encoder has made what this one has not. */
  options.encoder_id = encoder_id - 1;
  other = ids_of (store, "", &options);
  assert_false (rows[g_array_index (named, gint64, 0) - 1].encoded);
  assert_true (rows[g_array_index (other, gint64, 0) - 1].encoded);
}

/* ---- pages ---- */

/** A page of a list is that of the whole list, wherever it begins. */
static void
assert_pages (const char *sort, gboolean descending, const char *query)
{
  static const guint offsets[] = { 0, 3, 200, 340, N_ROWS };
  CatalogListOptions options = {
    .split = -1, .sort = sort, .descending = descending, .run_id = run_id, .class_index = CLASS
  };
  g_autoptr (GArray) all = ids_of (store, query, &options);

  options.limit = 7;
  for (guint i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autoptr (GArray) page = NULL;

      options.offset = offsets[i];
      page = ids_of (store, query, &options);
      assert_int_equal (page->len, offsets[i] < all->len ? MIN (7, all->len - offsets[i]) : 0);
      if (page->len > 0)
        assert_memory_equal (page->data, &g_array_index (all, gint64, offsets[i]),
                             page->len * sizeof (gint64));
    }
}

static void
assert_pages_of_every_order (void)
{
  static const char *const queries[] = { "", "age > 30 OR age = unknown", "age = 17", "dropped",
                                         "kept OR dropped" };
  static const char *const sorts[] = { NULL,          "volume",     "patient",     "split",
                                       "reason",      "age",        "sex",         "manufacturer",
                                       "model",       "study_date", "slices",      "rows",
                                       "columns",     "spacing_xy", "spacing_z",   "slope",
                                       "intercept",   "encoded",    "error",       "probability",
                                       "Lung nodule", "Emphysema",  "Cardiomegaly" };

  for (gsize i = 0; i < G_N_ELEMENTS (queries); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (sorts); j++)
      {
        assert_pages (sorts[j], FALSE, queries[i]);
        assert_pages (sorts[j], TRUE, queries[i]);
      }
}

static void
test_page_is_the_same_with_the_indexes_and_without (void **state)
{
  g_autoptr (GError) error = NULL;
  gboolean made;

  testing_store_exec (store, "BEGIN");
  assert_pages_of_every_order ();
  do
    store_row_indexes_step (store, &made, &error);
  while (made);
  assert_no_error (error);
  assert_store_value (store,
                      "SELECT count (*) FROM sqlite_schema"
                      " WHERE name GLOB '" ROW_INDEX_PREFIX "*'",
                      "17");
  assert_pages_of_every_order ();
  testing_store_exec (store, "ROLLBACK");
}

static void
test_sorts_that_cannot_be_are_refused (void **state)
{
  static const struct
  {
    const char *sort, *says;
  } wrong[] = { { "probability", "choose a run" },
                { "error", "choose a run" },
                { "text", "choose one of" },
                { "id; DROP TABLE volume", "a label's name" } };
  g_autoptr (CatalogQuery) query = catalog_query_parse ("", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      const CatalogListOptions options = { .split = -1, .sort = wrong[i].sort };
      g_autoptr (GError) error = NULL;

      assert_null (catalog_records_ids (store, query, &options, NULL, &error));
      assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
      assert_error_says (&error, wrong[i].sort, wrong[i].says, NULL);
    }
}

static void
test_class_that_was_not_predicted_leaves_the_order (void **state)
{
  static const int classes[] = { -1, N_CLASSES, 1000 };
  CatalogListOptions options = { .split = -1, .with_dropped = TRUE, .run_id = run_id };
  g_autoptr (GArray) plain = ids_of (store, "", &options);

  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++)
    {
      g_autoptr (GArray) ids = NULL;

      options.class_index = classes[i];
      options.sort = i % 2 ? "probability" : "error";
      ids = ids_of (store, "", &options);
      assert_memory_equal (ids->data, plain->data, N_ROWS * sizeof (gint64));
    }
}

static void
test_ids_are_those_of_the_list (void **state)
{
  static const char *const queries[] = { "", "age > 50", "dropped sex = F" };
  static const char *const sorts[] = { NULL, "age", "error", "Emphysema" };

  for (gsize i = 0; i < G_N_ELEMENTS (queries) * G_N_ELEMENTS (sorts); i++)
    {
      const char *text = queries[i / G_N_ELEMENTS (sorts)];
      const CatalogListOptions options = { .split = CATALOG_SPLIT_VALID,
                                           .sort = sorts[i % G_N_ELEMENTS (sorts)],
                                           .run_id = run_id,
                                           .class_index = CLASS,
                                           .offset = 5,
                                           .limit = 30 };
      g_autoptr (CatalogQuery) query = catalog_query_parse (text, NULL);
      g_autoptr (GArray) ids = ids_of (store, text, &options);
      g_autoptr (GPtrArray) records = catalog_records_list (store, query, &options, NULL);

      assert_int_equal (ids->len, 30);
      assert_int_equal (records->len, 30);
      for (guint j = 0; j < ids->len; j++)
        assert_int_equal (g_array_index (ids, gint64, j),
                          ((CatalogRecord *) g_ptr_array_index (records, j))->id);
    }
}

/* ---- scans ---- */

static void
test_rows_with_a_scan_are_known_by_their_place (void **state)
{
  const gint64 ids[] = { 7, 350, N_ROWS + 5, 1, 9, 7 };
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autofree char *folder = testing_path ("scans");
  g_autoptr (CatalogVolumeIndex) index = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GArray) places = NULL;
  g_autoptr (GError) error = NULL;

  g_array_append_vals (list, ids, G_N_ELEMENTS (ids));
  assert_int_equal (g_mkdir (folder, 0700), 0);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *path = g_build_filename (folder, rows[(i == 0 ? 7 : 1) - 1].volume, NULL);

      assert_true (g_file_set_contents (path, "", 0, NULL));
    }
  index = catalog_volume_index_new (folder, NULL, &error);
  assert_no_error (error);
  places = catalog_records_with_files (store, list, index, NULL, &error);
  assert_no_error (error);
  assert_int_equal (places->len, 3);
  assert_int_equal (g_array_index (places, guint, 0), 0);
  assert_int_equal (g_array_index (places, guint, 1), 3);
  assert_int_equal (g_array_index (places, guint, 2), 5);
  g_cancellable_cancel (cancelled);
  assert_null (catalog_records_with_files (store, list, index, cancelled, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

/* ---- pages ---- */

static void
test_page_gives_its_rows_in_the_order_of_the_ids (void **state)
{
  const gint64 ids[] = { N_ROWS, 1, 350, 7, 7 };
  const CatalogRowContext context = { .run_id = run_id, .class_index = CLASS };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) page =
      catalog_records_page (store, ids, G_N_ELEMENTS (ids), &context, &error);

  assert_no_error (error);
  assert_int_equal (page->len, G_N_ELEMENTS (ids));
  for (guint i = 0; i < page->len; i++)
    {
      const CatalogRecord *record = g_ptr_array_index (page, i), *row = &rows[ids[i] - 1];

      assert_string_equal (record->volume, row->volume);
      assert_int_equal (record->age_years, row->age_years);
      assert_null (record->findings);
    }
}

static void
test_page_says_what_is_encoded_and_predicted (void **state)
{
  CatalogRowContext context = { .run_id = run_id, .class_index = CLASS };
  gint64 ids[N_ROWS];
  g_autoptr (GPtrArray) page = NULL, other = NULL;

  for (guint i = 0; i < N_ROWS; i++)
    ids[i] = i + 1;
  page = catalog_records_page (store, ids, N_ROWS, &context, NULL);
  context = (CatalogRowContext){ .encoder_id = encoder_id - 1 };
  other = catalog_records_page (store, ids, N_ROWS, &context, NULL);
  for (guint i = 0; i < N_ROWS; i++)
    {
      const CatalogRecord *record = g_ptr_array_index (page, i);
      const CatalogRecord *with_other = g_ptr_array_index (other, i);

      assert_int_equal (record->encoded, rows[i].encoded);
      assert_int_equal (with_other->encoded, !rows[i].encoded);
      assert_int_equal (isnan (record->probability), isnan (rows[i].probability));
      if (!isnan (record->probability))
        assert_true (fabs (record->probability - rows[i].probability) < 1e-12);
      assert_true (isnan (with_other->probability));
    }
}

static void
test_row_that_is_gone_leaves_a_gap_in_the_page (void **state)
{
  const gint64 ids[] = { 2, N_ROWS + 5, 3, -1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) page =
      catalog_records_page (store, ids, G_N_ELEMENTS (ids), &(CatalogRowContext){ 0 }, &error);

  assert_no_error (error);
  assert_int_equal (page->len, 4);
  assert_null (g_ptr_array_index (page, 1));
  assert_null (g_ptr_array_index (page, 3));
  assert_int_equal (((CatalogRecord *) g_ptr_array_index (page, 2))->id, 3);
  assert_null (catalog_record_by_id (store, N_ROWS + 5, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
}

static void
test_page_is_read_while_another_writes (void **state)
{
  g_autoptr (CatalogStore) writer = testing_store_open (store_path);
  const gint64 id = 1;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) page = NULL;

  testing_store_exec (writer, "BEGIN IMMEDIATE; UPDATE volume SET patient = 'x'");
  page = catalog_records_page (store, &id, 1, &(CatalogRowContext){ 0 }, &error);
  testing_store_exec (writer, "ROLLBACK");
  assert_no_error (error);
  assert_string_equal (((CatalogRecord *) g_ptr_array_index (page, 0))->patient, rows[0].patient);
}

static void
test_predictions_of_one_record (void **state)
{
  double probabilities[CATALOG_N_LABELS];
  guint n_predicted = 0;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_ROWS; i++)
    {
      gboolean predicted = !isnan (rows[i].probability);

      assert_true (
          catalog_record_predictions (store, run_id, rows[i].volume, probabilities, &error));
      assert_int_equal (!isnan (probabilities[CLASS]), predicted);
      assert_true (isnan (probabilities[N_CLASSES]));
      if (!predicted)
        continue;
      n_predicted++;
      assert_true (fabs (probabilities[CLASS] - rows[i].probability) < 1e-12);
      assert_true (probabilities[0] == 0.5);
    }
  assert_true (n_predicted > 50);
}

static void
test_predictions_that_hold_nothing_are_unknown (void **state)
{
  double probabilities[CATALOG_N_LABELS];
  guint i = 0;
  g_autoptr (GError) error = NULL;

  while (isnan (rows[i].probability))
    i++;
  testing_store_exec (store, "SAVEPOINT whole; UPDATE prediction SET logits = x''");
  assert_true (catalog_record_predictions (store, run_id, rows[i].volume, probabilities, &error));
  testing_store_exec (store, "ROLLBACK TO whole; RELEASE whole");
  assert_true (isnan (probabilities[CLASS]));
}

/* ---- a set of names ---- */

static void
test_only_the_named_are_listed_whatever_their_names (void **state)
{
  static const char *const names[] = { "x' OR 1 = 1 --", "", "no such name", "train_%d\n" };
  g_autoptr (GHashTable) set = g_hash_table_new (g_str_hash, g_str_equal);
  CatalogListOptions options = { .split = -1, .with_dropped = TRUE, .volumes = set };
  g_autoptr (GArray) none = NULL;
  g_autoptr (GArray) two = NULL;
  g_autoptr (GArray) searched = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_hash_table_add (set, (gpointer) names[i]);
  none = ids_of (store, "", &options);
  assert_int_equal (none->len, 0);
  g_hash_table_add (set, (gpointer) rows[5].volume);
  g_hash_table_add (set, (gpointer) rows[2].volume);
  two = ids_of (store, "", &options);
  assert_int_equal (two->len, 2);
  assert_int_equal (g_array_index (two, gint64, 0), rows[2].id);
  assert_int_equal (g_array_index (two, gint64, 1), rows[5].id);
  /* The search's parameters stand behind the set's. */
  options.search = rows[5].volume;
  searched = ids_of (store, "age > 0 OR NOT age > 0 OR age = unknown", &options);
  assert_int_equal (searched->len, 1);
  assert_int_equal (g_array_index (searched, gint64, 0), rows[5].id);
}

/* ---- stopping ---- */

static int calls;

/** Cancels the query that asks it. */
static void
cancel_query (sqlite3_context *context, int n_arguments, sqlite3_value **arguments)
{
  calls++;
  g_cancellable_cancel (sqlite3_user_data (context));
  sqlite3_result_double (context, 0.5);
}

static void
test_query_stops_soon_after_it_was_cancelled (void **state)
{
  g_autoptr (CatalogStore) own = testing_store_open (store_path);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (CatalogQuery) query = catalog_query_parse ("", NULL);
  const CatalogListOptions options = {
    .split = -1, .with_dropped = TRUE, .sort = "probability", .run_id = run_id, .class_index = CLASS
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ids = NULL;
  int all;

  sqlite3_create_function (own->db, "probability", 2, SQLITE_UTF8, cancellable, cancel_query, NULL,
                           NULL);
  assert_null (catalog_records_ids (own, query, &options, cancellable, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  all = calls;
  /* Without the cancellable the same connection goes on to the end. */
  calls = 0;
  ids = ids_of (own, "", &options);
  assert_int_equal (ids->len, N_ROWS);
  assert_in_range (all, 1, calls - 1);
}

static void
test_cancelled_query_does_not_begin (void **state)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (CatalogQuery) query = catalog_query_parse ("", NULL);
  const CatalogListOptions options = { .split = -1 };
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  assert_null (catalog_records_ids (store, query, &options, cancellable, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

/** Ask until a query is cancelled; %NULL as the thread's result if it was. */
static void *
ask_for_ever (void *cancellable)
{
  g_autoptr (CatalogStore) own = catalog_store_open (store_path, FALSE, NULL);
  g_autoptr (CatalogQuery) query = catalog_query_parse ("", NULL);
  const CatalogListOptions options = { .split = -1, .sort = "model", .search = "train" };
  GError *error = NULL;

  while (error == NULL)
    {
      g_autoptr (GArray) ids = catalog_records_ids (own, query, &options, cancellable, &error);
    }
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return error;
  g_error_free (error);
  return NULL;
}

static void
test_another_thread_stops_a_query (void **state)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  pthread_t worker;
  void *fault;

  assert_int_equal (pthread_create (&worker, NULL, ask_for_ever, cancellable), 0);
  g_usleep (5000);
  g_cancellable_cancel (cancellable);
  pthread_join (worker, &fault);
  assert_null (fault);
}

/* ---- changes ---- */

static void
test_stamp_changes_with_what_is_written_here_or_elsewhere (void **state)
{
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) here = testing_store_new ("stamp.sqlite", &path);
  g_autoptr (CatalogStore) elsewhere = testing_store_open (path);
  guint64 before = catalog_stamp (here), after;

  assert_true (catalog_stamp (here) == before);
  testing_store_import (here);
  after = catalog_stamp (here);
  assert_true (after != before);
  testing_store_encoder (elsewhere, "e", "w");
  assert_true (catalog_stamp (here) != after);
  after = catalog_stamp (here);
  assert_true (catalog_stamp (here) == after);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_order_is_that_of_a_plain_sort),
    cmocka_unit_test (test_most_confident_errors_come_first),
    cmocka_unit_test (test_order_by_encoding_is_that_of_the_encoder),
    cmocka_unit_test (test_page_is_the_same_with_the_indexes_and_without),
    cmocka_unit_test (test_sorts_that_cannot_be_are_refused),
    cmocka_unit_test (test_class_that_was_not_predicted_leaves_the_order),
    cmocka_unit_test (test_ids_are_those_of_the_list),
    cmocka_unit_test (test_rows_with_a_scan_are_known_by_their_place),
    cmocka_unit_test (test_page_gives_its_rows_in_the_order_of_the_ids),
    cmocka_unit_test (test_page_says_what_is_encoded_and_predicted),
    cmocka_unit_test (test_row_that_is_gone_leaves_a_gap_in_the_page),
    cmocka_unit_test (test_page_is_read_while_another_writes),
    cmocka_unit_test (test_predictions_of_one_record),
    cmocka_unit_test (test_predictions_that_hold_nothing_are_unknown),
    cmocka_unit_test (test_only_the_named_are_listed_whatever_their_names),
    cmocka_unit_test (test_query_stops_soon_after_it_was_cancelled),
    cmocka_unit_test (test_cancelled_query_does_not_begin),
    cmocka_unit_test (test_another_thread_stops_a_query),
    cmocka_unit_test (test_stamp_changes_with_what_is_written_here_or_elsewhere),
  };

  return cmocka_run_group_tests (tests, make_store, close_store);
}

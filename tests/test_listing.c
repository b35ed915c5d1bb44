/* Long lists: parts of them, records by id, sets of names, and queries that are stopped. */
#include "testing_listing.h"

#include "base/error.h"
#include "catalog/row_indexes.h"
#include "catalog/runs.h"

#include <glib/gstdio.h>
#include <math.h>
#include <pthread.h>

/* ---- ids ---- */

/** A page of a list is that of the whole list, wherever it begins. */
static void
assert_pages (const char *sort, gboolean descending, const char *query)
{
  static const guint offsets[] = { 0, 3, 200, 340, TESTING_LISTING_ROWS };
  CatalogListOptions options = { .split = -1,
                                 .sort = sort,
                                 .descending = descending,
                                 .run_id = testing_listing.run_id,
                                 .class_index = TESTING_LISTING_CLASS };
  g_autoptr (GArray) all = testing_listing_ids (testing_listing.store, query, &options);

  options.limit = 7;
  for (guint i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autoptr (GArray) page = NULL;

      options.offset = offsets[i];
      page = testing_listing_ids (testing_listing.store, query, &options);
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

  testing_store_exec (testing_listing.store, "BEGIN");
  assert_pages_of_every_order ();
  do
    store_row_indexes_step (testing_listing.store, &made, &error);
  while (made);
  assert_no_error (error);
  assert_store_value (testing_listing.store,
                      "SELECT count (*) FROM sqlite_schema"
                      " WHERE name GLOB '" ROW_INDEX_PREFIX "*'",
                      "18");
  assert_pages_of_every_order ();
  testing_store_exec (testing_listing.store, "ROLLBACK");
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

      assert_null (catalog_records_ids (testing_listing.store, query, &options, NULL, &error));
      assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
      assert_error_says (&error, wrong[i].sort, wrong[i].says, NULL);
    }
}

static void
test_class_that_was_not_predicted_leaves_the_order (void **state)
{
  static const int classes[] = { -1, TESTING_LISTING_CLASSES, 1000 };
  CatalogListOptions options = { .split = -1,
                                 .with_dropped = TRUE,
                                 .run_id = testing_listing.run_id };
  g_autoptr (GArray) plain = testing_listing_ids (testing_listing.store, "", &options);

  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++)
    {
      g_autoptr (GArray) ids = NULL;

      options.class_index = classes[i];
      options.sort = i % 2 ? "probability" : "error";
      ids = testing_listing_ids (testing_listing.store, "", &options);
      assert_memory_equal (ids->data, plain->data, TESTING_LISTING_ROWS * sizeof (gint64));
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
                                           .run_id = testing_listing.run_id,
                                           .class_index = TESTING_LISTING_CLASS,
                                           .offset = 5,
                                           .limit = 30 };
      g_autoptr (CatalogQuery) query = catalog_query_parse (text, NULL);
      g_autoptr (GArray) ids = testing_listing_ids (testing_listing.store, text, &options);
      g_autoptr (GPtrArray) records =
          catalog_records_list (testing_listing.store, query, &options, NULL);

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
  const gint64 ids[] = { 7, 350, TESTING_LISTING_ROWS + 5, 1, 9, 7 };
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
      g_autofree char *path =
          g_build_filename (folder, testing_listing.rows[(i == 0 ? 7 : 1) - 1].volume, NULL);

      assert_true (g_file_set_contents (path, "", 0, NULL));
    }
  index = catalog_volume_index_new (folder, NULL, &error);
  assert_no_error (error);
  places = catalog_records_with_files (testing_listing.store, list, index, NULL, &error);
  assert_no_error (error);
  assert_int_equal (places->len, 3);
  assert_int_equal (g_array_index (places, guint, 0), 0);
  assert_int_equal (g_array_index (places, guint, 1), 3);
  assert_int_equal (g_array_index (places, guint, 2), 5);
  g_cancellable_cancel (cancelled);
  assert_null (catalog_records_with_files (testing_listing.store, list, index, cancelled, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

/* ---- pages ---- */

static void
test_page_gives_its_rows_in_the_order_of_the_ids (void **state)
{
  const gint64 ids[] = { TESTING_LISTING_ROWS, 1, 350, 7, 7 };
  const CatalogRowContext context = { .run_id = testing_listing.run_id,
                                      .class_index = TESTING_LISTING_CLASS };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) page =
      catalog_records_page (testing_listing.store, ids, G_N_ELEMENTS (ids), &context, &error);

  assert_no_error (error);
  assert_int_equal (page->len, G_N_ELEMENTS (ids));
  for (guint i = 0; i < page->len; i++)
    {
      const CatalogRecord *record = g_ptr_array_index (page, i),
                          *row = &testing_listing.rows[ids[i] - 1];

      assert_string_equal (record->volume, row->volume);
      assert_int_equal (record->age_years, row->age_years);
      assert_null (record->findings);
    }
}

static void
test_page_says_what_is_encoded_and_predicted (void **state)
{
  CatalogRowContext context = { .run_id = testing_listing.run_id,
                                .class_index = TESTING_LISTING_CLASS };
  gint64 ids[TESTING_LISTING_ROWS];
  g_autoptr (GPtrArray) page = NULL, other = NULL;

  for (guint i = 0; i < TESTING_LISTING_ROWS; i++)
    ids[i] = i + 1;
  page = catalog_records_page (testing_listing.store, ids, TESTING_LISTING_ROWS, &context, NULL);
  context = (CatalogRowContext){ .encoder_id = testing_listing.encoder_id - 1 };
  other = catalog_records_page (testing_listing.store, ids, TESTING_LISTING_ROWS, &context, NULL);
  for (guint i = 0; i < TESTING_LISTING_ROWS; i++)
    {
      const CatalogRecord *record = g_ptr_array_index (page, i);
      const CatalogRecord *with_other = g_ptr_array_index (other, i);

      assert_int_equal (record->encoded, testing_listing.rows[i].encoded);
      assert_int_equal (with_other->encoded, !testing_listing.rows[i].encoded);
      assert_int_equal (isnan (record->probability), isnan (testing_listing.rows[i].probability));
      if (!isnan (record->probability))
        assert_true (fabs (record->probability - testing_listing.rows[i].probability) < 1e-12);
      assert_true (isnan (with_other->probability));
    }
}

static void
test_row_that_is_gone_leaves_a_gap_in_the_page (void **state)
{
  const gint64 ids[] = { 2, TESTING_LISTING_ROWS + 5, 3, -1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) page = catalog_records_page (testing_listing.store, ids, G_N_ELEMENTS (ids),
                                                     &(CatalogRowContext){ 0 }, &error);

  assert_no_error (error);
  assert_int_equal (page->len, 4);
  assert_null (g_ptr_array_index (page, 1));
  assert_null (g_ptr_array_index (page, 3));
  assert_int_equal (((CatalogRecord *) g_ptr_array_index (page, 2))->id, 3);
  assert_null (catalog_record_by_id (testing_listing.store, TESTING_LISTING_ROWS + 5, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
}

static void
test_page_is_read_while_another_writes (void **state)
{
  g_autoptr (CatalogStore) writer = testing_store_open (testing_listing.path);
  const gint64 id = 1;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) page = NULL;

  testing_store_exec (writer, "BEGIN IMMEDIATE; UPDATE volume SET patient = 'x'");
  page = catalog_records_page (testing_listing.store, &id, 1, &(CatalogRowContext){ 0 }, &error);
  testing_store_exec (writer, "ROLLBACK");
  assert_no_error (error);
  assert_string_equal (((CatalogRecord *) g_ptr_array_index (page, 0))->patient,
                       testing_listing.rows[0].patient);
}

static void
test_predictions_of_one_record (void **state)
{
  double probabilities[CATALOG_N_LABELS];
  guint n_predicted = 0;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < TESTING_LISTING_ROWS; i++)
    {
      gboolean predicted = !isnan (testing_listing.rows[i].probability);

      assert_true (catalog_record_predictions (testing_listing.store, testing_listing.run_id,
                                               testing_listing.rows[i].volume, probabilities,
                                               &error));
      assert_int_equal (!isnan (probabilities[TESTING_LISTING_CLASS]), predicted);
      assert_true (isnan (probabilities[TESTING_LISTING_CLASSES]));
      if (!predicted)
        continue;
      n_predicted++;
      assert_true (fabs (probabilities[TESTING_LISTING_CLASS] - testing_listing.rows[i].probability)
                   < 1e-12);
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

  while (isnan (testing_listing.rows[i].probability))
    i++;
  testing_store_exec (testing_listing.store, "SAVEPOINT whole; UPDATE prediction SET logits = x''");
  assert_true (catalog_record_predictions (testing_listing.store, testing_listing.run_id,
                                           testing_listing.rows[i].volume, probabilities, &error));
  testing_store_exec (testing_listing.store, "ROLLBACK TO whole; RELEASE whole");
  assert_true (isnan (probabilities[TESTING_LISTING_CLASS]));
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
  none = testing_listing_ids (testing_listing.store, "", &options);
  assert_int_equal (none->len, 0);
  g_hash_table_add (set, (gpointer) testing_listing.rows[5].volume);
  g_hash_table_add (set, (gpointer) testing_listing.rows[2].volume);
  two = testing_listing_ids (testing_listing.store, "", &options);
  assert_int_equal (two->len, 2);
  assert_int_equal (g_array_index (two, gint64, 0), testing_listing.rows[2].id);
  assert_int_equal (g_array_index (two, gint64, 1), testing_listing.rows[5].id);
  /* The search's parameters stand behind the set's. */
  options.search = testing_listing.rows[5].volume;
  searched = testing_listing_ids (testing_listing.store, "age > 0 OR NOT age > 0 OR age = unknown",
                                  &options);
  assert_int_equal (searched->len, 1);
  assert_int_equal (g_array_index (searched, gint64, 0), testing_listing.rows[5].id);
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
  g_autoptr (CatalogStore) own = testing_store_open (testing_listing.path);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (CatalogQuery) query = catalog_query_parse ("", NULL);
  const CatalogListOptions options = { .split = -1,
                                       .with_dropped = TRUE,
                                       .sort = "probability",
                                       .run_id = testing_listing.run_id,
                                       .class_index = TESTING_LISTING_CLASS };
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
  ids = testing_listing_ids (own, "", &options);
  assert_int_equal (ids->len, TESTING_LISTING_ROWS);
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
  assert_null (catalog_records_ids (testing_listing.store, query, &options, cancellable, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

/** Ask until a query is cancelled; %NULL as the thread's result if it was. */
static void *
ask_for_ever (void *cancellable)
{
  g_autoptr (CatalogStore) own = catalog_store_open (testing_listing.path, FALSE, NULL);
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

  return cmocka_run_group_tests_name ("listing", tests, testing_listing_setup,
                                      testing_listing_teardown);
}

/* Runs: from their beginning to their deletion. */
#include "testing_store.h"

#include "base/error.h"
#include "catalog/runs.h"

#include <math.h>
#include <string.h>

#define CLASSES 2

static void
prepare_for_runs (CatalogStore *store)
{
  testing_store_import (store);
  testing_store_encoder (store, "e", "w");
  testing_store_sample (store, "t", testing_volumes, 3);
  testing_store_sample (store, "v", testing_volumes + 3, 1);
}

static CatalogRun *
begin_run (CatalogStore *store, const char *name, GError **error)
{
  g_autoptr (CatalogRun) run = g_new0 (CatalogRun, 1);

  run->name = g_strdup (name);
  run->parameters = g_strdup ("[train]\nepochs=5\n");
  run->encoder = g_strdup ("e");
  run->train_sample = g_strdup ("t");
  run->valid_sample = g_strdup ("v");
  run->code_version = g_strdup ("0.1.0");
  return catalog_run_begin (store, run, error) ? g_steal_pointer (&run) : NULL;
}

static CatalogRun *
must_begin (CatalogStore *store, const char *name)
{
  g_autoptr (GError) error = NULL;
  CatalogRun *run = begin_run (store, name, &error);

  assert_no_error (error);
  return run;
}

static gboolean
finish_run (CatalogStore *store, gint64 run_id, GError **error)
{
  static const char *const volumes[] = { "z", "a", "m" };
  static const guint32 labels[] = { 1, 0x80000001, 2 };
  static const double logits[] = { 0.1, -0.0, 1e300, 5e-324, -3.5, 2 },
                      thresholds[] = { 0.5, 0.25 };
  g_autoptr (GBytes) head = g_bytes_new_static ("he\0ad", 5);
  CatalogRunResult result = { .kept_epoch = 2,
                              .macro_auroc = 0.75,
                              .head = head,
                              .thresholds = thresholds,
                              .volumes = volumes,
                              .labels = labels,
                              .logits = logits,
                              .n = 3,
                              .n_classes = CLASSES };

  return catalog_run_finish (store, run_id, &result, error);
}

static gboolean
add_epoch (CatalogStore *store, gint64 run_id, guint epoch, const char *json, GError **error)
{
  const CatalogEpochClass rows[] = {
    { .class_index = 0, .auroc = 0.7, .auroc_low = NAN, .positives = 3, .negatives = 4 },
    { .class_index = -1, .auroc = 0.6, .threshold = NAN },
  };

  return catalog_run_add_epoch (store, run_id, epoch, 0.5, json, rows, 2, error);
}

static void
test_run_from_beginning_to_end (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("run.sqlite", NULL);
  g_autoptr (CatalogRun) run = NULL, found = NULL;
  g_autoptr (CatalogPredictions) predictions = NULL;
  g_autoptr (GBytes) head = NULL;
  g_auto (GStrv) epochs = NULL;
  g_autofree double *thresholds = NULL;
  guint n_classes;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  run = must_begin (store, NULL);
  assert_string_equal (run->name, "run-1");
  assert_string_equal (run->status, "running");
  assert_non_null (run->started);
  assert_true (isnan (run->macro_auroc));
  assert_int_equal (run->kept_epoch, -1);

  assert_true (add_epoch (store, run->id, 1, "{\"epoch\":1}", &error));
  assert_null (catalog_run_head (store, run->id, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "run-1", "did not finish", NULL);
  assert_true (add_epoch (store, run->id, 2, "{\"epoch\":2}", &error));
  assert_true (finish_run (store, run->id, &error));

  found = catalog_run_find (store, "run-1", &error);
  assert_no_error (error);
  assert_string_equal (found->status, "done");
  assert_null (found->message);
  assert_non_null (found->finished);
  assert_string_equal (found->parameters, "[train]\nepochs=5\n");
  assert_string_equal (found->encoder, "e");
  assert_string_equal (found->train_sample, "t");
  assert_string_equal (found->valid_sample, "v");
  assert_string_equal (found->code_version, "0.1.0");
  assert_string_equal (found->note, "");
  assert_true (found->macro_auroc == 0.75);
  assert_int_equal (found->kept_epoch, 2);

  epochs = catalog_run_epochs (store, run->id, &error);
  assert_int_equal (g_strv_length (epochs), 2);
  assert_string_equal (epochs[1], "{\"epoch\":2}");
  assert_store_value (
      store,
      "SELECT group_concat (epoch || ':' || class || ':' || coalesce (auroc_low, '-'))"
      " FROM epoch_class WHERE threshold IS NULL OR class = 0",
      "1:-1:0.0,1:0:-,2:-1:0.0,2:0:-");
  head = catalog_run_head (store, run->id, &error);
  assert_int_equal (g_bytes_get_size (head), 5);
  assert_memory_equal (g_bytes_get_data (head, NULL), "he\0ad", 5);
  thresholds = catalog_run_thresholds (store, run->id, &n_classes, &error);
  assert_int_equal (n_classes, CLASSES);
  assert_true (thresholds[0] == 0.5 && thresholds[1] == 0.25);

  predictions = catalog_run_predictions (store, run->id, &error);
  assert_no_error (error);
  assert_int_equal (predictions->n, 3);
  assert_int_equal (predictions->n_classes, CLASSES);
  assert_string_equal (predictions->volumes[0], "z");
  assert_string_equal (predictions->volumes[1], "a");
  assert_null (predictions->volumes[3]);
  assert_int_equal (predictions->labels[1], 0x80000001);
  assert_memory_equal (predictions->logits, ((const double[]){ 0.1, -0.0, 1e300, 5e-324, -3.5, 2 }),
                       6 * sizeof (double));
}

static void
assert_patients (CatalogStore *store, gint64 run_id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogPredictions) predictions = catalog_run_predictions (store, run_id, &error);

  assert_no_error (error);
  assert_string_equal (predictions->patients[0], "train_3");
  assert_string_equal (predictions->patients[1], "a"); /* of no split */
  assert_string_equal (predictions->patients[2], "train_4");
}

static void
test_predictions_have_their_patients_with_the_names_indexed_and_without (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("patients.sqlite", NULL);
  g_autoptr (CatalogRun) run = NULL;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  run = must_begin (store, NULL);
  assert_true (finish_run (store, run->id, &error));
  testing_store_exec (store, "UPDATE prediction SET volume = CASE volume"
                             " WHEN 'z' THEN 'train_3_a_1.nii.gz'"
                             " WHEN 'm' THEN 'train_4_a_1.nii.gz' ELSE volume END");
  assert_patients (store, run->id);
  testing_store_exec (store, "DROP INDEX volume_by_name");
  assert_patients (store, run->id);
}

static void
test_only_a_running_run_takes_results (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("ended.sqlite", NULL);
  g_autoptr (CatalogRun) run = NULL, found = NULL;
  g_auto (GStrv) epochs = NULL;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  run = must_begin (store, NULL);
  assert_true (add_epoch (store, run->id, 1, "{}", &error));
  assert_true (catalog_run_end (store, run->id, "cancelled", "by the user", &error));

  assert_false (add_epoch (store, run->id, 2, "{}", &error));
  assert_error_says (&error, "run-1", "ended elsewhere", NULL);
  assert_false (finish_run (store, run->id, &error));
  assert_error_says (&error, "run-1", NULL);
  assert_false (catalog_run_end (store, run->id, "failed", "late", &error));
  assert_error_says (&error, "run-1", NULL);
  assert_false (catalog_run_end (store, 99, "failed", "never was", &error));
  assert_error_says (&error, "run-99", NULL);

  found = catalog_run_find (store, "1", &error);
  assert_string_equal (found->status, "cancelled");
  assert_string_equal (found->message, "by the user");
  assert_true (isnan (found->macro_auroc));
  epochs = catalog_run_epochs (store, run->id, &error);
  assert_int_equal (g_strv_length (epochs), 1);
  assert_store_value (store, "SELECT count (*) FROM prediction", "0");
  assert_store_value (store, "SELECT count (*) FROM run WHERE kept_epoch IS NULL", "1");
}

static void
test_finish_leaves_all_or_nothing (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("whole.sqlite", NULL);
  g_autoptr (CatalogRun) run = NULL, found = NULL;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  run = must_begin (store, NULL);
  testing_store_exec (store, "CREATE TRIGGER stop BEFORE INSERT ON prediction WHEN NEW.position = 2"
                             " BEGIN SELECT raise (ABORT, 'stopped'); END");
  assert_false (finish_run (store, run->id, &error));
  assert_error_says (&error, "stopped", NULL);
  found = catalog_run_find (store, "1", &error);
  assert_string_equal (found->status, "running");
  assert_store_value (store, "SELECT count (*) FROM prediction", "0");
  assert_store_value (store, "SELECT count (*) FROM run_result", "0");
}

static void
test_runs_are_found_by_name_and_number (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("find.sqlite", NULL);
  const char *const ways[][2] = {
    { "baseline", "2" }, { "2", "2" }, { "run-2", "2" }, { "run-1", "1" }, { "1", "1" }
  };
  g_autoptr (GPtrArray) runs = NULL;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  assert_null (catalog_run_find (store, "latest", &error));
  assert_error_says (&error, "latest", "no runs yet", NULL);
  catalog_run_free (must_begin (store, NULL));
  catalog_run_free (must_begin (store, "baseline"));
  catalog_run_free (must_begin (store, ""));
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr (CatalogRun) run = catalog_run_find (store, ways[i][0], &error);
      g_autofree char *number = NULL;

      assert_no_error (error);
      number = g_strdup_printf ("%" G_GINT64_FORMAT, run->id);
      assert_string_equal (number, ways[i][1]);
    }
  assert_null (catalog_run_find (store, "run-7", &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "run-7: no run", "run-3, baseline, run-1", NULL);
  runs = catalog_runs_list (store, &error);
  assert_int_equal (runs->len, 3);
  assert_string_equal (((CatalogRun *) runs->pdata[0])->name, "run-3");
}

static void
test_run_names_stay_unmistakable (void **state)
{
  const char *const taken[] = { "7", "run-7", "latest" };
  g_autoptr (CatalogStore) store = testing_store_new ("names.sqlite", NULL);
  g_autoptr (CatalogRun) first = NULL, second = NULL;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  first = must_begin (store, "mine");
  second = must_begin (store, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (taken); i++)
    {
      assert_null (begin_run (store, taken[i], &error));
      assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
      assert_error_says (&error, taken[i], "choose another", NULL);
    }
  assert_null (begin_run (store, "mine", &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
  assert_error_says (&error, "mine", "another run has it", NULL);
  assert_false (catalog_run_rename (store, second->id, "mine", &error));
  assert_error_says (&error, "mine", NULL);
  assert_false (catalog_run_rename (store, second->id, "", &error));
  assert_error_says (&error, "choose another", NULL);

  assert_true (catalog_run_rename (store, second->id, "run-2", &error));
  assert_true (catalog_run_rename (store, first->id, "mine", &error));
  assert_true (catalog_run_rename (store, second->id, "yours", &error));
  assert_false (catalog_run_rename (store, 99, "nobody's", &error));
  assert_error_says (&error, "run-99", "not in this workspace", NULL);
}

static void
test_run_needs_its_samples_and_its_encoder (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("needs.sqlite", NULL);
  g_autoptr (GError) error = NULL;

  assert_null (begin_run (store, NULL, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "sample t", NULL);
  testing_store_sample (store, "t", testing_volumes, 1);
  testing_store_sample (store, "v", testing_volumes, 1);
  assert_null (begin_run (store, NULL, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_store_value (store, "SELECT count (*) FROM run", "0");
}

static void
test_deleted_run_takes_everything_but_its_number (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("deleted.sqlite", NULL);
  g_autoptr (CatalogRun) first = NULL, kept = NULL, next = NULL;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  kept = must_begin (store, NULL);
  first = must_begin (store, NULL);
  assert_true (add_epoch (store, kept->id, 1, "{}", &error));
  assert_true (add_epoch (store, first->id, 1, "{}", &error));
  assert_true (finish_run (store, first->id, &error));
  assert_true (catalog_run_delete (store, first->id, &error));
  assert_store_value (
      store,
      "SELECT (SELECT count (*) FROM epoch) || (SELECT count (*) FROM epoch_class)"
      " || (SELECT count (*) FROM prediction) || (SELECT count (*) FROM run_result)",
      "1200");
  assert_false (catalog_run_delete (store, first->id, &error));
  assert_error_says (&error, "run-2", "not in this workspace", NULL);
  next = must_begin (store, NULL);
  assert_string_equal (next->name, "run-3");
}

static void
test_run_keeps_the_sample_it_used_until_it_goes (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("superseded.sqlite", NULL);
  g_autoptr (CatalogRun) run = NULL, found = NULL;
  g_autoptr (CatalogMembers) members = NULL;
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  run = must_begin (store, NULL);
  testing_store_sample (store, "t", testing_volumes, 1);
  members = catalog_sample_members (store, "t", &error);
  assert_int_equal (members->n, 1);
  samples = catalog_samples_list (store, &error);
  assert_int_equal (samples->len, 2);
  found = catalog_run_find (store, "1", &error);
  assert_string_equal (found->train_sample, "t");
  assert_store_value (
      store, "SELECT count (*) FROM run JOIN sample_member ON sample_id = train_sample_id", "3");
  assert_true (catalog_run_delete (store, run->id, &error));
  assert_store_value (store, "SELECT count (*) FROM sample", "2");
  assert_store_value (store, "SELECT count (*) FROM sample_member", "2");
}

static void
test_latest_is_the_last_that_is_done (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("latest.sqlite", NULL);
  g_autoptr (CatalogRun) done = NULL, cancelled = NULL, running = NULL, found = NULL;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  cancelled = must_begin (store, NULL);
  assert_true (catalog_run_end (store, cancelled->id, "cancelled", NULL, &error));
  assert_null (catalog_run_find (store, "latest", &error));
  assert_error_says (&error, "latest: no run", "run-1", NULL);
  done = must_begin (store, "kept");
  assert_true (finish_run (store, done->id, &error));
  running = must_begin (store, NULL);
  assert_int_equal (catalog_runs_running (store, &error), 1);
  found = catalog_run_find (store, "latest", &error);
  assert_no_error (error);
  assert_string_equal (found->name, "kept");
}

static void
test_abandoned_runs_are_called_failed (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("abandoned.sqlite", NULL);
  g_autoptr (CatalogRun) done = NULL, killed = NULL, found = NULL, other = NULL;
  g_autoptr (GError) error = NULL;
  guint n;

  prepare_for_runs (store);
  done = must_begin (store, NULL);
  assert_true (finish_run (store, done->id, &error));
  killed = must_begin (store, NULL);
  assert_true (catalog_runs_end_abandoned (store, &n, &error));
  assert_int_equal (n, 1);
  assert_true (catalog_runs_end_abandoned (store, &n, &error));
  assert_int_equal (n, 0);
  found = catalog_run_find (store, "2", &error);
  assert_string_equal (found->status, "failed");
  assert_non_null (strstr (found->message, "ended before"));
  other = catalog_run_find (store, "1", &error);
  assert_string_equal (other->status, "done");
}

static void
test_note_is_kept (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("note.sqlite", NULL);
  g_autoptr (CatalogRun) run = NULL, found = NULL;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  run = must_begin (store, NULL);
  assert_true (catalog_run_set_note (store, run->id, "γ = 2 helps", &error));
  found = catalog_run_find (store, "1", &error);
  assert_string_equal (found->note, "γ = 2 helps");
  assert_false (catalog_run_set_note (store, 99, "", &error));
  assert_error_says (&error, "run-99", NULL);
}

static void
test_runs_are_counted (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("count.sqlite", NULL);
  g_autoptr (CatalogRun) first = NULL, second = NULL;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  assert_int_equal (catalog_runs_count (store, &error), 0);
  first = must_begin (store, NULL);
  second = must_begin (store, NULL);
  assert_int_equal (catalog_runs_count (store, &error), 2);
  assert_true (catalog_run_delete (store, first->id, &error));
  assert_int_equal (catalog_runs_count (store, &error), 1);
  testing_store_exec (store, "DROP TABLE prediction; DROP TABLE epoch_class; DROP TABLE epoch;"
                             "DROP TABLE run_result; DROP TABLE run");
  assert_int_equal (catalog_runs_count (store, &error), -1);
  assert_error_says (&error, "run", NULL);
}

static void
test_run_without_classes_has_no_thresholds_but_no_error (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("classless.sqlite", NULL);
  g_autoptr (CatalogRun) run = NULL;
  g_autoptr (GBytes) head = g_bytes_new_static ("h", 1);
  const double thresholds[] = { 0.5 };
  const CatalogRunResult result = { .head = head, .thresholds = thresholds };
  g_autofree double *found = NULL;
  guint n_classes = 1;
  g_autoptr (GError) error = NULL;

  prepare_for_runs (store);
  run = must_begin (store, NULL);
  assert_true (catalog_run_finish (store, run->id, &result, &error));
  found = catalog_run_thresholds (store, run->id, &n_classes, &error);
  assert_no_error (error);
  assert_non_null (found);
  assert_int_equal (n_classes, 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_run_from_beginning_to_end),
    cmocka_unit_test (test_predictions_have_their_patients_with_the_names_indexed_and_without),
    cmocka_unit_test (test_only_a_running_run_takes_results),
    cmocka_unit_test (test_finish_leaves_all_or_nothing),
    cmocka_unit_test (test_runs_are_found_by_name_and_number),
    cmocka_unit_test (test_latest_is_the_last_that_is_done),
    cmocka_unit_test (test_run_names_stay_unmistakable),
    cmocka_unit_test (test_run_needs_its_samples_and_its_encoder),
    cmocka_unit_test (test_deleted_run_takes_everything_but_its_number),
    cmocka_unit_test (test_run_keeps_the_sample_it_used_until_it_goes),
    cmocka_unit_test (test_abandoned_runs_are_called_failed),
    cmocka_unit_test (test_note_is_kept),
    cmocka_unit_test (test_runs_are_counted),
    cmocka_unit_test (test_run_without_classes_has_no_thresholds_but_no_error),
  };

  return cmocka_run_group_tests_name ("runs", tests, NULL, NULL);
}

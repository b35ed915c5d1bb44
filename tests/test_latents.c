/* Samples, encoders and latents. */
#include "testing_store.h"

#include "base/error.h"
#include "catalog/latents.h"
#include "catalog/samples.h"

#include <math.h>
#include <string.h>

static void
assert_members (const CatalogMembers *members, gsize n, const guint *rows)
{
  assert_non_null (members);
  assert_int_equal (members->n, n);
  assert_int_equal (g_strv_length (members->volumes), n);
  assert_int_equal (g_strv_length (members->patients), n);
  for (gsize i = 0; i < n; i++)
    {
      assert_string_equal (members->volumes[i], testing_volumes[rows[i]]);
      assert_memory_equal (members->patients[i], testing_volumes[rows[i]], strlen ("train_1"));
      assert_int_equal (members->labels[i], testing_labels[rows[i]]);
    }
}

/* ---- samples ---- */

static void
test_split_members_are_the_kept_rows_in_the_files_order (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("split.sqlite", NULL);
  g_autoptr (CatalogMembers) members = NULL;
  g_autoptr (GError) error = NULL;

  assert_null (catalog_split_members (store, CATALOG_SPLIT_TRAIN, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "split train", "import", NULL);

  testing_store_import (store);
  members = catalog_split_members (store, CATALOG_SPLIT_TRAIN, &error);
  assert_no_error (error);
  assert_members (members, 4, (const guint[]){ 0, 1, 2, 3 });
  assert_null (catalog_split_members (store, CATALOG_SPLIT_VALID, &error));
  assert_error_says (&error, "split valid", NULL);
}

static void
test_sample_comes_back_as_saved (void **state)
{
  const char *chosen[] = { testing_volumes[3], testing_volumes[0] };
  g_autoptr (CatalogStore) store = testing_store_new ("sample.sqlite", NULL);
  g_autoptr (CatalogSample) sample = NULL;
  g_autoptr (CatalogMembers) members = NULL;
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;

  testing_store_import (store);
  testing_store_sample (store, "s", chosen, 2);
  sample = catalog_sample_find (store, "s", &error);
  assert_no_error (error);
  assert_string_equal (sample->name, "s");
  assert_int_equal (sample->split, CATALOG_SPLIT_TRAIN);
  assert_true (sample->fraction == 0.15);
  assert_true (sample->seed == TESTING_SEED);
  assert_true (sample->available);
  assert_int_equal (sample->n, 2);
  assert_int_equal (sample->of, 4);
  assert_int_equal (strlen (sample->created), strlen ("2025-01-01T00:00:00Z"));

  members = catalog_sample_members (store, "s", &error);
  assert_no_error (error);
  assert_members (members, 2, (const guint[]){ 0, 3 });

  testing_store_sample (store, "another", chosen, 1);
  samples = catalog_samples_list (store, &error);
  assert_int_equal (samples->len, 2);
  assert_string_equal (((CatalogSample *) samples->pdata[0])->name, "s");
  assert_string_equal (((CatalogSample *) samples->pdata[1])->name, "another");
}

static void
test_sample_of_the_same_name_takes_its_place (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("replaced.sqlite", NULL);
  g_autoptr (CatalogMembers) members = NULL;
  g_autoptr (GError) error = NULL;

  testing_store_import (store);
  testing_store_sample (store, "s", testing_volumes, 3);
  testing_store_sample (store, "s", testing_volumes + 1, 1);
  members = catalog_sample_members (store, "s", &error);
  assert_no_error (error);
  assert_members (members, 1, (const guint[]){ 1 });
  assert_store_value (store, "SELECT count (*) FROM sample", "1");
  assert_store_value (store, "SELECT count (*) FROM sample_member", "1");
}

static void
test_sample_survives_a_second_import_without_the_rows_that_went (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("reimported.sqlite", NULL);
  g_autoptr (CatalogMembers) members = NULL;
  g_autoptr (CatalogSample) sample = NULL;
  g_autoptr (GError) error = NULL;

  testing_store_import (store);
  testing_store_sample (store, "s", testing_volumes, 4);
  testing_store_import (store);
  testing_store_exec (store, "UPDATE volume SET reason = 3 WHERE name = 'train_1_a_1.nii.gz';"
                             "DELETE FROM volume WHERE name = 'train_4_a_1.nii.gz';"
                             "INSERT INTO volume (split, position, name, patient, reason, labels)"
                             " VALUES (1, 0, 'train_4_a_1.nii.gz', 'train_4', 0, 262143)");
  members = catalog_sample_members (store, "s", &error);
  assert_no_error (error);
  assert_members (members, 2, (const guint[]){ 0, 2 });
  sample = catalog_sample_find (store, "s", &error);
  assert_int_equal (sample->n, 4);
}

static void
test_sample_that_is_not_there_names_those_that_are (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("nosample.sqlite", NULL);
  g_autoptr (GError) error = NULL;

  assert_null (catalog_sample_find (store, "x", &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "sample x", "no samples yet", NULL);
  testing_store_sample (store, "beta", testing_volumes, 1);
  testing_store_sample (store, "alpha", testing_volumes, 1);
  assert_null (catalog_sample_members (store, "x", &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "sample x", "alpha, beta", NULL);
}

#define WIDTH TESTING_WIDTH

/* ---- encoders ---- */

static void
test_encoder_is_made_once_and_guards_its_name (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("encoder.sqlite", NULL);
  gint64 id = testing_store_encoder (store, "lipro", "aa");
  CatalogEncoder other = { .name = (char *) "lipro",
                           .weights_hash = (char *) "bb",
                           .checkpoint_path = (char *) "/moved.pt",
                           .description = (char *) "[encoder] new",
                           .width = WIDTH };
  g_autoptr (CatalogEncoder) encoder = NULL;
  g_autoptr (GError) error = NULL;

  assert_false (catalog_encoder_ensure (store, &other, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
  assert_error_says (&error, "encoder lipro", "/data/weights.pt", "--encoder-name", NULL);
  other.weights_hash = (char *) "aa";
  other.width = 7;
  assert_false (catalog_encoder_ensure (store, &other, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
  assert_error_says (&error, "encoder lipro", "3 numbers and these 7", "--encoder-name", NULL);

  /* What is alike is taken up again, also after another was made. */
  testing_store_encoder (store, "another", "cc");
  other.width = WIDTH;
  assert_true (catalog_encoder_ensure (store, &other, &error));
  assert_int_equal (other.id, id);
  encoder = catalog_encoder_find (store, "lipro", &error);
  assert_no_error (error);
  assert_int_equal (encoder->id, id);
  assert_string_equal (encoder->weights_hash, "aa");
  assert_string_equal (encoder->checkpoint_path, "/moved.pt");
  assert_string_equal (encoder->description, "[encoder] new");
  assert_int_equal (encoder->width, WIDTH);
  assert_int_equal (encoder->n_latents, 0);
}

static void
test_no_name_means_the_encoder_used_last (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("used.sqlite", NULL);
  g_autoptr (CatalogEncoder) first = NULL, again = NULL;
  g_autoptr (GPtrArray) encoders = NULL;
  g_autoptr (GError) error = NULL;

  assert_null (catalog_encoder_find (store, NULL, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "used.sqlite", "encode", NULL);

  testing_store_encoder (store, "a", "1");
  testing_store_encoder (store, "b", "2");
  first = catalog_encoder_find (store, NULL, &error);
  assert_string_equal (first->name, "b");
  testing_store_encoder (store, "a", "1");
  again = catalog_encoder_find (store, NULL, &error);
  assert_string_equal (again->name, "a");

  assert_null (catalog_encoder_find (store, "c", &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "encoder c", "a, b", NULL);
  encoders = catalog_encoders_list (store, &error);
  assert_int_equal (encoders->len, 2);
}

static void
test_file_hash_is_remembered_for_that_size_and_time (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("hashes.sqlite", NULL);
  g_autofree char *hash = NULL, *changed = NULL;
  g_autoptr (GError) error = NULL;

  assert_null (catalog_file_hash_get (store, "/a", 10, -5));
  assert_true (catalog_file_hash_set (store, "/a", 10, -5, "h1", &error));
  hash = catalog_file_hash_get (store, "/a", 10, -5);
  assert_string_equal (hash, "h1");
  assert_null (catalog_file_hash_get (store, "/a", 11, -5));
  assert_null (catalog_file_hash_get (store, "/a", 10, -4));
  assert_null (catalog_file_hash_get (store, "/b", 10, -5));
  assert_true (catalog_file_hash_set (store, "/a", 11, -4, "h2", &error));
  assert_null (catalog_file_hash_get (store, "/a", 10, -5));
  changed = catalog_file_hash_get (store, "/a", 11, -4);
  assert_string_equal (changed, "h2");
}

/* ---- latents ---- */

static CatalogLatent
latent_of (const char *volume, const char *key, const char *request_key, const float *values)
{
  return (CatalogLatent){ .key = key,
                          .request_key = request_key,
                          .volume = volume,
                          .content_hash = "content",
                          .preparation = "prepared",
                          .values = values };
}

static void
save_latent (CatalogStore *store, gint64 encoder_id, const char *volume, const char *key,
             const char *request_key, float first)
{
  const float values[WIDTH] = { first, -0.0f, 1e-42f };
  CatalogLatent latent = latent_of (volume, key, request_key, values);
  g_autoptr (GError) error = NULL;

  catalog_latent_save (store, encoder_id, &latent, &error);
  assert_no_error (error);
}

/** The first number of a volume's latent; NaN where it has none. */
static float
load_first (CatalogStore *store, gint64 encoder_id, const char *volume)
{
  float values[WIDTH];
  guint8 present;
  g_autoptr (GError) error = NULL;

  catalog_latents_load (store, encoder_id, &volume, 1, WIDTH, values, &present, &error);
  assert_no_error (error);
  return present ? values[0] : NAN;
}

static gboolean
hits (CatalogStore *store, gint64 encoder_id, const char *key, const char *volume)
{
  g_autoptr (GError) error = NULL;
  gboolean hit = 7;

  catalog_latent_hit (store, encoder_id, key, volume, &hit, &error);
  assert_no_error (error);
  return hit;
}

static void
test_latents_come_back_bit_for_bit_in_the_order_asked (void **state)
{
  const char *asked[] = { "c", "none", "a", "c" };
  const float expected[WIDTH] = { 3, -0.0f, 1e-42f }, untouched[WIDTH] = { 9, 9, 9 };
  float values[4 * WIDTH];
  guint8 present[4];
  g_autoptr (CatalogStore) store = testing_store_new ("latents.sqlite", NULL);
  gint64 id = testing_store_encoder (store, "e", "w"),
         other = testing_store_encoder (store, "other", "v");
  g_auto (GStrv) volumes = NULL;
  g_autoptr (CatalogEncoder) encoder = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 4 * WIDTH; i++)
    values[i] = 9;
  save_latent (store, id, "c", "key-c", NULL, 3);
  save_latent (store, id, "a", "key-a", NULL, 1);
  save_latent (store, other, "none", "key-c", NULL, 5);
  catalog_latents_load (store, id, asked, 4, WIDTH, values, present, &error);
  assert_no_error (error);
  assert_memory_equal (present, ((const guint8[]){ 1, 0, 1, 1 }), 4);
  assert_memory_equal (values, expected, sizeof expected);
  assert_memory_equal (values + WIDTH, untouched, sizeof untouched);
  assert_true (values[2 * WIDTH] == 1);
  assert_memory_equal (values + 3 * WIDTH, expected, sizeof expected);

  volumes = catalog_latent_volumes (store, id, &error);
  assert_int_equal (g_strv_length (volumes), 2);
  assert_string_equal (volumes[0], "a");
  assert_string_equal (volumes[1], "c");
  encoder = catalog_encoder_find (store, "e", &error);
  assert_int_equal (encoder->n_latents, 2);
}

static void
test_changed_scan_shows_its_new_latent_and_the_old_one_is_a_hit_again (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("changed.sqlite", NULL);
  gint64 id = testing_store_encoder (store, "e", "w");

  save_latent (store, id, "a", "before", NULL, 1);
  save_latent (store, id, "a", "after", NULL, 2);
  assert_true (load_first (store, id, "a") == 2);
  assert_true (hits (store, id, "before", "a"));
  assert_true (load_first (store, id, "a") == 1);
  assert_false (hits (store, id, "never", "a"));
  assert_true (load_first (store, id, "a") == 1);

  /* The same content under another name. */
  assert_true (hits (store, id, "after", "b"));
  assert_true (load_first (store, id, "b") == 2);
  assert_false (hits (store, testing_store_encoder (store, "other", "v"), "after", "b"));
}

static void
test_latent_saved_again_replaces_its_numbers (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("again.sqlite", NULL);
  gint64 id = testing_store_encoder (store, "e", "w");

  save_latent (store, id, "a", "key", NULL, 1);
  save_latent (store, id, "b", "other", NULL, 7);
  save_latent (store, id, "a", "key", NULL, 2);
  assert_true (load_first (store, id, "a") == 2);
  assert_true (load_first (store, id, "b") == 7);
  assert_store_value (store, "SELECT count (*) FROM latent", "2");
}

static void
test_request_leads_to_the_latent_that_came_of_it (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("requests.sqlite", NULL);
  gint64 id = testing_store_encoder (store, "e", "w");
  g_autoptr (GError) error = NULL;

  save_latent (store, id, "a", "resolved", "auto", 1);
  assert_true (hits (store, id, "auto", "b"));
  assert_true (load_first (store, id, "b") == 1);
  assert_false (hits (store, id, "csv", "c"));
  assert_true (catalog_latent_add_request (store, id, "resolved", "csv", &error));
  assert_true (hits (store, id, "csv", "c"));
  assert_true (load_first (store, id, "c") == 1);

  assert_false (catalog_latent_add_request (store, id, "unknown", "x", &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "unknown", "encode", NULL);
  assert_false (hits (store, id, "x", "c"));
}

static void
test_a_latent_tells_what_was_asked_for_it (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("asked.sqlite", NULL);
  gint64 id = testing_store_encoder (store, "e", "w");
  g_autofree char *content = NULL, *unasked_content = NULL, *no_content = NULL;
  g_auto (GStrv) asked = NULL;
  g_auto (GStrv) unasked = NULL;
  g_auto (GStrv) nothing = NULL;
  g_autoptr (GError) error = NULL;

  save_latent (store, id, "a", "resolved", "auto", 1);
  save_latent (store, id, "b", "imported", NULL, 2);
  assert_true (catalog_latent_add_request (store, id, "resolved", "csv", &error));
  asked = catalog_latent_requests (store, id, "a", &content, &error);
  assert_no_error (error);
  assert_int_equal (g_strv_length (asked), 2);
  assert_true (g_strv_contains ((const char *const *) asked, "auto"));
  assert_true (g_strv_contains ((const char *const *) asked, "csv"));
  assert_non_null (content);

  unasked = catalog_latent_requests (store, id, "b", &unasked_content, &error);
  assert_int_equal (g_strv_length (unasked), 0);
  assert_non_null (unasked_content);
  nothing = catalog_latent_requests (store, id, "nobody", &no_content, &error);
  assert_int_equal (g_strv_length (nothing), 0);
  assert_null (no_content);
}

static void
test_hit_of_a_shown_latent_needs_no_write (void **state)
{
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) store = testing_store_new ("hit.sqlite", &path);
  g_autoptr (CatalogStore) writer = testing_store_open (path);
  gint64 id = testing_store_encoder (store, "e", "w");
  gboolean hit;
  g_autoptr (GError) error = NULL;

  save_latent (store, id, "a", "key", NULL, 1);
  sqlite3_busy_timeout (store->db, 10);
  assert_true (store_begin (writer, &error));
  assert_true (hits (store, id, "key", "a"));
  assert_false (catalog_latent_hit (store, id, "key", "b", &hit, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_BUSY));
  store_rollback (writer);
}

static void
test_failure_stands_until_a_latent_clears_it (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("failures.sqlite", NULL);
  gint64 id = testing_store_encoder (store, "e", "w");
  g_autoptr (GError) error = NULL;

  assert_true (catalog_failure_save (store, id, "a", "truncated", &error));
  assert_true (catalog_failure_save (store, id, "a", "still truncated", &error));
  assert_store_value (store, "SELECT group_concat (volume || ' ' || reason) FROM failure",
                      "a still truncated");
  save_latent (store, id, "a", "key", NULL, 1);
  assert_store_value (store, "SELECT count (*) FROM failure", "0");

  assert_true (catalog_failure_save (store, id, "a", "unreadable", &error));
  assert_true (hits (store, id, "key", "a"));
  assert_store_value (store, "SELECT count (*) FROM failure", "0");
}

static void
test_latents_are_saved_all_or_none (void **state)
{
  const float values[WIDTH] = { 1, 2, 3 };
  CatalogLatent latents[] = { latent_of ("a", "ka", NULL, values),
                              latent_of ("b", "kb", NULL, values),
                              latent_of ("c", NULL, NULL, values) };
  g_autoptr (CatalogStore) store = testing_store_new ("many.sqlite", NULL);
  gint64 id = testing_store_encoder (store, "e", "w");
  g_autoptr (GError) error = NULL;

  assert_false (catalog_latents_save (store, id, latents, 3, &error));
  assert_error_says (&error, "many.sqlite", NULL);
  assert_true (isnan (load_first (store, id, "a")));
  assert_true (catalog_latents_save (store, id, latents, 2, &error));
  assert_true (load_first (store, id, "b") == 1);
  assert_true (catalog_latents_save (store, id, NULL, 0, &error));

  assert_false (catalog_latents_save (store, 4711, latents, 2, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "4711", NULL);
}

static void
test_latent_of_another_width_is_refused (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("width.sqlite", NULL);
  gint64 id = testing_store_encoder (store, "e", "w");
  const char *volume = "a";
  float values[WIDTH + 1];
  guint8 present;
  g_autoptr (GError) error = NULL;

  save_latent (store, id, "a", "key", NULL, 1);
  assert_false (catalog_latents_load (store, id, &volume, 1, WIDTH + 1, values, &present, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT));
  assert_error_says (&error, "latent of a", "12 bytes where 16", NULL);
  /* The reading transaction is over all the same. */
  assert_true (store_begin (store, &error));
  store_rollback (store);
}

static void
test_latents_of_no_numbers_are_saved_or_say_why_not (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("empty.sqlite", NULL);
  CatalogEncoder encoder = { .name = (char *) "none",
                             .weights_hash = (char *) "",
                             .checkpoint_path = (char *) "",
                             .description = (char *) "" };
  const float values[] = { 1 };
  const CatalogLatent latent = {
    .key = "k", .volume = "v", .content_hash = "", .preparation = "", .values = values
  };
  g_autoptr (GError) error = NULL;

  catalog_encoder_ensure (store, &encoder, &error);
  assert_no_error (error);
  assert_int_equal (catalog_latent_save (store, encoder.id, &latent, &error), error == NULL);
}

static void
test_imports_leave_nothing_behind_and_encoded_latents_stay (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("imports.sqlite", NULL);
  gint64 imported = testing_store_encoder (store, "imported", ""),
         encoded = testing_store_encoder (store, "e", "w");

  save_latent (store, encoded, "a", "old", NULL, 1);
  save_latent (store, encoded, "a", "new", NULL, 2);
  save_latent (store, imported, "a", "old", NULL, 3);
  save_latent (store, imported, "b", "kept", NULL, 4);
  save_latent (store, imported, "a", "new", NULL, 5);
  assert_store_value (store,
                      "SELECT group_concat (name || ' ' || key) FROM (SELECT name, key FROM latent"
                      " JOIN encoder ON encoder.id = encoder_id ORDER BY name, key)",
                      "e new,e old,imported kept,imported new");
  assert_true (load_first (store, imported, "a") == 5);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_split_members_are_the_kept_rows_in_the_files_order),
    cmocka_unit_test (test_sample_comes_back_as_saved),
    cmocka_unit_test (test_sample_of_the_same_name_takes_its_place),
    cmocka_unit_test (test_sample_survives_a_second_import_without_the_rows_that_went),
    cmocka_unit_test (test_sample_that_is_not_there_names_those_that_are),
    cmocka_unit_test (test_encoder_is_made_once_and_guards_its_name),
    cmocka_unit_test (test_no_name_means_the_encoder_used_last),
    cmocka_unit_test (test_file_hash_is_remembered_for_that_size_and_time),
    cmocka_unit_test (test_latents_come_back_bit_for_bit_in_the_order_asked),
    cmocka_unit_test (test_changed_scan_shows_its_new_latent_and_the_old_one_is_a_hit_again),
    cmocka_unit_test (test_latent_saved_again_replaces_its_numbers),
    cmocka_unit_test (test_request_leads_to_the_latent_that_came_of_it),
    cmocka_unit_test (test_a_latent_tells_what_was_asked_for_it),
    cmocka_unit_test (test_hit_of_a_shown_latent_needs_no_write),
    cmocka_unit_test (test_failure_stands_until_a_latent_clears_it),
    cmocka_unit_test (test_latents_are_saved_all_or_none),
    cmocka_unit_test (test_latent_of_another_width_is_refused),
    cmocka_unit_test (test_latents_of_no_numbers_are_saved_or_say_why_not),
    cmocka_unit_test (test_imports_leave_nothing_behind_and_encoded_latents_stay),
  };

  return cmocka_run_group_tests_name ("latents", tests, NULL, NULL);
}

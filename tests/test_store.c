#include "testing_store.h"

#include "base/error.h"
#include "catalog/latents.h"
#include "catalog/text_index.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static guint
mode_of (const char *path)
{
  struct stat info;

  assert_int_equal (stat (path, &info), 0);
  return info.st_mode & 0777;
}

/** A SQLite file that another program could have made. */
static char *
foreign_file (const char *name, const char *sql)
{
  char *path = testing_path (name);
  sqlite3 *db;

  assert_int_equal (sqlite3_open (path, &db), SQLITE_OK);
  assert_int_equal (sqlite3_exec (db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close (db);
  return path;
}

/** Opening fails with this code and leaves every byte as it was. */
static void
assert_refused (const char *path, int code, const char *says, const char *says_too)
{
  g_autofree char *before = NULL, *after = NULL, *wal = g_strconcat (path, "-wal", NULL);
  gsize before_size, after_size;
  g_autoptr (GError) error = NULL;

  assert_true (g_file_get_contents (path, &before, &before_size, NULL));
  assert_null (catalog_store_open (path, TRUE, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, code));
  assert_error_says (&error, path, says, says_too, NULL);
  assert_true (g_file_get_contents (path, &after, &after_size, NULL));
  assert_int_equal (before_size, after_size);
  assert_memory_equal (before, after, before_size);
  assert_false (g_file_test (wal, G_FILE_TEST_EXISTS));
}

/* ---- opening ---- */

static void
test_new_file_is_ours_and_only_ours_to_read (void **state)
{
  mode_t mask = umask (0);
  g_autofree char *path = NULL, *version = g_strdup_printf ("%d", store_schema_n_steps);
  g_autoptr (CatalogStore) store = testing_store_new ("new.sqlite", &path);
  g_autofree char *wal = g_strconcat (path, "-wal", NULL), *shm = g_strconcat (path, "-shm", NULL);
  g_autoptr (GError) error = NULL;

  umask (mask);
  assert_store_value (store, "SELECT printf ('%x', application_id) FROM pragma_application_id",
                      "4354434c");
  assert_store_value (store, "PRAGMA user_version", version);
  assert_int_equal (catalog_store_schema_version (store), store_schema_n_steps);
  assert_store_value (store, "PRAGMA journal_mode", "wal");
  assert_store_value (store, "PRAGMA synchronous", "3");
  assert_store_value (store, "PRAGMA foreign_keys", "1");
  assert_true (catalog_store_set (store, "a", "b", &error));
  assert_int_equal (mode_of (path), 0600);
  assert_int_equal (mode_of (wal), 0600);
  assert_int_equal (mode_of (shm), 0600);
  assert_true (catalog_store_check (store, &error));
}

static void
test_absent_file_is_made_only_when_asked (void **state)
{
  g_autofree char *path = testing_path ("absent.sqlite");
  g_autoptr (GError) error = NULL;

  assert_null (catalog_store_open (path, FALSE, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, path, "is not there", NULL);
  assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

  assert_null (catalog_store_open ("/nowhere/at/all.sqlite", TRUE, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_IO));
  assert_error_says (&error, "/nowhere/at/all.sqlite", "choose another workspace", NULL);

  assert_null (catalog_store_open (testing_directory (), FALSE, &error));
  assert_error_says (&error, "cannot be opened", NULL);
}

static void
test_empty_file_of_a_killed_start_becomes_a_store (void **state)
{
  g_autofree char *path = testing_write ("empty.sqlite", "", 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogStore) store = catalog_store_open (path, FALSE, &error);

  assert_no_error (error);
  assert_int_equal (catalog_store_schema_version (store), store_schema_n_steps);
}

static void
test_files_of_others_are_refused_untouched (void **state)
{
  g_autofree char *text = NULL, *geopackage = NULL, *plain = NULL;
  char lines[4096];

  memset (lines, 'x', sizeof lines);
  text = testing_write ("text.sqlite", lines, sizeof lines);
  assert_refused (text, CTCLIP_ERROR_CORRUPT, "not a SQLite file", "-w DIR");

  geopackage = foreign_file ("geopackage.sqlite",
                             "PRAGMA application_id = 0x47504b47; CREATE TABLE setting (a)");
  assert_refused (geopackage, CTCLIP_ERROR_UNSUPPORTED, "another program", "0x47504b47");

  plain = foreign_file ("plain.sqlite", "CREATE TABLE volume (a); PRAGMA user_version = 1");
  assert_refused (plain, CTCLIP_ERROR_UNSUPPORTED, "another program", "move it away");
}

static void
test_newer_schema_is_refused_with_both_versions (void **state)
{
  g_autofree char *path = NULL, *known = g_strdup_printf ("up to %d", store_schema_n_steps);
  CatalogStore *store = testing_store_new ("newer.sqlite", &path);

  testing_store_exec (store, "PRAGMA user_version = 99");
  catalog_store_close (store);
  assert_refused (path, CTCLIP_ERROR_UNSUPPORTED, "version 99", known);
}

static void
test_without_shared_memory_a_rollback_journal_serves (void **state)
{
  /* This form of SQLite's file layer has locks and no shared memory, as some network homes. */
  sqlite3_vfs *usual = sqlite3_vfs_find (NULL), *plain = sqlite3_vfs_find ("unix-dotfile");
  g_autofree char *path = testing_path ("rollback.sqlite");
  g_autoptr (GError) error = NULL;
  CatalogStore *store;

  assert_non_null (plain);
  sqlite3_vfs_register (plain, TRUE);
  store = catalog_store_open (path, TRUE, &error);
  sqlite3_vfs_register (usual, TRUE);
  assert_no_error (error);
  assert_store_value (store, "PRAGMA journal_mode", "delete");
  assert_store_value (store, "PRAGMA synchronous", "3");
  assert_true (catalog_store_set (store, "kept", "yes", &error));
  catalog_store_close (store);

  store = testing_store_open (path);
  assert_store_value (store, "PRAGMA journal_mode", "wal");
  assert_store_value (store, "SELECT value FROM setting WHERE key = 'kept'", "yes");
  catalog_store_close (store);
}

/* ---- migration ---- */

/** The program's own steps and one more. */
static const char **
steps_with (const char *next)
{
  const char **steps = g_new0 (const char *, store_schema_n_steps + 1);

  memcpy (steps, store_schema_steps, sizeof *steps * (gsize) store_schema_n_steps);
  steps[store_schema_n_steps] = next;
  return steps;
}

static char *
backup_path (const char *path)
{
  return g_strdup_printf ("%s.v%d.backup", path, store_schema_n_steps);
}

static void
test_migration_keeps_a_copy_and_what_was_there (void **state)
{
  g_autofree const char **steps = steps_with ("ALTER TABLE setting ADD COLUMN note TEXT;"
                                              "UPDATE setting SET note = value || '!'");
  g_autofree char *path = NULL, *backup = NULL, *next = NULL;
  g_autoptr (CatalogStore) store = testing_store_new ("migrated.sqlite", &path);
  g_autoptr (CatalogStore) second = testing_store_open (path);
  g_autoptr (CatalogStore) copy = NULL;
  g_autoptr (GError) error = NULL;

  backup = backup_path (path);
  next = g_strdup_printf ("%d", store_schema_n_steps + 1);
  assert_false (g_file_test (backup, G_FILE_TEST_EXISTS));
  assert_true (catalog_store_set (store, "a", "b", &error));

  store_migrate (store, steps, store_schema_n_steps + 1, &error);
  assert_no_error (error);
  assert_store_value (store, "SELECT note FROM setting", "b!");
  assert_store_value (store, "PRAGMA user_version", next);
  assert_int_equal (mode_of (backup), 0600);

  /* The second program comes to a file that is migrated already. */
  store_migrate (second, steps, store_schema_n_steps + 1, &error);
  assert_no_error (error);
  assert_store_value (second, "SELECT note FROM setting", "b!");

  /* The copy is a store of the old version, and opens as one. */
  copy = testing_store_open (backup);
  assert_int_equal (catalog_store_schema_version (copy), store_schema_n_steps);
  assert_store_value (copy, "SELECT value FROM setting", "b");
  assert_store_value (copy, "SELECT count (*) FROM pragma_table_info ('setting')", "2");
}

/** A store as version 1 made it, with one report. */
static void
make_version_1 (const char *path)
{
  sqlite3 *db = NULL;

  assert_int_equal (sqlite3_open (path, &db), SQLITE_OK);
  assert_int_equal (sqlite3_exec (db, store_schema_steps[0], NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal (
      sqlite3_exec (db,
                    "INSERT INTO volume (id, split, position, name, patient, reason, report_id)"
                    " VALUES (1, 0, 0, 'train_1_a_1.nii.gz', 'train_1', 0, 1);"
                    "INSERT INTO report (volume_id, findings) VALUES (1, 'A nodule.');"
                    "INSERT INTO report_text (report_text) VALUES ('rebuild');"
                    "PRAGMA application_id = 0x4354434c; PRAGMA user_version = 1",
                    NULL, NULL, NULL),
      SQLITE_OK);
  sqlite3_close (db);
}

static void
test_store_of_version_1_finds_its_words_again (void **state)
{
  g_autofree char *path = g_build_filename (testing_directory (), "version-1.sqlite", NULL);
  g_autoptr (CatalogStore) store = NULL;
  g_autoptr (GError) error = NULL;

  make_version_1 (path);
  store = testing_store_open (path);
  assert_false (catalog_text_index_is_finished (store));
  assert_true (catalog_text_index_finish (store, NULL, NULL, NULL, &error));
  assert_store_value (store, "SELECT rowid FROM report_text WHERE report_text MATCH 'nod*'", "1");
  assert_true (catalog_store_check (store, &error));
}

static void
test_failed_migration_changes_nothing (void **state)
{
  g_autofree const char **steps =
      steps_with ("CREATE TABLE half (a); UPDATE setting SET value = 'lost'; SELECT nonsense");
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) store = testing_store_new ("unmigrated.sqlite", &path);
  g_autoptr (GError) error = NULL;

  assert_true (catalog_store_set (store, "a", "b", &error));
  assert_false (store_migrate (store, steps, store_schema_n_steps + 1, &error));
  assert_error_says (&error, path, "nonsense", NULL);
  assert_int_equal (catalog_store_schema_version (store), store_schema_n_steps);
  assert_store_value (store, "SELECT value FROM setting", "b");
  assert_store_value (store, "SELECT count (*) FROM sqlite_master WHERE name = 'half'", "0");
}

static void
test_migration_without_a_copy_does_not_start (void **state)
{
  g_autofree const char **steps = steps_with ("DELETE FROM setting");
  g_autofree char *path = NULL, *backup = NULL;
  g_autoptr (CatalogStore) store = testing_store_new ("uncopied.sqlite", &path);
  g_autoptr (GError) error = NULL;

  backup = backup_path (path);
  assert_true (catalog_store_set (store, "a", "b", &error));
  /* A folder in the copy's place can't be renamed over, not even by root. */
  assert_int_equal (g_mkdir (backup, 0700), 0);
  assert_false (store_migrate (store, steps, store_schema_n_steps + 1, &error));
  assert_error_says (&error, backup, "cannot be made", NULL);
  assert_store_value (store, "SELECT value FROM setting", "b");
  assert_int_equal (catalog_store_schema_version (store), store_schema_n_steps);
}

/* ---- faults ---- */

static void
test_nothing_is_written_to_a_file_that_lost_its_name (void **state)
{
  g_autofree char *path = NULL, *away = testing_path ("away.sqlite");
  g_autoptr (CatalogStore) store = testing_store_new ("moved.sqlite", &path);
  g_autoptr (GError) error = NULL;

  assert_true (catalog_store_set (store, "a", "b", &error));
  assert_int_equal (g_rename (path, away), 0);
  assert_false (catalog_store_set (store, "a", "c", &error));
  assert_error_says (&error, path, "was moved", "put it back", NULL);
  assert_false (catalog_file_hash_set (store, "/scan", 1, 2, "hash", &error));
  assert_error_says (&error, path, "was moved", NULL);
  assert_int_equal (g_rename (away, path), 0);
  assert_store_value (store, "SELECT value FROM setting", "b");
  assert_true (catalog_store_set (store, "a", "c", &error));
  assert_store_value (store, "SELECT value FROM setting", "c");
}

static void
test_index_that_cannot_be_looked_at_is_not_called_finished (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("unreadable.sqlite", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (catalog_text_index_is_finished (store));
  testing_store_exec (store, "ALTER TABLE setting RENAME TO hidden");
  assert_false (catalog_text_index_is_finished (store));
  assert_false (catalog_text_index_finish (store, NULL, NULL, NULL, &error));
  assert_error_says (&error, "setting", NULL);
}

static void
test_full_disk_is_named_and_undone (void **state)
{
  g_autofree char *path = NULL, *large = g_strnfill (1 << 20, 'x');
  g_autoptr (CatalogStore) store = testing_store_new ("full.sqlite", &path);
  g_autoptr (GError) error = NULL;
  g_autofree char *pages = testing_store_value (store, "PRAGMA page_count");
  g_autofree char *limit = g_strdup_printf ("PRAGMA max_page_count = %s", pages);

  testing_store_exec (store, limit);
  assert_true (store_begin (store, &error));
  testing_store_exec (store, "INSERT INTO setting VALUES ('small', 'x')");
  assert_false (catalog_store_set (store, "large", large, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_IO));
  assert_error_says (&error, path, "the disk is full", "free some space", NULL);
  assert_false (store_end (store, FALSE, &error));
  assert_store_value (store, "SELECT count (*) FROM setting", "0");

  testing_store_exec (store, "PRAGMA max_page_count = 100000");
  assert_true (catalog_store_set (store, "large", large, &error));
}

static void
test_second_writer_waits_then_says_busy_while_readers_go_on (void **state)
{
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) writer = testing_store_new ("busy.sqlite", &path);
  g_autoptr (CatalogStore) other = testing_store_open (path);
  g_autofree char *seen = NULL;
  g_autoptr (GError) error = NULL;

  assert_true (catalog_store_set (writer, "a", "old", &error));
  sqlite3_busy_timeout (other->db, 20);
  assert_true (store_begin (writer, &error));
  testing_store_exec (writer, "UPDATE setting SET value = 'new'");

  assert_store_value (other, "SELECT value FROM setting", "old");
  assert_false (store_begin (other, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_BUSY));
  assert_error_says (&error, path, "another program is writing", NULL);

  assert_true (store_end (writer, TRUE, &error));
  seen = catalog_store_get (other, "a");
  assert_string_equal (seen, "new");
  assert_true (store_begin (other, &error));
  store_rollback (other);
}

static void
test_read_only_file_says_what_to_do (void **state)
{
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) store = testing_store_new ("read_only.sqlite", &path);
  g_autoptr (GError) error = NULL;

  testing_store_exec (store, "PRAGMA query_only = ON");
  assert_false (catalog_store_set (store, "a", "b", &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_IO));
  assert_error_says (&error, path, "cannot be written", "-w DIR", NULL);
}

static int
interrupt_now (gpointer user_data)
{
  return 1;
}

static void
test_interrupted_statement_reads_as_cancelled (void **state)
{
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) store = testing_store_new ("interrupted.sqlite", &path);
  g_autoptr (GError) error = NULL;

  sqlite3_progress_handler (store->db, 1, interrupt_now, NULL);
  assert_false (store_exec (store, "SELECT count (*) FROM setting, volume", &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

static void
test_check_finds_overwritten_pages (void **state)
{
  g_autofree char *path = NULL, *noise = g_strnfill (1 << 16, '#');
  CatalogStore *store = testing_store_new ("damaged.sqlite", &path);
  g_autoptr (GError) error = NULL;
  int fd;

  for (guint i = 0; i < 500; i++)
    {
      g_autofree char *key = g_strdup_printf ("key %u", i);
      g_autofree char *value = g_strnfill (1000, 'v');

      assert_true (catalog_store_set (store, key, value, &error));
    }
  assert_true (catalog_store_check (store, &error));
  catalog_store_close (store);

  fd = g_open (path, O_RDWR, 0);
  assert_int_equal (pwrite (fd, noise, 1 << 16, 1 << 19), 1 << 16);
  close (fd);
  store = testing_store_open (path);
  assert_false (catalog_store_check (store, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT));
  assert_error_says (&error, path, "is damaged", "doctor --repair", NULL);
  catalog_store_close (store);
}

static void
test_check_finds_rows_and_words_that_hang_in_the_air (void **state)
{
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) store = testing_store_new ("astray.sqlite", &path);
  g_autoptr (GError) error = NULL;

  testing_store_exec (store, "INSERT INTO volume (id, split, position, name, patient, reason)"
                             " VALUES (1, 0, 0, 'train_1_a_1.nii.gz', 'train_1', 0);"
                             "INSERT INTO report (volume_id, findings) VALUES (1, 'Emphysema.')");
  assert_false (catalog_store_check (store, &error));
  assert_error_says (&error, path, "is damaged", NULL);
  testing_store_exec (store, "INSERT INTO report_text (report_text) VALUES ('rebuild')");
  assert_true (catalog_store_check (store, &error));

  testing_store_exec (store,
                      "PRAGMA foreign_keys = OFF;"
                      "INSERT INTO failure VALUES (77, 'train_1_a_1.nii.gz', 'because', 'now')");
  assert_false (catalog_store_check (store, &error));
  assert_error_says (&error, "failure", "encoder", NULL);
}

/* ---- small values ---- */

static void
test_settings_are_kept_replaced_and_forgotten (void **state)
{
  g_autofree char *path = NULL, *first = NULL, *second = NULL;
  CatalogStore *store = testing_store_new ("settings.sqlite", &path);
  g_autoptr (GError) error = NULL;

  assert_null (catalog_store_get (store, "window"));
  assert_true (catalog_store_set (store, "window", "Lunge ☺", &error));
  catalog_store_close (store);
  store = testing_store_open (path);
  first = catalog_store_get (store, "window");
  assert_string_equal (first, "Lunge ☺");
  assert_true (catalog_store_set (store, "window", "", &error));
  second = catalog_store_get (store, "window");
  assert_string_equal (second, "");
  assert_true (catalog_store_set (store, "window", NULL, &error));
  assert_null (catalog_store_get (store, "window"));
  catalog_store_close (store);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_new_file_is_ours_and_only_ours_to_read),
    cmocka_unit_test (test_absent_file_is_made_only_when_asked),
    cmocka_unit_test (test_empty_file_of_a_killed_start_becomes_a_store),
    cmocka_unit_test (test_files_of_others_are_refused_untouched),
    cmocka_unit_test (test_newer_schema_is_refused_with_both_versions),
    cmocka_unit_test (test_without_shared_memory_a_rollback_journal_serves),
    cmocka_unit_test (test_migration_keeps_a_copy_and_what_was_there),
    cmocka_unit_test (test_store_of_version_1_finds_its_words_again),
    cmocka_unit_test (test_failed_migration_changes_nothing),
    cmocka_unit_test (test_migration_without_a_copy_does_not_start),
    cmocka_unit_test (test_nothing_is_written_to_a_file_that_lost_its_name),
    cmocka_unit_test (test_index_that_cannot_be_looked_at_is_not_called_finished),
    cmocka_unit_test (test_full_disk_is_named_and_undone),
    cmocka_unit_test (test_second_writer_waits_then_says_busy_while_readers_go_on),
    cmocka_unit_test (test_read_only_file_says_what_to_do),
    cmocka_unit_test (test_interrupted_statement_reads_as_cancelled),
    cmocka_unit_test (test_check_finds_overwritten_pages),
    cmocka_unit_test (test_check_finds_rows_and_words_that_hang_in_the_air),
    cmocka_unit_test (test_settings_are_kept_replaced_and_forgotten),
  };

  return cmocka_run_group_tests_name ("store", tests, NULL, NULL);
}

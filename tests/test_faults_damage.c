/* A workspace whose file is damaged: it is told so with what to do, and `doctor --repair` keeps all
 * rows that can be read. */
#include "harm.h"
#include "testing_store.h"
#include "testing_study.h"

#include "base/random.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENTS 300
#define WIDTH 24
#define PAGE 16384
#define MOST_ON_A_PAGE (PAGE / (WIDTH * (int) sizeof (float)))
#define PAGES 3

static char *kept, *scratch, *store_path;

static int
make_workspace (void **state)
{
  g_autoptr (Workspace) made = testing_study_workspace ("kept", PATIENTS, PATIENTS);

  testing_study_latents (made, WIDTH, 1);
  kept = g_strdup (workspace_directory (made));
  scratch = testing_path ("scratch");
  store_path = g_build_filename (scratch, "workspace.sqlite", NULL);
  {
    g_auto (ProgramResult) result =
        program_expect (0, "train", "-w", kept, "--fraction", "0.5", "--epochs", "3", NULL);
  }
  return 0;
}

static int
forget_workspace (void **state)
{
  g_clear_pointer (&kept, g_free);
  g_clear_pointer (&scratch, g_free);
  g_clear_pointer (&store_path, g_free);
  return 0;
}

static guint
count (const char *table)
{
  g_autofree char *sql = g_strdup_printf ("SELECT count (*) FROM %s", table);
  g_autoptr (CatalogStore) store = testing_store_open (store_path);
  g_autofree char *value = testing_store_value (store, sql);

  return (guint) atoi (value);
}

static void
copy_to_scratch (void)
{
  harm_remove (scratch);
  harm_copy (kept, scratch);
}

static void
overwrite_page (gsize page)
{
  g_autofree char *noise = g_strnfill (PAGE, '#');
  int fd = g_open (store_path, O_RDWR, 0);

  assert_int_equal (pwrite (fd, noise, PAGE, (off_t) (page * PAGE)), PAGE);
  close (fd);
}

/** The page that holds the numbers of a latent. */
static gsize
page_of_a_latent (void)
{
  g_autoptr (CatalogStore) store = testing_store_open (store_path);
  g_autoptr (GError) error = NULL;
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT numbers FROM latent ORDER BY id LIMIT 1 OFFSET 250", &error);
  g_autofree char *bytes = NULL;
  gsize size;
  const char *found;

  assert_no_error (error);
  assert_int_equal (store_step (store, statement, &error), SQLITE_ROW);
  assert_true (g_file_get_contents (store_path, &bytes, &size, NULL));
  found = memmem (bytes, size, sqlite3_column_blob (statement, 0),
                  (gsize) sqlite3_column_bytes (statement, 0));
  assert_non_null (found);
  return (gsize) (found - bytes) / PAGE;
}

static void
assert_sound (void)
{
  g_autoptr (CatalogStore) store = testing_store_open (store_path);
  g_autoptr (GError) error = NULL;

  catalog_store_check (store, &error);
  assert_no_error (error);
}

/** The doctor's JSON; its code, as the machine may lack something else. */
static json_t *
repair (void)
{
  g_auto (ProgramResult) result = program_run ("doctor", "-w", scratch, "--repair", "--json", NULL);

  if (result.json == NULL)
    fail_msg ("doctor ended with %d: %s", result.code, result.err);
  return json_incref (result.json);
}

static void
test_damage_is_told_with_what_to_do (void **state)
{
  copy_to_scratch ();
  overwrite_page (page_of_a_latent ());
  {
    g_auto (ProgramResult) doctor = program_expect (1, "doctor", "-w", scratch, NULL);
    g_auto (ProgramResult) train =
        program_expect (1, "train", "-w", scratch, "--fraction", "1", NULL);

    assert_non_null (strstr (doctor.out, "is damaged"));
    assert_non_null (strstr (doctor.out, "doctor --repair"));
    assert_non_null (strstr (train.err, "doctor --repair"));
  }
}

static void
test_repair_keeps_every_row_but_the_lost_pages (void **state)
{
  static const char *const others[] = { "volume",  "report",     "sample",  "sample_member",
                                        "run",     "epoch",      "encoder", "epoch_class",
                                        "setting", "run_result", "split",   "prediction" };
  guint before[G_N_ELEMENTS (others)], latents, lost;
  json_t *result;

  copy_to_scratch ();
  latents = count ("latent");
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    before[i] = count (others[i]);
  overwrite_page (page_of_a_latent ());
  result = repair ();
  assert_true (json_is_true (json_at (result, "workspace_sound")));
  assert_string_equal (json_string_value (json_at (result, "repaired.damaged.0")), "latent");
  assert_int_equal (json_array_size (json_at (result, "repaired.damaged")), 1);
  assert_true (
      g_file_test (json_string_value (json_at (result, "repaired.kept_file")), G_FILE_TEST_EXISTS));
  json_decref (result);

  assert_sound ();
  lost = latents - count ("latent");
  if (lost < 1 || lost > MOST_ON_A_PAGE)
    fail_msg ("%u of %u latents are lost with one page", lost, latents);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (count (others[i]) != before[i])
      fail_msg ("%s has %u rows of %u", others[i], count (others[i]), before[i]);
  {
    struct stat info;

    assert_int_equal (stat (store_path, &info), 0);
    assert_int_equal (info.st_mode & 0777, 0600);
  }
}

static void
test_a_sound_workspace_is_left_alone (void **state)
{
  json_t *result;

  copy_to_scratch ();
  result = repair ();
  assert_null (json_object_get (result, "repaired"));
  assert_true (json_is_true (json_at (result, "workspace_sound")));
  json_decref (result);
}

static void
test_whatever_page_is_damaged_the_rest_can_be_worked_with (void **state)
{
  guint n = harm_moments (PAGES);
  struct stat info;
  Random random;

  random_init (&random, 9, 0);
  for (guint i = 0; i < n; i++)
    {
      gsize page;

      copy_to_scratch ();
      assert_int_equal (stat (store_path, &info), 0);
      page = 1 + random_below (&random, (guint64) info.st_size / PAGE - 1);
      overwrite_page (page);
      json_decref (repair ());
      assert_sound ();
      {
        g_auto (ProgramResult) records =
            program_expect (0, "records", "-w", scratch, "--count", NULL);
      }
    }
}

static void
test_without_its_first_page_it_is_left_as_it_is (void **state)
{
  g_autofree char *before = NULL, *after = NULL;
  gsize before_size, after_size;

  copy_to_scratch ();
  overwrite_page (0);
  assert_true (g_file_get_contents (store_path, &before, &before_size, NULL));
  {
    g_auto (ProgramResult) result = program_expect (1, "doctor", "-w", scratch, "--repair", NULL);

    assert_non_null (strstr (result.out, "go back to a copy"));
  }
  assert_true (g_file_get_contents (store_path, &after, &after_size, NULL));
  assert_int_equal (before_size, after_size);
  assert_memory_equal (before, after, before_size);
}

static void
test_nothing_is_repaired_while_another_has_it_open (void **state)
{
  copy_to_scratch ();
  overwrite_page (page_of_a_latent ());
  {
    g_autoptr (CatalogStore) open = testing_store_open (store_path);

    /* There is something in the log that both would share. */
    catalog_store_set (open, "key", "value", NULL);
    {
      g_auto (ProgramResult) result = program_expect (1, "doctor", "-w", scratch, "--repair", NULL);

      assert_non_null (strstr (result.out, "cannot be had alone"));
    }
  }
  json_decref (repair ());
  assert_sound ();
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_damage_is_told_with_what_to_do),
    cmocka_unit_test (test_repair_keeps_every_row_but_the_lost_pages),
    cmocka_unit_test (test_a_sound_workspace_is_left_alone),
    cmocka_unit_test (test_whatever_page_is_damaged_the_rest_can_be_worked_with),
    cmocka_unit_test (test_without_its_first_page_it_is_left_as_it_is),
    cmocka_unit_test (test_nothing_is_repaired_while_another_has_it_open),
  };

  return cmocka_run_group_tests_name ("faults: damage", tests, make_workspace, forget_workspace);
}

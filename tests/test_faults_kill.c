/* kill -9 at random moments of import, train, encode and export: the workspace opens and is sound,
 * nothing that was announced is missing, nothing half-written shows, and the same command ends with
 * the very bits of a run that nobody disturbed. */
#include "harm.h"
#include "testing_store.h"
#include "testing_study.h"

#include "base/random.h"
#include "ctrate_files.h"
#include "study/demo_job.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define PATIENTS 300
#define SCANS 8 /* to train on; half as many to judge on */
#define MOMENTS 3

static char *kept, *scratch; /* a workspace that is not touched, and what is harmed */
static Workspace *of_demo;   /* with scans, and an encoder */
static StudyDemo demo;
static Random moments;

/* ---- what is harmed ---- */

static void
write_tables (const char *directory, guint64 seed)
{
  g_autoptr (GError) error = NULL;

  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      CtrateShape shape = ctrate_shape (split, PATIENTS);

      g_mkdir_with_parents (directory, 0700);
      ctrate_files_write (directory, &shape, seed, &error);
      assert_no_error (error);
    }
}

static int
make_workspace (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("kept", PATIENTS, PATIENTS);
  g_autofree char *tables = testing_path ("tables"), *demo_path = testing_path ("demo");
  g_auto (JobSnapshot) last = { 0 };
  g_autoptr (GError) error = NULL;

  testing_study_latents (workspace, 24, 1);
  kept = g_strdup (workspace_directory (workspace));
  scratch = testing_path ("scratch");
  write_tables (tables, 3);

  of_demo = workspace_open (demo_path, TRUE, &error);
  assert_no_error (error);
  demo = (StudyDemo){
    .workspace = of_demo, .seed = STUDY_DEMO_SEED, .n_train = SCANS, .n_valid = SCANS / 2
  };
  testing_study_run (study_demo, &demo, &last);
  random_init (&moments, 50, 0);
  return 0;
}

static int
forget_workspace (void **state)
{
  study_demo_clear (&demo);
  g_clear_pointer (&of_demo, workspace_free);
  g_clear_pointer (&kept, g_free);
  g_clear_pointer (&scratch, g_free);
  return 0;
}

/** The scratch workspace, as another one is. */
static void
copy_to_scratch (const char *workspace)
{
  harm_remove (scratch);
  harm_copy (workspace, scratch);
}

/* ---- the harm ---- */

/** How long the command takes, and that it does what it should. */
static gulong
undisturbed_us (int code, const char *const *arguments)
{
  gint64 started_us = g_get_monotonic_time ();
  g_auto (ProgramResult) result = harm_run (NULL, NULL, NULL, arguments);

  if (result.code != code)
    fail_msg ("`%s` ended with %d: %s", arguments[0], result.code, result.err);
  return (gulong) (g_get_monotonic_time () - started_us);
}

static CatalogStore *
open_sound (void)
{
  g_autofree char *path = g_build_filename (scratch, "workspace.sqlite", NULL);
  g_autoptr (GError) error = NULL;
  CatalogStore *store = catalog_store_open (path, FALSE, &error);

  assert_no_error (error);
  catalog_store_check (store, &error);
  assert_no_error (error);
  return store;
}

/** Kill the command at a random moment of the time it takes; what it had said by then. Where it had
 * ended, it takes less than was thought. */
static char *
kill_somewhere (gulong *whole_us, guint *hits, const char *const *arguments)
{
  gulong moment_us = random_below (&moments, *whole_us);
  char *out = NULL;

  if (harm_kill_after (moment_us, &out, arguments))
    ++*hits;
  else
    *whole_us = MAX (moment_us, 1);
  return out;
}

/** After @i kills of @n: some moments are past a command that was quick this time; not all may be.
 */
static gboolean
goes_on (guint i, guint n, guint hits)
{
  return i < n || (4 * hits < n && i < 10 * n);
}

static guint
count (CatalogStore *store, const char *sql)
{
  g_autofree char *value = testing_store_value (store, sql);

  return (guint) atoi (value);
}

static void
assert_same_file (const char *a_path, const char *b_path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *a = NULL, *b = NULL;
  gsize a_size, b_size;

  g_file_get_contents (a_path, &a, &a_size, &error);
  assert_no_error (error);
  g_file_get_contents (b_path, &b, &b_size, &error);
  assert_no_error (error);
  if (a_size != b_size || memcmp (a, b, a_size) != 0)
    fail_msg ("%s and %s differ", a_path, b_path);
}

static void
assert_hit (guint hits, guint n)
{
  if (4 * hits < n)
    fail_msg ("only %u of %u kills met a running program", hits, n);
  print_message ("%u kills, of which %u met a running program; nothing lost\n", n, hits);
}

/* ---- import ---- */

/** All that an import writes of a split, but when. */
static char *
split_text (CatalogStore *store, CatalogSplit split)
{
  g_autofree char *sql = g_strdup_printf (
      "SELECT group_concat (row, x'0a') FROM (SELECT quote (position) || quote (name)"
      " || quote (patient) || quote (reason) || quote (reason_detail) || quote (labels)"
      " || quote (sex) || quote (age) || quote (manufacturer) || quote (model)"
      " || quote (study_date) || quote (rows) || quote (columns) || quote (slices)"
      " || quote (spacing_xy) || quote (spacing_z) || quote (slope) || quote (intercept)"
      " || quote (clinical) || quote (technique) || quote (findings) || quote (impression) AS row"
      " FROM volume LEFT JOIN report ON report.volume_id = volume.report_id"
      " WHERE split = %d ORDER BY position)",
      split);

  return testing_store_value (store, sql);
}

/** @start: the workspace that is imported into */
static void
assert_import_is_all_or_nothing (const char *start)
{
  g_autofree char *tables = testing_path ("tables");
  const char *const import[] = { "import", "-w", scratch, tables, "--json", NULL };
  guint n = harm_moments (MOMENTS), hits = 0;
  char *before[2], *after[2];
  gulong whole_us;

  copy_to_scratch (start);
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_autoptr (CatalogStore) store = open_sound ();

      before[split] = split_text (store, split);
    }
  whole_us = undisturbed_us (0, import);
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_autoptr (CatalogStore) store = open_sound ();

      after[split] = split_text (store, split);
      assert_string_not_equal (before[split] != NULL ? before[split] : "", after[split]);
    }

  for (guint i = 0; goes_on (i, n, hits); i++)
    {
      g_autofree char *said = NULL;
      guint announced;

      copy_to_scratch (start);
      said = kill_somewhere (&whole_us, &hits, import);
      announced = harm_count_lines (said); /* a split a line */
      for (guint round = 0; round < 2; round++)
        {
          g_autoptr (CatalogStore) store = open_sound ();

          for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
            {
              g_autofree char *text = split_text (store, split);
              gboolean may_be_old = round == 0 && (guint) split >= announced;

              assert_true (g_strcmp0 (text, after[split]) == 0
                           || (may_be_old && g_strcmp0 (text, before[split]) == 0));
            }
          if (round == 0)
            undisturbed_us (0, import);
        }
    }
  assert_hit (hits, n);
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_free (before[split]);
      g_free (after[split]);
    }
}

static void
test_import_is_all_or_nothing_of_a_split (void **state)
{
  assert_import_is_all_or_nothing (kept);
}

/* It goes into the file, beside a rollback journal, not by the log. */
static void
test_first_import_is_all_or_nothing_of_a_split (void **state)
{
  g_autofree char *empty = testing_path ("empty");
  g_autoptr (GError) error = NULL;
  g_autoptr (Workspace) workspace = workspace_open (empty, TRUE, &error);

  assert_no_error (error);
  assert_import_is_all_or_nothing (empty);
}

/* ---- train ---- */

#define IS_KILLED "(SELECT id FROM run WHERE name = 'killed')"

static void
export_run (const char *prefix)
{
  static const char *const what[] = { "predictions", "metrics", "head" };

  for (guint i = 0; i < G_N_ELEMENTS (what); i++)
    {
      g_autofree char *name = g_strconcat (prefix, what[i], NULL);
      g_autofree char *path = testing_path (name);
      g_auto (ProgramResult) result = program_expect (0, "export", "-w", scratch, what[i], "--run",
                                                      "killed", "--force", "--out", path, NULL);
    }
}

static void
assert_run_is_the_undisturbed_one (void)
{
  static const char *const what[] = { "predictions", "metrics", "head" };

  export_run ("killed.");
  for (guint i = 0; i < G_N_ELEMENTS (what); i++)
    {
      g_autofree char *a = g_strconcat ("undisturbed.", what[i], NULL);
      g_autofree char *b = g_strconcat ("killed.", what[i], NULL);
      g_autofree char *a_path = testing_path (a), *b_path = testing_path (b);

      assert_same_file (a_path, b_path);
    }
}

static void
test_train_keeps_every_epoch_that_it_told (void **state)
{
  const char *const train[] = { "train", "-w",     scratch,  "--fraction", "0.9", "--epochs",
                                "12",    "--name", "killed", "--watch",    NULL };
  guint n = harm_moments (MOMENTS), hits = 0;
  gulong whole_us;

  copy_to_scratch (kept);
  whole_us = undisturbed_us (0, train);
  export_run ("undisturbed.");
  for (guint i = 0; goes_on (i, n, hits); i++)
    {
      g_autofree char *said = NULL;
      guint done;

      copy_to_scratch (kept);
      said = kill_somewhere (&whole_us, &hits, train);
      {
        g_autoptr (CatalogStore) store = open_sound ();

        done = count (store, "SELECT count (*) FROM run WHERE name = 'killed' AND status = 'done'");
        assert_true (count (store, "SELECT count (*) FROM epoch WHERE run_id = " IS_KILLED)
                     >= MIN (harm_count_lines (said), 12));
        assert_true (done == 1 || harm_count_lines (said) <= 12);
        /* A run shows a result when it is done, and not before. */
        assert_int_equal (count (store, "SELECT count (*) FROM run_result"), done);
        assert_true (done == 1 || count (store, "SELECT count (*) FROM prediction") == 0);
      }
      if (done == 0)
        undisturbed_us (0, train);
      assert_run_is_the_undisturbed_one ();
    }
  assert_hit (hits, n);
}

/* ---- encode ---- */

static void
export_latents (const char *name)
{
  g_autofree char *path = testing_path (name);
  g_auto (ProgramResult) result =
      program_expect (0, "export", "-w", scratch, "latents", "--force", "--out", path, NULL);
}

/** How many scans the killed program had said were done, in what the others see of it. */
static guint
announced_scans (void)
{
  g_autofree char *path = g_build_filename (scratch, "job.json", NULL);
  json_t *job = json_load_file (path, 0, NULL);
  const char *stage = json_string_value (json_object_get (job, "stage"));
  guint done = stage != NULL && strcmp (stage, "encoding") == 0
                   ? (guint) json_integer_value (json_object_get (job, "done"))
                   : 0;

  json_decref (job);
  return done;
}

static void
test_encode_keeps_every_scan_and_goes_on (void **state)
{
  const char *directory = workspace_directory (of_demo);
  const char *const encode[] = { "encode",        "-w",        scratch,      "--encoder",
                                 demo.checkpoint, "--volumes", demo.volumes, NULL };
  g_autofree char *a = testing_path ("undisturbed.npy"), *b = testing_path ("killed.npy");
  g_autofree char *a_names = testing_path ("undisturbed.txt"),
                  *b_names = testing_path ("killed.txt");
  guint n = harm_moments (MOMENTS), hits = 0;
  gulong whole_us;
  g_auto (ProgramResult) imported =
      program_expect (3, "import", "-w", directory, demo.directory, NULL);

  copy_to_scratch (directory);
  whole_us = undisturbed_us (0, encode);
  export_latents ("undisturbed.npy");
  for (guint i = 0; goes_on (i, n, hits); i++)
    {
      g_autofree char *said = NULL;

      copy_to_scratch (directory);
      said = kill_somewhere (&whole_us, &hits, encode);
      {
        g_autoptr (CatalogStore) store = open_sound ();

        assert_true (count (store, "SELECT count (*) FROM volume_latent") >= announced_scans ());
      }
      undisturbed_us (0, encode);
      export_latents ("killed.npy");
      assert_same_file (a, b);
      assert_same_file (a_names, b_names);
    }
  assert_hit (hits, n);
}

/* ---- export ---- */

/** What is in the folder, hidden or not. */
static guint
count_entries (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
test_export_leaves_the_old_file_or_the_new_one (void **state)
{
  g_autofree char *folder = testing_path ("exports"), *old = testing_write ("old.pt", "old", 3);
  g_autofree char *whole = testing_path ("whole.pt"),
                  *out = g_build_filename (folder, "o.pt", NULL);
  const char *const train[] = { "train", "-w",     scratch, "--fraction", "1", "--epochs",
                                "2",     "--name", "demo",  "--json",     NULL };
  const char *const undisturbed[] = { "export", "-w",    scratch, "checkpoint", "--run",
                                      "demo",   "--out", whole,   NULL };
  const char *const export[] = { "export", "-w",    scratch, "checkpoint", "--run",
                                 "demo",   "--out", out,     "--force",    NULL };
  guint n = harm_moments (MOMENTS), hits = 0;
  gulong whole_us;

  /* The scratch workspace is the one in which every scan was encoded. */
  undisturbed_us (0, train);
  whole_us = undisturbed_us (0, undisturbed);
  for (guint i = 0; goes_on (i, n, hits); i++)
    {
      g_autofree char *said = NULL, *bytes = NULL;
      gsize size;

      harm_remove (folder);
      assert_int_equal (g_mkdir (folder, 0700), 0);
      harm_copy (old, out);
      said = kill_somewhere (&whole_us, &hits, export);
      assert_int_equal (count_entries (folder), 1);
      assert_true (g_file_get_contents (out, &bytes, &size, NULL));
      if (*said != '\0' || size != 3 || memcmp (bytes, "old", 3) != 0)
        assert_same_file (out, whole);
      undisturbed_us (0, export);
      assert_same_file (out, whole);
    }
  assert_hit (hits, n);
}

/** It is dead when this returns, so that its call is never made. */
static int
kill_it (GPid pid, gpointer unused)
{
  siginfo_t info;

  kill (pid, SIGKILL);
  assert_int_equal (waitid (P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
  return 0;
}

static void
test_latents_and_names_are_never_of_two_exports (void **state)
{
  static const float old_numbers[] = { 1, 2, 3 };
  const gsize old_shape[] = { 3, 1 };
  g_autofree char *array = testing_path ("pair.npy"), *names = testing_path ("pair.txt"),
                  *new_array = testing_path ("new.npy"), *new_names = testing_path ("new.txt");
  const char *const whole[] = { "export", "-w", kept, "latents", "--out", new_array, NULL };
  const char *const export[] = { "export", "-w", kept, "latents", "--out", array, "--force", NULL };
  const char *const files[] = { array, names };

  harm_need_notices ();
  undisturbed_us (0, whole);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean hit;

      npy_write (array, TRUE, NPY_FLOAT32, 2, old_shape, old_numbers, &error);
      assert_no_error (error);
      g_free (testing_write ("pair.txt", "a\nb\nc\n", 6));
      {
        g_auto (ProgramResult) result =
            harm_before (HARM_RENAME, files[i], 1, kill_it, NULL, &hit, export);

        assert_true (hit);
        assert_int_equal (result.code, -1);
      }
      /* An array is there, and no names that could be taken for its own. */
      assert_true (g_file_test (array, G_FILE_TEST_EXISTS));
      assert_false (g_file_test (names, G_FILE_TEST_EXISTS));
      undisturbed_us (0, export);
      assert_same_file (array, new_array);
      assert_same_file (names, new_names);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_import_is_all_or_nothing_of_a_split),
    cmocka_unit_test (test_first_import_is_all_or_nothing_of_a_split),
    cmocka_unit_test (test_train_keeps_every_epoch_that_it_told),
    cmocka_unit_test (test_encode_keeps_every_scan_and_goes_on),
    cmocka_unit_test (test_export_leaves_the_old_file_or_the_new_one),
    cmocka_unit_test (test_latents_and_names_are_never_of_two_exports),
  };

  return cmocka_run_group_tests_name ("faults: kill -9", tests, make_workspace, forget_workspace);
}

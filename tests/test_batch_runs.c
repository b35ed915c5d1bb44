/* What is done with runs afterwards: the history, and exports. */
#include "testing_batch.h"

#include "catalog/runs.h"
#include "study/workspace.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int
make_run (void **state)
{
  testing_batch_setup (state);
  {
    g_auto (ProgramResult) trained = program_expect (
        0, "train", "-w", testing_batch (), "--encoder-name", "other", "--epochs", "2", NULL);
  }
  return 0;
}

/* ---- the history ---- */

static void
test_runs_are_renamed_noted_and_deleted (void **state)
{
  g_auto (ProgramResult) trained =
      program_expect (0, "train", "-w", testing_batch (), "--encoder-name", "other", "--name",
                      "draft", "--epochs", "1", NULL);
  g_auto (ProgramResult) renamed = program_expect (0, "runs", "-w", testing_batch (), "--rename",
                                                   "draft", "--to", "chosen", "--json", NULL);
  g_auto (ProgramResult) noted =
      program_expect (0, "runs", "-w", testing_batch (), "--note", "chosen", "--text",
                      "for the paper", "--json", NULL);
  g_auto (ProgramResult) unasked =
      program_expect (2, "runs", "-w", testing_batch (), "--delete", "chosen", NULL);
  g_auto (ProgramResult) still =
      program_expect (0, "runs", "-w", testing_batch (), "--show", "chosen", "--json", NULL);
  g_auto (ProgramResult) deleted = program_expect (0, "runs", "-w", testing_batch (), "--delete",
                                                   "chosen", "--yes", "--json", NULL);
  g_auto (ProgramResult) gone =
      program_expect (1, "runs", "-w", testing_batch (), "--show", "chosen", NULL);
  g_auto (ProgramResult) never =
      program_expect (1, "runs", "-w", testing_batch (), "--show", "draft", NULL);

  assert_string_equal (json_string_value (json_at (renamed.json, "run")), "chosen");
  assert_string_equal (json_string_value (json_at (noted.json, "note")), "for the paper");
  assert_non_null (strstr (unasked.err, "--yes"));
  assert_string_equal (json_string_value (json_at (still.json, "note")), "for the paper");
  assert_string_equal (json_string_value (json_at (deleted.json, "deleted")), "chosen");
}

static const char *
status_of (const ProgramResult *runs, const char *name)
{
  json_t *run;
  size_t i;

  json_array_foreach (json_at (runs->json, "runs"), i, run)
  {
    if (g_strcmp0 (json_string_value (json_object_get (run, "run")), name) == 0)
      return json_string_value (json_object_get (run, "status"));
  }
  return NULL;
}

/** What a program that is killed leaves: a run that was begun, and no lock. */
static void
test_a_run_that_nobody_trains_any_more_has_failed (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Workspace) own = workspace_open (testing_batch (), FALSE, &error);
  g_autoptr (CatalogStore) store = own != NULL ? workspace_store (own, &error) : NULL;
  g_autoptr (CatalogRun) last = store != NULL ? catalog_run_find (store, "latest", &error) : NULL;
  CatalogRun begun = { .name = g_strdup ("abandoned") };
  g_auto (ProgramResult) held = { 0 }, left = { 0 }, deleted = { 0 };

  assert_no_error (error);
  begun.encoder = last->encoder;
  begun.train_sample = last->train_sample;
  begun.valid_sample = last->valid_sample;
  assert_true (workspace_lock (own, "train", &error));
  assert_true (catalog_run_begin (store, &begun, &error));
  held = program_expect (0, "runs", "-w", testing_batch (), "--json", NULL);
  assert_string_equal (status_of (&held, "abandoned"), "running");
  workspace_unlock (own);
  left = program_expect (0, "runs", "-w", testing_batch (), "--json", NULL);
  assert_string_equal (status_of (&left, "abandoned"), "failed");
  deleted =
      program_expect (0, "runs", "-w", testing_batch (), "--delete", "abandoned", "--yes", NULL);
  g_free (begun.name);
  g_free (begun.status);
  g_free (begun.started);
}

static void
test_changes_of_runs_come_one_at_a_time_and_whole (void **state)
{
  g_auto (ProgramResult) half =
      program_expect (2, "runs", "-w", testing_batch (), "--rename", "latest", NULL);
  g_auto (ProgramResult) no_text =
      program_expect (2, "runs", "-w", testing_batch (), "--note", "latest", NULL);
  g_auto (ProgramResult) both = program_expect (2, "runs", "-w", testing_batch (), "--delete",
                                                "latest", "--yes", "--show", "latest", NULL);
  g_auto (ProgramResult) taken = program_expect (2, "runs", "-w", testing_batch (), "--rename",
                                                 "latest", "--to", "latest", NULL);

  assert_non_null (strstr (half.err, "--to"));
  assert_non_null (strstr (no_text.err, "--text"));
  assert_non_null (strstr (both.err, "give one of"));
  assert_non_null (strstr (taken.err, "choose another name"));
}

/** Begin a long run called "again" and end it by a signal once it is in the history; its exit
 * status, and what it said. */
static int
train_until (int signal_number, char **said)
{
  const char *arguments[] = { program_path (),  "--batch",     "train", "-w",
                              testing_batch (), "--name",      "again", "--epochs",
                              "1000",           "--bootstrap", "10000", "--encoder-name",
                              "other",          NULL };
  g_autoptr (GError) error = NULL;
  g_auto (ProgramResult) shown = { 0 };
  g_autoptr (GString) text = g_string_new (NULL);
  GPid pid;
  int status, err;
  char block[256];
  gssize n;

  g_spawn_async_with_pipes (NULL, (char **) arguments, NULL,
                            G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                            &pid, NULL, NULL, &err, &error);
  assert_no_error (error);
  for (guint looks = 0;
       shown.json == NULL
       || strcmp (json_string_value (json_at (shown.json, "status")), "running") != 0;
       looks++)
    {
      if (looks == 1000)
        fail_msg ("the run does not begin");
      program_result_clear (&shown);
      shown = program_run ("runs", "-w", testing_batch (), "--show", "again", "--json", NULL);
    }
  kill (pid, signal_number);
  while ((n = read (err, block, sizeof block)) > 0)
    g_string_append_len (text, block, n);
  close (err);
  waitpid (pid, &status, 0);
  *said = g_strdup (text->str);
  return status;
}

static void
test_a_run_that_came_to_nothing_gives_its_name_to_the_next (void **state)
{
  g_autofree char *interrupted = NULL, *killed = NULL;
  int status = train_until (SIGINT, &interrupted);

  assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 130);
  assert_non_null (strstr (interrupted, "train again"));
  assert_true (WIFSIGNALED (train_until (SIGKILL, &killed)));
  {
    g_auto (ProgramResult) next =
        program_expect (0, "train", "-w", testing_batch (), "--encoder-name", "other", "--name",
                        "again", "--epochs", "1", "--json", NULL);
    g_auto (ProgramResult) all = program_expect (0, "runs", "-w", testing_batch (), "--json", NULL);
    g_auto (ProgramResult) taken =
        program_expect (2, "train", "-w", testing_batch (), "--encoder-name", "other", "--name",
                        "again", "--epochs", "1", NULL);

    assert_string_equal (json_string_value (json_at (next.json, "run")), "again");
    assert_non_null (strstr (next.err, "the failed run again is now called run-"));
    assert_string_equal (json_string_value (json_at (all.json, "runs.0.run")), "again");
    assert_string_equal (json_string_value (json_at (all.json, "runs.1.status")), "failed");
    assert_string_equal (json_string_value (json_at (all.json, "runs.2.status")), "cancelled");
    for (guint i = 1; i <= 2; i++)
      {
        g_autofree char *path = g_strdup_printf ("runs.%u.run", i);

        assert_true (g_str_has_prefix (json_string_value (json_at (all.json, path)), "run-"));
      }
    assert_non_null (strstr (taken.err, "another run has it"));
  }
}

/* ---- export ---- */

static void
test_every_export_is_written_and_not_twice (void **state)
{
  static const struct
  {
    const char *what, *name, *start;
  } exports[] = {
    { "records", "r.csv", "VolumeName,patient,split" },
    { "sample", "s.csv", "VolumeName,Medical material" },
    { "latents", "l.npy", "\x93NUMPY" },
    { "metrics", "m.csv", "epoch,train_loss,finding,auroc" },
    { "metrics", "m.json", "{\"run\":" },
    { "predictions", "p.csv", "VolumeName,Medical material" },
    { "predictions", "p.json", "{\"run\":" },
    { "roc", "roc-of-one.png", "\x89PNG" },
    { "histogram", "histogram-of-one.png", "\x89PNG" },
    { "comparison", "comparison.png", "\x89PNG" },
  };
  g_auto (ProgramResult) trained = program_expect (
      0, "train", "-w", testing_batch (), "--encoder-name", "other", "--fraction", "1", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (exports); i++)
    {
      g_autofree char *path = testing_path (exports[i].name);
      g_autofree char *content = NULL;
      g_auto (ProgramResult) first =
          program_expect (0, "export", "-w", testing_batch (), exports[i].what, "--out", path,
                          "--sample", "train-1-42", "--encoder-name", "other", "--class",
                          "emphysema", "--with", "latest", NULL);
      g_auto (ProgramResult) second =
          program_expect (2, "export", "-w", testing_batch (), exports[i].what, "--out", path,
                          "--sample", "train-1-42", "--encoder-name", "other", "--class",
                          "emphysema", "--with", "latest", NULL);

      assert_true (g_file_get_contents (path, &content, NULL, NULL));
      assert_memory_equal (content, exports[i].start, strlen (exports[i].start));
      assert_non_null (strstr (second.err, "--force"));
    }
}

static void
test_plots_are_all_written_or_none (void **state)
{
  static const char *const names[] = { "roc.png", "histograms.png", "auroc.png", "losses.png" };
  g_autofree char *directory = testing_path ("plots");
  g_autofree char *in_the_way = g_build_filename (directory, "losses.png", NULL);

  assert_int_equal (g_mkdir (directory, 0777), 0);
  assert_true (g_file_set_contents (in_the_way, "mine", 4, NULL));
  {
    g_auto (ProgramResult) refused =
        program_expect (2, "export", "-w", testing_batch (), "plots", "--out", directory, NULL);

    assert_non_null (strstr (refused.err, "losses.png"));
    assert_non_null (strstr (refused.err, "--force"));
  }
  for (guint i = 0; i + 1 < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (directory, names[i], NULL);

      assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
    }
  {
    g_auto (ProgramResult) forced = program_expect (0, "export", "-w", testing_batch (), "plots",
                                                    "--out", directory, "--force", NULL);
  }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (directory, names[i], NULL);
      g_autofree char *content = NULL;

      assert_true (g_file_get_contents (path, &content, NULL, NULL));
      assert_memory_equal (content, "\x89PNG", 4);
    }
}

static void
test_a_plot_that_lacks_its_class_or_run_says_so (void **state)
{
  g_autofree char *path = testing_path ("none.png");
  g_auto (ProgramResult) unknown = program_expect (2, "export", "-w", testing_batch (), "roc",
                                                   "--class", "Emphisema", "--out", path, NULL);
  g_auto (ProgramResult) unnamed =
      program_expect (2, "export", "-w", testing_batch (), "histogram", "--out", path, NULL);
  g_auto (ProgramResult) alone =
      program_expect (2, "export", "-w", testing_batch (), "comparison", "--out", path, NULL);
  g_auto (ProgramResult) three =
      program_expect (2, "export", "-w", testing_batch (), "comparison", "--with", "latest",
                      "--with", "latest", "--out", path, NULL);

  assert_non_null (strstr (unknown.err, "Emphisema"));
  assert_non_null (strstr (unnamed.err, "--class"));
  assert_non_null (strstr (alone.err, "--with"));
  assert_non_null (strstr (three.err, "two runs"));
  assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_latents_are_not_exported_without_their_names (void **state)
{
  g_autofree char *npy = testing_path ("alone.npy");
  g_autofree char *names = testing_write ("alone.txt", "mine\n", 5);
  g_auto (ProgramResult) result = program_expect (2, "export", "-w", testing_batch (), "latents",
                                                  "--out", npy, "--encoder-name", "other", NULL);

  assert_non_null (strstr (result.err, names));
  assert_false (g_file_test (npy, G_FILE_TEST_EXISTS));
}

static void
test_a_name_given_twice_is_told_with_both_lines (void **state)
{
  const float latents[3] = { 1, 2, 3 };
  const gsize shape[] = { 3, 1 };
  const char text[] = "train_1_a_1.nii.gz\n\ntrain_2_a_1\nsome/where/train_1_a_1\n";
  g_autofree char *names = testing_write ("twice.txt", text, strlen (text));
  g_autofree char *npy = testing_path ("twice.npy");
  g_autoptr (GError) error = NULL;

  npy_write (npy, TRUE, NPY_FLOAT32, 2, shape, latents, &error);
  assert_no_error (error);
  {
    g_auto (ProgramResult) result =
        program_expect (2, "import-latents", "-w", testing_batch (), "--npy", npy, "--names", names,
                        "--encoder-name", "twice", NULL);

    assert_non_null (strstr (result.err, "lines 1 and 4"));
    assert_non_null (strstr (result.err, "train_1_a_1.nii.gz"));
  }
}

static void
test_exported_latents_can_be_imported_again (void **state)
{
  g_autofree char *npy = testing_path ("again.npy");
  g_autofree char *names = testing_path ("again.txt");
  g_auto (ProgramResult) out = program_expect (0, "export", "-w", testing_batch (), "latents",
                                               "--out", npy, "--encoder-name", "other", NULL);
  g_auto (ProgramResult) in =
      program_expect (0, "import-latents", "-w", testing_batch (), "--npy", npy, "--names", names,
                      "--encoder-name", "again", "--json", NULL);

  assert_int_equal (json_number_at (in.json, "imported"), 2 * TESTING_BATCH_PATIENTS);
  assert_int_equal (json_number_at (in.json, "width"), TESTING_BATCH_WIDTH);
}

/** Do something to the store that no program of ours does. */
static void
spoil (const char *sql)
{
  g_autofree char *path = g_build_filename (testing_batch (), "workspace.sqlite", NULL);
  sqlite3 *db;

  assert_int_equal (sqlite3_open (path, &db), SQLITE_OK);
  assert_int_equal (sqlite3_exec (db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close (db);
}

static void
test_epochs_that_cannot_be_read_are_not_left_out (void **state)
{
  static const struct
  {
    const char *what, *name;
  } exports[] = { { "metrics", "spoilt.csv" },
                  { "metrics", "spoilt.json" },
                  { "plots", "spoilt" } };

  spoil ("UPDATE epoch SET json = '{' WHERE epoch = 1");
  for (guint i = 0; i < G_N_ELEMENTS (exports); i++)
    {
      g_autofree char *path = testing_path (exports[i].name);
      g_auto (ProgramResult) result = program_expect (1, "export", "-w", testing_batch (),
                                                      exports[i].what, "--out", path, NULL);

      assert_non_null (strstr (result.err, "can't be read"));
      assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
    }
}

static void
test_latents_that_went_are_not_exported_as_zeros (void **state)
{
  g_autofree char *npy = testing_path ("spoilt.npy");

  /* Their names stay, as foreign keys are not looked after here. */
  spoil ("DELETE FROM latent WHERE id = (SELECT min (id) FROM latent)");
  {
    g_auto (ProgramResult) result = program_expect (1, "export", "-w", testing_batch (), "latents",
                                                    "--out", npy, "--encoder-name", "other", NULL);

    assert_non_null (strstr (result.err, "its latent is not there any more"));
    assert_false (g_file_test (npy, G_FILE_TEST_EXISTS));
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_runs_are_renamed_noted_and_deleted),
    cmocka_unit_test (test_a_run_that_nobody_trains_any_more_has_failed),
    cmocka_unit_test (test_changes_of_runs_come_one_at_a_time_and_whole),
    cmocka_unit_test (test_a_run_that_came_to_nothing_gives_its_name_to_the_next),
    cmocka_unit_test (test_every_export_is_written_and_not_twice),
    cmocka_unit_test (test_plots_are_all_written_or_none),
    cmocka_unit_test (test_a_plot_that_lacks_its_class_or_run_says_so),
    cmocka_unit_test (test_latents_are_not_exported_without_their_names),
    cmocka_unit_test (test_a_name_given_twice_is_told_with_both_lines),
    cmocka_unit_test (test_exported_latents_can_be_imported_again),
    cmocka_unit_test (test_epochs_that_cannot_be_read_are_not_left_out),
    cmocka_unit_test (test_latents_that_went_are_not_exported_as_zeros),
  };

  return cmocka_run_group_tests_name ("batch runs", tests, make_run, testing_batch_teardown);
}

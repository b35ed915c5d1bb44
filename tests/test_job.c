#include "testing.h"

#include "base/error.h"
#include "study/job.h"
#include "study/parameters.h"
#include "study/workspace.h"

#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- jobs ---- */

static gboolean
count_to_five (Job *job, gpointer data, GError **error)
{
  job_stage (job, "counting", "numbers", 5);
  for (guint i = 0; i < 5; i++)
    job_count (job, i < 2);
  job_skip (job, "six", "is too much");
  job_warn (job, "%s", "nearly done");
  *(guint *) data = 5;
  return TRUE;
}

static void
test_job_publishes_what_it_did (void **state)
{
  guint result = 0;
  g_autoptr (Job) job = job_start ("count", count_to_five, &result);
  g_auto (JobSnapshot) now = { 0 };
  g_autoptr (GError) error = NULL;

  assert_true (job_wait (job, &error));
  job_snapshot (job, &now);
  assert_int_equal (now.state, JOB_DONE);
  assert_string_equal (now.stage, "counting");
  assert_int_equal (now.done, 5);
  assert_int_equal (now.total, 5);
  assert_int_equal (now.cached, 2);
  assert_int_equal (now.skips->len, 1);
  assert_string_equal (((JobSkip *) g_ptr_array_index (now.skips, 0))->reason, "is too much");
  assert_string_equal (g_ptr_array_index (now.warnings, 0), "nearly done");
  assert_int_equal (result, 5);
}

static gboolean
skip_twice (Job *job, gpointer data, GError **error)
{
  job_stage (job, "training", "epochs", 3);
  job_step (job, 4, 9);
  job_count (job, FALSE);
  job_step (job, 5, 9);
  job_skip (job, "six", "is too much");
  job_skip (job, "seven", "is more");
  job_skip (job, "six", "is here again");
  return TRUE;
}

static void
test_job_tells_steps_and_each_skipped_input_once (void **state)
{
  g_autoptr (Job) job = job_start ("skip", skip_twice, NULL);
  g_auto (JobSnapshot) now = { 0 };
  g_autoptr (GError) error = NULL;

  assert_true (job_wait (job, &error));
  job_snapshot (job, &now);
  assert_int_equal (now.done, 1);
  assert_int_equal (now.step_done, 5);
  assert_int_equal (now.step_total, 9);
  assert_int_equal (now.skips->len, 2);
  assert_string_equal (((JobSkip *) g_ptr_array_index (now.skips, 0))->reason, "is too much");
}

static gboolean
work_until_cancelled (Job *job, gpointer data, GError **error)
{
  for (;;)
    {
      if (!job_checkpoint (job, error))
        return FALSE;
      g_atomic_int_inc ((gint *) data);
      g_usleep (100);
    }
}

static void
test_job_pauses_goes_on_and_is_cancelled (void **state)
{
  gint steps = 0, held;
  g_autoptr (Job) job = job_start ("work", work_until_cancelled, &steps);
  g_autoptr (GError) error = NULL;
  g_auto (JobSnapshot) now = { 0 };

  while (g_atomic_int_get (&steps) < 3)
    g_usleep (100);
  job_pause (job, TRUE);
  /* A step that was under way may end; after that nothing moves. */
  g_usleep (20000);
  held = g_atomic_int_get (&steps);
  g_usleep (20000);
  assert_int_equal (g_atomic_int_get (&steps), held);
  job_pause (job, FALSE);
  while (g_atomic_int_get (&steps) == held)
    g_usleep (100);
  job_pause (job, TRUE);
  job_cancel (job);
  assert_false (job_wait (job, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  job_snapshot (job, &now);
  assert_int_equal (now.state, JOB_CANCELLED);
}

static gboolean
fail_at_once (Job *job, gpointer data, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT, "a.nii.gz: is broken");
  return FALSE;
}

static void
count_wakeups (gpointer user_data)
{
  g_atomic_int_inc ((gint *) user_data);
}

static void
test_job_tells_its_error_and_wakes_the_loop (void **state)
{
  gint wakeups = 0;
  guint64 version = 0;
  gint steps = 0;
  g_autoptr (GError) error = NULL;
  g_auto (JobSnapshot) now = { 0 };
  Job *job = job_start ("fail", fail_at_once, NULL);

  assert_false (job_wait (job, &error));
  assert_error_says (&error, "a.nii.gz", "broken", NULL);
  job_snapshot (job, &now);
  assert_int_equal (now.state, JOB_FAILED);
  job_wait_change (job, G_MAXUINT64 - 1, 60000); /* returns at once: nothing more will come */
  job_free (job);

  job = job_start ("work", work_until_cancelled, &steps);
  job_set_wakeup (job, count_wakeups, &wakeups);
  job_pause (job, FALSE);
  job_wait_change (job, version, 60000);
  assert_true (g_atomic_int_get (&wakeups) > 0);
  job_free (job);
}

static gboolean
publish_epochs (Job *job, gpointer data, GError **error)
{
  for (guint epoch = 1; epoch <= 200; epoch++)
    job_add_epoch (job,
                   job_epoch_new (epoch, 1.0 / epoch, g_new0 (MetricsTable, 1), NULL, NULL, 0));
  return TRUE;
}

static void
test_epochs_are_shared_between_threads_and_never_lost (void **state)
{
  g_autoptr (Job) job = job_start ("epochs", publish_epochs, NULL);
  guint seen = 0;

  for (gboolean running = TRUE; running;)
    {
      g_auto (JobSnapshot) now = { 0 };

      job_snapshot (job, &now);
      running = now.state == JOB_RUNNING;
      assert_true (now.epochs->len >= seen);
      for (; seen < now.epochs->len; seen++)
        assert_int_equal (((JobEpoch *) g_ptr_array_index (now.epochs, seen))->epoch, seen + 1);
    }
  assert_int_equal (seen, 200);
}

/* ---- parameters ---- */

static void
test_parameters_round_trip_through_a_run_file (void **state)
{
  static const char *const changed[][2] = {
    { "fraction", "0.333" }, { "seed", "4294967295" },    { "epochs", "7" },
    { "lr", "3e-05" },       { "schedule", "cosine" },    { "gamma", "0.5" },
    { "alpha", "0.25" },     { "pos-weight", "2.5" },     { "head", "norm-linear" },
    { "dropout", "0" },      { "standardize", "no" },     { "threshold", "youden" },
    { "keep", "best" },      { "permute-labels", "yes" }, { "name", "my run" },
    { "batch", "64" },
  };
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_autoptr (TrainParameters) again = train_parameters_new ();
  g_autofree char *text = NULL, *text_again = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (changed); i++)
    {
      g_autofree char *value = NULL;

      train_parameters_set (parameters, changed[i][0], changed[i][1], &error);
      assert_no_error (error);
      value = train_parameters_get (parameters, changed[i][0]);
      assert_string_equal (value, changed[i][1]);
    }
  assert_true (parameters->cosine);
  assert_int_equal (parameters->head, HEAD_NORM_LINEAR);
  assert_int_equal (parameters->n_given_pos_weights, 1);

  text = train_parameters_text (parameters);
  train_parameters_parse (again, text, "again", &error);
  assert_no_error (error);
  text_again = train_parameters_text (again);
  assert_string_equal (text, text_again);
}

static void
test_parameters_refuse_and_say_what_they_accept (void **state)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_autoptr (GError) error = NULL;

  assert_false (train_parameters_set (parameters, "fraction", "1.5", &error));
  assert_error_says (&error, "fraction", "1.5", "to 1", NULL);
  assert_false (train_parameters_set (parameters, "epochs", "2.5", &error));
  assert_error_says (&error, "epochs", "whole", NULL);
  assert_false (train_parameters_set (parameters, "head", "resnet", &error));
  assert_error_says (&error, "head", "norm-linear", NULL);
  assert_false (train_parameters_set (parameters, "alpha", "nan", &error));
  assert_error_says (&error, "alpha", "off", NULL);
  assert_false (train_parameters_set (parameters, "pos-weight", "1,x", &error));
  assert_error_says (&error, "pos-weight", "balanced", NULL);
  assert_false (train_parameters_set (parameters, "pos-weight", "1,2,3", &error));
  assert_error_says (&error, "pos-weight", "one for all classes", "18", NULL);
  assert_false (train_parameters_set (parameters, "device", "gpu", &error));
  assert_error_says (&error, "device", "gpu", "cuda:N", NULL);
  assert_false (train_parameters_set (parameters, "device", "cuda:x", &error));
  assert_error_says (&error, "device", "cuda:x", NULL);
  assert_false (train_parameters_set (parameters, "gama", "1", &error));
  assert_error_says (&error, "gama", "no such", NULL);
  assert_false (train_parameters_parse (parameters, "[train]\ngamma=11\n", "run.ini", &error));
  assert_error_says (&error, "run.ini", "gamma", NULL);
  assert_false (train_parameters_parse (parameters, "gamma=1\n", "run.ini", &error));
  assert_error_says (&error, "run.ini", "[train]", NULL);
  assert_true (parameters->fraction == 0.15 && parameters->gamma == 2);
  assert_string_equal (parameters->device, "auto");
  assert_true (train_parameters_set (parameters, "device", "cuda", &error));
  assert_string_equal (parameters->device, "cuda:0");
}

/* ---- workspaces ---- */

static void
test_workspace_is_worked_in_by_one_program_at_a_time (void **state)
{
  g_autofree char *directory = testing_path ("locked");
  g_autofree char *what = NULL;
  int pid;
  g_autoptr (GError) error = NULL;
  g_autoptr (Workspace) first = workspace_open (directory, TRUE, &error);
  g_autoptr (Workspace) second = NULL;

  assert_no_error (error);
  second = workspace_open (directory, FALSE, &error);
  assert_no_error (error);
  assert_false (workspace_holder (second, &pid, &what));
  assert_true (workspace_lock (first, "training", &error));
  assert_true (workspace_holder (second, &pid, &what));
  assert_int_equal (pid, getpid ());
  assert_string_equal (what, "training");
  assert_false (workspace_lock (second, "encoding", &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_BUSY));
  assert_error_says (&error, "locked", "training", NULL);
  workspace_unlock (first);
  assert_true (workspace_lock (second, "encoding", &error));
}

static void
test_lock_of_a_killed_program_is_no_hindrance (void **state)
{
  g_autofree char *directory = testing_path ("killed");
  g_autoptr (GError) error = NULL;
  g_autoptr (Workspace) workspace = workspace_open (directory, TRUE, &error);
  int ready[2], status;
  char byte;
  pid_t child;

  assert_no_error (error);
  assert_int_equal (pipe (ready), 0);
  child = fork ();
  if (child == 0)
    {
      Workspace *other = workspace_open (directory, FALSE, NULL);

      byte = (char) workspace_lock (other, "dying", NULL);
      if (write (ready[1], &byte, 1) == 1)
        pause ();
      _exit (1);
    }
  assert_int_equal (read (ready[0], &byte, 1), 1);
  assert_int_equal (byte, TRUE);
  assert_false (workspace_lock (workspace, "waiting", NULL));
  kill (child, SIGKILL);
  waitpid (child, &status, 0);
  workspace_lock (workspace, "going on", &error);
  assert_no_error (error);
  close (ready[0]);
  close (ready[1]);
}

static void
test_absent_workspace_says_how_to_start_one (void **state)
{
  g_autofree char *directory = testing_path ("absent");
  g_autoptr (GError) error = NULL;

  assert_null (workspace_open (directory, FALSE, &error));
  assert_error_says (&error, "absent", "demo", NULL);
  assert_false (g_file_test (directory, G_FILE_TEST_EXISTS));
  assert_null (workspace_open ("/proc/ctclip", TRUE, &error));
  assert_error_says (&error, "/proc/ctclip", "-w", NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_job_publishes_what_it_did),
    cmocka_unit_test (test_job_tells_steps_and_each_skipped_input_once),
    cmocka_unit_test (test_job_pauses_goes_on_and_is_cancelled),
    cmocka_unit_test (test_job_tells_its_error_and_wakes_the_loop),
    cmocka_unit_test (test_epochs_are_shared_between_threads_and_never_lost),
    cmocka_unit_test (test_parameters_round_trip_through_a_run_file),
    cmocka_unit_test (test_parameters_refuse_and_say_what_they_accept),
    cmocka_unit_test (test_workspace_is_worked_in_by_one_program_at_a_time),
    cmocka_unit_test (test_lock_of_a_killed_program_is_no_hindrance),
    cmocka_unit_test (test_absent_workspace_says_how_to_start_one),
  };

  return cmocka_run_group_tests_name ("job", tests, NULL, NULL);
}

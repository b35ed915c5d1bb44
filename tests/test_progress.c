/* What a second program sees of a job. */
#include "testing.h"

#include "study/progress.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static gboolean
count_and_wait (Job *job, gpointer data, GError **error)
{
  job_stage (job, "counting", "numbers", 5);
  job_message (job, "an \"odd\" line");
  for (guint i = 0; i < 3; i++)
    job_count (job, FALSE);
  job_step (job, 2, 7);
  job_skip (job, "four", "is even");
  while (job_checkpoint (job, error))
    g_usleep (1000);
  return FALSE;
}

/** Look until the job has got to its steps. */
static void
read_until_stepped (Workspace *workspace, StudyProgress *progress)
{
  for (guint look = 0; look < 5000; look++)
    {
      assert_true (study_progress_read (workspace, progress));
      if (progress->step_done == 2 && progress->skips == 1)
        return;
      study_progress_clear (progress);
      g_usleep (1000);
    }
  fail_msg ("the steps are never told");
}

static void
test_a_second_program_sees_the_job (void **state)
{
  g_autofree char *directory = testing_path ("watched");
  g_autofree char *file = g_build_filename (directory, "job.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Workspace) workspace = workspace_open (directory, TRUE, &error);
  g_autoptr (Workspace) second = workspace_open (directory, FALSE, &error);
  g_auto (StudyProgress) seen = { 0 }, after = { 0 };
  StudyProgressWriter *writer;
  Job *job;

  assert_no_error (error);
  assert_false (study_progress_read (second, &after));
  assert_true (workspace_lock (workspace, "count", &error));
  job = job_start ("count", count_and_wait, NULL);
  writer = study_progress_publish (workspace, job);
  read_until_stepped (second, &seen);
  assert_int_equal (seen.pid, getpid ());
  assert_string_equal (seen.name, "count");
  assert_string_equal (seen.stage, "counting");
  assert_string_equal (seen.unit, "numbers");
  assert_int_equal (seen.done, 3);
  assert_int_equal (seen.total, 5);
  assert_int_equal (seen.step_total, 7);
  assert_true (seen.rate_per_s > 0 && seen.eta_s > 0 && seen.elapsed_s >= 0);
  assert_string_equal (seen.message, "an \"odd\" line");
  assert_int_equal (strlen (seen.started), strlen ("2026-01-01T00:00:00Z"));
  study_progress_end (writer);
  job_free (job);
  workspace_unlock (workspace);
  assert_false (g_file_test (file, G_FILE_TEST_EXISTS));
  assert_false (study_progress_read (second, &after));
}

static void
test_a_file_that_a_killed_program_left_is_not_believed (void **state)
{
  g_autofree char *directory = testing_path ("killed");
  g_autofree char *file = g_build_filename (directory, "job.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Workspace) workspace = workspace_open (directory, TRUE, &error);
  g_auto (StudyProgress) seen = { 0 };
  int status;
  pid_t child;

  assert_no_error (error);
  child = fork ();
  if (child == 0)
    {
      Workspace *other = workspace_open (directory, FALSE, NULL);

      if (workspace_lock (other, "dying", NULL))
        study_progress_publish (other, job_start ("dying", count_and_wait, NULL));
      for (;;)
        pause ();
    }
  while (!g_file_test (file, G_FILE_TEST_EXISTS))
    g_usleep (1000);
  read_until_stepped (workspace, &seen);
  assert_int_equal (seen.pid, child);
  study_progress_clear (&seen);
  kill (child, SIGKILL);
  waitpid (child, &status, 0);
  assert_true (g_file_test (file, G_FILE_TEST_EXISTS));
  assert_false (study_progress_read (workspace, &seen));

  /* The next holder, before it has told anything: its name is known and nothing of the dead one. */
  assert_true (workspace_lock (workspace, "going on", &error));
  assert_true (study_progress_read (workspace, &seen));
  assert_int_equal (seen.pid, getpid ());
  assert_string_equal (seen.name, "going on");
  assert_string_equal (seen.stage, "");
  assert_true (isnan (seen.rate_per_s));
}

static void
test_a_broken_file_tells_nothing (void **state)
{
  g_autofree char *directory = testing_path ("broken");
  g_autofree char *file = g_build_filename (directory, "job.json", NULL);
  g_autofree char *lies =
      g_strdup_printf ("{\"pid\": %d, \"name\": 7, \"stage\": null}", (int) getpid ());
  g_autoptr (GError) error = NULL;
  g_autoptr (Workspace) workspace = workspace_open (directory, TRUE, &error);

  assert_no_error (error);
  assert_true (workspace_lock (workspace, "work", &error));
  for (guint i = 0; i < 2; i++)
    {
      g_auto (StudyProgress) seen = { 0 };

      g_file_set_contents (file, i == 0 ? "{\"pid\": " : lies, -1, &error);
      assert_no_error (error);
      assert_true (study_progress_read (workspace, &seen));
      assert_string_equal (seen.name, "work");
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_a_second_program_sees_the_job),
    cmocka_unit_test (test_a_file_that_a_killed_program_left_is_not_believed),
    cmocka_unit_test (test_a_broken_file_tells_nothing),
  };

  return cmocka_run_group_tests_name ("progress", tests, NULL, NULL);
}

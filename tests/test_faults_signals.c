/* Signals to a batch command in the middle of a job, and two programs on one workspace. The
 * workbench under the same signals is test_terminal's. */
#include "harm.h"
#include "testing_store.h"
#include "testing_study.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENTS 300
#define EPOCHS "60"

static char *workspace, *store_path;

static int
make_workspace (void **state)
{
  g_autoptr (Workspace) made = testing_study_workspace ("workspace", PATIENTS, PATIENTS);

  testing_study_latents (made, 24, 1);
  workspace = g_strdup (workspace_directory (made));
  store_path = g_build_filename (workspace, "workspace.sqlite", NULL);
  return 0;
}

static int
forget_workspace (void **state)
{
  g_clear_pointer (&workspace, g_free);
  g_clear_pointer (&store_path, g_free);
  return 0;
}

/** A run that tells its epochs; it is at work when this returns. */
static GPid
start_train (const char *name, int *out)
{
  const char *const train[] = { "train", "-w",     workspace, "--fraction", "1", "--epochs",
                                EPOCHS,  "--name", name,      "--watch",    NULL };
  GPid pid = harm_start (train, out);
  char c = '\0';

  while (c != '\n')
    assert_int_equal (read (*out, &c, 1), 1);
  return pid;
}

static void
assert_says_status (CatalogStore *store, const char *name, const char *expected)
{
  g_autofree char *sql = g_strdup_printf ("SELECT status FROM run WHERE name = '%s'", name);

  assert_store_value (store, sql, expected);
}

/** And the workspace is sound; a part of that check waits for whoever writes. */
static void
assert_status (const char *name, const char *expected)
{
  g_autoptr (CatalogStore) store = testing_store_open (store_path);
  g_autoptr (GError) error = NULL;

  assert_says_status (store, name, expected);
  catalog_store_check (store, &error);
  assert_no_error (error);
}

static void
test_interrupts_end_a_job_in_good_order (void **state)
{
  static const int numbers[] = { SIGINT, SIGTERM };
  static const char *const names[] = { "int", "term" };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      int out, status;
      GPid pid = start_train (names[i], &out);
      g_autofree char *rest = NULL;

      kill (pid, numbers[i]);
      rest = harm_read (out);
      status = harm_wait (pid);
      assert_true (WIFEXITED (status));
      assert_int_equal (WEXITSTATUS (status), 130);
      assert_status (names[i], "cancelled");
    }
}

static void
test_a_dropped_line_changes_nothing (void **state)
{
  int out, status;
  GPid pid = start_train ("hup", &out);
  g_autofree char *rest = NULL;

  kill (pid, SIGHUP);
  rest = harm_read (out);
  status = harm_wait (pid);
  assert_true (WIFEXITED (status));
  assert_int_equal (WEXITSTATUS (status), 0);
  assert_status ("hup", "done");
}

static void
test_a_stopped_job_goes_on_where_it_was (void **state)
{
  int out, status;
  GPid pid = start_train ("stopped", &out);
  g_autofree char *rest = NULL;

  kill (pid, SIGTSTP);
  assert_int_equal (waitpid (pid, &status, WUNTRACED), pid);
  assert_true (WIFSTOPPED (status));
  {
    /* It may have been stopped while it writes. */
    g_autoptr (CatalogStore) store = testing_store_open (store_path);

    assert_says_status (store, "stopped", "running");
  }
  kill (pid, SIGCONT);
  rest = harm_read (out);
  assert_int_equal (harm_wait (pid), 0);
  assert_status ("stopped", "done");
}

static void
test_of_two_programs_one_works_and_the_other_reads (void **state)
{
  int out;
  GPid pid = start_train ("first", &out);
  g_autofree char *rest = NULL, *named = g_strdup_printf ("process %d", (int) pid);

  kill (pid, SIGSTOP); /* so that it is still at work */
  {
    g_auto (ProgramResult) second =
        program_expect (1, "train", "-w", workspace, "--fraction", "1", "--name", "second", NULL);
    g_auto (ProgramResult) records =
        program_expect (0, "records", "-w", workspace, "--count", NULL);
    g_auto (ProgramResult) runs = program_expect (0, "runs", "-w", workspace, NULL);

    assert_non_null (strstr (second.err, named));
    assert_non_null (strstr (runs.out, "first"));
  }
  kill (pid, SIGCONT);
  rest = harm_read (out);
  assert_int_equal (harm_wait (pid), 0);
}

static void
test_a_dead_programs_lock_is_taken_over_with_a_notice (void **state)
{
  int out;
  GPid pid = start_train ("dead", &out);
  g_autofree char *rest = NULL, *named = g_strdup_printf ("process %d", (int) pid);

  kill (pid, SIGKILL);
  rest = harm_read (out);
  assert_true (WIFSIGNALED (harm_wait (pid)));
  {
    g_auto (ProgramResult) next = program_expect (0, "train", "-w", workspace, "--fraction", "1",
                                                  "--epochs", "1", "--name", "next", NULL);
    g_auto (ProgramResult) after = program_expect (0, "train", "-w", workspace, "--fraction", "1",
                                                   "--epochs", "1", "--name", "after", NULL);

    assert_non_null (strstr (next.err, named));
    assert_non_null (strstr (next.err, "did not end by itself"));
    assert_null (strstr (after.err, "did not end by itself"));
  }
  assert_status ("dead", "failed");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_interrupts_end_a_job_in_good_order),
    cmocka_unit_test (test_a_dropped_line_changes_nothing),
    cmocka_unit_test (test_a_stopped_job_goes_on_where_it_was),
    cmocka_unit_test (test_of_two_programs_one_works_and_the_other_reads),
    cmocka_unit_test (test_a_dead_programs_lock_is_taken_over_with_a_notice),
  };

  return cmocka_run_group_tests_name ("faults: signals", tests, make_workspace, forget_workspace);
}

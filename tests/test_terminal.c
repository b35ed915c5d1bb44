/* The terminal is given back as it was, on every way out, and so it is while the shell has it. */
#include "program.h"
#include "testing_workbench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EPOCHS 150 /* more than pass before it is paused; soon over under a sanitizer too */

/** Tells the terminal's modes before and after, and the program's process id. */
static const char wrapper[] = "stty -a >\"$HOME/before\"\n"
                              "sh -c 'echo $$ >\"$HOME/pid\"; exec \"$@\"' sh \"$@\"\n"
                              "code=$?\n"
                              "stty -a >\"$HOME/after\"\n"
                              "echo \"left with $code.\"\n"
                              "exec cat\n";

static char *
read_file (const char *name)
{
  g_autofree char *path = testing_path (name);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  assert_no_error (error);
  return text;
}

/** The workbench as a shell's child; @script as sh -c takes it, with the program in "$@". */
static Tmux *
start_in_shell (const char *terminal, const char *script)
{
  const char *const arguments[] = {
    "sh", "-c", script, "sh", program_path (), "-w", testing_workbench (), NULL
  };

  testing_workbench_forget ();
  return tmux_start (80, 24, terminal, arguments);
}

/** Another screen, no cursor, a mouse, a keypad's own codes; or none of them. */
static gboolean
is_taken (Tmux *tmux, gpointer taken)
{
  g_autofree char *state = tmux_value (tmux, "#{alternate_on} #{cursor_flag} #{mouse_any_flag} "
                                             "#{keypad_cursor_flag} #{keypad_flag}");

  return strcmp (state, GPOINTER_TO_INT (taken) ? "1 0 1 1 1" : "0 1 0 0 0") == 0;
}

static void
wait_taken (Tmux *tmux, gboolean taken)
{
  tmux_wait_for (tmux, taken ? "the terminal to be taken" : "the terminal to be given back",
                 is_taken, GINT_TO_POINTER (taken));
}

/** What is seen, in its colours; not those between two lines, which tell blanks that were written
 * from such that were not. */
static char *
see (Tmux *tmux)
{
  g_autofree char *screen = tmux_screen (tmux, TRUE);
  g_autoptr (GRegex) breaks = g_regex_new ("(\\e\\[[0-9;]*m)*\n(\\e\\[[0-9;]*m)*", 0, 0, NULL);
  char *seen = g_regex_replace_literal (breaks, screen, -1, 0, "\n", 0, NULL);

  assert_non_null (seen);
  return seen;
}

/** From the top to the bottom: the first record's report, then the keys that it has use for. */
static void
wait_drawn (Tmux *tmux)
{
  tmux_wait (tmux, "as far as can");
  tmux_wait (tmux, "Enter slices");
  tmux_wait (tmux, "q quit");
}

static gboolean
screen_is (Tmux *tmux, gpointer expected)
{
  g_autofree char *seen = see (tmux);

  return strcmp (seen, expected) == 0;
}

/** Started and ready; the terminal is taken, so that giving it back is something. */
static Tmux *
start (void)
{
  Tmux *tmux = start_in_shell ("screen-256color", wrapper);

  tmux_wait (tmux, "[1 Records]");
  tmux_wait (tmux, "300 records\n");
  wait_taken (tmux, TRUE);
  return tmux;
}

static int
program_pid (void)
{
  g_autofree char *pid = read_file ("pid");

  return atoi (pid);
}

static void
send_signal (int number)
{
  assert_int_equal (kill (program_pid (), number), 0);
}

static void
assert_left (Tmux *tmux, int code)
{
  g_autofree char *before = NULL, *after = NULL;
  g_autofree char *left = g_strdup_printf ("left with %d.", code);

  tmux_wait (tmux, left);
  before = read_file ("before");
  after = read_file ("after");
  assert_string_equal (before, after);
  wait_taken (tmux, FALSE);
}

/* ---- ways out ---- */

static void
test_q_gives_the_terminal_back (void **state)
{
  Tmux *tmux = start ();

  tmux_keys (tmux, "q", NULL);
  assert_left (tmux, 0);
}

static void
test_control_c_leaves_where_nothing_runs (void **state)
{
  Tmux *tmux = start ();

  tmux_keys (tmux, "C-c", NULL);
  assert_left (tmux, 0);
}

static void
test_signals_that_end_it_give_the_terminal_back (void **state)
{
  static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      Tmux *tmux = start ();

      send_signal (numbers[i]);
      assert_left (tmux, 128 + numbers[i]);
      tmux_teardown (NULL);
    }
}

static void
test_sigterm_ends_a_job_too (void **state)
{
  Tmux *tmux = start ();

  testing_workbench_train (tmux, EPOCHS);
  send_signal (SIGTERM);
  assert_left (tmux, 128 + SIGTERM);
}

static void
test_a_question_stands_before_a_running_jobs_end (void **state)
{
  static const char *const keys[] = { "q", "C-c" };
  Tmux *tmux = start ();

  testing_workbench_train (tmux, EPOCHS);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      tmux_keys (tmux, keys[i], NULL);
      tmux_wait (tmux, "Cancel it and quit?");
      tmux_keys (tmux, "Enter", NULL); /* no */
      tmux_wait_gone (tmux, "Cancel it and quit?");
      tmux_wait (tmux, "experiment  paused");
    }
  tmux_keys (tmux, "q", "Down", "Enter", NULL);
  assert_left (tmux, 0);
}

/** Append to what the program has for stderr. */
static void
write_to_its_stderr (const char *text)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd/2", program_pid ());
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  assert_true (fd >= 0);
  assert_int_equal (write (fd, text, strlen (text)), strlen (text));
  close (fd);
}

static void
test_a_crash_gives_the_terminal_back_and_names_the_log (void **state)
{
  Tmux *tmux = start ();
  g_autofree char *log = NULL;

  /* What was said last, too late for the log's pane: its first thread, which reads it, crashes. */
  send_signal (SIGSTOP);
  write_to_its_stderr ("libfault: its last words\n");
  assert_int_equal (tgkill (program_pid (), program_pid (), SIGSEGV), 0);
  send_signal (SIGCONT);
  assert_left (tmux, 128 + SIGSEGV);
  assert_true (tmux_shows (tmux, "libfault: its last words"));
  assert_true (tmux_shows (tmux, "ctclip-tui crashed"));
  assert_true (tmux_shows (tmux, ".local/state/ctclip-tui/log"));
  log = read_file (".local/state/ctclip-tui/log");
  assert_non_null (strstr (log, "libfault: its last words"));
}

/* ---- terminals that will not do ---- */

static void
test_an_unknown_terminal_is_named (void **state)
{
  static const char *const names[] = { "nonsense", "dumb" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *named = g_strdup_printf ("TERM=%s", names[i]);
      Tmux *tmux = start_in_shell (names[i], wrapper);

      assert_left (tmux, 2);
      assert_true (tmux_shows (tmux, named));
      assert_true (tmux_shows (tmux, "try TERM=xterm-"));
      tmux_teardown (NULL);
    }
}

static void
test_without_a_terminal_it_says_what_can_be_done (void **state)
{
  static const char *const scripts[] = { "\"$@\" </dev/null; echo \"left with $?.\"; exec cat",
                                         "exec 3>&1; code=$({ \"$@\" 2>&3; echo $?; })\n"
                                         "echo \"left with $code.\"; exec cat" };

  for (guint i = 0; i < G_N_ELEMENTS (scripts); i++)
    {
      Tmux *tmux = start_in_shell ("screen", scripts[i]);

      tmux_wait (tmux, "left with 2.");
      assert_true (tmux_shows (tmux, "needs a terminal"));
      tmux_teardown (NULL);
    }
}

/* ---- the shell in between ---- */

static Tmux *
start_from_prompt (void)
{
  static const char *const arguments[] = { "env", "PS1=prompt> ", "sh", "-i", NULL };
  Tmux *tmux = tmux_start (80, 24, "screen-256color", arguments);
  g_autofree char *line =
      g_strdup_printf ("clear; stty -a >before; %s -w %s\r", program_path (), testing_workbench ());

  testing_workbench_forget ();
  tmux_wait (tmux, "prompt>");
  tmux_type (tmux, "cd\r");
  tmux_type (tmux, line);
  tmux_wait (tmux, "[1 Records]");
  return tmux;
}

/** To the prompt, with the terminal as the shell had it. */
static void
suspend (Tmux *tmux)
{
  static guint number;
  g_autofree char *before = NULL, *meanwhile = NULL;
  g_autofree char *line = g_strdup_printf ("stty -a >meanwhile; echo told %u\r", ++number);
  g_autofree char *answer = g_strdup_printf ("\ntold %u", number);

  tmux_keys (tmux, "C-z", NULL);
  tmux_wait (tmux, "prompt>");
  wait_taken (tmux, FALSE);
  tmux_type (tmux, line);
  tmux_wait (tmux, answer);
  before = read_file ("before");
  meanwhile = read_file ("meanwhile");
  assert_string_equal (before, meanwhile);
}

/** The prompt that is seen next is a new one. */
static void
resume (Tmux *tmux)
{
  tmux_type (tmux, "clear; fg\r");
}

static void
test_fg_brings_the_whole_screen_back (void **state)
{
  Tmux *tmux = start_from_prompt ();
  g_autofree char *before = NULL;

  tmux_wait (tmux, "300 records\n");
  wait_drawn (tmux);
  before = see (tmux);
  for (guint i = 0; i < 2; i++)
    {
      suspend (tmux);
      resume (tmux);
      tmux_wait (tmux, "[1 Records]");
      tmux_wait_gone (tmux, "prompt>");
      wait_taken (tmux, TRUE);
    }
  tmux_wait_for (tmux, "the screen as it was", screen_is, before);
  tmux_keys (tmux, "3", NULL);
  tmux_wait (tmux, "[3 Experiment]");
  suspend (tmux);
  tmux_resize (tmux, 100, 30);
  resume (tmux);
  tmux_wait (tmux, "[3 Experiment] 4 Training  5 Runs    "); /* the wider header */
  tmux_keys (tmux, "q", NULL);
  tmux_wait_gone (tmux, "[3 Experiment]");
}

static void
test_a_job_waits_while_the_shell_has_the_terminal (void **state)
{
  Tmux *tmux = start_from_prompt ();

  testing_workbench_train (tmux, EPOCHS);
  suspend (tmux);
  resume (tmux);
  tmux_wait (tmux, "experiment  paused");
  tmux_keys (tmux, "p", "C-z", NULL);
  tmux_wait (tmux, "prompt>");
  resume (tmux);
  tmux_wait (tmux, "epoch 150 of ");
  tmux_keys (tmux, "q", NULL);
  tmux_wait (tmux, "prompt>");
}

/* ---- without a screen ---- */

static gboolean
has_ended (Tmux *tmux, gpointer pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", GPOINTER_TO_INT (pid));
  g_autofree char *text = NULL;

  /* Nobody may be there to take a dead one's exit status. */
  return !g_file_get_contents (path, &text, NULL, NULL) || strstr (text, ") Z ") != NULL;
}

/** The newest run is shown by the next start. */
static void
assert_next_start_shows_run (guint number)
{
  Tmux *tmux = testing_workbench_start (80, 24, "screen-256color", NULL);
  g_autofree char *name = g_strdup_printf ("run-%u ", number);

  tmux_keys (tmux, "5", NULL);
  tmux_wait (tmux, name);
}

static void
test_a_dropped_line_leaves_a_job_to_its_end (void **state)
{
  guint n = testing_workbench_runs ();
  Tmux *tmux = start ();
  int pid = program_pid ();

  testing_workbench_train (tmux, EPOCHS);
  tmux_keys (tmux, "p", NULL);
  tmux_wait_gone (tmux, "experiment  paused");
  tmux_kill_pane (tmux);
  tmux_wait_for (tmux, "the job's end", has_ended, GINT_TO_POINTER (pid));
  assert_int_equal (testing_workbench_runs (), n + 1);
  assert_next_start_shows_run (n + 1);
}

static void
test_a_paused_job_goes_on_when_the_line_drops (void **state)
{
  guint n = testing_workbench_runs ();
  Tmux *tmux = start ();

  testing_workbench_train (tmux, EPOCHS);
  send_signal (SIGHUP);
  assert_left (tmux, 0);
  assert_int_equal (testing_workbench_runs (), n + 1);
}

static void
test_a_dropped_line_ends_it_where_nothing_runs (void **state)
{
  Tmux *tmux = start ();
  int pid = program_pid ();

  tmux_kill_pane (tmux);
  tmux_wait_for (tmux, "the program's end", has_ended, GINT_TO_POINTER (pid));
}

static void
test_a_run_whose_program_was_killed_has_failed (void **state)
{
  Tmux *tmux = start ();

  testing_workbench_train (tmux, EPOCHS);
  send_signal (SIGKILL);
  tmux_teardown (NULL);
  tmux = testing_workbench_start (80, 24, "screen-256color", NULL);
  tmux_wait (tmux, "did not end by itself");
  tmux_keys (tmux, "5", NULL);
  tmux_wait (tmux, "the program ended before the run did");
}

/* ---- what libraries say ---- */

static void
test_stderr_goes_to_the_log_and_not_over_the_screen (void **state)
{
  Tmux *tmux = start ();
  g_autofree char *before = NULL, *log = NULL;

  wait_drawn (tmux);
  before = see (tmux);
  write_to_its_stderr ("libfault: a warning\n");
  tmux_keys (tmux, "!", NULL);
  tmux_wait (tmux, "libfault: a warning");
  tmux_keys (tmux, "Escape", NULL);
  tmux_wait_gone (tmux, "libfault: a warning");
  tmux_wait_for (tmux, "the screen as it was", screen_is, before);
  log = read_file (".local/state/ctclip-tui/log");
  assert_non_null (strstr (log, "libfault: a warning"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown (test_q_gives_the_terminal_back, tmux_teardown),
    cmocka_unit_test_teardown (test_control_c_leaves_where_nothing_runs, tmux_teardown),
    cmocka_unit_test_teardown (test_signals_that_end_it_give_the_terminal_back, tmux_teardown),
    cmocka_unit_test_teardown (test_sigterm_ends_a_job_too, tmux_teardown),
    cmocka_unit_test_teardown (test_a_question_stands_before_a_running_jobs_end, tmux_teardown),
    cmocka_unit_test_teardown (test_a_crash_gives_the_terminal_back_and_names_the_log,
                               tmux_teardown),
    cmocka_unit_test_teardown (test_an_unknown_terminal_is_named, tmux_teardown),
    cmocka_unit_test_teardown (test_without_a_terminal_it_says_what_can_be_done, tmux_teardown),
    cmocka_unit_test_teardown (test_fg_brings_the_whole_screen_back, tmux_teardown),
    cmocka_unit_test_teardown (test_a_job_waits_while_the_shell_has_the_terminal, tmux_teardown),
    cmocka_unit_test_teardown (test_a_dropped_line_leaves_a_job_to_its_end, tmux_teardown),
    cmocka_unit_test_teardown (test_a_paused_job_goes_on_when_the_line_drops, tmux_teardown),
    cmocka_unit_test_teardown (test_a_dropped_line_ends_it_where_nothing_runs, tmux_teardown),
    cmocka_unit_test_teardown (test_a_run_whose_program_was_killed_has_failed, tmux_teardown),
    cmocka_unit_test_teardown (test_stderr_goes_to_the_log_and_not_over_the_screen, tmux_teardown),
  };

  return cmocka_run_group_tests (tests, testing_workbench_setup, testing_workbench_teardown);
}

/* Every key that is documented is pressed in a terminal, and does what is said of it. */
#include "program.h"
#include "testing_workbench.h"

#include "keys.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/** Where a key is pressed: lines of a replay that lead there from the first screen. */
static const char *const scopes[N_SCOPES] = {
  [SCOPE_ANYWHERE] = "",
  [SCOPE_LIST] = "wait-gone records…\n",
  [SCOPE_RECORDS] = "",
  [SCOPE_SLICES] = "key Enter\nwait axial 16/30\n",
  [SCOPE_EXPERIMENT] = "key 3\nwait > fraction\n",
  [SCOPE_TRAINING] = "key 5\nwait second\nkey G\nwait ─ first\nkey Enter\nwait , the one kept\n",
  [SCOPE_FINDING] = "key 5\nwait second\nkey G\nwait ─ first\nkey Enter\nwait , the one kept\nkey "
                    "g Enter\nwait ROC:\n",
  [SCOPE_RUNS] = "key 5\nwait second\nkey G\nwait ─ first\n",
  [SCOPE_COMPARISON] = "key 5\nwait second\nkey G Space k Space c\nwait DeLong\n",
  [SCOPE_INPUT] = "key :\ntype one two\nwait one two\n",
  [SCOPE_BOX] = "key s\nwait Sort by\n",
};

#define RUNNING                                                                                    \
  "key 3\nwait > fraction\ntype :set fraction 0.9\nkey Enter\ntype :set epochs 1000\nkey Enter\n"  \
  "type :set batch 4\nkey Enter\ntype :set hidden 512\nkey Enter t\nwait experiment  running\n"
#define ELSEWHERE "(test_terminal.c)"

/**
 * What a key changes.
 *
 * @before: lines of a replay that come first
 * @shows:  a text that comes, or with "!" before it one that goes; "*": the screen is another one;
 *          "#{FORMAT}=VALUE": what tmux knows of the pane
 * @after:  (nullable) what is pressed then, where only that shows the effect
 */
typedef struct
{
  Command command;
  const char *before, *shows, *after;
} Effect;

static const Effect effects[] = {
  { COMMAND_HELP, "", "Records:" },
  { COMMAND_QUIT, "", "#{pane_dead}=1" },
  { COMMAND_BACK, "key /\ntype nodule\nkey Enter\n", "!search: nodule" },
  { COMMAND_SCREEN_RECORDS, "key 5\n", "[1 Records]" },
  { COMMAND_SCREEN_SLICES, "", "[2 Slices]" },
  { COMMAND_SCREEN_EXPERIMENT, "", "[3 Experiment]" },
  { COMMAND_SCREEN_TRAINING, "", "[4 Training]" },
  { COMMAND_SCREEN_RUNS, "", "[5 Runs]" },
  { COMMAND_NEXT_SCREEN, "key 4\n", "[5 Runs]" },
  { COMMAND_PREVIOUS_SCREEN, "key 4\n", "[3 Experiment]" },
  { COMMAND_COMMAND_LINE, "", ": something", "type something\n" },
  { COMMAND_LOG, "", "Log:" },
  { COMMAND_MOUSE, "", "#{mouse_any_flag}=0" },
  { COMMAND_REDRAW, "", "!garbled" },
  { COMMAND_SUSPEND, NULL, ELSEWHERE },

  { COMMAND_UP, "key j\n", "> train_1_a_1" },
  { COMMAND_DOWN, "", "> train_2_a_1" },
  { COMMAND_PAGE_UP, "key PgDn\n", "> train_1_a_1" },
  { COMMAND_PAGE_DOWN, "", "!> train_1_a_1" },
  { COMMAND_FIRST, "key G\n", "> train_1_a_1" },
  { COMMAND_LAST, "", "> valid_" },

  { COMMAND_RECORDS_OPEN, "", "[2 Slices]" },
  { COMMAND_RECORDS_SEARCH, "", "/ nodule", "type nodule\n" },
  { COMMAND_RECORDS_FILTER, "", "filter age", "type age\n" },
  { COMMAND_RECORDS_SORT, "", "Sort by" },
  { COMMAND_RECORDS_ERRORS, "key r\nwait Predictions of run\nkey j Enter\n",
    "most confident errors first" },
  { COMMAND_RECORDS_RUN, "", "Predictions of run" },
  { COMMAND_RECORDS_CLASS, "", "Probability of" },
  { COMMAND_RECORDS_TAG, "", "◆1" },
  { COMMAND_RECORDS_TAGGED, "key Space\n", "!train_2_a_1" },
  { COMMAND_RECORDS_UNTAG, "key Space\n", "!◆1" },
  { COMMAND_RECORDS_WRITE, "", "write to" },
  { COMMAND_RECORDS_NEXT_MATCH, "key /\ntype thyroid\nkey Enter\nwait search: thyroid\n", "*" },
  { COMMAND_RECORDS_PREVIOUS_MATCH, "", "*" },
  { COMMAND_RECORDS_DROPPED, "", "dropped too" },
  { COMMAND_RECORDS_FUNNEL, "", "later study of a patient" },
  { COMMAND_RECORDS_PANE_DOWN, "", "!train, train_1" },
  { COMMAND_RECORDS_PANE_UP, "key J\n", "train, train_1" },
  { COMMAND_RECORDS_ZOOM, "", "subcarinal" },
  { COMMAND_RECORDS_IMPORT, "", "folder with CT-RATE's tables" },
  { COMMAND_RECORDS_FOLDER, "", "folder of scans" },

  { COMMAND_SLICES_NEXT, "", "axial 17/30" },
  { COMMAND_SLICES_PREVIOUS, "", "axial 15/30" },
  { COMMAND_SLICES_TEN_ON, "", "axial 26/30" },
  { COMMAND_SLICES_TEN_BACK, "", "axial 6/30" },
  { COMMAND_SLICES_FIRST, "", "axial 1/30" },
  { COMMAND_SLICES_LAST, "", "axial 30/30" },
  { COMMAND_SLICES_PLAY, "", "!axial 16/30" },
  { COMMAND_SLICES_LUNG, "key B\n", "lung C -600 W 1500" },
  { COMMAND_SLICES_MEDIASTINUM, "", "mediastinum C" },
  { COMMAND_SLICES_BONE, "", "bone C" },
  { COMMAND_SLICES_BRAIN, "", "brain C" },
  { COMMAND_SLICES_AXIAL, "key c\n", "axial 16/30" },
  { COMMAND_SLICES_CORONAL, "", "coronal 11/20" },
  { COMMAND_SLICES_SAGITTAL, "", "sagittal 13/24" },
  { COMMAND_SLICES_CURSOR, "", "230 HU" },
  { COMMAND_SLICES_LEVEL_DOWN, "", "C -625 W 1500" },
  { COMMAND_SLICES_LEVEL_UP, "", "C -575 W 1500" },
  { COMMAND_SLICES_WIDTH_DOWN, "", "C -600 W 1450" },
  { COMMAND_SLICES_WIDTH_UP, "", "C -600 W 1550" },
  { COMMAND_SLICES_INVERT, "", "inverted" },
  { COMMAND_SLICES_ZOOM_IN, "", "! 1x " },
  { COMMAND_SLICES_ZOOM_OUT, "key +\n", " 1x " },
  { COMMAND_SLICES_FIT, "key + +\n", " 1x " },
  { COMMAND_SLICES_PAN_LEFT, "key x\n", "L 11.0" },
  { COMMAND_SLICES_PAN_RIGHT, "key x\n", "L 13.0" },
  { COMMAND_SLICES_PAN_UP, "key + + +\n", "*" },
  { COMMAND_SLICES_PAN_DOWN, "key + + +\n", "*" },
  { COMMAND_SLICES_NEXT_RECORD, "", "train_2_a_1" },
  { COMMAND_SLICES_PREVIOUS_RECORD, "key J\n", "train_1_a_1" },
  { COMMAND_SLICES_PNG, "", "Written: " },
  { COMMAND_SLICES_OPEN, "", "NIfTI file" },

  { COMMAND_EXPERIMENT_EDIT, "", "fraction 0.3", "key C-u\ntype 0.3\n" },
  { COMMAND_EXPERIMENT_LESS, "", "!0.15 " },
  { COMMAND_EXPERIMENT_MORE, "", "!0.15 " },
  { COMMAND_EXPERIMENT_LIVE, "", "live:" },
  { COMMAND_EXPERIMENT_BEST, "", "Nothing was tried" },
  { COMMAND_EXPERIMENT_START, "", "[4 Training]" },
  { COMMAND_EXPERIMENT_VIEW, "", "*" },
  { COMMAND_EXPERIMENT_DEFAULT, "key l l\n", "0.15 " },
  { COMMAND_EXPERIMENT_SAVE, "", "save run file as" },
  { COMMAND_EXPERIMENT_LOAD, "", "run file" },
  { COMMAND_EXPERIMENT_DEFAULTS, "key l j l\n", "Set every field to its default?" },
  { COMMAND_EXPERIMENT_FINDING, "", "Finding of the loss curve" },

  { COMMAND_TRAINING_OPEN, "", "ROC:" },
  { COMMAND_TRAINING_SORT, "", "!finding▲" },
  { COMMAND_TRAINING_REVERSE, "", "!finding▲" },
  { COMMAND_TRAINING_COMPARE, "", "Changes since" },
  { COMMAND_TRAINING_VIEW, "", "macro AUROC" },
  { COMMAND_TRAINING_EARLIER, "", "epoch 4" },
  { COMMAND_TRAINING_LATER, "key h h\n", "epoch 4" },
  { COMMAND_TRAINING_PAUSE, RUNNING, "experiment  paused" },
  { COMMAND_TRAINING_CANCEL, RUNNING, "Cancel the job?" },
  { COMMAND_TRAINING_SKIPPED, "", "Left out" },

  { COMMAND_FINDING_LOWER, "", "threshold 0.490" },
  { COMMAND_FINDING_HIGHER, "", "threshold 0.510" },
  { COMMAND_FINDING_MUCH_LOWER, "", "threshold 0.400" },
  { COMMAND_FINDING_MUCH_HIGHER, "", "threshold 0.600" },
  { COMMAND_FINDING_YOUDEN, "", "!threshold 0.500" },
  { COMMAND_FINDING_RESET, "key L\n", "threshold 0.500" },
  { COMMAND_FINDING_NEXT, "", "Arterial wall calcification, epoch" },
  { COMMAND_FINDING_PREVIOUS, "key j\n", "Medical material, epoch" },
  { COMMAND_FINDING_RECORDS, "", "most confident errors first" },
  { COMMAND_FINDING_PNG, "", "Write as PNG" },

  { COMMAND_RUNS_OPEN, "", "[4 Training]" },
  { COMMAND_RUNS_TAG, "", "*" },
  { COMMAND_RUNS_COMPARE, "key Space k Space\n", "DeLong" },
  { COMMAND_RUNS_USE, "", "Records shows what" },
  { COMMAND_RUNS_SORT, "", "!#▼" },
  { COMMAND_RUNS_REVERSE, "", "#▲" },
  { COMMAND_RUNS_AGAIN, "", "[4 Training]" },
  { COMMAND_RUNS_RENAME, "", "name another", "key C-u\ntype another\n" },
  { COMMAND_RUNS_NOTE, "", "note written", "type written\n" },
  { COMMAND_RUNS_DELETE, "", "Delete" },
  { COMMAND_RUNS_EXPORT, "", "Export" },

  { COMMAND_COMPARISON_CLOSE, "", "!DeLong" },
  { COMMAND_COMPARISON_EXPORT, "", "Export first, second" },

  { COMMAND_INPUT_ACCEPT, "key C-u\ntype help\n", "Commands after" },
  { COMMAND_INPUT_CANCEL, "", "!one two" },
  { COMMAND_INPUT_COMPLETE, "key C-u\ntype dem\n", ": demo" },
  { COMMAND_INPUT_LEFT, "", "one twXo", "type X\n" },
  { COMMAND_INPUT_RIGHT, "key Home\n", "oXne two", "type X\n" },
  { COMMAND_INPUT_HOME, "", "Xone two", "type X\n" },
  { COMMAND_INPUT_END, "key Home\n", "one twoX", "type X\n" },
  { COMMAND_INPUT_BACKSPACE, "", "!one two" },
  { COMMAND_INPUT_DELETE, "key Home\n", "!one two" },
  { COMMAND_INPUT_DELETE_WORD, "", "!one two" },
  { COMMAND_INPUT_DELETE_ALL, "", "!one two" },
  { COMMAND_INPUT_DELETE_REST, "key Home\n", "!one two" },
  { COMMAND_INPUT_EARLIER, "key C-u\ntype help\nkey Enter Esc :\n", ": help" },
  { COMMAND_INPUT_LATER, "key C-u\ntype help\nkey Enter Esc : Up\n", "!: help" },

  { COMMAND_BOX_ACCEPT, "key j\n", "!Sort by" },
  { COMMAND_BOX_CLOSE, "", "!Sort by" },
  { COMMAND_BOX_UP, "key j\n", "> the tables' order" },
  { COMMAND_BOX_DOWN, "", "> record" },
  { COMMAND_BOX_PAGE_UP, "key PgDn\n", "> the tables' order" },
  { COMMAND_BOX_PAGE_DOWN, "", "!> the tables' order" },
  { COMMAND_BOX_FIRST, "key G\n", "> the tables' order" },
  { COMMAND_BOX_LAST, "", "> Interlobular septal thickening" },
};

/* ---- pressing ---- */

static const Effect *
find_effect (Command command)
{
  for (guint i = 0; i < G_N_ELEMENTS (effects); i++)
    if (effects[i].command == command)
      return &effects[i];
  return NULL;
}

/** What a noisy neighbour writes over the screen. */
static void
garble (Tmux *tmux)
{
  static const char text[] = "\033[5;5Hgarbled";
  g_autofree char *path = tmux_value (tmux, "#{pane_tty}");
  int fd = open (path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

  assert_true (fd >= 0);
  assert_int_equal (write (fd, text, strlen (text)), strlen (text));
  close (fd);
}

static gboolean
screen_is_another (Tmux *tmux, gpointer before)
{
  g_autofree char *now = tmux_screen (tmux, TRUE);

  return strcmp (now, before) != 0;
}

static gboolean
value_is (Tmux *tmux, gpointer expected)
{
  g_auto (GStrv) parts = g_strsplit (expected, "=", 2);
  g_autofree char *value = tmux_value (tmux, parts[0]);

  return strcmp (value, parts[1]) == 0;
}

/** Until the effect is there, or, with @yet %FALSE, until it can still come. */
static void
wait_for_effect (Tmux *tmux, const char *shows, gboolean yet)
{
  gboolean goes = *shows == '!';

  if (g_str_has_prefix (shows, "#{") && yet)
    tmux_wait_for (tmux, shows, value_is, (gpointer) shows);
  else if (goes == yet)
    tmux_wait_gone (tmux, shows + goes);
  else
    tmux_wait (tmux, shows + goes);
}

static void
press (const KeyRow *row, const char *key, const Effect *effect)
{
  Tmux *tmux = testing_workbench_start (80, 24, "screen-256color", NULL);
  g_autofree char *pressed = g_strdup_printf ("key %s\n", key), *screen = NULL;

  print_message ("%s: %s: %s\n", scope_title (row->scope), key, row->help);
  tmux_wait (tmux, "Impression");
  tmux_play (tmux, scopes[row->scope]);
  tmux_play (tmux, effect->before);
  if (row->command == COMMAND_REDRAW)
    garble (tmux);
  if (strcmp (effect->shows, "*") == 0)
    {
      screen = tmux_screen (tmux, TRUE);
      tmux_play (tmux, pressed);
      tmux_wait_for (tmux, row->help, screen_is_another, screen);
    }
  else
    {
      wait_for_effect (tmux, effect->shows, FALSE);
      tmux_play (tmux, pressed);
      tmux_play (tmux, effect->after != NULL ? effect->after : "");
      wait_for_effect (tmux, effect->shows, TRUE);
    }
  tmux_teardown (NULL);
}

static void
press_scope (Scope scope)
{
  guint n;
  const KeyRow *rows = key_rows (&n);

  for (guint i = 0; i < n; i++)
    {
      const Effect *effect = find_effect (rows[i].command);
      g_auto (GStrv) keys = g_strsplit (rows[i].keys, " ", -1);

      if (rows[i].scope != scope)
        continue;
      if (effect == NULL)
        fail_msg ("%s of %s: nothing is known of its effect", rows[i].keys, scope_title (scope));
      for (guint k = 0; keys[k] != NULL && strcmp (effect->shows, ELSEWHERE) != 0; k++)
        press (&rows[i], keys[k], effect);
    }
}

static void
test_keys_do_what_the_help_says (void **state)
{
  press_scope (GPOINTER_TO_UINT (*state));
}

int
main (void)
{
  struct CMUnitTest tests[N_SCOPES];

  for (guint scope = 0; scope < N_SCOPES; scope++)
    tests[scope] = (struct CMUnitTest){ .name = scope_title (scope),
                                        .test_func = test_keys_do_what_the_help_says,
                                        .teardown_func = tmux_teardown,
                                        .initial_state = GUINT_TO_POINTER (scope) };
  return cmocka_run_group_tests (tests, testing_workbench_setup, testing_workbench_teardown);
}

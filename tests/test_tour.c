/* A tour of every screen of the real program, by its keys, in terminals of many sizes and kinds. */
#include "catalog/labels.h"
#include "catalog/runs.h"
#include "draw.h"
#include "program.h"
#include "testing_study.h"
#include "testing_workbench.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG 1000 /* epochs: it is cancelled */

/** Run the program by keys; @more: further arguments, %NULL-terminated. */
static void
replay (const char *directory, const char *keys, const char *const *more)
{
  g_autofree char *path = testing_write ("tour.replay", keys, strlen (keys));
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) arguments = NULL;
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_strv_builder_add (builder, program_path ());
  g_strv_builder_add (builder, "-w");
  g_strv_builder_add (builder, directory);
  g_strv_builder_add (builder, "--replay");
  g_strv_builder_add (builder, path);
  g_strv_builder_addv (builder, (const char **) more);
  arguments = g_strv_builder_end (builder);
  g_spawn_sync (NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, &error);
  assert_no_error (error);
  if (status != 0)
    fail_msg ("the tour ended with %d: %s%s", status, out, err);
}

/** The steps of the tour; every screen is looked at. */
static const struct
{
  const char *name, *keys, *shows;
} steps[] = {
  { "records", "key Esc Esc Esc 1 g\nwait records\n", "records" },
  { "search", "key /\ntype the\nkey Enter\nwait search: the\n", "search: the" },
  { "dropped", "key Esc d\nwait dropped too\n", "dropped too" },
  { "sorts", "key d s\nwait Sort by\n", "Sort by" },
  { "filter", "key Esc \\\ntype age > 30\nkey Enter\nwait filter: age > 30\n", "filter: age > 30" },
  { "zoomed", "key z\n", "filter: age > 30" },
  { "help", "key z Esc ?\nwait Records:\n", "Records:" },
  { "log", "key Esc !\nwait Log\n", "Log" },
  { "slices", "key Esc :\ntype open scan.nii\nkey Enter\nwait /30 \n", "scan.nii" },
  { "coronal",
    "key c\nwait coronal\nkey s\nwait sagittal\nkey a\nwait axial\nkey j j k x h B i + -\n",
    "axial" },
  { "experiment", "key Esc Esc Esc 3\nwait gamma\n", "gamma" },
  { "runs", "key Esc 5\nwait second\n", "second" },
  { "compared", "key g Space j Space c\nwait DeLong\n", "DeLong" },
  { "training", "key Esc Space k Space Enter\nwait , the one kept\n", "macro" },
  { "finding", "key j j Enter\nwait threshold\nkey l l H y\n", "threshold" },
  { "errors", "key e\nwait most confident errors first\n", "most confident errors first" },
};

static char *
dump_path (const char *name)
{
  g_autofree char *file = g_strconcat (name, ".txt", NULL);

  return testing_path (file);
}

/** Colours of a kind that the terminal does not have are not asked for. */
static gboolean
has_only_colours (const char *screen, int colours)
{
  if (strstr (screen, "[38;5;") != NULL || strstr (screen, ";38;5;") != NULL)
    return colours == 256;
  if (g_regex_match_simple ("\033\\[[0-9;]*\\b[349][0-7]m", screen, 0, 0))
    return colours == 8;
  return colours == 0;
}

typedef struct
{
  const char *name, *terminal;
  int colours;
  const char *option; /* (nullable) */
} Kind;

static void
check_screen (Tmux *tmux, guint step, const Kind *kind, int width, int height)
{
  g_autofree char *text = tmux_screen (tmux, FALSE), *coloured = tmux_screen (tmux, TRUE);

  if (kind->option != NULL && !g_str_is_ascii (text))
    fail_msg ("%s is not ASCII:\n%s", steps[step].name, text);
  if (!has_only_colours (coloured, kind->colours))
    fail_msg ("%s at %dx%d has not %d colours:\n%s", steps[step].name, width, height, kind->colours,
              coloured);
}

static void
test_every_screen_in_every_kind_of_terminal (void **state)
{
  static const struct
  {
    int width, height;
  } sizes[] = { { 80, 24 }, { 120, 40 }, { 200, 60 } };
  static const Kind kinds[] = { { "256 colours", "screen-256color", 256, NULL },
                                { "8 colours", "screen", 8, NULL },
                                { "none", "vt100", 0, NULL },
                                { "ASCII", "screen", 8, "--ascii" } };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
      {
        const char *const more[] = { kinds[k].option, NULL };
        Tmux *tmux =
            testing_workbench_start (sizes[s].width, sizes[s].height, kinds[k].terminal, more);

        print_message ("%dx%d, %s\n", sizes[s].width, sizes[s].height, kinds[k].name);
        tmux_wait (tmux, "Enter slices");
        for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
          {
            tmux_play (tmux, steps[i].keys);
            tmux_wait (tmux, steps[i].shows);
            check_screen (tmux, i, &kinds[k], sizes[s].width, sizes[s].height);
          }
        tmux_teardown (NULL);
      }
}

static void
test_any_size_will_do (void **state)
{
  static const char *const views[] = { "key 1\n", "key 2\n",   "key 3\n",    "key 4\n",
                                       "key 5\n", "key 1 ?\n", "key Esc :\n" };
  static const int heights[] = { 1, 2, 3, 5, 9, 10, 11, 15, 24, 40, 100 };
  static const int widths[] = { 1, 2, 3, 7, 20, 39, 40, 41, 60, 79, 80, 120, 300 };
  static const char *const none[] = { NULL };
  g_autoptr (GString) keys = g_string_new ("size 80x24\ntimeout 180\n");
  g_autofree char *path = testing_path ("scan.nii");

  g_string_append_printf (keys,
                          "type :open %s\nkey Enter\nwait /30 \nkey 5\nwait second\nkey Enter\n"
                          "wait macro\n",
                          path);
  for (guint v = 0; v < G_N_ELEMENTS (views); v++)
    {
      g_string_append (keys, views[v]);
      for (guint h = 0; h < G_N_ELEMENTS (heights); h++)
        for (guint w = 0; w < G_N_ELEMENTS (widths); w++)
          g_string_append_printf (keys, "size %dx%d\n", widths[w], heights[h]);
    }
  replay (testing_workbench (), keys->str, none);
}

static void
test_every_footer_ends_with_help_and_quit (void **state)
{
  static const char *const none[] = { NULL };
  g_autoptr (GString) keys = g_string_new ("size 80x24\nkey Esc Esc Esc 5\nwait second\n");

  for (int width = 40; width <= 160; width++)
    {
      g_string_append_printf (keys, "size %dx24\n", width);
      for (int screen = 1; screen <= 5; screen++)
        g_string_append_printf (keys, "key %d\nwait ? help  q quit\n", screen);
    }
  replay (testing_workbench (), keys->str, none);
}

/** A press and its release, in xterm's oldest protocol; counted from 0. */
static void
click (Tmux *tmux, int x, int y)
{
  g_autofree char *bytes =
      g_strdup_printf ("\033[M %c%c\033[M#%c%c", '!' + x, '!' + y, '!' + x, '!' + y);

  tmux_type (tmux, bytes);
}

static void
test_a_click_on_a_key_of_the_footer_presses_it (void **state)
{
  Tmux *tmux = testing_workbench_start (80, 24, "screen-256color", NULL);
  g_autofree char *screen = NULL;
  g_auto (GStrv) lines = NULL;

  tmux_wait (tmux, "Enter slices");
  screen = tmux_screen (tmux, FALSE);
  lines = g_strsplit (screen, "\n", -1);
  assert_true (g_strv_length (lines) >= 24);
  assert_non_null (strstr (lines[23], "? help"));
  click (tmux, (int) (strstr (lines[23], "? help") - lines[23]) + 3, 23);
  tmux_wait (tmux, "look at the record");
  click (tmux, 1, 23); /* "Esc close" */
  tmux_wait_gone (tmux, "look at the record");
  click (tmux, 15, 0);
  tmux_wait (tmux, "[2 Slices]");
}

static void
test_a_line_of_input_takes_every_key (void **state)
{
  Tmux *tmux = testing_workbench_start (80, 24, "screen-256color", NULL);

  tmux_wait (tmux, "Impression");
  tmux_play (tmux, "key /\ntype 12345q?:!jkm\nwait / 12345q?:!jkm\n");
  assert_true (tmux_shows (tmux, "[1 Records]"));
  tmux_play (tmux, "key Esc\nwait-gone 12345q\nkey 5\nwait [5 Runs]\n");
}

static void
test_the_size_may_change_while_it_trains (void **state)
{
  Tmux *tmux = testing_workbench_start (80, 24, "screen-256color", NULL);

  testing_workbench_train (tmux, LONG);
  tmux_keys (tmux, "p", NULL);
  tmux_wait (tmux, "experiment  running");
  for (int i = 0; i < 60; i++)
    tmux_resize (tmux, 1 + i * 37 % 200, 1 + i * 23 % 60);
  tmux_resize (tmux, 100, 30);
  tmux_wait (tmux, "[4 Training]");
  tmux_wait (tmux, "macro ");
  tmux_play (tmux, "key x\nwait Cancel\nkey Down Enter\nwait cancelled\n");
}

/** What one trains, the other sees, and it starts nothing itself. */
static void
test_a_second_program_watches (void **state)
{
  Tmux *one = testing_workbench_start (80, 24, "screen-256color", NULL), *other;

  testing_workbench_train (one, LONG);
  other = testing_workbench_start (120, 40, "screen-256color", NULL);
  tmux_wait (other, "watching: train");
  tmux_play (other, "key 3\nwait > fraction\nkey t\n");
  tmux_wait (other, "is running in another program");
  tmux_play (one, "key p\nwait experiment  running\n");
  tmux_play (other, "key 4\nwait macro \nwait training loss\n");
  tmux_play (one, "key x\nwait Cancel\nkey Down Enter\nwait cancelled\n");
  tmux_wait_gone (other, "watching: train");
  tmux_wait (other, "run-4  cancelled, ");
  testing_workbench_train (one, LONG);
  tmux_wait (other, "run-5  running, ");
  tmux_play (one, "key x\nwait Cancel\nkey Down Enter\nwait cancelled\n");
  tmux_wait (other, "run-5  cancelled, ");
  tmux_play (other, "key 5\nwait cancelled\n");
}

/** The open workbench sees it without a change of the store. */
static void
test_another_programs_run_has_failed_when_its_lock_falls (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Workspace) other = workspace_open (testing_workbench (), FALSE, &error);
  g_autoptr (CatalogStore) store = other != NULL ? workspace_store (other, &error) : NULL;
  g_autoptr (CatalogRun) run = store != NULL ? catalog_run_find (store, "first", &error) : NULL;
  Tmux *tmux;

  assert_no_error (error);
  g_free (run->name);
  run->name = g_strdup ("abandoned");
  assert_true (workspace_lock (other, "train", &error));
  assert_true (catalog_run_begin (store, run, &error));
  tmux = testing_workbench_start (120, 40, "screen-256color", NULL);
  tmux_wait (tmux, "watching: train");
  tmux_play (tmux, "key 5\nwait abandoned\nwait running\n");
  workspace_unlock (other);
  tmux_wait (tmux, "the program ended before the run did");
  assert_true (catalog_run_delete (store, run->id, &error));
}

static void
test_what_was_looked_at_comes_back (void **state)
{
  static const char *const none[] = { NULL };
  g_autofree char *path = dump_path ("again");
  g_autofree char *keys = g_strdup_printf ("size 80x24\nwait filter: age > 50\ndump %s\n", path);

  replay (testing_workbench (),
          "size 80x24\nkey Esc Esc Esc 1\nwait records\ntype :filter age > 50\nkey Enter\n"
          "wait filter: age > 50\n",
          none);
  replay (testing_workbench (), keys, none);
}

/** The lines of a file that was written; it is removed. */
static char **
take_lines (const char *path)
{
  g_autofree char *text = NULL;

  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_remove (path);
  return g_strsplit (text, "\n", -1);
}

/** Wherever the cursor was before. */
static void
test_the_most_confident_error_is_under_the_cursor (void **state)
{
  static const char *const none[] = { NULL };
  g_autofree char *path = dump_path ("errors");
  g_autofree char *keys =
      g_strdup_printf ("size 80x24\ntimeout 180\nkey Esc Esc Esc 1 g j j\nwait "
                       "> train_\nkey 5\nwait second\nkey G Enter\n"
                       "wait , the one kept\nkey j Enter\nwait threshold\nkey e\nwait "
                       "valid_\nwait most confident\ndump %s\nkey e\n",
                       path);
  g_auto (GStrv) lines = NULL;
  guint head = 0;

  replay (testing_workbench (), keys, none);
  lines = take_lines (path);
  while (lines[head] != NULL && !g_str_has_prefix (lines[head], "  record "))
    head++;
  assert_non_null (lines[head]);
  if (!g_str_has_prefix (lines[head + 1], "> valid_"))
    fail_msg ("the first error is \"%s\"", lines[head + 1]);
}

/** On the first look nothing was trained here, and yet there is a run to look at. */
static void
test_the_latest_run_is_in_view_where_nothing_else_is (void **state)
{
  static const char *const none[] = { NULL };

  testing_workbench_forget ();
  replay (testing_workbench (),
          "size 80x24\ntimeout 180\nkey 4\nwait second  done\nwait epoch 5 of 5\nkey Esc\n"
          "wait second  done\nsize 40x10\nkey v\nwait macro AUROC\nwait 0.9\nkey v\n"
          "wait finding\n",
          none);
}

static void
test_the_table_says_which_run_its_changes_are_since (void **state)
{
  static const char *const none[] = { NULL };

  testing_workbench_forget ();
  replay (testing_workbench (),
          "size 80x24\ntimeout 180\nkey 4\nwait epoch 5 of 5\nkey c\nwait Changes since\n"
          "key G Enter\nwait since first\n",
          none);
}

static void
test_a_narrow_screen_shows_the_scans_whole_name (void **state)
{
  static const char *const none[] = { NULL };

  testing_workbench_forget ();
  replay (testing_workbench (),
          "size 80x24\ntimeout 180\nwait records\nkey Enter\nwait  of 30\nsize 40x20\n"
          "wait _a_1.nii.gz\nwait not for diagnosis\nkey x\nwait HU\nwait not for diagnosis\n",
          none);
}

static void
test_a_screen_is_not_written_over_a_file (void **state)
{
  static const char *const none[] = { NULL };
  g_autofree char *path = testing_write ("precious.txt", "precious", 8), *text = NULL;
  g_autofree char *kept = g_strdup_printf (
      "size 80x24\ntimeout 180\ntype :dump-screen %s\nkey Enter\nwait Replace it\nkey n\n", path);
  g_autofree char *replaced = g_strdup_printf (
      "size 80x24\ntimeout 180\ntype :dump-screen %s\nkey Enter\nwait Replace it\nkey y\n"
      "wait Written\n",
      path);

  replay (testing_workbench (), kept, none);
  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  assert_string_equal (text, "precious");
  g_clear_pointer (&text, g_free);
  replay (testing_workbench (), replaced, none);
  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  assert_non_null (strstr (text, "1 Records"));
}

static void
test_tagged_records_are_listed_and_written (void **state)
{
  g_autofree char *csv = testing_path ("tagged.csv");
  g_autofree char *keys =
      g_strdup_printf ("size 80x24\ntimeout 180\nkey Esc Esc Esc 1 u g t\nwait Nothing is tagged\n"
                       "key j Space j Space g t\nwait only\nkey w C-u\ntype %s\nkey Enter\n"
                       "wait Written\nkey w C-u\ntype %s\nkey Enter\nwait Replace it?\nkey Enter\n"
                       "key t u\n",
                       csv, csv);
  g_auto (GStrv) lines = NULL;

  replay (testing_workbench (), keys, (const char *const[]){ NULL });
  lines = take_lines (csv);
  assert_int_equal (g_strv_length (lines), 1 + 2 + 1);
  assert_true (g_str_has_prefix (lines[0], "VolumeName,"));
}

static void
test_the_folder_with_the_scans_is_asked_for (void **state)
{
  g_autoptr (Workspace) other = testing_study_workspace ("asked", 20, 10);
  g_autofree char *scans = testing_path ("scans");
  g_autofree char *keys = g_strdup_printf (
      "size 80x24\ntimeout 180\nwait Impression\nkey Enter\nwait folder with the scans\n"
      "type /nowhere\nkey Enter\nwait no such folder\nkey C-u\ntype %s\nkey Enter\n"
      "wait [2 Slices]\nwait axial 16/30\n",
      scans);

  replay (workspace_directory (other), keys, (const char *const[]){ NULL });
}

static void
test_compared_runs_are_written (void **state)
{
  g_autofree char *csv = testing_path ("pair.csv"), *png = testing_path ("pair.png");
  g_autofree char *keys = g_strdup_printf (
      "size 80x24\ntimeout 180\nkey Esc Esc Esc 5\nwait second\nkey G Space k Space c\nwait "
      "DeLong\n"
      "key e\nwait Export first, second\nkey j Enter C-u\ntype %s\nkey Enter\nwait Written\n"
      "key e j j j Enter C-u\ntype %s\nkey Enter\nwait pair.png\nkey Esc Esc u\n",
      csv, png);
  g_auto (GStrv) lines = NULL;

  replay (testing_workbench (), keys, (const char *const[]){ NULL });
  lines = take_lines (csv);
  assert_int_equal (g_strv_length (lines), 1 + CATALOG_N_LABELS + 1 + 1);
  assert_true (g_str_has_prefix (lines[1], "first,second,Medical material,"));
  assert_true (g_str_has_prefix (lines[1 + CATALOG_N_LABELS], "first,second,macro,"));
  assert_int_equal (g_remove (png), 0);
}

static void
test_the_first_screen_offers_ways_to_begin (void **state)
{
  static const char *const none[] = { NULL };
  g_autofree char *directory = testing_path ("nowhere");
  struct stat info;

  replay (directory,
          "size 80x24\nwait Try the demo\nsize 200x60\nwait Import CT-RATE\nkey j j\n"
          "size 40x10\nkey q\n",
          none);
  /* Looking alone makes nothing. */
  assert_int_not_equal (stat (directory, &info), 0);
}

/** Without a workspace: from scan to scan, and back to the first screen. */
static void
test_a_folder_of_scans_is_browsed (void **state)
{
  static const char *const none[] = { NULL };
  static const char *const scans[] = { "one.nii", "two.nii" };
  g_autofree char *directory = testing_path ("nowhere"), *pair = testing_path ("pair");
  g_autofree char *scan = testing_path ("scan.nii");
  g_autofree char *keys = g_strdup_printf (
      "size 80x24\ntimeout 180\nwait Try the demo\nkey j j Enter\ntype %s\nkey Enter\n"
      "wait 2 scans in\nkey Enter\nwait one.nii\nkey J\nwait two.nii\nkey K\nwait one.nii\n"
      "key Esc\nwait 2 scans in\nkey Esc\nwait Try the demo\n",
      pair);

  g_mkdir_with_parents (pair, 0700);
  for (guint i = 0; i < G_N_ELEMENTS (scans); i++)
    {
      g_autofree char *path = g_build_filename (pair, scans[i], NULL);

      assert_int_equal (link (scan, path), 0);
    }
  replay (directory, keys, none);
}

static void
test_a_wrong_replay_names_its_line (void **state)
{
  static const char wrong[] = "key j\nkey Nowhere\n";
  g_autofree char *path = testing_write ("wrong.replay", wrong, strlen (wrong));
  const char *const arguments[] = { program_path (), "--replay", path, NULL };
  g_autofree char *err = NULL;
  int status;

  assert_true (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                             &err, &status, NULL));
  assert_int_equal (WEXITSTATUS (status), 2);
  assert_non_null (strstr (err, "line 2"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown (test_every_screen_in_every_kind_of_terminal, tmux_teardown),
    cmocka_unit_test (test_the_latest_run_is_in_view_where_nothing_else_is),
    cmocka_unit_test (test_the_table_says_which_run_its_changes_are_since),
    cmocka_unit_test (test_a_narrow_screen_shows_the_scans_whole_name),
    cmocka_unit_test (test_a_screen_is_not_written_over_a_file),
    cmocka_unit_test (test_any_size_will_do),
    cmocka_unit_test (test_every_footer_ends_with_help_and_quit),
    cmocka_unit_test_teardown (test_a_click_on_a_key_of_the_footer_presses_it, tmux_teardown),
    cmocka_unit_test_teardown (test_a_line_of_input_takes_every_key, tmux_teardown),
    cmocka_unit_test_teardown (test_the_size_may_change_while_it_trains, tmux_teardown),
    cmocka_unit_test_teardown (test_a_second_program_watches, tmux_teardown),
    cmocka_unit_test_teardown (test_another_programs_run_has_failed_when_its_lock_falls,
                               tmux_teardown),
    cmocka_unit_test (test_what_was_looked_at_comes_back),
    cmocka_unit_test (test_the_most_confident_error_is_under_the_cursor),
    cmocka_unit_test (test_tagged_records_are_listed_and_written),
    cmocka_unit_test (test_the_folder_with_the_scans_is_asked_for),
    cmocka_unit_test (test_compared_runs_are_written),
    cmocka_unit_test (test_the_first_screen_offers_ways_to_begin),
    cmocka_unit_test (test_a_folder_of_scans_is_browsed),
    cmocka_unit_test (test_a_wrong_replay_names_its_line),
  };

  return cmocka_run_group_tests (tests, testing_workbench_setup, testing_workbench_teardown);
}

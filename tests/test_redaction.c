/* --redact: a workspace whose patients, dates and reports are known words is gone through by
 * every screen and command, and none of the words comes out. The same way without it shows that
 * they would. */
#include "program.h"
#include "testing_store.h"
#include "testing_workbench.h"

#include <glib/gstdio.h>
#include <string.h>

/* What no file name, label or score looks like. */
static const struct
{
  const char *what, *pattern, *set;
} secrets[] = {
  { "patient", "MUSTERMANN", "UPDATE volume SET patient = 'MUSTERMANN' || id" },
  { "sex", "(^|[^A-Za-z0-9])ZZZ?([^A-Za-z0-9]|$)", "UPDATE volume SET sex = 'ZZZ'" },
  { "age", "(^|[\\s\",:])777([\\s\",}]|$)", "UPDATE volume SET age = 777" },
  { "date", "1902-?03-?04", "UPDATE volume SET study_date = '19020304'" },
  { "report", "XYLOPHONE",
    "UPDATE report SET clinical = 'XYLOPHONE one', technique = 'XYLOPHONE two',"
    " findings = 'XYLOPHONE three', impression = 'XYLOPHONE four'" },
};

static int
make_secrets (void **state)
{
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) store = NULL;

  testing_workbench_setup (state);
  path = g_build_filename (testing_workbench (), "workspace.sqlite", NULL);
  store = testing_store_open (path);
  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++)
    testing_store_exec (store, secrets[i].set);
  return 0;
}

/** Which of them the text holds, a bit each. */
static guint
find_secrets (const char *text)
{
  guint found = 0;

  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++)
    found |= (guint) g_regex_match_simple (secrets[i].pattern, text, G_REGEX_MULTILINE, 0) << i;
  return found;
}

/** @redacted: none may be there. Returns which are. */
static guint
look (const char *where, const char *text, gboolean redacted)
{
  guint found = find_secrets (text);

  for (guint i = 0; redacted && i < G_N_ELEMENTS (secrets); i++)
    if (found >> i & 1)
      fail_msg ("%s tells the %s:\n%s", where, secrets[i].what, text);
  return found;
}

#define ALL ((1u << G_N_ELEMENTS (secrets)) - 1)

/* ---- the workbench ---- */

static const struct
{
  const char *name, *keys, *shows;
} steps[] = {
  { "records", "key Esc Esc Esc 1 g\nwait records\n", "records" },
  { "columns", "key Right Right Right Right\n", "records" },
  { "zoomed", "key z\n", "records" },
  { "searched",
    "key z /\ntype XYLO\nkey BSpace BSpace BSpace BSpace\ntype four\nkey Enter\n"
    "wait search: four\n",
    "search: four" },
  { "sorted", "key Esc s\nwait Sort by\nkey j j j Enter\n", "records" },
  { "dropped", "key d\nwait dropped too\n", "dropped too" },
  { "filtered", "key d \\\ntype age > 30\nkey Enter\nwait filter: age > 30\n", "filter: age > 30" },
  { "log", "key Esc !\nwait Log\n", "Log" },
  { "slices", "key Esc Esc Esc 1 g Enter\nwait /30 \n", "/30 " },
  { "experiment", "key 3\nwait gamma\n", "gamma" },
  { "runs", "key 5\nwait second\n", "second" },
  { "training", "key Enter\nwait , the one kept\n", "macro" },
  { "finding", "key j j Enter\nwait threshold\n", "threshold" },
  { "errors", "key e\nwait most confident errors first\n", "most confident errors first" },
  { "of a record", "key Enter\nwait /30 \n", "/30 " },
};

static gboolean
is_there (Tmux *tmux, gpointer path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static guint
tour (gboolean redacted)
{
  static const char *const with[] = { "--redact", NULL }, *const without[] = { NULL };
  Tmux *tmux = testing_workbench_start (200, 50, "screen-256color", redacted ? with : without);
  g_autofree char *dump = testing_path ("dump.txt"), *table = testing_path ("table.csv");
  g_autofree char *written = g_strdup_printf (":dump-screen %s\r", dump);
  guint found = 0;

  tmux_wait (tmux, "Enter slices");
  tmux_wait (tmux, redacted ? "(redacted)" : "XYLOPHONE");
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      tmux_play (tmux, steps[i].keys);
      tmux_wait (tmux, steps[i].shows);
      {
        g_autofree char *screen = tmux_screen (tmux, FALSE);

        found |= look (steps[i].name, screen, redacted);
      }
    }
  /* What it writes: the screen, a table of the records, its state and its log. */
  g_unlink (dump);
  g_unlink (table);
  tmux_play (tmux, "key Esc Esc Esc 1\nwait records\n");
  tmux_type (tmux, written);
  tmux_wait_for (tmux, "the screen's file", is_there, dump);
  tmux_keys (tmux, "w", NULL);
  tmux_keys (tmux, "C-u", NULL);
  tmux_type (tmux, table);
  tmux_keys (tmux, "Enter", NULL);
  tmux_wait (tmux, "Written: ");
  tmux_type (tmux, "q");
  tmux_wait_end (tmux);
  tmux_teardown (NULL);
  {
    g_autofree char *state = g_build_filename (testing_workbench (), "workbench.ini", NULL);
    g_autofree char *log = testing_path (".local/state/ctclip-tui/log");
    const char *const files[] = { dump, table, log, state };

    for (guint i = 0; i < G_N_ELEMENTS (files); i++)
      {
        g_autofree char *text = NULL;

        if (g_file_get_contents (files[i], &text, NULL, NULL))
          found |= look (files[i], text, redacted);
        else if (!(redacted && files[i] == state))
          fail_msg ("%s was not written", files[i]);
      }
  }
  return found;
}

static void
test_no_screen_and_no_file_of_the_workbench_tells_a_patient (void **state)
{
  assert_int_equal (tour (TRUE), 0);
  assert_int_equal (tour (FALSE), ALL);
}

static void
test_what_was_searched_for_before_is_not_shown (void **state)
{
  static const char *const with[] = { "--redact", NULL };
  g_autofree char *ini = g_build_filename (testing_workbench (), "workbench.ini", NULL);
  static const char before[] = "[history]\nsearch=XYLOPHONE;\nfilter=patient = MUSTERMANN7;\n"
                               "[Records]\nsearch=XYLOPHONE\nfilter=sex = ZZZ\n";
  Tmux *tmux = testing_workbench_start (120, 40, "screen-256color", with);
  g_autofree char *after = NULL;

  tmux_wait (tmux, "Enter slices");
  tmux_teardown (NULL);
  assert_true (g_file_set_contents (ini, before, -1, NULL));
  {
    const char *const again[] = { program_path (), "-w", testing_workbench (), "--redact", NULL };

    tmux = tmux_start (120, 40, "screen-256color", again);
  }
  tmux_wait (tmux, "Enter slices");
  tmux_keys (tmux, "/", "Up", NULL);
  tmux_type (tmux, "word");
  tmux_wait (tmux, "word");
  {
    g_autofree char *screen = tmux_screen (tmux, FALSE);

    look ("the history", screen, TRUE);
  }
  tmux_keys (tmux, "Escape", NULL);
  tmux_wait_gone (tmux, "word");
  tmux_type (tmux, "q");
  tmux_wait_end (tmux);
  assert_true (g_file_get_contents (ini, &after, NULL, NULL));
  assert_string_equal (after, before);
}

/* ---- commands ---- */

static guint
command (gboolean redacted, const char *file, const char *const *arguments)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) line = NULL;
  g_autofree char *out = NULL, *err = NULL, *text = NULL;
  g_autoptr (GError) error = NULL;
  guint found;

  if (file != NULL)
    g_unlink (file);
  g_strv_builder_add_many (builder, program_path (), "--batch", arguments[0], "-w",
                           testing_workbench (), NULL);
  g_strv_builder_addv (builder, (const char **) arguments + 1);
  if (redacted)
    g_strv_builder_add (builder, "--redact");
  line = g_strv_builder_end (builder);
  g_spawn_sync (NULL, line, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, NULL, &error);
  assert_no_error (error);
  found = look (arguments[0], out, redacted) | look (arguments[0], err, redacted);
  if (file != NULL)
    {
      if (!g_file_get_contents (file, &text, NULL, NULL))
        fail_msg ("%s wrote no file: %s", arguments[0], err);
      found |= look (file, text, redacted);
    }
  return found;
}

static guint
commands (gboolean redacted)
{
  g_autofree char *csv = testing_path ("out.csv"), *json = testing_path ("out.json");
  const struct
  {
    const char *file;
    const char *arguments[10];
  } all[] = {
    { NULL, { "records", "--limit", "300" } },
    { NULL, { "records", "--json", "--limit", "300" } },
    { NULL, { "records", "--query", "age > 30 AND sex = ZZZ", "--count" } },
    { NULL, { "records", "--show", "valid_1_a_1" } },
    { NULL, { "records", "--show", "valid_1_a_1", "--json" } },
    { csv, { "export", "records", "--out", csv } },
    { csv, { "export", "records", "--query", "XYLOPHONE", "--out", csv } },
    { csv, { "export", "predictions", "--run", "first", "--out", csv } },
    { json, { "export", "metrics", "--run", "first", "--out", json } },
    { NULL, { "runs", "--show", "first" } },
    { NULL, { "runs", "--compare", "first", "second", "--json" } },
    { NULL, { "sample", "--split", "train", "--fraction", "0.5", "--json", "--name", "half" } },
    { csv, { "export", "sample", "--sample", "half", "--out", csv } },
    { NULL, { "train", "--fraction", "0.5", "--epochs", "1", "--json" } },
    { NULL, { "doctor" } },
  };
  guint found = 0;

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    found |= command (redacted, all[i].file, all[i].arguments);
  return found;
}

static void
test_no_command_tells_a_patient (void **state)
{
  assert_int_equal (commands (TRUE), 0);
  assert_int_equal (commands (FALSE), ALL);
}

static void
test_no_message_tells_a_patient (void **state)
{
  static const char table[] = "valid_1_a_1.nii.gz,MUSTERMANN was here,XYLOPHONE,19020304\n";
  g_autofree char *reports = testing_write ("no_header.csv", table, sizeof table - 1);
  g_autofree char *path = g_build_filename (testing_workbench (), "workspace.sqlite", NULL);
  const char *const import[] = { "import", "--split",  "valid", "--reports",
                                 reports,  "--labels", reports, NULL };
  const char *const train[] = { "train", "--fraction", "1", "--epochs", "1", NULL };

  /* A table without its header, and one patient in both splits. */
  assert_int_equal (command (TRUE, NULL, import), 0);
  assert_int_not_equal (command (FALSE, NULL, import), 0);
  {
    g_autoptr (CatalogStore) store = testing_store_open (path);

    testing_store_exec (store, "UPDATE volume SET patient = 'MUSTERMANN'");
  }
  assert_int_equal (command (TRUE, NULL, train), 0);
  assert_int_not_equal (command (FALSE, NULL, train), 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_no_command_tells_a_patient),
    cmocka_unit_test_teardown (test_no_screen_and_no_file_of_the_workbench_tells_a_patient,
                               tmux_teardown),
    cmocka_unit_test_teardown (test_what_was_searched_for_before_is_not_shown, tmux_teardown),
    cmocka_unit_test (test_no_message_tells_a_patient),
  };

  return cmocka_run_group_tests_name ("redaction", tests, make_secrets, testing_workbench_teardown);
}

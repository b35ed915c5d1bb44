/* Names, texts and queries that try to be something else, through the real program: data stays
 * data, and nothing that a terminal would obey comes out. */
#include "program.h"

#include "nifti_maker.h"
#include "tmux.h"

#include <string.h>

/* ---- what tries ---- */

static const char *const hostile[] = {
  "\033[31mred\033]0;title\007",
  "\302\23331m, which some terminals take for the same",
  "'; DROP TABLE volume; --",
  "\") OR 1=1 --",
  "%s%n%x 100 %",
  "two\nlines",
  "../../etc/passwd",
  "-rf",
  " blanks  and \"quotes\" ",
  "back\\slash \\x1b $(reboot) `reboot`",
  "\033]52;c;c3RvbGVu\007into the clipboard \033[77z",
  "\302\2350;title\302\234 and \302\220q\302\234, for terminals that know C1 in UTF-8",
  "\342\200\256turned\342\200\254 \342\201\246around\342\201\251",
  "no\342\200\213 width\357\273\277, a line's\342\200\250 end, a tag \363\240\201\201",
  "=HYPERLINK(1;2)",
};

static gboolean
is_obeyed (gunichar character)
{
  static const gunichar ranges[][2] = {
    { 0, 0x1f },        { 0x7f, 0x9f },       { 0xad, 0xad },     { 0x61c, 0x61c },
    { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
    { 0xfff9, 0xfffb }, { 0xe0001, 0xe007f },
  };

  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (character >= ranges[i][0] && character <= ranges[i][1])
      return TRUE;
  return FALSE;
}

/** Only tabs and newlines, of all that a terminal would obey, and UTF-8 throughout. */
static void
assert_harmless (const char *text)
{
  assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (*at != '\n' && *at != '\t' && is_obeyed (g_utf8_get_char (at)))
      fail_msg ("what a terminal obeys reaches it: %s", at);
}

static void
assert_says_harmlessly (const ProgramResult *result)
{
  assert_harmless (result->out);
  assert_harmless (result->err);
}

/* ---- a cohort whose texts are hostile, in a workspace whose name is ---- */

#define SCANS G_N_ELEMENTS (hostile)

static char *workspace, *latents, *names;

static char *
volume (const char *split, guint i)
{
  return g_strdup_printf ("%s_%u_a_1.nii.gz", split, i + 1);
}

/** A quoted cell of a CSV file. */
static void
append_cell (GString *table, const char *text)
{
  g_autoptr (GString) cell = g_string_new (text);

  g_string_replace (cell, "\"", "\"\"", 0);
  g_string_append_printf (table, ",\"%s\"", cell->str);
}

static void
import_tables (const char *split, const GString *reports, const GString *labels,
               const GString *metadata)
{
  g_autofree char *reports_path = testing_write ("r\377\033%n.csv", reports->str, reports->len);
  g_autofree char *labels_path = testing_write ("l \033 %s.csv", labels->str, labels->len);
  g_autofree char *metadata_path = testing_write ("-m '.csv", metadata->str, metadata->len);
  g_auto (ProgramResult) result =
      program_expect (3, "import", "-w", workspace, "--split", split, "--reports", reports_path,
                      "--labels", labels_path, "--metadata", metadata_path, NULL);

  assert_says_harmlessly (&result);
  assert_non_null (strstr (result.err, "line"));
}

static void
import_split (const char *split, GString *lines)
{
  g_autoptr (GString) reports =
      g_string_new ("VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n");
  g_autoptr (GString) labels =
      g_string_new ("VolumeName,Medical material,Arterial wall calcification,Cardiomegaly,"
                    "Pericardial effusion,Coronary artery wall calcification,Hiatal hernia,"
                    "Lymphadenopathy,Emphysema,Atelectasis,Lung nodule,Lung opacity,Pulmonary "
                    "fibrotic sequela,Pleural effusion,Mosaic attenuation pattern,Peribronchial "
                    "thickening,Consolidation,Bronchiectasis,Interlobular septal thickening\n");
  g_autoptr (GString) metadata =
      g_string_new ("VolumeName,Manufacturer,ManufacturerModelName,PatientSex,XYSpacing,ZSpacing,"
                    "RescaleSlope,RescaleIntercept\n");

  for (guint i = 0; i < SCANS; i++)
    {
      g_autofree char *name = volume (split, i);

      g_string_append (reports, name);
      append_cell (reports, hostile[i]);
      g_string_append (reports, ",CT");
      append_cell (reports, hostile[i]);
      g_string_append (reports, ",.\n");
      g_string_append_printf (labels, "%s,%d,%d%s\n", name, i % 2, i % 3 == 0,
                              ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0");
      g_string_append (metadata, name);
      append_cell (metadata, hostile[i]);
      append_cell (metadata, hostile[i]);
      append_cell (metadata, hostile[i]);
      g_string_append (metadata, ",0.7,1.5,1,-1024\n");
      g_string_append_printf (lines, "%s\n", name);
    }
  /* Rows that cannot be read, whose names are told. */
  for (guint i = 0; i < SCANS; i++)
    {
      g_string_append_c (reports, '"');
      for (const char *c = hostile[i]; *c != '\0'; c++)
        g_string_append_printf (reports, *c == '"' ? "%c%c" : "%c", *c, *c);
      g_string_append (reports, "\",a,b,c,d\n");
    }
  g_string_append (reports, "\377\376.nii.gz,a,b,c,d\n");
  import_tables (split, reports, labels, metadata);
}

static int
make_workspace (void **state)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  float numbers[2 * SCANS];
  const gsize shape[] = { 2 * SCANS, 1 };
  g_autoptr (GError) error = NULL;

  workspace = testing_path ("w\033[2J %n'\"\n\377");
  import_split ("train", lines);
  import_split ("valid", lines);
  for (guint i = 0; i < 2 * SCANS; i++)
    numbers[i] = i % 3;
  names = testing_write ("names.txt", lines->str, lines->len);
  latents = testing_path ("latents.npy");
  npy_write (latents, TRUE, NPY_FLOAT32, 2, shape, numbers, &error);
  assert_no_error (error);
  return 0;
}

static int
forget_workspace (void **state)
{
  g_free (workspace);
  g_free (latents);
  g_free (names);
  return 0;
}

/* ---- reports and tables ---- */

static void
test_reports_keep_every_byte_in_json_and_lose_what_terminals_obey (void **state)
{
  for (guint i = 0; i < SCANS; i++)
    {
      g_autofree char *name = volume ("train", i);
      g_auto (ProgramResult) json =
          program_expect (0, "records", "-w", workspace, "--show", name, "--json", NULL);
      g_auto (ProgramResult) text =
          program_expect (0, "records", "-w", workspace, "--show", name, NULL);

      assert_string_equal (json_string_value (json_at (json.json, "findings")), hostile[i]);
      assert_string_equal (json_string_value (json_at (json.json, "clinical")), hostile[i]);
      assert_says_harmlessly (&json);
      assert_says_harmlessly (&text);
    }
}

static void
test_lists_are_harmless_and_whole (void **state)
{
  g_auto (ProgramResult) text =
      program_expect (0, "records", "-w", workspace, "--dropped", "--limit", "1000", NULL);
  g_auto (ProgramResult) json = program_expect (0, "records", "-w", workspace, "--dropped",
                                                "--limit", "1000", "--json", NULL);

  assert_says_harmlessly (&text);
  assert_says_harmlessly (&json);
  assert_int_equal (json_number_at (json.json, "total"), 2 * (2 * SCANS + 1));
  for (guint i = 0; i < 2 * (2 * SCANS + 1); i++)
    {
      g_autofree char *path = g_strdup_printf ("records.%u.reason_detail", i);

      json_at (json.json, path); /* is there, though the table's name is no UTF-8 */
    }
}

static void
test_queries_that_try_to_be_sql_find_or_are_refused (void **state)
{
  for (guint i = 0; i < SCANS; i++)
    {
      g_autofree char *quoted = g_strdup_printf ("manufacturer ~ \"%s\"", hostile[i]);
      const char *const queries[] = { hostile[i], quoted };

      for (guint q = 0; q < G_N_ELEMENTS (queries); q++)
        {
          g_autofree char *option = g_strconcat ("--query=", queries[q], NULL);
          g_auto (ProgramResult) result =
              program_run ("records", "-w", workspace, option, "--count", NULL);

          if (result.code != 0 && result.code != 2)
            fail_msg ("%s: %d: %s", queries[q], result.code, result.err);
          assert_says_harmlessly (&result);
        }
    }
  {
    g_auto (ProgramResult) all =
        program_expect (0, "records", "-w", workspace, "--count", "--json", NULL);
    g_auto (ProgramResult) doctor = program_run ("doctor", "-w", workspace, NULL);

    assert_int_equal (json_number_at (all.json, "total"), 2 * SCANS);
    assert_non_null (strstr (doctor.out, "workspace: sound"));
  }
}

/* ---- names that users give ---- */

static void
test_any_name_serves_for_sample_encoder_and_run (void **state)
{
  g_autofree char *longest = g_strnfill (255, 'x');

  for (guint i = 0; i <= SCANS; i++)
    {
      const char *name = i < SCANS ? hostile[i] : longest;
      g_autofree char *given = g_strconcat ("--name=", name, NULL);
      g_autofree char *encoder = g_strconcat ("--encoder-name=", name, NULL);
      g_autofree char *drawn = g_strconcat ("--train-sample=", name, NULL);
      g_autofree char *show = g_strconcat ("--show=", name, NULL);
      g_auto (ProgramResult) absent = program_run ("runs", "-w", workspace, show, NULL);
      g_auto (ProgramResult) sampled =
          program_expect (0, "sample", "-w", workspace, "--split", "train", "--fraction", "0.8",
                          given, "--json", NULL);
      g_auto (ProgramResult) imported =
          program_expect (0, "import-latents", "-w", workspace, "--npy", latents, "--names", names,
                          encoder, "--json", NULL);
      g_auto (ProgramResult) trained =
          program_expect (0, "train", "-w", workspace, given, encoder, drawn, "--epochs", "1",
                          "--bootstrap", "0", "--json", NULL);
      g_auto (ProgramResult) shown = program_expect (0, "runs", "-w", workspace, show, NULL);

      assert_string_equal (json_string_value (json_at (sampled.json, "name")), name);
      assert_string_equal (json_string_value (json_at (imported.json, "encoder")), name);
      assert_string_equal (json_string_value (json_at (trained.json, "run")), name);
      assert_int_equal (absent.code, 1);
      assert_says_harmlessly (&absent);
      assert_says_harmlessly (&trained);
      assert_says_harmlessly (&shown);
    }
}

static void
test_a_name_that_is_no_utf_8_is_refused (void **state)
{
  g_auto (ProgramResult) result =
      program_expect (2, "sample", "-w", workspace, "--split", "train", "--name=\377\376", NULL);

  assert_says_harmlessly (&result);
}

/* ---- names of files ---- */

static void
test_any_file_name_is_read_written_and_told (void **state)
{
  nifti_2_header header = nifti_maker_header (DT_INT16, 4, 4, 2);
  const double values[32] = { 0 };
  g_autofree char *longest = g_strnfill (240, 'x');
  const char *const files[] = {
    "f\033[31m%n.nii.gz", "f\n'\"; $(x).nii.gz", "-rf", "%s%s.nii", "f\377\376.nii", "..", longest
  };

  nifti_maker_orient (&header, "LPS");
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *broken_name = g_strconcat (files[i], ".broken", NULL);
      g_autofree char *broken = testing_write (broken_name, "hello", 5);
      g_autofree char *whole_name = g_strconcat (files[i], ".whole", NULL);
      g_autofree char *whole = nifti_maker_write (whole_name, &header, values, NIFTI_MAKER_GZIP);
      g_autofree char *out = g_strconcat (whole, ".png", NULL);
      g_autofree char *valid = g_utf8_make_valid (whole, -1);
      g_auto (ProgramResult) refused =
          program_expect (1, "slice", broken, "--index", "0", "--out", out, NULL);
      g_auto (ProgramResult) written =
          program_expect (0, "slice", whole, "--index", "0", "--out", out, NULL);
      g_auto (ProgramResult) json = program_expect (0, "slice", whole, "--index", "0", "--out", out,
                                                    "--force", "--json", NULL);

      assert_says_harmlessly (&refused);
      assert_says_harmlessly (&written);
      assert_says_harmlessly (&json);
      assert_non_null (strstr (refused.err, "is text"));
      assert_string_equal (json_string_value (json_at (json.json, "file")), valid);
      assert_true (g_file_test (out, G_FILE_TEST_IS_REGULAR));
    }
}

/** The tables that come out say what went in. */
static void
test_exported_tables_give_every_name_again (void **state)
{
  g_autofree char *out = testing_path ("o\033\n%s.csv"), *text = NULL;
  g_auto (ProgramResult) result =
      program_expect (0, "export", "-w", workspace, "records", "--out", out, NULL);
  g_auto (ProgramResult) runs = program_expect (0, "runs", "-w", workspace, NULL);
  g_autoptr (GError) error = NULL;

  assert_says_harmlessly (&result);
  assert_says_harmlessly (&runs);
  g_file_get_contents (out, &text, NULL, &error);
  assert_no_error (error);
  assert_non_null (strstr (text, ",'; DROP TABLE volume; --,"));
  assert_non_null (strstr (text, ",%s%n%x 100 %,"));
  assert_non_null (strstr (text, ",=HYPERLINK(1;2),"));
  assert_non_null (strstr (text, ",\"blanks  and \"\"quotes\"\"\","));
}

static void
test_a_replay_that_writes_to_the_terminal_is_told_without_its_codes (void **state)
{
  static const char steps[] = "press \033[2J\n";
  g_autofree char *path = testing_write ("keys\033.replay", steps, strlen (steps));
  char *arguments[] = { (char *) program_path (), (char *) "--replay", path, NULL };
  g_autofree char *err = NULL;
  g_autoptr (GError) error = NULL;

  g_spawn_sync (NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &err, NULL, &error);
  assert_no_error (error);
  assert_non_null (strstr (err, "no step of a replay"));
  assert_harmless (err);
}

/* ---- the bytes that the workbench writes ---- */

/** What is recorded was not sent by one of the texts: curses alone moves the cursor, sets colours
 * and the like. */
static void
assert_only_curses_speaks (const char *bytes, gsize n)
{
  static const char finals[] = "@ABCDEFGHJKLMPSTXZbdfhlmnrsu"; /* of CSI; not 'z' */
  const char *end = bytes + n;

  assert_true (g_utf8_validate (bytes, (gssize) n, NULL));
  for (const char *at = bytes; at < end; at = g_utf8_next_char (at))
    {
      gunichar character = g_utf8_get_char (at);

      if (character == '\033')
        {
          const char *rest = at + 1;

          if (*rest == '[')
            {
              rest += 1 + strspn (rest + 1, "0123456789;?>");
              if (strchr (finals, *rest) == NULL)
                fail_msg ("a foreign sequence reaches the terminal: ESC%.20s", at + 1);
            }
          else if (strchr ("()*+=>78MDEHc", *rest) == NULL)
            fail_msg ("a foreign sequence reaches the terminal: ESC%.20s", at + 1);
        }
      else if (is_obeyed (character) && strchr ("\r\n\b\t\016\017", (int) character) == NULL)
        fail_msg ("U+%04X reaches the terminal before \"%.20s\"", character, at);
    }
}

/** Run a program in a terminal of 100 x 40 and keep what it writes. */
static Tmux *
record (const char *transcript, const char *const *more)
{
  g_autoptr (GString) line = g_string_new ("exec");
  g_autofree char *script = g_find_program_in_path ("script");

  if (script == NULL)
    {
      print_message ("needs script(1)\n");
      skip ();
    }
  for (guint i = 0; i == 0 || more[i - 1] != NULL; i++)
    {
      g_autofree char *quoted = g_shell_quote (i == 0 ? program_path () : more[i - 1]);

      g_string_append_printf (line, " %s", quoted);
    }
  {
    /* Its transcript begins with the command that it was given. */
    g_autofree char *file = testing_write ("command.sh", line->str, line->len),
                    *command = g_strconcat ("exec sh ", file, NULL);
    const char *const arguments[] = { script, "-q", "-e", "-c", command, transcript, NULL };

    return tmux_start (100, 40, "screen-256color", arguments);
  }
}

static void
assert_recorded_harmlessly (const char *transcript, const char *shown)
{
  g_autofree char *bytes = NULL;
  g_autoptr (GError) error = NULL;
  gsize n;

  g_file_get_contents (transcript, &bytes, &n, &error);
  assert_no_error (error);
  assert_non_null (g_strstr_len (bytes, (gssize) n, shown));
  assert_only_curses_speaks (bytes, n);
}

static void
test_no_text_speaks_to_the_terminal_through_the_workbench (void **state)
{
  g_autofree char *transcript = testing_path ("workbench.bytes");
  const char *const workbench[] = { "-w", workspace, NULL };
  Tmux *tmux = record (transcript, workbench);

  /* Every report and every name, in the list, the pane, boxes, messages and the log. */
  tmux_wait (tmux, "Enter slices");
  for (guint i = 0; i < SCANS; i++)
    tmux_play (tmux, "key j z\nkey z\n");
  tmux_play (tmux, "key g j j j j j j j j j j\nwait into the clipboard\n");
  tmux_play (tmux, "key d\nwait dropped too\nkey G k k k k k k k k k k k k k k k\n");
  tmux_play (tmux, "key d /\ntype and\nkey Enter\nwait search: and\nkey n n n N\n");
  tmux_type (tmux, "\033\033:open /tmp/\302\2330;\342\200\256x\r");
  tmux_play (tmux, "key Esc Esc !\nwait Log\nkey Esc\n");
  tmux_play (tmux, "key 3\nwait gamma\nkey 5\nwait DROP TABLE\nkey j j j j j j j j j j j j Enter\n"
                   "key 2\nkey 1\nwait Enter slices\n");
  tmux_keys (tmux, "q", NULL);
  tmux_wait_end (tmux);
  tmux_teardown (NULL);
  assert_recorded_harmlessly (transcript, "DROP TABLE");
}

static void
test_no_text_speaks_to_the_terminal_through_a_command (void **state)
{
  g_autofree char *transcript = testing_path ("command.bytes");
  const char *const commands[][8] = {
    { "--batch", "records", "-w", workspace, "--dropped" },
    { "--batch", "records", "-w", workspace, "--dropped", "--json" },
    { "--batch", "runs", "-w", workspace },
    { "--batch", "prepare", "/tmp/\033]0;a\007\302\233z\342\200\256DROP TABLE", "--out", "x" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      Tmux *tmux = record (transcript, commands[i]);

      tmux_wait_end (tmux);
      tmux_teardown (NULL);
      assert_recorded_harmlessly (transcript, "DROP TABLE");
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_reports_keep_every_byte_in_json_and_lose_what_terminals_obey),
    cmocka_unit_test (test_lists_are_harmless_and_whole),
    cmocka_unit_test (test_queries_that_try_to_be_sql_find_or_are_refused),
    cmocka_unit_test (test_any_name_serves_for_sample_encoder_and_run),
    cmocka_unit_test (test_a_name_that_is_no_utf_8_is_refused),
    cmocka_unit_test (test_any_file_name_is_read_written_and_told),
    cmocka_unit_test (test_exported_tables_give_every_name_again),
    cmocka_unit_test (test_a_replay_that_writes_to_the_terminal_is_told_without_its_codes),
    cmocka_unit_test_teardown (test_no_text_speaks_to_the_terminal_through_the_workbench,
                               tmux_teardown),
    cmocka_unit_test_teardown (test_no_text_speaks_to_the_terminal_through_a_command,
                               tmux_teardown),
  };

  return cmocka_run_group_tests_name ("names", tests, make_workspace, forget_workspace);
}

/* The line of input. */
#include "testing.h"

#include "box.h"
#include "draw.h"
#include "prompt.h"

#include <string.h>

typedef struct
{
  guint changes;
  char *last;
} Heard;

static void
hear (gpointer data, const char *text)
{
  Heard *heard = data;

  heard->changes++;
  g_free (heard->last);
  heard->last = g_strdup (text);
}

static gboolean
only_digits (gpointer data, const char *text, GError **error)
{
  if (strspn (text, "0123456789") == strlen (text))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "digits only");
  return FALSE;
}

static void
type (PromptLine *line, const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    prompt_key (line, COMMAND_NONE, g_utf8_get_char (text));
}

static void
press (PromptLine *line, Command command)
{
  assert_int_equal (prompt_key (line, command, 0), PROMPT_GOES_ON);
}

static void
characters_of_many_bytes_are_edited_whole (void **state)
{
  Heard heard = { 0 };
  const Prompt prompt = { .label = "x", .changed = hear, .data = &heard };
  PromptLine *line = prompt_new (&prompt, NULL, NULL);

  type (line, "añ肺");
  assert_string_equal (prompt_text (line), "añ肺");
  assert_int_equal (heard.changes, 3);
  press (line, COMMAND_INPUT_LEFT);
  press (line, COMMAND_INPUT_BACKSPACE);
  assert_string_equal (prompt_text (line), "a肺");
  press (line, COMMAND_INPUT_DELETE);
  assert_string_equal (prompt_text (line), "a");
  assert_string_equal (heard.last, "a");
  press (line, COMMAND_INPUT_DELETE); /* at the end */
  press (line, COMMAND_INPUT_RIGHT);
  press (line, COMMAND_INPUT_HOME);
  press (line, COMMAND_INPUT_LEFT);
  press (line, COMMAND_INPUT_BACKSPACE); /* at the beginning */
  type (line, "ö");
  assert_string_equal (prompt_text (line), "öa");
  press (line, COMMAND_INPUT_END);
  type (line, "!");
  assert_string_equal (prompt_text (line), "öa!");
  prompt_free (line);
  g_free (heard.last);
}

static void
what_is_no_character_is_not_typed (void **state)
{
  PromptLine *line = prompt_new (&(Prompt){ .label = "x" }, NULL, NULL);

  prompt_key (line, COMMAND_NONE, key_parse ("F1"));
  prompt_key (line, COMMAND_NONE, 1);
  prompt_key (line, COMMAND_NONE, 127);
  prompt_key (line, COMMAND_NONE, 0xd800);
  assert_string_equal (prompt_text (line), "");
  prompt_free (line);
}

static void
words_and_rests_are_deleted (void **state)
{
  PromptLine *line = prompt_new (&(Prompt){ .label = "x", .initial = "one two  /a/b" }, NULL, NULL);

  press (line, COMMAND_INPUT_DELETE_WORD);
  assert_string_equal (prompt_text (line), "one two  /a/");
  press (line, COMMAND_INPUT_DELETE_WORD);
  press (line, COMMAND_INPUT_DELETE_WORD);
  assert_string_equal (prompt_text (line), "one two  /");
  press (line, COMMAND_INPUT_DELETE_WORD);
  press (line, COMMAND_INPUT_DELETE_WORD);
  assert_string_equal (prompt_text (line), "one ");
  press (line, COMMAND_INPUT_LEFT);
  press (line, COMMAND_INPUT_LEFT);
  press (line, COMMAND_INPUT_DELETE_REST);
  assert_string_equal (prompt_text (line), "on");
  press (line, COMMAND_INPUT_DELETE_ALL);
  assert_string_equal (prompt_text (line), "");
  press (line, COMMAND_INPUT_DELETE_WORD);
  assert_string_equal (prompt_text (line), "");
  prompt_free (line);
}

static void
earlier_lines_come_back_and_the_draft_is_kept (void **state)
{
  g_autoptr (GPtrArray) history = g_ptr_array_new ();
  PromptLine *line, *without;

  g_ptr_array_add (history, (gpointer) "first");
  g_ptr_array_add (history, (gpointer) "second");
  line = prompt_new (&(Prompt){ .label = "x", .initial = "draft" }, history, NULL);
  press (line, COMMAND_INPUT_LATER);
  assert_string_equal (prompt_text (line), "draft");
  press (line, COMMAND_INPUT_EARLIER);
  assert_string_equal (prompt_text (line), "second");
  press (line, COMMAND_INPUT_EARLIER);
  press (line, COMMAND_INPUT_EARLIER);
  assert_string_equal (prompt_text (line), "first");
  press (line, COMMAND_INPUT_LATER);
  press (line, COMMAND_INPUT_LATER);
  assert_string_equal (prompt_text (line), "draft");
  prompt_free (line);
  without = prompt_new (&(Prompt){ .label = "x", .initial = "draft" }, NULL, NULL);
  press (without, COMMAND_INPUT_EARLIER);
  assert_string_equal (prompt_text (without), "draft");
  prompt_free (without);
}

static void
a_line_with_a_fault_is_not_taken (void **state)
{
  PromptLine *line = prompt_new (&(Prompt){ .label = "x", .check = only_digits }, NULL, NULL);

  type (line, "12a");
  assert_int_equal (prompt_key (line, COMMAND_INPUT_ACCEPT, 0), PROMPT_GOES_ON);
  press (line, COMMAND_INPUT_BACKSPACE);
  assert_int_equal (prompt_key (line, COMMAND_INPUT_ACCEPT, 0), PROMPT_ACCEPTED);
  assert_int_equal (prompt_key (line, COMMAND_INPUT_CANCEL, 0), PROMPT_CANCELLED);
  prompt_free (line);
}

static void
assert_completes (const Prompt *prompt, const char *const *words, const char *typed,
                  const char *expected)
{
  PromptLine *line = prompt_new (prompt, NULL, words);
  g_autofree char *wanted = g_strdup (expected);

  type (line, typed);
  press (line, COMMAND_INPUT_COMPLETE);
  assert_string_equal (prompt_text (line), wanted);
  assert_true (g_utf8_validate (prompt_text (line), -1, NULL));
  prompt_free (line);
}

static void
words_are_completed_as_far_as_they_agree (void **state)
{
  static const char *const words[] = { "dump-screen", "dump-log", "demo", "quit", NULL };
  const Prompt prompt = { .label = ":" };

  assert_completes (&prompt, words, "q", "quit ");
  assert_completes (&prompt, words, "du", "dump-");
  assert_completes (&prompt, words, "d", "d");
  assert_completes (&prompt, words, "x", "x");
  assert_completes (&prompt, NULL, "q", "q");
}

static void
paths_are_completed_in_their_folder (void **state)
{
  const Prompt prompt = { .label = "file", .kind = PROMPT_PATH };
  static const char *const words[] = { "open", NULL };
  g_autofree char *folder = testing_path ("completion");
  g_autofree char *inner = g_build_filename (folder, "scans", NULL);
  static const char *const names[] = {
    "scan_1.nii.gz", "scan_2.nii.gz", "other", ".hidden", "ö1", "ü1", "with blank"
  };
  struct
  {
    const char *typed, *expected;
  } cases[] = {
    { "", "" },
    { "oth", "other" },
    { "scan_", "scan_" },
    { "sc", "scan" },
    { "scans", "scans/" },
    { ".h", ".hidden" },
    { "with", "with blank" },
    { "absent/x", "absent/x" },
  };

  g_mkdir_with_parents (inner, 0700);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);

      assert_true (g_file_set_contents (path, "", 0, NULL));
    }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *typed = g_strdup_printf ("%s/%s", folder, cases[i].typed);
      g_autofree char *expected = g_strdup_printf ("%s/%s", folder, cases[i].expected);
      g_autofree char *behind = g_strconcat ("open ", typed, NULL);
      g_autofree char *expected_behind = g_strconcat ("open ", expected, NULL);

      assert_completes (&prompt, NULL, typed, expected);
      assert_completes (&(Prompt){ .label = ":" }, words, behind, expected_behind);
    }
}

/** A folder with empty files of these names. */
static void
make_files (const char *folder, const char *const *names, guint n)
{
  g_mkdir_with_parents (folder, 0700);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);

      assert_true (g_file_set_contents (path, "", 0, NULL));
    }
}

static void
completion_does_not_divide_a_character (void **state)
{
  const Prompt prompt = { .label = "file", .kind = PROMPT_PATH };
  g_autofree char *folder = testing_path ("umlauts");
  g_autofree char *typed = g_strconcat (folder, "/", NULL);
  static const char *const names[] = { "ö1", "ü1" }; /* share their first byte */

  make_files (folder, names, G_N_ELEMENTS (names));
  assert_completes (&prompt, NULL, typed, typed);
}

static void
names_that_are_no_characters_are_passed_over (void **state)
{
  /* The first bytes of Japanese letters in Shift-JIS; in UTF-8 they only go on with another's. */
  static const char *const names[] = { "\x83\x8c\x83\x93", "\x82\xed", "chest.nii" };
  const Prompt prompt = { .label = "file", .kind = PROMPT_PATH };
  g_autofree char *folder = testing_path ("bytes");
  g_autofree char *typed = g_strconcat (folder, "/", NULL);
  g_autofree char *expected = g_build_filename (folder, "chest.nii", NULL);

  make_files (folder, names, G_N_ELEMENTS (names));
  assert_completes (&prompt, NULL, typed, expected);
}

static void
a_line_that_begins_with_other_bytes_can_be_edited (void **state)
{
  PromptLine *line = prompt_new (&(Prompt){ .label = "x", .initial = "\x83 B\xe4" }, NULL, NULL);

  press (line, COMMAND_INPUT_BACKSPACE);
  press (line, COMMAND_INPUT_HOME);
  press (line, COMMAND_INPUT_RIGHT);
  press (line, COMMAND_INPUT_BACKSPACE);
  assert_string_equal (prompt_text (line), " B");
  prompt_free (line);
}

/* ---- a box that asks ---- */

static void
note_yes (gpointer data)
{
  *(gboolean *) data = TRUE;
}

static gboolean
answer (const char *typed)
{
  static const int scopes[] = { SCOPE_BOX, -1 };
  gboolean yes = FALSE, over = FALSE;
  Box *box = box_new_question ("Delete it?", note_yes, &yes);

  for (; *typed != '\0' && !over; typed++)
    over = box_key (box, (Key) *typed) || box_command (box, key_command ((Key) *typed, scopes));
  assert_true (over);
  box_act (box);
  box_free (box);
  return yes;
}

static void
what_was_meant_for_a_line_does_not_answer_yes (void **state)
{
  assert_false (answer (" (\r"));
  assert_false (answer (" \x06\r"));
  assert_false (answer ("\r"));
  assert_false (answer ("n"));
  assert_true (answer ("y"));
  assert_true (answer ("j\r"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (characters_of_many_bytes_are_edited_whole),
    cmocka_unit_test (what_is_no_character_is_not_typed),
    cmocka_unit_test (words_and_rests_are_deleted),
    cmocka_unit_test (earlier_lines_come_back_and_the_draft_is_kept),
    cmocka_unit_test (a_line_with_a_fault_is_not_taken),
    cmocka_unit_test (words_are_completed_as_far_as_they_agree),
    cmocka_unit_test (paths_are_completed_in_their_folder),
    cmocka_unit_test (completion_does_not_divide_a_character),
    cmocka_unit_test (names_that_are_no_characters_are_passed_over),
    cmocka_unit_test (a_line_that_begins_with_other_bytes_can_be_edited),
    cmocka_unit_test (what_was_meant_for_a_line_does_not_answer_yes),
  };

  return cmocka_run_group_tests_name ("prompt", tests, NULL, NULL);
}

/* The workbench's frame without a terminal: keys, text, tables, lists, the line of input, work. */
#include "testing.h"

#include "app_private.h"

#include <string.h>
#include <pthread.h>

/* ---- keys ---- */

static void
every_key_has_a_name_and_one_meaning_in_its_scope (void **state)
{
  guint n;
  const KeyRow *rows = key_rows (&n);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  assert_true (n > 0);
  for (guint i = 0; i < n; i++)
    {
      g_auto (GStrv) keys = g_strsplit (rows[i].keys, " ", -1);

      assert_non_null (keys[0]);
      for (guint k = 0; keys[k] != NULL; k++)
        {
          const int scopes[] = { (int) rows[i].scope, -1 };
          Key key = key_parse (keys[k]);

          if (key == 0)
            fail_msg ("%s: no such key", keys[k]);
          if (!g_hash_table_add (seen, g_strdup_printf ("%d %x", (int) rows[i].scope, key)))
            fail_msg ("%s stands twice in %s", keys[k], scope_title (rows[i].scope));
          assert_int_equal (key_command (key, scopes), rows[i].command);
        }
    }
}

/** Scopes that are looked up before LIST and ANYWHERE; here a key may mean another thing. */
static void
a_screens_own_keys_hide_only_those_that_are_meant_to_be_hidden (void **state)
{
  /* Slices and a finding have no list: the same keys step through slices and findings. */
  static const struct
  {
    Scope scope;
    const char *keys;
  } meant[] = {
    { SCOPE_SLICES, " j Down k Up PgDn C-f PgUp C-b g Home G End " },
    { SCOPE_FINDING, " j Down k Up " },
  };
  static const int common[] = { SCOPE_LIST, SCOPE_ANYWHERE, -1 };
  guint n;
  const KeyRow *rows = key_rows (&n);

  for (guint i = 0; i < n; i++)
    {
      g_auto (GStrv) keys = g_strsplit (rows[i].keys, " ", -1);

      if (rows[i].scope < SCOPE_RECORDS || rows[i].scope > SCOPE_RUNS)
        continue;
      for (guint k = 0; keys[k] != NULL; k++)
        {
          g_autofree char *word = g_strdup_printf (" %s ", keys[k]);
          gboolean allowed = FALSE;

          for (guint m = 0; m < G_N_ELEMENTS (meant); m++)
            allowed |= meant[m].scope == rows[i].scope && strstr (meant[m].keys, word) != NULL;
          if (!allowed && key_command (key_parse (keys[k]), common) != COMMAND_NONE)
            fail_msg ("%s of %s hides a key that works everywhere", keys[k],
                      scope_title (rows[i].scope));
        }
    }
}

static void
an_earlier_scope_comes_first (void **state)
{
  static const int slices[] = { SCOPE_SLICES, SCOPE_LIST, SCOPE_ANYWHERE, -1 };
  static const int lists[] = { SCOPE_LIST, SCOPE_ANYWHERE, -1 };
  static const int nowhere[] = { -1 };

  assert_int_equal (key_command ('j', slices), COMMAND_SLICES_NEXT);
  assert_int_equal (key_command ('j', lists), COMMAND_DOWN);
  assert_int_equal (key_command ('?', slices), COMMAND_HELP);
  assert_int_equal (key_command ('j', nowhere), COMMAND_NONE);
  assert_int_equal (key_command (0x1f600, slices), COMMAND_NONE);
}

static void
help_texts_are_short_and_have_no_full_stop (void **state)
{
  guint n;
  const KeyRow *rows = key_rows (&n);

  for (guint i = 0; i < n; i++)
    {
      gsize length = strlen (rows[i].help);

      assert_true (length > 0);
      if (rows[i].help[length - 1] == '.' || g_ascii_isspace (rows[i].help[length - 1]))
        fail_msg ("%s: ends in a full stop or a blank", rows[i].help);
      /* Two lines of the help page at 80 columns. */
      if (text_width (rows[i].help) > 2 * 55)
        fail_msg ("%s: too long", rows[i].help);
      assert_true (text_width (rows[i].footer) <= 12);
      /* The manual and the help page give keys 15 columns. */
      if (text_width (rows[i].keys) > 15)
        fail_msg ("%s: too many keys for their column", rows[i].keys);
    }
}

static void
names_of_keys_are_parsed (void **state)
{
  assert_int_equal (key_parse ("j"), 'j');
  assert_int_equal (key_parse ("é"), 0xe9);
  assert_int_equal (key_parse ("C-l"), 12);
  assert_int_equal (key_parse ("Space"), ' ');
  assert_true (key_parse ("PgUp") & KEY_IS_FUNCTION);
  assert_int_equal (key_parse (""), 0);
  assert_int_equal (key_parse ("C-"), 0);
  assert_int_equal (key_parse ("C-1"), 0);
  assert_int_equal (key_parse ("Nonsense"), 0);
}

/* ---- text ---- */

static void
assert_fit (const char *text, int width, const char *expected)
{
  g_autofree char *fit = text_fit (text, width);

  if (strcmp (fit, expected) != 0)
    fail_msg ("“%s” in %d cells is “%s”, not “%s”", text, width, fit, expected);
}

static void
text_is_cut_with_an_ellipsis (void **state)
{
  theme_set_ascii (FALSE);
  assert_fit ("abc", 3, "abc");
  assert_fit ("abcd", 3, "ab…");
  assert_fit ("abc", 1, "…");
  assert_fit ("abc", 0, "");
  assert_fit ("abc", -3, "");
  assert_fit ("", 5, "");
  assert_fit ("a\tb\nc", 9, "a b c");
  assert_fit ("a\033[31mb", 9, "a?[31mb");
}

static void
wide_characters_are_never_halved (void **state)
{
  theme_set_ascii (FALSE);
  assert_int_equal (text_width ("肺がん"), 6);
  assert_fit ("肺がん", 6, "肺がん");
  assert_fit ("肺がん", 5, "肺が…");
  assert_fit ("肺がん", 4, "肺…");
  assert_fit ("肺がん", 2, "…");
  assert_int_equal (text_width ("e\314\201"), 1); /* a combining accent */
}

static void
bytes_that_are_no_utf8_are_shown_one_by_one (void **state)
{
  theme_set_ascii (FALSE);
  assert_int_equal (text_width ("a\377\300b"), 4);
  assert_fit ("a\377b", 3, "a\357\277\275b");
  assert_fit ("ab\346\226", 4, "ab\357\277\275\357\277\275"); /* a character that breaks off */
}

static void
ascii_is_all_there_is_where_nothing_else_may_be (void **state)
{
  static const char *const texts[] = { "3 × 4 – “a” ‘b’ · −1", "肺がん", "e\314\201tat", "\377\300",
                                       "a very long text indeed" };

  theme_set_ascii (TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    for (int width = 0; width <= 12; width++)
      {
        g_autofree char *fit = text_fit (texts[i], width);

        assert_true (g_str_is_ascii (fit));
        assert_true ((int) strlen (fit) <= width);
        assert_int_equal (strlen (fit), MIN (text_width (texts[i]), width));
      }
  theme_set_ascii (FALSE);
}

/** Nothing is lost but blanks, and no line is too wide. */
static void
assert_wraps (const char *text, int width)
{
  g_auto (GStrv) lines = text_wrap (text, width);
  g_autofree char *all = g_strjoinv ("", lines);
  g_autoptr (GString) left = g_string_new (NULL), before = g_string_new (NULL);

  assert_true (*text == '\0' || g_strv_length (lines) >= 1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (text_width (lines[i]) > MAX (width, 2)) /* a wide character can't be divided */
      fail_msg ("%d cells: “%s”", width, lines[i]);
  for (const char *at = all; *at != '\0'; at++)
    if (*at != ' ')
      g_string_append_c (left, *at);
  for (const char *at = text; *at != '\0'; at++)
    if (strchr (" \t\n", *at) == NULL)
      g_string_append_c (before, *at);
  assert_string_equal (left->str, before->str);
}

static void
wrapped_text_keeps_every_word_at_every_width (void **state)
{
  static const char *const texts[] = {
    "",
    " ",
    "\n\n",
    "word",
    "There is a nodule of 4 mm in the right upper lobe.\n\nNo effusion.",
    "肺がん 肺がん, 肺 and words",
    "broken \377\300 bytes \346\226",
    "averyveryverylongwordthatfitsnowhere and more",
    "  j Down          \tone row down, and so on until the very end of the list",
    "head\tbody",
    "\tbody alone",
    "head alone\t",
    "a very long head that leaves hardly any room\tand a body behind it that is long too",
    "  two blanks at the front",
  };

  theme_set_ascii (FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    for (int width = -1; width <= 90; width++)
      assert_wraps (texts[i], width);
}

static void
what_stands_before_a_tab_indents_the_other_lines (void **state)
{
  g_auto (GStrv) lines = text_wrap ("key: \tone two three", 12);
  g_auto (GStrv) narrow = text_wrap ("a long head \tone two three", 14);

  assert_string_equal (lines[0], "key: one two");
  assert_string_equal (lines[1], "     three");
  assert_null (lines[2]);
  assert_string_equal (narrow[0], "a long head");
  assert_string_equal (narrow[1], "  one two");
  assert_string_equal (narrow[2], "  three");
  assert_null (narrow[3]);
}

/* ---- areas ---- */

static void
parts_of_an_area_stay_in_it (void **state)
{
  const Area area = { 3, 5, 4, 7 };

  for (int first = -5; first < 10; first++)
    for (int n = -2; n < 12; n++)
      {
        Area rows = area_rows (area, first, n), columns = area_columns (area, first, n);

        assert_true (rows.height >= 0 && columns.width >= 0);
        assert_true (rows.y >= area.y && rows.y + rows.height <= area.y + area.height);
        assert_true (columns.x >= area.x && columns.x + columns.width <= area.x + area.width);
        assert_int_equal (rows.width, area.width);
        assert_int_equal (columns.height, area.height);
      }
  assert_int_equal (area_inset ((Area){ 0, 0, 1, 1 }).height, 0);
  assert_true (area_contains (area, 3, 5));
  assert_false (area_contains (area, 7, 5));
  assert_false (area_contains (area, 3, 12));
}

static void
the_frames_rows_never_overlap (void **state)
{
  for (int height = 0; height <= 70; height++)
    for (int width = 0; width <= 210; width++)
      {
        ScreenLayout layout = screen_layout (height, width);

        if (layout.too_small)
          {
            assert_true (height < APP_LEAST_HEIGHT || width < APP_LEAST_WIDTH);
            assert_int_equal (layout.header.height + layout.footer.height, 0);
            continue;
          }
        assert_int_equal (layout.header.height, 1);
        assert_int_equal (layout.footer.height, 1);
        assert_int_equal (layout.body.y, 1);
        assert_int_equal (layout.body.y + layout.body.height, layout.footer.y);
        assert_int_equal (layout.footer.y, height - 1);
        assert_int_equal (layout.body.width, width);
      }
}

/* ---- tables ---- */

static const TableColumn columns[] = {
  { "name", 12, 'l', TRUE, 0 }, { "age", 3, 'r', FALSE, 2 },         { "sex", 1, 'l', FALSE, 4 },
  { "note", 8, 'l', TRUE, 3 },  { "probability", 5, 'r', FALSE, 1 },
};
#define N_COLUMNS G_N_ELEMENTS (columns)

static void
columns_never_overlap_and_never_pass_the_edge (void **state)
{
  for (int width = 0; width <= 300; width++)
    {
      int x[N_COLUMNS], widths[N_COLUMNS], end = 0;
      guint shown = 0;

      table_layout (columns, N_COLUMNS, width, x, widths);
      for (guint i = 0; i < N_COLUMNS; i++)
        {
          assert_true (widths[i] >= 0);
          if (widths[i] == 0)
            continue;
          assert_true (x[i] >= end);
          assert_true (x[i] + widths[i] <= width);
          end = x[i] + widths[i] + 1;
          shown++;
        }
      /* Flexible columns leave nothing over. */
      if (width > 0)
        assert_int_equal (end, width + 1);
      /* Whoever matters less is gone first. */
      for (guint i = 0; i < N_COLUMNS; i++)
        for (guint k = 0; k < N_COLUMNS; k++)
          if (columns[i].priority < columns[k].priority && widths[k] > 0)
            assert_true (widths[i] >= columns[i].width);
      assert_true (width == 0 || widths[0] > 0);
      if (width >= 12 + 3 + 1 + 8 + 5 + 4)
        assert_int_equal (shown, N_COLUMNS);
    }
}

static void
columns_without_a_flexible_one_keep_their_widths (void **state)
{
  static const TableColumn fixed[] = { { "a", 4, 'l', FALSE, 0 }, { "b", 6, 'r', FALSE, 1 } };
  int x[2], widths[2];

  table_layout (fixed, 2, 50, x, widths);
  assert_int_equal (x[0], 0);
  assert_int_equal (widths[0], 4);
  assert_int_equal (x[1], 5);
  assert_int_equal (widths[1], 6);
  table_layout (fixed, 2, 10, x, widths);
  assert_int_equal (widths[1], 0);
  table_layout (fixed, 2, 2, x, widths);
  assert_int_equal (widths[0], 2);
}

/* ---- lists ---- */

static void
assert_in_view (const List *list)
{
  assert_true (list->n == 0 ? list->cursor == 0 && list->top == 0 : list->cursor < list->n);
  if (list->page == 0)
    return;
  assert_true (list->cursor >= list->top);
  assert_true (list->cursor < list->top + list->page);
  /* No room is wasted below the last row. */
  assert_true (list->top == 0 || list->top + list->page <= list->n);
}

static void
the_cursor_is_always_in_view (void **state)
{
  static const Command commands[] = { COMMAND_UP,        COMMAND_DOWN,  COMMAND_PAGE_UP,
                                      COMMAND_PAGE_DOWN, COMMAND_FIRST, COMMAND_LAST };
  static const guint64 sizes[] = { 0, 1, 2, 9, 10, 11, 50188 };
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint page = 0; page <= 12; page++)
      {
        List list = { .n = sizes[i] };

        list_fit (&list, page);
        assert_in_view (&list);
        for (guint step = 0; step < 500; step++)
          {
            guint choice = (guint) g_rand_int_range (random, 0, 10);

            if (choice < G_N_ELEMENTS (commands))
              assert_true (list_command (&list, commands[choice]));
            else if (choice == 6)
              list_wheel (&list, g_rand_int_range (random, -7, 8));
            else if (choice == 7)
              list.n = (guint64) g_rand_int_range (random, 0, (gint32) sizes[i] + 1);
            else if (choice == 8)
              list_fit (&list, (guint) g_rand_int_range (random, 0, 15));
            else
              list.cursor = (guint64) g_rand_int_range (random, 0, 100);
            if (choice >= 7)
              list_fit (&list, list.page);
            assert_in_view (&list);
          }
      }
}

static void
pages_overlap_by_a_row_and_ends_are_ends (void **state)
{
  List list = { .n = 100 };

  list_fit (&list, 10);
  list_command (&list, COMMAND_PAGE_DOWN);
  assert_int_equal (list.cursor, 9);
  list_command (&list, COMMAND_BOX_LAST);
  assert_int_equal (list.cursor, 99);
  assert_int_equal (list.top, 90);
  list_command (&list, COMMAND_DOWN);
  assert_int_equal (list.cursor, 99);
  list_command (&list, COMMAND_FIRST);
  assert_int_equal (list.cursor, 0);
  list_command (&list, COMMAND_UP);
  assert_int_equal (list.cursor, 0);
  assert_false (list_command (&list, COMMAND_HELP));
}

static void
the_wheel_moves_the_view_and_takes_the_cursor_along (void **state)
{
  List list = { .n = 100, .cursor = 5 };

  list_fit (&list, 10);
  list_wheel (&list, 3);
  assert_int_equal (list.top, 3);
  assert_int_equal (list.cursor, 5);
  list_wheel (&list, 3);
  assert_int_equal (list.top, 6);
  assert_int_equal (list.cursor, 6);
  list_wheel (&list, -100);
  assert_int_equal (list.top, 0);
  list_wheel (&list, 1000);
  assert_int_equal (list.top, 90);
  assert_int_equal (list.cursor, 90);
}

/* ---- the line of input ---- */

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

static void
completion_does_not_divide_a_character (void **state)
{
  const Prompt prompt = { .label = "file", .kind = PROMPT_PATH };
  g_autofree char *folder = testing_path ("umlauts");
  g_autofree char *typed = g_strconcat (folder, "/", NULL);
  static const char *const names[] = { "ö1", "ü1" }; /* share their first byte */

  g_mkdir_with_parents (folder, 0700);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);

      assert_true (g_file_set_contents (path, "", 0, NULL));
    }
  assert_completes (&prompt, NULL, typed, typed);
}

/* ---- work off the UI thread ---- */

/** A worker waits for the test at a gate; both sides use POSIX primitives. */
typedef struct
{
  pthread_mutex_t mutex; /* guards the three below */
  pthread_cond_t changed;
  gboolean begun, open;
  guint freed; /* data and results that were let go */
  GString *done;
} Gate;

typedef struct
{
  Gate *gate;
  int number;
  gboolean waits, fails;
} Piece;

static Gate *
gate_new (void)
{
  Gate *gate = g_new0 (Gate, 1);

  pthread_mutex_init (&gate->mutex, NULL);
  pthread_cond_init (&gate->changed, NULL);
  gate->done = g_string_new (NULL);
  return gate;
}

static void
gate_free (Gate *gate)
{
  pthread_mutex_destroy (&gate->mutex);
  pthread_cond_destroy (&gate->changed);
  g_string_free (gate->done, TRUE);
  g_free (gate);
}

static void
gate_open (Gate *gate)
{
  pthread_mutex_lock (&gate->mutex);
  gate->open = TRUE;
  pthread_cond_broadcast (&gate->changed);
  pthread_mutex_unlock (&gate->mutex);
}

static void
gate_await_begin (Gate *gate)
{
  pthread_mutex_lock (&gate->mutex);
  while (!gate->begun)
    pthread_cond_wait (&gate->changed, &gate->mutex);
  pthread_mutex_unlock (&gate->mutex);
}

static guint
gate_freed (Gate *gate)
{
  guint freed;

  pthread_mutex_lock (&gate->mutex);
  freed = gate->freed;
  pthread_mutex_unlock (&gate->mutex);
  return freed;
}

static void
piece_free (gpointer data)
{
  Piece *piece = data;

  pthread_mutex_lock (&piece->gate->mutex);
  piece->gate->freed++;
  pthread_mutex_unlock (&piece->gate->mutex);
  g_free (piece);
}

static Piece *
piece_new (Gate *gate, int number)
{
  Piece *piece = g_new0 (Piece, 1);

  piece->gate = gate;
  piece->number = number;
  return piece;
}

static gpointer
do_piece (gpointer data, GCancellable *cancellable, GError **error)
{
  Piece *piece = data;

  pthread_mutex_lock (&piece->gate->mutex);
  piece->gate->begun = TRUE;
  pthread_cond_broadcast (&piece->gate->changed);
  while (piece->waits && !piece->gate->open)
    pthread_cond_wait (&piece->gate->changed, &piece->gate->mutex);
  pthread_mutex_unlock (&piece->gate->mutex);
  if (piece->fails)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no luck");
      return NULL;
    }
  return piece_new (piece->gate, piece->number);
}

static void
piece_done (gpointer owner, gpointer result, const GError *error)
{
  Gate *gate = owner;
  Piece *piece = result;

  assert_true ((result == NULL) == (error != NULL));
  g_string_append_printf (gate->done, "%d ", piece != NULL ? piece->number : -1);
  g_free (piece);
}

static Work *
start (Works *works, Gate *gate, int number, gboolean waits, gboolean fails)
{
  Piece *piece = piece_new (gate, number);

  piece->waits = waits;
  piece->fails = fails;
  return works_start (works, do_piece, piece, piece_free, piece_free, piece_done, gate);
}

static void
run_until_idle (Works *works)
{
  while (!works_idle (works))
    g_main_context_iteration (NULL, TRUE);
}

static void
one_worker_keeps_the_order (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (1);

  assert_true (works_idle (works));
  for (int i = 1; i <= 5; i++)
    start (works, gate, i, FALSE, i == 3);
  assert_false (works_idle (works));
  run_until_idle (works);
  assert_string_equal (gate->done->str, "1 2 -1 4 5 ");
  assert_int_equal (gate_freed (gate), 5); /* the data; results were taken */
  works_free (works);
  gate_free (gate);
}

static void
many_workers_do_everything_once (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (4);
  guint n = 0;

  for (int i = 0; i < 400; i++)
    start (works, gate, 7, FALSE, FALSE);
  run_until_idle (works);
  for (const char *at = gate->done->str; *at != '\0'; at++)
    n += *at == '7';
  assert_int_equal (n, 400);
  assert_int_equal (gate_freed (gate), 400);
  works_free (works);
  gate_free (gate);
}

static void
what_is_cancelled_before_it_begins_is_never_done (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (1);
  Work *second;

  start (works, gate, 1, TRUE, FALSE);
  second = start (works, gate, 2, FALSE, FALSE);
  gate_await_begin (gate);
  work_cancel (&second);
  assert_null (second);
  work_cancel (&second); /* twice is harmless */
  gate_open (gate);
  run_until_idle (works);
  assert_string_equal (gate->done->str, "1 ");
  assert_int_equal (gate_freed (gate), 2);
  works_free (works);
  gate_free (gate);
}

static void
what_is_cancelled_while_it_runs_is_dropped_with_its_result (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (1);
  Work *first = start (works, gate, 1, TRUE, FALSE);

  gate_await_begin (gate);
  work_cancel (&first);
  gate_open (gate);
  run_until_idle (works);
  assert_string_equal (gate->done->str, "");
  assert_int_equal (gate_freed (gate), 2); /* data and result */
  works_free (works);
  gate_free (gate);
}

static void
what_is_cancelled_after_its_end_is_not_delivered (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (1);
  Work *first = start (works, gate, 1, FALSE, FALSE);

  while (gate_freed (gate) == 0) /* the worker is done with it; nothing was delivered yet */
    g_usleep (1000);
  work_cancel (&first);
  run_until_idle (works);
  assert_string_equal (gate->done->str, "");
  assert_int_equal (gate_freed (gate), 2);
  works_free (works);
  gate_free (gate);
}

static void
closing_drops_what_waits_and_what_runs (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (2);

  start (works, gate, 1, TRUE, FALSE);
  for (int i = 2; i <= 9; i++)
    start (works, gate, i, TRUE, i == 4);
  gate_await_begin (gate);
  gate_open (gate);
  works_free (works);
  assert_string_equal (gate->done->str, "");
  assert_true (gate_freed (gate) >= 9); /* every piece of data, and results that came about */
  gate_free (gate);
}

static void
closing_without_any_work_ends_at_once (void **state)
{
  works_free (works_new (3));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (every_key_has_a_name_and_one_meaning_in_its_scope),
    cmocka_unit_test (a_screens_own_keys_hide_only_those_that_are_meant_to_be_hidden),
    cmocka_unit_test (an_earlier_scope_comes_first),
    cmocka_unit_test (help_texts_are_short_and_have_no_full_stop),
    cmocka_unit_test (names_of_keys_are_parsed),
    cmocka_unit_test (text_is_cut_with_an_ellipsis),
    cmocka_unit_test (wide_characters_are_never_halved),
    cmocka_unit_test (bytes_that_are_no_utf8_are_shown_one_by_one),
    cmocka_unit_test (ascii_is_all_there_is_where_nothing_else_may_be),
    cmocka_unit_test (wrapped_text_keeps_every_word_at_every_width),
    cmocka_unit_test (what_stands_before_a_tab_indents_the_other_lines),
    cmocka_unit_test (parts_of_an_area_stay_in_it),
    cmocka_unit_test (the_frames_rows_never_overlap),
    cmocka_unit_test (columns_never_overlap_and_never_pass_the_edge),
    cmocka_unit_test (columns_without_a_flexible_one_keep_their_widths),
    cmocka_unit_test (the_cursor_is_always_in_view),
    cmocka_unit_test (pages_overlap_by_a_row_and_ends_are_ends),
    cmocka_unit_test (the_wheel_moves_the_view_and_takes_the_cursor_along),
    cmocka_unit_test (characters_of_many_bytes_are_edited_whole),
    cmocka_unit_test (what_is_no_character_is_not_typed),
    cmocka_unit_test (words_and_rests_are_deleted),
    cmocka_unit_test (earlier_lines_come_back_and_the_draft_is_kept),
    cmocka_unit_test (a_line_with_a_fault_is_not_taken),
    cmocka_unit_test (words_are_completed_as_far_as_they_agree),
    cmocka_unit_test (paths_are_completed_in_their_folder),
    cmocka_unit_test (completion_does_not_divide_a_character),
    cmocka_unit_test (one_worker_keeps_the_order),
    cmocka_unit_test (many_workers_do_everything_once),
    cmocka_unit_test (what_is_cancelled_before_it_begins_is_never_done),
    cmocka_unit_test (what_is_cancelled_while_it_runs_is_dropped_with_its_result),
    cmocka_unit_test (what_is_cancelled_after_its_end_is_not_delivered),
    cmocka_unit_test (closing_drops_what_waits_and_what_runs),
    cmocka_unit_test (closing_without_any_work_ends_at_once),
  };

  return cmocka_run_group_tests_name ("frame", tests, NULL, NULL);
}

/* The workbench's frame without a terminal: text, areas, tables, lists. */
#include "testing.h"

#include "app_private.h"

#include <string.h>

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

static void
a_flexible_column_takes_no_more_than_it_has_use_for (void **state)
{
  static const TableColumn bounded[] = { { "a", 4, 'l', TRUE, 0, .most = 10 },
                                         { "b", 6, 'r', TRUE, 1 },
                                         { "c", 3, 'r', FALSE, 2 } };
  int x[3], widths[3];

  table_layout (bounded, 3, 100, x, widths);
  assert_int_equal (widths[0], 10);
  assert_int_equal (x[2] + widths[2], 100);
  table_layout (bounded, 1, 100, x, widths);
  assert_int_equal (widths[0], 10);
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

int
main (void)
{
  const struct CMUnitTest tests[] = {
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
    cmocka_unit_test (a_flexible_column_takes_no_more_than_it_has_use_for),
    cmocka_unit_test (the_cursor_is_always_in_view),
    cmocka_unit_test (pages_overlap_by_a_row_and_ends_are_ends),
    cmocka_unit_test (the_wheel_moves_the_view_and_takes_the_cursor_along),
  };

  return cmocka_run_group_tests_name ("frame", tests, NULL, NULL);
}

/* The Runs screen's arithmetic: what a row says, how rows are sorted, where they are drawn. */
#include "testing.h"

#include "runs_table.h"
#include "study/parameters.h"

#include <math.h>
#include <string.h>

static RunsRow *
make_row (gint64 id, const char *name, const char *status, double auroc, const char *note)
{
  CatalogRun *run = g_new0 (CatalogRun, 1);

  run->id = id;
  run->name = g_strdup (name);
  run->status = g_strdup (status);
  run->started = g_strdup_printf ("2026-11-%02dT05:10:00Z", (int) (10 + id));
  run->encoder = g_strdup ("encoder");
  run->note = g_strdup (note);
  run->parameters = g_strdup ("[train]\n");
  run->macro_auroc = auroc;
  run->kept_epoch = -1;
  return runs_row_new (run, (guint) id, 1);
}

static GPtrArray *
make_rows (void)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) runs_row_free);

  g_ptr_array_add (rows, make_row (1, "b", "done", 0.7, ""));
  g_ptr_array_add (rows, make_row (2, "c", "failed", NAN, "first"));
  g_ptr_array_add (rows, make_row (3, "a", "done", 0.9, ""));
  g_ptr_array_add (rows, make_row (4, "d", "running", NAN, "second"));
  g_ptr_array_add (rows, make_row (5, "e", "cancelled", 0.95, ""));
  return rows;
}

static void
assert_order (GPtrArray *rows, const char *expected)
{
  g_autoptr (GString) order = g_string_new (NULL);

  for (guint i = 0; i < rows->len; i++)
    g_string_append (order, ((RunsRow *) g_ptr_array_index (rows, i))->run->name);
  assert_string_equal (order->str, expected);
}

static void
test_undefined_auroc_stands_last_either_way (void **state)
{
  g_autoptr (GPtrArray) rows = make_rows ();

  runs_sort (rows, RUNS_AUROC, TRUE);
  assert_order (rows, "eabdc");
  runs_sort (rows, RUNS_AUROC, FALSE);
  assert_order (rows, "baedc");
}

static void
test_empty_notes_stand_last_either_way (void **state)
{
  g_autoptr (GPtrArray) rows = make_rows ();

  runs_sort (rows, RUNS_NOTE, FALSE);
  assert_order (rows, "cdeab");
  runs_sort (rows, RUNS_NOTE, TRUE);
  assert_order (rows, "dceab");
}

static void
test_every_column_sorts_and_names_all_rows (void **state)
{
  g_autoptr (GPtrArray) rows = make_rows ();
  RunsColumn column = RUNS_NUMBER;
  gboolean descending = TRUE;
  guint n = 0;

  do
    {
      column = runs_next_sort (column, &descending);
      assert_true (*runs_columns[column].title != '\0');
      runs_sort (rows, column, descending);
      assert_int_equal (rows->len, 5);
      n++;
    }
  while (column != RUNS_NUMBER);
  assert_int_equal (n, N_RUNS_COLUMNS - 2);
  assert_true (descending);
  runs_sort (rows, column, descending);
  assert_order (rows, "edacb");
  runs_sort (rows, RUNS_NAME, FALSE);
  assert_order (rows, "abcde");
  runs_sort (rows, RUNS_WHEN, TRUE);
  assert_order (rows, "edacb");
}

static void
test_the_best_is_a_finished_run (void **state)
{
  g_autoptr (GPtrArray) rows = make_rows ();

  runs_mark_best (rows);
  for (guint i = 0; i < rows->len; i++)
    {
      const RunsRow *row = g_ptr_array_index (rows, i);

      assert_int_equal (row->best, strcmp (row->run->name, "a") == 0);
    }
}

static void
test_only_what_differs_is_said_and_sampling_last (void **state)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_autofree char *defaults = train_parameters_text (parameters);
  g_autofree char *nothing = runs_changed_text (defaults);
  g_autofree char *text = NULL, *changed = NULL;

  assert_string_equal (nothing, "defaults");
  assert_true (train_parameters_set (parameters, "name", "mine", NULL));
  assert_true (train_parameters_set (parameters, "device", "cpu", NULL));
  assert_true (train_parameters_set (parameters, "seed", "7", NULL));
  assert_true (train_parameters_set (parameters, "gamma", "3", NULL));
  assert_true (train_parameters_set (parameters, "head", "linear", NULL));
  text = train_parameters_text (parameters);
  changed = runs_changed_text (text);
  assert_string_equal (changed, "gamma 3, head linear, seed 7");
}

static void
test_parameters_that_cannot_be_read_are_unknown (void **state)
{
  g_autofree char *broken = runs_changed_text ("[train]\ngamma=fish\n");
  g_autofree char *absent = runs_changed_text (NULL);

  assert_string_equal (broken, "unknown");
  assert_string_equal (absent, "unknown");
}

static void
test_times_are_cut_to_their_column (void **state)
{
  g_autofree char *wide = runs_when ("2026-11-23T05:10:42Z", 16);
  g_autofree char *narrow = runs_when ("2026-11-23T05:10:42Z", 15);
  g_autofree char *broken = runs_when ("soon", 16);
  g_autofree char *absent = runs_when (NULL, 16);

  assert_string_equal (wide, "2026-11-23 05:10");
  assert_string_equal (narrow, "11-23 05:10");
  assert_string_equal (broken, "soon");
  assert_string_equal (absent, "");
}

static void
test_intervals_are_drawn_with_their_reference (void **state)
{
  const ReportRange range = { -0.1, 0.1 };
  g_autofree char *clear = NULL, *across = NULL, *without = NULL, *undefined = NULL;

  theme_set_ascii (TRUE);
  clear = runs_interval_text ((MetricsInterval){ 0.06, 0.04, 0.08 }, range, 0, 21);
  across = runs_interval_text ((MetricsInterval){ 0, -0.05, 0.05 }, range, 0, 21);
  without = runs_interval_text ((MetricsInterval){ -0.1, NAN, NAN }, range, 0, 21);
  undefined = runs_interval_text ((MetricsInterval){ NAN, NAN, NAN }, range, 0, 5);
  theme_set_ascii (FALSE);
  assert_string_equal (clear, "          |   |-O-|  ");
  assert_string_equal (across, "     |----O----|     ");
  assert_string_equal (without, "O         |          ");
  assert_string_equal (undefined, "     ");
}

/* ---- layout ---- */

static gboolean
is_within (Area inner, Area outer)
{
  return inner.height == 0 || inner.width == 0
         || (inner.y >= outer.y && inner.x >= outer.x
             && inner.y + inner.height <= outer.y + outer.height
             && inner.x + inner.width <= outer.x + outer.width);
}

static gboolean
overlap (Area a, Area b)
{
  return a.y < b.y + b.height && b.y < a.y + a.height && a.x < b.x + b.width && b.x < a.x + a.width
         && a.height * a.width > 0 && b.height * b.width > 0;
}

static void
test_parts_never_overlap_nor_leave_the_screen (void **state)
{
  for (int height = 0; height <= 100; height++)
    for (int width = 0; width <= 300; width++)
      {
        Area area = { 1, 2, height, width };
        RunsLayout layout = runs_layout (area);
        Area parts[] = { layout.head, layout.rows, layout.rule, layout.facts, layout.bars };

        for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
          {
            assert_true (parts[i].height >= 0 && parts[i].width >= 0);
            assert_true (is_within (parts[i], area));
            for (guint k = i + 1; k < G_N_ELEMENTS (parts); k++)
              assert_false (overlap (parts[i], parts[k]));
          }
        assert_true (layout.bar_rows <= layout.bars.height);
        if (layout.bar_rows > 0)
          assert_true (layout.bar_rows * layout.bar_columns >= CATALOG_N_LABELS);
        /* A run can always be chosen. */
        if (height >= 2)
          assert_true (layout.rows.height >= 1);
      }
}

static void
test_the_usual_terminals_show_everything (void **state)
{
  const int sizes[][2] = { { 22, 80 }, { 38, 120 }, { 58, 200 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      RunsLayout layout = runs_layout ((Area){ 1, 0, sizes[i][0], sizes[i][1] });
      int x[N_RUNS_COLUMNS], widths[N_RUNS_COLUMNS];

      assert_true (layout.rows.height >= 8);
      assert_true (layout.facts.height >= 3);
      assert_true (layout.bar_rows > 0);
      table_layout (runs_columns, N_RUNS_COLUMNS, sizes[i][1] - 1, x, widths);
      assert_true (widths[RUNS_AUROC] > 0 && widths[RUNS_BEST] > 0 && widths[RUNS_CHANGED] > 0
                   && widths[RUNS_WHEN] > 0 && widths[RUNS_STATUS] > 0);
    }
}

static void
test_long_names_get_room_only_where_there_is_some (void **state)
{
  g_autoptr (GPtrArray) rows = make_rows ();
  TableColumn columns[N_RUNS_COLUMNS];
  int x[N_RUNS_COLUMNS], widths[N_RUNS_COLUMNS];

  runs_fit_columns (rows, 200, columns);
  assert_int_equal (columns[RUNS_NAME].width, runs_columns[RUNS_NAME].width);
  g_ptr_array_add (rows, make_row (6, "a run with a name of 30 letters", "done", 0.5, ""));
  runs_fit_columns (rows, 79, columns);
  table_layout (columns, N_RUNS_COLUMNS, 79, x, widths);
  assert_true (widths[RUNS_WHEN] > 0 && widths[RUNS_CHANGED] > 0 && widths[RUNS_BEST] > 0);
  runs_fit_columns (rows, 240, columns);
  assert_int_equal (columns[RUNS_NAME].width, strlen ("a run with a name of 30 letters"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_undefined_auroc_stands_last_either_way),
    cmocka_unit_test (test_empty_notes_stand_last_either_way),
    cmocka_unit_test (test_every_column_sorts_and_names_all_rows),
    cmocka_unit_test (test_the_best_is_a_finished_run),
    cmocka_unit_test (test_only_what_differs_is_said_and_sampling_last),
    cmocka_unit_test (test_parameters_that_cannot_be_read_are_unknown),
    cmocka_unit_test (test_times_are_cut_to_their_column),
    cmocka_unit_test (test_intervals_are_drawn_with_their_reference),
    cmocka_unit_test (test_parts_never_overlap_nor_leave_the_screen),
    cmocka_unit_test (test_the_usual_terminals_show_everything),
    cmocka_unit_test (test_long_names_get_room_only_where_there_is_some),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

/* The Records screen without a terminal: where things stand, and the way to the next scan. */
#include "app_private.h"
#include "records_private.h"

#include "catalog/labels.h"
#include "catalog/store_private.h"
#include "testing_study.h"

#include <glib/gstdio.h>
#include <string.h>

#define MAX_HEIGHT 100
#define MAX_WIDTH 300

static gboolean
inside (Area inner, Area outer)
{
  return inner.height == 0 || inner.width == 0
         || (inner.y >= outer.y && inner.x >= outer.x
             && inner.y + inner.height <= outer.y + outer.height
             && inner.x + inner.width <= outer.x + outer.width);
}

static gboolean
apart (Area a, Area b)
{
  return a.height == 0 || a.width == 0 || b.height == 0 || b.width == 0 || a.y + a.height <= b.y
         || b.y + b.height <= a.y || a.x + a.width <= b.x || b.x + b.width <= a.x;
}

static void
test_areas_never_overlap_nor_leave_the_screen (void **state)
{
  for (int height = 0; height <= MAX_HEIGHT; height++)
    for (int width = 0; width <= MAX_WIDTH; width += 7)
      for (int how = 0; how < 6; how++)
        {
          Area area = { 1, 0, height, width };
          RecordsLayout layout = records_layout (area, how % 3 - 1, how >= 3);
          const Area areas[] = { layout.status, layout.funnel, layout.table,
                                 layout.rule,   layout.labels, layout.pane };

          for (guint i = 0; i < G_N_ELEMENTS (areas); i++)
            {
              assert_true (inside (areas[i], area));
              for (guint k = 0; k < i; k++)
                assert_true (apart (areas[i], areas[k]));
            }
        }
}

static void
test_a_small_screen_shows_rows_and_the_record (void **state)
{
  RecordsLayout layout = records_layout ((Area){ 1, 0, 22, 80 }, -1, FALSE);

  assert_int_equal (layout.funnel.height, 0);
  assert_true (layout.table.height - 2 >= 8);
  assert_true (layout.pane.height >= 8);
  layout = records_layout ((Area){ 1, 0, 22, 80 }, 1, FALSE);
  assert_int_equal (layout.funnel.height, RECORDS_FUNNEL_ROWS);
  assert_true (layout.table.height >= 5);
}

static void
test_a_zoomed_record_has_everything (void **state)
{
  RecordsLayout layout = records_layout ((Area){ 1, 0, 22, 80 }, 1, TRUE);

  assert_int_equal (layout.table.height, 0);
  assert_int_equal (layout.funnel.height, 0);
  assert_int_equal (layout.pane.height, 20);
}

static void
test_columns_fit_and_the_findings_are_whole_or_absent (void **state)
{
  for (int width = 0; width <= MAX_WIDTH; width++)
    for (int how = 0; how < 4; how++)
      {
        TableColumn columns[RECORDS_N_COLUMNS];
        int x[RECORDS_N_COLUMNS], widths[RECORDS_N_COLUMNS], end = 0;

        records_columns (how & 1, how & 2, columns);
        table_layout (columns, RECORDS_N_COLUMNS, width, x, widths);
        for (guint i = 0; i < RECORDS_N_COLUMNS; i++)
          {
            if (widths[i] == 0)
              continue;
            assert_true (x[i] >= end);
            end = x[i] + widths[i];
            assert_true (end <= width);
          }
        if (width >= 78)
          {
            assert_int_equal (widths[RECORDS_COLUMN_FINDINGS], CATALOG_N_LABELS);
            assert_true (!(how & 1) || widths[RECORDS_COLUMN_PROBABILITY] == 5);
          }
      }
}

static void
test_every_finding_has_a_code_of_its_own (void **state)
{
  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    {
      assert_int_equal (strlen (records_finding_code (i)), 2);
      for (guint k = 0; k < i; k++)
        assert_string_not_equal (records_finding_code (i), records_finding_code (k));
    }
}

/* ---- the next scan ---- */

static void
query_and_wait (Records *records)
{
  records_query (records);
  while (records->query != NULL)
    g_main_context_iteration (NULL, TRUE);
}

/** Where a step from @cursor leads; -1 for nowhere. */
static gint64
step_from (Records *records, guint64 cursor, int step)
{
  g_autofree char *path = NULL, *volume = NULL;

  records->list.cursor = cursor;
  volume = records->app->neighbour (records->app->neighbour_data, step, TRUE, &path);
  assert_int_equal (volume == NULL, path == NULL);
  return path != NULL ? (gint64) records->list.cursor : -1;
}

static void
touch_scan_of (Records *records, guint64 row, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, records_row (records, row)->volume, NULL);

  assert_true (g_file_set_contents (path, "", 0, NULL));
}

static void
test_the_next_scan_is_found_without_a_look_at_the_rows_between (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("gaps", 1500, 10);
  g_autofree char *folder = testing_path ("scans");
  App *app = g_new0 (App, 1);
  Records *records;
  gint64 last;

  app->draw_source = 1; /* a redraw is under way already */
  app->works = works_new (1);
  app->workspace = workspace;
  app->store = workspace_store (workspace, NULL);
  records = records_screen.create (app);
  query_and_wait (records);
  assert_true (records->list.n > 1000);
  last = (gint64) records->list.n - 3;
  assert_int_equal (g_mkdir (folder, 0700), 0);
  touch_scan_of (records, 2, folder);
  touch_scan_of (records, (guint64) last, folder);
  assert_int_equal (step_from (records, 2, 1), -1);

  app->volumes = catalog_volume_index_new (folder, NULL, NULL);
  query_and_wait (records);
  records_row (records, 2);
  sqlite3_stmt_status (app->store->page, SQLITE_STMTSTATUS_RUN, TRUE);
  assert_int_equal (step_from (records, 2, 1), last);
  assert_int_equal (step_from (records, 500, 1), last);
  assert_int_equal (step_from (records, (guint64) last, 1), -1);
  assert_int_equal (step_from (records, (guint64) last, -1), 2);
  assert_int_equal (step_from (records, 500, -1), 2);
  assert_int_equal (step_from (records, 2, -1), -1);
  assert_int_equal (step_from (records, 2, 0), 2);
  assert_int_equal (step_from (records, 500, 0), -1);
  /* Each step reads the page that it leads to, at most. */
  assert_true (sqlite3_stmt_status (app->store->page, SQLITE_STMTSTATUS_RUN, FALSE) < 600);

  records_screen.destroy (records);
  works_free (app->works);
  catalog_volume_index_unref (app->volumes);
  catalog_store_close (app->store);
  g_free (app);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_areas_never_overlap_nor_leave_the_screen),
    cmocka_unit_test (test_a_small_screen_shows_rows_and_the_record),
    cmocka_unit_test (test_a_zoomed_record_has_everything),
    cmocka_unit_test (test_columns_fit_and_the_findings_are_whole_or_absent),
    cmocka_unit_test (test_every_finding_has_a_code_of_its_own),
    cmocka_unit_test (test_the_next_scan_is_found_without_a_look_at_the_rows_between),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

/* The Training screen's arithmetic: where its parts stand, how a threshold moves. */
#include "testing.h"

#include "catalog/labels.h"
#include "training_private.h"

#include <math.h>

static void
test_threshold_moves_on_the_grid_and_stays_between_0_and_1 (void **state)
{
  assert_true (fabs (finding_step (0.413, FINDING_STEP) - 0.42) < 1e-12);
  assert_true (fabs (finding_step (0.413, -FINDING_BIG_STEP) - 0.31) < 1e-12);
  assert_true (fabs (finding_step (0.95, FINDING_BIG_STEP) - 1) < 1e-12);
  assert_true (fabs (finding_step (0, -FINDING_STEP) - 0) < 1e-12);
}

static gboolean
inside (Area part, Area whole)
{
  return part.height <= 0 || part.width <= 0
         || (part.y >= whole.y && part.x >= whole.x
             && part.y + part.height <= whole.y + whole.height
             && part.x + part.width <= whole.x + whole.width);
}

static gboolean
apart (Area a, Area b)
{
  return a.height <= 0 || a.width <= 0 || b.height <= 0 || b.width <= 0 || a.x + a.width <= b.x
         || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
}

static void
test_parts_stay_inside_at_every_size (void **state)
{
  for (int height = 1; height <= 100; height++)
    for (int width = 1; width <= 300; width++)
      {
        Area area = { 1, 0, height, width };
        TrainingLayout layout = training_layout (area, TRUE, width % 2 == 0);

        assert_true (inside (layout.head, area));
        assert_true (inside (layout.table, area));
        assert_true (inside (layout.curves, area));
        assert_true (inside (layout.finding, area));
        assert_true (apart (layout.table, layout.curves));
        assert_true (apart (layout.table, layout.finding));
        assert_true (apart (layout.finding, layout.curves));
      }
}

static void
test_a_small_terminal_shows_every_finding (void **state)
{
  const int frame = 2; /* header and footer */
  TrainingLayout layout = training_layout ((Area){ 1, 0, 24 - frame, 80 }, TRUE, FALSE);

  assert_int_equal (layout.table.height, 2 + CATALOG_N_LABELS);
}

/** Columns that are there stand apart, in the width; names keep 20 cells. */
static void
check_columns (int width, guint n_epochs, gboolean compared)
{
  TableColumn columns[N_METRICS_COLUMNS];
  int x[N_METRICS_COLUMNS], widths[N_METRICS_COLUMNS], end = 0;

  metrics_view_layout (width, n_epochs, compared, columns, x, widths);
  for (guint i = 0; i < N_METRICS_COLUMNS; i++)
    {
      if (widths[i] == 0)
        continue;
      assert_true (i == 0 || x[i] > end);
      end = x[i] + widths[i];
      assert_true (end <= width);
    }
  assert_true (widths[METRICS_COLUMN_FINDING] >= MIN (width, 20));
  assert_true (compared || widths[METRICS_COLUMN_COMPARED] == 0);
  if (width >= 79)
    assert_true (widths[METRICS_COLUMN_INTERVAL] > 0 && widths[METRICS_COLUMN_POSITIVES] > 0
                 && (!compared || widths[METRICS_COLUMN_COMPARED] > 0));
}

static void
test_columns_never_touch_and_names_keep_their_room (void **state)
{
  for (int width = 1; width <= 300; width++)
    for (guint n_epochs = 1; n_epochs <= 30; n_epochs += 7)
      {
        check_columns (width, n_epochs, FALSE);
        check_columns (width, n_epochs, TRUE);
      }
}

/** Two epochs of three findings; the first finding has no AUROC. */
static GPtrArray *
make_epochs (void)
{
  static const double aurocs[] = { NAN, 0.7, 0.9 };
  GPtrArray *epochs = g_ptr_array_new_with_free_func ((GDestroyNotify) job_epoch_unref);

  for (guint epoch = 1; epoch <= 2; epoch++)
    {
      MetricsTable *table = g_new0 (MetricsTable, 1);

      table->n_classes = G_N_ELEMENTS (aurocs);
      table->classes = g_new0 (MetricsClass, G_N_ELEMENTS (aurocs));
      for (guint i = 0; i < G_N_ELEMENTS (aurocs); i++)
        table->classes[i].auroc.value = aurocs[i];
      g_ptr_array_add (epochs, job_epoch_new (epoch, 0.1, table, NULL, NULL, 0));
    }
  return epochs;
}

static guint
class_of_row (MetricsView *view, GPtrArray *epochs, guint row)
{
  view->list.cursor = row;
  return metrics_view_class (view, epochs, 1, NULL);
}

static void
test_what_is_undefined_stands_last_either_way (void **state)
{
  g_autoptr (GPtrArray) epochs = make_epochs ();
  MetricsView view = { .sort = METRICS_SORT_AUROC, .descending = TRUE };

  assert_int_equal (class_of_row (&view, epochs, 0), 2);
  assert_int_equal (class_of_row (&view, epochs, 1), 1);
  assert_int_equal (class_of_row (&view, epochs, 2), 0);
  view.descending = FALSE;
  assert_int_equal (class_of_row (&view, epochs, 0), 1);
  assert_int_equal (class_of_row (&view, epochs, 1), 2);
  assert_int_equal (class_of_row (&view, epochs, 2), 0);
}

static void
test_a_click_on_a_title_sorts_and_again_reverses (void **state)
{
  MetricsView view = { .list = { .n = 18, .page = 18 }, .area = { 3, 0, 20, 80 } };
  TableColumn columns[N_METRICS_COLUMNS];
  int x;

  metrics_view_layout (79, 5, FALSE, columns, view.x, view.widths);
  x = view.x[METRICS_COLUMN_SENSITIVITY];
  assert_true (metrics_view_mouse (&view, MOUSE_CLICK, 3, x));
  assert_int_equal (view.sort, METRICS_SORT_SENSITIVITY);
  assert_true (view.descending);
  assert_true (metrics_view_mouse (&view, MOUSE_CLICK, 3, x));
  assert_false (view.descending);
  assert_true (metrics_view_mouse (&view, MOUSE_CLICK, 3 + 2 + 7, x));
  assert_int_equal (view.list.cursor, 7);
  assert_false (metrics_view_mouse (&view, MOUSE_CLICK, 2, x));
}

static void
test_the_reason_of_a_skip_does_not_repeat_the_path (void **state)
{
  JobSkip skip = { (char *) "train_1_a_1.nii.gz",
                   (char *) "/scans: old/train_1/train_1_a_1.nii.gz: ends after 1 MB" };

  assert_string_equal (training_skip_reason (&skip), "ends after 1 MB");
  skip.reason = (char *) "not below /scans: download it";
  assert_string_equal (training_skip_reason (&skip), skip.reason);
  skip.reason = (char *) "/scans/other.nii: odd";
  assert_string_equal (training_skip_reason (&skip), skip.reason);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_threshold_moves_on_the_grid_and_stays_between_0_and_1),
    cmocka_unit_test (test_parts_stay_inside_at_every_size),
    cmocka_unit_test (test_a_small_terminal_shows_every_finding),
    cmocka_unit_test (test_columns_never_touch_and_names_keep_their_room),
    cmocka_unit_test (test_what_is_undefined_stands_last_either_way),
    cmocka_unit_test (test_the_reason_of_a_skip_does_not_repeat_the_path),
    cmocka_unit_test (test_a_click_on_a_title_sorts_and_again_reverses),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

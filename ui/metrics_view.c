#include "metrics_view.h"

#include "catalog/labels.h"

#include <math.h>
#include <string.h>

#define HEAD_ROWS 2 /* titles, macro */
#define WHEEL_ROWS 3
#define MOST_EPOCHS 20 /* in a sparkline */

static const TableColumn all_columns[N_METRICS_COLUMNS] = {
  [METRICS_COLUMN_FINDING] = { "finding", 20, 'l', TRUE, 0 },
  [METRICS_COLUMN_AUROC] = { "AUROC", 6, 'r', FALSE, 0 },
  [METRICS_COLUMN_INTERVAL] = { "95 % CI", 11, 'l', FALSE, 4 },
  [METRICS_COLUMN_SENSITIVITY] = { "sens", 5, 'r', FALSE, 2 },
  [METRICS_COLUMN_SPECIFICITY] = { "spec", 5, 'r', FALSE, 3 },
  [METRICS_COLUMN_ACCURACY] = { "acc", 5, 'r', FALSE, 7 },
  [METRICS_COLUMN_POSITIVES] = { "n+", 4, 'r', FALSE, 6 },
  [METRICS_COLUMN_CHANGE] = { "epoch \xce\x94", 8, 'r', FALSE, 5 },
  [METRICS_COLUMN_COMPARED] = { "run \xce\x94", 6, 'r', FALSE, 1 },
  [METRICS_COLUMN_EPOCHS] = { "epochs", 6, 'l', FALSE, 8 },
};

static const int sorted_column[N_METRICS_SORTS] = {
  [METRICS_SORT_FINDING] = METRICS_COLUMN_FINDING,
  [METRICS_SORT_AUROC] = METRICS_COLUMN_AUROC,
  [METRICS_SORT_SENSITIVITY] = METRICS_COLUMN_SENSITIVITY,
  [METRICS_SORT_SPECIFICITY] = METRICS_COLUMN_SPECIFICITY,
  [METRICS_SORT_ACCURACY] = METRICS_COLUMN_ACCURACY,
  [METRICS_SORT_POSITIVES] = METRICS_COLUMN_POSITIVES,
  [METRICS_SORT_CHANGE] = METRICS_COLUMN_CHANGE,
};

static int
longest_name (void)
{
  int longest = 0;

  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    longest = MAX (longest, text_width (catalog_label_name (i)));
  return longest;
}

void
metrics_view_layout (int width, guint n_epochs, gboolean compared,
                     TableColumn columns[N_METRICS_COLUMNS], int x[N_METRICS_COLUMNS],
                     int widths[N_METRICS_COLUMNS])
{
  int most = -1;

  memcpy (columns, all_columns, sizeof all_columns);
  if (theme_ascii ())
    {
      columns[METRICS_COLUMN_CHANGE].title = "epoch +-";
      columns[METRICS_COLUMN_COMPARED].title = "run +-";
    }
  for (guint i = 0; i < N_METRICS_COLUMNS; i++)
    most += 1 + (i == METRICS_COLUMN_FINDING ? longest_name () : columns[i].width);
  /* Without another run its column is nothing but dashes: it is the first to have no room. */
  if (!compared)
    {
      most -= 1 + columns[METRICS_COLUMN_COMPARED].width;
      columns[METRICS_COLUMN_COMPARED].width = width + 1;
      columns[METRICS_COLUMN_COMPARED].priority = G_MAXINT;
    }
  table_layout (columns, N_METRICS_COLUMNS, MIN (width, most), x, widths);
  if (widths[METRICS_COLUMN_EPOCHS] > 0)
    widths[METRICS_COLUMN_EPOCHS] =
        MIN (CLAMP ((int) n_epochs, widths[METRICS_COLUMN_EPOCHS], MOST_EPOCHS),
             width - x[METRICS_COLUMN_EPOCHS]);
}

static const MetricsTable *
table_of (GPtrArray *epochs, guint i)
{
  return ((const JobEpoch *) g_ptr_array_index (epochs, i))->table;
}

static double
auroc_of (const MetricsTable *table, int class_index)
{
  if (table == NULL || class_index >= (int) table->n_classes)
    return NAN;
  return class_index < 0 ? table->macro_auroc.value : table->classes[class_index].auroc.value;
}

/* ---- order ---- */

typedef struct
{
  MetricsSort sort;
  gboolean descending;
  const MetricsTable *table, *before; /* before: (nullable) of the epoch before */
} Order;

static double
key_of (const Order *order, guint class_index)
{
  const MetricsClass *class = &order->table->classes[class_index];

  switch (order->sort)
    {
    case METRICS_SORT_AUROC:
      return class->auroc.value;
    case METRICS_SORT_SENSITIVITY:
      return class->sensitivity;
    case METRICS_SORT_SPECIFICITY:
      return class->specificity;
    case METRICS_SORT_ACCURACY:
      return class->accuracy;
    case METRICS_SORT_POSITIVES:
      return class->positives;
    case METRICS_SORT_CHANGE:
      return class->auroc.value - auroc_of (order->before, (int) class_index);
    default:
      return class_index;
    }
}

/** What is undefined stands last in either direction; equals keep the labels' order. */
static gint
by_key (gconstpointer first, gconstpointer second, gpointer data)
{
  const Order *order = data;
  guint a = *(const guint *) first, b = *(const guint *) second;
  double x = key_of (order, a), y = key_of (order, b);

  if (isnan (x) != isnan (y))
    return isnan (x) ? 1 : -1;
  if (x < y || x > y)
    return (x < y) == order->descending ? 1 : -1;
  return (a > b) - (a < b);
}

/** The classes in the order of the rows. (element-type guint) */
static GArray *
order_classes (const MetricsView *view, GPtrArray *epochs, guint shown)
{
  Order order = { view->sort, view->descending, table_of (epochs, shown),
                  shown > 0 ? table_of (epochs, shown - 1) : NULL };
  GArray *classes = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < order.table->n_classes; i++)
    g_array_append_val (classes, i);
  g_array_sort_with_data (classes, by_key, &order);
  return classes;
}

guint
metrics_view_class (const MetricsView *view, GPtrArray *epochs, guint shown,
                    const MetricsTable *compared)
{
  g_autoptr (GArray) classes = NULL;

  if (epochs == NULL || shown >= epochs->len)
    return 0;
  classes = order_classes (view, epochs, shown);
  return view->list.cursor < classes->len ? g_array_index (classes, guint, view->list.cursor) : 0;
}

void
metrics_view_next_sort (MetricsView *view)
{
  view->sort = (view->sort + 1) % N_METRICS_SORTS;
  view->descending = view->sort != METRICS_SORT_FINDING;
}

static gboolean
sort_by_title (MetricsView *view, int x)
{
  for (guint sort = 0; sort < N_METRICS_SORTS; sort++)
    {
      int column = sorted_column[sort];

      if (x < view->x[column] || x >= view->x[column] + view->widths[column])
        continue;
      view->descending = view->sort == sort ? !view->descending : sort != METRICS_SORT_FINDING;
      view->sort = sort;
      return TRUE;
    }
  return FALSE;
}

gboolean
metrics_view_mouse (MetricsView *view, MouseAction action, int y, int x)
{
  guint64 row = view->list.top + (guint64) MAX (y - view->area.y - HEAD_ROWS, 0);

  if (!area_contains (view->area, y, x))
    return FALSE;
  if (action == MOUSE_WHEEL_UP || action == MOUSE_WHEEL_DOWN)
    {
      list_wheel (&view->list, action == MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
      return TRUE;
    }
  if (y == view->area.y)
    return action == MOUSE_CLICK && sort_by_title (view, x - view->area.x);
  if (y < view->area.y + HEAD_ROWS || row >= MIN (view->list.n, view->list.top + view->list.page))
    return FALSE;
  view->list.cursor = row;
  return TRUE;
}

/* ---- rows ---- */

typedef struct
{
  Area area;
  const MetricsView *view;
} Row;

static void
put (const Row *row, int column, Role role, const char *text)
{
  if (row->view->widths[column] > 0)
    draw_text_in (row->area, 0, row->view->x[column], row->view->widths[column],
                  all_columns[column].align, role, text);
}

static void
put_number (const Row *row, int column, Role role, double value)
{
  char text[32];

  g_snprintf (text, sizeof text, "%.3f", value);
  put (row, column, isnan (value) ? ROLE_DIM : role, isnan (value) ? symbol (SYMBOL_DASH) : text);
}

/** The sign says what the colour says. */
static void
put_change (const Row *row, int column, double change)
{
  char text[32];

  if (isnan (change))
    {
      put (row, column, ROLE_DIM, symbol (SYMBOL_DASH));
      return;
    }
  g_snprintf (text, sizeof text, "%+.3f", change);
  put (row, column, change > 0 ? ROLE_GOOD : change < 0 ? ROLE_BAD : ROLE_DIM, text);
}

static void
put_interval (const Row *row, MetricsInterval interval)
{
  char text[32];

  if (isnan (interval.low) || isnan (interval.high))
    {
      put (row, METRICS_COLUMN_INTERVAL, ROLE_DIM, symbol (SYMBOL_DASH));
      return;
    }
  g_snprintf (text, sizeof text, "%.3f-%.3f", interval.low, interval.high);
  put (row, METRICS_COLUMN_INTERVAL, ROLE_DIM, text);
}

/** The AUROC of the last epochs that have room, up to the one in view, from chance to perfect. */
static void
put_sparkline (const Row *row, GPtrArray *epochs, guint shown, int class_index)
{
  guint room = (guint) row->view->widths[METRICS_COLUMN_EPOCHS], n = MIN (shown + 1, room);
  g_autofree double *values = g_new (double, n + 1);
  g_autofree char *text = NULL;

  for (guint i = 0; i < n; i++)
    values[i] = auroc_of (table_of (epochs, shown + 1 - n + i), class_index);
  text = report_sparkline (values, n, (ReportRange){ 0.5, 1 }, theme_ascii ());
  put (row, METRICS_COLUMN_EPOCHS, ROLE_ACCENT, text);
}

/** @class_index: -1: the macro row */
static void
draw_row (const Row *row, GPtrArray *epochs, guint shown, int class_index,
          const MetricsTable *compared)
{
  const MetricsTable *table = table_of (epochs, shown);
  const MetricsClass *class = class_index < 0 ? NULL : &table->classes[class_index];
  MetricsInterval auroc = class == NULL ? table->macro_auroc : class->auroc;
  Role role = class == NULL ? ROLE_STRONG : ROLE_NORMAL;

  put (row, METRICS_COLUMN_FINDING, role,
       class == NULL                    ? "macro"
       : class_index < CATALOG_N_LABELS ? catalog_label_name ((guint) class_index)
                                        : symbol (SYMBOL_DASH));
  put_number (row, METRICS_COLUMN_AUROC, ROLE_STRONG, auroc.value);
  put_interval (row, auroc);
  put_number (row, METRICS_COLUMN_SENSITIVITY, role,
              class == NULL ? table->macro_sensitivity : class->sensitivity);
  put_number (row, METRICS_COLUMN_SPECIFICITY, role,
              class == NULL ? table->macro_specificity : class->specificity);
  put_number (row, METRICS_COLUMN_ACCURACY, role,
              class == NULL ? table->macro_accuracy : class->accuracy);
  if (class != NULL)
    {
      char text[16];

      g_snprintf (text, sizeof text, "%u", class->positives);
      put (row, METRICS_COLUMN_POSITIVES, role, text);
    }
  put_change (row, METRICS_COLUMN_CHANGE,
              shown > 0 ? auroc.value - auroc_of (table_of (epochs, shown - 1), class_index) : NAN);
  put_change (row, METRICS_COLUMN_COMPARED, auroc.value - auroc_of (compared, class_index));
  put_sparkline (row, epochs, shown, class_index);
}

void
metrics_view_draw (MetricsView *view, Area area, GPtrArray *epochs, guint shown,
                   const MetricsTable *compared, gboolean focused)
{
  TableColumn columns[N_METRICS_COLUMNS];
  g_autoptr (GArray) classes = NULL;
  Row row = { .view = view };

  if (epochs == NULL || shown >= epochs->len || area.height <= 0 || area.width <= 0)
    return;
  classes = order_classes (view, epochs, shown);
  view->list.n = classes->len;
  list_fit (&view->list, (guint) MAX (area.height - HEAD_ROWS, 0));
  view->area = area;
  metrics_view_layout (area.width - 1, shown + 1, compared != NULL, columns, view->x, view->widths);
  if (view->since_last)
    columns[METRICS_COLUMN_COMPARED].title = theme_ascii () ? "last+-" : "last \xce\x94";
  table_draw_head (area, columns, N_METRICS_COLUMNS, view->x, view->widths,
                   sorted_column[view->sort], view->descending);
  row.area = area_rows (area, 1, 1);
  draw_row (&row, epochs, shown, -1, compared);
  for (guint i = 0; i < view->list.page && view->list.top + i < classes->len; i++)
    {
      guint64 at = view->list.top + i;

      row.area = area_rows (area, (int) i + HEAD_ROWS, 1);
      draw_row (&row, epochs, shown, (int) g_array_index (classes, guint, at), compared);
      if (focused && at == view->list.cursor)
        draw_role (row.area, 0, 0, area.width - 1, ROLE_SELECTED);
    }
  draw_scrollbar (area_rows (area, HEAD_ROWS, (int) view->list.page), view->list.top,
                  view->list.page, classes->len);
}

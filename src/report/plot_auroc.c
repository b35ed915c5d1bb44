/* AUROC class by class: of one run, and of two beside each other. */
#include "report/plots.h"

#include "report/sheet.h"
#include "report/text_table.h"

#include <math.h>

#define NAMES_RIGHT 342.0 /* where the classes' names end */
#define LEAST_ROW 28.0
#define FOOT 84.0     /* the axis' numbers and its title */
#define TEXT_DROP 5.0 /* from a row's middle to its text's baseline */
#define LONGEST_NAME 16
#define CHANCE 0.5
#define SIGNIFICANT 0.05

/** Rows share the height; more than fit make the picture higher. */
static double
row_height (guint n_rows)
{
  return MAX (LEAST_ROW, (SHEET_HEIGHT - SHEET_TITLE_HEIGHT - FOOT) / n_rows);
}

static double
sheet_height (guint n_rows)
{
  return SHEET_TITLE_HEIGHT + FOOT + n_rows * row_height (n_rows);
}

static double
row_middle (guint row, guint n_rows)
{
  return SHEET_TITLE_HEIGHT + (row + 0.5) * row_height (n_rows);
}

static SheetFrame
column_frame (double left, double width, guint n_rows, ReportRange range)
{
  return (SheetFrame){ left,    SHEET_TITLE_HEIGHT, width, n_rows * row_height (n_rows), range,
                       { 0, 1 } };
}

static void
draw_column_axis (cairo_t *cr, const SheetFrame *frame, guint most, const char *title)
{
  ReportTicks ticks = report_ticks (frame->x, most);

  sheet_x_axis (cr, frame, &ticks, AXIS_GRID | AXIS_LABELS, sheet_remark);
  sheet_text (cr, frame->left + frame->width / 2, frame->top + frame->height + 50, ALIGN_CENTRE,
              sheet_remark, title);
}

/** A line that values are read against: chance, or no difference. */
static void
draw_reference (cairo_t *cr, const SheetFrame *frame, double value)
{
  double x = sheet_x (frame, value);

  sheet_ink (cr, INK_AXIS, 1);
  cairo_set_line_width (cr, 1.5);
  sheet_line (cr, x, frame->top, x, frame->top + frame->height);
}

/** A rule above the macro row, across the page. */
static void
draw_macro_rule (cairo_t *cr, guint n_rows)
{
  double y = floor (row_middle (n_rows - 1, n_rows) - row_height (n_rows) / 2) + 0.5;

  sheet_ink (cr, INK_AXIS, 1);
  cairo_set_line_width (cr, 1);
  sheet_line (cr, SHEET_MARGIN, y, SHEET_WIDTH - SHEET_MARGIN, y);
}

static void
draw_interval (cairo_t *cr, const SheetFrame *frame, double y, double low, double high,
               SheetInk ink)
{
  if (isnan (low) || isnan (high))
    return;
  sheet_ink (cr, ink, 1);
  cairo_set_line_width (cr, 2.5);
  sheet_line (cr, sheet_x (frame, low), y, sheet_x (frame, high), y);
}

/* ---- one run ---- */

/** From the best down; the undefined come last. */
static gint
by_auroc (gconstpointer a, gconstpointer b, gpointer data)
{
  const MetricsTable *table = data;
  double value_a = table->classes[*(const guint *) a].auroc.value,
         value_b = table->classes[*(const guint *) b].auroc.value;

  if (isnan (value_a) || isnan (value_b))
    return isnan (value_a) - isnan (value_b);
  return (value_a < value_b) - (value_a > value_b);
}

static guint *
in_order (guint n, GCompareDataFunc compare, gpointer data)
{
  guint *order = g_new (guint, MAX (n, 1));

  for (guint i = 0; i < n; i++)
    order[i] = i;
  g_qsort_with_data (order, (gint) n, sizeof *order, compare, data);
  return order;
}

/** Round values around everything that is drawn, chance among it. */
static ReportRange
auroc_range (const double *values, gsize n)
{
  ReportRange range = report_range (values, n);
  ReportTicks ticks;

  range = (ReportRange){ MIN (range.low, CHANCE), 1 };
  ticks = report_ticks (range, 7);
  if (range.low < ticks.first)
    range.low = MAX (0, ticks.first - ticks.step);
  return range;
}

static void
draw_auroc_row (cairo_t *cr, const SheetFrame *frame, double y, const char *name,
                const MetricsInterval *auroc, gboolean is_macro)
{
  SheetType type = is_macro ? sheet_strong : sheet_body;
  SheetInk ink = is_macro ? INK_VERMILION : INK_BLUE;
  g_autofree char *value = report_decimals (auroc->value, 3);
  g_autofree char *interval = report_interval (auroc->low, auroc->high);

  sheet_text (cr, NAMES_RIGHT, y + TEXT_DROP, ALIGN_RIGHT, type, name);
  sheet_text (cr, 1010, y + TEXT_DROP, ALIGN_RIGHT, type, value);
  if (!isnan (auroc->low))
    sheet_text (cr, SHEET_WIDTH - SHEET_MARGIN, y + TEXT_DROP, ALIGN_RIGHT, sheet_remark, interval);
  if (isnan (auroc->value))
    return;
  draw_interval (cr, frame, y, auroc->low, auroc->high, ink);
  if (is_macro)
    sheet_diamond (cr, sheet_x (frame, auroc->value), y, 9, ink);
  else
    sheet_disc (cr, sheet_x (frame, auroc->value), y, 5, FALSE, ink);
}

gboolean
report_plot_auroc (const MetricsTable *table, const char *const *class_names, const char *subtitle,
                   const char *path, gboolean replace, GError **error)
{
  guint n = table->n_classes, n_rows = n + 1;
  g_autofree guint *order = in_order (n, by_auroc, (gpointer) table);
  g_autofree double *ends = g_new (double, 2 * n_rows);
  g_autofree char *macro =
      table->classes_in_macro == n
          ? g_strdup ("macro")
          : g_strdup_printf ("macro over %u of %u", table->classes_in_macro, n);
  SheetFrame frame;
  cairo_t *cr = sheet_new (SHEET_WIDTH, sheet_height (n_rows));

  for (guint i = 0; i < n_rows; i++)
    {
      const MetricsInterval *auroc = i < n ? &table->classes[i].auroc : &table->macro_auroc;

      ends[2 * i] = auroc->value;
      ends[2 * i + 1] = auroc->low;
    }
  frame = column_frame (NAMES_RIGHT + 26, 570, n_rows, auroc_range (ends, 2 * n_rows));
  sheet_title (cr, "AUROC by finding", subtitle);
  draw_column_axis (cr, &frame, 7, "AUROC and 95 % interval; 0.5 is chance");
  draw_reference (cr, &frame, CHANCE);
  draw_macro_rule (cr, n_rows);
  for (guint row = 0; row < n; row++)
    draw_auroc_row (cr, &frame, row_middle (row, n_rows), class_names[order[row]],
                    &table->classes[order[row]].auroc, FALSE);
  draw_auroc_row (cr, &frame, row_middle (n, n_rows), macro, &table->macro_auroc, TRUE);
  return sheet_save (cr, path, replace, error);
}

/* ---- two runs ---- */

/** From the largest gain down; the undefined come last. */
static gint
by_difference (gconstpointer a, gconstpointer b, gpointer data)
{
  const ReportComparison *comparison = data;
  double value_a = comparison->classes[*(const guint *) a].difference.value,
         value_b = comparison->classes[*(const guint *) b].difference.value;

  if (isnan (value_a) || isnan (value_b))
    return isnan (value_a) - isnan (value_b);
  return (value_a < value_b) - (value_a > value_b);
}

/** Run a is a disc, run b a ring around it where both are the same. */
static void
draw_pair (cairo_t *cr, const SheetFrame *frame, double y, double a, double b)
{
  if (!isnan (a) && !isnan (b))
    {
      sheet_ink (cr, INK_AXIS, 1);
      cairo_set_line_width (cr, 2);
      sheet_line (cr, sheet_x (frame, a), y, sheet_x (frame, b), y);
    }
  if (!isnan (b))
    sheet_disc (cr, sheet_x (frame, b), y, 6.5, TRUE, INK_VERMILION);
  if (!isnan (a))
    sheet_disc (cr, sheet_x (frame, a), y, 4, FALSE, INK_BLUE);
}

/** A run's name as long as it fits under a column. */
static char *
short_name (const char *name)
{
  g_autofree char *valid = g_utf8_make_valid (name, -1);
  g_autofree char *start = NULL;

  if (g_utf8_strlen (valid, -1) <= LONGEST_NAME)
    return g_steal_pointer (&valid);
  start = g_utf8_substring (valid, 0, LONGEST_NAME - 1);
  return g_strconcat (start, "…", NULL);
}

static void
draw_legend (cairo_t *cr, const char *run_a, const char *run_b, double left, double right)
{
  double y = SHEET_TITLE_HEIGHT - 7;
  double x = left + 16 + sheet_text_width (cr, sheet_body, run_a) + 34;

  sheet_disc (cr, left + 5, y - 5, 4, FALSE, INK_BLUE);
  sheet_text (cr, left + 16, y, ALIGN_LEFT, sheet_body, run_a);
  sheet_disc (cr, x + 3, y - 5, 6.5, TRUE, INK_VERMILION);
  sheet_text (cr, x + 16, y, ALIGN_LEFT, sheet_body, run_b);
  sheet_text (cr, right, y, ALIGN_RIGHT, sheet_remark, "p");
}

static void
draw_comparison_row (cairo_t *cr, const SheetFrame *aurocs, const SheetFrame *differences, double y,
                     const ReportComparisonClass *class)
{
  gboolean is_significant = class->p < SIGNIFICANT; /* FALSE where it is NaN */
  SheetType type = is_significant ? sheet_strong : sheet_body;
  g_autofree char *p = class->p < 0.001 ? g_strdup ("<0.001") : report_decimals (class->p, 3);

  sheet_text (cr, NAMES_RIGHT, y + TEXT_DROP, ALIGN_RIGHT, type, class->name);
  sheet_text (cr, SHEET_WIDTH - SHEET_MARGIN, y + TEXT_DROP, ALIGN_RIGHT, type, p);
  draw_pair (cr, aurocs, y, class->auroc_a, class->auroc_b);
  if (isnan (class->difference.value))
    return;
  draw_interval (cr, differences, y, class->difference.low, class->difference.high,
                 is_significant ? INK_TEXT : INK_AXIS);
  sheet_disc (cr, sheet_x (differences, class->difference.value), y, 5, !is_significant,
              is_significant ? INK_TEXT : INK_AXIS);
}

/** What both columns must hold: AUROCs of both runs; differences and their intervals, and 0. */
static void
comparison_ranges (const ReportComparison *comparison, ReportRange *aurocs,
                   ReportRange *differences)
{
  guint n = comparison->n_classes + 1; /* the macro row too */
  g_autofree double *values = g_new (double, 2 * n), *ends = g_new (double, 3 * n + 1);

  for (guint i = 0; i < n; i++)
    {
      const ReportComparisonClass *class = i + 1 < n ? &comparison->classes[i] : &comparison->macro;

      values[2 * i] = class->auroc_a;
      values[2 * i + 1] = class->auroc_b;
      ends[3 * i] = class->difference.low;
      ends[3 * i + 1] = class->difference.value;
      ends[3 * i + 2] = class->difference.high;
    }
  ends[3 * n] = 0;
  *aurocs = auroc_range (values, 2 * n);
  *differences = report_range (ends, 3 * n + 1);
}

gboolean
report_plot_comparison (const ReportComparison *comparison, const char *path, gboolean replace,
                        GError **error)
{
  guint n = comparison->n_classes, n_rows = n + 1;
  g_autofree guint *order = in_order (n, by_difference, (gpointer) comparison);
  g_autofree char *run_a = short_name (comparison->run_a);
  g_autofree char *run_b = short_name (comparison->run_b);
  g_autofree char *title = g_strdup_printf ("%s and %s", run_a, run_b);
  g_autofree char *difference_title = g_strdup_printf ("%s - %s, 95 %% interval", run_a, run_b);
  g_autofree char *scans = report_count (comparison->n);
  g_autofree char *subtitle = g_strdup_printf (
      "AUROC on %s scans in common; bold and filled: p < %g by DeLong's test, not corrected for %u "
      "classes",
      scans, SIGNIFICANT, n);
  ReportRange common_range, difference_range;
  SheetFrame aurocs, differences;
  cairo_t *cr = sheet_new (SHEET_WIDTH, sheet_height (n_rows));

  comparison_ranges (comparison, &common_range, &difference_range);
  aurocs = column_frame (NAMES_RIGHT + 26, 340, n_rows, common_range);
  differences = column_frame (NAMES_RIGHT + 430, 276, n_rows, difference_range);
  sheet_title (cr, title, subtitle);
  draw_legend (cr, run_a, run_b, aurocs.left, SHEET_WIDTH - SHEET_MARGIN);
  draw_column_axis (cr, &aurocs, 6, "AUROC");
  draw_column_axis (cr, &differences, 5, difference_title);
  draw_reference (cr, &aurocs, CHANCE);
  draw_reference (cr, &differences, 0);
  draw_macro_rule (cr, n_rows);
  for (guint row = 0; row < n; row++)
    draw_comparison_row (cr, &aurocs, &differences, row_middle (row, n_rows),
                         &comparison->classes[order[row]]);
  draw_comparison_row (cr, &aurocs, &differences, row_middle (n, n_rows), &comparison->macro);
  return sheet_save (cr, path, replace, error);
}

/* Loss and macro AUROC over the epochs of a run. */
#include "report/plots.h"

#include "report/sheet.h"
#include "report/text_table.h"

#include <math.h>

#define MOST_MARKS 60 /* more epochs than these are a line without marks */
#define HEADROOM 0.08 /* of a range, above and below its curve */

typedef struct
{
  const ReportEpoch *epochs;
  guint n;
  int kept_epoch;
  double (*value) (const ReportEpoch *epoch);
  SheetInk ink;
} Curve;

static double
loss_of (const ReportEpoch *epoch)
{
  return epoch->train_loss;
}

static double
auroc_of (const ReportEpoch *epoch)
{
  return epoch->macro_auroc.value;
}

static ReportRange
with_headroom (ReportRange range)
{
  double margin = HEADROOM * (range.high - range.low);

  return (ReportRange){ range.low - margin, range.high + margin };
}

/** The interval as a band behind the curve. */
static void
draw_band (cairo_t *cr, const SheetFrame *frame, const ReportEpoch *epochs, guint n)
{
  sheet_ink (cr, INK_BLUE, 0.13);
  for (guint i = 1; i < n; i++)
    {
      const MetricsInterval *a = &epochs[i - 1].macro_auroc, *b = &epochs[i].macro_auroc;
      double left = sheet_x (frame, epochs[i - 1].epoch), right = sheet_x (frame, epochs[i].epoch);

      if (isnan (a->low) || isnan (a->high) || isnan (b->low) || isnan (b->high))
        continue;
      cairo_move_to (cr, left, sheet_y (frame, a->low));
      cairo_line_to (cr, left, sheet_y (frame, a->high));
      cairo_line_to (cr, right, sheet_y (frame, b->high));
      cairo_line_to (cr, right, sheet_y (frame, b->low));
      cairo_close_path (cr);
    }
  /* As one shape: pieces painted one by one would show their seams. */
  cairo_fill (cr);
}

/** The curve's highest (@upper) or lowest point between two columns, as y. */
static double
edge_of (const SheetFrame *frame, const Curve *curve, double from, double to, gboolean upper)
{
  double edge = NAN;

  for (guint i = 1; i < curve->n; i++)
    {
      const ReportEpoch *a = &curve->epochs[i - 1], *b = &curve->epochs[i];
      double x = sheet_x (frame, a->epoch), y = sheet_y (frame, curve->value (a));
      double slope = (sheet_y (frame, curve->value (b)) - y) / (sheet_x (frame, b->epoch) - x);
      double first = fmax (x, from), last = fmin (sheet_x (frame, b->epoch), to);

      if (first > last)
        continue;
      edge = upper ? fmin (edge, fmin (y + slope * (first - x), y + slope * (last - x)))
                   : fmax (edge, fmax (y + slope * (first - x), y + slope * (last - x)));
    }
  return edge;
}

static void
draw_kept (cairo_t *cr, const SheetFrame *frame, const Curve *curve, const ReportEpoch *epoch)
{
  double x = sheet_x (frame, epoch->epoch), y = sheet_y (frame, curve->value (epoch));
  g_autofree char *number = report_decimals (curve->value (epoch), 4);
  g_autofree char *label = g_strdup_printf ("kept epoch %u: %s", epoch->epoch, number);
  double half = sheet_text_width (cr, sheet_strong, label) / 2;
  double middle = CLAMP (x, frame->left + half, frame->left + frame->width - half);
  gboolean is_high = y < frame->top + frame->height / 3;
  double edge = edge_of (frame, curve, middle - half, middle + half, !is_high);

  sheet_disc (cr, x, y, 7, TRUE, curve->ink);
  sheet_text (cr, middle, is_high ? fmax (y + 32, edge + 24) : fmin (y - 20, edge - 12),
              ALIGN_CENTRE, sheet_strong, label);
}

static void
draw_curve (cairo_t *cr, const SheetFrame *frame, const Curve *curve)
{
  for (guint i = 0; i < curve->n; i++)
    {
      double value = curve->value (&curve->epochs[i]);

      if (isfinite (value))
        cairo_line_to (cr, sheet_x (frame, curve->epochs[i].epoch), sheet_y (frame, value));
      else
        cairo_new_sub_path (cr);
    }
  sheet_ink (cr, curve->ink, 1);
  cairo_set_line_width (cr, 2.5);
  cairo_stroke (cr);
  for (guint i = 0; i < curve->n; i++)
    {
      const ReportEpoch *epoch = &curve->epochs[i];

      if (!isfinite (curve->value (epoch)))
        continue;
      if (curve->n <= MOST_MARKS)
        sheet_disc (cr, sheet_x (frame, epoch->epoch), sheet_y (frame, curve->value (epoch)), 3,
                    FALSE, curve->ink);
    }
  for (guint i = 0; i < curve->n; i++)
    if ((int) curve->epochs[i].epoch == curve->kept_epoch
        && isfinite (curve->value (&curve->epochs[i])))
      draw_kept (cr, frame, curve, &curve->epochs[i]);
}

static void
draw_axes (cairo_t *cr, const SheetFrame *frame, guint n, const char *title)
{
  ReportTicks x_ticks = report_ticks (frame->x, MIN (n, 13)), y_ticks = report_ticks (frame->y, 6);

  sheet_text (cr, SHEET_MARGIN, frame->top - 16, ALIGN_LEFT, sheet_strong, title);
  sheet_y_axis (cr, frame, &y_ticks, AXIS_GRID | AXIS_LABELS, sheet_remark);
  sheet_x_axis (cr, frame, &x_ticks, AXIS_LABELS, sheet_remark);
}

gboolean
report_plot_epochs (const ReportEpoch *epochs, guint n, int kept_epoch, const char *subtitle,
                    const char *path, gboolean replace, GError **error)
{
  const double top = SHEET_TITLE_HEIGHT + 36, height = 278;
  SheetFrame frame = { SHEET_MARGIN + 60, top,     SHEET_WIDTH - 2 * SHEET_MARGIN - 80, height,
                       { 0, 1 },          { 0, 1 } };
  Curve loss = { epochs, n, kept_epoch, loss_of, INK_VERMILION };
  Curve auroc = { epochs, n, kept_epoch, auroc_of, INK_BLUE };
  g_autofree double *numbers = g_new (double, MAX (n, 1)), *losses = g_new (double, MAX (n, 1)),
                    *aurocs = g_new (double, MAX (3 * n, 1));
  cairo_t *cr = sheet_new (SHEET_WIDTH, SHEET_HEIGHT);

  for (guint i = 0; i < n; i++)
    {
      numbers[i] = epochs[i].epoch;
      losses[i] = epochs[i].train_loss;
      aurocs[3 * i] = epochs[i].macro_auroc.low;
      aurocs[3 * i + 1] = epochs[i].macro_auroc.value;
      aurocs[3 * i + 2] = epochs[i].macro_auroc.high;
    }
  sheet_title (cr, "Training", subtitle);

  frame.x = report_range (numbers, n);
  frame.y = with_headroom (report_range (losses, n));
  draw_axes (cr, &frame, n, "Training loss");
  draw_curve (cr, &frame, &loss);

  frame.top += height + 88;
  frame.y = with_headroom (report_range (aurocs, 3 * n));
  draw_axes (cr, &frame, n, "Macro AUROC on the validation sample, with its 95 % interval");
  draw_band (cr, &frame, epochs, n);
  draw_curve (cr, &frame, &auroc);
  sheet_text (cr, frame.left + frame.width / 2, frame.top + height + 50, ALIGN_CENTRE, sheet_remark,
              "epoch");
  return sheet_save (cr, path, replace, error);
}

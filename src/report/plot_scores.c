/* ROC curves and histograms: what a run's scores say of one class, or of all on one page. */
#include "report/plots.h"

#include "report/sheet.h"
#include "report/text_table.h"

#include <math.h>

#define BINS 20
#define MOST_COLUMNS 6 /* of a page */
#define PANEL_GAP 32.0
#define PANEL_HEAD 56.0 /* the class's name and AUROC */
#define PANEL_FOOT 32.0

typedef struct
{
  MetricsInterval auroc;
  MetricsConfusion confusion;
  guint positives, negatives;
  double *probabilities; /* n */
} Judged;

static void
judged_clear (Judged *judged)
{
  g_free (judged->probabilities);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Judged, judged_clear)

static Judged
judge (const ReportScores *scores)
{
  Judged judged = { .auroc = metrics_auroc_interval (scores->logits, scores->labels, scores->n),
                    .probabilities = g_new (double, MAX (scores->n, 1)) };

  for (gsize i = 0; i < scores->n; i++)
    {
      judged.probabilities[i] = metrics_probability (scores->logits[i]);
      judged.positives += scores->labels[i];
    }
  judged.negatives = (guint) scores->n - judged.positives;
  judged.confusion =
      metrics_confusion (judged.probabilities, scores->labels, scores->n, scores->threshold);
  return judged;
}

/** "AUROC 0.873 [0.841, 0.905]", or why there is none. */
static char *
auroc_text (const Judged *judged)
{
  g_autofree char *value = report_decimals (judged->auroc.value, 3);
  g_autofree char *interval = report_interval (judged->auroc.low, judged->auroc.high);

  if (judged->positives == 0)
    return g_strdup ("no positives");
  if (judged->negatives == 0)
    return g_strdup ("no negatives");
  return isnan (judged->auroc.low) ? g_strdup (value) : g_strdup_printf ("%s %s", value, interval);
}

/* ---- ROC ---- */

static void
draw_chance (cairo_t *cr, const SheetFrame *frame)
{
  sheet_ink (cr, INK_AXIS, 1);
  cairo_set_line_width (cr, 1.2);
  sheet_dash (cr, TRUE);
  sheet_line (cr, sheet_x (frame, 0), sheet_y (frame, 0), sheet_x (frame, 1), sheet_y (frame, 1));
  sheet_dash (cr, FALSE);
}

static void
draw_roc (cairo_t *cr, const SheetFrame *frame, const ReportScores *scores, double line_width)
{
  g_autoptr (GArray) points = metrics_roc (scores->logits, scores->labels, scores->n);

  for (guint i = 0; i < points->len; i++)
    {
      const MetricsRocPoint *point = &g_array_index (points, MetricsRocPoint, i);

      cairo_line_to (cr, sheet_x (frame, point->false_positive_rate),
                     sheet_y (frame, point->sensitivity));
    }
  sheet_ink (cr, INK_BLUE, 1);
  cairo_set_line_width (cr, line_width);
  cairo_stroke_preserve (cr);
  cairo_line_to (cr, sheet_x (frame, 1), sheet_y (frame, 0));
  cairo_close_path (cr);
  sheet_ink (cr, INK_BLUE, 0.07);
  cairo_fill (cr);
}

static void
draw_threshold_point (cairo_t *cr, const SheetFrame *frame, const Judged *judged, double radius)
{
  sheet_disc (cr, sheet_x (frame, 1 - metrics_specificity (judged->confusion)),
              sheet_y (frame, metrics_sensitivity (judged->confusion)), radius, TRUE,
              INK_VERMILION);
}

static void
draw_roc_frame (cairo_t *cr, const SheetFrame *frame, const ReportScores *scores,
                const Judged *judged, double line_width, double radius)
{
  draw_chance (cr, frame);
  if (isnan (judged->auroc.value))
    return;
  draw_roc (cr, frame, scores, line_width);
  if (!isnan (scores->threshold))
    draw_threshold_point (cr, frame, judged, radius);
}

/** A remark with its number below it. Returns: where the next one goes. */
static double
draw_fact (cairo_t *cr, double x, double y, const char *label, const char *number)
{
  static const SheetType type = { 24, TRUE, INK_TEXT };

  sheet_text (cr, x, y, ALIGN_LEFT, sheet_remark, label);
  sheet_text (cr, x, y + 30, ALIGN_LEFT, type, number);
  return y + 30;
}

static void
draw_roc_facts (cairo_t *cr, double x, double y, const ReportScores *scores, const Judged *judged)
{
  g_autofree char *auroc = report_decimals (judged->auroc.value, 3);
  g_autofree char *interval = report_interval (judged->auroc.low, judged->auroc.high);
  g_autofree char *positives = report_count (judged->positives);
  g_autofree char *negatives = report_count (judged->negatives);
  g_autofree char *kinds = g_strdup_printf ("%s / %s", positives, negatives);
  g_autofree char *sensitivity = report_decimals (metrics_sensitivity (judged->confusion), 3);
  g_autofree char *specificity = report_decimals (metrics_specificity (judged->confusion), 3);
  g_autofree char *threshold = report_decimals (scores->threshold, 3);
  g_autofree char *interval_text = g_strdup_printf ("95 %% interval %s", interval);

  y = draw_fact (cr, x, y, "AUROC", auroc);
  sheet_text (cr, x, y + 24, ALIGN_LEFT, sheet_body, interval_text);
  y = draw_fact (cr, x, y + 76, "positives / negatives", kinds);
  if (isnan (scores->threshold))
    return;
  y += 64;
  sheet_disc (cr, x + 7, y - 5, 6, TRUE, INK_VERMILION);
  y = draw_fact (cr, x + 22, y, "threshold", threshold);
  y = draw_fact (cr, x + 22, y + 44, "sensitivity there", sensitivity);
  draw_fact (cr, x + 22, y + 44, "specificity there", specificity);
}

gboolean
report_plot_roc (const ReportScores *scores, const char *subtitle, const char *path,
                 gboolean replace, GError **error)
{
  const double side = SHEET_HEIGHT - SHEET_TITLE_HEIGHT - 94;
  const SheetFrame frame = { SHEET_MARGIN + 60, SHEET_TITLE_HEIGHT + 12, side, side, { 0, 1 },
                             { 0, 1 } };
  ReportTicks ticks = report_ticks (frame.x, 6);
  g_auto (Judged) judged = judge (scores);
  cairo_t *cr = sheet_new (SHEET_WIDTH, SHEET_HEIGHT);

  sheet_title (cr, scores->name, subtitle);
  sheet_x_axis (cr, &frame, &ticks, AXIS_GRID | AXIS_LABELS, sheet_remark);
  sheet_y_axis (cr, &frame, &ticks, AXIS_GRID | AXIS_LABELS, sheet_remark);
  sheet_text (cr, frame.left + side / 2, frame.top + side + 54, ALIGN_CENTRE, sheet_remark,
              "false positive rate (1 - specificity)");
  sheet_y_title (cr, &frame, SHEET_MARGIN + 8, "sensitivity");
  draw_roc_frame (cr, &frame, scores, &judged, 3, 7);
  if (isnan (judged.auroc.value))
    {
      g_autofree char *why = auroc_text (&judged);

      sheet_text (cr, frame.left + side / 2, frame.top + side / 4, ALIGN_CENTRE, sheet_body, why);
    }
  draw_roc_facts (cr, frame.left + side + 70, frame.top + 40, scores, &judged);
  return sheet_save (cr, path, replace, error);
}

/* ---- histogram ---- */

/** The larger share of one bin, of both kinds: what the axis must hold. */
static double
count_bins (const ReportScores *scores, const Judged *judged, double shares[2][BINS])
{
  double largest = 0;

  for (guint8 label = 0; label < 2; label++)
    {
      guint counts[BINS];
      gsize n =
          report_histogram (judged->probabilities, scores->labels, label, scores->n, counts, BINS);

      for (guint bin = 0; bin < BINS; bin++)
        {
          shares[label][bin] = n > 0 ? (double) counts[bin] / n : 0;
          largest = MAX (largest, shares[label][bin]);
        }
    }
  return largest > 0 ? largest : 1;
}

/** Positives rise from the middle line, negatives hang from it. */
static void
draw_bins (cairo_t *cr, const SheetFrame *frame, double shares[2][BINS])
{
  double middle = sheet_y (frame, 0), gap = frame->width / BINS * 0.1;

  for (guint bin = 0; bin < BINS; bin++)
    {
      double left = sheet_x (frame, (double) bin / BINS) + gap / 2;
      double width = frame->width / BINS - gap;

      sheet_ink (cr, INK_BLUE, 1);
      cairo_rectangle (cr, left, sheet_y (frame, shares[1][bin]), width,
                       middle - sheet_y (frame, shares[1][bin]));
      cairo_fill (cr);
      sheet_ink (cr, INK_VERMILION, 1);
      cairo_rectangle (cr, left, middle, width, sheet_y (frame, -shares[0][bin]) - middle);
      cairo_fill (cr);
    }
  sheet_ink (cr, INK_TEXT, 1);
  cairo_set_line_width (cr, 1);
  sheet_line (cr, frame->left, middle, frame->left + frame->width, middle);
}

static void
draw_threshold_line (cairo_t *cr, const SheetFrame *frame, double threshold)
{
  double x = sheet_x (frame, threshold);

  if (isnan (threshold))
    return;
  sheet_ink (cr, INK_TEXT, 1);
  cairo_set_line_width (cr, 1.5);
  sheet_dash (cr, TRUE);
  sheet_line (cr, x, frame->top, x, frame->top + frame->height);
  sheet_dash (cr, FALSE);
}

/** The share's axis: per cent, upwards and downwards. */
static void
draw_share_axis (cairo_t *cr, const SheetFrame *frame)
{
  ReportTicks ticks = report_ticks (frame->y, 7);

  sheet_y_axis (cr, frame, &ticks, AXIS_GRID, sheet_remark);
  for (guint i = 0; i < ticks.n; i++)
    {
      double share = report_tick (&ticks, i);
      g_autofree char *label = g_strdup_printf ("%g %%", 100 * fabs (share));

      sheet_text (cr, frame->left - 10, sheet_y (frame, share) + 5, ALIGN_RIGHT, sheet_remark,
                  label);
    }
}

gboolean
report_plot_histogram (const ReportScores *scores, const char *subtitle, const char *path,
                       gboolean replace, GError **error)
{
  static const SheetType up = { 16, TRUE, INK_BLUE }, down = { 16, TRUE, INK_VERMILION };
  SheetFrame frame = { SHEET_MARGIN + 70,
                       SHEET_TITLE_HEIGHT + 40,
                       SHEET_WIDTH - 2 * SHEET_MARGIN - 70,
                       SHEET_HEIGHT - SHEET_TITLE_HEIGHT - 130,
                       { 0, 1 },
                       { 0, 0 } };
  ReportTicks ticks = report_ticks (frame.x, 11);
  g_auto (Judged) judged = judge (scores);
  double shares[2][BINS], largest = count_bins (scores, &judged, shares);
  g_autofree char *positives = report_count (judged.positives);
  g_autofree char *negatives = report_count (judged.negatives);
  g_autofree char *above = g_strdup_printf ("%s positives", positives);
  g_autofree char *below = g_strdup_printf ("%s negatives", negatives);
  cairo_t *cr = sheet_new (SHEET_WIDTH, SHEET_HEIGHT);

  frame.y = (ReportRange){ -1.08 * largest, 1.08 * largest };
  sheet_title (cr, scores->name, subtitle);
  draw_share_axis (cr, &frame);
  sheet_x_axis (cr, &frame, &ticks, AXIS_LABELS, sheet_remark);
  sheet_y_title (cr, &frame, SHEET_MARGIN + 6, "share of its kind");
  sheet_text (cr, frame.left + frame.width / 2, frame.top + frame.height + 54, ALIGN_CENTRE,
              sheet_remark, "predicted probability");
  draw_bins (cr, &frame, shares);
  /* Where few of their kind should be. */
  sheet_text (cr, frame.left, frame.top + 16, ALIGN_LEFT, up, above);
  sheet_text (cr, frame.left + frame.width, frame.top + frame.height - 10, ALIGN_RIGHT, down,
              below);
  draw_threshold_line (cr, &frame, scores->threshold);
  if (!isnan (scores->threshold))
    {
      g_autofree char *number = report_decimals (scores->threshold, 3);
      g_autofree char *label = g_strdup_printf ("threshold %s", number);
      double half = sheet_text_width (cr, sheet_body, label) / 2;

      sheet_text (cr,
                  CLAMP (sheet_x (&frame, scores->threshold), frame.left + half,
                         frame.left + frame.width - half),
                  frame.top - 10, ALIGN_CENTRE, sheet_body, label);
    }
  return sheet_save (cr, path, replace, error);
}

/* ---- pages ---- */

typedef struct
{
  guint columns, rows;
  double panel_width, panel_height; /* of the drawing area */
} Page;

static Page
lay_out (guint n)
{
  Page page = { .columns = MIN (MAX (n, 1), MOST_COLUMNS) };

  page.rows = (MAX (n, 1) + page.columns - 1) / page.columns;
  page.panel_width =
      (SHEET_WIDTH - 2 * SHEET_MARGIN - (page.columns - 1) * PANEL_GAP) / page.columns;
  /* Few panels would be larger than the page is high. */
  page.panel_width = MIN (page.panel_width,
                          SHEET_HEIGHT - SHEET_TITLE_HEIGHT - PANEL_HEAD - PANEL_FOOT - PANEL_GAP);
  page.panel_height = page.panel_width;
  return page;
}

static SheetFrame
panel_frame (const Page *page, guint i)
{
  double across = page->panel_width + PANEL_GAP,
         down = page->panel_height + PANEL_HEAD + PANEL_FOOT;

  return (SheetFrame){ SHEET_MARGIN + i % page->columns * across,
                       SHEET_TITLE_HEIGHT + PANEL_HEAD + i / page->columns * down,
                       page->panel_width,
                       page->panel_height,
                       { 0, 1 },
                       { 0, 1 } };
}

static void
draw_panel_head (cairo_t *cr, const SheetFrame *frame, const char *name, const Judged *judged)
{
  static const SheetType name_type = { 12.5, TRUE, INK_TEXT }, auroc_type = { 12, FALSE, INK_TEXT };
  g_autofree char *auroc = auroc_text (judged);

  sheet_text_wrapped (cr, frame->left, frame->top - 25, frame->width, name_type, name);
  sheet_text (cr, frame->left, frame->top - 8, ALIGN_LEFT, auroc_type, auroc);
}

static void
draw_roc_panel (cairo_t *cr, SheetFrame *frame, const ReportScores *scores, const Judged *judged,
                gboolean is_leftmost)
{
  ReportTicks ticks = report_ticks (frame->x, 3);

  sheet_x_axis (cr, frame, &ticks, AXIS_GRID | AXIS_LABELS, sheet_small);
  sheet_y_axis (cr, frame, &ticks, is_leftmost ? AXIS_GRID | AXIS_LABELS : AXIS_GRID, sheet_small);
  draw_roc_frame (cr, frame, scores, judged, 2, 4);
}

static void
draw_histogram_panel (cairo_t *cr, SheetFrame *frame, const ReportScores *scores,
                      const Judged *judged, gboolean is_leftmost)
{
  ReportTicks ticks = report_ticks (frame->x, 3);
  double shares[2][BINS], largest = count_bins (scores, judged, shares);

  frame->y = (ReportRange){ -largest, largest };
  sheet_x_axis (cr, frame, &ticks, AXIS_GRID | AXIS_LABELS, sheet_small);
  draw_bins (cr, frame, shares);
  draw_threshold_line (cr, frame, scores->threshold);
}

typedef void (*PanelFunc) (cairo_t *cr, SheetFrame *frame, const ReportScores *scores,
                           const Judged *judged, gboolean is_leftmost);

static gboolean
plot_page (const ReportScores *classes, guint n, const char *title, const char *subtitle,
           PanelFunc draw, const char *path, gboolean replace, GError **error)
{
  Page page = lay_out (n);
  double height =
      SHEET_TITLE_HEIGHT + page.rows * (page.panel_height + PANEL_HEAD + PANEL_FOOT) + PANEL_GAP;
  cairo_t *cr = sheet_new (SHEET_WIDTH, MAX (height, SHEET_HEIGHT));

  sheet_title (cr, title, subtitle);
  for (guint i = 0; i < n; i++)
    {
      SheetFrame frame = panel_frame (&page, i);
      g_auto (Judged) judged = judge (&classes[i]);

      draw_panel_head (cr, &frame, classes[i].name, &judged);
      draw (cr, &frame, &classes[i], &judged, i % page.columns == 0);
    }
  return sheet_save (cr, path, replace, error);
}

gboolean
report_plot_roc_page (const ReportScores *classes, guint n_classes, const char *subtitle,
                      const char *path, gboolean replace, GError **error)
{
  g_autofree char *remark = g_strdup_printf (
      "%s%sAUROC with its 95 %% interval; across: 1 - specificity, up: sensitivity; "
      "the ring is the threshold",
      subtitle != NULL ? subtitle : "", subtitle != NULL ? "; " : "");

  return plot_page (classes, n_classes, "ROC curves", remark, draw_roc_panel, path, replace, error);
}

gboolean
report_plot_histogram_page (const ReportScores *classes, guint n_classes, const char *subtitle,
                            const char *path, gboolean replace, GError **error)
{
  g_autofree char *remark = g_strdup_printf (
      "%s%spositives rise (blue), negatives hang (orange), each as shares of its kind; "
      "the dashed line is the threshold",
      subtitle != NULL ? subtitle : "", subtitle != NULL ? "; " : "");

  return plot_page (classes, n_classes, "Predicted probabilities", remark, draw_histogram_panel,
                    path, replace, error);
}

#include "finding.h"

#include "catalog/labels.h"

#include <math.h>

double
finding_step (double threshold, int hundredths)
{
  return CLAMP (round (threshold * 100) + hundredths, 0, 100) / 100;
}

double
finding_threshold (const Finding *finding, const JobEpoch *epoch)
{
  double own = epoch->table->classes[finding->class_index].threshold;

  return !isnan (finding->threshold) ? finding->threshold : isnan (own) ? 0.5 : own;
}

double *
finding_probabilities (const JobEpoch *epoch, guint class_index, guint8 **labels)
{
  double *probabilities;

  if (epoch->n == 0 || epoch->logits == NULL || epoch->labels == NULL)
    return NULL;
  probabilities = g_new (double, epoch->n);
  *labels = g_new (guint8, epoch->n);
  for (gsize i = 0; i < epoch->n; i++)
    {
      gsize at = i * epoch->table->n_classes + class_index;

      probabilities[i] = metrics_probability (epoch->logits[at]);
      (*labels)[i] = epoch->labels[at];
    }
  return probabilities;
}

static void
set_youden (Finding *finding, const JobEpoch *epoch)
{
  g_autofree guint8 *labels = NULL;
  g_autofree double *probabilities = finding_probabilities (epoch, finding->class_index, &labels);

  if (probabilities != NULL)
    finding->threshold = metrics_youden_threshold (probabilities, labels, epoch->n);
}

gboolean
finding_command (Finding *finding, const JobEpoch *epoch, Command command)
{
  double threshold = finding_threshold (finding, epoch);
  guint n = epoch->table->n_classes;

  switch (command)
    {
    case COMMAND_FINDING_LOWER:
      finding->threshold = finding_step (threshold, -FINDING_STEP);
      return TRUE;
    case COMMAND_FINDING_HIGHER:
      finding->threshold = finding_step (threshold, FINDING_STEP);
      return TRUE;
    case COMMAND_FINDING_MUCH_LOWER:
      finding->threshold = finding_step (threshold, -FINDING_BIG_STEP);
      return TRUE;
    case COMMAND_FINDING_MUCH_HIGHER:
      finding->threshold = finding_step (threshold, FINDING_BIG_STEP);
      return TRUE;
    case COMMAND_FINDING_YOUDEN:
      set_youden (finding, epoch);
      return TRUE;
    case COMMAND_FINDING_RESET:
      finding->threshold = NAN;
      return TRUE;
    case COMMAND_FINDING_NEXT:
    case COMMAND_FINDING_PREVIOUS:
      finding->class_index =
          (finding->class_index + (command == COMMAND_FINDING_NEXT ? 1 : n - 1)) % n;
      finding->threshold = NAN;
      return TRUE;
    default:
      return FALSE;
    }
}

/* ---- drawing ---- */

static ReportCanvas *
canvas_of (Area area)
{
  ReportCanvas *canvas =
      report_canvas_new ((guint) MAX (area.width, 0), (guint) MAX (area.height, 0),
                         theme_ascii () ? REPORT_GLYPHS_ASCII : REPORT_GLYPHS_BRAILLE);

  report_canvas_axes (canvas, (ReportRange){ 0, 1 }, (ReportRange){ 0, 1 });
  return canvas;
}

static void
draw_roc (Area area, const double *probabilities, const guint8 *labels, gsize n,
          MetricsConfusion here)
{
  Area body = area_rows (area, 1, area.height - 1);
  g_autoptr (ReportCanvas) canvas = canvas_of (body);
  g_autoptr (GArray) curve = metrics_roc (probabilities, labels, n);

  draw_rule (area, 0, "ROC: sensitivity by 1-specificity");
  report_canvas_line (canvas, 0, 0, 1, 1, REPORT_SERIES_AXIS);
  for (guint i = 1; i < curve->len; i++)
    {
      const MetricsRocPoint *a = &g_array_index (curve, MetricsRocPoint, i - 1), *b = a + 1;

      report_canvas_line (canvas, a->false_positive_rate, a->sensitivity, b->false_positive_rate,
                          b->sensitivity, 0);
    }
  report_canvas_point (canvas, 1 - metrics_specificity (here), metrics_sensitivity (here), 1);
  draw_canvas (body, canvas, (guint) MAX (body.width, 0), (guint) MAX (body.height, 0));
}

/** Positives above, negatives below, each as shares of the fullest bin of its kind. */
static void
draw_histogram (Area area, const double *probabilities, const guint8 *labels, gsize n,
                double threshold)
{
  guint bins = (guint) MAX (area.width, 0);
  g_autofree guint *counts = g_new0 (guint, bins + 1);
  g_autofree double *heights = g_new0 (double, bins + 1);

  draw_rule (area, 0, "scores from 0 to 1");
  if (bins == 0)
    return;
  for (int kind = 0; kind < 2; kind++)
    {
      guint8 wanted = kind == 0;
      gsize counted = report_histogram (probabilities, labels, wanted, n, counts, bins);
      g_autofree char *line = NULL;

      for (guint i = 0; i < bins; i++)
        heights[i] = counts[i] > 0 ? counts[i] : NAN;
      line = report_sparkline (heights, bins, (ReportRange){ 0, report_range (heights, bins).high },
                               theme_ascii ());
      draw_printf (area, 1 + 3 * kind, 0, kind == 0 ? ROLE_SERIES_1 : ROLE_SERIES_2,
                   "%s (%" G_GSIZE_FORMAT ")", wanted ? "positives" : "negatives", counted);
      draw_text (area, 2 + 3 * kind, 0, kind == 0 ? ROLE_SERIES_1 : ROLE_SERIES_2, line);
    }
  draw_text (area, 3, MIN ((int) (threshold * bins), (int) bins - 1), ROLE_STRONG, "^");
}

static double
share (guint part, guint rest)
{
  return part + rest > 0 ? (double) part / (part + rest) : NAN;
}

static void
draw_share (Area area, int row, int column, const char *name, double value)
{
  if (isnan (value))
    draw_printf (area, row, column, ROLE_DIM, "%-11s %5s", name, symbol (SYMBOL_DASH));
  else
    draw_printf (area, row, column, ROLE_NORMAL, "%-11s %5.3f", name, value);
}

static void
draw_numbers (Area area, const MetricsClass *class, MetricsConfusion c, double threshold)
{
  draw_printf (area, 0, 0, ROLE_STRONG, "threshold %.3f", threshold);
  if (!isnan (class->auroc.value))
    draw_printf (area, 1, 0, ROLE_NORMAL, "AUROC %.3f (%.3f-%.3f)", class->auroc.value,
                 class->auroc.low, class->auroc.high);
  draw_share (area, 2, 0, "sensitivity", metrics_sensitivity (c));
  draw_share (area, 3, 0, "specificity", metrics_specificity (c));
  draw_share (area, 4, 0, "PPV", share (c.tp, c.fp));
  draw_share (area, 5, 0, "NPV", share (c.tn, c.fn));
  draw_printf (area, 2, 19, ROLE_COLUMN, "%13s %5s", "called +", "-");
  draw_printf (area, 3, 19, ROLE_NORMAL, "present %5u %5u", c.tp, c.fn);
  draw_printf (area, 4, 19, ROLE_NORMAL, "absent  %5u %5u", c.fp, c.tn);
}

void
finding_draw (const Finding *finding, const JobEpoch *epoch, Area area)
{
  const MetricsClass *class = &epoch->table->classes[finding->class_index];
  g_autofree guint8 *labels = NULL;
  g_autofree double *probabilities = finding_probabilities (epoch, finding->class_index, &labels);
  double threshold = finding_threshold (finding, epoch);
  gboolean beside = area.width >= 80;
  MetricsConfusion confusion;
  Area plot, rest;

  draw_printf (area, 0, 0, ROLE_STRONG, "%s, epoch %u", catalog_label_name (finding->class_index),
               epoch->epoch);
  area = area_rows (area, 1, area.height - 1);
  if (probabilities == NULL)
    {
      draw_text (area, 1, 0, ROLE_DIM,
                 "This epoch's scores are not kept; those of the kept epoch are: Esc, then h or l");
      return;
    }
  confusion = metrics_confusion (probabilities, labels, epoch->n, threshold);
  plot = beside ? area_columns (area, 0, area.width / 2) : area_rows (area, 14, area.height - 14);
  rest = beside ? area_columns (area, area.width / 2 + 1, area.width - area.width / 2 - 1)
                : area_rows (area, 0, 14);
  draw_numbers (rest, class, confusion, threshold);
  draw_histogram (area_rows (rest, 7, rest.height - 7), probabilities, labels, epoch->n, threshold);
  draw_roc (plot, probabilities, labels, epoch->n, confusion);
}

/* The views beside the form: the plan, the loss, the label shares, the preview's table. */
#include "experiment_private.h"

#include "report/text_table.h"

#include <math.h>

#define CURVE_POINTS 200
#define PERCENT 100.0

static const char *const split_names[STUDY_N_SPLITS] = {
  [CATALOG_SPLIT_TRAIN] = "train", [CATALOG_SPLIT_VALID] = "valid"
};

char *
experiment_duration (double seconds)
{
  if (isnan (seconds))
    return g_strdup ("time unknown");
  if (seconds < 90)
    return g_strdup_printf ("about %.0f s", ceil (seconds));
  if (seconds < 90 * 60)
    return g_strdup_printf ("about %.0f min", seconds / 60);
  return g_strdup_printf ("about %.1f h", seconds / 3600);
}

static void
draw_lines (Area area, int first, Role role, const char *text)
{
  g_auto (GStrv) lines = text_wrap (text, area.width - 1);

  for (int i = 0; lines[i] != NULL && first + i < area.height; i++)
    draw_text (area, first + i, 1, role, lines[i]);
}

/* ---- what is to be done ---- */

static void
draw_counts (Area area, int row, const char *title, gsize train, gsize valid)
{
  g_autofree char *left = report_count (train), *right = report_count (valid);

  draw_text_in (area, row, 1, 16, 'l', ROLE_NORMAL, title);
  draw_text_in (area, row, 17, 8, 'r', ROLE_STRONG, left);
  draw_text_in (area, row, 26, 8, 'r', ROLE_STRONG, right);
}

static gsize
left_to_encode (const StudyPlanSplit *split)
{
  return split->n - split->cached - split->lost;
}

/** The line that says what t would do. */
static void
draw_outlook (Experiment *self, Area area, int row)
{
  const StudyPlan *plan = &self->plan;
  gsize lost = plan->splits[CATALOG_SPLIT_TRAIN].lost + plan->splits[CATALOG_SPLIT_VALID].lost;
  g_autofree char *time = experiment_duration (plan->seconds);
  g_autofree char *left_out =
      lost > 0 ? g_strdup_printf ("; %" G_GSIZE_FORMAT " left out", lost) : g_strdup ("");
  g_autofree char *words = NULL;
  gboolean can = experiment_checkpoint (self) != NULL && app_volumes_directory (self->app) != NULL;

  if (plan->to_encode == 0)
    words = g_strdup_printf ("t trains at once%s", left_out);
  else if (can)
    words = g_strdup_printf ("t encodes (%s), then trains%s", time, left_out);
  else
    words = g_strdup ("fill in checkpoint and volumes");
  draw_text_in (area, row, 1, area.width - 1, 'l',
                can || plan->to_encode == 0 ? ROLE_GOOD : ROLE_WARNING, words);
}

static void
draw_plan (Experiment *self, Area area)
{
  const StudyPlanSplit *train = &self->plan.splits[CATALOG_SPLIT_TRAIN];
  const StudyPlanSplit *valid = &self->plan.splits[CATALOG_SPLIT_VALID];

  draw_rule (area, 0, "To do");
  if (!self->planned)
    {
      draw_lines (area, 1, self->plan_fault != NULL ? ROLE_BAD : ROLE_DIM,
                  self->plan_fault != NULL  ? self->plan_fault
                  : self->workspace == NULL ? "No workspace is open: :demo makes a synthetic "
                                              "cohort, 1 imports CT-RATE tables"
                                            : "Counting ...");
      return;
    }
  draw_text_in (area, 1, 17, 8, 'r', ROLE_COLUMN, split_names[CATALOG_SPLIT_TRAIN]);
  draw_text_in (area, 1, 26, 8, 'r', ROLE_COLUMN, split_names[CATALOG_SPLIT_VALID]);
  draw_counts (area, 2, "kept records", train->of, valid->of);
  draw_counts (area, 3, "in the sample", train->n, valid->n);
  draw_counts (area, 4, "have latents", train->cached, valid->cached);
  draw_counts (area, 5, "to encode", left_to_encode (train), left_to_encode (valid));
  draw_text (area, 6, 1, ROLE_NORMAL, "encoder");
  draw_text_in (area, 6, 19, area.width - 19, 'l',
                self->plan.encoder != NULL ? ROLE_STRONG : ROLE_DIM,
                self->plan.encoder != NULL ? self->plan.encoder : "none yet");
  draw_outlook (self, area, 7);
}

/* ---- the loss ---- */

static void
draw_curve (Experiment *self, Area area)
{
  const TrainParameters *parameters = app_parameters (self->app);
  const StudyPlanSplit *train = &self->plan.splits[CATALOG_SPLIT_TRAIN];
  double share = self->planned ? train->shares.share_sample[self->finding] : NAN;
  double pos_weight = form_pos_weight (parameters, self->finding, share);
  double probabilities[CURVE_POINTS], losses[2][CURVE_POINTS], most = 0;
  Area plot = area_columns (area_rows (area, 3, area.height - 3), 1, area.width - 1);
  g_autoptr (ReportCanvas) canvas =
      report_canvas_new ((guint) plot.width, (guint) plot.height,
                         theme_ascii () ? REPORT_GLYPHS_ASCII : REPORT_GLYPHS_BRAILLE);
  g_autofree char *gamma = train_parameters_get (parameters, "gamma");
  g_autofree char *alpha = train_parameters_get (parameters, "alpha");
  g_autofree char *title =
      g_strdup_printf ("Loss by probability: %s", catalog_label_name (self->finding));
  int column;

  draw_rule (area, 0, title);
  draw_printf (area, 1, 1, ROLE_NORMAL, "gamma %s  alpha %s  pos_weight %.3g", gamma, alpha,
               pos_weight);
  column = 1 + draw_text (area, 2, 1, ROLE_SERIES_1, "1 with the finding");
  draw_text (area, 2, column + 2, ROLE_SERIES_2, "2 without it");

  for (guint8 label = 0; label < 2; label++)
    form_focal_curve (parameters, pos_weight, label, probabilities, losses[label], CURVE_POINTS);
  /* A scan that is called wrongly with 95 % is as far as the axis goes. */
  for (guint i = CURVE_POINTS / 20; i < CURVE_POINTS - CURVE_POINTS / 20; i++)
    most = fmax (most, fmax (losses[0][i], losses[1][i]));
  report_canvas_axes (canvas, (ReportRange){ 0, 1 }, (ReportRange){ 0, most > 0 ? most : 1 });
  report_canvas_path (canvas, probabilities, losses[1], CURVE_POINTS, 0);
  report_canvas_path (canvas, probabilities, losses[0], CURVE_POINTS, 1);
  draw_canvas (plot, canvas, (guint) plot.width, (guint) plot.height);
}

/* ---- label shares ---- */

/** One row: name, bar, share in all, in the sample, deviation in points. */
static void
draw_share (Area area, int row, const StratifyShares *shares, guint label, double most)
{
  double all = shares->share_all[label], sample = shares->share_sample[label];
  double points = (sample - all) * PERCENT;
  int numbers = area.width - 21, name_width = CLAMP (numbers / 2, 12, 34);
  int bar = numbers - name_width - 1;

  draw_text_in (area, row, 1, name_width, 'l', ROLE_NORMAL, catalog_label_name (label));
  if (bar > 2)
    draw_bar (area, row, name_width + 2, bar - 1, sample / most, ROLE_SERIES_1);
  if (isnan (points))
    {
      draw_text_in (area, row, area.width - 20, 6, 'r', ROLE_DIM, symbol (SYMBOL_DASH));
      return;
    }
  draw_printf (area, row, area.width - 20, ROLE_DIM, "%6.2f", all * PERCENT);
  draw_printf (area, row, area.width - 13, ROLE_NORMAL, "%6.2f", sample * PERCENT);
  draw_printf (area, row, area.width - 6, fabs (points) > 1 ? ROLE_WARNING : ROLE_DIM, "%+6.2f",
               points);
}

static void
draw_split_shares (Experiment *self, Area area, CatalogSplit split)
{
  const StratifyShares *shares = &self->plan.splits[split].shares;
  g_autofree char *title = g_strdup_printf ("Label shares, %s (%%)", split_names[split]);
  double most = 0;

  draw_rule (area, 0, title);
  if (!self->planned)
    return;
  for (guint label = 0; label < shares->n_labels; label++)
    most = fmax (most, fmax (shares->share_sample[label], shares->share_all[label]));
  draw_text_in (area, 1, 1, 20, 'l', ROLE_COLUMN, "finding");
  draw_text_in (area, 1, area.width - 20, 6, 'r', ROLE_COLUMN, "all");
  draw_text_in (area, 1, area.width - 13, 6, 'r', ROLE_COLUMN, "sample");
  draw_text_in (area, 1, area.width - 6, 6, 'r', ROLE_COLUMN, "diff");
  for (guint label = 0; label < shares->n_labels; label++)
    draw_share (area, (int) label + 2, shares, label, most > 0 ? most : 1);
  draw_printf (area, (int) shares->n_labels + 2, 1, ROLE_DIM, "largest deviation %.2f points",
               shares->max_deviation * PERCENT);
}

static void
draw_shares (Experiment *self, Area area)
{
  int each = CATALOG_N_LABELS + 3;

  draw_split_shares (self, area_rows (area, 0, each), CATALOG_SPLIT_TRAIN);
  if (area.height >= 2 * each - 1)
    draw_split_shares (self, area_rows (area, each, area.height - each), CATALOG_SPLIT_VALID);
}

/* ---- the preview ---- */

static void
draw_table (Experiment *self, Area area)
{
  g_autofree char *title = experiment_live_words (self);
  Area body = area_rows (area, 1, area.height - 1);

  draw_rule (area, 0, title);
  if (self->live && self->live_fault != NULL)
    draw_lines (body, 0, ROLE_BAD, self->live_fault);
  else if (self->epochs != NULL)
    metrics_view_draw (&self->table, body, self->epochs, self->shown,
                       self->last != NULL ? self->last->table : NULL, FALSE);
  else
    draw_lines (
        body, 0, ROLE_DIM,
        !self->live ? "L turns live mode on: every change of a field trains again at once, "
                      "and this table follows. t trains a run that is kept."
        : self->planned && !experiment_live_ready (self)
            ? "None of the sample's scans has a latent yet. t encodes them and trains; then "
              "every change shows here at once."
            : "The first result comes in a moment.");
}

void
experiment_draw_views (Experiment *self, const ExperimentLayout *layout)
{
  static void (*const draw[N_EXPERIMENT_VIEWS]) (Experiment * self,
                                                 Area area) = { [EXPERIMENT_PLAN] = draw_plan,
                                                                [EXPERIMENT_CURVE] = draw_curve,
                                                                [EXPERIMENT_SHARES] = draw_shares,
                                                                [EXPERIMENT_TABLE] = draw_table };

  for (int view = 0; view < N_EXPERIMENT_VIEWS; view++)
    if (layout->views[view].height > 0 && layout->views[view].width > 0)
      draw[view](self, layout->views[view]);
}

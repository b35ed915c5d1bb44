#include "training_private.h"

#include "catalog/labels.h"
#include "report/text_table.h"

#include <math.h>
#include <string.h>

#define HEAD_ROWS 2
#define TABLE_ROWS (2 + CATALOG_N_LABELS)
#define TABLE_COLUMNS 78  /* what the table needs for most of its columns */
#define CURVES_COLUMNS 38 /* below that a curve says little */
#define CURVES_ROWS 8
#define WIDEST_TABLE 116   /* it has room for everything then, and for 20 epochs */
#define FINDING_COLUMNS 82 /* for a curve beside the numbers */

TrainingLayout
training_layout (Area area, gboolean has_epochs, gboolean curves)
{
  TrainingLayout layout = { .head = area_rows (area, 0, has_epochs ? HEAD_ROWS : area.height) };
  Area body = area_rows (area, HEAD_ROWS, area.height - HEAD_ROWS);

  if (!has_epochs)
    return layout;
  layout.table = body;
  if (body.height > TABLE_ROWS + CURVES_ROWS && area.width >= 2 * CURVES_COLUMNS)
    {
      layout.table = area_rows (body, 0, TABLE_ROWS);
      layout.curves = area_rows (body, TABLE_ROWS + 1, body.height - TABLE_ROWS - 1);
      if (area.width >= WIDEST_TABLE + FINDING_COLUMNS)
        {
          layout.finding =
              area_columns (layout.table, WIDEST_TABLE + 1, area.width - WIDEST_TABLE - 1);
          layout.table = area_columns (layout.table, 0, WIDEST_TABLE);
        }
    }
  else if (area.width > TABLE_COLUMNS + CURVES_COLUMNS)
    {
      int width = MAX (TABLE_COLUMNS, area.width / 2);

      layout.table = area_columns (body, 0, width);
      layout.curves = area_columns (body, width + 1, area.width - width - 1);
    }
  else if (curves)
    layout = (TrainingLayout){ .head = layout.head, .curves = body };
  return layout;
}

static const char *
state_text (const JobSnapshot *job)
{
  static const char *const states[] = { [JOB_RUNNING] = "running",
                                        [JOB_DONE] = "done",
                                        [JOB_FAILED] = "failed",
                                        [JOB_CANCELLED] = "cancelled" };

  return job->state == JOB_RUNNING && job->paused ? "paused" : states[job->state];
}

/** "encoding [bar] 12/40 scans, 1.5/s  20 s left": rates are those of the stage. Returns the column
 * behind it. */
static int
draw_progress (Area area, int row, const char *stage, const char *unit, guint64 done, guint64 total,
               double rate_per_s, double eta_s)
{
  g_autofree char *counts = report_counts (done, total, unit, rate_per_s);
  int bar = MAX (area.width / 4, 4), at = draw_printf (area, row, 0, ROLE_NORMAL, "%s ", stage);

  if (total > 0)
    {
      draw_bar (area, row, at, bar, (double) done / (double) total, ROLE_ACCENT);
      at += bar + 1;
    }
  at += draw_text (area, row, at, ROLE_STRONG, counts);
  if (!isnan (eta_s))
    {
      g_autofree char *left = report_duration (eta_s);

      at += draw_printf (area, row, at, ROLE_DIM, "  %s left", left);
    }
  return at;
}

/** At the right, where there is room behind @from. */
static void
draw_epoch (Area area, int from, const JobEpoch *epoch)
{
  g_autofree char *text = g_strdup_printf ("epoch %u  loss %.4f", epoch->epoch, epoch->train_loss);
  int at = area.width - text_width (text);

  if (at > from + 1)
    draw_text (area, 0, at, ROLE_STRONG, text);
}

const char *
training_skip_reason (const JobSkip *skip)
{
  g_autofree char *stem = g_strndup (skip->name, strcspn (skip->name, "."));
  const char *name = g_path_is_absolute (skip->reason) ? g_strrstr (skip->reason, stem) : NULL;
  const char *end = name != NULL && *stem != '\0' ? strstr (name, ": ") : NULL;

  return end != NULL ? end + strlen (": ") : skip->reason;
}

/** The last ones that have room, with their reasons. */
static void
draw_skips (Area area, GPtrArray *skips)
{
  guint room = (guint) MAX (area.height - 1, 0), first = skips->len > room ? skips->len - room : 0;

  if (skips->len == 0)
    return;
  draw_rule (area, 0, "left out");
  for (guint i = first; i < skips->len; i++)
    {
      const JobSkip *skip = g_ptr_array_index (skips, i);
      int at = draw_printf (area, 1 + (int) (i - first), 0, ROLE_WARNING, "%s  ", skip->name);

      draw_text_in (area, 1 + (int) (i - first), at, area.width - at, 'l', ROLE_NORMAL,
                    training_skip_reason (skip));
    }
}

static int
draw_job (Training *self, const JobSnapshot *job, Area area)
{
  g_autofree char *elapsed = report_duration (job->elapsed_s);
  int at = draw_printf (area, 0, 0, ROLE_STRONG, "%s", app_job_title (self->app));

  at += draw_printf (area, 0, at, job->state == JOB_FAILED ? ROLE_BAD : ROLE_NORMAL, "  %s  %s",
                     state_text (job), elapsed);
  if (job->cached > 0)
    at += draw_printf (area, 0, at, ROLE_DIM, "  %u cached", job->cached);
  if (job->skips->len > 0)
    at += draw_printf (area, 0, at, ROLE_WARNING, "  %u left out (f)", job->skips->len);
  if (job->step_total > 0)
    at += draw_printf (area, 0, at, ROLE_DIM, "  step %u/%u", job->step_done, job->step_total);
  if (job->epochs->len > 0)
    draw_epoch (area, at, g_ptr_array_index (job->epochs, MIN (self->shown, job->epochs->len - 1)));
  at = draw_progress (area, 1, job->stage != NULL ? job->stage : "",
                      job->unit != NULL ? job->unit : "", job->done, job->total, job->rate_per_s,
                      job->state == JOB_RUNNING ? job->eta_s : NAN);
  if (job->epochs->len > 0)
    return at;
  draw_text (area, 2, 0, ROLE_NORMAL, job->message != NULL ? job->message : "");
  for (guint i = 0; i < job->warnings->len; i++)
    draw_text (area, 3 + (int) i, 0, ROLE_WARNING, g_ptr_array_index (job->warnings, i));
  draw_skips (area_rows (area, 4 + (int) job->warnings->len, area.height), job->skips);
  return area.width;
}

static int
draw_watched (const StudyProgress *watched, Area area)
{
  return draw_progress (area, 1, watched->stage, watched->unit, watched->done, watched->total,
                        watched->rate_per_s, watched->eta_s);
}

/** A stored run: what it is, and which of its epochs is in view. Returns the column behind it. */
static int
draw_run (Training *self, const TrainingRun *run, Area area)
{
  const StudyProgress *watched = app_watched (self->app);
  guint n = run->epochs->len;
  const JobEpoch *epoch = n > 0 ? g_ptr_array_index (run->epochs, MIN (self->shown, n - 1)) : NULL;
  int at = draw_printf (area, 0, 0, ROLE_STRONG, "%s  ", run->name);

  draw_text_in (area, 0, at, area.width - at, 'l', ROLE_NORMAL, run->about);
  if (self->follows && watched != NULL)
    return draw_watched (watched, area);
  if (epoch == NULL)
    at = draw_printf (area, 1, 0, ROLE_DIM, "no epoch was finished");
  else
    at = draw_printf (area, 1, 0, ROLE_NORMAL, "epoch %u of %u%s  loss %.4f", epoch->epoch, n,
                      (int) epoch->epoch == run->kept_epoch ? ", the one kept" : "",
                      epoch->train_loss);
  if (app_job_running (self->app))
    at += draw_printf (area, 1, at, ROLE_ACCENT, "  (Esc: the job that runs)");
  return at;
}

/** What the table's changes are changes from, where there is room behind @from. */
static void
draw_compared (const TrainingRun *compared, Area area, int from)
{
  g_autofree char *text = g_strdup_printf (
      theme_ascii () ? "run +-: since %s" : "run \xce\x94: since %s", compared->name);
  int at = area.width - text_width (text);

  if (at > from + 1)
    draw_text (area, 1, at, ROLE_NORMAL, text);
}

static void
draw_head (Training *self, Area area)
{
  const JobSnapshot *job = app_job_snapshot (self->app);
  const StudyProgress *watched = app_watched (self->app);
  const TrainingRun *run = training_run (self);
  int at = area.width;

  if (run != NULL)
    at = draw_run (self, run, area);
  else if (job != NULL)
    at = draw_job (self, job, area);
  else if (watched != NULL)
    {
      draw_printf (area, 0, 0, ROLE_STRONG, "%s, by another program (process %d): watched",
                   watched->name, watched->pid);
      at = draw_watched (watched, area);
    }
  else if (self->loading != NULL)
    draw_text (area, 0, 0, ROLE_DIM, "Reading a run…");
  else
    draw_text (area, 0, 0, ROLE_DIM,
               "No job runs: 3 sets the parameters, t there trains; 5 has the stored runs");
  if (self->compared != NULL)
    draw_compared (self->compared, area, at);
}

static void
draw_curve (Area area, const char *title, const double *x, const double *y, guint n, int series,
            double at)
{
  Area body = area_rows (area, 1, area.height - 1);
  g_autoptr (ReportCanvas) canvas =
      report_canvas_new ((guint) MAX (body.width, 0), (guint) MAX (body.height, 0),
                         theme_ascii () ? REPORT_GLYPHS_ASCII : REPORT_GLYPHS_BRAILLE);

  draw_rule (area, 0, title);
  report_canvas_whole_x (canvas);
  report_canvas_axes (canvas, report_range (x, n), report_range (y, n));
  report_canvas_path (canvas, x, y, n, series);
  for (guint i = 0; i < n; i++)
    if (x[i] == at)
      report_canvas_point (canvas, x[i], y[i], series);
  draw_canvas (body, canvas, (guint) MAX (body.width, 0), (guint) MAX (body.height, 0));
}

static void
draw_curves (Area area, GPtrArray *epochs, guint shown)
{
  guint n = epochs->len;
  g_autofree double *x = g_new (double, n), *loss = g_new (double, n), *macro = g_new (double, n);
  gboolean beside = area.width >= 2 * CURVES_COLUMNS;
  int half = beside ? area.width / 2 : area.height / 2;

  if (area.height <= 0 || area.width <= 0)
    return;
  for (guint i = 0; i < n; i++)
    {
      const JobEpoch *epoch = g_ptr_array_index (epochs, i);

      x[i] = epoch->epoch;
      loss[i] = epoch->train_loss;
      macro[i] = epoch->table->macro_auroc.value;
    }
  /* What both have no room for shows how good the run is. */
  if (!beside && area.height < CURVES_ROWS)
    half = 0;
  if (half > 0)
    draw_curve (beside ? area_columns (area, 0, half - 1) : area_rows (area, 0, half),
                "training loss", x, loss, n, 1, x[shown]);
  draw_curve (beside ? area_columns (area, half, area.width - half)
                     : area_rows (area, half, area.height - half),
              "macro AUROC", x, macro, n, 0, x[shown]);
}

void
training_draw (Training *self, Area area)
{
  GPtrArray *epochs = training_epochs (self);
  gboolean has_epochs = epochs != NULL && epochs->len > 0;
  TrainingLayout layout = training_layout (area, has_epochs, self->curves);

  if (has_epochs && self->latest)
    self->shown = epochs->len - 1;
  self->shown = has_epochs ? MIN (self->shown, epochs->len - 1) : 0;
  if (has_epochs && self->open)
    {
      finding_draw (&self->finding, g_ptr_array_index (epochs, self->shown), area);
      return;
    }
  draw_head (self, layout.head);
  if (!has_epochs)
    return;
  metrics_view_draw (&self->table, layout.table, epochs, self->shown, training_compared (self),
                     TRUE);
  draw_curves (layout.curves, epochs, self->shown);
  if (layout.finding.width > 0)
    {
      const Finding finding = {
        metrics_view_class (&self->table, epochs, self->shown, training_compared (self)), NAN
      };

      finding_draw (&finding, g_ptr_array_index (epochs, self->shown), layout.finding);
    }
}

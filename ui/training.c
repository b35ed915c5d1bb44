#include "training.h"

#include "training_private.h"

#include "records.h"

#include <math.h>

static gpointer
create (App *app)
{
  Training *self = g_new0 (Training, 1);

  self->app = app;
  self->latest = TRUE;
  return self;
}

static void
destroy (gpointer screen)
{
  Training *self = screen;

  work_cancel (&self->loading);
  work_cancel (&self->loading_compared);
  work_cancel (&self->listing);
  training_run_free (self->run);
  training_run_free (self->compared);
  g_clear_pointer (&self->choices, g_ptr_array_unref);
  g_free (self);
}

static const int *
scopes (gpointer screen)
{
  static const int table[] = { SCOPE_TRAINING, SCOPE_LIST, SCOPE_ANYWHERE, -1 };
  static const int finding[] = { SCOPE_FINDING, SCOPE_ANYWHERE, -1 };

  return ((Training *) screen)->open ? finding : table;
}

static gboolean
useful (gpointer screen, Command command)
{
  const Training *self = screen;
  const JobSnapshot *job = app_job_snapshot (self->app);
  const GPtrArray *epochs = training_epochs (self);

  switch (command)
    {
    case COMMAND_TRAINING_OPEN:
    case COMMAND_TRAINING_SORT:
    case COMMAND_TRAINING_COMPARE:
    case COMMAND_TRAINING_VIEW:
      return epochs != NULL && epochs->len > 0;
    case COMMAND_TRAINING_EARLIER:
    case COMMAND_TRAINING_LATER:
      return epochs != NULL && epochs->len > 1;
    case COMMAND_TRAINING_PAUSE:
    case COMMAND_TRAINING_CANCEL:
      return app_job_running (self->app);
    case COMMAND_TRAINING_SKIPPED:
      return job != NULL && job->skips->len + job->warnings->len > 0;
    case COMMAND_FINDING_RECORDS:
    case COMMAND_FINDING_PNG:
      return training_run (self) != NULL; /* its predictions are stored */
    default:
      return TRUE;
    }
}

static void
enter (gpointer screen)
{
  training_load_latest (screen);
}

static void
draw (gpointer screen, Area area)
{
  training_draw (screen, area);
}

static void
step_epoch (Training *self, int step)
{
  GPtrArray *epochs = training_epochs (self);
  guint n = epochs != NULL ? epochs->len : 0;

  if (n == 0)
    return;
  self->shown = (guint) CLAMP ((int) self->shown + step, 0, (int) n - 1);
  self->latest = self->shown == n - 1;
}

static void
open_finding (Training *self)
{
  GPtrArray *epochs = training_epochs (self);

  if (epochs == NULL || epochs->len == 0)
    return;
  self->finding =
      (Finding){ metrics_view_class (&self->table, epochs, self->shown, training_compared (self)),
                 NAN };
  self->open = TRUE;
}

static void
show_skipped (Training *self)
{
  const JobSnapshot *job = app_job_snapshot (self->app);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; job != NULL && i < job->warnings->len; i++)
    g_string_append_printf (text, "%s\n", (char *) g_ptr_array_index (job->warnings, i));
  for (guint i = 0; job != NULL && i < job->skips->len; i++)
    {
      const JobSkip *skip = g_ptr_array_index (job->skips, i);

      g_string_append_printf (text, "%s  \t%s\n", skip->name, training_skip_reason (skip));
    }
  app_page (self->app, "Left out, and warnings",
            text->len > 0 ? text->str : "Nothing was left out, and nothing warned of.");
}

static void
cancel_job (gpointer data)
{
  app_job_cancel (((Training *) data)->app);
}

static gboolean
job_command (Training *self, Command command)
{
  const JobSnapshot *job = app_job_snapshot (self->app);

  if (!app_job_running (self->app) || job == NULL)
    app_message (self->app, "no job of this program runs");
  else if (command == COMMAND_TRAINING_PAUSE)
    app_job_pause (self->app, !job->paused);
  else
    app_confirm (self->app, "Cancel the job? What is stored stays.", cancel_job, self);
  return TRUE;
}

/** The errors of the finding come first in Records once its run is the chosen one. */
static void
show_records (Training *self)
{
  app_choose_run (self->app, self->run->id, self->run->name, self->finding.class_index);
  records_show_errors (app_screen_data (self->app, SCREEN_RECORDS));
  app_go_to (self->app, SCREEN_RECORDS);
}

/** What needs the run's stored predictions. */
static void
stored_finding_command (Training *self, Command command)
{
  if (self->run == NULL)
    app_error (self->app, "the run is not finished: its predictions are not stored yet");
  else if (command == COMMAND_FINDING_RECORDS)
    show_records (self);
  else
    training_write_finding (self);
}

static gboolean
run_command (Training *self, Command command)
{
  switch (command)
    {
    case COMMAND_TRAINING_OPEN:
      open_finding (self);
      return TRUE;
    case COMMAND_TRAINING_SORT:
      metrics_view_next_sort (&self->table);
      return TRUE;
    case COMMAND_TRAINING_REVERSE:
      self->table.descending = !self->table.descending;
      return TRUE;
    case COMMAND_TRAINING_COMPARE:
      training_choose_compared (self);
      return TRUE;
    case COMMAND_TRAINING_VIEW:
      self->curves = !self->curves;
      return TRUE;
    case COMMAND_TRAINING_EARLIER:
    case COMMAND_TRAINING_LATER:
      step_epoch (self, command == COMMAND_TRAINING_EARLIER ? -1 : 1);
      return TRUE;
    case COMMAND_TRAINING_PAUSE:
    case COMMAND_TRAINING_CANCEL:
      return job_command (self, command);
    case COMMAND_TRAINING_SKIPPED:
      show_skipped (self);
      return TRUE;
    default:
      return list_command (&self->table.list, command);
    }
}

static gboolean
command (gpointer screen, Command command)
{
  Training *self = screen;
  GPtrArray *epochs = training_epochs (self);
  gboolean done = TRUE;

  if (!self->open || epochs == NULL || self->shown >= epochs->len)
    done = run_command (self, command);
  else if (command == COMMAND_FINDING_RECORDS || command == COMMAND_FINDING_PNG)
    stored_finding_command (self, command);
  else
    done = finding_command (&self->finding, g_ptr_array_index (epochs, self->shown), command);
  app_redraw (self->app);
  return done;
}

static gboolean
back (gpointer screen)
{
  Training *self = screen;

  if (self->open)
    self->open = FALSE;
  else if (self->run != NULL && !self->run->unasked)
    {
      g_clear_pointer (&self->run, training_run_free);
      self->follows = FALSE;
      self->latest = TRUE;
      training_load_latest (self);
    }
  else
    return FALSE;
  app_redraw (self->app);
  return TRUE;
}

/** Another program's run is shown as it goes, unless a stored one was opened. */
static void
store_changed (gpointer screen)
{
  Training *self = screen;

  if (self->follows || (training_run (self) == NULL && app_watched (self->app) != NULL))
    training_follow (self);
}

static gboolean
mouse (gpointer screen, MouseAction action, int y, int x)
{
  Training *self = screen;

  if (self->open || !metrics_view_mouse (&self->table, action, y, x))
    return FALSE;
  if (action == MOUSE_DOUBLE_CLICK)
    open_finding (self);
  app_redraw (self->app);
  return TRUE;
}

/** A job that begins takes the view; a stored run opened while it runs stays there. */
static void
job_changed (gpointer screen, const JobSnapshot *snapshot)
{
  Training *self = screen;
  gboolean runs = app_job_running (self->app);

  if (runs && !self->job_ran)
    {
      work_cancel (&self->loading);
      g_clear_pointer (&self->run, training_run_free);
      self->follows = FALSE;
      self->latest = TRUE;
      self->open = FALSE;
    }
  self->job_ran = runs;
  app_redraw (self->app);
}

/* ---- what is kept ---- */

#define GROUP "Training"

static void
save (gpointer screen, GKeyFile *state)
{
  const Training *self = screen;

  g_key_file_set_integer (state, GROUP, "sort", self->table.sort);
  g_key_file_set_boolean (state, GROUP, "descending", self->table.descending);
  g_key_file_set_boolean (state, GROUP, "curves", self->curves);
  g_key_file_set_uint64 (state, GROUP, "cursor", self->table.list.cursor);
  g_key_file_set_int64 (state, GROUP, "run",
                        self->run != NULL && !self->run->unasked ? self->run->id : 0);
  g_key_file_set_int64 (state, GROUP, "compared", self->compared != NULL ? self->compared->id : 0);
}

static void
load (gpointer screen, GKeyFile *state)
{
  Training *self = screen;
  int sort = g_key_file_get_integer (state, GROUP, "sort", NULL);
  gint64 run = g_key_file_get_int64 (state, GROUP, "run", NULL);
  gint64 compared = g_key_file_get_int64 (state, GROUP, "compared", NULL);

  self->table.sort = sort >= 0 && sort < N_METRICS_SORTS ? (MetricsSort) sort : 0;
  self->table.descending = g_key_file_get_boolean (state, GROUP, "descending", NULL);
  self->curves = g_key_file_get_boolean (state, GROUP, "curves", NULL);
  self->table.list.cursor = g_key_file_get_uint64 (state, GROUP, "cursor", NULL);
  /* What is still being read is another workspace's. */
  work_cancel (&self->loading);
  work_cancel (&self->loading_compared);
  g_clear_pointer (&self->run, training_run_free);
  g_clear_pointer (&self->compared, training_run_free);
  if (run > 0)
    training_load (self, run);
  if (compared > 0)
    training_load_compared (self, compared);
}

const ScreenClass training_screen = { .title = "Training",
                                      .create = create,
                                      .destroy = destroy,
                                      .scopes = scopes,
                                      .useful = useful,
                                      .enter = enter,
                                      .draw = draw,
                                      .command = command,
                                      .back = back,
                                      .mouse = mouse,
                                      .store_changed = store_changed,
                                      .job_changed = job_changed,
                                      .save = save,
                                      .load = load };

void
training_show_run (gpointer screen, gint64 run_id)
{
  training_load (screen, run_id);
}

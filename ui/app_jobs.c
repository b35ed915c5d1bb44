#include "app_private.h"

#include "base/error.h"
#include "experiment.h"
#include "log.h"
#include "study/demo_job.h"
#include "training.h"

#include <math.h>
#include <sys/resource.h>
#include <unistd.h>

#define JOB_NICENESS 10

/** What runs on the job's thread: the work, inside the workspace's lock. */
typedef struct
{
  Workspace *workspace;
  char *title;
  JobFunc func;
  gpointer data;
} LockedJob;

static gboolean
locked_job (Job *job, gpointer data, GError **error)
{
  LockedJob *locked = data;
  gboolean done;

  /* This thread and those that it will start, libtorch's too, make way for the keys. Where that is
     refused they are only slower to answer. */
  setpriority (PRIO_PROCESS, (id_t) gettid (), JOB_NICENESS);
  if (!workspace_lock (locked->workspace, locked->title, error))
    return FALSE;
  {
    g_autoptr (StudyProgressWriter) writer = study_progress_publish (locked->workspace, job);

    done = locked->func (job, locked->data, error);
  }
  workspace_unlock (locked->workspace);
  return done;
}

static void
locked_job_free (LockedJob *locked)
{
  g_free (locked->title);
  g_free (locked);
}

/** A job can begin: one at a time, and not beside another program's. */
static gboolean
is_free (App *app, GError **error)
{
  if (app->workspace == NULL)
    g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                         "no workspace is open yet; :demo or an import makes one");
  else if (app->job != NULL)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_BUSY,
                 "%s is still running; 4 shows it, x there cancels it", app->job_title);
  else if (app->is_watched)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_BUSY,
                 "%s is running in another program (process %d); 4 watches it", app->watched.name,
                 app->watched.pid);
  else
    return TRUE;
  return FALSE;
}

gboolean
app_start_job (App *app, const char *title, JobFunc func, gpointer data, AppJobDone done)
{
  g_autoptr (GError) error = NULL;
  LockedJob *locked;

  if (!is_free (app, &error))
    {
      app_error (app, "%s", error->message);
      done (app, data, error);
      return FALSE;
    }
  locked = g_new0 (LockedJob, 1);
  *locked = (LockedJob){ app->workspace, g_strdup (title), func, data };
  g_free (app->job_title);
  app->job_title = g_strdup (title);
  app->job_data = data;
  app->job_done = done;
  app->job_wrapper = locked;
  app_log (app, "%s begins", title);
  app->job = job_start (title, locked_job, locked);
  job_set_wakeup (app->job, app_wake, app);
  app_wake (app);
  return TRUE;
}

static void
tell_screens (App *app)
{
  for (ScreenId i = 0; i < N_SCREENS; i++)
    if (app_screen_class (i)->job_changed != NULL)
      app_screen_class (i)->job_changed (app->screens[i],
                                         app->has_snapshot ? &app->snapshot : NULL);
}

/** Time stands still in a replay, so that its screens can be compared. */
static void
pin_time (JobSnapshot *snapshot)
{
  snapshot->elapsed_s = 0;
  snapshot->rate_per_s = snapshot->eta_s = NAN;
}

static void
end (App *app)
{
  g_autoptr (GError) error = NULL;
  Job *job = g_steal_pointer (&app->job);
  LockedJob *locked = g_steal_pointer (&app->job_wrapper);
  gpointer data = g_steal_pointer (&app->job_data);
  gboolean done = job_wait (job, &error);

  job_free (job);
  locked_job_free (locked);
  for (guint i = 0; i < app->snapshot.warnings->len; i++)
    app_log (app, "%s: %s", app->job_title, (char *) g_ptr_array_index (app->snapshot.warnings, i));
  for (guint i = 0; i < app->snapshot.skips->len; i++)
    {
      const JobSkip *skip = g_ptr_array_index (app->snapshot.skips, i);

      app_log (app, "%s: left out %s: %s", app->job_title, skip->name, skip->reason);
    }
  if (done)
    app_message (app, "%s is done", app->job_title);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    app_message (app, "%s was cancelled; what was finished is kept", app->job_title);
  else
    app_error (app, "%s: %s", app->job_title, error->message);
  app->job_done (app, data, done ? NULL : error);
  tell_screens (app);
  app_store_changed (app);
  if (app->detached)
    app_leave (app, done ? 0 : 1);
}

void
app_jobs_poll (App *app)
{
  JobSnapshot snapshot;

  if (app->job == NULL)
    return;
  job_snapshot (app->job, &snapshot);
  if (app->has_snapshot && snapshot.version == app->snapshot.version
      && snapshot.state == JOB_RUNNING)
    {
      job_snapshot_clear (&snapshot);
      return;
    }
  if (replay_pins_time (app->replay))
    pin_time (&snapshot);
  if (app->has_snapshot)
    job_snapshot_clear (&app->snapshot);
  app->snapshot = snapshot;
  app->has_snapshot = TRUE;
  tell_screens (app);
  if (snapshot.state != JOB_RUNNING)
    end (app);
  app_redraw (app);
}

void
app_jobs_end (App *app)
{
  if (app->job != NULL)
    {
      job_cancel (app->job);
      job_wait (app->job, NULL);
      app_jobs_poll (app);
    }
  if (app->has_snapshot)
    job_snapshot_clear (&app->snapshot);
  app->has_snapshot = FALSE;
}

gboolean
app_job_running (App *app)
{
  return app->job != NULL;
}

const char *
app_job_title (App *app)
{
  return app->job_title;
}

const JobSnapshot *
app_job_snapshot (App *app)
{
  return app->has_snapshot ? &app->snapshot : NULL;
}

void
app_job_pause (App *app, gboolean paused)
{
  if (app->job != NULL)
    job_pause (app->job, paused);
}

void
app_job_cancel (App *app)
{
  if (app->job != NULL)
    job_cancel (app->job);
}

const StudyProgress *
app_watched (App *app)
{
  return app->is_watched ? &app->watched : NULL;
}

/* ---- the demo ---- */

static void
demo_done (App *app, gpointer data, const GError *error)
{
  StudyDemoAll *demo = data;

  if (error == NULL)
    {
      g_autoptr (TrainParameters) parameters = study_demo_parameters (&demo->demo);
      g_autofree char *text = train_parameters_text (parameters);

      /* What comes next in Experiment starts from what the demo did. */
      train_parameters_parse (app->parameters, text, "the demo's parameters", NULL);
      experiment_refresh (app->screens[SCREEN_EXPERIMENT]);
      app_set_volumes_directory (app, demo->demo.volumes);
      app_choose_run (app, demo->run->id, demo->run->name, 0);
      training_show_run (app->screens[SCREEN_TRAINING], demo->run->id);
      app_message (app, "The demo is done. 3: tune it live; 1: its records; 5: its runs");
    }
  study_demo_all_clear (demo);
  g_free (demo);
}

void
app_start_demo (App *app)
{
  g_autoptr (GError) error = NULL;
  StudyDemoAll *demo;

  if (app->workspace == NULL && !app_create_workspace (app, app_workspace_directory (app), &error))
    {
      app_error (app, "%s", error->message);
      return;
    }
  demo = g_new0 (StudyDemoAll, 1);
  demo->demo.workspace = app->workspace;
  demo->demo.seed = STUDY_DEMO_SEED;
  demo->demo.threads = app->options.threads;
  if (app_start_job (app, "demo", study_demo_all, demo, demo_done))
    app_go_to (app, SCREEN_TRAINING);
}

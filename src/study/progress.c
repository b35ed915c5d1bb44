#include "study/progress.h"

#include "base/condition.h"
#include "report/json.h"

#include <glib/gstdio.h>
#include <math.h>
#include <unistd.h>

#define FILE_NAME "job.json"
#define INTERVAL_MS 500

struct _StudyProgressWriter
{
  Job *job;
  char *path;
  GDateTime *started;
  GThread *thread;

  pthread_mutex_t mutex; /* guards `ended` */
  pthread_cond_t changed;
  gboolean ended;
};

static char *
progress_path (const Workspace *workspace)
{
  return g_build_filename (workspace_directory (workspace), FILE_NAME, NULL);
}

/* ---- writing ---- */

static char *
snapshot_text (const StudyProgressWriter *writer, const JobSnapshot *now)
{
  g_autofree char *started = g_date_time_format (writer->started, "%Y-%m-%dT%H:%M:%SZ");
  json_t *object = json_object ();

  json_object_set_new (object, "pid", json_integer (getpid ()));
  json_object_set_new (object, "name", report_json_string (job_name (writer->job)));
  json_object_set_new (object, "started", json_string (started));
  json_object_set_new (object, "paused", json_boolean (now->paused));
  json_object_set_new (object, "stage", json_string (now->stage));
  json_object_set_new (object, "unit", json_string (now->unit));
  json_object_set_new (object, "done", json_integer ((json_int_t) now->done));
  json_object_set_new (object, "total", json_integer ((json_int_t) now->total));
  json_object_set_new (object, "step_done", json_integer (now->step_done));
  json_object_set_new (object, "step_total", json_integer (now->step_total));
  json_object_set_new (object, "rate_per_s", report_json_number (now->rate_per_s));
  json_object_set_new (object, "eta_s", report_json_number (now->eta_s));
  json_object_set_new (object, "elapsed_s", report_json_number (now->elapsed_s));
  json_object_set_new (object, "cached", json_integer (now->cached));
  json_object_set_new (object, "skips", json_integer (now->skips->len));
  json_object_set_new (object, "epochs", json_integer (now->epochs->len));
  json_object_set_new (object, "message",
                       now->message != NULL ? report_json_string (now->message) : json_null ());
  return report_json_text (object);
}

static void
write_snapshot (const StudyProgressWriter *writer, const JobSnapshot *now)
{
  g_autofree char *text = snapshot_text (writer, now);

  /* Renamed into place, and without a sync: a file that a crash loses is of no use anyhow. */
  if (!g_file_set_contents_full (writer->path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                 NULL))
    g_debug ("%s: cannot be written", writer->path);
}

/** FALSE once the end was asked for. */
static gboolean
wait_interval (StudyProgressWriter *writer)
{
  const struct timespec until = condition_deadline (INTERVAL_MS);
  gboolean ended;

  pthread_mutex_lock (&writer->mutex);
  while (!writer->ended && pthread_cond_timedwait (&writer->changed, &writer->mutex, &until) == 0)
    ;
  ended = writer->ended;
  pthread_mutex_unlock (&writer->mutex);
  return !ended;
}

static gpointer
writer_thread (gpointer user_data)
{
  StudyProgressWriter *writer = user_data;

  do
    {
      g_auto (JobSnapshot) now = { 0 };

      job_snapshot (writer->job, &now);
      write_snapshot (writer, &now);
    }
  while (wait_interval (writer));
  return NULL;
}

StudyProgressWriter *
study_progress_publish (Workspace *workspace, Job *job)
{
  StudyProgressWriter *writer = g_new0 (StudyProgressWriter, 1);

  writer->job = job;
  writer->path = progress_path (workspace);
  writer->started = g_date_time_new_now_utc ();
  pthread_mutex_init (&writer->mutex, NULL);
  condition_init (&writer->changed);
  /* Without one the job works unwatched. */
  writer->thread = g_thread_try_new ("progress", writer_thread, writer, NULL);
  return writer;
}

void
study_progress_end (StudyProgressWriter *writer)
{
  pthread_mutex_lock (&writer->mutex);
  writer->ended = TRUE;
  pthread_cond_broadcast (&writer->changed);
  pthread_mutex_unlock (&writer->mutex);
  if (writer->thread != NULL)
    g_thread_join (writer->thread);
  g_unlink (writer->path);
  pthread_mutex_destroy (&writer->mutex);
  pthread_cond_destroy (&writer->changed);
  g_date_time_unref (writer->started);
  g_free (writer->path);
  g_free (writer);
}

/* ---- reading ---- */

static char *
get_text (const json_t *object, const char *key)
{
  return g_strdup (json_string_value (json_object_get (object, key)));
}

static double
get_number (const json_t *object, const char *key)
{
  const json_t *value = json_object_get (object, key);

  return json_is_number (value) ? json_number_value (value) : NAN;
}

static guint64
get_count (const json_t *object, const char *key)
{
  return (guint64) MAX (json_integer_value (json_object_get (object, key)), 0);
}

/** Take over what the process @pid says of itself; another's file was left by one that was killed.
 */
static void
parse (const char *path, int pid, StudyProgress *progress)
{
  json_t *object = json_load_file (path, 0, NULL);

  if (object != NULL && json_integer_value (json_object_get (object, "pid")) == pid
      && json_is_string (json_object_get (object, "name"))
      && json_is_string (json_object_get (object, "stage"))
      && json_is_string (json_object_get (object, "unit"))
      && json_is_string (json_object_get (object, "started")))
    {
      study_progress_clear (progress);
      *progress = (StudyProgress){ .pid = pid,
                                   .name = get_text (object, "name"),
                                   .stage = get_text (object, "stage"),
                                   .unit = get_text (object, "unit"),
                                   .done = get_count (object, "done"),
                                   .total = get_count (object, "total"),
                                   .step_done = (guint) get_count (object, "step_done"),
                                   .step_total = (guint) get_count (object, "step_total"),
                                   .rate_per_s = get_number (object, "rate_per_s"),
                                   .eta_s = get_number (object, "eta_s"),
                                   .elapsed_s = get_number (object, "elapsed_s"),
                                   .cached = (guint) get_count (object, "cached"),
                                   .skips = (guint) get_count (object, "skips"),
                                   .epochs = (guint) get_count (object, "epochs"),
                                   .message = get_text (object, "message"),
                                   .started = get_text (object, "started"),
                                   .paused = json_is_true (json_object_get (object, "paused")) };
    }
  json_decref (object);
}

gboolean
study_progress_read (Workspace *workspace, StudyProgress *progress)
{
  g_autofree char *path = progress_path (workspace);
  char *what = NULL;
  int pid;

  *progress = (StudyProgress){ 0 };
  if (!workspace_holder (workspace, &pid, &what))
    return FALSE;
  *progress = (StudyProgress){ .pid = pid,
                               .name = what,
                               .stage = g_strdup (""),
                               .unit = g_strdup (""),
                               .rate_per_s = NAN,
                               .eta_s = NAN,
                               .elapsed_s = NAN,
                               .started = g_strdup ("") };
  parse (path, pid, progress);
  return TRUE;
}

void
study_progress_clear (StudyProgress *progress)
{
  g_clear_pointer (&progress->name, g_free);
  g_clear_pointer (&progress->stage, g_free);
  g_clear_pointer (&progress->unit, g_free);
  g_clear_pointer (&progress->message, g_free);
  g_clear_pointer (&progress->started, g_free);
}

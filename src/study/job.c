#include "study/job.h"

#include "base/condition.h"
#include "base/error.h"
#include "base/last_words.h"

#include <math.h>

struct _Job
{
  char *name;
  JobFunc func;
  gpointer data;
  GThread *thread;
  GCancellable *cancellable;

  pthread_mutex_t mutex; /* guards all that follows */
  pthread_cond_t changed;
  JobSnapshot now;
  gint64 started_us, ended_us, stage_started_us;
  guint64 stage_cached; /* cache hits say nothing of the rate at which work is done */
  GHashTable *skipped;  /* names, which the skips own */
  GError *error;
  void (*wakeup) (gpointer user_data);
  gpointer wakeup_data;
};

/* ---- small immutable results ---- */

JobEpoch *
job_epoch_new (guint epoch, double train_loss, MetricsTable *table, const double *logits,
               const guint8 *labels, gsize n)
{
  JobEpoch *result = g_atomic_rc_box_new0 (JobEpoch);
  gsize n_scores = n * table->n_classes;

  result->epoch = epoch;
  result->train_loss = train_loss;
  result->table = table;
  result->n = n;
  result->logits = g_memdup2 (logits, n_scores * sizeof *logits);
  result->labels = g_memdup2 (labels, n_scores * sizeof *labels);
  return result;
}

JobEpoch *
job_epoch_ref (JobEpoch *epoch)
{
  return g_atomic_rc_box_acquire (epoch);
}

static void
epoch_clear (gpointer data)
{
  JobEpoch *epoch = data;

  metrics_table_free (epoch->table);
  g_free (epoch->logits);
  g_free (epoch->labels);
}

void
job_epoch_unref (JobEpoch *epoch)
{
  g_atomic_rc_box_release_full (epoch, epoch_clear);
}

static void
skip_clear (gpointer data)
{
  JobSkip *skip = data;

  g_free (skip->name);
  g_free (skip->reason);
}

static void
skip_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, skip_clear);
}

static gpointer
copy_epoch (gconstpointer item, gpointer user_data)
{
  return job_epoch_ref ((JobEpoch *) item);
}

static gpointer
copy_skip (gconstpointer item, gpointer user_data)
{
  return g_atomic_rc_box_acquire ((gpointer) item);
}

static gpointer
copy_text (gconstpointer item, gpointer user_data)
{
  return g_strdup (item);
}

/* ---- snapshots ---- */

static void
snapshot_init (JobSnapshot *snapshot)
{
  *snapshot = (JobSnapshot){ .stage = "starting", .unit = "", .rate_per_s = NAN, .eta_s = NAN };
  snapshot->warnings = g_ptr_array_new_with_free_func (g_free);
  snapshot->epochs = g_ptr_array_new_with_free_func ((GDestroyNotify) job_epoch_unref);
  snapshot->skips = g_ptr_array_new_with_free_func (skip_unref);
}

void
job_snapshot_clear (JobSnapshot *snapshot)
{
  g_clear_pointer (&snapshot->message, g_free);
  g_clear_pointer (&snapshot->warnings, g_ptr_array_unref);
  g_clear_pointer (&snapshot->epochs, g_ptr_array_unref);
  g_clear_pointer (&snapshot->skips, g_ptr_array_unref);
}

void
job_snapshot (Job *job, JobSnapshot *snapshot)
{
  gint64 now_us;
  double stage_s, worked;

  pthread_mutex_lock (&job->mutex);
  *snapshot = job->now;
  snapshot->message = g_strdup (job->now.message);
  snapshot->warnings = g_ptr_array_copy (job->now.warnings, copy_text, NULL);
  snapshot->epochs = g_ptr_array_copy (job->now.epochs, copy_epoch, NULL);
  snapshot->skips = g_ptr_array_copy (job->now.skips, copy_skip, NULL);

  now_us = job->ended_us != 0 ? job->ended_us : g_get_monotonic_time ();
  snapshot->elapsed_s = (double) (now_us - job->started_us) / G_USEC_PER_SEC;
  stage_s = (double) (now_us - job->stage_started_us) / G_USEC_PER_SEC;
  worked = (double) job->now.done - (double) job->stage_cached;
  if (worked > 0 && stage_s > 0)
    {
      snapshot->rate_per_s = worked / stage_s;
      if (job->now.total > 0)
        snapshot->eta_s = (double) (job->now.total - job->now.done) / snapshot->rate_per_s;
    }
  pthread_mutex_unlock (&job->mutex);
}

/** Every change ends here, with the mutex held; it gives the mutex back. */
static void
publish_and_unlock (Job *job)
{
  void (*wakeup) (gpointer user_data) = job->wakeup;
  gpointer wakeup_data = job->wakeup_data;

  job->now.version++;
  pthread_cond_broadcast (&job->changed);
  pthread_mutex_unlock (&job->mutex);
  if (wakeup != NULL)
    wakeup (wakeup_data);
}

/* ---- life ---- */

static gpointer
job_thread (gpointer user_data)
{
  Job *job = user_data;
  GError *error = NULL;
  gboolean done;

  last_words_thread ();
  done = job->func (job, job->data, &error);

  pthread_mutex_lock (&job->mutex);
  job->ended_us = g_get_monotonic_time ();
  job->error = error;
  if (done)
    job->now.state = JOB_DONE;
  else
    job->now.state =
        g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? JOB_CANCELLED : JOB_FAILED;
  publish_and_unlock (job);
  return NULL;
}

/** Without a thread the job has failed before it began. */
static void
refuse (Job *job)
{
  job->ended_us = job->started_us;
  job->now.state = JOB_FAILED;
  g_clear_error (&job->error);
  g_set_error (&job->error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
               "%s: the system refuses another thread; end other programs, or raise the limits on "
               "processes (ulimit -u) and memory (ulimit -v)",
               job->name);
}

Job *
job_start (const char *name, JobFunc func, gpointer data)
{
  Job *job = g_new0 (Job, 1);

  job->name = g_strdup (name);
  job->func = func;
  job->data = data;
  job->cancellable = g_cancellable_new ();
  pthread_mutex_init (&job->mutex, NULL);
  condition_init (&job->changed);
  snapshot_init (&job->now);
  job->skipped = g_hash_table_new (g_str_hash, g_str_equal);
  job->started_us = job->stage_started_us = g_get_monotonic_time ();
  job->thread = g_thread_try_new (name, job_thread, job, &job->error);
  if (job->thread == NULL)
    refuse (job);
  return job;
}

void
job_free (Job *job)
{
  job_cancel (job);
  if (job->thread != NULL)
    g_thread_join (job->thread);
  g_hash_table_unref (job->skipped);
  job_snapshot_clear (&job->now);
  g_clear_error (&job->error);
  g_object_unref (job->cancellable);
  pthread_mutex_destroy (&job->mutex);
  pthread_cond_destroy (&job->changed);
  g_free (job->name);
  g_free (job);
}

const char *
job_name (const Job *job)
{
  return job->name;
}

/* ---- for the front ends ---- */

void
job_set_wakeup (Job *job, void (*wakeup) (gpointer user_data), gpointer user_data)
{
  pthread_mutex_lock (&job->mutex);
  job->wakeup = wakeup;
  job->wakeup_data = user_data;
  pthread_mutex_unlock (&job->mutex);
}

void
job_wait_change (Job *job, guint64 version, guint timeout_ms)
{
  const struct timespec deadline = condition_deadline (timeout_ms);

  pthread_mutex_lock (&job->mutex);
  while (job->now.version <= version && job->now.state == JOB_RUNNING)
    if (pthread_cond_timedwait (&job->changed, &job->mutex, &deadline) != 0)
      break;
  pthread_mutex_unlock (&job->mutex);
}

gboolean
job_wait (Job *job, GError **error)
{
  gboolean done;

  pthread_mutex_lock (&job->mutex);
  while (job->now.state == JOB_RUNNING)
    pthread_cond_wait (&job->changed, &job->mutex);
  done = job->now.state == JOB_DONE;
  if (!done && error != NULL)
    *error = g_error_copy (job->error);
  pthread_mutex_unlock (&job->mutex);
  return done;
}

void
job_cancel (Job *job)
{
  g_cancellable_cancel (job->cancellable);
  job_pause (job, FALSE);
}

void
job_pause (Job *job, gboolean paused)
{
  pthread_mutex_lock (&job->mutex);
  job->now.paused = paused;
  publish_and_unlock (job);
}

/* ---- for the work ---- */

GCancellable *
job_cancellable (Job *job)
{
  return job->cancellable;
}

void
job_stage (Job *job, const char *stage, const char *unit, guint64 total)
{
  pthread_mutex_lock (&job->mutex);
  job->now.stage = stage;
  job->now.unit = unit;
  job->now.done = 0;
  job->now.total = total;
  job->now.step_done = job->now.step_total = 0;
  job->stage_cached = 0;
  job->stage_started_us = g_get_monotonic_time ();
  publish_and_unlock (job);
}

void
job_progress (Job *job, guint64 done)
{
  pthread_mutex_lock (&job->mutex);
  job->now.done = done;
  publish_and_unlock (job);
}

void
job_step (Job *job, guint done, guint total)
{
  pthread_mutex_lock (&job->mutex);
  job->now.step_done = done;
  job->now.step_total = total;
  publish_and_unlock (job);
}

void
job_count (Job *job, gboolean cached)
{
  pthread_mutex_lock (&job->mutex);
  job->now.done++;
  job->now.step_done = job->now.step_total = 0;
  if (cached)
    {
      job->now.cached++;
      job->stage_cached++;
    }
  publish_and_unlock (job);
}

void
job_message (Job *job, const char *format, ...)
{
  va_list arguments;

  pthread_mutex_lock (&job->mutex);
  g_free (job->now.message);
  va_start (arguments, format);
  job->now.message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  publish_and_unlock (job);
}

void
job_warn (Job *job, const char *format, ...)
{
  va_list arguments;

  pthread_mutex_lock (&job->mutex);
  va_start (arguments, format);
  g_ptr_array_add (job->now.warnings, g_strdup_vprintf (format, arguments));
  va_end (arguments);
  publish_and_unlock (job);
}

void
job_warn_all (Job *job, const GPtrArray *warnings)
{
  for (guint i = 0; i < warnings->len; i++)
    job_warn (job, "%s", (const char *) g_ptr_array_index (warnings, i));
}

void
job_skip (Job *job, const char *name, const char *reason)
{
  JobSkip *skip;

  pthread_mutex_lock (&job->mutex);
  if (!g_hash_table_contains (job->skipped, name))
    {
      skip = g_atomic_rc_box_new0 (JobSkip);
      skip->name = g_strdup (name);
      skip->reason = g_strdup (reason);
      g_ptr_array_add (job->now.skips, skip);
      g_hash_table_add (job->skipped, skip->name);
    }
  publish_and_unlock (job);
}

void
job_add_epoch (Job *job, JobEpoch *epoch)
{
  pthread_mutex_lock (&job->mutex);
  g_ptr_array_add (job->now.epochs, epoch);
  job->now.done = epoch->epoch;
  job->now.step_done = job->now.step_total = 0;
  publish_and_unlock (job);
}

gboolean
job_checkpoint (Job *job, GError **error)
{
  pthread_mutex_lock (&job->mutex);
  while (job->now.paused && !g_cancellable_is_cancelled (job->cancellable))
    pthread_cond_wait (&job->changed, &job->mutex);
  pthread_mutex_unlock (&job->mutex);
  return !g_cancellable_set_error_if_cancelled (job->cancellable, error);
}

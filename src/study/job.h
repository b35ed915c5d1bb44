/**
 * job.h: the only way that work happens.
 *
 * A job runs a function on its own thread. That function reports what it does; every front end
 * copies the same snapshot and draws or prints it. All that is shared between the two threads is
 * guarded by the job's one mutex, but for the cancellable.
 */
#pragma once

#include "metrics/metrics.h"
#include <gio/gio.h>

typedef struct _Job Job;

typedef enum
{
  JOB_RUNNING,
  JOB_DONE,
  JOB_FAILED,
  JOB_CANCELLED,
} JobState;

/** One epoch's result; immutable once published, shared by reference count (g_rc_box). */
typedef struct
{
  guint epoch; /* from 1 */
  double train_loss;
  MetricsTable *table; /* of the validation sample */
  gsize n;             /* scans of it; 0 where the scores were not given */
  double *logits;      /* n × table->n_classes, row-major */
  guint8 *labels;      /* n × table->n_classes: what the scores were judged by */
} JobEpoch;

/** job_epoch_new: @logits and @labels: (nullable where @n is 0) copied. */
JobEpoch *job_epoch_new (guint epoch, double train_loss, MetricsTable *table /* transfer full */,
                         const double *logits, const guint8 *labels, gsize n);
JobEpoch *job_epoch_ref (JobEpoch *epoch);
void job_epoch_unref (JobEpoch *epoch);

/** An input that was left out, and why. Immutable, shared by reference count. */
typedef struct
{
  char *name, *reason;
} JobSkip;

/** A copy of a job's state at one moment. */
typedef struct
{
  guint64 version; /* grows with every change */
  JobState state;
  gboolean paused;
  const char *stage;           /* "encoding"; static */
  const char *unit;            /* what is counted: "scans", "rows", "epochs"; static */
  guint64 done, total;         /* total 0: unknown */
  guint step_done, step_total; /* within the one in hand (batches of an epoch); total 0: none */
  double rate_per_s, eta_s;    /* of this stage; NaN while unknown */
  double elapsed_s;            /* of the job */
  guint cached;                /* results found in the store */
  char *message;               /* (nullable) the last thing worth a line */
  GPtrArray *warnings;         /* (element-type utf8) all of them so far */
  GPtrArray *epochs;           /* (element-type JobEpoch) all of them so far */
  GPtrArray *skips;            /* (element-type JobSkip) all of them so far */
} JobSnapshot;

void job_snapshot_clear (JobSnapshot *snapshot);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JobSnapshot, job_snapshot_clear)

/** JobFunc: the work; @data is what was given to job_start. FALSE with @error set on failure or
 * cancel. */
typedef gboolean (*JobFunc) (Job *job, gpointer data, GError **error);

/**
 * job_start: run @func on a new thread; where there is none to be had, the job has failed at once.
 *
 * @data: parameters and results of the work; the caller may read it again after job_wait()
 */
Job *job_start (const char *name, JobFunc func, gpointer data);

/** job_free: cancel if it still runs, wait for the end, free. */
void job_free (Job *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

const char *job_name (const Job *job);

/* ---- for the front ends ---- */

/** job_set_wakeup: @wakeup is called on the job's thread whenever the snapshot changed; it must
 * only wake a loop. */
void job_set_wakeup (Job *job, void (*wakeup) (gpointer user_data), gpointer user_data);

/** job_snapshot: copy the present state. Clear it with job_snapshot_clear. */
void job_snapshot (Job *job, JobSnapshot *snapshot);

/** job_wait_change: sleep until the snapshot is newer than @version or @timeout_ms has passed. */
void job_wait_change (Job *job, guint64 version, guint timeout_ms);

/** job_wait: wait for the end; FALSE with the job's error. May be called again. */
gboolean job_wait (Job *job, GError **error);

/** job_cancel: ask for the end; safe from any thread, at any time. */
void job_cancel (Job *job);

/** job_pause: hold the job at its next step, or let it go on. */
void job_pause (Job *job, gboolean paused);

/* ---- for the work itself, on the job's thread (job_skip, job_count and job_warn: on any) ---- */

GCancellable *job_cancellable (Job *job);

/** job_stage: a new stage begins; the counters start at 0. */
void job_stage (Job *job, const char *stage, const char *unit, guint64 total);
void job_progress (Job *job, guint64 done);

/** job_step: so many steps of the one in hand are done; the next count, epoch or stage forgets it.
 */
void job_step (Job *job, guint done, guint total);

/** job_count: one more done; @cached when it was found in the store. */
void job_count (Job *job, gboolean cached);
void job_message (Job *job, const char *format, ...) G_GNUC_PRINTF (2, 3);
void job_warn (Job *job, const char *format, ...) G_GNUC_PRINTF (2, 3);
/** job_warn_all: @warnings: (element-type utf8) copied */
void job_warn_all (Job *job, const GPtrArray *warnings);

/** job_skip: an input is left out. Where it was left out before, the first reason stands. */
void job_skip (Job *job, const char *name, const char *reason);
void job_add_epoch (Job *job, JobEpoch *epoch /* transfer full */);

/** job_checkpoint: wait here while paused; FALSE with G_IO_ERROR_CANCELLED when cancelled. */
gboolean job_checkpoint (Job *job, GError **error);

/**
 * progress.h: what another program's job is doing in this workspace.
 *
 * Whoever runs a job publishes its snapshot into the workspace's file `job.json`, twice a second at
 * most; it is there whole or not at all, and believed only while its writer holds the lock.
 */
#pragma once

#include "study/job.h"
#include "study/workspace.h"

/** Publishes a job's progress from a thread of its own. */
typedef struct _StudyProgressWriter StudyProgressWriter;

/** study_progress_publish: begin. Call it with the workspace's lock held, right after job_start().
 * A file that can't be written is no fault of the job: nothing is said of it. */
StudyProgressWriter *study_progress_publish (Workspace *workspace, Job *job);

/** study_progress_end: stop and remove the file; before job_free() and workspace_unlock(). */
void study_progress_end (StudyProgressWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StudyProgressWriter, study_progress_end)

typedef struct
{
  int pid;
  char *name;          /* of the job; all that is known of one that publishes nothing */
  char *stage, *unit;  /* "" while unknown */
  guint64 done, total; /* total 0: unknown */
  guint step_done, step_total;
  double rate_per_s, eta_s; /* NaN while unknown */
  double elapsed_s;
  guint cached, skips, epochs;
  char *message; /* (nullable) */
  char *started; /* ISO 8601, UTC; "" while unknown */
  gboolean paused;
} StudyProgress;

/**
 * study_progress_read: what is going on in the workspace now.
 *
 * Returns: FALSE where nobody works in it
 */
gboolean study_progress_read (Workspace *workspace, StudyProgress *progress);

void study_progress_clear (StudyProgress *progress);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyProgress, study_progress_clear)

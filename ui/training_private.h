/**
 * training_private.h: the state of the Training screen, shared by its files.
 */
#pragma once

#include "app.h"
#include "finding.h"
#include "metrics_view.h"
#include "training.h"

typedef struct
{
  gint64 id; /* 0: the job's */
  char *name;
  char *about;       /* how it ended and when, what differs from the defaults */
  gboolean unasked;  /* the latest one, in view as there is nothing else */
  int kept_epoch;    /* -1: none */
  GPtrArray *epochs; /* (element-type JobEpoch); the kept one bears scores where they are stored */
} TrainingRun;

void training_run_free (TrainingRun *run);

typedef struct
{
  App *app;
  MetricsView table;
  TrainingRun *run;      /* (nullable) a stored run in place of the job */
  TrainingRun *compared; /* (nullable) */
  GPtrArray *choices;    /* (nullable) (element-type CatalogRun) while the box to choose is open */
  Work *loading, *loading_compared, *listing;
  guint shown;
  gboolean follows; /* the stored run in view is being trained by another program, or was */
  gboolean job_ran; /* at the last look */
  gboolean latest;  /* the epoch in view follows the newest */
  gboolean open;    /* a finding is */
  gboolean curves;  /* rather than the table, where there is no room for both */
  Finding finding;
} Training;

/** training_run: the stored run in view; one that nobody asked for makes way for what another
 * program does. */
const TrainingRun *training_run (const Training *self);
/** training_epochs: of the run in view; %NULL where there is none. */
GPtrArray *training_epochs (const Training *self);
const MetricsTable *training_compared (const Training *self);

/** The screen's parts; those without room are empty. The curves stand below the table where it has
 * room for all findings, else beside it; a very wide screen has the finding under the cursor too.
 * Pure. */
typedef struct
{
  Area head, table, curves, finding;
} TrainingLayout;
/** @curves: they take the table's place where both have no room. */
TrainingLayout training_layout (Area area, gboolean has_epochs, gboolean curves);

/** training_skip_reason: why, without the path of the file that has the skip's name. */
const char *training_skip_reason (const JobSkip *skip);

void training_draw (Training *self, Area area);

/** training_load: read a stored run in a worker; it is in view when it is there. */
void training_load (Training *self, gint64 run_id);
/** training_load_latest: of the runs that are done, where nothing else is to be seen. */
void training_load_latest (Training *self);
/** training_follow: as training_load(), of the run that another program trains, or the one in view.
 */
void training_follow (Training *self);
void training_load_compared (Training *self, gint64 run_id);
/** training_choose_compared: list the runs, let one be chosen. */
void training_choose_compared (Training *self);

/** training_write_finding: the plots of the opened finding of a stored run as PNG; asks which, and
 * where. */
void training_write_finding (Training *self);

/**
 * experiment_private.h: the Experiment screen's state, for the files that make it up.
 */
#pragma once

#include "experiment.h"
#include "experiment_form.h"
#include "experiment_layout.h"
#include "list.h"
#include "metrics_view.h"
#include "study/experiment_job.h"
#include "study/plan.h"

/** A training run that is only looked at. */
typedef struct
{
  Job *job;
  StudyTrain train;
  TrainParameters *parameters;
  gint64 started_us; /* as app_clock_us() has it */
} Preview;

typedef struct
{
  App *app;
  Workspace *workspace; /* that plan and previews are of */
  List list;            /* over form_rows() */
  const FormRow *editing;
  guint finding; /* whose loss is drawn */
  ExperimentView first;
  Area area; /* as last drawn, for the mouse and the next view */
  MetricsView table;

  /* what encoding needs: as typed here, else as it was the last time; all nullable */
  char *checkpoint, *description, *last_checkpoint, *last_description;

  /* the plan; its cache is the worker's while it plans */
  Work *planning;
  gboolean plan_again;
  StudyPlanCache *plan_cache;
  StudyPlan plan;
  gboolean planned;
  char *plan_fault; /* (nullable) why there is none */
  gboolean start_when_planned;

  /* live mode; the cache is the preview's while it runs */
  gboolean live, live_due;
  guint debounce; /* a source */
  Preview *preview;
  StudyTrainCache *train_cache;
  char *live_fault;  /* (nullable) why the last preview failed */
  double live_s;     /* that it took; NaN before the first */
  GPtrArray *epochs; /* (element-type JobEpoch, nullable) what the table shows */
  guint shown;       /* which of them */
  gboolean complete; /* they are those of a preview that ended well */
  JobEpoch *last;    /* (nullable) the result before, to compare with */

  /* the best result of live mode on the cohort of `best_cohort`; nullable */
  TrainParameters *best;
  char *best_cohort;
  double best_auroc;

  /* names to choose from */
  Work *listing;
  GPtrArray *names; /* (element-type utf8, nullable) */

  /* run files and where they are going to */
  Work *reading, *writing;
  char *path;
} Experiment;

/** experiment_checkpoint, _description: as they will be used; %NULL where unknown. */
const char *experiment_checkpoint (const Experiment *self);
const char *experiment_description (const Experiment *self);

/** experiment_changed: after every change of a field: plan anew, and try it in live mode. */
void experiment_changed (Experiment *self);

/** experiment_value: a field's value as text, "" where there is none. Free with g_free. */
char *experiment_value (Experiment *self, const FormRow *row);

/** experiment_set: from text; FALSE with what is accepted. */
gboolean experiment_set (Experiment *self, const FormRow *row, const char *text, GError **error);

/** experiment_set_or_say: the same, an error on the screen. */
void experiment_set_or_say (Experiment *self, const FormRow *row, const char *text);

/** Of the field under the cursor: type or choose its value; a step; its default. */
void experiment_edit (Experiment *self);
void experiment_step (Experiment *self, int direction);
void experiment_set_default (Experiment *self);
/** experiment_set_defaults: of every field; asks. */
void experiment_set_defaults (Experiment *self);

/* experiment_names.c */
/** experiment_has_names: whether the field is a name of something in the workspace. */
gboolean experiment_has_names (const FormRow *row);
void experiment_choose_name (Experiment *self, const FormRow *row);
void experiment_names_end (Experiment *self);

/** experiment_slider: the columns of a row's slider; empty where it has none. */
Area experiment_slider (const Experiment *self, Area rows, guint row);

/** experiment_duration: "about 4 min", or "time unknown". Free with g_free. */
char *experiment_duration (double seconds);

/* experiment_plan.c */
void experiment_plan (Experiment *self);
void experiment_plan_end (Experiment *self);

/* experiment_live.c */
/** experiment_live_changed: cancel what runs and begin anew when the changes pause. */
void experiment_live_changed (Experiment *self);
/** experiment_live_try: begin, if everything is there for it. */
void experiment_live_try (Experiment *self);
/** experiment_live_ready: whether a change can be tried at once. Scans without a latent are no
 * hindrance, only told: of a cohort that was downloaded in part some never get one. */
gboolean experiment_live_ready (const Experiment *self);
/** experiment_live_woken: look what the preview has done. */
void experiment_live_woken (Experiment *self);
/** experiment_live_cancel: whatever runs; it is freed when it has ended. */
void experiment_live_cancel (Experiment *self);
/** experiment_live_forget: the results are of another workspace; what runs ends by itself. */
void experiment_live_forget (Experiment *self);
/** experiment_live_end: the same, and wait for what runs. */
void experiment_live_end (Experiment *self);
/** experiment_live_take_best: set the parameters of the best result. */
void experiment_live_take_best (Experiment *self);
/** experiment_live_words: "live: 0.12 s", or why there is nothing new. Free with g_free. */
char *experiment_live_words (Experiment *self);

/* experiment_file.c */
void experiment_load_file (Experiment *self, const char *path);
void experiment_save_file (Experiment *self, const char *path);
void experiment_file_end (Experiment *self);

/* experiment_draw.c */
void experiment_draw (gpointer self, Area area);

/* experiment_views.c */
void experiment_draw_views (Experiment *self, const ExperimentLayout *layout);

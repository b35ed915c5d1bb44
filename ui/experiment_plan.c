/* What the parameters will take, worked out beside the UI thread after every change. */
#include "experiment_private.h"

/** The cache travels with the work and comes back with the answer. */
typedef struct
{
  StudyPlanCache *cache;
  StudyPlan plan;
  gboolean planned;
} Answer;

typedef struct
{
  Workspace *workspace;
  TrainParameters *parameters;
  char *checkpoint;      /* (nullable) */
  StudyPlanCache *cache; /* taken over by the answer */
} PlanWork;

static void
plan_work_free (gpointer data)
{
  PlanWork *work = data;

  train_parameters_free (work->parameters);
  g_free (work->checkpoint);
  g_clear_pointer (&work->cache, study_plan_cache_free);
  g_free (work);
}

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  g_clear_pointer (&answer->cache, study_plan_cache_free);
  study_plan_clear (&answer->plan);
  g_free (answer);
}

static gpointer
plan (gpointer data, GCancellable *cancellable, GError **error)
{
  PlanWork *work = data;
  Answer *answer = g_new0 (Answer, 1);

  answer->cache = g_steal_pointer (&work->cache);
  answer->planned = study_plan (work->workspace, work->parameters, work->checkpoint, answer->cache,
                                &answer->plan, cancellable, error);
  return answer;
}

/** Whether a preview would see other scans than before. */
static gboolean
is_other (const StudyPlan *a, const StudyPlan *b)
{
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    if (a->splits[split].of != b->splits[split].of || a->splits[split].n != b->splits[split].n
        || a->splits[split].cached != b->splits[split].cached)
      return TRUE;
  return g_strcmp0 (a->encoder, b->encoder) != 0;
}

static void
planned (gpointer owner, gpointer result, const GError *error)
{
  Experiment *self = owner;
  Answer *answer = result;

  self->planning = NULL;
  self->plan_cache = g_steal_pointer (&answer->cache);
  self->live_due = self->live && (self->live_due || is_other (&self->plan, &answer->plan));
  study_plan_clear (&self->plan);
  self->plan = answer->plan;
  answer->plan.encoder = NULL;
  self->planned = answer->planned;
  g_free (self->plan_fault);
  self->plan_fault = error != NULL ? g_strdup (error->message) : NULL;
  answer_free (answer);
  if (self->plan_again)
    {
      experiment_plan (self);
      return;
    }
  if (self->start_when_planned)
    experiment_start (self);
  experiment_live_try (self);
  app_redraw (self->app);
}

void
experiment_plan (Experiment *self)
{
  PlanWork *work;

  self->plan_again = self->planning != NULL;
  if (self->plan_again || self->workspace == NULL)
    return;
  work = g_new0 (PlanWork, 1);
  work->workspace = self->workspace;
  work->parameters = train_parameters_copy (app_parameters (self->app));
  work->checkpoint = g_strdup (experiment_checkpoint (self));
  work->cache =
      self->plan_cache != NULL ? g_steal_pointer (&self->plan_cache) : study_plan_cache_new ();
  self->planning =
      works_start (app_works (self->app), plan, work, plan_work_free, answer_free, planned, self);
}

void
experiment_plan_end (Experiment *self)
{
  work_cancel (&self->planning);
  g_clear_pointer (&self->plan_cache, study_plan_cache_free);
  study_plan_clear (&self->plan);
  g_clear_pointer (&self->plan_fault, g_free);
  self->planned = self->plan_again = self->start_when_planned = FALSE;
}

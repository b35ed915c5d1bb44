/**
 * plan.h: what an experiment will take and do, before it is begun.
 */
#pragma once

#include "study/parameters.h"
#include "study/rows.h"
#include "study/workspace.h"

typedef struct
{
  gsize of;     /* kept rows of the split */
  gsize n;      /* scans in the sample */
  gsize cached; /* of which have a latent */
  gsize lost;   /* of which have none and get none: encoding failed, or the latents were imported */
  StratifyShares shares; /* of the labels, in all kept rows and in the sample */
} StudyPlanSplit;

typedef struct
{
  StudyPlanSplit splits[STUDY_N_SPLITS]; /* by CatalogSplit */
  char *encoder;                         /* (nullable) whose latents are meant */
  gsize to_encode;                       /* scans of both samples that have neither; 0: a change of
                                            the parameters can be tried at once */
  double seconds; /* to encode them, as it went the last time; NaN where it was never measured */
} StudyPlan;

void study_plan_clear (StudyPlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyPlan, study_plan_clear)

/** The rows, and the names of those that have a latent or failed, so that a plan takes a few ms. It
 * notices when the workspace changed. For one thread at a time. */
typedef struct _StudyPlanCache StudyPlanCache;

StudyPlanCache *study_plan_cache_new (void);
void study_plan_cache_free (StudyPlanCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StudyPlanCache, study_plan_cache_free)

/**
 * study_plan: for a worker thread, after every change of a form. Writes nothing.
 *
 * @checkpoint: (nullable) as in StudyExperiment
 * @plan: (out) clear with study_plan_clear(); empty on failure
 *
 * A split that is not imported is CTCLIP_ERROR_NOT_FOUND, and so is a named sample that is not
 * there.
 */
gboolean study_plan (Workspace *workspace, const TrainParameters *parameters,
                     const char *checkpoint, StudyPlanCache *cache, StudyPlan *plan,
                     GCancellable *cancellable, GError **error);

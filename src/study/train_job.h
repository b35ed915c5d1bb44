/**
 * train_job.h: fitting the head on cached latents and judging it after every epoch.
 */
#pragma once

#include "catalog/runs.h"
#include "study/job.h"
#include "study/parameters.h"
#include "study/workspace.h"

/**
 * What training keeps from one run to the next: the latents of both samples, and the rows that
 * previews draw from. It notices when a split or the latents changed. For one job at a time; only
 * the job touches it while it runs.
 */
typedef struct _StudyTrainCache StudyTrainCache;

StudyTrainCache *study_train_cache_new (void);
void study_train_cache_free (StudyTrainCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StudyTrainCache, study_train_cache_free)

typedef struct
{
  Workspace *workspace;
  const TrainParameters *parameters;
  guint threads;
  gboolean preview;       /* nothing is written: no run, no sample; always on the processor */
  gboolean unpublished;   /* the epochs go to the store only: a control beside the run on screen */
  StudyTrainCache *cache; /* (nullable) */

  /* out */
  CatalogRun *run;                    /* %NULL for a preview */
  guint train_n, valid_n;             /* scans that took part */
  guint train_missing, valid_missing; /* members without a latent */
  guint kept_epoch;
  double pos_weight[CATALOG_N_LABELS];
} StudyTrain;

/**
 * study_train: a JobFunc over a StudyTrain.
 *
 * Epochs are in the store before they are published. Members without a latent are skipped by name;
 * none at all is an error that says to encode. A cancelled or failed run stays in the history as
 * such; what can be known to be wrong beforehand leaves none. A new run takes its name from one
 * that was not finished.
 */
gboolean study_train (Job *job, gpointer train, GError **error);

/** study_train_check: what stands against these parameters in this store: the run's name is another
 * finished run's. */
gboolean study_train_check (CatalogStore *store, const TrainParameters *parameters, GError **error);

void study_train_clear (StudyTrain *train);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyTrain, study_train_clear)

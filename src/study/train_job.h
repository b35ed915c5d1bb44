/**
 * train_job.h: fitting the head on cached latents and judging it after every epoch.
 */
#pragma once

#include "catalog/runs.h"
#include "study/job.h"
#include "study/parameters.h"
#include "study/workspace.h"

typedef struct
{
  Workspace *workspace;
  const TrainParameters *parameters;
  guint threads;

  /* out */
  CatalogRun *run;
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
 * such.
 */
gboolean study_train (Job *job, gpointer train, GError **error);

void study_train_clear (StudyTrain *train);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyTrain, study_train_clear)

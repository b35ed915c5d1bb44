/**
 * train_private.h: one training run while it goes on, as the files of train_job.h share it.
 */
#pragma once

#include "model/engine.h"
#include "study/train_cache.h"

/** Everything that one run needs while it goes on. */
typedef struct
{
  Job *job;
  StudyTrain *study;
  const TrainParameters *parameters;
  CatalogStore *store;
  CatalogEncoder *encoder;
  Engine *engine;                     /* %NULL: the head is fitted without one */
  Team *team;                         /* judges */
  StudyTrainCache *cache, *own_cache; /* own_cache: where the caller gave none */
  const StudyCohort *train, *valid;   /* the cache's */
  double *train_logits, *valid_logits;
  double thresholds[CATALOG_N_LABELS]; /* of the epoch in hand */
  /* the epoch that is kept */
  Head *kept_head;
  double *kept_logits;
  double kept_thresholds[CATALOG_N_LABELS];
  double kept_macro_auroc;
} Training;

/** training_judge: a HeadEpochFunc over a Training: score the validation sample, keep and store
 * what came of it, and publish it. */
gboolean training_judge (guint epoch, const Head *head, double train_loss, gpointer training,
                         GError **error);

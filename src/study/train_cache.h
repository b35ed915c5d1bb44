/**
 * train_cache.h: the latents of both samples, kept from one training run to the next.
 */
#pragma once

#include "study/cohort.h"
#include "study/train_job.h"

/** What a run trains or is judged on. */
typedef struct
{
  CatalogSplit split;
  const char *sample; /* (nullable) %NULL or "": drawn in memory by fraction and seed */
  double fraction;
  guint64 seed;
  gboolean permute_labels; /* by the seed, so that no label tells of its scan */
} StudyTrainRequest;

/**
 * study_train_cache_load: the members with a latent; from memory where nothing has changed.
 *
 * Returns: (transfer none) valid until the next call for that split
 */
const StudyCohort *study_train_cache_load (StudyTrainCache *cache, CatalogStore *store,
                                           const CatalogEncoder *encoder,
                                           const StudyTrainRequest *request, GError **error);

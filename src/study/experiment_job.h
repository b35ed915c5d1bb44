/**
 * experiment_job.h: from parameters to a run: whatever is missing is done first.
 */
#pragma once

#include "study/train_job.h"

typedef struct
{
  Workspace *workspace;
  const TrainParameters *parameters;
  const char *checkpoint;        /* (nullable) needed where members have no latent */
  const char *description;       /* (nullable) as EncodingOptions has it */
  const char *volumes_directory; /* (nullable) needed where members have no latent */
  guint threads;
  StudyTrainCache *cache; /* (nullable) */

  /* out */
  CatalogRun *run;
  guint train_n, valid_n; /* scans that took part */
  guint missing;          /* members that had no latent at the start ... */
  guint encoded, cached;  /* ... of which were encoded, or found in the store by their content */
  guint kept_epoch;
} StudyExperiment;

/**
 * study_experiment: a JobFunc over a StudyExperiment: draws the samples, encodes their members that
 * have no latent of the encoder, and trains. Stages: "sampling", "looking for scans", "loading the
 * encoder", "encoding", "loading latents", "training".
 *
 * Members without a latent are an error that says what to give, where neither checkpoint and folder
 * are given nor the encoder's latents were imported nor their encoding has failed before. Those
 * that can't be had are skipped by name.
 */
gboolean study_experiment (Job *job, gpointer experiment, GError **error);

/**
 * study_experiment_encoder: the name of the encoder whose latents are meant: the parameters', else
 * the checkpoint's base name, else the last used one's. @checkpoint: (nullable)
 *
 * Returns: (nullable) %NULL where none of them says so. Free with g_free.
 */
char *study_experiment_encoder (CatalogStore *store, const TrainParameters *parameters,
                                const char *checkpoint);

void study_experiment_clear (StudyExperiment *experiment);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyExperiment, study_experiment_clear)

/**
 * predict_job.h: a finished run's head on new scans.
 */
#pragma once

#include "catalog/labels.h"
#include "study/encoding.h"
#include "study/job.h"
#include "study/workspace.h"

typedef struct
{
  char *volume; /* the file's base name */
  double probabilities[CATALOG_N_LABELS];
} StudyPrediction;

typedef struct
{
  Workspace *workspace;
  const char *run; /* name, number or "latest" */
  char **files;    /* %NULL-terminated; names of imported volumes where the encoder's latents were
                      imported */
  const char *device;
  guint threads;
  /* %NULL: as the run's own scans were prepared */
  const VolumeRescale *rescale;
  const VolumeOrient *orient;
  VolumeMetadata
      metadata; /* what the command line says; a record's CSV row stands in where it says nothing */

  /* out */
  char *run_name;
  GArray *predictions; /* (element-type StudyPrediction) */
  double *thresholds;  /* CATALOG_N_LABELS */
} StudyPredict;

/** study_predict: a JobFunc over a StudyPredict; files that can't be read are skipped by name. */
gboolean study_predict (Job *job, gpointer predict, GError **error);

void study_predict_clear (StudyPredict *predict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyPredict, study_predict_clear)

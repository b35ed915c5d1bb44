/**
 * demo_job.h: a synthetic cohort and a small encoder, so that the whole path can be seen without
 * any data.
 */
#pragma once

#include "catalog/import.h"
#include "study/train_job.h"

#define STUDY_DEMO_SEED 1
#define STUDY_DEMO_FRACTION 0.9

typedef struct
{
  Workspace *workspace;
  guint64 seed;
  guint threads;
  guint n_train, n_valid; /* patients; 0: the demo's own numbers */

  /* out */
  char *directory;  /* holds the CSV files */
  char *volumes;    /* holds the scans */
  char *checkpoint; /* its description lies beside it */
  double fraction;  /* of both splits, for the sample */
  guint scans;
} StudyDemo;

/**
 * study_demo: a JobFunc over a StudyDemo: writes the files into the workspace's folder `demo`; what
 * is there from the same seed is written anew with the same bytes. Then import, sample, encode and
 * train as ever.
 */
gboolean study_demo (Job *job, gpointer demo, GError **error);

typedef struct
{
  const char *directory; /* made where it is not there */
  guint64 seed;
  guint threads;
} StudyDemoEncoder;

/** study_demo_encoder: a JobFunc over a StudyDemoEncoder: the demo's encoder alone; see
 * demo_encoder.h. */
gboolean study_demo_encoder (Job *job, gpointer encoder, GError **error);

/** study_demo_parameters: how to train on it. */
TrainParameters *study_demo_parameters (const StudyDemo *demo);

void study_demo_clear (StudyDemo *demo);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyDemo, study_demo_clear)

typedef struct
{
  StudyDemo demo;         /* workspace, seed, threads and sizes; its results */
  gboolean control;       /* afterwards the same with shuffled labels, see StudyTrain.unpublished */
  StudyTrainCache *cache; /* (nullable) */

  /* out */
  CatalogFunnel funnels[2];      /* by CatalogSplit */
  CatalogRun *run, *control_run; /* control_run %NULL without one */
} StudyDemoAll;

/**
 * study_demo_all: a JobFunc over a StudyDemoAll: all of the demo in one job: files, import,
 * samples, latents, a run and, if wished, its control.
 */
gboolean study_demo_all (Job *job, gpointer demo, GError **error);

void study_demo_all_clear (StudyDemoAll *demo);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyDemoAll, study_demo_all_clear)

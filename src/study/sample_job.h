/**
 * sample_job.h: drawing a stratified sample of a split.
 */
#pragma once

#include "catalog/samples.h"
#include "sampling/stratify.h"
#include "study/job.h"
#include "study/workspace.h"

typedef struct
{
  Workspace *workspace;
  CatalogSplit split;
  const char *name; /* (nullable) %NULL: "train-0.15-42", from what it is drawn by */
  double fraction;
  guint64 seed;
  const char *volumes_directory; /* (nullable) draw only among the scans that lie here */
  CatalogSample *sample;         /* (out) */
  StratifyShares shares; /* (out) label shares in all that it was drawn from, and in the sample */
  guint lacking;         /* (out) kept rows without a scan in the directory */
} StudySample;

/** study_sample: a JobFunc over a StudySample; replaces a sample of the same name. */
gboolean study_sample (Job *job, gpointer sample, GError **error);

/** study_sample_clear: free the results. */
void study_sample_clear (StudySample *sample);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudySample, study_sample_clear)

/**
 * study_sample_ensure: the drawn sample of that split, fraction and seed; drawn now unless there is
 * one that still fits the imported split. A sample of another kind that has its name is left
 * alone, and this one gets "-drawn" after it. Returns its name; free with g_free.
 */
char *study_sample_ensure (CatalogStore *store, CatalogSplit split, double fraction, guint64 seed,
                           GError **error);

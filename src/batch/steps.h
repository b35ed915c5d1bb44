/**
 * steps.h: what the commands do once their options are read, for those that do several things in a
 * row. Each prints its result and returns an exit code.
 */
#pragma once

#include "batch/batch.h"
#include "study/encode_job.h"
#include "study/parameters.h"
#include "study/sample_job.h"

/** batch_import_directory: CT-RATE's files under their own names; @only: a CatalogSplit, or -1 for
 * those that are there. */
int batch_import_directory (const Batch *batch, Workspace *workspace, const char *directory,
                            int only, gboolean require_both);
/** batch_finish_index: the reports' full-text index, where an import was stopped before it had
 * filled it; prints nothing. */
int batch_finish_index (const Batch *batch, Workspace *workspace);
int batch_sample (const Batch *batch, StudySample *study);
int batch_encode_cohort (const Batch *batch, StudyEncode *study);

/** batch_train: @stream: one JSON line an epoch; @last: (out, nullable) the last epoch, to
 * job_epoch_unref. */
int batch_train (const Batch *batch, Workspace *workspace, const TrainParameters *parameters,
                 gboolean stream, JobEpoch **last);

json_t *batch_parameters_json (const TrainParameters *parameters);

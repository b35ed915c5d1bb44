/**
 * testing_study.h: a workspace whose records have made-up latents, and jobs run to their end.
 */
#pragma once

#include "testing.h"

#include "study/train_job.h"

#define TESTING_ENCODER "made-up"

/**
 * testing_study_workspace: a fresh workspace with both splits imported.
 *
 * Its records are shaped like CT-RATE's. Fails the test on any error.
 */
Workspace *testing_study_workspace (const char *name, guint n_train, guint n_valid);

/** testing_study_import: import a split (again), with so many patients. */
void testing_study_import (Workspace *workspace, CatalogSplit split, guint patients, guint64 seed);

/**
 * testing_study_latents: give the first @share of the kept records of both splits a latent in which
 * the labels can be seen through noise.
 */
void testing_study_latents (Workspace *workspace, guint width, double share);

/** testing_study_run: run a job to its end; its last snapshot. Fails the test if the job fails. */
void testing_study_run (JobFunc func, gpointer data, JobSnapshot *last);

/** testing_study_fail: run a job that must fail; its error. */
GError *testing_study_fail (JobFunc func, gpointer data);

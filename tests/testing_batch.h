/**
 * testing_batch.h: for what drives the program: a workspace with a small cohort whose latents tell
 * the labels, and no scans. Its tables stay in testing_directory().
 */
#pragma once

#include "program.h"

#define TESTING_BATCH_PATIENTS 240 /* of each split, with one scan */
#define TESTING_BATCH_WIDTH 24     /* of the latents, whose encoder is "other" */

/** testing_batch_setup: for cmocka. */
int testing_batch_setup (void **state);
int testing_batch_teardown (void **state);

/** testing_batch: the workspace. */
const char *testing_batch (void);

/**
 * testing_workbench.h: a workspace with something on every screen, and the workbench on it under
 * tmux.
 */
#pragma once

#include "tmux.h"

/** testing_workbench_setup: for cmocka: a workspace with records, latents, two runs and scans. */
int testing_workbench_setup (void **state);
int testing_workbench_teardown (void **state);

/** testing_workbench: its directory. */
const char *testing_workbench (void);

/** testing_workbench_runs: how many runs it has. */
guint testing_workbench_runs (void);

/** testing_workbench_forget: the next start begins in Records, as the first one did. */
void testing_workbench_forget (void);

/** testing_workbench_start: the workbench on it; @more: (nullable) further options. What the
 * last one looked like is forgotten. */
Tmux *testing_workbench_start (int width, int height, const char *terminal,
                               const char *const *more);

/** testing_workbench_train: from any screen, start a run of so many epochs; pause it after a few.
 */
void testing_workbench_train (Tmux *tmux, guint epochs);

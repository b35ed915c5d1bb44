/**
 * training.h: what the frame tells the Training screen.
 */
#pragma once

#include "screen.h"

/** training_show_run: show a stored run. */
void training_show_run (gpointer screen, gint64 run_id);

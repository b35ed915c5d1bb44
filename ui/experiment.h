/**
 * experiment.h: what other screens ask of Experiment. @screen is app_screen_data()'s.
 */
#pragma once

#include "app.h"

/** experiment_refresh: app_parameters() was changed elsewhere. */
void experiment_refresh (gpointer screen);

/** experiment_start: encode what is missing, then train with app_parameters(); asks before it
 * encodes. */
void experiment_start (gpointer screen);

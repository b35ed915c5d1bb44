/**
 * slices.h: what the frame tells the Slices screen.
 */
#pragma once

#include "screen.h"

/** slices_look_at: show a record's scan, or a file that is no record. @volume: (nullable) */
void slices_look_at (gpointer screen, const char *volume, const char *path);

/**
 * records.h: what other screens ask of Records.
 */
#pragma once

#include "screen.h"

/** records_show_errors: the most confident errors of the chosen run and finding first. */
void records_show_errors (gpointer screen);

/** records_import: ask for CT-RATE's tables and import them. */
void records_import (gpointer screen);

/** records_folder: ask for a folder of scans and browse it. */
void records_folder (gpointer screen);

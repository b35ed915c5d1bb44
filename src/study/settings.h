/**
 * settings.h: small facts that the workspace remembers between jobs (catalog_store_get).
 */
#pragma once

#include "catalog/store.h"

/* Written by every encoding of a cohort, as absolute paths; "" where it was not given. */
#define STUDY_SETTING_CHECKPOINT "encoder.checkpoint"
#define STUDY_SETTING_PRECISION "encoder.precision" /* of that checkpoint, by name */
#define STUDY_SETTING_DESCRIPTION "encoder.description"
#define STUDY_SETTING_VOLUMES "volumes.directory"

/* What the last encoding ran on, for the eye: "cpu" or "cuda:0 NVIDIA H100". */
#define STUDY_SETTING_DEVICE "encoder.device"

/** study_setting_set_path: remember a path, absolute; @path: (nullable) "" is remembered. */
gboolean study_setting_set_path (CatalogStore *store, const char *key, const char *path,
                                 GError **error);

/** study_setting_seconds_per_scan: as last measured for that encoder; NaN where it never was. */
double study_setting_seconds_per_scan (CatalogStore *store, const char *encoder);
gboolean study_setting_set_seconds_per_scan (CatalogStore *store, const char *encoder,
                                             double seconds, GError **error);

/**
 * testing_prepare.h: preparing a volume in a test.
 */
#pragma once

#include "volume/prepare.h"

/**
 * prepare: into a fresh tensor, g_free it; fails the test on any error.
 *
 * @prepared: (out) (nullable)
 */
float *prepare (const char *path, const VolumeMetadata *metadata,
                const VolumePreparation *preparation, guint threads, VolumePrepared *prepared);

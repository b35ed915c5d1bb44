/**
 * spacing.h: which spacing of a volume holds. Private to the room.
 */
#pragma once

#include "volume/volume.h"

/**
 * volume_spacing: mm along the stored axes x, y, z: the metadata's where it speaks, else the
 * header's.
 *
 * @difference: (out) the largest |metadata / header − 1|; 0 where the metadata is silent
 *
 * A given spacing that is not a number above 0 is a CTCLIP_ERROR_USAGE.
 */
gboolean volume_spacing (const VolumeHeader *header, const VolumeMetadata *metadata,
                         double spacing_mm[3], double *difference, GError **error);

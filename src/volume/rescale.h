/**
 * rescale.h: what takes stored values to HU. Private to the room.
 */
#pragma once

#include "volume/volume.h"

/** A settled rescale: HU = slope · v + intercept. */
typedef struct
{
  VolumeRescale rescale; /* never AUTO */
  double slope, intercept;
} VolumeScaling;

/**
 * A rescale that may hang on the voxels: with VOLUME_RESCALE_AUTO, an unscaled header and a CSV
 * that would change something, both readings are candidates until all voxels were counted.
 *
 * A chest holds air and soft tissue, so the reading with more voxels in the scarcer of the two is
 * taken. Air alone would mislead: with the usual intercept of -1024 applied once too often, soft
 * tissue lands on -1024 to -850 HU, and where a picture is filled by the body that is more than
 * the true air.
 */
typedef struct
{
  gboolean open;                   /* two candidates; else only the first */
  VolumeScaling candidates[2];     /* as stored (or the settled one), CSV applied */
  guint64 in_air[2], in_tissue[2]; /* voxels that each of them puts there */
} RescaleDecision;

/**
 * rescale_begin: what the policy makes of header and metadata.
 *
 * Scaling numbers that a policy would use and that make no sense (infinite, a CSV slope of 0) are
 * errors.
 */
gboolean rescale_begin (const VolumeHeader *header, const VolumeMetadata *metadata,
                        VolumeRescale policy, RescaleDecision *decision, GError **error);

/** rescale_count: count more stored voxels; does nothing unless the decision is open. */
void rescale_count (RescaleDecision *decision, int datatype, gconstpointer stored, gsize n);

/** rescale_favourite: the likelier candidate by what was counted so far; as stored on a tie. */
const VolumeScaling *rescale_favourite (const RescaleDecision *decision);

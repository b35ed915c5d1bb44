/**
 * orient.h: where stored axes point, and how to read them as L P S. Private to the room.
 */
#pragma once

#include "volume/volume.h"

/** How oriented axes are found among the stored ones. */
typedef struct
{
  guint stored_axis[3]; /* the stored axis that becomes oriented axis 0, 1, 2 */
  gboolean flipped[3];  /* ... read from its far end */
} OrientMap;

/**
 * orient_describe: fill axes and obliquity_deg from the affine.
 *
 * %FALSE where the affine is not finite or its axes lie in one plane.
 */
gboolean orient_describe (VolumeHeader *header);

/** orient_map: the identity for VOLUME_ORIENT_AS_STORED. */
OrientMap orient_map (const VolumeHeader *header, VolumeOrient orient);

/** orient_axes: where the axes point after the map, as VolumeHeader.axes says it. */
void orient_axes (const VolumeHeader *header, const OrientMap *map, char axes[4]);

/** orient_opposite: R for L, and so on. */
char orient_opposite (char letter);

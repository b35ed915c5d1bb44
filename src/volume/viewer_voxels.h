/**
 * viewer_voxels.h: a volume's voxels as stored, in the file's order, and what is taken out of them.
 * Private to the room.
 *
 * One thread may put slices while others take out what was put before: nothing is ever moved.
 */
#pragma once

#include "volume/orient.h"
#include "volume/rescale.h"
#include "volume/slice.h"
#include "volume/voxels.h"

typedef struct
{
  VolumeHeader *header;
  gsize n[3]; /* this and the next two along the oriented axes */
  double spacing_mm[3];
  gssize stride[3]; /* voxels */
  gsize origin;     /* where oriented voxel (0, 0, 0) is kept */
  char axes[4];
  OrientMap map;
  guint arrival_axis;          /* the oriented axis that the slices are stored along */
  double column_scale[3];      /* what a given spacing makes of the affine's columns */
  VolumeScaling candidates[2]; /* readings of the voxels ... */
  VoxelMap *to_hu[2];          /* ... and their maps; the second %NULL where there is one only */
  int datatype;                /* as kept, not as stored */
  gsize slice_voxels, slice_bytes; /* as kept */
  guint8 *kept;
} ViewerVoxels;

/** How much can be looked at, and by which reading. */
typedef struct
{
  gsize n;         /* stored slices that were put */
  guint candidate; /* 0 or 1 */
} ViewerArrived;

/** viewer_voxels_new: make room; takes the header over, on an error too. */
ViewerVoxels *viewer_voxels_new (VolumeHeader *header, const VolumeMetadata *metadata,
                                 VolumeOrient orient, const RescaleDecision *decision,
                                 GError **error);
void viewer_voxels_free (ViewerVoxels *voxels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ViewerVoxels, viewer_voxels_free)

/** viewer_voxels_put: keep stored slice @index. */
void viewer_voxels_put (ViewerVoxels *voxels, gsize index, gconstpointer stored);

/** viewer_voxels_slice: absent voxels are NaN; %NULL for an index outside. */
VolumeSlice *viewer_voxels_slice (const ViewerVoxels *voxels, VolumeAxis axis, gsize index,
                                  ViewerArrived arrived);

/** viewer_voxels_hu: NaN where it is absent or outside. */
float viewer_voxels_hu (const ViewerVoxels *voxels, const gsize voxel[3], ViewerArrived arrived);

void viewer_voxels_position_mm (const ViewerVoxels *voxels, const gsize voxel[3], double lps_mm[3]);

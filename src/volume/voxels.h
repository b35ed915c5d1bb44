/**
 * voxels.h: stored numbers of every real NIfTI datatype. Private to the room.
 */
#pragma once

#include <glib.h>

/** What a voxel that is NaN or infinite counts as: air, in HU. */
#define VOXELS_NON_FINITE_HU (-1024.0)

/** voxels_bytes: bytes of one voxel of a datatype that can be read; 0 for any other. */
guint voxels_bytes (int datatype);

/** voxels_swap: reverse the bytes of each of @n voxels. */
void voxels_swap (gpointer stored, gsize n, guint bytes_per_voxel);

/** voxels_to_float: each of @n voxels as the nearest float, NaN and infinite ones too. */
void voxels_to_float (int datatype, gconstpointer stored, gsize n, float *out);

/** voxels_count_between: how many of @n stored values lie in [low, high]. */
guint64 voxels_count_between (int datatype, gconstpointer stored, gsize n, double low, double high);

/** From a stored value v to clamp (slope · v + intercept, low, high) / divisor. */
typedef struct
{
  double slope, intercept;
  double low, high; /* HU; finite */
  double divisor;
} VoxelFormula;

typedef struct _VoxelMap VoxelMap;

/** voxel_map_new: make ready to map voxels of a datatype that voxels_bytes() knows. */
VoxelMap *voxel_map_new (int datatype, const VoxelFormula *formula);
void voxel_map_free (VoxelMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VoxelMap, voxel_map_free)

/** voxel_map_apply: map @n voxels; computed in double, rounded once. */
void voxel_map_apply (const VoxelMap *map, gconstpointer stored, gsize n, float *out);

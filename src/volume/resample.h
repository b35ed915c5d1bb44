/**
 * resample.h: trilinear resizing of a volume that arrives slice by slice. Private to the room.
 */
#pragma once

#include "volume/voxels.h"
#include <glib.h>

/**
 * One axis of a resize with a centred crop or margin: output i is
 * source[lower[i]] · (1 − weight[i]) + source[upper[i]] · weight[i] and stands at place first + i
 * of the target. A flip lies in the indices.
 */
typedef struct
{
  gsize n;     /* outputs that are kept */
  gsize first; /* margin before them in the target */
  gsize *lower, *upper;
  float *weight;
  gsize least, most; /* smallest and largest source index in use */
} ResampleAxis;

/**
 * resample_axis_init: @n_source voxels to @n_resized, of which the middle @n_target are kept.
 *
 * The source coordinate of output i is max ((i + 0.5) · n_source / n_resized − 0.5, 0), with no
 * anti-aliasing, as PyTorch's interpolate (align_corners off) has it; where n_resized is under
 * n_target, half of the difference (rounded down) stands before.
 */
void resample_axis_init (ResampleAxis *axis, gsize n_source, gsize n_resized, gsize n_target,
                         gboolean flipped);
void resample_axis_clear (ResampleAxis *axis);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ResampleAxis, resample_axis_clear)

typedef struct _Resampler Resampler;

/**
 * resampler_new: fill a tensor of shape (z, x, y), y fastest, from slices whose rows run along x.
 *
 * @path: names the volume in errors
 * @axes: z, x, y; borrowed
 * @row: voxels in a stored row
 * @map: stored voxels to the tensor's numbers; borrowed
 * @tensor: (out) written by the pushes, margins too
 */
Resampler *resampler_new (const char *path, const ResampleAxis axes[3], const gsize shape[3],
                          gsize row, const VoxelMap *map, guint bytes_per_voxel, double pad,
                          float *tensor, GError **error);
void resampler_free (Resampler *resampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Resampler, resampler_free)

/**
 * resampler_push: the stored slice @index; all in order from 0. Each output slice is written as
 * soon as both of its source slices are there; after the last push the tensor is complete.
 */
void resampler_push (Resampler *resampler, gsize index, gconstpointer stored);

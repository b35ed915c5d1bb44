/**
 * viewer.h: a volume that is looked at while it is still being read.
 *
 * A thread of its own reads header and slices; nothing here waits for the file, so that a screen
 * may call everything at any time. Voxels are kept as stored (8 and 16 bit; anything wider as
 * float) and become HU when a slice is taken out, so that CT needs two bytes a voxel and a rescale
 * that is settled only by the last voxel needs no second pass.
 *
 * x, y, z are voxels along the oriented axes: x to the left, y to the back, z to the head after
 * VOLUME_ORIENT_LPS.
 */
#pragma once

#include "volume/slice.h"
#include "volume/volume.h"

typedef struct _VolumeViewer VolumeViewer;

/**
 * Called from the reader's thread, with the viewer's lock held, when there is something new: it may
 * only wake a main loop and must not call the viewer. At most 30 times a second, save for the
 * header, the first slice and the end, which are told at once. Never called after the owner that
 * opened the viewer has let it go.
 */
typedef void (*VolumeViewerWake) (gpointer data);

/** What is known by now: a copy. Clear it with volume_viewer_state_clear(). */
typedef struct
{
  gboolean ready; /* the header was read; from here to size_bytes nothing holds before */
  gsize n[3];     /* oriented */
  double spacing_mm[3];
  char axes[4];             /* where the oriented axes point: "LPS" after VOLUME_ORIENT_LPS */
  gboolean has_orientation; /* FALSE: the header says nothing and the stored axes count as L P S */
  guint arrival_axis;       /* the oriented axis along which the file is stored: 0, 1, 2 */
  gboolean arrives_from_far_end; /* ... from n - 1 down */
  gsize arrived;                 /* voxels along that axis */
  VolumeRescale applied;         /* never AUTO; what is likeliest by now, for sure once finished */
  double slope, intercept;       /* stored value to HU */
  guint64 size_bytes;            /* memory of the whole volume */

  gboolean finished;        /* nothing more will come, because of the end or an error */
  GError *error;            /* (nullable) why not all came; what had arrived stays */
  gboolean changed_on_disk; /* volume_viewer_check() found another file than was read */
} VolumeViewerState;

void volume_viewer_state_clear (VolumeViewerState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VolumeViewerState, volume_viewer_state_clear)

/**
 * volume_viewer_open: start reading; returns at once, for not even the header is read here.
 *
 * @metadata: (nullable) copied
 * @wake: (nullable) see there
 *
 * Fails only where no thread can be had; a file that is absent or wrong shows in the state.
 */
VolumeViewer *volume_viewer_open (const char *path, const VolumeMetadata *metadata,
                                  VolumeRescale rescale, VolumeOrient orient, VolumeViewerWake wake,
                                  gpointer wake_data, GError **error);

/** volume_viewer_ref: one more owner, on the same thread as the others. */
VolumeViewer *volume_viewer_ref (VolumeViewer *viewer);

/**
 * volume_viewer_unref: the last owner cancels the reading and leaves; it waits for nothing. The
 * thread frees the memory at its next piece of 256 KiB.
 */
void volume_viewer_unref (VolumeViewer *viewer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VolumeViewer, volume_viewer_unref)

void volume_viewer_state (VolumeViewer *viewer, VolumeViewerState *state);

/** volume_viewer_state_count: slices along an axis; 0 until ready. */
gsize volume_viewer_state_count (const VolumeViewerState *state, VolumeAxis axis);

/** volume_viewer_state_has: whether all of a slice has arrived. */
gboolean volume_viewer_state_has (const VolumeViewerState *state, VolumeAxis axis, gsize index);

/**
 * volume_viewer_slice: a slice as far as it has arrived; absent voxels are NaN.
 *
 * %NULL before the header is there and for an index outside the volume.
 */
VolumeSlice *volume_viewer_slice (VolumeViewer *viewer, VolumeAxis axis, gsize index);

/** volume_viewer_hu: one voxel; NaN where it has not arrived or there is none. */
float volume_viewer_hu (VolumeViewer *viewer, gsize x, gsize y, gsize z);

/**
 * volume_viewer_position_mm: where a voxel's middle lies in the patient, through the affine.
 *
 * @lps_mm: (out) mm to the left, to the back, to the head, as DICOM has it
 *
 * %FALSE before the header is there.
 */
gboolean volume_viewer_position_mm (VolumeViewer *viewer, gsize x, gsize y, gsize z,
                                    double lps_mm[3]);

/**
 * volume_viewer_check: look, on a thread, whether the file still has the size and time that it had
 * when it was opened; where not, the state says so and the owner is woken.
 */
void volume_viewer_check (VolumeViewer *viewer);

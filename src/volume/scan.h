/**
 * scan.h: going through all slices of a volume while its rescale is being decided. Private to the
 * room.
 */
#pragma once

#include "volume/rescale.h"
#include "volume/volume.h"

/** What a scan calls. */
typedef struct
{
  /** A pass begins with this scaling. A second one means that all of the first is void. */
  gboolean (*begin) (gpointer data, const VolumeScaling *scaling, GError **error);
  /** Stored slice @index, in order from 0. */
  void (*slice) (gpointer data, gsize index, gconstpointer stored);
} ScanCalls;

/**
 * volume_scan: read every slice once, or twice where the first slice misled.
 *
 * Which of two candidate scalings holds is known for sure only after the last voxel; the first
 * slice nearly always tells, so that is what the pass goes by. Where the whole volume disagrees
 * with it in the end, a second pass runs with the other. The memory of the whole volume is never
 * needed.
 *
 * @applied: (out) the scaling of the last pass
 */
gboolean volume_scan (const VolumeHeader *header, RescaleDecision *decision, guint threads,
                      const ScanCalls *calls, gpointer data, VolumeScaling *applied,
                      GCancellable *cancellable, GError **error);

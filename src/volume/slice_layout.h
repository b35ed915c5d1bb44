/**
 * slice_layout.h: how a plane of an L P S volume lies on the screen. Private to the room.
 */
#pragma once

#include "volume/slice.h"

/**
 * Columns run along one axis to the right, rows along another to the bottom. x runs to the
 * patient's left, y to the back, z to the head, so only rows along z have to be turned over.
 */
typedef struct
{
  guint through, columns, rows; /* oriented axes */
  gboolean rows_upwards;
} SliceLayout;

const SliceLayout *slice_layout (VolumeAxis axis);

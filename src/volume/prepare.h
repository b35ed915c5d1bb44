/**
 * prepare.h: stored volume to the encoder's input, as the reference does it.
 *
 * Axes (x, y, z) become (z, x, y); HU are clipped, resized trilinearly to the target spacing
 * (align_corners off, no anti-aliasing, integer size ratio as scale), divided, then centre-cropped
 * or padded.
 */
#pragma once

#include "volume/volume.h"

typedef struct
{
  double spacing_mm[3];  /* target, z x y */
  gsize shape[3];        /* target, z x y */
  double hu_min, hu_max; /* clip */
  double hu_scale;       /* divisor after the resize */
  double pad;            /* value around a small volume, after division */
  VolumeRescale rescale;
  VolumeOrient orient;
} VolumePreparation;

/** volume_preparation_default: CT-CLIP's: 1.5, 0.75, 0.75 mm to 240 x 480 x 480, -1000..1000 by
 * 1000, pad -1, auto, L P S. */
VolumePreparation volume_preparation_default (void);

/** What was done to one volume; kept beside its latent. */
typedef struct
{
  VolumeRescale rescale;                   /* as resolved, never AUTO */
  double slope, intercept;                 /* stored value to HU */
  double spacing_mm[3];                    /* source, z x y of the oriented axes */
  gsize source_shape[3], resized_shape[3]; /* z x y */
  char axes[4];                            /* as stored */
  double spacing_difference; /* largest |CSV / header - 1|; over 0.01 is worth a warning; 0 without
                                a CSV value */
  gboolean has_orientation;  /* FALSE: the header says nothing and the stored axes count as L P S */
  double obliquity_deg;
  FileStamp stamp; /* of the file that was read */
} VolumePrepared;

/**
 * volume_prepare: read, rescale, orient, resize, crop or pad.
 *
 * @tensor: (out) shape[0] * shape[1] * shape[2] floats owned by the caller, z slowest, y fastest
 * @threads: 1 or 2 are sensible; inflating is the floor
 *
 * Agrees with the reference to 2e-6 where rescale is BOTH and orient AS_STORED.
 */
gboolean volume_prepare (const char *path, const VolumeMetadata *metadata,
                         const VolumePreparation *preparation, guint threads, float *tensor,
                         VolumePrepared *prepared, GCancellable *cancellable, GError **error);

/**
 * volume_prepared_text: the resolved preparation as one stable line, the part of a latent's key
 * that says how the volume was prepared ("v1;rescale=csv;slope=1;..."). Free with g_free.
 */
char *volume_prepared_text (const VolumePreparation *preparation, const VolumePrepared *prepared);

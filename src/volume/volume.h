/**
 * volume.h: NIfTI volumes: checking, streaming, Hounsfield units, orientation.
 *
 * NIfTI-1 and -2, .nii and .nii.gz, both byte orders, every real datatype; one volume (a 4-D file
 * with a single time point counts as 3-D). A header is checked before anything is allocated.
 */
#pragma once

#include "base/file_stamp.h"

#include <gio/gio.h>

typedef struct
{
  char *path;
  char *name;          /* base name */
  guint nifti_version; /* 1 or 2 */
  gboolean compressed; /* gzip */
  gboolean swapped;    /* stored in the other byte order */
  int datatype;        /* NIfTI code, DT_INT16 and so on */
  guint bytes_per_voxel;
  gsize n[3];              /* stored voxels along x, y, z */
  double spacing_mm[3];    /* of the stored axes, from the header, > 0 */
  double slope, intercept; /* as stored in the header; see volume_header_is_scaled */
  gint64 data_offset;
  double affine[3][4]; /* voxel to RAS+ mm: sform, else qform, else the spacing along L, P, S */
  gboolean has_orientation; /* sform or qform is set */
  char axes[4];             /* where each stored axis points, nearest: "LPS", "LAS", ... */
  double obliquity_deg;     /* largest angle between a stored axis and its nearest body axis */
  FileStamp stamp;          /* of the file that it was read from */
} VolumeHeader;

/**
 * volume_header_read: read and check a header.
 *
 * A DICOM file gives CTCLIP_ERROR_UNSUPPORTED with the dcm2niix command to run. RGB, complex and
 * truly 4-D files, zero, negative or NaN sizes and spacings, data beyond the end of the file and
 * the like are refused with the fault named.
 */
VolumeHeader *volume_header_read (const char *path, GError **error);
void volume_header_free (VolumeHeader *header);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VolumeHeader, volume_header_free)

/** volume_header_is_scaled: TRUE where the header asks for a rescale that is not the identity
 * (slope 0 or NaN ask for none). */
gboolean volume_header_is_scaled (const VolumeHeader *header);

/* ---- policies ---- */

typedef enum
{
  VOLUME_RESCALE_AUTO, /* header if it scales, else stored or CSV, whichever makes a chest: air
                          and soft tissue */
  VOLUME_RESCALE_HEADER,
  VOLUME_RESCALE_CSV,
  VOLUME_RESCALE_BOTH, /* header, then CSV: what the public scripts do */
  VOLUME_RESCALE_NONE,
} VolumeRescale;

typedef enum
{
  VOLUME_ORIENT_LPS,       /* flip and permute to L P S */
  VOLUME_ORIENT_AS_STORED, /* ignore the affine: what the public scripts do */
} VolumeOrient;

gboolean volume_rescale_parse (const char *text, VolumeRescale *rescale, GError **error);
const char *volume_rescale_name (VolumeRescale rescale);
gboolean volume_orient_parse (const char *text, VolumeOrient *orient, GError **error);
const char *volume_orient_name (VolumeOrient orient);

/** What a CSV row or the command line says of a scan; NaN where it says nothing. */
typedef struct
{
  double slope, intercept;
  double spacing_z_mm, spacing_x_mm, spacing_y_mm; /* of the stored axes */
} VolumeMetadata;

#define VOLUME_METADATA_NONE                                                                       \
  {                                                                                                \
    NAN, NAN, NAN, NAN, NAN                                                                        \
  }

/* ---- a volume in memory, for looking at ---- */

typedef struct
{
  gsize n[3]; /* along x, y, z as oriented */
  double spacing_mm[3];
  char axes[4];            /* "LPS" after VOLUME_ORIENT_LPS */
  float *hu;               /* x fastest */
  VolumeRescale applied;   /* never AUTO */
  double slope, intercept; /* what took stored values to HU */
} Volume;

/**
 * volume_load: the whole volume as HU in the wanted orientation.
 *
 * NaN and infinite voxels become -1024 HU. Memory: 4 bytes a voxel plus one stored slice.
 */
Volume *volume_load (const char *path, const VolumeMetadata *metadata, VolumeRescale rescale,
                     VolumeOrient orient, GCancellable *cancellable, GError **error);
void volume_free (Volume *volume);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Volume, volume_free)

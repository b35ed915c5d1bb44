/**
 * nifti_maker.h: NIfTI files made in a test, right and wrong ones.
 */
#pragma once

#include <glib.h>
#include <nifti2_io.h>

typedef enum
{
  NIFTI_MAKER_PLAIN = 0,
  NIFTI_MAKER_GZIP = 1 << 0,
  NIFTI_MAKER_SWAPPED = 1 << 1,
  NIFTI_MAKER_VERSION_2 = 1 << 2,
} NiftiMakerFlags;

/**
 * nifti_maker_header: a header that is right: 1 mm, unscaled, no orientation, data directly behind
 * it. NIfTI-1 files are made from the same struct, as far as their fields reach.
 */
nifti_2_header nifti_maker_header (int datatype, gsize nx, gsize ny, gsize nz);

/** nifti_maker_orient: an sform whose axes point to these letters ("LPS"), at the header's spacing.
 */
void nifti_maker_orient (nifti_2_header *header, const char *axes);

/**
 * nifti_maker_bytes: a whole file, uncompressed.
 *
 * @values: one for each voxel that dim[1..3] asks for, x fastest; converted to the datatype
 */
GByteArray *nifti_maker_bytes (const nifti_2_header *header, const double *values,
                               NiftiMakerFlags flags);

/** nifti_maker_gzip: one gzip member of these bytes. */
GByteArray *nifti_maker_gzip (const guint8 *bytes, gsize n);

/** nifti_maker_write: the file in the test's directory; returns its path, g_free it. */
char *nifti_maker_write (const char *name, const nifti_2_header *header, const double *values,
                         NiftiMakerFlags flags);

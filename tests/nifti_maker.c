#include "nifti_maker.h"

#include "testing.h"

#include <string.h>
#include <zlib.h>

nifti_2_header
nifti_maker_header (int datatype, gsize nx, gsize ny, gsize nz)
{
  nifti_2_header header = { .datatype = (gint16) datatype,
                            .dim = { 3, (gint64) nx, (gint64) ny, (gint64) nz, 1, 1, 1, 1 },
                            .pixdim = { 1, 1, 1, 1, 1, 1, 1, 1 },
                            .xyzt_units = NIFTI_UNITS_MM };
  int bytes, swap;

  nifti_datatype_sizes (datatype, &bytes, &swap);
  header.bitpix = (gint16) (8 * bytes);
  return header;
}

void
nifti_maker_orient (nifti_2_header *header, const char *axes)
{
  static const char positive[] = "RAS", negative[] = "LPI";
  double *rows[3] = { header->srow_x, header->srow_y, header->srow_z };

  header->sform_code = NIFTI_XFORM_SCANNER_ANAT;
  for (guint column = 0; column < 3; column++)
    for (guint row = 0; row < 3; row++)
      rows[row][column] = axes[column] == positive[row]   ? header->pixdim[column + 1]
                          : axes[column] == negative[row] ? -header->pixdim[column + 1]
                                                          : 0;
}

static void
append_value (GByteArray *bytes, int datatype, double value)
{
  switch (datatype)
    {
#define APPEND(code, type)                                                                         \
    case code: {                                                                                   \
      type stored = (type) value;                                                                  \
                                                                                                   \
      g_byte_array_append (bytes, (const guint8 *) &stored, sizeof stored);                        \
      break;                                                                                       \
    }
      APPEND (DT_INT8, gint8)
      APPEND (DT_UINT8, guint8)
      APPEND (DT_INT16, gint16)
      APPEND (DT_UINT16, guint16)
      APPEND (DT_INT32, gint32)
      APPEND (DT_UINT32, guint32)
      APPEND (DT_INT64, gint64)
      APPEND (DT_UINT64, guint64)
      APPEND (DT_FLOAT32, float)
      APPEND (DT_FLOAT64, double)
    default:
      break; /* types that are refused need no voxels */
    }
}

static void
append_version_1 (GByteArray *bytes, const nifti_2_header *wide, gboolean swapped)
{
  nifti_1_header header = { .sizeof_hdr = sizeof header,
                            .datatype = wide->datatype,
                            .bitpix = wide->bitpix,
                            .vox_offset = (float) wide->vox_offset,
                            .scl_slope = (float) wide->scl_slope,
                            .scl_inter = (float) wide->scl_inter,
                            .qform_code = (gint16) wide->qform_code,
                            .sform_code = (gint16) wide->sform_code,
                            .quatern_b = (float) wide->quatern_b,
                            .quatern_c = (float) wide->quatern_c,
                            .quatern_d = (float) wide->quatern_d,
                            .xyzt_units = (char) wide->xyzt_units };

  for (guint i = 0; i < 8; i++)
    {
      header.dim[i] = (gint16) wide->dim[i];
      header.pixdim[i] = (float) wide->pixdim[i];
    }
  for (guint i = 0; i < 4; i++)
    {
      header.srow_x[i] = (float) wide->srow_x[i];
      header.srow_y[i] = (float) wide->srow_y[i];
      header.srow_z[i] = (float) wide->srow_z[i];
    }
  memcpy (header.magic, wide->magic[0] != '\0' ? wide->magic : "n+1", sizeof header.magic);
  if (swapped)
    nifti_swap_as_nifti1 (&header);
  g_byte_array_append (bytes, (const guint8 *) &header, sizeof header);
}

static void
append_version_2 (GByteArray *bytes, const nifti_2_header *wide, gboolean swapped)
{
  nifti_2_header header = *wide;

  header.sizeof_hdr = sizeof header;
  if (header.magic[0] == '\0')
    memcpy (header.magic, "n+2\0\r\n\032\n", sizeof header.magic);
  if (swapped)
    nifti_swap_as_nifti2 (&header);
  g_byte_array_append (bytes, (const guint8 *) &header, sizeof header);
}

GByteArray *
nifti_maker_bytes (const nifti_2_header *header, const double *values, NiftiMakerFlags flags)
{
  GByteArray *bytes = g_byte_array_new ();
  const gboolean swapped = (flags & NIFTI_MAKER_SWAPPED) != 0;
  int bytes_per_voxel, swap_size;
  nifti_2_header placed = *header;
  gsize n, voxels_from;

  if (placed.vox_offset == 0)
    placed.vox_offset = (flags & NIFTI_MAKER_VERSION_2) ? 544 : 352;
  if (flags & NIFTI_MAKER_VERSION_2)
    append_version_2 (bytes, &placed, swapped);
  else
    append_version_1 (bytes, &placed, swapped);
  if (values == NULL)
    return bytes;
  while (bytes->len < placed.vox_offset)
    g_byte_array_append (bytes, (const guint8 *) "", 1);
  voxels_from = bytes->len;
  n = (gsize) (header->dim[1] * header->dim[2] * header->dim[3]);
  for (gsize i = 0; i < n; i++)
    append_value (bytes, header->datatype, values[i]);
  nifti_datatype_sizes (header->datatype, &bytes_per_voxel, &swap_size);
  if (swapped && swap_size > 1)
    nifti_swap_Nbytes ((gint64) n, swap_size, bytes->data + voxels_from);
  return bytes;
}

GByteArray *
nifti_maker_gzip (const guint8 *bytes, gsize n)
{
  GByteArray *packed = g_byte_array_new ();
  z_stream stream = { .next_in = (guint8 *) bytes, .avail_in = (uInt) n };

  assert_int_equal (deflateInit2 (&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  g_byte_array_set_size (packed, (guint) deflateBound (&stream, n) + 64);
  stream.next_out = packed->data;
  stream.avail_out = packed->len;
  assert_int_equal (deflate (&stream, Z_FINISH), Z_STREAM_END);
  g_byte_array_set_size (packed, (guint) stream.total_out);
  deflateEnd (&stream);
  return packed;
}

char *
nifti_maker_write (const char *name, const nifti_2_header *header, const double *values,
                   NiftiMakerFlags flags)
{
  g_autoptr (GByteArray) bytes = nifti_maker_bytes (header, values, flags);

  if (flags & NIFTI_MAKER_GZIP)
    {
      GByteArray *packed = nifti_maker_gzip (bytes->data, bytes->len);

      g_byte_array_unref (bytes);
      bytes = packed;
    }
  return testing_write (name, bytes->data, bytes->len);
}

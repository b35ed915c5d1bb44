#include "base/error.h"
#include "volume/foreign.h"
#include "volume/orient.h"
#include "volume/stream.h"
#include "volume/voxels.h"

#include <math.h>
#include <nifti2_io.h>
#include <string.h>

/* A header of either version, and the four bytes behind it that say whether extensions follow. */
#define LARGEST_HEADER (sizeof (nifti_2_header) + 4)

/* Deflate can't do better than this (RFC 1951: 258 bytes from two bits). */
#define LARGEST_EXPANSION 1032

/* CT-RATE's largest, 1024 x 1024 x 1617, would fit in the widest datatype. */
#define LARGEST_DATA ((guint64) 16 << 30)

static gboolean fault (const VolumeHeader *header, int code, GError **error, const char *format,
                       ...) G_GNUC_PRINTF (4, 5);

/** Set an error that starts with the file's path. */
static gboolean
fault (const VolumeHeader *header, int code, GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, CTCLIP_ERROR, code, "%s: %s", header->path, message);
  return FALSE;
}

/** A version 1 header in the wider fields of version 2; only what is looked at here. */
static void
widen (const nifti_1_header *narrow, nifti_2_header *wide)
{
  memset (wide, 0, sizeof *wide);
  wide->sizeof_hdr = narrow->sizeof_hdr;
  memcpy (wide->magic, narrow->magic, sizeof narrow->magic);
  wide->datatype = narrow->datatype;
  wide->bitpix = narrow->bitpix;
  for (guint i = 0; i < 8; i++)
    {
      wide->dim[i] = narrow->dim[i];
      wide->pixdim[i] = narrow->pixdim[i];
    }
  /* Kept as a float there; what is no offset at all becomes one that is refused. */
  wide->vox_offset = narrow->vox_offset >= 0 && narrow->vox_offset <= G_MAXINT32
                             && narrow->vox_offset == floorf (narrow->vox_offset)
                         ? (gint64) narrow->vox_offset
                         : -1;
  wide->scl_slope = narrow->scl_slope;
  wide->scl_inter = narrow->scl_inter;
  wide->qform_code = narrow->qform_code;
  wide->sform_code = narrow->sform_code;
  wide->quatern_b = narrow->quatern_b;
  wide->quatern_c = narrow->quatern_c;
  wide->quatern_d = narrow->quatern_d;
  wide->qoffset_x = narrow->qoffset_x;
  wide->qoffset_y = narrow->qoffset_y;
  wide->qoffset_z = narrow->qoffset_z;
  for (guint i = 0; i < 4; i++)
    {
      wide->srow_x[i] = narrow->srow_x[i];
      wide->srow_y[i] = narrow->srow_y[i];
      wide->srow_z[i] = narrow->srow_z[i];
    }
  wide->xyzt_units = narrow->xyzt_units;
}

/** Read either version in either byte order. */
static gboolean
read_raw (VolumeHeader *header, VolumeStream *stream, nifti_2_header *raw, GError **error)
{
  guint8 bytes[LARGEST_HEADER];
  gssize n = volume_stream_read (stream, bytes, sizeof bytes, error);
  nifti_1_header narrow;
  gint32 size, swapped_size;
  gboolean known;

  if (n < 0)
    return FALSE;
  memset (bytes + n, 0, sizeof bytes - (gsize) n);
  memcpy (&size, bytes, sizeof size);
  swapped_size = (gint32) GUINT32_SWAP_LE_BE ((guint32) size);
  header->swapped = swapped_size == sizeof narrow || swapped_size == sizeof *raw;
  if (header->swapped)
    size = swapped_size;
  known = size == sizeof narrow || size == sizeof *raw;
  if (known ? n < size : volume_stream_is_truncated (stream))
    return fault (
        header, CTCLIP_ERROR_CORRUPT, error,
        "ends inside its header, after %d bytes; the file is truncated, download it again",
        (int) n);
  if (!known)
    {
      foreign_explain_file (header->path, bytes, (gsize) n, error);
      return FALSE;
    }
  if (size == sizeof *raw)
    {
      header->nifti_version = 2;
      memcpy (raw, bytes, sizeof *raw);
      if (header->swapped)
        nifti_swap_as_nifti2 (raw);
    }
  else
    {
      header->nifti_version = 1;
      memcpy (&narrow, bytes, sizeof narrow);
      if (header->swapped)
        nifti_swap_as_nifti1 (&narrow);
      widen (&narrow, raw);
    }
  return TRUE;
}

static gboolean
check_kind (const VolumeHeader *header, const nifti_2_header *raw, GError **error)
{
  g_autofree char *quoted = NULL;

  if (raw->magic[0] == 'n' && raw->magic[1] == '+')
    return TRUE;
  quoted = g_shell_quote (header->path);
  return fault (header, CTCLIP_ERROR_UNSUPPORTED, error,
                "is the header of %s; make it one file first: nifti_tool -copy_im -infiles %s "
                "-prefix OUT.nii.gz",
                raw->magic[0] == 'n' ? "a .hdr/.img pair" : "an ANALYZE 7.5 pair", quoted);
}

static gboolean
take_datatype (VolumeHeader *header, const nifti_2_header *raw, GError **error)
{
  const char *name = nifti_datatype_string (raw->datatype);

  header->datatype = raw->datatype;
  header->bytes_per_voxel = voxels_bytes (raw->datatype);
  switch (raw->datatype)
    {
    case DT_RGB24:
    case DT_RGBA32:
      return fault (header, CTCLIP_ERROR_UNSUPPORTED, error,
                    "holds colour pictures (%s), not HU; convert the original CT series with "
                    "dcm2niix",
                    name);
    case DT_COMPLEX64:
    case DT_COMPLEX128:
    case DT_COMPLEX256:
      return fault (header, CTCLIP_ERROR_UNSUPPORTED, error,
                    "holds complex numbers (%s), not HU; convert the original CT series with "
                    "dcm2niix",
                    name);
    case DT_FLOAT128:
      return fault (header, CTCLIP_ERROR_UNSUPPORTED, error,
                    "holds float128 voxels, whose format depends on the machine that wrote them; "
                    "convert it to float32");
    }
  if (header->bytes_per_voxel == 0)
    return fault (header, CTCLIP_ERROR_CORRUPT, error,
                  "has datatype %d, which NIfTI does not know as a number; convert the scan again",
                  raw->datatype);
  if ((guint) raw->bitpix != 8 * header->bytes_per_voxel)
    return fault (header, CTCLIP_ERROR_CORRUPT, error,
                  "says %d bits a voxel (bitpix), but its datatype %s has %u; the header is "
                  "damaged, convert the scan again",
                  raw->bitpix, name, 8 * header->bytes_per_voxel);
  return TRUE;
}

static gboolean
take_dimensions (VolumeHeader *header, const nifti_2_header *raw, GError **error)
{
  gint64 n_dims = raw->dim[0];

  if (n_dims < 3 || n_dims > 7)
    return fault (header, CTCLIP_ERROR_CORRUPT, error,
                  "has %" G_GINT64_FORMAT " dimensions; a volume has three, convert the scan again",
                  n_dims);
  for (gint64 i = 1; i <= n_dims; i++)
    if (raw->dim[i] < 1)
      return fault (header, CTCLIP_ERROR_CORRUPT, error,
                    "has a size of %" G_GINT64_FORMAT " along dimension %" G_GINT64_FORMAT
                    "; the header is damaged, convert the scan again",
                    (gint64) raw->dim[i], i);
  for (gint64 i = 4; i <= n_dims; i++)
    if (raw->dim[i] > 1)
      {
        g_autofree char *first = g_strconcat (header->path, "[0]", NULL);
        g_autofree char *quoted = g_shell_quote (first);

        return fault (header, CTCLIP_ERROR_UNSUPPORTED, error,
                      "holds %" G_GINT64_FORMAT " volumes along dimension %" G_GINT64_FORMAT
                      "; take one of them: nifti_tool -cbl -infiles %s -prefix OUT.nii.gz",
                      (gint64) raw->dim[i], i, quoted);
      }
  for (guint i = 0; i < 3; i++)
    header->n[i] = (gsize) raw->dim[i + 1];
  return TRUE;
}

/** Millimetres in the header's unit of length; an unknown unit is taken for mm, as all do. */
static double
mm_of_unit (const nifti_2_header *raw)
{
  switch (raw->xyzt_units & 7)
    {
    case NIFTI_UNITS_METER:
      return 1e3;
    case NIFTI_UNITS_MICRON:
      return 1e-3;
    default:
      return 1;
    }
}

static gboolean
take_spacing (VolumeHeader *header, const nifti_2_header *raw, GError **error)
{
  for (guint i = 0; i < 3; i++)
    {
      header->spacing_mm[i] = raw->pixdim[i + 1] * mm_of_unit (raw);
      if (!(header->spacing_mm[i] > 0) || !isfinite (header->spacing_mm[i]))
        return fault (header, CTCLIP_ERROR_CORRUPT, error,
                      "has a spacing of %g along axis %c (pixdim); it must be above 0, convert the "
                      "scan again",
                      raw->pixdim[i + 1], "xyz"[i]);
    }
  return TRUE;
}

/** The data must lie where the file can hold it. */
static gboolean
take_place (VolumeHeader *header, const nifti_2_header *raw, GError **error)
{
  gint64 least = raw->sizeof_hdr + 4;
  guint64 size = header->bytes_per_voxel, most;

  /* 0 means "directly behind the header" to many writers. */
  header->data_offset = raw->vox_offset == 0 ? least : raw->vox_offset;
  if (header->data_offset < least)
    return fault (header, CTCLIP_ERROR_CORRUPT, error,
                  "says that its voxels start inside the header (vox_offset below %" G_GINT64_FORMAT
                  "); the header is damaged, convert the scan again",
                  least);
  for (guint i = 0; i < 3; i++)
    if (!g_uint64_checked_mul (&size, size, header->n[i]) || size > LARGEST_DATA)
      return fault (header, CTCLIP_ERROR_CORRUPT, error,
                    "claims %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT
                    " voxels, which no scan has; the header is damaged, convert the scan again",
                    header->n[0], header->n[1], header->n[2]);
  most = header->stamp.size * (header->compressed ? LARGEST_EXPANSION : 1);
  if ((guint64) header->data_offset > most || size > most - (guint64) header->data_offset)
    return fault (header, CTCLIP_ERROR_CORRUPT, error,
                  "needs %.1f MB for %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT
                  " voxels from byte %" G_GINT64_FORMAT
                  " on, more than its %.1f MB%s can hold; the file is truncated, download it again",
                  (double) size / 1e6, header->n[0], header->n[1], header->n[2],
                  header->data_offset, (double) header->stamp.size / 1e6,
                  header->compressed ? " of gzip" : "");
  return TRUE;
}

/** The affine: sform, else qform, else nothing is known and the stored axes count as L P S. */
static gboolean
take_orientation (VolumeHeader *header, const nifti_2_header *raw, GError **error)
{
  const double mm = mm_of_unit (raw);
  const char *source = raw->sform_code > 0 ? "sform" : "qform";

  header->has_orientation = raw->sform_code > 0 || raw->qform_code > 0;
  if (raw->sform_code > 0)
    for (guint i = 0; i < 4; i++)
      {
        header->affine[0][i] = raw->srow_x[i] * mm;
        header->affine[1][i] = raw->srow_y[i] * mm;
        header->affine[2][i] = raw->srow_z[i] * mm;
      }
  else if (raw->qform_code > 0)
    {
      nifti_dmat44 matrix = nifti_quatern_to_dmat44 (
          raw->quatern_b, raw->quatern_c, raw->quatern_d, raw->qoffset_x * mm, raw->qoffset_y * mm,
          raw->qoffset_z * mm, header->spacing_mm[0], header->spacing_mm[1], header->spacing_mm[2],
          raw->pixdim[0] < 0 ? -1 : 1);

      memcpy (header->affine, matrix.m, sizeof header->affine);
    }
  else
    {
      header->affine[0][0] = -header->spacing_mm[0];
      header->affine[1][1] = -header->spacing_mm[1];
      header->affine[2][2] = header->spacing_mm[2];
    }
  if (!orient_describe (header))
    return fault (header, CTCLIP_ERROR_CORRUPT, error,
                  "has an affine (%s) whose axes do not span a volume; convert the scan again",
                  source);
  return TRUE;
}

VolumeHeader *
volume_header_read (const char *path, GError **error)
{
  g_autoptr (VolumeHeader) header = g_new0 (VolumeHeader, 1);
  g_autoptr (VolumeStream) stream = NULL;
  nifti_2_header raw;

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      foreign_explain_directory (path, error);
      return NULL;
    }
  stream = volume_stream_open (path, NULL, error);
  if (stream == NULL)
    return NULL;
  header->path = g_strdup (path);
  header->name = g_path_get_basename (path);
  header->compressed = volume_stream_is_gzip (stream);
  header->stamp = volume_stream_stamp (stream);
  if (!read_raw (header, stream, &raw, error) || !check_kind (header, &raw, error)
      || !take_datatype (header, &raw, error) || !take_dimensions (header, &raw, error)
      || !take_spacing (header, &raw, error) || !take_place (header, &raw, error)
      || !take_orientation (header, &raw, error))
    return NULL;
  header->slope = raw.scl_slope;
  header->intercept = raw.scl_inter;
  return g_steal_pointer (&header);
}

void
volume_header_free (VolumeHeader *header)
{
  g_free (header->path);
  g_free (header->name);
  g_free (header);
}

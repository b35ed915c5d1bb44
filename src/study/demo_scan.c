#include "study/demo_scan.h"

#include "base/error.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

#define HU_OUTSIDE (-1024) /* beyond the circle that the scanner reconstructs */
#define FASTEST_COMPRESSION 1

static const DemoScanner scanners[] = {
  { "SIEMENS", "SOMATOM go.Top", "Br44f\\3", "1.50 mm Br44", -8192 },
  { "SIEMENS", "SOMATOM Definition AS", "I50f\\3", "Thorax 1.0", -1024 },
  { "Philips", "iCT 256", "YA", "HRCT", -1024 },
  { "Philips", "Ingenuity Core", "L", "THORAX LUNG", -1024 },
  { "PNMS", "Brilliance 64", "YB", "AXIAL", -1024 },
};

/* Head of a NIfTI-1 file (https://nifti.nimh.nih.gov/nifti-1), fields by their offset. */
enum
{
  NIFTI_HEADER_BYTES = 348,
  NIFTI_DATA_OFFSET = 352,
  NIFTI_DIM = 40,
  NIFTI_DATATYPE = 70,
  NIFTI_BITPIX = 72,
  NIFTI_PIXDIM = 76,
  NIFTI_VOX_OFFSET = 108,
  NIFTI_SCL_SLOPE = 112,
  NIFTI_SCL_INTER = 116,
  NIFTI_XYZT_UNITS = 123,
  NIFTI_DESCRIP = 148,
  NIFTI_SFORM_CODE = 254,
  NIFTI_SROW_X = 280,
  NIFTI_MAGIC = 344,
};

void
demo_scan_draw (DemoScan *scan, guint64 seed, guint32 index)
{
  static const gsize matrices[] = { 80, 80, 80, 88, 96 };
  Random random;
  double field_mm, cover_mm, kind;

  phantom_random (&random, seed, index, PHANTOM_STREAM_SCAN);
  *scan = (DemoScan){ .seed = seed, .index = index };
  scan->scanner = &scanners[random_below (&random, G_N_ELEMENTS (scanners))];
  kind = random_uniform (&random);
  scan->storage = kind < 0.6 ? DEMO_STORED_RAW : kind < 0.9 ? DEMO_STORED_HU : DEMO_STORED_HEADER;
  scan->n[0] = scan->n[1] = matrices[random_below (&random, G_N_ELEMENTS (matrices))];
  scan->n[2] = 46 + random_below (&random, 11);
  field_mm = 350 + 30 * random_uniform (&random);
  cover_mm = 285 + 20 * random_uniform (&random);
  /* Tables hold a few decimals; the file agrees with them. */
  scan->spacing_mm[0] = scan->spacing_mm[1] = round (field_mm / (double) scan->n[0] * 1e4) / 1e4;
  scan->spacing_mm[2] = round (cover_mm / (double) scan->n[2] * 100) / 100;
  scan->centre_mm.x = (float) (8 * random_uniform (&random) - 4);
  scan->centre_mm.y = (float) (8 * random_uniform (&random) - 4);
  scan->centre_mm.z = (float) (8 * random_uniform (&random) - 4);
  scan->noise_hu = 5 + 7 * random_uniform (&random);
  /* Most lie as CT-RATE's do, L P S; some as other tools leave them. */
  if (random_uniform (&random) < 0.3)
    for (guint axis = 0; axis < 3; axis++)
      scan->flip[axis] = random_below (&random, 2) == 1;
}

/* Two nearly normal numbers of deviation 1 from the eight bytes of one draw. */
static void
draw_noise (Random *random, float noise[2])
{
  const float deviation = 147.8f; /* of a sum of four bytes: sqrt (4 (256^2 - 1) / 12) */
  guint64 bits = random_u64 (random);

  for (guint half = 0; half < 2; half++, bits >>= 32)
    noise[half] =
        ((float) ((bits & 0xff) + (bits >> 8 & 0xff) + (bits >> 16 & 0xff) + (bits >> 24 & 0xff))
         - 510)
        / deviation;
}

static gint16
to_hu (double value)
{
  return (gint16) lrint (CLAMP (value, HU_OUTSIDE, 3071.0));
}

gint16 *
demo_scan_hu (const DemoScan *scan, guint32 labels)
{
  PhantomVector spacing = { (float) scan->spacing_mm[0], (float) scan->spacing_mm[1],
                            (float) scan->spacing_mm[2] };
  g_autoptr (PhantomGrid) grid = phantom_grid_new (scan->n, spacing, scan->centre_mm);
  gsize n_voxels = scan->n[0] * scan->n[1] * scan->n[2], i = 0;
  g_autofree gint16 *hu = g_try_new (gint16, n_voxels);
  double centre = (double) (scan->n[0] - 1) / 2, radius = (double) scan->n[0] / 2;
  Random random;
  float noise[2] = { 0, 0 };

  if (grid == NULL || hu == NULL)
    return NULL;
  phantom_paint (grid, scan->seed, scan->index, labels);
  phantom_random (&random, scan->seed, scan->index, PHANTOM_STREAM_NOISE);
  for (gsize z = 0; z < scan->n[2]; z++)
    for (gsize y = 0; y < scan->n[1]; y++)
      for (gsize x = 0; x < scan->n[0]; x++, i++)
        {
          double dx = (double) x - centre, dy = (double) y - centre;

          if (i % 2 == 0)
            draw_noise (&random, noise);
          if (dx * dx + dy * dy > radius * radius)
            hu[i] = HU_OUTSIDE;
          else if (grid->tissue[i] == PHANTOM_AIR)
            hu[i] = to_hu (grid->hu[i]);
          else
            hu[i] = to_hu (grid->hu[i] + scan->noise_hu * noise[i % 2]);
        }
  return g_steal_pointer (&hu);
}

static void
put_int16 (guint8 *header, gsize offset, gint16 value)
{
  value = GINT16_TO_LE (value);
  memcpy (header + offset, &value, sizeof value);
}

static void
put_float (guint8 *header, gsize offset, float value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  bits = GUINT32_TO_LE (bits);
  memcpy (header + offset, &bits, sizeof bits);
}

static void
fill_header (guint8 *header, const DemoScan *scan)
{
  static const float to_ras[3] = { -1, -1, 1 }; /* NIfTI counts to the right, the front, the head */
  const float centre[3] = { scan->centre_mm.x, scan->centre_mm.y, scan->centre_mm.z };

  memset (header, 0, NIFTI_DATA_OFFSET);
  put_int16 (header, 0, NIFTI_HEADER_BYTES);
  put_int16 (header, NIFTI_DIM, 3);
  put_float (header, NIFTI_PIXDIM, 1);
  for (guint axis = 0; axis < 7; axis++)
    put_int16 (header, NIFTI_DIM + 2 * (axis + 1), axis < 3 ? (gint16) scan->n[axis] : 1);
  for (guint axis = 0; axis < 3; axis++)
    {
      float step =
          (float) scan->spacing_mm[axis] * to_ras[axis] * (scan->flip[axis] ? -1.0f : 1.0f);

      put_float (header, NIFTI_PIXDIM + 4 * (axis + 1), (float) scan->spacing_mm[axis]);
      put_float (header, NIFTI_SROW_X + 16 * axis + 4 * axis, step);
      put_float (header, NIFTI_SROW_X + 16 * axis + 12,
                 centre[axis] * to_ras[axis] - step * (float) (scan->n[axis] - 1) / 2);
    }
  put_int16 (header, NIFTI_DATATYPE, 4); /* int16 */
  put_int16 (header, NIFTI_BITPIX, 16);
  put_float (header, NIFTI_VOX_OFFSET, NIFTI_DATA_OFFSET);
  put_float (header, NIFTI_SCL_SLOPE, 1);
  put_float (header, NIFTI_SCL_INTER,
             scan->storage == DEMO_STORED_HEADER ? (float) scan->scanner->intercept : 0);
  header[NIFTI_XYZT_UNITS] = 2; /* mm */
  strcpy ((char *) header + NIFTI_DESCRIP, "synthetic chest phantom");
  put_int16 (header, NIFTI_SFORM_CODE, 1);
  memcpy (header + NIFTI_MAGIC, "n+1", 4);
}

/* HU to stored numbers, in the stored order of voxels. */
static void
fill_voxels (guint8 *voxels, const DemoScan *scan, const gint16 *hu)
{
  int offset = scan->storage == DEMO_STORED_HU ? 0 : scan->scanner->intercept;
  gsize i = 0;

  for (gsize z = 0; z < scan->n[2]; z++)
    for (gsize y = 0; y < scan->n[1]; y++)
      for (gsize x = 0; x < scan->n[0]; x++, i++)
        {
          gsize from_x = scan->flip[0] ? scan->n[0] - 1 - x : x;
          gsize from_y = scan->flip[1] ? scan->n[1] - 1 - y : y;
          gsize from_z = scan->flip[2] ? scan->n[2] - 1 - z : z;

          put_int16 (voxels, 2 * i,
                     (gint16) (hu[(from_z * scan->n[1] + from_y) * scan->n[0] + from_x] - offset));
        }
}

/* gzip in memory; zlib leaves the time out of the header, so equal data give equal bytes. */
static GByteArray *
compress_gzip (const guint8 *data, gsize size)
{
  z_stream stream = { 0 };
  GByteArray *packed = g_byte_array_new ();

  if (deflateInit2 (&stream, FASTEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY)
      != Z_OK)
    {
      g_byte_array_unref (packed);
      return NULL;
    }
  g_byte_array_set_size (packed, (guint) deflateBound (&stream, size));
  stream.next_in = (Bytef *) data;
  stream.avail_in = (uInt) size;
  stream.next_out = packed->data;
  stream.avail_out = packed->len;
  deflate (&stream, Z_FINISH);
  g_byte_array_set_size (packed, (guint) stream.total_out);
  deflateEnd (&stream);
  return packed;
}

gboolean
demo_scan_write (const DemoScan *scan, guint32 labels, const char *path, GError **error)
{
  gsize size = NIFTI_DATA_OFFSET + 2 * scan->n[0] * scan->n[1] * scan->n[2];
  g_autofree gint16 *hu = demo_scan_hu (scan, labels);
  g_autofree guint8 *plain = g_try_malloc (size);
  g_autoptr (GByteArray) packed = NULL;
  g_autoptr (GError) failure = NULL;

  if (hu != NULL && plain != NULL)
    {
      fill_header (plain, scan);
      fill_voxels (plain + NIFTI_DATA_OFFSET, scan, hu);
      packed = compress_gzip (plain, size);
    }
  if (packed == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                   "%s: no memory for a scan of %.1f MB; use fewer --threads", path,
                   (double) size / 1e6);
      return FALSE;
    }
  /* Whole or not at all, but not synced to the disk one by one: a lost demo is made anew. */
  if (!g_file_set_contents_full (path, (const char *) packed->data, packed->len,
                                 G_FILE_SET_CONTENTS_CONSISTENT, 0666, &failure))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
                   "%s: cannot be written: %s; free some space or choose another place", path,
                   failure->message);
      return FALSE;
    }
  return TRUE;
}

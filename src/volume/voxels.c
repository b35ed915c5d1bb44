#include "volume/voxels.h"

#include <math.h>
#include <nifti1.h>

/* Every real datatype but float128, which means three different formats on three machines. */
#define EACH_DATATYPE(DO)                                                                          \
  DO (DT_INT8, gint8)                                                                              \
  DO (DT_UINT8, guint8)                                                                            \
  DO (DT_INT16, gint16)                                                                            \
  DO (DT_UINT16, guint16)                                                                          \
  DO (DT_INT32, gint32)                                                                            \
  DO (DT_UINT32, guint32)                                                                          \
  DO (DT_INT64, gint64)                                                                            \
  DO (DT_UINT64, guint64)                                                                          \
  DO (DT_FLOAT32, float)                                                                           \
  DO (DT_FLOAT64, double)

guint
voxels_bytes (int datatype)
{
  switch (datatype)
    {
#define BYTES(code, type)                                                                          \
  case code:                                                                                       \
    return sizeof (type);
      EACH_DATATYPE (BYTES)
    default:
      return 0;
    }
}

void
voxels_swap (gpointer stored, gsize n, guint bytes_per_voxel)
{
  guint16 *shorts = stored;
  guint32 *words = stored;
  guint64 *longs = stored;

  switch (bytes_per_voxel)
    {
    case 2:
      for (gsize i = 0; i < n; i++)
        shorts[i] = GUINT16_SWAP_LE_BE (shorts[i]);
      break;
    case 4:
      for (gsize i = 0; i < n; i++)
        words[i] = GUINT32_SWAP_LE_BE (words[i]);
      break;
    case 8:
      for (gsize i = 0; i < n; i++)
        longs[i] = GUINT64_SWAP_LE_BE (longs[i]);
      break;
    default:
      break;
    }
}

void
voxels_to_float (int datatype, gconstpointer stored, gsize n, float *out)
{
  switch (datatype)
    {
#define CONVERT(code, type)                                                                        \
  case code:                                                                                       \
    for (gsize i = 0; i < n; i++)                                                                  \
      out[i] = (float) ((const type *) stored)[i];                                                 \
    break;
      EACH_DATATYPE (CONVERT)
    }
}

/* Eight 16-bit numbers, as GCC and clang write vectors. */
typedef guint16 Eight __attribute__ ((vector_size (8 * sizeof (guint16)), aligned (2)));

/** Nearly all CT is int16: counted eight at a time without leaving 16 bits, in blocks short enough
 * that no lane overflows. */
static guint64
count_int16 (const gint16 *stored, gsize n, double low, double high)
{
  const gsize block = 8 * G_MAXINT16;
  guint16 least = (guint16) (gint16) CLAMP (ceil (low), G_MININT16, G_MAXINT16);
  guint16 most = (guint16) (gint16) CLAMP (floor (high), G_MININT16, G_MAXINT16);
  guint16 range = (guint16) (most - least);
  guint64 count = 0;
  gsize i = 0;

  if (low > G_MAXINT16 || high < G_MININT16 || ceil (low) > floor (high))
    return 0;
  /* Modulo 2^16, least <= v <= most is v - least <= most - least. */
  while (i + 8 <= n)
    {
      const gsize end = MIN (n - 7, i + block);
      Eight lanes = { 0 };

      for (; i < end; i += 8)
        lanes -= (Eight) (*(const Eight *) (stored + i) - least <= range); /* true is -1 */
      for (guint lane = 0; lane < 8; lane++)
        count += lanes[lane];
    }
  for (; i < n; i++)
    count += (guint16) ((guint16) stored[i] - least) <= range;
  return count;
}

guint64
voxels_count_between (int datatype, gconstpointer stored, gsize n, double low, double high)
{
  guint64 count = 0;

  if (datatype == DT_INT16)
    return count_int16 (stored, n, low, high);
  switch (datatype)
    {
#define COUNT(code, type)                                                                          \
  case code:                                                                                       \
    for (gsize i = 0; i < n; i++)                                                                  \
      {                                                                                            \
        double value = (double) ((const type *) stored)[i];                                        \
                                                                                                   \
        count += (value >= low) & (value <= high);                                                 \
      }                                                                                            \
    break;
      EACH_DATATYPE (COUNT)
    }
  return count;
}

struct _VoxelMap
{
  int datatype;
  VoxelFormula formula;
  float table[]; /* the results of all values of an 8- or 16-bit type, by their bits; else empty */
};

static inline float
map_value (const VoxelFormula *formula, double value)
{
  double hu = formula->slope * value + formula->intercept;

  if (!isfinite (hu))
    hu = VOXELS_NON_FINITE_HU;
  return (float) (CLAMP (hu, formula->low, formula->high) / formula->divisor);
}

VoxelMap *
voxel_map_new (int datatype, const VoxelFormula *formula)
{
  guint bytes = voxels_bytes (datatype);
  guint n = bytes <= 2 ? 1u << (8 * bytes) : 0;
  VoxelMap *map = g_malloc (sizeof (VoxelMap) + n * sizeof (float));

  map->datatype = datatype;
  map->formula = *formula;
  for (guint i = 0; i < n; i++)
    {
      double value = datatype == DT_INT8    ? (gint8) i
                     : datatype == DT_INT16 ? (gint16) i
                                            : (double) i;

      map->table[i] = map_value (formula, value);
    }
  return map;
}

void
voxel_map_free (VoxelMap *map)
{
  g_free (map);
}

void
voxel_map_apply (const VoxelMap *map, gconstpointer stored, gsize n, float *out)
{
  const VoxelFormula formula = map->formula;

  switch (map->datatype)
    {
    case DT_INT8:
    case DT_UINT8:
      for (gsize i = 0; i < n; i++)
        out[i] = map->table[((const guint8 *) stored)[i]];
      break;
    case DT_INT16:
    case DT_UINT16:
      for (gsize i = 0; i < n; i++)
        out[i] = map->table[((const guint16 *) stored)[i]];
      break;
#define MAP(code, type)                                                                            \
  case code:                                                                                       \
    for (gsize i = 0; i < n; i++)                                                                  \
      out[i] = map_value (&formula, (double) ((const type *) stored)[i]);                          \
    break;
      MAP (DT_INT32, gint32)
      MAP (DT_UINT32, guint32)
      MAP (DT_INT64, gint64)
      MAP (DT_UINT64, guint64)
      MAP (DT_FLOAT32, float)
      MAP (DT_FLOAT64, double)
    }
}

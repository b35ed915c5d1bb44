#include "model/checkpoint_private.h"

#include <string.h>

/** IEEE 754 binary16; NaN keeps its payload. */
static inline float
half_to_float (guint16 half)
{
  guint32 sign = (guint32) (half & 0x8000) << 16, exponent = half >> 10 & 0x1f,
          fraction = half & 0x3ff, bits;
  float value;

  if (exponent == 0)
    {
      /* Zero and the subnormal numbers: fraction × 2^-24. */
      value = (float) fraction * 0x1p-24f;
      return sign != 0 ? -value : value;
    }
  bits = sign | (exponent == 31 ? 0xffu : exponent + 112) << 23 | fraction << 13;
  memcpy (&value, &bits, sizeof value);
  return value;
}

/** The upper half of a float. */
static inline float
bfloat16_to_float (guint16 brain)
{
  guint32 bits = (guint32) brain << 16;
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

#define CONVERT(stored_type, expression)                                                           \
  for (gsize i = 0; i < n; i++)                                                                    \
    {                                                                                              \
      stored_type stored;                                                                          \
                                                                                                   \
      memcpy (&stored, bytes + i * step, sizeof stored);                                           \
      numbers[i] = expression;                                                                     \
    }                                                                                              \
  return

void
checkpoint_convert (const guint8 *bytes, CheckpointType type, gsize step, gsize n, float *numbers)
{
  switch (type)
    {
    case CHECKPOINT_FLOAT32:
      CONVERT (float, stored);
    case CHECKPOINT_FLOAT64:
      CONVERT (double, (float) stored);
    case CHECKPOINT_FLOAT16:
      CONVERT (guint16, half_to_float (stored));
    case CHECKPOINT_BFLOAT16:
      CONVERT (guint16, bfloat16_to_float (stored));
    case CHECKPOINT_INT64:
      CONVERT (gint64, (float) stored);
    case CHECKPOINT_INT32:
      CONVERT (gint32, (float) stored);
    case CHECKPOINT_INT16:
      CONVERT (gint16, stored);
    case CHECKPOINT_INT8:
      CONVERT (gint8, stored);
    case CHECKPOINT_UINT8:
    case CHECKPOINT_BOOL:
      CONVERT (guint8, stored);
    }
  g_return_if_reached ();
}

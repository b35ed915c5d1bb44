#include "metrics/ranking.h"

#include <math.h>
#include <string.h>

#define KEY_BYTES 8
#define BYTE_VALUES 256

/** The bits of a double as a number that is ordered as the doubles are. */
static guint64
rank_key (double score)
{
  const guint64 sign = G_GUINT64_CONSTANT (1) << 63;
  guint64 bits;

  if (isnan (score))
    return 0;
  score += 0.0; /* -0 and 0 are one score */
  memcpy (&bits, &score, sizeof bits);
  return bits & sign ? ~bits : bits | sign;
}

static guint8
key_byte (const RankedRow *ranked, guint byte)
{
  return (guint8) (ranked->key >> (8 * byte));
}

/* A radix sort, from the lowest byte of the keys up; bytes that all keys share are passed over. */
RankedRow *
ranking_new (const double *scores, gsize n)
{
  g_autofree RankedRow *spare = g_new (RankedRow, MAX (n, 1));
  RankedRow *ranked = g_new (RankedRow, MAX (n, 1));
  guint32 places[KEY_BYTES][BYTE_VALUES] = { { 0 } };

  for (gsize i = 0; i < n; i++)
    {
      ranked[i] = (RankedRow){ rank_key (scores[i]), (guint32) i };
      for (guint byte = 0; byte < KEY_BYTES; byte++)
        places[byte][key_byte (&ranked[i], byte)]++;
    }
  for (guint byte = 0; byte < KEY_BYTES && n > 0; byte++)
    {
      RankedRow *sorted = spare;
      guint32 place = 0;

      if (places[byte][key_byte (&ranked[0], byte)] == n)
        continue;
      for (guint value = 0; value < BYTE_VALUES; value++)
        {
          guint32 count = places[byte][value];

          places[byte][value] = place;
          place += count;
        }
      for (gsize i = 0; i < n; i++)
        sorted[places[byte][key_byte (&ranked[i], byte)]++] = ranked[i];
      spare = ranked;
      ranked = sorted;
    }
  return ranked;
}

gsize
ranking_run_end (const RankedRow *ranked, gsize n, gsize start)
{
  gsize end = start + 1;

  while (end < n && ranked[end].key == ranked[start].key)
    end++;
  return end;
}

gsize
ranking_run_start (const RankedRow *ranked, gsize end)
{
  gsize start = end - 1;

  while (start > 0 && ranked[start - 1].key == ranked[start].key)
    start--;
  return start;
}

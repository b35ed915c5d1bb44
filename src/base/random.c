#include "base/random.h"

#include <math.h>

static guint64
splitmix64 (guint64 *state)
{
  guint64 z = (*state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void
random_init (Random *random, guint64 seed, guint64 stream)
{
  guint64 mixed = seed;

  /* Two rounds keep (seed, stream) and (stream, seed) apart. */
  mixed = splitmix64 (&mixed) ^ stream;
  for (guint i = 0; i < 4; i++)
    random->state[i] = splitmix64 (&mixed);
}

static guint64
rotate_left (guint64 x, int k)
{
  return (x << k) | (x >> (64 - k));
}

guint64
random_u64 (Random *random)
{
  guint64 *s = random->state;
  guint64 result = rotate_left (s[1] * 5, 7) * 9;
  guint64 t = s[1] << 17;

  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate_left (s[3], 45);
  return result;
}

guint64
random_below (Random *random, guint64 n)
{
  guint64 value;

  /* Values under 2^64 mod n would favour the low residues; it is less than n, and hardly ever has
   * to be divided for. */
  do
    value = random_u64 (random);
  while (value < n && value < (0 - n) % n);
  return value % n;
}

double
random_uniform (Random *random)
{
  return (double) (random_u64 (random) >> 11) * 0x1p-53;
}

double
random_normal (Random *random)
{
  double u, v, square;

  do
    {
      u = 2 * random_uniform (random) - 1;
      v = 2 * random_uniform (random) - 1;
      square = u * u + v * v;
    }
  while (square >= 1 || square == 0);
  return u * sqrt (-2 * log (square) / square);
}

void
random_shuffle (Random *random, guint32 *indices, gsize n)
{
  for (gsize i = n; i > 1; i--)
    {
      gsize j = random_below (random, i);
      guint32 swapped = indices[i - 1];

      indices[i - 1] = indices[j];
      indices[j] = swapped;
    }
}

/**
 * random.h: a small seeded generator, the same numbers on every machine.
 *
 * xoshiro256** seeded through splitmix64 (Blackman & Vigna 2018, https://prng.di.unimi.it).
 */
#pragma once

#include <glib.h>

typedef struct
{
  guint64 state[4];
} Random;

/** random_init: @stream separates independent uses of one user-visible seed. */
void random_init (Random *random, guint64 seed, guint64 stream);

guint64 random_u64 (Random *random);

/** random_below: uniform integer in [0, n); n > 0; without modulo bias. */
guint64 random_below (Random *random, guint64 n);

/** random_uniform: uniform double in [0, 1) with 53 bits. */
double random_uniform (Random *random);

/** random_normal: standard normal (polar method). */
double random_normal (Random *random);

/** random_shuffle: Fisher-Yates over @n indices. */
void random_shuffle (Random *random, guint32 *indices, gsize n);

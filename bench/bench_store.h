/**
 * bench_store.h: a workspace at CT-RATE's size, for the programs that measure.
 */
#pragma once

#include <glib.h>

#define BENCH_WIDTH 512 /* numbers in a latent */

/**
 * bench_store_make: the path of DIRECTORY/workspace.sqlite, made where it is not there; g_free it.
 *
 * 50,188 rows with reports of a seed, 20,000 + 1,304 latents of the encoder `bench` that know a
 * little about the labels, the samples `train` and `valid` of all of them, and a run with 1,304
 * predictions; half a minute.
 */
char *bench_store_make (const char *directory);

/** bench_fail: print what is wrong and exit. Measuring has no use for anything else. */
void bench_fail (const char *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;
void bench_stop_on (GError *error);

double bench_now_ms (void);

/** bench_quantile: of numbers that it sorts; @share 0.5 is the median, 1 the largest. */
double bench_quantile (double *values, gsize n, double share);

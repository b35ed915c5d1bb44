/**
 * bench_row.h: what `make bench` says: one row for each thing that has a figure to reach.
 *
 * A row is printed when it is known. Where $BENCH_ROWS names a file it is added there too, with
 * tabs between what, ours, yardstick, its figure, ratio, spread, goal and "met" or "MISSED", for
 * the table at the end.
 */
#pragma once

#include <glib.h>

typedef struct
{
  const char *what, *unit, *yardstick;
  double most; /* of ours / yardstick's */
} BenchRow;

/** BenchMeasure: one try; how long it took, or what it is counted in. */
typedef double (*BenchMeasure) (gpointer data);

/**
 * bench_row_beside: ours and the yardstick by turns, in alternating order, so that other work on
 * the machine burdens both; the median ratio of the rounds decides.
 */
void bench_row_beside (const BenchRow *row, guint rounds, BenchMeasure ours, gpointer our_data,
                       BenchMeasure theirs, gpointer their_data);

/** bench_row_pairs: the same of @n pairs that were measured so; sorts them. */
void bench_row_pairs (const BenchRow *row, double *ours, double *theirs, guint n);

/** bench_row_limit: a figure that is to stay below a limit. @values: their median counts; sorts
 * them. */
void bench_row_limit (const char *what, const char *unit, double *values, guint n, double limit);

/** bench_row_left_out: why there is no row. */
void bench_row_left_out (const char *what, const char *why);

/** bench_command: run a program to its end without its output; its seconds, or its peak memory. */
typedef struct
{
  double seconds, core_seconds, peak_mib;
} BenchCommand;
BenchCommand bench_command (const char *const *arguments);

/** bench_command_number: the number that a program prints first. */
double bench_command_number (const char *const *arguments);

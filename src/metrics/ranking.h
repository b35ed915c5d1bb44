/**
 * ranking.h: rows in the order of their scores, and runs of equal scores. Private to the metrics.
 */
#pragma once

#include <glib.h>

typedef struct
{
  guint64 key; /* ordered as the scores are, and equal where they are; NaN is below every number */
  guint32 row;
} RankedRow;

/** ranking_new: rows by ascending score, equals in the order of the input; O(n). g_free it. */
RankedRow *ranking_new (const double *scores, gsize n);

/** ranking_run_end: end of the run of equal scores that begins at @start. */
gsize ranking_run_end (const RankedRow *ranked, gsize n, gsize start);

/** ranking_run_start: start of the run of equal scores that ends before @end; @end > 0. */
gsize ranking_run_start (const RankedRow *ranked, gsize end);

/**
 * ranking.h: scores in order, and runs of equal ones. Private to the metrics.
 */
#pragma once

#include <glib.h>

/** ranking_order: indices by ascending score, NaN first; g_free it. The order of equals is the
 * input's. */
guint32 *ranking_order (const double *scores, gsize n);

/** ranking_run_end: end of the run of equal scores that begins at @start of the order. */
gsize ranking_run_end (const double *scores, const guint32 *order, gsize n, gsize start);

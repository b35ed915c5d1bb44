/**
 * bootstrap.h: interval of the macro AUROC by drawing patients anew. Private to the metrics.
 */
#pragma once

#include "metrics/metrics.h"

/**
 * bootstrap_macro_auroc: percentile interval (2.5-97.5) of the mean AUROC over classes.
 *
 * Every class is sorted once; a draw only changes how often each row counts, so its AUROC is one
 * pass over that order. The same bits for the same seed, whatever the number of threads.
 *
 * @low, @high: (out) NaN without rows, without draws, or where no class is defined in any draw
 * Returns: %FALSE when cancelled.
 */
gboolean bootstrap_macro_auroc (const MetricsInput *input, double *low, double *high,
                                GCancellable *cancellable, GError **error);

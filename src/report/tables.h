/**
 * tables.h: results as text for a terminal or a log. Each function returns a string to g_free.
 */
#pragma once

#include "metrics/metrics.h"
#include <glib.h>

/** report_metrics_text: a row per class and the macro row, with intervals and counts. */
char *report_metrics_text (const MetricsTable *table, const char *const *class_names);

/** report_epoch_line: one line that sums an epoch up. */
char *report_epoch_line (guint epoch, guint epochs, double train_loss, const MetricsTable *table);

/** report_shares_text: label shares in all rows and in the sample. */
char *report_shares_text (const double *share_all, const double *share_sample, guint n,
                          const char *const *names);

/** report_funnel_text: rows, what each rule dropped, what is kept. @counts: n numbers that sum to
 * @rows; the first is kept. */
char *report_funnel_text (guint rows, const guint *counts, const char *const *descriptions,
                          guint n);

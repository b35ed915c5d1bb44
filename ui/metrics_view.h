/**
 * metrics_view.h: the per-class table of an epoch, as Training and Experiment show it: findings ×
 * AUROC with interval, sensitivity, specificity, accuracy, n+, changes, a sparkline over epochs.
 */
#pragma once

#include "draw.h"
#include "list.h"
#include "metrics/metrics.h"
#include "study/job.h"

typedef enum
{
  METRICS_SORT_FINDING, /* the labels' own order */
  METRICS_SORT_AUROC,
  METRICS_SORT_SENSITIVITY,
  METRICS_SORT_SPECIFICITY,
  METRICS_SORT_ACCURACY,
  METRICS_SORT_POSITIVES,
  METRICS_SORT_CHANGE,
  N_METRICS_SORTS,
} MetricsSort;

/** What is on screen; kept from one drawing to the next. Zeroed it is ready for use. */
typedef struct
{
  List list; /* rows are the findings in their order of sorting */
  MetricsSort sort;
  gboolean descending;
} MetricsView;

/**
 * metrics_view_draw: the table, the macro row first, as many columns as there is room for.
 *
 * @epochs: (element-type JobEpoch) of the run, the one in view last but for @shown
 * @shown: index of the epoch in view
 * @compared: (nullable) another run's table; the change since it gets a column
 * @focused: whether the cursor's row is marked
 */
void metrics_view_draw (MetricsView *view, Area area, GPtrArray *epochs, guint shown,
                        const MetricsTable *compared, gboolean focused);

/** metrics_view_class: the class under the cursor of a table drawn before. */
guint metrics_view_class (const MetricsView *view, GPtrArray *epochs, guint shown,
                          const MetricsTable *compared);

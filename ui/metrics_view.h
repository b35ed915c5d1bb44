/**
 * metrics_view.h: the per-class table of an epoch, as Training and Experiment show it: findings ×
 * AUROC with interval, sensitivity, specificity, accuracy, n+, changes, a sparkline over epochs.
 */
#pragma once

#include "draw.h"
#include "list.h"
#include "metrics/metrics.h"
#include "screen.h"

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

enum
{
  METRICS_COLUMN_FINDING,
  METRICS_COLUMN_AUROC,
  METRICS_COLUMN_INTERVAL,
  METRICS_COLUMN_SENSITIVITY,
  METRICS_COLUMN_SPECIFICITY,
  METRICS_COLUMN_ACCURACY,
  METRICS_COLUMN_POSITIVES,
  METRICS_COLUMN_CHANGE,
  METRICS_COLUMN_COMPARED,
  METRICS_COLUMN_EPOCHS,
  N_METRICS_COLUMNS,
};

/** What is on screen; kept from one drawing to the next. Zeroed it is ready for use. */
typedef struct
{
  List list; /* rows are the findings in their order of sorting */
  MetricsSort sort;
  gboolean descending;
  gboolean since_last; /* the other table is the result before, not another run's */
  /* as drawn last */
  Area area;
  int x[N_METRICS_COLUMNS], widths[N_METRICS_COLUMNS];
} MetricsView;

/**
 * metrics_view_layout: the columns that have room: names first of all, numbers close to them. Pure.
 *
 * @n_epochs: how many the sparkline can show
 * @compared: whether there is a run to compare with
 * @columns: (out) as in table_layout()
 */
void metrics_view_layout (int width, guint n_epochs, gboolean compared,
                          TableColumn columns[N_METRICS_COLUMNS], int x[N_METRICS_COLUMNS],
                          int widths[N_METRICS_COLUMNS]);

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

/** metrics_view_next_sort: by the next column, in the direction in which it is read best. */
void metrics_view_next_sort (MetricsView *view);

/** metrics_view_mouse: a click chooses a row, or sorts by the column whose title it hits; the wheel
 * moves. %FALSE: nothing was there. */
gboolean metrics_view_mouse (MetricsView *view, MouseAction action, int y, int x);

/**
 * runs_table.h: the history of runs as rows: what they say, how they are sorted, where they are
 * drawn. Nothing here draws or reads a store.
 */
#pragma once

#include "catalog/runs.h"
#include "draw.h"
#include "metrics/metrics.h"
#include "report/chart.h"

typedef struct
{
  CatalogRun *run;
  char *changed;          /* runs_changed_text() */
  guint train_n, valid_n; /* members of its samples; 0: unknown */
  gboolean best;          /* no finished run has a higher macro AUROC */
} RunsRow;

/** runs_row_new: takes the run. */
RunsRow *runs_row_new (CatalogRun *run /* transfer full */, guint train_n, guint valid_n);
void runs_row_free (RunsRow *row);

/** runs_changed_text: what differs from the defaults, "gamma 3, head linear"; "defaults" where
 * nothing does; names, samples and the device are not among it. @parameters: a run file's text.
 * Free with g_free. */
char *runs_changed_text (const char *parameters);

/** The columns, in their order. */
typedef enum
{
  RUNS_MARKS, /* tagged, and shown in Records */
  RUNS_NUMBER,
  RUNS_NAME,
  RUNS_WHEN,
  RUNS_STATUS,
  RUNS_ENCODER,
  RUNS_SCANS,
  RUNS_CHANGED,
  RUNS_AUROC,
  RUNS_BEST,
  RUNS_NOTE,
  N_RUNS_COLUMNS,
} RunsColumn;

extern const TableColumn runs_columns[N_RUNS_COLUMNS];

/** runs_fit_columns: the columns for @width cells: names and times get more where there is more.
 * @rows: (element-type RunsRow) */
void runs_fit_columns (GPtrArray *rows, int width, TableColumn columns[N_RUNS_COLUMNS]);

/** runs_next_sort: the next column that can be sorted by; @descending: (out) how it is read best */
RunsColumn runs_next_sort (RunsColumn column, gboolean *descending);

/** runs_sort: (element-type RunsRow) what is unknown stands last either way; equals by number,
 * newest first. */
void runs_sort (GPtrArray *rows, RunsColumn column, gboolean descending);

/** runs_mark_best: set `best`. (element-type RunsRow) */
void runs_mark_best (GPtrArray *rows);

/** runs_when: "2026-11-23 05:10" of an ISO 8601 time, or "11-23 05:10" in fewer than 16 cells. Free
 * with g_free. */
char *runs_when (const char *time, int width);

/** runs_layout: the table above, the selected run below; parts are empty where there is no room. */
typedef struct
{
  Area head, rows;
  Area rule;  /* the selected run's title */
  Area facts; /* its parameters, epochs, note */
  Area bars;  /* AUROC per class ... */
  int bar_columns, bar_rows;
} RunsLayout;
RunsLayout runs_layout (Area area);

/** runs_interval_cell: the cell of @width cells, which stand for @range, that a value lies in. */
int runs_interval_cell (double value, ReportRange range, int width);

/** runs_interval_text: a value with its interval in @width cells that stand for @range, and a line
 * at
 * @reference: "  ├──●─┤│  ". Blank where it is undefined. Free with g_free. */
char *runs_interval_text (MetricsInterval interval, ReportRange range, double reference, int width);

/**
 * runs_private.h: the state of the Runs screen, for the files that make it up.
 */
#pragma once

#include "app.h"
#include "list.h"
#include "runs_table.h"
#include "study/compare.h"

/** What the lower pane says of one run. */
typedef struct
{
  gint64 run_id;
  guint n_epochs;
  double *losses, *macros; /* n_epochs */
  MetricsTable *table;     /* (nullable) of the kept epoch, or of the last one so far */
} RunsDetails;

void runs_details_free (RunsDetails *details);

/** Runs side by side: the first minus the second of two, or each of more minus the first. */
typedef struct
{
  guint n;
  char **names, **changed; /* n; %NULL-terminated */
  MetricsTable **tables;   /* n, each over its own sample */
  StudyComparison *pairs;  /* n - 1, on the common scans; of no scans where they do not compare */
  gboolean has_strangers;  /* some do not: a control, or runs on other scans */
} RunsComparison;

void runs_comparison_free (RunsComparison *comparison);

typedef struct
{
  App *app;

  GPtrArray *rows; /* (element-type RunsRow); %NULL until the first answer */
  char *fault;     /* (nullable) why there are none */
  List list;
  RunsColumn sort;
  gboolean descending;
  gint64 selected;    /* the run under the cursor, which survives a reload; 0: none */
  GHashTable *tagged; /* set of gint64 */
  Area table;         /* rows as drawn last, for the mouse */
  Work *loading;

  RunsDetails *details; /* (nullable) of the selected run, once they are there */
  Work *loading_details;

  RunsComparison *comparison; /* (nullable) what fills the screen */
  List comparison_list;
  Work *comparing;

  gint64 asked_run;  /* the run that a prompt or box is about */
  char *asked_name;  /* its name */
  char **asked_runs; /* to export; more than one where they are compared */
} RunsScreen;

/* runs.c */
RunsRow *runs_selected (RunsScreen *self); /* (nullable) */
gboolean runs_is_tagged (RunsScreen *self, gint64 run_id);

/* runs_load.c: what the screen shows, read by workers */
void runs_load (RunsScreen *self);
void runs_load_details (RunsScreen *self);
void runs_compare (RunsScreen *self);

/* runs_actions.c: what the user does to a run */
void runs_rename (RunsScreen *self);
void runs_write_note (RunsScreen *self);
void runs_delete (RunsScreen *self);
void runs_again (RunsScreen *self);

/* runs_export.c */
void runs_export (RunsScreen *self);

/* runs_draw.c, runs_draw_comparison.c */
void runs_draw (RunsScreen *self, Area area);
void runs_draw_comparison (RunsScreen *self, Area area);

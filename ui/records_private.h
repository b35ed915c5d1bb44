/**
 * records_private.h: the Records screen's state, for its own files.
 */
#pragma once

#include "app.h"
#include "catalog/import.h"
#include "catalog/listing.h"
#include "catalog/match.h"
#include "catalog/volume_index.h"
#include "list.h"
#include "records.h"
#include "records_layout.h"

/** A line of the lower pane. */
typedef struct
{
  char *text;
  Role role;
  GArray *spans; /* (nullable) (element-type CatalogSpan) what the search found in it */
} PaneLine;

/** A scan of a folder that is browsed without tables. */
typedef struct
{
  const char *name; /* of the index */
  char *path;       /* its own: a worker may still read the file when the folder was left */
  gboolean known;   /* the rest was read */
  guint64 size_bytes;
  gsize n[3];
  double spacing_mm[3];
  char *fault; /* (nullable) */
} FolderScan;

typedef struct
{
  App *app;

  /* what is wished */
  char *search, *filter, *sort; /* (nullable) */
  char *search_before;          /* (nullable) while another is typed */
  gboolean descending, dropped, zoomed, funnel_drawn;
  gboolean only_tagged;
  gboolean open_when_found; /* the record, once the folder with the scans was looked through */
  int funnel;               /* 1 shown, 0 hidden, -1 as the height allows */
  char *sort_before;        /* what the errors stand in place of; "" is the file's order */
  gboolean descending_before;
  gboolean errors;

  /* what the last query gave */
  Work *query;
  gboolean begun;   /* the first rows were asked for */
  GArray *ids;      /* (element-type gint64) */
  GArray *on_disk;  /* (element-type guint) the rows whose scan is here, ascending */
  GPtrArray *terms; /* (element-type CatalogTerm) what is marked in reports */
  List list;
  char *fault; /* (nullable) of the query */
  CatalogFunnel funnels[2];
  gboolean imported[2];
  char *wanted;     /* (nullable) the volume that the cursor goes to when the rows come */
  gboolean top;     /* it goes to the first row then */
  GHashTable *tags; /* volume names */

  /* the rows in view */
  GPtrArray *page; /* (element-type CatalogRecord) */
  guint64 page_top;

  /* the record under the cursor */
  CatalogRecord *record; /* (nullable) */
  gboolean has_predictions;
  double predictions[CATALOG_N_LABELS];
  GPtrArray *lines; /* (nullable) (element-type PaneLine) wrapped to lines_width */
  int lines_width;
  gboolean lines_with_labels;
  gint64 pane_id; /* of the record that pane_top is of */
  guint pane_top, pane_rows;

  /* a folder in place of the records */
  char *folder; /* (nullable) */
  CatalogVolumeIndex *index;
  GArray *scans; /* (element-type FolderScan) */
  List scan_list;
  Work *walk, *headers;

  Work *runs_work;
  GPtrArray *runs; /* (nullable) (element-type CatalogRun) to choose from */

  /* an import that is being asked for */
  char *import_reports, *import_labels, *import_metadata;

  Area table; /* as drawn last */
  TableColumn columns[RECORDS_N_COLUMNS];
  int column_x[RECORDS_N_COLUMNS], column_width[RECORDS_N_COLUMNS];
} Records;

/* records_choose.c: what is wished; each asks for the rows anew */
/** records_sort_by: @field, a name of the listing or a finding's (nullable: the tables' order); the
 * same again reverses. */
void records_sort_by (Records *records, const char *field);
/** records_sort_title: what a field is called on the screen. */
const char *records_sort_title (const char *field);
/** records_set_errors: the chosen run's most confident errors first, or the order before. */
void records_set_errors (Records *records, gboolean errors);
void records_set_search (gpointer records, const char *text);
void records_set_filter (gpointer records, const char *text);
/** records_check_filter: a prompt's check: is it a query? */
gboolean records_check_filter (gpointer records, const char *text, GError **error);
void records_ask_search (Records *records);
void records_ask_filter (Records *records);
void records_choose_sort (Records *records);
void records_choose_class (Records *records);
void records_choose_run (Records *records);
/** records_show_tagged: only these, or all. */
void records_show_tagged (Records *records, gboolean only);

/* records_draw.c */
void records_draw (gpointer screen, Area area);

/* records_write.c */
/** records_write: ask for a file and write the list into it. */
void records_write (Records *records);

/* records_query.c */
/** What is wished, for a worker: everything in it is its own. */
typedef struct
{
  Workspace *workspace;
  char *search, *filter, *sort; /* (nullable) */
  GHashTable *volumes;          /* (nullable) only these */
  CatalogVolumeIndex *files;    /* (nullable) the scans that are here */
  CatalogListOptions options;   /* points to the above */
  gboolean first;               /* the first rows will do */
  gint64 cursor_id;             /* of the record that is not to be lost; 0: none */
} RecordsQuestion;
RecordsQuestion *records_question_new (const Records *records);
void records_question_free (gpointer question);

/** records_query: ask for the rows anew; the old ones stay until the answer. */
void records_query (Records *records);
/** records_query_again: the same, where what is asked has not changed: not the first rows alone,
 * once some are in view. */
void records_query_again (Records *records);
/** records_forget_page: the rows in view may be others. */
void records_forget_page (Records *records);
/** records_row: of the list, by an indexed page; %NULL where it is gone. Owned by the page. */
const CatalogRecord *records_row (Records *records, guint64 row);
/** records_take_cursor: the record under the cursor with its report and predictions. */
void records_take_cursor (Records *records);

/* records_table.c */
void records_draw_table (Records *records, Area area);
void records_draw_funnel (Records *records, Area area);
/** records_sort_at: the field of the column at a place of the head; %NULL for none. */
const char *records_sort_at (const Records *records, int x);

/* records_pane.c */
void records_draw_pane (Records *records, Area labels, Area pane);
void records_forget_pane (Records *records);
void records_pane_scroll (Records *records, int rows);
void records_pane_match (Records *records, int step);

/* records_folder.c */
void records_browse (Records *records, const char *folder);
void records_leave_folder (Records *records);
/** records_end_browsing: the same, to the first screen where there are no records. */
void records_end_browsing (Records *records);
void records_draw_folder (Records *records, Area area);
gboolean records_folder_command (Records *records, Command command);

/* records_import.c */
gboolean records_import_directory (Records *records, const char *directory, GError **error);

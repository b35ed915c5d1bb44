#include "catalog/import.h"

#include "base/error.h"
#include "catalog/import_volumes.h"
#include "catalog/row_indexes.h"
#include "catalog/row_source.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  CatalogStore *store;
  const CatalogImportOptions *options;
  CatalogFunnel *funnel;
  GCancellable *cancellable; /* (nullable) */
  ImportTables tables;
  GPtrArray *batches; /* (element-type ImportReportBatch) all rows, in the file's order */
} Import;

static void
import_clear (Import *import)
{
  import_tables_clear (&import->tables);
  g_ptr_array_unref (import->batches);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

/* ---- replacing a split; all of this is within one transaction ---- */

/** Take away what an earlier import left. */
static gboolean
remove_split (CatalogStore *store, CatalogSplit split, GError **error)
{
  g_autofree char *sql =
      g_strdup_printf ("DELETE FROM report WHERE volume_id >= %" G_GINT64_FORMAT
                       " AND volume_id < %" G_GINT64_FORMAT ";"
                       "DELETE FROM volume WHERE split = %d",
                       IMPORT_FIRST_ID (split), IMPORT_FIRST_ID (split + 1), split);

  return store_exec (store, sql, error);
}

/** Run the statements that a query writes. */
static gboolean
run_written (CatalogStore *store, const char *query, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, query, error);
  g_autofree char *sql = NULL;

  if (statement == NULL || store_step (store, statement, error) != SQLITE_ROW)
    return FALSE;
  sql = store_column_text (statement, 0);
  sqlite3_reset (statement);
  return store_exec (store, sql, error);
}

/** Whoever fills the full-text index makes them, each in half the time when all rows are there. */
static gboolean
drop_indexes (CatalogStore *store, GError **error)
{
  return run_written (store,
                      "SELECT coalesce (group_concat ('DROP INDEX ' || name, ';'), '')"
                      " FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'volume'",
                      error);
}

static gboolean
describe_split (const Import *import, GError **error)
{
  const CatalogImportOptions *options = import->options;
  /* To the millisecond: no two imports have the same moment, and stamp.c tells them apart by it. */
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (import->store,
                     "INSERT OR REPLACE INTO split (name, imported, reports_path, labels_path,"
                     " metadata_path, no_chest_path, require_both, without_metadata)"
                     " VALUES (?, strftime ('%Y-%m-%dT%H:%M:%fZ', 'now'), ?, ?, ?, ?, ?, ?)",
                     error);

  if (statement == NULL)
    return FALSE;
  store_bind_text (statement, 1, catalog_split_name (options->split));
  store_bind_text (statement, 2, options->reports_path);
  store_bind_text (statement, 3, options->labels_path);
  store_bind_text (statement, 4, options->metadata_path);
  store_bind_text (statement, 5, options->no_chest_path);
  sqlite3_bind_int (statement, 6, options->require_both);
  sqlite3_bind_int64 (statement, 7, import->funnel->without_metadata);
  return store_run (import->store, statement, error);
}

/* ---- the files, side by side ---- */

/** Labels, metadata and scans not of the chest, read on a thread of their own. */
typedef struct
{
  const CatalogImportOptions *options;
  ImportTables *tables;
  GCancellable *cancellable;
  gboolean done;
  GError *error;
  gsize bytes; /* read so far; atomic */
  GThread *thread;
} TablesReading;

static void
count_bytes (gsize bytes, gpointer user_data)
{
  TablesReading *reading = user_data;

  g_atomic_pointer_add (&reading->bytes, (gssize) bytes);
}

static gpointer
read_tables (gpointer data)
{
  TablesReading *reading = data;
  const CsvWatch watch = { count_bytes, reading, reading->cancellable };

  reading->done = import_tables_read (reading->tables, reading->options, &watch, &reading->error);
  return NULL;
}

/** Wait for the tables; where they can't be had, that is what is wrong. */
static gboolean
end_tables (TablesReading *reading, GError **error)
{
  if (reading->thread != NULL)
    g_thread_join (reading->thread);
  if (reading->done)
    return TRUE;
  g_clear_error (error);
  g_propagate_error (error, reading->error);
  return FALSE;
}

/** One that is not there is an error later. */
static guint64
file_bytes (const char *path)
{
  GStatBuf info;

  return path != NULL && g_stat (path, &info) == 0 ? (guint64) info.st_size : 0;
}

static guint64
total_bytes (const CatalogImportOptions *options)
{
  return file_bytes (options->reports_path) + file_bytes (options->labels_path)
         + file_bytes (options->metadata_path) + file_bytes (options->no_chest_path);
}

typedef struct
{
  CatalogProgress progress; /* (nullable) */
  gpointer user_data;
  guint64 total, told;
} Watch;

static void
tell (Watch *watch, TablesReading *reading, guint64 bytes)
{
  guint64 done = (guint64) (gsize) g_atomic_pointer_get (&reading->bytes) + bytes;

  if (watch->progress != NULL && done > watch->told)
    watch->progress (done, watch->total, watch->user_data);
  watch->told = done;
}

/* ---- reports, stored while they and the tables are being read ---- */

#define N_TEXTS 4

typedef struct
{
  Import *import;
  Watch *watch;
  TablesReading *tables;
  ImportReports *reading;
  ImportReportBatch *batch;       /* (nullable) the last of the import's */
  guint next;                     /* in it: of the row behind the one at hand */
  gint64 id;                      /* of the report at hand; 0 where there is none */
  const char *texts[N_TEXTS + 1]; /* of the same, and what lies behind them */
} Reports;

/** The rows of the last batch go on without their texts and wait for the tables. */
static gboolean
next_batch (Reports *reports, GError **error)
{
  if (reports->batch != NULL)
    {
      g_clear_pointer (&reports->batch->reports, g_string_chunk_free);
      tell (reports->watch, reports->tables, reports->batch->bytes);
    }
  if (g_cancellable_set_error_if_cancelled (reports->import->cancellable, error))
    return FALSE;
  reports->next = 0;
  reports->batch = import_reports_next (reports->reading, error);
  if (reports->batch != NULL)
    g_ptr_array_add (reports->import->batches, reports->batch);
  return reports->batch != NULL;
}

/** Give the row its report; TRUE where the report is a new one. */
static gboolean
take_report (Reports *reports, ImportReportRow *row)
{
  Import *import = reports->import;
  gint64 id = IMPORT_FIRST_ID (import->options->split) + import->funnel->rows++;

  if (row->report != NULL)
    reports->id = row->report_size > 0 ? id : 0;
  row->report_id = reports->id;
  if (row->report == NULL || row->report_size == 0)
    return FALSE;
  reports->texts[0] = row->report;
  for (int i = 0; i < N_TEXTS; i++)
    reports->texts[i + 1] = reports->texts[i] + strlen (reports->texts[i]) + 1;
  return TRUE;
}

static gboolean
next_report (gpointer data, GError **error)
{
  Reports *reports = data;

  do
    while (reports->batch != NULL && reports->next < reports->batch->rows->len)
      if (take_report (reports,
                       &g_array_index (reports->batch->rows, ImportReportRow, reports->next++)))
        return TRUE;
  while (next_batch (reports, error));
  return FALSE;
}

static void
give_report (gpointer data, int column, sqlite3_context *value)
{
  const Reports *reports = data;

  if (column == 0)
    sqlite3_result_int64 (value, reports->id);
  else
    {
      const char *text = reports->texts[column - 1];
      int size = (int) (reports->texts[column] - text) - 1;

      sqlite3_result_text (value, size > 0 ? text : NULL, size, SQLITE_STATIC);
    }
}

static gboolean
store_reports (Import *import, Watch *watch, TablesReading *tables, GError **error)
{
  static const RowSource source = { 1 + N_TEXTS, next_report, give_report };
  g_autoptr (ImportReports) reading = import_reports_start (import->options);
  Reports reports = { .import = import, .watch = watch, .tables = tables, .reading = reading };

  return store_insert_rows (import->store,
                            "INSERT INTO report (volume_id, clinical, technique, findings,"
                            " impression)",
                            &source, &reports, error);
}

static gboolean
take_files (Import *import, Watch *watch, GError **error)
{
  TablesReading reading = { .options = import->options,
                            .tables = &import->tables,
                            .cancellable = import->cancellable };
  gboolean taken;

  reading.thread = g_thread_try_new ("tables", read_tables, &reading, NULL);
  if (reading.thread == NULL)
    read_tables (&reading); /* refused: then one after the other */
  taken = store_reports (import, watch, &reading, error);
  if (!end_tables (&reading, error) || !taken)
    return FALSE;
  tell (watch, &reading, file_bytes (import->options->reports_path));
  return TRUE;
}

/* ---- the whole ---- */

static gboolean
replace_split (Import *import, Watch *watch, GError **error)
{
  return store_text_index_leave_out (import->store, IMPORT_FIRST_ID (import->options->split), error)
         && remove_split (import->store, import->options->split, error)
         && take_files (import, watch, error) && drop_indexes (import->store, error)
         && import_volumes_store (import->store, import->options, import->batches, &import->tables,
                                  import->funnel, import->cancellable, error)
         && describe_split (import, error);
}

/** Who fills the index writes again soon, and what is in the log by then goes to the file with
 * that: the rows can be read from the log at once. */
static gboolean
leave_checkpoint (CatalogStore *store, GError **error)
{
  return store_exec (store, "PRAGMA wal_autocheckpoint = 0", error)
         && (sqlite3_db_config (store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK
             || store_fail (store, error));
}

/** FALSE where that can't be told, too. */
static gboolean
has_no_rows (CatalogStore *store)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, "SELECT 1 FROM volume", NULL);

  return statement != NULL && store_step (store, statement, NULL) == SQLITE_DONE;
}

gboolean
catalog_import (CatalogStore *store, const CatalogImportOptions *options, CatalogProgress progress,
                gpointer user_data, CatalogFunnel *funnel, GCancellable *cancellable,
                GError **error)
{
  g_auto (Import) import = {
    .store = store,
    .options = options,
    .funnel = funnel,
    .cancellable = cancellable,
    .batches = g_ptr_array_new_with_free_func ((GDestroyNotify) import_report_batch_free),
  };
  Watch watch = { progress, user_data, total_bytes (options), 0 };
  gboolean first = has_no_rows (store), done;

  *funnel = (CatalogFunnel){ .split = options->split };
  /* Reports come before the volumes that they refer to, and both go together. */
  if ((options->index_later && !leave_checkpoint (store, error))
      || !store_exec (store, "PRAGMA foreign_keys = OFF", error))
    return FALSE;
  if (first)
    store_leave_log (store);
  done = store_begin (store, error)
         && store_end (store, replace_split (&import, &watch, error), error);
  if (first && !options->index_later)
    store_return_to_log (store); /* else the next to open it does so */
  if (!store_exec (store, "PRAGMA foreign_keys = ON", done ? error : NULL) || !done)
    return FALSE;
  return options->index_later || catalog_text_index_finish (store, NULL, NULL, cancellable, error);
}

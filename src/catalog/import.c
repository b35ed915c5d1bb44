#include "catalog/import.h"

#include "base/error.h"
#include "catalog/cleaning.h"
#include "catalog/import_reports.h"
#include "catalog/import_tables.h"
#include "catalog/row_indexes.h"

#include <glib/gstdio.h>
#include <string.h>

/* A row's id says its split and position: ids are in the order of the files. */
#define FIRST_ID(split) (((gint64) (split) + 1) << 32)

typedef struct
{
  CatalogStore *store;
  const CatalogImportOptions *options;
  CatalogFunnel *funnel;
  GCancellable *cancellable; /* (nullable) */
  ImportTables tables;
  GPtrArray *batches; /* (element-type ImportReportBatch) all rows, in the file's order */
  GHashTable *lines;  /* volume name → line of its row */
  GHashTable *kept;   /* patient → the volume that is kept */
  gint64 report_id;   /* of the row that was stored last */
  sqlite3_stmt *insert_volume, *insert_report;
} Import;

static void
import_clear (Import *import)
{
  import_tables_clear (&import->tables);
  g_hash_table_unref (import->lines);
  g_hash_table_unref (import->kept);
  g_ptr_array_unref (import->batches);
  sqlite3_finalize (import->insert_volume);
  sqlite3_finalize (import->insert_report);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

/* ---- judging a row ---- */

/** A row of the reports file with what the other files say of it. */
typedef struct
{
  const ImportReportRow *report;
  const ImportLabels *labels;     /* (nullable) */
  const ImportMetadata *metadata; /* (nullable) */
  CatalogReason reason;
  char *detail; /* (nullable) */
} ImportRow;

static void
import_row_clear (ImportRow *row)
{
  g_free (row->detail);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImportRow, import_row_clear)

static gpointer
look_up (GHashTable *table, const char *name)
{
  return table != NULL ? g_hash_table_lookup (table, name) : NULL;
}

/** Why the row can't be read; %NULL where it can. */
static char *
find_fault (const Import *import, const ImportReportRow *row)
{
  guint earlier = GPOINTER_TO_UINT (look_up (import->lines, row->name));

  if (row->fault != NULL)
    return g_strdup (row->fault);
  if (*row->patient == '\0')
    return g_strdup ("VolumeName is not split_patient_scan_reconstruction" CLEANING_SUFFIX);
  if (earlier != 0)
    return g_strdup_printf ("repeats the volume of line %u", earlier);
  return NULL;
}

/** The first rule of the funnel that drops the row; sets its detail. */
static CatalogReason
judge (const Import *import, ImportRow *row)
{
  const ImportReportRow *report = row->report;
  g_autofree char *fault = find_fault (import, report);
  const char *kept = look_up (import->kept, report->patient);

  if (fault != NULL)
    {
      row->detail = import_place (import->options->reports_path, report->line, fault);
      return CATALOG_DROP_UNREADABLE;
    }
  if (row->labels == NULL)
    return CATALOG_DROP_NO_LABEL;
  if (row->labels->fault != NULL)
    {
      row->detail = g_strdup (row->labels->fault);
      return CATALOG_DROP_NO_LABEL;
    }
  if (report->lacks_text)
    return CATALOG_DROP_NO_TEXT;
  if (!report->first_reconstruction)
    return CATALOG_DROP_RECONSTRUCTION;
  if (look_up (import->tables.no_chest, report->name) != NULL)
    return CATALOG_DROP_NO_CHEST;
  if (kept != NULL)
    {
      row->detail = g_strdup (kept);
      return CATALOG_DROP_PATIENT;
    }
  if (row->metadata != NULL)
    row->detail = g_strdup (row->metadata->fault);
  return CATALOG_KEPT;
}

/* ---- counting and remembering ---- */

static void
count_row (Import *import, const ImportRow *row)
{
  CatalogFunnel *funnel = import->funnel;

  funnel->count[row->reason]++;
  if (row->reason != CATALOG_KEPT)
    return;
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    funnel->positives[label] += row->labels->labels >> label & 1;
  if (import->tables.metadata != NULL && (row->metadata == NULL || row->metadata->fault != NULL))
    funnel->without_metadata++;
}

static void
remember_row (Import *import, const ImportRow *row)
{
  const ImportReportRow *report = row->report;

  if (row->reason == CATALOG_DROP_UNREADABLE)
    return;
  g_hash_table_insert (import->lines, (char *) report->name, GUINT_TO_POINTER (report->line));
  if (row->reason == CATALOG_KEPT)
    g_hash_table_insert (import->kept, (char *) report->patient, (char *) report->name);
}

/* ---- storing rows ---- */

static void
bind_text (sqlite3_stmt *statement, int parameter, const char *text)
{
  sqlite3_bind_text (statement, parameter, text, -1, SQLITE_STATIC);
}

static void
bind_if_known (sqlite3_stmt *statement, int parameter, int number)
{
  if (number >= 0)
    sqlite3_bind_int (statement, parameter, number);
}

static gboolean
store_volume (Import *import, const ImportRow *row, guint position, GError **error)
{
  sqlite3_stmt *statement = import->insert_volume;
  const ImportMetadata *metadata = row->metadata;

  sqlite3_clear_bindings (statement);
  sqlite3_bind_int64 (statement, 1, FIRST_ID (import->options->split) + position);
  sqlite3_bind_int (statement, 2, import->options->split);
  sqlite3_bind_int64 (statement, 3, position);
  bind_text (statement, 4, row->report->name);
  bind_text (statement, 5, row->report->patient);
  sqlite3_bind_int (statement, 6, row->reason);
  bind_text (statement, 7, row->detail);
  if (row->report->report_id != 0)
    sqlite3_bind_int64 (statement, 8, row->report->report_id);
  if (row->labels != NULL && row->labels->fault == NULL)
    sqlite3_bind_int64 (statement, 9, row->labels->labels);
  if (metadata != NULL && metadata->fault == NULL)
    {
      bind_text (statement, 10, metadata->sex);
      bind_if_known (statement, 11, metadata->age_years);
      bind_text (statement, 12, metadata->manufacturer);
      bind_text (statement, 13, metadata->model);
      bind_text (statement, 14, metadata->study_date);
      bind_if_known (statement, 15, metadata->rows);
      bind_if_known (statement, 16, metadata->columns);
      bind_if_known (statement, 17, metadata->slices);
      /* NaN is bound as NULL. */
      sqlite3_bind_double (statement, 18, metadata->spacing_xy_mm);
      sqlite3_bind_double (statement, 19, metadata->spacing_z_mm);
      sqlite3_bind_double (statement, 20, metadata->slope);
      sqlite3_bind_double (statement, 21, metadata->intercept);
    }
  return store_run (import->store, statement, error);
}

/** The row's report, unless the row before has the same; sets its id. */
static gboolean
store_report (Import *import, ImportReportRow *row, gint64 id, GError **error)
{
  const char *text = row->report;

  if (text != NULL)
    import->report_id = row->report_size > 0 ? id : 0;
  row->report_id = import->report_id;
  if (text == NULL || row->report_size == 0)
    return TRUE;
  sqlite3_bind_int64 (import->insert_report, 1, id);
  for (int parameter = 2; parameter <= 5; parameter++)
    {
      bind_text (import->insert_report, parameter, *text != '\0' ? text : NULL);
      text += strlen (text) + 1;
    }
  return store_run (import->store, import->insert_report, error);
}

/** What needs no other table; the rows then wait for those, without their texts. */
static gboolean
store_reports (Import *import, ImportReportBatch *batch, GError **error)
{
  for (guint i = 0; i < batch->rows->len; i++)
    if (!store_report (import, &g_array_index (batch->rows, ImportReportRow, i),
                       FIRST_ID (import->options->split) + import->funnel->rows++, error))
      return FALSE;
  g_clear_pointer (&batch->reports, g_string_chunk_free);
  return TRUE;
}

static gboolean
store_row (Import *import, const ImportReportRow *report, guint position, GError **error)
{
  g_auto (ImportRow) row = { .report = report,
                             .labels = look_up (import->tables.labels, report->name),
                             .metadata = look_up (import->tables.metadata, report->name) };

  row.reason = judge (import, &row);
  count_row (import, &row);
  remember_row (import, &row);
  return store_volume (import, &row, position, error);
}

static gboolean
store_volumes (Import *import, GError **error)
{
  guint position = 0;

  for (guint i = 0; i < import->batches->len; i++)
    {
      const ImportReportBatch *batch = g_ptr_array_index (import->batches, i);

      if (g_cancellable_set_error_if_cancelled (import->cancellable, error))
        return FALSE;
      for (guint j = 0; j < batch->rows->len; j++)
        if (!store_row (import, &g_array_index (batch->rows, ImportReportRow, j), position++,
                        error))
          return FALSE;
    }
  return TRUE;
}

/* ---- replacing a split; all of this is within one transaction ---- */

/** Take away what an earlier import left. */
static gboolean
remove_split (CatalogStore *store, CatalogSplit split, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("DELETE FROM report WHERE volume_id >= %" G_GINT64_FORMAT
                                          " AND volume_id < %" G_GINT64_FORMAT ";"
                                          "DELETE FROM volume WHERE split = %d",
                                          FIRST_ID (split), FIRST_ID (split + 1), split);

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

#define INDEXES_OF_VOLUME " FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'volume'"
#define NOT_OF_ROW_INDEXES " AND name NOT GLOB '" ROW_INDEX_PREFIX "*'"

/** An index is made in half the time when all rows are there; most come even later. */
static gboolean
store_volumes_before_their_indexes (Import *import, GError **error)
{
  CatalogStore *store = import->store;

  return store_exec (store,
                     "CREATE TEMP TABLE volume_index AS"
                     " SELECT sql" INDEXES_OF_VOLUME NOT_OF_ROW_INDEXES,
                     error)
         && run_written (
             store, "SELECT group_concat ('DROP INDEX ' || name, ';')" INDEXES_OF_VOLUME, error)
         && store_volumes (import, error)
         && run_written (store, "SELECT group_concat (sql, ';') FROM volume_index", error)
         && store_exec (store, "DROP TABLE volume_index", error);
}

static gboolean
prepare_statements (Import *import, GError **error)
{
  import->insert_volume = store_prepare (
      import->store,
      "INSERT INTO volume (id, split, position, name, patient, reason, reason_detail,"
      " report_id, labels, sex, age, manufacturer, model, study_date, rows, columns, slices,"
      " spacing_xy, spacing_z, slope, intercept)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      error);
  if (import->insert_volume == NULL)
    return FALSE;
  import->insert_report =
      store_prepare (import->store,
                     "INSERT INTO report (volume_id, clinical, technique, findings, impression)"
                     " VALUES (?, ?, ?, ?, ?)",
                     error);
  return import->insert_report != NULL;
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
  bind_text (statement, 1, catalog_split_name (options->split));
  bind_text (statement, 2, options->reports_path);
  bind_text (statement, 3, options->labels_path);
  bind_text (statement, 4, options->metadata_path);
  bind_text (statement, 5, options->no_chest_path);
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

/** Reports go into the store while they and the tables are still being read. */
static gboolean
take_reports (Import *import, Watch *watch, TablesReading *reading, GError **error)
{
  g_autoptr (ImportReports) reports = import_reports_start (import->options);
  g_autoptr (GError) fault = NULL;
  ImportReportBatch *batch;

  while ((batch = import_reports_next (reports, &fault)) != NULL)
    {
      g_ptr_array_add (import->batches, batch);
      if (!store_reports (import, batch, error))
        return FALSE;
      tell (watch, reading, batch->bytes);
      if (g_cancellable_set_error_if_cancelled (import->cancellable, error))
        return FALSE;
    }
  if (fault == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&fault));
  return FALSE;
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
  taken = take_reports (import, watch, &reading, error);
  if (!end_tables (&reading, error) || !taken)
    return FALSE;
  tell (watch, &reading, file_bytes (import->options->reports_path));
  return TRUE;
}

/* ---- the whole ---- */

static gboolean
replace_split (Import *import, Watch *watch, GError **error)
{
  return store_text_index_leave_out (import->store, FIRST_ID (import->options->split), error)
         && remove_split (import->store, import->options->split, error)
         && prepare_statements (import, error) && take_files (import, watch, error)
         && store_volumes_before_their_indexes (import, error) && describe_split (import, error);
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
    .lines = g_hash_table_new (g_str_hash, g_str_equal),
    .kept = g_hash_table_new (g_str_hash, g_str_equal),
  };
  Watch watch = { progress, user_data, total_bytes (options), 0 };
  gboolean done;

  *funnel = (CatalogFunnel){ .split = options->split };
  /* Reports come before the volumes that they refer to, and both go together. */
  if ((options->index_later && !leave_checkpoint (store, error))
      || !store_exec (store, "PRAGMA foreign_keys = OFF", error))
    return FALSE;
  done = store_begin (store, error)
         && store_end (store, replace_split (&import, &watch, error), error);
  if (!store_exec (store, "PRAGMA foreign_keys = ON", done ? error : NULL) || !done)
    return FALSE;
  return options->index_later || catalog_text_index_finish (store, NULL, NULL, cancellable, error);
}

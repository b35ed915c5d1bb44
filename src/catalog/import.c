#include "catalog/import.h"

#include "base/error.h"
#include "catalog/cleaning.h"
#include "catalog/import_tables.h"
#include "catalog/store_private.h"

#include <glib/gstdio.h>
#include <string.h>

/* FTS5 collects so much before it writes a segment: larger ones need less merging. */
#define INDEX_MEMORY_BYTES "33554432"

#define NAMES_BLOCK_BYTES (64 << 10)

/* A row's id says its split and position: ids are in the order of the files. */
#define FIRST_ID(split) (((gint64) (split) + 1) << 32)

enum
{
  COLUMN_VOLUME,
  COLUMN_CLINICAL,
  COLUMN_TECHNIQUE,
  COLUMN_FINDINGS,
  COLUMN_IMPRESSION,
};

static const CsvColumn report_columns[] = {
  [COLUMN_VOLUME] = { "VolumeName", TRUE },
  [COLUMN_CLINICAL] = { "ClinicalInformation_EN", TRUE },
  [COLUMN_TECHNIQUE] = { "Technique_EN", TRUE },
  [COLUMN_FINDINGS] = { "Findings_EN", TRUE },
  [COLUMN_IMPRESSION] = { "Impressions_EN", TRUE },
};

typedef struct
{
  CatalogStore *store;
  const CatalogImportOptions *options;
  CatalogFunnel *funnel;
  ImportTables tables;
  GStringChunk *names; /* what the next two point to */
  GHashTable *lines;   /* volume name → line of its row */
  GHashTable *kept;    /* patient → the volume that is kept */
  GString *report;     /* of the row at hand, as join_report() makes it */
  gint64 report_id;    /* its number, 0 without one */
  sqlite3_stmt *insert_volume, *insert_report, *insert_text;
} Import;

static void
import_clear (Import *import)
{
  import_tables_clear (&import->tables);
  g_hash_table_unref (import->lines);
  g_hash_table_unref (import->kept);
  g_string_chunk_free (import->names);
  g_string_free (import->report, TRUE);
  sqlite3_finalize (import->insert_volume);
  sqlite3_finalize (import->insert_report);
  sqlite3_finalize (import->insert_text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

/* ---- judging a row ---- */

/** A row of the reports file with what the other files say of it. */
typedef struct
{
  const CsvRow *csv;
  char *name, *patient;           /* the latter is "" where the name can't be taken apart */
  gboolean first_reconstruction;  /* of its scan */
  const ImportLabels *labels;     /* (nullable) */
  const ImportMetadata *metadata; /* (nullable) */
  CatalogReason reason;
  char *detail; /* (nullable) */
} ImportRow;

static void
import_row_clear (ImportRow *row)
{
  g_free (row->name);
  g_free (row->patient);
  g_free (row->detail);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImportRow, import_row_clear)

static gpointer
look_up (GHashTable *table, const char *name)
{
  return table != NULL ? g_hash_table_lookup (table, name) : NULL;
}

static void
import_row_init (const Import *import, const CsvRow *csv, ImportRow *row)
{
  gsize patient_length = 0;

  row->csv = csv;
  row->name = cleaning_one_line (csv->cells[COLUMN_VOLUME]);
  cleaning_parse_name (row->name, &patient_length, &row->first_reconstruction);
  row->patient = g_strndup (row->name, patient_length);
  row->labels = look_up (import->tables.labels, row->name);
  row->metadata = look_up (import->tables.metadata, row->name);
}

/** Why the row can't be read; %NULL where it can. */
static char *
find_fault (const Import *import, const ImportRow *row)
{
  guint earlier = GPOINTER_TO_UINT (look_up (import->lines, row->name));

  if (row->csv->fault != NULL)
    return g_strdup (row->csv->fault);
  if (*row->patient == '\0')
    return g_strdup ("VolumeName is not split_patient_scan_reconstruction" CLEANING_SUFFIX);
  if (earlier != 0)
    return g_strdup_printf ("repeats the volume of line %u", earlier);
  return NULL;
}

static gboolean
lacks_text (const Import *import, const CsvRow *csv)
{
  gboolean no_findings = cleaning_is_missing (csv->cells[COLUMN_FINDINGS]);
  gboolean no_impression = cleaning_is_missing (csv->cells[COLUMN_IMPRESSION]);

  return import->options->require_both ? no_findings || no_impression
                                       : no_findings && no_impression;
}

/** The first rule of the funnel that drops the row; sets its detail. */
static CatalogReason
judge (const Import *import, ImportRow *row)
{
  g_autofree char *fault = find_fault (import, row);
  const char *kept = look_up (import->kept, row->patient);

  if (fault != NULL)
    {
      row->detail = import_place (import->options->reports_path, row->csv->line, fault);
      return CATALOG_DROP_UNREADABLE;
    }
  if (row->labels == NULL)
    return CATALOG_DROP_NO_LABEL;
  if (row->labels->fault != NULL)
    {
      row->detail = g_strdup (row->labels->fault);
      return CATALOG_DROP_NO_LABEL;
    }
  if (lacks_text (import, row->csv))
    return CATALOG_DROP_NO_TEXT;
  if (!row->first_reconstruction)
    return CATALOG_DROP_RECONSTRUCTION;
  if (look_up (import->tables.no_chest, row->name) != NULL)
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

  funnel->rows++;
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
  char *name;

  if (row->reason == CATALOG_DROP_UNREADABLE)
    return;
  name = g_string_chunk_insert (import->names, row->name);
  g_hash_table_insert (import->lines, name, GUINT_TO_POINTER (row->csv->line));
  if (row->reason == CATALOG_KEPT)
    g_hash_table_insert (import->kept, g_string_chunk_insert (import->names, row->patient), name);
}

/* ---- storing a row ---- */

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
store_volume (Import *import, const ImportRow *row, gint64 id, guint position, GError **error)
{
  sqlite3_stmt *statement = import->insert_volume;
  const ImportMetadata *metadata = row->metadata;

  sqlite3_clear_bindings (statement);
  sqlite3_bind_int64 (statement, 1, id);
  sqlite3_bind_int (statement, 2, import->options->split);
  sqlite3_bind_int64 (statement, 3, position);
  bind_text (statement, 4, row->name);
  bind_text (statement, 5, row->patient);
  sqlite3_bind_int (statement, 6, row->reason);
  bind_text (statement, 7, row->detail);
  if (import->report_id != 0)
    sqlite3_bind_int64 (statement, 8, import->report_id);
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

/** The row's texts, each with its NUL, those that are missing empty; "" where all are. */
static GString *
join_report (const CsvRow *csv)
{
  GString *report = g_string_new (NULL);
  gboolean empty = TRUE;

  for (int column = COLUMN_CLINICAL; column <= COLUMN_IMPRESSION && csv->fault == NULL; column++)
    {
      if (!cleaning_is_missing (csv->cells[column]))
        {
          g_string_append (report, csv->cells[column]);
          empty = FALSE;
        }
      g_string_append_c (report, '\0');
    }
  return g_string_truncate (report, empty ? 0 : report->len);
}

/** The report in hand, and its place in the full-text index, which takes the same parameters. */
static gboolean
store_report (Import *import, GError **error)
{
  sqlite3_stmt *const statements[] = { import->insert_report, import->insert_text };

  for (gsize i = 0; i < G_N_ELEMENTS (statements); i++)
    {
      const char *text = import->report->str;

      sqlite3_bind_int64 (statements[i], 1, import->report_id);
      for (int column = COLUMN_CLINICAL; column <= COLUMN_IMPRESSION; column++)
        {
          bind_text (statements[i], 1 + column, *text != '\0' ? text : NULL);
          text += strlen (text) + 1;
        }
      if (!store_run (import->store, statements[i], error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
store_row (Import *import, const ImportRow *row, guint position, GError **error)
{
  gint64 id = FIRST_ID (import->options->split) + position;
  GString *report = join_report (row->csv);
  gboolean empty = report->len == 0;
  /* Reconstructions of a scan follow each other and have the same report: it is kept once. */
  gboolean repeated = g_string_equal (report, import->report);

  g_string_free (import->report, TRUE);
  import->report = report;
  if (!repeated)
    import->report_id = empty ? 0 : id;
  return store_volume (import, row, id, position, error)
         && (repeated || empty || store_report (import, error));
}

static gboolean
take_row (const CsvRow *csv, gpointer user_data, GError **error)
{
  Import *import = user_data;
  guint position = import->funnel->rows;
  g_auto (ImportRow) row = { NULL };

  import_row_init (import, csv, &row);
  row.reason = judge (import, &row);
  count_row (import, &row);
  remember_row (import, &row);
  return store_row (import, &row, position, error);
}

/* ---- replacing a split; all of this is within one transaction ---- */

#define INSERT_TEXT "INSERT INTO report_text (rowid, clinical, technique, findings, impression) "

/**
 * Take away what an earlier import left.
 *
 * Rows leave a full-text index slowly and leave it fragmented; so it is made anew, beginning with
 * the other split.
 */
static gboolean
remove_split (CatalogStore *store, CatalogSplit split, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "DELETE FROM volume WHERE split = ?", error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int (statement, 1, split);
  if (!store_run (store, statement, error))
    return FALSE;
  return sqlite3_changes (store->db) == 0
         || store_exec (store,
                        "INSERT INTO report_text (report_text) VALUES ('delete-all');" INSERT_TEXT
                        "SELECT volume_id, clinical, technique, findings, impression FROM report",
                        error);
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
  if (import->insert_report == NULL)
    return FALSE;
  import->insert_text = store_prepare (import->store, INSERT_TEXT "VALUES (?, ?, ?, ?, ?)", error);
  return import->insert_text != NULL;
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

static gboolean
replace_split (Import *import, const CsvWatch *watch, GError **error)
{
  return store_exec (import->store,
                     "INSERT INTO report_text (report_text, rank)"
                     " VALUES ('hashsize', " INDEX_MEMORY_BYTES ")",
                     error)
         && remove_split (import->store, import->options->split, error)
         && prepare_statements (import, error)
         && csv_read (import->options->reports_path, report_columns, G_N_ELEMENTS (report_columns),
                      take_row, import, watch, error)
         && describe_split (import, error);
}

/* ---- the whole ---- */

typedef struct
{
  CatalogProgress progress;
  gpointer user_data;
  guint64 done, total;
} ByteCount;

static void
count_bytes (gsize bytes, gpointer user_data)
{
  ByteCount *count = user_data;

  count->done += bytes;
  if (count->progress != NULL)
    count->progress (count->done, count->total, count->user_data);
}

/** Of all files; one that is not there is an error later. */
static guint64
total_bytes (const CatalogImportOptions *options)
{
  const char *const paths[] = { options->reports_path, options->labels_path, options->metadata_path,
                                options->no_chest_path };
  guint64 total = 0;
  GStatBuf info;

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    if (paths[i] != NULL && g_stat (paths[i], &info) == 0)
      total += (guint64) info.st_size;
  return total;
}

gboolean
catalog_import (CatalogStore *store, const CatalogImportOptions *options, CatalogProgress progress,
                gpointer user_data, CatalogFunnel *funnel, GCancellable *cancellable,
                GError **error)
{
  g_auto (Import) import = { .store = store,
                             .options = options,
                             .funnel = funnel,
                             .names = g_string_chunk_new (NAMES_BLOCK_BYTES),
                             .lines = g_hash_table_new (g_str_hash, g_str_equal),
                             .kept = g_hash_table_new (g_str_hash, g_str_equal),
                             .report = g_string_new (NULL) };
  ByteCount count = { progress, user_data, 0, total_bytes (options) };
  CsvWatch watch = { count_bytes, &count, cancellable };

  *funnel = (CatalogFunnel){ .split = options->split };
  return import_tables_read (&import.tables, options, &watch, error) && store_begin (store, error)
         && store_end (store, replace_split (&import, &watch, error), error);
}

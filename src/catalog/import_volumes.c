#include "catalog/import_volumes.h"

#include "catalog/cleaning.h"
#include "catalog/row_source.h"

#include <string.h>

/** A row of the reports file with what the other files say of it. */
typedef struct
{
  const ImportReportRow *report; /* %NULL before the first */
  ImportVolume *volume;
  const char *kept; /* (nullable) the volume of the patient that is kept already */
  CatalogReason reason;
  char *detail; /* (nullable) */
} ImportRow;

typedef struct
{
  const CatalogImportOptions *options;
  const GPtrArray *batches;
  ImportTables *tables;
  CatalogFunnel *funnel;
  GCancellable *cancellable; /* (nullable) */
  GHashTable *kept;          /* patient → the volume that is kept */
  guint batch, next;         /* of the row behind the one at hand */
  gint64 position;           /* of the row at hand */
  ImportRow row;             /* the one at hand */
} Volumes;

static void
volumes_clear (Volumes *volumes)
{
  g_hash_table_unref (volumes->kept);
  g_free (volumes->row.detail);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Volumes, volumes_clear)

/* ---- judging a row ---- */

/** Why the row can't be read; %NULL where it can. */
static char *
find_fault (const ImportRow *row)
{
  if (row->report->fault != NULL)
    return g_strdup (row->report->fault);
  if (*row->report->patient == '\0')
    return g_strdup ("VolumeName is not split_patient_scan_reconstruction" CLEANING_SUFFIX);
  if (row->volume->line != 0)
    return g_strdup_printf ("repeats the volume of line %u", row->volume->line);
  return NULL;
}

/** The first rule of the funnel that drops the row; sets its detail. */
static CatalogReason
judge (const Volumes *volumes, ImportRow *row)
{
  const ImportReportRow *report = row->report;
  const ImportVolume *volume = row->volume;
  g_autofree char *fault = find_fault (row);

  if (fault != NULL)
    {
      row->detail = import_place (volumes->options->reports_path, report->line, fault);
      return CATALOG_DROP_UNREADABLE;
    }
  if (!volume->has_labels)
    return CATALOG_DROP_NO_LABEL;
  if (volume->labels_fault != NULL)
    {
      row->detail = g_strdup (volume->labels_fault);
      return CATALOG_DROP_NO_LABEL;
    }
  if (report->lacks_text)
    return CATALOG_DROP_NO_TEXT;
  if (!report->first_reconstruction)
    return CATALOG_DROP_RECONSTRUCTION;
  if (volume->no_chest)
    return CATALOG_DROP_NO_CHEST;
  if (row->kept != NULL)
    {
      row->detail = g_strdup (row->kept);
      return CATALOG_DROP_PATIENT;
    }
  row->detail = g_strdup (volume->metadata.fault);
  return CATALOG_KEPT;
}

/* ---- counting and remembering ---- */

static gboolean
has_metadata (const ImportVolume *volume)
{
  return volume->has_metadata && volume->metadata.fault == NULL;
}

static void
count_row (Volumes *volumes, const ImportRow *row)
{
  CatalogFunnel *funnel = volumes->funnel;

  funnel->count[row->reason]++;
  if (row->reason != CATALOG_KEPT)
    return;
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    funnel->positives[label] += row->volume->labels >> label & 1;
  if (volumes->options->metadata_path != NULL && !has_metadata (row->volume))
    funnel->without_metadata++;
}

static void
remember_row (Volumes *volumes, const ImportRow *row)
{
  const ImportReportRow *report = row->report;

  if (row->reason == CATALOG_DROP_UNREADABLE)
    return;
  row->volume->line = report->line;
  if (row->reason == CATALOG_KEPT)
    g_hash_table_insert (volumes->kept, (char *) report->patient, (char *) report->name);
}

/* ---- one row after the other ---- */

/** The volume of the patient that is kept already; mostly the row before is of the same one. */
static const char *
find_kept (const Volumes *volumes, const char *patient)
{
  const ImportRow *before = &volumes->row;

  if (before->report == NULL || strcmp (before->report->patient, patient) != 0)
    return g_hash_table_lookup (volumes->kept, patient);
  return before->reason == CATALOG_KEPT ? before->report->name : before->kept;
}

static void
take_row (Volumes *volumes, const ImportReportRow *report)
{
  ImportRow row = { .report = report,
                    .volume = import_tables_volume (volumes->tables, report->name),
                    .kept = find_kept (volumes, report->patient) };

  row.reason = judge (volumes, &row);
  count_row (volumes, &row);
  remember_row (volumes, &row);
  g_free (volumes->row.detail);
  volumes->row = row;
  volumes->position++;
}

static gboolean
next_row (gpointer data, GError **error)
{
  Volumes *volumes = data;

  for (; volumes->batch < volumes->batches->len; volumes->batch++, volumes->next = 0)
    {
      const ImportReportBatch *batch = g_ptr_array_index (volumes->batches, volumes->batch);

      if (volumes->next == 0 && g_cancellable_set_error_if_cancelled (volumes->cancellable, error))
        return FALSE;
      if (volumes->next < batch->rows->len)
        {
          take_row (volumes, &g_array_index (batch->rows, ImportReportRow, volumes->next++));
          return TRUE;
        }
    }
  return FALSE;
}

/* ---- its columns ---- */

#define COLUMNS                                                                                    \
  "id, split, position, name, patient, reason, reason_detail, report_id, labels,"                  \
  " sex, age, manufacturer, model, study_date, rows, columns, slices,"                             \
  " spacing_xy, spacing_z, slope, intercept"

/* In the same order. */
enum
{
  COLUMN_ID,
  COLUMN_SPLIT,
  COLUMN_POSITION,
  COLUMN_NAME,
  COLUMN_PATIENT,
  COLUMN_REASON,
  COLUMN_REASON_DETAIL,
  COLUMN_REPORT_ID,
  COLUMN_LABELS,
  COLUMN_SEX,
  COLUMN_AGE,
  COLUMN_MANUFACTURER,
  COLUMN_MODEL,
  COLUMN_STUDY_DATE,
  COLUMN_ROWS,
  COLUMN_COLUMNS,
  COLUMN_SLICES,
  COLUMN_SPACING_XY,
  COLUMN_SPACING_Z,
  COLUMN_SLOPE,
  COLUMN_INTERCEPT,
  N_COLUMNS,
};

static void
give_text (sqlite3_context *value, const char *text)
{
  sqlite3_result_text (value, text, -1, SQLITE_STATIC);
}

static void
give_if (gboolean known, sqlite3_context *value, gint64 number)
{
  if (known)
    sqlite3_result_int64 (value, number);
}

static void
give_metadata (const ImportMetadata *metadata, int column, sqlite3_context *value)
{
  switch (column)
    {
    case COLUMN_SEX:
      return give_text (value, metadata->sex);
    case COLUMN_AGE:
      return give_if (metadata->age_years >= 0, value, metadata->age_years);
    case COLUMN_MANUFACTURER:
      return give_text (value, metadata->manufacturer);
    case COLUMN_MODEL:
      return give_text (value, metadata->model);
    case COLUMN_STUDY_DATE:
      return give_text (value, metadata->study_date);
    case COLUMN_ROWS:
      return give_if (metadata->rows >= 0, value, metadata->rows);
    case COLUMN_COLUMNS:
      return give_if (metadata->columns >= 0, value, metadata->columns);
    case COLUMN_SLICES:
      return give_if (metadata->slices >= 0, value, metadata->slices);
    /* NaN becomes NULL. */
    case COLUMN_SPACING_XY:
      return sqlite3_result_double (value, metadata->spacing_xy_mm);
    case COLUMN_SPACING_Z:
      return sqlite3_result_double (value, metadata->spacing_z_mm);
    case COLUMN_SLOPE:
      return sqlite3_result_double (value, metadata->slope);
    case COLUMN_INTERCEPT:
      return sqlite3_result_double (value, metadata->intercept);
    }
}

static void
give_column (gpointer data, int column, sqlite3_context *value)
{
  const Volumes *volumes = data;
  const ImportRow *row = &volumes->row;
  CatalogSplit split = volumes->options->split;

  switch (column)
    {
    case COLUMN_ID:
      return sqlite3_result_int64 (value, IMPORT_FIRST_ID (split) + volumes->position);
    case COLUMN_SPLIT:
      return sqlite3_result_int (value, split);
    case COLUMN_POSITION:
      return sqlite3_result_int64 (value, volumes->position);
    case COLUMN_NAME:
      return give_text (value, row->report->name);
    case COLUMN_PATIENT:
      return give_text (value, row->report->patient);
    case COLUMN_REASON:
      return sqlite3_result_int (value, row->reason);
    case COLUMN_REASON_DETAIL:
      return give_text (value, row->detail);
    case COLUMN_REPORT_ID:
      return give_if (row->report->report_id != 0, value, row->report->report_id);
    case COLUMN_LABELS:
      return give_if (row->volume->has_labels && row->volume->labels_fault == NULL, value,
                      row->volume->labels);
    default:
      if (has_metadata (row->volume))
        give_metadata (&row->volume->metadata, column, value);
    }
}

gboolean
import_volumes_store (CatalogStore *store, const CatalogImportOptions *options,
                      const GPtrArray *batches, ImportTables *tables, CatalogFunnel *funnel,
                      GCancellable *cancellable, GError **error)
{
  static const RowSource source = { N_COLUMNS, next_row, give_column };
  g_auto (Volumes) volumes = { .options = options,
                               .batches = batches,
                               .tables = tables,
                               .funnel = funnel,
                               .cancellable = cancellable,
                               .kept = g_hash_table_new (g_str_hash, g_str_equal),
                               .position = -1 };

  return store_insert_rows (store, "INSERT INTO volume (" COLUMNS ")", &source, &volumes, error);
}

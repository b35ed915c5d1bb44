#include "catalog/import_tables.h"

#include "base/error.h"
#include "catalog/cleaning.h"

#include <math.h>
#include <string.h>

#define STRINGS_BLOCK_BYTES (64 << 10)

/** While one of the tables is read. */
typedef struct
{
  ImportTables *tables;
  const char *path;
} TableReader;

char *
import_place (const char *path, guint line, const char *fault)
{
  g_autofree char *name = g_path_get_basename (path);

  return g_strdup_printf ("%s, line %u: %s", name, line, fault);
}

static const char *
keep_place (const TableReader *reader, guint line, const char *fault)
{
  g_autofree char *place = import_place (reader->path, line, fault);

  return g_string_chunk_insert (reader->tables->strings, place);
}

/** A short text, which may well stand in other rows too. */
static char *
keep_name (const TableReader *reader, const char *cell)
{
  g_autofree char *name = cleaning_one_line (cell);

  return g_string_chunk_insert_const (reader->tables->strings, name);
}

/* ---- labels ---- */

/** Set the bits; returns what is wrong, g_free it. */
static char *
parse_labels (const CsvRow *row, guint32 *labels)
{
  *labels = 0;
  if (row->fault != NULL)
    return g_strdup (row->fault);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      const char *cell = row->cells[1 + label];
      int flag = cleaning_flag (cell);

      if (flag < 0)
        {
          g_autofree char *shown = cleaning_one_line (cell);

          return g_strdup_printf ("%s is \"%s\" and not 0 or 1", catalog_label_name (label), shown);
        }
      *labels |= (guint32) flag << label;
    }
  return NULL;
}

static gboolean
take_labels (const CsvRow *row, gpointer user_data, GError **error)
{
  const TableReader *reader = user_data;
  GHashTable *table = reader->tables->labels;
  char *name = keep_name (reader, row->cells[0]);
  ImportLabels *known = g_hash_table_lookup (table, name);
  guint32 labels;
  g_autofree char *fault = parse_labels (row, &labels);

  if (known == NULL)
    {
      known = g_new0 (ImportLabels, 1);
      known->labels = labels;
      g_hash_table_insert (table, name, known);
    }
  else if (fault == NULL && known->labels != labels)
    fault = g_strdup ("contradicts an earlier row of this volume");
  if (fault != NULL && known->fault == NULL)
    known->fault = keep_place (reader, row->line, fault);
  return TRUE;
}

static gboolean
read_labels (TableReader *reader, const CsvWatch *watch, GError **error)
{
  CsvColumn columns[1 + CATALOG_N_LABELS] = { { "VolumeName", TRUE } };

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    columns[1 + label] = (CsvColumn){ catalog_label_name (label), TRUE };
  reader->tables->labels = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  return csv_read (reader->path, columns, G_N_ELEMENTS (columns), take_labels, reader, watch,
                   error);
}

/* ---- metadata ---- */

/* Only what the preparation of a scan depends on is needed: de-identified tables lack the others.
 */
enum
{
  COLUMN_VOLUME,
  COLUMN_SPACING_XY,
  COLUMN_SPACING_Z,
  COLUMN_SLOPE,
  COLUMN_INTERCEPT,
  COLUMN_SEX,
  COLUMN_AGE,
  COLUMN_MANUFACTURER,
  COLUMN_MODEL,
  COLUMN_STUDY_DATE,
  COLUMN_ROWS,
  COLUMN_COLUMNS,
  COLUMN_SLICES,
};

static const CsvColumn metadata_columns[] = {
  [COLUMN_VOLUME] = { "VolumeName", TRUE },
  [COLUMN_SPACING_XY] = { "XYSpacing", TRUE },
  [COLUMN_SPACING_Z] = { "ZSpacing", TRUE },
  [COLUMN_SLOPE] = { "RescaleSlope", TRUE },
  [COLUMN_INTERCEPT] = { "RescaleIntercept", TRUE },
  [COLUMN_SEX] = { "PatientSex", FALSE },
  [COLUMN_AGE] = { "PatientAge", FALSE },
  [COLUMN_MANUFACTURER] = { "Manufacturer", FALSE },
  [COLUMN_MODEL] = { "ManufacturerModelName", FALSE },
  [COLUMN_STUDY_DATE] = { "StudyDate", FALSE },
  [COLUMN_ROWS] = { "Rows", FALSE },
  [COLUMN_COLUMNS] = { "Columns", FALSE },
  [COLUMN_SLICES] = { "NumberofSlices", FALSE },
};

static const char *
keep_text (const TableReader *reader, const char *cell)
{
  return cleaning_is_missing (cell) ? NULL : keep_name (reader, cell);
}

static gboolean
take_metadata (const CsvRow *row, gpointer user_data, GError **error)
{
  const TableReader *reader = user_data;
  const char *const *cells = row->cells;
  char *name = keep_name (reader, cells[COLUMN_VOLUME]);
  ImportMetadata *metadata = g_hash_table_lookup (reader->tables->metadata, name);

  if (metadata != NULL && metadata->fault == NULL)
    return TRUE; /* the first good row counts */
  metadata = g_new (ImportMetadata, 1);
  *metadata = (ImportMetadata){
    .fault = row->fault != NULL ? keep_place (reader, row->line, row->fault) : NULL,
    .sex = keep_text (reader, cells[COLUMN_SEX]),
    .manufacturer = keep_text (reader, cells[COLUMN_MANUFACTURER]),
    .model = keep_text (reader, cells[COLUMN_MODEL]),
    .study_date = keep_text (reader, cells[COLUMN_STUDY_DATE]),
    .age_years = cleaning_age_years (cells[COLUMN_AGE]),
    .rows = cleaning_count (cells[COLUMN_ROWS]),
    .columns = cleaning_count (cells[COLUMN_COLUMNS]),
    .slices = cleaning_count (cells[COLUMN_SLICES]),
    .spacing_xy_mm = cleaning_spacing_mm (cells[COLUMN_SPACING_XY]),
    .spacing_z_mm = cleaning_spacing_mm (cells[COLUMN_SPACING_Z]),
    .slope = cleaning_number (cells[COLUMN_SLOPE]),
    .intercept = cleaning_number (cells[COLUMN_INTERCEPT]),
  };
  g_hash_table_insert (reader->tables->metadata, name, metadata);
  return TRUE;
}

static gboolean
read_metadata (TableReader *reader, const CsvWatch *watch, GError **error)
{
  reader->tables->metadata = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  return csv_read (reader->path, metadata_columns, G_N_ELEMENTS (metadata_columns), take_metadata,
                   reader, watch, error);
}

/* ---- scans that are not of the chest ---- */

static gboolean
read_no_chest (TableReader *reader, const CsvWatch *watch, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) fault = NULL;
  g_auto (GStrv) lines = NULL;
  gsize size;

  if (!g_file_get_contents (reader->path, &text, &size, &fault))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND, "%s; look at the path",
                   fault->message);
      return FALSE;
    }
  reader->tables->no_chest = g_hash_table_new (g_str_hash, g_str_equal);
  lines = g_strsplit (g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*g_strstrip (lines[i]) != '\0')
      {
        g_autofree char *base = g_path_get_basename (lines[i]);
        g_autofree char *name = g_str_has_suffix (base, CLEANING_SUFFIX)
                                    ? g_steal_pointer (&base)
                                    : g_strconcat (base, CLEANING_SUFFIX, NULL);

        g_hash_table_add (reader->tables->no_chest, keep_name (reader, name));
      }
  if (watch->progress != NULL)
    watch->progress (size, watch->user_data);
  return TRUE;
}

/* ---- all of them ---- */

gboolean
import_tables_read (ImportTables *tables, const CatalogImportOptions *options,
                    const CsvWatch *watch, GError **error)
{
  TableReader labels = { tables, options->labels_path };
  TableReader metadata = { tables, options->metadata_path };
  TableReader no_chest = { tables, options->no_chest_path };

  tables->strings = g_string_chunk_new (STRINGS_BLOCK_BYTES);
  return read_labels (&labels, watch, error)
         && (options->metadata_path == NULL || read_metadata (&metadata, watch, error))
         && (options->no_chest_path == NULL || read_no_chest (&no_chest, watch, error));
}

void
import_tables_clear (ImportTables *tables)
{
  g_clear_pointer (&tables->labels, g_hash_table_unref);
  g_clear_pointer (&tables->metadata, g_hash_table_unref);
  g_clear_pointer (&tables->no_chest, g_hash_table_unref);
  g_clear_pointer (&tables->strings, g_string_chunk_free);
}

#include "catalog/import_tables.h"

#include "base/text_file.h"
#include "catalog/cleaning.h"

#include <math.h>
#include <string.h>

#define STRINGS_BLOCK_BYTES (64 << 10)
#define BLOCK_VOLUMES 1024

/** While one of the tables is read. */
typedef struct
{
  ImportTables *tables;
  const char *path;
  ImportMetadata before; /* of the row before */
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
static const char *
keep_name (const TableReader *reader, const char *cell)
{
  g_autofree char *line = cleaning_is_one_line (cell) ? NULL : cleaning_one_line (cell);

  return g_string_chunk_insert_const (reader->tables->strings, line != NULL ? line : cell);
}

/* ---- volumes ---- */

static guint
hash_of_name (gconstpointer key)
{
  return g_str_hash (((const ImportVolume *) key)->name);
}

static gboolean
same_name (gconstpointer a, gconstpointer b)
{
  return strcmp (((const ImportVolume *) a)->name, ((const ImportVolume *) b)->name) == 0;
}

static ImportVolume *
volume_at (const ImportTables *tables, guint i)
{
  ImportVolume *block = g_ptr_array_index (tables->blocks, i / BLOCK_VOLUMES);

  return &block[i % BLOCK_VOLUMES];
}

static ImportVolume *
add_volume (ImportTables *tables, const char *name)
{
  ImportVolume *volume;

  if (tables->n % BLOCK_VOLUMES == 0)
    g_ptr_array_add (tables->blocks, g_new0 (ImportVolume, BLOCK_VOLUMES));
  volume = volume_at (tables, tables->n);
  volume->name = g_string_chunk_insert (tables->strings, name);
  volume->index = tables->n++;
  g_hash_table_add (tables->by_name, volume);
  return volume;
}

ImportVolume *
import_tables_volume (ImportTables *tables, const char *name)
{
  const ImportVolume named = { .name = name };
  ImportVolume *volume = tables->next < tables->n ? volume_at (tables, tables->next) : NULL;

  if (volume == NULL || strcmp (volume->name, name) != 0)
    volume = g_hash_table_lookup (tables->by_name, &named);
  if (volume == NULL)
    volume = add_volume (tables, name);
  tables->next = volume->index + 1;
  return volume;
}

/** The volume that a cell names. */
static ImportVolume *
take_volume (const TableReader *reader, const char *cell)
{
  g_autofree char *line = cleaning_is_one_line (cell) ? NULL : cleaning_one_line (cell);

  return import_tables_volume (reader->tables, line != NULL ? line : cell);
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
  ImportVolume *volume = take_volume (reader, row->cells[0]);
  guint32 labels;
  g_autofree char *fault = parse_labels (row, &labels);

  if (!volume->has_labels)
    volume->labels = labels;
  else if (fault == NULL && volume->labels != labels)
    fault = g_strdup ("contradicts an earlier row of this volume");
  if (fault != NULL && volume->labels_fault == NULL)
    volume->labels_fault = keep_place (reader, row->line, fault);
  volume->has_labels = TRUE;
  return TRUE;
}

static gboolean
read_labels (TableReader *reader, const CsvWatch *watch, GError **error)
{
  CsvColumn columns[1 + CATALOG_N_LABELS] = { { "VolumeName", TRUE } };

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    columns[1 + label] = (CsvColumn){ catalog_label_name (label), TRUE };
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

/** @before: (nullable) of the row before, which mostly is of the same scan */
static const char *
keep_text (const TableReader *reader, const char *cell, const char *before)
{
  if (before != NULL && strcmp (cell, before) == 0)
    return before;
  return cleaning_is_missing (cell) ? NULL : keep_name (reader, cell);
}

static gboolean
take_metadata (const CsvRow *row, gpointer user_data, GError **error)
{
  TableReader *reader = user_data;
  const ImportMetadata *before = &reader->before;
  const char *const *cells = row->cells;
  ImportVolume *volume = take_volume (reader, cells[COLUMN_VOLUME]);

  if (volume->has_metadata && volume->metadata.fault == NULL)
    return TRUE; /* the first good row counts */
  volume->has_metadata = TRUE;
  volume->metadata = (ImportMetadata){
    .fault = row->fault != NULL ? keep_place (reader, row->line, row->fault) : NULL,
    .sex = keep_text (reader, cells[COLUMN_SEX], before->sex),
    .manufacturer = keep_text (reader, cells[COLUMN_MANUFACTURER], before->manufacturer),
    .model = keep_text (reader, cells[COLUMN_MODEL], before->model),
    .study_date = keep_text (reader, cells[COLUMN_STUDY_DATE], before->study_date),
    .age_years = cleaning_age_years (cells[COLUMN_AGE]),
    .rows = cleaning_count (cells[COLUMN_ROWS]),
    .columns = cleaning_count (cells[COLUMN_COLUMNS]),
    .slices = cleaning_count (cells[COLUMN_SLICES]),
    .spacing_xy_mm = cleaning_spacing_mm (cells[COLUMN_SPACING_XY]),
    .spacing_z_mm = cleaning_spacing_mm (cells[COLUMN_SPACING_Z]),
    .slope = cleaning_number (cells[COLUMN_SLOPE]),
    .intercept = cleaning_number (cells[COLUMN_INTERCEPT]),
  };
  reader->before = volume->metadata;
  return TRUE;
}

static gboolean
read_metadata (TableReader *reader, const CsvWatch *watch, GError **error)
{
  reader->tables->next = 0;
  return csv_read (reader->path, metadata_columns, G_N_ELEMENTS (metadata_columns), take_metadata,
                   reader, watch, error);
}

/* ---- scans that are not of the chest ---- */

static gboolean
read_no_chest (TableReader *reader, const CsvWatch *watch, GError **error)
{
  g_autofree char *text = text_file_read (reader->path, "list of scans not of the chest", error);
  g_auto (GStrv) lines = NULL;

  if (text == NULL)
    return FALSE;
  lines = g_strsplit (g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*g_strstrip (lines[i]) != '\0')
      {
        g_autofree char *base = g_path_get_basename (lines[i]);
        g_autofree char *name = g_str_has_suffix (base, CLEANING_SUFFIX)
                                    ? g_steal_pointer (&base)
                                    : g_strconcat (base, CLEANING_SUFFIX, NULL);

        take_volume (reader, name)->no_chest = TRUE;
      }
  if (watch->progress != NULL)
    watch->progress (strlen (text), watch->user_data);
  return TRUE;
}

/* ---- all of them ---- */

gboolean
import_tables_read (ImportTables *tables, const CatalogImportOptions *options,
                    const CsvWatch *watch, GError **error)
{
  TableReader labels = { tables, options->labels_path, { NULL } };
  TableReader metadata = { tables, options->metadata_path, { NULL } };
  TableReader no_chest = { tables, options->no_chest_path, { NULL } };
  gboolean done;

  tables->blocks = g_ptr_array_new_with_free_func (g_free);
  tables->by_name = g_hash_table_new (hash_of_name, same_name);
  tables->strings = g_string_chunk_new (STRINGS_BLOCK_BYTES);
  done = read_labels (&labels, watch, error)
         && (options->metadata_path == NULL || read_metadata (&metadata, watch, error))
         && (options->no_chest_path == NULL || read_no_chest (&no_chest, watch, error));
  tables->next = 0;
  return done;
}

void
import_tables_clear (ImportTables *tables)
{
  g_clear_pointer (&tables->by_name, g_hash_table_unref);
  g_clear_pointer (&tables->blocks, g_ptr_array_unref);
  g_clear_pointer (&tables->strings, g_string_chunk_free);
}

/**
 * import_tables.h: what an import looks up by volume name: labels, metadata, scans not of the
 * chest.
 */
#pragma once

#include "catalog/csv_reader.h"
#include "catalog/import.h"

typedef struct
{
  const char *fault; /* (nullable) why nothing of it can be used, with file and line */
  const char *sex, *manufacturer, *model, *study_date;  /* %NULL where unknown */
  int age_years, rows, columns, slices;                 /* -1 where unknown */
  double spacing_xy_mm, spacing_z_mm, slope, intercept; /* NaN where unknown */
} ImportMetadata;

/** What is known of a volume. */
typedef struct
{
  const char *name;
  guint index; /* among the volumes */
  gboolean has_labels, has_metadata, no_chest;
  guint32 labels;           /* bit i is label i */
  const char *labels_fault; /* (nullable) why they can't be used, with file and line */
  ImportMetadata metadata;
  guint line; /* for the importer: of the row of the reports that has it; 0 while none does */
} ImportVolume;

typedef struct
{
  GPtrArray *blocks;     /* of ImportVolume, in the order in which the files name them */
  guint n;               /* volumes */
  GHashTable *by_name;   /* the same, for those that the files have in another order */
  guint next;            /* the volume behind the one that was found last */
  GStringChunk *strings; /* what the others point to */
} ImportTables;

gboolean import_tables_read (ImportTables *tables, const CatalogImportOptions *options,
                             const CsvWatch *watch, GError **error);
void import_tables_clear (ImportTables *tables);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImportTables, import_tables_clear)

/** import_tables_volume: the volume of that name, which is known from now on. */
ImportVolume *import_tables_volume (ImportTables *tables, const char *name);

/** import_place: "train_reports.csv, line 12: @fault". g_free it. */
char *import_place (const char *path, guint line, const char *fault);

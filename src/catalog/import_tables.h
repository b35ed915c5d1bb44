/**
 * import_tables.h: what an import looks up by volume name: labels, metadata, scans not of the
 * chest.
 */
#pragma once

#include "catalog/csv_reader.h"
#include "catalog/import.h"

typedef struct
{
  guint32 labels;    /* bit i is label i */
  const char *fault; /* (nullable) why they can't be used, with file and line */
} ImportLabels;

typedef struct
{
  const char *fault; /* (nullable) why nothing of it can be used, with file and line */
  const char *sex, *manufacturer, *model, *study_date;  /* %NULL where unknown */
  int age_years, rows, columns, slices;                 /* -1 where unknown */
  double spacing_xy_mm, spacing_z_mm, slope, intercept; /* NaN where unknown */
} ImportMetadata;

/** Keyed by volume name. */
typedef struct
{
  GHashTable *labels;    /* of ImportLabels */
  GHashTable *metadata;  /* of ImportMetadata; %NULL without a metadata file */
  GHashTable *no_chest;  /* a set; %NULL without a list */
  GStringChunk *strings; /* what the others point to */
} ImportTables;

gboolean import_tables_read (ImportTables *tables, const CatalogImportOptions *options,
                             const CsvWatch *watch, GError **error);
void import_tables_clear (ImportTables *tables);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImportTables, import_tables_clear)

/** import_place: "train_reports.csv, line 12: @fault". g_free it. */
char *import_place (const char *path, guint line, const char *fault);

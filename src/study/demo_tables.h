/**
 * demo_tables.h: the tables of a synthetic cohort, in CT-RATE's exact formats.
 */
#pragma once

#include "catalog/record.h"
#include "study/demo_report.h"
#include "study/demo_scan.h"

/** One row: a reconstruction of a scan. */
typedef struct
{
  char *volume;
  guint32 labels;
  gboolean labelled; /* stands in the label table */
  gboolean kept;     /* no cleaning rule drops it; only such rows have a file */
  gboolean no_chest; /* listed as not of the chest */
  DemoReport *report;
  DemoScan scan;
  const char *sex; /* "M", "F" or "" */
  int age_years;   /* -1: blank */
  char study_date[9];
} DemoRow;

void demo_row_free (DemoRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DemoRow, demo_row_free)

typedef enum
{
  DEMO_TABLE_REPORTS,
  DEMO_TABLE_LABELS,
  DEMO_TABLE_METADATA,
  DEMO_TABLE_NO_CHEST,
  DEMO_N_TABLES,
} DemoTable;

/** demo_table_name: the file's name as CT-RATE has it ("validation_reports.csv",
 * "valid_predicted_labels.csv"). */
const char *demo_table_name (CatalogSplit split, DemoTable table);

/**
 * demo_tables_write: the four tables of a split.
 *
 * @rows: (element-type DemoRow) in the reports' order
 *
 * The quirks of the published copies are there: the training reports begin with a byte order mark;
 * the validation metadata has CRLF line ends and no final newline; lists are quoted with commas
 * inside; many cells are blank.
 */
gboolean demo_tables_write (const char *directory, CatalogSplit split, GPtrArray *rows,
                            GError **error);

/**
 * import_reports.h: the rows of a reports file, read ahead by a thread of their own.
 */
#pragma once

#include "catalog/import.h"

typedef struct
{
  guint line;
  const char *fault;             /* (nullable) why the row can't be read */
  const char *name, *patient;    /* the latter is "" where the name can't be taken apart */
  gboolean first_reconstruction; /* of its scan */
  gboolean lacks_text;           /* as the import's rule has it */
  /* Clinical information, technique, findings and impression, each with its NUL, those that are
   * missing empty; %NULL where the row before has the same. */
  const char *report;
  gsize report_size; /* 0 where all four are missing */
  gint64 report_id;  /* for the importer: under which it has stored that; 0 where nothing is */
} ImportReportRow;

typedef struct
{
  GArray *rows; /* of ImportReportRow */
  GStringChunk *names, *reports;
  guint64 bytes; /* of the file that were read by then */
} ImportReportBatch;

void import_report_batch_free (ImportReportBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImportReportBatch, import_report_batch_free)

typedef struct _ImportReports ImportReports;

/** import_reports_start: begin to read; @options must outlive it. */
ImportReports *import_reports_start (const CatalogImportOptions *options);
/** import_reports_free: the thread is told to stop and waited for. */
void import_reports_free (ImportReports *reports);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImportReports, import_reports_free)

/** import_reports_next: wait for the next rows. %NULL at the end, with @error where it came early.
 */
ImportReportBatch *import_reports_next (ImportReports *reports, GError **error);

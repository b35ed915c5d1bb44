#include "catalog/import_reports.h"

#include "catalog/cleaning.h"
#include "catalog/csv_reader.h"

#include <pthread.h>
#include <string.h>

/* So many batches are read ahead, of a quarter of a megabyte each. */
#define READ_AHEAD 16

#define NAMES_BLOCK_BYTES (16 << 10)
#define REPORTS_BLOCK_BYTES (256 << 10)

enum
{
  COLUMN_VOLUME,
  COLUMN_CLINICAL,
  COLUMN_TECHNIQUE,
  COLUMN_FINDINGS,
  COLUMN_IMPRESSION,
};

#define N_TEXTS (1 + COLUMN_IMPRESSION - COLUMN_CLINICAL)

static const CsvColumn columns[] = {
  [COLUMN_VOLUME] = { "VolumeName", TRUE },
  [COLUMN_CLINICAL] = { "ClinicalInformation_EN", TRUE },
  [COLUMN_TECHNIQUE] = { "Technique_EN", TRUE },
  [COLUMN_FINDINGS] = { "Findings_EN", TRUE },
  [COLUMN_IMPRESSION] = { "Impressions_EN", TRUE },
};

/** POSIX primitives, since ThreadSanitizer does not see GLib's. */
struct _ImportReports
{
  const CatalogImportOptions *options;
  GCancellable *stop; /* nobody wants more */
  GThread *thread;

  /* the thread's own */
  ImportReportBatch *batch; /* that is being filled */
  guint64 bytes;
  GString *report; /* of the row before */

  pthread_mutex_t mutex; /* guards all that follows */
  pthread_cond_t changed;
  GQueue ready;   /* of ImportReportBatch */
  gboolean waits; /* the thread, while READ_AHEAD are; not where there is none */
  gboolean ended;
  GError *error;
};

void
import_report_batch_free (ImportReportBatch *batch)
{
  g_array_unref (batch->rows);
  g_string_chunk_free (batch->names);
  g_clear_pointer (&batch->reports, g_string_chunk_free);
  g_free (batch);
}

static ImportReportBatch *
batch_new (void)
{
  ImportReportBatch *batch = g_new0 (ImportReportBatch, 1);

  batch->rows = g_array_new (FALSE, FALSE, sizeof (ImportReportRow));
  batch->names = g_string_chunk_new (NAMES_BLOCK_BYTES);
  batch->reports = g_string_chunk_new (REPORTS_BLOCK_BYTES);
  return batch;
}

/* ---- the thread ---- */

/** The row's texts as ImportReportRow has them, those that are missing empty. */
static void
find_texts (const CsvRow *csv, const char *texts[N_TEXTS])
{
  for (int i = 0; i < N_TEXTS; i++)
    {
      const char *cell = csv->cells[COLUMN_CLINICAL + i];

      texts[i] = csv->fault != NULL || cleaning_is_missing (cell) ? "" : cell;
    }
}

static gboolean
are_texts_of (const char *const texts[N_TEXTS], const char *report)
{
  for (int i = 0; i < N_TEXTS; i++)
    {
      if (strcmp (texts[i], report) != 0)
        return FALSE;
      report += strlen (report) + 1;
    }
  return TRUE;
}

/** Reconstructions of a scan follow each other and have the same report: it is kept once. */
static void
take_report (ImportReports *reports, const char *const texts[N_TEXTS], ImportReportRow *row)
{
  GString *report = reports->report;

  if (are_texts_of (texts, report->str))
    return;
  g_string_truncate (report, 0);
  for (int i = 0; i < N_TEXTS; i++)
    g_string_append_len (report, texts[i], (gssize) strlen (texts[i]) + 1);
  row->report_size = report->len > N_TEXTS ? report->len : 0;
  row->report =
      g_string_chunk_insert_len (reports->batch->reports, report->str, (gssize) report->len);
}

static gboolean
lacks_text (const ImportReports *reports, const char *const texts[N_TEXTS])
{
  gboolean no_findings = *texts[COLUMN_FINDINGS - COLUMN_CLINICAL] == '\0';
  gboolean no_impression = *texts[COLUMN_IMPRESSION - COLUMN_CLINICAL] == '\0';

  return reports->options->require_both ? no_findings || no_impression
                                        : no_findings && no_impression;
}

static gboolean
take_row (const CsvRow *csv, gpointer user_data, GError **error)
{
  ImportReports *reports = user_data;
  GStringChunk *names = reports->batch->names;
  const char *cell = csv->cells[COLUMN_VOLUME], *texts[N_TEXTS];
  g_autofree char *line = cleaning_is_one_line (cell) ? NULL : cleaning_one_line (cell);
  ImportReportRow row = { .line = csv->line };
  gsize patient_length = 0;

  find_texts (csv, texts);
  row.lacks_text = lacks_text (reports, texts);
  row.fault = csv->fault != NULL ? g_string_chunk_insert (names, csv->fault) : NULL;
  row.name = g_string_chunk_insert (names, line != NULL ? line : cell);
  cleaning_parse_name (row.name, &patient_length, &row.first_reconstruction);
  row.patient = g_string_chunk_insert_len (names, row.name, (gssize) patient_length);
  take_report (reports, texts, &row);
  g_array_append_val (reports->batch->rows, row);
  return TRUE;
}

/** Give the batch away and begin another, once somebody has use for it. */
static void
hand_over (ImportReports *reports)
{
  reports->batch->bytes = reports->bytes;
  pthread_mutex_lock (&reports->mutex);
  while (reports->waits && reports->ready.length >= READ_AHEAD)
    pthread_cond_wait (&reports->changed, &reports->mutex);
  g_queue_push_tail (&reports->ready, reports->batch);
  pthread_cond_signal (&reports->changed);
  pthread_mutex_unlock (&reports->mutex);
  reports->batch = batch_new ();
}

/** After each buffer of the file. */
static void
count_bytes (gsize bytes, gpointer user_data)
{
  ImportReports *reports = user_data;

  reports->bytes += bytes;
  hand_over (reports);
}

static gpointer
read_reports (gpointer data)
{
  ImportReports *reports = data;
  const CsvWatch watch = { count_bytes, reports, reports->stop };
  GError *error = NULL;

  csv_read (reports->options->reports_path, columns, G_N_ELEMENTS (columns), take_row, reports,
            &watch, &error);
  hand_over (reports);
  pthread_mutex_lock (&reports->mutex);
  reports->ended = TRUE;
  reports->error = error;
  pthread_cond_signal (&reports->changed);
  pthread_mutex_unlock (&reports->mutex);
  return NULL;
}

/* ---- the caller's side ---- */

ImportReports *
import_reports_start (const CatalogImportOptions *options)
{
  ImportReports *reports = g_new0 (ImportReports, 1);

  reports->options = options;
  reports->stop = g_cancellable_new ();
  reports->batch = batch_new ();
  reports->report = g_string_new_len ("\0\0\0", N_TEXTS); /* four that are missing */
  pthread_mutex_init (&reports->mutex, NULL);
  pthread_cond_init (&reports->changed, NULL);
  reports->waits = TRUE;
  reports->thread = g_thread_try_new ("reports", read_reports, reports, NULL);
  if (reports->thread == NULL)
    {
      reports->waits = FALSE;
      read_reports (reports); /* refused: then all at once, before the first is taken */
    }
  return reports;
}

void
import_reports_free (ImportReports *reports)
{
  g_cancellable_cancel (reports->stop);
  pthread_mutex_lock (&reports->mutex);
  reports->waits = FALSE;
  pthread_cond_signal (&reports->changed);
  pthread_mutex_unlock (&reports->mutex);
  if (reports->thread != NULL)
    g_thread_join (reports->thread);
  g_queue_clear_full (&reports->ready, (GDestroyNotify) import_report_batch_free);
  import_report_batch_free (reports->batch);
  g_string_free (reports->report, TRUE);
  g_clear_error (&reports->error);
  pthread_mutex_destroy (&reports->mutex);
  pthread_cond_destroy (&reports->changed);
  g_object_unref (reports->stop);
  g_free (reports);
}

ImportReportBatch *
import_reports_next (ImportReports *reports, GError **error)
{
  ImportReportBatch *batch;

  pthread_mutex_lock (&reports->mutex);
  while (reports->ready.length == 0 && !reports->ended)
    pthread_cond_wait (&reports->changed, &reports->mutex);
  batch = g_queue_pop_head (&reports->ready);
  pthread_cond_signal (&reports->changed);
  if (batch == NULL && reports->error != NULL)
    g_propagate_error (error, g_steal_pointer (&reports->error));
  pthread_mutex_unlock (&reports->mutex);
  return batch;
}

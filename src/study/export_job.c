#include "study/export_job.h"

#include "base/error.h"
#include "base/npy.h"
#include "base/output_file.h"
#include "catalog/latents.h"
#include "catalog/query.h"
#include "catalog/runs.h"
#include "catalog/text_index.h"
#include "report/csv.h"
#include "report/json.h"
#include "study/encoding.h"
#include "study/export_checkpoint.h"
#include "study/export_comparison.h"
#include "study/export_plots.h"

#include <math.h>
#include <string.h>

static const char *const names[EXPORT_N] = {
  [EXPORT_RECORDS] = "records",
  [EXPORT_SAMPLE] = "sample",
  [EXPORT_LATENTS] = "latents",
  [EXPORT_METRICS] = "metrics",
  [EXPORT_PREDICTIONS] = "predictions",
  [EXPORT_HEAD] = "head",
  [EXPORT_CHECKPOINT] = "checkpoint",
  [EXPORT_PLOTS] = "plots",
  [EXPORT_ROC] = "roc",
  [EXPORT_HISTOGRAM] = "histogram",
  [EXPORT_COMPARISON] = "comparison",
};

gboolean
export_what_parse (const char *text, ExportWhat *what, GError **error)
{
  for (guint i = 0; i < EXPORT_N; i++)
    if (strcmp (names[i], text) == 0)
      {
        *what = (ExportWhat) i;
        return TRUE;
      }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "%s: cannot be exported; give records, sample, latents, metrics, predictions, head, "
               "checkpoint, plots, roc, histogram or comparison",
               text);
  return FALSE;
}

static gboolean
wants_json (const StudyExport *study)
{
  return g_str_has_suffix (study->out_path, ".json");
}

/** Write a document as the whole file. */
static gboolean
write_json (const StudyExport *study, json_t *document /* transfer full */, GError **error)
{
  g_autofree char *text = report_json_text (document);
  g_autoptr (OutputFile) file = output_file_open (study->out_path, study->replace, error);

  return file != NULL && output_file_write (file, text, strlen (text), error)
         && output_file_write (file, "\n", 1, error) && output_file_commit (file, error);
}

/* ---- records and samples ---- */

static void
record_header (ReportCsv *csv)
{
  static const char *const columns[] = { "VolumeName",    "patient",     "split",        "reason",
                                         "sex",           "age_years",   "manufacturer", "model",
                                         "study_date",    "rows",        "columns",      "slices",
                                         "spacing_xy_mm", "spacing_z_mm" };

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    report_csv_text (csv, columns[i]);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    report_csv_text (csv, catalog_label_name (label));
  report_csv_end_row (csv);
}

static void
known_integer (ReportCsv *csv, int number)
{
  if (number < 0)
    report_csv_text (csv, NULL);
  else
    report_csv_integer (csv, number);
}

static void
record_row (ReportCsv *csv, const CatalogRecord *record)
{
  report_csv_text (csv, record->volume);
  report_csv_text (csv, record->patient);
  report_csv_text (csv, catalog_split_name (record->split));
  report_csv_text (csv, catalog_reason_name (record->reason));
  report_csv_text (csv, record->sex);
  known_integer (csv, record->age_years);
  report_csv_text (csv, record->manufacturer);
  report_csv_text (csv, record->model);
  report_csv_text (csv, record->study_date);
  known_integer (csv, record->rows);
  known_integer (csv, record->columns);
  known_integer (csv, record->slices);
  report_csv_number (csv, record->spacing_xy_mm);
  report_csv_number (csv, record->spacing_z_mm);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    if (record->has_labels)
      report_csv_integer (csv, record->labels >> label & 1);
    else
      report_csv_text (csv, NULL);
  report_csv_end_row (csv);
}

static gboolean
export_records (StudyExport *study, CatalogStore *store, GCancellable *cancellable, GError **error)
{
  g_autoptr (CatalogQuery) query = catalog_query_parse (study->query, error);
  /* Words of reports that wait to be indexed must not be missed. */
  gboolean indexed = query != NULL
                     && ((!catalog_query_reads_reports (query) && study->list.search == NULL)
                         || catalog_text_index_finish (store, NULL, NULL, cancellable, error));
  g_autoptr (GPtrArray) records =
      indexed ? catalog_records_list (store, query, &study->list, error) : NULL;
  g_autoptr (OutputFile) file =
      records != NULL ? output_file_open (study->out_path, study->replace, error) : NULL;
  ReportCsv csv = { .file = file };

  if (file == NULL)
    return FALSE;
  record_header (&csv);
  for (guint i = 0; i < records->len; i++)
    record_row (&csv, g_ptr_array_index (records, i));
  study->written = records->len;
  return output_file_commit (file, error);
}

/** The named sample, or the only one. */
static char *
choose_sample (const StudyExport *study, CatalogStore *store, GError **error)
{
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (CatalogSample) sample = NULL;

  if (study->sample != NULL)
    {
      sample = catalog_sample_find (store, study->sample, error);
      return sample != NULL ? g_strdup (sample->name) : NULL;
    }
  samples = catalog_samples_list (store, error);
  if (samples == NULL)
    return NULL;
  if (samples->len == 1)
    return g_strdup (((CatalogSample *) g_ptr_array_index (samples, 0))->name);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "there are %u samples; name one with --sample", samples->len);
  return NULL;
}

static gboolean
export_sample (StudyExport *study, CatalogStore *store, GError **error)
{
  g_autofree char *name = choose_sample (study, store, error);
  g_autoptr (CatalogMembers) members =
      name != NULL ? catalog_sample_members (store, name, error) : NULL;
  g_autoptr (OutputFile) file =
      members != NULL ? output_file_open (study->out_path, study->replace, error) : NULL;
  ReportCsv csv = { .file = file };

  if (file == NULL)
    return FALSE;
  report_csv_text (&csv, "VolumeName");
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    report_csv_text (&csv, catalog_label_name (label));
  report_csv_end_row (&csv);
  for (gsize i = 0; i < members->n; i++)
    {
      report_csv_text (&csv, members->volumes[i]);
      for (guint label = 0; label < CATALOG_N_LABELS; label++)
        report_csv_integer (&csv, members->labels[i] >> label & 1);
      report_csv_end_row (&csv);
    }
  study->written = members->n;
  return output_file_commit (file, error);
}

/* ---- latents ---- */

/** The names go beside the array, "L.npy" and "L.txt"; one a line, not there until it is committed.
 */
static OutputFile *
write_names (const StudyExport *study, char **volumes, GError **error)
{
  g_autofree char *stem = g_str_has_suffix (study->out_path, ".npy")
                              ? g_strndup (study->out_path, strlen (study->out_path) - 4)
                              : g_strdup (study->out_path);
  g_autofree char *path = g_strconcat (stem, ".txt", NULL);
  g_autoptr (OutputFile) file = output_file_open (path, study->replace, error);

  for (guint i = 0; file != NULL && volumes[i] != NULL; i++)
    fprintf (output_file_stream (file), "%s\n", volumes[i]);
  return g_steal_pointer (&file);
}

/** Another program may have taken one away since the names were read. */
static gboolean
check_present (char **volumes, const guint8 *present, GError **error)
{
  for (guint i = 0; volumes[i] != NULL; i++)
    if (!present[i])
      {
        g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                     "%s: its latent is not there any more; encode it again, then export",
                     volumes[i]);
        return FALSE;
      }
  return TRUE;
}

static gboolean
export_latents (StudyExport *study, CatalogStore *store, GError **error)
{
  g_autoptr (CatalogEncoder) encoder = catalog_encoder_find (store, study->encoder_name, error);
  g_auto (GStrv) volumes =
      encoder != NULL ? catalog_latent_volumes (store, encoder->id, error) : NULL;
  gsize n = volumes != NULL ? g_strv_length (volumes) : 0;
  const gsize shape[] = { n, encoder != NULL ? encoder->width : 0 };
  g_autoptr (NpyArray) array =
      volumes != NULL ? npy_array_new (NPY_FLOAT32, 2, shape, error) : NULL;
  g_autofree guint8 *present = g_malloc0 (MAX (n, 1));
  g_autoptr (OutputFile) array_file = NULL, names_file = NULL;

  study->written = n;
  return array != NULL && (names_file = write_names (study, volumes, error)) != NULL
         && catalog_latents_load (store, encoder->id, (const char *const *) volumes, n,
                                  encoder->width, array->data, present, error)
         && check_present (volumes, present, error)
         && (array_file = npy_begin (study->out_path, study->replace, NPY_FLOAT32, 2, shape,
                                     array->data, error))
                != NULL
         && output_file_commit_pair (array_file, names_file, error);
}

/* ---- runs ---- */

static gboolean
check_epochs (const CatalogRun *run, char **epochs, GError **error)
{
  for (guint i = 0; epochs[i] != NULL; i++)
    {
      guint epoch;
      double loss;
      g_autoptr (MetricsTable) table = report_json_parse_epoch (epochs[i], &epoch, &loss);

      if (table != NULL)
        continue;
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: the metrics of epoch %u can't be read; train it again", run->name, i + 1);
      return FALSE;
    }
  return TRUE;
}

static json_t *
epochs_json (char **epochs)
{
  json_t *array = json_array ();

  for (guint i = 0; epochs[i] != NULL; i++)
    json_array_append_new (array, json_loads (epochs[i], 0, NULL));
  return array;
}

static void
metrics_row (ReportCsv *csv, guint epoch, double loss, const char *name, const MetricsClass *class)
{
  report_csv_integer (csv, epoch);
  report_csv_number (csv, loss);
  report_csv_text (csv, name);
  report_csv_number (csv, class->auroc.value);
  report_csv_number (csv, class->auroc.low);
  report_csv_number (csv, class->auroc.high);
  report_csv_number (csv, class->sensitivity);
  report_csv_number (csv, class->specificity);
  report_csv_number (csv, class->accuracy);
  report_csv_number (csv, class->average_precision);
  report_csv_number (csv, class->f1);
  report_csv_number (csv, class->brier);
  report_csv_number (csv, class->threshold);
  report_csv_integer (csv, class->positives);
  report_csv_integer (csv, class->negatives);
  report_csv_end_row (csv);
}

/** The macro row in the same columns. */
static MetricsClass
macro_of (const MetricsTable *table)
{
  return (MetricsClass){ .auroc = table->macro_auroc,
                         .sensitivity = table->macro_sensitivity,
                         .specificity = table->macro_specificity,
                         .accuracy = table->accuracy,
                         .average_precision = table->macro_average_precision,
                         .f1 = table->macro_f1,
                         .brier = table->macro_brier,
                         .threshold = NAN };
}

static gboolean
export_metrics (StudyExport *study, CatalogStore *store, GError **error)
{
  static const char *const columns[] = {
    "epoch",      "train_loss",  "finding",     "auroc",     "auroc_low",
    "auroc_high", "sensitivity", "specificity", "accuracy",  "average_precision",
    "f1",         "brier",       "threshold",   "positives", "negatives"
  };
  g_autoptr (CatalogRun) run = catalog_run_find (store, study->run, error);
  g_auto (GStrv) epochs = run != NULL ? catalog_run_epochs (store, run->id, error) : NULL;
  g_autoptr (OutputFile) file = NULL;
  ReportCsv csv = { 0 };

  if (epochs == NULL || !check_epochs (run, epochs, error))
    return FALSE;
  study->written = g_strv_length (epochs);
  if (wants_json (study))
    return write_json (
        study, json_pack ("{s:s, s:o}", "run", run->name, "epochs", epochs_json (epochs)), error);
  csv.file = file = output_file_open (study->out_path, study->replace, error);
  if (file == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    report_csv_text (&csv, columns[i]);
  report_csv_end_row (&csv);
  for (guint i = 0; epochs[i] != NULL; i++)
    {
      guint epoch;
      double loss;
      g_autoptr (MetricsTable) table = report_json_parse_epoch (epochs[i], &epoch, &loss);
      MetricsClass macro;

      for (guint label = 0; label < table->n_classes; label++)
        metrics_row (&csv, epoch, loss, catalog_label_name (label), &table->classes[label]);
      macro = macro_of (table);
      metrics_row (&csv, epoch, loss, "macro", &macro);
    }
  return output_file_commit (file, error);
}

static double
probability (const CatalogPredictions *predictions, gsize row, guint label)
{
  return metrics_probability (predictions->logits[row * predictions->n_classes + label]);
}

static json_t *
predictions_json (const CatalogRun *run, const CatalogPredictions *predictions)
{
  json_t *array = json_array ();

  for (gsize i = 0; i < predictions->n; i++)
    {
      json_t *labels = json_object (), *probabilities = json_object ();

      for (guint label = 0; label < predictions->n_classes; label++)
        {
          json_object_set_new (labels, catalog_label_name (label),
                               json_integer (predictions->labels[i] >> label & 1));
          json_object_set_new (probabilities, catalog_label_name (label),
                               json_real (probability (predictions, i, label)));
        }
      json_array_append_new (array, json_pack ("{s:s, s:o, s:o}", "volume", predictions->volumes[i],
                                               "labels", labels, "probabilities", probabilities));
    }
  return json_pack ("{s:s, s:o}", "run", run->name, "predictions", array);
}

static gboolean
export_predictions (StudyExport *study, CatalogStore *store, GError **error)
{
  g_autoptr (CatalogRun) run = catalog_run_find (store, study->run, error);
  g_autoptr (CatalogPredictions) predictions =
      run != NULL ? catalog_run_predictions (store, run->id, error) : NULL;
  g_autoptr (OutputFile) file = NULL;
  ReportCsv csv = { 0 };

  if (predictions == NULL)
    return FALSE;
  study->written = predictions->n;
  if (wants_json (study))
    return write_json (study, predictions_json (run, predictions), error);
  csv.file = file = output_file_open (study->out_path, study->replace, error);
  if (file == NULL)
    return FALSE;
  report_csv_text (&csv, "VolumeName");
  for (guint label = 0; label < predictions->n_classes; label++)
    report_csv_text (&csv, catalog_label_name (label));
  for (guint label = 0; label < predictions->n_classes; label++)
    {
      g_autofree char *column = g_strconcat ("p ", catalog_label_name (label), NULL);

      report_csv_text (&csv, column);
    }
  report_csv_end_row (&csv);
  for (gsize i = 0; i < predictions->n; i++)
    {
      report_csv_text (&csv, predictions->volumes[i]);
      for (guint label = 0; label < predictions->n_classes; label++)
        report_csv_integer (&csv, predictions->labels[i] >> label & 1);
      for (guint label = 0; label < predictions->n_classes; label++)
        report_csv_number (&csv, probability (predictions, i, label));
      report_csv_end_row (&csv);
    }
  return output_file_commit (file, error);
}

static gboolean
export_head (StudyExport *study, CatalogStore *store, GError **error)
{
  g_autoptr (CatalogRun) run = catalog_run_find (store, study->run, error);
  g_autoptr (GBytes) bytes = run != NULL ? catalog_run_head (store, run->id, error) : NULL;
  g_autoptr (Head) head = bytes != NULL ? head_from_bytes (bytes, error) : NULL;

  study->written = head != NULL ? head->n_tensors : 0;
  return head != NULL && head_save (head, study->out_path, study->replace, run->parameters, error);
}

/** The engine that can tell the weights' hash anywhere: the processor's has no bfloat16. */
static const char *
form_of (const CatalogEncoder *encoder)
{
  g_autoptr (EncoderDescription) description =
      encoder_description_parse (encoder->description, encoder->name, NULL);

  return description != NULL && description->precision == ENCODER_BF16 ? "torch" : "cpu";
}

static gboolean
export_checkpoint (StudyExport *study, CatalogStore *store, Job *job, GError **error)
{
  g_autoptr (CatalogRun) run = catalog_run_find (store, study->run, error);
  g_autoptr (GBytes) bytes = run != NULL ? catalog_run_head (store, run->id, error) : NULL;
  g_autoptr (Head) head = bytes != NULL ? head_from_bytes (bytes, error) : NULL;
  g_autoptr (CatalogEncoder) encoder =
      head != NULL ? catalog_encoder_find (store, run->encoder, error) : NULL;
  g_autoptr (Encoding) encoding = NULL;

  if (encoder == NULL)
    return FALSE;
  if (*encoder->checkpoint_path == '\0')
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s: the latents of its encoder %s were imported, so there are no weights "
                   "to write; export the head",
                   run->name, encoder->name);
      return FALSE;
    }
  /* A head is worth nothing behind other weights than those that it was fitted to. */
  encoding = encoding_open_kept (encoder, form_of (encoder), 0, error);
  if (encoding == NULL)
    return FALSE;
  g_clear_pointer (&encoding, encoding_free);
  return study_export_checkpoint (job, encoder->checkpoint_path, head, study->out_path,
                                  study->replace, &study->written, error);
}

static gboolean
export_comparison (StudyExport *study, CatalogStore *store, GError **error)
{
  g_autoptr (GPtrArray) runs = g_ptr_array_new ();

  g_ptr_array_add (runs, (gpointer) study->run);
  for (guint i = 0; study->with_runs != NULL && study->with_runs[i] != NULL; i++)
    g_ptr_array_add (runs, (gpointer) study->with_runs[i]);
  g_ptr_array_add (runs, NULL);
  return study_export_comparison (store, (const char *const *) runs->pdata, study->out_path,
                                  study->replace, &study->written, error);
}

gboolean
study_export (Job *job, gpointer data, GError **error)
{
  StudyExport *study = data;
  g_autoptr (CatalogStore) store = workspace_store (study->workspace, error);

  if (store == NULL)
    return FALSE;
  job_stage (job, "exporting", "", 0);
  switch (study->what)
    {
    case EXPORT_RECORDS:
      return export_records (study, store, job_cancellable (job), error);
    case EXPORT_SAMPLE:
      return export_sample (study, store, error);
    case EXPORT_LATENTS:
      return export_latents (study, store, error);
    case EXPORT_METRICS:
      return export_metrics (study, store, error);
    case EXPORT_PREDICTIONS:
      return export_predictions (study, store, error);
    case EXPORT_HEAD:
      return export_head (study, store, error);
    case EXPORT_CHECKPOINT:
      return export_checkpoint (study, store, job, error);
    case EXPORT_PLOTS:
      return study_export_plots (store, study->run, study->out_path, study->replace,
                                 &study->written, error);
    case EXPORT_ROC:
      return study_export_roc (store, study->run, study->class_name, study->out_path,
                               study->replace, &study->written, error);
    case EXPORT_HISTOGRAM:
      return study_export_histogram (store, study->run, study->class_name, study->out_path,
                                     study->replace, &study->written, error);
    case EXPORT_COMPARISON:
      return export_comparison (study, store, error);
    case EXPORT_N:
      break;
    }
  g_return_val_if_reached (FALSE);
}

#include "study/export_plots.h"

#include "base/error.h"
#include "base/output_file.h"
#include "catalog/labels.h"
#include "report/json.h"
#include "report/plots.h"
#include "report/text_table.h"
#include "study/compare.h"

#include <errno.h>

/* ---- what the store has of a run ---- */

/** The validation scores, class by class, as a plot wants them. */
typedef struct
{
  CatalogRun *run;
  char *subtitle;
  double *logits; /* CATALOG_N_LABELS × n */
  guint8 *labels; /* CATALOG_N_LABELS × n */
  gsize n;
  ReportScores classes[CATALOG_N_LABELS];
} RunScores;

static void
run_scores_free (RunScores *scores)
{
  g_clear_pointer (&scores->run, catalog_run_free);
  g_free (scores->subtitle);
  g_free (scores->logits);
  g_free (scores->labels);
  g_free (scores);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RunScores, run_scores_free)

static RunScores *
load_scores (CatalogStore *store, const char *name, GError **error)
{
  g_autoptr (RunScores) scores = g_new0 (RunScores, 1);
  g_autoptr (CatalogPredictions) predictions = NULL;
  g_autofree double *thresholds = NULL;
  g_autofree char *count = NULL;
  guint n_thresholds = 0;

  scores->run = catalog_run_find (store, name, error);
  if (scores->run == NULL
      || (predictions = catalog_run_predictions (store, scores->run->id, error)) == NULL
      || (thresholds = catalog_run_thresholds (store, scores->run->id, &n_thresholds, error))
             == NULL)
    return NULL;
  if (predictions->n_classes != CATALOG_N_LABELS || n_thresholds != CATALOG_N_LABELS)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: its predictions have %u classes, not %u; train it again", scores->run->name,
                   predictions->n_classes, CATALOG_N_LABELS);
      return NULL;
    }
  scores->n = predictions->n;
  scores->logits = g_new (double, MAX (scores->n * CATALOG_N_LABELS, 1));
  scores->labels = g_new (guint8, MAX (scores->n * CATALOG_N_LABELS, 1));
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      double *logits = scores->logits + label * scores->n;
      guint8 *labels = scores->labels + label * scores->n;

      for (gsize i = 0; i < scores->n; i++)
        {
          logits[i] = predictions->logits[i * CATALOG_N_LABELS + label];
          labels[i] = predictions->labels[i] >> label & 1;
        }
      scores->classes[label] = (ReportScores){ catalog_label_name (label), logits, labels,
                                               scores->n, thresholds[label] };
    }
  count = report_count (scores->n);
  scores->subtitle = g_strdup_printf ("%s, %s validation scans", scores->run->name, count);
  return g_steal_pointer (&scores);
}

/** Every epoch's loss and macro row, and the kept epoch's whole table. */
typedef struct
{
  GArray *epochs; /* (element-type ReportEpoch) */
  MetricsTable *kept;
} RunEpochs;

static void
run_epochs_clear (RunEpochs *epochs)
{
  g_clear_pointer (&epochs->epochs, g_array_unref);
  g_clear_pointer (&epochs->kept, metrics_table_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RunEpochs, run_epochs_clear)

static gboolean
load_epochs (CatalogStore *store, const CatalogRun *run, RunEpochs *epochs, GError **error)
{
  g_auto (GStrv) texts = catalog_run_epochs (store, run->id, error);
  gboolean whole = TRUE;

  epochs->epochs = g_array_new (FALSE, FALSE, sizeof (ReportEpoch));
  if (texts == NULL)
    return FALSE;
  for (guint i = 0; texts[i] != NULL; i++)
    {
      ReportEpoch epoch;
      g_autoptr (MetricsTable) table =
          report_json_parse_epoch (texts[i], &epoch.epoch, &epoch.train_loss);

      whole &= table != NULL;
      if (!whole)
        break;
      epoch.macro_auroc = table->macro_auroc;
      g_array_append_val (epochs->epochs, epoch);
      if ((int) epoch.epoch == run->kept_epoch && epochs->kept == NULL)
        epochs->kept = g_steal_pointer (&table);
    }
  if (whole && epochs->kept != NULL && epochs->kept->n_classes == CATALOG_N_LABELS)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: the metrics of its epochs can't be read; train it again", run->name);
  return FALSE;
}

/* ---- all of a run ---- */

enum
{
  PLOT_ROC,
  PLOT_HISTOGRAMS,
  PLOT_AUROC,
  PLOT_LOSSES,
  N_PLOTS,
};

static const char *const plot_names[N_PLOTS] = { "roc.png", "histograms.png", "auroc.png",
                                                 "losses.png" };

/** The directory, and that none of the files is in the way: whoever is refused one gets none. */
static gboolean
prepare_directory (const char *directory, char **paths, gboolean replace, GError **error)
{
  if (g_mkdir_with_parents (directory, 0777) != 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: the directory can't be made: %s",
                   directory, g_strerror (errno));
      return FALSE;
    }
  for (guint i = 0; i < N_PLOTS; i++)
    {
      paths[i] = g_build_filename (directory, plot_names[i], NULL);
      if (!output_file_check (paths[i], replace, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_plots (const RunScores *scores, const RunEpochs *epochs, char **paths, gboolean replace,
             GError **error)
{
  const char *names[CATALOG_N_LABELS];

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    names[label] = catalog_label_name (label);
  return report_plot_roc_page (scores->classes, CATALOG_N_LABELS, scores->subtitle, paths[PLOT_ROC],
                               replace, error)
         && report_plot_histogram_page (scores->classes, CATALOG_N_LABELS, scores->subtitle,
                                        paths[PLOT_HISTOGRAMS], replace, error)
         && report_plot_auroc (epochs->kept, names, scores->subtitle, paths[PLOT_AUROC], replace,
                               error)
         && report_plot_epochs ((const ReportEpoch *) epochs->epochs->data, epochs->epochs->len,
                                scores->run->kept_epoch, scores->subtitle, paths[PLOT_LOSSES],
                                replace, error);
}

gboolean
study_export_plots (CatalogStore *store, const char *run, const char *directory, gboolean replace,
                    guint64 *written, GError **error)
{
  g_autoptr (RunScores) scores = load_scores (store, run, error);
  g_auto (RunEpochs) epochs = { 0 };
  g_auto (GStrv) paths = g_new0 (char *, N_PLOTS + 1);

  if (scores == NULL || !load_epochs (store, scores->run, &epochs, error)
      || !prepare_directory (directory, paths, replace, error))
    return FALSE;
  *written = N_PLOTS;
  return write_plots (scores, &epochs, paths, replace, error);
}

/* ---- one class ---- */

typedef gboolean (*PlotScores) (const ReportScores *scores, const char *subtitle, const char *path,
                                gboolean replace, GError **error);

static gboolean
export_class (CatalogStore *store, const char *run, const char *class_name, PlotScores plot,
              const char *path, gboolean replace, guint64 *written, GError **error)
{
  g_autoptr (RunScores) scores = NULL;
  int label = class_name != NULL ? catalog_label_find (class_name) : -1;

  if (label < 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s%sgive --class one of the %u findings, for example \"%s\"",
                   class_name != NULL ? class_name : "", class_name != NULL ? ": no finding; " : "",
                   CATALOG_N_LABELS, catalog_label_name (0));
      return FALSE;
    }
  scores = load_scores (store, run, error);
  if (scores == NULL)
    return FALSE;
  *written = scores->n;
  return plot (&scores->classes[label], scores->subtitle, path, replace, error);
}

gboolean
study_export_roc (CatalogStore *store, const char *run, const char *class_name, const char *path,
                  gboolean replace, guint64 *written, GError **error)
{
  return export_class (store, run, class_name, report_plot_roc, path, replace, written, error);
}

gboolean
study_export_histogram (CatalogStore *store, const char *run, const char *class_name,
                        const char *path, gboolean replace, guint64 *written, GError **error)
{
  return export_class (store, run, class_name, report_plot_histogram, path, replace, written,
                       error);
}

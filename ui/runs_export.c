/* A run, or the comparison of several, as files. */
#include "runs_private.h"

#include "base/output_file.h"
#include "report/json.h"
#include "report/tables.h"
#include "study/export_job.h"

#include <string.h>

typedef struct
{
  const char *label;  /* in the list to choose from */
  const char *suffix; /* of the file that is proposed */
  gboolean is_text;   /* a table as the terminal shows it; else what study_export() writes */
  ExportWhat what;
} Format;

static const Format formats_of_run[] = {
  { "table, as text", "-metrics.txt", TRUE, EXPORT_METRICS },
  { "table, CSV: every number of every finding", "-metrics.csv", FALSE, EXPORT_METRICS },
  { "table, JSON", "-metrics.json", FALSE, EXPORT_METRICS },
  { "predictions, CSV: every scan, every finding", "-predictions.csv", FALSE, EXPORT_PREDICTIONS },
  { "plots, a folder of PNG: ROC, histograms, AUROC, epochs", "-plots", FALSE, EXPORT_PLOTS }
};
/* The last is of two runs only. */
static const Format formats_of_comparison[] = {
  { "table, as text", ".txt", FALSE, EXPORT_COMPARISON },
  { "table, CSV", ".csv", FALSE, EXPORT_COMPARISON },
  { "table, JSON", ".json", FALSE, EXPORT_COMPARISON },
  { "picture, PNG", ".png", FALSE, EXPORT_COMPARISON }
};

static const Format *
formats (RunsScreen *self, guint *n)
{
  guint n_runs = g_strv_length (self->asked_runs);

  *n = n_runs == 1 ? G_N_ELEMENTS (formats_of_run)
                   : G_N_ELEMENTS (formats_of_comparison) - (n_runs > 2);
  return n_runs == 1 ? formats_of_run : formats_of_comparison;
}

/** What is written. */
typedef struct
{
  Workspace *workspace;
  Format format;
  char **runs; /* one, or those that are compared */
} Export;

static void
export_free (gpointer data)
{
  Export *export = data;

  g_strfreev (export->runs);
  g_free (export);
}

/* ---- on a worker ---- */

static char *
metrics_text (CatalogStore *store, const CatalogRun *run, GError **error)
{
  g_auto (GStrv) epochs = catalog_run_epochs (store, run->id, error);
  const char *names[CATALOG_N_LABELS];

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    names[label] = catalog_label_name (label);
  for (guint i = 0; epochs != NULL && epochs[i] != NULL; i++)
    {
      guint epoch;
      double loss;
      g_autoptr (MetricsTable) table = report_json_parse_epoch (epochs[i], &epoch, &loss);

      if (table != NULL && table->n_classes == CATALOG_N_LABELS && (int) epoch == run->kept_epoch)
        return report_metrics_text (table, names);
    }
  if (epochs != NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 "%s: has no table, as it is not finished; choose a run that is done", run->name);
  return NULL;
}

static gboolean
write_text (const Export *export, const char *path, gboolean replace, GError **error)
{
  g_autoptr (CatalogStore) store = workspace_store (export->workspace, error);
  g_autoptr (CatalogRun) run =
      store != NULL ? catalog_run_find (store, export->runs[0], error) : NULL;
  g_autofree char *text = run != NULL ? metrics_text (store, run, error) : NULL;
  g_autoptr (OutputFile) file = text != NULL ? output_file_open (path, replace, error) : NULL;

  return file != NULL && output_file_write (file, text, strlen (text), error)
         && output_file_commit (file, error);
}

static gboolean
write_export (gpointer data, const char *path, gboolean replace, GError **error)
{
  Export *export = data;
  StudyExport study = { .workspace = export->workspace,
                        .what = export->format.what,
                        .out_path = path,
                        .replace = replace,
                        .run = export->runs[0],
                        .with_runs = (const char *const *) export->runs + 1 };
  g_autoptr (Job) job = NULL;

  if (export->format.is_text)
    return write_text (export, path, replace, error);
  job = job_start ("export", study_export, &study);
  return job_wait (job, error);
}

/* ---- on the UI thread ---- */

static void
choose_format (gpointer data, guint index)
{
  RunsScreen *self = data;
  guint n;
  const Format *format = &formats (self, &n)[index];
  g_autofree char *stem = g_strjoinv ("-vs-", self->asked_runs);
  g_autofree char *initial = NULL;
  Export *export = g_new (Export, 1);

  *export = (Export){ app_workspace (self->app), *format, g_strdupv (self->asked_runs) };
  g_strdelimit (stem, "/", '-'); /* a name is no path */
  initial = g_strconcat (stem, format->suffix, NULL);
  app_write (self->app, initial, write_export, export, export_free);
}

void
runs_export (RunsScreen *self)
{
  const RunsRow *row = runs_selected (self);
  const char *labels[MAX (G_N_ELEMENTS (formats_of_run), G_N_ELEMENTS (formats_of_comparison))
                     + 1] = { NULL };
  const char *const alone[] = { row != NULL ? row->run->name : NULL, NULL };
  g_autofree char *names = NULL, *title = NULL;
  const Format *choices;
  guint n;

  if (row == NULL)
    return;
  if (self->comparison == NULL && strcmp (row->run->status, "done") != 0)
    {
      app_error (self->app, "%s is %s: there is nothing to export; choose a run that is done",
                 row->run->name, row->run->status);
      return;
    }
  g_strfreev (self->asked_runs);
  self->asked_runs =
      g_strdupv (self->comparison != NULL ? self->comparison->names : (char **) alone);
  choices = formats (self, &n);
  for (guint i = 0; i < n; i++)
    labels[i] = choices[i].label;
  names = g_strjoinv (", ", self->asked_runs);
  title = g_strdup_printf ("Export %s", names);
  app_choose (self->app, title, labels, 0, choose_format, self);
}

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

/** What is written; the request and, once it is done, the answer. */
typedef struct
{
  Workspace *workspace;
  Format format;
  char **runs; /* one, or those that are compared */
  char *path;
  gboolean replace;
} Export;

static void
export_free (gpointer data)
{
  Export *export = data;

  g_strfreev (export->runs);
  g_free (export->path);
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
write_text (const Export *export, GError **error)
{
  g_autoptr (CatalogStore) store = workspace_store (export->workspace, error);
  g_autoptr (CatalogRun) run =
      store != NULL ? catalog_run_find (store, export->runs[0], error) : NULL;
  g_autofree char *text = run != NULL ? metrics_text (store, run, error) : NULL;
  g_autoptr (OutputFile) file =
      text != NULL ? output_file_open (export->path, export->replace, error) : NULL;

  return file != NULL && output_file_write (file, text, strlen (text), error)
         && output_file_commit (file, error);
}

static gpointer
write_export (gpointer data, GCancellable *cancellable, GError **error)
{
  Export *export = data, *answer;
  gboolean done;

  if (export->format.is_text)
    done = write_text (export, error);
  else
    {
      StudyExport study = { .workspace = export->workspace,
                            .what = export->format.what,
                            .out_path = export->path,
                            .replace = export->replace,
                            .run = export->runs[0],
                            .with_runs = (const char *const *) export->runs + 1 };
      g_autoptr (Job) job = job_start ("export", study_export, &study);

      done = job_wait (job, error);
    }
  if (!done)
    return NULL;
  answer = g_new0 (Export, 1);
  answer->runs = g_strdupv (export->runs);
  answer->path = g_strdup (export->path);
  return answer;
}

/* ---- on the UI thread ---- */

static void
was_exported (gpointer owner, gpointer result, const GError *error)
{
  RunsScreen *self = owner;
  Export *answer = result;
  g_autofree char *names = answer != NULL ? g_strjoinv (", ", answer->runs) : NULL;

  if (answer == NULL)
    {
      app_error (self->app, "%s", error->message);
      return;
    }
  app_message (self->app, "%s: wrote %s", names, answer->path);
  export_free (answer);
}

static void
start_export (RunsScreen *self, gboolean replace)
{
  Export *export = g_new0 (Export, 1);
  guint n;

  *export = (Export){ .workspace = app_workspace (self->app),
                      .format = formats (self, &n)[self->asked_kind],
                      .runs = g_strdupv (self->asked_runs),
                      .path = g_strdup (self->asked_path),
                      .replace = replace };
  works_start (app_works (self->app), write_export, export, export_free, export_free, was_exported,
               self);
}

static void
replace_it (gpointer data)
{
  start_export (data, TRUE);
}

static void
accept_path (gpointer data, const char *text)
{
  RunsScreen *self = data;
  g_autofree char *expanded = g_str_has_prefix (text, "~/")
                                  ? g_build_filename (g_get_home_dir (), text + 2, NULL)
                                  : g_strdup (text);

  g_free (self->asked_path);
  self->asked_path = g_canonicalize_filename (expanded, NULL);
  if (g_file_test (self->asked_path, G_FILE_TEST_EXISTS))
    {
      gboolean folder = g_file_test (self->asked_path, G_FILE_TEST_IS_DIR);
      g_autofree char *question =
          g_strdup_printf (folder ? "The folder %s is there. Write the pictures into it, over "
                                    "those of the same names?"
                                  : "%s is there already. Replace it?",
                           self->asked_path);

      app_confirm (self->app, question, replace_it, self);
    }
  else
    start_export (self, FALSE);
}

static gboolean
check_path (gpointer data, const char *text, GError **error)
{
  if (*text != '\0')
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "type a file name");
  return FALSE;
}

static void
choose_format (gpointer data, guint index)
{
  RunsScreen *self = data;
  guint n;
  const Format *format = &formats (self, &n)[index];
  g_autofree char *stem = g_strjoinv ("-vs-", self->asked_runs);
  g_autofree char *initial = NULL;

  self->asked_kind = index;
  g_strdelimit (stem, "/", '-'); /* a name is no path */
  initial = g_strconcat (stem, format->suffix, NULL);
  app_prompt (self->app, &(Prompt){ .label = "write to",
                                    .initial = initial,
                                    .kind = PROMPT_PATH,
                                    .check = check_path,
                                    .accept = accept_path,
                                    .data = self });
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

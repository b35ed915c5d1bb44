#include "records_private.h"

#include "base/error.h"
#include "report/text_table.h"
#include "study/import_files.h"
#include "study/import_job.h"

/** One or both splits, one after the other. */
typedef struct
{
  App *app;
  StudyImport imports[2];
  guint n;
  StudyImportFiles files[2]; /* own the paths */
} Import;

static gboolean
run (Job *job, gpointer data, GError **error)
{
  Import *import = data;

  for (guint i = 0; i < import->n; i++)
    if (!study_import (job, &import->imports[i], error))
      return FALSE;
  return TRUE;
}

static void
done (App *app, gpointer data, const GError *error)
{
  Import *import = data;

  if (error == NULL)
    {
      g_autoptr (GString) text = g_string_new ("Imported:");

      for (guint i = 0; i < import->n; i++)
        {
          const CatalogFunnel *funnel = &import->imports[i].funnel;
          g_autofree char *rows = report_count (funnel->rows);
          g_autofree char *kept = report_count (funnel->count[CATALOG_KEPT]);

          g_string_append_printf (text, "%s %s, %s of %s rows kept", i > 0 ? ";" : "",
                                  catalog_split_name (funnel->split), kept, rows);
        }
      app_message (app, "%s", text->str);
    }
  for (guint i = 0; i < G_N_ELEMENTS (import->files); i++)
    study_import_files_clear (&import->files[i]);
  g_free (import);
}

/** Takes the files over. */
static void
add_split (Import *import, CatalogSplit split, StudyImportFiles files)
{
  import->files[import->n] = files;
  import->imports[import->n++].options = (CatalogImportOptions){ .split = split,
                                                                 .reports_path = files.reports,
                                                                 .labels_path = files.labels,
                                                                 .metadata_path = files.metadata,
                                                                 .no_chest_path = files.no_chest,
                                                                 .index_later = TRUE };
}

static void
start (Records *records, Import *import)
{
  g_autoptr (GError) error = NULL;

  if (app_workspace (records->app) == NULL
      && !app_create_workspace (records->app, app_workspace_directory (records->app), &error))
    {
      app_error (records->app, "%s", error->message);
      done (records->app, import, error);
      return;
    }
  for (guint i = 0; i < import->n; i++)
    import->imports[i].workspace = app_workspace (records->app);
  if (app_start_job (records->app, "import", run, import, done))
    app_message (records->app, "Importing; 4 shows how far it is");
}

gboolean
records_import_directory (Records *records, const char *path, GError **error)
{
  Import *import = g_new0 (Import, 1);

  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      StudyImportFiles files = study_import_files (path, split);

      if (study_import_files_present (&files))
        add_split (import, split, files);
      else
        study_import_files_clear (&files);
    }
  if (import->n > 0)
    {
      start (records, import);
      return TRUE;
    }
  g_free (import);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
               "neither train_reports.csv nor validation_reports.csv is in this folder");
  return FALSE;
}

/* ---- asking: a folder, or the files one by one ---- */

static gboolean
check_file (gpointer data, const char *text, GError **error)
{
  if (g_file_test (text, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND, "no such file");
  return FALSE;
}

static gboolean
check_optional_file (gpointer data, const char *text, GError **error)
{
  return *text == '\0' || check_file (data, text, error);
}

static void
split_chosen (gpointer data, guint index)
{
  Records *records = data;
  Import *import = g_new0 (Import, 1);
  StudyImportFiles files = { .reports = g_steal_pointer (&records->import_reports),
                             .labels = g_steal_pointer (&records->import_labels),
                             .metadata = g_steal_pointer (&records->import_metadata) };

  add_split (import, index == 0 ? CATALOG_SPLIT_TRAIN : CATALOG_SPLIT_VALID, files);
  start (records, import);
}

static void
metadata_given (gpointer data, const char *text)
{
  static const char *const splits[] = { "training", "validation", NULL };
  Records *records = data;

  g_free (records->import_metadata);
  records->import_metadata = *text != '\0' ? g_strdup (text) : NULL;
  app_choose (records->app, "These tables are the split for", splits, 0, split_chosen, records);
}

static void
labels_given (gpointer data, const char *text)
{
  Records *records = data;

  g_free (records->import_labels);
  records->import_labels = g_strdup (text);
  app_prompt (records->app, &(Prompt){ .label = "metadata file (empty: none)",
                                       .history = "path",
                                       .kind = PROMPT_PATH,
                                       .check = check_optional_file,
                                       .accept = metadata_given,
                                       .data = records });
}

static gboolean
check_tables (gpointer data, const char *path, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return TRUE; /* the reports file itself; the others are asked for */
  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND, "no such folder");
      return FALSE;
    }
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_auto (StudyImportFiles) files = study_import_files (path, split);

      if (study_import_files_present (&files))
        return TRUE;
    }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
               "no train_reports.csv or validation_reports.csv here; or name a reports file");
  return FALSE;
}

static void
tables_given (gpointer data, const char *path)
{
  Records *records = data;
  g_autoptr (GError) error = NULL;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      if (!records_import_directory (records, path, &error))
        app_error (records->app, "%s: %s", path, error->message);
      return;
    }
  g_free (records->import_reports);
  records->import_reports = g_strdup (path);
  app_prompt (records->app, &(Prompt){ .label = "labels file",
                                       .history = "path",
                                       .kind = PROMPT_PATH,
                                       .check = check_file,
                                       .accept = labels_given,
                                       .data = records });
}

void
records_import (gpointer screen)
{
  Records *records = screen;

  app_prompt (records->app, &(Prompt){ .label = "folder with CT-RATE's tables",
                                       .history = "path",
                                       .kind = PROMPT_PATH,
                                       .check = check_tables,
                                       .accept = tables_given,
                                       .data = records });
}

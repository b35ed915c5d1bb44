#include "batch/steps.h"

#include "catalog/query.h"
#include "report/json.h"
#include "report/tables.h"
#include "report/text_table.h"
#include "study/import_files.h"
#include "study/import_job.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static json_t *
funnel_json (const CatalogFunnel *funnel, json_t *skipped /* transfer full */)
{
  json_t *object = json_object (), *dropped = json_object (), *positives = json_object ();

  json_object_set_new (object, "split", json_string (catalog_split_name (funnel->split)));
  json_object_set_new (object, "rows", json_integer (funnel->rows));
  json_object_set_new (object, "kept", json_integer (funnel->count[CATALOG_KEPT]));
  for (CatalogReason reason = CATALOG_KEPT + 1; reason < CATALOG_N_REASONS; reason++)
    json_object_set_new (dropped, catalog_reason_name (reason),
                         json_integer (funnel->count[reason]));
  json_object_set_new (object, "dropped", dropped);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    json_object_set_new (positives, catalog_label_name (label),
                         json_integer (funnel->positives[label]));
  json_object_set_new (object, "positives", positives);
  json_object_set_new (object, "without_metadata", json_integer (funnel->without_metadata));
  json_object_set_new (object, "skipped", skipped);
  return object;
}

static void
print_funnel (const CatalogFunnel *funnel)
{
  const char *descriptions[CATALOG_N_REASONS];
  g_autofree char *text = NULL;

  for (CatalogReason reason = CATALOG_KEPT; reason < CATALOG_N_REASONS; reason++)
    descriptions[reason] = catalog_reason_description (reason);
  text = report_funnel_text (funnel->rows, funnel->count, descriptions, CATALOG_N_REASONS);
  printf ("split %s\n%s", catalog_split_name (funnel->split), text);
  if (funnel->without_metadata > 0)
    printf ("%u kept rows are not in the metadata file\n", funnel->without_metadata);
}

/** A JobFunc over a StudyImport: rows that cannot be read are named, as skipped inputs are. */
static gboolean
import_and_name (Job *job, gpointer data, GError **error)
{
  const StudyImport *import = data;
  const CatalogListOptions options = { .split = (int) import->options.split };
  g_autoptr (CatalogQuery) query = NULL;
  g_autoptr (CatalogStore) store = NULL;
  g_autoptr (GPtrArray) records = NULL;

  if (!study_import (job, data, error))
    return FALSE;
  if (import->funnel.count[CATALOG_DROP_UNREADABLE] == 0)
    return TRUE;
  query = catalog_query_parse ("reason = unreadable", error);
  store = query != NULL ? workspace_store (import->workspace, error) : NULL;
  records = store != NULL ? catalog_records_list (store, query, &options, error) : NULL;
  if (records == NULL)
    return FALSE;
  for (guint i = 0; i < records->len; i++)
    {
      const CatalogRecord *record = g_ptr_array_index (records, i);

      job_skip (job, record->volume, record->reason_detail);
    }
  return TRUE;
}

static int
import_split (const Batch *batch, Workspace *workspace, const CatalogImportOptions *options)
{
  StudyImport import = { .workspace = workspace, .options = *options };
  json_t *skipped = NULL;
  int code;

  import.options.index_later = TRUE;
  code = batch_run (batch, "import", import_and_name, &import, workspace, NULL, NULL, &skipped);
  if (skipped == NULL)
    return code;
  if (batch->json)
    batch_print_json (funnel_json (&import.funnel, json_incref (skipped)));
  else
    print_funnel (&import.funnel);
  fflush (stdout);
  json_decref (skipped);
  return code;
}

int
batch_finish_index (const Batch *batch, Workspace *workspace)
{
  return batch_run (batch, "index", study_index, workspace, NULL, NULL, NULL, NULL);
}

/** The rows can be browsed; the index of their words follows. */
static int
end_import (const Batch *batch, Workspace *workspace, int code)
{
  int indexed;

  if (code != BATCH_DONE && code != BATCH_SKIPPED)
    return code;
  indexed = batch_finish_index (batch, workspace);
  return indexed != BATCH_DONE ? indexed : code;
}

/** Looked at before a workspace is made for what is in them. @paths: nullable ones. */
static gboolean
can_be_read (const char *const *paths, guint n)
{
  for (guint i = 0; i < n; i++)
    if (paths[i] != NULL && g_access (paths[i], R_OK) != 0)
      {
        batch_say ("ctclip-tui: %s: cannot be opened: %s; look at the path\n", paths[i],
                   g_strerror (errno));
        return FALSE;
      }
  return TRUE;
}

/** Whether a split, or the one that is wanted, has its tables there; says what is missing. */
static gboolean
has_tables (const char *directory, int only)
{
  guint n = 0;

  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_auto (StudyImportFiles) files = study_import_files (directory, split);
      const char *const needed[] = { files.reports, files.labels };

      if (only >= 0 ? only != (int) split : !study_import_files_present (&files))
        continue;
      if (!can_be_read (needed, G_N_ELEMENTS (needed)))
        return FALSE;
      n++;
    }
  if (n == 0)
    batch_say (
        "ctclip-tui: %s: neither train_reports.csv nor validation_reports.csv is there; "
        "name CT-RATE's folder of CSV files, or the files one by one (--reports, --labels)\n",
        directory);
  return n > 0;
}

/** Both splits, or the one that is wanted. */
static int
import_directory (const Batch *batch, Workspace *workspace, const char *directory, int only,
                  gboolean require_both)
{
  int worst = BATCH_DONE;

  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_auto (StudyImportFiles) files = study_import_files (directory, split);
      CatalogImportOptions options = { .split = split,
                                       .reports_path = files.reports,
                                       .labels_path = files.labels,
                                       .metadata_path = files.metadata,
                                       .no_chest_path = files.no_chest,
                                       .require_both = require_both };
      int code;

      if (only >= 0 ? only != (int) split : !study_import_files_present (&files))
        continue;
      code = import_split (batch, workspace, &options);
      if (code != BATCH_DONE && code != BATCH_SKIPPED)
        return code;
      worst = MAX (worst, code);
    }
  return worst;
}

int
batch_import_directory (const Batch *batch, Workspace *workspace, const char *directory, int only,
                        gboolean require_both)
{
  return end_import (batch, workspace,
                     import_directory (batch, workspace, directory, only, require_both));
}

int
command_import (Batch *batch, int argc, char **argv)
{
  g_autofree char *split = NULL, *reports = NULL, *labels = NULL, *metadata = NULL,
                  *no_chest = NULL, *require = NULL;
  const GOptionEntry entries[] = {
    { "split", 0, 0, G_OPTION_ARG_STRING, &split, "train or valid", "S" },
    { "reports", 0, 0, G_OPTION_ARG_FILENAME, &reports,
      "the split's reports (gives the rows and their order)", "FILE" },
    { "labels", 0, 0, G_OPTION_ARG_FILENAME, &labels, "the split's predicted labels", "FILE" },
    { "metadata", 0, 0, G_OPTION_ARG_FILENAME, &metadata, "the split's metadata (optional)",
      "FILE" },
    { "no-chest", 0, 0, G_OPTION_ARG_FILENAME, &no_chest,
      "volumes that are not of the chest, one a line (optional)", "FILE" },
    { "require-text", 0, 0, G_OPTION_ARG_STRING, &require,
      "any (default): findings or impression; both: both", "any|both" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (Workspace) workspace = NULL;
  CatalogImportOptions options = { 0 };
  GError *error = NULL;
  int only, code;

  if (!batch_parse (batch, argc, argv, entries,
                    "DIR is a folder that holds CT-RATE's CSV files under their own names; both "
                    "splits are imported\n"
                    "from it, or the one that --split names. Importing again replaces a split. "
                    "Rows that cannot be read\n"
                    "are kept with their reason and line number, and the exit code is 3. With "
                    "--json a folder gives one\n"
                    "document a split, each on a line of its own (JSON Lines).",
                    &code))
    return code;
  if (split != NULL && !catalog_split_parse (split, &options.split, &error))
    return batch_fail (error);
  if (require != NULL && strcmp (require, "any") != 0 && strcmp (require, "both") != 0)
    return batch_usage (batch, "--require-text: give any or both");
  options.require_both = g_strcmp0 (require, "both") == 0;
  if (batch->rest[0] != NULL
      && (batch->rest[1] != NULL || reports != NULL || labels != NULL || metadata != NULL
          || no_chest != NULL))
    return batch_usage (batch, "give one folder, or --reports and --labels");
  if (batch->rest[0] == NULL && (split == NULL || reports == NULL || labels == NULL))
    return batch_usage (batch, "give a folder, or --split, --reports and --labels");
  options.reports_path = reports;
  options.labels_path = labels;
  options.metadata_path = metadata;
  options.no_chest_path = no_chest;
  only = split != NULL ? (int) options.split : -1;
  if (batch->rest[0] != NULL
          ? !has_tables (batch->rest[0], only)
          : !can_be_read ((const char *[]){ reports, labels, metadata, no_chest }, 4))
    return BATCH_FAILED;
  workspace = batch_open (batch, TRUE, &code);
  if (workspace == NULL)
    return code;
  if (batch->rest[0] != NULL)
    return batch_import_directory (batch, workspace, batch->rest[0], only, options.require_both);
  return end_import (batch, workspace, import_split (batch, workspace, &options));
}

int
command_import_latents (Batch *batch, int argc, char **argv)
{
  g_autofree char *npy = NULL, *names = NULL, *encoder_name = NULL;
  const GOptionEntry entries[] = {
    { "npy", 0, 0, G_OPTION_ARG_FILENAME, &npy, "latents: a float array of shape (scans, width)",
      "FILE" },
    { "names", 0, 0, G_OPTION_ARG_FILENAME, &names,
      "the scans' volume names, one a line, in the same order", "FILE" },
    { "encoder-name", 0, 0, G_OPTION_ARG_STRING, &encoder_name,
      "what to call the encoder that made them", "NAME" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (Workspace) workspace = NULL;
  StudyImportLatents import = { 0 };
  int code;

  if (!batch_parse (batch, argc, argv, entries, NULL, &code))
    return code;
  if (npy == NULL || names == NULL || encoder_name == NULL || *encoder_name == '\0'
      || batch->rest[0] != NULL)
    return batch_usage (batch, "give --npy, --names and --encoder-name");
  if (!can_be_read ((const char *[]){ npy, names }, 2))
    return BATCH_FAILED;
  workspace = batch_open (batch, TRUE, &code);
  if (workspace == NULL)
    return code;
  import.workspace = workspace;
  import.npy_path = npy;
  import.names_path = names;
  import.encoder_name = encoder_name;
  code = batch_run (batch, "import-latents", study_import_latents, &import, workspace, NULL, NULL,
                    NULL);
  if (code != BATCH_DONE)
    return code;
  if (batch->json)
    batch_print_json (json_pack (
        "{s:o, s:i, s:i, s:i}", "encoder", report_json_string (encoder_name), "imported",
        (int) import.imported, "width", (int) import.width, "unknown", (int) import.unknown));
  else
    {
      g_autofree char *imported = report_count (import.imported);

      batch_print ("%s latents of width %u for encoder %s\n", imported, import.width, encoder_name);
      if (import.unknown > 0)
        printf ("%u of them are of volumes that no imported split has\n", import.unknown);
    }
  return BATCH_DONE;
}

#include "batch/steps.h"

#include "catalog/runs.h"
#include "report/json.h"
#include "report/tables.h"
#include "report/text_table.h"
#include "study/compare.h"
#include "study/parameters.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static json_t *
run_json (const CatalogRun *run)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  json_t *object = json_object ();

  json_object_set_new (object, "run", json_string (run->name));
  json_object_set_new (object, "started", json_string (run->started));
  json_object_set_new (object, "finished",
                       run->finished != NULL ? json_string (run->finished) : json_null ());
  json_object_set_new (object, "status", json_string (run->status));
  json_object_set_new (object, "message",
                       run->message != NULL ? report_json_string (run->message) : json_null ());
  json_object_set_new (object, "parameters",
                       train_parameters_parse (parameters, run->parameters, run->name, NULL)
                           ? batch_parameters_json (parameters)
                           : json_null ());
  json_object_set_new (object, "encoder", report_json_string (run->encoder));
  json_object_set_new (object, "train_sample", json_string (run->train_sample));
  json_object_set_new (object, "valid_sample", json_string (run->valid_sample));
  json_object_set_new (object, "code_version", json_string (run->code_version));
  json_object_set_new (object, "note", json_string (run->note));
  json_object_set_new (object, "macro_auroc", report_json_number (run->macro_auroc));
  json_object_set_new (object, "kept_epoch",
                       run->kept_epoch >= 0 ? json_integer (run->kept_epoch) : json_null ());
  return object;
}

/* ---- list ---- */

static int
list_runs (const Batch *batch, CatalogStore *store)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) runs = catalog_runs_list (store, &error);
  g_autoptr (TextTable) table = text_table_new ("llllrl");
  json_t *array;

  if (runs == NULL)
    return batch_fail (error);
  if (batch->json)
    {
      array = json_array ();
      for (guint i = 0; i < runs->len; i++)
        json_array_append_new (array, run_json (g_ptr_array_index (runs, i)));
      batch_print_json (json_pack ("{s:o}", "runs", array));
      return BATCH_DONE;
    }
  text_table_row (table, "run", "started", "status", "encoder", "macro AUROC", "note");
  text_table_rule (table);
  for (guint i = 0; i < runs->len; i++)
    {
      const CatalogRun *run = g_ptr_array_index (runs, i);
      g_autofree char *auroc = report_decimals (run->macro_auroc, 4);

      text_table_row (table, run->name, run->started, run->status, run->encoder, auroc, run->note);
    }
  fputs (text_table_text (table), stdout);
  if (runs->len == 0)
    batch_say ("no runs yet; `train` makes one\n");
  return BATCH_DONE;
}

/* ---- show ---- */

static void
print_epochs (const CatalogRun *run, char **epochs, guint n)
{
  g_autoptr (MetricsTable) kept = NULL;

  for (guint i = 0; epochs[i] != NULL; i++)
    {
      guint epoch;
      double loss;
      g_autoptr (MetricsTable) table = report_json_parse_epoch (epochs[i], &epoch, &loss);
      g_autofree char *line = table != NULL ? report_epoch_line (epoch, n, loss, table) : NULL;

      if (table == NULL)
        continue;
      puts (line);
      if ((int) epoch == run->kept_epoch)
        {
          g_clear_pointer (&kept, metrics_table_free);
          kept = g_steal_pointer (&table);
        }
    }
  if (kept != NULL)
    {
      g_autofree char *text = report_metrics_text (kept, batch_label_names ());

      printf ("\n%s", text);
    }
}

static int
show_run (const Batch *batch, CatalogStore *store, const char *name)
{
  GError *error = NULL;
  g_autoptr (CatalogRun) run = catalog_run_find (store, name, &error);
  g_auto (GStrv) epochs = run != NULL ? catalog_run_epochs (store, run->id, &error) : NULL;

  if (epochs == NULL)
    return batch_fail (error);
  if (batch->json)
    {
      json_t *object = run_json (run), *array = json_array ();

      for (guint i = 0; epochs[i] != NULL; i++)
        json_array_append_new (array, json_loads (epochs[i], 0, NULL));
      json_object_set_new (object, "epochs", array);
      batch_print_json (object);
      return BATCH_DONE;
    }
  batch_print ("%s: %s%s%s, started %s, code %s\nencoder %s, samples %s and %s\n", run->name,
               run->status, run->message != NULL ? ": " : "",
               run->message != NULL ? run->message : "", run->started, run->code_version,
               run->encoder, run->train_sample, run->valid_sample);
  if (*run->note != '\0')
    batch_print ("note: %s\n", run->note);
  batch_print ("\n%s\n", run->parameters);
  print_epochs (run, epochs, g_strv_length (epochs));
  return BATCH_DONE;
}

/* ---- compare ---- */

static int
compare_runs (const Batch *batch, CatalogStore *store, const char *name_a, const char *name_b)
{
  GError *error = NULL;
  g_autoptr (CatalogRun) a = catalog_run_find (store, name_a, &error);
  g_autoptr (CatalogRun) b = a != NULL ? catalog_run_find (store, name_b, &error) : NULL;
  StudyComparison comparison;
  ReportComparisonClass classes[CATALOG_N_LABELS];
  ReportComparison report;

  if (b == NULL || !study_compare (store, a, b, &comparison, &error))
    return batch_fail (error);
  report = study_comparison_report (&comparison, a->name, b->name, classes);
  if (batch->json)
    batch_print_json (report_comparison_json (&report));
  else
    {
      g_autofree char *text = report_comparison_text (&report);

      fputs (text, stdout);
    }
  return BATCH_DONE;
}

/* ---- change ---- */

/** The run as it is now. */
static int
print_changed (const Batch *batch, CatalogStore *store, gint64 id)
{
  GError *error = NULL;
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, id);
  g_autoptr (CatalogRun) run = catalog_run_find (store, number, &error);

  if (run == NULL)
    return batch_fail (error);
  if (batch->json)
    batch_print_json (run_json (run));
  else
    batch_print ("%s%s%s\n", run->name, *run->note != '\0' ? ": " : "", run->note);
  return BATCH_DONE;
}

static int
rename_run (const Batch *batch, CatalogStore *store, const char *from, const char *to)
{
  GError *error = NULL;
  g_autoptr (CatalogRun) run = catalog_run_find (store, from, &error);

  if (run == NULL || !catalog_run_rename (store, run->id, to, &error))
    return batch_fail (error);
  return print_changed (batch, store, run->id);
}

static int
note_run (const Batch *batch, CatalogStore *store, const char *name, const char *text)
{
  GError *error = NULL;
  g_autoptr (CatalogRun) run = catalog_run_find (store, name, &error);

  if (run == NULL || !catalog_run_set_note (store, run->id, text, &error))
    return batch_fail (error);
  return print_changed (batch, store, run->id);
}

/** Ask on the terminal; anything but a clear yes is no. */
static gboolean
confirm_deletion (const CatalogRun *run)
{
  g_autofree char *auroc = report_decimals (run->macro_auroc, 4);
  char answer[8] = "";

  batch_say ("Delete %s (%s, macro AUROC %s) with its metrics, predictions and head? [y/N] ",
             run->name, run->status, auroc);
  return fgets (answer, sizeof answer, stdin) != NULL && g_ascii_tolower (answer[0]) == 'y';
}

static int
delete_run (const Batch *batch, Workspace *workspace, CatalogStore *store, const char *name,
            gboolean confirmed)
{
  GError *error = NULL;
  g_autoptr (CatalogRun) run = catalog_run_find (store, name, &error);

  if (run == NULL)
    return batch_fail (error);
  if (!confirmed && !isatty (STDIN_FILENO))
    return batch_usage (batch, "--delete: nobody is there to ask; add --yes to delete %s",
                        run->name);
  if (!confirmed && !confirm_deletion (run))
    {
      batch_say ("%s stays\n", run->name);
      return BATCH_DONE;
    }
  /* One that is being trained is not pulled away: whoever trains it holds the lock. */
  if ((strcmp (run->status, "running") == 0 && !workspace_lock (workspace, "runs", &error))
      || !catalog_run_delete (store, run->id, &error))
    return batch_fail (error);
  if (batch->json)
    batch_print_json (json_pack ("{s:o}", "deleted", report_json_string (run->name)));
  else
    batch_print ("%s is deleted\n", run->name);
  return BATCH_DONE;
}

int
command_runs (Batch *batch, int argc, char **argv)
{
  g_autofree char *show = NULL, *rename = NULL, *to = NULL, *note = NULL, *text = NULL,
                  *delete = NULL;
  gboolean compare = FALSE, yes = FALSE;
  const GOptionEntry entries[] = {
    { "show", 0, 0, G_OPTION_ARG_STRING, &show,
      "a run's parameters, epochs and table (name, number, or latest: the last that is done)",
      "R" },
    { "compare", 0, 0, G_OPTION_ARG_NONE, &compare, "two runs side by side, given as A B", NULL },
    { "rename", 0, 0, G_OPTION_ARG_STRING, &rename, "give a run the name that --to says", "R" },
    { "to", 0, 0, G_OPTION_ARG_STRING, &to, "its new name", "NAME" },
    { "note", 0, 0, G_OPTION_ARG_STRING, &note, "write the note of a run, as --text says", "R" },
    { "text", 0, 0, G_OPTION_ARG_STRING, &text, "the note; empty: none", "T" },
    { "delete", 0, 0, G_OPTION_ARG_STRING, &delete,
      "delete a run with its metrics, predictions and head", "R" },
    { "yes", 0, 0, G_OPTION_ARG_NONE, &yes, "don't ask before deleting", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (Workspace) workspace = NULL;
  g_autoptr (CatalogStore) store = NULL;
  GError *error = NULL;
  int code;

  if (!batch_parse (batch, argc, argv, entries, NULL, &code))
    return code;
  if (g_strv_length (batch->rest) != (compare ? 2 : 0))
    return batch_usage (batch, compare ? "--compare: give two runs" : "%s: not understood",
                        batch->rest[0]);
  if (compare + (show != NULL) + (rename != NULL) + (note != NULL) + (delete != NULL) > 1)
    return batch_usage (batch, "give one of --show, --compare, --rename, --note and --delete");
  if ((rename != NULL) != (to != NULL))
    return batch_usage (batch, "--rename and --to go together");
  if ((note != NULL) != (text != NULL))
    return batch_usage (batch, "--note and --text go together");
  if (yes && delete == NULL)
    return batch_usage (batch, "--yes goes with --delete");
  workspace = batch_open (batch, FALSE, &code);
  if (workspace == NULL)
    return code;
  store = workspace_store (workspace, &error);
  if (store == NULL)
    return batch_fail (error);
  if (catalog_runs_running (store, NULL) > 0)
    {
      workspace_end_abandoned_runs (workspace, store);
      batch_tell_of_the_dead (workspace);
    }
  if (rename != NULL)
    return rename_run (batch, store, rename, to);
  if (note != NULL)
    return note_run (batch, store, note, text);
  if (delete != NULL)
    return delete_run (batch, workspace, store, delete, yes);
  if (compare)
    return compare_runs (batch, store, batch->rest[0], batch->rest[1]);
  return show != NULL ? show_run (batch, store, show) : list_runs (batch, store);
}

#include "batch/steps.h"

#include "report/json.h"
#include "report/tables.h"
#include "report/text_table.h"
#include "study/train_job.h"

#include <stdio.h>
#include <string.h>

json_t *
batch_parameters_json (const TrainParameters *parameters)
{
  guint n;
  const ParameterSpec *specs = parameter_specs (&n);
  json_t *object = json_object ();

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = train_parameters_get (parameters, specs[i].name);
      char *end;
      double number = g_ascii_strtod (text, &end);
      json_t *value;

      if (specs[i].kind == PARAMETER_SWITCH)
        value = json_boolean (strcmp (text, "yes") == 0);
      else if (specs[i].kind == PARAMETER_INTEGER)
        value = json_integer ((json_int_t) number);
      else if (specs[i].kind != PARAMETER_TEXT && end != text && *end == '\0')
        value = json_real (number);
      else
        value = json_string (text);
      json_object_set_new (object, specs[i].name, value);
    }
  return object;
}

/** How the epochs are shown while they come. */
typedef struct
{
  gboolean stream, json;
  guint epochs;
  gboolean keep_best;
  JobEpoch *last; /* the epoch whose head is kept */
  json_t *all;    /* every epoch as streamed */
} Watch;

static void
on_epoch (const JobEpoch *epoch, gpointer user_data)
{
  Watch *watch = user_data;
  json_t *object =
      report_json_epoch (epoch->epoch, epoch->train_loss, epoch->table, batch_label_names ());

  json_array_append (watch->all, object);
  if (watch->stream)
    batch_print_json (json_incref (object));
  else if (!watch->json)
    {
      g_autofree char *line =
          report_epoch_line (epoch->epoch, watch->epochs, epoch->train_loss, epoch->table);

      puts (line);
      fflush (stdout);
    }
  json_decref (object);
  /* As the run itself decides: with `keep best` only a better epoch takes the place. */
  if (watch->keep_best && watch->last != NULL
      && !(epoch->table->macro_auroc.value > watch->last->table->macro_auroc.value))
    return;
  g_clear_pointer (&watch->last, job_epoch_unref);
  watch->last = job_epoch_ref ((JobEpoch *) epoch);
}

static json_t *
train_json (const StudyTrain *study, const Watch *watch, json_t *skipped)
{
  json_t *object = json_object ();

  json_object_set_new (object, "run", json_string (study->run->name));
  json_object_set_new (object, "parameters", batch_parameters_json (study->parameters));
  json_object_set_new (object, "encoder", report_json_string (study->run->encoder));
  json_object_set_new (object, "train_sample", json_string (study->run->train_sample));
  json_object_set_new (object, "valid_sample", json_string (study->run->valid_sample));
  json_object_set_new (object, "train_n", json_integer (study->train_n));
  json_object_set_new (object, "valid_n", json_integer (study->valid_n));
  json_object_set_new (object, "without_latent",
                       json_integer (study->train_missing + study->valid_missing));
  json_object_set_new (object, "kept_epoch", json_integer (study->kept_epoch));
  json_object_set_new (object, "classes_in_macro",
                       json_integer (watch->last->table->classes_in_macro));
  json_object_set (object, "epochs", watch->all);
  json_object_set_new (object, "skipped", skipped);
  return object;
}

static void
print_result (const StudyTrain *study, const Watch *watch)
{
  g_autofree char *table = report_metrics_text (watch->last->table, batch_label_names ());

  batch_print ("\n%s\n%s: %u scans trained on, %u judged on", table, study->run->name,
               study->train_n, study->valid_n);
  if (study->train_missing + study->valid_missing > 0)
    printf ("; %u members have no latent", study->train_missing + study->valid_missing);
  if (study->parameters->keep_best)
    printf ("; the head of epoch %u is kept, chosen on the scans it is judged on",
            study->kept_epoch);
  printf ("\n");
  fflush (stdout);
}

int
batch_train (const Batch *batch, Workspace *workspace, const TrainParameters *parameters,
             gboolean stream, JobEpoch **last)
{
  g_auto (StudyTrain) study = { .workspace = workspace,
                                .parameters = parameters,
                                .threads = (guint) batch->threads };
  Watch watch = { .stream = stream,
                  .keep_best = parameters->keep_best,
                  .json = batch->json,
                  .epochs = parameters->epochs,
                  .all = json_array () };
  json_t *skipped = NULL;
  int code = batch_run (batch, "train", study_train, &study, workspace, on_epoch, &watch, &skipped);

  if (skipped != NULL)
    {
      if (batch->json || stream)
        batch_print_json (train_json (&study, &watch, json_incref (skipped)));
      else
        print_result (&study, &watch);
      json_decref (skipped);
    }
  if (code == BATCH_INTERRUPTED)
    fprintf (stderr, "an interrupted run leaves nothing to go on with; train again\n");
  json_decref (watch.all);
  if (last != NULL)
    *last = g_steal_pointer (&watch.last);
  g_clear_pointer (&watch.last, job_epoch_unref);
  return code;
}

/** What stands behind an option's "=" in --help. */
static const char *
argument_text (const ParameterSpec *spec, GPtrArray *texts)
{
  char *text;

  if (spec->choices == NULL)
    return spec->kind == PARAMETER_TEXT ? "NAME" : "X";
  text = g_strconcat (spec->choices, spec->kind == PARAMETER_MIXED ? "|X" : "", NULL);
  g_ptr_array_add (texts, text);
  return text;
}

/** The parameters' options, made from their table. @values: one string pointer each, filled by the
 * parser. */
static GOptionEntry *
parameter_entries (char **values, guint n_fixed, const GOptionEntry *fixed, GPtrArray *texts)
{
  guint n;
  const ParameterSpec *specs = parameter_specs (&n);
  GOptionEntry *entries = g_new0 (GOptionEntry, n + n_fixed + 1);

  memcpy (entries, fixed, n_fixed * sizeof *fixed);
  for (guint i = 0; i < n; i++)
    {
      GOptionEntry *entry = &entries[n_fixed + i];
      char *description =
          *specs[i].fallback != '\0'
              ? g_strdup_printf ("%s (default: %s)", specs[i].help, specs[i].fallback)
              : g_strdup (specs[i].help);

      g_ptr_array_add (texts, description);
      entry->long_name = specs[i].name;
      entry->arg_data = &values[i];
      entry->description = description;
      entry->arg = G_OPTION_ARG_STRING;
      entry->arg_description = argument_text (&specs[i], texts);
      if (specs[i].kind == PARAMETER_SWITCH)
        {
          /* A bare --permute-labels turns it on; --permute-labels=no is understood too. */
          entry->flags = G_OPTION_FLAG_OPTIONAL_ARG;
          entry->arg = G_OPTION_ARG_CALLBACK;
          entry->arg_description = "yes|no";
        }
    }
  return entries;
}

/** GOption's callbacks don't say which pointer they fill, so switches land here by name. */
static GHashTable *switches;

static gboolean
on_switch (const char *option, const char *value, gpointer user_data, GError **error)
{
  while (*option == '-')
    option++;
  g_hash_table_insert (switches, g_strdup (option), g_strdup (value != NULL ? value : "yes"));
  return TRUE;
}

static gboolean
apply_options (TrainParameters *parameters, char **values, GError **error)
{
  guint n;
  const ParameterSpec *specs = parameter_specs (&n);

  for (guint i = 0; i < n; i++)
    {
      const char *text = specs[i].kind == PARAMETER_SWITCH
                             ? g_hash_table_lookup (switches, specs[i].name)
                             : values[i];

      if (text != NULL && !train_parameters_set (parameters, specs[i].name, text, error))
        return FALSE;
    }
  return TRUE;
}

int
command_train (Batch *batch, int argc, char **argv)
{
  guint n;
  const ParameterSpec *specs = parameter_specs (&n);
  g_autofree char *config = NULL;
  gboolean watch = FALSE, dry_run = FALSE;
  const GOptionEntry fixed[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &config, "run file; options given here come on top",
      "FILE" },
    { "watch", 0, 0, G_OPTION_ARG_NONE, &watch, "one JSON line an epoch, then the whole document",
      NULL },
    { "print-config", 0, 0, G_OPTION_ARG_NONE, &dry_run,
      "print the run file that these options make, and stop", NULL },
  };
  g_autoptr (GPtrArray) given_texts = g_ptr_array_new_full (n, g_free);
  char **values; /* one for each parameter; %NULL where it is not given */
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autofree GOptionEntry *entries = NULL;
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_autoptr (GHashTable) given = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (Workspace) workspace = NULL;
  GError *error = NULL;
  int code;

  g_ptr_array_set_size (given_texts, (gint) n);
  values = (char **) given_texts->pdata;
  switches = given;
  entries = parameter_entries (values, G_N_ELEMENTS (fixed), fixed, texts);
  for (guint i = 0; i < n; i++)
    if (specs[i].kind == PARAMETER_SWITCH)
      entries[G_N_ELEMENTS (fixed) + i].arg_data = on_switch;
  if (!batch_parse (batch, argc, argv, entries,
                    "Both splits are sampled if that is not done yet. Members of a sample without "
                    "a latent are left out\n"
                    "and counted (exit code 3). The run's head, metrics and predictions stay in "
                    "the workspace.",
                    &code))
    return code;
  if (batch->rest[0] != NULL)
    return batch_usage (batch, "%s: not understood", batch->rest[0]);
  if (config != NULL && !train_parameters_load (parameters, config, &error))
    return batch_fail (error);
  if (!apply_options (parameters, values, &error))
    return batch_fail (error);
  if (dry_run)
    {
      g_autofree char *text = train_parameters_text (parameters);

      fputs (text, stdout);
      return BATCH_DONE;
    }
  workspace = batch_open (batch, FALSE, &code);
  return workspace != NULL ? batch_train (batch, workspace, parameters, watch, NULL) : code;
}

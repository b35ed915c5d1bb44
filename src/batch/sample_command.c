#include "batch/steps.h"

#include "report/json.h"
#include "report/tables.h"
#include "study/sample_job.h"

#include <stdio.h>

static json_t *
sample_json (const StudySample *study)
{
  const CatalogSample *sample = study->sample;
  json_t *object = json_object (), *labels = json_array ();

  json_object_set_new (object, "name", json_string (sample->name));
  json_object_set_new (object, "split", json_string (catalog_split_name (sample->split)));
  json_object_set_new (object, "n", json_integer (sample->n));
  json_object_set_new (object, "of", json_integer (sample->of));
  json_object_set_new (object, "lacking", json_integer (study->lacking));
  json_object_set_new (object, "fraction", json_real (sample->fraction));
  json_object_set_new (object, "seed", json_integer ((json_int_t) sample->seed));
  json_object_set_new (object, "max_label_deviation",
                       report_json_number (study->shares.max_deviation));
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      json_t *share = json_object ();

      json_object_set_new (share, "name", json_string (catalog_label_name (label)));
      json_object_set_new (share, "share_all", report_json_number (study->shares.share_all[label]));
      json_object_set_new (share, "share_sample",
                           report_json_number (study->shares.share_sample[label]));
      json_array_append_new (labels, share);
    }
  json_object_set_new (object, "labels", labels);
  return object;
}

int
batch_sample (const Batch *batch, StudySample *study)
{
  int code = batch_run (batch, "sample", study_sample, study, study->workspace, NULL, NULL, NULL);

  if (code != BATCH_DONE)
    return code;
  if (batch->json)
    batch_print_json (sample_json (study));
  else
    {
      g_autofree char *shares =
          report_shares_text (study->shares.share_all, study->shares.share_sample, CATALOG_N_LABELS,
                              batch_label_names ());

      batch_print ("sample %s: %u of %u\n%slargest deviation %.3f points\n", study->sample->name,
                   study->sample->n, study->sample->of, shares, study->shares.max_deviation * 100);
      if (study->lacking > 0)
        batch_print ("%u kept rows have no scan in %s\n", study->lacking, study->volumes_directory);
    }
  fflush (stdout);
  return BATCH_DONE;
}

int
command_sample (Batch *batch, int argc, char **argv)
{
  g_autofree char *split = NULL, *name = NULL, *volumes = NULL;
  double fraction = 0.15;
  gint64 seed = 42;
  gboolean available = FALSE;
  const GOptionEntry entries[] = {
    { "split", 0, 0, G_OPTION_ARG_STRING, &split, "train or valid", "S" },
    { "fraction", 0, 0, G_OPTION_ARG_DOUBLE, &fraction, "share of the split (default: 0.15)", "F" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "breaks ties (default: 42)", "N" },
    { "name", 0, 0, G_OPTION_ARG_STRING, &name, "what to call it (default: split-fraction-seed)",
      "NAME" },
    { "available", 0, 0, G_OPTION_ARG_NONE, &available, "only among the scans that --volumes holds",
      NULL },
    { "volumes", 0, 0, G_OPTION_ARG_FILENAME, &volumes, "folder of scans, searched through",
      "DIR" },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (StudySample) study = { 0 };
  g_autoptr (Workspace) workspace = NULL;
  GError *error = NULL;
  int code;

  if (!batch_parse (
          batch, argc, argv, entries,
          "Iterative stratification: every label keeps its share, and the sample has exactly\n"
          "fraction x N members, halves rounded up. A sample of the same name is replaced.",
          &code))
    return code;
  if (split == NULL || batch->rest[0] != NULL)
    return batch_usage (batch, "give --split train or --split valid");
  if (!catalog_split_parse (split, &study.split, &error))
    return batch_fail (error);
  if (!(fraction > 0 && fraction <= 1))
    return batch_usage (batch, "--fraction: give a number above 0, up to 1");
  if (seed < 0)
    return batch_usage (batch, "--seed: give 0 or more");
  if (available != (volumes != NULL))
    return batch_usage (batch, "--available and --volumes DIR go together");
  workspace = batch_open (batch, FALSE, &code);
  if (workspace == NULL)
    return code;
  study.workspace = workspace;
  study.name = name;
  study.fraction = fraction;
  study.seed = (guint64) seed;
  study.volumes_directory = volumes;
  return batch_sample (batch, &study);
}

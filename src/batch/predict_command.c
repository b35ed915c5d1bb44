#include "batch/volume_options.h"

#include "report/json.h"
#include "report/text_table.h"
#include "study/predict_job.h"

#include <stdio.h>

static void
print_json (const StudyPredict *study, json_t *skipped)
{
  json_t *object = json_object (), *predictions = json_array ();

  for (guint i = 0; i < study->predictions->len; i++)
    {
      const StudyPrediction *prediction = &g_array_index (study->predictions, StudyPrediction, i);
      json_t *item = json_object (), *probabilities = json_object ();

      for (guint label = 0; label < CATALOG_N_LABELS; label++)
        json_object_set_new (probabilities, catalog_label_name (label),
                             json_real (prediction->probabilities[label]));
      json_object_set_new (item, "volume", report_json_string (prediction->volume));
      json_object_set_new (item, "probabilities", probabilities);
      json_array_append_new (predictions, item);
    }
  json_object_set_new (object, "run", json_string (study->run_name));
  json_object_set_new (object, "predictions", predictions);
  json_object_set_new (object, "skipped", skipped);
  batch_print_json (object);
}

static void
print_text (const StudyPredict *study)
{
  for (guint i = 0; i < study->predictions->len; i++)
    {
      const StudyPrediction *prediction = &g_array_index (study->predictions, StudyPrediction, i);
      g_autoptr (TextTable) table = text_table_new ("lrl");

      for (guint label = 0; label < CATALOG_N_LABELS; label++)
        {
          g_autofree char *probability = report_decimals (prediction->probabilities[label], 3);

          text_table_row (table, catalog_label_name (label), probability,
                          prediction->probabilities[label] >= study->thresholds[label] ? "called"
                                                                                       : "");
        }
      batch_print ("%s%s (%s)\n%s", i > 0 ? "\n" : "", prediction->volume, study->run_name,
                   text_table_text (table));
    }
}

int
command_predict (Batch *batch, int argc, char **argv)
{
  g_auto (VolumeOptions) options = { 0 };
  g_autofree char *run = NULL, *device = NULL;
  const GOptionEntry entries[] = {
    { "run", 0, 0, G_OPTION_ARG_STRING, &run,
      "the run's name or number, or latest: the last that is done (default)", "R" },
    { "device", 0, 0, G_OPTION_ARG_STRING, &device,
      "auto (default), cpu, cuda:N, or torch: libtorch on the processor", "DEVICE" },
    VOLUME_POLICY_ENTRIES (options, "the run's", "the run's"),
    VOLUME_METADATA_ENTRIES (options),
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (Workspace) workspace = NULL;
  g_auto (StudyPredict) study = { 0 };
  json_t *skipped = NULL;
  int code;

  if (!batch_parse (batch, argc, argv, entries,
                    "Files are prepared with the --rescale and --orient that the run's own scans "
                    "were encoded with, and one\n"
                    "whose name is in the workspace's records with its CSV row's numbers, unless "
                    "the options say otherwise.\n"
                    "For exploration, not for diagnosis.",
                    &code)
      || !volume_options_finish (batch, &options, &code))
    return code;
  if (batch->rest[0] == NULL)
    return batch_usage (batch, "name one file or more");
  workspace = batch_open (batch, FALSE, &code);
  if (workspace == NULL)
    return code;
  study.workspace = workspace;
  study.run = run != NULL ? run : "latest";
  study.files = batch->rest;
  study.device = device != NULL ? device : "auto";
  study.threads = (guint) batch->threads;
  study.rescale = options.rescale_text != NULL ? &options.rescale : NULL;
  study.orient = options.orient_text != NULL ? &options.orient : NULL;
  study.metadata = options.metadata;
  code = batch_run (batch, "predict", study_predict, &study, NULL, NULL, NULL, &skipped);
  if (skipped == NULL)
    return code;
  if (study.predictions->len == 0)
    code = BATCH_FAILED;
  if (batch->json)
    print_json (&study, json_incref (skipped));
  else
    print_text (&study);
  json_decref (skipped);
  return code;
}

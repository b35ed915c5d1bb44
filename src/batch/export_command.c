#include "batch/batch.h"

#include "report/json.h"
#include "report/text_table.h"
#include "study/export_job.h"

#include <stdio.h>

int
command_export (Batch *batch, int argc, char **argv)
{
  g_autofree char *out = NULL, *run = NULL, *sample = NULL, *encoder_name = NULL, *query = NULL,
                  *class_name = NULL;
  g_auto (GStrv) with_runs = NULL;
  gboolean dropped = FALSE;
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "the file to write (plots: the directory)",
      "FILE" },
    { "run", 0, 0, G_OPTION_ARG_STRING, &run,
      "of everything that is made of a run (default: latest, the last that is done)", "R" },
    { "with", 0, 0, G_OPTION_ARG_STRING_ARRAY, &with_runs,
      "the other run of a comparison; may be repeated", "R" },
    { "class", 0, 0, G_OPTION_ARG_STRING, &class_name, "the finding of a roc or histogram",
      "NAME" },
    { "sample", 0, 0, G_OPTION_ARG_STRING, &sample, "the sample (needed where there are several)",
      "NAME" },
    { "encoder-name", 0, 0, G_OPTION_ARG_STRING, &encoder_name,
      "whose latents (default: the last used)", "NAME" },
    { "query", 'q', 0, G_OPTION_ARG_STRING, &query, "which records (see records --help)", "Q" },
    { "dropped", 0, 0, G_OPTION_ARG_NONE, &dropped, "records that cleaning dropped too", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (Workspace) workspace = NULL;
  StudyExport study = { 0 };
  GError *error = NULL;
  int code;

  if (!batch_parse (
          batch, argc, argv, entries,
          "WHAT is\n"
          "  records       CSV\n"
          "  sample        CSV: the members with their labels\n"
          "  latents       .npy, and the volume names beside it as .txt (import-latents reads "
          "both)\n"
          "  metrics       every class of every epoch: CSV, or JSON where FILE ends in .json\n"
          "  predictions   of the validation sample: CSV, or JSON\n"
          "  head          safetensors, with its parameters\n"
          "  checkpoint    PyTorch's own format: the encoder's tensors and the head's\n"
          "  plots         PNG pictures into a directory: roc, histograms, auroc, losses\n"
          "  roc           PNG: the ROC curve of one class, with its AUROC and threshold\n"
          "  histogram     PNG: the probabilities of one class's positives and negatives\n"
          "  comparison    AUROC of two runs class by class, with the differences and DeLong's "
          "test: PNG, or CSV, JSON or text where FILE ends in .csv, .json or .txt; these also of "
          "several runs, each minus the first",
          &code))
    return code;
  if (batch->rest[0] == NULL || batch->rest[1] != NULL || out == NULL)
    return batch_usage (batch, "say what to export, and --out FILE");
  if (!export_what_parse (batch->rest[0], &study.what, &error))
    return batch_fail (error);
  workspace = batch_open (batch, FALSE, &code);
  if (workspace == NULL)
    return code;
  study.workspace = workspace;
  study.out_path = out;
  study.replace = batch->force;
  study.run = run != NULL ? run : "latest";
  study.with_runs = (const char *const *) with_runs;
  study.class_name = class_name;
  study.sample = sample;
  study.encoder_name = encoder_name;
  study.query = query;
  study.list = (CatalogListOptions){ .split = -1, .with_dropped = dropped };
  code = batch_run (batch, "export", study_export, &study, NULL, NULL, NULL, NULL);
  if (code != BATCH_DONE)
    return code;
  if (batch->json)
    batch_print_json (json_pack ("{s:s, s:o, s:I}", "exported", batch->rest[0], "out",
                                 report_json_string (out), "written", (json_int_t) study.written));
  else
    {
      g_autofree char *written = report_count (study.written);

      batch_print ("%s: %s (%s)\n", out, batch->rest[0], written);
    }
  return BATCH_DONE;
}

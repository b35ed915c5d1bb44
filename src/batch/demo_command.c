#include "batch/steps.h"

#include "base/version.h"
#include "report/json.h"
#include "report/text_table.h"
#include "study/demo_job.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>

#define DEFAULT_DIRECTORY "ctclip-demo"

/** A heading on stdout; JSON Lines need none. */
static void
heading (const Batch *batch, const char *text)
{
  if (batch->json)
    return;
  printf ("\n== %s\n", text);
  fflush (stdout);
}

static int
sample_and_encode (const Batch *batch, Workspace *workspace, const StudyDemo *demo,
                   CatalogSplit split)
{
  g_auto (StudySample) sample = {
    .workspace = workspace, .split = split, .fraction = demo->fraction, .seed = demo->seed
  };
  int code = batch_sample (batch, &sample);

  if (code != BATCH_DONE)
    return code;
  {
    g_auto (StudyEncode) encode = { .workspace = workspace,
                                    .options = { .checkpoint = demo->checkpoint,
                                                 .device = "cpu",
                                                 .threads = (guint) batch->threads,
                                                 .rescale = VOLUME_RESCALE_AUTO,
                                                 .orient = VOLUME_ORIENT_LPS },
                                    .volumes_directory = demo->volumes,
                                    .sample = sample.sample->name,
                                    .split = -1 };

    return batch_encode_cohort (batch, &encode);
  }
}

/** The run itself, or its control with shuffled labels. */
static int
train (const Batch *batch, Workspace *workspace, const StudyDemo *demo, gboolean permute,
       JobEpoch **last)
{
  g_autoptr (TrainParameters) parameters = study_demo_parameters (demo);

  parameters->permute_labels = permute;
  return batch_train (batch, workspace, parameters, FALSE, last);
}

static void
summarize (const Batch *batch, const char *workspace, const JobEpoch *run, const JobEpoch *control,
           double seconds)
{
  MetricsInterval of_run = run->table->macro_auroc, of_control = control->table->macro_auroc;

  if (batch->json)
    {
      batch_print_json (json_pack (
          "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "workspace", report_json_string (workspace),
          "macro_auroc", report_json_number (of_run.value), "macro_auroc_low",
          report_json_number (of_run.low), "macro_auroc_high", report_json_number (of_run.high),
          "control_macro_auroc", report_json_number (of_control.value), "control_macro_auroc_low",
          report_json_number (of_control.low), "control_macro_auroc_high",
          report_json_number (of_control.high), "seconds", seconds));
      return;
    }
  {
    const char *call = version_call ();
    g_autofree char *duration = report_duration (seconds);
    g_autofree char *run_auroc = report_decimals (of_run.value, 3);
    g_autofree char *run_interval = report_interval (of_run.low, of_run.high);
    g_autofree char *control_auroc = report_decimals (of_control.value, 3);
    g_autofree char *control_interval = report_interval (of_control.low, of_control.high);

    printf ("\nHeld-out macro AUROC %s %s; with shuffled labels %s %s.\n", run_auroc, run_interval,
            control_auroc, control_interval);
    printf ("All of it took %s. The workspace is %s: try\n"
            "  %s -w %s\n"
            "  %s --batch runs -w %s\n"
            "  %s --batch train -w %s --fraction %g --gamma 1\n"
            "  %s --batch records -w %s --query 'emphysema AND age > 60'\n",
            duration, workspace, call, workspace, call, workspace, call, workspace,
            STUDY_DEMO_FRACTION, call, workspace);
  }
}

static int
run_demo (const Batch *batch, Workspace *workspace, StudyDemo *demo)
{
  gint64 started_us = g_get_monotonic_time ();
  JobEpoch *run = NULL, *control = NULL;
  int code;

  heading (batch, "a synthetic cohort in CT-RATE's formats, and a small encoder");
  code = batch_run (batch, "demo", study_demo, demo, workspace, NULL, NULL, NULL);
  if (code != BATCH_DONE)
    return code;
  if (!batch->json)
    batch_print ("%u scans in %s; encoder %s\n", demo->scans, demo->directory, demo->checkpoint);
  heading (batch, "import: what cleaning keeps");
  code = batch_import_directory (batch, workspace, demo->directory, -1, FALSE);
  /* The tables hold a few broken rows on purpose. */
  if (code != BATCH_DONE && code != BATCH_SKIPPED)
    return code;
  heading (batch, "sample and encode: training");
  code = sample_and_encode (batch, workspace, demo, CATALOG_SPLIT_TRAIN);
  if (code != BATCH_DONE)
    return code;
  heading (batch, "sample and encode: validation");
  code = sample_and_encode (batch, workspace, demo, CATALOG_SPLIT_VALID);
  if (code != BATCH_DONE)
    return code;
  heading (batch, "train");
  code = train (batch, workspace, demo, FALSE, &run);
  if (code == BATCH_DONE)
    {
      heading (batch, "the control: the same with shuffled labels");
      code = train (batch, workspace, demo, TRUE, &control);
    }
  if (code == BATCH_DONE)
    summarize (batch, workspace_directory (workspace), run, control,
               (double) (g_get_monotonic_time () - started_us) / G_USEC_PER_SEC);
  g_clear_pointer (&run, job_epoch_unref);
  g_clear_pointer (&control, job_epoch_unref);
  return code;
}

/** The encoder alone, to see how it comes to be or to have it for other scans. */
static int
make_encoder (const Batch *batch, const char *directory, guint64 seed)
{
  StudyDemoEncoder encoder = { .directory = directory,
                               .seed = seed,
                               .threads = (guint) batch->threads };
  int code = batch_run (batch, "demo", study_demo_encoder, &encoder, NULL, NULL, NULL, NULL);

  if (code == BATCH_DONE && batch->json)
    batch_print_json (json_pack ("{s:o}", "directory", report_json_string (directory)));
  else if (code == BATCH_DONE)
    batch_print ("%s: demo-ctvit.pt and demo-ctvit.ini\n", directory);
  return code;
}

int
command_demo (Batch *batch, int argc, char **argv)
{
  gint64 seed = STUDY_DEMO_SEED;
  g_autofree char *encoder_directory = NULL;
  const GOptionEntry entries[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "another cohort and another encoder", "N" },
    { "make-encoder", 0, 0, G_OPTION_ARG_FILENAME, &encoder_directory,
      "only make the encoder, in this folder, and stop", "DIR" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (Workspace) workspace = NULL;
  g_auto (StudyDemo) demo = { 0 };
  g_autofree char *directory = NULL, *store = NULL;
  int code;

  if (!batch_parse (
          batch, argc, argv, entries,
          "DIR becomes the workspace (default: -w, else ./ctclip-demo); the phantoms and the "
          "encoder lie in\n"
          "DIR/demo. --force does it again in a workspace that exists; what is encoded stays.",
          &code))
    return code;
  if (batch->rest[0] != NULL && batch->rest[1] != NULL)
    return batch_usage (batch, "give one directory");
  if (seed < 0)
    return batch_usage (batch, "--seed: give 0 or more");
  if (encoder_directory != NULL)
    return make_encoder (batch, encoder_directory, (guint64) seed);
  directory = g_strdup (batch->rest[0] != NULL     ? batch->rest[0]
                        : batch->workspace != NULL ? batch->workspace
                                                   : DEFAULT_DIRECTORY);
  store = g_build_filename (directory, "workspace.sqlite", NULL);
  if (!batch->force && g_file_test (store, G_FILE_TEST_EXISTS))
    return batch_usage (batch, "%s: a workspace is there; give another directory, or --force",
                        directory);
  g_free (batch->workspace);
  batch->workspace = g_strdup (directory);
  workspace = batch_open (batch, TRUE, &code);
  if (workspace == NULL)
    return code;
  demo.workspace = workspace;
  demo.seed = (guint64) seed;
  demo.threads = (guint) batch->threads;
  return run_demo (batch, workspace, &demo);
}

#include "study/demo_job.h"

#include "base/error.h"
#include "study/demo_cohort.h"
#include "study/demo_encoder.h"
#include "study/demo_tables.h"
#include "study/experiment_job.h"
#include "study/import_job.h"

#include <errno.h>
#include <glib/gstdio.h>

#define TRAIN_SCANS 1000
#define VALID_SCANS 400
#define LEARNING_RATE 0.002 /* a few hundred scans make few steps */

static void
report_progress (guint64 done, guint64 total, gpointer user_data)
{
  job_progress (user_data, done);
}

gboolean
study_demo_encoder (Job *job, gpointer data, GError **error)
{
  const StudyDemoEncoder *study = data;
  g_autoptr (Engine) engine = NULL;

  job_stage (job, "making the encoder", "phantoms", 0);
  if (g_mkdir_with_parents (study->directory, 0777) != 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: cannot be made: %s", study->directory,
                   g_strerror (errno));
      return FALSE;
    }
  engine = engine_open ("cpu", study->threads, error);
  return engine != NULL
         && demo_encoder_write (study->directory, engine, study->seed, study->threads,
                                report_progress, job, job_cancellable (job), error);
}

gboolean
study_demo (Job *job, gpointer data, GError **error)
{
  StudyDemo *demo = data;
  StudyDemoEncoder encoder = { .seed = demo->seed, .threads = demo->threads };
  DemoCohortOptions options = { .n_train = demo->n_train > 0 ? demo->n_train : TRAIN_SCANS,
                                .n_valid = demo->n_valid > 0 ? demo->n_valid : VALID_SCANS,
                                .seed = demo->seed,
                                .threads = demo->threads };

  demo->directory = g_build_filename (workspace_directory (demo->workspace), "demo", NULL);
  demo->volumes = g_build_filename (demo->directory, "volumes", NULL);
  demo->checkpoint = g_build_filename (demo->directory, DEMO_ENCODER_CHECKPOINT, NULL);
  demo->fraction = STUDY_DEMO_FRACTION;
  encoder.directory = demo->directory;
  demo->scans = options.n_train + options.n_valid;
  job_stage (job, "painting phantoms", "scans", demo->scans);
  return demo_cohort_write (demo->directory, &options, report_progress, job, job_cancellable (job),
                            error)
         && study_demo_encoder (job, &encoder, error);
}

TrainParameters *
study_demo_parameters (const StudyDemo *demo)
{
  TrainParameters *parameters = train_parameters_new ();

  parameters->fraction = demo->fraction;
  parameters->seed = demo->seed;
  parameters->learning_rate = LEARNING_RATE;
  return parameters;
}

void
study_demo_clear (StudyDemo *demo)
{
  g_clear_pointer (&demo->directory, g_free);
  g_clear_pointer (&demo->volumes, g_free);
  g_clear_pointer (&demo->checkpoint, g_free);
}

/* ---- all of it ---- */

static char *
table_path (const StudyDemo *demo, CatalogSplit split, DemoTable table)
{
  return g_build_filename (demo->directory, demo_table_name (split, table), NULL);
}

static gboolean
import_split (StudyDemoAll *all, Job *job, CatalogSplit split, GError **error)
{
  g_autofree char *reports = table_path (&all->demo, split, DEMO_TABLE_REPORTS);
  g_autofree char *labels = table_path (&all->demo, split, DEMO_TABLE_LABELS);
  g_autofree char *metadata = table_path (&all->demo, split, DEMO_TABLE_METADATA);
  g_autofree char *no_chest = table_path (&all->demo, split, DEMO_TABLE_NO_CHEST);
  StudyImport import = { .workspace = all->demo.workspace,
                         .options = { .split = split,
                                      .reports_path = reports,
                                      .labels_path = labels,
                                      .metadata_path = metadata,
                                      .no_chest_path = no_chest } };

  if (!study_import (job, &import, error))
    return FALSE;
  all->funnels[split] = import.funnel;
  return job_checkpoint (job, error);
}

static gboolean
run_experiment (StudyDemoAll *all, Job *job, const TrainParameters *parameters, GError **error)
{
  g_auto (StudyExperiment) experiment = { .workspace = all->demo.workspace,
                                          .parameters = parameters,
                                          .checkpoint = all->demo.checkpoint,
                                          .volumes_directory = all->demo.volumes,
                                          .threads = all->demo.threads,
                                          .cache = all->cache };
  gboolean done = study_experiment (job, &experiment, error);

  all->run = g_steal_pointer (&experiment.run);
  return done;
}

static gboolean
run_control (StudyDemoAll *all, Job *job, TrainParameters *parameters, GError **error)
{
  g_auto (StudyTrain) train = { .workspace = all->demo.workspace,
                                .parameters = parameters,
                                .threads = all->demo.threads,
                                .unpublished = TRUE };
  gboolean done;

  parameters->permute_labels = TRUE;
  done = study_train (job, &train, error);
  all->control_run = g_steal_pointer (&train.run);
  return done;
}

gboolean
study_demo_all (Job *job, gpointer data, GError **error)
{
  StudyDemoAll *all = data;
  g_autoptr (TrainParameters) parameters = NULL;

  if (!study_demo (job, &all->demo, error) || !job_checkpoint (job, error)
      || !import_split (all, job, CATALOG_SPLIT_TRAIN, error)
      || !import_split (all, job, CATALOG_SPLIT_VALID, error))
    return FALSE;
  parameters = study_demo_parameters (&all->demo);
  return run_experiment (all, job, parameters, error)
         && (!all->control || run_control (all, job, parameters, error));
}

void
study_demo_all_clear (StudyDemoAll *demo)
{
  study_demo_clear (&demo->demo);
  g_clear_pointer (&demo->run, catalog_run_free);
  g_clear_pointer (&demo->control_run, catalog_run_free);
}

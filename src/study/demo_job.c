#include "study/demo_job.h"

#include "base/error.h"
#include "study/demo_cohort.h"
#include "study/demo_encoder.h"

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
  DemoCohortOptions options = {
    .n_train = TRAIN_SCANS, .n_valid = VALID_SCANS, .seed = demo->seed, .threads = demo->threads
  };

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

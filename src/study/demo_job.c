#include "study/demo_job.h"

#include "study/demo_cohort.h"
#include "study/demo_encoder.h"

#define TRAIN_SCANS 800
#define VALID_SCANS 300
#define LEARNING_RATE 0.002 /* a few hundred scans make few steps */

static void
report_progress (guint64 done, guint64 total, gpointer user_data)
{
  job_progress (user_data, done);
}

/** The encoder is made without a label, from phantoms of another seed; see demo_encoder.h. */
static gboolean
make_encoder (Job *job, StudyDemo *demo, GError **error)
{
  g_autoptr (Engine) engine = engine_open ("cpu", demo->threads, error);

  job_stage (job, "making the encoder", "phantoms", 0);
  if (engine == NULL
      || !demo_encoder_write (demo->directory, engine, demo->seed, demo->threads, report_progress,
                              job, job_cancellable (job), error))
    return FALSE;
  demo->checkpoint = g_build_filename (demo->directory, DEMO_ENCODER_CHECKPOINT, NULL);
  return TRUE;
}

gboolean
study_demo (Job *job, gpointer data, GError **error)
{
  StudyDemo *demo = data;
  DemoCohortOptions options = {
    .n_train = TRAIN_SCANS, .n_valid = VALID_SCANS, .seed = demo->seed, .threads = demo->threads
  };

  demo->directory = g_build_filename (workspace_directory (demo->workspace), "demo", NULL);
  demo->volumes = g_build_filename (demo->directory, "volumes", NULL);
  demo->fraction = STUDY_DEMO_FRACTION;
  demo->scans = options.n_train + options.n_valid;
  job_stage (job, "painting phantoms", "scans", demo->scans);
  return demo_cohort_write (demo->directory, &options, report_progress, job, job_cancellable (job),
                            error)
         && make_encoder (job, demo, error);
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

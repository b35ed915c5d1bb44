/* From the form to a run that is kept. */
#include "experiment_private.h"

typedef struct
{
  StudyExperiment study;
  TrainParameters *parameters;
  char *checkpoint, *description, *volumes;
} Start;

static void
start_free (Start *start)
{
  study_experiment_clear (&start->study);
  train_parameters_free (start->parameters);
  g_free (start->checkpoint);
  g_free (start->description);
  g_free (start->volumes);
  g_free (start);
}

static void
trained (App *app, gpointer data, const GError *error)
{
  Start *start = data;

  if (error == NULL)
    {
      const CatalogRun *run = start->study.run;
      guint skips = app_job_snapshot (app) != NULL ? app_job_snapshot (app)->skips->len : 0;
      g_autofree char *left_out =
          skips > 0 ? g_strdup_printf ("; %u scans left out (f)", skips) : g_strdup ("");

      app_choose_run (app, run->id, run->name, app_chosen_run (app)->class_index);
      app_message (app, "Run %s is done: macro AUROC %.3f after epoch %d%s", run->name,
                   run->macro_auroc, run->kept_epoch, left_out);
      /* Who went to look at something else meanwhile stays there. */
      if (app_screen (app) == SCREEN_TRAINING || app_screen (app) == SCREEN_EXPERIMENT)
        app_show_run (app, run->id);
    }
  start_free (start);
}

static void
start_now (gpointer data)
{
  Experiment *self = data;
  Start *start = g_new0 (Start, 1);

  experiment_live_cancel (self);
  start->parameters = train_parameters_copy (app_parameters (self->app));
  start->checkpoint = g_strdup (experiment_checkpoint (self));
  start->description = g_strdup (experiment_description (self));
  start->volumes = g_strdup (app_volumes_directory (self->app));
  start->study = (StudyExperiment){ .workspace = self->workspace,
                                    .parameters = start->parameters,
                                    .checkpoint = start->checkpoint,
                                    .description = start->description,
                                    .volumes_directory = start->volumes,
                                    .threads = app_options (self->app)->threads };
  if (app_start_job (self->app, "experiment", study_experiment, start, trained))
    app_go_to (self->app, SCREEN_TRAINING);
}

/** Say what is missing for the encoding, with the cursor on it; FALSE where something is. */
static gboolean
can_encode (Experiment *self)
{
  FormKind missing = experiment_checkpoint (self) == NULL ? FORM_CHECKPOINT : FORM_VOLUMES;
  guint n;
  const FormRow *rows = form_rows (&n);

  if (experiment_checkpoint (self) != NULL && app_volumes_directory (self->app) != NULL)
    return TRUE;
  for (guint i = 0; i < n; i++)
    if (rows[i].kind == missing)
      self->list.cursor = i;
  app_error (self->app, "%" G_GSIZE_FORMAT " scans have no latent yet: Enter fills in %s",
             self->plan.to_encode,
             missing == FORM_CHECKPOINT ? "the encoder's checkpoint" : "the folder with the scans");
  return FALSE;
}

void
experiment_start (gpointer screen)
{
  Experiment *self = screen;
  g_autofree char *question = NULL, *time = NULL;

  self->start_when_planned = self->planning != NULL;
  if (self->start_when_planned)
    return;
  if (self->plan_fault != NULL || !self->planned)
    {
      app_error (self->app, "%s",
                 self->plan_fault != NULL
                     ? self->plan_fault
                     : "no workspace is open yet; :demo or an import makes one");
      return;
    }
  if (self->plan.to_encode == 0)
    {
      start_now (self);
      return;
    }
  if (!can_encode (self))
    return;
  time = experiment_duration (self->plan.seconds);
  question = g_strdup_printf ("%" G_GSIZE_FORMAT " scans must be encoded first (%s). Go on?",
                              self->plan.to_encode, time);
  app_confirm (self->app, question, start_now, self);
}

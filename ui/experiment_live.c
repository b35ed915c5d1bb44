/* Live mode: a run that is only looked at, after every change that has its latents. */
#include "experiment_private.h"

#include <math.h>

#define DEBOUNCE_MS 60

static void
preview_free (Preview *preview)
{
  job_free (preview->job);
  study_train_clear (&preview->train);
  train_parameters_free (preview->parameters);
  g_free (preview);
}

gboolean
experiment_live_ready (const Experiment *self)
{
  return self->planned && self->plan.splits[CATALOG_SPLIT_TRAIN].cached > 0
         && self->plan.splits[CATALOG_SPLIT_VALID].cached > 0;
}

void
experiment_live_try (Experiment *self)
{
  Preview *preview;

  if (!self->live || !self->live_due || self->debounce != 0 || self->planning != NULL
      || self->preview != NULL || app_job_running (self->app) || !experiment_live_ready (self))
    return;
  self->live_due = FALSE;
  g_clear_pointer (&self->live_fault, g_free);
  preview = g_new0 (Preview, 1);
  preview->parameters = train_parameters_copy (app_parameters (self->app));
  g_free (preview->parameters->encoder_name);
  preview->parameters->encoder_name = g_strdup (self->plan.encoder);
  preview->started_us = app_clock_us (self->app);
  preview->train =
      (StudyTrain){ .workspace = self->workspace,
                    .parameters = preview->parameters,
                    .threads = app_options (self->app)->threads,
                    .preview = TRUE,
                    .cache = self->train_cache != NULL ? g_steal_pointer (&self->train_cache)
                                                       : study_train_cache_new () };
  preview->job = job_start ("preview", study_train, &preview->train);
  self->preview = preview;
  job_set_wakeup (preview->job, app_wake, self->app);
  app_wake (self->app); /* it may have ended already */
}

static gboolean
changes_paused (gpointer data)
{
  Experiment *self = data;

  self->debounce = 0;
  experiment_live_try (self);
  app_redraw (self->app);
  return G_SOURCE_REMOVE;
}

void
experiment_live_changed (Experiment *self)
{
  experiment_live_cancel (self);
  if (!self->live)
    return;
  self->live_due = TRUE;
  if (self->debounce != 0)
    g_source_remove (self->debounce);
  self->debounce = g_timeout_add (DEBOUNCE_MS, changes_paused, self);
}

void
experiment_live_cancel (Experiment *self)
{
  if (self->preview != NULL)
    job_cancel (self->preview->job);
}

/** What the table shows from now on; a result that was complete is what it is compared with. */
static void
take_epochs (Experiment *self, GPtrArray *epochs)
{
  if (self->complete)
    {
      g_clear_pointer (&self->last, job_epoch_unref);
      self->last = job_epoch_ref (g_ptr_array_index (self->epochs, self->shown));
    }
  g_clear_pointer (&self->epochs, g_ptr_array_unref);
  self->epochs = g_ptr_array_ref (epochs);
  self->shown = epochs->len - 1;
  self->complete = FALSE;
}

/** Take over what a preview leaves behind. Waits only where it is still at work. */
static void
end_preview (Experiment *self, JobState state)
{
  Preview *preview = g_steal_pointer (&self->preview);
  g_autoptr (GError) error = NULL;

  job_wait (preview->job, &error);
  if (preview->train.workspace != self->workspace)
    g_clear_pointer (&preview->train.cache, study_train_cache_free);
  else if (state == JOB_DONE)
    {
      self->live_s = (double) (app_clock_us (self->app) - preview->started_us) / G_USEC_PER_SEC;
      self->shown = preview->train.kept_epoch - 1;
      self->complete = TRUE;
    }
  else if (state == JOB_FAILED)
    self->live_fault = g_strdup (error->message);
  self->train_cache = g_steal_pointer (&preview->train.cache);
  preview_free (preview);
}

void
experiment_live_woken (Experiment *self)
{
  g_auto (JobSnapshot) snapshot = { 0 };

  if (self->preview == NULL)
    return;
  job_snapshot (self->preview->job, &snapshot);
  if (snapshot.epochs->len > 0 && snapshot.state != JOB_CANCELLED
      && self->preview->train.workspace == self->workspace)
    take_epochs (self, snapshot.epochs);
  if (snapshot.state != JOB_RUNNING)
    {
      end_preview (self, snapshot.state);
      experiment_live_try (self);
    }
  app_redraw (self->app);
}

void
experiment_live_forget (Experiment *self)
{
  experiment_live_cancel (self);
  if (self->debounce != 0)
    g_source_remove (self->debounce);
  self->debounce = 0;
  self->live_due = self->complete = FALSE;
  self->live_s = NAN;
  g_clear_pointer (&self->train_cache, study_train_cache_free);
  g_clear_pointer (&self->live_fault, g_free);
  g_clear_pointer (&self->epochs, g_ptr_array_unref);
  g_clear_pointer (&self->last, job_epoch_unref);
}

void
experiment_live_end (Experiment *self)
{
  experiment_live_cancel (self);
  if (self->preview != NULL)
    end_preview (self, JOB_CANCELLED);
  experiment_live_forget (self);
}

char *
experiment_live_words (Experiment *self)
{
  if (!self->live)
    return g_strdup (self->epochs != NULL ? "live: off (an earlier result)" : "live: off");
  if (app_job_running (self->app))
    return g_strdup_printf ("live: waits for %s", app_job_title (self->app));
  if (self->preview != NULL && self->epochs != NULL && !self->complete)
    return g_strdup_printf ("live: epoch %u/%u", self->epochs->len,
                            self->preview->parameters->epochs);
  if (self->preview != NULL)
    return g_strdup ("live: training");
  if (self->live_fault != NULL || (self->planned && !experiment_live_ready (self)))
    return g_strdup ("live: not possible");
  if (self->live_due || isnan (self->live_s))
    return g_strdup ("live: starts");
  if (self->plan.to_encode > 0)
    return g_strdup_printf ("live: %.2f s, without %" G_GSIZE_FORMAT " scans", self->live_s,
                            self->plan.to_encode);
  return g_strdup_printf ("live: %.2f s", self->live_s);
}

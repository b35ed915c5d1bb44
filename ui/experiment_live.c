/* Live mode: a run that is only looked at, after every change that has its latents. */
#include "experiment_private.h"

#include "runs_table.h"

#include <math.h>
#include <string.h>

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

/** What must be the same for two results to be compared: who is judged, and by which latents. */
static char *
cohort_of (const TrainParameters *parameters)
{
  static const char *const names[] = { "fraction",     "seed",         "train-sample",
                                       "valid-sample", "encoder-name", "permute-labels" };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *value = train_parameters_get (parameters, names[i]);

      g_string_append_printf (text, "%s\n", value);
    }
  return g_string_free (text, FALSE);
}

static void
forget_best (Experiment *self)
{
  g_clear_pointer (&self->best, train_parameters_free);
  g_clear_pointer (&self->best_cohort, g_free);
}

static void
remember_best (Experiment *self, const TrainParameters *parameters, double auroc)
{
  g_autofree char *cohort = cohort_of (parameters);

  if (self->best != NULL && strcmp (cohort, self->best_cohort) != 0)
    forget_best (self);
  if (isnan (auroc) || (self->best != NULL && auroc <= self->best_auroc))
    return;
  forget_best (self);
  self->best = train_parameters_copy (parameters);
  self->best_cohort = g_steal_pointer (&cohort);
  self->best_auroc = auroc;
}

void
experiment_live_take_best (Experiment *self)
{
  g_autofree char *encoder = g_strdup (app_parameters (self->app)->encoder_name);
  g_autofree char *text = NULL, *changed = NULL;

  if (self->best == NULL)
    {
      app_message (self->app, "Nothing was tried in live mode yet (L)");
      return;
    }
  text = train_parameters_text (self->best);
  changed = runs_changed_text (text);
  train_parameters_parse (app_parameters (self->app), text, "", NULL);
  /* A preview names the encoder that an empty field means. */
  train_parameters_set (app_parameters (self->app), "encoder-name", encoder, NULL);
  app_message (self->app, "Back at macro AUROC %.3f: %s", self->best_auroc, changed);
  experiment_changed (self);
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
      remember_best (
          self, preview->parameters,
          ((JobEpoch *) g_ptr_array_index (self->epochs, self->shown))->table->macro_auroc.value);
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
  forget_best (self);
}

void
experiment_live_end (Experiment *self)
{
  experiment_live_cancel (self);
  if (self->preview != NULL)
    end_preview (self, JOB_CANCELLED);
  experiment_live_forget (self);
}

/** "live: 0.07 s, without 140 of 1400 scans; best 0.852 (b)" */
static char *
result_words (const Experiment *self)
{
  const StudyPlanSplit *splits = self->plan.splits;
  gsize n = splits[CATALOG_SPLIT_TRAIN].n + splits[CATALOG_SPLIT_VALID].n;
  gsize cached = splits[CATALOG_SPLIT_TRAIN].cached + splits[CATALOG_SPLIT_VALID].cached;
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "live: %.2f s", self->live_s);
  if (cached < n)
    g_string_append_printf (text, ", without %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " scans",
                            n - cached, n);
  if (self->best != NULL && self->epochs != NULL)
    g_string_append_printf (text, "; best %.3f (b)", self->best_auroc);
  return g_string_free (text, FALSE);
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
  return result_words (self);
}

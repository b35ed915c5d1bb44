/* Stored runs for the Training screen, read by workers on connections of their own. */
#include "training_private.h"

#include "base/error.h"
#include "catalog/labels.h"
#include "report/json.h"
#include "runs_table.h"

#include <math.h>
#include <string.h>

typedef struct
{
  Workspace *workspace;
  gint64 run_id;    /* 0: the latest */
  gboolean running; /* rather the one that is being trained, if one is */
} RunRequest;

void
training_run_free (TrainingRun *run)
{
  if (run == NULL)
    return;
  g_free (run->name);
  g_free (run->about);
  g_clear_pointer (&run->epochs, g_ptr_array_unref);
  g_free (run);
}

/** The epoch that was kept gets the scores; a run that did not finish has none. */
static JobEpoch *
with_scores (JobEpoch *epoch, const CatalogPredictions *predictions)
{
  g_autofree guint8 *labels = NULL;
  JobEpoch *scored;

  if (predictions == NULL || predictions->n_classes != epoch->table->n_classes)
    return epoch;
  labels = g_new (guint8, predictions->n * predictions->n_classes);
  for (gsize i = 0; i < predictions->n; i++)
    for (guint c = 0; c < predictions->n_classes; c++)
      labels[i * predictions->n_classes + c] = predictions->labels[i] >> c & 1;
  scored = job_epoch_new (epoch->epoch, epoch->train_loss, metrics_table_copy (epoch->table),
                          predictions->logits, labels, predictions->n);
  job_epoch_unref (epoch);
  return scored;
}

static char *
about_text (const CatalogRun *run)
{
  g_autofree char *changed = runs_changed_text (run->parameters);
  g_autofree char *when =
      runs_when (run->finished != NULL ? run->finished : run->started, G_MAXINT);

  return g_strdup_printf ("%s, %s UTC  %s", run->status, when, changed);
}

static CatalogRun *
find_run (const RunRequest *request, CatalogStore *store, GError **error)
{
  g_autoptr (GPtrArray) runs = request->running ? catalog_runs_list (store, error) : NULL;
  gint64 run_id = request->run_id;
  g_autofree char *number = NULL;

  for (guint i = 0; runs != NULL && i < runs->len; i++)
    {
      const CatalogRun *run = g_ptr_array_index (runs, i);

      if (strcmp (run->status, "running") == 0)
        run_id = run->id;
    }
  if (request->running && (run_id == 0 || runs == NULL))
    return NULL;
  if (run_id == 0)
    return catalog_run_find (store, "latest", error);
  number = g_strdup_printf ("%" G_GINT64_FORMAT, run_id);
  return catalog_run_find (store, number, error);
}

static gpointer
read_run (gpointer data, GCancellable *cancellable, GError **error)
{
  const RunRequest *request = data;
  g_autoptr (CatalogStore) store = workspace_store (request->workspace, error);
  g_autoptr (CatalogRun) run = store != NULL ? find_run (request, store, error) : NULL;
  g_auto (GStrv) texts = run != NULL ? catalog_run_epochs (store, run->id, error) : NULL;
  g_autoptr (CatalogPredictions) predictions = NULL;
  TrainingRun *read;

  if (texts == NULL)
    return NULL;
  if (run->kept_epoch >= 0)
    predictions = catalog_run_predictions (store, run->id, NULL);
  read = g_new0 (TrainingRun, 1);
  *read = (TrainingRun){
    run->id,          g_strdup (run->name),
    about_text (run), request->run_id == 0 && !request->running,
    run->kept_epoch,  g_ptr_array_new_with_free_func ((GDestroyNotify) job_epoch_unref)
  };
  for (guint i = 0; texts[i] != NULL; i++)
    {
      guint number_of_epoch = 0;
      double loss = NAN;
      MetricsTable *table = report_json_parse_epoch (texts[i], &number_of_epoch, &loss);
      JobEpoch *epoch;

      if (table == NULL)
        continue;
      epoch = job_epoch_new (number_of_epoch, loss, table, NULL, NULL, 0);
      if ((int) number_of_epoch == run->kept_epoch)
        epoch = with_scores (epoch, predictions);
      g_ptr_array_add (read->epochs, epoch);
    }
  return read;
}

static guint
kept_index (const TrainingRun *run)
{
  for (guint i = 0; i < run->epochs->len; i++)
    if ((int) ((JobEpoch *) g_ptr_array_index (run->epochs, i))->epoch == run->kept_epoch)
      return i;
  return run->epochs->len > 0 ? run->epochs->len - 1 : 0;
}

static void
run_was_read (gpointer owner, gpointer result, const GError *error)
{
  Training *self = owner;

  self->loading = NULL;
  if (error != NULL)
    {
      /* What was looked at last time may have been deleted since. */
      if (!g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND))
        app_error (self->app, "%s", error->message);
      return;
    }
  training_run_free (self->run);
  self->run = result;
  self->shown = kept_index (self->run);
  self->latest = FALSE;
  self->open = FALSE;
  self->follows = FALSE;
  app_redraw (self->app);
}

static void
followed_was_read (gpointer owner, gpointer result, const GError *error)
{
  Training *self = owner;

  self->loading = NULL;
  if (result == NULL)
    return;
  self->latest |= self->run == NULL || self->run->unasked;
  training_run_free (self->run);
  self->run = result;
  self->follows = TRUE;
  app_redraw (self->app);
}

static void
compared_was_read (gpointer owner, gpointer result, const GError *error)
{
  Training *self = owner;

  self->loading_compared = NULL;
  if (error != NULL)
    {
      if (!g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND))
        app_error (self->app, "%s", error->message);
      return;
    }
  training_run_free (self->compared);
  self->compared = result;
  app_redraw (self->app);
}

static void
load (Training *self, Work **work, gint64 run_id, gboolean running, WorkDone done)
{
  RunRequest *request;

  work_cancel (work);
  if (app_workspace (self->app) == NULL)
    return;
  request = g_new (RunRequest, 1);
  *request = (RunRequest){ app_workspace (self->app), run_id, running };
  *work = works_start (app_works (self->app), read_run, request, g_free,
                       (GDestroyNotify) training_run_free, done, self);
}

void
training_load (Training *self, gint64 run_id)
{
  /* What is in view till then is another one. */
  g_clear_pointer (&self->run, training_run_free);
  self->open = FALSE;
  load (self, &self->loading, run_id, FALSE, run_was_read);
}

void
training_load_latest (Training *self)
{
  if (self->run == NULL && self->loading == NULL && app_job_snapshot (self->app) == NULL
      && app_watched (self->app) == NULL)
    load (self, &self->loading, 0, FALSE, run_was_read);
}

void
training_follow (Training *self)
{
  const TrainingRun *run = training_run (self);

  load (self, &self->loading, run != NULL ? run->id : 0, TRUE, followed_was_read);
}

void
training_load_compared (Training *self, gint64 run_id)
{
  load (self, &self->loading_compared, run_id, FALSE, compared_was_read);
}

const TrainingRun *
training_run (const Training *self)
{
  return self->run != NULL && self->run->unasked && app_watched (self->app) != NULL ? NULL
                                                                                    : self->run;
}

GPtrArray *
training_epochs (const Training *self)
{
  const JobSnapshot *job = app_job_snapshot (self->app);
  const TrainingRun *run = training_run (self);

  return run != NULL ? run->epochs : job != NULL ? job->epochs : NULL;
}

const MetricsTable *
training_compared (const Training *self)
{
  if (self->compared == NULL || self->compared->epochs->len == 0)
    return NULL;
  return ((JobEpoch *) g_ptr_array_index (self->compared->epochs, kept_index (self->compared)))
      ->table;
}

/* ---- choosing the other run ---- */

static gpointer
list_runs (gpointer workspace, GCancellable *cancellable, GError **error)
{
  g_autoptr (CatalogStore) store = workspace_store (workspace, error);

  return store != NULL ? catalog_runs_list (store, error) : NULL;
}

static void
compared_was_chosen (gpointer data, guint index)
{
  Training *self = data;

  if (index > 0)
    {
      const CatalogRun *run = g_ptr_array_index (self->choices, index - 1);

      training_load_compared (self, run->id);
      return;
    }
  work_cancel (&self->loading_compared);
  g_clear_pointer (&self->compared, training_run_free);
  app_redraw (self->app);
}

static void
runs_were_listed (gpointer owner, gpointer result, const GError *error)
{
  Training *self = owner;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  self->listing = NULL;
  if (error != NULL)
    {
      app_error (self->app, "%s", error->message);
      return;
    }
  g_clear_pointer (&self->choices, g_ptr_array_unref);
  self->choices = result;
  g_ptr_array_add (names, (gpointer) "none");
  for (guint i = 0; i < self->choices->len; i++)
    g_ptr_array_add (names, ((CatalogRun *) g_ptr_array_index (self->choices, i))->name);
  g_ptr_array_add (names, NULL);
  app_choose (self->app, "Changes since", (const char *const *) names->pdata, 0,
              compared_was_chosen, self);
}

void
training_choose_compared (Training *self)
{
  work_cancel (&self->listing);
  if (app_workspace (self->app) != NULL)
    self->listing = works_start (app_works (self->app), list_runs, app_workspace (self->app), NULL,
                                 (GDestroyNotify) g_ptr_array_unref, runs_were_listed, self);
}

/* What the Runs screen shows, read by workers on connections of their own. */
#include "runs_private.h"

#include "report/json.h"

#include <math.h>
#include <string.h>

/* ---- the history ---- */

static guint
members_of (GPtrArray *samples, const char *name)
{
  for (guint i = 0; i < samples->len; i++)
    {
      const CatalogSample *sample = g_ptr_array_index (samples, i);

      if (g_strcmp0 (sample->name, name) == 0)
        return sample->n;
    }
  return 0;
}

static gpointer
read_runs (gpointer data, GCancellable *cancellable, GError **error)
{
  g_autoptr (CatalogStore) store = workspace_store (data, error);
  g_autoptr (GPtrArray) samples = store != NULL ? catalog_samples_list (store, error) : NULL;
  g_autoptr (GPtrArray) runs = samples != NULL ? catalog_runs_list (store, error) : NULL;
  GPtrArray *rows;

  if (runs == NULL)
    return NULL;
  rows = g_ptr_array_new_with_free_func ((GDestroyNotify) runs_row_free);
  while (runs->len > 0)
    {
      CatalogRun *run = g_ptr_array_steal_index (runs, 0);

      g_ptr_array_add (rows, runs_row_new (run, members_of (samples, run->train_sample),
                                           members_of (samples, run->valid_sample)));
    }
  runs_mark_best (rows);
  return rows;
}

/** Tags of runs that are gone go too. */
static gboolean
is_gone (gpointer key, gpointer value, gpointer rows)
{
  for (guint i = 0; i < ((GPtrArray *) rows)->len; i++)
    if (((RunsRow *) g_ptr_array_index ((GPtrArray *) rows, i))->run->id == *(gint64 *) key)
      return FALSE;
  return TRUE;
}

static void
runs_were_read (gpointer owner, gpointer result, const GError *error)
{
  RunsScreen *self = owner;

  self->loading = NULL;
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_clear_pointer (&self->fault, g_free);
  self->fault = error != NULL ? g_strdup (error->message) : NULL;
  self->rows = result;
  self->list.n = result != NULL ? self->rows->len : 0;
  if (result != NULL)
    {
      g_hash_table_foreach_remove (self->tagged, is_gone, result);
      runs_sort (self->rows, self->sort, self->descending);
      for (guint i = 0; i < self->rows->len; i++)
        if (((RunsRow *) g_ptr_array_index (self->rows, i))->run->id == self->selected)
          self->list.cursor = i;
    }
  list_fit (&self->list, self->list.page);
  runs_load_details (self);
  app_redraw (self->app);
}

void
runs_load (RunsScreen *self)
{
  work_cancel (&self->loading);
  if (app_workspace (self->app) != NULL)
    self->loading = works_start (app_works (self->app), read_runs, app_workspace (self->app), NULL,
                                 (GDestroyNotify) g_ptr_array_unref, runs_were_read, self);
}

/* ---- one run ---- */

typedef struct
{
  Workspace *workspace;
  gint64 run_id;
  int kept_epoch;
} DetailsRequest;

void
runs_details_free (RunsDetails *details)
{
  if (details == NULL)
    return;
  g_free (details->losses);
  g_free (details->macros);
  g_clear_pointer (&details->table, metrics_table_free);
  g_free (details);
}

/** The epochs of a run, and the table of the one that was kept (-1: of the last). */
static RunsDetails *
read_epochs (CatalogStore *store, gint64 run_id, int kept_epoch, GError **error)
{
  g_auto (GStrv) texts = catalog_run_epochs (store, run_id, error);
  RunsDetails *details;
  guint n;

  if (texts == NULL)
    return NULL;
  n = g_strv_length (texts);
  details = g_new0 (RunsDetails, 1);
  details->run_id = run_id;
  details->losses = g_new (double, n);
  details->macros = g_new (double, n);
  for (guint i = 0; i < n; i++)
    {
      guint epoch = 0;
      double loss = NAN;
      g_autoptr (MetricsTable) table = report_json_parse_epoch (texts[i], &epoch, &loss);

      if (table == NULL)
        continue;
      details->losses[details->n_epochs] = loss;
      details->macros[details->n_epochs++] = table->macro_auroc.value;
      if (kept_epoch < 0 || (int) epoch == kept_epoch)
        {
          g_clear_pointer (&details->table, metrics_table_free);
          details->table = g_steal_pointer (&table);
        }
    }
  return details;
}

static gpointer
read_details (gpointer data, GCancellable *cancellable, GError **error)
{
  const DetailsRequest *request = data;
  g_autoptr (CatalogStore) store = workspace_store (request->workspace, error);

  return store != NULL ? read_epochs (store, request->run_id, request->kept_epoch, error) : NULL;
}

static void
details_were_read (gpointer owner, gpointer result, const GError *error)
{
  RunsScreen *self = owner;

  self->loading_details = NULL;
  runs_details_free (self->details);
  self->details = result;
  if (error != NULL)
    app_log (self->app, "%s", error->message);
  app_redraw (self->app);
}

void
runs_load_details (RunsScreen *self)
{
  const RunsRow *row = runs_selected (self);
  DetailsRequest *request;

  work_cancel (&self->loading_details);
  if (row == NULL)
    {
      g_clear_pointer (&self->details, runs_details_free);
      return;
    }
  request = g_new (DetailsRequest, 1);
  *request = (DetailsRequest){ app_workspace (self->app), row->run->id, row->run->kept_epoch };
  self->selected = row->run->id;
  self->loading_details = works_start (app_works (self->app), read_details, request, g_free,
                                       (GDestroyNotify) runs_details_free, details_were_read, self);
}

/* ---- comparison ---- */

typedef struct
{
  Workspace *workspace;
  char **names;
} CompareRequest;

static void
compare_request_free (gpointer data)
{
  CompareRequest *request = data;

  g_strfreev (request->names);
  g_free (request);
}

void
runs_comparison_free (RunsComparison *comparison)
{
  if (comparison == NULL)
    return;
  for (guint i = 0; comparison->tables != NULL && i < comparison->n; i++)
    g_clear_pointer (&comparison->tables[i], metrics_table_free);
  g_free (comparison->tables);
  g_free (comparison->pairs);
  g_strfreev (comparison->names);
  g_strfreev (comparison->changed);
  g_free (comparison);
}

/** Two runs are first minus second; of more, each is compared with the first. */
static void
compare_with_first (CatalogStore *store, const CatalogRun *first, const CatalogRun *run,
                    RunsComparison *comparison, guint i)
{
  StudyComparison *pair = &comparison->pairs[i - 1];
  gboolean done = comparison->n == 2 ? study_compare (store, first, run, pair, NULL)
                                     : study_compare (store, run, first, pair, NULL);

  if (done)
    return;
  *pair = (StudyComparison){ 0 };
  comparison->has_strangers = TRUE;
}

/** Each run's table, and the differences where both of a pair were judged on the same scans by the
 * same labels; a control was not. */
static gboolean
read_comparison (CatalogStore *store, const GPtrArray *runs, RunsComparison *comparison,
                 GCancellable *cancellable, GError **error)
{
  comparison->pairs = g_new0 (StudyComparison, runs->len - 1);
  comparison->tables = g_new0 (MetricsTable *, runs->len);
  for (guint i = 0; i < runs->len; i++)
    {
      const CatalogRun *run = g_ptr_array_index (runs, i);
      RunsDetails *details;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      details = read_epochs (store, run->id, run->kept_epoch, error);
      if (details == NULL)
        return FALSE;
      comparison->tables[i] = g_steal_pointer (&details->table);
      runs_details_free (details);
      if (i > 0)
        compare_with_first (store, g_ptr_array_index (runs, 0), run, comparison, i);
    }
  return TRUE;
}

static gpointer
make_comparison (gpointer data, GCancellable *cancellable, GError **error)
{
  const CompareRequest *request = data;
  g_autoptr (CatalogStore) store = workspace_store (request->workspace, error);
  g_autoptr (GPtrArray) runs = g_ptr_array_new_with_free_func ((GDestroyNotify) catalog_run_free);
  RunsComparison *comparison;

  if (store == NULL)
    return NULL;
  for (guint i = 0; request->names[i] != NULL; i++)
    {
      CatalogRun *run = catalog_run_find (store, request->names[i], error);

      if (run == NULL)
        return NULL;
      g_ptr_array_add (runs, run);
    }
  comparison = g_new0 (RunsComparison, 1);
  comparison->n = runs->len;
  comparison->names = g_strdupv (request->names);
  comparison->changed = g_new0 (char *, runs->len + 1);
  for (guint i = 0; i < runs->len; i++)
    {
      const CatalogRun *run = g_ptr_array_index (runs, i);

      comparison->changed[i] = runs_changed_text (run->parameters);
    }
  if (!read_comparison (store, runs, comparison, cancellable, error))
    g_clear_pointer (&comparison, runs_comparison_free);
  return comparison;
}

static void
comparison_was_made (gpointer owner, gpointer result, const GError *error)
{
  RunsScreen *self = owner;

  self->comparing = NULL;
  if (error != NULL)
    {
      app_error (self->app, "%s", error->message);
      return;
    }
  runs_comparison_free (self->comparison);
  self->comparison = result;
  self->comparison_list = (List){ .n = CATALOG_N_LABELS };
  app_redraw (self->app);
}

static gint
by_number (gconstpointer first, gconstpointer second)
{
  const RunsRow *a = *(const RunsRow *const *) first, *b = *(const RunsRow *const *) second;

  return (a->run->id > b->run->id) - (a->run->id < b->run->id);
}

void
runs_compare (RunsScreen *self)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  RunsRow *selected = runs_selected (self);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  CompareRequest *request;

  for (guint i = 0; i < self->list.n; i++)
    {
      RunsRow *row = g_ptr_array_index (self->rows, i);

      if (runs_is_tagged (self, row->run->id))
        g_ptr_array_add (chosen, row);
    }
  /* A single tagged run is compared with the one under the cursor. */
  if (chosen->len == 1 && selected != g_ptr_array_index (chosen, 0))
    g_ptr_array_add (chosen, selected);
  if (chosen->len < 2)
    {
      app_error (self->app, "tag two runs or more with Space, then compare them");
      return;
    }
  g_ptr_array_sort (chosen, by_number);
  for (guint i = 0; i < chosen->len; i++)
    {
      const RunsRow *row = g_ptr_array_index (chosen, i);

      if (strcmp (row->run->status, "done") != 0)
        {
          app_error (self->app, "%s is %s: only finished runs can be compared; untag it with Space",
                     row->run->name, row->run->status);
          return;
        }
      g_strv_builder_add (names, row->run->name);
    }
  request = g_new (CompareRequest, 1);
  *request = (CompareRequest){ app_workspace (self->app), g_strv_builder_end (names) };
  work_cancel (&self->comparing);
  self->comparing =
      works_start (app_works (self->app), make_comparison, request, compare_request_free,
                   (GDestroyNotify) runs_comparison_free, comparison_was_made, self);
}

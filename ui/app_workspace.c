/* The open workspace, and what other programs do in it. */
#include "app_private.h"

#include "catalog/runs.h"
#include "catalog/stamp.h"
#include "catalog/text_index.h"
#include "study/settings.h"

#include <unistd.h>

/** Nothing in it yet: the first screen helps on. */
static gboolean
is_empty (CatalogStore *store)
{
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_autofree char *stamp = catalog_split_stamp (store, split, NULL);

      if (stamp != NULL && *stamp != '\0')
        return FALSE;
    }
  return catalog_runs_count (store, NULL) == 0;
}

static void
tell_of_the_dead (App *app, const char *died)
{
  if (died == NULL)
    return;
  app_message (app, "The last program here did not end by itself (%s); what it finished is kept.",
               died);
  app_log (app, "%s", app->message);
}

void
app_end_welcome (App *app)
{
  app->welcoming = FALSE;
  app_redraw (app);
}

/* ---- the full-text index that an import leaves to whoever comes next ---- */

static gpointer
index_some (gpointer data, GCancellable *cancellable, GError **error)
{
  g_autoptr (CatalogStore) store = workspace_store (data, error);

  if (store != NULL)
    catalog_text_index_step (store, error);
  return NULL;
}

static void
some_indexed (gpointer owner, gpointer result, const GError *error)
{
  App *app = owner;

  app->indexing = NULL;
  app->index_refused = error != NULL;
  if (error != NULL)
    app_log (app, "reports cannot be indexed: %s", error->message);
  app_store_changed (app); /* goes on with the next */
}

static void
go_on_indexing (App *app)
{
  if (app->indexing == NULL && !app->index_refused && !catalog_text_index_is_finished (app->store))
    app->indexing =
        works_start (app->works, index_some, app->workspace, NULL, NULL, some_indexed, app);
}

gboolean
app_indexing (App *app)
{
  return app->indexing != NULL;
}

/* ---- the store ---- */

void
app_welcome_again (App *app)
{
  app->welcoming = app->store == NULL || is_empty (app->store);
  app_redraw (app);
}

void
app_store_changed (App *app)
{
  if (app->store != NULL)
    {
      app->stamp = catalog_stamp (app->store);
      g_free (app->device);
      app->device = catalog_store_get (app->store, STUDY_SETTING_DEVICE);
      app->says_running = catalog_runs_running (app->store, NULL) > 0;
      app->welcoming = app->job == NULL && app->welcoming && is_empty (app->store);
      go_on_indexing (app);
    }
  for (ScreenId i = 0; i < N_SCREENS; i++)
    if (app_screen_class (i)->store_changed != NULL)
      app_screen_class (i)->store_changed (app->screens[i]);
  app_redraw (app);
}

gboolean
app_open (App *app, const char *directory, gboolean create, GError **error)
{
  g_autoptr (Workspace) workspace = workspace_open (directory, create, error);
  g_autoptr (CatalogStore) store = workspace != NULL ? workspace_store (workspace, error) : NULL;

  if (store == NULL)
    return FALSE;
  workspace_end_abandoned_runs (workspace, store);
  if (app->workspace != NULL)
    app_state_save (app);
  work_cancel (&app->poll);
  work_cancel (&app->indexing);
  app->index_refused = FALSE;
  g_clear_pointer (&app->store, catalog_store_close);
  app->workspace = g_steal_pointer (&workspace);
  g_ptr_array_add (app->workspaces, app->workspace);
  app->store = g_steal_pointer (&store);
  g_free (app->directory);
  app->directory = g_strdup (workspace_directory (app->workspace));
  app->welcoming = is_empty (app->store);
  g_free (app->run.name);
  app->run = (AppRun){ 0 };
  g_free (app->volumes_directory);
  app->volumes_directory = catalog_store_get (app->store, STUDY_SETTING_VOLUMES);
  app_state_load (app);
  app_volumes_walk (app);
  app_store_changed (app);
  if (app_screen_class (app->screen)->enter != NULL)
    app_screen_class (app->screen)->enter (app->screens[app->screen]);
  tell_of_the_dead (app, workspace_died (app->workspace));
  return TRUE;
}

gboolean
app_create_workspace (App *app, const char *directory, GError **error)
{
  return app_open (app, directory, TRUE, error);
}

/* ---- what other programs do here ---- */

/** With a lock of its own: the workspace's is for the job that may begin meanwhile. Returns: who
 * held it last and was killed, or %NULL. */
static gpointer
end_abandoned_runs (gpointer data, GCancellable *cancellable, GError **error)
{
  g_autoptr (Workspace) own = workspace_open (workspace_directory (data), FALSE, error);
  g_autoptr (CatalogStore) store = own != NULL ? workspace_store (own, error) : NULL;

  if (store != NULL)
    workspace_end_abandoned_runs (own, store);
  return own != NULL ? g_strdup (workspace_died (own)) : NULL;
}

/** The next look at the store shows what came of it. */
static void
abandoned_were_ended (gpointer owner, gpointer result, const GError *error)
{
  App *app = owner;
  g_autofree char *died = result;

  app->poll = NULL;
  tell_of_the_dead (app, died);
}

static gpointer
read_progress (gpointer data, GCancellable *cancellable, GError **error)
{
  StudyProgress *progress = g_new0 (StudyProgress, 1);

  if (study_progress_read (data, progress))
    return progress;
  study_progress_clear (progress);
  g_free (progress);
  return NULL;
}

static void
progress_free (gpointer data)
{
  study_progress_clear (data);
  g_free (data);
}

static void
progress_was_read (gpointer owner, gpointer result, const GError *error)
{
  App *app = owner;
  gboolean was_watched = app->is_watched;

  app->poll = NULL;
  study_progress_clear (&app->watched);
  /* A job of our own is better known by its snapshot, and it is over before its traces are. */
  app->is_watched =
      result != NULL && app->job == NULL && ((StudyProgress *) result)->pid != getpid ();
  if (app->is_watched)
    app->watched = *(StudyProgress *) result;
  else if (result != NULL)
    study_progress_clear (result);
  if (result == NULL && app->says_running && app->job == NULL)
    {
      app->says_running = FALSE; /* once, until the store changes */
      app->poll = works_start (app->works, end_abandoned_runs, app->workspace, NULL, g_free,
                               abandoned_were_ended, app);
    }
  g_free (result);
  if (app->is_watched || was_watched)
    app_redraw (app);
}

gboolean
app_poll (gpointer data)
{
  App *app = data;

  if (app->store != NULL && catalog_stamp (app->store) != app->stamp)
    app_store_changed (app);
  if (app->workspace != NULL && app->poll == NULL)
    app->poll = works_start (app->works, read_progress, app->workspace, NULL, progress_free,
                             progress_was_read, app);
  return G_SOURCE_CONTINUE;
}

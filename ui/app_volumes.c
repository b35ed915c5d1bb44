#include "app_private.h"

#include "study/settings.h"

typedef struct
{
  char *directory;
} Walk;

static void
walk_free (gpointer data)
{
  Walk *walk = data;

  g_free (walk->directory);
  g_free (walk);
}

static gpointer
walk (gpointer data, GCancellable *cancellable, GError **error)
{
  return catalog_volume_index_new (((Walk *) data)->directory, cancellable, error);
}

void
app_log_walk (App *app, const CatalogVolumeIndex *index)
{
  const GPtrArray *warnings = catalog_volume_index_warnings (index);

  for (guint i = 0; i < warnings->len; i++)
    app_log (app, "scans: %s", (const char *) g_ptr_array_index (warnings, i));
}

static void
walked (gpointer owner, gpointer result, const GError *error)
{
  App *app = owner;

  app->walk = NULL;
  g_clear_pointer (&app->volumes, catalog_volume_index_unref);
  app->volumes = result;
  if (error != NULL)
    app_log (app, "scans: %s", error->message);
  else
    app_log_walk (app, result);
  app_store_changed (app);
}

void
app_volumes_walk (App *app)
{
  Walk *data;

  work_cancel (&app->walk);
  g_clear_pointer (&app->volumes, catalog_volume_index_unref);
  if (app->volumes_directory == NULL || *app->volumes_directory == '\0')
    return;
  data = g_new0 (Walk, 1);
  data->directory = g_strdup (app->volumes_directory);
  app->walk = works_start (app->works, walk, data, walk_free,
                           (GDestroyNotify) catalog_volume_index_unref, walked, app);
}

CatalogVolumeIndex *
app_volumes (App *app)
{
  return app->volumes;
}

const char *
app_volume_path (App *app, const char *volume)
{
  return app->volumes != NULL ? catalog_volume_index_path (app->volumes, volume) : NULL;
}

gboolean
app_volumes_walking (App *app)
{
  return app->walk != NULL;
}

const char *
app_volumes_directory (App *app)
{
  return app->volumes_directory;
}

/* ---- remembering the folder, off this thread: another program may hold the store for a while ----
 */

typedef struct
{
  Workspace *workspace;
  char *directory;
} Remember;

static void
remember_free (gpointer data)
{
  Remember *remember = data;

  g_free (remember->directory);
  g_free (remember);
}

static gpointer
remember (gpointer data, GCancellable *cancellable, GError **error)
{
  Remember *what = data;
  g_autoptr (CatalogStore) store = workspace_store (what->workspace, error);

  if (store != NULL)
    study_setting_set_path (store, STUDY_SETTING_VOLUMES, what->directory, error);
  return NULL;
}

static void
remembered (gpointer owner, gpointer result, const GError *error)
{
  if (error != NULL)
    app_error (owner, "%s", error->message);
}

void
app_set_volumes_directory (App *app, const char *directory)
{
  g_free (app->volumes_directory);
  app->volumes_directory = g_canonicalize_filename (directory, NULL);
  if (app->workspace != NULL)
    {
      Remember *data = g_new0 (Remember, 1);

      data->workspace = app->workspace;
      data->directory = g_strdup (app->volumes_directory);
      works_start (app->works, remember, data, remember_free, NULL, remembered, app);
    }
  app_volumes_walk (app);
}

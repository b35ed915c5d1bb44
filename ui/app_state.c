/* What the workbench looked like, for its next start: a key file in the workspace. It is no part of
 * the store, so that leaving never waits for another program's transaction. Under --redact each
 * start is the first one: a filter or a search of an earlier one may name a patient. */
#include "app_private.h"

#include "base/key_file.h"

#include <string.h>

#define MAX_HISTORY 100
#define GROUP "workbench"
#define GROUP_HISTORY "history"

static char *
state_path (App *app)
{
  return g_build_filename (workspace_directory (app->workspace), "workbench.ini", NULL);
}

static void
load_history (App *app, GKeyFile *state)
{
  g_auto (GStrv) names = g_key_file_get_keys (state, GROUP_HISTORY, NULL, NULL);

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      g_auto (GStrv) lines =
          g_key_file_get_string_list (state, GROUP_HISTORY, names[i], NULL, NULL);
      GPtrArray *history = g_ptr_array_new_with_free_func (g_free);

      for (guint k = 0; lines != NULL && lines[k] != NULL; k++)
        g_ptr_array_add (history, g_strdup (lines[k]));
      g_hash_table_replace (app->histories, g_strdup (names[i]), history);
    }
}

void
app_state_load (App *app)
{
  g_autofree char *path = state_path (app);
  g_autofree char *text = NULL, *run = NULL, *parameters = NULL;
  g_autoptr (GKeyFile) state = NULL;
  int screen;

  if (catalog_redacting ())
    return;
  if (g_file_get_contents (path, &text, NULL, NULL))
    state = key_file_parse (text, NULL);
  if (state == NULL)
    state = g_key_file_new (); /* an absent or broken file is a first start */
  load_history (app, state);
  screen = g_key_file_get_integer (state, GROUP, "screen", NULL);
  if (screen > 0 && screen < N_SCREENS)
    app->screen = (ScreenId) screen;
  parameters = g_key_file_get_string (state, GROUP, "parameters", NULL);
  if (parameters != NULL)
    train_parameters_parse (app->parameters, parameters, path, NULL);
  run = g_key_file_get_string (state, GROUP, "run", NULL);
  if (run != NULL && *run != '\0')
    {
      g_autoptr (CatalogRun) found = catalog_run_find (app->store, run, NULL);

      if (found != NULL)
        {
          app->run.id = found->id;
          app->run.name = g_strdup (found->name);
        }
    }
  app->run.class_index = (guint) CLAMP (g_key_file_get_integer (state, GROUP, "finding", NULL), 0,
                                        CATALOG_N_LABELS - 1);
  for (ScreenId i = 0; i < N_SCREENS; i++)
    if (app_screen_class (i)->load != NULL)
      app_screen_class (i)->load (app->screens[i], state);
}

void
app_state_save (App *app)
{
  g_autofree char *path = NULL, *parameters = NULL, *text = NULL;
  g_autoptr (GKeyFile) state = g_key_file_new ();
  gsize length;
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer name, history;

  if (app->workspace == NULL || catalog_redacting ())
    return;
  path = state_path (app);
  parameters = train_parameters_text (app->parameters);
  g_key_file_set_integer (state, GROUP, "screen", (int) app->screen);
  g_key_file_set_string (state, GROUP, "parameters", parameters);
  if (app->run.name != NULL)
    g_key_file_set_string (state, GROUP, "run", app->run.name);
  g_key_file_set_integer (state, GROUP, "finding", (int) app->run.class_index);
  g_hash_table_iter_init (&iter, app->histories);
  while (g_hash_table_iter_next (&iter, &name, &history))
    {
      const GPtrArray *lines = history;
      guint n = MIN (lines->len, MAX_HISTORY);

      g_key_file_set_string_list (state, GROUP_HISTORY, name,
                                  (const char *const *) lines->pdata + (lines->len - n), n);
    }
  for (ScreenId i = 0; i < N_SCREENS; i++)
    if (app_screen_class (i)->save != NULL)
      app_screen_class (i)->save (app->screens[i], state);
  text = g_key_file_to_data (state, &length, NULL);
  if (!g_file_set_contents_full (path, text, (gssize) length, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                 &error))
    app_log (app, "%s", error->message);
}

/* What the user does to a run: rename, note, delete, train again. Writers have a connection of
 * their own on a worker, as another program may hold the store for a while. */
#include "runs_private.h"

#include "base/error.h"
#include "experiment.h"

#include <string.h>

typedef enum
{
  WRITE_NAME,
  WRITE_NOTE,
  WRITE_DELETION,
} WriteKind;

/** A change of one run; the request and, with what was done, the answer. */
typedef struct
{
  Workspace *workspace;
  WriteKind kind;
  gint64 run_id;
  char *name, *text;
} Write;

static void
write_free (gpointer data)
{
  Write *write = data;

  g_free (write->name);
  g_free (write->text);
  g_free (write);
}

static Write *
write_copy (const Write *write)
{
  Write *copy = g_memdup2 (write, sizeof *write);

  copy->name = g_strdup (write->name);
  copy->text = g_strdup (write->text);
  return copy;
}

static gpointer
write_run (gpointer data, GCancellable *cancellable, GError **error)
{
  const Write *write = data;
  g_autoptr (CatalogStore) store = workspace_store (write->workspace, error);
  gboolean done = FALSE;

  if (store == NULL)
    return NULL;
  switch (write->kind)
    {
    case WRITE_NAME:
      done = catalog_run_rename (store, write->run_id, write->text, error);
      break;
    case WRITE_NOTE:
      done = catalog_run_set_note (store, write->run_id, write->text, error);
      break;
    case WRITE_DELETION:
      done = catalog_run_delete (store, write->run_id, error);
      break;
    }
  return done ? write_copy (write) : NULL;
}

/** The run that Records shows may be the one that changed. */
static void
follow_chosen_run (App *app, const Write *write)
{
  const AppRun *chosen = app_chosen_run (app);

  if (chosen->id != write->run_id || write->kind == WRITE_NOTE
      || write->workspace != app_workspace (app))
    return;
  if (write->kind == WRITE_NAME)
    app_choose_run (app, write->run_id, write->text, chosen->class_index);
  else
    app_choose_run (app, 0, NULL, chosen->class_index);
}

static void
run_was_written (gpointer owner, gpointer result, const GError *error)
{
  RunsScreen *self = owner;
  Write *write = result;

  if (write == NULL)
    {
      app_error (self->app, "%s", error->message);
      return;
    }
  if (write->kind == WRITE_NAME)
    app_message (self->app, "%s is called %s now", write->name, write->text);
  else if (write->kind == WRITE_DELETION)
    app_message (self->app, "%s is deleted", write->name);
  follow_chosen_run (self->app, write);
  write_free (write);
  app_store_changed (self->app);
}

static void
start_writing (RunsScreen *self, WriteKind kind, const char *text)
{
  Write request = { app_workspace (self->app), kind, self->asked_run, self->asked_name,
                    (char *) text };

  works_start (app_works (self->app), write_run, write_copy (&request), write_free, write_free,
               run_was_written, self);
}

/** Remember which run is asked about: the cursor may be on another one by the time of the answer.
 */
static const RunsRow *
ask_about (RunsScreen *self)
{
  const RunsRow *row = runs_selected (self);

  if (row == NULL)
    return NULL;
  self->asked_run = row->run->id;
  g_free (self->asked_name);
  self->asked_name = g_strdup (row->run->name);
  return row;
}

/* ---- rename ---- */

static gboolean
check_name (gpointer data, const char *text, GError **error)
{
  RunsScreen *self = data;

  if (*text == '\0' || !g_utf8_validate (text, -1, NULL))
    {
      g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "type a name");
      return FALSE;
    }
  for (guint i = 0; i < self->list.n; i++)
    {
      const RunsRow *row = g_ptr_array_index (self->rows, i);

      if (row->run->id != self->asked_run && strcmp (row->run->name, text) == 0)
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                       "number %" G_GINT64_FORMAT " is called so", row->run->id);
          return FALSE;
        }
    }
  return TRUE;
}

static void
accept_name (gpointer data, const char *text)
{
  RunsScreen *self = data;

  if (strcmp (text, self->asked_name) != 0)
    start_writing (self, WRITE_NAME, text);
}

void
runs_rename (RunsScreen *self)
{
  const RunsRow *row = ask_about (self);

  if (row != NULL)
    app_prompt (self->app, &(Prompt){ .label = "name",
                                      .initial = row->run->name,
                                      .check = check_name,
                                      .accept = accept_name,
                                      .data = self });
}

/* ---- note ---- */

static gboolean
check_note (gpointer data, const char *text, GError **error)
{
  if (g_utf8_validate (text, -1, NULL))
    return TRUE;
  g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "this is no UTF-8 text");
  return FALSE;
}

static void
accept_note (gpointer data, const char *text)
{
  start_writing (data, WRITE_NOTE, text);
}

void
runs_write_note (RunsScreen *self)
{
  const RunsRow *row = ask_about (self);

  if (row != NULL)
    app_prompt (self->app, &(Prompt){ .label = "note",
                                      .initial = row->run->note,
                                      .check = check_note,
                                      .accept = accept_note,
                                      .data = self });
}

/* ---- delete ---- */

static void
delete_it (gpointer data)
{
  start_writing (data, WRITE_DELETION, NULL);
}

void
runs_delete (RunsScreen *self)
{
  const RunsRow *row = ask_about (self);
  g_autofree char *question = NULL;

  if (row == NULL)
    return;
  if (strcmp (row->run->status, "running") == 0
      && (app_job_running (self->app) || app_watched (self->app) != NULL))
    {
      app_error (self->app, "%s is being trained; cancel that first, then delete it",
                 row->run->name);
      return;
    }
  question = g_strdup_printf ("Delete %s with its epochs, predictions and head? There is no way "
                              "back.",
                              row->run->name);
  app_confirm (self->app, question, delete_it, self);
}

/* ---- train again ---- */

void
runs_again (RunsScreen *self)
{
  const RunsRow *row = runs_selected (self);
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gpointer experiment = app_screen_data (self->app, SCREEN_EXPERIMENT);

  if (row == NULL)
    return;
  /* What the run's text does not say stands at its default, and the new run gets its own name. */
  if (!train_parameters_parse (parameters, row->run->parameters, row->run->name, &error)
      || !train_parameters_set (parameters, "name", "", &error))
    {
      app_error (self->app, "%s", error->message);
      return;
    }
  text = train_parameters_text (parameters);
  if (!train_parameters_parse (app_parameters (self->app), text, row->run->name, &error))
    {
      app_error (self->app, "%s", error->message);
      return;
    }
  experiment_refresh (experiment);
  app_go_to (self->app, SCREEN_EXPERIMENT);
  experiment_start (experiment);
}

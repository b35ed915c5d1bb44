/* The fields of the form: what they hold, and how they are changed. */
#include "experiment_private.h"

#include <string.h>

const char *
experiment_checkpoint (const Experiment *self)
{
  const char *path = self->checkpoint != NULL ? self->checkpoint : self->last_checkpoint;

  return path != NULL && *path != '\0' ? path : NULL;
}

const char *
experiment_description (const Experiment *self)
{
  const char *path = self->description != NULL ? self->description : self->last_description;

  return path != NULL && *path != '\0' ? path : NULL;
}

static const FormRow *
row_under_cursor (const Experiment *self)
{
  guint n;

  return &form_rows (&n)[self->list.cursor];
}

char *
experiment_value (Experiment *self, const FormRow *row)
{
  const char *path = NULL;

  switch (row->kind)
    {
    case FORM_PARAMETER:
      return train_parameters_get (app_parameters (self->app), row->name);
    case FORM_CHECKPOINT:
      path = experiment_checkpoint (self);
      break;
    case FORM_DESCRIPTION:
      path = experiment_description (self);
      break;
    case FORM_VOLUMES:
      path = app_volumes_directory (self->app);
      break;
    case FORM_HEADING:
      break;
    }
  return g_strdup (path != NULL ? path : "");
}

static char *
absolute_path (const char *text)
{
  g_autofree char *path = app_path (text);

  return *path != '\0' ? g_canonicalize_filename (path, NULL) : g_strdup ("");
}

gboolean
experiment_set (Experiment *self, const FormRow *row, const char *text, GError **error)
{
  g_autofree char *path = NULL;

  if (row->kind == FORM_PARAMETER)
    {
      if (!train_parameters_set (app_parameters (self->app), row->name, text, error))
        return FALSE;
      experiment_changed (self);
      return TRUE;
    }
  path = absolute_path (text);
  if (row->kind == FORM_VOLUMES)
    app_set_volumes_directory (self->app, path);
  else
    {
      char **field = row->kind == FORM_CHECKPOINT ? &self->checkpoint : &self->description;

      g_free (*field);
      *field = g_steal_pointer (&path);
    }
  experiment_changed (self);
  return TRUE;
}

void
experiment_changed (Experiment *self)
{
  self->start_when_planned = FALSE;
  experiment_plan (self);
  experiment_live_changed (self);
  app_redraw (self->app);
}

void
experiment_refresh (gpointer screen)
{
  experiment_changed (screen);
}

void
experiment_set_or_say (Experiment *self, const FormRow *row, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (!experiment_set (self, row, text, &error))
    app_error (self->app, "%s", error->message);
}

/* ---- editing ---- */

static gboolean
check_text (gpointer data, const char *text, GError **error)
{
  Experiment *self = data;
  g_autoptr (TrainParameters) copy = train_parameters_copy (app_parameters (self->app));

  return train_parameters_set (copy, self->editing->name, text, error);
}

static void
accept_text (gpointer data, const char *text)
{
  Experiment *self = data;

  experiment_set_or_say (self, self->editing, text);
}

static void
accept_choice (gpointer data, guint index)
{
  Experiment *self = data;
  g_auto (GStrv) choices = g_strsplit (form_spec (self->editing)->choices, "|", -1);

  experiment_set_or_say (self, self->editing, choices[index]);
}

static void
choose (Experiment *self, const char *value)
{
  g_auto (GStrv) choices = g_strsplit (form_spec (self->editing)->choices, "|", -1);
  guint selected = 0;

  for (guint i = 0; choices[i] != NULL; i++)
    if (strcmp (choices[i], value) == 0)
      selected = i;
  app_choose (self->app, self->editing->name, (const char *const *) choices, selected,
              accept_choice, self);
}

void
experiment_edit (Experiment *self)
{
  const FormRow *row = row_under_cursor (self);
  const ParameterSpec *spec = form_spec (row);
  g_autofree char *value = experiment_value (self, row);

  self->editing = row;
  if (spec != NULL && spec->kind == PARAMETER_SWITCH)
    experiment_set_or_say (self, row, strcmp (value, "yes") == 0 ? "no" : "yes");
  else if (spec != NULL && spec->kind == PARAMETER_CHOICE)
    choose (self, value);
  else if (experiment_has_names (row))
    experiment_choose_name (self, row);
  else
    app_prompt (self->app, &(Prompt){ .label = row->name,
                                      .initial = value,
                                      .history = row->name,
                                      .kind = spec == NULL ? PROMPT_PATH : PROMPT_TEXT,
                                      .check = spec != NULL ? check_text : NULL,
                                      .accept = accept_text,
                                      .data = self });
}

void
experiment_step (Experiment *self, int direction)
{
  const FormRow *row = row_under_cursor (self);
  g_autofree char *before = experiment_value (self, row);
  g_autofree char *value = form_step (row, app_parameters (self->app), direction);

  if (value == NULL)
    app_message (self->app, "%s has no steps; Enter types it", row->name);
  else if (strcmp (value, before) != 0)
    experiment_set_or_say (self, row, value);
}

static void
set_default (Experiment *self, const FormRow *row)
{
  switch (row->kind)
    {
    case FORM_PARAMETER:
      train_parameters_set (app_parameters (self->app), row->name, form_spec (row)->fallback, NULL);
      break;
    case FORM_CHECKPOINT:
      g_clear_pointer (&self->checkpoint, g_free);
      break;
    case FORM_DESCRIPTION:
      g_clear_pointer (&self->description, g_free);
      break;
    default:
      break;
    }
}

void
experiment_set_default (Experiment *self)
{
  set_default (self, row_under_cursor (self));
  experiment_changed (self);
}

static void
set_all_defaults (gpointer data)
{
  Experiment *self = data;
  guint n;
  const FormRow *rows = form_rows (&n);

  for (guint i = 0; i < n; i++)
    set_default (self, &rows[i]);
  experiment_changed (self);
}

void
experiment_set_defaults (Experiment *self)
{
  app_confirm (self->app, "Set every field to its default?", set_all_defaults, self);
}

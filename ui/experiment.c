/* Experiment: the form of all parameters, what they would do, and live mode. */
#include "experiment_private.h"

#include "study/settings.h"

#include <math.h>
#include <string.h>

#define GROUP "Experiment"

/* ---- commands ---- */

static void
toggle_live (Experiment *self)
{
  self->live = !self->live;
  if (self->live)
    self->first = EXPERIMENT_TABLE;
  experiment_live_changed (self);
}

static void
next_view (Experiment *self)
{
  ExperimentView next = experiment_next_view (self->area, self->first);

  if (next == self->first)
    app_message (self->app, "All views are on the screen");
  self->first = next;
}

static void
choose_finding (gpointer data, guint index)
{
  Experiment *self = data;

  self->finding = index;
  if (experiment_layout (self->area, self->first).views[EXPERIMENT_CURVE].height == 0)
    self->first = EXPERIMENT_CURVE;
}

static void
ask_finding (Experiment *self)
{
  const char *names[CATALOG_N_LABELS + 1] = { 0 };

  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    names[i] = catalog_label_name (i);
  app_choose (self->app, "Finding of the loss curve", names, self->finding, choose_finding, self);
}

static void
accept_load (gpointer data, const char *text)
{
  experiment_load_file (data, text);
}

static void
accept_save (gpointer data, const char *text)
{
  experiment_save_file (data, text);
}

static void
ask_path (Experiment *self, const char *label, void (*accept) (gpointer data, const char *text))
{
  app_prompt (self->app, &(Prompt){ .label = label,
                                    .initial = self->path,
                                    .history = "run files",
                                    .kind = PROMPT_PATH,
                                    .accept = accept,
                                    .data = self });
}

/** The cursor never rests on a heading. */
static void
move_off_heading (List *list, gboolean upwards)
{
  guint n;
  const FormRow *rows = form_rows (&n);

  if (rows[list->cursor].kind == FORM_HEADING)
    list->cursor = upwards && list->cursor > 0 ? list->cursor - 1 : list->cursor + 1;
  list_fit (list, list->page);
}

static gboolean
command (gpointer screen, Command command)
{
  Experiment *self = screen;

  switch (command)
    {
    case COMMAND_EXPERIMENT_EDIT:
      experiment_edit (self);
      return TRUE;
    case COMMAND_EXPERIMENT_LESS:
      experiment_step (self, -1);
      return TRUE;
    case COMMAND_EXPERIMENT_MORE:
      experiment_step (self, 1);
      return TRUE;
    case COMMAND_EXPERIMENT_DEFAULT:
      experiment_set_default (self);
      return TRUE;
    case COMMAND_EXPERIMENT_DEFAULTS:
      experiment_set_defaults (self);
      return TRUE;
    case COMMAND_EXPERIMENT_LIVE:
      toggle_live (self);
      return TRUE;
    case COMMAND_EXPERIMENT_BEST:
      experiment_live_take_best (self);
      return TRUE;
    case COMMAND_EXPERIMENT_START:
      experiment_start (self);
      return TRUE;
    case COMMAND_EXPERIMENT_LOAD:
      ask_path (self, "load run file", accept_load);
      return TRUE;
    case COMMAND_EXPERIMENT_SAVE:
      ask_path (self, "save run file as", accept_save);
      return TRUE;
    case COMMAND_EXPERIMENT_VIEW:
      next_view (self);
      return TRUE;
    case COMMAND_EXPERIMENT_FINDING:
      ask_finding (self);
      return TRUE;
    default:
      if (!list_command (&self->list, command))
        return FALSE;
      move_off_heading (&self->list, command == COMMAND_UP || command == COMMAND_PAGE_UP);
      return TRUE;
    }
}

static gboolean
mouse (gpointer screen, MouseAction action, int y, int x)
{
  Experiment *self = screen;
  ExperimentLayout layout = experiment_layout (self->area, self->first);
  List *list =
      area_contains (layout.views[EXPERIMENT_TABLE], y, x) ? &self->table.list : &self->list;
  guint64 row = self->list.top + (guint64) MAX (y - layout.rows.y, 0);
  guint n;
  const FormRow *rows = form_rows (&n);
  Area slider;

  if (action == MOUSE_WHEEL_UP || action == MOUSE_WHEEL_DOWN)
    {
      list_wheel (list, action == MOUSE_WHEEL_UP ? -3 : 3);
      move_off_heading (&self->list, FALSE);
      return TRUE;
    }
  if (!area_contains (layout.rows, y, x) || row >= n || rows[row].kind == FORM_HEADING)
    return FALSE;
  self->list.cursor = row;
  slider = experiment_slider (self, layout.rows, (guint) row);
  if (area_contains (slider, y, x))
    {
      g_autofree char *value =
          form_value_at (&rows[row], (double) (x - slider.x) / MAX (slider.width - 1, 1));

      experiment_set_or_say (self, &rows[row], value);
    }
  else if (action == MOUSE_DOUBLE_CLICK)
    experiment_edit (self);
  return TRUE;
}

/** ":set NAME VALUE" */
static gboolean
execute_set (Experiment *self, const char *rest, GError **error)
{
  gsize length = strcspn (rest, " =");
  g_autofree char *name = g_strndup (rest, length);
  guint n;
  const FormRow *rows = form_rows (&n);

  for (rest += length; *rest == ' ' || *rest == '='; rest++)
    ;
  for (guint i = 0; i < n; i++)
    if (rows[i].kind != FORM_HEADING && strcmp (rows[i].name, name) == 0)
      return experiment_set (self, &rows[i], rest, error);
  return train_parameters_set (app_parameters (self->app), name, rest, error);
}

static gboolean
execute (gpointer screen, const char *line, GError **error)
{
  Experiment *self = screen;

  if (g_str_has_prefix (line, "set "))
    return execute_set (self, line + strlen ("set "), error);
  if (g_str_has_prefix (line, "load "))
    experiment_load_file (self, line + strlen ("load "));
  else if (g_str_has_prefix (line, "save "))
    experiment_save_file (self, line + strlen ("save "));
  else
    return FALSE;
  return TRUE;
}

/* ---- life ---- */

static gpointer
create (App *app)
{
  Experiment *self = g_new0 (Experiment, 1);
  guint n;

  self->table.since_last = TRUE;
  form_rows (&n);
  self->app = app;
  self->list.n = n;
  self->list.cursor = 1;
  self->finding = (guint) catalog_label_find ("Cardiomegaly");
  self->live_s = NAN;
  return self;
}

static void
destroy (gpointer screen)
{
  Experiment *self = screen;

  experiment_plan_end (self);
  experiment_live_end (self);
  experiment_file_end (self);
  experiment_names_end (self);
  g_free (self->checkpoint);
  g_free (self->description);
  g_free (self->last_checkpoint);
  g_free (self->last_description);
  g_free (self);
}

static const int *
scopes (gpointer screen)
{
  static const int all[] = { SCOPE_EXPERIMENT, SCOPE_LIST, SCOPE_ANYWHERE, -1 };

  return all;
}

static gboolean
useful (gpointer screen, Command command)
{
  return command != COMMAND_EXPERIMENT_BEST || ((Experiment *) screen)->best != NULL;
}

/** Another workspace: nothing that was worked out holds any more. */
static void
begin_workspace (Experiment *self)
{
  self->workspace = app_workspace (self->app);
  experiment_plan_end (self);
  experiment_live_forget (self);
  experiment_names_end (self);
}

static void
store_changed (gpointer screen)
{
  Experiment *self = screen;
  CatalogStore *store = app_store (self->app);

  if (self->workspace != app_workspace (self->app))
    begin_workspace (self);
  g_free (self->last_checkpoint);
  g_free (self->last_description);
  self->last_checkpoint =
      store != NULL ? catalog_store_get (store, STUDY_SETTING_CHECKPOINT) : NULL;
  self->last_description =
      store != NULL ? catalog_store_get (store, STUDY_SETTING_DESCRIPTION) : NULL;
  experiment_plan (self);
}

/** Another screen may have set parameters. */
static void
enter (gpointer screen)
{
  experiment_plan (screen);
}

static void
woken (gpointer screen)
{
  experiment_live_woken (screen);
}

static void
save (gpointer screen, GKeyFile *state)
{
  Experiment *self = screen;

  g_key_file_set_integer (state, GROUP, "row", (int) self->list.cursor);
  g_key_file_set_integer (state, GROUP, "view", (int) self->first);
  g_key_file_set_integer (state, GROUP, "finding", (int) self->finding);
  g_key_file_set_boolean (state, GROUP, "live", self->live);
  if (self->checkpoint != NULL)
    g_key_file_set_string (state, GROUP, "checkpoint", self->checkpoint);
  if (self->description != NULL)
    g_key_file_set_string (state, GROUP, "description", self->description);
}

static void
load (gpointer screen, GKeyFile *state)
{
  Experiment *self = screen;

  self->list.cursor = (guint64) CLAMP (g_key_file_get_integer (state, GROUP, "row", NULL), 0,
                                       (int) self->list.n - 1);
  move_off_heading (&self->list, FALSE);
  self->first = (ExperimentView) CLAMP (g_key_file_get_integer (state, GROUP, "view", NULL), 0,
                                        N_EXPERIMENT_VIEWS - 1);
  if (g_key_file_has_key (state, GROUP, "finding", NULL))
    self->finding = (guint) CLAMP (g_key_file_get_integer (state, GROUP, "finding", NULL), 0,
                                   CATALOG_N_LABELS - 1);
  self->live = g_key_file_get_boolean (state, GROUP, "live", NULL);
  g_free (self->checkpoint);
  g_free (self->description);
  self->checkpoint = g_key_file_get_string (state, GROUP, "checkpoint", NULL);
  self->description = g_key_file_get_string (state, GROUP, "description", NULL);
}

const ScreenClass experiment_screen = { .title = "Experiment",
                                        .create = create,
                                        .destroy = destroy,
                                        .scopes = scopes,
                                        .useful = useful,
                                        .enter = enter,
                                        .draw = experiment_draw,
                                        .command = command,
                                        .mouse = mouse,
                                        .execute = execute,
                                        .store_changed = store_changed,
                                        .woken = woken,
                                        .save = save,
                                        .load = load };

/* 5 Runs: the history, one run in short, and runs beside each other. */
#include "runs_private.h"

#include <string.h>

#define WHEEL_ROWS 3

RunsRow *
runs_selected (RunsScreen *self)
{
  return self->rows != NULL && self->list.cursor < self->rows->len
             ? g_ptr_array_index (self->rows, self->list.cursor)
             : NULL;
}

gboolean
runs_is_tagged (RunsScreen *self, gint64 run_id)
{
  return g_hash_table_contains (self->tagged, &run_id);
}

/* ---- start and end ---- */

static gpointer
create (App *app)
{
  RunsScreen *self = g_new0 (RunsScreen, 1);

  self->app = app;
  self->sort = RUNS_NUMBER;
  self->descending = TRUE;
  self->tagged = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  return self;
}

static void
destroy (gpointer screen)
{
  RunsScreen *self = screen;

  work_cancel (&self->loading);
  work_cancel (&self->loading_details);
  work_cancel (&self->comparing);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  runs_details_free (self->details);
  runs_comparison_free (self->comparison);
  g_hash_table_unref (self->tagged);
  g_free (self->fault);
  g_free (self->asked_name);
  g_strfreev (self->asked_runs);
  g_free (self);
}

static const int *
scopes (gpointer screen)
{
  static const int runs[] = { SCOPE_RUNS, SCOPE_LIST, SCOPE_ANYWHERE, -1 };
  static const int comparison[] = { SCOPE_COMPARISON, SCOPE_LIST, SCOPE_ANYWHERE, -1 };
  RunsScreen *self = screen;

  return self->comparison != NULL ? comparison : runs;
}

/** Where nothing was run yet there is nothing to do here, and one run has none beside it. */
static gboolean
useful (gpointer screen, Command command)
{
  RunsScreen *self = screen;

  if (command == COMMAND_RUNS_COMPARE)
    return self->rows != NULL && self->rows->len > 1;
  return runs_selected (self) != NULL || command == COMMAND_HELP || command == COMMAND_QUIT;
}

static void
draw (gpointer screen, Area area)
{
  RunsScreen *self = screen;

  if (self->comparison != NULL)
    runs_draw_comparison (self, area);
  else
    runs_draw (self, area);
}

/* ---- commands ---- */

/** The cursor is on another run, maybe. */
static void
follow_cursor (RunsScreen *self)
{
  const RunsRow *row = runs_selected (self);

  if (row != NULL && row->run->id != self->selected)
    runs_load_details (self);
}

static void
sort_again (RunsScreen *self)
{
  if (self->rows == NULL)
    return;
  runs_sort (self->rows, self->sort, self->descending);
  for (guint i = 0; i < self->rows->len; i++)
    if (((RunsRow *) g_ptr_array_index (self->rows, i))->run->id == self->selected)
      self->list.cursor = i;
  list_fit (&self->list, self->list.page);
}

static void
tag (RunsScreen *self)
{
  const RunsRow *row = runs_selected (self);

  if (row == NULL)
    return;
  if (!g_hash_table_remove (self->tagged, &row->run->id))
    g_hash_table_add (self->tagged, g_memdup2 (&row->run->id, sizeof row->run->id));
  list_command (&self->list, COMMAND_DOWN);
  follow_cursor (self);
}

static void
use (RunsScreen *self)
{
  const RunsRow *row = runs_selected (self);
  g_autofree char *name = NULL;

  if (row == NULL)
    return;
  if (strcmp (row->run->status, "done") != 0)
    {
      app_error (self->app, "%s is %s: it predicted nothing; choose a run that is done",
                 row->run->name, row->run->status);
      return;
    }
  name = g_strdup (row->run->name);
  app_message (self->app, "Records shows what %s predicted", name);
  app_choose_run (self->app, row->run->id, name, app_chosen_run (self->app)->class_index);
}

static gboolean
command_in_comparison (RunsScreen *self, Command command)
{
  switch (command)
    {
    case COMMAND_COMPARISON_CLOSE:
      g_clear_pointer (&self->comparison, runs_comparison_free);
      return TRUE;
    case COMMAND_COMPARISON_EXPORT:
      runs_export (self);
      return TRUE;
    default:
      return list_command (&self->comparison_list, command);
    }
}

static gboolean
command (gpointer screen, Command command)
{
  RunsScreen *self = screen;
  const RunsRow *row = runs_selected (self);

  if (self->comparison != NULL)
    return command_in_comparison (self, command);
  switch (command)
    {
    case COMMAND_RUNS_OPEN:
      if (row != NULL)
        app_show_run (self->app, row->run->id);
      return TRUE;
    case COMMAND_RUNS_TAG:
      tag (self);
      return TRUE;
    case COMMAND_RUNS_COMPARE:
      runs_compare (self);
      return TRUE;
    case COMMAND_RUNS_USE:
      use (self);
      return TRUE;
    case COMMAND_RUNS_SORT:
      self->sort = runs_next_sort (self->sort, &self->descending);
      sort_again (self);
      return TRUE;
    case COMMAND_RUNS_REVERSE:
      self->descending = !self->descending;
      sort_again (self);
      return TRUE;
    case COMMAND_RUNS_AGAIN:
      runs_again (self);
      return TRUE;
    case COMMAND_RUNS_RENAME:
      runs_rename (self);
      return TRUE;
    case COMMAND_RUNS_NOTE:
      runs_write_note (self);
      return TRUE;
    case COMMAND_RUNS_DELETE:
      runs_delete (self);
      return TRUE;
    case COMMAND_RUNS_EXPORT:
      runs_export (self);
      return TRUE;
    default:
      if (!list_command (&self->list, command))
        return FALSE;
      follow_cursor (self);
      return TRUE;
    }
}

static gboolean
mouse (gpointer screen, MouseAction action, int y, int x)
{
  RunsScreen *self = screen;
  gboolean compares = self->comparison != NULL;
  List *list = compares ? &self->comparison_list : &self->list;

  if (action == MOUSE_WHEEL_UP || action == MOUSE_WHEEL_DOWN)
    list_wheel (list, action == MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
  else if (area_contains (self->table, y, x) && list->top + (guint64) (y - self->table.y) < list->n)
    {
      list->cursor = list->top + (guint64) (y - self->table.y);
      if (action == MOUSE_DOUBLE_CLICK && !compares)
        return command (self, COMMAND_RUNS_OPEN);
    }
  else
    return FALSE;
  if (!compares)
    follow_cursor (self);
  app_redraw (self->app);
  return TRUE;
}

static gboolean
back (gpointer screen)
{
  RunsScreen *self = screen;

  if (self->comparison == NULL)
    return FALSE;
  g_clear_pointer (&self->comparison, runs_comparison_free);
  return TRUE;
}

static gboolean
execute (gpointer screen, const char *line, GError **error)
{
  RunsScreen *self = screen;
  char *end;
  guint64 row = g_ascii_strtoull (line, &end, 10);

  if (end == line || *end != '\0' || self->comparison != NULL)
    return FALSE;
  self->list.cursor = row > 0 ? row - 1 : 0;
  list_fit (&self->list, self->list.page);
  follow_cursor (self);
  return TRUE;
}

static void
store_changed (gpointer screen)
{
  runs_load (screen);
}

/* ---- state ---- */

#define GROUP "Runs"

static void
save (gpointer screen, GKeyFile *state)
{
  RunsScreen *self = screen;
  g_autoptr (GArray) tags = g_array_new (FALSE, FALSE, sizeof (int));
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init (&iter, self->tagged);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    {
      int number = (int) *(gint64 *) id;

      g_array_append_val (tags, number);
    }
  g_key_file_set_string (state, GROUP, "sort", runs_columns[self->sort].title);
  g_key_file_set_boolean (state, GROUP, "descending", self->descending);
  g_key_file_set_int64 (state, GROUP, "selected", self->selected);
  if (tags->len > 0)
    g_key_file_set_integer_list (state, GROUP, "tagged", (int *) (void *) tags->data, tags->len);
}

static void
load (gpointer screen, GKeyFile *state)
{
  RunsScreen *self = screen;
  g_autofree char *sort = g_key_file_get_string (state, GROUP, "sort", NULL);
  gsize n = 0;
  g_autofree int *tags = g_key_file_get_integer_list (state, GROUP, "tagged", &n, NULL);

  /* Another workspace: nothing of the one before stays. */
  work_cancel (&self->comparing);
  g_clear_pointer (&self->comparison, runs_comparison_free);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  self->list = (List){ 0 };
  g_hash_table_remove_all (self->tagged);
  self->sort = RUNS_NUMBER;
  self->descending = TRUE;
  for (RunsColumn column = RUNS_NUMBER; column < N_RUNS_COLUMNS && sort != NULL; column++)
    if (*sort != '\0' && strcmp (sort, runs_columns[column].title) == 0)
      {
        self->sort = column;
        self->descending = g_key_file_get_boolean (state, GROUP, "descending", NULL);
      }
  self->selected = g_key_file_get_int64 (state, GROUP, "selected", NULL);
  for (gsize i = 0; i < n; i++)
    {
      gint64 id = tags[i];

      g_hash_table_add (self->tagged, g_memdup2 (&id, sizeof id));
    }
}

const ScreenClass runs_screen = { .title = "Runs",
                                  .create = create,
                                  .destroy = destroy,
                                  .scopes = scopes,
                                  .useful = useful,
                                  .draw = draw,
                                  .command = command,
                                  .mouse = mouse,
                                  .back = back,
                                  .execute = execute,
                                  .store_changed = store_changed,
                                  .save = save,
                                  .load = load };

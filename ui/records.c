#include "records_private.h"

#include "base/error.h"

#include <string.h>

static const int *
scopes (gpointer screen)
{
  static const int all[] = { SCOPE_RECORDS, SCOPE_LIST, SCOPE_ANYWHERE, -1 };

  return all;
}

/** A folder of scans has neither reports nor labels, and of nothing there is only a beginning. */
static gboolean
useful (gpointer screen, Command command)
{
  const Records *records = screen;
  gboolean empty = records->list.n == 0 && records->query == NULL && records->search == NULL
                   && records->filter == NULL && !records->only_tagged;

  if (records->folder == NULL && empty)
    return command == COMMAND_RECORDS_IMPORT || command == COMMAND_RECORDS_FOLDER
           || command == COMMAND_HELP || command == COMMAND_QUIT;
  if (records->folder == NULL)
    return (command != COMMAND_RECORDS_ERRORS && command != COMMAND_RECORDS_CLASS)
           || app_chosen_run (records->app)->id > 0;
  return command == COMMAND_RECORDS_OPEN || command == COMMAND_RECORDS_FOLDER
         || command == COMMAND_HELP || command == COMMAND_QUIT;
}

/* ---- looking at slices ---- */

static gboolean
check_folder (gpointer data, const char *text, GError **error)
{
  if (g_file_test (text, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                       *text == '\0'                            ? "type a folder, Tab completes it"
                       : g_file_test (text, G_FILE_TEST_EXISTS) ? "is a file, no folder"
                                                                : "no such folder");
  return FALSE;
}

static void
scans_folder_given (gpointer data, const char *path)
{
  Records *records = data;

  records->open_when_found = TRUE;
  app_set_volumes_directory (records->app, path);
  app_message (records->app, "Looking for scans below %s", path);
}

static void
open_record (Records *records)
{
  const char *path;

  records_take_cursor (records);
  if (records->record == NULL)
    return;
  path = app_volume_path (records->app, records->record->volume);
  if (path != NULL)
    app_look_at (records->app, records->record->volume, path);
  else if (app_volumes_directory (records->app) == NULL)
    app_prompt (records->app, &(Prompt){ .label = "folder with the scans",
                                         .history = "path",
                                         .kind = PROMPT_PATH,
                                         .check = check_folder,
                                         .accept = scans_folder_given,
                                         .data = records });
  else if (app_volumes_walking (records->app))
    {
      records->open_when_found = TRUE;
      app_message (records->app, "Still looking for scans below %s",
                   app_volumes_directory (records->app));
    }
  else
    app_error (records->app, "%s is not below %s; :volumes DIR names another folder",
               records->record->volume, app_volumes_directory (records->app));
}

/** The next row that way whose scan is here, of those that the query's worker found; -1 for none.
 */
static gint64
next_on_disk (const Records *records, int step)
{
  const guint cursor = (guint) records->list.cursor;
  guint low = 0, high = records->on_disk->len;

  while (low < high)
    {
      const guint middle = low + (high - low) / 2;
      const guint row = g_array_index (records->on_disk, guint, middle);

      if (row < cursor || (row == cursor && step > 0))
        low = middle + 1;
      else
        high = middle;
    }
  if (step < 0 ? low == 0 : low == records->on_disk->len)
    return -1;
  return g_array_index (records->on_disk, guint, step < 0 ? low - 1 : low);
}

/** The next one that way; records whose scan is not here are passed over. */
static char *
neighbour (gpointer data, int step, gboolean go, char **path)
{
  Records *records = data;
  List *list = records->folder != NULL ? &records->scan_list : &records->list;
  const CatalogRecord *record;
  const char *file;
  gint64 at = (gint64) list->cursor + step;

  if (records->folder == NULL && step != 0)
    at = next_on_disk (records, step);
  if (at < 0 || at >= (gint64) list->n)
    return NULL;
  record = records->folder == NULL ? records_row (records, (guint64) at) : NULL;
  file = records->folder != NULL ? g_array_index (records->scans, FolderScan, at).path
         : record != NULL        ? app_volume_path (records->app, record->volume)
                                 : NULL;
  if (file == NULL)
    return NULL;
  if (go)
    {
      list->cursor = (guint64) at;
      list_fit (list, list->page);
    }
  *path = g_strdup (file);
  return record != NULL ? g_strdup (record->volume) : NULL;
}

/* ---- life ---- */

static gpointer
create (App *app)
{
  Records *records = g_new0 (Records, 1);

  records->app = app;
  records->funnel = -1;
  records->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  records->on_disk = g_array_new (FALSE, FALSE, sizeof (guint));
  records->terms = catalog_search_terms (NULL);
  records->tags = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  app_set_neighbours (app, neighbour, records);
  return records;
}

static void
destroy (gpointer screen)
{
  Records *records = screen;

  work_cancel (&records->query);
  work_cancel (&records->runs_work);
  g_clear_pointer (&records->runs, g_ptr_array_unref);
  if (records->folder != NULL)
    records_leave_folder (records);
  records_forget_page (records);
  g_array_unref (records->ids);
  g_array_unref (records->on_disk);
  g_ptr_array_unref (records->terms);
  g_hash_table_unref (records->tags);
  g_free (records->search);
  g_free (records->search_before);
  g_free (records->filter);
  g_free (records->sort);
  g_free (records->sort_before);
  g_free (records->fault);
  g_free (records->wanted);
  g_free (records->import_reports);
  g_free (records->import_labels);
  g_free (records->import_metadata);
  g_free (records);
}

/* ---- commands ---- */

static void
toggle_tag (Records *records)
{
  const CatalogRecord *record = records_row (records, records->list.cursor);

  if (record == NULL)
    return;
  if (!g_hash_table_remove (records->tags, record->volume))
    g_hash_table_add (records->tags, g_strdup (record->volume));
  list_command (&records->list, COMMAND_DOWN);
}

static void
folder_given (gpointer data, const char *text)
{
  records_browse (data, text);
}

void
records_folder (gpointer screen)
{
  Records *records = screen;

  app_prompt (records->app, &(Prompt){ .label = "folder of scans",
                                       .history = "path",
                                       .kind = PROMPT_PATH,
                                       .check = check_folder,
                                       .accept = folder_given,
                                       .data = records });
}

void
records_show_errors (gpointer screen)
{
  Records *records = screen;

  if (records->folder != NULL)
    records_leave_folder (records);
  records->errors = FALSE;
  records_set_errors (records, TRUE);
}

static void
show_errors_or_say_why (Records *records)
{
  if (!records->errors && app_chosen_run (records->app)->id == 0)
    app_error (records->app, "Choose a run first: r");
  else
    records_set_errors (records, !records->errors);
}

static gboolean
command (gpointer screen, Command command)
{
  Records *records = screen;

  if (command == COMMAND_RECORDS_FOLDER)
    {
      if (records->folder != NULL)
        records_end_browsing (records);
      else
        records_folder (records);
      return TRUE;
    }
  if (records->folder != NULL && command != COMMAND_RECORDS_IMPORT)
    return records_folder_command (records, command);
  if (list_command (&records->list, command))
    return TRUE;
  switch (command)
    {
    case COMMAND_RECORDS_OPEN:
      open_record (records);
      return TRUE;
    case COMMAND_RECORDS_SEARCH:
      records_ask_search (records);
      return TRUE;
    case COMMAND_RECORDS_FILTER:
      records_ask_filter (records);
      return TRUE;
    case COMMAND_RECORDS_SORT:
      records_choose_sort (records);
      return TRUE;
    case COMMAND_RECORDS_ERRORS:
      show_errors_or_say_why (records);
      return TRUE;
    case COMMAND_RECORDS_RUN:
      records_choose_run (records);
      return TRUE;
    case COMMAND_RECORDS_CLASS:
      records_choose_class (records);
      return TRUE;
    case COMMAND_RECORDS_TAG:
      toggle_tag (records);
      return TRUE;
    case COMMAND_RECORDS_UNTAG:
      g_hash_table_remove_all (records->tags);
      records_show_tagged (records, FALSE);
      return TRUE;
    case COMMAND_RECORDS_TAGGED:
      records_show_tagged (records, !records->only_tagged);
      return TRUE;
    case COMMAND_RECORDS_WRITE:
      records_write (records);
      return TRUE;
    case COMMAND_RECORDS_NEXT_MATCH:
      records_pane_match (records, 1);
      return TRUE;
    case COMMAND_RECORDS_PREVIOUS_MATCH:
      records_pane_match (records, -1);
      return TRUE;
    case COMMAND_RECORDS_DROPPED:
      records->dropped = !records->dropped;
      records_query (records);
      return TRUE;
    case COMMAND_RECORDS_FUNNEL:
      records->funnel = records->funnel_drawn ? 0 : 1;
      records->zoomed = FALSE;
      return TRUE;
    case COMMAND_RECORDS_PANE_DOWN:
      records_pane_scroll (records, 1);
      return TRUE;
    case COMMAND_RECORDS_PANE_UP:
      records_pane_scroll (records, -1);
      return TRUE;
    case COMMAND_RECORDS_ZOOM:
      records->zoomed = !records->zoomed;
      return TRUE;
    case COMMAND_RECORDS_IMPORT:
      records_import (records);
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
back (gpointer screen)
{
  Records *records = screen;

  if (records->zoomed)
    records->zoomed = FALSE;
  else if (records->folder != NULL)
    records_end_browsing (records);
  else if (records->search != NULL)
    records_set_search (records, NULL);
  else if (records->filter != NULL)
    records_set_filter (records, NULL);
  else if (records->only_tagged)
    records_show_tagged (records, FALSE);
  else if (records->errors)
    records_set_errors (records, FALSE);
  else
    return FALSE;
  return TRUE;
}

static gboolean
execute (gpointer screen, const char *line, GError **error)
{
  Records *records = screen;
  const char *rest = strchr (line, ' ');
  gsize word = rest != NULL ? (gsize) (rest - line) : strlen (line);
  g_autofree char *path = app_path (rest != NULL ? rest + 1 : "");

  rest = rest != NULL ? rest + 1 : "";
  if (g_ascii_isdigit (*line))
    {
      List *list = records->folder != NULL ? &records->scan_list : &records->list;
      guint64 row = g_ascii_strtoull (line, NULL, 10);

      list->cursor = row > 0 ? row - 1 : 0;
      list_fit (list, list->page);
      return TRUE;
    }
  if (strncmp (line, "filter", word) == 0 && word == 6)
    {
      if (!records_check_filter (records, rest, error))
        return FALSE;
      records_set_filter (records, rest);
    }
  else if (strncmp (line, "sort", word) == 0 && word == 4)
    {
      records_sort_by (records, *rest != '\0' ? rest : NULL);
    }
  else if (strncmp (line, "import", word) == 0 && word == 6)
    {
      if (*rest == '\0')
        records_import (records);
      else if (!records_import_directory (records, path, error))
        return FALSE;
    }
  else if (strncmp (line, "folder", word) == 0 && word == 6)
    {
      if (*rest == '\0')
        records_folder (records);
      else if (!check_folder (records, path, error))
        return FALSE;
      else
        records_browse (records, path);
    }
  else
    return FALSE;
  app_go_to (records->app, SCREEN_RECORDS);
  return TRUE;
}

static gboolean
mouse (gpointer screen, MouseAction action, int y, int x)
{
  Records *records = screen;
  List *list = records->folder != NULL ? &records->scan_list : &records->list;
  Area table = records->table;
  guint64 row = list->top + (guint64) MAX (y - table.y, 0);

  if (action == MOUSE_WHEEL_UP || action == MOUSE_WHEEL_DOWN)
    {
      int rows = action == MOUSE_WHEEL_UP ? -3 : 3;

      if (y < table.y + table.height || records->folder != NULL)
        list_wheel (list, rows);
      else
        records_pane_scroll (records, rows);
    }
  else if (records->folder == NULL && action == MOUSE_CLICK
           && (y == table.y - 1 || y == table.y - 2))
    {
      const char *field = records_sort_at (records, x - table.x);

      if (field != NULL)
        records_sort_by (records, field);
    }
  else if (area_contains (table, y, x) && row < list->n)
    {
      list->cursor = row;
      if (action == MOUSE_DOUBLE_CLICK)
        command (records, COMMAND_RECORDS_OPEN);
    }
  else
    return FALSE;
  app_redraw (records->app);
  return TRUE;
}

/* ---- what changes from outside, and what is kept ---- */

static void
store_changed (gpointer screen)
{
  Records *records = screen;

  g_clear_pointer (&records->page, g_ptr_array_unref);
  records_query_again (records);
  if (records->open_when_found && !app_volumes_walking (records->app))
    {
      records->open_when_found = FALSE;
      if (app_screen (records->app) == SCREEN_RECORDS)
        open_record (records);
    }
}

static void
enter (gpointer screen)
{
  Records *records = screen;

  app_set_neighbours (records->app, neighbour, records);
}

static void
save (gpointer screen, GKeyFile *state)
{
  Records *records = screen;
  guint n;
  g_autofree const char **tags = (const char **) g_hash_table_get_keys_as_array (records->tags, &n);
  const CatalogRecord *record = records_row (records, records->list.cursor);

  g_key_file_set_string (state, "Records", "search", records->search ? records->search : "");
  g_key_file_set_string (state, "Records", "filter", records->filter ? records->filter : "");
  g_key_file_set_string (state, "Records", "sort", records->sort ? records->sort : "");
  g_key_file_set_boolean (state, "Records", "descending", records->descending);
  g_key_file_set_boolean (state, "Records", "errors", records->errors);
  g_key_file_set_boolean (state, "Records", "dropped", records->dropped);
  g_key_file_set_integer (state, "Records", "funnel", records->funnel);
  g_key_file_set_string_list (state, "Records", "tags", tags, n);
  if (record != NULL)
    g_key_file_set_string (state, "Records", "record", record->volume);
}

static void
load_text (char **text, GKeyFile *state, const char *key)
{
  g_autofree char *value = g_key_file_get_string (state, "Records", key, NULL);

  g_free (*text);
  *text = value != NULL && *value != '\0' ? g_steal_pointer (&value) : NULL;
}

static void
load (gpointer screen, GKeyFile *state)
{
  Records *records = screen;
  g_auto (GStrv) tags = g_key_file_get_string_list (state, "Records", "tags", NULL, NULL);

  load_text (&records->search, state, "search");
  load_text (&records->filter, state, "filter");
  load_text (&records->sort, state, "sort");
  load_text (&records->wanted, state, "record");
  records->descending = g_key_file_get_boolean (state, "Records", "descending", NULL);
  records->errors = g_key_file_get_boolean (state, "Records", "errors", NULL);
  records->dropped = g_key_file_get_boolean (state, "Records", "dropped", NULL);
  records->funnel = g_key_file_has_key (state, "Records", "funnel", NULL)
                        ? g_key_file_get_integer (state, "Records", "funnel", NULL)
                        : -1;
  g_hash_table_remove_all (records->tags);
  for (guint i = 0; tags != NULL && tags[i] != NULL; i++)
    g_hash_table_add (records->tags, g_strdup (tags[i]));
  app_set_neighbours (records->app, neighbour, records);
}

const ScreenClass records_screen = { .title = "Records",
                                     .create = create,
                                     .destroy = destroy,
                                     .scopes = scopes,
                                     .useful = useful,
                                     .enter = enter,
                                     .draw = records_draw,
                                     .command = command,
                                     .mouse = mouse,
                                     .back = back,
                                     .execute = execute,
                                     .store_changed = store_changed,
                                     .save = save,
                                     .load = load };

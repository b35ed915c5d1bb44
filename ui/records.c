#include "records_private.h"

#include "base/error.h"
#include "report/text_table.h"

#include <stdlib.h>
#include <string.h>

static gpointer
create (App *app)
{
  Records *records = g_new0 (Records, 1);

  records->app = app;
  records->funnel = -1;
  records->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  records->terms = catalog_search_terms (NULL);
  records->tags = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
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

static const int *
scopes (gpointer screen)
{
  static const int all[] = { SCOPE_RECORDS, SCOPE_LIST, SCOPE_ANYWHERE, -1 };

  return all;
}

/* ---- the rows that are wished for ---- */

static void
replace (char **text, const char *with)
{
  char *copy = with != NULL && *with != '\0' ? g_strdup (with) : NULL;

  g_free (*text);
  *text = copy;
}

static void
sort_by (Records *records, const char *field, gboolean descending)
{
  replace (&records->sort, field);
  records->descending = descending;
  records->errors = FALSE;
  records->list.cursor = records->list.top = 0;
  g_clear_pointer (&records->record, catalog_record_free);
  records_query (records);
}

/** The same field again reverses; findings and what is encoded begin with those that are there. */
static void
sort_or_reverse (Records *records, const char *field)
{
  gboolean again = g_strcmp0 (records->sort, field) == 0;
  gboolean first = field != NULL
                   && (catalog_label_find (field) >= 0 || strcmp (field, "encoded") == 0
                       || strcmp (field, "probability") == 0);

  sort_by (records, field, again ? !records->descending : first);
}

static void
set_errors (Records *records, gboolean errors)
{
  if (errors == records->errors)
    return;
  if (errors)
    {
      char *before = g_strdup (records->sort);
      gboolean descending = records->descending;

      sort_by (records, "error", FALSE);
      g_free (records->sort_before);
      records->sort_before = before;
      records->descending_before = descending;
      records->errors = TRUE;
    }
  else
    sort_by (records, records->sort_before, records->descending_before);
}

static void
set_search (gpointer data, const char *text)
{
  Records *records = data;

  replace (&records->search, text);
  records_query (records);
}

/** While it is typed; cancelled, what was there before comes back. */
static void
search_typed (gpointer data, const char *text)
{
  Records *records = data;

  set_search (records, text != NULL ? text : records->search_before);
}

static gboolean
check_filter (gpointer data, const char *text, GError **error)
{
  g_autoptr (GError) fault = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse (text, &fault);
  g_autofree char *first = NULL;

  if (query != NULL)
    return TRUE;
  /* The text stands before it on the line already, so the first line says enough. */
  first = g_strndup (fault->message, strcspn (fault->message, "\n"));
  g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, first);
  return FALSE;
}

static void
set_filter (gpointer data, const char *text)
{
  Records *records = data;

  replace (&records->filter, text);
  records_query (records);
}

/* ---- choices ---- */

static const char *const sorts[] = { "volume",     "patient",      "split",     "sex",
                                     "age",        "manufacturer", "spacing_z", "slices",
                                     "study_date", "reason",       "encoded",   "probability",
                                     "error" };

static void
sort_chosen (gpointer data, guint index)
{
  guint n = G_N_ELEMENTS (sorts);
  const char *field = index == 0   ? NULL
                      : index <= n ? sorts[index - 1]
                                   : catalog_label_name (index - n - 1);

  sort_or_reverse (data, field);
}

static void
choose_sort (Records *records)
{
  const char *items[1 + G_N_ELEMENTS (sorts) + CATALOG_N_LABELS + 1] = { "the tables' order" };
  guint n = 1, selected = 0;

  for (guint i = 0; i < G_N_ELEMENTS (sorts); i++)
    items[n++] = sorts[i];
  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    items[n++] = catalog_label_name (i);
  for (guint i = 1; i < n; i++)
    if (g_strcmp0 (items[i], records->sort) == 0)
      selected = i;
  app_choose (records->app, "Sort by (the same again reverses)", items, selected, sort_chosen,
              records);
}

static void
class_chosen (gpointer data, guint index)
{
  Records *records = data;
  const AppRun *run = app_chosen_run (records->app);
  g_autofree char *name = g_strdup (run->name);

  app_choose_run (records->app, run->id, name, index);
}

static void
choose_class (Records *records)
{
  const char *items[CATALOG_N_LABELS + 1] = { NULL };

  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    items[i] = catalog_label_name (i);
  app_choose (records->app, "Probability of", items, app_chosen_run (records->app)->class_index,
              class_chosen, records);
}

static gpointer
read_runs (gpointer data, GCancellable *cancellable, GError **error)
{
  g_autoptr (CatalogStore) store = workspace_store (data, error);

  return store != NULL ? catalog_runs_list (store, error) : NULL;
}

static void
run_chosen (gpointer data, guint index)
{
  Records *records = data;
  guint class_index = app_chosen_run (records->app)->class_index;

  if (index == 0)
    app_choose_run (records->app, 0, NULL, class_index);
  else
    {
      const CatalogRun *run = g_ptr_array_index (records->runs, index - 1);

      app_choose_run (records->app, run->id, run->name, class_index);
    }
}

static void
runs_read (gpointer owner, gpointer result, const GError *error)
{
  Records *records = owner;
  g_autoptr (GStrvBuilder) items = g_strv_builder_new ();
  g_auto (GStrv) lines = NULL;
  guint selected = 0;

  records->runs_work = NULL;
  if (result == NULL)
    {
      app_error (records->app, "%s", error->message);
      return;
    }
  g_clear_pointer (&records->runs, g_ptr_array_unref);
  records->runs = result;
  g_strv_builder_add (items, "none");
  for (guint i = 0; i < records->runs->len; i++)
    {
      const CatalogRun *run = g_ptr_array_index (records->runs, i);
      g_autofree char *auroc = report_decimals (run->macro_auroc, 3);
      g_autofree char *line =
          g_strdup_printf ("%-20s %-9s macro AUROC %s", run->name, run->status, auroc);

      g_strv_builder_add (items, line);
      if (run->id == app_chosen_run (records->app)->id)
        selected = i + 1;
    }
  lines = g_strv_builder_end (items);
  app_choose (records->app, "Predictions of run", (const char *const *) lines, selected, run_chosen,
              records);
}

static void
choose_run (Records *records)
{
  if (app_workspace (records->app) == NULL)
    return;
  work_cancel (&records->runs_work);
  records->runs_work =
      works_start (app_works (records->app), read_runs, app_workspace (records->app), NULL,
                   (GDestroyNotify) g_ptr_array_unref, runs_read, records);
}

/* ---- looking at slices ---- */

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
    app_error (records->app, "Where do the scans lie? :volumes DIR says it");
  else
    app_error (records->app, "%s is not below %s; :volumes DIR names another folder",
               records->record->volume, app_volumes_directory (records->app));
}

/** The next one that way; records whose scan is not here are passed over. */
static char *
neighbour (gpointer data, int step, char **path)
{
  Records *records = data;

  if (records->folder != NULL)
    {
      List *list = &records->scan_list;
      gint64 at = (gint64) list->cursor + step;

      if (at < 0 || at >= (gint64) list->n)
        return NULL;
      list->cursor = (guint64) at;
      list_fit (list, list->page);
      *path = g_strdup (g_array_index (records->scans, FolderScan, at).path);
      return NULL;
    }
  for (gint64 at = (gint64) records->list.cursor + step; at >= 0 && at < (gint64) records->list.n;
       at += step)
    {
      const CatalogRecord *record = records_row (records, (guint64) at);
      const char *file = record != NULL ? app_volume_path (records->app, record->volume) : NULL;

      if (file == NULL && step != 0)
        continue;
      if (file == NULL)
        return NULL;
      records->list.cursor = (guint64) at;
      list_fit (&records->list, records->list.page);
      *path = g_strdup (file);
      return g_strdup (record->volume);
    }
  return NULL;
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

static gboolean
check_folder (gpointer data, const char *text, GError **error)
{
  g_autofree char *path = g_str_has_prefix (text, "~/")
                              ? g_build_filename (g_get_home_dir (), text + 2, NULL)
                              : g_strdup (text);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND, "no such folder");
  return FALSE;
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
  set_errors (records, TRUE);
}

static void
show_errors_or_say_why (Records *records)
{
  if (!records->errors && app_chosen_run (records->app)->id == 0)
    app_error (records->app, "Choose a run first: r");
  else
    set_errors (records, !records->errors);
}

static gboolean
command (gpointer screen, Command command)
{
  Records *records = screen;

  if (command == COMMAND_RECORDS_FOLDER)
    {
      if (records->folder != NULL)
        records_leave_folder (records);
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
      replace (&records->search_before, records->search);
      app_prompt (records->app, &(Prompt){ .label = "/",
                                           .initial = records->search,
                                           .history = "search",
                                           .changed = search_typed,
                                           .accept = set_search,
                                           .data = records });
      return TRUE;
    case COMMAND_RECORDS_FILTER:
      app_prompt (records->app, &(Prompt){ .label = "filter",
                                           .initial = records->filter,
                                           .history = "filter",
                                           .check = check_filter,
                                           .accept = set_filter,
                                           .data = records });
      return TRUE;
    case COMMAND_RECORDS_SORT:
      choose_sort (records);
      return TRUE;
    case COMMAND_RECORDS_ERRORS:
      show_errors_or_say_why (records);
      return TRUE;
    case COMMAND_RECORDS_RUN:
      choose_run (records);
      return TRUE;
    case COMMAND_RECORDS_CLASS:
      choose_class (records);
      return TRUE;
    case COMMAND_RECORDS_TAG:
      toggle_tag (records);
      return TRUE;
    case COMMAND_RECORDS_UNTAG:
      g_hash_table_remove_all (records->tags);
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
    records_leave_folder (records);
  else if (records->search != NULL)
    set_search (records, NULL);
  else if (records->filter != NULL)
    set_filter (records, NULL);
  else if (records->errors)
    set_errors (records, FALSE);
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
      if (!check_filter (records, rest, error))
        return FALSE;
      set_filter (records, rest);
    }
  else if (strncmp (line, "sort", word) == 0 && word == 4)
    {
      sort_or_reverse (records, *rest != '\0' ? rest : NULL);
    }
  else if (strncmp (line, "import", word) == 0 && word == 6)
    {
      if (*rest == '\0')
        records_import (records);
      else if (!records_import_directory (records, rest, error))
        return FALSE;
    }
  else if (strncmp (line, "folder", word) == 0 && word == 6)
    {
      if (*rest == '\0')
        records_folder (records);
      else
        {
          if (!check_folder (records, rest, error))
            return FALSE;
          records_browse (records, rest);
        }
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
        sort_or_reverse (records, field);
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

/* ---- drawing ---- */

/** How many rows the list has without search and filter. */
static guint64
rows_in_all (const Records *records)
{
  guint64 n = 0;

  for (guint split = 0; split < 2; split++)
    if (records->imported[split])
      n += records->dropped ? records->funnels[split].rows
                            : records->funnels[split].count[CATALOG_KEPT];
  return n;
}

static void
draw_status (Records *records, Area area)
{
  const AppRun *run = app_chosen_run (records->app);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *n = report_count (records->list.n), *all = report_count (rows_in_all (records));
  guint tags = g_hash_table_size (records->tags);

  if (records->list.n == rows_in_all (records))
    g_string_append_printf (text, "%s records", n);
  else
    g_string_append_printf (text, "%s of %s records", n, all);
  if (records->dropped)
    g_string_append (text, ", dropped too");
  if (records->query != NULL)
    g_string_append (text, symbol (SYMBOL_ELLIPSIS));
  if (tags > 0)
    g_string_append_printf (text, "  %s%u", symbol (SYMBOL_TAG), tags);
  if (records->search != NULL)
    g_string_append_printf (text, "  search: %s", records->search);
  if (records->filter != NULL)
    g_string_append_printf (text, "  filter: %s", records->filter);
  if (records->errors)
    g_string_append (text, "  most confident errors first");
  else if (records->sort != NULL)
    g_string_append_printf (text, "  by %s %s", records->sort,
                            symbol (records->descending ? SYMBOL_DOWN : SYMBOL_UP));
  if (run->id != 0)
    g_string_append_printf (text, "  run %s: %s", run->name, catalog_label_name (run->class_index));
  draw_text (area, 0, 0, ROLE_STRONG, text->str);
  if (records->fault != NULL)
    draw_text_in (area, 0, 0, area.width, 'r', ROLE_BAD, records->fault);
}

static void
draw_empty (const Records *records, Area area)
{
  gboolean any = rows_in_all (records) > 0;

  if (records->query != NULL)
    return;
  draw_text (area, 1, 2, ROLE_NORMAL,
             any ? "No record matches. Esc takes the search and the filter back."
                 : "No records yet: I imports CT-RATE's tables, :demo makes a synthetic cohort,");
  if (!any)
    draw_text (area, 2, 2, ROLE_NORMAL, "F browses a folder of scans without any table.");
}

static void
draw (gpointer screen, Area area)
{
  Records *records = screen;
  RecordsLayout layout = records_layout (area, records->funnel, records->zoomed);

  if (records->folder != NULL)
    {
      records_draw_folder (records, area);
      return;
    }
  records->funnel_drawn = layout.funnel.height > 0;
  draw_status (records, layout.status);
  records_draw_funnel (records, layout.funnel);
  if (records->list.n == 0)
    {
      draw_empty (records, layout.table);
      return;
    }
  if (layout.table.height > 0)
    records_draw_table (records, layout.table);
  if (layout.rule.height == 0)
    return;
  records_take_cursor (records);
  draw_rule (layout.rule, 0, records->record != NULL ? records->record->volume : NULL);
  records_draw_pane (records, layout.labels, layout.pane);
}

/* ---- what changes from outside, and what is kept ---- */

static void
store_changed (gpointer screen)
{
  Records *records = screen;

  g_clear_pointer (&records->page, g_ptr_array_unref);
  records_query (records);
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

  replace (text, value);
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
                                     .enter = enter,
                                     .draw = draw,
                                     .command = command,
                                     .mouse = mouse,
                                     .back = back,
                                     .execute = execute,
                                     .store_changed = store_changed,
                                     .save = save,
                                     .load = load };

/* Which records are shown, in what order, and what a run says of them. */
#include "records_private.h"

#include "base/error.h"
#include "report/text_table.h"

#include <string.h>

/* ---- sort, search, filter ---- */

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
  records->top = TRUE;
  records_query (records);
}

/** The same field again reverses; findings and what is encoded begin with those that are there. */
void
records_sort_by (Records *records, const char *field)
{
  gboolean again = g_strcmp0 (records->sort, field) == 0;
  gboolean first = field != NULL
                   && (catalog_label_find (field) >= 0 || strcmp (field, "encoded") == 0
                       || strcmp (field, "probability") == 0);

  sort_by (records, field, again ? !records->descending : first);
}

void
records_set_errors (Records *records, gboolean errors)
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

void
records_set_search (gpointer data, const char *text)
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

  records_set_search (records, text != NULL ? text : records->search_before);
}

gboolean
records_check_filter (gpointer data, const char *text, GError **error)
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

void
records_set_filter (gpointer data, const char *text)
{
  Records *records = data;

  replace (&records->filter, text);
  records_query (records);
}

void
records_ask_search (Records *records)
{
  replace (&records->search_before, records->search);
  app_prompt (records->app, &(Prompt){ .label = "/",
                                       .initial = records->search,
                                       .history = "search",
                                       .changed = search_typed,
                                       .accept = records_set_search,
                                       .data = records });
}

void
records_ask_filter (Records *records)
{
  app_prompt (records->app, &(Prompt){ .label = "filter",
                                       .initial = records->filter,
                                       .history = "filter",
                                       .check = records_check_filter,
                                       .accept = records_set_filter,
                                       .data = records });
}

void
records_show_tagged (Records *records, gboolean only)
{
  if (only && g_hash_table_size (records->tags) == 0)
    {
      app_error (records->app, "Nothing is tagged yet: Space tags a record");
      return;
    }
  records->only_tagged = only;
  records_query (records);
}

/* ---- choices from a list ---- */

/** A field of the listing, and its name on the screen. */
static const struct
{
  const char *field, *title;
} sorts[] = { { NULL, "the tables' order" },
              { "volume", "record" },
              { "patient", "patient" },
              { "split", "split" },
              { "sex", "sex" },
              { "age", "age" },
              { "manufacturer", "scanner" },
              { "spacing_z", "spacing of the slices" },
              { "slices", "slices" },
              { "study_date", "date of the study" },
              { "reason", "dropped as" },
              { "encoded", "encoded" },
              { "probability", "probability of the finding" },
              { "error", "most confident errors" } };

const char *
records_sort_title (const char *field)
{
  for (guint i = 0; i < G_N_ELEMENTS (sorts); i++)
    if (g_strcmp0 (sorts[i].field, field) == 0)
      return sorts[i].title;
  return field; /* a finding */
}

static const char *
sort_field (guint index)
{
  return index < G_N_ELEMENTS (sorts) ? sorts[index].field
                                      : catalog_label_name (index - G_N_ELEMENTS (sorts));
}

static void
sort_chosen (gpointer data, guint index)
{
  records_sort_by (data, sort_field (index));
}

void
records_choose_sort (Records *records)
{
  const char *items[G_N_ELEMENTS (sorts) + CATALOG_N_LABELS + 1] = { NULL };
  guint selected = 0;

  for (guint i = 0; i < G_N_ELEMENTS (sorts) + CATALOG_N_LABELS; i++)
    {
      items[i] = i < G_N_ELEMENTS (sorts) ? sorts[i].title : sort_field (i);
      if (g_strcmp0 (sort_field (i), records->sort) == 0)
        selected = i;
    }
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

void
records_choose_class (Records *records)
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

void
records_choose_run (Records *records)
{
  if (app_workspace (records->app) == NULL)
    return;
  work_cancel (&records->runs_work);
  records->runs_work =
      works_start (app_works (records->app), read_runs, app_workspace (records->app), NULL,
                   (GDestroyNotify) g_ptr_array_unref, runs_read, records);
}

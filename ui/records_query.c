#include "records_private.h"

#include "catalog/runs.h"

#include <math.h>
#include <string.h>

#define PAGE_ROWS 64   /* rows read around those in view */
#define FIRST_ROWS 128 /* enough for a screen, which does not wait for all */

/* ---- the question ---- */

/** A worker must not see a set that changes. */
static GHashTable *
copy_names (GHashTable *names)
{
  GHashTable *copy = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_hash_table_add (copy, g_strdup (name));
  return copy;
}

RecordsQuestion *
records_question_new (const Records *records)
{
  const AppRun *run = app_chosen_run (records->app);
  gboolean by_run =
      g_strcmp0 (records->sort, "error") == 0 || g_strcmp0 (records->sort, "probability") == 0;
  RecordsQuestion *question = g_new0 (RecordsQuestion, 1);

  question->workspace = app_workspace (records->app);
  question->search = g_strdup (records->search);
  question->filter = g_strdup (records->filter);
  /* Without a run there is nothing to sort by in it. */
  question->sort = by_run && run->id == 0 ? NULL : g_strdup (records->sort);
  question->volumes = records->only_tagged ? copy_names (records->tags) : NULL;
  if (app_volumes (records->app) != NULL)
    question->files = catalog_volume_index_ref (app_volumes (records->app));
  question->options = (CatalogListOptions){ .search = question->search,
                                            .sort = question->sort,
                                            .volumes = question->volumes,
                                            .descending = records->descending,
                                            .with_dropped = records->dropped,
                                            .split = -1,
                                            .run_id = run->id,
                                            .class_index = (int) run->class_index };
  return question;
}

void
records_question_free (gpointer data)
{
  RecordsQuestion *question = data;

  g_free (question->search);
  g_free (question->filter);
  g_free (question->sort);
  g_clear_pointer (&question->volumes, g_hash_table_unref);
  g_clear_pointer (&question->files, catalog_volume_index_unref);
  g_free (question);
}

/* ---- the answer ---- */

typedef struct
{
  gboolean first; /* only the first rows, and no funnels */
  GArray *ids, *on_disk;
  CatalogFunnel funnels[2];
  gboolean imported[2];
} Answer;

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  g_clear_pointer (&answer->ids, g_array_unref);
  g_clear_pointer (&answer->on_disk, g_array_unref);
  g_free (answer);
}

/** The first rows alone can be shown where the cursor's record is among them or nowhere. */
static gboolean
is_beginning (CatalogStore *store, const CatalogQuery *query, const RecordsQuestion *question,
              const GArray *ids)
{
  gboolean found = question->cursor_id == 0;

  for (guint i = 0; i < ids->len && !found; i++)
    found = g_array_index (ids, gint64, i) == question->cursor_id;
  return ids->len == FIRST_ROWS
         && (found
             || !catalog_records_hold (store, query, &question->options, question->cursor_id,
                                       NULL));
}

/** The first rows, or all: where there are no more, or the first are not to be shown alone. */
static GArray *
find_ids (CatalogStore *store, const CatalogQuery *query, const RecordsQuestion *question,
          gboolean *first, GCancellable *cancellable, GError **error)
{
  CatalogListOptions options = question->options;
  g_autoptr (GArray) ids = NULL;

  options.limit = question->first ? FIRST_ROWS : 0;
  ids = catalog_records_ids (store, query, &options, cancellable, error);
  *first = question->first && ids != NULL && is_beginning (store, query, question, ids);
  if (!question->first || ids == NULL || *first || ids->len < FIRST_ROWS)
    return g_steal_pointer (&ids);
  return catalog_records_ids (store, query, &question->options, cancellable, error);
}

static GArray *
find_files (CatalogStore *store, const RecordsQuestion *question, const GArray *ids,
            GCancellable *cancellable, GError **error)
{
  return question->files != NULL
             ? catalog_records_with_files (store, ids, question->files, cancellable, error)
             : g_array_new (FALSE, FALSE, sizeof (guint));
}

static gpointer
ask (gpointer data, GCancellable *cancellable, GError **error)
{
  const RecordsQuestion *question = data;
  g_autoptr (CatalogStore) store = workspace_store (question->workspace, error);
  g_autoptr (CatalogQuery) query =
      store != NULL ? catalog_query_parse (question->filter, error) : NULL;
  Answer *answer;

  if (query == NULL)
    return NULL;
  answer = g_new0 (Answer, 1);
  answer->ids = find_ids (store, query, question, &answer->first, cancellable, error);
  if (answer->ids != NULL)
    answer->on_disk = find_files (store, question, answer->ids, cancellable, error);
  if (answer->on_disk == NULL)
    {
      answer_free (answer);
      return NULL;
    }
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; !answer->first && split <= CATALOG_SPLIT_VALID;
       split++)
    answer->imported[split] = catalog_funnel_read (store, split, &answer->funnels[split], NULL);
  return answer;
}

/** The cursor stays on its record, or goes to the one that is wished for; to the first where that
 * is not among them. */
static void
place_cursor (Records *records, gint64 id)
{
  guint i = 0;

  while (id > 0 && i < records->ids->len && g_array_index (records->ids, gint64, i) != id)
    i++;
  if (records->top || i == records->ids->len)
    records->list.cursor = records->list.top = 0;
  else if (id > 0)
    records->list.cursor = i;
  list_fit (&records->list, records->list.page);
}

static gint64
id_of (Records *records, const char *volume)
{
  CatalogStore *store = app_store (records->app);
  g_autoptr (CatalogRecord) record =
      store != NULL ? catalog_record_get (store, volume, NULL) : NULL;

  return record != NULL ? record->id : 0;
}

static void begin_query (Records *records, gboolean first);

static void
answered (gpointer owner, gpointer result, const GError *error)
{
  Records *records = owner;
  Answer *answer = result;
  /* The one that the last key led to, drawn or not. */
  gint64 id = records->list.cursor < records->ids->len
                  ? g_array_index (records->ids, gint64, records->list.cursor)
                  : 0;

  records->query = NULL;
  g_clear_pointer (&records->fault, g_free);
  if (answer == NULL)
    records->fault = g_strdup (error != NULL ? error->message : "");
  else
    {
      gboolean first = answer->first;

      g_array_unref (records->ids);
      records->ids = g_steal_pointer (&answer->ids);
      g_array_unref (records->on_disk);
      records->on_disk = g_steal_pointer (&answer->on_disk);
      if (!first)
        {
          memcpy (records->funnels, answer->funnels, sizeof records->funnels);
          memcpy (records->imported, answer->imported, sizeof records->imported);
        }
      records->list.n = records->ids->len;
      if (records->wanted != NULL)
        id = id_of (records, records->wanted);
      place_cursor (records, id);
      records_forget_page (records);
      answer_free (answer);
      records->top = FALSE;
      if (first)
        begin_query (records, FALSE);
      else
        g_clear_pointer (&records->wanted, g_free);
    }
  app_redraw (records->app);
}

/** @first: the first rows will do for now */
static void
begin_query (Records *records, gboolean first)
{
  RecordsQuestion *question;
  g_autoptr (CatalogQuery) query = catalog_query_parse (records->filter, NULL);

  work_cancel (&records->query);
  if (app_workspace (records->app) == NULL)
    return;
  g_clear_pointer (&records->terms, g_ptr_array_unref);
  records->terms = catalog_search_terms (records->search);
  if (records->search == NULL && query != NULL)
    {
      g_ptr_array_unref (records->terms);
      records->terms = catalog_query_terms (query);
    }
  records_forget_pane (records);

  question = records_question_new (records);
  question->first = first;
  question->cursor_id = records->top || records->record == NULL ? 0 : records->record->id;
  records->begun = TRUE;
  records->query = works_start (app_works (records->app), ask, question, records_question_free,
                                answer_free, answered, records);
}

void
records_query (Records *records)
{
  /* Where the cursor goes to a certain record, that may stand anywhere. */
  begin_query (records, records->wanted == NULL || !records->begun);
}

void
records_query_again (Records *records)
{
  begin_query (records, records->ids->len == 0);
}

/* ---- rows in view ---- */

void
records_forget_page (Records *records)
{
  g_clear_pointer (&records->page, g_ptr_array_unref);
  g_clear_pointer (&records->record, catalog_record_free);
  records_forget_pane (records);
}

const CatalogRecord *
records_row (Records *records, guint64 row)
{
  const AppRun *run = app_chosen_run (records->app);
  const CatalogRowContext context = { .run_id = run->id, .class_index = (int) run->class_index };

  if (row >= records->ids->len || app_store (records->app) == NULL)
    return NULL;
  if (records->page == NULL || row < records->page_top
      || row >= records->page_top + records->page->len)
    {
      gsize n;

      g_clear_pointer (&records->page, g_ptr_array_unref);
      records->page_top = row - MIN (row, PAGE_ROWS / 4);
      n = MIN (MAX (PAGE_ROWS, 2 * records->list.page), records->ids->len - records->page_top);
      records->page = catalog_records_page (
          app_store (records->app), &g_array_index (records->ids, gint64, records->page_top), n,
          &context, NULL);
      if (records->page == NULL)
        return NULL;
    }
  return g_ptr_array_index (records->page, row - records->page_top);
}

void
records_take_cursor (Records *records)
{
  const AppRun *run = app_chosen_run (records->app);
  gint64 id;

  if (records->list.cursor >= records->ids->len || app_store (records->app) == NULL)
    {
      g_clear_pointer (&records->record, catalog_record_free);
      return;
    }
  id = g_array_index (records->ids, gint64, records->list.cursor);
  if (records->record != NULL && records->record->id == id)
    return;
  g_clear_pointer (&records->record, catalog_record_free);
  records_forget_pane (records);
  if (id != records->pane_id)
    records->pane_top = 0; /* the same one read anew stays where it was scrolled to */
  records->pane_id = id;
  records->record = catalog_record_by_id (app_store (records->app), id, NULL);
  records->has_predictions =
      records->record != NULL && run->id != 0
      && catalog_record_predictions (app_store (records->app), run->id, records->record->volume,
                                     records->predictions, NULL)
      && !isnan (records->predictions[0]);
}

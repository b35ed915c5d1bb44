#include "catalog/listing.h"

#include "catalog/listing_search.h"

/* ---- ids ---- */

/* Of SQLite's virtual machine: some ten to a hundred microseconds. */
#define STEPS_BETWEEN_LOOKS 2000

/* After so many a page that was to be read off an index is given up: all rows are sorted soon. */
#define LOOKS_FOR_A_PAGE 40

/** What stops a query. */
typedef struct
{
  GCancellable *cancellable; /* (nullable) */
  guint looks, most_looks;   /* 0: no bound */
} Patience;

static int
is_over (void *data)
{
  Patience *patience = data;

  return g_cancellable_is_cancelled (patience->cancellable)
         || (patience->most_looks > 0 && ++patience->looks > patience->most_looks);
}

/** What is asked for. */
typedef struct
{
  CatalogStore *store;
  const CatalogQuery *query;
  const CatalogListOptions *options;
  ListingSearch *search;
} Question;

static gboolean
read_ids (CatalogStore *store, sqlite3_stmt *statement, GArray *ids, GError **error)
{
  int step;

  while ((step = store_step (store, statement, error)) == SQLITE_ROW)
    {
      gint64 id = sqlite3_column_int64 (statement, 0);

      g_array_append_val (ids, id);
    }
  return step == SQLITE_DONE;
}

static GArray *
ids_at_once (const Question *question, GError **error)
{
  g_autofree char *order = listing_order (question->options, error);
  g_autoptr (GString) sql = g_string_new ("SELECT id FROM volume");
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (sqlite3_stmt) statement = NULL;

  if (order == NULL)
    return NULL;
  listing_append_where (sql, question->query, question->options, question->search, "+", NULL);
  g_string_append (sql, order);
  listing_append_limit (sql, question->options);
  statement = listing_prepare (question->store, sql, question->query, question->options,
                               question->search, error);
  return statement != NULL && read_ids (question->store, statement, ids, error)
             ? g_steal_pointer (&ids)
             : NULL;
}

/** Add those of a part until there are @n. */
static gboolean
add_part (const Question *question, const ListingPart *part, guint n, GArray *ids, GError **error)
{
  g_autoptr (GString) sql = g_string_new ("SELECT id FROM volume");
  g_autoptr (sqlite3_stmt) statement = NULL;

  listing_append_where (sql, question->query, question->options, question->search, "+",
                        part->condition);
  g_string_append_printf (sql, "%s LIMIT %u", part->order, n - ids->len);
  statement = listing_prepare (question->store, sql, question->query, question->options,
                               question->search, error);
  return statement != NULL && read_ids (question->store, statement, ids, error);
}

static GArray *
ids_by_parts (const Question *question, GError **error)
{
  const guint offset = question->options->offset, n = offset + question->options->limit;
  g_autoptr (GPtrArray) parts = listing_parts (question->options, error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; parts != NULL && i < parts->len && ids->len < n; i++)
    if (!add_part (question, g_ptr_array_index (parts, i), n, ids, error))
      return NULL;
  g_array_remove_range (ids, 0, MIN (offset, ids->len));
  return parts != NULL ? g_steal_pointer (&ids) : NULL;
}

/** A page of a sort is read off an index; where too few rows match for that, all that do are
 * sorted. */
static GArray *
find_ids (const Question *question, Patience *patience, GError **error)
{
  const CatalogListOptions *options = question->options;
  gboolean by_parts =
      options->sort != NULL && options->limit > 0 && !listing_search_is_small (question->search);
  g_autoptr (GError) fault = NULL;
  GArray *ids = NULL;

  patience->most_looks = by_parts ? LOOKS_FOR_A_PAGE : 0;
  if (by_parts)
    ids = ids_by_parts (question, &fault);
  if (!by_parts || patience->looks > patience->most_looks)
    {
      patience->most_looks = 0;
      g_clear_error (&fault);
      ids = ids_at_once (question, &fault);
    }
  if (fault != NULL)
    g_propagate_error (error, g_steal_pointer (&fault));
  return ids;
}

GArray *
catalog_records_ids (CatalogStore *store, const CatalogQuery *query,
                     const CatalogListOptions *options, GCancellable *cancellable, GError **error)
{
  Patience patience = { .cancellable = cancellable };
  g_autoptr (ListingSearch) search = NULL;
  GArray *ids = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  sqlite3_progress_handler (store->db, STEPS_BETWEEN_LOOKS, is_over, &patience);
  search = listing_search_new (store, options->search, error);
  if (search != NULL)
    ids = find_ids (&(Question){ store, query, options, search }, &patience, error);
  sqlite3_progress_handler (store->db, 0, NULL, NULL);
  return ids;
}

gboolean
catalog_records_hold (CatalogStore *store, const CatalogQuery *query,
                      const CatalogListOptions *options, gint64 id, GError **error)
{
  g_autofree char *it = g_strdup_printf ("id = %" G_GINT64_FORMAT, id);
  g_autoptr (GString) sql = g_string_new ("SELECT 1 FROM volume");
  g_autoptr (ListingSearch) search = listing_search_new (store, options->search, error);
  g_autoptr (sqlite3_stmt) statement = NULL;

  if (search == NULL)
    return FALSE;
  listing_append_where (sql, query, options, search, "+", it);
  statement = listing_prepare (store, sql, query, options, search, error);
  return statement != NULL && store_step (store, statement, error) == SQLITE_ROW;
}

/* ---- scans ---- */

static gboolean
find_files (CatalogStore *store, const GArray *ids, const CatalogVolumeIndex *index, GArray *places,
            GCancellable *cancellable, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT name FROM volume WHERE id = ?", error);

  for (guint i = 0; statement != NULL && i < ids->len; i++)
    {
      int step;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      sqlite3_bind_int64 (statement, 1, g_array_index (ids, gint64, i));
      step = store_step (store, statement, error);
      if (step == SQLITE_ROW)
        {
          const char *name = (const char *) sqlite3_column_text (statement, 0);

          if (catalog_volume_index_path (index, name) != NULL)
            g_array_append_val (places, i);
          sqlite3_reset (statement);
        }
      else if (step != SQLITE_DONE)
        return FALSE;
    }
  return statement != NULL;
}

GArray *
catalog_records_with_files (CatalogStore *store, const GArray *ids, const CatalogVolumeIndex *index,
                            GCancellable *cancellable, GError **error)
{
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (guint));

  if (!store_exec (store, "BEGIN", error)
      || !store_end (store, find_files (store, ids, index, places, cancellable, error), error))
    return NULL;
  return g_steal_pointer (&places);
}

/* ---- rows ---- */

static sqlite3_stmt *
prepare_page (CatalogStore *store, const CatalogRowContext *context, GError **error)
{
  g_autofree char *encoded = listing_encoded (context->encoder_id);
  g_autofree char *probability = listing_probability (context->run_id, context->class_index);
  g_autofree char *sql = g_strdup_printf (
      "SELECT " LISTING_COLUMNS ", %s, %s FROM volume WHERE id = ?", encoded, probability);

  return store_prepare_kept (store, &store->page, sql, error);
}

/** Within a transaction. */
static gboolean
read_page (CatalogStore *store, const gint64 *ids, gsize n, const CatalogRowContext *context,
           GPtrArray *records, GError **error)
{
  sqlite3_stmt *statement = prepare_page (store, context, error);

  if (statement == NULL)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      CatalogRecord *record = NULL;
      int step;

      sqlite3_bind_int64 (statement, 1, ids[i]);
      step = store_step (store, statement, error);
      if (step == SQLITE_ROW)
        {
          record = listing_read_record (statement);
          record->encoded = sqlite3_column_int (statement, LISTING_N_COLUMNS);
          record->probability = store_column_double (statement, LISTING_N_COLUMNS + 1);
          sqlite3_reset (statement);
        }
      else if (step != SQLITE_DONE)
        return FALSE;
      g_ptr_array_add (records, record);
    }
  return TRUE;
}

GPtrArray *
catalog_records_page (CatalogStore *store, const gint64 *ids, gsize n,
                      const CatalogRowContext *context, GError **error)
{
  g_autoptr (GPtrArray) records =
      g_ptr_array_new_full ((guint) n, (GDestroyNotify) catalog_record_free);

  /* One reading transaction: all rows are of one moment, and no row pays for a lock of its own. */
  if (!store_exec (store, "BEGIN", error)
      || !store_end (store, read_page (store, ids, n, context, records, error), error))
    return NULL;
  return g_steal_pointer (&records);
}

CatalogRecord *
catalog_record_by_id (CatalogStore *store, gint64 id, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, LISTING_SELECT_WITH_REPORT " WHERE id = ?", error);

  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, id);
  return listing_read_one (store, statement, error,
                           "this record is not there any more, its split was imported anew; list "
                           "the records again");
}

#include "catalog/listing.h"

#include "catalog/listing_private.h"

/* ---- ids ---- */

/* Of SQLite's virtual machine: some ten to a hundred microseconds. */
#define STEPS_BETWEEN_LOOKS 2000

static int
is_cancelled (void *cancellable)
{
  return g_cancellable_is_cancelled (cancellable);
}

static GArray *
read_ids (CatalogStore *store, sqlite3_stmt *statement, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  int step;

  while ((step = store_step (store, statement, error)) == SQLITE_ROW)
    {
      gint64 id = sqlite3_column_int64 (statement, 0);

      g_array_append_val (ids, id);
    }
  return step == SQLITE_DONE ? g_steal_pointer (&ids) : NULL;
}

GArray *
catalog_records_ids (CatalogStore *store, const CatalogQuery *query,
                     const CatalogListOptions *options, GCancellable *cancellable, GError **error)
{
  g_autofree char *order = listing_order (options, error);
  g_autoptr (GString) sql = g_string_new ("SELECT id FROM volume");
  g_autoptr (sqlite3_stmt) statement = NULL;
  GArray *ids;

  if (order == NULL || g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  listing_append_where (sql, query, options, "+");
  g_string_append (sql, order);
  listing_append_limit (sql, options);
  statement = listing_prepare (store, sql, query, options, error);
  if (statement == NULL)
    return NULL;
  if (cancellable != NULL)
    sqlite3_progress_handler (store->db, STEPS_BETWEEN_LOOKS, is_cancelled, cancellable);
  ids = read_ids (store, statement, error);
  sqlite3_progress_handler (store->db, 0, NULL, NULL);
  return ids;
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

#include "catalog/text_index.h"

#include "base/error.h"
#include "catalog/row_indexes.h"

/* The setting that is there while the index is unfinished: it holds the reports up to this id. */
#define KEPT_UP_TO "report_text.up_to"

/* Of a step: shorter ones leave more segments to merge, longer ones make other writers wait. */
#define STEP_BYTES (2 << 20)

/* After each step, for whoever waits to write and looks every 2 ms. */
#define PAUSE_US 4000

/* FTS5 collects so much before it writes a segment: one for a step. */
#define INDEX_MEMORY_BYTES "33554432"

/** The one number of a statement without parameters. */
static gboolean
read_number (CatalogStore *store, const char *sql, gint64 *number, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql, error);

  if (statement == NULL || store_step (store, statement, error) != SQLITE_ROW)
    return FALSE;
  *number = sqlite3_column_int64 (statement, 0);
  return TRUE;
}

#define SELECT_UP_TO "SELECT CAST (value AS INTEGER) FROM setting WHERE key = '" KEPT_UP_TO "'"

gboolean
catalog_text_index_is_finished (CatalogStore *store)
{
  gint64 finished;

  return read_number (store, "SELECT (" SELECT_UP_TO ") IS NULL", &finished, NULL) && finished;
}

/* ---- an import's part ---- */

gboolean
store_text_index_leave_out (CatalogStore *store, gint64 first_id, GError **error)
{
  g_autofree char *value = NULL;
  gint64 up_to;

  if (!read_number (store,
                    "SELECT coalesce ((" SELECT_UP_TO "),"
                    " (SELECT max (volume_id) FROM report), 0)",
                    &up_to, error))
    return FALSE;
  /* Rows leave a full-text index slowly and leave it fragmented; so it is made anew. */
  if (up_to >= first_id)
    {
      up_to = 0;
      if (!store_exec (store, "INSERT INTO report_text (report_text) VALUES ('delete-all')", error))
        return FALSE;
    }
  value = g_strdup_printf ("%" G_GINT64_FORMAT, up_to);
  return catalog_store_set (store, KEPT_UP_TO, value, error)
         && store_name_words_forget (store, error);
}

/* ---- filling ---- */

typedef struct
{
  sqlite3_stmt *select, *insert;
} Statements;

static void
statements_clear (Statements *statements)
{
  sqlite3_finalize (statements->select);
  sqlite3_finalize (statements->insert);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Statements, statements_clear)

#define COLUMNS "clinical, technique, findings, impression"

static gboolean
prepare (CatalogStore *store, Statements *statements, GError **error)
{
  statements->select = store_prepare (store,
                                      "SELECT volume_id, " COLUMNS " FROM report"
                                      " WHERE volume_id > (" SELECT_UP_TO ") ORDER BY volume_id",
                                      error);
  if (statements->select == NULL)
    return FALSE;
  statements->insert = store_prepare (
      store, "INSERT INTO report_text (rowid, " COLUMNS ") VALUES (?, ?, ?, ?, ?)", error);
  return statements->insert != NULL;
}

/** Take the row at hand; how much text it has is added. */
static gboolean
take_report (CatalogStore *store, Statements *statements, gsize *bytes, GError **error)
{
  for (int column = 0; column < sqlite3_column_count (statements->select); column++)
    {
      /* Bound by value, whatever SQLite made of it. */
      sqlite3_bind_value (statements->insert, 1 + column,
                          sqlite3_column_value (statements->select, column));
      *bytes += (gsize) sqlite3_column_bytes (statements->select, column);
    }
  return store_run (store, statements->insert, error);
}

/** Within a transaction. @n: (out) reports that were taken. */
static gboolean
take_some (CatalogStore *store, guint *n, GError **error)
{
  g_auto (Statements) statements = { NULL };
  g_autofree char *value = NULL;
  gint64 up_to = 0;
  gsize bytes = 0;
  int step = SQLITE_ROW;

  *n = 0;
  if (!store_exec (store,
                   "INSERT INTO report_text (report_text, rank)"
                   " VALUES ('hashsize', " INDEX_MEMORY_BYTES ")",
                   error)
      || !prepare (store, &statements, error))
    return FALSE;
  while (bytes < STEP_BYTES && (step = store_step (store, statements.select, error)) == SQLITE_ROW)
    {
      up_to = sqlite3_column_int64 (statements.select, 0);
      if (!take_report (store, &statements, &bytes, error))
        return FALSE;
      ++*n;
    }
  if (step != SQLITE_ROW && step != SQLITE_DONE)
    return FALSE;
  value = step == SQLITE_ROW ? g_strdup_printf ("%" G_GINT64_FORMAT, up_to) : NULL;
  return catalog_store_set (store, KEPT_UP_TO, value, error);
}

/** Within a transaction: what lists are quick by comes first, it is done soon. */
static gboolean
take_some_of_all (CatalogStore *store, guint *n, GError **error)
{
  gboolean made;

  return store_row_indexes_step (store, &made, error) && (made || take_some (store, n, error));
}

static gboolean
take_step (CatalogStore *store, guint *n, GError **error)
{
  *n = 0;
  return catalog_text_index_is_finished (store)
         || (store_begin (store, error)
             && store_end (store,
                           /* another program may have finished it while we waited */
                           catalog_text_index_is_finished (store)
                               || take_some_of_all (store, n, error),
                           error));
}

gboolean
catalog_text_index_step (CatalogStore *store, GError **error)
{
  guint n;

  return take_step (store, &n, error);
}

gboolean
catalog_text_index_finish (CatalogStore *store, CatalogProgress progress, gpointer user_data,
                           GCancellable *cancellable, GError **error)
{
  gint64 left = 0, done = 0;
  guint n;

  if (catalog_text_index_is_finished (store))
    return TRUE;
  if (sqlite3_db_readonly (store->db, "main") == 1)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
                   "%s: the words of its reports are not all indexed yet, and it may only be read; "
                   "search when who may write to it has searched once",
                   store->path);
      return FALSE;
    }
  if (progress != NULL
      && !read_number (store, "SELECT count (*) FROM report WHERE volume_id > (" SELECT_UP_TO ")",
                       &left, error))
    return FALSE;
  /* An import may have left its log to us: not to the next who commits. */
  sqlite3_wal_checkpoint_v2 (store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  while (!catalog_text_index_is_finished (store))
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error)
          || !take_step (store, &n, error))
        return FALSE;
      done += n;
      if (progress != NULL)
        progress ((guint64) done, (guint64) MAX (left, done), user_data);
      g_usleep (PAUSE_US);
    }
  return TRUE;
}

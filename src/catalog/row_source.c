#include "catalog/row_source.h"

#define TABLE "given_row"

/** What a statement reads; there is one cursor, and it goes over the rows once. */
typedef struct
{
  const RowSource *source;
  gpointer data;
  gboolean has_row;
  GError *error;
} Given;

typedef struct
{
  sqlite3_vtab base;
  Given *given;
} GivenTable;

static int
given_connect (sqlite3 *db, void *given, int n_arguments, const char *const *arguments,
               sqlite3_vtab **table, char **message)
{
  g_autoptr (GString) declaration = g_string_new ("CREATE TABLE " TABLE " (c0");
  int result;

  for (int column = 1; column < ((Given *) given)->source->n_columns; column++)
    g_string_append_printf (declaration, ", c%d", column);
  g_string_append_c (declaration, ')');
  result = sqlite3_declare_vtab (db, declaration->str);
  if (result != SQLITE_OK)
    return result;
  *table = (sqlite3_vtab *) g_new0 (GivenTable, 1);
  ((GivenTable *) *table)->given = given;
  return SQLITE_OK;
}

static int
given_disconnect (sqlite3_vtab *table)
{
  g_free (table);
  return SQLITE_OK;
}

static int
given_best_index (sqlite3_vtab *table, sqlite3_index_info *info)
{
  return SQLITE_OK;
}

static int
given_open (sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
  *cursor = g_new0 (sqlite3_vtab_cursor, 1);
  return SQLITE_OK;
}

static int
given_close (sqlite3_vtab_cursor *cursor)
{
  g_free (cursor);
  return SQLITE_OK;
}

static Given *
given_of (const sqlite3_vtab_cursor *cursor)
{
  return ((GivenTable *) cursor->pVtab)->given;
}

static int
given_next (sqlite3_vtab_cursor *cursor)
{
  Given *given = given_of (cursor);

  given->has_row = given->source->next (given->data, &given->error);
  return given->error == NULL ? SQLITE_OK : SQLITE_ABORT;
}

static int
given_filter (sqlite3_vtab_cursor *cursor, int index, const char *index_name, int n_arguments,
              sqlite3_value **arguments)
{
  return given_next (cursor);
}

static int
given_eof (sqlite3_vtab_cursor *cursor)
{
  return !given_of (cursor)->has_row;
}

static int
given_column (sqlite3_vtab_cursor *cursor, sqlite3_context *value, int column)
{
  const Given *given = given_of (cursor);

  given->source->column (given->data, column, value);
  return SQLITE_OK;
}

static int
given_rowid (sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
  return SQLITE_ERROR; /* nobody asks */
}

static const sqlite3_module given_module = {
  .xConnect = given_connect,
  .xBestIndex = given_best_index,
  .xDisconnect = given_disconnect,
  .xOpen = given_open,
  .xClose = given_close,
  .xFilter = given_filter,
  .xNext = given_next,
  .xEof = given_eof,
  .xColumn = given_column,
  .xRowid = given_rowid,
};

gboolean
store_insert_rows (CatalogStore *store, const char *insert, const RowSource *source, gpointer data,
                   GError **error)
{
  g_autofree char *sql = g_strconcat (insert, " SELECT * FROM " TABLE, NULL);
  Given given = { .source = source, .data = data };
  gboolean inserted = sqlite3_create_module (store->db, TABLE, &given_module, &given) == SQLITE_OK
                          ? store_exec (store, sql, error)
                          : store_fail (store, error);

  sqlite3_create_module (store->db, TABLE, NULL, NULL);
  if (given.error == NULL)
    return inserted;
  g_clear_error (error);
  g_propagate_error (error, given.error);
  return FALSE;
}

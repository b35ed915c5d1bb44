#include "catalog/query_private.h"

#include "base/error.h"
#include "catalog/cleaning.h"
#include "catalog/store_private.h"

#include <string.h>

/* ---- reading rows ---- */

#define RECORD_COLUMNS                                                                             \
  "id, split, position, reason, reason_detail, name, patient, labels, sex, manufacturer, model,"   \
  " study_date, age, rows, columns, slices, spacing_xy, spacing_z, slope, intercept"
#define N_RECORD_COLUMNS 20

static char *
text_or_empty (sqlite3_stmt *statement, int column)
{
  char *text = store_column_text (statement, column);

  return text != NULL ? text : g_strdup ("");
}

static CatalogRecord *
read_record (sqlite3_stmt *statement)
{
  CatalogRecord *record = g_new0 (CatalogRecord, 1);

  record->id = sqlite3_column_int64 (statement, 0);
  record->split = (CatalogSplit) sqlite3_column_int (statement, 1);
  record->position = (guint32) sqlite3_column_int64 (statement, 2);
  record->reason = (CatalogReason) sqlite3_column_int (statement, 3);
  record->reason_detail = store_column_text (statement, 4);
  record->volume = store_column_text (statement, 5);
  record->patient = store_column_text (statement, 6);
  record->has_labels = sqlite3_column_type (statement, 7) != SQLITE_NULL;
  record->labels = (guint32) sqlite3_column_int64 (statement, 7);
  record->sex = text_or_empty (statement, 8);
  record->manufacturer = text_or_empty (statement, 9);
  record->model = text_or_empty (statement, 10);
  record->study_date = text_or_empty (statement, 11);
  record->age_years = store_column_int (statement, 12, -1);
  record->rows = store_column_int (statement, 13, -1);
  record->columns = store_column_int (statement, 14, -1);
  record->slices = store_column_int (statement, 15, -1);
  record->spacing_xy_mm = store_column_double (statement, 16);
  record->spacing_z_mm = store_column_double (statement, 17);
  record->slope = store_column_double (statement, 18);
  record->intercept = store_column_double (statement, 19);
  return record;
}

CatalogRecord *
catalog_record_get (CatalogStore *store, const char *volume, GError **error)
{
  g_autofree char *name = g_str_has_suffix (volume, CLEANING_SUFFIX)
                              ? g_strdup (volume)
                              : g_strconcat (volume, CLEANING_SUFFIX, NULL);
  /* Of a name that stands in several rows the one that could be read. */
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     "SELECT " RECORD_COLUMNS ", clinical, technique, findings, impression"
                     " FROM volume LEFT JOIN report ON volume_id = report_id"
                     " WHERE name = ? ORDER BY reason = ?, id LIMIT 1",
                     error);
  CatalogRecord *record;
  int step;

  if (statement == NULL)
    return NULL;
  store_bind_text (statement, 1, name);
  sqlite3_bind_int (statement, 2, CATALOG_DROP_UNREADABLE);
  step = store_step (store, statement, error);
  if (step == SQLITE_DONE)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "%s: no imported split has this volume; look at its name, or import its split",
                 name);
  if (step != SQLITE_ROW)
    return NULL;
  record = read_record (statement);
  record->clinical = store_column_text (statement, N_RECORD_COLUMNS);
  record->technique = store_column_text (statement, N_RECORD_COLUMNS + 1);
  record->findings = store_column_text (statement, N_RECORD_COLUMNS + 2);
  record->impression = store_column_text (statement, N_RECORD_COLUMNS + 3);
  return record;
}

/* ---- what a query and its options come to ---- */

/** @steer: "+" keeps SQLite from an index for split and reason, "" doesn't. */
static void
append_where (GString *sql, const CatalogQuery *query, const CatalogListOptions *options,
              const char *steer)
{
  const char *keyword = " WHERE ";

  if (options->split >= 0)
    {
      g_string_append_printf (sql, "%s%ssplit = %d", keyword, steer, options->split);
      keyword = " AND ";
    }
  if (!options->with_dropped && !query->says_what_is_dropped)
    {
      g_string_append_printf (sql, "%s%sreason = %d", keyword, steer, CATALOG_KEPT);
      keyword = " AND ";
    }
  if (query->condition->len > 0)
    g_string_append_printf (sql, "%s%s", keyword, query->condition->str);
}

/** " ORDER BY ..."; ids are in the order of split and file. */
static char *
order_of (const QueryField *field, gboolean descending)
{
  const char *direction = descending ? " DESC" : "";
  g_auto (GStrv) keys = g_strsplit (field != NULL ? field->order : "", ", ", -1);
  GString *order = g_string_new (" ORDER BY ");

  for (guint i = 0; keys[i] != NULL; i++)
    g_string_append_printf (order, "%s%s NULLS LAST, ", keys[i], direction);
  g_string_append_printf (order, "id%s", direction);
  return g_string_free (order, FALSE);
}

static gboolean
find_sort_field (const char *name, const QueryField **field, GError **error)
{
  g_autofree char *names = NULL;

  *field = name != NULL ? query_field_find (name) : NULL;
  if (name == NULL || (*field != NULL && (*field)->order != NULL))
    return TRUE;
  names = query_field_names (TRUE);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "%s: records can't be sorted by this; choose one of %s", name, names);
  return FALSE;
}

/**
 * The SQL of a page.
 *
 * In the order of ids rows are read until the page is full. For any other order all that match are
 * sorted: then ids alone, which is quick, and the rows of the page are looked up.
 */
static GString *
page_sql (const CatalogQuery *query, const CatalogListOptions *options, GError **error)
{
  GString *sql = NULL;
  const QueryField *field;
  g_autofree char *order = NULL;

  if (!find_sort_field (options->sort, &field, error))
    return NULL;
  order = order_of (field, options->descending);
  sql = g_string_new (field == NULL ? "SELECT " RECORD_COLUMNS " FROM volume"
                                    : "SELECT " RECORD_COLUMNS
                                      " FROM (SELECT id AS page_id FROM volume");
  append_where (sql, query, options, "+");
  g_string_append (sql, order);
  if (options->limit > 0)
    g_string_append_printf (sql, " LIMIT %u OFFSET %u", options->limit, options->offset);
  else
    g_string_append_printf (sql, " LIMIT -1 OFFSET %u", options->offset);
  if (field != NULL)
    g_string_append_printf (sql, ") JOIN volume ON id = page_id%s", order);
  return sql;
}

/** Compile @sql, whose parameters are the query's. */
static sqlite3_stmt *
prepare_query (CatalogStore *store, const GString *sql, const CatalogQuery *query, GError **error)
{
  sqlite3_stmt *statement = store_prepare (store, sql->str, error);

  for (guint i = 0; statement != NULL && i < query->values->len; i++)
    {
      const QueryValue *value = &g_array_index (query->values, QueryValue, i);
      int parameter = (int) i + 1;

      if (value->text != NULL)
        store_bind_text (statement, parameter, value->text);
      else
        sqlite3_bind_double (statement, parameter, value->number);
    }
  return statement;
}

gint64
catalog_records_count (CatalogStore *store, const CatalogQuery *query,
                       const CatalogListOptions *options, GError **error)
{
  g_autoptr (GString) sql = g_string_new ("SELECT count (*) FROM volume");
  g_autoptr (sqlite3_stmt) statement = NULL;

  append_where (sql, query, options, "");
  statement = prepare_query (store, sql, query, error);
  if (statement == NULL || store_step (store, statement, error) != SQLITE_ROW)
    return -1;
  return sqlite3_column_int64 (statement, 0);
}

GPtrArray *
catalog_records_list (CatalogStore *store, const CatalogQuery *query,
                      const CatalogListOptions *options, GError **error)
{
  g_autoptr (GPtrArray) records =
      g_ptr_array_new_with_free_func ((GDestroyNotify) catalog_record_free);
  g_autoptr (GString) sql = page_sql (query, options, error);
  g_autoptr (sqlite3_stmt) statement = NULL;
  int step;

  if (sql == NULL)
    return NULL;
  statement = prepare_query (store, sql, query, error);
  if (statement == NULL)
    return NULL;
  while ((step = store_step (store, statement, error)) == SQLITE_ROW)
    g_ptr_array_add (records, read_record (statement));
  return step == SQLITE_DONE ? g_steal_pointer (&records) : NULL;
}

#include "catalog/listing_search.h"

#include "base/error.h"
#include "catalog/cleaning.h"
#include "catalog/listing.h"

#include <math.h>

/* ---- reading rows ---- */

static char *
text_or_empty (sqlite3_stmt *statement, int column)
{
  char *text = store_column_text (statement, column);

  return text != NULL ? text : g_strdup ("");
}

static void
redact (CatalogRecord *record)
{
  char **const texts[] = { &record->patient, &record->clinical, &record->technique,
                           &record->findings, &record->impression };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (*texts[i] != NULL)
      {
        g_free (*texts[i]);
        *texts[i] = g_strdup (CATALOG_REDACTED);
      }
  *record->sex = *record->study_date = '\0';
  record->age_years = -1;
}

CatalogRecord *
listing_read_record (sqlite3_stmt *statement)
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
  record->probability = NAN;
  if (catalog_redacting ())
    redact (record);
  return record;
}

CatalogRecord *
listing_read_one (CatalogStore *store, sqlite3_stmt *statement, GError **error,
                  const char *not_found)
{
  CatalogRecord *record;
  int step = store_step (store, statement, error);

  if (step == SQLITE_DONE)
    g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND, not_found);
  if (step != SQLITE_ROW)
    return NULL;
  record = listing_read_record (statement);
  record->clinical = store_column_text (statement, LISTING_N_COLUMNS);
  record->technique = store_column_text (statement, LISTING_N_COLUMNS + 1);
  record->findings = store_column_text (statement, LISTING_N_COLUMNS + 2);
  record->impression = store_column_text (statement, LISTING_N_COLUMNS + 3);
  if (catalog_redacting ())
    redact (record);
  return record;
}

CatalogRecord *
catalog_record_get (CatalogStore *store, const char *volume, GError **error)
{
  g_autofree char *name = g_str_has_suffix (volume, CLEANING_SUFFIX)
                              ? g_strdup (volume)
                              : g_strconcat (volume, CLEANING_SUFFIX, NULL);
  g_autofree char *not_found = g_strdup_printf (
      "%s: no imported split has this volume; look at its name, or import its split", name);
  /* Of a name that stands in several rows the one that could be read. */
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store, LISTING_SELECT_WITH_REPORT " WHERE name = ? ORDER BY reason = ?, id LIMIT 1", error);

  if (statement == NULL)
    return NULL;
  store_bind_text (statement, 1, name);
  sqlite3_bind_int (statement, 2, CATALOG_DROP_UNREADABLE);
  return listing_read_one (store, statement, error, not_found);
}

/* ---- lists ---- */

gint64
catalog_records_count (CatalogStore *store, const CatalogQuery *query,
                       const CatalogListOptions *options, GError **error)
{
  g_autoptr (GString) sql = g_string_new ("SELECT count (*) FROM volume");
  g_autoptr (ListingSearch) search = listing_search_new (store, options->search, error);
  g_autoptr (sqlite3_stmt) statement = NULL;

  if (search == NULL)
    return -1;
  listing_append_where (sql, query, options, search, "", NULL);
  statement = listing_prepare (store, sql, query, options, search, error);
  if (statement == NULL || store_step (store, statement, error) != SQLITE_ROW)
    return -1;
  return sqlite3_column_int64 (statement, 0);
}

static gboolean
read_records (CatalogStore *store, const GArray *ids, GPtrArray *records, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT " LISTING_COLUMNS " FROM volume WHERE id = ?", error);

  for (guint i = 0; statement != NULL && i < ids->len; i++)
    {
      int step;

      sqlite3_bind_int64 (statement, 1, g_array_index (ids, gint64, i));
      step = store_step (store, statement, error);
      if (step == SQLITE_ROW)
        g_ptr_array_add (records, listing_read_record (statement));
      else if (step != SQLITE_DONE)
        return FALSE;
      sqlite3_reset (statement);
    }
  return statement != NULL;
}

/** Within a transaction. */
static gboolean
read_list (CatalogStore *store, const CatalogQuery *query, const CatalogListOptions *options,
           GPtrArray *records, GError **error)
{
  g_autoptr (GArray) ids = catalog_records_ids (store, query, options, NULL, error);

  return ids != NULL && read_records (store, ids, records, error);
}

GPtrArray *
catalog_records_list (CatalogStore *store, const CatalogQuery *query,
                      const CatalogListOptions *options, GError **error)
{
  g_autoptr (GPtrArray) records =
      g_ptr_array_new_with_free_func ((GDestroyNotify) catalog_record_free);

  if (!store_exec (store, "BEGIN", error)
      || !store_end (store, read_list (store, query, options, records, error), error))
    return NULL;
  return g_steal_pointer (&records);
}

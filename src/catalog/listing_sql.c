#include "catalog/listing_search.h"

#include "base/error.h"
#include "catalog/report_set.h"

/* ---- a set of names ---- */

#define NAME_SET "ctclip name set"

static void
sql_in_set (sqlite3_context *context, int n_arguments, sqlite3_value **arguments)
{
  const char *name = (const char *) sqlite3_value_text (arguments[0]);
  GHashTable *names = sqlite3_value_pointer (arguments[1], NAME_SET);

  sqlite3_result_int (context,
                      name != NULL && names != NULL && g_hash_table_contains (names, name));
}

gboolean
store_add_in_set (CatalogStore *store, GError **error)
{
  return sqlite3_create_function (store->db, "in_set", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL,
                                  sql_in_set, NULL, NULL)
             == SQLITE_OK
         || store_fail (store, error);
}

/* ---- conditions ---- */

static const char *append_condition (GString *sql, const char *keyword, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/** Returns the keyword for the next condition. */
static const char *
append_condition (GString *sql, const char *keyword, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_string_append (sql, keyword);
  g_string_append_vprintf (sql, format, arguments);
  va_end (arguments);
  return " AND ";
}

void
listing_append_where (GString *sql, const CatalogQuery *query, const CatalogListOptions *options,
                      const ListingSearch *search, const char *steer, const char *also)
{
  const char *keyword = " WHERE ";

  if (also != NULL)
    keyword = append_condition (sql, keyword, "%s", also);
  if (options->split >= 0)
    keyword = append_condition (sql, keyword, "%ssplit = %d", steer, options->split);
  if (!options->with_dropped && !query->says_what_is_dropped)
    keyword = append_condition (sql, keyword, "%sreason = %d", steer, CATALOG_KEPT);
  if (query->condition->len > 0)
    keyword = append_condition (sql, keyword, "%s", query->condition->str);
  if (options->volumes != NULL)
    keyword = append_condition (sql, keyword, "in_set (name, ?)");
  listing_search_append (search, sql, keyword);
}

/** Returns the number of the next parameter, 0 on failure. */
static int
bind_query (CatalogStore *store, sqlite3_stmt *statement, const CatalogQuery *query, GError **error)
{
  int parameter = 1;

  for (guint i = 0; i < query->values->len; i++, parameter++)
    {
      const QueryValue *value = &g_array_index (query->values, QueryValue, i);
      g_autoptr (ReportSet) reports =
          value->is_match ? report_set_new (store, value->text, error) : NULL;

      if (value->is_match && reports == NULL)
        return 0;
      if (value->is_match)
        report_set_bind (statement, parameter, reports);
      else if (value->text != NULL)
        store_bind_text (statement, parameter, value->text);
      else
        sqlite3_bind_double (statement, parameter, value->number);
    }
  return parameter;
}

sqlite3_stmt *
listing_prepare (CatalogStore *store, const GString *sql, const CatalogQuery *query,
                 const CatalogListOptions *options, const ListingSearch *search, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql->str, error);
  int parameter = statement != NULL ? bind_query (store, statement, query, error) : 0;

  if (parameter == 0)
    return NULL;
  if (options->volumes != NULL)
    sqlite3_bind_pointer (statement, parameter++, g_hash_table_ref (options->volumes), NAME_SET,
                          (void (*) (void *)) g_hash_table_unref);
  listing_search_bind (search, statement, parameter);
  return g_steal_pointer (&statement);
}

/* ---- order ---- */

char *
listing_encoded (gint64 encoder_id)
{
  g_autofree char *encoder = encoder_id != 0
                                 ? g_strdup_printf ("%" G_GINT64_FORMAT, encoder_id)
                                 : g_strdup ("(SELECT id FROM encoder ORDER BY used DESC LIMIT 1)");

  return g_strdup_printf (
      "EXISTS (SELECT 1 FROM volume_latent WHERE encoder_id = %s AND volume = name)", encoder);
}

/** What @expression gives for the row of prediction. */
static char *
of_prediction (const char *expression, gint64 run_id)
{
  return g_strdup_printf ("(SELECT %s FROM prediction WHERE run_id = %" G_GINT64_FORMAT
                          " AND volume = name)",
                          expression, run_id);
}

char *
listing_probability (gint64 run_id, int class_index)
{
  g_autofree char *probability = g_strdup_printf ("probability (logits, %d)", class_index);

  return of_prediction (probability, run_id);
}

/** Ascending like all others: so the largest error is the least number. */
static char *
order_by_error (gint64 run_id, int class_index)
{
  g_autofree char *error = g_strdup_printf (
      "-abs ((prediction.labels >> %d & 1) - probability (logits, %d))", class_index, class_index);

  return of_prediction (error, run_id);
}

static void
set_sort_error (const CatalogListOptions *options, gboolean needs_run, GError **error)
{
  g_autofree char *names = query_field_names (TRUE);

  if (needs_run)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                 "%s: records are sorted by this with a run's predictions; choose a run",
                 options->sort);
  else
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                 "%s: records can't be sorted by this; choose one of %s, encoded, probability, "
                 "error or a label's name",
                 options->sort, names);
}

/** For a sort that is no field's name: the expression. */
static char *
other_sort_key (const CatalogListOptions *options, GError **error)
{
  int label = catalog_label_find (options->sort);
  gboolean by_probability = g_ascii_strcasecmp (options->sort, "probability") == 0;
  gboolean by_error = g_ascii_strcasecmp (options->sort, "error") == 0;
  gboolean by_prediction = by_probability || by_error;

  if (label >= 0)
    return g_strdup_printf ("labels >> %d & 1", label);
  if (g_ascii_strcasecmp (options->sort, "encoded") == 0)
    return listing_encoded (options->encoder_id);
  if (by_prediction && options->run_id != 0)
    return by_error ? order_by_error (options->run_id, options->class_index)
                    : listing_probability (options->run_id, options->class_index);
  set_sort_error (options, by_prediction, error);
  return NULL;
}

/** Expressions to sort by, the most important first, %NULL-terminated; none without a sort. */
static char **
sort_keys (const CatalogListOptions *options, GError **error)
{
  const QueryField *field = options->sort != NULL ? query_field_find (options->sort) : NULL;
  char **keys;

  if (options->sort == NULL)
    return g_new0 (char *, 1);
  if (field != NULL && field->order != NULL)
    return g_strsplit (field->order, ", ", -1);
  keys = g_new0 (char *, 2);
  keys[0] = other_sort_key (options, error);
  if (keys[0] == NULL)
    g_clear_pointer (&keys, g_strfreev);
  return keys;
}

/** Ids are in the order of split and file. Where there are several keys none is ever NULL, and an
 * index serves them as they are. @steer: "+" keeps SQLite from the index */
static char *
order_by (char **keys, gboolean descending, const char *steer)
{
  const char *direction = descending ? " DESC" : "";
  const char *nulls = keys[0] != NULL && keys[1] != NULL ? "" : " NULLS LAST";
  GString *order = g_string_new (" ORDER BY ");

  for (guint i = 0; keys[i] != NULL; i++)
    g_string_append_printf (order, "%s%s%s%s, ", steer, keys[i], direction, nulls);
  g_string_append_printf (order, "id%s", direction);
  return g_string_free (order, FALSE);
}

char *
listing_order (const CatalogListOptions *options, GError **error)
{
  g_auto (GStrv) keys = sort_keys (options, error);

  return keys != NULL ? order_by (keys, options->descending, "+") : NULL;
}

/* ---- the order in parts ---- */

static void
part_free (gpointer data)
{
  ListingPart *part = data;

  g_free (part->condition);
  g_free (part->order);
  g_free (part);
}

/** @condition: (nullable) (transfer full); @order: (transfer full) */
static void
add_part (GPtrArray *parts, char *condition, char *order)
{
  ListingPart *part = g_new (ListingPart, 1);

  *part = (ListingPart){ condition, order };
  g_ptr_array_add (parts, part);
}

/** A key of few values: the rows of each, in the order of ids; those without one come last. */
static void
add_values (GPtrArray *parts, const char *key, int n, gboolean descending)
{
  char *none = NULL;

  for (int i = 0; i < n; i++)
    add_part (parts, g_strdup_printf ("%s = %d", key, descending ? n - 1 - i : i),
              order_by (&none, descending, ""));
  add_part (parts, g_strdup_printf ("%s IS NULL", key), order_by (&none, descending, ""));
}

/** What the run predicted is looked up; the others follow. */
static void
add_predictions (GPtrArray *parts, char **keys, const CatalogListOptions *options)
{
  char *none = NULL;

  add_part (
      parts,
      g_strdup_printf ("name IN (SELECT volume FROM prediction WHERE run_id = %" G_GINT64_FORMAT
                       ") AND %s IS NOT NULL",
                       options->run_id, keys[0]),
      order_by (keys, options->descending, ""));
  add_part (parts, g_strdup_printf ("%s IS NULL", keys[0]),
            order_by (&none, options->descending, ""));
}

GPtrArray *
listing_parts (const CatalogListOptions *options, GError **error)
{
  const QueryField *field = query_field_find (options->sort);
  g_auto (GStrv) keys = sort_keys (options, error);
  GPtrArray *parts;

  if (keys == NULL)
    return NULL;
  parts = g_ptr_array_new_with_free_func (part_free);
  if (field != NULL && field->kind == QUERY_FIELD_REASON)
    add_values (parts, keys[0], CATALOG_N_REASONS, options->descending);
  else if (field != NULL && field->order != NULL)
    add_part (parts, NULL, order_by (keys, options->descending, ""));
  else if (g_ascii_strcasecmp (options->sort, "probability") == 0
           || g_ascii_strcasecmp (options->sort, "error") == 0)
    add_predictions (parts, keys, options);
  else
    add_values (parts, keys[0], 2, options->descending);
  return parts;
}

void
listing_append_limit (GString *sql, const CatalogListOptions *options)
{
  if (options->limit > 0)
    g_string_append_printf (sql, " LIMIT %u OFFSET %u", options->limit, options->offset);
  else if (options->offset > 0)
    g_string_append_printf (sql, " LIMIT -1 OFFSET %u", options->offset);
}

#include "catalog/listing_private.h"

#include "base/error.h"

#include <string.h>

/* A search's words beyond these are not looked at: SQLite's expressions have a bound. */
#define MAX_WORDS 100

/* ---- search ---- */

char **
query_search_words (const char *search)
{
  g_autofree char *valid = g_utf8_make_valid (search != NULL ? search : "", -1);
  const char *position = valid;
  GPtrArray *words = g_ptr_array_new ();

  while (*position != '\0' && words->len < MAX_WORDS)
    {
      const char *start = position;

      while (*position != '\0' && !g_unichar_isspace (g_utf8_get_char (position)))
        position = g_utf8_next_char (position);
      if (position > start)
        {
          g_autofree char *word = g_strndup (start, (gsize) (position - start));
          CatalogTerm *term = query_term_new (word, FALSE);

          if (term != NULL)
            {
              g_ptr_array_add (words, g_steal_pointer (&word));
              catalog_term_free (term);
            }
        }
      else
        position = g_utf8_next_char (position);
    }
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}

/** A name's parts stand between underscores: "_train_7_a_1_nii_gz_". What one must hold for @word:
 * whole parts, but for the end of what is still being typed. */
static char *
part_to_find (const char *word, gboolean prefix)
{
  g_autofree char *parts = g_ascii_strdown (word, -1);
  gsize length;

  g_strdelimit (parts, ".", '_');
  length = strlen (parts);
  return g_strdup_printf ("%s%s%s", parts[0] == '_' ? "" : "_", parts,
                          prefix || parts[length - 1] == '_' ? "" : "_");
}

static char
fold (char byte)
{
  return byte == '.' ? '_' : g_ascii_tolower (byte);
}

/** A name's byte at @i, from 0, where underscores have been put around it. */
static char
part_byte (const char *name, gsize length, gsize i)
{
  return i == 0 || i == length + 1 ? '_' : fold (name[i - 1]);
}

/** SQL's name_has (name, part): that search goes through all names, and is a tenth of what SQLite's
 * own functions would take. */
static void
sql_name_has (sqlite3_context *context, int n_arguments, sqlite3_value **arguments)
{
  const char *name = (const char *) sqlite3_value_text (arguments[0]);
  const char *part = (const char *) sqlite3_value_text (arguments[1]);
  gsize length = (gsize) sqlite3_value_bytes (arguments[0]);
  gsize part_length = (gsize) sqlite3_value_bytes (arguments[1]);
  gboolean has = FALSE;

  for (gsize i = 0; name != NULL && part != NULL && !has && i + part_length <= length + 2; i++)
    {
      gsize same = 0;

      while (same < part_length && part_byte (name, length, i + same) == part[same])
        same++;
      has = same == part_length;
    }
  sqlite3_result_int (context, has);
}

static void
bind_search (sqlite3_stmt *statement, int parameter, const char *search)
{
  g_auto (GStrv) words = query_search_words (search);

  for (guint i = 0; words[i] != NULL; i++)
    {
      gboolean prefix = words[i + 1] == NULL;
      g_autofree char *match = query_match_string (words[i], prefix);
      g_autofree char *part = part_to_find (words[i], prefix);

      store_bind_text (statement, parameter++, match);
      store_bind_text (statement, parameter++, part);
    }
}

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

gboolean
store_add_name_has (CatalogStore *store, GError **error)
{
  return sqlite3_create_function (store->db, "name_has", 2,
                                  SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                  sql_name_has, NULL, NULL)
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
                      const char *steer)
{
  g_auto (GStrv) words = query_search_words (options->search);
  const char *keyword = " WHERE ";

  if (options->split >= 0)
    keyword = append_condition (sql, keyword, "%ssplit = %d", steer, options->split);
  if (!options->with_dropped && !query->says_what_is_dropped)
    keyword = append_condition (sql, keyword, "%sreason = %d", steer, CATALOG_KEPT);
  if (query->condition->len > 0)
    keyword = append_condition (sql, keyword, "%s", query->condition->str);
  if (options->volumes != NULL)
    keyword = append_condition (sql, keyword, "in_set (name, ?)");
  for (guint i = 0; words[i] != NULL; i++)
    keyword =
        append_condition (sql, keyword,
                          "(report_id IN (SELECT rowid FROM report_text WHERE report_text MATCH ?)"
                          " OR name_has (name, ?))");
}

sqlite3_stmt *
listing_prepare (CatalogStore *store, const GString *sql, const CatalogQuery *query,
                 const CatalogListOptions *options, GError **error)
{
  sqlite3_stmt *statement = store_prepare (store, sql->str, error);
  int parameter = 1;

  if (statement == NULL)
    return NULL;
  for (guint i = 0; i < query->values->len; i++)
    {
      const QueryValue *value = &g_array_index (query->values, QueryValue, i);

      if (value->text != NULL)
        store_bind_text (statement, parameter++, value->text);
      else
        sqlite3_bind_double (statement, parameter++, value->number);
    }
  if (options->volumes != NULL)
    sqlite3_bind_pointer (statement, parameter++, g_hash_table_ref (options->volumes), NAME_SET,
                          (void (*) (void *)) g_hash_table_unref);
  bind_search (statement, parameter, options->search);
  return statement;
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

/** Ids are in the order of split and file. */
char *
listing_order (const CatalogListOptions *options, GError **error)
{
  const char *direction = options->descending ? " DESC" : "";
  g_auto (GStrv) keys = sort_keys (options, error);
  GString *order;

  if (keys == NULL)
    return NULL;
  order = g_string_new (" ORDER BY ");
  for (guint i = 0; keys[i] != NULL; i++)
    g_string_append_printf (order, "%s%s NULLS LAST, ", keys[i], direction);
  g_string_append_printf (order, "id%s", direction);
  return g_string_free (order, FALSE);
}

void
listing_append_limit (GString *sql, const CatalogListOptions *options)
{
  if (options->limit > 0)
    g_string_append_printf (sql, " LIMIT %u OFFSET %u", options->limit, options->offset);
  else if (options->offset > 0)
    g_string_append_printf (sql, " LIMIT -1 OFFSET %u", options->offset);
}

#include "catalog/row_indexes.h"

#include "catalog/query_private.h"

#include <string.h>

/* The words that names are made of, each between spaces, but for numbers; absent while it is not
 * known, and MANY where they are too many to help. */
#define NAME_WORDS "volume.name_words"
#define MANY "*"
#define MOST_WORDS 64

/* ---- indexes to sort by ---- */

/** Make the index unless it is there. @made: (out) it was not */
static gboolean
ensure_index (CatalogStore *store, const char *name, const char *order, gboolean *made,
              GError **error)
{
  g_autofree char *sql =
      g_strdup_printf ("CREATE INDEX " ROW_INDEX_PREFIX "%s ON volume (%s)", name, order);
  g_autoptr (sqlite3_stmt) look =
      store_prepare (store,
                     "SELECT count (*) FROM sqlite_schema"
                     " WHERE type = 'index' AND name = '" ROW_INDEX_PREFIX "' || ?",
                     error);

  if (look == NULL)
    return FALSE;
  store_bind_text (look, 1, name);
  if (store_step (store, look, error) != SQLITE_ROW)
    return FALSE;
  *made = sqlite3_column_int (look, 0) == 0;
  sqlite3_reset (look);
  return !*made || store_exec (store, sql, error);
}

/** Rows are in the order of their splits already, and reasons are few. */
static gboolean
wants_index (const QueryField *field)
{
  return field->order != NULL && field->kind != QUERY_FIELD_SPLIT
         && field->kind != QUERY_FIELD_REASON;
}

/* Beside those to sort by: for a name, for counts and samples, for a patient, for what a search
 * found. A new store has one for names, volume_by_name, until its first import. */
static const struct
{
  const char *name, *order;
} others[] = {
  { "same_name", "name" },
  { "rank", "split, reason, position" },
  { "same_patient", "patient" },
  { "same_report", "report_id" },
};

gboolean
store_row_indexes_step (CatalogStore *store, gboolean *made, GError **error)
{
  const QueryField *field;

  *made = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (others) && !*made; i++)
    if (!ensure_index (store, others[i].name, others[i].order, made, error))
      return FALSE;
  for (guint i = 0; !*made && (field = query_field_at (i)) != NULL; i++)
    if (wants_index (field) && !ensure_index (store, field->name, field->order, made, error))
      return FALSE;
  if (*made)
    return TRUE;
  *made = !store_name_words_are_known (store);
  return !*made || store_name_words_read (store, error);
}

/* ---- the words of names ---- */

gboolean
store_name_words_are_known (CatalogStore *store)
{
  g_autofree char *words = catalog_store_get (store, NAME_WORDS);

  return words != NULL;
}

gboolean
store_name_words_forget (CatalogStore *store, GError **error)
{
  return catalog_store_set (store, NAME_WORDS, NULL, error);
}

/** Add the words of a name; they are split as name_has () does it. */
static void
take_words (const char *name, GHashTable *words)
{
  g_autofree char *folded = g_ascii_strdown (name, -1);
  g_auto (GStrv) parts = g_strsplit_set (folded, "._ ", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    if (*parts[i] != '\0' && !g_ascii_isdigit (*parts[i])
        && !g_hash_table_contains (words, parts[i]))
      g_hash_table_add (words, g_strdup (parts[i]));
}

gboolean
store_name_words_read (CatalogStore *store, GError **error)
{
  g_autoptr (GHashTable) words = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (sqlite3_stmt) names = store_prepare (store, "SELECT name FROM volume", error);
  g_autofree char **keys = NULL;
  g_autofree char *joined = NULL, *value = NULL;
  int step = SQLITE_ERROR;

  while (names != NULL && g_hash_table_size (words) <= MOST_WORDS
         && (step = store_step (store, names, error)) == SQLITE_ROW)
    take_words ((const char *) sqlite3_column_text (names, 0), words);
  if (step != SQLITE_DONE && step != SQLITE_ROW)
    return FALSE;
  keys = (char **) g_hash_table_get_keys_as_array (words, NULL);
  joined = g_strjoinv (" ", keys);
  value = g_strdup_printf (" %s ", joined);
  return catalog_store_set (store, NAME_WORDS, step == SQLITE_DONE ? value : MANY, error);
}

gboolean
store_name_words_rule_out (CatalogStore *store, const char *part)
{
  g_autofree char *words = catalog_store_get (store, NAME_WORDS);
  g_autofree char *word = NULL;
  gsize length;

  part += strspn (part, "_");
  length = strcspn (part, "_");
  if (words == NULL || strcmp (words, MANY) == 0 || length == 0 || g_ascii_isdigit (*part))
    return FALSE;
  word = g_strdup_printf (" %.*s%s", (int) length, part, part[length] == '_' ? " " : "");
  return strstr (words, word) == NULL;
}

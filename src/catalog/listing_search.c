#include "catalog/listing_search.h"

#include "catalog/query_private.h"
#include "catalog/report_set.h"
#include "catalog/row_indexes.h"

#include <string.h>

/* A search's words beyond these are not looked at: SQLite's expressions have a bound. */
#define MAX_WORDS 100

/* ---- words ---- */

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

gboolean
store_add_name_has (CatalogStore *store, GError **error)
{
  return sqlite3_create_function (store->db, "name_has", 2,
                                  SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                  sql_name_has, NULL, NULL)
             == SQLITE_OK
         || store_fail (store, error);
}

/* ---- what to look for ---- */

/** A word that a report or a name may hold. */
typedef struct
{
  ReportSet *reports;
  char *part;
} Word;

struct _ListingSearch
{
  CatalogStore *store;
  GArray *words; /* of Word: those that a name may hold */
  char *match;   /* (nullable) all others */
  ReportSet *reports;
  gboolean small; /* few reports have those */
};

static void
word_clear (gpointer data)
{
  Word *word = data;

  report_set_unref (word->reports);
  g_free (word->part);
}

void
listing_search_free (ListingSearch *search)
{
  g_array_unref (search->words);
  g_free (search->match);
  g_clear_pointer (&search->reports, report_set_unref);
  g_free (search);
}

/** What no name holds is looked for in one go. */
static gboolean
add_word (ListingSearch *search, const char *word, gboolean prefix, GError **error)
{
  g_autofree char *match = query_match_string (word, prefix), *part = part_to_find (word, prefix);

  if (store_name_words_rule_out (search->store, part))
    {
      char *all = search->match != NULL ? g_strdup_printf ("%s AND %s", search->match, match)
                                        : g_steal_pointer (&match);

      g_free (search->match);
      search->match = all;
    }
  else
    {
      ReportSet *reports = report_set_new (search->store, match, error);
      const Word either = { reports, reports != NULL ? g_steal_pointer (&part) : NULL };

      if (reports == NULL)
        return FALSE;
      g_array_append_val (search->words, either);
    }
  return TRUE;
}

ListingSearch *
listing_search_new (CatalogStore *store, const char *text, GError **error)
{
  g_autoptr (ListingSearch) search = g_new0 (ListingSearch, 1);
  g_auto (GStrv) words = query_search_words (text);

  search->store = store;
  search->words = g_array_new (FALSE, FALSE, sizeof (Word));
  g_array_set_clear_func (search->words, word_clear);
  for (guint i = 0; words[i] != NULL; i++)
    if (!add_word (search, words[i], words[i + 1] == NULL, error))
      return NULL;
  if (search->match == NULL)
    return g_steal_pointer (&search);
  search->reports = report_set_new (store, search->match, error);
  if (search->reports == NULL)
    return NULL;
  search->small = report_set_is_small (search->reports);
  return g_steal_pointer (&search);
}

gboolean
listing_search_is_small (const ListingSearch *search)
{
  return search->small;
}

void
listing_search_append (const ListingSearch *search, GString *sql, const char *keyword)
{
  if (search->match != NULL)
    {
      g_string_append_printf (
          sql, "%s%s", keyword,
          search->small ? "report_id IN (SELECT rowid FROM report_text WHERE report_text MATCH ?)"
                        : "report_in (report_id, ?)");
      keyword = " AND ";
    }
  for (guint i = 0; i < search->words->len; i++, keyword = " AND ")
    g_string_append_printf (sql, "%s(report_in (report_id, ?) OR name_has (name, ?))", keyword);
}

void
listing_search_bind (const ListingSearch *search, sqlite3_stmt *statement, int parameter)
{
  if (search->small)
    store_bind_text (statement, parameter++, search->match);
  else if (search->match != NULL)
    report_set_bind (statement, parameter++, search->reports);
  for (guint i = 0; i < search->words->len; i++)
    {
      const Word *word = &g_array_index (search->words, Word, i);

      report_set_bind (statement, parameter++, word->reports);
      store_bind_text (statement, parameter++, word->part);
    }
}

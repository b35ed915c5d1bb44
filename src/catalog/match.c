#include "catalog/match.h"

#include "catalog/query_private.h"

#include <sqlite3.h>
#include <string.h>

/* ---- words as the full-text index sees them ---- */

typedef struct
{
  char *folded;
  CatalogSpan span;
} Word;

static void
clear_word (gpointer word)
{
  g_free (((Word *) word)->folded);
}

/** FTS5's functions, from a connection that is kept for them alone; %NULL where SQLite has none. */
static fts5_api *
find_fts5 (void)
{
  fts5_api *api = NULL;
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;

  if (sqlite3_open (":memory:", &db) == SQLITE_OK
      && sqlite3_prepare_v2 (db, "SELECT fts5 (?)", -1, &statement, NULL) == SQLITE_OK
      && sqlite3_bind_pointer (statement, 1, &api, "fts5_api_ptr", NULL) == SQLITE_OK)
    sqlite3_step (statement);
  sqlite3_finalize (statement);
  if (api == NULL)
    sqlite3_close (db);
  return api;
}

static gboolean
find_tokenizer (fts5_tokenizer *tokenizer, void **context)
{
  static gsize found;
  static fts5_api *api;

  if (g_once_init_enter (&found))
    {
      api = find_fts5 ();
      g_once_init_leave (&found, 1);
    }
  return api != NULL && api->xFindTokenizer (api, "unicode61", context, tokenizer) == SQLITE_OK;
}

static int
add_word (void *words, int flags, const char *folded, int length, int start, int end)
{
  Word word = { .folded = g_strndup (folded, (gsize) length),
                .span = { (gsize) start, (gsize) end } };

  g_array_append_val ((GArray *) words, word);
  return SQLITE_OK;
}

/** (element-type Word) */
static GArray *
words_of (const char *text)
{
  /* As the table report_text has it. */
  const char *arguments[] = { "remove_diacritics", "2" };
  GArray *words = g_array_new (FALSE, FALSE, sizeof (Word));
  fts5_tokenizer tokenizer;
  Fts5Tokenizer *instance = NULL; /* has a buffer of its own, so that threads share none */
  void *context;

  g_array_set_clear_func (words, clear_word);
  if (!find_tokenizer (&tokenizer, &context)
      || tokenizer.xCreate (context, arguments, G_N_ELEMENTS (arguments), &instance) != SQLITE_OK)
    return words;
  tokenizer.xTokenize (instance, words, FTS5_TOKENIZE_AUX, text, (int) strlen (text), add_word);
  tokenizer.xDelete (instance);
  return words;
}

/* ---- terms ---- */

void
catalog_term_free (CatalogTerm *term)
{
  g_strfreev (term->words);
  g_free (term);
}

CatalogTerm *
query_term_new (const char *text, gboolean prefix)
{
  g_autoptr (GArray) words = words_of (text);
  CatalogTerm *term;

  if (words->len == 0)
    return NULL;
  term = g_new0 (CatalogTerm, 1);
  term->words = g_new0 (char *, words->len + 1);
  term->prefix = prefix;
  for (guint i = 0; i < words->len; i++)
    term->words[i] = g_steal_pointer (&g_array_index (words, Word, i).folded);
  return term;
}

GPtrArray *
query_terms_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) catalog_term_free);
}

GPtrArray *
catalog_search_terms (const char *search)
{
  g_auto (GStrv) words = query_search_words (search);
  GPtrArray *terms = query_terms_new ();

  for (guint i = 0; words[i] != NULL; i++)
    g_ptr_array_add (terms, query_term_new (words[i], words[i + 1] == NULL));
  return terms;
}

/* ---- matching ---- */

static gboolean
is_word (const Word *word, const char *wanted, gboolean prefix)
{
  return prefix ? g_str_has_prefix (word->folded, wanted) : strcmp (word->folded, wanted) == 0;
}

/** How many of @words from @first on are the term; 0 where they aren't. */
static guint
match_length (const GArray *words, guint first, const CatalogTerm *term)
{
  guint n = 0;

  for (; term->words[n] != NULL; n++)
    {
      gboolean prefix = term->prefix && term->words[n + 1] == NULL;

      if (first + n >= words->len
          || !is_word (&g_array_index (words, Word, first + n), term->words[n], prefix))
        return 0;
    }
  return n;
}

static void
add_span (GArray *spans, CatalogSpan span)
{
  CatalogSpan *last = spans->len > 0 ? &g_array_index (spans, CatalogSpan, spans->len - 1) : NULL;

  if (last != NULL && span.start < last->end)
    last->end = MAX (last->end, span.end);
  else
    g_array_append_val (spans, span);
}

GArray *
catalog_match_spans (const char *text, const GPtrArray *terms)
{
  g_autoptr (GArray) words = words_of (text != NULL && terms->len > 0 ? text : "");
  GArray *spans = g_array_new (FALSE, FALSE, sizeof (CatalogSpan));

  for (guint i = 0; i < words->len; i++)
    {
      guint longest = 0;

      for (guint j = 0; j < terms->len; j++)
        longest = MAX (longest, match_length (words, i, g_ptr_array_index (terms, j)));
      if (longest > 0)
        add_span (spans, (CatalogSpan){ g_array_index (words, Word, i).span.start,
                                        g_array_index (words, Word, i + longest - 1).span.end });
    }
  return spans;
}

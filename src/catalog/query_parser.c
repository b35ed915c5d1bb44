#include "catalog/query_private.h"

#include <string.h>

/* ---- tokens ---- */

const QueryToken *
query_peek (const QueryParser *parser, guint ahead)
{
  guint place = MIN (parser->next + ahead, parser->tokens->len - 1);

  return &g_array_index (parser->tokens, QueryToken, place);
}

const QueryToken *
query_take (QueryParser *parser)
{
  const QueryToken *token = query_peek (parser, 0);

  parser->next++;
  return token;
}

gboolean
query_is_word (const QueryToken *token, const char *word)
{
  return token->kind == QUERY_WORD && !token->prefix && g_ascii_strcasecmp (token->text, word) == 0;
}

gboolean
query_is_keyword (const QueryToken *token)
{
  return query_is_word (token, "AND") || query_is_word (token, "OR")
         || query_is_word (token, "NOT");
}

gboolean
query_accept (QueryParser *parser, const char *word)
{
  if (!query_is_word (query_peek (parser, 0), word))
    return FALSE;
  parser->next++;
  return TRUE;
}

gboolean
query_fail_expected (const QueryParser *parser, const QueryToken *token, const char *expected,
                     GError **error)
{
  g_autofree char *found = g_strndup (parser->text + token->start, token->length);

  if (token->kind == QUERY_END)
    return query_fail_at (parser, token, error, "the query ends here; expected %s", expected);
  return query_fail_at (parser, token, error, "expected %s, not %s", expected, found);
}

/* ---- writing SQL ---- */

void
query_write (QueryParser *parser, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_string_append_vprintf (parser->query->condition, format, arguments);
  va_end (arguments);
}

void
query_add_text (QueryParser *parser, char *text)
{
  QueryValue value = { .text = text };

  g_array_append_val (parser->query->values, value);
}

void
query_add_match (QueryParser *parser, char *match)
{
  QueryValue value = { .text = match, .is_match = TRUE };

  g_array_append_val (parser->query->values, value);
}

void
query_add_number (QueryParser *parser, double number)
{
  QueryValue value = { .number = number };

  g_array_append_val (parser->query->values, value);
}

char *
query_match_string (const char *phrase, gboolean prefix)
{
  g_autoptr (GString) match = g_string_new (phrase);

  g_string_replace (match, "\"", "\"\"", 0);
  return g_strdup_printf ("\"%s\"%s", match->str, prefix ? " *" : "");
}

/* ---- words and labels ---- */

static gboolean
has_letters (const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (g_unichar_isalnum (g_utf8_get_char (text)))
      return TRUE;
  return FALSE;
}

static void
add_term (CatalogQuery *query, const QueryToken *token)
{
  CatalogTerm *term = query_term_new (token->text, token->prefix);

  if (term != NULL)
    g_ptr_array_add (query->terms, term);
}

gboolean
query_write_text (QueryParser *parser, const QueryToken *token, GError **error)
{
  if (!has_letters (token->text))
    return query_fail_expected (parser, token, "a word or phrase with letters or digits", error);
  if (token->kind == QUERY_WORD && strchr (token->text, '*') != NULL)
    return query_fail_at (parser, token, error, "a star can only stand at the end of a word");
  query_write (parser, "(report_in (report_id, ?))");
  query_add_match (parser, query_match_string (token->text, token->prefix));
  if (!parser->negated)
    add_term (parser->query, token);
  return TRUE;
}

void
query_write_label (QueryParser *parser, guint label, gboolean positive)
{
  query_write (parser, "(labels >> %u & 1 = %d)", label, positive);
}

static gsize
longest_label (void)
{
  gsize longest = 0;

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    longest = MAX (longest, strlen (catalog_label_name (label)));
  return longest;
}

int
query_accept_label (QueryParser *parser)
{
  gsize longest = longest_label ();
  g_autoptr (GString) name = g_string_new (NULL);
  int label = -1;
  guint n_tokens = 0;

  for (guint i = 0; name->len <= longest; i++)
    {
      const QueryToken *token = query_peek (parser, i);
      gboolean may_belong = token->kind == QUERY_WORD || (token->kind == QUERY_QUOTED && i == 0);
      int found;

      if (!may_belong || token->prefix)
        break;
      g_string_append_printf (name, "%s%s", i > 0 ? " " : "", token->text);
      found = catalog_label_find (name->str);
      if (found >= 0)
        {
          label = found;
          n_tokens = i + 1;
        }
      if (token->kind == QUERY_QUOTED)
        break;
    }
  parser->next += n_tokens;
  return label;
}

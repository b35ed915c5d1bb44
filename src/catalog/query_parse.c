#include "catalog/query_private.h"

#include "catalog/cleaning.h"

#include <string.h>

/* SQLite refuses expressions of more than 1,000 levels, and every term of a chain is one. Its
 * parser has a stack of 100 places, of which each bracket behind OR and AND takes five. */
#define MAX_TERMS 400
#define MAX_DEPTH 12

/* ---- terms ---- */

/** A label that was taken, alone or with "= 1" or "= 0" behind it. */
static gboolean
parse_label (QueryParser *parser, guint label, GError **error)
{
  const QueryToken *sign = query_peek (parser, 0), *value = query_peek (parser, 1);
  int flag = 1;

  if (sign->kind == QUERY_OPERATOR)
    {
      flag = value->kind == QUERY_WORD ? cleaning_flag (value->text) : -1;
      if (strcmp (sign->text, "=") != 0 || flag < 0)
        return query_fail_at (parser, sign, error,
                              "a label is there or not; expected its name alone, or = 1 or = 0");
      parser->next += 2;
    }
  query_write_label (parser, label, flag == 1);
  return TRUE;
}

/** kept, dropped, encoded: FALSE where the word at hand is none of these. */
static gboolean
accept_state (QueryParser *parser)
{
  if (query_accept (parser, "encoded"))
    {
      query_write (parser, "(name IN (SELECT volume FROM volume_latent))");
      return TRUE;
    }
  if (query_accept (parser, "kept"))
    query_write (parser, "(reason = %d)", CATALOG_KEPT);
  else if (query_accept (parser, "dropped"))
    query_write (parser, "(reason <> %d)", CATALOG_KEPT);
  else
    return FALSE;
  parser->query->says_what_is_dropped = TRUE;
  return TRUE;
}

static gboolean
fail_unknown_field (const QueryParser *parser, const QueryToken *word, GError **error)
{
  g_autofree char *suggestion = query_suggest_field (word->text);
  g_autofree char *names = query_field_names (FALSE);

  if (*suggestion == '\0')
    return query_fail_at (parser, word, error,
                          "%s is neither a field nor a label; the fields are %s", word->text,
                          names);
  return query_fail_at (parser, word, error, "%s is neither a field nor a label%s", word->text,
                        suggestion);
}

/** A word that begins neither a label nor anything else that is known. */
static gboolean
parse_word (QueryParser *parser, GError **error)
{
  const QueryToken *word = query_take (parser);
  const QueryField *field = query_field_find (word->text);

  if (query_peek (parser, 0)->kind == QUERY_OPERATOR)
    {
      if (field != NULL && word->kind == QUERY_WORD)
        return query_parse_comparison (parser, field, error);
      return fail_unknown_field (parser, word, error);
    }
  if (field != NULL && word->kind == QUERY_WORD && !word->prefix)
    {
      g_autofree char *expected = g_strdup_printf (
          "an operator behind the field %s (put it in quotes to find the word)", field->name);

      return query_fail_expected (parser, query_peek (parser, 0), expected, error);
    }
  return query_write_text (parser, word, error);
}

static gboolean parse_any (QueryParser *parser, GError **error);

static gboolean
parse_brackets (QueryParser *parser, GError **error)
{
  const QueryToken *open = query_take (parser);

  if (!parse_any (parser, error))
    return FALSE;
  if (query_peek (parser, 0)->kind == QUERY_END)
    return query_fail_at (parser, open, error,
                          "this bracket is not closed; expected ) behind its terms");
  parser->next++;
  return TRUE;
}

static gboolean
parse_term (QueryParser *parser, GError **error)
{
  const QueryToken *token = query_peek (parser, 0);
  int label;

  if (token->kind == QUERY_OPEN)
    return parse_brackets (parser, error);
  if ((token->kind != QUERY_WORD && token->kind != QUERY_QUOTED) || query_is_keyword (token))
    return query_fail_expected (parser, token, "a label, a word, a \"phrase\" or a field", error);
  if (++parser->n_terms > MAX_TERMS)
    return query_fail_at (parser, token, error, "expected no more than %d terms", MAX_TERMS);
  label = query_accept_label (parser);
  if (label >= 0)
    return parse_label (parser, (guint) label, error);
  return accept_state (parser) || parse_word (parser, error);
}

/* ---- NOT, AND, OR ---- */

static gboolean
parse_not (QueryParser *parser, GError **error)
{
  const QueryToken *token = query_peek (parser, 0);
  gboolean parsed;

  if (parser->depth >= MAX_DEPTH)
    return query_fail_at (parser, token, error,
                          "expected no more than %d brackets and NOTs within each other",
                          MAX_DEPTH);
  parser->depth++;
  if (query_accept (parser, "NOT"))
    {
      query_write (parser, "NOT ");
      parser->negated = !parser->negated;
      parsed = parse_not (parser, error);
      parser->negated = !parser->negated;
    }
  else
    parsed = parse_term (parser, error);
  parser->depth--;
  return parsed;
}

static gboolean
ends_all (const QueryToken *token)
{
  return token->kind == QUERY_END || token->kind == QUERY_CLOSE || query_is_word (token, "OR");
}

/** Terms that must all match, joined by AND or by nothing. */
static gboolean
parse_all (QueryParser *parser, GError **error)
{
  if (!parse_not (parser, error))
    return FALSE;
  while (!ends_all (query_peek (parser, 0)))
    {
      query_accept (parser, "AND");
      query_write (parser, " AND ");
      if (!parse_not (parser, error))
        return FALSE;
    }
  return TRUE;
}

/** Alternatives, joined by OR. */
static gboolean
parse_any (QueryParser *parser, GError **error)
{
  query_write (parser, "(");
  if (!parse_all (parser, error))
    return FALSE;
  while (query_accept (parser, "OR"))
    {
      query_write (parser, " OR ");
      if (!parse_all (parser, error))
        return FALSE;
    }
  query_write (parser, ")");
  return TRUE;
}

/* ---- the query ---- */

static void
clear_value (gpointer value)
{
  g_free (((QueryValue *) value)->text);
}

void
catalog_query_free (CatalogQuery *query)
{
  g_string_free (query->condition, TRUE);
  g_array_unref (query->values);
  g_ptr_array_unref (query->terms);
  g_free (query);
}

gboolean
catalog_query_reads_reports (const CatalogQuery *query)
{
  for (guint i = 0; i < query->values->len; i++)
    if (g_array_index (query->values, QueryValue, i).is_match)
      return TRUE;
  return FALSE;
}

CatalogQuery *
catalog_query_parse (const char *text, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  g_autoptr (GArray) tokens = query_lex (valid, error);
  g_autoptr (CatalogQuery) query = NULL;
  QueryParser parser = { .text = valid, .tokens = tokens };

  if (tokens == NULL)
    return NULL;
  query = g_new0 (CatalogQuery, 1);
  query->condition = g_string_new (NULL);
  query->values = g_array_new (FALSE, FALSE, sizeof (QueryValue));
  g_array_set_clear_func (query->values, clear_value);
  query->terms = query_terms_new ();
  parser.query = query;
  if (query_peek (&parser, 0)->kind == QUERY_END)
    return g_steal_pointer (&query);
  if (!parse_any (&parser, error))
    return NULL;
  if (query_peek (&parser, 0)->kind != QUERY_END)
    {
      query_fail_at (&parser, query_peek (&parser, 0), error,
                     "no bracket is open here; expected AND, OR or a term");
      return NULL;
    }
  return g_steal_pointer (&query);
}

GPtrArray *
catalog_query_terms (const CatalogQuery *query)
{
  return g_ptr_array_ref (query->terms);
}

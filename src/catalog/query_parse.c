#include "catalog/query_private.h"

#include "catalog/cleaning.h"

#include <math.h>
#include <string.h>

/* SQLite refuses expressions of more than 1,000 levels, and every term of a chain is one. Its
 * parser has a stack of 100 places, of which each bracket behind OR and AND takes five. */
#define MAX_TERMS 400
#define MAX_DEPTH 12

/* A parsing function writes SQL for what it has read; FALSE with the error is final. */
typedef struct
{
  const char *text;
  GArray *tokens;
  guint next; /* token */
  guint n_terms, depth;
  CatalogQuery *query;
} Parser;

static const QueryToken *
peek_at (const Parser *parser, guint ahead)
{
  guint place = MIN (parser->next + ahead, parser->tokens->len - 1);

  return &g_array_index (parser->tokens, QueryToken, place);
}

static const QueryToken *
peek (const Parser *parser)
{
  return peek_at (parser, 0);
}

static const QueryToken *
take (Parser *parser)
{
  const QueryToken *token = peek (parser);

  parser->next++;
  return token;
}

static gboolean
is_word (const QueryToken *token, const char *word)
{
  return token->kind == QUERY_WORD && !token->prefix && g_ascii_strcasecmp (token->text, word) == 0;
}

static gboolean
is_keyword (const QueryToken *token)
{
  return is_word (token, "AND") || is_word (token, "OR") || is_word (token, "NOT");
}

static gboolean
accept (Parser *parser, const char *word)
{
  if (!is_word (peek (parser), word))
    return FALSE;
  parser->next++;
  return TRUE;
}

#define fail_at(parser, token, error, ...)                                                         \
  query_fail ((parser)->text, (token)->start, (token)->length, (error), __VA_ARGS__)

/** "a term was expected" where one is missing. */
static gboolean
fail_expected (const Parser *parser, const QueryToken *token, const char *expected, GError **error)
{
  g_autofree char *found = g_strndup (parser->text + token->start, token->length);

  if (token->kind == QUERY_END)
    return fail_at (parser, token, error, "the query ends here; expected %s", expected);
  return fail_at (parser, token, error, "expected %s, not %s", expected, found);
}

/* ---- writing SQL ---- */

G_GNUC_PRINTF (2, 3)
static void
write_sql (Parser *parser, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_string_append_vprintf (parser->query->condition, format, arguments);
  va_end (arguments);
}

/** The value of the "?" just written. @text: (transfer full) */
static void
add_text (Parser *parser, char *text)
{
  QueryValue value = { .text = text };

  g_array_append_val (parser->query->values, value);
}

static void
add_number (Parser *parser, double number)
{
  QueryValue value = { .number = number };

  g_array_append_val (parser->query->values, value);
}

/** FTS5's string: whatever stands in it is letters to find. */
static char *
match_string (const char *phrase, gboolean prefix)
{
  g_autoptr (GString) match = g_string_new (phrase);

  g_string_replace (match, "\"", "\"\"", 0);
  return g_strdup_printf ("\"%s\"%s", match->str, prefix ? " *" : "");
}

/** LIKE's pattern for a text that contains @part. */
static char *
like_pattern (const char *part)
{
  GString *pattern = g_string_new ("%");

  for (; *part != '\0'; part++)
    {
      if (strchr ("%_\\", *part) != NULL)
        g_string_append_c (pattern, '\\');
      g_string_append_c (pattern, *part);
    }
  g_string_append_c (pattern, '%');
  return g_string_free (pattern, FALSE);
}

/* ---- terms without a field ---- */

static gboolean
has_letters (const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (g_unichar_isalnum (g_utf8_get_char (text)))
      return TRUE;
  return FALSE;
}

static gboolean
write_text (Parser *parser, const QueryToken *token, GError **error)
{
  if (!has_letters (token->text))
    return fail_expected (parser, token, "a word or phrase with letters or digits", error);
  if (token->kind == QUERY_WORD && strchr (token->text, '*') != NULL)
    return fail_at (parser, token, error, "a star can only stand at the end of a word");
  write_sql (parser, "(report_id IN (SELECT rowid FROM report_text WHERE report_text MATCH ?))");
  add_text (parser, match_string (token->text, token->prefix));
  return TRUE;
}

/** NULL labels are neither. */
static void
write_label (Parser *parser, guint label, gboolean positive)
{
  write_sql (parser, "(labels >> %u & 1 = %d)", label, positive);
}

static gsize
longest_label (void)
{
  gsize longest = 0;

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    longest = MAX (longest, strlen (catalog_label_name (label)));
  return longest;
}

/** The longest run of words, or the phrase, at hand that is a label's name; -1 if none is. */
static int
accept_label (Parser *parser)
{
  gsize longest = longest_label ();
  g_autoptr (GString) name = g_string_new (NULL);
  int label = -1;
  guint n_tokens = 0;

  for (guint i = 0; name->len <= longest; i++)
    {
      const QueryToken *token = peek_at (parser, i);
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

/* ---- field OP value ---- */

typedef struct
{
  const QueryField *field;
  const QueryToken *operator, * value;
} Comparison;

/** The operators that make sense for a field, as a message lists them. */
static gboolean
check_operator (const Parser *parser, const Comparison *comparison, const char *allowed,
                GError **error)
{
  g_auto (GStrv) operators = g_strsplit (allowed, " ", -1);

  if (g_strv_contains ((const char *const *) operators, comparison->operator->text))
    return TRUE;
  return fail_at (parser, comparison->operator, error,
                  "%s can't be compared so; expected one of %s", comparison->field->name, allowed);
}

static gboolean
is_negated (const Comparison *comparison)
{
  return strcmp (comparison->operator->text, "!=") == 0;
}

static gboolean
write_number (Parser *parser, const Comparison *comparison, GError **error)
{
  double number = cleaning_number (comparison->value->text);

  if (!check_operator (parser, comparison, "= != < <= > >=", error))
    return FALSE;
  if (isnan (number) || comparison->value->prefix)
    return fail_expected (parser, comparison->value, "a number", error);
  write_sql (parser, "(%s %s ?)", comparison->field->column, comparison->operator->text);
  add_number (parser, number);
  return TRUE;
}

static void
write_contains (Parser *parser, const Comparison *comparison)
{
  write_sql (parser, "(%s LIKE ? ESCAPE '\\')", comparison->field->column);
  add_text (parser, like_pattern (comparison->value->text));
}

static gboolean
write_text_field (Parser *parser, const Comparison *comparison, GError **error)
{
  const QueryField *field = comparison->field;
  const char *value = comparison->value->text;
  gboolean whole_name =
      strcmp (field->column, "name") != 0 || g_str_has_suffix (value, CLEANING_SUFFIX);

  if (!check_operator (parser, comparison, "= != ~", error))
    return FALSE;
  if (strcmp (comparison->operator->text, "~") == 0)
    {
      write_contains (parser, comparison);
      return TRUE;
    }
  /* Names are exact, which lets SQLite use its index. */
  write_sql (parser, "(%s %s ?%s)", field->column, comparison->operator->text,
             field->kind == QUERY_FIELD_NAME ? "" : " COLLATE NOCASE");
  add_text (parser, g_strconcat (value, whole_name ? "" : CLEANING_SUFFIX, NULL));
  return TRUE;
}

/** A month or a year is compared with as much of the date. */
static gboolean
write_date (Parser *parser, const Comparison *comparison, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (comparison->value->text, "-", -1);
  g_autofree char *digits = g_strjoinv ("", parts);
  gsize length = strlen (digits);

  if (!check_operator (parser, comparison, "= != < <= > >=", error))
    return FALSE;
  if ((length != 4 && length != 6 && length != 8) || strspn (digits, "0123456789") != length)
    return fail_expected (parser, comparison->value, "a date such as 2021-04-27, 2021-04 or 2021",
                          error);
  write_sql (parser, "(substr (%s, 1, %d) %s ?)", comparison->field->column, (int) length,
             comparison->operator->text);
  add_text (parser, g_steal_pointer (&digits));
  return TRUE;
}

static gboolean
write_split (Parser *parser, const Comparison *comparison, GError **error)
{
  g_autofree char *name = g_ascii_strdown (comparison->value->text, -1);
  CatalogSplit split;

  if (!check_operator (parser, comparison, "= !=", error))
    return FALSE;
  if (!catalog_split_parse (name, &split, NULL))
    return fail_expected (parser, comparison->value, "train or valid", error);
  write_sql (parser, "(split %s %d)", comparison->operator->text, split);
  return TRUE;
}

static gboolean
write_reason (Parser *parser, const Comparison *comparison, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  if (!check_operator (parser, comparison, "= !=", error))
    return FALSE;
  parser->query->says_what_is_dropped = TRUE;
  for (CatalogReason reason = CATALOG_KEPT; reason < CATALOG_N_REASONS; reason++)
    {
      const char *name = catalog_reason_name (reason);

      if (is_word (comparison->value, name))
        {
          write_sql (parser, "(reason %s %d)", comparison->operator->text, reason);
          return TRUE;
        }
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", name);
    }
  return fail_expected (parser, comparison->value, names->str, error);
}

static gboolean
write_unknown (Parser *parser, const Comparison *comparison, GError **error)
{
  if (!check_operator (parser, comparison, "= !=", error))
    return FALSE;
  write_sql (parser, "(%s IS %sNULL)", comparison->field->column,
             is_negated (comparison) ? "NOT " : "");
  return TRUE;
}

static gboolean
write_report (Parser *parser, const Comparison *comparison, GError **error)
{
  return check_operator (parser, comparison, "= ~", error)
         && write_text (parser, comparison->value, error);
}

/** `label = lung nodule`: the value may be several words, so it has not been taken yet. */
static gboolean
parse_label_value (Parser *parser, const Comparison *comparison, GError **error)
{
  g_autofree char *suggestion = query_suggest_label (comparison->value->text);
  int label;

  if (!check_operator (parser, comparison, "= !=", error))
    return FALSE;
  label = accept_label (parser);
  if (label < 0)
    return fail_at (parser, comparison->value, error, "this is no label%s", suggestion);
  write_label (parser, (guint) label, !is_negated (comparison));
  return TRUE;
}

/** The field's name has been taken. */
static gboolean
parse_comparison (Parser *parser, const QueryField *field, GError **error)
{
  Comparison comparison = { .field = field, .operator= take (parser), .value = peek (parser) };
  const QueryToken *value = comparison.value;

  if ((value->kind != QUERY_WORD && value->kind != QUERY_QUOTED) || is_keyword (value))
    return fail_expected (parser, value, "a value", error);
  if (value->prefix && field->kind != QUERY_FIELD_REPORT)
    return fail_at (parser, value, error,
                    "a star works for words of the report only; expected a value without one (~ "
                    "finds a part of a name)");
  if (field->kind == QUERY_FIELD_LABEL)
    return parse_label_value (parser, &comparison, error);
  parser->next++;
  if (is_word (value, "unknown") && field->kind <= QUERY_FIELD_DATE)
    return write_unknown (parser, &comparison, error);
  switch (field->kind)
    {
    case QUERY_FIELD_NUMBER:
      return write_number (parser, &comparison, error);
    case QUERY_FIELD_DATE:
      return write_date (parser, &comparison, error);
    case QUERY_FIELD_SPLIT:
      return write_split (parser, &comparison, error);
    case QUERY_FIELD_REASON:
      return write_reason (parser, &comparison, error);
    case QUERY_FIELD_REPORT:
      return write_report (parser, &comparison, error);
    default:
      return write_text_field (parser, &comparison, error);
    }
}

/* ---- terms ---- */

/** A label that was taken, alone or with "= 1" or "= 0" behind it. */
static gboolean
parse_label (Parser *parser, guint label, GError **error)
{
  const QueryToken *operator= peek (parser), *value = peek_at (parser, 1);
  int flag = 1;

  if (operator->kind == QUERY_OPERATOR)
    {
      flag = value->kind == QUERY_WORD ? cleaning_flag (value->text) : -1;
      if (strcmp (operator->text, "=") != 0 || flag < 0)
        return fail_at (parser, operator, error,
                        "a label is there or not; expected its name alone, or = 1 or = 0");
      parser->next += 2;
    }
  write_label (parser, label, flag == 1);
  return TRUE;
}

/** kept, dropped, encoded: FALSE where the word at hand is none of these. */
static gboolean
accept_state (Parser *parser)
{
  if (accept (parser, "kept"))
    write_sql (parser, "(reason = %d)", CATALOG_KEPT);
  else if (accept (parser, "dropped"))
    write_sql (parser, "(reason <> %d)", CATALOG_KEPT);
  else if (accept (parser, "encoded"))
    {
      write_sql (parser, "(name IN (SELECT volume FROM volume_latent))");
      return TRUE;
    }
  else
    return FALSE;
  parser->query->says_what_is_dropped = TRUE;
  return TRUE;
}

/** A word that begins neither a label nor anything else that is known. */
static gboolean
parse_word (Parser *parser, GError **error)
{
  const QueryToken *word = take (parser);
  const QueryField *field = query_field_find (word->text);

  if (peek (parser)->kind == QUERY_OPERATOR)
    {
      g_autofree char *suggestion = query_suggest_field (word->text);
      g_autofree char *names = query_field_names (FALSE);

      if (field != NULL && word->kind == QUERY_WORD)
        return parse_comparison (parser, field, error);
      return fail_at (parser, word, error, "%s is neither a field nor a label%s; the fields are %s",
                      word->text, suggestion, names);
    }
  if (field != NULL && word->kind == QUERY_WORD && !word->prefix)
    {
      g_autofree char *expected = g_strdup_printf (
          "an operator behind the field %s (put it in quotes to find the word)", field->name);

      return fail_expected (parser, peek (parser), expected, error);
    }
  return write_text (parser, word, error);
}

static gboolean parse_any (Parser *parser, GError **error);

static gboolean
parse_brackets (Parser *parser, GError **error)
{
  const QueryToken *open = take (parser);

  if (!parse_any (parser, error))
    return FALSE;
  if (peek (parser)->kind == QUERY_END)
    return fail_at (parser, open, error, "this bracket is not closed; expected ) behind its terms");
  parser->next++;
  return TRUE;
}

static gboolean
parse_term (Parser *parser, GError **error)
{
  const QueryToken *token = peek (parser);
  int label;

  if (token->kind == QUERY_OPEN)
    return parse_brackets (parser, error);
  if ((token->kind != QUERY_WORD && token->kind != QUERY_QUOTED) || is_keyword (token))
    return fail_expected (parser, token, "a label, a word, a \"phrase\" or a field", error);
  if (++parser->n_terms > MAX_TERMS)
    return fail_at (parser, token, error, "expected no more than %d terms", MAX_TERMS);
  label = accept_label (parser);
  if (label >= 0)
    return parse_label (parser, (guint) label, error);
  return accept_state (parser) || parse_word (parser, error);
}

/* ---- NOT, AND, OR ---- */

static gboolean
parse_not (Parser *parser, GError **error)
{
  const QueryToken *token = peek (parser);
  gboolean parsed;

  if (parser->depth >= MAX_DEPTH)
    return fail_at (parser, token, error,
                    "expected no more than %d brackets and NOTs in one "
                    "another",
                    MAX_DEPTH);
  parser->depth++;
  if (accept (parser, "NOT"))
    {
      write_sql (parser, "NOT ");
      parsed = parse_not (parser, error);
    }
  else
    parsed = parse_term (parser, error);
  parser->depth--;
  return parsed;
}

static gboolean
ends_all (const QueryToken *token)
{
  return token->kind == QUERY_END || token->kind == QUERY_CLOSE || is_word (token, "OR");
}

/** Terms that must all match, joined by AND or by nothing. */
static gboolean
parse_all (Parser *parser, GError **error)
{
  if (!parse_not (parser, error))
    return FALSE;
  while (!ends_all (peek (parser)))
    {
      accept (parser, "AND");
      write_sql (parser, " AND ");
      if (!parse_not (parser, error))
        return FALSE;
    }
  return TRUE;
}

/** Alternatives, joined by OR. */
static gboolean
parse_any (Parser *parser, GError **error)
{
  write_sql (parser, "(");
  if (!parse_all (parser, error))
    return FALSE;
  while (accept (parser, "OR"))
    {
      write_sql (parser, " OR ");
      if (!parse_all (parser, error))
        return FALSE;
    }
  write_sql (parser, ")");
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
  g_free (query);
}

CatalogQuery *
catalog_query_parse (const char *text, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  g_autoptr (GArray) tokens = query_lex (valid, error);
  g_autoptr (CatalogQuery) query = NULL;
  Parser parser = { .text = valid, .tokens = tokens };

  if (tokens == NULL)
    return NULL;
  query = g_new0 (CatalogQuery, 1);
  query->condition = g_string_new (NULL);
  query->values = g_array_new (FALSE, FALSE, sizeof (QueryValue));
  g_array_set_clear_func (query->values, clear_value);
  parser.query = query;
  if (peek (&parser)->kind == QUERY_END)
    return g_steal_pointer (&query);
  if (!parse_any (&parser, error))
    return NULL;
  if (peek (&parser)->kind != QUERY_END)
    {
      fail_at (&parser, peek (&parser), error,
               "no bracket is open here; expected AND, OR or a term");
      return NULL;
    }
  return g_steal_pointer (&query);
}

#include "catalog/query_private.h"

#include "base/error.h"

#include <string.h>

#define OPERATOR_CHARACTERS "=!<>~:"

/* ---- errors ---- */

/** Columns of a terminal that the first @length bytes take. */
static guint
width_of (const char *text, gsize length)
{
  guint width = 0;

  for (const char *c = text; c < text + length; c = g_utf8_next_char (c))
    {
      gunichar character = g_utf8_get_char (c);

      if (!g_unichar_iszerowidth (character))
        width += g_unichar_iswide (character) ? 2 : 1;
    }
  return width;
}

gboolean
query_fail (const char *text, gsize start, gsize length, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL, *shown = g_strdup (text), *carets = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  /* One line, so that the carets stand below their place. */
  for (char *c = shown; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  carets = g_strnfill (MAX (width_of (text + start, length), 1), '^');
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "query, character %ld: %s\n  %s\n  %*s%s",
               g_utf8_strlen (text, (gssize) start) + 1, what, shown, (int) width_of (text, start),
               "", carets);
  return FALSE;
}

/* ---- tokens ---- */

static void
clear_token (gpointer token)
{
  g_free (((QueryToken *) token)->text);
}

/** The curly quotes come with pasted text. */
static gboolean
is_curly_quote (gunichar c)
{
  return c == 0x201c || c == 0x201d || c == 0x201e;
}

static gboolean
is_quote (gunichar c)
{
  return c == '"' || is_curly_quote (c);
}

/** A straight quote is closed by another, a curly one by any other curly one. */
static gboolean
is_closed_by (gunichar quote, gunichar c)
{
  return quote == '"' ? c == '"' : is_curly_quote (c);
}

static gboolean
is_operator (gunichar c)
{
  return c != 0 && c < 0x80 && strchr (OPERATOR_CHARACTERS, (char) c) != NULL;
}

static gboolean
ends_word (gunichar c)
{
  return c == 0 || c == '(' || c == ')' || is_quote (c) || is_operator (c) || g_unichar_isspace (c);
}

/** A quoted phrase and the star behind it; %NULL where the quote is not closed. */
static const char *
lex_quoted (const char *start, QueryToken *token)
{
  gunichar quote = g_utf8_get_char (start);
  const char *inside = g_utf8_next_char (start), *end = inside;

  while (*end != '\0' && !is_closed_by (quote, g_utf8_get_char (end)))
    end = g_utf8_next_char (end);
  if (*end == '\0')
    return NULL;
  token->kind = QUERY_QUOTED;
  token->text = g_strndup (inside, (gsize) (end - inside));
  end = g_utf8_next_char (end);
  token->prefix = *end == '*';
  return token->prefix ? end + 1 : end;
}

/** %NULL for one that does not exist. */
static const char *
lex_operator (const char *start, QueryToken *token)
{
  static const struct
  {
    const char *spelling, *meaning;
  } operators[] = { { "=", "=" }, { "==", "=" },  { ":", "=" }, { "!=", "!=" }, { "<>", "!=" },
                    { "<", "<" }, { "<=", "<=" }, { ">", ">" }, { ">=", ">=" }, { "~", "~" } };
  gsize length = strspn (start, OPERATOR_CHARACTERS);

  token->kind = QUERY_OPERATOR;
  for (gsize i = 0; i < G_N_ELEMENTS (operators); i++)
    if (strlen (operators[i].spelling) == length
        && strncmp (operators[i].spelling, start, length) == 0)
      {
        token->text = g_strdup (operators[i].meaning);
        return start + length;
      }
  return NULL;
}

static const char *
lex_word (const char *start, QueryToken *token)
{
  const char *end = start;
  gsize length;

  while (!ends_word (g_utf8_get_char (end)))
    end = g_utf8_next_char (end);
  length = (gsize) (end - start);
  token->kind = QUERY_WORD;
  token->prefix = start[length - 1] == '*';
  token->text = g_strndup (start, token->prefix ? length - 1 : length);
  return end;
}

static gboolean
lex_token (const char *text, const char **position, QueryToken *token, GError **error)
{
  const char *start = *position, *end = start + 1;
  gunichar c = g_utf8_get_char (start);

  *token = (QueryToken){ .start = (gsize) (start - text) };
  if (c == 0)
    {
      token->kind = QUERY_END;
      end = start;
    }
  else if (c == '(')
    token->kind = QUERY_OPEN;
  else if (c == ')')
    token->kind = QUERY_CLOSE;
  else if (is_quote (c))
    {
      end = lex_quoted (start, token);
      if (end == NULL)
        return query_fail (text, token->start, 1, error,
                           "this quote is not closed; expected another behind the phrase");
    }
  else if (is_operator (c))
    {
      end = lex_operator (start, token);
      if (end == NULL)
        return query_fail (text, token->start, strspn (start, OPERATOR_CHARACTERS), error,
                           "this is no operator; expected = != < <= > >= or ~");
    }
  else
    end = lex_word (start, token);
  token->length = (gsize) (end - start);
  *position = end;
  return TRUE;
}

GArray *
query_lex (const char *text, GError **error)
{
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (QueryToken));
  const char *position = text;
  QueryToken token = { .kind = QUERY_OPEN };

  g_array_set_clear_func (tokens, clear_token);
  while (token.kind != QUERY_END)
    {
      while (g_unichar_isspace (g_utf8_get_char (position)))
        position = g_utf8_next_char (position);
      if (!lex_token (text, &position, &token, error))
        return NULL;
      g_array_append_val (tokens, token);
    }
  return g_steal_pointer (&tokens);
}

#include "catalog/query_private.h"

#include "catalog/cleaning.h"

#include <math.h>
#include <string.h>

typedef struct
{
  const QueryField *field;
  const QueryToken *sign, *value;
} Comparison;

/** The operators that make sense for a field, as a message lists them. */
static gboolean
check_operator (const QueryParser *parser, const Comparison *comparison, const char *allowed,
                GError **error)
{
  g_auto (GStrv) operators = g_strsplit (allowed, " ", -1);

  if (g_strv_contains ((const char *const *) operators, comparison->sign->text))
    return TRUE;
  return query_fail_at (parser, comparison->sign, error,
                        "%s can't be compared so; expected one of %s", comparison->field->name,
                        allowed);
}

static gboolean
is_negated (const Comparison *comparison)
{
  return strcmp (comparison->sign->text, "!=") == 0;
}

static gboolean
write_number (QueryParser *parser, const Comparison *comparison, GError **error)
{
  double number = cleaning_number (comparison->value->text);

  if (!check_operator (parser, comparison, "= != < <= > >=", error))
    return FALSE;
  if (isnan (number))
    return query_fail_expected (parser, comparison->value, "a number", error);
  /* The index to sort by would be a detour for the many rows that match. */
  query_write (parser, "(+%s %s ?)", comparison->field->column, comparison->sign->text);
  query_add_number (parser, number);
  return TRUE;
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

static void
write_contains (QueryParser *parser, const Comparison *comparison)
{
  query_write (parser, "(%s LIKE ? ESCAPE '\\')", comparison->field->column);
  query_add_text (parser, like_pattern (comparison->value->text));
}

static gboolean
write_text_field (QueryParser *parser, const Comparison *comparison, GError **error)
{
  const QueryField *field = comparison->field;
  const char *value = comparison->value->text;
  gboolean lacks_suffix =
      field->kind == QUERY_FIELD_VOLUME && !g_str_has_suffix (value, CLEANING_SUFFIX);

  if (!check_operator (parser, comparison, "= != ~", error))
    return FALSE;
  if (strcmp (comparison->sign->text, "~") == 0)
    {
      write_contains (parser, comparison);
      return TRUE;
    }
  /* Names are exact, which lets SQLite use its index. */
  query_write (parser, "(%s %s ?%s)", field->column, comparison->sign->text,
               field->kind == QUERY_FIELD_TEXT ? " COLLATE NOCASE" : "");
  query_add_text (parser, g_strconcat (value, lacks_suffix ? CLEANING_SUFFIX : "", NULL));
  return TRUE;
}

/** A month or a year is compared with as much of the date. */
static gboolean
write_date (QueryParser *parser, const Comparison *comparison, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (comparison->value->text, "-", -1);
  g_autofree char *digits = g_strjoinv ("", parts);
  gsize length = strlen (digits);

  if (!check_operator (parser, comparison, "= != < <= > >=", error))
    return FALSE;
  if ((length != 4 && length != 6 && length != 8) || strspn (digits, "0123456789") != length)
    return query_fail_expected (parser, comparison->value,
                                "a date such as 2021-04-27, 2021-04 or 2021", error);
  query_write (parser, "(substr (%s, 1, %d) %s ?)", comparison->field->column, (int) length,
               comparison->sign->text);
  query_add_text (parser, g_steal_pointer (&digits));
  return TRUE;
}

static gboolean
write_split (QueryParser *parser, const Comparison *comparison, GError **error)
{
  g_autofree char *name = g_ascii_strdown (comparison->value->text, -1);
  CatalogSplit split;

  if (!check_operator (parser, comparison, "= !=", error))
    return FALSE;
  if (!catalog_split_parse (name, &split, NULL))
    return query_fail_expected (parser, comparison->value, "train or valid", error);
  query_write (parser, "(split %s %d)", comparison->sign->text, split);
  return TRUE;
}

static gboolean
write_reason (QueryParser *parser, const Comparison *comparison, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  if (!check_operator (parser, comparison, "= !=", error))
    return FALSE;
  parser->query->says_what_is_dropped = TRUE;
  for (CatalogReason reason = CATALOG_KEPT; reason < CATALOG_N_REASONS; reason++)
    {
      const char *name = catalog_reason_name (reason);

      if (g_ascii_strcasecmp (comparison->value->text, name) == 0)
        {
          query_write (parser, "(reason %s %d)", comparison->sign->text, reason);
          return TRUE;
        }
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", name);
    }
  return query_fail_expected (parser, comparison->value, names->str, error);
}

static gboolean
write_unknown (QueryParser *parser, const Comparison *comparison, GError **error)
{
  if (!check_operator (parser, comparison, "= !=", error))
    return FALSE;
  query_write (parser, "(+%s IS %sNULL)", comparison->field->column,
               is_negated (comparison) ? "NOT " : "");
  return TRUE;
}

static gboolean
write_report (QueryParser *parser, const Comparison *comparison, GError **error)
{
  return check_operator (parser, comparison, "= ~", error)
         && query_write_text (parser, comparison->value, error);
}

/** `label = lung nodule`: the value may be several words, so it has not been taken yet. */
static gboolean
parse_label_value (QueryParser *parser, const Comparison *comparison, GError **error)
{
  g_autofree char *suggestion = query_suggest_label (comparison->value->text);
  int label;

  if (!check_operator (parser, comparison, "= !=", error))
    return FALSE;
  label = query_accept_label (parser);
  if (label < 0)
    return query_fail_at (parser, comparison->value, error, "this is no label%s", suggestion);
  query_write_label (parser, (guint) label, !is_negated (comparison));
  return TRUE;
}

gboolean
query_parse_comparison (QueryParser *parser, const QueryField *field, GError **error)
{
  Comparison comparison = { .field = field,
                            .sign = query_take (parser),
                            .value = query_peek (parser, 0) };
  const QueryToken *value = comparison.value;

  if ((value->kind != QUERY_WORD && value->kind != QUERY_QUOTED) || query_is_keyword (value))
    return query_fail_expected (parser, value, "a value", error);
  if (value->prefix && field->kind != QUERY_FIELD_REPORT)
    return query_fail_at (
        parser, value, error,
        "a star works for words of the report only; expected a value without one (~ finds a part)");
  if (field->kind == QUERY_FIELD_LABEL)
    return parse_label_value (parser, &comparison, error);
  parser->next++;
  if (query_is_word (value, "unknown") && field->kind <= QUERY_FIELD_DATE)
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

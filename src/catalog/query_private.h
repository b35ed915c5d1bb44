/**
 * query_private.h: a query on its way from text to SQL.
 *
 *   text ──query_lexer.c──> tokens ──query_parse.c──> SQL condition with parameters
 *
 * What the user wrote reaches SQLite only as the value of a parameter.
 */
#pragma once

#include "catalog/query.h"

/* ---- tokens ---- */

typedef enum
{
  QUERY_WORD,
  QUERY_QUOTED,
  QUERY_OPERATOR,
  QUERY_OPEN,
  QUERY_CLOSE,
  QUERY_END,
} QueryTokenKind;

typedef struct
{
  QueryTokenKind kind;
  gsize start, length; /* bytes of the query, with quotes and star */
  char *text;          /* without them; of an operator its one spelling: "=" for "==" and ":" */
  gboolean prefix;     /* a star follows */
} QueryToken;

/** query_lex: the last token is QUERY_END. (element-type QueryToken); free with g_array_unref. */
GArray *query_lex (const char *text, GError **error);

/**
 * query_fail: an error that shows the query with a caret under the place.
 *
 * Returns: FALSE
 */
gboolean query_fail (const char *text, gsize start, gsize length, GError **error,
                     const char *format, ...) G_GNUC_PRINTF (5, 6);

/* ---- fields ---- */

typedef enum
{
  QUERY_FIELD_NUMBER,
  QUERY_FIELD_TEXT,
  QUERY_FIELD_DATE,
  QUERY_FIELD_NAME, /* of a volume or patient */
  QUERY_FIELD_SPLIT,
  QUERY_FIELD_REASON,
  QUERY_FIELD_LABEL,
  QUERY_FIELD_REPORT,
} QueryFieldKind;

typedef struct
{
  const char *name;
  QueryFieldKind kind;
  const char *column; /* (nullable) of the table volume */
  const char *order;  /* (nullable) expressions to sort by, separated by ", " */
  const char *help;
} QueryField;

/** query_field_find: any case, hyphens as good as underscores; %NULL if there is none. */
const QueryField *query_field_find (const char *name);

/** query_field_names: "age, sex, ..."; @sortable: only those that have an order. g_free it. */
char *query_field_names (gboolean sortable);

/** query_suggest_field: ", did you mean X?" with the field or label most like @name; "" where none
 * is. g_free it. */
char *query_suggest_field (const char *name);

/** query_suggest_label: the same, of labels only. */
char *query_suggest_label (const char *name);

/* ---- the condition ---- */

typedef struct
{
  char *text; /* %NULL: the number */
  double number;
} QueryValue;

struct _CatalogQuery
{
  GString *condition; /* over the table volume; "" where every record matches */
  GArray *values;     /* of QueryValue, for its parameters */
  gboolean says_what_is_dropped;
};

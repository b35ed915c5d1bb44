/**
 * query_private.h: a query on its way from text to SQL.
 *
 *   text ──query_lexer.c──> tokens ──query_parse.c──> SQL condition with parameters
 *
 * query_parse.c knows the grammar and query_compare.c `field OP value`; both write SQL as they
 * read, with what query_parser.c offers.
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
  QUERY_FIELD_VOLUME,
  QUERY_FIELD_PATIENT,
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

/** query_field_at: one after the other; %NULL behind the last. */
const QueryField *query_field_at (guint i);

/** query_field_names: "age, sex, ..."; @sortable: only those that have an order. g_free it. */
char *query_field_names (gboolean sortable);

/** query_suggest_field: ", did you mean X?" with the field or label most like @name; "" where none
 * is. g_free it. */
char *query_suggest_field (const char *name);

/** query_suggest_label: the same, of labels only. */
char *query_suggest_label (const char *name);

/* ---- words of texts ---- */

/** query_term_new: the words of @text as the full-text index sees them; %NULL where it has none. */
CatalogTerm *query_term_new (const char *text, gboolean prefix);

/** query_terms_new: (element-type CatalogTerm) */
GPtrArray *query_terms_new (void);

/** query_search_words: what stands between the spaces of a search and has letters or digits; a
 * bounded number. @search: (nullable); %NULL-terminated, g_strfreev it. */
char **query_search_words (const char *search);

/* ---- the condition ---- */

typedef struct
{
  char *text; /* %NULL: the number */
  double number;
  gboolean is_match; /* the text is what FTS5 is to find: the value is the set of such reports */
} QueryValue;

struct _CatalogQuery
{
  GString *condition; /* over the table volume; "" where every record matches */
  GArray *values;     /* of QueryValue, for its parameters */
  GPtrArray *terms;   /* of CatalogTerm, that reports which match hold */
  gboolean says_what_is_dropped;
};

/* ---- parsing; a function that fails has set the error, and nothing is tried again ---- */

typedef struct
{
  const char *text;
  GArray *tokens;
  guint next;           /* token */
  guint n_terms, depth; /* so far */
  gboolean negated;     /* behind an odd number of NOTs */
  CatalogQuery *query;
} QueryParser;

/** query_peek: the token at hand, or one @ahead of it; QUERY_END goes on for ever. */
const QueryToken *query_peek (const QueryParser *parser, guint ahead);

/** query_take: the token at hand, which is then behind us. */
const QueryToken *query_take (QueryParser *parser);

/** query_is_word: any case, but not in quotes. */
gboolean query_is_word (const QueryToken *token, const char *word);

/** query_is_keyword: AND, OR or NOT. */
gboolean query_is_keyword (const QueryToken *token);

/** query_accept: take the token at hand if it is that word. */
gboolean query_accept (QueryParser *parser, const char *word);

/** query_accept_label: take the longest run of words, or the phrase, at hand that is a label's
 * name; -1 if none is. */
int query_accept_label (QueryParser *parser);

#define query_fail_at(parser, token, error, ...)                                                   \
  query_fail ((parser)->text, (token)->start, (token)->length, (error), __VA_ARGS__)

/** query_fail_expected: "expected a number, not old"; FALSE. */
gboolean query_fail_expected (const QueryParser *parser, const QueryToken *token,
                              const char *expected, GError **error);

void query_write (QueryParser *parser, const char *format, ...) G_GNUC_PRINTF (2, 3);

/** query_add_text: the value of the "?" that was written. @text: (transfer full) */
void query_add_text (QueryParser *parser, char *text);
/** query_add_match: the same for the second argument of report_in (), see report_set.h. */
void query_add_match (QueryParser *parser, char *match);
void query_add_number (QueryParser *parser, double number);

/** query_match_string: FTS5's string for a word or phrase: whatever stands in it is letters to
 * find. g_free it. */
char *query_match_string (const char *phrase, gboolean prefix);

/** query_write_text: the report has the word or phrase. */
gboolean query_write_text (QueryParser *parser, const QueryToken *token, GError **error);

/** query_write_label: records without labels are neither positive nor negative. */
void query_write_label (QueryParser *parser, guint label, gboolean positive);

/** query_parse_comparison: what stands behind the name of a field. */
gboolean query_parse_comparison (QueryParser *parser, const QueryField *field, GError **error);

/**
 * match.h: where the words that were looked for stand in a report, so that they can be marked.
 *
 * Words are those of the full-text index (SQLite's own tokenizer takes texts apart here too): what
 * a query or a search found is what is marked, whatever the case and the accents.
 */
#pragma once

#include <glib.h>

typedef struct
{
  char **words;    /* folded, %NULL-terminated, one or more; several are a phrase */
  gboolean prefix; /* the last word may go on */
} CatalogTerm;

void catalog_term_free (CatalogTerm *term);

/**
 * catalog_search_terms: what a search (CatalogListOptions.search) looks for: its words, the last of
 * them by prefix; "ground-glass" is a phrase.
 *
 * @search: (nullable)
 *
 * Returns: (transfer full) (element-type CatalogTerm); empty where there is nothing to look for
 */
GPtrArray *catalog_search_terms (const char *search);

/** Bytes [start, end) of a text. */
typedef struct
{
  gsize start, end;
} CatalogSpan;

/**
 * catalog_match_spans: where the terms stand in @text, in order and without overlaps.
 *
 * @text: (nullable) UTF-8
 * @terms: (element-type CatalogTerm)
 *
 * Returns: (transfer full) (element-type CatalogSpan); free with g_array_unref. A phrase is one
 * span; of a word found by its prefix the whole word is.
 */
GArray *catalog_match_spans (const char *text, const GPtrArray *terms);

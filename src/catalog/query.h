/**
 * query.h: finding records.
 *
 * A query is made of terms joined by AND (or just a space), OR, NOT and brackets; NOT binds
 * closest, then AND, then OR.
 *
 *     emphysema, "pleural effusion", pleural_effusion    a label's name
 *     cough, "ground glass", nodul*                      a word, phrase or prefix in the report
 *     text: emphysema                                    the same where it is a label's name
 *     age > 60, sex = F, manufacturer ~ siemens          a field, compared
 *     kept, dropped, encoded                             a state
 *
 * Operators are = (or :) != < <= > >= and ~ (contains, any case). An unknown value matches neither
 * a comparison nor its NOT; `age = unknown` finds it. catalog_query_help() documents every field.
 */
#pragma once

#include "catalog/match.h"
#include "catalog/record.h"
#include "catalog/store.h"

typedef struct _CatalogQuery CatalogQuery;

/**
 * catalog_query_parse: a wrong query is CTCLIP_ERROR_USAGE and says where: the text, a caret under
 * the place and what was expected.
 *
 * @text: (nullable) %NULL or "" match every record
 */
CatalogQuery *catalog_query_parse (const char *text, GError **error);
void catalog_query_free (CatalogQuery *query);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CatalogQuery, catalog_query_free)

/** catalog_query_reads_reports: whether it looks for words in reports, so that the full-text index
 * must be finished. */
gboolean catalog_query_reads_reports (const CatalogQuery *query);

/** catalog_query_help: the language with its fields, for --help and the manual. */
const char *catalog_query_help (void);

typedef struct
{
  /* (nullable) default: split, then the file's order. A field's name, a label's name, or
   *   "encoded"      those without a latent of the encoder, then those with one
   *   "probability"  of the class, as the run predicted it for its validation sample
   *   "error"        |label - probability| of the class, the most confident error first
   *                  (not @descending)
   * What is unknown or was not predicted comes last, @descending or not. */
  const char *sort;
  gboolean descending;
  guint offset;
  guint limit;           /* 0: all */
  gboolean with_dropped; /* dropped rows too; a query that speaks of dropped/reason implies it */
  int split;             /* CatalogSplit, or -1 for both */

  /* (nullable) what was typed to search: every word of it must stand in the volume's name or in the
   * report, whatever its case and accents; the last may be the beginning of one. Never an error. */
  const char *search;

  /* (nullable) (element-type utf8) a set: only records of these names. */
  GHashTable *volumes;

  /* What the sorts "encoded", "probability" and "error" look at. */
  gint64 encoder_id; /* 0: the latest used */
  gint64 run_id;     /* 0: none */
  int class_index;
} CatalogListOptions;

/**
 * catalog_query_terms: the words and phrases that the query looks for in reports, but for those
 * behind NOT, to be marked with catalog_match_spans().
 *
 * Returns: (transfer full) (element-type CatalogTerm), not to be changed; empty where it looks for
 * none
 */
GPtrArray *catalog_query_terms (const CatalogQuery *query);

/** catalog_records_count: how many match; -1 on error. */
gint64 catalog_records_count (CatalogStore *store, const CatalogQuery *query,
                              const CatalogListOptions *options, GError **error);

/** catalog_records_list: the matching page, without report texts. (element-type CatalogRecord),
 * free with g_ptr_array_unref. */
GPtrArray *catalog_records_list (CatalogStore *store, const CatalogQuery *query,
                                 const CatalogListOptions *options, GError **error);

/** catalog_record_get: one record by volume name (with or without .nii.gz), report included. */
CatalogRecord *catalog_record_get (CatalogStore *store, const char *volume, GError **error);

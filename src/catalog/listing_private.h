/**
 * listing_private.h: the SQL of lists of records, and their rows.
 */
#pragma once

#include "catalog/query_private.h"
#include "catalog/store_private.h"

typedef struct _ListingSearch ListingSearch; /* listing_search.h */

/** What listing_read_record() reads, of the table volume. */
#define LISTING_COLUMNS                                                                            \
  "id, split, position, reason, reason_detail, name, patient, labels, sex, manufacturer, model,"   \
  " study_date, age, rows, columns, slices, spacing_xy, spacing_z, slope, intercept"
#define LISTING_N_COLUMNS 20

CatalogRecord *listing_read_record (sqlite3_stmt *statement);

/** What listing_read_one() reads. */
#define LISTING_SELECT_WITH_REPORT                                                                 \
  "SELECT " LISTING_COLUMNS ", clinical, technique, findings, impression"                          \
  " FROM volume LEFT JOIN report ON volume_id = report_id"

/** listing_read_one: the first row, report included; CTCLIP_ERROR_NOT_FOUND with the message
 * @not_found where there is none. */
CatalogRecord *listing_read_one (CatalogStore *store, sqlite3_stmt *statement, GError **error,
                                 const char *not_found);

/**
 * listing_append_where: " WHERE ..." for query, options and search.
 *
 * @steer: "+" keeps SQLite from an index for split and reason, "" doesn't
 * @also: (nullable) one condition more
 */
void listing_append_where (GString *sql, const CatalogQuery *query,
                           const CatalogListOptions *options, const ListingSearch *search,
                           const char *steer, const char *also);

/** listing_order: " ORDER BY ..." over the table volume; CTCLIP_ERROR_USAGE for a sort that there
 * is not. g_free it. */
char *listing_order (const CatalogListOptions *options, GError **error);

/** A part of an order: the rows of a condition, in an order that SQLite reads off an index, or that
 * few rows are put in. */
typedef struct
{
  char *condition; /* (nullable) for listing_append_where() */
  char *order;     /* " ORDER BY ..." */
} ListingPart;

/** listing_parts: the order of listing_order() as parts that follow each other, for a page that
 * needs no more than the first rows. (element-type ListingPart) */
GPtrArray *listing_parts (const CatalogListOptions *options, GError **error);

/** listing_append_limit: " LIMIT ..." */
void listing_append_limit (GString *sql, const CatalogListOptions *options);

/** listing_prepare: compile @sql, whose parameters are those of listing_append_where(). */
sqlite3_stmt *listing_prepare (CatalogStore *store, const GString *sql, const CatalogQuery *query,
                               const CatalogListOptions *options, const ListingSearch *search,
                               GError **error);

/* ---- expressions over a row of volume; g_free them ---- */

/** listing_encoded: 1 or 0. @encoder_id: 0 is the latest used */
char *listing_encoded (gint64 encoder_id);

/** listing_probability: NULL where the run did not predict. */
char *listing_probability (gint64 run_id, int class_index);

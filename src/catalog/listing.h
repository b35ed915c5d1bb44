/**
 * listing.h: long tables of records, for a screen that shows a few rows of them.
 *
 * A worker thread asks for the ids of all that match (tens of milliseconds for 50,000), the screen
 * for the records of the rows that are visible (a millisecond), each on a connection of its own.
 */
#pragma once

#include "catalog/query.h"
#include "catalog/volume_index.h"

/**
 * catalog_records_ids: what catalog_records_list() would give, as ids in the same order.
 *
 * @cancellable: (nullable) may be cancelled from another thread; the query then stops within
 * some milliseconds, as G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full) (element-type gint64); free with g_array_unref
 */
GArray *catalog_records_ids (CatalogStore *store, const CatalogQuery *query,
                             const CatalogListOptions *options, GCancellable *cancellable,
                             GError **error);

/** catalog_records_hold: whether the record is among those. FALSE on error too. */
gboolean catalog_records_hold (CatalogStore *store, const CatalogQuery *query,
                               const CatalogListOptions *options, gint64 id, GError **error);

/**
 * catalog_records_with_files: which of these have their scan on this disk.
 *
 * @ids: (element-type gint64) of a list
 * @cancellable: (nullable) may be cancelled from another thread
 *
 * Returns: (transfer full) (element-type guint) their places in @ids, ascending; free with
 * g_array_unref
 */
GArray *catalog_records_with_files (CatalogStore *store, const GArray *ids,
                                    const CatalogVolumeIndex *index, GCancellable *cancellable,
                                    GError **error);

/** What CatalogRecord's `encoded` and `probability` are about; the same as in CatalogListOptions.
 */
typedef struct
{
  gint64 encoder_id; /* 0: the latest used */
  gint64 run_id;     /* 0: none */
  int class_index;
} CatalogRowContext;

/**
 * catalog_records_page: the records with these ids, in their order, without report texts.
 *
 * Ids hold as long as the records are not imported anew; catalog_stamp() tells when to ask again.
 *
 * @context: the columns that are not of the record itself
 *
 * Returns: (transfer full) (element-type CatalogRecord) @n elements; %NULL stands where no record
 * has the id (any more). Free with g_ptr_array_unref.
 */
GPtrArray *catalog_records_page (CatalogStore *store, const gint64 *ids, gsize n,
                                 const CatalogRowContext *context, GError **error);

/** catalog_record_by_id: one record, report included; CTCLIP_ERROR_NOT_FOUND where it is gone. */
CatalogRecord *catalog_record_by_id (CatalogStore *store, gint64 id, GError **error);

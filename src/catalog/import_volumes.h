/**
 * import_volumes.h: the rows of a split, judged by the funnel's rules and stored.
 */
#pragma once

#include "catalog/import_reports.h"
#include "catalog/import_tables.h"
#include "catalog/store_private.h"

/** IMPORT_FIRST_ID: a row's id says its split and position: ids are in the order of the files. */
#define IMPORT_FIRST_ID(split) (((gint64) (split) + 1) << 32)

/**
 * import_volumes_store: within the import's transaction.
 *
 * @batches:  of ImportReportBatch, all rows, in the file's order; their reports are stored
 * @tables:   remember which row has which volume
 * @funnel:   all but its split and rows is counted here
 */
gboolean import_volumes_store (CatalogStore *store, const CatalogImportOptions *options,
                               const GPtrArray *batches, ImportTables *tables,
                               CatalogFunnel *funnel, GCancellable *cancellable, GError **error);

/**
 * text_index.h: the full-text index of the reports, which follows an import, and with it what else
 * makes lists of records quick (row_indexes.h).
 *
 * An import commits rows and reports, which can then be browsed; the index is filled afterwards, in
 * transactions so short that no other program waits for long. How far it is stands in the store: so
 * whoever finds it unfinished goes on, after a killed program too, and two programs share the work.
 * Until then a search finds the names of all volumes, and the words of those reports alone that are
 * in the index.
 */
#pragma once

#include "catalog/store.h"

/** CatalogProgress: called now and then with what is done of what there is in all. */
typedef void (*CatalogProgress) (guint64 done, guint64 total, gpointer user_data);

/** catalog_text_index_is_finished: every report is in it; as cheap as catalog_store_get().
 * FALSE where the store can't be read: whoever goes on to fill it is told why. */
gboolean catalog_text_index_is_finished (CatalogStore *store);

/** catalog_text_index_step: take some reports more into the index, some 50 ms of work; TRUE
 * too where none was left. */
gboolean catalog_text_index_step (CatalogStore *store, GError **error);

/** catalog_text_index_finish: all that are left. When cancelled, what was done is kept.
 *
 * @progress: (nullable) in reports
 */
gboolean catalog_text_index_finish (CatalogStore *store, CatalogProgress progress,
                                    gpointer user_data, GCancellable *cancellable, GError **error);

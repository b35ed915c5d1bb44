/**
 * stamp.h: short texts that differ when what they stand for has changed, for those who keep copies
 * in memory. A millisecond or two for 20,000 rows.
 */
#pragma once

#include "catalog/record.h"
#include "catalog/store.h"

/** catalog_split_stamp: of the kept rows of a split. Free with g_free. */
char *catalog_split_stamp (CatalogStore *store, CatalogSplit split, GError **error);

/** catalog_latents_stamp: of the latents that the volumes have from an encoder, and of its
 * failures. Free with g_free. */
char *catalog_latents_stamp (CatalogStore *store, gint64 encoder_id, GError **error);

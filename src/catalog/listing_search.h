/**
 * listing_search.h: what was typed to search, as conditions over a row of volume.
 *
 * Each word stands in the report or in the volume's name. Most words stand in no name at all
 * (row_indexes.h): those the full-text index finds together, and where few reports have them, their
 * volumes are looked up and not met on the way through all.
 */
#pragma once

#include "catalog/listing_private.h"

/** listing_search_new: @text: (nullable) */
ListingSearch *listing_search_new (CatalogStore *store, const char *text, GError **error);
void listing_search_free (ListingSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ListingSearch, listing_search_free)

/** listing_search_is_small: few rows match, and are found at once. */
gboolean listing_search_is_small (const ListingSearch *search);

/** listing_search_append: the conditions, the first behind @keyword. */
void listing_search_append (const ListingSearch *search, GString *sql, const char *keyword);

/** listing_search_bind: their parameters, from @parameter on. */
void listing_search_bind (const ListingSearch *search, sqlite3_stmt *statement, int parameter);

/**
 * row_indexes.h: what makes lists of records quick, and is made after an import, as the full-text
 * index is: indexes of the table volume for names, for each field to sort by, for counts and for
 * what a search found, and the words that names are made of.
 *
 * Nothing depends on them but speed: an import takes them away, lists are right without them.
 */
#pragma once

#include "catalog/store_private.h"

/** ROW_INDEX_PREFIX: of the indexes' names. */
#define ROW_INDEX_PREFIX "volume_quick_"

/** store_row_indexes_step: within a transaction, make the next that is missing. @made: (out) FALSE
 * where none is. */
gboolean store_row_indexes_step (CatalogStore *store, gboolean *made, GError **error);

gboolean store_name_words_are_known (CatalogStore *store);
gboolean store_name_words_read (CatalogStore *store, GError **error);
gboolean store_name_words_forget (CatalogStore *store, GError **error);

/**
 * store_name_words_rule_out: no name can hold it, so that none need be looked at.
 *
 * @part: as name_has () has it: lower case, parts of names between underscores
 */
gboolean store_name_words_rule_out (CatalogStore *store, const char *part);

/**
 * export_comparison.h: runs beside each other, as files.
 */
#pragma once

#include "catalog/store.h"

/**
 * study_export_comparison: two runs, or each of several beside the first, class by class.
 *
 * The name says the format: .txt is the table that the terminal shows, .csv has a row for each pair
 * and class, .json a document for each pair, and anything else is a PNG picture, of two runs only.
 *
 * @runs: %NULL-terminated; names, numbers or "latest"
 * @written: (out) classes written, over all pairs
 */
gboolean study_export_comparison (CatalogStore *store, const char *const *runs, const char *path,
                                  gboolean replace, guint64 *written, GError **error);

/**
 * row_source.h: rows that the program makes, for one statement that inserts them all.
 *
 * That takes three quarters of the time of one statement a row: no parameters are bound, and where
 * the next row goes stays known.
 */
#pragma once

#include "catalog/store_private.h"

typedef struct
{
  int n_columns;

  /** Go to the next row, or the first; FALSE behind the last, and with @error on failure. */
  gboolean (*next) (gpointer data, GError **error);

  /** Give one of the row's columns to sqlite3_result_...(), or leave it NULL. A text may be
   * SQLITE_STATIC where it lives until the next row. */
  void (*column) (gpointer data, int column, sqlite3_context *value);
} RowSource;

/** store_insert_rows: @insert: "INSERT INTO table (columns)" */
gboolean store_insert_rows (CatalogStore *store, const char *insert, const RowSource *source,
                            gpointer data, GError **error);

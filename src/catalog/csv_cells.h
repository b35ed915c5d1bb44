/**
 * csv_cells.h: the cells of a row of a CSV file where they lie, without a copy.
 *
 * That is how nearly all rows can be read. Others, with spaces around a cell for one, or with more
 * or fewer cells than the header, are left to libcsv, which takes a look at each byte.
 */
#pragma once

#include <csv.h>
#include <glib.h>

typedef struct
{
  const int *wanted; /* of each of the file's columns: which of those asked for it is, or -1 */
  guint n_wanted, n_columns;
  char **starts, **ends; /* of the columns asked for; %NULL where the file has none */
  gboolean doubled;      /* some quotes in the row are doubled */
} CsvCells;

/** csv_cells_init: @wanted must outlive it. */
void csv_cells_init (CsvCells *cells, const int *wanted, guint n_wanted, guint n_columns);
void csv_cells_clear (CsvCells *cells);

/**
 * csv_cells_find: the cells of the row that begins at @bytes.
 *
 * @end: behind the bytes that are there; a newline stands there, where each search ends
 *
 * Returns: what ends the row, a newline or a carriage return; %NULL where the row is blank, not as
 * simple, or goes beyond @end
 */
const char *csv_cells_find (CsvCells *cells, char *bytes, const char *end);

/** csv_cells_cut: make strings of what was found; the bytes of the row are lost. @texts: (out) ""
 * for a column that the file has not */
void csv_cells_cut (const CsvCells *cells, const char **texts);

/** csv_ends_cell: a comma or the end of a line. */
static inline gboolean
csv_ends_cell (char byte)
{
  return byte == CSV_COMMA || byte == CSV_LF || byte == CSV_CR;
}

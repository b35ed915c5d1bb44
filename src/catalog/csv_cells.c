#include "catalog/csv_cells.h"

#include <string.h>

void
csv_cells_init (CsvCells *cells, const int *wanted, guint n_wanted, guint n_columns)
{
  *cells = (CsvCells){ .wanted = wanted,
                       .n_wanted = n_wanted,
                       .n_columns = n_columns,
                       .starts = g_new0 (char *, n_columns),
                       .ends = g_new0 (char *, n_columns) };
}

void
csv_cells_clear (CsvCells *cells)
{
  g_free (cells->starts);
  g_free (cells->ends);
}

static gboolean
is_blank (char byte)
{
  return byte == CSV_SPACE || byte == CSV_TAB;
}

/** A cell from @bytes to what ends it; %NULL where quotes or blanks would have to be taken away, or
 * it goes on at @end. */
static char *
find_plain_end (char *bytes, const char *end)
{
  char *stop = bytes;

  while (!csv_ends_cell (*stop) && *stop != CSV_QUOTE)
    stop++;
  if (stop == end || *stop == CSV_QUOTE
      || (stop > bytes && (is_blank (*bytes) || is_blank (stop[-1]))))
    return NULL;
  return stop;
}

/** The same for a cell in quotes. */
static char *
find_quoted_end (CsvCells *cells, char *bytes, const char *end)
{
  char *quote = memchr (bytes + 1, CSV_QUOTE, (gsize) (end - bytes) - 1);

  while (quote != NULL && quote + 1 < end && quote[1] == CSV_QUOTE)
    {
      cells->doubled = TRUE;
      quote = memchr (quote + 2, CSV_QUOTE, (gsize) (end - quote) - 2);
    }
  return quote != NULL && quote + 1 < end && csv_ends_cell (quote[1]) ? quote + 1 : NULL;
}

const char *
csv_cells_find (CsvCells *cells, char *bytes, const char *end)
{
  char *stop = bytes - 1;

  cells->doubled = FALSE;
  if (*bytes == CSV_LF || *bytes == CSV_CR)
    return NULL;
  for (guint i = 0; i < cells->n_wanted; i++)
    {
      const int column = cells->wanted[i];
      char *cell = stop + 1;
      gboolean quoted = *cell == CSV_QUOTE;

      stop = quoted ? find_quoted_end (cells, cell, end) : find_plain_end (cell, end);
      if (stop == NULL || (*stop == CSV_COMMA) != (i + 1 < cells->n_wanted))
        return NULL;
      if (column < 0)
        continue;
      cells->starts[column] = cell + quoted;
      cells->ends[column] = stop - quoted;
    }
  return stop;
}

/** Make one quote of each two; returns where the cell ends then. */
static char *
halve_quotes (char *cell, char *end)
{
  char *to = memchr (cell, CSV_QUOTE, (gsize) (end - cell)), *from = to;

  while (from != NULL)
    {
      char *next = memchr (from + 2, CSV_QUOTE, (gsize) (end - from) - 2);
      gsize size = (gsize) ((next != NULL ? next : end) - from) - 1;

      memmove (to, from + 1, size);
      to += size;
      from = next;
    }
  return to != NULL ? to : end;
}

void
csv_cells_cut (const CsvCells *cells, const char **texts)
{
  for (guint i = 0; i < cells->n_columns; i++)
    {
      char *cell = cells->starts[i], *end = cells->ends[i];

      texts[i] = cell != NULL ? cell : "";
      if (cell != NULL)
        *(cells->doubled ? halve_quotes (cell, end) : end) = '\0';
    }
}

/**
 * csv_reader.h: rows of a CSV file, with the columns that were asked for.
 *
 * The file is streamed through a fixed buffer. A byte order mark, CRLF, a missing final newline,
 * blank lines, quoted newlines and "" are as they should be; invalid UTF-8 becomes replacement
 * characters. What is wrong with one row is that row's fault and the rest goes on.
 */
#pragma once

#include <gio/gio.h>

/* A cell beyond this is taken for a quote that was never closed. */
#define CSV_MAX_CELL_BYTES (16 << 20)

typedef struct
{
  const char *name;
  gboolean needed; /* a file without it is refused; otherwise its cells are "" */
} CsvColumn;

typedef struct
{
  guint line;               /* where it begins in the file, from 1 */
  const char *fault;        /* (nullable) why it can't be used */
  const char *const *cells; /* as the columns asked for; "" where a faulty row has none */
} CsvRow;

/** CsvRowFunc: the row is valid during the call; FALSE with @error stops the reading. */
typedef gboolean (*CsvRowFunc) (const CsvRow *row, gpointer user_data, GError **error);

/** CsvProgressFunc: so many more bytes were read. */
typedef void (*CsvProgressFunc) (gsize bytes, gpointer user_data);

typedef struct
{
  CsvProgressFunc progress; /* (nullable) */
  gpointer user_data;
  GCancellable *cancellable; /* (nullable) asked between buffers */
} CsvWatch;

/**
 * csv_read: hand every row below the header to @row_func.
 *
 * A needed column that the header lacks, or has twice, is CTCLIP_ERROR_CORRUPT and the message
 * gives the header that is expected; so is a file without rows, or
 * one that changed while it was read.
 */
gboolean csv_read (const char *path, const CsvColumn *columns, guint n_columns, CsvRowFunc row_func,
                   gpointer user_data, const CsvWatch *watch, GError **error);

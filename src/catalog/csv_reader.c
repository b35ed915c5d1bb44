#include "catalog/csv_reader.h"

#include "base/error.h"
#include "base/file_stamp.h"
#include "catalog/csv_cells.h"
#include "catalog/record.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES (256 << 10)
#define CELL_GROWTH_BYTES (256 << 10)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* libcsv's pstate: before the first cell of a row, before another one, between the first byte of a
 * cell and its end. */
enum
{
  BEFORE_ROW,
  BEFORE_CELL,
  INSIDE_CELL,
};

/* As much of a wrong header as a message shows. */
#define SHOWN_HEADER_BYTES 200

typedef struct
{
  const char *path;
  const CsvColumn *columns;
  guint n_columns;
  CsvRowFunc row_func;
  gpointer user_data;
  GError *error; /* once it is set, nothing more is taken */

  struct csv_parser parser;
  GPtrArray *header; /* its cells; %NULL once they were understood */
  GArray *wanted;    /* of each of the file's columns: its index among @columns, or -1 */
  guint n_rows;

  guint line;        /* where the parser is, from 1 */
  gboolean after_cr; /* a newline now is the second half of CRLF */

  /* The row at hand. */
  guint row_line, n_cells;
  gboolean cut;   /* the cell at hand was too long and lost what was read of it */
  char *fault;    /* (nullable) the first that was found */
  GString *text;  /* the wanted cells, each with its NUL, behind an empty one */
  gsize *offsets; /* of the wanted cells in @text; 0, the empty one, until a cell is seen */
  CsvCells found; /* in a row that is taken where it lies */
  const char **cells;
} CsvReader;

static void
csv_reader_clear (CsvReader *reader)
{
  csv_free (&reader->parser);
  g_clear_pointer (&reader->header, g_ptr_array_unref);
  g_array_unref (reader->wanted);
  g_string_free (reader->text, TRUE);
  g_free (reader->fault);
  g_free (reader->offsets);
  csv_cells_clear (&reader->found);
  g_free (reader->cells);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CsvReader, csv_reader_clear)

/** Too large a cell is "out of memory" for libcsv, which then can be asked to go on. */
static void *
limited_realloc (void *memory, size_t size)
{
  return size > CSV_MAX_CELL_BYTES ? NULL : realloc (memory, size);
}

static void
csv_reader_init (CsvReader *reader)
{
  csv_init (&reader->parser, CSV_REPALL_NL);
  csv_set_blk_size (&reader->parser, CELL_GROWTH_BYTES);
  csv_set_realloc_func (&reader->parser, limited_realloc);
  reader->header = g_ptr_array_new_with_free_func (g_free);
  reader->wanted = g_array_new (FALSE, FALSE, sizeof (int));
  reader->line = 1;
  reader->text = g_string_new_len ("", 1);
  reader->offsets = g_new0 (gsize, reader->n_columns);
  reader->cells = g_new0 (const char *, reader->n_columns);
}

/* ---- the header ---- */

static char *
expected_header (const CsvReader *reader)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < reader->n_columns; i++)
    if (reader->columns[i].needed)
      g_string_append_printf (names, "%s%s", names->len > 0 ? "," : "", reader->columns[i].name);
  return g_string_free (names, FALSE);
}

/** The header as it is, fit for one line of a message. */
static char *
found_header (const CsvReader *reader)
{
  g_autoptr (GString) names = g_string_new (NULL);

  /* Where the header was forgotten this is the first patient. */
  if (catalog_redacting ())
    return g_strdup (CATALOG_REDACTED);
  for (guint i = 0; i < reader->header->len && names->len <= SHOWN_HEADER_BYTES; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? "," : "",
                            (char *) g_ptr_array_index (reader->header, i));
  if (names->len > SHOWN_HEADER_BYTES)
    {
      g_string_truncate (names, SHOWN_HEADER_BYTES);
      g_string_append (names, "...");
    }
  for (gsize i = 0; i < names->len; i++)
    if (g_ascii_iscntrl (names->str[i]))
      names->str[i] = ' ';
  return g_utf8_make_valid (names->str, (gssize) names->len);
}

/** How often the header has a column; its last place is marked as wanted. */
static guint
place_column (CsvReader *reader, guint column)
{
  guint times = 0;

  for (guint i = 0; i < reader->header->len; i++)
    if (strcmp (g_ptr_array_index (reader->header, i), reader->columns[column].name) == 0)
      {
        g_array_index (reader->wanted, int, i) = (int) column;
        times++;
      }
  return times;
}

static void
understand_header (CsvReader *reader)
{
  g_autoptr (GString) missing = g_string_new (NULL);
  const char *twice = NULL;
  int unwanted = -1;

  for (guint i = 0; i < reader->header->len; i++)
    g_array_append_val (reader->wanted, unwanted);
  for (guint i = 0; i < reader->n_columns; i++)
    {
      const CsvColumn *column = &reader->columns[i];
      guint times = place_column (reader, i);

      if (times > 1)
        twice = column->name;
      if (times == 0 && column->needed)
        g_string_append_printf (missing, "%s\"%s\"", missing->len > 0 ? ", " : "", column->name);
    }
  if (missing->len > 0)
    {
      g_autofree char *expected = expected_header (reader), *found = found_header (reader);

      g_set_error (&reader->error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: has no column %s; its first line must hold %s (in any order, separated by "
                   "commas), but it is %s",
                   reader->path, missing->str, expected, found);
    }
  else if (twice != NULL)
    g_set_error (&reader->error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                 "%s: has the column \"%s\" more than once; remove or rename the wrong one",
                 reader->path, twice);
  g_clear_pointer (&reader->header, g_ptr_array_unref);
  csv_cells_init (&reader->found, (const int *) (gpointer) reader->wanted->data,
                  reader->wanted->len, reader->n_columns);
}

/* ---- rows ---- */

static guint
count_newlines (const char *text, gsize size)
{
  const char *end = text + size;
  guint n = 0;

  while ((text = memchr (text, '\n', (gsize) (end - text))) != NULL)
    {
      n++;
      text++;
    }
  return n;
}

G_GNUC_PRINTF (2, 3)
static void
set_fault (CsvReader *reader, const char *format, ...)
{
  va_list arguments;

  if (reader->fault != NULL)
    return;
  va_start (arguments, format);
  reader->fault = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

static void
begin_row (CsvReader *reader)
{
  if (reader->n_cells == 0 && !reader->cut)
    reader->row_line = reader->line;
}

/** No byte of it needs a look: valid UTF-8 without NUL, as nearly all cells are. */
static gboolean
is_ascii (const char *cell, gsize size)
{
  guint64 high = 0;

  for (; size >= sizeof high; size -= sizeof high, cell += sizeof high)
    {
      guint64 word;

      memcpy (&word, cell, sizeof word);
      high |= word | (word - G_GUINT64_CONSTANT (0x0101010101010101)); /* a NUL, or a false alarm */
    }
  while (size-- > 0)
    high |= (guchar) *cell | (guchar) (*cell - 1), cell++;
  return (high & G_GUINT64_CONSTANT (0x8080808080808080)) == 0;
}

static void
keep_cell (CsvReader *reader, guint column, const char *cell, gsize size)
{
  gsize offset = reader->text->len;

  if (is_ascii (cell, size) || g_utf8_validate (cell, (gssize) size, NULL))
    g_string_append_len (reader->text, cell, (gssize) size);
  else if (memchr (cell, '\0', size) != NULL)
    {
      set_fault (reader, "the cell %s holds a NUL byte", reader->columns[column].name);
      return;
    }
  else
    {
      g_autofree char *valid = g_utf8_make_valid (cell, (gssize) size);

      g_string_append (reader->text, valid);
    }
  g_string_append_c (reader->text, '\0');
  reader->offsets[column] = offset;
}

/** libcsv's callback for a cell. */
static void
take_cell (void *data, size_t size, void *user_data)
{
  CsvReader *reader = user_data;
  int column = -1;

  if (data == NULL) /* an empty cell, before libcsv has a buffer */
    data = (char *) "";
  begin_row (reader);
  reader->line += count_newlines (data, size);
  if (reader->header == NULL && reader->n_cells < reader->wanted->len)
    column = g_array_index (reader->wanted, int, reader->n_cells);
  reader->n_cells++;
  if (reader->cut)
    set_fault (reader, "a cell is longer than %d MiB; a quote was probably never closed",
               CSV_MAX_CELL_BYTES >> 20);
  else if (reader->header != NULL)
    g_ptr_array_add (reader->header, g_strstrip (g_strndup (data, size)));
  else if (column >= 0)
    keep_cell (reader, (guint) column, data, size);
  reader->cut = FALSE;
}

static void
give_row (CsvReader *reader, const CsvRow *row)
{
  reader->n_rows++;
  reader->row_func (row, reader->user_data, &reader->error);
}

static void
hand_over_row (CsvReader *reader)
{
  CsvRow row = { .line = reader->row_line, .cells = reader->cells };

  if (reader->n_cells != reader->wanted->len)
    set_fault (reader, "the header has %u cells, this row %u", reader->wanted->len,
               reader->n_cells);
  row.fault = reader->fault;
  for (guint i = 0; i < reader->n_columns; i++)
    reader->cells[i] = reader->text->str + reader->offsets[i];
  give_row (reader, &row);
}

static void
end_row (CsvReader *reader)
{
  if (reader->error == NULL)
    {
      if (reader->header != NULL)
        understand_header (reader);
      else
        hand_over_row (reader);
    }
  reader->n_cells = 0;
  g_clear_pointer (&reader->fault, g_free);
  g_string_truncate (reader->text, 1);
  memset (reader->offsets, 0, reader->n_columns * sizeof *reader->offsets);
}

/** libcsv's callback for the end of a row, of a blank line, and for the second half of CRLF; -1 at
 * the end of a file. */
static void
take_line_end (int character, void *user_data)
{
  CsvReader *reader = user_data;
  gboolean blank = reader->n_cells == 0;

  if (character >= 0 && !(blank && character == '\n' && reader->after_cr))
    reader->line++;
  reader->after_cr = character == '\r';
  if (!blank)
    end_row (reader);
}

/* ---- the file ---- */

/** The cell at hand fills its buffer: forget what it holds and go on to its end. */
static void
cut_cell (CsvReader *reader)
{
  struct csv_parser *parser = &reader->parser;

  begin_row (reader);
  reader->line += count_newlines ((const char *) parser->entry_buf, parser->entry_pos);
  reader->cut = TRUE;
  /* At the closing quote libcsv takes the quote, and the spaces behind it, back from the cell: so
   * one byte must be left. */
  parser->entry_buf[0] = ' ';
  parser->entry_pos = 1;
  parser->spaces = 0;
}

/** Nearly all rows are handed over where they lie, as libcsv's copies would be. Returns the bytes
 * that were taken; 0 where libcsv must look at the row. */
static gsize
take_simple_row (CsvReader *reader, char *bytes, const char *end)
{
  const CsvRow row = { .line = reader->line, .cells = reader->cells };
  const char *row_end = csv_cells_find (&reader->found, bytes, end);
  gsize size = row_end != NULL ? (gsize) (row_end - bytes) : 0;
  gboolean ends_with_cr, ends_with_crlf;

  if (row_end == NULL || !(is_ascii (bytes, size) || g_utf8_validate (bytes, (gssize) size, NULL)))
    return 0;
  ends_with_cr = *row_end == CSV_CR;
  ends_with_crlf = ends_with_cr && row_end + 1 < end && row_end[1] == CSV_LF;
  reader->line += count_newlines (bytes, size) + 1;
  reader->after_cr = ends_with_cr && !ends_with_crlf;
  csv_cells_cut (&reader->found, reader->cells);
  give_row (reader, &row);
  return size + (ends_with_crlf ? 2 : 1);
}

/** Give a quoted cell what precedes the next quote in one piece, where libcsv would look at each
 * byte; as much as there is room for. Returns how much. */
static gsize
take_quoted (CsvReader *reader, const char *bytes, gsize size)
{
  struct csv_parser *parser = &reader->parser;
  const char *quote;

  if (parser->pstate != INSIDE_CELL || !parser->quoted)
    return 0;
  quote = memchr (bytes, CSV_QUOTE, size);
  size =
      MIN (quote != NULL ? (gsize) (quote - bytes) : size, parser->entry_size - parser->entry_pos);
  if (size == 0)
    return 0;
  memcpy (parser->entry_buf + parser->entry_pos, bytes, size);
  parser->entry_pos += size;
  parser->spaces = 0;
  return size;
}

/** What libcsv is given at once: so much that the quick ways above have another try soon. */
static gsize
through_mark (const char *bytes, gsize size)
{
  gsize n = 0;

  while (n < size && bytes[n] != CSV_QUOTE && !csv_ends_cell (bytes[n]))
    n++;
  return MIN (n + 1, size);
}

/** Let libcsv look at some bytes; returns how many it took. */
static gsize
parse_some (CsvReader *reader, const char *bytes, gsize size)
{
  gsize taken = take_quoted (reader, bytes, size);
  gsize piece = through_mark (bytes + taken, size - taken);
  gsize parsed =
      csv_parse (&reader->parser, bytes + taken, piece, take_cell, take_line_end, reader);

  if (parsed < piece && reader->parser.entry_size == CSV_MAX_CELL_BYTES)
    cut_cell (reader);
  else if (parsed < piece)
    g_set_error (&reader->error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                 "%s: there is not enough memory for a cell in line %u", reader->path,
                 reader->line);
  return taken + parsed;
}

/** @bytes: are changed; behind them there is room for one more */
static void
parse (CsvReader *reader, char *bytes, gsize size)
{
  char *const end = bytes + size;

  *end = CSV_LF; /* where each search ends */
  while (bytes < end && reader->error == NULL)
    {
      gboolean begins = reader->header == NULL && reader->parser.pstate == BEFORE_ROW;
      gsize taken = begins ? take_simple_row (reader, bytes, end) : 0;

      bytes += taken > 0 ? taken : parse_some (reader, bytes, (gsize) (end - bytes));
    }
}

static void
finish (CsvReader *reader)
{
  /* Only here strictness is wanted: it tells of a quote that is still open. */
  csv_set_opts (&reader->parser, CSV_REPALL_NL | CSV_STRICT | CSV_STRICT_FINI);
  if (csv_fini (&reader->parser, take_cell, take_line_end, reader) != 0)
    {
      begin_row (reader);
      set_fault (reader,
                 "the quote that opens in line %u is never closed, so the rest of the file "
                 "belongs to it",
                 reader->line);
      end_row (reader);
    }
  if (reader->error != NULL || reader->n_rows > 0)
    return;
  if (reader->header != NULL)
    {
      g_autofree char *expected = expected_header (reader);

      g_set_error (&reader->error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: is empty; its first line must hold %s", reader->path, expected);
    }
  else
    g_set_error (&reader->error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                 "%s: has a header and no rows; the file is truncated, get it again", reader->path);
}

/** Bytes read; fewer than asked for only at the end; -1 on failure. */
static gssize
read_fully (int fd, char *buffer, gsize size)
{
  gsize n = 0;

  while (n < size)
    {
      gssize got = read (fd, buffer + n, size - n);

      if (got == 0)
        break;
      if (got < 0 && errno != EINTR)
        return -1;
      if (got > 0)
        n += (gsize) got;
    }
  return (gssize) n;
}

/** Bytes at the start that belong to no cell. */
static gsize
check_start (CsvReader *reader, const char *bytes, gsize size)
{
  if (size >= 2 && (memcmp (bytes, "\xff\xfe", 2) == 0 || memcmp (bytes, "\xfe\xff", 2) == 0))
    g_set_error (&reader->error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                 "%s: is UTF-16 text; save it as UTF-8", reader->path);
  return size >= strlen (BYTE_ORDER_MARK)
                 && memcmp (bytes, BYTE_ORDER_MARK, strlen (BYTE_ORDER_MARK)) == 0
             ? strlen (BYTE_ORDER_MARK)
             : 0;
}

static void
read_file (CsvReader *reader, int fd, const CsvWatch *watch)
{
  g_autofree char *buffer = g_malloc (BUFFER_BYTES + 1);
  gssize size = 0;

  for (gboolean first = TRUE; reader->error == NULL; first = FALSE)
    {
      gsize skipped;

      if (g_cancellable_set_error_if_cancelled (watch->cancellable, &reader->error))
        return;
      size = read_fully (fd, buffer, BUFFER_BYTES);
      if (size <= 0)
        break;
      skipped = first ? check_start (reader, buffer, (gsize) size) : 0;
      parse (reader, buffer + skipped, (gsize) size - skipped);
      if (watch->progress != NULL)
        watch->progress ((gsize) size, watch->user_data);
    }
  if (size < 0)
    g_set_error (&reader->error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
                 "%s: cannot be read: %s; name a CSV file", reader->path, g_strerror (errno));
  else if (reader->error == NULL)
    finish (reader);
}

gboolean
csv_read (const char *path, const CsvColumn *columns, guint n_columns, CsvRowFunc row_func,
          gpointer user_data, const CsvWatch *watch, GError **error)
{
  g_auto (CsvReader) reader = { .path = path,
                                .columns = columns,
                                .n_columns = n_columns,
                                .row_func = row_func,
                                .user_data = user_data };
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  FileStamp before = { 0 }, after = { 0 };

  csv_reader_init (&reader);
  if (fd < 0)
    {
      int saved_errno = errno;

      g_set_error (error, CTCLIP_ERROR,
                   saved_errno == ENOENT ? CTCLIP_ERROR_NOT_FOUND : CTCLIP_ERROR_IO,
                   "%s: cannot be opened: %s; look at the path", path, g_strerror (saved_errno));
      return FALSE;
    }
  file_stamp_of_open (fd, &before);
  read_file (&reader, fd, watch);
  file_stamp_of_open (fd, &after);
  close (fd);
  /* A table that breaks off between two rows would pass for a whole one. */
  if (!file_stamp_equal (&before, &after)
      && (reader.error == NULL
          || g_error_matches (reader.error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT)))
    {
      g_clear_error (&reader.error);
      file_stamp_fail (path, &reader.error);
    }
  if (reader.error == NULL)
    return TRUE;
  g_propagate_error (error, reader.error);
  return FALSE;
}

/* The CSV reader. */
#include "testing.h"

#include "base/error.h"
#include "base/random.h"
#include "catalog/csv_reader.h"
#include "config.h"

#include <csv.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- rows as text: "line:first|second", or "line!fault:first|second" ---- */

static const CsvColumn columns[] = { { "first", TRUE }, { "second", TRUE }, { "third", FALSE } };

static gboolean
note_row (const CsvRow *row, gpointer user_data, GError **error)
{
  GString *seen = user_data;

  g_string_append_printf (seen, "%u", row->line);
  if (row->fault != NULL)
    g_string_append_printf (seen, "!%s", row->fault);
  g_string_append_printf (seen, ":%s|%s\n", row->cells[0], row->cells[1]);
  return TRUE;
}

static char *
read_bytes (const char *bytes, gsize size, GError **error)
{
  g_autofree char *path = testing_write ("table.csv", bytes, size);
  GString *seen = g_string_new (NULL);

  csv_read (path, columns, G_N_ELEMENTS (columns), note_row, seen, &(CsvWatch){ NULL }, error);
  return g_string_free (seen, FALSE);
}

static void
assert_rows (const char *text, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *seen = read_bytes (text, strlen (text), &error);

  assert_no_error (error);
  assert_string_equal (seen, expected);
}

static void
assert_refused (const char *text, const char *says, const char *says_too)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *seen = read_bytes (text, strlen (text), &error);

  assert_string_equal (seen, "");
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT));
  assert_null (strchr (error->message, '\n'));
  assert_error_says (&error, "table.csv", says, says_too, NULL);
}

/* ---- the reader ---- */

static void
test_columns_are_found_by_name_in_any_order (void **state)
{
  assert_rows ("second,other,first\nb,x,a\n", "2:a|b\n");
  assert_rows ("first,second\na,b\n", "2:a|b\n");
}

/** As a table with an index that was written without a name for it. */
static void
test_the_first_column_may_be_without_a_name (void **state)
{
  assert_rows (",first,second\n,a,b\n7,c,d\n", "2:a|b\n3:c|d\n");
}

static void
test_missing_column_is_named_with_the_header_that_is_expected (void **state)
{
  assert_refused ("first,other\na,b\n", "\"second\"", "first,second");
  assert_refused ("First;Second\na;b\n", "\"first\", \"second\"", "First;Second");
}

static void
test_repeated_needed_column_is_refused (void **state)
{
  assert_refused ("first,second,first\na,b,c\n", "\"first\"", "more than once");
}

static void
test_empty_file_and_file_without_rows_are_refused (void **state)
{
  assert_refused ("", "is empty", "first,second");
  assert_refused ("first,second\n\n", "no rows", "get it again");
}

static void
test_byte_order_mark_crlf_and_missing_final_newline (void **state)
{
  assert_rows ("\xef\xbb\xbf"
               "first,second\r\na,b\r\nc,d",
               "2:a|b\n3:c|d\n");
  assert_rows ("\xef\xbb\xbf\"first\",second\na,\"b\"", "2:a|b\n");
}

static void
test_utf_16_says_what_to_do (void **state)
{
  static const char bytes[] = "\xff\xfe"
                              "f\0i\0r\0s\0t\0";
  g_autoptr (GError) error = NULL;
  g_autofree char *seen = read_bytes (bytes, sizeof bytes, &error);

  assert_error_says (&error, "table.csv", "UTF-16", "save it as UTF-8", NULL);
}

static void
test_quotes_commas_and_newlines_belong_to_their_cell (void **state)
{
  assert_rows ("first,second\n\"a, \"\"quoted\"\"\",\"[1, 2]\"\n\"two\nlines\",b\nc,5\" disk\n",
               "2:a, \"quoted\"|[1, 2]\n3:two\nlines|b\n5:c|5\" disk\n");
  assert_rows ("first,second\r\n\"two\r\nlines\",b\r\nc,d\r\n", "2:two\r\nlines|b\n4:c|d\n");
}

static void
test_blank_lines_are_no_rows_but_count_as_lines (void **state)
{
  assert_rows ("\n\nfirst,second\n\n  \na,b\r\n\r\nc,d\n\n", "6:a|b\n8:c|d\n");
  assert_rows ("first,second\ra,b\r\rc,d", "2:a|b\n4:c|d\n");
}

static void
test_ragged_row_has_a_fault_and_the_rest_goes_on (void **state)
{
  assert_rows ("first,second\na,b\nc\n\"d\n\",e,f\ng,h\n",
               "2:a|b\n3!the header has 2 cells, this row 1:c|\n"
               "4!the header has 2 cells, this row 3:d\n|e\n6:g|h\n");
}

static void
test_invalid_utf_8_becomes_replacement_characters (void **state)
{
  assert_rows ("first,second\nM\xfcnchen,\xe2\x80\x9cok\xe2\x80\x9d\n",
               "2:M\xef\xbf\xbdnchen|\xe2\x80\x9cok\xe2\x80\x9d\n");
}

static void
test_nul_byte_is_the_fault_of_its_row (void **state)
{
  static const char bytes[] = "first,second\na,b\0b\nc,d\n";
  g_autoptr (GError) error = NULL;
  g_autofree char *seen = read_bytes (bytes, sizeof bytes - 1, &error);

  assert_no_error (error);
  assert_string_equal (seen, "2!the cell second holds a NUL byte:a|\n3:c|d\n");
}

/** The reader forgets such a cell piece by piece, and a piece may end at its closing quote. */
static void
test_cell_beyond_the_limit_is_the_fault_of_its_row (void **state)
{
  for (int more = -1; more <= 1; more++)
    {
      g_autofree char *cell = g_strnfill ((gsize) (CSV_MAX_CELL_BYTES + more), 'x');
      g_autofree char *text = NULL, *seen = NULL;
      g_autoptr (GError) error = NULL;

      cell[0] = '\n';
      text = g_strdup_printf ("first,second\n\"%s\"  ,b\nc,d\n", cell);
      seen = read_bytes (text, strlen (text), &error);
      assert_no_error (error);
      assert_string_equal (
          seen, "2!a cell is longer than 16 MiB; a quote was probably never closed:|b\n4:c|d\n");
    }
}

#ifndef CTCLIP_SANITIZED
/** In a process of its own: a cell that the memory would not hold, between two rows. */
static int
read_with_little_memory (const char *path)
{
  const struct rlimit limit = { 96 << 20, 96 << 20 };
  g_autoptr (GString) seen = g_string_new (NULL);
  GError *error = NULL;

  setrlimit (RLIMIT_AS, &limit);
  csv_read (path, columns, G_N_ELEMENTS (columns), note_row, seen, &(CsvWatch){ NULL }, &error);
  if (error != NULL)
    return 1;
  return strcmp (seen->str, "2:a|b\n3!a cell is longer than 16 MiB; a quote was probably never "
                            "closed:|b\n4:c|d\n")
         != 0;
}

static void
test_cell_of_100_mb_takes_no_memory_to_speak_of (void **state)
{
  g_autofree char *path = testing_path ("vast.csv"), *piece = g_strnfill (1000000, 'x');
  FILE *file = fopen (path, "wb");
  int status;
  pid_t child;

  fputs ("first,second\na,b\n\"", file);
  for (guint i = 0; i < 100; i++)
    fputs (piece, file);
  fputs ("\",b\nc,d\n", file);
  assert_int_equal (fclose (file), 0);
  child = fork ();
  if (child == 0)
    _exit (read_with_little_memory (path));
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_int_equal (status, 0);
}
#endif

static void
test_unclosed_quote_says_where_it_opens (void **state)
{
  assert_rows ("first,second\na,b\nc,\"d\n\"\n\nx,\"y\nz,w\n",
               "2:a|b\n3:c|d\n\n6!the quote that opens in line 6 is never closed, so the rest of "
               "the file belongs to it:x|\n");
}

/* The reader's buffer. */
#define BUFFER_BYTES (256 << 10)

/** Each byte of a difficult row is once the first of the next buffer. */
static void
test_rows_are_the_same_wherever_a_buffer_ends (void **state)
{
  static const char rows[] = "\"a \"\"q\"\"\r\n\xe2\x80\xa2 x\",\xc3\xa9\r\n\r\nc,d\r\n";

  for (gsize before = 0; before <= strlen (rows); before++)
    {
      g_autoptr (GString) text = g_string_new ("first,second\r\nx,");
      g_autoptr (GString) expected = g_string_new ("2:x|");
      gsize filler = BUFFER_BYTES - before - text->len - strlen ("\r\n");
      g_autofree char *cell = g_strnfill (filler, 'y');

      g_string_append_printf (text, "%s\r\n%s", cell, rows);
      g_string_append_printf (expected, "%s\n3:a \"q\"\r\n\xe2\x80\xa2 x|\xc3\xa9\n6:c|d\n", cell);
      assert_rows (text->str, expected->str);
    }
}

static gboolean
check_row (const CsvRow *row, gpointer user_data, GError **error)
{
  guint *last_line = user_data;

  assert_true (row->line > *last_line);
  *last_line = row->line;
  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    assert_true (g_utf8_validate (row->cells[i], -1, NULL));
  return TRUE;
}

/* ---- beside libcsv alone ---- */

typedef struct
{
  GString *seen, *row;
  guint n_cells;
} Alone;

static void
take_cell_alone (void *data, size_t size, void *user_data)
{
  Alone *alone = user_data;

  g_string_append_len (alone->row, data, (gssize) size);
  g_string_append_c (alone->row, '|');
  alone->n_cells++;
}

static void
end_row_alone (int character, void *user_data)
{
  Alone *alone = user_data;

  if (alone->n_cells == 2)
    g_string_append_printf (alone->seen, "%s\n", alone->row->str);
  g_string_truncate (alone->row, 0);
  alone->n_cells = 0;
}

/** The rows of two cells, as libcsv takes them apart byte by byte. */
static char *
read_alone (const char *bytes, gsize size)
{
  g_autoptr (GString) row = g_string_new (NULL);
  Alone alone = { g_string_new (NULL), row, 0 };
  struct csv_parser parser;

  csv_init (&parser, CSV_REPALL_NL);
  csv_parse (&parser, bytes, size, take_cell_alone, end_row_alone, &alone);
  csv_set_opts (&parser, CSV_REPALL_NL | CSV_STRICT | CSV_STRICT_FINI);
  csv_fini (&parser, take_cell_alone, end_row_alone, &alone);
  csv_free (&parser);
  return g_string_free (alone.seen, FALSE);
}

static gboolean
note_good_row (const CsvRow *row, gpointer user_data, GError **error)
{
  if (row->fault == NULL)
    g_string_append_printf (user_data, "%s|%s|\n", row->cells[0], row->cells[1]);
  return TRUE;
}

static void
test_cells_are_what_libcsv_makes_of_them (void **state)
{
  static const char letters[] = "\"\"\n\n\r,,,, \tab";
  const char header[] = "first,second\n";
  Random random;

  random_init (&random, 4, 0);
  for (guint round = 0; round < 40; round++)
    {
      char bytes[sizeof header - 1 + 6000];
      g_autoptr (GString) seen = g_string_new (NULL);
      g_autofree char *path = NULL, *expected = NULL;

      memcpy (bytes, header, strlen (header));
      for (gsize i = strlen (header); i < sizeof bytes; i++)
        bytes[i] = letters[random_below (&random, strlen (letters))];
      expected = read_alone (bytes + strlen (header), sizeof bytes - strlen (header));
      path = testing_write ("beside.csv", bytes, sizeof bytes);
      csv_read (path, columns, G_N_ELEMENTS (columns), note_good_row, seen, &(CsvWatch){ NULL },
                NULL);
      assert_string_equal (seen->str, expected);
    }
}

static void
test_any_bytes_are_rows_or_an_error (void **state)
{
  static const char letters[] = "\"\"\"\n\n\r,,,, a\xe2\x80\xff";
  Random random;

  random_init (&random, 3, 0);
  for (guint round = 0; round < 2000; round++)
    {
      char bytes[64] = "first,second\n";
      g_autofree char *path = NULL;
      guint last_line = 1;

      for (gsize i = strlen (bytes); i < sizeof bytes; i++)
        bytes[i] = letters[random_below (&random, sizeof letters)];
      path = testing_write ("any.csv", bytes, sizeof bytes);
      csv_read (path, columns, G_N_ELEMENTS (columns), check_row, &last_line, &(CsvWatch){ NULL },
                NULL);
    }
}

static gboolean
stop_at_second (const CsvRow *row, gpointer user_data, GError **error)
{
  guint *rows = user_data;

  if (++*rows < 2)
    return TRUE;
  g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_FAILED, "enough");
  return FALSE;
}

static void
test_error_of_the_row_function_stops_the_reading (void **state)
{
  g_autofree char *path = testing_write ("three.csv", "first,second\n1,\n2,\n3,\n", 23);
  g_autoptr (GError) error = NULL;
  guint rows = 0;

  assert_false (csv_read (path, columns, G_N_ELEMENTS (columns), stop_at_second, &rows,
                          &(CsvWatch){ NULL }, &error));
  assert_int_equal (rows, 2);
  assert_error_says (&error, "enough", NULL);
}

static void
test_absent_file_and_directory_are_named (void **state)
{
  g_autofree char *absent = testing_path ("absent.csv");
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) seen = g_string_new (NULL);

  assert_false (csv_read (absent, columns, 2, note_row, seen, &(CsvWatch){ NULL }, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "absent.csv", "No such file", NULL);
  assert_false (
      csv_read (testing_directory (), columns, 2, note_row, seen, &(CsvWatch){ NULL }, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_IO));
  assert_error_says (&error, testing_directory (), "name a CSV file", NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_columns_are_found_by_name_in_any_order),
    cmocka_unit_test (test_the_first_column_may_be_without_a_name),
    cmocka_unit_test (test_missing_column_is_named_with_the_header_that_is_expected),
    cmocka_unit_test (test_repeated_needed_column_is_refused),
    cmocka_unit_test (test_empty_file_and_file_without_rows_are_refused),
    cmocka_unit_test (test_byte_order_mark_crlf_and_missing_final_newline),
    cmocka_unit_test (test_utf_16_says_what_to_do),
    cmocka_unit_test (test_quotes_commas_and_newlines_belong_to_their_cell),
    cmocka_unit_test (test_blank_lines_are_no_rows_but_count_as_lines),
    cmocka_unit_test (test_ragged_row_has_a_fault_and_the_rest_goes_on),
    cmocka_unit_test (test_invalid_utf_8_becomes_replacement_characters),
    cmocka_unit_test (test_nul_byte_is_the_fault_of_its_row),
    cmocka_unit_test (test_cell_beyond_the_limit_is_the_fault_of_its_row),
#ifndef CTCLIP_SANITIZED
    cmocka_unit_test (test_cell_of_100_mb_takes_no_memory_to_speak_of),
#endif
    cmocka_unit_test (test_unclosed_quote_says_where_it_opens),
    cmocka_unit_test (test_rows_are_the_same_wherever_a_buffer_ends),
    cmocka_unit_test (test_cells_are_what_libcsv_makes_of_them),
    cmocka_unit_test (test_any_bytes_are_rows_or_an_error),
    cmocka_unit_test (test_error_of_the_row_function_stops_the_reading),
    cmocka_unit_test (test_absent_file_and_directory_are_named),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

/* Charts as text: ticks, bars, sparklines, histograms, the canvas; and two runs compared. */
#include "testing.h"

#include "report/canvas.h"
#include "report/comparison.h"
#include "report/text_table.h"

#include <math.h>
#include <string.h>

/* ---- ticks ---- */

static void
assert_ticks (double low, double high, guint most, const char *expected)
{
  ReportTicks ticks = report_ticks ((ReportRange){ low, high }, most);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < ticks.n; i++)
    {
      g_autofree char *label = report_tick_text (&ticks, i);

      g_string_append_printf (text, "%s%s", i > 0 ? " " : "", label);
    }
  assert_string_equal (text->str, expected);
}

static void
test_ticks_are_the_finest_round_values_that_fit (void **state)
{
  assert_ticks (0, 1, 6, "0.0 0.2 0.4 0.6 0.8 1.0");
  assert_ticks (0, 1, 11, "0.0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1.0");
  assert_ticks (0, 1, 3, "0.0 0.5 1.0");
  assert_ticks (0, 1, 2, "0 1");
  assert_ticks (1, 5, 5, "1 2 3 4 5");
  assert_ticks (0.5, 1.5, 2, "1");
  assert_ticks (-1000, 1000, 5, "-1000 -500 0 500 1000");
  assert_ticks (0.00012, 0.00034, 5, "0.00015 0.00020 0.00025 0.00030");
  assert_ticks (0, 3e7, 4, "0 1e+07 2e+07 3e+07");
}

static void
test_ticks_have_no_negative_zero (void **state)
{
  assert_ticks (-0.3, 0.3, 7, "-0.3 -0.2 -0.1 0.0 0.1 0.2 0.3");
}

static void
test_ticks_stay_inside_and_within_their_number (void **state)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (5);

  for (guint i = 0; i < 20000; i++)
    {
      double low = g_rand_double_range (random, -1, 1) * pow (10, g_rand_int_range (random, -6, 7));
      double span = g_rand_double_range (random, 0.01, 1) * MAX (fabs (low), 1e-6);
      guint most = (guint) g_rand_int_range (random, 2, 15);
      ReportTicks ticks = report_ticks ((ReportRange){ low, low + span }, most);

      assert_in_range (ticks.n, 1, most);
      assert_true (report_tick (&ticks, 0) >= low - 1e-6 * span);
      assert_true (report_tick (&ticks, ticks.n - 1) <= low + span * (1 + 1e-6));
    }
}

static void
test_range_of_nothing_and_of_one_value_can_be_drawn (void **state)
{
  const double nothing[] = { NAN, INFINITY }, same[] = { 4, NAN, 4 }, zero[] = { 0 };
  ReportRange range = report_range (nothing, 2);

  assert_true (range.low == 0 && range.high == 1);
  range = report_range (same, 3);
  assert_true (range.low == 2 && range.high == 6);
  range = report_range (zero, 1);
  assert_true (range.low == -0.5 && range.high == 0.5);
}

/* ---- one line ---- */

static void
test_sparkline_spans_its_range_and_leaves_the_unknown_blank (void **state)
{
  const double values[] = { -1, 0, 0.5, NAN, 1, 2 };
  const ReportRange range = { 0, 1 };
  g_autofree char *blocks = report_sparkline (values, 6, range, FALSE);
  g_autofree char *ascii = report_sparkline (values, 6, range, TRUE);
  g_autofree char *empty = report_sparkline (NULL, 0, range, FALSE);

  assert_string_equal (blocks, "▁▁▅ ██");
  assert_string_equal (ascii, "__+ @@");
  assert_string_equal (empty, "");
}

static void
assert_bar (double share, guint width, gboolean ascii, const char *expected)
{
  g_autofree char *bar = report_bar (share, width, ascii);

  assert_string_equal (bar, expected);
}

static void
test_bar_counts_eighths_of_its_width (void **state)
{
  assert_bar (0, 4, FALSE, "    ");
  assert_bar (1, 4, FALSE, "████");
  assert_bar (0.5, 4, FALSE, "██  ");
  assert_bar (1.0 / 32, 4, FALSE, "▏   ");
  assert_bar (31.0 / 32, 4, FALSE, "███▉");
  assert_bar (0.5, 4, TRUE, "##  ");
  assert_bar (7, 2, FALSE, "██");
  assert_bar (-7, 2, FALSE, "  ");
  assert_bar (NAN, 2, TRUE, "  ");
  assert_bar (1, 0, FALSE, "");
}

/* ---- histogram ---- */

static void
test_histogram_counts_its_kind_and_puts_one_in_the_last_bin (void **state)
{
  const double values[] = { 0, 0.24999, 0.25, 0.5, 1, 1, NAN, -0.1, 1.1 };
  const guint8 labels[] = { 1, 0, 1, 1, 1, 0, 1, 1, 1 };
  guint counts[4];

  assert_int_equal (report_histogram (values, NULL, 0, 9, counts, 4), 6);
  assert_int_equal (counts[0], 2);
  assert_int_equal (counts[1], 1);
  assert_int_equal (counts[2], 1);
  assert_int_equal (counts[3], 2);
  assert_int_equal (report_histogram (values, labels, 1, 9, counts, 4), 4);
  assert_int_equal (counts[0], 1);
  assert_int_equal (counts[3], 1);
  assert_int_equal (report_histogram (values, NULL, 0, 9, counts, 0), 0);
}

/* ---- canvas ---- */

static void
assert_row (const ReportCanvas *canvas, guint row, const char *expected)
{
  g_autofree char *text = report_canvas_row (canvas, row);

  assert_string_equal (text, expected);
}

static void
test_line_reaches_both_corners_in_every_alphabet (void **state)
{
  g_autoptr (ReportCanvas) braille = report_canvas_new (2, 2, REPORT_GLYPHS_BRAILLE);
  g_autoptr (ReportCanvas) ascii = report_canvas_new (3, 3, REPORT_GLYPHS_ASCII);
  g_autoptr (ReportCanvas) blocks = report_canvas_new (4, 2, REPORT_GLYPHS_BLOCKS);

  report_canvas_line (ascii, 0, 0, 1, 1, 0);
  assert_row (ascii, 0, "  *");
  assert_row (ascii, 1, " * ");
  assert_row (ascii, 2, "*  ");
  report_canvas_line (blocks, 0, 0, 1, 1, 0);
  assert_row (blocks, 0, "  ▄▀");
  assert_row (blocks, 1, "▄▀  ");
  report_canvas_line (braille, 0, 0, 0, 1, 0);
  report_canvas_line (braille, 0, 1, 1, 1, 0);
  assert_row (braille, 0, "⡏⠉");
  assert_row (braille, 1, "⡇ ");
}

static void
test_cells_know_the_series_and_ascii_its_mark (void **state)
{
  g_autoptr (ReportCanvas) canvas = report_canvas_new (5, 3, REPORT_GLYPHS_ASCII);

  report_canvas_line (canvas, 0, 0, 1, 0, 0);
  report_canvas_line (canvas, 0, 1, 1, 1, 1);
  report_canvas_point (canvas, 0.5, 0.5, 2);
  assert_row (canvas, 0, "+++++");
  assert_row (canvas, 1, "  @  ");
  assert_row (canvas, 2, "*****");
  assert_int_equal (report_canvas_cell (canvas, 0, 0).series, 1);
  assert_int_equal (report_canvas_cell (canvas, 2, 1).series, 2);
  assert_int_equal (report_canvas_cell (canvas, 4, 2).series, 0);
  assert_int_equal (report_canvas_cell (canvas, 0, 1).series, REPORT_SERIES_NONE);
  assert_int_equal (report_canvas_cell (canvas, 5, 0).series, REPORT_SERIES_NONE);
}

static void
test_series_differ_without_colour (void **state)
{
  g_autofree char *rows[3] = { NULL };

  for (int series = 0; series < 3; series++)
    {
      g_autoptr (ReportCanvas) canvas = report_canvas_new (20, 1, REPORT_GLYPHS_BRAILLE);

      report_canvas_line (canvas, 0, 0.5, 1, 0.5, series);
      rows[series] = report_canvas_row (canvas, 0);
    }
  assert_string_not_equal (rows[0], rows[1]);
  assert_string_not_equal (rows[1], rows[2]);
  assert_string_not_equal (rows[0], rows[2]);
  for (int series = 0; series < 3; series++)
    g_clear_pointer (&rows[series], g_free);
}

static void
test_lines_are_cut_at_the_edges_and_broken_by_nan (void **state)
{
  const double x[] = { 0, 0.5, 1 }, y[] = { 0, NAN, 1 };
  g_autoptr (ReportCanvas) canvas = report_canvas_new (5, 3, REPORT_GLYPHS_ASCII);

  report_canvas_path (canvas, x, y, 3, 0);
  report_canvas_line (canvas, 2, 2, 3, 9, 0);
  report_canvas_point (canvas, 1.5, 0.5, 0);
  report_canvas_point (canvas, NAN, 0.5, 0);
  assert_row (canvas, 0, "     ");
  assert_row (canvas, 2, "     ");
  /* As long as doubles go: drawn in no time, and only what is inside. */
  report_canvas_line (canvas, -1e300, 0.5, 1e300, 0.5, 0);
  assert_row (canvas, 0, "     ");
  assert_row (canvas, 1, "*****");
}

static void
test_axes_are_labelled_beside_the_drawing_area (void **state)
{
  g_autoptr (ReportCanvas) canvas = report_canvas_new (14, 5, REPORT_GLYPHS_ASCII);

  report_canvas_axes (canvas, (ReportRange){ 0, 1 }, (ReportRange){ 0, 100 });
  report_canvas_line (canvas, 0, 0, 1, 100, 0);
  assert_row (canvas, 0, "100+       ***");
  assert_row (canvas, 2, "  0+***       ");
  assert_row (canvas, 3, "   ++--------+");
  assert_row (canvas, 4, "    0        1");
  assert_int_equal (report_canvas_cell (canvas, 3, 0).series, REPORT_SERIES_AXIS);
}

static void
test_every_size_can_be_drawn (void **state)
{
  for (guint columns = 0; columns < 40; columns++)
    for (guint rows = 0; rows < 20; rows++)
      for (guint glyphs = 0; glyphs <= REPORT_GLYPHS_ASCII; glyphs++)
        {
          g_autoptr (ReportCanvas) canvas =
              report_canvas_new (columns, rows, (ReportGlyphs) glyphs);

          report_canvas_axes (canvas, (ReportRange){ 0, 1 }, (ReportRange){ -1e-3, 1e-3 });
          report_canvas_line (canvas, -1, -1, 2, 2, 1);
          report_canvas_point (canvas, 0.5, 0, 0);
          report_canvas_text (canvas, columns / 2, rows / 2, "αβγ", REPORT_SERIES_AXIS);
          for (guint row = 0; row <= rows; row++)
            {
              g_autofree char *text = report_canvas_row (canvas, row);

              assert_int_equal (g_utf8_strlen (text, -1), columns);
            }
        }
}

/* ---- comparison ---- */

static void
test_comparison_shows_the_undefined_and_what_was_left_out (void **state)
{
  const ReportComparisonClass classes[] = {
    { "Emphysema", 0.9, 0.8, { 0.1, 0.05, 0.15 }, 0.0002 },
    { "Atelectasis", NAN, NAN, { NAN, NAN, NAN }, NAN },
  };
  const ReportComparison comparison = {
    "a", "b", classes, 2, { "macro", 0.9, 0.8, { 0.1, 0.04, 0.16 }, NAN }, 1, 1234, 0, 5
  };
  g_autofree char *text = report_comparison_text (&comparison);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  assert_string_equal (lines[0],
                       "finding                 a       b  difference  95 % CI              p");
  assert_string_equal (lines[2],
                       "Emphysema          0.9000  0.8000     +0.1000  [0.050, 0.150]  <0.001");
  assert_non_null (strstr (lines[3], "–       –           –  –"));
  assert_non_null (strstr (text, "macro over 1 of 2  0.9000"));
  assert_non_null (strstr (text, "+0.1000  [0.040, 0.160]       –"));
  assert_non_null (strstr (text, "on 1,234 scans in common"));
  assert_non_null (strstr (text, "left out: 0 scans of a alone, 5 of b alone"));
}

static void
assert_counts (guint64 done, guint64 total, const char *unit, double rate_per_s, const char *text)
{
  g_autofree char *counts = report_counts (done, total, unit, rate_per_s);

  assert_string_equal (counts, text);
}

static void
test_counts_say_what_is_known (void **state)
{
  assert_counts (12, 240, "scans", 3.4, "12/240 scans, 3.4/s");
  assert_counts (12, 0, "scans", NAN, "12 scans");
  assert_counts (12, 240, "", NAN, "12/240");
  assert_counts (1500000, 3400000000, "bytes", 2e6, "1.5 MB of 3.4 GB, 2.0 MB/s");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_counts_say_what_is_known),
    cmocka_unit_test (test_ticks_are_the_finest_round_values_that_fit),
    cmocka_unit_test (test_ticks_have_no_negative_zero),
    cmocka_unit_test (test_ticks_stay_inside_and_within_their_number),
    cmocka_unit_test (test_range_of_nothing_and_of_one_value_can_be_drawn),
    cmocka_unit_test (test_sparkline_spans_its_range_and_leaves_the_unknown_blank),
    cmocka_unit_test (test_bar_counts_eighths_of_its_width),
    cmocka_unit_test (test_histogram_counts_its_kind_and_puts_one_in_the_last_bin),
    cmocka_unit_test (test_line_reaches_both_corners_in_every_alphabet),
    cmocka_unit_test (test_cells_know_the_series_and_ascii_its_mark),
    cmocka_unit_test (test_series_differ_without_colour),
    cmocka_unit_test (test_lines_are_cut_at_the_edges_and_broken_by_nan),
    cmocka_unit_test (test_axes_are_labelled_beside_the_drawing_area),
    cmocka_unit_test (test_every_size_can_be_drawn),
    cmocka_unit_test (test_comparison_shows_the_undefined_and_what_was_left_out),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

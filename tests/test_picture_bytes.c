/* What pictures send to the terminal beside curses, read as a terminal would read it. */
#include "picture.h"
#include "terminal.h"
#include "testing.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS 50
#define ROWS 20
#define MOST_ERROR 20.0 /* greys; edges inside of cells make most of it */
#define SIDE_PX 8       /* of a cell that is shown as a symbol */

static const Area place = { 3, 5, ROWS, COLUMNS };

/* ---- what is written ---- */

static int standard_output;

static int
start (void **state)
{
  const TerminalOptions options = { .colours = 256, .offscreen = TRUE, .width = 80, .height = 30 };
  GError *error = NULL;

  setlocale (LC_ALL, "C.UTF-8");
  fflush (stdout);
  standard_output = dup (STDOUT_FILENO);
  g_setenv ("TERM", "xterm-256color", TRUE);
  assert_true (terminal_start (&options, &error));
  return 0;
}

static int
stop (void **state)
{
  terminal_stop ();
  return 0;
}

/** Draw and refresh as the workbench does; what was written beside curses. */
static GBytes *
emit (GreyPicture *picture, gboolean everything)
{
  g_autofree char *path = testing_path ("emitted");
  int fd = open (path, O_CREAT | O_TRUNC | O_RDWR, 0600);
  char *bytes;
  gsize n;

  grey_picture_show (picture, place, FALSE);
  wnoutrefresh (stdscr);
  doupdate ();
  fflush (stdout);
  dup2 (fd, STDOUT_FILENO);
  grey_picture_emit (picture, place, everything);
  dup2 (standard_output, STDOUT_FILENO);
  close (fd);
  assert_true (g_file_get_contents (path, &bytes, &n, NULL));
  return g_bytes_new_take (bytes, n);
}

static char *
withdraw (GreyPicture *picture)
{
  g_autofree char *path = testing_path ("withdrawn");
  int fd = open (path, O_CREAT | O_TRUNC | O_RDWR, 0600);
  char *bytes;

  fflush (stdout);
  dup2 (fd, STDOUT_FILENO);
  grey_picture_withdraw (picture);
  dup2 (standard_output, STDOUT_FILENO);
  close (fd);
  assert_true (g_file_get_contents (path, &bytes, NULL, NULL));
  return bytes;
}

/** A picture whose cells have the usual size, as where standard output is no terminal. */
static guint8 *
fit (GreyPicture *picture, guint *width, guint *height)
{
  double aspect;
  int null = open ("/dev/null", O_WRONLY);
  guint8 *grey;

  fflush (stdout);
  dup2 (null, STDOUT_FILENO);
  grey = grey_picture_fit (picture, COLUMNS, ROWS, width, height, &aspect);
  dup2 (standard_output, STDOUT_FILENO);
  close (null);
  return grey;
}

/** Something like a slice: an ellipse with two dark ones in it, and some noise. */
static void
paint (guint8 *grey, guint width, guint height, double phase)
{
  guint32 noise = 1;

  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++)
      {
        const double u = 2.0 * x / width - 1, v = 2.0 * y / height - 1;
        const double body = u * u + v * v / 0.6, side = fabs (u) - 0.4 + 0.1 * sin (phase);
        double level = body > 0.9 ? 4 : 190 + 20 * v;

        if (body < 0.9 && side * side / 0.06 + v * v / 0.25 < 1)
          level = 60 + 30 * u + 10 * sin (12 * v + phase);
        noise = noise * 1664525 + 1013904223;
        grey[y * width + x] = (guint8) CLAMP (level + (double) (noise >> 28) - 7.5, 0, 255);
      }
}

static double
rms (const guint8 *a, const guint8 *b, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
  return sqrt (sum / (double) n);
}

/* ---- a terminal that knows block elements ---- */

typedef struct
{
  guint8 pixels[ROWS * SIDE_PX][COLUMNS * SIDE_PX];
  guint written[ROWS][COLUMNS];
  int row, column, foreground, background;
} Screen;

/** xterm's greys. */
static int
grey_of_colour (int colour)
{
  static const int levels[] = { 0, 95, 135, 175, 215, 255 };

  return colour >= 232 ? 8 + 10 * (colour - 232) : levels[(colour - 16) / 36];
}

static gboolean
has_ink (gunichar glyph, int x, int y)
{
  static const char *const quadrants[] = { "..x.", "...x", "x...", "x.xx", "x..x",
                                           "xxx.", "xx.x", ".x..", ".xx.", ".xxx" };

  if (glyph == ' ')
    return FALSE;
  if (glyph == 0x2580)
    return y < 4;
  if (glyph >= 0x2581 && glyph <= 0x2588)
    return y >= SIDE_PX - (int) (glyph - 0x2580);
  if (glyph >= 0x2589 && glyph <= 0x258f)
    return x < (int) (0x2590 - glyph);
  if (glyph == 0x2590)
    return x >= 4;
  if (glyph == 0x2594)
    return y == 0;
  if (glyph == 0x2595)
    return x == 7;
  if (glyph < 0x2596 || glyph > 0x259f)
    fail_msg ("U+%04X is no block element", glyph);
  return quadrants[glyph - 0x2596][y / 4 * 2 + x / 4] == 'x';
}

static void
put_glyph (Screen *screen, gunichar glyph)
{
  assert_in_range (screen->row, 0, ROWS - 1);
  assert_in_range (screen->column, 0, COLUMNS - 1);
  for (int y = 0; y < SIDE_PX; y++)
    for (int x = 0; x < SIDE_PX; x++)
      {
        const int grey = has_ink (glyph, x, y) ? screen->foreground : screen->background;

        assert_in_range (grey, 0, 255); /* a colour was set before it was used */
        screen->pixels[screen->row * SIDE_PX + y][screen->column * SIDE_PX + x] = (guint8) grey;
      }
  screen->written[screen->row][screen->column++]++;
}

static void
set_colours (Screen *screen, const int *numbers, guint n)
{
  for (guint i = 0; i < n;)
    {
      int *ground = numbers[i] == 38 ? &screen->foreground : &screen->background;

      assert_true (numbers[i] == 38 || numbers[i] == 48);
      if (numbers[i + 1] == 5)
        *ground = grey_of_colour (numbers[i + 2]);
      else
        {
          assert_int_equal (numbers[i + 1], 2);
          assert_true (numbers[i + 2] == numbers[i + 3] && numbers[i + 3] == numbers[i + 4]);
          *ground = numbers[i + 2];
        }
      i += numbers[i + 1] == 5 ? 3 : 5;
    }
}

/** ESC [ numbers letter; what follows it. */
static const char *
take_sequence (Screen *screen, const char *at)
{
  int numbers[10] = { 0 };
  guint n = 0;

  for (char *end; g_ascii_isdigit (*at); at = *end == ';' ? end + 1 : end)
    {
      assert_true (n < G_N_ELEMENTS (numbers));
      numbers[n++] = (int) strtol (at, &end, 10);
    }
  if (*at == 'm')
    set_colours (screen, numbers, n);
  else if (*at == 'C')
    screen->column += n > 0 ? numbers[0] : 1;
  else
    {
      assert_int_equal (*at, 'H');
      screen->row = numbers[0] - 1 - place.y;
      screen->column = numbers[1] - 1 - place.x;
    }
  return at + 1;
}

static void
take_bytes (Screen *screen, GBytes *bytes)
{
  gsize n;
  const char *data = g_bytes_get_data (bytes, &n), *at = data;

  screen->foreground = screen->background = -1;
  if (n == 0)
    return;
  assert_true (g_str_has_prefix (data, "\0337") && n >= 4);
  for (at += 2; at < data + n;)
    if (strncmp (at, "\0338", 2) == 0)
      at += 2;
    else if (*at == '\033')
      at = take_sequence (screen, at + 2);
    else
      {
        put_glyph (screen, g_utf8_get_char (at));
        at = g_utf8_next_char (at);
      }
}

/* ---- cells ---- */

static void
test_steps_show_each_picture_nearly_and_errors_do_not_add_up (void **state)
{
  static const PictureKind kinds[] = { PICTURE_INDEXED, PICTURE_EXACT };

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      GreyPicture *picture = grey_picture_new (kinds[k]);
      static Screen screen;
      guint width, height;
      guint8 *grey = fit (picture, &width, &height);
      double first = 0;

      assert_int_equal (width, COLUMNS * SIDE_PX);
      assert_int_equal (height, ROWS * SIDE_PX);
      for (guint step = 0; step < 40; step++)
        {
          g_autoptr (GBytes) bytes = NULL;
          double error;

          paint (grey, width, height, 0.2 * step);
          grey_picture_convert (picture);
          bytes = emit (picture, FALSE);
          take_bytes (&screen, bytes);
          error = rms (&screen.pixels[0][0], grey, (gsize) width * height);
          if (step == 0)
            first = error;
          assert_true (error < MOST_ERROR && error < 1.05 * first);
        }
      grey_picture_free (picture);
    }
}

static void
test_what_has_not_changed_is_not_sent_again (void **state)
{
  GreyPicture *picture = grey_picture_new (PICTURE_INDEXED);
  guint width, height;
  guint8 *grey = fit (picture, &width, &height);
  g_autoptr (GBytes) all = NULL, none = NULL, again = NULL, step = NULL;

  paint (grey, width, height, 0);
  grey_picture_convert (picture);
  all = emit (picture, FALSE);
  none = emit (picture, FALSE);
  assert_int_equal (g_bytes_get_size (none), 0);
  again = emit (picture, TRUE);
  assert_int_equal (g_bytes_get_size (again), g_bytes_get_size (all));
  paint (grey, width, height, 0.2);
  grey_picture_convert (picture);
  step = emit (picture, FALSE);
  assert_true (g_bytes_get_size (step) < g_bytes_get_size (all) / 2);
  grey_picture_free (picture);
}

static void
test_what_lies_over_the_picture_stays_and_comes_back_when_it_goes (void **state)
{
  GreyPicture *picture = grey_picture_new (PICTURE_INDEXED);
  static Screen screen;
  guint width, height;
  guint8 *grey = fit (picture, &width, &height);
  g_autoptr (GBytes) all = NULL, around = NULL, rest = NULL;
  const int row = 7, column = 9;
  g_autofree char *path = testing_path ("around");
  int fd = open (path, O_CREAT | O_TRUNC | O_RDWR, 0600);
  char *text;
  gsize n;

  paint (grey, width, height, 0);
  grey_picture_convert (picture);
  all = emit (picture, FALSE);
  /* A word over it, while the picture changes. */
  paint (grey, width, height, 2);
  grey_picture_convert (picture);
  grey_picture_show (picture, place, TRUE);
  mvaddstr (place.y + row, place.x + column, "a box");
  wnoutrefresh (stdscr);
  doupdate ();
  fflush (stdout);
  dup2 (fd, STDOUT_FILENO);
  grey_picture_emit (picture, place, FALSE);
  dup2 (standard_output, STDOUT_FILENO);
  close (fd);
  assert_true (g_file_get_contents (path, &text, &n, NULL));
  around = g_bytes_new_take (text, n);
  take_bytes (&screen, all);
  memset (screen.written, 0, sizeof screen.written);
  take_bytes (&screen, around);
  for (int i = 0; i < 5; i++)
    assert_int_equal (screen.written[row][column + i], 0);
  /* It goes: curses blanks it, and its cells are sent. */
  rest = emit (picture, FALSE);
  memset (screen.written, 0, sizeof screen.written);
  take_bytes (&screen, rest);
  for (int y = 0; y < ROWS; y++)
    for (int x = 0; x < COLUMNS; x++)
      assert_int_equal (screen.written[y][x], y == row && x >= column && x < column + 5);
  assert_true (rms (&screen.pixels[0][0], grey, (gsize) width * height) < MOST_ERROR);
  grey_picture_free (picture);
}

static void
test_no_two_lines_are_alike_to_curses (void **state)
{
  GreyPicture *picture = grey_picture_new (PICTURE_INDEXED);
  guint width, height;
  guint8 *grey = fit (picture, &width, &height);
  wchar_t lines[ROWS][COLUMNS + 1];

  paint (grey, width, height, 0);
  grey_picture_convert (picture);
  grey_picture_show (picture, place, FALSE);
  for (int row = 0; row < ROWS; row++)
    {
      mvinnwstr (place.y + row, place.x, lines[row], COLUMNS);
      for (int other = 0; other < row; other++)
        assert_memory_not_equal (lines[row], lines[other], COLUMNS * sizeof (wchar_t));
    }
  grey_picture_free (picture);
}

/* ---- sixel ---- */

typedef struct
{
  guint8 *grey; /* width * height */
  int width, height;
} Image;

static int
take_number (const char **at)
{
  char *end;
  int number = (int) strtol (*at, &end, 10);

  *at = end;
  return number;
}

/** DCS q, raster attributes, colours and bands of six rows. */
static Image
decode_sixel (const char *at)
{
  Image image = { 0 };
  guint8 palette[256] = { 0 };
  int x = 0, y = 0, colour = 0;

  at = strstr (at, "\033P");
  assert_non_null (at);
  at = strchr (at, 'q') + 1;
  assert_int_equal (*at, '"');
  for (int i = 0; i < 4; i++)
    {
      int number;

      at++;
      number = take_number (&at);
      if (i == 2)
        image.width = number;
      if (i == 3)
        image.height = number;
    }
  image.grey = g_malloc0 ((gsize) image.width * (gsize) (image.height + 6));
  while (*at != '\033')
    {
      int repeat = 1, bits;

      if (*at == '#')
        {
          at++;
          colour = take_number (&at);
          assert_in_range (colour, 0, 255);
          if (*at == ';')
            {
              int parts[4];

              for (int i = 0; i < 4; i++)
                {
                  at++;
                  parts[i] = take_number (&at);
                }
              assert_int_equal (parts[0], 2);
              palette[colour] = (guint8) (parts[1] * 255 / 100);
            }
          continue;
        }
      if (*at == '$' || *at == '-')
        {
          y += *at == '-' ? 6 : 0;
          x = 0;
          at++;
          continue;
        }
      if (*at == '!')
        {
          at++;
          repeat = take_number (&at);
        }
      assert_in_range (*at, '?', '~');
      bits = *at++ - '?';
      for (; repeat > 0; repeat--, x++)
        for (int i = 0; i < 6; i++)
          if (bits >> i & 1)
            {
              assert_true (x < image.width && y + i < image.height + 6);
              image.grey[(y + i) * image.width + x] = palette[colour];
            }
    }
  return image;
}

static void
test_sixel_is_the_slice_in_its_cells (void **state)
{
  GreyPicture *picture = grey_picture_new (PICTURE_SIXEL);
  guint width, height;
  guint8 *grey = fit (picture, &width, &height);
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL;
  Image image;

  assert_int_equal (width, COLUMNS * 8);
  assert_in_range (height, ROWS * 16 - 5, ROWS * 16); /* bands of six, none in the next line */
  paint (grey, width, height, 0);
  grey_picture_convert (picture);
  bytes = emit (picture, FALSE);
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  assert_non_null (strstr (text, "\033[4;6H")); /* where it begins */
  image = decode_sixel (text);
  assert_int_equal (image.width, width);
  assert_int_equal (image.height, height);
  assert_true (rms (image.grey, grey, (gsize) width * height) < 4);
  g_free (image.grey);
  grey_picture_free (picture);
}

static void
test_a_withdrawn_sixel_is_drawn_over_by_curses (void **state)
{
  GreyPicture *picture = grey_picture_new (PICTURE_SIXEL);
  guint width, height;
  guint8 *grey = fit (picture, &width, &height);
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *written = NULL;
  cchar_t held;
  wchar_t text[CCHARW_MAX + 1] = { 0 };
  attr_t attributes;
  short pair;

  memset (grey, 100, width * height);
  grey_picture_convert (picture);
  bytes = emit (picture, FALSE);
  written = withdraw (picture);
  /* Curses takes nothing for granted of its lines any more. */
  for (int row = 0; row < ROWS; row++)
    {
      mvwin_wch (curscr, place.y + row, place.x, &held);
      getcchar (&held, text, &attributes, &pair, NULL);
      assert_int_equal (text[0], 0);
    }
  grey_picture_free (picture);
}

/* ---- kitty ---- */

static int
kitty_number (const char *control, char key)
{
  for (; *control != '\0' && *control != ';'; control++)
    if (control[0] == key && control[1] == '=')
      return atoi (control + 2);
  return -1;
}

/** The pixels of all the pieces together, which are zlib's; the first one's control data is
 * @control. */
static guint8 *
decode_kitty (const char *at, const char **control, gsize most, gsize *n)
{
  g_autoptr (GString) base64 = g_string_new (NULL);
  g_autoptr (GConverter) zlib =
      G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB));
  g_autofree guint8 *packed = NULL;
  guint8 *pixels = g_malloc (most);
  gsize n_packed, taken;

  *control = NULL;
  for (at = strstr (at, "\033_G"); at != NULL; at = strstr (at + 3, "\033_G"))
    {
      const char *end = strstr (at, "\033\\"), *data = memchr (at, ';', (gsize) (end - at));

      if (strncmp (at + 3, "a=d", 3) == 0)
        continue;
      if (*control == NULL)
        *control = at + 3;
      assert_true (end - data - 1 <= 4096);
      g_string_append_len (base64, data + 1, end - data - 1);
      assert_int_equal (kitty_number (at + 3, 'm'), strstr (end, "\033_G") != NULL);
    }
  packed = g_base64_decode (base64->str, &n_packed);
  assert_int_equal (g_converter_convert (zlib, packed, n_packed, pixels, most,
                                         G_CONVERTER_INPUT_AT_END, &taken, n, NULL),
                    G_CONVERTER_FINISHED);
  return pixels;
}

static void
test_kitty_gets_the_slice_and_is_told_to_delete_it (void **state)
{
  GreyPicture *picture = grey_picture_new (PICTURE_KITTY);
  guint width, height;
  guint8 *grey = fit (picture, &width, &height);
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL, *deleted = NULL, *twice = NULL;
  g_autofree guint8 *pixels = NULL;
  const char *control;
  gsize n;

  paint (grey, width, height, 1);
  grey_picture_convert (picture);
  bytes = emit (picture, FALSE);
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  assert_non_null (strstr (text, "\033[4;6H"));
  pixels = decode_kitty (text, &control, (gsize) width * height * 3 + 1, &n);
  assert_int_equal (kitty_number (control, 's'), width);
  assert_int_equal (kitty_number (control, 'v'), height);
  assert_int_equal (kitty_number (control, 'c'), COLUMNS);
  assert_int_equal (kitty_number (control, 'r'), ROWS);
  assert_int_equal (kitty_number (control, 'f'), 24);
  assert_int_equal (n, (gsize) width * height * 3);
  for (gsize i = 0; i < (gsize) width * height; i++)
    {
      assert_int_equal (pixels[3 * i], grey[i]);
      assert_int_equal (pixels[3 * i + 1], grey[i]);
      assert_int_equal (pixels[3 * i + 2], grey[i]);
    }
  deleted = withdraw (picture);
  assert_non_null (strstr (deleted, "\033_Ga=d"));
  twice = withdraw (picture);
  assert_string_equal (twice, "");
  grey_picture_free (picture);
}

static void
test_graphics_behind_a_box_become_symbols (void **state)
{
  static const PictureKind kinds[] = { PICTURE_SIXEL, PICTURE_KITTY };

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      GreyPicture *picture = grey_picture_new (kinds[k]);
      guint width, height;
      guint8 *grey = fit (picture, &width, &height);
      cchar_t held;
      wchar_t text[CCHARW_MAX + 1] = { 0 };
      attr_t attributes;
      short pair;

      memset (grey, 200, width * height);
      grey_picture_convert (picture);
      grey_picture_show (picture, place, TRUE);
      mvin_wch (place.y + ROWS / 2, place.x + COLUMNS / 2, &held);
      getcchar (&held, text, &attributes, &pair, NULL);
      assert_int_equal (pair, theme_grey_pair (200, 200));
      grey_picture_free (picture);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_steps_show_each_picture_nearly_and_errors_do_not_add_up),
    cmocka_unit_test (test_what_has_not_changed_is_not_sent_again),
    cmocka_unit_test (test_what_lies_over_the_picture_stays_and_comes_back_when_it_goes),
    cmocka_unit_test (test_no_two_lines_are_alike_to_curses),
    cmocka_unit_test (test_sixel_is_the_slice_in_its_cells),
    cmocka_unit_test (test_a_withdrawn_sixel_is_drawn_over_by_curses),
    cmocka_unit_test (test_kitty_gets_the_slice_and_is_told_to_delete_it),
    cmocka_unit_test (test_graphics_behind_a_box_become_symbols),
  };

  return cmocka_run_group_tests (tests, start, stop);
}

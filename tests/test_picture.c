/* Pictures in the terminal and the Slices screen's layout: what needs no terminal. */
#include "slices_private.h"
#include "testing.h"

#include <math.h>
#include <string.h>

/* ---- what a terminal can do ---- */

static char **
environment (const char *term, const char *colorterm, const char *tmux)
{
  char **all = g_environ_setenv (NULL, "TERM", term, TRUE);

  if (colorterm != NULL)
    all = g_environ_setenv (all, "COLORTERM", colorterm, TRUE);
  if (tmux != NULL)
    all = g_environ_setenv (all, "TMUX", tmux, TRUE);
  return all;
}

static void
assert_kind (PictureTerminal terminal, const char *term, const char *colorterm, const char *tmux,
             PictureKind expected)
{
  g_auto (GStrv) all = environment (term, colorterm, tmux);

  assert_int_equal (grey_picture_kind (&terminal, all), expected);
}

static void
test_exact_greys_only_where_a_terminal_says_truecolor (void **state)
{
  const PictureTerminal able = { .wanted = GRAPHICS_AUTO, .greys = TRUE, .live = TRUE };

  assert_kind (able, "xterm-256color", "truecolor", NULL, PICTURE_EXACT);
  assert_kind (able, "xterm-256color", "24bit", NULL, PICTURE_EXACT);
  assert_kind (able, "xterm-256color", NULL, NULL, PICTURE_GREYS);
  assert_kind (able, "xterm-256color", "yes", NULL, PICTURE_GREYS);
  assert_kind ((PictureTerminal){ .wanted = GRAPHICS_SYMBOLS, .greys = TRUE, .live = TRUE },
               "xterm-256color", "truecolor", NULL, PICTURE_GREYS);
  assert_kind ((PictureTerminal){ .wanted = GRAPHICS_AUTO, .greys = TRUE }, "xterm-256color",
               "truecolor", NULL, PICTURE_GREYS);
}

static void
test_greys_are_written_beside_curses_where_colours_go_by_number (void **state)
{
  PictureTerminal terminal = { .greys = TRUE, .live = TRUE, .xterm = TRUE };

  assert_kind (terminal, "xterm-256color", NULL, NULL, PICTURE_INDEXED);
  assert_kind (terminal, "tmux-256color", "truecolor", "/tmp/tmux-0/default", PICTURE_INDEXED);
  assert_kind (terminal, "xterm-256color", "truecolor", NULL, PICTURE_EXACT);
  terminal.live = FALSE;
  assert_kind (terminal, "xterm-256color", NULL, NULL, PICTURE_GREYS);
  terminal = (PictureTerminal){ .live = TRUE, .xterm = TRUE };
  assert_kind (terminal, "xterm", NULL, NULL, PICTURE_SHADES);
}

static void
test_a_multiplexer_gets_symbols_whatever_is_asked_for (void **state)
{
  PictureTerminal terminal = { .greys = TRUE, .live = TRUE };

  for (Graphics wanted = GRAPHICS_AUTO; wanted <= GRAPHICS_KITTY; wanted++)
    {
      terminal.wanted = wanted;
      assert_kind (terminal, "screen-256color", "truecolor", NULL, PICTURE_GREYS);
      assert_kind (terminal, "tmux-256color", "truecolor", NULL, PICTURE_GREYS);
      assert_kind (terminal, "xterm-256color", "truecolor", "/tmp/tmux-0/default", PICTURE_GREYS);
    }
}

static void
test_graphics_are_drawn_only_on_request (void **state)
{
  PictureTerminal terminal = { .wanted = GRAPHICS_SIXEL, .greys = TRUE, .live = TRUE };

  assert_kind (terminal, "xterm-kitty", "truecolor", NULL, PICTURE_SIXEL);
  terminal.wanted = GRAPHICS_KITTY;
  assert_kind (terminal, "xterm-kitty", "truecolor", NULL, PICTURE_KITTY);
  terminal.wanted = GRAPHICS_AUTO;
  assert_kind (terminal, "xterm-kitty", NULL, NULL, PICTURE_GREYS);
}

static void
test_without_greys_there_are_shades_and_under_ascii_letters (void **state)
{
  assert_kind ((PictureTerminal){ .live = TRUE }, "vt100", NULL, NULL, PICTURE_SHADES);
  assert_kind ((PictureTerminal){ .ascii = TRUE, .greys = TRUE, .live = TRUE }, "xterm-256color",
               "truecolor", NULL, PICTURE_ASCII);
}

static void
test_cells_are_1_to_2_where_the_terminal_does_not_know (void **state)
{
  const struct winsize known = { 24, 80, 800, 480 }, unknown = { 24, 80, 0, 0 },
                       nonsense = { 24, 80, 80, 24 }, nothing = { 0 }, wide = { 24, 80, 800, 120 };
  PictureCellSize cell = grey_picture_cell_size (&known);

  assert_int_equal (cell.width_px, 10);
  assert_int_equal (cell.height_px, 20);
  for (guint i = 0; i < 4; i++)
    {
      const struct winsize *sizes[] = { &unknown, &nonsense, &nothing, &wide };

      cell = grey_picture_cell_size (sizes[i]);
      assert_int_equal (cell.height_px, 2 * cell.width_px);
    }
}

/* ---- greys to cells ---- */

/** The mean grey that a cell of block elements shows. */
static double
shown_grey (const PictureCell *cell)
{
  double share = 0.5; /* halves, and quarters two by two */

  if (cell->glyph == ' ')
    share = 0;
  else if (cell->glyph >= 0x2581 && cell->glyph <= 0x2588)
    share = (double) (cell->glyph - 0x2580) / 8;
  else if (cell->glyph >= 0x2589 && cell->glyph <= 0x258f)
    share = (double) (0x2590 - cell->glyph) / 8;
  return share * cell->foreground + (1 - share) * cell->background;
}

static void
test_an_even_picture_keeps_its_grey (void **state)
{
  GreyPicture *picture = grey_picture_new (PICTURE_GREYS);
  guint width, height;
  double aspect;
  guint8 *grey = grey_picture_fit (picture, 3, 2, &width, &height, &aspect);

  for (int level = 0; level < 256; level += 5)
    {
      memset (grey, level, width * height);
      grey_picture_convert (picture);
      assert_true (ABS (shown_grey (grey_picture_cell (picture, 1, 1)) - level) <= 1);
    }
  grey_picture_free (picture);
}

static void
test_halves_of_a_cell_keep_their_greys (void **state)
{
  GreyPicture *picture = grey_picture_new (PICTURE_EXACT);
  guint width, height;
  double aspect;
  guint8 *grey = grey_picture_fit (picture, 2, 1, &width, &height, &aspect);
  const PictureCell *cell;

  memset (grey, 40, width * height / 2);
  memset (grey + width * height / 2, 200, width * height / 2);
  grey_picture_convert (picture);
  cell = grey_picture_cell (picture, 0, 0);
  if (cell->glyph == 0x2580)
    {
      assert_in_range (cell->foreground, 39, 41);
      assert_in_range (cell->background, 199, 201);
    }
  else
    {
      assert_int_equal (cell->glyph, 0x2584);
      assert_in_range (cell->foreground, 199, 201);
      assert_in_range (cell->background, 39, 41);
    }
  grey_picture_free (picture);
}

static void
test_the_mark_is_in_one_cell_and_moves (void **state)
{
  GreyPicture *picture = grey_picture_new (PICTURE_SHADES);
  guint width, height;
  double aspect;

  grey_picture_fit (picture, 4, 3, &width, &height, &aspect);
  grey_picture_convert (picture);
  grey_picture_mark (picture, 0.5, 0.5);
  assert_true (grey_picture_cell (picture, 0, 0)->marked);
  grey_picture_mark (picture, width - 0.5, height - 0.5);
  assert_false (grey_picture_cell (picture, 0, 0)->marked);
  assert_true (grey_picture_cell (picture, 3, 2)->marked);
  grey_picture_mark (picture, width, 0); /* outside */
  grey_picture_mark (picture, NAN, NAN);
  for (int row = 0; row < 3; row++)
    for (int column = 0; column < 4; column++)
      assert_false (grey_picture_cell (picture, column, row)->marked);
  grey_picture_free (picture);
}

static gunichar
shade_of (guint8 top, guint8 bottom, gboolean ascii)
{
  guint8 grey[64];

  memset (grey, top, 32);
  memset (grey + 32, bottom, 32);
  return grey_picture_shade (grey, 8, ascii);
}

static void
test_shades_grow_with_the_grey (void **state)
{
  static const gunichar shades[] = { ' ', 0x2591, 0x2592, 0x2593, 0x2588 };
  guint at = 0, changes = 0;

  for (int level = 0; level < 256; level++)
    {
      const gunichar shade = shade_of ((guint8) level, (guint8) level, FALSE);

      if (shade == shades[at])
        continue;
      assert_int_equal (shade, shades[++at]);
      changes++;
    }
  assert_int_equal (changes, 4);
}

static void
test_shades_show_where_the_light_is (void **state)
{
  assert_int_equal (shade_of (255, 0, FALSE), 0x2580);
  assert_int_equal (shade_of (0, 255, FALSE), 0x2584);
  assert_int_equal (shade_of (255, 255, FALSE), 0x2588);
}

static void
test_ascii_is_ascii_and_grows_with_the_grey (void **state)
{
  /* Ink of each glyph, top and bottom together, as printed: from nothing to the fullest. */
  static const char ramp[] = " .-',:~\"_;^*=+xYoXP%#M@";
  gssize last = 0;

  for (int level = 0; level < 256; level++)
    {
      const gunichar glyph = shade_of ((guint8) level, (guint8) level, TRUE);
      const char *place;

      assert_in_range (glyph, 32, 126);
      place = strchr (ramp, (int) glyph);
      assert_non_null (place);
      assert_true (place - ramp >= last);
      last = place - ramp;
    }
  assert_int_equal (shade_of (0, 0, TRUE), ' ');
  assert_int_equal (shade_of (255, 255, TRUE), '@');
  assert_int_equal (shade_of (0, 110, TRUE), '_');
}

/* ---- the layout ---- */

static gboolean
is_inside (Area area, int height, int width)
{
  return area.height == 0 || area.width == 0
         || (area.y >= 0 && area.x >= 0 && area.height > 0 && area.width > 0
             && area.y + area.height <= height && area.x + area.width <= width);
}

static gboolean
overlap (Area a, Area b)
{
  return a.height > 0 && a.width > 0 && b.height > 0 && b.width > 0 && a.y < b.y + b.height
         && b.y < a.y + a.height && a.x < b.x + b.width && b.x < a.x + a.width;
}

static void
test_the_layout_fits_every_size (void **state)
{
  for (int height = 0; height <= 100; height++)
    for (int width = 0; width <= 300; width++)
      {
        const SlicesLayout layout = slices_layout (height, width);
        const Area areas[] = { layout.head, layout.frame, layout.scale, layout.status,
                               layout.pane };

        for (guint i = 0; i < G_N_ELEMENTS (areas); i++)
          {
            assert_true (is_inside (areas[i], height, width));
            for (guint k = 0; k < i; k++)
              assert_false (overlap (areas[i], areas[k]));
          }
        assert_true (is_inside (layout.picture, height, width));
        if (height >= 8 && width >= 20)
          assert_true (layout.picture.height >= height - 4 && layout.picture.width > 8);
      }
}

static void
test_the_usual_sizes_have_room_for_all (void **state)
{
  static const int sizes[][2] = { { 22, 80 }, { 38, 120 }, { 58, 200 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      const SlicesLayout layout = slices_layout (sizes[i][0], sizes[i][1]);

      assert_true (layout.pane.width >= 27);
      assert_true (layout.scale.height > 0);
      /* A square slice in cells of 1 to 2 is as high as the picture. */
      assert_true (layout.picture.width >= 2 * layout.picture.height);
    }
}

static void
test_png_names_tell_volume_axis_and_slice (void **state)
{
  g_autofree char *record = slices_png_name ("train_1_a_1.nii.gz", VOLUME_AXIS_AXIAL, 119);
  g_autofree char *file = slices_png_name ("/data/scan.nii", VOLUME_AXIS_CORONAL, 0);

  assert_string_equal (record, "train_1_a_1_axial_120.png");
  assert_string_equal (file, "scan_coronal_1.png");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_exact_greys_only_where_a_terminal_says_truecolor),
    cmocka_unit_test (test_greys_are_written_beside_curses_where_colours_go_by_number),
    cmocka_unit_test (test_a_multiplexer_gets_symbols_whatever_is_asked_for),
    cmocka_unit_test (test_graphics_are_drawn_only_on_request),
    cmocka_unit_test (test_without_greys_there_are_shades_and_under_ascii_letters),
    cmocka_unit_test (test_cells_are_1_to_2_where_the_terminal_does_not_know),
    cmocka_unit_test (test_an_even_picture_keeps_its_grey),
    cmocka_unit_test (test_halves_of_a_cell_keep_their_greys),
    cmocka_unit_test (test_the_mark_is_in_one_cell_and_moves),
    cmocka_unit_test (test_shades_grow_with_the_grey),
    cmocka_unit_test (test_shades_show_where_the_light_is),
    cmocka_unit_test (test_ascii_is_ascii_and_grows_with_the_grey),
    cmocka_unit_test (test_the_layout_fits_every_size),
    cmocka_unit_test (test_the_usual_sizes_have_room_for_all),
    cmocka_unit_test (test_png_names_tell_volume_axis_and_slice),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

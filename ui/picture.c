#include "picture_private.h"

#include <string.h>
#include <unistd.h>

/* chafa's symbols are 8 by 8 pixels; with that many it needs no scaling. */
#define SYMBOL_PX 8

#define SIXEL_ROWS 6
#define NO_BREAK_SPACE 0xa0

/* Two greys that are no further apart look like one, which takes fewer bytes. */
#define FAINT 4

/* Within 2 % of the best fit of two greys and a block to every cell, in half of the time. */
#define WORK_FACTOR 0.3f

/* ---- what the terminal can do ---- */

static gboolean
says (char **environment, const char *name, const char *value)
{
  return g_strcmp0 (g_environ_getenv (environment, name), value) == 0;
}

/** tmux and screen pass on what they know of, which is not this. */
static gboolean
in_multiplexer (char **environment)
{
  const char *term = g_environ_getenv (environment, "TERM");

  return g_environ_getenv (environment, "TMUX") != NULL
         || g_environ_getenv (environment, "STY") != NULL
         || (term != NULL
             && (g_str_has_prefix (term, "screen") || g_str_has_prefix (term, "tmux")));
}

PictureKind
grey_picture_kind (const PictureTerminal *terminal, char **environment)
{
  const gboolean direct = terminal->live && !in_multiplexer (environment);

  if (direct && terminal->wanted == GRAPHICS_SIXEL)
    return PICTURE_SIXEL;
  if (direct && terminal->wanted == GRAPHICS_KITTY)
    return PICTURE_KITTY;
  if (terminal->ascii)
    return PICTURE_ASCII;
  if (!terminal->greys)
    return PICTURE_SHADES;
  if (direct && terminal->wanted == GRAPHICS_AUTO
      && (says (environment, "COLORTERM", "truecolor") || says (environment, "COLORTERM", "24bit")))
    return PICTURE_EXACT;
  return terminal->live && terminal->xterm ? PICTURE_INDEXED : PICTURE_GREYS;
}

PictureCellSize
grey_picture_cell_size (const struct winsize *size)
{
  PictureCellSize cell = { 8, 16 };
  PictureCellSize told;

  if (size->ws_col == 0 || size->ws_row == 0)
    return cell;
  told = (PictureCellSize){ size->ws_xpixel / size->ws_col, size->ws_ypixel / size->ws_row };
  /* Some terminals tell nonsense; no font is wider than high, or four times as high. */
  if (told.width_px >= 4 && told.height_px >= told.width_px && told.height_px <= 4 * told.width_px)
    cell = told;
  return cell;
}

static PictureCellSize
ask_cell_size (void)
{
  struct winsize size = { 0 };

  if (!isatty (STDOUT_FILENO) || ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    size = (struct winsize){ 0 };
  return grey_picture_cell_size (&size);
}

/* ---- chafa ---- */

gboolean
grey_picture_is_graphics (const GreyPicture *picture)
{
  return picture->kind == PICTURE_SIXEL || picture->kind == PICTURE_KITTY;
}

static ChafaCanvas *
make_canvas (const GreyPicture *picture)
{
  ChafaCanvasConfig *config = chafa_canvas_config_new ();
  ChafaSymbolMap *symbols = chafa_symbol_map_new ();
  ChafaCanvas *canvas;

  chafa_symbol_map_add_by_tags (symbols, CHAFA_SYMBOL_TAG_SPACE | CHAFA_SYMBOL_TAG_SOLID
                                             | CHAFA_SYMBOL_TAG_BLOCK | CHAFA_SYMBOL_TAG_HALF
                                             | CHAFA_SYMBOL_TAG_QUAD);
  chafa_canvas_config_set_symbol_map (config, symbols);
  chafa_canvas_config_set_geometry (config, picture->columns, picture->rows);
  chafa_canvas_config_set_canvas_mode (config, CHAFA_CANVAS_MODE_TRUECOLOR);
  chafa_canvas_config_set_dither_mode (config, CHAFA_DITHER_MODE_NONE);
  chafa_canvas_config_set_preprocessing_enabled (config, FALSE); /* greys mean HU */
  chafa_canvas_config_set_work_factor (config, WORK_FACTOR);
  if (picture->kind == PICTURE_SIXEL)
    {
      chafa_canvas_config_set_pixel_mode (config, CHAFA_PIXEL_MODE_SIXELS);
      chafa_canvas_config_set_cell_geometry (config, picture->cell.width_px,
                                             picture->cell.height_px);
    }
  canvas = chafa_canvas_new (config);
  chafa_symbol_map_unref (symbols);
  chafa_canvas_config_unref (config);
  return canvas;
}

static void
forget_size (GreyPicture *picture)
{
  g_clear_pointer (&picture->canvas, chafa_canvas_unref);
  g_clear_pointer (&picture->grey, g_free);
  g_clear_pointer (&picture->rgba, g_free);
  g_clear_pointer (&picture->cells, g_free);
  g_clear_pointer (&picture->emitted, g_free);
  picture->mark = NULL;
  picture->known = FALSE;
}

GreyPicture *
grey_picture_new (PictureKind kind)
{
  GreyPicture *picture = g_new0 (GreyPicture, 1);

#ifdef __SANITIZE_THREAD__
  chafa_set_n_threads (1); /* it does not see the locks of GLib's thread pool */
#endif
  picture->kind = kind;
  /* When a key waits, curses leaves the rest of a refresh for the next one: over the picture. */
  if (kind >= PICTURE_INDEXED)
    typeahead (-1);
  return picture;
}

void
grey_picture_free (GreyPicture *picture)
{
  forget_size (picture);
  g_clear_pointer (&picture->stand_in, grey_picture_free);
  g_free (picture);
}

static void
resize (GreyPicture *picture, int columns, int rows, PictureCellSize cell)
{
  const gboolean graphics = grey_picture_is_graphics (picture);
  gsize n_cells = (gsize) columns * (gsize) rows, n_pixels;

  forget_size (picture);
  picture->columns = columns;
  picture->rows = rows;
  picture->cell = cell;
  picture->width = (guint) (columns * (graphics ? cell.width_px : SYMBOL_PX));
  picture->height = (guint) (rows * (graphics ? cell.height_px : SYMBOL_PX));
  /* Sixels come six above each other; what is left over of a line would be scaled. */
  if (picture->kind == PICTURE_SIXEL)
    picture->height = MAX (picture->height / SIXEL_ROWS, 1) * SIXEL_ROWS;
  n_pixels = (gsize) picture->width * picture->height;
  picture->grey = g_new0 (guint8, n_pixels);
  picture->cells = g_new0 (PictureCell, n_cells);
  picture->emitted = g_new0 (PictureCell, n_cells);
  if (picture->kind >= PICTURE_GREYS)
    picture->rgba = g_new (guint8, 4 * n_pixels);
  if (picture->kind >= PICTURE_GREYS && picture->kind != PICTURE_KITTY)
    picture->canvas = make_canvas (picture);
}

guint8 *
grey_picture_fit (GreyPicture *picture, int columns, int rows, guint *width, guint *height,
                  double *aspect)
{
  const PictureCellSize cell = ask_cell_size ();

  if (columns != picture->columns || rows != picture->rows
      || memcmp (&cell, &picture->cell, sizeof cell) != 0)
    resize (picture, columns, rows, cell);
  *width = picture->width;
  *height = picture->height;
  *aspect = grey_picture_is_graphics (picture) ? 1 : (double) cell.height_px / cell.width_px;
  return picture->grey;
}

/* ---- pixels to cells ---- */

static void
fill_rgba (GreyPicture *picture)
{
  const gsize n = (gsize) picture->width * picture->height;
  guint8 *rgba = picture->rgba;

  for (gsize i = 0; i < n; i++, rgba += 4)
    {
      rgba[0] = rgba[1] = rgba[2] = picture->grey[i];
      rgba[3] = 255;
    }
}

static void
draw_on_canvas (GreyPicture *picture)
{
  chafa_canvas_draw_all_pixels (picture->canvas, CHAFA_PIXEL_RGBA8_UNASSOCIATED, picture->rgba,
                                (gint) picture->width, (gint) picture->height,
                                (gint) picture->width * 4);
}

/** A cell as chafa made it; its colours are greys, so that one channel tells. */
static PictureCell
read_cell (const GreyPicture *picture, int column, int row)
{
  gint foreground, background;
  PictureCell cell = { .glyph = chafa_canvas_get_char_at (picture->canvas, column, row) };

  chafa_canvas_get_raw_colors_at (picture->canvas, column, row, &foreground, &background);
  cell.foreground = (guint8) (foreground & 0xff);
  cell.background = (guint8) (background & 0xff);
  if (foreground < 0 || cell.glyph == 0)
    cell.glyph = ' ';
  if (background < 0)
    cell.background = 0;
  if (cell.glyph != ' ' && ABS (cell.foreground - cell.background) <= FAINT)
    {
      cell.glyph = ' ';
      cell.background = (guint8) ((cell.foreground + cell.background + 1) / 2);
    }
  if (cell.glyph == ' ')
    cell.foreground = cell.background;
  return cell;
}

static PictureCell
shade_cell (const GreyPicture *picture, int column, int row)
{
  const guint8 *grey =
      picture->grey + (gsize) row * SYMBOL_PX * picture->width + (gsize) column * SYMBOL_PX;

  return (PictureCell){ .glyph = grey_picture_shade (grey, picture->width,
                                                     picture->kind == PICTURE_ASCII),
                        .foreground = 255 };
}

void
grey_picture_convert (GreyPicture *picture)
{
  PictureCell *cell = picture->cells;

  picture->fresh = TRUE;
  picture->mark = NULL;
  if (picture->rgba != NULL)
    fill_rgba (picture);
  if (picture->canvas != NULL)
    draw_on_canvas (picture);
  if (grey_picture_is_graphics (picture))
    return;
  for (int row = 0; row < picture->rows; row++)
    for (int column = 0; column < picture->columns; column++, cell++)
      *cell = picture->canvas != NULL ? read_cell (picture, column, row)
                                      : shade_cell (picture, column, row);
}

/** A cross in the pixels themselves, white with a black edge. */
static void
mark_pixels (GreyPicture *picture, int x, int y)
{
  const int arm = picture->cell.height_px / 2;

  for (int along = -arm; along <= arm; along++)
    for (int across = -1; across <= 1; across++)
      for (int turn = 0; turn < 2; turn++)
        {
          const int px = x + (turn ? across : along), py = y + (turn ? along : across);
          const gboolean core = across == 0 || ABS (along) <= 1;

          if (px >= 0 && py >= 0 && px < (int) picture->width && py < (int) picture->height)
            memset (picture->rgba + 4 * ((gsize) py * picture->width + (gsize) px), core ? 255 : 0,
                    3);
        }
}

void
grey_picture_mark (GreyPicture *picture, double x_px, double y_px)
{
  const gboolean inside = x_px >= 0 && y_px >= 0 && x_px < picture->width && y_px < picture->height;

  picture->fresh = TRUE;
  if (grey_picture_is_graphics (picture))
    {
      fill_rgba (picture);
      if (inside)
        mark_pixels (picture, (int) x_px, (int) y_px);
      if (picture->canvas != NULL)
        draw_on_canvas (picture);
      return;
    }
  if (picture->mark != NULL)
    picture->mark->marked = FALSE;
  picture->mark =
      inside ? &picture->cells[(int) y_px / SYMBOL_PX * picture->columns + (int) x_px / SYMBOL_PX]
             : NULL;
  if (inside)
    picture->mark->marked = TRUE;
}

const PictureCell *
grey_picture_cell (const GreyPicture *picture, int column, int row)
{
  return &picture->cells[row * picture->columns + column];
}

/* ---- through curses ---- */

/** The pair of a picture without greys: white on black where there are colours at all, so that
 * bright is bright on light terminals too. */
static int
shade_pair (void)
{
  short pair;
  int grey = theme_grey_pair (255, 0);

  theme_attributes (ROLE_NORMAL, &pair);
  if (pair == 0)
    return 0;
  return grey >= 0 ? grey : MAX (alloc_pair (COLOR_WHITE, COLOR_BLACK), 0);
}

/* Where the lines of a pane beside the picture move up or down, curses would scroll whole lines,
 * and what it does not know of with them. Two kinds of blanks, the binary digits of the line's
 * number, keep lines from being alike. */
gunichar
picture_blank (int y, int column)
{
  return !theme_ascii () && column < 16 && y >> column & 1 ? NO_BREAK_SPACE : ' ';
}

static void
put_cell (int y, int x, gunichar glyph, attr_t attributes, int pair)
{
  const wchar_t text[2] = { (wchar_t) glyph, 0 };
  cchar_t character;

  setcchar (&character, text, attributes, 0, &pair);
  mvadd_wch (y, x, &character);
}

/** The pixels of graphics in as many as the symbols of the same cells have. */
static void
shrink (const GreyPicture *picture, guint8 *grey, guint width, guint height)
{
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++)
      {
        const guint top = y * picture->height / height, left = x * picture->width / width;
        const guint bottom = MAX ((y + 1) * picture->height / height, top + 1);
        const guint right = MAX ((x + 1) * picture->width / width, left + 1);
        guint sum = 0;

        for (guint from_y = top; from_y < bottom; from_y++)
          for (guint from_x = left; from_x < right; from_x++)
            sum += picture->grey[(gsize) from_y * picture->width + from_x];
        grey[(gsize) y * width + x] = (guint8) (sum / ((bottom - top) * (right - left)));
      }
}

static void
show_stand_in (GreyPicture *picture, Area area)
{
  const PictureKind kind = theme_ascii ()                  ? PICTURE_ASCII
                           : theme_grey_pair (255, 0) >= 0 ? PICTURE_GREYS
                                                           : PICTURE_SHADES;
  guint width, height;
  double aspect;
  guint8 *grey;

  if (picture->stand_in == NULL)
    picture->stand_in = grey_picture_new (kind);
  grey = grey_picture_fit (picture->stand_in, picture->columns, picture->rows, &width, &height,
                           &aspect);
  shrink (picture, grey, width, height);
  grey_picture_convert (picture->stand_in);
  grey_picture_show (picture->stand_in, area, TRUE);
}

/** A cell of the kinds that curses shows. */
static void
show_cell (const GreyPicture *picture, const PictureCell *cell, int y, int x, int shade)
{
  short pair;
  attr_t attributes;

  if (!cell->marked)
    {
      put_cell (y, x, cell->glyph, A_NORMAL,
                picture->kind == PICTURE_GREYS
                    ? theme_grey_pair (cell->foreground, cell->background)
                    : shade);
      return;
    }
  attributes = theme_attributes (ROLE_MATCH, &pair);
  put_cell (y, x, '+', attributes, pair);
}

void
grey_picture_show (GreyPicture *picture, Area area, gboolean covered)
{
  const gboolean beside = picture->kind >= PICTURE_INDEXED;
  const int shade = picture->kind < PICTURE_GREYS ? shade_pair () : 0;
  const int black = beside ? MAX (theme_grey_pair (0, 0), 0) : 0;

  if (covered && grey_picture_is_graphics (picture))
    {
      grey_picture_withdraw (picture);
      show_stand_in (picture, area);
      return;
    }
  for (int row = 0; row < MIN (picture->rows, area.height); row++)
    for (int column = 0; column < MIN (picture->columns, area.width); column++)
      if (beside)
        put_cell (area.y + row, area.x + column, picture_blank (row, column), A_NORMAL, black);
      else
        show_cell (picture, grey_picture_cell (picture, column, row), area.y + row, area.x + column,
                   shade);
}

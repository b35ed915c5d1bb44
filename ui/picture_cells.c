/* Cells as bytes: of all the ways to show a cell nearly as it should be, one that takes few.
 *
 * A cell that is left as it is costs nothing, one in the colours that are set its glyph, a new
 * colour eleven bytes and more. So each cell takes the way with the least squared error of its
 * pixels + BYTE_WORTH for each byte. Errors do not add up from slice to slice: what is on the
 * terminal is known, and each cell is compared with that.
 */
#include "picture_private.h"

#include <string.h>

#define N_PIXELS 64 /* of a block element, 8 by 8 */
#define FULL_BLOCK 0x2588
#define MASK_FULL G_MAXUINT64

/* Mean squared error, in greys of 255, that one byte may save. The greys of 256 colours are 10
 * apart and 3 off on average; a colour of 11 bytes is spared where the cell is then 2 more off. */
#define BYTE_WORTH 0.5

/* The theme's look of what a search found, as in curses. */
#define MARK "\033[38;5;16;48;5;214m+"

/** What the terminal was told last; -1: not known. */
typedef struct
{
  GString *out;
  gboolean exact; /* any grey, else those of 256 colours */
  int foreground, background;
  int row, column; /* of the picture */
} Pen;

/** One way to show a cell. */
typedef struct
{
  PictureCell cell;
  double cost;
  gboolean left; /* as it is */
} Way;

/* ---- block elements ---- */

#define UPPER 0x00000000ffffffffull
#define LEFT 0x0f0f0f0f0f0f0f0full

/** The pixels of a glyph's ink: bit 8 y + x. */
static guint64
glyph_mask (gunichar glyph)
{
  static const guint64 quarters[4] = { UPPER & LEFT, UPPER & ~LEFT, ~UPPER & LEFT, ~UPPER & ~LEFT };
  static const guint8 quadrants[] = { 4, 8, 1, 13, 9, 7, 11, 2, 6, 14 }; /* from U+2596 on */
  guint64 mask = 0;

  if (glyph == 0x2580)
    return UPPER;
  if (glyph > 0x2580 && glyph <= FULL_BLOCK)
    return MASK_FULL << 8 * (FULL_BLOCK - glyph);
  if (glyph > FULL_BLOCK && glyph < 0x2590)
    return 0x0101010101010101ull * ((1u << (0x2590 - glyph)) - 1);
  if (glyph == 0x2590)
    return ~LEFT;
  if (glyph == 0x2594)
    return 0xff;
  if (glyph == 0x2595)
    return 0x8080808080808080ull;
  if (glyph >= 0x2596 && glyph <= 0x259f)
    for (guint i = 0; i < G_N_ELEMENTS (quarters); i++)
      if (quadrants[glyph - 0x2596] >> i & 1)
        mask |= quarters[i];
  return mask;
}

/** The glyph whose ink is the other one's paper; 0: there is none. */
static gunichar
complement (gunichar glyph)
{
  static const gunichar quadrants[] = { 0x259c, 0x259b, 0x259f, 0x259d, 0x259e,
                                        0x2597, 0x2596, 0x2599, 0x259a, 0x2598 };

  switch (glyph)
    {
    case 0x2580:
      return 0x2584;
    case 0x2584:
      return 0x2580;
    case 0x258c:
      return 0x2590;
    case 0x2590:
      return 0x258c;
    case 0x2587:
      return 0x2594;
    case 0x2594:
      return 0x2587;
    case 0x2589:
      return 0x2595;
    case 0x2595:
      return 0x2589;
    default:
      return glyph >= 0x2596 && glyph <= 0x259f ? quadrants[glyph - 0x2596] : 0;
    }
}

static int
ink_of (guint64 mask)
{
  return __builtin_popcountll (mask);
}

/** The mean squared difference of the pixels of two cells; @masks: of their glyphs. */
static double
difference (const PictureCell *a, guint64 a_mask, const PictureCell *b, guint64 b_mask)
{
  double sum = 0;

  for (int i = 0; i < 4; i++)
    {
      const guint64 where = (i & 1 ? a_mask : ~a_mask) & (i & 2 ? b_mask : ~b_mask);
      const int apart =
          (i & 1 ? a->foreground : a->background) - (i & 2 ? b->foreground : b->background);

      sum += (double) apart * apart * ink_of (where);
    }
  return sum / N_PIXELS;
}

/* ---- what is told to the terminal ---- */

static guint8
shown_grey (const Pen *pen, int grey)
{
  guint8 shown = (guint8) grey;

  if (!pen->exact)
    theme_grey_colour (shown, &shown);
  return shown;
}

/** How many bytes a colour takes, with its ESC [ and m or its semicolon. */
static int
colour_bytes (const Pen *pen)
{
  return pen->exact ? 17 : 11;
}

static void
append_colour (const Pen *pen, int ground, guint8 grey)
{
  guint8 shown;

  if (pen->exact)
    g_string_append_printf (pen->out, "%d;2;%d;%d;%d", ground, grey, grey, grey);
  else
    g_string_append_printf (pen->out, "%d;5;%d", ground, theme_grey_colour (grey, &shown));
}

static void
set_colours (Pen *pen, const PictureCell *cell)
{
  const gboolean front = cell->glyph != ' ' && cell->foreground != pen->foreground;
  const gboolean back = cell->glyph != FULL_BLOCK && cell->background != pen->background;

  if (!front && !back)
    return;
  g_string_append (pen->out, "\033[");
  if (front)
    append_colour (pen, 38, cell->foreground);
  if (front && back)
    g_string_append_c (pen->out, ';');
  if (back)
    append_colour (pen, 48, cell->background);
  g_string_append_c (pen->out, 'm');
  if (front)
    pen->foreground = cell->foreground;
  if (back)
    pen->background = cell->background;
}

static void
go_to (Pen *pen, Area area, int row, int column)
{
  if (pen->row != row || pen->column > column)
    g_string_append_printf (pen->out, "\033[%d;%dH", area.y + row + 1, area.x + column + 1);
  else if (column - pen->column == 1)
    g_string_append (pen->out, "\033[C");
  else if (column > pen->column)
    g_string_append_printf (pen->out, "\033[%dC", column - pen->column);
  pen->row = row;
  pen->column = column;
}

static void
put (Pen *pen, Area area, int row, int column, const PictureCell *cell)
{
  go_to (pen, area, row, column);
  if (cell->marked)
    {
      g_string_append (pen->out, MARK);
      pen->foreground = pen->background = -1;
    }
  else
    {
      set_colours (pen, cell);
      g_string_append_unichar (pen->out, cell->glyph);
    }
  pen->column++;
}

/* ---- ways to show a cell ---- */

/** Take this way where it costs less than the best so far. */
static void
consider (const Pen *pen, const PictureCell *wanted, guint64 wanted_mask, gunichar glyph,
          int foreground, int background, Way *best)
{
  Way way = { .cell = { glyph, (guint8) foreground, (guint8) background, FALSE } };
  const gboolean front = glyph != ' ', back = glyph != FULL_BLOCK;
  int bytes = front ? 3 : 1;

  if ((front && foreground < 0) || (back && background < 0))
    return;
  if (front && foreground != pen->foreground)
    bytes += colour_bytes (pen);
  if (back && background != pen->background)
    bytes += colour_bytes (pen);
  way.cost = difference (wanted, wanted_mask, &way.cell, glyph_mask (glyph)) + BYTE_WORTH * bytes;
  if (way.cost < best->cost)
    *best = way;
}

/** In the two greys that it wants, in those that are set, or in one of each. */
static void
consider_colours (const Pen *pen, const PictureCell *wanted, guint64 wanted_mask, gunichar glyph,
                  int foreground, int background, Way *best)
{
  const int fronts[] = { shown_grey (pen, foreground), pen->foreground };
  const int backs[] = { shown_grey (pen, background), pen->background };

  for (guint i = 0; i < G_N_ELEMENTS (fronts); i++)
    for (guint k = 0; k < G_N_ELEMENTS (backs); k++)
      consider (pen, wanted, wanted_mask, glyph, fronts[i], backs[k], best);
}

/** @there: (nullable) what the terminal shows, as far as that is known */
static Way
best_way (const Pen *pen, const PictureCell *wanted, const PictureCell *there)
{
  const guint64 mask = glyph_mask (wanted->glyph);
  const int ink = ink_of (mask);
  const int mean =
      (wanted->foreground * ink + wanted->background * (N_PIXELS - ink) + N_PIXELS / 2) / N_PIXELS;
  const gunichar other = complement (wanted->glyph);
  Way best = { .cost = G_MAXDOUBLE };

  if (there != NULL && !there->marked)
    best = (Way){ *there, difference (wanted, mask, there, glyph_mask (there->glyph)), TRUE };
  consider_colours (pen, wanted, mask, ' ', mean, mean, &best);
  consider_colours (pen, wanted, mask, FULL_BLOCK, mean, mean, &best);
  if (ink > 0 && ink < N_PIXELS)
    consider_colours (pen, wanted, mask, wanted->glyph, wanted->foreground, wanted->background,
                      &best);
  if (other != 0)
    consider_colours (pen, wanted, mask, other, wanted->background, wanted->foreground, &best);
  return best;
}

/** Whether curses holds the picture's blank there: not where a box lies over it. */
static gboolean
is_free (Area area, int row, int column)
{
  cchar_t held;
  wchar_t text[CCHARW_MAX + 1] = { 0 };
  attr_t attributes;
  short pair = 0;

  return mvin_wch (area.y + row, area.x + column, &held) == OK
         && getcchar (&held, text, &attributes, &pair, NULL) == OK
         && (gunichar) text[0] == picture_blank (row, column) && pair == theme_grey_pair (0, 0);
}

void
picture_append_cells (GreyPicture *picture, Area area, gboolean everything, GString *out)
{
  Pen pen = { .out = out,
              .exact = picture->kind == PICTURE_EXACT,
              .foreground = -1,
              .background = -1,
              .row = -1 };

  for (int row = 0; row < MIN (picture->rows, area.height); row++)
    for (int column = 0; column < MIN (picture->columns, area.width); column++)
      {
        const PictureCell *wanted = grey_picture_cell (picture, column, row);
        PictureCell *there = &picture->emitted[row * picture->columns + column];
        const gboolean known = !everything && there->glyph != 0;

        if (!is_free (area, row, column))
          there->glyph = 0;
        else if (known && !picture->fresh)
          continue;
        else if (wanted->marked)
          {
            if (!known || !there->marked)
              put (&pen, area, row, column, wanted);
            *there = *wanted;
          }
        else
          {
            const Way way = best_way (&pen, wanted, known ? there : NULL);

            if (!way.left)
              put (&pen, area, row, column, &way.cell);
            *there = way.cell;
          }
      }
}

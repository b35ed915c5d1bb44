/**
 * picture.h: a grey picture in the terminal.
 *
 * As symbols: chafa's block elements in two greys each, or without greys shades and blocks, or
 * ASCII characters. Curses shows them where there is no terminal or one without greys; else they
 * (or sixel, or kitty's graphics) are written after curses is done, and curses holds black cells
 * there: curses takes more bytes, and knows 256 colours at most.
 * Only the UI thread uses it.
 */
#pragma once

#include "app.h"

#include <sys/ioctl.h>

typedef enum
{
  PICTURE_ASCII,
  PICTURE_SHADES,  /* no greys: shades and blocks */
  PICTURE_GREYS,   /* 256 colours, through curses */
  PICTURE_INDEXED, /* 256 colours, beside curses: in half as many bytes */
  PICTURE_EXACT,   /* truecolor, beside curses */
  PICTURE_SIXEL,
  PICTURE_KITTY,
} PictureKind;

/** What a terminal is able to do, as far as pictures need it. */
typedef struct
{
  Graphics wanted;
  gboolean ascii; /* nothing but ASCII may be drawn */
  gboolean greys; /* curses has the greys of 256 colours */
  gboolean live;  /* there is a terminal that can be written to */
  gboolean xterm; /* it takes colours by number as xterm does */
} PictureTerminal;

/** grey_picture_kind: the best there is. @environment: as from g_get_environ(). Pure. */
PictureKind grey_picture_kind (const PictureTerminal *terminal, char **environment);

/** Pixels of one character cell. */
typedef struct
{
  int width_px, height_px;
} PictureCellSize;

/** grey_picture_cell_size: from what TIOCGWINSZ says; where it does not know the pixels, or tells
 * nonsense, cells are twice as high as wide. Pure. */
PictureCellSize grey_picture_cell_size (const struct winsize *size);

/** One character cell: a glyph, and two greys, 0 to 255. */
typedef struct
{
  gunichar glyph;
  guint8 foreground, background;
  gboolean marked; /* the cursor is here */
} PictureCell;

/**
 * grey_picture_shade: a cell of a picture without greys.
 *
 * @grey: its 8 × 8 pixels, @stride bytes from row to row
 */
gunichar grey_picture_shade (const guint8 *grey, gsize stride, gboolean ascii);

typedef struct _GreyPicture GreyPicture;

GreyPicture *grey_picture_new (PictureKind kind);
void grey_picture_free (GreyPicture *picture);

/** grey_picture_is_graphics: pixels instead of characters; they hide what lies over them. */
gboolean grey_picture_is_graphics (const GreyPicture *picture);

/**
 * grey_picture_fit: the size in cells that it is about to have; both > 0.
 *
 * @width, @height: (out) pixels to be drawn
 * @aspect: (out) a pixel's height by its width
 *
 * Returns the pixels, row by row, for the caller to fill before grey_picture_convert().
 */
guint8 *grey_picture_fit (GreyPicture *picture, int columns, int rows, guint *width, guint *height,
                          double *aspect);

/** grey_picture_convert: make cells of the pixels. */
void grey_picture_convert (GreyPicture *picture);

/** grey_picture_mark: move the cursor's mark to where this pixel is; nowhere where that is outside.
 * grey_picture_convert() takes it away. */
void grey_picture_mark (GreyPicture *picture, double x_px, double y_px);

const PictureCell *grey_picture_cell (const GreyPicture *picture, int column, int row);

/**
 * grey_picture_show: through curses; only black cells where grey_picture_emit() will write.
 *
 * @covered: a box is about to be drawn over it; graphics, which would hide the box, become symbols
 */
void grey_picture_show (GreyPicture *picture, Area area, gboolean covered);

/**
 * grey_picture_emit: after curses has written; what has changed since the last time, or everything.
 *
 * Leaves out what something else lies over. Does nothing for the kinds that curses shows.
 */
void grey_picture_emit (GreyPicture *picture, Area area, gboolean everything);

/** grey_picture_withdraw: graphics are about to be replaced by something else. */
void grey_picture_withdraw (GreyPicture *picture);

/**
 * picture_private.h: a picture's inside, for the files that make it up.
 */
#pragma once

#include "picture.h"

#include <chafa.h>

struct _GreyPicture
{
  PictureKind kind;
  int columns, rows;
  PictureCellSize cell; /* of the terminal */
  guint width, height;  /* pixels */
  guint8 *grey;         /* width * height */
  guint8 *rgba;        /* the same for chafa, which distorts RGB8 whose rows are no multiple of 4 */
  PictureCell *cells;  /* columns * rows */
  PictureCell *mark;   /* (nullable) the one of them that is marked */
  ChafaCanvas *canvas; /* (nullable) for shades and ASCII */
  gboolean fresh;      /* converted, but not yet emitted */

  /* what is on the terminal beside curses */
  PictureCell *emitted; /* columns * rows, where known; glyph 0: something lies over it */
  Area emitted_area;
  gboolean known;

  GreyPicture *stand_in; /* (nullable) symbols for graphics that something lies over */
};

/** picture_blank: what curses holds where the picture is written beside it. */
gunichar picture_blank (int row, int column);

/** picture_append_cells: what makes the terminal show the cells, nearly, and notes what it shows
 * then; cells that curses has something else in are left out. */
void picture_append_cells (GreyPicture *picture, Area area, gboolean everything, GString *out);

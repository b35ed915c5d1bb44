/* What goes to the terminal beside curses: exact greys, sixel, kitty's graphics. */
#include "picture_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* The cursor and the colours stay as curses knows them. */
#define SAVE "\0337"
#define RESTORE "\0338"

/* kitty keeps pictures until they are deleted. */
#define KITTY_DELETE "\033_Ga=d,q=2\033\\"

/* The theme's look of what a search found, as in curses. */
#define MARK "\033[38;5;16;48;5;214m+"

static void
write_all (const char *bytes, gsize n)
{
  while (n > 0)
    {
      gssize written = write (STDOUT_FILENO, bytes, n);

      if (written > 0)
        {
          bytes += written;
          n -= (gsize) written;
        }
      else if (errno == EAGAIN)
        poll (&(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1, -1);
      else if (errno != EINTR)
        return; /* the terminal is gone; its signal tells */
    }
}

static void
append_place (GString *out, Area area, int column, int row)
{
  g_string_append_printf (out, "\033[%d;%dH", area.y + row + 1, area.x + column + 1);
}

static gboolean
same_cell (const PictureCell *a, const PictureCell *b)
{
  return a->glyph == b->glyph && a->foreground == b->foreground && a->background == b->background
         && a->marked == b->marked;
}

/** Rows of cells; a cell that is there already is left out, and colours that are set stay set. */
static void
append_cells (GString *out, const GreyPicture *picture, Area area, gboolean everything)
{
  int foreground = -1, background = -1;

  for (int row = 0; row < MIN (picture->rows, area.height); row++)
    {
      int at = -1; /* the column that the terminal's cursor is in */

      for (int column = 0; column < MIN (picture->columns, area.width); column++)
        {
          const PictureCell *cell = grey_picture_cell (picture, column, row);

          if (!everything && same_cell (cell, &picture->emitted[row * picture->columns + column]))
            continue;
          if (at != column)
            append_place (out, area, column, row);
          at = column + 1;
          if (cell->marked)
            {
              g_string_append (out, MARK);
              foreground = background = -1;
              continue;
            }
          if (cell->background != background)
            g_string_append_printf (out, "\033[48;2;%d;%d;%dm", cell->background, cell->background,
                                    cell->background);
          if (cell->glyph != ' ' && cell->foreground != foreground)
            {
              g_string_append_printf (out, "\033[38;2;%d;%d;%dm", cell->foreground,
                                      cell->foreground, cell->foreground);
              foreground = cell->foreground;
            }
          background = cell->background;
          g_string_append_unichar (out, cell->glyph);
        }
    }
}

static void
append_graphics (GString *out, const GreyPicture *picture, Area area)
{
  ChafaTermDb *terminals = chafa_term_db_get_default ();
  ChafaTermInfo *terminal = chafa_term_db_get_fallback_info (terminals);
  GString *picture_bytes = chafa_canvas_print (picture->canvas, terminal);

  if (picture->kind == PICTURE_KITTY)
    g_string_append (out, KITTY_DELETE);
  append_place (out, area, 0, 0);
  g_string_append_len (out, picture_bytes->str, (gssize) picture_bytes->len);
  g_string_free (picture_bytes, TRUE);
  chafa_term_info_unref (terminal);
}

void
grey_picture_emit (GreyPicture *picture, Area area, gboolean everything)
{
  g_autoptr (GString) out = NULL;

  if (picture->kind < PICTURE_EXACT || picture->cells == NULL)
    return;
  if (!picture->known || memcmp (&area, &picture->emitted_area, sizeof area) != 0)
    everything = TRUE;
  if (!everything && !picture->fresh)
    return;
  out = g_string_new (SAVE);
  if (picture->kind == PICTURE_EXACT)
    append_cells (out, picture, area, everything);
  else
    append_graphics (out, picture, area);
  g_string_append (out, RESTORE);
  write_all (out->str, out->len);
  memcpy (picture->emitted, picture->cells,
          (gsize) picture->columns * (gsize) picture->rows * sizeof *picture->cells);
  picture->emitted_area = area;
  picture->known = TRUE;
  picture->fresh = FALSE;
}

void
grey_picture_withdraw (GreyPicture *picture)
{
  if (picture->kind == PICTURE_KITTY && picture->known)
    write_all (KITTY_DELETE, strlen (KITTY_DELETE));
  picture->known = FALSE;
}

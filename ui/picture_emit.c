/* What goes to the terminal beside curses: cells, sixel, kitty's graphics. */
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
append_graphics (GString *out, const GreyPicture *picture, Area area)
{
  ChafaTermDb *terminals = chafa_term_db_get_default ();
  ChafaTermInfo *terminal = chafa_term_db_get_fallback_info (terminals);
  GString *picture_bytes = chafa_canvas_print (picture->canvas, terminal);

  if (picture->kind == PICTURE_KITTY)
    g_string_append (out, KITTY_DELETE);
  g_string_append_printf (out, "\033[%d;%dH", area.y + 1, area.x + 1);
  g_string_append_len (out, picture_bytes->str, (gssize) picture_bytes->len);
  g_string_free (picture_bytes, TRUE);
  chafa_term_info_unref (terminal);
}

void
grey_picture_emit (GreyPicture *picture, Area area, gboolean everything)
{
  g_autoptr (GString) out = NULL;

  if (picture->kind < PICTURE_INDEXED || picture->cells == NULL)
    return;
  if (!picture->known || memcmp (&area, &picture->emitted_area, sizeof area) != 0)
    everything = TRUE;
  if (grey_picture_is_graphics (picture) && !everything && !picture->fresh)
    return;
  out = g_string_new (SAVE);
  if (grey_picture_is_graphics (picture))
    append_graphics (out, picture, area);
  else
    picture_append_cells (picture, area, everything, out);
  if (out->len > strlen (SAVE))
    {
      g_string_append (out, RESTORE);
      write_all (out->str, out->len);
    }
  picture->emitted_area = area;
  picture->known = TRUE;
  picture->fresh = FALSE;
}

void
grey_picture_withdraw (GreyPicture *picture)
{
  if (picture->known && picture->kind == PICTURE_KITTY)
    write_all (KITTY_DELETE, strlen (KITTY_DELETE));
  /* Curses knows of no pixels: it would spare cells that it takes for black already. */
  if (picture->known && picture->kind == PICTURE_SIXEL)
    wredrawln (stdscr, picture->emitted_area.y, picture->emitted_area.height);
  picture->known = FALSE;
}

/* What goes to the terminal beside curses: cells, sixel, kitty's graphics. */
#include "picture_private.h"

#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* The cursor and the colours stay as curses knows them. */
#define SAVE "\0337"
#define RESTORE "\0338"

/* kitty keeps pictures until they are deleted. */
#define KITTY_DELETE "\033_Ga=d,q=2\033\\"
#define KITTY_PIECE 4096

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
append_sixel (GString *out, const GreyPicture *picture)
{
  ChafaTermInfo *terminal = chafa_term_db_get_fallback_info (chafa_term_db_get_default ());
  GString *sixel = chafa_canvas_print (picture->canvas, terminal);

  g_string_append_len (out, sixel->str, (gssize) sixel->len);
  g_string_free (sixel, TRUE);
  chafa_term_info_unref (terminal);
}

/** Three bytes a pixel through zlib. Free with g_byte_array_unref. */
static GByteArray *
compress (const GreyPicture *picture)
{
  const gsize n = (gsize) picture->width * picture->height;
  g_autoptr (GConverter) zlib =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 1));
  g_autofree guint8 *rgb = g_malloc (3 * n);
  GByteArray *packed = g_byte_array_new ();
  GConverterResult result = G_CONVERTER_CONVERTED;
  guint8 piece[16384];

  for (gsize i = 0; i < n; i++)
    memcpy (rgb + 3 * i, picture->rgba + 4 * i, 3);
  for (gsize read = 0, taken, given; result == G_CONVERTER_CONVERTED; read += taken)
    {
      result = g_converter_convert (zlib, rgb + read, 3 * n - read, piece, sizeof piece,
                                    G_CONVERTER_INPUT_AT_END, &taken, &given, NULL);
      g_byte_array_append (packed, piece, (guint) given);
    }
  return packed;
}

/** In pieces, as the protocol asks for: https://sw.kovidgoyal.net/kitty/graphics-protocol. */
static void
append_kitty (GString *out, const GreyPicture *picture)
{
  g_autoptr (GByteArray) packed = compress (picture);
  g_autofree char *base64 = g_base64_encode (packed->data, packed->len);
  const gsize n = strlen (base64);

  g_string_append_printf (out, "\033_Ga=T,q=2,C=1,f=24,o=z,s=%u,v=%u,c=%d,r=%d,", picture->width,
                          picture->height, picture->columns, picture->rows);
  for (gsize i = 0; i < n; i += KITTY_PIECE)
    {
      g_string_append_printf (out, "%sm=%d;", i > 0 ? "\033_G" : "", i + KITTY_PIECE < n);
      g_string_append_len (out, base64 + i, (gssize) MIN (KITTY_PIECE, n - i));
      g_string_append (out, "\033\\");
    }
}

static void
append_graphics (GString *out, const GreyPicture *picture, Area area)
{
  if (picture->kind == PICTURE_KITTY)
    g_string_append (out, KITTY_DELETE);
  g_string_append_printf (out, "\033[%d;%dH", area.y + 1, area.x + 1);
  if (picture->kind == PICTURE_KITTY)
    append_kitty (out, picture);
  else
    append_sixel (out, picture);
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

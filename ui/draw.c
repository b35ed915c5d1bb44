#include "draw.h"

#include "report/printable.h"

#include <math.h>
#include <string.h>

#define MOST_ROWS_UPWARDS 4

/* ---- rectangles ---- */

Area
area_rows (Area area, int first, int n)
{
  int from = CLAMP (first, 0, area.height), to = CLAMP (first + n, from, area.height);

  return (Area){ area.y + from, area.x, to - from, area.width };
}

Area
area_columns (Area area, int first, int n)
{
  int from = CLAMP (first, 0, area.width), to = CLAMP (first + n, from, area.width);

  return (Area){ area.y, area.x + from, area.height, to - from };
}

Area
area_inset (Area area)
{
  return area_columns (area_rows (area, 1, area.height - 2), 1, area.width - 2);
}

gboolean
area_contains (Area area, int y, int x)
{
  return y >= area.y && y < area.y + area.height && x >= area.x && x < area.x + area.width;
}

/* ---- text ---- */

static int
character_width (gunichar character)
{
  if (character == 0 || g_unichar_iszerowidth (character))
    return 0;
  return g_unichar_iswide (character) ? 2 : 1;
}

/** What is put on screen for a character: no control codes, and ASCII where nothing else may be; 0:
 * nothing. */
static gunichar
printable (gunichar character)
{
  if (character == '\t' || character == '\n' || character == '\r')
    return ' ';
  if (character >= 0x110000 || report_is_obeyed (character))
    return '?';
  if (!theme_ascii () || character < 0x7f)
    return character;
  switch (character)
    {
    case 0x2010: /* hyphens, dashes, minus */
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212:
      return '-';
    case 0x2018:
    case 0x2019:
      return '\'';
    case 0x201c:
    case 0x201d:
      return '"';
    case 0xd7: /* times */
      return 'x';
    case 0xb7:
      return '.';
    default:
      return g_unichar_iszerowidth (character) ? 0 : '?';
    }
}

/** Move on by a character and say what is shown for it; bytes that are no UTF-8 count one by one.
 */
static gunichar
next_character (const char **text)
{
  gunichar character = g_utf8_get_char_validated (*text, -1);

  if (character == (gunichar) -1 || character == (gunichar) -2)
    {
      *text += 1;
      return printable (0xfffd);
    }
  *text = g_utf8_next_char (*text);
  return printable (character);
}

int
text_width (const char *text)
{
  int width = 0;

  while (*text != '\0')
    width += character_width (next_character (&text));
  return width;
}

char *
text_fit (const char *text, int width)
{
  GString *fit = g_string_new (NULL);
  gboolean cut = text_width (text) > width;
  int room = cut ? width - 1 : width, used = 0;

  while (*text != '\0' && width > 0)
    {
      gunichar character = next_character (&text);

      used += character_width (character);
      if (used > room)
        break;
      if (character != 0)
        g_string_append_unichar (fit, character);
    }
  if (cut && width > 0)
    g_string_append (fit, symbol (SYMBOL_ELLIPSIS));
  return g_string_free (fit, FALSE);
}

/** The end of the longest start of @text that fits into @width cells, at a blank where possible. */
static const char *
line_end (const char *text, int width)
{
  const char *end = text, *blank = NULL;
  int used = 0;

  while (*end != '\0')
    {
      const char *after = end;
      int cells = character_width (next_character (&after));

      if (used + cells > width)
        break;
      if (*end == ' ')
        blank = end;
      used += cells;
      end = after;
    }
  if (end == text && *end != '\0') /* not even one character fits */
    next_character (&end);
  return *end != '\0' && *end != ' ' && blank != NULL && blank > text ? blank : end;
}

/** @head and the text's first line, then the other lines behind @indent blanks. */
static void
wrap_paragraph (GStrvBuilder *lines, const char *head, const char *text, int indent, int width)
{
  int taken = text_width (head);

  do
    {
      const char *end = line_end (text, MAX (width - taken, 1));
      g_autofree char *part = g_strndup (text, (gsize) (end - text));
      g_autofree char *line = *head != '\0' ? g_strconcat (head, part, NULL)
                                            : g_strdup_printf ("%*s%s", taken, "", part);

      g_strv_builder_add (lines, g_strchomp (line));
      head = "";
      taken = indent;
      for (text = end; *text == ' '; text++)
        ;
    }
  while (*text != '\0');
}

char **
text_wrap (const char *text, int width)
{
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();
  g_auto (GStrv) paragraphs = g_strsplit (text, "\n", -1);

  width = MAX (width, 1);
  for (guint p = 0; paragraphs[p] != NULL; p++)
    {
      char *tab = strchr (paragraphs[p], '\t');
      g_autofree char *head =
          tab != NULL ? g_strndup (paragraphs[p], (gsize) (tab - paragraphs[p])) : g_strdup ("");
      const char *start = tab != NULL ? tab + 1 : paragraphs[p];
      int hang = text_width (head);

      if (hang <= width / 2 || hang + text_width (start) <= width)
        wrap_paragraph (lines, head, start, hang, width);
      else
        {
          /* A hanging indent that leaves no room to speak of: the head has lines of its own. */
          wrap_paragraph (lines, "", head, 0, width);
          wrap_paragraph (lines, width > 4 ? "  " : "", start, width > 4 ? 2 : 0, width);
        }
    }
  return g_strv_builder_end (lines);
}

/* ---- on the screen ---- */

/** The part of the area that the screen has. */
static Area
visible (Area area)
{
  int y = MAX (area.y, 0), x = MAX (area.x, 0);

  return (Area){ y, x, MIN (area.y + area.height, LINES) - y, MIN (area.x + area.width, COLS) - x };
}

static void
use_role (Role role)
{
  short pair;
  attr_t attributes = theme_attributes (role, &pair);

  attr_set (attributes, pair, NULL);
}

void
draw_clear (Area area)
{
  area = visible (area);
  use_role (ROLE_NORMAL);
  for (int row = 0; row < area.height && area.width > 0; row++)
    mvhline (area.y + row, area.x, ' ', area.width);
}

int
draw_text (Area area, int row, int column, Role role, const char *text)
{
  int room = MIN (area.x + area.width, COLS) - (area.x + column);
  g_autofree char *fit = NULL;

  if (row < 0 || row >= area.height || column < 0 || room <= 0 || area.y + row < 0
      || area.y + row >= LINES || area.x < 0)
    return 0;
  fit = text_fit (text, room);
  use_role (role);
  mvaddstr (area.y + row, area.x + column, fit);
  use_role (ROLE_NORMAL);
  return text_width (fit);
}

int
draw_printf (Area area, int row, int column, Role role, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return draw_text (area, row, column, role, text);
}

void
draw_text_in (Area area, int row, int column, int width, char align, Role role, const char *text)
{
  int room = MIN (width, area.width - column);
  g_autofree char *fit = text_fit (text, room);
  int spare = room - text_width (fit);

  if (room <= 0)
    return;
  draw_text (area, row, column + (align == 'r' ? spare : align == 'c' ? spare / 2 : 0), role, fit);
}

void
draw_upwards (Area last, Role role, const char *text)
{
  g_auto (GStrv) rows = text_wrap (text, MAX (last.width, 1));
  int n = MIN ((int) g_strv_length (rows), MIN (MOST_ROWS_UPWARDS, last.y + 1));
  Area area = { last.y + 1 - n, last.x, n, last.width };

  draw_clear (area);
  for (int row = 0; row < n; row++)
    draw_text (area, row, 0, role, rows[row]);
}

void
draw_role (Area area, int row, int column, int n, Role role)
{
  int y = area.y + row, x = area.x + MAX (column, 0);
  int end = MIN (MIN (area.x + column + n, area.x + area.width), COLS);
  short pair;
  attr_t attributes = theme_attributes (role, &pair);

  if (row >= 0 && row < area.height && y >= 0 && y < LINES && x >= 0 && end > x)
    mvchgat (y, x, end - x, attributes, pair, NULL);
}

static void
repeat (Area area, int row, int column, int n, Role role, const char *text)
{
  for (int i = 0; i < n; i++)
    draw_text (area, row, column + i, role, text);
}

void
draw_rule (Area area, int row, const char *title)
{
  repeat (area, row, 0, area.width, ROLE_BORDER, symbol (SYMBOL_HORIZONTAL));
  if (title != NULL && area.width > 6)
    {
      g_autofree char *text = text_fit (title, area.width - 6);

      draw_text (area, row, 1, ROLE_NORMAL, " ");
      draw_printf (area, row, 2, ROLE_STRONG, "%s ", text);
    }
}

Area
draw_frame (Area area, const char *title)
{
  int right = area.width - 1, bottom = area.height - 1;

  if (area.width < 2 || area.height < 2)
    return (Area){ area.y, area.x, 0, 0 };
  draw_rule (area, 0, title);
  repeat (area, bottom, 0, area.width, ROLE_BORDER, symbol (SYMBOL_HORIZONTAL));
  for (int row = 1; row < bottom; row++)
    {
      draw_text (area, row, 0, ROLE_BORDER, symbol (SYMBOL_VERTICAL));
      draw_text (area, row, right, ROLE_BORDER, symbol (SYMBOL_VERTICAL));
    }
  draw_text (area, 0, 0, ROLE_BORDER, symbol (SYMBOL_TOP_LEFT));
  draw_text (area, 0, right, ROLE_BORDER, symbol (SYMBOL_TOP_RIGHT));
  draw_text (area, bottom, 0, ROLE_BORDER, symbol (SYMBOL_BOTTOM_LEFT));
  draw_text (area, bottom, right, ROLE_BORDER, symbol (SYMBOL_BOTTOM_RIGHT));
  return area_inset (area);
}

void
draw_bar (Area area, int row, int column, int width, double share, Role role)
{
  g_autofree char *bar = NULL;

  width = MIN (width, area.width - column);
  if (width <= 0)
    return;
  if (isnan (share))
    {
      draw_text (area, row, column, ROLE_DIM, symbol (SYMBOL_DASH));
      return;
    }
  bar = report_bar (CLAMP (share, 0, 1), (guint) width, theme_ascii ());
  draw_text (area, row, column, role, bar);
}

void
draw_scrollbar (Area area, guint64 top, guint64 in_view, guint64 n)
{
  guint64 height = (guint64) MAX (area.height, 0), size, start;

  if (n <= in_view || height == 0 || area.width < 2)
    return;
  size = CLAMP (height * in_view / n, 1, height);
  start = top + in_view >= n ? height - size : (height - size) * top / (n - in_view);
  for (guint64 row = start; row < start + size; row++)
    draw_text (area, (int) row, area.width - 1, ROLE_BORDER, theme_ascii () ? "|" : "▐");
}

void
draw_canvas (Area area, const ReportCanvas *canvas, guint columns, guint rows)
{
  for (guint row = 0; row < rows; row++)
    for (guint column = 0; column < columns; column++)
      {
        ReportCell cell = report_canvas_cell (canvas, column, row);
        char text[7] = { 0 };

        if (cell.series == REPORT_SERIES_NONE)
          continue;
        g_unichar_to_utf8 (cell.glyph, text);
        draw_text (area, (int) row, (int) column,
                   cell.series == REPORT_SERIES_AXIS ? ROLE_DIM
                                                     : ROLE_SERIES_1 + (Role) cell.series % 4,
                   text);
      }
}

#include "box.h"

#include <string.h>

typedef enum
{
  BOX_QUESTION,
  BOX_CHOICE,
  BOX_PAGE,
} BoxKind;

struct _Box
{
  BoxKind kind;
  char *title, *text;
  char **items; /* the rows: of a choice or question as given, of a page wrapped to the width */
  int wrapped;  /* width that a page is wrapped to */
  List list;
  gboolean accepted;
  Area rows; /* as drawn last */
  void (*yes) (gpointer data);
  void (*chosen) (gpointer data, guint index);
  gpointer data;
};

static Box *
box_new (BoxKind kind, const char *title, const char *const *items, guint selected)
{
  Box *box = g_new0 (Box, 1);

  box->kind = kind;
  box->title = g_strdup (title);
  box->items = g_strdupv ((char **) items);
  box->list.n = items != NULL ? g_strv_length (box->items) : 0;
  box->list.cursor = selected;
  return box;
}

Box *
box_new_question (const char *question, void (*yes) (gpointer data), gpointer data)
{
  static const char *const answers[] = { "no", "yes", NULL };
  Box *box = box_new (BOX_QUESTION, NULL, answers, 0);

  box->text = g_strdup (question);
  box->yes = yes;
  box->data = data;
  return box;
}

Box *
box_new_choice (const char *title, const char *const *items, guint selected,
                void (*chosen) (gpointer data, guint index), gpointer data)
{
  Box *box = box_new (BOX_CHOICE, title, items, selected);

  box->chosen = chosen;
  box->data = data;
  return box;
}

Box *
box_new_page (const char *title, const char *text)
{
  Box *box = box_new (BOX_PAGE, title, NULL, 0);

  box->text = g_strdup (text);
  return box;
}

void
box_free (Box *box)
{
  g_free (box->title);
  g_free (box->text);
  g_strfreev (box->items);
  g_free (box);
}

/* ---- input ---- */

gboolean
box_command (Box *box, Command command)
{
  if (command == COMMAND_BOX_ACCEPT)
    {
      box->accepted = box->kind != BOX_PAGE && box->list.n > 0;
      return TRUE;
    }
  if (command == COMMAND_BOX_CLOSE)
    return TRUE;
  /* What was meant for a line of input must not go to "yes": Space is a key of pages. */
  if (box->kind == BOX_QUESTION
      && (command == COMMAND_BOX_PAGE_UP || command == COMMAND_BOX_PAGE_DOWN))
    return FALSE;
  if (box->kind != BOX_PAGE)
    list_command (&box->list, command);
  else if (command == COMMAND_BOX_UP || command == COMMAND_BOX_DOWN)
    list_wheel (&box->list, command == COMMAND_BOX_UP ? -1 : 1);
  else
    {
      /* A page has no cursor: it scrolls. */
      list_command (&box->list, command);
      /* Its rows are counted when it is drawn, which may be later than this key. */
      if (command == COMMAND_BOX_LAST)
        box->list.top = G_MAXUINT64;
      else if (command == COMMAND_BOX_FIRST)
        box->list.top = 0;
      box->list.cursor = box->list.top;
    }
  return FALSE;
}

gboolean
box_useful (gpointer data, Command command)
{
  const Box *box = data;

  return command == COMMAND_BOX_ACCEPT ? box->kind != BOX_PAGE
         : command == COMMAND_BOX_PAGE_DOWN
             ? box->kind != BOX_QUESTION && box->list.n > box->list.page
             : TRUE;
}

gboolean
box_key (Box *box, Key key)
{
  if (box->kind != BOX_QUESTION || (key != 'y' && key != 'Y' && key != 'n' && key != 'N'))
    return FALSE;
  box->list.cursor = key == 'y' || key == 'Y';
  box->accepted = TRUE;
  return TRUE;
}

gboolean
box_mouse (Box *box, MouseAction action, int y, int x)
{
  guint64 row = box->list.top + (guint64) MAX (y - box->rows.y, 0);

  if (action == MOUSE_WHEEL_UP || action == MOUSE_WHEEL_DOWN)
    list_wheel (&box->list, action == MOUSE_WHEEL_UP ? -3 : 3);
  else if (!area_contains (box->rows, y, x))
    return action == MOUSE_CLICK && box->kind != BOX_QUESTION;
  else if (box->kind != BOX_PAGE && row < box->list.n)
    {
      box->list.cursor = row;
      box->accepted = TRUE;
      return TRUE;
    }
  return FALSE;
}

void
box_act (Box *box)
{
  if (!box->accepted)
    return;
  if (box->kind == BOX_CHOICE)
    box->chosen (box->data, (guint) box->list.cursor);
  else if (box->list.cursor == 1)
    box->yes (box->data);
}

/* ---- drawing ---- */

static Area
centred (Area screen, int height, int width)
{
  height = MIN (height, screen.height);
  width = MIN (width, screen.width);
  return (Area){ screen.y + (screen.height - height) / 2, screen.x + (screen.width - width) / 2,
                 height, width };
}

static int
widest (char **lines)
{
  int width = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    width = MAX (width, text_width (lines[i]));
  return width;
}

static void
draw_rows (Box *box, Area area)
{
  box->rows = area;
  list_fit (&box->list, (guint) MAX (area.height, 0));
  for (int row = 0; row < area.height && box->list.top + (guint64) row < box->list.n; row++)
    {
      guint64 i = box->list.top + (guint64) row;
      gboolean selected = box->kind != BOX_PAGE && i == box->list.cursor;

      /* A heading of a page stands at its left edge and ends in a colon. */
      draw_printf (area, row, 0,
                   box->kind == BOX_PAGE && g_str_has_suffix (box->items[i], ":")
                           && box->items[i][0] != ' '
                       ? ROLE_STRONG
                       : ROLE_NORMAL,
                   "%s%s",
                   box->kind == BOX_PAGE ? ""
                   : selected            ? "> "
                                         : "  ",
                   box->items[i]);
      if (selected)
        draw_role (area, row, 0, area.width, ROLE_SELECTED);
    }
  draw_scrollbar ((Area){ area.y, area.x, area.height, area.width + 1 }, box->list.top,
                  box->list.page, box->list.n);
}

void
box_draw (Box *box, Area screen)
{
  int room = MAX (screen.width - 6, 1);
  Area area, inside;

  if (box->kind == BOX_QUESTION)
    {
      g_auto (GStrv) lines = text_wrap (box->text, MIN (room, 66));
      int n = (int) g_strv_length (lines);

      area = centred (screen, n + 5, MAX (widest (lines), 20) + 4);
      draw_clear (area);
      inside = area_columns (draw_frame (area, NULL), 1, area.width - 4);
      for (int i = 0; i < n; i++)
        draw_text (inside, i, 0, ROLE_STRONG, lines[i]);
      draw_rows (box, area_rows (inside, n + 1, 2));
      return;
    }
  if (box->kind == BOX_PAGE && box->wrapped != room)
    {
      g_strfreev (box->items);
      box->items = text_wrap (box->text, box->wrapped = room);
      box->list.n = g_strv_length (box->items);
    }
  area = centred (screen, (int) MIN (box->list.n, 10000) + 2,
                  MAX (widest (box->items) + 2 * (box->kind != BOX_PAGE),
                       box->title != NULL ? text_width (box->title) + 2 : 0)
                      + 4);
  draw_clear (area);
  inside = draw_frame (area, box->title);
  draw_rows (box, area_columns (inside, 1, inside.width - 2));
}

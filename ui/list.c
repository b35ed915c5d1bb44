#include "list.h"

void
list_fit (List *list, guint page)
{
  guint64 most_top;

  list->page = page;
  list->cursor = list->n > 0 ? MIN (list->cursor, list->n - 1) : 0;
  most_top = list->n > page ? list->n - page : 0;
  list->top = MIN (list->top, most_top);
  if (list->cursor < list->top)
    list->top = list->cursor;
  else if (page > 0 && list->cursor >= list->top + page)
    list->top = list->cursor - page + 1;
}

static void
move (List *list, gint64 rows)
{
  gint64 last = (gint64) list->n - 1;

  list->cursor = last < 0 ? 0 : (guint64) CLAMP ((gint64) list->cursor + rows, 0, last);
  list_fit (list, list->page);
}

gboolean
list_command (List *list, Command command)
{
  gint64 page = MAX ((gint64) list->page - 1, 1);

  switch (command)
    {
    case COMMAND_UP:
    case COMMAND_BOX_UP:
      move (list, -1);
      return TRUE;
    case COMMAND_DOWN:
    case COMMAND_BOX_DOWN:
      move (list, 1);
      return TRUE;
    case COMMAND_PAGE_UP:
    case COMMAND_BOX_PAGE_UP:
      list->top -= MIN (list->top, (guint64) page);
      move (list, -page);
      return TRUE;
    case COMMAND_PAGE_DOWN:
    case COMMAND_BOX_PAGE_DOWN:
      list->top += (guint64) page;
      move (list, page);
      return TRUE;
    case COMMAND_FIRST:
    case COMMAND_BOX_FIRST:
      move (list, -(gint64) list->n);
      return TRUE;
    case COMMAND_LAST:
    case COMMAND_BOX_LAST:
      move (list, (gint64) list->n);
      return TRUE;
    default:
      return FALSE;
    }
}

void
list_wheel (List *list, int rows)
{
  guint64 most_top = list->n > list->page ? list->n - list->page : 0;

  list->top = (guint64) CLAMP ((gint64) list->top + rows, 0, (gint64) most_top);
  list->cursor = CLAMP (list->cursor, list->top, list->top + MAX (list->page, 1) - 1);
  list_fit (list, list->page);
}

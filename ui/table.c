#include "draw.h"

void
table_layout (const TableColumn *columns, guint n_columns, int width, int *x, int *widths)
{
  int total = -1, spare, flexible = 0, at = 0;

  for (guint i = 0; i < n_columns; i++)
    {
      widths[i] = columns[i].width;
      total += widths[i] + 1;
    }
  /* What matters least goes, until the rest has room. */
  while (total > width)
    {
      int last = -1;

      for (guint i = 0; i < n_columns; i++)
        if (widths[i] > 0 && columns[i].priority > 0
            && (last < 0 || columns[i].priority >= columns[last].priority))
          last = (int) i;
      if (last < 0)
        break;
      total -= widths[last] + 1;
      widths[last] = 0;
    }
  for (guint i = 0; i < n_columns; i++)
    flexible += widths[i] > 0 && columns[i].flexible;
  spare = MAX (width - total, 0);
  for (guint i = 0; i < n_columns; i++)
    {
      x[i] = at;
      if (widths[i] > 0 && columns[i].flexible)
        {
          int most = columns[i].most > 0 ? MAX (columns[i].most - widths[i], 0) : spare;
          int share = MIN (spare / flexible, most);

          flexible--;
          widths[i] += share;
          spare -= share;
        }
      widths[i] = CLAMP (widths[i], 0, MAX (width - at, 0));
      at += widths[i] > 0 ? widths[i] + 1 : 0;
    }
}

void
table_draw_head (Area area, const TableColumn *columns, guint n_columns, const int *x,
                 const int *widths, int sorted, gboolean descending)
{
  for (guint i = 0; i < n_columns; i++)
    {
      g_autofree char *title = NULL;
      int width = widths[i];

      if (width == 0)
        continue;
      if ((int) i == sorted)
        {
          g_autofree char *cut = NULL;

          /* A title that fills its column has the mark in the gap behind it. */
          width += text_width (columns[i].title) == width && x[i] + width < area.width;
          cut = text_fit (columns[i].title, width - 1);
          title = g_strconcat (cut, symbol (descending ? SYMBOL_DOWN : SYMBOL_UP), NULL);
        }
      draw_text_in (area, 0, x[i], width, columns[i].align, ROLE_COLUMN,
                    title != NULL ? title : columns[i].title);
    }
}

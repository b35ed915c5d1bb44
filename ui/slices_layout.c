#include "slices_private.h"

#define PANE_FROM_WIDTH 70
#define PANE_FROM_HEIGHT 10
#define PANE_LEAST 28
#define PANE_MOST 60
#define SCALE_WIDTH 7 /* a blank and "-1350" */
#define SCALE_FROM_WIDTH 36
#define SCALE_FROM_HEIGHT 7
#define HEAD_FROM_HEIGHT 6

SlicesLayout
slices_layout (int height, int width)
{
  SlicesLayout layout = { 0 };
  Area left = { 0, 0, MAX (height, 0), MAX (width, 0) };

  if (width >= PANE_FROM_WIDTH && height >= PANE_FROM_HEIGHT)
    {
      /* What a square slice leaves over in cells of 1 to 2: two of its rows are border. */
      int pane = CLAMP (width - SCALE_WIDTH - 2 - 2 * (height - 2), PANE_LEAST, PANE_MOST);

      layout.pane = area_columns (left, width - pane + 1, pane - 1);
      left = area_columns (left, 0, width - pane);
    }
  else if (height >= HEAD_FROM_HEIGHT)
    {
      layout.head = area_rows (left, 0, 1);
      layout.status = area_rows (left, height - 1, 1);
      left = area_rows (left, 1, height - 2);
    }
  if (left.width >= SCALE_FROM_WIDTH && left.height >= SCALE_FROM_HEIGHT)
    {
      layout.scale = area_columns (left, left.width - SCALE_WIDTH, SCALE_WIDTH);
      left = area_columns (left, 0, left.width - SCALE_WIDTH);
    }
  layout.frame = left;
  layout.picture = area_inset (left);
  return layout;
}

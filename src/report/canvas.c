#include "report/canvas.h"

#include <math.h>
#include <string.h>

/* An axis label every so many cells at most. */
#define COLUMNS_PER_LABEL 10
#define COLUMNS_PER_COUNT 8 /* of whole numbers, which are shorter */
#define ROWS_PER_LABEL 3
/* Less than this left over is no plot. */
#define LEAST_COLUMNS 4
#define LEAST_ROWS 2
/* Farther than so many dots away, the rounding of doubles would show in what is cut off. */
#define FARTHEST 1e9

typedef struct
{
  guint8 dots;    /* bit y * dots_across + x */
  gunichar glyph; /* text, a point or an axis, which hides dots; 0: none */
  int series;
} Cell;

struct _ReportCanvas
{
  guint columns, rows;
  ReportGlyphs glyphs;
  guint dots_across, dots_down;             /* of a cell */
  guint left, top, plot_columns, plot_rows; /* the drawing area, in cells */
  ReportRange x, y;
  gboolean whole_x;
  Cell *cells;
};

ReportCanvas *
report_canvas_new (guint columns, guint rows, ReportGlyphs glyphs)
{
  ReportCanvas *canvas = g_new0 (ReportCanvas, 1);

  canvas->columns = canvas->plot_columns = columns;
  canvas->rows = canvas->plot_rows = rows;
  canvas->glyphs = glyphs;
  canvas->dots_across = glyphs == REPORT_GLYPHS_BRAILLE ? 2 : 1;
  canvas->dots_down = glyphs == REPORT_GLYPHS_BRAILLE ? 4 : glyphs == REPORT_GLYPHS_BLOCKS ? 2 : 1;
  canvas->x = canvas->y = (ReportRange){ 0, 1 };
  canvas->cells = g_new0 (Cell, MAX ((gsize) columns * rows, 1));
  for (gsize i = 0; i < (gsize) columns * rows; i++)
    canvas->cells[i].series = REPORT_SERIES_NONE;
  return canvas;
}

void
report_canvas_free (ReportCanvas *canvas)
{
  g_free (canvas->cells);
  g_free (canvas);
}

static Cell *
cell_at (const ReportCanvas *canvas, guint column, guint row)
{
  return &canvas->cells[(gsize) row * canvas->columns + column];
}

static void
set_glyph (ReportCanvas *canvas, guint column, guint row, gunichar glyph, int series)
{
  if (column >= canvas->columns || row >= canvas->rows)
    return;
  *cell_at (canvas, column, row) = (Cell){ .glyph = glyph, .series = series };
}

/* ---- axes ---- */

void
report_canvas_range (ReportCanvas *canvas, ReportRange x, ReportRange y)
{
  canvas->x = x;
  canvas->y = y;
}

/** The width of the longest label. */
static guint
label_width (const ReportTicks *ticks)
{
  glong width = 0;

  for (guint i = 0; i < ticks->n; i++)
    {
      g_autofree char *label = report_tick_text (ticks, i);

      width = MAX (width, g_utf8_strlen (label, -1));
    }
  return (guint) width;
}

static void
draw_y_axis (ReportCanvas *canvas, const ReportTicks *ticks)
{
  gboolean ascii = canvas->glyphs == REPORT_GLYPHS_ASCII;

  for (guint row = 0; row < canvas->plot_rows; row++)
    set_glyph (canvas, canvas->left - 1, row, ascii ? '|' : 0x2502, REPORT_SERIES_AXIS);
  for (guint i = 0; i < ticks->n; i++)
    {
      g_autofree char *label = report_tick_text (ticks, i);
      guint column, row;

      if (!report_canvas_place (canvas, canvas->x.low, report_tick (ticks, i), &column, &row))
        continue;
      report_canvas_text (canvas, canvas->left - 1 - (guint) g_utf8_strlen (label, -1), row, label,
                          REPORT_SERIES_AXIS);
      set_glyph (canvas, canvas->left - 1, row, ascii ? '+' : 0x2524, REPORT_SERIES_AXIS);
    }
}

static void
draw_x_axis (ReportCanvas *canvas, const ReportTicks *ticks)
{
  gboolean ascii = canvas->glyphs == REPORT_GLYPHS_ASCII;
  guint below = canvas->plot_rows, free_from = 0;

  for (guint column = canvas->left; column < canvas->columns; column++)
    set_glyph (canvas, column, below, ascii ? '-' : 0x2500, REPORT_SERIES_AXIS);
  set_glyph (canvas, canvas->left - 1, below, ascii ? '+' : 0x2514, REPORT_SERIES_AXIS);
  for (guint i = 0; i < ticks->n; i++)
    {
      g_autofree char *label = report_tick_text (ticks, i);
      guint width = (guint) g_utf8_strlen (label, -1), column, row, start;

      if (!report_canvas_place (canvas, report_tick (ticks, i), canvas->y.low, &column, &row))
        continue;
      set_glyph (canvas, column, below, ascii ? '+' : 0x252C, REPORT_SERIES_AXIS);
      /* Centred, but neither beyond the edges nor into the label before. */
      start = column > width / 2 ? column - width / 2 : 0;
      if (start + width > canvas->columns)
        start = canvas->columns > width ? canvas->columns - width : 0;
      if (start < free_from || start + width > canvas->columns)
        continue;
      report_canvas_text (canvas, start, below + 1, label, REPORT_SERIES_AXIS);
      free_from = start + width + 1;
    }
}

void
report_canvas_whole_x (ReportCanvas *canvas)
{
  canvas->whole_x = TRUE;
}

void
report_canvas_axes (ReportCanvas *canvas, ReportRange x, ReportRange y)
{
  guint room = canvas->columns / (canvas->whole_x ? COLUMNS_PER_COUNT : COLUMNS_PER_LABEL) + 1;
  ReportTicks x_ticks =
      report_ticks (x, canvas->whole_x ? (guint) MIN (room, x.high - x.low + 1) : room);
  ReportTicks y_ticks = report_ticks (y, canvas->rows / ROWS_PER_LABEL + 1);
  guint left = label_width (&y_ticks) + 1, bottom = 2;

  report_canvas_range (canvas, x, y);
  if (canvas->columns < left + LEAST_COLUMNS || canvas->rows < bottom + LEAST_ROWS)
    return;
  canvas->left = left;
  canvas->plot_columns = canvas->columns - left;
  canvas->plot_rows = canvas->rows - bottom;
  draw_y_axis (canvas, &y_ticks);
  draw_x_axis (canvas, &x_ticks);
}

/* ---- dots ---- */

/** Where in the drawing area's dots a value lies, not rounded; the range's ends are the centres of
 * the first and the last dot. NaN stays NaN. */
static double
dot_position (double value, ReportRange range, guint n_dots)
{
  double position = (value - range.low) / (range.high - range.low) * (n_dots - 1.0);

  return CLAMP (position, -FARTHEST, FARTHEST);
}

static guint
dots_wide (const ReportCanvas *canvas)
{
  return canvas->plot_columns * canvas->dots_across;
}

static guint
dots_high (const ReportCanvas *canvas)
{
  return canvas->plot_rows * canvas->dots_down;
}

static void
set_dot (ReportCanvas *canvas, guint x, guint y, int series)
{
  guint column = canvas->left + x / canvas->dots_across, row = y / canvas->dots_down;
  Cell *cell = cell_at (canvas, column, row);

  cell->dots |=
      (guint8) (1u << (y % canvas->dots_down * canvas->dots_across + x % canvas->dots_across));
  cell->series = series;
}

/** How a series' line is broken: so many dots drawn of so many. */
static gboolean
is_drawn (guint step, int series, ReportGlyphs glyphs)
{
  static const struct
  {
    guint drawn, of;
  } dashes[] = { { 1, 1 }, { 4, 7 }, { 1, 3 }, { 2, 4 } };
  guint i = (guint) MAX (series, 0) % G_N_ELEMENTS (dashes);

  /* ASCII has its marks, and too few dots to leave some out. */
  return glyphs == REPORT_GLYPHS_ASCII || step % dashes[i].of < dashes[i].drawn;
}

/** Cut the segment to the rectangle (Liang and Barsky 1984); FALSE where nothing is left. */
static gboolean
clip (double *x0, double *y0, double *x1, double *y1, double x_most, double y_most)
{
  double dx = *x1 - *x0, dy = *y1 - *y0, from = 0, to = 1;
  const double p[] = { -dx, dx, -dy, dy };
  const double q[] = { *x0 + 0.5, x_most + 0.5 - *x0, *y0 + 0.5, y_most + 0.5 - *y0 };

  for (guint i = 0; i < G_N_ELEMENTS (p); i++)
    {
      if (p[i] == 0 && q[i] < 0)
        return FALSE;
      if (p[i] < 0)
        from = MAX (from, q[i] / p[i]);
      else if (p[i] > 0)
        to = MIN (to, q[i] / p[i]);
    }
  if (from > to)
    return FALSE;
  *x1 = *x0 + to * dx;
  *y1 = *y0 + to * dy;
  *x0 += from * dx;
  *y0 += from * dy;
  return TRUE;
}

/** One dot per step along the longer direction. @step: (inout) of the dashes, over a whole path. */
static void
draw_segment (ReportCanvas *canvas, double x0, double y0, double x1, double y1, int series,
              guint *step)
{
  guint wide = dots_wide (canvas), high = dots_high (canvas), steps;

  if (wide == 0 || high == 0)
    return;
  x0 = dot_position (x0, canvas->x, wide);
  x1 = dot_position (x1, canvas->x, wide);
  y0 = high - 1 - dot_position (y0, canvas->y, high);
  y1 = high - 1 - dot_position (y1, canvas->y, high);
  if (!isfinite (x0) || !isfinite (y0) || !isfinite (x1) || !isfinite (y1)
      || !clip (&x0, &y0, &x1, &y1, wide - 1, high - 1))
    return;
  steps = (guint) ceil (MAX (fabs (x1 - x0), fabs (y1 - y0)));
  for (guint i = 0; i <= steps; i++)
    {
      double share = steps > 0 ? (double) i / steps : 0;
      double x = floor (x0 + share * (x1 - x0) + 0.5), y = floor (y0 + share * (y1 - y0) + 0.5);

      if (is_drawn (*step + i, series, canvas->glyphs))
        set_dot (canvas, (guint) CLAMP (x, 0, wide - 1), (guint) CLAMP (y, 0, high - 1), series);
    }
  *step += steps;
}

void
report_canvas_path (ReportCanvas *canvas, const double *x, const double *y, gsize n, int series)
{
  guint step = 0;

  if (n == 1)
    draw_segment (canvas, x[0], y[0], x[0], y[0], series, &step);
  for (gsize i = 1; i < n; i++)
    draw_segment (canvas, x[i - 1], y[i - 1], x[i], y[i], series, &step);
}

void
report_canvas_line (ReportCanvas *canvas, double x0, double y0, double x1, double y1, int series)
{
  report_canvas_path (canvas, (const double[]){ x0, x1 }, (const double[]){ y0, y1 }, 2, series);
}

void
report_canvas_point (ReportCanvas *canvas, double x, double y, int series)
{
  guint column, row;

  if (report_canvas_place (canvas, x, y, &column, &row))
    set_glyph (canvas, column, row, canvas->glyphs == REPORT_GLYPHS_ASCII ? '@' : 0x25CF, series);
}

/* ---- cells ---- */

gboolean
report_canvas_place (const ReportCanvas *canvas, double x, double y, guint *column, guint *row)
{
  guint wide = dots_wide (canvas), high = dots_high (canvas);
  double across, down;

  if (wide == 0 || high == 0)
    return FALSE;
  across = floor (dot_position (x, canvas->x, wide) + 0.5);
  down = floor (high - 1 - dot_position (y, canvas->y, high) + 0.5);
  if (!(across >= 0 && across < wide && down >= 0 && down < high))
    return FALSE;
  *column = canvas->left + (guint) across / canvas->dots_across;
  *row = (guint) down / canvas->dots_down;
  return TRUE;
}

void
report_canvas_text (ReportCanvas *canvas, guint column, guint row, const char *text, int series)
{
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c))
    set_glyph (canvas, column++, row, g_utf8_get_char (c), series);
}

/** U+2800 and a bit per dot, numbered down the columns but for the lowest pair (Unicode, ch. 21).
 */
static gunichar
braille_glyph (guint8 dots)
{
  static const guint8 bits[] = { 0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80 };
  gunichar glyph = 0x2800;

  for (guint i = 0; i < G_N_ELEMENTS (bits); i++)
    if (dots >> i & 1)
      glyph |= bits[i];
  return glyph;
}

static gunichar
dots_glyph (const Cell *cell, ReportGlyphs glyphs)
{
  static const gunichar halves[] = { ' ', 0x2580, 0x2584, 0x2588 };
  static const char marks[] = "*+xo%&";

  if (cell->dots == 0)
    return ' ';
  switch (glyphs)
    {
    case REPORT_GLYPHS_BRAILLE:
      return braille_glyph (cell->dots);
    case REPORT_GLYPHS_BLOCKS:
      return halves[cell->dots];
    case REPORT_GLYPHS_ASCII:
      break;
    }
  /* The axis is drawn in dots where a guide, such as ROC's diagonal, is asked for. */
  return cell->series < 0 ? '.' : (gunichar) marks[(guint) cell->series % (sizeof marks - 1)];
}

ReportCell
report_canvas_cell (const ReportCanvas *canvas, guint column, guint row)
{
  const Cell *cell;

  if (column >= canvas->columns || row >= canvas->rows)
    return (ReportCell){ ' ', REPORT_SERIES_NONE };
  cell = cell_at (canvas, column, row);
  return (ReportCell){ cell->glyph != 0 ? cell->glyph : dots_glyph (cell, canvas->glyphs),
                       cell->series };
}

char *
report_canvas_row (const ReportCanvas *canvas, guint row)
{
  GString *text = g_string_new (NULL);

  for (guint column = 0; column < canvas->columns; column++)
    g_string_append_unichar (text, report_canvas_cell (canvas, column, row).glyph);
  return g_string_free (text, FALSE);
}

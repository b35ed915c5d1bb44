/**
 * draw.h: text and boxes inside rectangles of the screen. Everything is clipped to its area; what
 * is cut ends in an ellipsis. Only the UI thread draws.
 */
#pragma once

#include "report/canvas.h"
#include "theme.h"

/** A rectangle of screen cells; may be empty, or hang over the screen's edges. */
typedef struct
{
  int y, x, height, width;
} Area;

/** area_rows: rows [first, first + n) of an area, as far as it has them. */
Area area_rows (Area area, int first, int n);
Area area_columns (Area area, int first, int n);
/** area_inset: without the border of a frame. */
Area area_inset (Area area);
gboolean area_contains (Area area, int y, int x);

/** text_width: cells that a UTF-8 text takes. */
int text_width (const char *text);

/** text_fit: the text cut to @width cells, an ellipsis where cut. Free with g_free. */
char *text_fit (const char *text, int width);

/**
 * text_wrap: lines of at most @width cells, broken at blanks where possible. %NULL-terminated.
 *
 * What stands before a tab is a head: the following lines are indented by its width.
 */
char **text_wrap (const char *text, int width);

void draw_clear (Area area);

/** draw_upwards: a text that ends in the row @last; what is longer than this stands in the rows
 * above it, four at most. */
void draw_upwards (Area last, Role role, const char *text);

/** draw_text: at (row, column) of the area; cut to the area. Returns the cells that were drawn. */
int draw_text (Area area, int row, int column, Role role, const char *text);
int draw_printf (Area area, int row, int column, Role role, const char *format, ...)
    G_GNUC_PRINTF (5, 6);

/** draw_text_in: cut to @width cells from column, and aligned in them: 'l', 'r' or 'c'. */
void draw_text_in (Area area, int row, int column, int width, char align, Role role,
                   const char *text);

/** draw_role: give cells that are drawn already another role (selection bars). @n cells. */
void draw_role (Area area, int row, int column, int n, Role role);

/** draw_frame: a border with a title (nullable); returns the inside. */
Area draw_frame (Area area, const char *title);
/** draw_rule: a horizontal line over the whole row, with a title (nullable) in it. */
void draw_rule (Area area, int row, const char *title);

/** draw_bar: a bar of `share` (0 to 1, NaN: a dash) over @width cells, in eighths of a cell. */
void draw_bar (Area area, int row, int column, int width, double share, Role role);

/** draw_scrollbar: at the area's right edge; nothing where all @n rows are in view. */
void draw_scrollbar (Area area, guint64 top, guint64 in_view, guint64 n);

/** draw_canvas: a plot, its series in the roles from ROLE_SERIES_1 on. */
void draw_canvas (Area area, const ReportCanvas *canvas, guint columns, guint rows);

/* ---- tables ---- */

typedef struct
{
  const char *title;
  int width;         /* cells; the least for a flexible column */
  char align;        /* 'l', 'r', 'c' */
  gboolean flexible; /* takes what is left over */
  int priority; /* columns with the highest numbers go first when there is no room; 0 never goes */
  int most;     /* cells that a flexible column has use for; 0: any number */
} TableColumn;

/**
 * table_layout: which columns fit into @width cells with one blank between them.
 *
 * @x, @widths: (out) n_columns numbers each; a column that has no room gets width 0
 */
void table_layout (const TableColumn *columns, guint n_columns, int width, int *x, int *widths);
/** table_draw_head: titles in row 0 of @area; @sorted: column that bears the arrow, -1: none. */
void table_draw_head (Area area, const TableColumn *columns, guint n_columns, const int *x,
                      const int *widths, int sorted, gboolean descending);

/**
 * canvas.h: a line plot in character cells.
 *
 *     canvas = report_canvas_new (60, 16, REPORT_GLYPHS_BRAILLE);
 *     report_canvas_axes (canvas, (ReportRange){ 0, 1 }, (ReportRange){ 0, 1 });
 *     report_canvas_path (canvas, false_positive_rate, sensitivity, n, 0);
 *     for every cell: draw report_canvas_cell()'s glyph in the colour of its series
 *
 * Series differ without colour too: by solid, dashed and dotted lines, in ASCII by their marks.
 * What lies outside the axes is not drawn; NaN breaks a line.
 */
#pragma once

#include "report/chart.h"

typedef enum
{
  REPORT_GLYPHS_BRAILLE, /* 2×4 dots a cell */
  REPORT_GLYPHS_BLOCKS,  /* 1×2: half-blocks, for fonts without braille */
  REPORT_GLYPHS_ASCII,   /* 1×1 */
} ReportGlyphs;

#define REPORT_SERIES_NONE (-2) /* an empty cell */
#define REPORT_SERIES_AXIS (-1) /* an axis or its label */

typedef struct
{
  gunichar glyph; /* ' ' where empty */
  int series;     /* the last that was drawn here */
} ReportCell;

typedef struct _ReportCanvas ReportCanvas;

/** report_canvas_new: empty, x and y from 0 to 1 over all cells. Any size will do, 0 too. */
ReportCanvas *report_canvas_new (guint columns, guint rows, ReportGlyphs glyphs);
void report_canvas_free (ReportCanvas *canvas);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportCanvas, report_canvas_free)

/** report_canvas_range: what the drawing area shows, without axes. */
void report_canvas_range (ReportCanvas *canvas, ReportRange x, ReportRange y);

/** report_canvas_axes: the same, with labelled axes at the left and at the bottom, which take their
 * cells from the drawing area; left out where they would leave nothing of it. */
void report_canvas_axes (ReportCanvas *canvas, ReportRange x, ReportRange y);
/** report_canvas_whole_x: before the axes: x is counted, so that only whole numbers are labelled.
 */
void report_canvas_whole_x (ReportCanvas *canvas);

/** report_canvas_point: a mark that stands out from lines: a cell of its own. */
void report_canvas_point (ReportCanvas *canvas, double x, double y, int series);

/** report_canvas_line: from one point to another. */
void report_canvas_line (ReportCanvas *canvas, double x0, double y0, double x1, double y1,
                         int series);

/** report_canvas_path: through @n points; a single one is a dot. */
void report_canvas_path (ReportCanvas *canvas, const double *x, const double *y, gsize n,
                         int series);

/** report_canvas_text: UTF-8 from a cell on, cut at the right edge. */
void report_canvas_text (ReportCanvas *canvas, guint column, guint row, const char *text,
                         int series);

/** report_canvas_place: the cell of a point in the drawing area, for labels; FALSE where it is
 * outside. */
gboolean report_canvas_place (const ReportCanvas *canvas, double x, double y, guint *column,
                              guint *row);

ReportCell report_canvas_cell (const ReportCanvas *canvas, guint column, guint row);

/** report_canvas_row: a whole row as UTF-8, for logs and tests. Free with g_free. */
char *report_canvas_row (const ReportCanvas *canvas, guint row);

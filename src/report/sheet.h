/**
 * sheet.h: what the plots share: a white sheet, its type and colours, axes, the way to a file.
 *
 * Of this room alone. Lengths are in pixels, y runs down, text stands on its baseline.
 */
#pragma once

#include "report/chart.h"
#include <cairo.h>

#define SHEET_WIDTH 1200.0
#define SHEET_HEIGHT 900.0
#define SHEET_MARGIN 60.0
#define SHEET_TITLE_HEIGHT 124.0 /* what sheet_title() takes */

typedef enum
{
  INK_TEXT,
  INK_MUTED, /* labels of axes, remarks */
  INK_AXIS,
  INK_GRID,
  INK_PAPER,
  INK_BLUE, /* Okabe and Ito's */
  INK_VERMILION,
  INK_GREEN,
} SheetInk;

typedef enum
{
  ALIGN_LEFT,
  ALIGN_CENTRE,
  ALIGN_RIGHT,
} SheetAlign;

typedef struct
{
  double size;
  gboolean bold;
  SheetInk ink;
} SheetType;

extern const SheetType sheet_body, sheet_strong, sheet_remark, sheet_small;

cairo_t *sheet_new (double width, double height);

/** sheet_save: as a PNG file, whole or not at all. Frees @cr. */
gboolean sheet_save (cairo_t *cr, const char *path, gboolean replace, GError **error);

void sheet_ink (cairo_t *cr, SheetInk ink, double opacity);
double sheet_text_width (cairo_t *cr, SheetType type, const char *text);
void sheet_text (cairo_t *cr, double x, double y, SheetAlign align, SheetType type,
                 const char *text);

/** sheet_text_wrapped: in two lines where one is too long; @y is the last one's baseline. */
void sheet_text_wrapped (cairo_t *cr, double x, double y, double width, SheetType type,
                         const char *text);

/** sheet_title: @subtitle may be %NULL. */
void sheet_title (cairo_t *cr, const char *title, const char *subtitle);

void sheet_line (cairo_t *cr, double x0, double y0, double x1, double y1);
void sheet_dash (cairo_t *cr, gboolean dashed);

/** sheet_disc: filled, or hollow: a ring with paper inside. */
void sheet_disc (cairo_t *cr, double x, double y, double radius, gboolean hollow, SheetInk ink);
void sheet_diamond (cairo_t *cr, double x, double y, double radius, SheetInk ink);

/* ---- a drawing area with axes ---- */

typedef struct
{
  double left, top, width, height;
  ReportRange x, y;
} SheetFrame;

double sheet_x (const SheetFrame *frame, double value);
double sheet_y (const SheetFrame *frame, double value);

typedef enum
{
  AXIS_GRID = 1,   /* hair lines across the frame */
  AXIS_LABELS = 2, /* numbers */
} SheetAxis;

/** sheet_x_axis, sheet_y_axis: what is asked for of an axis. */
void sheet_x_axis (cairo_t *cr, const SheetFrame *frame, const ReportTicks *ticks, SheetAxis parts,
                   SheetType type);
void sheet_y_axis (cairo_t *cr, const SheetFrame *frame, const ReportTicks *ticks, SheetAxis parts,
                   SheetType type);

/** sheet_y_title: reads upwards, left of the numbers. */
void sheet_y_title (cairo_t *cr, const SheetFrame *frame, double x, const char *text);

/**
 * picture.h: what the plots share: a white sheet, its type and colours, axes, the way to a file.
 *
 * Of this room alone. Lengths are in pixels, y runs down, text stands on its baseline.
 */
#pragma once

#include "report/chart.h"
#include <cairo.h>

#define PICTURE_WIDTH 1200.0
#define PICTURE_HEIGHT 900.0
#define PICTURE_MARGIN 60.0
#define PICTURE_TITLE_HEIGHT 124.0 /* what picture_title() takes */

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
} PictureInk;

typedef enum
{
  ALIGN_LEFT,
  ALIGN_CENTRE,
  ALIGN_RIGHT,
} PictureAlign;

typedef struct
{
  double size;
  gboolean bold;
  PictureInk ink;
} PictureType;

extern const PictureType picture_body, picture_strong, picture_remark, picture_small;

cairo_t *picture_new (double width, double height);

/** picture_save: as a PNG file, whole or not at all. Frees @cr. */
gboolean picture_save (cairo_t *cr, const char *path, gboolean replace, GError **error);

void picture_ink (cairo_t *cr, PictureInk ink, double opacity);
double picture_text_width (cairo_t *cr, PictureType type, const char *text);
void picture_text (cairo_t *cr, double x, double y, PictureAlign align, PictureType type,
                   const char *text);

/** picture_text_wrapped: in two lines where one is too long; @y is the last one's baseline. */
void picture_text_wrapped (cairo_t *cr, double x, double y, double width, PictureType type,
                           const char *text);

/** picture_title: @subtitle may be %NULL. */
void picture_title (cairo_t *cr, const char *title, const char *subtitle);

void picture_line (cairo_t *cr, double x0, double y0, double x1, double y1);
void picture_dash (cairo_t *cr, gboolean dashed);

/** picture_disc: filled, or hollow: a ring with paper inside. */
void picture_disc (cairo_t *cr, double x, double y, double radius, gboolean hollow, PictureInk ink);
void picture_diamond (cairo_t *cr, double x, double y, double radius, PictureInk ink);

/* ---- a drawing area with axes ---- */

typedef struct
{
  double left, top, width, height;
  ReportRange x, y;
} PictureFrame;

double picture_x (const PictureFrame *frame, double value);
double picture_y (const PictureFrame *frame, double value);

typedef enum
{
  AXIS_GRID = 1,   /* hair lines across the frame */
  AXIS_LABELS = 2, /* numbers */
} PictureAxis;

/** picture_x_axis, picture_y_axis: what is asked for of an axis. */
void picture_x_axis (cairo_t *cr, const PictureFrame *frame, const ReportTicks *ticks,
                     PictureAxis parts, PictureType type);
void picture_y_axis (cairo_t *cr, const PictureFrame *frame, const ReportTicks *ticks,
                     PictureAxis parts, PictureType type);

/** picture_y_title: reads upwards, left of the numbers. */
void picture_y_title (cairo_t *cr, const PictureFrame *frame, double x, const char *text);

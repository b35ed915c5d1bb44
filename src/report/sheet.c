#include "report/sheet.h"

#include "base/error.h"
#include "base/output_file.h"

#include <math.h>
#include <string.h>

/* Fontconfig takes what it has where this is not installed. On a system without any font cairo
 * draws ASCII by itself: fixed text keeps to it. */
#define FAMILY "DejaVu Sans"
#define TITLE_BASELINE 60.0
#define SUBTITLE_BASELINE 86.0
#define LINE_HEIGHT 1.3 /* of the type's size */
#define LABEL_GAP 8.0   /* between an axis and its numbers */

const SheetType sheet_body = { 15, FALSE, INK_TEXT }, sheet_strong = { 15, TRUE, INK_TEXT },
                sheet_remark = { 14, FALSE, INK_MUTED }, sheet_small = { 11.5, FALSE, INK_MUTED };
static const SheetType title_type = { 26, TRUE, INK_TEXT },
                       subtitle_type = { 15, FALSE, INK_MUTED };

cairo_t *
sheet_new (double width, double height)
{
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int) width, (int) height);
  cairo_t *cr = cairo_create (surface);

  cairo_surface_destroy (surface);
  sheet_ink (cr, INK_PAPER, 1);
  cairo_paint (cr);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  return cr;
}

/* ---- to a file ---- */

typedef struct
{
  OutputFile *file;
  GError **error;
} Target;

static cairo_status_t
write_bytes (void *data, const unsigned char *bytes, unsigned n)
{
  Target *target = data;

  return output_file_write (target->file, bytes, n, target->error) ? CAIRO_STATUS_SUCCESS
                                                                   : CAIRO_STATUS_WRITE_ERROR;
}

gboolean
sheet_save (cairo_t *cr, const char *path, gboolean replace, GError **error)
{
  g_autoptr (OutputFile) file = output_file_open (path, replace, error);
  g_autoptr (GError) failure = NULL;
  Target target = { file, &failure };
  cairo_status_t status = cairo_status (cr);

  if (file != NULL && status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_write_to_png_stream (cairo_get_target (cr), write_bytes, &target);
  cairo_destroy (cr);
  if (file == NULL)
    return FALSE;
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (status != CAIRO_STATUS_SUCCESS)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_FAILED, "%s: cairo can't draw it: %s", path,
                   cairo_status_to_string (status));
      return FALSE;
    }
  return output_file_commit (file, error);
}

/* ---- ink and type ---- */

void
sheet_ink (cairo_t *cr, SheetInk ink, double opacity)
{
  static const guint32 colours[] = {
    [INK_TEXT] = 0x1f2328,      [INK_MUTED] = 0x59636e, [INK_AXIS] = 0x8c959f,
    [INK_GRID] = 0xe4e7eb,      [INK_PAPER] = 0xffffff, [INK_BLUE] = 0x0072b2,
    [INK_VERMILION] = 0xd55e00, [INK_GREEN] = 0x009e73,
  };
  guint32 colour = colours[ink];

  cairo_set_source_rgba (cr, (colour >> 16) / 255.0, (colour >> 8 & 0xff) / 255.0,
                         (colour & 0xff) / 255.0, opacity);
}

static void
set_type (cairo_t *cr, SheetType type)
{
  cairo_select_font_face (cr, FAMILY, CAIRO_FONT_SLANT_NORMAL,
                          type.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, type.size);
}

double
sheet_text_width (cairo_t *cr, SheetType type, const char *text)
{
  /* One byte that is no UTF-8 would make cairo refuse everything that follows. */
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  cairo_text_extents_t extents;

  set_type (cr, type);
  cairo_text_extents (cr, valid, &extents);
  return extents.x_advance;
}

void
sheet_text (cairo_t *cr, double x, double y, SheetAlign align, SheetType type, const char *text)
{
  static const double shares[] = { [ALIGN_LEFT] = 0, [ALIGN_CENTRE] = 0.5, [ALIGN_RIGHT] = 1 };
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  double width = sheet_text_width (cr, type, text);

  sheet_ink (cr, type.ink, 1);
  cairo_move_to (cr, x - shares[align] * width, y);
  cairo_show_text (cr, valid);
  /* The next curve begins where it begins, not at the text's end. */
  cairo_new_path (cr);
}

void
sheet_text_wrapped (cairo_t *cr, double x, double y, double width, SheetType type, const char *text)
{
  const char *best = NULL;
  double narrowest = INFINITY;
  g_autofree char *first = NULL;

  for (const char *blank = strchr (text, ' '); blank != NULL; blank = strchr (blank + 1, ' '))
    {
      g_autofree char *before = g_strndup (text, (gsize) (blank - text));
      double wider =
          MAX (sheet_text_width (cr, type, before), sheet_text_width (cr, type, blank + 1));

      if (wider < narrowest)
        {
          narrowest = wider;
          best = blank;
        }
    }
  if (best == NULL || sheet_text_width (cr, type, text) <= width)
    {
      sheet_text (cr, x, y, ALIGN_LEFT, type, text);
      return;
    }
  first = g_strndup (text, (gsize) (best - text));
  sheet_text (cr, x, y - LINE_HEIGHT * type.size, ALIGN_LEFT, type, first);
  sheet_text (cr, x, y, ALIGN_LEFT, type, best + 1);
}

void
sheet_title (cairo_t *cr, const char *title, const char *subtitle)
{
  sheet_text (cr, SHEET_MARGIN, TITLE_BASELINE, ALIGN_LEFT, title_type, title);
  if (subtitle != NULL)
    sheet_text (cr, SHEET_MARGIN, SUBTITLE_BASELINE, ALIGN_LEFT, subtitle_type, subtitle);
}

/* ---- shapes ---- */

void
sheet_line (cairo_t *cr, double x0, double y0, double x1, double y1)
{
  cairo_move_to (cr, x0, y0);
  cairo_line_to (cr, x1, y1);
  cairo_stroke (cr);
}

void
sheet_dash (cairo_t *cr, gboolean dashed)
{
  static const double dashes[] = { 5, 5 };

  cairo_set_dash (cr, dashes, dashed ? G_N_ELEMENTS (dashes) : 0, 0);
}

void
sheet_disc (cairo_t *cr, double x, double y, double radius, gboolean hollow, SheetInk ink)
{
  cairo_new_sub_path (cr);
  cairo_arc (cr, x, y, radius, 0, 2 * G_PI);
  sheet_ink (cr, hollow ? INK_PAPER : ink, 1);
  cairo_fill_preserve (cr);
  sheet_ink (cr, ink, 1);
  cairo_set_line_width (cr, 2);
  cairo_stroke (cr);
}

void
sheet_diamond (cairo_t *cr, double x, double y, double radius, SheetInk ink)
{
  sheet_ink (cr, ink, 1);
  cairo_move_to (cr, x - radius, y);
  cairo_line_to (cr, x, y - radius);
  cairo_line_to (cr, x + radius, y);
  cairo_line_to (cr, x, y + radius);
  cairo_close_path (cr);
  cairo_fill (cr);
}

/* ---- axes ---- */

double
sheet_x (const SheetFrame *frame, double value)
{
  return frame->left + (value - frame->x.low) / (frame->x.high - frame->x.low) * frame->width;
}

double
sheet_y (const SheetFrame *frame, double value)
{
  return frame->top + (frame->y.high - value) / (frame->y.high - frame->y.low) * frame->height;
}

/** Hair lines are sharp in the middle of a pixel. */
static double
sharp (double position)
{
  return floor (position) + 0.5;
}

void
sheet_x_axis (cairo_t *cr, const SheetFrame *frame, const ReportTicks *ticks, SheetAxis parts,
              SheetType type)
{
  double bottom = frame->top + frame->height;

  cairo_set_line_width (cr, 1);
  for (guint i = 0; i < ticks->n; i++)
    {
      double x = sheet_x (frame, report_tick (ticks, i));
      g_autofree char *label = report_tick_text (ticks, i);

      if (parts & AXIS_GRID)
        {
          sheet_ink (cr, INK_GRID, 1);
          sheet_line (cr, sharp (x), frame->top, sharp (x), bottom);
        }
      if (parts & AXIS_LABELS)
        sheet_text (cr, x, bottom + LABEL_GAP + type.size, ALIGN_CENTRE, type, label);
    }
}

void
sheet_y_axis (cairo_t *cr, const SheetFrame *frame, const ReportTicks *ticks, SheetAxis parts,
              SheetType type)
{
  cairo_set_line_width (cr, 1);
  for (guint i = 0; i < ticks->n; i++)
    {
      double y = sheet_y (frame, report_tick (ticks, i));
      g_autofree char *label = report_tick_text (ticks, i);

      if (parts & AXIS_GRID)
        {
          sheet_ink (cr, INK_GRID, 1);
          sheet_line (cr, frame->left, sharp (y), frame->left + frame->width, sharp (y));
        }
      if (parts & AXIS_LABELS)
        sheet_text (cr, frame->left - LABEL_GAP, y + 0.36 * type.size, ALIGN_RIGHT, type, label);
    }
}

void
sheet_y_title (cairo_t *cr, const SheetFrame *frame, double x, const char *text)
{
  cairo_save (cr);
  cairo_translate (cr, x, frame->top + frame->height / 2);
  cairo_rotate (cr, -G_PI / 2);
  sheet_text (cr, 0, 0, ALIGN_CENTRE, sheet_remark, text);
  cairo_restore (cr);
}

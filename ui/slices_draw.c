#include "slices_private.h"

#include <math.h>
#include <string.h>

#define HALF_BLOCK 0x2580 /* the upper half */

static Area
moved (Area area, int y, int x)
{
  return (Area){ area.y + y, area.x + x, area.height, area.width };
}

static SlicesLayout
layout_in (Area area)
{
  SlicesLayout layout = slices_layout (area.height, area.width);

  layout.head = moved (layout.head, area.y, area.x);
  layout.frame = moved (layout.frame, area.y, area.x);
  layout.picture = moved (layout.picture, area.y, area.x);
  layout.scale = moved (layout.scale, area.y, area.x);
  layout.status = moved (layout.status, area.y, area.x);
  layout.pane = moved (layout.pane, area.y, area.x);
  return layout;
}

/** A line of the frame: texts at its ends and the edge's letter in its middle, which has priority.
 */
static void
draw_edge (Area frame, int row, const char *left, char letter, const char *right)
{
  const int middle = frame.width / 2, room = middle - 2;
  const int left_width = MIN (text_width (left) + 2, room);

  if (frame.width < 7)
    return;
  draw_printf (area_columns (frame, 0, middle + 2), row, middle - 1, ROLE_STRONG, " %c ", letter);
  if (room > 6 && *left != '\0')
    {
      g_autofree char *text = g_strdup_printf (" %s ", left);

      draw_text_in (frame, row, 1, left_width, 'l', ROLE_NORMAL, text);
    }
  if (*right != '\0' && text_width (right) + 2 <= frame.width - middle - 3)
    {
      g_autofree char *text = g_strdup_printf (" %s ", right);

      draw_text_in (frame, row, frame.width - 1 - text_width (text), text_width (text), 'l',
                    ROLE_NORMAL, text);
    }
}

static void
draw_letters (const Slices *slices, Area frame)
{
  g_autofree char *full = slices_window_text (slices, TRUE);
  const gboolean fits = text_width (full) + 2 <= frame.width / 2 - 2;
  g_autofree char *window = slices_window_text (slices, fits);
  g_autofree char *position = slices_position (slices);
  g_autofree char *number =
      g_strdup_printf ("%s %" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT, volume_axis_name (slices->axis),
                       slices->shown + 1, slices_count (slices));
  g_autofree char *zoom = g_strdup_printf ("%.3gx", slices->zoom);
  char letters[4];

  volume_axis_letters (slices->state.axes, slices->axis, letters);
  draw_edge (frame, 0, number, letters[VOLUME_EDGE_TOP], position);
  draw_edge (frame, frame.height - 1, window, letters[VOLUME_EDGE_BOTTOM], zoom);
  if (frame.height < 3)
    return;
  draw_printf (frame, frame.height / 2, 0, ROLE_STRONG, "%c", letters[VOLUME_EDGE_LEFT]);
  draw_printf (frame, frame.height / 2, frame.width - 1, ROLE_STRONG, "%c",
               letters[VOLUME_EDGE_RIGHT]);
}

/** Greys from the window's upper edge down to its lower one. */
static void
draw_scale (const Slices *slices, Area area)
{
  const double upper = slices->window.centre + slices->window.width / 2;
  const int rows = area.height - 2, steps = 2 * rows;
  g_autofree guint8 *cell = g_new (guint8, 64);

  if (rows < 1)
    return;
  draw_printf (area, 0, 1, ROLE_NORMAL, "%.0f", upper);
  draw_printf (area, area.height - 1, 1, ROLE_NORMAL, "%.0f", upper - slices->window.width);
  for (int row = 0; row < rows; row++)
    {
      guint8 greys[2]; /* the upper and the lower half */
      int pair;
      char text[7] = { 0 };

      for (int half = 0; half < 2; half++)
        {
          const double share = steps > 1 ? (double) (2 * row + half) / (steps - 1) : 0;

          greys[half] = (guint8) (255 * (slices->inverted ? share : 1 - share) + 0.5);
        }
      pair = theme_ascii () ? -1 : theme_grey_pair (greys[0], greys[1]);
      memset (cell, greys[0], 32);
      memset (cell + 32, greys[1], 32);
      g_unichar_to_utf8 (pair >= 0 ? HALF_BLOCK : grey_picture_shade (cell, 8, theme_ascii ()),
                         text);
      for (int column = 1; column <= 3; column++)
        {
          draw_text (area, row + 1, column, ROLE_NORMAL, text);
          if (pair >= 0)
            mvchgat (area.y + row + 1, area.x + column, 1, A_NORMAL, (short) pair, NULL);
        }
    }
}

/** Text in the middle of the frame where there is no picture. */
static void
draw_instead (Area area, Role role, const char *text)
{
  const int width = MIN (area.width - 2, 60);
  g_auto (GStrv) lines = text_wrap (text, width);
  const int n = (int) g_strv_length (lines), first = MAX ((area.height - n) / 2, 0);

  for (int row = 0; row < n; row++)
    draw_text (area_columns (area, 0, area.width - 1), first + row,
               MAX ((area.width - width) / 2, 1), role, lines[row]);
}

static void
draw_absent (const Slices *slices, Area area)
{
  g_autofree char *name = slices_name (slices);
  g_autofree char *text = NULL;
  Role role = ROLE_NORMAL;

  if (slices->volume == NULL && slices->path == NULL)
    text = g_strdup ("No scan yet.\n\nEnter on a record in Records (key 1) shows its slices; "
                     "o opens any NIfTI file.");
  else if (slices->path == NULL)
    text = g_strdup_printf (
        "%s has no file here.\n\n%s%s\n:volumes DIR tells where the scans are; "
        "J and K go to the next and the previous record.",
        name,
        app_volumes_directory (slices->app) != NULL ? "Looked for below "
                                                    : "No folder of scans is "
                                                      "known.",
        app_volumes_directory (slices->app) != NULL ? app_volumes_directory (slices->app) : "");
  else
    {
      g_autofree char *progress = slices_progress (slices, &role);

      text = role == ROLE_BAD ? g_strdup (progress) : g_strdup_printf ("Opening %s", name);
    }
  draw_instead (area, role, text);
}

/** The lines that stand for the pane where there is no room for one. The warning goes where it is
 * whole. */
static void
draw_lines (const Slices *slices, const SlicesLayout *layout)
{
  Role role;
  g_autofree char *name = slices_name (slices);
  g_autofree char *progress = slices_progress (slices, &role);
  g_autofree char *reading = slices->cursor ? slices_reading (slices) : g_strdup ("");
  g_autofree char *place = slices->cursor ? slices_place (slices) : slices_spacing (slices);
  const int width = layout->head.width, warning = text_width (NOT_FOR_DIAGNOSIS);
  const gboolean told = *progress != '\0';
  /* A name cut short names nothing: the spacing makes way before it. */
  const gboolean spared =
      !slices->cursor && !told && text_width (name) + 2 + warning > width && warning <= width;
  const int room = told ? width - width / 2 : spared ? width : width - warning - 2;
  int used = 0;

  if (!spared)
    used = draw_printf (layout->status, 0, 0, ROLE_NORMAL, "%s%s%s", reading,
                        *reading != '\0' ? "  " : "", place);
  if (spared || used + 2 + warning <= width)
    draw_text (layout->status, 0, width - warning, ROLE_DIM, NOT_FOR_DIAGNOSIS);
  else if (!told)
    draw_text_in (layout->head, 0, MAX (width - warning, 0), warning, 'l', ROLE_DIM,
                  NOT_FOR_DIAGNOSIS);
  used = draw_text (area_columns (layout->head, 0, room), 0, 0, ROLE_STRONG, name);
  draw_text_in (layout->head, 0, used + 1, width - used - 1, 'r', role, progress);
}

void
slices_draw (gpointer screen, Area area)
{
  Slices *slices = screen;
  const SlicesLayout *layout = &slices->layout;

  slices_open (slices);
  slices->layout = layout_in (area);
  draw_frame (layout->frame, NULL);
  if (layout->picture.width > 0 && layout->picture.height > 0 && slices->state.ready)
    slices_render (slices);
  if (slices->slice != NULL && slices->picture != NULL && slices->state.ready)
    {
      draw_letters (slices, layout->frame);
      grey_picture_show (slices->picture, layout->picture, app_overlay_open (slices->app));
      draw_scale (slices, layout->scale);
    }
  else
    draw_absent (slices, layout->picture);
  slices_draw_pane (slices, layout->pane);
  draw_lines (slices, layout);
}

void
slices_drawn (gpointer screen, gboolean repainted)
{
  Slices *slices = screen;

  if (slices->picture == NULL)
    return;
  if (slices->slice == NULL)
    grey_picture_withdraw (slices->picture);
  else if (!(app_overlay_open (slices->app) && grey_picture_is_graphics (slices->picture)))
    grey_picture_emit (slices->picture, slices->layout.picture, repainted);
}

/* Which part of the volume is seen, and its picture. */
#include "slices_private.h"

#include <math.h>
#include <unistd.h>

#define PLAY_MS 100
#define MOST_ZOOM 40.0
#define PAN_SHARE 0.125 /* of what is in view */

guint
slices_through (VolumeAxis axis)
{
  return axis == VOLUME_AXIS_AXIAL ? 2 : axis == VOLUME_AXIS_CORONAL ? 1 : 0;
}

gsize
slices_count (const Slices *slices)
{
  return volume_viewer_state_count (&slices->state, slices->axis);
}

void
slices_changed (Slices *slices)
{
  slices->stale = TRUE;
  app_redraw (slices->app);
}

gsize
slices_index_to_show (const Slices *slices)
{
  const VolumeViewerState *state = &slices->state;
  const gsize wanted = slices->voxel[slices_through (slices->axis)];

  if (volume_viewer_state_has (state, slices->axis, wanted)
      || slices_through (slices->axis) != state->arrival_axis || state->arrived == 0)
    return wanted;
  if (slices->waiting && volume_viewer_state_has (state, slices->axis, slices->held))
    return slices->held;
  return state->arrives_from_far_end ? slices_count (slices) - state->arrived : state->arrived - 1;
}

static GreyPicture *
make_picture (const Slices *slices)
{
  g_auto (GStrv) environment = g_get_environ ();
  const AppOptions *options = app_options (slices->app);
  const PictureTerminal terminal = { .wanted = options->graphics,
                                     .ascii = theme_ascii (),
                                     .greys = theme_grey_pair (255, 0) >= 0,
                                     .live = options->replay == NULL && isatty (STDOUT_FILENO),
                                     .xterm = theme_is_xterm () };

  return grey_picture_new (grey_picture_kind (&terminal, environment));
}

/** The place of the cursor in the slice that is shown. */
static void
cursor_place (const Slices *slices, gsize *column, gsize *row)
{
  gsize index;

  volume_slice_place (slices->axis, slices->state.n, slices->voxel, &index, column, row);
}

static void
draw_picture (Slices *slices, guint8 *grey)
{
  slices->shown = slices_index_to_show (slices);
  g_clear_pointer (&slices->slice, volume_slice_free);
  slices->slice = volume_viewer_slice (slices->viewer, slices->axis, slices->shown);
  if (slices->slice == NULL)
    return;
  volume_slice_render (slices->slice, slices->window, slices->inverted, &slices->view, grey);
  grey_picture_convert (slices->picture);
  slices->stale = FALSE;
  slices->cursor_stale = slices->cursor;
}

static void
draw_cursor (Slices *slices)
{
  double x_px = -1, y_px = -1;
  gsize column, row;

  if (slices->cursor)
    {
      cursor_place (slices, &column, &row);
      volume_view_point (&slices->view, slices->slice, column, row, &x_px, &y_px);
    }
  grey_picture_mark (slices->picture, x_px, y_px);
  slices->cursor_stale = FALSE;
}

void
slices_render (Slices *slices)
{
  const Area area = slices->layout.picture;
  VolumeView view = { .zoom = slices->zoom,
                      .pan_x_mm = slices->pan_x_mm,
                      .pan_y_mm = slices->pan_y_mm };
  guint8 *grey;

  if (slices->picture == NULL)
    slices->picture = make_picture (slices);
  grey = grey_picture_fit (slices->picture, area.width, area.height, &view.width_px,
                           &view.height_px, &view.pixel_aspect);
  if (view.width_px != slices->view.width_px || view.height_px != slices->view.height_px
      || view.pixel_aspect != slices->view.pixel_aspect)
    slices->stale = TRUE;
  slices->view = view;
  if (slices->stale || slices->slice == NULL)
    draw_picture (slices, grey);
  if (slices->cursor_stale && slices->slice != NULL)
    draw_cursor (slices);
}

/* ---- moving through the slices ---- */

void
slices_go_to (Slices *slices, gint64 index)
{
  gsize *wanted = &slices->voxel[slices_through (slices->axis)];
  const gsize n = slices_count (slices), before = *wanted;

  if (n == 0)
    {
      slices->asked = slices->viewer != NULL;
      slices->asked_for = index;
      return;
    }
  *wanted = (gsize) CLAMP (index, 0, (gint64) n - 1);
  slices->held = slices->shown;
  slices->waiting = !slices->state.finished
                    && slices_through (slices->axis) == slices->state.arrival_axis
                    && !volume_viewer_state_has (&slices->state, slices->axis, *wanted);
  if (*wanted != before)
    slices_changed (slices);
}

void
slices_step (Slices *slices, gint64 n)
{
  slices_go_to (slices, (gint64) slices_index_to_show (slices) + n);
}

static gboolean
play_on (gpointer data)
{
  Slices *slices = data;

  if (app_overlay_open (slices->app))
    return G_SOURCE_CONTINUE;
  slices_step (slices, 1);
  if (slices->voxel[slices_through (slices->axis)] + 1 < slices_count (slices))
    return G_SOURCE_CONTINUE;
  slices->play = 0;
  return G_SOURCE_REMOVE;
}

void
slices_play (Slices *slices, gboolean on)
{
  if (slices->play != 0)
    g_source_remove (slices->play);
  slices->play = 0;
  if (on && slices_count (slices) > 0)
    slices->play = app_animate (slices->app, PLAY_MS, play_on, slices);
}

/* ---- zooming and panning ---- */

/** The slice's middle stays in view. */
static void
keep_in_view (Slices *slices)
{
  const VolumeSlice *slice = slices->slice;
  const double across = slice->pixel_width_mm * (double) slice->width / 2;
  const double down = slice->pixel_height_mm * (double) slice->height / 2;

  slices->pan_x_mm = slices->zoom > 1 ? CLAMP (slices->pan_x_mm, -across, across) : 0;
  slices->pan_y_mm = slices->zoom > 1 ? CLAMP (slices->pan_y_mm, -down, down) : 0;
  slices_changed (slices);
}

void
slices_zoom (Slices *slices, double factor)
{
  const VolumeSlice *slice = slices->slice;
  double before = slices->zoom, x_mm = slices->pan_x_mm, y_mm = slices->pan_y_mm;
  gsize column, row;

  if (slice == NULL)
    return;
  slices->zoom = CLAMP (before * factor, 1, MOST_ZOOM);
  if (slices->cursor)
    {
      cursor_place (slices, &column, &row);
      x_mm = ((double) column + 0.5 - (double) slice->width / 2) * slice->pixel_width_mm;
      y_mm = ((double) row + 0.5 - (double) slice->height / 2) * slice->pixel_height_mm;
    }
  /* What the zoom is around stays where it is in the picture. */
  slices->pan_x_mm = x_mm - (x_mm - slices->pan_x_mm) * before / slices->zoom;
  slices->pan_y_mm = y_mm - (y_mm - slices->pan_y_mm) * before / slices->zoom;
  keep_in_view (slices);
}

void
slices_pan (Slices *slices, int right, int down)
{
  double mm;

  if (slices->slice == NULL)
    return;
  if (slices->zoom <= 1)
    {
      app_message (slices->app, "The whole slice is in view; + zooms in");
      return;
    }
  mm = volume_view_mm_per_pixel (&slices->view, slices->slice) * PAN_SHARE
       * MIN (slices->view.width_px, slices->view.height_px * slices->view.pixel_aspect);
  slices->pan_x_mm += right * mm;
  slices->pan_y_mm += down * mm;
  keep_in_view (slices);
}

/* ---- the cursor ---- */

static void
set_cursor (Slices *slices, gsize column, gsize row)
{
  volume_slice_voxel (slices->axis, slices->state.n, slices->shown, column, row, slices->voxel);
  slices->waiting = FALSE;
  slices->cursor = slices->cursor_stale = TRUE;
  app_redraw (slices->app);
}

/** Steps of a cell's size, and of one voxel where cells are smaller. */
static gint64
voxels_per_cell (double cell_mm, double voxel_mm)
{
  return MAX ((gint64) floor (cell_mm / voxel_mm + 0.5), 1);
}

void
slices_move_cursor (Slices *slices, int right, int down)
{
  const VolumeSlice *slice = slices->slice;
  double mm;
  gint64 x, y;
  gsize column, row;

  if (slice == NULL)
    return;
  mm = volume_view_mm_per_pixel (&slices->view, slice);
  cursor_place (slices, &column, &row);
  x = (gint64) column
      + right
            * voxels_per_cell (mm * slices->view.width_px / slices->layout.picture.width,
                               slice->pixel_width_mm);
  y = (gint64) row
      + down
            * voxels_per_cell (mm * slices->view.pixel_aspect * slices->view.height_px
                                   / slices->layout.picture.height,
                               slice->pixel_height_mm);
  set_cursor (slices, (gsize) CLAMP (x, 0, (gint64) slice->width - 1),
              (gsize) CLAMP (y, 0, (gint64) slice->height - 1));
}

void
slices_point (Slices *slices, int column, int row)
{
  const Area area = slices->layout.picture;
  gsize place_column, place_row;

  if (slices->slice == NULL)
    return;
  volume_view_voxel (&slices->view, slices->slice,
                     (column + 0.5) * slices->view.width_px / area.width,
                     (row + 0.5) * slices->view.height_px / area.height, &place_column, &place_row);
  set_cursor (slices, place_column, place_row);
}

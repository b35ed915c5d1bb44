/* Keys, the mouse, and lines typed after ":". */
#include "slices_private.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MANY 10
#define ZOOM_STEP 1.25
#define LEVEL_STEP 25.0 /* HU */
#define WIDTH_STEP 50.0
#define LEAST_WIDTH 10.0
#define MOST_WIDTH 8000.0
#define LEAST_DRAG 400.0
#define MOST_LEVEL 4000.0

/* ---- the window ---- */

static void
set_window (Slices *slices, VolumeWindow window)
{
  slices->window.centre = CLAMP (window.centre, -MOST_LEVEL, MOST_LEVEL);
  slices->window.width = CLAMP (window.width, LEAST_WIDTH, MOST_WIDTH);
  slices_changed (slices);
}

static void
use_preset (Slices *slices, const char *name)
{
  VolumeWindow window;

  if (volume_window_parse (name, &window, NULL))
    set_window (slices, window);
}

static void
change_window (Slices *slices, double level, double width)
{
  /* From 10 on, the next wider one is 50. */
  const double wider = floor ((slices->window.width + width) / WIDTH_STEP + 0.5) * WIDTH_STEP;

  set_window (slices, (VolumeWindow){ slices->window.centre + level,
                                      width != 0 ? wider : slices->window.width });
}

/* ---- files ---- */

static void
open_file (gpointer data, const char *text)
{
  Slices *slices = data;
  g_autofree char *stripped = g_strstrip (g_strdup (text));
  g_autofree char *path = app_path (stripped);

  if (*path != '\0')
    app_look_at (slices->app, NULL, path);
}

static void
ask_for_file (Slices *slices)
{
  app_prompt (slices->app, &(Prompt){ .label = "NIfTI file",
                                      .history = "open",
                                      .kind = PROMPT_PATH,
                                      .accept = open_file,
                                      .data = slices });
}

static void
next_record (Slices *slices, int step)
{
  slices->direction = step;
  if (!app_look_at_neighbour (slices->app, step))
    app_message (slices->app,
                 step > 0 ? "No record follows in the list" : "No record comes before in the list");
}

/* ---- commands ---- */

static void
set_axis (Slices *slices, VolumeAxis axis)
{
  slices->axis = axis;
  slices->waiting = FALSE;
  slices->zoom = 1;
  slices->pan_x_mm = slices->pan_y_mm = 0;
  slices_changed (slices);
}

static void
toggle_cursor (Slices *slices)
{
  slices->cursor = !slices->cursor && slices->slice != NULL;
  /* While a file is read, what is shown need not be what was asked for. */
  if (slices->cursor)
    slices_go_to (slices, (gint64) slices->shown);
  slices->cursor_stale = TRUE;
  app_redraw (slices->app);
}

/** A direction key: the cursor where it is shown, else what the key is for without it. */
static void
steer (Slices *slices, int right, int down)
{
  if (slices->cursor)
    slices_move_cursor (slices, right, down);
  else if (right != 0)
    slices_pan (slices, right, 0);
  else
    slices_step (slices, down);
}

static void
run (Slices *slices, Command command)
{
  switch (command)
    {
    case COMMAND_SLICES_NEXT:
      steer (slices, 0, 1);
      break;
    case COMMAND_SLICES_PREVIOUS:
      steer (slices, 0, -1);
      break;
    case COMMAND_SLICES_TEN_ON:
      slices_step (slices, MANY);
      break;
    case COMMAND_SLICES_TEN_BACK:
      slices_step (slices, -MANY);
      break;
    case COMMAND_SLICES_FIRST:
      slices_go_to (slices, 0);
      break;
    case COMMAND_SLICES_LAST:
      slices_go_to (slices, G_MAXINT64);
      break;
    case COMMAND_SLICES_LUNG:
      use_preset (slices, "lung");
      break;
    case COMMAND_SLICES_MEDIASTINUM:
      use_preset (slices, "mediastinum");
      break;
    case COMMAND_SLICES_BONE:
      use_preset (slices, "bone");
      break;
    case COMMAND_SLICES_BRAIN:
      use_preset (slices, "brain");
      break;
    case COMMAND_SLICES_AXIAL:
      set_axis (slices, VOLUME_AXIS_AXIAL);
      break;
    case COMMAND_SLICES_CORONAL:
      set_axis (slices, VOLUME_AXIS_CORONAL);
      break;
    case COMMAND_SLICES_SAGITTAL:
      set_axis (slices, VOLUME_AXIS_SAGITTAL);
      break;
    case COMMAND_SLICES_CURSOR:
      toggle_cursor (slices);
      break;
    case COMMAND_SLICES_LEVEL_DOWN:
      change_window (slices, -LEVEL_STEP, 0);
      break;
    case COMMAND_SLICES_LEVEL_UP:
      change_window (slices, LEVEL_STEP, 0);
      break;
    case COMMAND_SLICES_WIDTH_DOWN:
      change_window (slices, 0, -WIDTH_STEP);
      break;
    case COMMAND_SLICES_WIDTH_UP:
      change_window (slices, 0, WIDTH_STEP);
      break;
    case COMMAND_SLICES_INVERT:
      slices->inverted = !slices->inverted;
      slices_changed (slices);
      break;
    case COMMAND_SLICES_ZOOM_IN:
      slices_zoom (slices, ZOOM_STEP);
      break;
    case COMMAND_SLICES_ZOOM_OUT:
      slices_zoom (slices, 1 / ZOOM_STEP);
      break;
    case COMMAND_SLICES_FIT:
      slices_zoom (slices, 0);
      break;
    case COMMAND_SLICES_PAN_LEFT:
      steer (slices, -1, 0);
      break;
    case COMMAND_SLICES_PAN_RIGHT:
      steer (slices, 1, 0);
      break;
    case COMMAND_SLICES_PAN_UP:
      slices_pan (slices, 0, -1);
      break;
    case COMMAND_SLICES_PAN_DOWN:
      slices_pan (slices, 0, 1);
      break;
    case COMMAND_SLICES_NEXT_RECORD:
      next_record (slices, 1);
      break;
    case COMMAND_SLICES_PREVIOUS_RECORD:
      next_record (slices, -1);
      break;
    case COMMAND_SLICES_PNG:
      slices_write_png (slices, NULL);
      break;
    case COMMAND_SLICES_OPEN:
      ask_for_file (slices);
      break;
    default:
      break;
    }
}

gboolean
slices_command (gpointer screen, Command command)
{
  Slices *slices = screen;
  const gboolean playing = slices->play != 0;

  if (command < COMMAND_SLICES_NEXT || command > COMMAND_SLICES_OPEN)
    return FALSE;
  if (command == COMMAND_SLICES_PLAY)
    slices_play (slices, !playing);
  else
    {
      /* Whoever steps by hand has stopped watching. */
      if (playing && command >= COMMAND_SLICES_NEXT && command <= COMMAND_SLICES_LAST)
        slices_play (slices, FALSE);
      run (slices, command);
    }
  return TRUE;
}

gboolean
slices_mouse (gpointer screen, MouseAction action, int y, int x)
{
  Slices *slices = screen;
  const SlicesLayout *layout = &slices->layout;
  const gboolean wheel = action == MOUSE_WHEEL_UP || action == MOUSE_WHEEL_DOWN;
  const int down = action == MOUSE_WHEEL_DOWN ? 1 : -1;

  if (wheel && area_contains (layout->scale, y, x))
    change_window (slices, -down * LEVEL_STEP, 0);
  else if (wheel && area_contains (layout->frame, y, x))
    slices_step (slices, down);
  else if (!wheel && area_contains (layout->picture, y, x))
    slices_point (slices, x - layout->picture.x, y - layout->picture.y);
  else
    return FALSE;
  app_redraw (slices->app);
  return TRUE;
}

/** As on a workstation: to the right wider, up higher. Over the picture's height the level changes
 * by the width that the window began with, over half of its width the width does. */
void
slices_drag (gpointer screen, gboolean begins, int y, int x)
{
  Slices *slices = screen;
  const Area area = slices->layout.picture;
  double hu;

  if (begins)
    {
      slices->dragging = area_contains (area, y, x);
      slices->grabbed_y = y;
      slices->grabbed_x = x;
      slices->grabbed = slices->window;
    }
  if (begins || !slices->dragging)
    return;
  hu = MAX (slices->grabbed.width, LEAST_DRAG);
  set_window (
      slices,
      (VolumeWindow){
          round (slices->grabbed.centre + hu * (slices->grabbed_y - y) / MAX (area.height, 1)),
          round (slices->grabbed.width + 2 * hu * (x - slices->grabbed_x) / MAX (area.width, 1)) });
}

/* ---- after ":" ---- */

static gboolean
execute_window (Slices *slices, const char *rest, GError **error)
{
  g_autofree char *text = g_strdup (rest);
  VolumeWindow window;

  if (!volume_window_parse (g_strdelimit (text, " ", ','), &window, error))
    return FALSE;
  set_window (slices, window);
  return TRUE;
}

static gboolean
execute_number (Slices *slices, const char *text, GError **error)
{
  const gsize n = slices_count (slices);
  const gboolean opening = slices->viewer != NULL && !slices->state.finished;
  gint64 number;

  if (n == 0 && !opening)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "%s: there is no scan to go to", text);
      return FALSE;
    }
  if (!g_ascii_string_to_signed (text, 10, 1, n > 0 ? (gint64) n : G_MAXINT64, &number, NULL))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s: slices go from 1 to %" G_GSIZE_FORMAT, text, n);
      return FALSE;
    }
  slices_go_to (slices, number - 1);
  return TRUE;
}

gboolean
slices_execute (gpointer screen, const char *line, GError **error)
{
  Slices *slices = screen;
  g_autofree char *word = g_strndup (line, strcspn (line, " "));
  const char *rest = line + strlen (word);

  while (*rest == ' ')
    rest++;
  if (g_ascii_isdigit (*line))
    return execute_number (slices, line, error);
  if (strcmp (word, "window") == 0)
    return execute_window (slices, rest, error);
  if (strcmp (word, "png") == 0)
    {
      g_autofree char *path = app_path (rest);

      slices_write_png (slices, *path != '\0' ? path : NULL);
      return TRUE;
    }
  if (strcmp (word, "open") != 0)
    return FALSE;
  if (*rest != '\0')
    open_file (slices, rest);
  else
    ask_for_file (slices);
  return TRUE;
}

#include "slices_private.h"

#include <string.h>

static gpointer
create (App *app)
{
  Slices *slices = g_new0 (Slices, 1);

  slices->app = app;
  slices->zoom = 1;
  slices->direction = 1;
  volume_window_parse ("lung", &slices->window, NULL);
  return slices;
}

static void
destroy (gpointer screen)
{
  Slices *slices = screen;

  slices_play (slices, FALSE);
  g_clear_pointer (&slices->viewer, volume_viewer_unref);
  g_clear_pointer (&slices->cache, volume_viewer_cache_free);
  g_clear_pointer (&slices->slice, volume_slice_free);
  g_clear_pointer (&slices->record, catalog_record_free);
  g_clear_pointer (&slices->picture, grey_picture_free);
  volume_viewer_state_clear (&slices->state);
  g_free (slices->volume);
  g_free (slices->path);
  g_free (slices->fault);
  g_free (slices->folder);
  g_free (slices);
}

static const int *
scopes (gpointer screen)
{
  static const int all[] = { SCOPE_SLICES, SCOPE_ANYWHERE, -1 };

  return all;
}

/** Without a picture there is nothing to do but to open another. */
static gboolean
useful (gpointer screen, Command command)
{
  const Slices *slices = screen;

  return slices->viewer != NULL || command == COMMAND_SLICES_OPEN || command == COMMAND_HELP
         || command == COMMAND_QUIT
         || (command == COMMAND_SLICES_NEXT_RECORD && slices->volume != NULL);
}

static void
leave (gpointer screen)
{
  Slices *slices = screen;

  slices_play (slices, FALSE);
  if (slices->picture != NULL)
    grey_picture_withdraw (slices->picture);
}

/** Esc: the cursor goes first, then the zoom, then the screen. */
static gboolean
back (gpointer screen)
{
  Slices *slices = screen;

  if (slices->play != 0)
    slices_play (slices, FALSE);
  else if (slices->cursor)
    {
      slices->cursor = FALSE;
      slices->cursor_stale = TRUE;
      app_redraw (slices->app);
    }
  else if (slices->zoom > 1)
    slices_zoom (slices, 0);
  else
    app_go_to (slices->app, SCREEN_RECORDS);
  return TRUE;
}

static void
store_changed (gpointer screen)
{
  Slices *slices = screen;

  slices->record_known = FALSE;
}

static void
woken (gpointer screen)
{
  Slices *slices = screen;

  slices_read_on (slices);
  if (slices->cache != NULL)
    volume_viewer_cache_trim (slices->cache);
}

/* ---- from one start to the next ---- */

#define GROUP "Slices"

static void
save (gpointer screen, GKeyFile *state)
{
  const Slices *slices = screen;
  double window[] = { slices->window.centre, slices->window.width };
  int voxel[3];

  g_key_file_set_string (state, GROUP, "axis", volume_axis_name (slices->axis));
  g_key_file_set_double_list (state, GROUP, "window", window, G_N_ELEMENTS (window));
  g_key_file_set_boolean (state, GROUP, "inverted", slices->inverted);
  if (slices->volume != NULL)
    g_key_file_set_string (state, GROUP, "volume", slices->volume);
  if (slices->path != NULL)
    g_key_file_set_string (state, GROUP, "path", slices->path);
  if (!slices->placed)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (voxel); i++)
    voxel[i] = (int) slices->voxel[i];
  g_key_file_set_integer_list (state, GROUP, "voxel", voxel, G_N_ELEMENTS (voxel));
}

static void
load_voxel (Slices *slices, GKeyFile *state)
{
  gsize n = 0;
  g_autofree int *voxel = g_key_file_get_integer_list (state, GROUP, "voxel", &n, NULL);

  if (voxel == NULL || n != G_N_ELEMENTS (slices->voxel))
    return;
  for (gsize i = 0; i < n; i++)
    slices->voxel[i] = (gsize) MAX (voxel[i], 0);
  slices->placed = TRUE;
}

static void
load (gpointer screen, GKeyFile *state)
{
  Slices *slices = screen;
  g_autofree char *axis = g_key_file_get_string (state, GROUP, "axis", NULL);
  gsize n = 0;
  g_autofree double *window = g_key_file_get_double_list (state, GROUP, "window", &n, NULL);

  if (axis != NULL)
    volume_axis_parse (axis, &slices->axis, NULL);
  if (window != NULL && n == 2 && window[1] > 0)
    slices->window = (VolumeWindow){ window[0], window[1] };
  slices->inverted = g_key_file_get_boolean (state, GROUP, "inverted", NULL);
  /* What another workspace had is left. */
  slices_close (slices);
  g_free (slices->volume);
  g_free (slices->path);
  slices->volume = g_key_file_get_string (state, GROUP, "volume", NULL);
  slices->path = g_key_file_get_string (state, GROUP, "path", NULL);
  slices->record_known = slices->placed = FALSE;
  load_voxel (slices, state);
}

/** Who has chosen nothing yet sees the record under the cursor. */
static void
enter (gpointer screen)
{
  Slices *slices = screen;

  if (slices->path == NULL)
    app_look_at_neighbour (slices->app, 0);
}

const ScreenClass slices_screen = { .title = "Slices",
                                    .create = create,
                                    .destroy = destroy,
                                    .scopes = scopes,
                                    .useful = useful,
                                    .enter = enter,
                                    .leave = leave,
                                    .draw = slices_draw,
                                    .drawn = slices_drawn,
                                    .command = slices_command,
                                    .mouse = slices_mouse,
                                    .drag = slices_drag,
                                    .back = back,
                                    .execute = slices_execute,
                                    .store_changed = store_changed,
                                    .woken = woken,
                                    .save = save,
                                    .load = load };

#include "replay_private.h"

#include "app_private.h"
#include "log.h"
#include "terminal.h"

#include <string.h>

#define STEP_MS 2

static void
fail (Replay *replay, const Step *step)
{
  g_autofree char *screen = terminal_screen ();

  terminal_stop ();
  log_release ();
  app_leave (replay->app, 1);
  g_printerr ("%s: line %u: waited %d s in vain for \"%s\"; the screen is:\n%s", replay->path,
              step->line, replay->timeout_s, step->text, screen);
}

/** Whether a wait is over. */
static gboolean
wait_is_over (Replay *replay, const Step *step)
{
  g_autofree char *screen = terminal_screen ();
  gboolean there = strstr (screen, step->text) != NULL;
  gint64 now_us = g_get_monotonic_time ();

  if (there == (step->kind == STEP_WAIT))
    {
      replay->waiting_since_us = 0;
      return TRUE;
    }
  if (replay->waiting_since_us == 0)
    replay->waiting_since_us = now_us;
  if (now_us - replay->waiting_since_us > replay->timeout_s * G_USEC_PER_SEC)
    fail (replay, step);
  return FALSE;
}

static void
dump (App *app, const char *path)
{
  g_autofree char *screen = terminal_screen ();
  g_autoptr (GError) error = NULL;

  if (!app_write_screen (screen, path, TRUE, &error))
    app_error (app, "%s", error->message);
}

static gboolean
run_step (gpointer data)
{
  Replay *replay = data;
  App *app = replay->app;
  const Step *step;

  if (!works_idle (app->works))
    return G_SOURCE_CONTINUE;
  app_draw (app);
  if (replay->next == replay->steps->len)
    {
      replay->source = 0;
      app_leave (app, 0);
      return G_SOURCE_REMOVE;
    }
  step = &g_array_index (replay->steps, Step, replay->next);
  if ((step->kind == STEP_WAIT || step->kind == STEP_WAIT_GONE) && !wait_is_over (replay, step))
    return G_SOURCE_CONTINUE;
  replay->next++;
  switch (step->kind)
    {
    case STEP_SIZE:
      terminal_resize (step->width, step->height);
      break;
    case STEP_KEY:
      app_press (app, step->key);
      break;
    case STEP_TIMEOUT:
      replay->timeout_s = step->width;
      break;
    case STEP_DUMP:
      dump (app, step->text);
      break;
    default:
      break;
    }
  return G_SOURCE_CONTINUE;
}

void
replay_start (Replay *replay, App *app)
{
  replay->app = app;
  replay->source = g_timeout_add (STEP_MS, run_step, replay);
}

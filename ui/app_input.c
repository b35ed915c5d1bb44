/* Keys, the mouse and signals. */
#include "app_private.h"

#include "log.h"
#include "terminal.h"

#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#define DOUBLE_CLICK_US 400000

void
app_leave (App *app, int code)
{
  app->code = code;
  g_main_loop_quit (app->loop);
}

static void
leave_now (gpointer data)
{
  app_leave (data, 0);
}

void
app_quit (App *app)
{
  g_autofree char *question = NULL;

  if (app->job == NULL)
    {
      app_leave (app, 0);
      return;
    }
  question = g_strdup_printf ("%s is running. Cancel it and quit? What is finished is kept.",
                              app->job_title);
  app_confirm (app, question, leave_now, app);
}

static void
execute_line (gpointer data, const char *text)
{
  app_execute (data, text);
}

static void
run_command (App *app, Command command)
{
  gpointer data;
  const ScreenClass *class = app_class (app, &data);

  if (class->command != NULL && class->command (data, command))
    return;
  switch (command)
    {
    case COMMAND_HELP:
      app_show_help (app);
      break;
    case COMMAND_QUIT:
      app_quit (app);
      break;
    case COMMAND_BACK:
      if (class->back != NULL)
        class->back (data);
      break;
    case COMMAND_SCREEN_RECORDS:
    case COMMAND_SCREEN_SLICES:
    case COMMAND_SCREEN_EXPERIMENT:
    case COMMAND_SCREEN_TRAINING:
    case COMMAND_SCREEN_RUNS:
      app_go_to (app, SCREEN_RECORDS + (ScreenId) (command - COMMAND_SCREEN_RECORDS));
      break;
    case COMMAND_NEXT_SCREEN:
      app_go_to (app, (app->screen + 1) % N_SCREENS);
      break;
    case COMMAND_PREVIOUS_SCREEN:
      app_go_to (app, (app->screen + N_SCREENS - 1) % N_SCREENS);
      break;
    case COMMAND_COMMAND_LINE:
      app_open_prompt (
          app, &(Prompt){ .label = ":", .history = "command", .accept = execute_line, .data = app },
          app_command_words ());
      break;
      case COMMAND_LOG: {
        g_autofree char *log = log_text ();
        g_autofree char *title = g_strdup_printf ("Log: %s", log_path ());

        app_page (app, title, *log != '\0' ? log : "Nothing was logged yet.");
        box_command (g_queue_peek_head (&app->boxes), COMMAND_BOX_LAST);
        break;
      }
    case COMMAND_MOUSE:
      app->mouse = !app->mouse;
      terminal_set_mouse (app->mouse);
      app_message (app,
                   app->mouse ? "The mouse is on" : "The mouse is off: the terminal selects text");
      break;
    case COMMAND_REDRAW:
      app->repaint = TRUE;
      break;
    case COMMAND_SUSPEND:
      terminal_suspend ();
      app->repaint = TRUE;
      break;
    default:
      break;
    }
}

void
app_press (App *app, Key key)
{
  static const int box_scopes[] = { SCOPE_BOX, -1 };
  gpointer data;
  const ScreenClass *class = app_class (app, &data);

  g_clear_pointer (&app->message, g_free);
  if (app->prompt != NULL)
    app_press_in_prompt (app, key);
  else if (app->boxes.length > 0)
    {
      Box *box = g_queue_peek_head (&app->boxes);

      if (box_key (box, key) || box_command (box, key_command (key, box_scopes)))
        app_finish_box (app);
    }
  else
    run_command (app, key_command (key, class->scopes (data)));
  app_redraw (app);
}

/** The tab of the header at a column; -1: none. */
static int
tab_at (App *app, int x)
{
  int column = 0;

  for (ScreenId i = 0; i < N_SCREENS; i++)
    {
      column += COLS < 64 && i != app->screen ? 3 : text_width (app_screen_class (i)->title) + 4;
      if (x < column)
        return (int) i;
    }
  return -1;
}

static void
handle_mouse (App *app, const TerminalEvent *event)
{
  gint64 now_us = g_get_monotonic_time ();
  gboolean twice = !event->wheel && now_us - app->clicked_us < DOUBLE_CLICK_US
                   && event->y == app->clicked_y && event->x == app->clicked_x;
  MouseAction action = event->wheel ? event->rows < 0 ? MOUSE_WHEEL_UP : MOUSE_WHEEL_DOWN
                       : twice      ? MOUSE_DOUBLE_CLICK
                                    : MOUSE_CLICK;
  gpointer data;
  const ScreenClass *class = app_class (app, &data);

  if (!event->wheel)
    {
      app->clicked_us = twice ? 0 : now_us;
      app->clicked_y = event->y;
      app->clicked_x = event->x;
    }
  if (app->prompt != NULL)
    return;
  if (event->y == LINES - 1)
    {
      Key key = event->wheel ? 0 : app_footer_key (app, event->x);

      if (key != 0)
        app_press (app, key);
    }
  else if (app->boxes.length > 0)
    {
      if (box_mouse (g_queue_peek_head (&app->boxes), action, event->y, event->x))
        app_finish_box (app);
    }
  else if (event->y == 0 && action == MOUSE_CLICK && tab_at (app, event->x) >= 0)
    app_go_to (app, (ScreenId) tab_at (app, event->x));
  else if (class->mouse != NULL)
    class->mouse (data, action, event->y, event->x);
}

static void
handle_drag (App *app, const TerminalEvent *event)
{
  gpointer data;
  const ScreenClass *class = app_class (app, &data);

  if (app->prompt == NULL && app->boxes.length == 0 && class->drag != NULL)
    class->drag (data, event->grab, event->y, event->x);
}

static gboolean
take_input (int fd, GIOCondition condition, gpointer data)
{
  App *app = data;
  TerminalEvent event;
  gboolean any = FALSE;

  while (g_main_loop_is_running (app->loop) && terminal_read (&event))
    {
      any = TRUE;
      if (event.grab || event.drag)
        handle_drag (app, &event);
      else if (event.key == 0)
        handle_mouse (app, &event);
      else
        app_press (app, event.key);
    }
  if (any)
    app_draw (app);
  else if (condition & (G_IO_HUP | G_IO_ERR))
    {
      /* The line was dropped without a signal. */
      app->input = 0;
      raise (SIGHUP);
      return G_SOURCE_REMOVE;
    }
  return G_SOURCE_CONTINUE;
}

/* ---- signals ---- */

static gboolean
on_resize (gpointer data)
{
  App *app = data;

  if (terminal_fit ())
    app->repaint = TRUE;
  app_draw (app);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_terminate (gpointer data)
{
  app_leave (data, 128 + SIGTERM);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt (gpointer data)
{
  app_leave (data, 128 + SIGINT);
  return G_SOURCE_CONTINUE;
}

static void
ignore_input (App *app)
{
  if (app->input != 0)
    g_source_remove (app->input);
  app->input = 0;
}

/** The line was dropped: a running job goes on to its end without a screen, a paused one too, for
 * nobody is left to let it go on. */
static gboolean
on_hangup (gpointer data)
{
  App *app = data;

  app->detached = TRUE;
  ignore_input (app);
  terminal_stop (); /* it may be there after all */
  app_log (app, "the terminal is gone%s", app->job != NULL ? "; the job goes on" : "");
  app_job_pause (app, FALSE);
  if (app->job == NULL)
    app_leave (app, 128 + SIGHUP);
  return G_SOURCE_CONTINUE;
}

/* ---- from start to end ---- */

void
app_listen (App *app)
{
  app->sources[0] = g_unix_signal_add (SIGWINCH, on_resize, app);
  app->sources[1] = g_unix_signal_add (SIGTERM, on_terminate, app);
  app->sources[2] = g_unix_signal_add (SIGHUP, on_hangup, app);
  app->sources[3] = g_unix_signal_add (SIGINT, on_interrupt, app);
  if (isatty (STDIN_FILENO))
    app->input = g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, take_input, app);
}

void
app_stop_listening (App *app)
{
  for (guint i = 0; i < G_N_ELEMENTS (app->sources); i++)
    g_source_remove (app->sources[i]);
  signal (SIGHUP, SIG_IGN); /* a job is still to be ended in order */
  ignore_input (app);
}

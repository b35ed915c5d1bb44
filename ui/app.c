#include "app_private.h"

#include "base/error.h"
#include "catalog/import.h"
#include "log.h"
#include "slices.h"
#include "study/settings.h"
#include "terminal.h"
#include "training.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FRAME_US (G_USEC_PER_SEC / 30)
#define POLL_MS 1000
#define WORKERS 3
#define DOUBLE_CLICK_US 400000
#define DEFAULT_WIDTH 80
#define DEFAULT_HEIGHT 24

static const ScreenClass *const classes[N_SCREENS] = { &records_screen, &slices_screen,
                                                       &experiment_screen, &training_screen,
                                                       &runs_screen };

const ScreenClass *
app_screen_class (ScreenId screen)
{
  return classes[screen];
}

const ScreenClass *
app_class (App *app, gpointer *data)
{
  gboolean welcoming = app->welcoming && app->screen == SCREEN_RECORDS;

  *data = welcoming ? app->welcome : app->screens[app->screen];
  return welcoming ? &welcome_screen : classes[app->screen];
}

/* ---- what screens share ---- */

const AppOptions *
app_options (App *app)
{
  return &app->options;
}

Workspace *
app_workspace (App *app)
{
  return app->workspace;
}

CatalogStore *
app_store (App *app)
{
  return app->store;
}

Works *
app_works (App *app)
{
  return app->works;
}

const char *
app_workspace_directory (App *app)
{
  return app->directory;
}

TrainParameters *
app_parameters (App *app)
{
  return app->parameters;
}

const AppRun *
app_chosen_run (App *app)
{
  return &app->run;
}

void
app_choose_run (App *app, gint64 id, const char *name, guint class_index)
{
  char *copy = g_strdup (name);

  g_free (app->run.name);
  app->run = (AppRun){ id, copy, class_index };
  app_store_changed (app);
}

void
app_look_at (App *app, const char *volume, const char *path)
{
  slices_look_at (app->screens[SCREEN_SLICES], volume, path);
  app_go_to (app, SCREEN_SLICES);
}

void
app_set_neighbours (App *app, char *(*neighbour) (gpointer data, int step, char **path),
                    gpointer data)
{
  app->neighbour = neighbour;
  app->neighbour_data = data;
}

gboolean
app_look_at_neighbour (App *app, int step)
{
  g_autofree char *path = NULL;
  g_autofree char *volume =
      app->neighbour != NULL ? app->neighbour (app->neighbour_data, step, &path) : NULL;

  if (volume == NULL && path == NULL)
    return FALSE;
  slices_look_at (app->screens[SCREEN_SLICES], volume, path);
  return TRUE;
}

void
app_show_run (App *app, gint64 run_id)
{
  training_show_run (app->screens[SCREEN_TRAINING], run_id);
  app_go_to (app, SCREEN_TRAINING);
}

gpointer
app_screen_data (App *app, ScreenId screen)
{
  return app->screens[screen];
}

ScreenId
app_screen (App *app)
{
  return app->screen;
}

void
app_go_to (App *app, ScreenId screen)
{
  const ScreenClass *from = classes[app->screen], *to = classes[screen];

  if (screen == app->screen)
    return;
  if (from->leave != NULL)
    from->leave (app->screens[app->screen]);
  app->screen = screen;
  if (to->enter != NULL)
    to->enter (app->screens[screen]);
  app_redraw (app);
}

/* ---- the workspace ---- */

/** Nothing in it yet: the first screen helps on. */
static gboolean
is_empty (CatalogStore *store)
{
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      CatalogFunnel funnel;

      if (catalog_funnel_read (store, split, &funnel, NULL) && funnel.rows > 0)
        return FALSE;
    }
  return TRUE;
}

void
app_store_changed (App *app)
{
  if (app->store != NULL)
    {
      app->stamp = catalog_stamp (app->store);
      g_free (app->device);
      app->device = catalog_store_get (app->store, STUDY_SETTING_DEVICE);
      app->welcoming = app->job == NULL && app->welcoming && is_empty (app->store);
    }
  for (ScreenId i = 0; i < N_SCREENS; i++)
    if (classes[i]->store_changed != NULL)
      classes[i]->store_changed (app->screens[i]);
  app_redraw (app);
}

gboolean
app_open (App *app, const char *directory, gboolean create, GError **error)
{
  g_autoptr (Workspace) workspace = workspace_open (directory, create, error);
  g_autoptr (CatalogStore) store = workspace != NULL ? workspace_store (workspace, error) : NULL;

  if (store == NULL)
    return FALSE;
  if (app->workspace != NULL)
    app_state_save (app);
  work_cancel (&app->poll);
  g_clear_pointer (&app->store, catalog_store_close);
  app->workspace = g_steal_pointer (&workspace);
  g_ptr_array_add (app->workspaces, app->workspace);
  app->store = g_steal_pointer (&store);
  g_free (app->directory);
  app->directory = g_strdup (workspace_directory (app->workspace));
  app->welcoming = is_empty (app->store);
  app->run = (AppRun){ 0 };
  g_free (app->volumes_directory);
  app->volumes_directory = catalog_store_get (app->store, STUDY_SETTING_VOLUMES);
  app_state_load (app);
  app_volumes_walk (app);
  app_store_changed (app);
  if (classes[app->screen]->enter != NULL)
    classes[app->screen]->enter (app->screens[app->screen]);
  return TRUE;
}

gboolean
app_create_workspace (App *app, const char *directory, GError **error)
{
  return app_open (app, directory, TRUE, error);
}

/* ---- what other programs do here ---- */

static gpointer
read_progress (gpointer data, GCancellable *cancellable, GError **error)
{
  StudyProgress *progress = g_new0 (StudyProgress, 1);

  if (study_progress_read (data, progress))
    return progress;
  study_progress_clear (progress);
  g_free (progress);
  return NULL;
}

static void
progress_free (gpointer data)
{
  study_progress_clear (data);
  g_free (data);
}

static void
progress_was_read (gpointer owner, gpointer result, const GError *error)
{
  App *app = owner;
  gboolean was_watched = app->is_watched;

  app->poll = NULL;
  study_progress_clear (&app->watched);
  /* A job of our own is better known by its snapshot. */
  app->is_watched = result != NULL && app->job == NULL;
  if (app->is_watched)
    app->watched = *(StudyProgress *) result;
  else if (result != NULL)
    study_progress_clear (result);
  g_free (result);
  if (app->is_watched || was_watched)
    app_redraw (app);
}

static gboolean
poll_store (gpointer data)
{
  App *app = data;

  if (app->store != NULL && catalog_stamp (app->store) != app->stamp)
    app_store_changed (app);
  if (app->workspace != NULL && app->poll == NULL)
    app->poll = works_start (app->works, read_progress, app->workspace, NULL, progress_free,
                             progress_was_read, app);
  return G_SOURCE_CONTINUE;
}

/* ---- the last line and boxes ---- */

static void
set_message (App *app, gboolean is_error, const char *format, va_list arguments)
{
  g_free (app->message);
  app->message = g_strdelimit (g_strdup_vprintf (format, arguments), "\n", ' ');
  app->message_is_error = is_error;
  app_redraw (app);
}

void
app_message (App *app, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  set_message (app, FALSE, format, arguments);
  va_end (arguments);
}

void
app_error (App *app, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  set_message (app, TRUE, format, arguments);
  va_end (arguments);
  log_add (app->message);
}

void
app_log (App *app, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  log_add (text);
}

static GPtrArray *
find_history (App *app, const char *name)
{
  GPtrArray *history;

  if (name == NULL)
    return NULL;
  history = g_hash_table_lookup (app->histories, name);
  if (history == NULL)
    {
      history = g_ptr_array_new_with_free_func (g_free);
      g_hash_table_insert (app->histories, g_strdup (name), history);
    }
  return history;
}

static void
open_prompt (App *app, const Prompt *prompt, const char *const *words)
{
  g_clear_pointer (&app->prompt, prompt_free);
  g_clear_pointer (&app->message, g_free);
  app->prompt = prompt_new (prompt, find_history (app, prompt->history), words);
  app_redraw (app);
}

void
app_prompt (App *app, const Prompt *prompt)
{
  open_prompt (app, prompt, NULL);
}

static void
press_in_prompt (App *app, Key key)
{
  static const int scopes[] = { SCOPE_INPUT, -1 };
  PromptLine *line = app->prompt;
  PromptResult result = prompt_key (line, key_command (key, scopes), key);
  Prompt prompt = *prompt_get (line);

  if (result == PROMPT_GOES_ON)
    return;
  app->prompt = NULL;
  if (result == PROMPT_ACCEPTED)
    {
      GPtrArray *history = find_history (app, prompt.history);

      if (history != NULL && *prompt_text (line) != '\0'
          && (history->len == 0
              || strcmp (g_ptr_array_index (history, history->len - 1), prompt_text (line)) != 0))
        g_ptr_array_add (history, g_strdup (prompt_text (line)));
      prompt.accept (prompt.data, prompt_text (line));
    }
  else if (prompt.changed != NULL)
    prompt.changed (prompt.data, NULL);
  prompt_free (line);
}

void
app_push_box (App *app, Box *box)
{
  g_queue_push_head (&app->boxes, box);
  app_redraw (app);
}

void
app_confirm (App *app, const char *question, void (*yes) (gpointer data), gpointer data)
{
  app_push_box (app, box_new_question (question, yes, data));
}

void
app_choose (App *app, const char *title, const char *const *items, guint selected,
            void (*chosen) (gpointer data, guint index), gpointer data)
{
  app_push_box (app, box_new_choice (title, items, selected, chosen, data));
}

void
app_page (App *app, const char *title, const char *text)
{
  app_push_box (app, box_new_page (title, text));
}

gboolean
app_overlay_open (App *app)
{
  return app->boxes.length > 0;
}

static void
finish_box (App *app)
{
  Box *box = g_queue_pop_head (&app->boxes);

  box_act (box);
  box_free (box);
}

/* ---- drawing ---- */

ScreenLayout
screen_layout (int height, int width)
{
  Area all = { 0, 0, height, width };

  if (height < APP_LEAST_HEIGHT || width < APP_LEAST_WIDTH)
    return (ScreenLayout){ .body = all, .too_small = TRUE };
  return (ScreenLayout){ .header = area_rows (all, 0, 1),
                         .body = area_rows (all, 1, height - 2),
                         .footer = area_rows (all, height - 1, 1) };
}

/** What runs, in a few words: "encoding 45/196 23 %". Free with g_free. */
static char *
job_words (App *app)
{
  const char *stage = app->has_snapshot ? app->snapshot.stage : NULL;
  guint64 done = app->snapshot.done, total = app->snapshot.total;
  gboolean paused = app->snapshot.paused;

  if (app->job == NULL && !app->is_watched)
    return g_strdup ("");
  if (app->job == NULL)
    {
      stage = app->watched.stage;
      done = app->watched.done;
      total = app->watched.total;
      paused = app->watched.paused;
    }
  if (stage == NULL || *stage == '\0')
    stage = app->job != NULL ? app->job_title : app->watched.name;
  if (total > 0)
    return g_strdup_printf ("%s%s %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT "%s",
                            app->job == NULL ? "watching: " : "", stage, done, total,
                            paused ? " (paused)" : "");
  return g_strdup_printf ("%s%s%s", app->job == NULL ? "watching: " : "", stage,
                          paused ? " (paused)" : "");
}

/** Where we work and, where there is room for it, on what: "~/ct  cuda:0 NVIDIA H100". Free with
 * g_free. */
static char *
place_words (App *app, int room)
{
  const char *home = g_get_home_dir ();
  gboolean at_home = g_str_has_prefix (app->directory, home);
  const char *device = app->device != NULL ? app->device : app->parameters->device;
  char *words;

  if (app->workspace == NULL)
    return g_strdup ("no workspace");
  words = g_strdup_printf ("%s%s  %s%s", at_home ? "~" : "",
                           app->directory + (at_home ? strlen (home) : 0),
                           strcmp (device, "auto") == 0 ? "device " : "", device);
  if (text_width (words) > room)
    *strstr (words, "  ") = '\0';
  return words;
}

static void
draw_header (App *app, Area area)
{
  g_autofree char *job = job_words (app);
  g_autofree char *place = NULL;
  int column = 0, room;

  draw_role (area, 0, 0, area.width, ROLE_BAR);
  for (ScreenId i = 0; i < N_SCREENS; i++)
    {
      gboolean here = i == app->screen;

      /* The brackets say where we are without colours; narrow headers have numbers only. */
      column += draw_printf (area, 0, column, here ? ROLE_BAR_HERE : ROLE_BAR,
                             area.width < 64 && !here ? " %d "
                             : here                   ? "[%d %s]"
                                                      : " %d %s ",
                             (int) i + 1, classes[i]->title);
    }
  room = area.width - column - 2;
  if (*job != '\0')
    {
      int width = MIN (text_width (job), room);

      draw_text_in (area, 0, area.width - width - 1, width, 'r', ROLE_BAR_HERE, job);
      room -= width + 2;
    }
  place = place_words (app, room);
  if (room > 8)
    draw_text_in (area, 0, column + 1, room, 'r', ROLE_BAR, place);
}

/** As many keys as there is room for. */
static void
draw_keys (Area area, const int *scopes)
{
  guint n;
  const KeyRow *rows = key_rows (&n);
  int column = 0;

  for (guint s = 0; scopes[s] >= 0; s++)
    for (guint i = 0; i < n; i++)
      {
        g_autofree char *key = NULL;
        int width;

        if ((int) rows[i].scope != scopes[s] || *rows[i].footer == '\0')
          continue;
        key = g_strndup (rows[i].keys, strcspn (rows[i].keys, " "));
        width = text_width (key) + 1 + text_width (rows[i].footer);
        /* Help and quit always have their place at the right. */
        if (column + width > area.width - (rows[i].scope == SCOPE_ANYWHERE ? 0 : 15))
          continue;
        draw_text (area, 0, column, ROLE_KEY, key);
        draw_text (area, 0, column + text_width (key) + 1, ROLE_NORMAL, rows[i].footer);
        column += width + 2;
      }
}

static void
draw_footer (App *app, Area area)
{
  static const int box[] = { SCOPE_BOX, -1 };
  gpointer data;
  const ScreenClass *class = app_class (app, &data);

  if (app->prompt != NULL)
    prompt_draw (app->prompt, area);
  else if (app->message != NULL)
    draw_text (area, 0, 0, app->message_is_error ? ROLE_BAD : ROLE_STRONG, app->message);
  else
    draw_keys (area, app->boxes.length > 0 ? box : class->scopes (data));
}

static void
draw_everything (App *app)
{
  ScreenLayout layout = screen_layout (LINES, COLS);
  gpointer data;
  const ScreenClass *class = app_class (app, &data);

  erase ();
  if (layout.too_small)
    {
      g_autofree char *words = g_strdup_printf ("%dx%d is too small; %dx%d is the least", COLS,
                                                LINES, APP_LEAST_WIDTH, APP_LEAST_HEIGHT);
      g_auto (GStrv) lines = text_wrap (words, COLS);

      for (int row = 0; lines[row] != NULL; row++)
        draw_text (layout.body, row, 0, ROLE_NORMAL, lines[row]);
      return;
    }
  mvhline (0, 0, ' ', COLS);
  draw_header (app, layout.header);
  class->draw (data, layout.body);
  for (GList *box = app->boxes.tail; box != NULL; box = box->prev)
    box_draw (box->data, layout.body);
  draw_footer (app, layout.footer); /* last: a prompt leaves the cursor in place */
}

void
app_draw (App *app)
{
  gpointer data;
  const ScreenClass *class = app_class (app, &data);
  gboolean repaint = app->repaint;

  if (app->draw_source != 0)
    g_source_remove (app->draw_source);
  app->draw_source = 0;
  if (app->detached || !terminal_running ())
    return;
  draw_everything (app);
  if (repaint)
    clearok (curscr, TRUE);
  curs_set (app->prompt != NULL);
  wnoutrefresh (stdscr);
  doupdate ();
  app->repaint = FALSE;
  app->drawn_us = g_get_monotonic_time ();
  if (class->drawn != NULL)
    class->drawn (data, repaint);
}

static gboolean
draw_later (gpointer data)
{
  App *app = data;

  app->draw_source = 0;
  app_draw (app);
  return G_SOURCE_REMOVE;
}

void
app_redraw (App *app)
{
  gint64 wait_us;

  if (app->draw_source != 0)
    return;
  wait_us = app->drawn_us + FRAME_US - g_get_monotonic_time ();
  app->draw_source = g_timeout_add ((guint) (CLAMP (wait_us, 0, FRAME_US) / 1000), draw_later, app);
}

guint
app_animate (App *app, guint interval_ms, GSourceFunc tick, gpointer data)
{
  return g_timeout_add (interval_ms, tick, data);
}

gint64
app_clock_us (App *app)
{
  return replay_pins_time (app->replay) ? 0 : g_get_real_time ();
}

/* ---- waking ---- */

void
app_wake (gpointer data)
{
  App *app = data;
  guint64 one = 1;

  /* Full means that it is awake already. */
  if (write (app->wake_fd, &one, sizeof one) < 0)
    return;
}

static gboolean
woken (int fd, GIOCondition condition, gpointer data)
{
  App *app = data;
  guint64 count;

  if (read (fd, &count, sizeof count) < 0)
    return G_SOURCE_CONTINUE;
  app_jobs_poll (app);
  for (ScreenId i = 0; i < N_SCREENS; i++)
    if (classes[i]->woken != NULL)
      classes[i]->woken (app->screens[i]);
  return G_SOURCE_CONTINUE;
}

/* ---- keys ---- */

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
      open_prompt (
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
    press_in_prompt (app, key);
  else if (app->boxes.length > 0)
    {
      Box *box = g_queue_peek_head (&app->boxes);

      if (box_key (box, key) || box_command (box, key_command (key, box_scopes)))
        finish_box (app);
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
      column += COLS < 64 && i != app->screen ? 3 : text_width (classes[i]->title) + 4;
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
  if (app->boxes.length > 0)
    {
      if (box_mouse (g_queue_peek_head (&app->boxes), action, event->y, event->x))
        finish_box (app);
    }
  else if (event->y == 0 && action == MOUSE_CLICK && tab_at (app, event->x) >= 0)
    app_go_to (app, (ScreenId) tab_at (app, event->x));
  else if (class->mouse != NULL)
    class->mouse (data, action, event->y, event->x);
}

static gboolean
take_input (int fd, GIOCondition condition, gpointer data)
{
  App *app = data;
  TerminalEvent event;
  gboolean any = FALSE;

  while (terminal_read (&event))
    {
      any = TRUE;
      if (event.key == 0)
        handle_mouse (app, &event);
      else
        app_press (app, event.key);
    }
  if (any)
    app_draw (app);
  else if (condition & (G_IO_HUP | G_IO_ERR))
    {
      /* The line was dropped without a signal. */
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

/** The line was dropped: a running job goes on to its end without a screen. */
static gboolean
on_hangup (gpointer data)
{
  App *app = data;

  app->detached = TRUE;
  app_log (app, "the terminal is gone%s", app->job != NULL ? "; the job goes on" : "");
  if (app->job == NULL)
    app_leave (app, 128 + SIGHUP);
  return G_SOURCE_CONTINUE;
}

/* ---- start to end ---- */

static App *
app_new (const AppOptions *options)
{
  App *app = g_new0 (App, 1);

  app->options = *options;
  app->mouse = options->mouse;
  app->loop = g_main_loop_new (NULL, FALSE);
  app->workspaces = g_ptr_array_new_with_free_func ((GDestroyNotify) workspace_free);
  app->works = works_new (WORKERS);
  app->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  app->wake_source = g_unix_fd_add (app->wake_fd, G_IO_IN, woken, app);
  app->parameters = train_parameters_new ();
  app->histories =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  g_queue_init (&app->boxes);
  for (ScreenId i = 0; i < N_SCREENS; i++)
    app->screens[i] = classes[i]->create (app);
  app->welcome = welcome_screen.create (app);
  app->directory = g_strdup (options->workspace != NULL              ? options->workspace
                             : g_getenv ("CTCLIP_WORKSPACE") != NULL ? g_getenv ("CTCLIP_WORKSPACE")
                                                                     : "ctclip-workspace");
  return app;
}

static void
app_free (App *app)
{
  app_jobs_end (app);
  app_state_save (app);
  if (app->draw_source != 0)
    g_source_remove (app->draw_source);
  for (ScreenId i = 0; i < N_SCREENS; i++)
    classes[i]->destroy (app->screens[i]);
  welcome_screen.destroy (app->welcome);
  works_free (app->works);
  g_source_remove (app->wake_source);
  close (app->wake_fd);
  g_queue_clear_full (&app->boxes, (GDestroyNotify) box_free);
  g_clear_pointer (&app->prompt, prompt_free);
  g_clear_pointer (&app->volumes, catalog_volume_index_free);
  g_clear_pointer (&app->store, catalog_store_close);
  g_ptr_array_unref (app->workspaces);
  g_clear_pointer (&app->replay, replay_free);
  study_progress_clear (&app->watched);
  train_parameters_free (app->parameters);
  g_hash_table_unref (app->histories);
  g_free (app->volumes_directory);
  g_free (app->directory);
  g_free (app->device);
  g_free (app->run.name);
  g_free (app->job_title);
  g_free (app->message);
  g_main_loop_unref (app->loop);
  g_free (app);
}

static gboolean
open_first (App *app, GError **error)
{
  g_autoptr (GError) fault = NULL;

  app->welcoming = TRUE;
  if (app_open (app, app->options.workspace, FALSE, &fault))
    return TRUE;
  if (g_error_matches (fault, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&fault));
  return FALSE;
}

static int
run_loop (App *app)
{
  guint sources[] = { g_unix_signal_add (SIGWINCH, on_resize, app),
                      g_unix_signal_add (SIGTERM, on_terminate, app),
                      g_unix_signal_add (SIGHUP, on_hangup, app),
                      g_timeout_add (POLL_MS, poll_store, app) };
  gboolean listening = isatty (STDIN_FILENO);
  guint input =
      listening ? g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, take_input, app) : 0;
  GSource *source;

  app_draw (app);
  if (app->replay != NULL)
    replay_start (app->replay, app);
  g_main_loop_run (app->loop);
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    g_source_remove (sources[i]);
  source = input != 0 ? g_main_context_find_source_by_id (NULL, input) : NULL;
  if (source != NULL)
    g_source_destroy (source);
  return app->code;
}

int
app_run (const AppOptions *options)
{
  g_autoptr (GError) error = NULL;
  TerminalOptions terminal = { .ascii = options->ascii,
                               .colours = options->colours,
                               .mouse = options->mouse,
                               .width = DEFAULT_WIDTH,
                               .height = DEFAULT_HEIGHT };
  Replay *replay = NULL;
  App *app = NULL;
  int code = 1;

  if (options->replay != NULL)
    {
      replay = replay_load (options->replay, &error);
      if (replay == NULL)
        {
          g_printerr ("ctclip-tui: %s\n", error->message);
          return 2;
        }
      replay_size (replay, &terminal.width, &terminal.height);
      terminal.offscreen = !isatty (STDOUT_FILENO);
    }
  log_open ();
  app = app_new (options);
  app->replay = replay;
  if (open_first (app, &error) && terminal_start (&terminal, &error))
    {
      log_capture ();
      code = run_loop (app);
      terminal_stop ();
    }
  app_free (app);
  log_release ();
  if (error != NULL)
    g_printerr ("ctclip-tui: %s\n", error->message);
  log_close ();
  return code;
}

#include "app_private.h"

#include "base/error.h"
#include "log.h"
#include "report/printable.h"
#include "slices.h"
#include "terminal.h"
#include "training.h"

#include <glib-unix.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define HURRIED_DRAWS 5 /* what the first screen lacks is shown as soon as it is known */
#define POLL_MS 1000
#define WORKERS 3
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
  gboolean welcoming = app->welcoming && app->screen == SCREEN_RECORDS && app->job == NULL;

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
app_set_neighbours (App *app, AppNeighbour neighbour, gpointer data)
{
  app->neighbour = neighbour;
  app->neighbour_data = data;
}

static char *
find_neighbour (App *app, int step, gboolean go, char **path)
{
  *path = NULL;
  return app->neighbour != NULL ? app->neighbour (app->neighbour_data, step, go, path) : NULL;
}

char *
app_neighbour (App *app, int step, char **path)
{
  return find_neighbour (app, step, FALSE, path);
}

gboolean
app_look_at_neighbour (App *app, int step)
{
  g_autofree char *path = NULL;
  g_autofree char *volume = find_neighbour (app, step, TRUE, &path);

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
  app_writing_free (app->writing);
  g_source_remove (app->wake_source);
  close (app->wake_fd);
  g_queue_clear_full (&app->boxes, (GDestroyNotify) box_free);
  g_clear_pointer (&app->prompt, prompt_free);
  g_clear_pointer (&app->volumes, catalog_volume_index_unref);
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
  guint poll = g_timeout_add (POLL_MS, app_poll, app);

  app_listen (app);
  app_draw (app);
  app->hurried_draws = HURRIED_DRAWS;
  if (app->replay != NULL)
    replay_start (app->replay, app);
  g_main_loop_run (app->loop);
  g_source_remove (poll);
  app_stop_listening (app);
  return app->code;
}

/** What is said where there is no screen (any more). */
static void
say_error (const GError *error)
{
  g_autofree char *message = report_printable (error->message);

  g_printerr ("ctclip-tui: %s\n", message);
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
          say_error (error);
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
    say_error (error);
  if (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE))
    code = 2;
  log_close ();
  return code;
}

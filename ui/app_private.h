/**
 * app_private.h: the workbench's state, for the files that make up the frame.
 */
#pragma once

#include "app.h"
#include "box.h"
#include "catalog/volume_index.h"
#include "prompt.h"
#include "replay.h"

#define APP_LEAST_WIDTH 40
#define APP_LEAST_HEIGHT 10

typedef struct _AppWriting AppWriting;

struct _App
{
  AppOptions options;
  GMainLoop *loop;
  int code;          /* exit code */
  gboolean detached; /* the terminal is gone; only the job goes on */

  Workspace *workspace; /* (nullable) */
  CatalogStore *store;
  guint64 stamp;         /* of the store, as the screens know it */
  GPtrArray *workspaces; /* all that were opened: works of an earlier one may still go on */
  char *directory;
  char *device; /* (nullable) what the last encoding ran on */
  Works *works;
  Work *poll;
  Work *indexing;         /* (nullable) of reports; see text_index.h */
  gboolean index_refused; /* ... failed, and is not tried again */
  StudyProgress watched;
  gboolean is_watched;
  gboolean says_running; /* the store, of a run: of the job, of another program, or abandoned */

  ScreenId screen;
  gpointer screens[N_SCREENS];
  gpointer welcome;
  gboolean welcoming; /* the first screen is up in place of Records */

  TrainParameters *parameters;
  AppRun run;
  AppNeighbour neighbour; /* (nullable) */
  gpointer neighbour_data;
  char *volumes_directory;
  CatalogVolumeIndex *volumes; /* (nullable) */
  Work *walk;

  /* the job */
  Job *job; /* (nullable) that runs */
  char *job_title;
  JobSnapshot snapshot; /* of the running or last one */
  gboolean has_snapshot;
  gpointer job_data, job_wrapper;
  AppJobDone job_done;

  /* the last line and the boxes */
  char *message;
  gboolean message_is_error;
  PromptLine *prompt;
  GHashTable *histories; /* name → (element-type utf8) */
  GQueue boxes;          /* the top one at the head */

  AppWriting *writing; /* (nullable) a file whose path is being asked for */
  Work *looking;       /* is it there already? */

  /* drawing */
  guint sources[4], input; /* signals and the terminal */
  int wake_fd;
  guint wake_source;
  guint draw_source;
  gint64 drawn_us;
  guint hurried_draws; /* that do not wait for the last one */
  gboolean repaint, mouse;
  gint64 clicked_us;
  int clicked_y, clicked_x;

  Replay *replay; /* (nullable) */
};

const ScreenClass *app_class (App *app, gpointer *data); /* of the screen in view */
const ScreenClass *app_screen_class (ScreenId screen);

/* app_draw.c */
void app_draw (App *app);
/** app_footer_key: the key that the footer shows at a column, 0 for none: a click presses it. */
Key app_footer_key (App *app, int x);

/* app_input.c */
void app_listen (App *app);
void app_stop_listening (App *app);
/** app_press: a key, from the terminal or a replay. */
void app_press (App *app, Key key);
void app_leave (App *app, int code);

/* app_messages.c */
void app_open_prompt (App *app, const Prompt *prompt, const char *const *words);
void app_press_in_prompt (App *app, Key key);
void app_push_box (App *app, Box *box);
/** app_finish_box: take the top box away and do what was chosen. */
void app_finish_box (App *app);

/* app_workspace.c */
gboolean app_open (App *app, const char *directory, gboolean create, GError **error);
/** app_poll: a timeout: has another program changed something? */
gboolean app_poll (gpointer app);

/* app_jobs.c */
void app_jobs_poll (App *app);
void app_jobs_end (App *app);

/* app_write.c */
void app_writing_free (gpointer writing);

/* app_volumes.c */
void app_volumes_walk (App *app);

/* app_commands.c */
void app_execute (App *app, const char *line);
const char *const *app_command_words (void);
void app_show_help (App *app);
/** app_write_screen: an AppWriteFunc over what terminal_screen() said. */
gboolean app_write_screen (gpointer screen, const char *path, gboolean replace, GError **error);

/* app_state.c */
void app_state_load (App *app);
void app_state_save (App *app);

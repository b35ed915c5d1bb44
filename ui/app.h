/**
 * app.h: the workbench: the main loop, what the screens share, and the way they talk to each other.
 *
 * Everything here belongs to the UI thread. Nothing that may wait (a file, a long query, the
 * network) is done on it: that is what works and jobs are for.
 */
#pragma once

#include "catalog/runs.h"
#include "catalog/volume_index.h"
#include "screen.h"
#include "study/job.h"
#include "study/parameters.h"
#include "study/progress.h"
#include "study/workspace.h"
#include "work.h"

typedef enum
{
  GRAPHICS_AUTO,    /* symbols through curses; exact colours where the terminal has them */
  GRAPHICS_SYMBOLS, /* symbols through curses */
  GRAPHICS_SIXEL,
  GRAPHICS_KITTY,
} Graphics;

typedef struct
{
  const char *workspace; /* (nullable) */
  gboolean ascii;
  int colours; /* -1: what the terminal says */
  Graphics graphics;
  gboolean mouse;
  guint threads;      /* 0: all */
  const char *replay; /* (nullable) a file of keys; see replay.h */
  int width, height;  /* 0: the terminal's */
} AppOptions;

/** app_quit: leave; asks while a job runs. */
void app_quit (App *app);

/** app_run: the workbench from start to end; returns the exit code. */
int app_run (const AppOptions *options);

const AppOptions *app_options (App *app);

/* ---- the workspace ---- */

/** app_workspace: %NULL while none is open (the welcome screen is up). */
Workspace *app_workspace (App *app);
/** app_store: the UI thread's connection, for indexed pages and small values; %NULL without a
 * workspace. */
CatalogStore *app_store (App *app);
Works *app_works (App *app);

/** app_create_workspace: make and open one. */
gboolean app_create_workspace (App *app, const char *directory, GError **error);
/** app_workspace_directory: of the workspace, or the one that would be made. */
const char *app_workspace_directory (App *app);
/** app_start_demo: the synthetic cohort, from files to a run; makes the workspace. */
void app_start_demo (App *app);

/** app_end_welcome: Records has something to show without a workspace: a folder of scans. */
void app_end_welcome (App *app);
/** app_welcome_again: it has no more, and the store has nothing either. */
void app_welcome_again (App *app);

/** app_indexing: a search in reports does not find all yet; store_changed() tells of every step. */
gboolean app_indexing (App *app);

/** app_store_changed: tell every screen; jobs do it by themselves when they end. */
void app_store_changed (App *app);

/* ---- what screens share ---- */

/** The parameters that Experiment edits and the next run takes; never %NULL. */
TrainParameters *app_parameters (App *app);

/** The run whose predictions are shown and the finding they are of; run 0: none. */
typedef struct
{
  gint64 id;
  char *name; /* (nullable) */
  guint class_index;
} AppRun;
const AppRun *app_chosen_run (App *app);
/** app_choose_run: every screen gets store_changed(). @name: (nullable) with id 0 */
void app_choose_run (App *app, gint64 id, const char *name, guint class_index);

/** What Slices shows. @volume: a record's name, or %NULL for a file that is no record. */
void app_look_at (App *app, const char *volume, const char *path);
/** The neighbour of the record in the Records list, itself for step 0; %FALSE where there is none.
 * Slices calls it. */
gboolean app_look_at_neighbour (App *app, int step);
/** app_neighbour: which one app_look_at_neighbour() would go to: its name and @path, both to
 * g_free; both %NULL where there is none. A mere file has no name. */
char *app_neighbour (App *app, int step, char **path);
/** Records says who the neighbours are; @neighbour returns a volume name to g_free, or %NULL, and
 * moves the cursor there where it is to @go. */
typedef char *(*AppNeighbour) (gpointer data, int step, gboolean go, char **path);
void app_set_neighbours (App *app, AppNeighbour neighbour, gpointer data);

/** app_volume_path: where a record's file lies; %NULL while the folder is being walked, or where it
 * is not there. The folder is the setting "volumes.directory". */
const char *app_volume_path (App *app, const char *volume);
/** app_volumes: (nullable) all of them, for a worker, which takes a reference; %NULL while walking.
 */
CatalogVolumeIndex *app_volumes (App *app);
/** app_set_volumes_directory: remembers it and walks it in the background; store_changed() follows.
 */
void app_set_volumes_directory (App *app, const char *directory);
const char *app_volumes_directory (App *app); /* (nullable) */
/** app_volumes_walking: that folder is still being looked through; store_changed() tells the end.
 */
gboolean app_volumes_walking (App *app);

/** Show a run's table in Training, or a preview's epochs in Experiment. */
void app_show_run (App *app, gint64 run_id);

void app_go_to (App *app, ScreenId screen);
ScreenId app_screen (App *app);
/** app_screen_data: what the screen's create() returned. */
gpointer app_screen_data (App *app, ScreenId screen);

/* ---- the job ---- */

/** AppJobDone: on the UI thread, after the end; @error %NULL where all went well. Frees @data. */
typedef void (*AppJobDone) (App *app, gpointer data, const GError *error);

/**
 * app_start_job: start the one job that works on the workspace, under its lock.
 *
 * %FALSE (and a message on screen that says who is at work) where another job runs. @data is freed
 * by @done in every case.
 */
gboolean app_start_job (App *app, const char *title, JobFunc func, gpointer data, AppJobDone done);
gboolean app_job_running (App *app);
const char *app_job_title (App *app);
/** app_job_snapshot: the last snapshot of the running or last job; %NULL where there was none. */
const JobSnapshot *app_job_snapshot (App *app);
/** app_watched: what another program does in this workspace; %NULL where none does. */
const StudyProgress *app_watched (App *app);
void app_job_pause (App *app, gboolean paused);
void app_job_cancel (App *app);

/* ---- the last line and boxes ---- */

/** app_message / app_error: one line at the bottom until the next key; errors go to the log too. */
void app_message (App *app, const char *format, ...) G_GNUC_PRINTF (2, 3);
void app_error (App *app, const char *format, ...) G_GNUC_PRINTF (2, 3);
/** app_log_walk: into the log, what whoever misses a scan should know. */
void app_log_walk (App *app, const CatalogVolumeIndex *index);
void app_log (App *app, const char *format, ...) G_GNUC_PRINTF (2, 3);

typedef enum
{
  PROMPT_TEXT,
  PROMPT_PATH, /* Tab completes file names; check() and accept() get ~/ as the home it stands for */
} PromptKind;

typedef struct
{
  const char *label;   /* "filter" */
  const char *initial; /* (nullable) */
  const char *history; /* (nullable) name of the history it shares */
  PromptKind kind;
  /** (nullable) after every change; sets @error to what is wrong with the text so far, shown beside
   * it. */
  gboolean (*check) (gpointer data, const char *text, GError **error);
  /** (nullable) after every change, for searches as you type; %NULL @text: cancelled. */
  void (*changed) (gpointer data, const char *text);
  /** Enter, on a text that check() took. */
  void (*accept) (gpointer data, const char *text);
  gpointer data;
} Prompt;
void app_prompt (App *app, const Prompt *prompt);

/** app_path: a path as it was typed, where ~/ is the home. Free with g_free. */
char *app_path (const char *typed);

/** app_confirm: a yes-or-no box; Enter is "no". */
void app_confirm (App *app, const char *question, void (*yes) (gpointer data), gpointer data);
/** app_choose: a list to choose from; @items is copied; @chosen gets the index. */
void app_choose (App *app, const char *title, const char *const *items, guint selected,
                 void (*chosen) (gpointer data, guint index), gpointer data);
/** app_page: a text to read, with a title. */
void app_page (App *app, const char *title, const char *text);

/** AppWriteFunc: write what @data describes, on a worker thread; a file that is there is replaced
 * only with @replace. */
typedef gboolean (*AppWriteFunc) (gpointer data, const char *path, gboolean replace,
                                  GError **error);

/**
 * app_write: ask for a path, and before anything is replaced; then write, and say what came of it.
 *
 * @initial: the path that is proposed
 * @data: (transfer full) for @write; freed with @free_data (nullable), written or not
 */
void app_write (App *app, const char *initial, AppWriteFunc write, gpointer data,
                GDestroyNotify free_data);

/** app_write_to: the same, of a path that was typed already. */
void app_write_to (App *app, const char *path, AppWriteFunc write, gpointer data,
                   GDestroyNotify free_data);

/** app_overlay_open: a box, a prompt or a message covers part of the screen. */
gboolean app_overlay_open (App *app);

/* ---- drawing ---- */

/** app_redraw: something changed; the screen is drawn anew soon (at most 30 times a second). */
void app_redraw (App *app);
/** app_wake: from any thread: every screen's woken() is called soon, on the UI thread. Fits
 * job_set_wakeup() and VolumeViewerWake. */
void app_wake (gpointer app);
/** app_animate: call @tick every @interval_ms while it returns TRUE. Returns a g_source id. */
guint app_animate (App *app, guint interval_ms, GSourceFunc tick, gpointer data);
/** app_clock_us: the time that is shown; stands still in a replay. */
gint64 app_clock_us (App *app);

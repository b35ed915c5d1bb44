/**
 * screen.h: what a screen of the workbench is: a table of functions, as its keys are a table.
 */
#pragma once

#include "draw.h"
#include "keys.h"
#include "study/job.h"

typedef struct _App App;

typedef enum
{
  SCREEN_RECORDS,
  SCREEN_SLICES,
  SCREEN_EXPERIMENT,
  SCREEN_TRAINING,
  SCREEN_RUNS,
  N_SCREENS,
} ScreenId;

typedef enum
{
  MOUSE_CLICK,
  MOUSE_DOUBLE_CLICK,
  MOUSE_WHEEL_UP,
  MOUSE_WHEEL_DOWN,
} MouseAction;

/** Every member but title, scopes, create, destroy and draw may be %NULL. The first argument is
 * what create returned. */
typedef struct
{
  const char *title; /* "Records" */

  /** create: cheap; nothing is read yet. App lives as long as the screen. */
  gpointer (*create) (App *app);
  void (*destroy) (gpointer screen);

  /** The scopes of its keys, ended by -1, in the order of looking up; may change with what is open.
   */
  const int *(*scopes) (gpointer screen);
  /** Whether a key has something to do as things are; the footer leaves out those that have not.
   * %NULL: all have. */
  gboolean (*useful) (gpointer screen, Command command);

  /** It comes into view, or goes. */
  void (*enter) (gpointer screen);
  void (*leave) (gpointer screen);

  /** Draw everything into the (cleared) area; must not read files, nor the store beyond an indexed
   * page. */
  void (*draw) (gpointer screen, Area area);
  /** After the terminal was written to; @repainted: every cell was. For pictures beside curses. */
  void (*drawn) (gpointer screen, gboolean repainted);

  /** %FALSE: not one of mine. */
  gboolean (*command) (gpointer screen, Command command);
  gboolean (*mouse) (gpointer screen, MouseAction action, int y, int x);
  /** The middle or right button goes down (@begins), or moves while it is held. */
  void (*drag) (gpointer screen, gboolean begins, int y, int x);

  /** Esc: TRUE where something was closed. */
  gboolean (*back) (gpointer screen);

  /** A line typed after ":", for example "120" or "open FILE"; %FALSE without error: not mine. */
  gboolean (*execute) (gpointer screen, const char *line, GError **error);

  /** The store has changed (an import, latents, runs; by us or another program), or was opened. */
  void (*store_changed) (gpointer screen);
  /** Something that this screen started (a reader, a job of its own) called app_wake(). */
  void (*woken) (gpointer screen);
  /** The job's snapshot is new; also once at its end. %NULL @snapshot: no job any more. */
  void (*job_changed) (gpointer screen, const JobSnapshot *snapshot);

  /** Its state at the next start; the group bears its title. */
  void (*save) (gpointer screen, GKeyFile *state);
  void (*load) (gpointer screen, GKeyFile *state);
} ScreenClass;

/** screen_layout: the frame's rows; empty areas where there is no room. Pure. */
typedef struct
{
  Area header, body, footer;
  gboolean too_small; /* only a word about it fits */
} ScreenLayout;
ScreenLayout screen_layout (int height, int width);

extern const ScreenClass welcome_screen, records_screen, slices_screen, experiment_screen,
    training_screen, runs_screen;

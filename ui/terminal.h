/**
 * terminal.h: taking the terminal and giving it back, on every way out.
 */
#pragma once

#include "draw.h"
#include "keys.h"

typedef struct
{
  gboolean ascii;
  int colours; /* -1: what the terminal and NO_COLOR say */
  gboolean mouse;
  gboolean offscreen; /* draw, but show nothing: a replay without a terminal */
  int width, height;  /* of an off-screen terminal */
} TerminalOptions;

/** terminal_start: curses, with the crash handlers that give the terminal back. */
gboolean terminal_start (const TerminalOptions *options, GError **error);
/** terminal_stop: give it back; may be called twice. */
void terminal_stop (void);
gboolean terminal_running (void);

/** terminal_suspend: as ^Z does; returns when the shell's fg comes. */
void terminal_suspend (void);

/** terminal_fit: take over the terminal's size; TRUE where it changed. */
gboolean terminal_fit (void);
void terminal_resize (int width, int height);

typedef struct
{
  Key key; /* 0: a mouse event */
  int y, x;
  gboolean wheel;
  int rows;            /* of the wheel: -1 up, 1 down */
  gboolean grab, drag; /* the middle or right button goes down, or moves while it is held */
} TerminalEvent;

/** terminal_read: the next key or mouse event; FALSE where there is none waiting. */
gboolean terminal_read (TerminalEvent *event);
void terminal_set_mouse (gboolean on);

/** terminal_screen: what is on the screen as text, blanks at line ends left out. Free with g_free.
 */
char *terminal_screen (void);

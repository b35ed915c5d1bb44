/**
 * tmux.h: a program in a terminal of its own: a private tmux server with one pane of a pinned size.
 *
 * Whatever is waited for is looked for on the screen again and again; a wait in vain fails the test
 * and prints the screen. Every test that starts a server has tmux_teardown() as its teardown.
 * Without tmux the tests are skipped by name, unless $CTCLIP_TEST_DATA is set: then they fail.
 */
#pragma once

#include "testing.h"

typedef struct _Tmux Tmux;

/**
 * tmux_start: run a program in a new server's pane.
 *
 * @terminal:  the $TERM that it finds
 * @arguments: the program and what it is given, %NULL-terminated; a shell gets them untouched
 *
 * It is in testing_directory(), which is its $HOME too: no one's files are touched. Lives until
 * tmux_teardown().
 */
Tmux *tmux_start (int width, int height, const char *terminal, const char *const *arguments);

/** tmux_teardown: for cmocka: end every server, the programs in it too. */
int tmux_teardown (void **state);

/** tmux_keys: press keys by tmux's names ("Down", "C-l", "Escape", "x"); end them with %NULL. */
void tmux_keys (Tmux *tmux, const char *first, ...) G_GNUC_NULL_TERMINATED;
/** tmux_type: characters, as they are. */
void tmux_type (Tmux *tmux, const char *text);
/** tmux_play: the lines of a replay (see the manual), as far as they press, type and wait. */
void tmux_play (Tmux *tmux, const char *lines);

/** tmux_wait, tmux_wait_gone: until the screen shows a text, or does not any more. */
void tmux_wait (Tmux *tmux, const char *text);
void tmux_wait_gone (Tmux *tmux, const char *text);
/** tmux_wait_end: until the program has ended, and what it leaves is written. */
void tmux_wait_end (Tmux *tmux);
/** tmux_wait_for: until @is_so; @what is printed where that never happens. */
void tmux_wait_for (Tmux *tmux, const char *what, gboolean (*is_so) (Tmux *tmux, gpointer data),
                    gpointer data);

void tmux_resize (Tmux *tmux, int width, int height);

/** tmux_screen: what is in the pane, a line each. @escapes: with its colours. Free with g_free. */
char *tmux_screen (Tmux *tmux, gboolean escapes);
gboolean tmux_shows (Tmux *tmux, const char *text);

/** tmux_value: what tmux knows of the pane, by a format such as "#{alternate_on}". Free with
 * g_free.
 */
char *tmux_value (Tmux *tmux, const char *format);
/** tmux_pid: the process that was started. */
int tmux_pid (Tmux *tmux);

/** tmux_kill_pane: take the terminal away, as a dropped line does. */
void tmux_kill_pane (Tmux *tmux);

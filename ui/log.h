/**
 * log.h: what happened, for `!` and for a file that outlives the screen: messages of the program
 * and whatever libraries write to stderr. Of the UI thread.
 */
#pragma once

#include <glib.h>

/** log_open: begin; lines go to log_path() too, where that can be written. */
void log_open (void);
void log_close (void);

/** log_path: $XDG_STATE_HOME/ctclip-tui/log. */
const char *log_path (void);

/** log_add: one line, or several. */
void log_add (const char *text);

/** log_text: the last lines; free with g_free. */
char *log_text (void);

/** log_capture: from now on whatever is written to stderr becomes lines of the log, until
 * log_release(). */
void log_capture (void);
void log_release (void);

/** log_spill: pass on what was captured and not read yet, to stderr and the file. For a signal
 * handler on the way out. */
void log_spill (void);

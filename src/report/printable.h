/**
 * printable.h: text from files, names and messages, on its way to a terminal.
 */
#pragma once

#include <glib.h>

/**
 * report_is_obeyed: whether a terminal may do something else with a character than show it.
 *
 * Control characters, C1's too, and those of formatting: what turns the direction of the text
 * around, so that it reads as something else, what has no width, and separators of lines.
 */
gboolean report_is_obeyed (gunichar character);

/**
 * report_printable: the text without what a terminal would obey: it becomes '?', but for tab and
 * newline, and bytes that are no UTF-8 the replacement character. Free with g_free.
 */
char *report_printable (const char *text);

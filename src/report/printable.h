/**
 * printable.h: text from files, names and messages, on its way to a terminal.
 */
#pragma once

#include <glib.h>

/**
 * report_printable: the text without what a terminal would obey: control characters but for tab and
 * newline become '?', bytes that are no UTF-8 the replacement character. Free with g_free.
 */
char *report_printable (const char *text);

/**
 * bench_terminal.h: a program in a pseudo-terminal, and how soon it answers.
 */
#pragma once

#include <glib.h>

typedef struct
{
  int fd;
  int pid;
  double started_ms;
  double heard_ms; /* when the last byte came */
  guint64 bytes;   /* that came so far */
  GString *text;   /* what came, without escape sequences, since bench_terminal_forget() */
  guint escape;    /* where in an escape sequence the last byte was; 0: outside */
} BenchTerminal;

/** bench_terminal_start: the clock runs from just before the fork. 256 colours, UTF-8. */
BenchTerminal *bench_terminal_start (const char *const *arguments, int columns, int rows);
/** bench_terminal_stop: end the program and wait for it. */
void bench_terminal_stop (BenchTerminal *terminal);

void bench_terminal_send (BenchTerminal *terminal, const char *keys);

/** bench_terminal_await: read until every mark (%NULL-terminated) stands in the text; FALSE where
 * that does not come about in time, or the program ends. heard_ms is when. */
gboolean bench_terminal_await (BenchTerminal *terminal, const char *const *marks,
                               double timeout_ms);

/** bench_terminal_settle: read until nothing came for @quiet_ms, for @most_ms at most; TRUE where
 * it became quiet. */
gboolean bench_terminal_settle (BenchTerminal *terminal, double quiet_ms, double most_ms);

void bench_terminal_forget (BenchTerminal *terminal);

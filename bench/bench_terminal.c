#include "bench_terminal.h"

#include "bench_store.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

BenchTerminal *
bench_terminal_start (const char *const *arguments, int columns, int rows)
{
  const struct winsize size = { .ws_row = (unsigned short) rows,
                                .ws_col = (unsigned short) columns };
  BenchTerminal *terminal = g_new0 (BenchTerminal, 1);

  terminal->text = g_string_new (NULL);
  terminal->started_ms = terminal->heard_ms = bench_now_ms ();
  terminal->pid = forkpty (&terminal->fd, NULL, NULL, &size);
  if (terminal->pid < 0)
    bench_fail ("forkpty: %s", g_strerror (errno));
  if (terminal->pid == 0)
    {
      setenv ("TERM", "xterm-256color", 1);
      setenv ("LC_ALL", "C.UTF-8", 1);
      unsetenv ("COLORTERM");
      unsetenv ("NO_COLOR");
      execvp (arguments[0], (char *const *) arguments);
      _exit (127);
    }
  return terminal;
}

void
bench_terminal_stop (BenchTerminal *terminal)
{
  kill (terminal->pid, SIGKILL);
  waitpid (terminal->pid, NULL, 0);
  close (terminal->fd);
  g_string_free (terminal->text, TRUE);
  g_free (terminal);
}

void
bench_terminal_send (BenchTerminal *terminal, const char *keys)
{
  if (write (terminal->fd, keys, strlen (keys)) < 0)
    bench_fail ("the pseudo-terminal: %s", g_strerror (errno));
}

/** Keep what is text: ESC [ ... letter, ESC ] ... BEL and ESC ( letter are not. */
static void
take (BenchTerminal *terminal, const char *bytes, gsize n)
{
  enum
  {
    OUTSIDE,
    BEGUN,
    CONTROL,
    SYSTEM,
    ONE_MORE,
  };

  for (gsize i = 0; i < n; i++)
    {
      char byte = bytes[i];

      switch (terminal->escape)
        {
        case OUTSIDE:
          if (byte == '\033')
            terminal->escape = BEGUN;
          else if ((guchar) byte >= ' ')
            g_string_append_c (terminal->text, byte);
          break;
        case BEGUN:
          terminal->escape = byte == '['                ? CONTROL
                             : byte == ']'              ? SYSTEM
                             : strchr ("()", byte) != 0 ? ONE_MORE
                                                        : OUTSIDE;
          break;
        case CONTROL:
          if (byte >= '@' && byte <= '~')
            terminal->escape = OUTSIDE;
          break;
        case SYSTEM:
          if (byte == '\a')
            terminal->escape = OUTSIDE;
          break;
        default:
          terminal->escape = OUTSIDE;
        }
    }
}

/** Wait until something comes and take it; FALSE where nothing came. */
static gboolean
hear (BenchTerminal *terminal, double timeout_ms)
{
  const struct timespec wait = { (time_t) (timeout_ms / 1e3),
                                 (long) ((timeout_ms - 1e3 * (double) (time_t) (timeout_ms / 1e3))
                                         * 1e6) };
  struct pollfd ready = { terminal->fd, POLLIN, 0 };
  char bytes[65536];
  gssize n;

  if (ppoll (&ready, 1, &wait, NULL) <= 0)
    return FALSE;
  n = read (terminal->fd, bytes, sizeof bytes);
  if (n <= 0)
    return FALSE;
  terminal->heard_ms = bench_now_ms ();
  terminal->bytes += (guint64) n;
  take (terminal, bytes, (gsize) n);
  return TRUE;
}

static gboolean
says (const BenchTerminal *terminal, const char *const *marks)
{
  for (guint i = 0; marks[i] != NULL; i++)
    if (strstr (terminal->text->str, marks[i]) == NULL)
      return FALSE;
  return TRUE;
}

gboolean
bench_terminal_await (BenchTerminal *terminal, const char *const *marks, double timeout_ms)
{
  double end_ms = bench_now_ms () + timeout_ms;

  while (!says (terminal, marks))
    if (!hear (terminal, MAX (end_ms - bench_now_ms (), 0)))
      return FALSE;
  return TRUE;
}

gboolean
bench_terminal_settle (BenchTerminal *terminal, double quiet_ms, double most_ms)
{
  double end_ms = bench_now_ms () + most_ms;

  while (bench_now_ms () < end_ms)
    if (!hear (terminal, quiet_ms))
      return TRUE;
  return FALSE;
}

void
bench_terminal_forget (BenchTerminal *terminal)
{
  g_string_truncate (terminal->text, 0);
}

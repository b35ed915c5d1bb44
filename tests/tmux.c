#include "tmux.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 180 /* under a sanitizer, on a machine that has other work */
/* Between looks, longer each time. */
#define POLL_FIRST_US 2000
#define POLL_LAST_US 40000

struct _Tmux
{
  char *socket;
  int session; /* what its program and the program's children belong to; 0: none was started */
  char *fault; /* (nullable) what tmux last said on stderr */
  char **environment;
};

static GPtrArray *servers; /* (element-type Tmux) that were started and not ended */

/* ---- the server ---- */

static const char *
find_tmux (void)
{
  static char *path;

  if (path == NULL)
    path = g_find_program_in_path ("tmux");
  if (path == NULL && g_getenv ("CTCLIP_TEST_DATA") != NULL)
    fail_msg ("tmux is not installed, and $CTCLIP_TEST_DATA is set");
  if (path == NULL)
    {
      print_message ("needs tmux\n");
      skip ();
    }
  return path;
}

/** Run a tmux command; FALSE where tmux did not do it. @out: (nullable) (out) */
static gboolean
try_command (Tmux *tmux, const char *const *command, char **out)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) arguments = NULL;
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_clear_pointer (&tmux->fault, g_free);
  g_strv_builder_add_many (builder, find_tmux (), "-u", "-S", tmux->socket, NULL);
  g_strv_builder_addv (builder, (const char **) command);
  arguments = g_strv_builder_end (builder);
  /* So GLib spawns without a fork, which takes its time under a sanitizer. */
  g_spawn_sync (NULL, arguments, tmux->environment, G_SPAWN_LEAVE_DESCRIPTORS_OPEN, NULL, NULL,
                &output, &tmux->fault, &status, &error);
  assert_no_error (error);
  if (out != NULL)
    *out = g_steal_pointer (&output);
  return status == 0;
}

static void
run_command (Tmux *tmux, const char *const *command)
{
  if (!try_command (tmux, command, NULL))
    fail_msg ("tmux does not do `%s`: %s", command[0], tmux->fault);
}

#define RUN(tmux, ...) run_command (tmux, (const char *const[]){ __VA_ARGS__, NULL })

/** Processes of what was started in a pane. */
static GArray *
session_processes (int session)
{
  GArray *processes = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GDir) all = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while (all != NULL && (name = g_dir_read_name (all)) != NULL)
    {
      int process = atoi (name), of;
      g_autofree char *path = g_build_filename ("/proc", name, "stat", NULL), *stat = NULL;
      const char *rest;
      char state;

      if (process == 0 || !g_file_get_contents (path, &stat, NULL, NULL))
        continue;
      rest = strrchr (stat, ')'); /* behind the command's name, which may hold anything */
      if (sscanf (rest, ") %c %*d %*d %d", &state, &of) == 2 && of == session && state != 'Z')
        g_array_append_val (processes, process);
    }
  return processes;
}

static void
ask_to_end (int process)
{
  kill (process, SIGTERM);
  kill (process, SIGHUP); /* what a shell at its prompt listens to */
  kill (process, SIGCONT);
}

/** By force where it lives on. */
static void
wait_for_end (int process)
{
  int fd = (int) syscall (SYS_pidfd_open, process, 0);
  struct pollfd end = { .fd = fd, .events = POLLIN };

  if (fd < 0)
    return;
  if (poll (&end, 1, LIMIT_S * 1000) != 1)
    kill (process, SIGKILL);
  close (fd);
}

/** Nothing of it may be left when the next test begins. */
static void
end_programs (Tmux *tmux)
{
  gboolean any = tmux->session != 0;

  while (any)
    {
      g_autoptr (GArray) processes = session_processes (tmux->session);

      for (guint i = 0; i < processes->len; i++)
        ask_to_end (g_array_index (processes, int, i));
      for (guint i = 0; i < processes->len; i++)
        wait_for_end (g_array_index (processes, int, i));
      any = processes->len > 0;
    }
}

static void
end_server (gpointer data)
{
  Tmux *tmux = data;

  end_programs (tmux);
  try_command (tmux, (const char *const[]){ "kill-server", NULL }, NULL);
  g_strfreev (tmux->environment);
  g_free (tmux->socket);
  g_free (tmux->fault);
  g_free (tmux);
}

static void
end_servers (void)
{
  g_clear_pointer (&servers, g_ptr_array_unref);
}

int
tmux_teardown (void **state)
{
  end_servers ();
  return 0;
}

static Tmux *
server_new (void)
{
  static const char *const unset[] = { "TMUX",   "TMUX_PANE",      "NO_COLOR",        "COLORTERM",
                                       "LC_ALL", "XDG_STATE_HOME", "CTCLIP_WORKSPACE" };
  static guint number;
  g_autofree char *name = g_strdup_printf ("tmux-%u", ++number);
  Tmux *tmux = g_new0 (Tmux, 1);

  if (number == 1)
    atexit (end_servers); /* where a test's end was not reached */
  if (servers == NULL)
    servers = g_ptr_array_new_with_free_func (end_server);
  tmux->socket = testing_path (name);
  tmux->environment = g_get_environ ();
  for (guint i = 0; i < G_N_ELEMENTS (unset); i++)
    tmux->environment = g_environ_unsetenv (tmux->environment, unset[i]);
  tmux->environment = g_environ_setenv (tmux->environment, "LANG", "C.UTF-8", TRUE);
  tmux->environment = g_environ_setenv (tmux->environment, "SHELL", "/bin/sh", TRUE);
  tmux->environment = g_environ_setenv (tmux->environment, "HOME", testing_directory (), TRUE);
  g_ptr_array_add (servers, tmux);
  return tmux;
}

Tmux *
tmux_start (int width, int height, const char *terminal, const char *const *arguments)
{
  static const char format[] = "set -g default-terminal %s\n"
                               "set -g remain-on-exit on\n"
                               "set -gq remain-on-exit-format ''\n"
                               "set -g status off\n"
                               "set -g mouse off\n"
                               "set -sg escape-time 0\n"
                               /* Where the test is killed, nobody else ends the server. */
                               "run-shell -b 'tail --pid=%d -f /dev/null; %s -S %s kill-server'\n";
  g_autofree char *settings = NULL, *path = NULL;
  g_autofree char *columns = g_strdup_printf ("%d", width);
  g_autofree char *lines = g_strdup_printf ("%d", height);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) command = NULL;
  Tmux *tmux;

  find_tmux ();
  tmux = server_new ();
  settings = g_strdup_printf (format, terminal, (int) getpid (), find_tmux (), tmux->socket);
  path = testing_write ("tmux.conf", settings, strlen (settings));
  g_strv_builder_add_many (builder, "-f", path, "new-session", "-d", "-x", columns, "-y", lines,
                           "-c", testing_directory (), "--", NULL);
  g_strv_builder_addv (builder, (const char **) arguments);
  command = g_strv_builder_end (builder);
  run_command (tmux, (const char *const *) command);
  /* Not among the settings: tmux 3.3 falls over it where no window is there. */
  RUN (tmux, "set-option", "-w", "window-size", "manual");
  tmux->session = tmux_pid (tmux);
  return tmux;
}

/* ---- keys ---- */

void
tmux_keys (Tmux *tmux, const char *first, ...)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) command = NULL;
  va_list rest;

  g_strv_builder_add_many (builder, "send-keys", "--", NULL);
  va_start (rest, first);
  for (const char *key = first; key != NULL; key = va_arg (rest, const char *))
    g_strv_builder_add (builder, key);
  va_end (rest);
  command = g_strv_builder_end (builder);
  run_command (tmux, (const char *const *) command);
}

void
tmux_type (Tmux *tmux, const char *text)
{
  RUN (tmux, "send-keys", "-l", "--", text);
}

/** By a name that the workbench has for it. */
static void
press (Tmux *tmux, const char *name)
{
  static const char *const names[][2] = { { "Esc", "Escape" },       { "PgUp", "PPage" },
                                          { "PgDn", "NPage" },       { "S-Tab", "BTab" },
                                          { "Backspace", "BSpace" }, { "Del", "DC" } };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i][0]) == 0)
      name = names[i][1];
  tmux_keys (tmux, name, NULL);
}

void
tmux_play (Tmux *tmux, const char *lines)
{
  g_auto (GStrv) each = g_strsplit (lines, "\n", -1);

  for (guint i = 0; each[i] != NULL; i++)
    {
      const char *rest = each[i] + strcspn (each[i], " ");

      rest += *rest == ' ';
      if (g_str_has_prefix (each[i], "key "))
        {
          g_auto (GStrv) keys = g_strsplit (rest, " ", -1);

          for (guint k = 0; keys[k] != NULL; k++)
            press (tmux, keys[k]);
        }
      else if (g_str_has_prefix (each[i], "type "))
        tmux_type (tmux, rest);
      else if (g_str_has_prefix (each[i], "wait "))
        tmux_wait (tmux, rest);
      else if (g_str_has_prefix (each[i], "wait-gone "))
        tmux_wait_gone (tmux, rest);
      else if (*each[i] != '\0')
        fail_msg ("\"%s\" can't be played", each[i]);
    }
}

void
tmux_resize (Tmux *tmux, int width, int height)
{
  g_autofree char *columns = g_strdup_printf ("%d", width);
  g_autofree char *lines = g_strdup_printf ("%d", height);

  RUN (tmux, "resize-window", "-x", columns, "-y", lines);
}

/* ---- looking ---- */

char *
tmux_screen (Tmux *tmux, gboolean escapes)
{
  char *screen = NULL;

  if (!try_command (tmux,
                    (const char *const[]){ "capture-pane", "-p", escapes ? "-e" : NULL, NULL },
                    &screen))
    fail_msg ("tmux is gone");
  return screen;
}

gboolean
tmux_shows (Tmux *tmux, const char *text)
{
  g_autofree char *screen = tmux_screen (tmux, FALSE);

  return strstr (screen, text) != NULL;
}

char *
tmux_value (Tmux *tmux, const char *format)
{
  char *value = NULL;

  if (!try_command (tmux, (const char *const[]){ "display-message", "-p", format, NULL }, &value))
    fail_msg ("tmux is gone");
  return g_strchomp (value);
}

int
tmux_pid (Tmux *tmux)
{
  g_autofree char *pid = tmux_value (tmux, "#{pane_pid}");

  return atoi (pid);
}

/* ---- waiting ---- */

/** A line at a time: a message is cut where it is long. */
static void
print_screen (const char *screen)
{
  g_auto (GStrv) lines = g_strsplit (screen, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    print_error ("| %s\n", lines[i]);
}

void
tmux_wait_for (Tmux *tmux, const char *what, gboolean (*is_so) (Tmux *tmux, gpointer data),
               gpointer data)
{
  gint64 end_us = g_get_monotonic_time () + LIMIT_S * G_USEC_PER_SEC;
  gulong poll_us = POLL_FIRST_US;

  while (!is_so (tmux, data))
    {
      if (g_get_monotonic_time () > end_us)
        {
          g_autofree char *screen = NULL;

          if (try_command (tmux, (const char *const[]){ "capture-pane", "-p", NULL }, &screen))
            print_screen (screen);
          fail_msg ("waited %d s in vain for %s", LIMIT_S, what);
        }
      g_usleep (poll_us);
      poll_us = MIN (2 * poll_us, POLL_LAST_US);
    }
}

static gboolean
text_is_there (Tmux *tmux, gpointer text)
{
  return tmux_shows (tmux, text);
}

static gboolean
text_is_gone (Tmux *tmux, gpointer text)
{
  return !tmux_shows (tmux, text);
}

void
tmux_wait (Tmux *tmux, const char *text)
{
  g_autofree char *what = g_strdup_printf ("\"%s\"", text);

  tmux_wait_for (tmux, what, text_is_there, (gpointer) text);
}

void
tmux_wait_gone (Tmux *tmux, const char *text)
{
  g_autofree char *what = g_strdup_printf ("\"%s\" to go", text);

  tmux_wait_for (tmux, what, text_is_gone, (gpointer) text);
}

static gboolean
has_ended (Tmux *tmux, gpointer unused)
{
  g_autofree char *dead = tmux_value (tmux, "#{pane_dead}");

  return strcmp (dead, "1") == 0;
}

void
tmux_wait_end (Tmux *tmux)
{
  tmux_wait_for (tmux, "the program's end", has_ended, NULL);
}

void
tmux_kill_pane (Tmux *tmux)
{
  RUN (tmux, "kill-pane");
}

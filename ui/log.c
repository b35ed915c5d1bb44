#include "log.h"

#include "report/printable.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINES 2000
#define MAX_FILE_BYTES 1000000

static GQueue lines = G_QUEUE_INIT;
static FILE *file;
static char *path;

static struct
{
  int stderr_fd, read_fd; /* -1: not capturing */
  guint source;
  GString *partial;
} capture = { -1, -1, 0, NULL };

const char *
log_path (void)
{
  const char *state = g_getenv ("XDG_STATE_HOME");

  if (path == NULL)
    path = state != NULL && *state != '\0'
               ? g_build_filename (state, "ctclip-tui", "log", NULL)
               : g_build_filename (g_get_home_dir (), ".local", "state", "ctclip-tui", "log", NULL);
  return path;
}

void
log_open (void)
{
  g_autofree char *folder = g_path_get_dirname (log_path ());
  GStatBuf info;

  g_mkdir_with_parents (folder, 0700);
  if (g_stat (log_path (), &info) == 0 && info.st_size > MAX_FILE_BYTES)
    {
      g_autofree char *old = g_strconcat (log_path (), ".old", NULL);

      g_rename (log_path (), old);
    }
  file = g_fopen (log_path (), "ae");
}

void
log_close (void)
{
  g_queue_clear_full (&lines, g_free);
  g_clear_pointer (&file, fclose);
  g_clear_pointer (&path, g_free);
}

void
log_add (const char *text)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *stamp = g_date_time_format (now, "%F %T");
  g_autofree char *printable = report_printable (text); /* for whoever reads the file */
  g_auto (GStrv) parts = g_strsplit (printable, "\n", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      if (*parts[i] == '\0')
        continue;
      g_queue_push_tail (&lines, g_strdup_printf ("%s  %s", stamp + 11, parts[i]));
      if (lines.length > MAX_LINES)
        g_free (g_queue_pop_head (&lines));
      if (file != NULL)
        fprintf (file, "%s [%d] %s\n", stamp, (int) getpid (), parts[i]);
    }
  if (file != NULL)
    fflush (file);
}

char *
log_text (void)
{
  GString *text = g_string_new (NULL);

  for (GList *line = lines.head; line != NULL; line = line->next)
    g_string_append_printf (text, "%s\n", (char *) line->data);
  return g_string_free (text, FALSE);
}

/* ---- stderr ---- */

static gboolean
take (int fd, GIOCondition condition, gpointer data)
{
  char buffer[4096];
  gssize n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (capture.partial, buffer, n);
  for (;;)
    {
      char *end = memchr (capture.partial->str, '\n', capture.partial->len);
      g_autofree char *line = NULL;

      if (end == NULL)
        return G_SOURCE_CONTINUE;
      line = g_strndup (capture.partial->str, (gsize) (end - capture.partial->str));
      g_string_erase (capture.partial, 0, end + 1 - capture.partial->str);
      log_add (line);
    }
}

void
log_capture (void)
{
  int ends[2];

  /* A full pipe loses lines rather than hold up the library that writes them. */
  if (!g_unix_open_pipe (ends, FD_CLOEXEC, NULL))
    return;
  fcntl (ends[0], F_SETFL, O_NONBLOCK);
  fcntl (ends[1], F_SETFL, O_NONBLOCK);
  fflush (stderr);
  capture.stderr_fd = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  dup2 (ends[1], STDERR_FILENO);
  close (ends[1]);
  capture.read_fd = ends[0];
  capture.partial = g_string_new (NULL);
  capture.source = g_unix_fd_add (ends[0], G_IO_IN, take, NULL);
}

void
log_release (void)
{
  if (capture.read_fd < 0)
    return;
  fflush (stderr);
  take (capture.read_fd, G_IO_IN, NULL);
  if (capture.partial->len > 0)
    log_add (capture.partial->str);
  g_string_free (capture.partial, TRUE);
  g_source_remove (capture.source);
  if (capture.stderr_fd >= 0)
    {
      dup2 (capture.stderr_fd, STDERR_FILENO);
      close (capture.stderr_fd);
    }
  close (capture.read_fd);
  capture.read_fd = -1;
}

void
log_spill (void)
{
  char buffer[1024];
  gssize n, ignored;

  while (capture.read_fd >= 0 && (n = read (capture.read_fd, buffer, sizeof buffer)) > 0)
    {
      ignored = write (capture.stderr_fd, buffer, (gsize) n);
      ignored = file != NULL ? write (fileno (file), buffer, (gsize) n) : 0;
    }
  (void) ignored;
}

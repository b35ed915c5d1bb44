#include "base/output_file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct _OutputFile
{
  char *path;
  char *temporary; /* %NULL once renamed */
  FILE *stream;
};

static gboolean
fail_with_errno (const char *path, const char *what, int saved_errno, GError **error)
{
  const char *remedy = "";

  if (saved_errno == ENOSPC || saved_errno == EDQUOT)
    remedy = "; free some space or choose another place";
  else if (saved_errno == EACCES || saved_errno == EPERM || saved_errno == EROFS)
    remedy = "; choose a directory that you may write to";
  else if (saved_errno == ENOENT)
    remedy = "; make the directory first";
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: %s: %s%s", path, what,
               g_strerror (saved_errno), remedy);
  return FALSE;
}

OutputFile *
output_file_open (const char *path, gboolean replace, GError **error)
{
  g_autoptr (OutputFile) file = g_new0 (OutputFile, 1);
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  mode_t mask;
  int fd;

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "%s: is a directory; name a file",
                   path);
      return NULL;
    }
  if (!replace && g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s: exists already; use --force to replace it", path);
      return NULL;
    }

  file->path = g_strdup (path);
  /* The name keeps clear of NAME_MAX whatever the target's length. */
  file->temporary = g_strdup_printf ("%s/.%.80s.XXXXXX", directory, base);
  fd = g_mkstemp_full (file->temporary, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      int saved_errno = errno;

      g_clear_pointer (&file->temporary, g_free);
      fail_with_errno (path, "cannot be written", saved_errno, error);
      return NULL;
    }
  mask = umask (0);
  umask (mask);
  fchmod (fd, 0666 & ~mask);
  file->stream = fdopen (fd, "w+b");
  if (file->stream == NULL)
    {
      int saved_errno = errno;

      close (fd);
      fail_with_errno (path, "cannot be written", saved_errno, error);
      return NULL;
    }
  return g_steal_pointer (&file);
}

FILE *
output_file_stream (OutputFile *file)
{
  return file->stream;
}

gboolean
output_file_write (OutputFile *file, const void *data, gsize size, GError **error)
{
  if (size == 0 || fwrite (data, 1, size, file->stream) == size)
    return TRUE;
  return fail_with_errno (file->path, "cannot be written", errno, error);
}

gboolean
output_file_commit (OutputFile *file, GError **error)
{
  FILE *stream = g_steal_pointer (&file->stream);
  gboolean failed = ferror (stream) || fflush (stream) != 0 || fsync (fileno (stream)) != 0;
  int saved_errno = errno;

  if (fclose (stream) != 0 && !failed)
    {
      failed = TRUE;
      saved_errno = errno;
    }
  if (failed)
    return fail_with_errno (file->path, "cannot be written", saved_errno, error);
  if (g_rename (file->temporary, file->path) != 0)
    return fail_with_errno (file->path, "cannot be put in place", errno, error);
  g_clear_pointer (&file->temporary, g_free);
  return TRUE;
}

void
output_file_free (OutputFile *file)
{
  if (file->stream != NULL)
    fclose (file->stream);
  if (file->temporary != NULL)
    g_unlink (file->temporary);
  g_free (file->temporary);
  g_free (file->path);
  g_free (file);
}

#include "base/output_file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE 0666 /* less what the umask takes, which the system sees to */

struct _OutputFile
{
  char *path;      /* as the user named it */
  char *target;    /* what is replaced: @path, or where that link leads */
  char *directory; /* of @target */
  char *temporary; /* %NULL while the file has no name yet, and once renamed */
  FILE *stream;
};

static gboolean
fail_with_errno (const char *path, const char *what, int saved_errno, GError **error)
{
  const char *remedy = "";

  if (saved_errno == ENOSPC || saved_errno == EDQUOT)
    remedy = "; free some space or choose another place";
  else if (saved_errno == EFBIG)
    remedy = "; raise the limit on files (ulimit -f)";
  else if (saved_errno == EACCES || saved_errno == EPERM || saved_errno == EROFS)
    remedy = "; choose a directory that you may write to";
  else if (saved_errno == ENOENT)
    remedy = "; make the directory first";
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: %s: %s%s", path, what,
               g_strerror (saved_errno), remedy);
  return FALSE;
}

gboolean
output_file_check (const char *path, gboolean replace, GError **error)
{
  const char *fault = NULL;
  struct stat status;

  /* Nobody who writes this means a file of that name, which is tiresome to remove. */
  if (strcmp (path, "-") == 0)
    fault = "nothing is written to the standard output; name a file";
  else if (stat (path, &status) == 0)
    {
      if (S_ISDIR (status.st_mode))
        fault = "is a directory; name a file";
      else if (!S_ISREG (status.st_mode))
        fault = "is a device or a pipe, which cannot be replaced; name a file";
      else if (!replace)
        fault = "exists already; use --force to replace it";
    }
  else if (lstat (path, &status) == 0)
    fault = "is a link that cannot be followed; remove it or name another file";
  if (fault == NULL)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "%s: %s", path, fault);
  return FALSE;
}

/** Where the bytes go: through a link to the file behind it. */
static char *
resolve_target (const char *path)
{
  char resolved[PATH_MAX];

  return g_strdup (g_file_test (path, G_FILE_TEST_IS_SYMLINK) && realpath (path, resolved) != NULL
                       ? resolved
                       : path);
}

/**
 * A file that has no name while it is written: if the program is killed nothing is left of it.
 * Where the file system needs a name, one that nobody can guess.
 */
static int
open_temporary (OutputFile *file, const char *base)
{
  int fd = -1;

  if (access ("/proc/self/fd", X_OK) == 0) /* see give_name() */
    fd = open (file->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
  if (fd >= 0)
    return fd;
  /* The name keeps clear of NAME_MAX whatever the target's length. */
  file->temporary = g_strdup_printf ("%s/.%.80s.XXXXXX", file->directory, base);
  fd = g_mkstemp_full (file->temporary, O_RDWR | O_CLOEXEC, MODE);
  if (fd < 0)
    {
      int saved_errno = errno;

      g_clear_pointer (&file->temporary, g_free);
      errno = saved_errno;
    }
  return fd;
}

/** A finished file gets the name under which it can be renamed; never one that is taken. */
static gboolean
give_name (OutputFile *file, int fd)
{
  g_autofree char *open_file = g_strdup_printf ("/proc/self/fd/%d", fd);

  while (file->temporary == NULL)
    {
      g_autofree char *name =
          g_strdup_printf ("%s/.%08x%08x", file->directory, g_random_int (), g_random_int ());

      if (linkat (AT_FDCWD, open_file, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0)
        file->temporary = g_steal_pointer (&name);
      else if (errno != EEXIST)
        return FALSE;
    }
  return TRUE;
}

OutputFile *
output_file_open (const char *path, gboolean replace, GError **error)
{
  g_autoptr (OutputFile) file = g_new0 (OutputFile, 1);
  g_autofree char *base = NULL;
  struct stat old;
  int fd;

  if (!output_file_check (path, replace, error))
    return NULL;
  file->path = g_strdup (path);
  file->target = resolve_target (path);
  file->directory = g_path_get_dirname (file->target);
  base = g_path_get_basename (file->target);
  fd = open_temporary (file, base);
  if (fd < 0)
    {
      fail_with_errno (path, "cannot be written", errno, error);
      return NULL;
    }
  /* Who could not read the old file cannot read the new one. */
  if (stat (file->target, &old) == 0)
    fchmod (fd, old.st_mode & 0777);
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

/** Why an earlier write failed, whose errno is gone: the disk is asked again. */
static int
errno_of_writing (int fd)
{
  static const char again[1 << 16];
  gssize written = write (fd, again, sizeof again);

  if (written < 0)
    return errno;
  return written < (gssize) sizeof again ? ENOSPC : EIO;
}

/** All of it is on the disk, under a name that nobody knows. */
static gboolean
finish (OutputFile *file, GError **error)
{
  FILE *stream = g_steal_pointer (&file->stream);
  gboolean lost = ferror (stream), failed = lost || fflush (stream) != 0
                                            || fsync (fileno (stream)) != 0
                                            || !give_name (file, fileno (stream));
  int saved_errno = lost ? errno_of_writing (fileno (stream)) : errno;

  if (fclose (stream) != 0 && !failed)
    {
      failed = TRUE;
      saved_errno = errno;
    }
  return !failed || fail_with_errno (file->path, "cannot be written", saved_errno, error);
}

/** The name lasts as the bytes do; where a file system can't do that, the file is there all the
 * same. */
static void
sync_directory (const char *directory)
{
  int fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  fsync (fd);
  close (fd);
}

static gboolean
put_in_place (OutputFile *file, GError **error)
{
  if (g_rename (file->temporary, file->target) != 0)
    return fail_with_errno (file->path, "cannot be put in place", errno, error);
  g_clear_pointer (&file->temporary, g_free);
  sync_directory (file->directory);
  return TRUE;
}

gboolean
output_file_commit (OutputFile *file, GError **error)
{
  return finish (file, error) && put_in_place (file, error);
}

gboolean
output_file_commit_pair (OutputFile *first, OutputFile *second, GError **error)
{
  if (!finish (first, error) || !finish (second, error))
    return FALSE;
  if (g_unlink (second->target) != 0 && errno != ENOENT)
    return fail_with_errno (second->path, "cannot be replaced", errno, error);
  return put_in_place (first, error) && put_in_place (second, error);
}

void
output_file_free (OutputFile *file)
{
  if (file->stream != NULL)
    fclose (file->stream);
  if (file->temporary != NULL)
    g_unlink (file->temporary);
  g_free (file->temporary);
  g_free (file->directory);
  g_free (file->target);
  g_free (file->path);
  g_free (file);
}

#include "model/bytes_source.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct _BytesSource
{
  char *name;
  guint64 size;
  int fd;        /* -1 for memory */
  GBytes *bytes; /* %NULL for a file */
};

BytesSource *
bytes_source_open (const char *path, GError **error)
{
  g_autoptr (BytesSource) source = g_new0 (BytesSource, 1);
  struct stat info;

  source->name = g_strdup (path);
  /* Without O_NONBLOCK a pipe would make us wait for its writer. */
  source->fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (source->fd < 0 || fstat (source->fd, &info) != 0)
    {
      g_set_error (error, CTCLIP_ERROR, errno == ENOENT ? CTCLIP_ERROR_NOT_FOUND : CTCLIP_ERROR_IO,
                   "%s: cannot be opened: %s; look at the path", path, g_strerror (errno));
      return NULL;
    }
  if (!S_ISREG (info.st_mode))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: is not a file; name the checkpoint itself", path);
      return NULL;
    }
  source->size = (guint64) info.st_size;
  return g_steal_pointer (&source);
}

BytesSource *
bytes_source_of (GBytes *bytes, const char *name)
{
  BytesSource *source = g_new0 (BytesSource, 1);

  source->name = g_strdup (name);
  source->fd = -1;
  source->bytes = g_bytes_ref (bytes);
  source->size = g_bytes_get_size (bytes);
  return source;
}

void
bytes_source_free (BytesSource *source)
{
  if (source->fd >= 0)
    close (source->fd);
  g_clear_pointer (&source->bytes, g_bytes_unref);
  g_free (source->name);
  g_free (source);
}

const char *
bytes_source_name (const BytesSource *source)
{
  return source->name;
}

gboolean
bytes_source_check_name (const BytesSource *source, const char *name, GError **error)
{
  gboolean printable = g_utf8_validate (name, -1, NULL);

  for (const char *at = name; printable && *at != '\0'; at = g_utf8_next_char (at))
    printable = !g_unichar_iscntrl (g_utf8_get_char (at));
  if (!printable)
    {
      g_autofree char *escaped = g_strescape (name, NULL);

      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: holds the impossible name \"%s\"; the file is damaged or forged",
                   source->name, escaped);
    }
  return printable;
}

guint64
bytes_source_size (const BytesSource *source)
{
  return source->size;
}

static gboolean
ends_early (BytesSource *source, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: ends too early; the file is truncated, fetch it again", source->name);
  return FALSE;
}

gboolean
bytes_source_read (BytesSource *source, guint64 offset, gsize size, void *buffer, GError **error)
{
  guint8 *to = buffer;

  if (offset > source->size || size > source->size - offset)
    return ends_early (source, error);
  if (source->bytes != NULL)
    {
      if (size > 0)
        memcpy (buffer, (const guint8 *) g_bytes_get_data (source->bytes, NULL) + offset, size);
      return TRUE;
    }
  /* pread and not mmap: a file that shrinks under us is an error here and not a signal. */
  while (size > 0)
    {
      ssize_t n = pread (source->fd, to, size, (off_t) offset);

      if (n == 0)
        return ends_early (source, error);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: cannot be read: %s", source->name,
                       g_strerror (errno));
          return FALSE;
        }
      to += n;
      offset += (guint64) n;
      size -= (gsize) n;
    }
  return TRUE;
}

guint8 *
bytes_source_load (BytesSource *source, guint64 offset, gsize size, GError **error)
{
  g_autofree guint8 *buffer = NULL;

  if (offset > source->size || size > source->size - offset)
    {
      ends_early (source, error);
      return NULL;
    }
  buffer = g_try_malloc (size + 1);
  if (buffer == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY, "%s: %.0f MB of memory were refused",
                   source->name, (double) size / 1e6);
      return NULL;
    }
  if (!bytes_source_read (source, offset, size, buffer, error))
    return NULL;
  buffer[size] = 0;
  return g_steal_pointer (&buffer);
}

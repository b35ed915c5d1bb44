#include "base/file_hash.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define BUFFER_SIZE (1 << 20)

static char *
hash_text (XXH128_hash_t hash)
{
  return g_strdup_printf ("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                          (guint64) hash.high64, (guint64) hash.low64);
}

static gboolean
hash_descriptor (int fd, XXH3_state_t *state, const char *path, GCancellable *cancellable,
                 GError **error)
{
  g_autofree guint8 *buffer = g_malloc (BUFFER_SIZE);

  for (;;)
    {
      ssize_t n;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      n = read (fd, buffer, BUFFER_SIZE);
      if (n == 0)
        return TRUE;
      if (n < 0 && errno != EINTR)
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: cannot be read: %s", path,
                       g_strerror (errno));
          return FALSE;
        }
      if (n > 0)
        XXH3_128bits_update (state, buffer, (size_t) n);
    }
}

/** A pipe would be waited for, and gives its bytes once. */
static gboolean
check_regular (int fd, const char *path, GError **error)
{
  struct stat info;

  if (fstat (fd, &info) == 0 && S_ISREG (info.st_mode))
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED, "%s: is not a file; only files are read", path);
  return FALSE;
}

char *
file_hash (const char *path, GCancellable *cancellable, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  XXH3_state_t *state;
  char *text = NULL;

  if (fd < 0)
    {
      g_set_error (error, CTCLIP_ERROR, errno == ENOENT ? CTCLIP_ERROR_NOT_FOUND : CTCLIP_ERROR_IO,
                   "%s: cannot be opened: %s", path, g_strerror (errno));
      return NULL;
    }
  state = XXH3_createState ();
  XXH3_128bits_reset (state);
  if (check_regular (fd, path, error) && hash_descriptor (fd, state, path, cancellable, error))
    text = hash_text (XXH3_128bits_digest (state));
  XXH3_freeState (state);
  close (fd);
  return text;
}

char *
bytes_hash (const void *data, gsize size)
{
  return hash_text (XXH3_128bits (data, size));
}

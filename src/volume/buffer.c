#include "volume/buffer.h"

#include "base/error.h"

gpointer
buffer_new (const char *path, const char *what, gsize n, gsize size, GError **error)
{
  gpointer buffer = g_try_malloc_n (MAX (n, 1), size);

  if (buffer == NULL)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                 "%s: %.1f MB for %s were refused; close other programs or use a machine with more "
                 "memory",
                 path, (double) n * (double) size / 1e6, what);
  return buffer;
}

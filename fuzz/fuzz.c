#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  return 0;
}

const char *
fuzz_file (const guint8 *data, gsize size)
{
  static int fd = -1;
  static char *path;

  if (fd < 0)
    {
      fd = memfd_create ("fuzz", MFD_CLOEXEC);
      path = g_strdup_printf ("/proc/self/fd/%d", fd);
    }
  g_assert (ftruncate (fd, 0) == 0 && pwrite (fd, data, size, 0) == (gssize) size);
  return path;
}

char *
fuzz_text (const guint8 *data, gsize size)
{
  return g_strndup ((const char *) data, size);
}

void
fuzz_check (gboolean result, GError **error)
{
  g_assert ((*error == NULL) == result);
  g_assert (*error == NULL || g_utf8_validate ((*error)->message, -1, NULL));
  g_clear_error (error);
}

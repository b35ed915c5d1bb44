#include "base/memory.h"

#include "base/error.h"

#include <errno.h>
#include <sys/resource.h>

gboolean
memory_limit (guint64 bytes, GError **error)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_DATA, &limit) == 0)
    {
      limit.rlim_cur = MIN (limit.rlim_cur, (rlim_t) bytes);
      if (setrlimit (RLIMIT_DATA, &limit) == 0)
        return TRUE;
    }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "the memory cannot be limited: %s",
               g_strerror (errno));
  return FALSE;
}

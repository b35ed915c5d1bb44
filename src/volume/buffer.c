#include "volume/buffer.h"

#include "base/error.h"

#include <stdint.h>
#include <sys/mman.h>

/* Of x86-64 and of arm64 with small pages of 4 KiB. */
#define HUGE_PAGE ((uintptr_t) 2 << 20)

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

void
buffer_use_huge_pages (gpointer buffer, gsize size)
{
  uintptr_t first = ((uintptr_t) buffer + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
  uintptr_t end = ((uintptr_t) buffer + size) & ~(HUGE_PAGE - 1);

  if (first < end)
    madvise ((gpointer) first, end - first, MADV_HUGEPAGE);
}

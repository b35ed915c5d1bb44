#include "base/file_stamp.h"

#include "base/error.h"

#include <sys/stat.h>

static void
take (const struct stat *info, FileStamp *stamp)
{
  *stamp = (FileStamp){ 0 };
  if (!S_ISREG (info->st_mode))
    return;
  stamp->size = (guint64) info->st_size;
  stamp->modified_ns =
      (gint64) info->st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + info->st_mtim.tv_nsec;
}

gboolean
file_stamp_of (const char *path, FileStamp *stamp)
{
  struct stat info;

  if (stat (path, &info) != 0)
    return FALSE;
  take (&info, stamp);
  return TRUE;
}

gboolean
file_stamp_of_open (int fd, FileStamp *stamp)
{
  struct stat info;

  if (fstat (fd, &info) != 0)
    return FALSE;
  take (&info, stamp);
  return TRUE;
}

gboolean
file_stamp_equal (const FileStamp *a, const FileStamp *b)
{
  return a->size == b->size && a->modified_ns == b->modified_ns;
}

gboolean
file_stamp_fail (const char *path, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: changed while it was read; read it again when nothing writes to it any more",
               path);
  return FALSE;
}

/**
 * file_stamp.h: whether a file is still the one that was looked at before.
 */
#pragma once

#include <glib.h>

/** What tells a file from one that was written later at the same place; of a pipe and the like
 * nothing is known. */
typedef struct
{
  guint64 size;
  gint64 modified_ns; /* since 1970 */
} FileStamp;

/** file_stamp_of: FALSE where it cannot be found. */
gboolean file_stamp_of (const char *path, FileStamp *stamp);

/** file_stamp_of_open: the file behind a descriptor, under whatever name it is now. */
gboolean file_stamp_of_open (int fd, FileStamp *stamp);

gboolean file_stamp_equal (const FileStamp *a, const FileStamp *b);

/** file_stamp_fail: set the error of a file that changed while it was read. Returns FALSE. */
gboolean file_stamp_fail (const char *path, GError **error);

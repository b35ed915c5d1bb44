/**
 * zip.h: the table of contents of a zip archive. Private to the checkpoint reader.
 */
#pragma once

#include "model/bytes_source.h"

typedef struct
{
  char *name;
  guint64 header; /* byte where its local header begins */
  guint64 offset; /* of the data itself */
  guint64 size;
} ZipMember;

/**
 * zip_read_members: by the central directory (local headers may hold no sizes), zip64 included.
 *
 * Compressed or encrypted members, members that overlap, share a name or lie past
 * the end are refused by name.
 * Returns: (element-type ZipMember) sorted by offset; free with g_ptr_array_unref.
 */
GPtrArray *zip_read_members (BytesSource *source, GError **error);

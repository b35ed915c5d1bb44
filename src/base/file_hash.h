/**
 * file_hash.h: content hashes (XXH3, 128 bits) as 32 lower-case hex digits.
 */
#pragma once

#include <gio/gio.h>

/** file_hash: hash a whole file, streaming; %NULL on error or cancellation. Free with g_free. */
char *file_hash (const char *path, GCancellable *cancellable, GError **error);

/** bytes_hash: hash a buffer. Free with g_free. */
char *bytes_hash (const void *data, gsize size);

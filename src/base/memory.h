/**
 * memory.h: how much memory the program may take.
 */
#pragma once

#include <glib.h>

/**
 * memory_limit: let the system refuse what goes beyond so many bytes of data.
 *
 * A buffer that is refused is an error that names it. Files that are mapped, and the code of
 * libraries, do not count. A lower limit that the shell has set stays.
 */
gboolean memory_limit (guint64 bytes, GError **error);

/**
 * share.h: the data files that are read at run time, and the engine module.
 *
 * A program run in its build tree finds both there without installing; an installed one finds them
 * under its prefix. $CTCLIP_SHARE names another share directory.
 */
#pragma once

#include <glib.h>

/** share_find: path of `share/<relative>` (for example "encoders/ct-clip.ini"). Free with g_free.
 */
char *share_find (const char *relative, GError **error);

/** share_module_path: path of the engine module. Free with g_free. */
char *share_module_path (GError **error);

#include "base/share.h"

#include "base/error.h"
#include "config.h"

#define MODULE_NAME "ctclip_engine.so"

/** Directory of the running program, without libtool's .libs. */
static char *
program_directory (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *directory = program != NULL ? g_path_get_dirname (program) : g_strdup (".");

  if (g_str_has_suffix (directory, "/.libs"))
    return g_path_get_dirname (directory);
  return g_steal_pointer (&directory);
}

/**
 * The top of the build tree that the program was started in: its own directory or the one above
 * (tests, benchmarks); %NULL for an installed program.
 */
static char *
build_directory (void)
{
  g_autofree char *directory = program_directory ();

  for (guint level = 0; level < 2; level++)
    {
      g_autofree char *marker = g_build_filename (directory, "config.status", NULL);
      char *parent;

      if (g_file_test (marker, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&directory);
      parent = g_path_get_dirname (directory);
      g_free (directory);
      directory = parent;
    }
  return NULL;
}

char *
share_find (const char *relative, GError **error)
{
  const char *named = g_getenv ("CTCLIP_SHARE");
  g_autofree char *build = build_directory ();
  g_autofree char *path = NULL;

  if (named != NULL && *named != '\0')
    path = g_build_filename (named, relative, NULL);
  else if (build != NULL)
    path = g_build_filename (build, "share", relative, NULL);
  else
    path = g_build_filename (CTCLIP_DATADIR, relative, NULL);

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
               "%s: not there; install the program, run it in its build tree or set CTCLIP_SHARE",
               path);
  return NULL;
}

char *
share_module_path (GError **error)
{
  g_autofree char *build = build_directory ();
  g_autofree char *path = build != NULL ? g_build_filename (build, ".libs", MODULE_NAME, NULL)
                                        : g_build_filename (CTCLIP_MODULEDIR, MODULE_NAME, NULL);

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
               "%s: the engine module is not there; %s", path,
               build != NULL ? "run make" : "install the program again");
  return NULL;
}

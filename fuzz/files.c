/* Every seed and every file that once did harm, as ordinary tests: the targets without libFuzzer,
 * for any compiler and any sanitizer. Writes TAP. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

static void
run_file (const char *path)
{
  g_autofree char *bytes = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  if (!g_file_get_contents (path, &bytes, &size, &error))
    g_error ("%s", error->message);
  /* A crash leaves the name of its file as the last thing said. */
  printf ("# %s\n", path);
  fflush (stdout);
  LLVMFuzzerTestOneInput ((const guint8 *) bytes, size);
}

/** Returns how many tests were done, those before included. */
static guint
run_folder (const char *kind, const char *target, guint done)
{
  g_autofree char *folder = g_build_filename (FUZZ_DIRECTORY, kind, target, NULL);
  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  const char *name;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      run_file (path);
      printf ("ok %u - %s/%s\n", ++done, kind, name);
    }
  return done;
}

int
main (int argc, char **argv)
{
  const char *target = strrchr (argv[0], '_') + 1; /* check_nifti is "nifti" */
  guint seeds, all;

  LLVMFuzzerInitialize (&argc, &argv);
  seeds = run_folder ("seeds", target, 0);
  g_assert (seeds > 0);
  all = run_folder ("regressions", target, seeds);
  printf ("1..%u\n", all);
  return 0;
}

/**
 * bench_import PROGRAM DIR [PYTHON SCRIPT]: the training tables of bench_store.h in DIR into a new
 * workspace.
 *
 * From the program's start until the rows can be browsed, which is when it prints the funnel,
 * beside pandas that reads, joins and filters the same files (without Python's start); and from
 * there to the end of the full-text index, while another reader asks for a page and another writer
 * commits, again and again: what they wait is the longest that anyone is held up.
 */
#include "bench_row.h"
#include "bench_store.h"

#include "catalog/listing.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define ROUNDS 7
#define INDEX_LIMIT_MS 3000
#define WAIT_LIMIT_MS 300
#define PAGE 100

typedef struct
{
  const char *program, *directory, *workspace;
  double index_ms[ROUNDS], read_ms[ROUNDS], write_ms[ROUNDS];
  guint n;
} Import;

static void
forget_workspace (const char *workspace)
{
  static const char *const names[] = { "workspace.sqlite", "workspace.sqlite-wal",
                                       "workspace.sqlite-shm", "lock", "progress" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (workspace, names[i], NULL);

      g_unlink (path);
    }
}

/** Read and write in turns until the program ends; keeps the longest of each. */
static void
meddle (Import *import, GPid pid)
{
  g_autofree char *path = g_build_filename (import->workspace, "workspace.sqlite", NULL);
  GError *error = NULL;
  g_autoptr (CatalogStore) store = catalog_store_open (path, FALSE, &error);
  g_autoptr (CatalogQuery) query = catalog_query_parse ("", &error);
  const CatalogListOptions options = { .split = -1, .limit = PAGE };
  double *read_ms = &import->read_ms[import->n], *write_ms = &import->write_ms[import->n];

  bench_stop_on (error);
  *read_ms = *write_ms = 0;
  while (waitpid (pid, NULL, WNOHANG) == 0)
    {
      const double start_ms = bench_now_ms ();
      g_autoptr (GPtrArray) page = catalog_records_list (store, query, &options, &error);
      const double read_end_ms = bench_now_ms ();

      bench_stop_on (error);
      catalog_store_set (store, "bench", "bench", &error);
      bench_stop_on (error);
      *read_ms = MAX (*read_ms, read_end_ms - start_ms);
      *write_ms = MAX (*write_ms, bench_now_ms () - read_end_ms);
      g_usleep (20000);
    }
}

static double
import_s (gpointer data)
{
  Import *import = data;
  const char *const arguments[] = { import->program, "-w",     import->workspace,
                                    "--batch",       "import", import->directory,
                                    "--split",       "train",  NULL };
  const double start_ms = bench_now_ms ();
  double browsable_ms = 0;
  GError *error = NULL;
  char line[200];
  FILE *output;
  GPid pid;
  int fd;

  forget_workspace (import->workspace);
  g_spawn_async_with_pipes (NULL, (char **) arguments, NULL,
                            G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL,
                            &fd, NULL, &error);
  bench_stop_on (error);
  output = fdopen (fd, "r");
  while (browsable_ms == 0 && fgets (line, sizeof line, output) != NULL)
    if (g_str_has_prefix (line, "kept"))
      browsable_ms = bench_now_ms ();
  if (browsable_ms == 0)
    bench_fail ("%s did not import %s", import->program, import->directory);
  meddle (import, pid);
  fclose (output);
  import->index_ms[import->n++] = bench_now_ms () - browsable_ms;
  return (browsable_ms - start_ms) / 1e3;
}

static double
pandas_s (gpointer arguments)
{
  return bench_command_number (arguments);
}

int
main (int argc, char **argv)
{
  const BenchRow row = { "import 47,149 rows, to browsable", "s", "pandas reads, joins, filters",
                         0.5 };
  Import import = { 0 };
  g_autofree char *path = NULL, *workspace = NULL;

  if (argc < 3)
    {
      fprintf (stderr, "usage: bench_import PROGRAM DIR [PYTHON SCRIPT]\n");
      return 2;
    }
  path = bench_store_make (argv[2]);
  workspace = g_build_filename (argv[2], "import", NULL);
  import = (Import){ .program = argv[1], .directory = argv[2], .workspace = workspace };
  if (argc > 4)
    {
      const char *const script[] = { argv[3], argv[4], argv[2], NULL };

      bench_row_beside (&row, ROUNDS, import_s, &import, pandas_s, (gpointer) script);
    }
  else
    {
      bench_row_left_out (row.what, "no Python with pandas");
      for (guint i = 0; i < ROUNDS; i++)
        printf ("%.3f s\n", import_s (&import));
    }
  bench_row_limit ("  its full-text index, afterwards", "ms", import.index_ms, import.n,
                   INDEX_LIMIT_MS);
  bench_row_limit ("  a page of records meanwhile, the longest", "ms", import.read_ms, import.n,
                   WAIT_LIMIT_MS);
  bench_row_limit ("  another program's commit meanwhile, the longest", "ms", import.write_ms,
                   import.n, WAIT_LIMIT_MS);
  return 0;
}

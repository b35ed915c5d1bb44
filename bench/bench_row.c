#include "bench_row.h"

#include "bench_store.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- rows ---- */

static void
add_row (const BenchRow *row, double ours, double theirs, double ratio, const char *spread)
{
  const char *path = g_getenv ("BENCH_ROWS");
  gboolean met = ratio <= row->most;
  FILE *file;

  printf ("%-52s %9.4g %-6s %-34s %9.4g  ratio %.3f (%s), goal %.3g: %s\n", row->what, ours,
          row->unit, row->yardstick, theirs, ratio, spread, row->most, met ? "met" : "MISSED");
  fflush (stdout);
  file = path != NULL ? fopen (path, "a") : NULL;
  if (file == NULL)
    return;
  fprintf (file, "%s\t%.4g %s\t%s\t%.4g %s\t%.3f\t%s\t%.3g\t%s\n", row->what, ours, row->unit,
           row->yardstick, theirs, row->unit, ratio, spread, row->most, met ? "met" : "MISSED");
  fclose (file);
}

void
bench_row_pairs (const BenchRow *row, double *ours, double *theirs, guint n)
{
  g_autofree double *ratios = g_new (double, n);
  g_autofree char *spread = NULL;
  double ratio;

  for (guint i = 0; i < n; i++)
    ratios[i] = ours[i] / theirs[i];
  ratio = bench_quantile (ratios, n, 0.5);
  spread = g_strdup_printf ("%.3f-%.3f of %u", ratios[0], ratios[n - 1], n);
  add_row (row, bench_quantile (ours, n, 0.5), bench_quantile (theirs, n, 0.5), ratio, spread);
}

void
bench_row_beside (const BenchRow *row, guint rounds, BenchMeasure ours, gpointer our_data,
                  BenchMeasure theirs, gpointer their_data)
{
  g_autofree double *our_values = g_new (double, rounds), *their_values = g_new (double, rounds);

  for (guint i = 0; i < rounds; i++)
    {
      if (i % 2 == 0)
        our_values[i] = ours (our_data);
      their_values[i] = theirs (their_data);
      if (i % 2 != 0)
        our_values[i] = ours (our_data);
    }
  bench_row_pairs (row, our_values, their_values, rounds);
}

void
bench_row_limit (const char *what, const char *unit, double *values, guint n, double limit)
{
  const double median = bench_quantile (values, n, 0.5);
  g_autofree char *spread = g_strdup_printf ("%.4g-%.4g of %u", values[0], values[n - 1], n);

  add_row (&(BenchRow){ what, unit, "limit", 1 }, median, limit, median / limit, spread);
}

void
bench_row_left_out (const char *what, const char *why)
{
  const char *path = g_getenv ("BENCH_ROWS");
  FILE *file = path != NULL ? fopen (path, "a") : NULL;

  printf ("%-52s left out: %s\n", what, why);
  if (file == NULL)
    return;
  fprintf (file, "%s\t-\t%s\t-\t-\t-\t-\tleft out\n", what, why);
  fclose (file);
}

/* ---- other programs ---- */

BenchCommand
bench_command (const char *const *arguments)
{
  const double start_ms = bench_now_ms ();
  struct rusage usage;
  BenchCommand result;
  int status;
  pid_t pid = fork ();

  if (pid == 0)
    {
      int nowhere = open ("/dev/null", O_RDWR);

      dup2 (nowhere, STDOUT_FILENO);
      execvp (arguments[0], (char *const *) arguments);
      _exit (127);
    }
  if (pid < 0 || wait4 (pid, &status, 0, &usage) != pid || !WIFEXITED (status)
      || WEXITSTATUS (status) != 0)
    bench_fail ("%s failed", arguments[0]);
  result.seconds = (bench_now_ms () - start_ms) / 1e3;
  result.core_seconds = (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                        + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  result.peak_mib = (double) usage.ru_maxrss / 1024;
  return result;
}

double
bench_command_number (const char *const *arguments)
{
  g_autofree char *output = NULL;
  GError *error = NULL;
  int status;

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL,
                &status, &error);
  bench_stop_on (error);
  g_spawn_check_wait_status (status, &error);
  bench_stop_on (error);
  return g_ascii_strtod (output, NULL);
}

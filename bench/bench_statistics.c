/**
 * bench_statistics DIR [PYTHON SCRIPT]: how long sampling and judging take at CT-RATE's sizes.
 *
 * Draws 15 % of 20,000 rows with CT-RATE's numbers of positives, each seed once, and prints the
 * largest label deviation beside the times, then beside PyPI's iterative-stratification on the same
 * labels; and the per-class table of 196 and of 1,304 rows with 1,000 bootstrap draws, best of
 * nine.
 */
#include "bench_row.h"
#include "bench_store.h"

#include "base/random.h"
#include "metrics/metrics.h"
#include "sampling/stratify.h"

#include <stdio.h>
#include <stdlib.h>

#define N_CLASSES 18
#define N_ROWS 20000
#define ROUNDS 9
#define SCRIPT_ROUNDS 5
#define SEEDS 20

static const guint POSITIVES[N_CLASSES] = { 1962, 5351, 2052, 1196, 4721, 2852, 4855, 3729, 4822,
                                            9033, 7042, 5318, 1893, 1469, 1914, 3119, 1883, 1394 };

static guint32 *
make_labels (void)
{
  guint32 *labels = g_new0 (guint32, N_ROWS);
  Random random;

  random_init (&random, 1, 0);
  for (guint label = 0; label < N_CLASSES; label++)
    for (guint row = 0, left = POSITIVES[label]; row < N_ROWS; row++)
      if (random_below (&random, N_ROWS - row) < left)
        {
          labels[row] |= (guint32) 1 << label;
          left--;
        }
  return labels;
}

typedef struct
{
  guint32 *labels;
  guint64 seed;
  double deviation; /* the largest of all */
} Sampling;

static double
sample_s (gpointer data)
{
  Sampling *sampling = data;
  g_autofree guint8 *chosen = g_new (guint8, N_ROWS);
  const double start_ms = bench_now_ms ();
  StratifyShares shares;
  double elapsed_ms;

  stratify_sample (sampling->labels, N_ROWS, N_CLASSES, 0.15, sampling->seed++, chosen);
  elapsed_ms = bench_now_ms () - start_ms;
  stratify_shares (sampling->labels, N_ROWS, N_CLASSES, chosen, &shares);
  sampling->deviation = MAX (sampling->deviation, shares.max_deviation);
  return elapsed_ms / 1e3;
}

static double
script_s (gpointer arguments)
{
  return bench_command_number (arguments);
}

/** A byte for each label, for the script. */
static char *
write_labels (const char *directory, const guint32 *labels)
{
  char *path = g_build_filename (directory, "labels.bytes", NULL);
  g_autofree char *bytes = g_new (char, N_ROWS *N_CLASSES);
  GError *error = NULL;

  for (guint i = 0; i < N_ROWS * N_CLASSES; i++)
    bytes[i] = labels[i / N_CLASSES] >> i % N_CLASSES & 1;
  g_mkdir_with_parents (directory, 0700);
  g_file_set_contents (path, bytes, N_ROWS * N_CLASSES, &error);
  bench_stop_on (error);
  return path;
}

static void
bench_sampling (const char *directory, const char *python, const char *script)
{
  g_autofree guint32 *labels = make_labels ();
  g_autofree char *path = write_labels (directory, labels);
  const char *const arguments[] = { python, script, path, NULL };
  Sampling sampling = { .labels = labels };
  double times_ms[SEEDS];

  for (guint i = 0; i < SEEDS; i++)
    times_ms[i] = 1e3 * sample_s (&sampling);
  printf ("sample of 15 %% of %d rows, %d seeds: median %.2f ms, largest deviation %.3g\n", N_ROWS,
          SEEDS, bench_quantile (times_ms, SEEDS, 0.5), sampling.deviation);
  if (script != NULL)
    bench_row_beside (
        &(BenchRow){ "sample 20,000x18 at 15 %", "s", "iterative-stratification", 1.0 / 30 },
        SCRIPT_ROUNDS, sample_s, &sampling, script_s, (gpointer) arguments);
  else
    bench_row_left_out ("sample 20,000x18 at 15 %", "no Python with iterative-stratification");
}

static void
bench_table (gsize n, guint draws)
{
  g_autofree double *logits = g_new (double, n *N_CLASSES);
  g_autofree guint8 *labels = g_new (guint8, n * N_CLASSES);
  double fastest = G_MAXDOUBLE;
  Random random;

  random_init (&random, 2, 0);
  for (gsize i = 0; i < n * N_CLASSES; i++)
    {
      labels[i] = random_below (&random, N_ROWS) < POSITIVES[i % N_CLASSES];
      logits[i] = random_normal (&random) + labels[i] - 1;
    }
  for (guint round = 0; round < ROUNDS; round++)
    {
      MetricsInput input = {
        .logits = logits, .labels = labels, .n = n, .n_classes = N_CLASSES, .bootstrap_draws = draws
      };
      double start = bench_now_ms ();
      g_autoptr (MetricsTable) table = metrics_table (&input, NULL, NULL);

      fastest = MIN (fastest, bench_now_ms () - start);
    }
  printf ("table of %" G_GSIZE_FORMAT " rows, %u draws: %.2f ms\n", n, draws, fastest);
}

int
main (int argc, char **argv)
{
  if (argc != 2 && argc != 4)
    {
      fprintf (stderr, "usage: bench_statistics DIR [PYTHON SCRIPT]\n");
      return 2;
    }
  bench_sampling (argv[1], argc > 3 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
  bench_table (196, 1000);
  bench_table (1304, 1000);
  bench_table (1304, 0);
  return 0;
}

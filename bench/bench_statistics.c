/**
 * bench_statistics [SEEDS]: how long sampling and judging take at CT-RATE's sizes.
 *
 * Draws 15 % of 20,000 rows with CT-RATE's numbers of positives, each seed once, and prints the
 * largest label deviation beside the times; then the per-class table of 196 and of 1,304 rows with
 * 1,000 bootstrap draws, best of nine.
 */
#include "base/random.h"
#include "metrics/metrics.h"
#include "sampling/stratify.h"

#include <stdio.h>
#include <stdlib.h>

#define N_CLASSES 18
#define N_ROWS 20000
#define ROUNDS 9

static const guint POSITIVES[N_CLASSES] = { 1962, 5351, 2052, 1196, 4721, 2852, 4855, 3729, 4822,
                                            9033, 7042, 5318, 1893, 1469, 1914, 3119, 1883, 1394 };

static double
now_ms (void)
{
  return (double) g_get_monotonic_time () / 1000;
}

static void
bench_sampling (guint seeds)
{
  g_autofree guint32 *labels = g_new0 (guint32, N_ROWS);
  g_autofree guint8 *chosen = g_new (guint8, N_ROWS);
  double fastest = G_MAXDOUBLE, slowest = 0, deviation = 0;
  Random random;

  random_init (&random, 1, 0);
  for (guint label = 0; label < N_CLASSES; label++)
    for (guint row = 0, left = POSITIVES[label]; row < N_ROWS; row++)
      if (random_below (&random, N_ROWS - row) < left)
        {
          labels[row] |= (guint32) 1 << label;
          left--;
        }
  for (guint64 seed = 0; seed < seeds; seed++)
    {
      double start = now_ms (), elapsed;
      StratifyShares shares;

      stratify_sample (labels, N_ROWS, N_CLASSES, 0.15, seed, chosen);
      elapsed = now_ms () - start;
      stratify_shares (labels, N_ROWS, N_CLASSES, chosen, &shares);
      fastest = MIN (fastest, elapsed);
      slowest = MAX (slowest, elapsed);
      deviation = MAX (deviation, shares.max_deviation);
    }
  printf ("sample of 15 %% of %d rows, %u seeds: %.2f to %.2f ms, largest deviation %.3g\n", N_ROWS,
          seeds, fastest, slowest, deviation);
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
      double start = now_ms ();
      g_autoptr (MetricsTable) table = metrics_table (&input, NULL, NULL);

      fastest = MIN (fastest, now_ms () - start);
    }
  printf ("table of %" G_GSIZE_FORMAT " rows, %u draws: %.2f ms\n", n, draws, fastest);
}

int
main (int argc, char **argv)
{
  bench_sampling (argc > 1 ? (guint) atoi (argv[1]) : 20);
  bench_table (196, 1000);
  bench_table (1304, 1000);
  bench_table (1304, 0);
  return 0;
}

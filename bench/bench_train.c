/**
 * bench_train DIR [PYTHON SCRIPT]: five epochs of the head with all metrics and their intervals.
 *
 * Over the workspace of bench_store.h in DIR, as Experiment's live mode does it: 15 % of the scans
 * (3,000 and 196) and all of them (20,000 and 1,304), 512 numbers each, with latents that are in
 * memory already. Where a PYTHON with torch is given, SCRIPT (bench_train.py) does the plain
 * PyTorch loop of the same size after each of ours.
 */
#include "bench_store.h"

#include "study/train_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 7

static double
train_ms (Workspace *workspace, StudyTrainCache *cache, double fraction, guint *train_n,
          guint *valid_n, double *auroc)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_auto (StudyTrain)
      train = { .workspace = workspace, .parameters = parameters, .preview = TRUE, .cache = cache };
  g_auto (JobSnapshot) snapshot = { 0 };
  GError *error = NULL;
  g_autoptr (Job) job = NULL;
  const double start_ms = bench_now_ms ();
  double ms;

  parameters->fraction = fraction;
  job = job_start ("train", study_train, &train);
  job_wait (job, &error);
  ms = bench_now_ms () - start_ms;
  bench_stop_on (error);
  job_snapshot (job, &snapshot);
  *train_n = train.train_n;
  *valid_n = train.valid_n;
  *auroc = ((JobEpoch *) g_ptr_array_index (snapshot.epochs, snapshot.epochs->len - 1))
               ->table->macro_auroc.value;
  return ms;
}

/** The plain loop: the script prints milliseconds without Python's start. */
static double
python_ms (const char *python, const char *script, guint train_n, guint valid_n)
{
  g_autofree char *train = g_strdup_printf ("%u", train_n);
  g_autofree char *valid = g_strdup_printf ("%u", valid_n);
  const char *const arguments[] = { python, script, train, valid, NULL };
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

static void
bench (Workspace *workspace, double fraction, const char *python, const char *script)
{
  g_autoptr (StudyTrainCache) cache = study_train_cache_new ();
  double ours[ROUNDS], theirs[ROUNDS], auroc, median;
  guint train_n, valid_n;

  train_ms (workspace, cache, fraction, &train_n, &valid_n, &auroc); /* fills the cache */
  for (guint i = 0; i < ROUNDS; i++)
    {
      ours[i] = train_ms (workspace, cache, fraction, &train_n, &valid_n, &auroc);
      if (python != NULL)
        theirs[i] = python_ms (python, script, train_n, valid_n);
    }
  median = bench_quantile (ours, ROUNDS, 0.5);
  printf ("5 epochs of %u x %d, judged on %u: median %.0f ms, slowest %.0f ms (AUROC %.3f)\n",
          train_n, BENCH_WIDTH, valid_n, median, bench_quantile (ours, ROUNDS, 1), auroc);
  if (python != NULL)
    printf ("  plain PyTorch: median %.0f ms, ratio %.3f\n", bench_quantile (theirs, ROUNDS, 0.5),
            median / bench_quantile (theirs, ROUNDS, 0.5));
}

int
main (int argc, char **argv)
{
  g_autofree char *path = NULL;
  g_autoptr (Workspace) workspace = NULL;
  const char *python = argc > 3 ? argv[2] : NULL, *script = argc > 3 ? argv[3] : NULL;
  GError *error = NULL;

  if (argc != 2 && argc != 4)
    {
      fprintf (stderr, "usage: bench_train DIR [PYTHON SCRIPT]\n");
      return 2;
    }
  path = bench_store_make (argv[1]);
  workspace = workspace_open (argv[1], FALSE, &error);
  bench_stop_on (error);
  bench (workspace, 0.15, python, script);
  bench (workspace, 1, python, script);
  return 0;
}

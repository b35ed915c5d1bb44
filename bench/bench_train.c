/**
 * bench_train DIR [PYTHON SCRIPT]: five epochs of the head with all metrics and their intervals.
 *
 * Over the workspace of bench_store.h in DIR, as Experiment's live mode does it: 15 % of the scans
 * (3,000 and 196) and all of them (20,000 and 1,304), 512 numbers each, with latents that are in
 * memory already. Where a PYTHON with torch is given, SCRIPT (bench_train.py) does the plain
 * PyTorch loop of the same size after each of ours.
 */
#include "bench_row.h"
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

typedef struct
{
  Workspace *workspace;
  StudyTrainCache *cache;
  double fraction, auroc;
  guint train_n, valid_n;
} Training;

static double
ours_ms (gpointer data)
{
  Training *training = data;

  return train_ms (training->workspace, training->cache, training->fraction, &training->train_n,
                   &training->valid_n, &training->auroc);
}

/** The plain loop: the script prints milliseconds without Python's start. */
static double
script_ms (gpointer arguments)
{
  return bench_command_number (arguments);
}

static void
bench (Workspace *workspace, double fraction, const char *python, const char *script,
       double limit_ms)
{
  g_autoptr (StudyTrainCache) cache = study_train_cache_new ();
  Training training = { workspace, cache, fraction, 0, 0, 0 };
  g_autofree char *what = NULL, *train_n = NULL, *valid_n = NULL;
  double times_ms[ROUNDS];

  ours_ms (&training); /* fills the cache */
  what = g_strdup_printf ("train 5 epochs of %u, judged on %u", training.train_n, training.valid_n);
  train_n = g_strdup_printf ("%u", training.train_n);
  valid_n = g_strdup_printf ("%u", training.valid_n);
  for (guint i = 0; i < ROUNDS; i++)
    times_ms[i] = ours_ms (&training);
  printf ("%s: AUROC %.3f\n", what, training.auroc);
  bench_row_limit (what, "ms", times_ms, ROUNDS, limit_ms);
  if (python != NULL)
    {
      const char *const arguments[] = { python, script, train_n, valid_n, NULL };

      bench_row_beside (&(BenchRow){ what, "ms", "the plain PyTorch loop", 1 / 3.5 }, ROUNDS,
                        ours_ms, &training, script_ms, (gpointer) arguments);
    }
  else
    bench_row_left_out (what, "PYTHON=... names one with torch");
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
  bench (workspace, 0.15, python, script, 150);
  bench (workspace, 1, python, script, 1000);
  return 0;
}

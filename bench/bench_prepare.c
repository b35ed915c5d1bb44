/**
 * bench_prepare FILE [THREADS [INTERCEPT]]: how long preparing a volume takes beside bare
 * inflating.
 *
 * With an intercept, as from a CSV, an unscaled volume is counted too before its rescale is chosen.
 * Prints the best of five of each, and the process's peak memory, which holds one tensor.
 */
#include "volume/prepare.h"
#include "volume/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define ROUNDS 5

static void
stop_on (GError *error)
{
  if (error == NULL)
    return;
  fprintf (stderr, "%s\n", error->message);
  exit (1);
}

static void
inflate_only (const char *path)
{
  GError *error = NULL;
  g_autoptr (VolumeStream) stream = volume_stream_open (path, NULL, &error);

  stop_on (error);
  volume_stream_finish (stream, &error);
  stop_on (error);
}

static void
prepare (const char *path, guint threads, double intercept)
{
  const VolumePreparation preparation = volume_preparation_default ();
  VolumeMetadata metadata = VOLUME_METADATA_NONE;
  const gsize *shape = preparation.shape;
  g_autofree float *tensor = g_new (float, shape[0] * shape[1] * shape[2]);
  VolumePrepared prepared;
  GError *error = NULL;

  metadata.intercept = intercept;
  volume_prepare (path, &metadata, &preparation, threads, tensor, &prepared, NULL, &error);
  stop_on (error);
}

int
main (int argc, char **argv)
{
  guint threads = argc > 2 ? (guint) atoi (argv[2]) : 1;
  double intercept = argc > 3 ? atof (argv[3]) : NAN;
  double inflate_s = INFINITY, prepare_s = INFINITY;
  struct rusage usage;

  if (argc < 2)
    {
      fprintf (stderr, "usage: bench_prepare FILE [THREADS [INTERCEPT]]\n");
      return 2;
    }
  for (guint i = 0; i < ROUNDS; i++)
    {
      gint64 start = g_get_monotonic_time (), middle;

      inflate_only (argv[1]);
      middle = g_get_monotonic_time ();
      prepare (argv[1], threads, intercept);
      inflate_s = MIN (inflate_s, (double) (middle - start) / G_USEC_PER_SEC);
      prepare_s = MIN (prepare_s, (double) (g_get_monotonic_time () - middle) / G_USEC_PER_SEC);
    }
  getrusage (RUSAGE_SELF, &usage);
  printf ("inflate %.3f s, prepare with %u thread%s %.3f s (%.2f times), peak %.1f MiB\n",
          inflate_s, threads, threads == 1 ? "" : "s", prepare_s, prepare_s / inflate_s,
          (double) usage.ru_maxrss / 1024);
  return 0;
}

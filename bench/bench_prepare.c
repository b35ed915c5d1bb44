/**
 * bench_prepare PROGRAM FILE [PYTHON SCRIPT]: preparing a volume, beside bare inflating.
 *
 * `igzip -t` inflates and checks the file and does nothing else; where it is not installed, what
 * stands in is our own reading of the stream to its end. Ours runs in this process, into a tensor
 * that is reused as a cohort's is; the peak memory is that of the whole program. PYTHON, with
 * nibabel and torch, does what the public script does.
 */
#include "bench_row.h"
#include "bench_store.h"

#include "volume/prepare.h"
#include "volume/stream.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>

#define ROUNDS 9
#define SCRIPT_ROUNDS 3
#define PEAK_LIMIT_MIB 307.2 /* 0.3 GiB */

typedef struct
{
  const char *path;
  guint threads;
  float *tensor;
} Preparing;

static double
prepare_s (gpointer data)
{
  const Preparing *preparing = data;
  const VolumePreparation preparation = volume_preparation_default ();
  const VolumeMetadata metadata = VOLUME_METADATA_NONE;
  const double start_ms = bench_now_ms ();
  VolumePrepared prepared;
  GError *error = NULL;

  volume_prepare (preparing->path, &metadata, &preparation, preparing->threads, preparing->tensor,
                  &prepared, NULL, &error);
  bench_stop_on (error);
  return (bench_now_ms () - start_ms) / 1e3;
}

static double
igzip_s (gpointer path)
{
  const char *const arguments[] = { "igzip", "-t", path, NULL };

  return bench_command (arguments).seconds;
}

static double
inflate_s (gpointer path)
{
  const double start_ms = bench_now_ms ();
  GError *error = NULL;
  g_autoptr (VolumeStream) stream = volume_stream_open (path, NULL, &error);

  bench_stop_on (error);
  volume_stream_finish (stream, &error);
  bench_stop_on (error);
  return (bench_now_ms () - start_ms) / 1e3;
}

static double
script_s (gpointer arguments)
{
  return bench_command_number (arguments);
}

static void
bench_memory (const char *program, const char *file)
{
  g_autofree char *directory = g_dir_make_tmp ("bench-prepare-XXXXXX", NULL);
  g_autofree char *out = g_build_filename (directory, "tensor.npy", NULL);
  const char *const arguments[] = { program, "--batch",   "prepare", file, "--out",
                                    out,     "--threads", "2",       NULL };
  double peak_mib = bench_command (arguments).peak_mib;

  g_unlink (out);
  g_rmdir (directory);
  bench_row_limit ("prepare, peak memory of the program", "MiB", &peak_mib, 1, PEAK_LIMIT_MIB);
}

int
main (int argc, char **argv)
{
  const VolumePreparation preparation = volume_preparation_default ();
  const gsize *shape = preparation.shape;
  g_autofree char *igzip = g_find_program_in_path ("igzip");
  const char *name = igzip != NULL ? "igzip -t" : "inflating alone (no igzip here)";
  BenchMeasure floor = igzip != NULL ? igzip_s : inflate_s;
  Preparing preparing;

  if (argc < 3)
    {
      fprintf (stderr, "usage: bench_prepare PROGRAM FILE [PYTHON SCRIPT]\n");
      return 2;
    }
  preparing = (Preparing){ argv[2], 1, g_new (float, shape[0] * shape[1] * shape[2]) };
  prepare_s (&preparing); /* the tensor's pages are there from now on */
  bench_row_beside (&(BenchRow){ "prepare a chest of 512x512x275, 1 thread", "s", name, 1.3 },
                    ROUNDS, prepare_s, &preparing, floor, argv[2]);
  preparing.threads = 2;
  bench_row_beside (&(BenchRow){ "prepare a chest of 512x512x275, 2 threads", "s", name, 1.1 },
                    ROUNDS, prepare_s, &preparing, floor, argv[2]);
  if (argc > 4)
    {
      const char *const script[] = { argv[3], argv[4], argv[2], NULL };

      bench_row_beside (&(BenchRow){ "prepare a chest of 512x512x275, 2 threads", "s",
                                     "nibabel and torch interpolate", 1.0 / 12 },
                        SCRIPT_ROUNDS, prepare_s, &preparing, script_s, (gpointer) script);
    }
  else
    bench_row_left_out ("prepare, beside nibabel and torch", "PYTHON=... names one with both");
  g_free (preparing.tensor);
  bench_memory (argv[1], argv[2]);
  return 0;
}

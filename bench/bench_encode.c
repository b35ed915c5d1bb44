/**
 * bench_encode CHECKPOINT SCAN [ROUNDS]: how long encoding one scan takes on two threads.
 *
 * Beside the time that the products alone, 790 GFLOP, take at the rate of sgemm on this
 * machine (13824 × 512 × 2730; OpenBLAS and oneDNN, as installed), and beside libtorch's form of
 * the network; all in turn, several times. The network has the real sizes; tests/make_lipro makes
 * such a checkpoint.
 */
#include "bench_encoder_input.h"
#include "bench_store.h"

#include "base/share.h"
#include "model/engine.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define THREADS 2
#define GFLOP 790.0 /* of the network's products on one volume */
#define ROUNDS 5
#define MAX_ROUNDS 100

/* ---- clocks ---- */

/** Other work on the machine lengthens the wall clock's seconds more than the processor's. */
typedef struct
{
  double wall_s, processor_s;
} Seconds;

static Seconds
now (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (Seconds){ bench_now_ms () / 1e3,
                    (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                        + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6 };
}

static Seconds
since (Seconds start)
{
  const Seconds end = now ();

  return (Seconds){ end.wall_s - start.wall_s, end.processor_s - start.processor_s };
}

/* ---- sgemm ---- */

enum
{
  M = 13824,
  K = 512,
  N = 2730,
  PRODUCTS = 5 /* of one measurement */
};

typedef struct
{
  const char *name;
  void (*blas) (int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
  int (*dnnl) (char transpose_a, char transpose_b, gint64 m, gint64 n, gint64 k, float alpha,
               const float *a, gint64 lda, const float *b, gint64 ldb, float beta, float *c,
               gint64 ldc);
} Sgemm;

static guint
find_sgemm (Sgemm found[2])
{
  void *blas = dlopen ("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  void *dnnl = dlopen ("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
  guint n = 0;

  if (blas != NULL)
    {
      void (*set_threads) (int) = dlsym (blas, "openblas_set_num_threads");

      if (set_threads != NULL)
        set_threads (THREADS);
      found[n++] = (Sgemm){ .name = "790 GFLOP of OpenBLAS", .blas = dlsym (blas, "cblas_sgemm") };
    }
  if (dnnl != NULL)
    found[n++] = (Sgemm){ .name = "790 GFLOP of oneDNN", .dnnl = dlsym (dnnl, "dnnl_sgemm") };
  return n;
}

/** Seconds that GFLOP take at the rate of @sgemm. */
static Seconds
bench_sgemm (const Sgemm *sgemm, const float *a, const float *b, float *c)
{
  const double share = GFLOP * 1e9 / (2.0 * M * K * N * PRODUCTS);
  const Seconds start = now ();
  Seconds taken;

  for (guint i = 0; i < PRODUCTS; i++)
    if (sgemm->blas != NULL)
      sgemm->blas (101, 111, 112, M, N, K, 1, a, K, b, K, 0, c, N);
    else
      sgemm->dnnl ('N', 'T', M, N, K, 1, a, K, b, K, 0, c, N);
  taken = since (start);
  return (Seconds){ taken.wall_s * share, taken.processor_s * share };
}

/* ---- encoding ---- */

static EngineEncoder *
open_encoder (Engine *engine, const char *checkpoint, const EncoderDescription *description)
{
  GError *error = NULL;
  EngineEncoder *encoder = engine_encoder_open (engine, checkpoint, description, &error);

  bench_stop_on (error);
  return encoder;
}

static Engine *
open_engine (const char *device)
{
  GError *error = NULL;
  Engine *engine = engine_open (device, THREADS, &error);

  bench_stop_on (error);
  return engine;
}

static Seconds
bench_encoder (EngineEncoder *encoder, const float *input)
{
  g_autofree float *latent = g_new (float, engine_encoder_info (encoder)->latent_width);
  const Seconds start = now ();
  GError *error = NULL;

  engine_encode (encoder, input, 1, latent, NULL, NULL, NULL, &error);
  bench_stop_on (error);
  return since (start);
}

/* ---- the comparison ---- */

/** Of each round, by the wall clock and of the processor. */
typedef struct
{
  double s[2][MAX_ROUNDS];
} Times;

static void
add (Times *times, guint round, Seconds taken)
{
  times->s[0][round] += taken.wall_s;
  times->s[1][round] += taken.processor_s;
}

/** Half before ours and half after it. */
static void
bench_products (const Sgemm *sgemm, guint n_sgemm, const float *a, const float *b, float *c,
                Times *products, guint round)
{
  for (guint i = 0; i < n_sgemm; i++)
    {
      Seconds taken = bench_sgemm (&sgemm[i], a, b, c);

      taken.wall_s /= 2;
      taken.processor_s /= 2;
      add (&products[i], round, taken);
    }
}

/** Ratios of @ours to @theirs, round by round: median, least and most. */
static void
print_ratio (const char *name, const char *clock, const double *ours, const double *theirs, guint n)
{
  double ratios[MAX_ROUNDS];

  for (guint i = 0; i < n; i++)
    ratios[i] = ours[i] / theirs[i];
  printf ("encode beside %-24s %-16s %6.2f s %6.2f s  ratio %.2f (%.2f-%.2f)\n", name, clock,
          bench_quantile (g_memdup2 (ours, n * sizeof *ours), n, 0.5),
          bench_quantile (g_memdup2 (theirs, n * sizeof *theirs), n, 0.5),
          bench_quantile (ratios, n, 0.5), bench_quantile (ratios, n, 0),
          bench_quantile (ratios, n, 1));
}

int
main (int argc, char **argv)
{
  static Times ours, torch, products[2];
  const guint rounds = argc > 3 ? CLAMP (atoi (argv[3]), 1, MAX_ROUNDS) : ROUNDS;
  g_autofree char *path = NULL;
  g_autofree float *input = NULL, *a = NULL, *b = NULL, *c = NULL;
  g_autoptr (EncoderDescription) description = NULL;
  g_autoptr (Engine) engine = NULL, torch_engine = NULL;
  g_autoptr (EngineEncoder) encoder = NULL, torch_encoder = NULL;
  Sgemm sgemm[2];
  guint n_sgemm;
  struct rusage usage;
  GError *error = NULL;

  if (argc < 3)
    {
      fprintf (stderr, "usage: bench_encode CHECKPOINT SCAN [ROUNDS]\n");
      return 2;
    }
  engine_prepare_process ();
  g_setenv ("OMP_NUM_THREADS", G_STRINGIFY (THREADS), FALSE);
  path = share_find ("encoders/ct-clip.ini", &error);
  bench_stop_on (error);
  description = encoder_description_read (path, &error);
  bench_stop_on (error);

  engine = open_engine ("cpu");
  encoder = open_encoder (engine, argv[1], description);
  input = bench_encoder_input (argv[2], THREADS);
  bench_encoder (encoder, input);
  getrusage (RUSAGE_SELF, &usage);
  printf ("encode, peak memory of the process: %.2f GiB\n", (double) usage.ru_maxrss / (1 << 20));

  torch_engine = open_engine ("torch");
  torch_encoder = open_encoder (torch_engine, argv[1], description);
  n_sgemm = find_sgemm (sgemm);
  if (n_sgemm == 0)
    fprintf (stderr, "no sgemm to compare with: apt-get install libopenblas0-pthread libdnnl2\n");
  a = g_new0 (float, M *K);
  b = g_new0 (float, N *K);
  c = g_new0 (float, (gsize) M *N);
  for (guint i = 0; i < rounds; i++)
    {
      bench_products (sgemm, n_sgemm, a, b, c, products, i);
      add (&ours, i, bench_encoder (encoder, input));
      bench_products (sgemm, n_sgemm, a, b, c, products, i);
      add (&torch, i, bench_encoder (torch_encoder, input));
    }
  for (guint k = 0; k < 2; k++)
    {
      const char *clock = k == 0 ? "wall clock" : "processor time";

      for (guint i = 0; i < n_sgemm; i++)
        print_ratio (sgemm[i].name, clock, ours.s[k], products[i].s[k], rounds);
      print_ratio ("libtorch's form", clock, ours.s[k], torch.s[k], rounds);
    }
  return 0;
}

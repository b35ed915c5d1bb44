/*
 * The engine on the processor, without a library: engine.h's functions on ctvit_cpu.h.
 */
#include "model/engine_private.h"

#include "base/error.h"
#include "model/ctvit_cpu.h"
#include "model/processor.h"

#include <math.h>
#include <string.h>

struct _Engine
{
  EngineForm form;
  guint threads;
};

struct _EngineEncoder
{
  EngineForm form;
  CtvitCpu *cpu;
  EngineEncoderInfo info;
};

/* ---- engine ---- */

static Engine *
cpu_open (const char *device, guint threads, GError **error)
{
  Engine *engine;

  if (strcmp (device, "cpu") != 0 && strcmp (device, "auto") != 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s: not a device; choose auto, cpu or cuda:N", device);
      return NULL;
    }
  engine = g_new0 (Engine, 1);
  engine->form.module = &engine_cpu;
  engine->threads = threads > 0 ? threads : g_get_num_processors ();
  return engine;
}

static void
cpu_close (Engine *engine)
{
  g_free (engine);
}

static void
cpu_info (Engine *engine, EngineInfo *info)
{
  g_autofree char *name = processor_name ();

  g_snprintf (info->form, sizeof info->form, "own loops, %s", cpu_kernels (0)->name);
  g_strlcpy (info->device, "cpu", sizeof info->device);
  g_strlcpy (info->device_name, name, sizeof info->device_name);
  info->threads = engine->threads;
}

/* The feed-forward's larger product at full size. */
enum
{
  TOKENS = 13824,
  WIDTH = 512,
  HIDDEN = 2730,
};

typedef struct
{
  const CpuKernels *kernels;
  Tensor weights;
  float *panel; /* stands for all tokens */
  float **out;  /* of each thread */
} Product;

static void
multiply (gsize item, guint thread, gpointer data)
{
  const Product *product = data;

  const CtvitOperand x = { .n = 4, .panels = product->panel };

  ctvit_cpu_project (product->kernels, &product->weights, &x, product->out[thread], 0);
}

/** The weights, a panel, and room for what each thread makes of them. */
static gboolean
product_init (Product *product, guint threads, GError **error)
{
  const CpuKernels *k = product->kernels;
  const gsize out = ctvit_cpu_rows (k, HIDDEN) * k->lanes;
  g_autofree float *weights = g_new0 (float, HIDDEN *WIDTH);

  product->out = g_new0 (float *, threads);
  product->weights = (Tensor){ .rows = HIDDEN, .columns = WIDTH };
  product->weights.tiles = ctvit_cpu_tile (k, weights, HIDDEN, WIDTH, error);
  if (product->weights.tiles == NULL
      || (product->panel = ctvit_cpu_floats (WIDTH * k->lanes, error)) == NULL)
    return FALSE;
  memset (product->panel, 0, WIDTH * k->lanes * sizeof (float));
  for (guint i = 0; i < threads; i++)
    if ((product->out[i] = ctvit_cpu_floats (out, error)) == NULL)
      return FALSE;
  return TRUE;
}

static void
product_clear (Product *product, guint threads)
{
  for (guint i = 0; i < threads; i++)
    g_free (product->out[i]);
  g_free (product->out);
  g_free (product->panel);
  g_free (product->weights.tiles);
}

static double
cpu_gflops (Engine *engine, GError **error)
{
  enum
  {
    TRIES = 5
  };
  g_autoptr (Team) team = team_new (engine->threads);
  Product product = { .kernels = cpu_kernels (0) };
  const gsize items = TOKENS / (4 * product.kernels->lanes);
  double quickest_s = NAN;

  if (product_init (&product, engine->threads, error))
    for (guint i = 0; i < TRIES; i++)
      {
        const gint64 start_us = g_get_monotonic_time ();

        team_run (team, items, multiply, &product, NULL);
        quickest_s =
            fmin (quickest_s, (double) (g_get_monotonic_time () - start_us) / G_USEC_PER_SEC);
      }
  product_clear (&product, engine->threads);
  return 2.0 * TOKENS * WIDTH * HIDDEN / quickest_s / 1e9;
}

/* ---- encoder ---- */

static void
cpu_encoder_close (EngineEncoder *encoder)
{
  g_clear_pointer (&encoder->cpu, ctvit_cpu_free);
  g_free (encoder);
}

static EngineEncoder *
cpu_encoder_open (Engine *engine, const char *checkpoint_path,
                  const EncoderDescription *description, GError **error)
{
  CtvitCpu *cpu;
  EngineEncoder *encoder;

  if (description->precision == ENCODER_BF16)
    {
      g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                           "precision bf16: the processor's own loops do not have it; choose "
                           "--device cuda:N, or torch, which has it without a GPU, no quicker than "
                           "float32; or encode with --precision int16");
      return NULL;
    }
  cpu = ctvit_cpu_load (checkpoint_path, description, engine->threads, error);
  if (cpu == NULL)
    return NULL;
  encoder = g_new0 (EngineEncoder, 1);
  encoder->form.module = &engine_cpu;
  encoder->cpu = cpu;
  ctvit_info (cpu->net, &encoder->info);
  return encoder;
}

static const EngineEncoderInfo *
cpu_encoder_info (EngineEncoder *encoder)
{
  return &encoder->info;
}

static gboolean
cpu_encode (EngineEncoder *encoder, const float *input, gsize n, float *latents, EngineProbe probe,
            gpointer user_data, GCancellable *cancellable, GError **error)
{
  const EngineEncoderInfo *info = &encoder->info;
  const gsize volume_size = (gsize) info->frames * info->height * info->width;

  for (gsize i = 0; i < n; i++)
    if (!ctvit_cpu_latent (encoder->cpu, input + i * volume_size, latents + i * info->latent_width,
                           probe, user_data, cancellable))
      return !g_cancellable_set_error_if_cancelled (cancellable, error);
  return TRUE;
}

/** σ(W relu(latent) + b) */
static gboolean
cpu_classify (EngineEncoder *encoder, const float *latents, gsize n, double *probabilities,
              GError **error)
{
  const Ctvit *net = encoder->cpu->net;

  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; c < net->classes; c++)
      {
        const float *weight = net->classifier_weight->numbers + c * net->latent_width;
        double logit = net->classifier_bias->numbers[c];

        for (gsize d = 0; d < net->latent_width; d++)
          logit += (double) weight[d] * MAX (latents[i * net->latent_width + d], 0);
        probabilities[i * net->classes + c] = 1 / (1 + exp (-logit));
      }
  return TRUE;
}

/* ---- head ---- */

static gboolean
cpu_head_fit (Engine *engine, Head *head, const float *latents, const guint8 *labels, gsize n,
              const HeadFitOptions *options, HeadEpochFunc on_epoch, gpointer user_data,
              GCancellable *cancellable, GError **error)
{
  return head_fit (head, latents, labels, n, options, on_epoch, user_data, cancellable, error);
}

const EngineModule engine_cpu = {
  .open = cpu_open,
  .close = cpu_close,
  .info = cpu_info,
  .gflops = cpu_gflops,
  .encoder_open = cpu_encoder_open,
  .encoder_close = cpu_encoder_close,
  .encoder_info = cpu_encoder_info,
  .encode = cpu_encode,
  .classify = cpu_classify,
  .head_fit = cpu_head_fit,
};

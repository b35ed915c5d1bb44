/*
 * The engine on libtorch: devices and threads, an open encoder, and engine.h's functions on both.
 */
#include "model/engine_private.h"

#include "base/error.h"
#include "config.h"
#include "model/ctvit_torch.h"
#include "model/head_torch.h"
#include "model/torch_runtime.h"

#include <gmodule.h>
#include <math.h>

G_MODULE_EXPORT extern const EngineModule ctclip_engine_module;

struct _Engine
{
  EngineForm form;
  TensorDevice device;
  guint threads;
};

struct _EngineEncoder
{
  EngineForm form;
  Engine *engine;
  TensorScope *weights; /* owns the network's tensors */
  CtvitTorch *torch;
  EngineEncoderInfo info;
};

/* ---- engine ---- */

static Engine *
torch_open (const char *device_name, guint threads, GError **error)
{
  TensorDevice device;
  Engine *engine;

  if (!torch_runtime_device (device_name, &device, error))
    return NULL;
  engine = g_new0 (Engine, 1);
  engine->form.module = &ctclip_engine_module;
  engine->device = device;
  engine->threads = threads > 0 ? threads : g_get_num_processors ();
  torch_runtime_set_threads (engine->threads);
  if (!torch_runtime_warm_up (error))
    {
      g_free (engine);
      return NULL;
    }
  return engine;
}

static void
torch_close (Engine *engine)
{
  g_free (engine);
}

static void
torch_info (Engine *engine, EngineInfo *info)
{
  g_autofree char *name = torch_runtime_device_name (engine->device);
  g_autofree char *blas = torch_runtime_blas (&info->blas_slow);

  g_strlcpy (info->torch_version, torch_runtime_version (), sizeof info->torch_version);
  g_snprintf (info->form, sizeof info->form, "libtorch %s", torch_runtime_version ());
  if (engine->device == TENSOR_CPU)
    g_strlcpy (info->device, "cpu", sizeof info->device);
  else
    g_snprintf (info->device, sizeof info->device, "cuda:%d", engine->device);
  g_strlcpy (info->device_name, name, sizeof info->device_name);
  info->cuda_devices = torch_runtime_cuda_devices ();
  info->threads = engine->threads;
  g_strlcpy (info->blas, blas, sizeof info->blas);
  info->onednn = torch_runtime_onednn ();
#ifdef HAVE_CUDA
  info->cuda_kernels = TRUE;
#else
  info->cuda_kernels = FALSE;
#endif
}

static double
torch_gflops (Engine *engine, GError **error)
{
  enum
  {
    TOKENS = 13824, /* of a full-size volume */
    WIDTH = 512,
    HIDDEN = 2730,
    TRIES = 5,
  };
  TensorScope *s = tensor_scope_new (engine->device, NULL);
  Tensor *x, *weight;
  double quickest_s = INFINITY;

  torch_runtime_set_threads (engine->threads);
  x = t_zeros (s, TOKENS, WIDTH);
  weight = t_zeros (s, HIDDEN, WIDTH);
  for (guint i = 0; i < TRIES; i++)
    {
      TensorScope *step = tensor_scope_push (s);
      gint64 start_us = g_get_monotonic_time ();
      Tensor *y = t_linear (step, x, weight, NULL);
      float last;

      /* Reading a number waits for the device. */
      t_read_floats (step, t_select (step, t_select (step, y, 0, TOKENS - 1), 0, HIDDEN - 1), &last,
                     1);
      quickest_s = MIN (quickest_s, (double) (g_get_monotonic_time () - start_us) / G_USEC_PER_SEC);
      tensor_scope_pop (step, NULL);
    }
  if (!tensor_scope_end (s, error))
    return NAN;
  return 2.0 * TOKENS * WIDTH * HIDDEN / quickest_s / 1e9;
}

/* ---- encoder ---- */

static void
torch_encoder_close (EngineEncoder *encoder)
{
  g_clear_pointer (&encoder->torch, ctvit_torch_free);
  tensor_scope_end (encoder->weights, NULL);
  g_free (encoder);
}

static EngineEncoder *
torch_encoder_open (Engine *engine, const char *checkpoint_path,
                    const EncoderDescription *description, GError **error)
{
  EngineEncoder *encoder;

  if (description->precision == ENCODER_INT16)
    {
      g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                           "precision int16: only the processor's own loops have it; choose "
                           "--device cpu, or encode with --precision bf16");
      return NULL;
    }
  encoder = g_new0 (EngineEncoder, 1);
  torch_runtime_set_threads (engine->threads);
  encoder->form.module = &ctclip_engine_module;
  encoder->engine = engine;
  encoder->weights = tensor_scope_new (engine->device, NULL);
  encoder->torch = ctvit_torch_load (encoder->weights, checkpoint_path, description, error);
  if (encoder->torch == NULL)
    {
      torch_encoder_close (encoder);
      return NULL;
    }
  ctvit_info (encoder->torch->net, &encoder->info);
  return encoder;
}

static const EngineEncoderInfo *
torch_encoder_info (EngineEncoder *encoder)
{
  return &encoder->info;
}

static gboolean
torch_encode (EngineEncoder *encoder, const float *input, gsize n, float *latents,
              EngineProbe probe, gpointer user_data, GCancellable *cancellable, GError **error)
{
  const EngineEncoderInfo *info = &encoder->info;
  const gsize volume_size = (gsize) info->frames * info->height * info->width;

  torch_runtime_set_threads (encoder->engine->threads);
  for (gsize i = 0; i < n; i++)
    {
      TensorScope *s = tensor_scope_new (encoder->engine->device, cancellable);
      Tensor *volume =
          t_borrow_floats (s, input + i * volume_size, info->frames, info->height, info->width);
      Tensor *latent = ctvit_torch_latent (encoder->torch, s, volume, probe, user_data);

      t_read_floats (s, latent, latents + i * info->latent_width, info->latent_width);
      if (!tensor_scope_end (s, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
torch_classify (EngineEncoder *encoder, const float *latents, gsize n, double *probabilities,
                GError **error)
{
  const Ctvit *net = encoder->torch->net;
  const gsize n_logits = n * net->classes;
  g_autofree float *logits = g_new (float, MAX (1, n_logits));
  TensorScope *s;

  torch_runtime_set_threads (encoder->engine->threads);
  s = tensor_scope_new (encoder->engine->device, NULL);
  t_read_floats (
      s, ctvit_torch_logits (encoder->torch, s, t_from_floats (s, latents, n, net->latent_width)),
      logits, n_logits);
  if (!tensor_scope_end (s, error))
    return FALSE;
  for (gsize i = 0; i < n_logits; i++)
    probabilities[i] = 1 / (1 + exp (-(double) logits[i]));
  return TRUE;
}

/* ---- head ---- */

static gboolean
torch_head_fit (Engine *engine, Head *head, const float *latents, const guint8 *labels, gsize n,
                const HeadFitOptions *options, HeadEpochFunc on_epoch, gpointer user_data,
                GCancellable *cancellable, GError **error)
{
  torch_runtime_set_threads (engine->threads);
  return head_torch_fit (engine->device, head, latents, labels, n, options, on_epoch, user_data,
                         cancellable, error);
}

const EngineModule ctclip_engine_module = {
  .version = PACKAGE_VERSION,
  .size = sizeof (EngineModule),
  .open = torch_open,
  .close = torch_close,
  .info = torch_info,
  .gflops = torch_gflops,
  .encoder_open = torch_encoder_open,
  .encoder_close = torch_encoder_close,
  .encoder_info = torch_encoder_info,
  .encode = torch_encode,
  .classify = torch_classify,
  .head_fit = torch_head_fit,
};

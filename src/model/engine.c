/*
 * The program's side of the engine: finds the module, opens it once, and hands every call on to it.
 */
#include "model/engine_private.h"

#include "base/error.h"
#include "base/share.h"
#include "config.h"

#include <gmodule.h>

/** Guards `module`, which once set stays: libtorch cannot be unloaded. */
static GMutex lock;
static const EngineModule *module;

static const EngineModule *
open_module (GError **error)
{
  g_autofree char *path = share_module_path (error);
  GModule *library;
  gpointer symbol = NULL;
  const EngineModule *table;

  if (path == NULL)
    return NULL;
  library = g_module_open (path, G_MODULE_BIND_LOCAL);
  if (library == NULL || !g_module_symbol (library, ENGINE_MODULE_SYMBOL, &symbol)
      || symbol == NULL)
    {
      g_set_error (
          error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
          "%s: the engine does not load: %s; install libtorch (apt-get install libtorch-dev) or "
          "build against the one you have (--with-libtorch=DIR)",
          path, g_module_error ());
      return NULL;
    }
  g_module_make_resident (library);
  table = symbol;
  if (g_strcmp0 (table->version, PACKAGE_VERSION) != 0 || table->size != sizeof *table)
    {
      g_set_error (
          error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
          "%s: the engine is of version %s, the program of %s; build and install them together",
          path, table->version, PACKAGE_VERSION);
      return NULL;
    }
  return table;
}

void
engine_prepare_process (void)
{
  g_setenv ("OMP_WAIT_POLICY", "passive", FALSE);
}

Engine *
engine_open (const char *device, guint threads, GError **error)
{
  g_mutex_lock (&lock);
  if (module == NULL)
    module = open_module (error);
  g_mutex_unlock (&lock);
  return module != NULL ? module->open (device, threads, error) : NULL;
}

/* Whoever holds an Engine has opened the module. */

void
engine_close (Engine *engine)
{
  if (engine != NULL)
    module->close (engine);
}

void
engine_info (Engine *engine, EngineInfo *info)
{
  module->info (engine, info);
}

double
engine_gflops (Engine *engine, GError **error)
{
  return module->gflops (engine, error);
}

EngineEncoder *
engine_encoder_open (Engine *engine, const char *checkpoint_path,
                     const EncoderDescription *description, GError **error)
{
  return module->encoder_open (engine, checkpoint_path, description, error);
}

void
engine_encoder_close (EngineEncoder *encoder)
{
  if (encoder != NULL)
    module->encoder_close (encoder);
}

const EngineEncoderInfo *
engine_encoder_info (EngineEncoder *encoder)
{
  return module->encoder_info (encoder);
}

gboolean
engine_encode (EngineEncoder *encoder, const float *input, gsize n, float *latents,
               EngineProbe probe, gpointer user_data, GCancellable *cancellable, GError **error)
{
  return module->encode (encoder, input, n, latents, probe, user_data, cancellable, error);
}

gboolean
engine_classify (EngineEncoder *encoder, const float *latents, gsize n, double *probabilities,
                 GError **error)
{
  return module->classify (encoder, latents, n, probabilities, error);
}

gboolean
engine_head_fit (Engine *engine, Head *head, const float *latents, const guint8 *labels, gsize n,
                 const HeadFitOptions *options, HeadEpochFunc on_epoch, gpointer user_data,
                 GCancellable *cancellable, GError **error)
{
  return module->head_fit (engine, head, latents, labels, n, options, on_epoch, user_data,
                           cancellable, error);
}

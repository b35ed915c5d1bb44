/*
 * The program's side of the engine: chooses the form, loads libtorch's once where that is it, and
 * hands every call on.
 */
#include "model/engine_private.h"

#include "base/error.h"
#include "base/share.h"
#include "config.h"

#include <gmodule.h>
#include <string.h>
#include <sys/mman.h>

/** Guards `torch`, which once set stays: libtorch cannot be unloaded. */
static GMutex lock;
static const EngineModule *torch;

/* Measured: what libtorch and OpenBLAS map before the first number is there, and what of it is
 * data. */
#define ROOM_BYTES ((gsize) 900 << 20)
#define DATA_BYTES ((gsize) 320 << 20)

static gboolean
has_room (gsize bytes, int protection)
{
  gpointer room =
      mmap (NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (room == MAP_FAILED)
    return FALSE;
  munmap (room, bytes);
  return TRUE;
}

/** OpenBLAS tries for ever to get memory that a limit refuses, so the limits are asked beforehand.
 */
static gboolean
check_room (GError **error)
{
  gboolean address_space = has_room (ROOM_BYTES, PROT_NONE);

  if (address_space && has_room (DATA_BYTES, PROT_READ | PROT_WRITE))
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
               "the engine needs %.0f MB of %s, which were refused; raise the limit (%s)",
               (address_space ? DATA_BYTES : ROOM_BYTES) / 1e6,
               address_space ? "memory" : "address space",
               address_space ? "--max-memory, ulimit -d" : "ulimit -v");
  return FALSE;
}

static const EngineModule *
open_module (GError **error)
{
  g_autofree char *path = share_module_path (error);
  GModule *library;
  gpointer symbol = NULL;
  const EngineModule *table;

  if (path == NULL || !check_room (error))
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
  g_unsetenv ("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE");
}

static Engine *
open_torch (const char *device, guint threads, GError **error)
{
  const EngineModule *module;

  g_mutex_lock (&lock);
  if (torch == NULL)
    torch = open_module (error);
  module = torch;
  g_mutex_unlock (&lock);
  return module != NULL ? module->open (device, threads, error) : NULL;
}

/** Whether an NVIDIA driver is there; without one libtorch need not be asked. */
static gboolean
has_driver (void)
{
  return g_file_test ("/dev/nvidiactl", G_FILE_TEST_EXISTS)
         || g_file_test ("/dev/dxg", G_FILE_TEST_EXISTS); /* Windows Subsystem for Linux */
}

/** The first CUDA device; %NULL where there is none, or no libtorch that could use it. */
static Engine *
open_first_cuda (guint threads)
{
  return has_driver () ? open_torch ("cuda:0", threads, NULL) : NULL;
}

Engine *
engine_open (const char *device, guint threads, GError **error)
{
  Engine *engine = NULL;

  if (strcmp (device, "torch") == 0)
    return open_torch ("cpu", threads, error);
  if (g_str_has_prefix (device, "cuda"))
    return open_torch (device, threads, error);
  if (strcmp (device, "auto") == 0)
    engine = open_first_cuda (threads);
  return engine != NULL ? engine : engine_cpu.open (device, threads, error);
}

/* ---- every call goes to the form that made its first argument ---- */

static const EngineModule *
module_of (gconstpointer engine_or_encoder)
{
  return ((const EngineForm *) engine_or_encoder)->module;
}

void
engine_close (Engine *engine)
{
  if (engine != NULL)
    module_of (engine)->close (engine);
}

void
engine_info (Engine *engine, EngineInfo *info)
{
  *info = (EngineInfo){ .cuda_devices = 0 };
  module_of (engine)->info (engine, info);
}

double
engine_gflops (Engine *engine, GError **error)
{
  return module_of (engine)->gflops (engine, error);
}

EngineEncoder *
engine_encoder_open (Engine *engine, const char *checkpoint_path,
                     const EncoderDescription *description, GError **error)
{
  return module_of (engine)->encoder_open (engine, checkpoint_path, description, error);
}

void
engine_encoder_close (EngineEncoder *encoder)
{
  if (encoder != NULL)
    module_of (encoder)->encoder_close (encoder);
}

const EngineEncoderInfo *
engine_encoder_info (EngineEncoder *encoder)
{
  return module_of (encoder)->encoder_info (encoder);
}

gboolean
engine_encode (EngineEncoder *encoder, const float *input, gsize n, float *latents,
               EngineProbe probe, gpointer user_data, GCancellable *cancellable, GError **error)
{
  return module_of (encoder)->encode (encoder, input, n, latents, probe, user_data, cancellable,
                                      error);
}

gboolean
engine_classify (EngineEncoder *encoder, const float *latents, gsize n, double *probabilities,
                 GError **error)
{
  if (engine_encoder_info (encoder)->classes == 0)
    {
      g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                           "the checkpoint has no head of its own (classifier.weight); train one");
      return FALSE;
    }
  return module_of (encoder)->classify (encoder, latents, n, probabilities, error);
}

gboolean
engine_head_fit (Engine *engine, Head *head, const float *latents, const guint8 *labels, gsize n,
                 const HeadFitOptions *options, HeadEpochFunc on_epoch, gpointer user_data,
                 GCancellable *cancellable, GError **error)
{
  return module_of (engine)->head_fit (engine, head, latents, labels, n, options, on_epoch,
                                       user_data, cancellable, error);
}

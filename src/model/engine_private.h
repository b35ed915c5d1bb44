/**
 * engine_private.h: what a form of the engine gives to the program: one table of functions,
 * engine.h's.
 */
#pragma once

#include "model/engine.h"

#define ENGINE_MODULE_SYMBOL "ctclip_engine_module"

typedef struct
{
  const char *version; /* of the sources both were built from */
  gsize size;          /* of this table */

  Engine *(*open) (const char *device, guint threads, GError **error);
  void (*close) (Engine *engine);
  void (*info) (Engine *engine, EngineInfo *info);
  double (*gflops) (Engine *engine, GError **error);
  EngineEncoder *(*encoder_open) (Engine *engine, const char *checkpoint_path,
                                  const EncoderDescription *description, GError **error);
  void (*encoder_close) (EngineEncoder *encoder);
  const EngineEncoderInfo *(*encoder_info) (EngineEncoder *encoder);
  gboolean (*encode) (EngineEncoder *encoder, const float *input, gsize n, float *latents,
                      EngineProbe probe, gpointer user_data, GCancellable *cancellable,
                      GError **error);
  gboolean (*classify) (EngineEncoder *encoder, const float *latents, gsize n,
                        double *probabilities, GError **error);
  gboolean (*head_fit) (Engine *engine, Head *head, const float *latents, const guint8 *labels,
                        gsize n, const HeadFitOptions *options, HeadEpochFunc on_epoch,
                        gpointer user_data, GCancellable *cancellable, GError **error);
} EngineModule;

/** What every form's Engine and EngineEncoder begin with: the table that they belong to. */
typedef struct
{
  const EngineModule *module;
} EngineForm;

/** engine_cpu: the form that computes on the processor and needs no library. */
extern const EngineModule engine_cpu;

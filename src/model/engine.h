/**
 * engine.h: the coarse interface to the network: open an encoder, encode; fit a head on another
 * device.
 *
 * It has two forms. One computes on the processor and is part of the program. The other is
 * libtorch's, for GPUs: it lives in a loadable module that engine_open() brings in when a device
 * asks for it; nothing else in the program touches libtorch, and who needs no GPU never pays for
 * it.
 */
#pragma once

#include "model/description.h"
#include "model/head.h"
#include <gio/gio.h>

/**
 * engine_prepare_process: call once, before any thread is started.
 *
 * libtorch's OpenMP threads would spin while they wait, which on a machine shared with others makes
 * small networks many times slower; they are asked to sleep, unless the user's environment says
 * otherwise. NVIDIA's containers tell libtorch through the environment to multiply float32 as
 * TensorFloat-32, whatever the program asks for; that is taken back.
 */
void engine_prepare_process (void);

typedef struct _Engine Engine;
typedef struct _EngineEncoder EngineEncoder;

/**
 * engine_open: choose a device, and load the module where it is needed.
 *
 * @device:  "auto" (the first CUDA device, else the processor), "cpu", "cuda:N", or "torch":
 *           libtorch on the processor, to compare with
 * @threads: for work on the processor; 0: all cores that this process may use
 *
 * An absent module or libtorch is CTCLIP_ERROR_NOT_FOUND with what to install; "auto" then takes
 * the processor.
 */
Engine *engine_open (const char *device, guint threads, GError **error);
void engine_close (Engine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Engine, engine_close)

typedef struct
{
  char form[64];          /* what computes: "own loops, avx2", "libtorch 1.13.1" */
  char torch_version[32]; /* "" where libtorch does not compute */
  char device[32];        /* "cpu", "cuda:0" */
  char device_name[128];  /* "NVIDIA H100 80GB HBM3", or the processor's model */
  guint cuda_devices;
  guint threads;
  gboolean onednn;    /* libtorch's large products go through oneDNN, not through BLAS */
  char blas[128];     /* library that its other products end in, as loaded; "" without libtorch */
  gboolean blas_slow; /* it is the reference BLAS: minutes where others take seconds */
  gboolean cuda_kernels; /* our kernels are compiled in */
} EngineInfo;

void engine_info (Engine *engine, EngineInfo *info);

/** engine_gflops: measured rate of a 13824×512×2730 float32 product on the device. */
double engine_gflops (Engine *engine, GError **error);

typedef struct
{
  guint dim, heads, dim_head, spatial_layers, temporal_layers, codebook_size;
  guint frames, height, width;        /* of the input tensor */
  guint tokens_t, tokens_h, tokens_w; /* frames / temporal_patch_size and so on */
  guint latent_width;
  gboolean has_classifier; /* CT-LiPro's own head is in the checkpoint */
  guint classes;           /* of that head; 0 without one */
  char weights_hash[33];   /* XXH3 of the sizes, of a precision other than float32, and of the
                              tensors that the image path reads, as float32 */
} EngineEncoderInfo;

/**
 * engine_encoder_open: read the image path's tensors from a checkpoint onto the engine's device.
 *
 * Sizes come from the tensors' shapes and must agree with @description; missing or misshapen keys
 * are one error that lists them. The engine must outlive the encoder.
 */
EngineEncoder *engine_encoder_open (Engine *engine, const char *checkpoint_path,
                                    const EncoderDescription *description, GError **error);
void engine_encoder_close (EngineEncoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EngineEncoder, engine_encoder_close)

const EngineEncoderInfo *engine_encoder_info (EngineEncoder *encoder);

/**
 * EngineProbe: called with every intermediate of the network, by the reference's name
 * ("patch_tokens", "spatial_0_attn", "vq_in", ...), for one volume after the other and without a
 * dimension for the batch. float32 but for "vq_indices" (int64). For tests and --dump.
 */
typedef void (*EngineProbe) (const char *name, guint n_dims, const gint64 *shape, const void *data,
                             gpointer user_data);

/**
 * engine_encode: latents of prepared volumes.
 *
 * @input:  n × 1 × frames × height × width floats
 * @latents: (out) n × latent_width floats of norm 1
 * @probe:  (nullable)
 *
 * Not for two threads on one encoder at once.
 */
gboolean engine_encode (EngineEncoder *encoder, const float *input, gsize n, float *latents,
                        EngineProbe probe, gpointer user_data, GCancellable *cancellable,
                        GError **error);

/** engine_classify: probabilities (n × classes) of CT-LiPro's own head on latents; error where the
 * checkpoint has none. */
gboolean engine_classify (EngineEncoder *encoder, const float *latents, gsize n,
                          double *probabilities, GError **error);

/** engine_head_fit: head_fit on the engine's device; same arguments, same formula, same order of
 * samples. */
gboolean engine_head_fit (Engine *engine, Head *head, const float *latents, const guint8 *labels,
                          gsize n, const HeadFitOptions *options, HeadEpochFunc on_epoch,
                          gpointer user_data, GCancellable *cancellable, GError **error);

/**
 * ctvit.h: CT-CLIP's image encoder: patches, two transformers, a codebook, a projection.
 *
 * Its sizes and its weights, and how they are read from a checkpoint. The network is that of
 * Hamamci et al. 2024 (CT-CLIP, arXiv 2403.17834) whose encoder is CT-ViT (GenerateCT, arXiv
 * 2305.16037), with the properties of the published code that the published weights were trained
 * with. The pass from a volume to its latent is written twice: for libtorch (ctvit_torch.c) and for
 * the processor alone (ctvit_cpu.c).
 */
#pragma once

#include "model/description.h"
#include "model/engine.h"

/** A tensor; what it is, is the affair of whoever placed it. */
typedef struct _Tensor Tensor;

typedef struct
{
  Tensor *gamma, *beta;
} CtvitNorm;

/** Position encoding generator: a depthwise 3×3×3 convolution over (t, h, w); in time, over the
 * frame two back, the one before and this one. */
typedef struct
{
  Tensor *kernel; /* dim × 1 × 3 × 3 × 3 */
  Tensor *bias;
} CtvitPeg;

typedef struct
{
  CtvitNorm norm;
  Tensor *to_q, *to_kv, *to_out;
  Tensor *q_scale, *k_scale; /* dim_head */
} CtvitAttention;

typedef struct
{
  CtvitNorm norm;
  Tensor *in;  /* 2·inner × dim: the values, then their gates */
  Tensor *out; /* dim × inner */
} CtvitFeedForward;

typedef struct
{
  CtvitPeg peg;
  CtvitAttention attention;
  CtvitFeedForward feed_forward;
} CtvitLayer;

typedef struct
{
  guint n_layers;
  CtvitLayer *layers;
  CtvitNorm norm_out;
} CtvitTransformer;

/**
 * The bias of each head's scores between tokens i and j of a time step: an MLP (Linear, LeakyReLU,
 * Linear, LeakyReLU, Linear) of sign(Δ)·log(|Δ| + 1), Δ = i − j in height and in width. It does not
 * depend on the volume: it is computed once, for each distinct Δ.
 */
typedef struct
{
  Tensor *weight[3], *bias[3];
} CtvitPositionBias;

#define CTVIT_LEAKY_SLOPE 0.1

/* q·k of unit vectors lies in [−1, 1]; this makes softmax decide. */
#define CTVIT_ATTENTION_SCALE 8

/** An encoder; its tensors belong to whoever placed them. */
typedef struct
{
  guint dim, heads, dim_head, inner, codebook_size, latent_width;
  guint patch_frames, patch_height, patch_width; /* of the input, per token */
  guint tokens_t, tokens_h, tokens_w;

  CtvitNorm patch_norm;
  Tensor *patch_weight, *patch_bias;
  CtvitNorm token_norm;
  CtvitPositionBias position; /* of the spatial transformer */
  CtvitTransformer spatial, temporal;
  Tensor *codes;     /* 1 × codebook_size × dim */
  Tensor *to_latent; /* latent_width × (h · w · dim) */

  guint classes; /* of CT-LiPro's own head; 0 where the checkpoint has none */
  Tensor *classifier_weight, *classifier_bias;

  char hash[33]; /* XXH3 of the sizes, of a precision other than float32, and of the tensors above
                    the classifier, as float32 */
} Ctvit;

/** CtvitPlace: make a tensor of @numbers (C order), which are to be freed with g_free(). A failure
 * is kept for later. */
typedef Tensor *(*CtvitPlace) (float *numbers, guint n_dims, const gint64 *shape,
                               gpointer user_data);

/**
 * ctvit_load: read the image path from a checkpoint, one tensor after the other.
 *
 * Sizes come from the tensors' shapes and must agree with @description. All missing and misshapen
 * tensors are named in one error, before anything is placed.
 */
Ctvit *ctvit_load (const char *checkpoint_path, const EncoderDescription *description,
                   CtvitPlace place, gpointer user_data, GError **error);
void ctvit_free (Ctvit *net);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ctvit, ctvit_free)

/** ctvit_info: what the encoder says of itself. */
void ctvit_info (const Ctvit *net, EngineEncoderInfo *info);

/** ctvit_position_offsets: what the position bias is computed of: (2h − 1)(2w − 1) × 2 numbers. */
void ctvit_position_offsets (const Ctvit *net, float *offsets);

/** ctvit_position_offset: the row of these that is i − j. */
gsize ctvit_position_offset (const Ctvit *net, gsize i, gsize j);

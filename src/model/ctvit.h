/**
 * ctvit.h: CT-CLIP's image encoder: patches, two transformers, a codebook, a projection.
 *
 * Its sizes, its weights and the pass from a volume to its latent, on tensor.h. The network is that
 * of Hamamci et al. 2024 (CT-CLIP, arXiv 2403.17834) whose encoder is CT-ViT (GenerateCT, arXiv
 * 2305.16037), with the properties of the published code that the published weights were trained
 * with.
 */
#pragma once

#include "model/description.h"
#include "model/engine.h"
#include "model/tensor.h"

typedef struct
{
  Tensor *gamma, *beta;
} CtvitNorm;

/** Position encoding generator: a depthwise 3×3×3 convolution over (t, h, w), split by time. */
typedef struct
{
  Tensor *kernel[3]; /* dim × 1 × 3 × 3, for the frame two back, one back and this one */
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
  Tensor *position_bias; /* (nullable) heads × n × n */
} CtvitTransformer;

/** An encoder; its tensors belong to the scope it was loaded in. */
typedef struct
{
  guint dim, heads, dim_head, inner, codebook_size, latent_width;
  guint patch_frames, patch_height, patch_width; /* of the input, per token */
  guint tokens_t, tokens_h, tokens_w;

  CtvitNorm patch_norm;
  Tensor *patch_weight, *patch_bias;
  CtvitNorm token_norm;
  CtvitTransformer spatial, temporal;
  Tensor *codes, *unit_codes; /* codebook_size × dim, as stored and of norm 1 */
  Tensor *to_latent;          /* latent_width × (h · w · dim) */

  guint classes; /* of CT-LiPro's own head; 0 where the checkpoint has none */
  Tensor *classifier_weight, *classifier_bias;

  char hash[33]; /* XXH3 of the sizes and of the tensors above the classifier, as float32 */
} Ctvit;

/**
 * ctvit_load: read the image path from a checkpoint into @scope.
 *
 * Sizes come from the tensors' shapes and must agree with @description. All missing and misshapen
 * tensors are named in one error, before anything large is read.
 */
Ctvit *ctvit_load (TensorScope *scope, const char *checkpoint_path,
                   const EncoderDescription *description, GError **error);
void ctvit_free (Ctvit *net);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ctvit, ctvit_free)

/**
 * ctvit_latent: the latent of one volume.
 *
 * @volume: frames × height × width
 * @probe: (nullable) is shown every intermediate
 * Returns: latent_width numbers of norm 1
 */
Tensor *ctvit_latent (const Ctvit *net, TensorScope *scope, const Tensor *volume, EngineProbe probe,
                      gpointer user_data);

/** ctvit_logits: CT-LiPro's own head. @latents: n × latent_width. Returns: n × classes */
Tensor *ctvit_logits (const Ctvit *net, TensorScope *scope, const Tensor *latents);

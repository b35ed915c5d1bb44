/**
 * ctvit_torch.h: the image encoder on tensor.h: for GPUs, and the check of the other form.
 */
#pragma once

#include "model/ctvit.h"
#include "model/engine.h"
#include "model/tensor.h"

/** An encoder; its tensors belong to the scope it was loaded in. */
typedef struct
{
  Ctvit *net;
  Tensor *position_bias;      /* heads × n × n */
  Tensor *codes, *unit_codes; /* codebook_size × dim, as stored and of norm 1 */
} CtvitTorch;

CtvitTorch *ctvit_torch_load (TensorScope *scope, const char *checkpoint_path,
                              const EncoderDescription *description, GError **error);
void ctvit_torch_free (CtvitTorch *torch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CtvitTorch, ctvit_torch_free)

/**
 * ctvit_torch_latent: the latent of one volume.
 *
 * @volume: frames × height × width
 * @probe: (nullable) is shown every intermediate
 * Returns: latent_width numbers of norm 1
 */
Tensor *ctvit_torch_latent (const CtvitTorch *torch, TensorScope *scope, const Tensor *volume,
                            EngineProbe probe, gpointer user_data);

/** ctvit_torch_logits: CT-LiPro's own head. @latents: n × latent_width. Returns: n × classes */
Tensor *ctvit_torch_logits (const CtvitTorch *torch, TensorScope *scope, const Tensor *latents);

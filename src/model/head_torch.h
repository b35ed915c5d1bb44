/**
 * head_torch.h: head_fit() of head.h on libtorch, for devices other than the processor's plain C.
 */
#pragma once

#include "model/head.h"
#include "model/tensor.h"

/** head_torch_fit: engine_head_fit() on @device. */
gboolean head_torch_fit (TensorDevice device, Head *head, const float *latents,
                         const guint8 *labels, gsize n, const HeadFitOptions *options,
                         HeadEpochFunc on_epoch, gpointer user_data, GCancellable *cancellable,
                         GError **error);

/**
 * weight_names.h: finding a wanted key whatever prefix a checkpoint gives its keys.
 */
#pragma once

#include "model/checkpoint.h"

/**
 * weight_names_find: a key such as "visual_transformer.to_patch_emb.1.weight", by itself or behind
 * "trained_model." (CT-LiPro), "module." (data parallel) or both; %NULL if absent.
 */
const CheckpointTensor *weight_names_find (const Checkpoint *checkpoint, const char *name);

/** weight_names_strip: @name without such a prefix; points into it. */
const char *weight_names_strip (const char *name);

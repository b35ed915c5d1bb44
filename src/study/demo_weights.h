/**
 * demo_weights.h: the weights of the demo's encoder; see demo_encoder.h.
 */
#pragma once

#include "base/random.h"
#include "model/checkpoint.h"

/* Sizes of the network; image height and width are equal. */
#define DEMO_FRAMES 44
#define DEMO_IMAGE 72
#define DEMO_PATCH 4 /* along all three axes */
#define DEMO_TOKENS_T (DEMO_FRAMES / DEMO_PATCH)
#define DEMO_TOKENS_HW (DEMO_IMAGE / DEMO_PATCH)
#define DEMO_DIM 36
#define DEMO_HEADS 2
#define DEMO_CODES 1024

/** HU are divided by this. */
#define DEMO_HU_SCALE 100000

/** A checkpoint in the making. */
typedef struct _DemoWeights DemoWeights;

/** demo_weights_new: everything but the codebook, which is random for now. */
DemoWeights *demo_weights_new (guint64 seed);
void demo_weights_free (DemoWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DemoWeights, demo_weights_free)

/** demo_weights_codebook: DEMO_CODES × DEMO_DIM numbers to fill in; owned by @weights. */
float *demo_weights_codebook (DemoWeights *weights);

gboolean demo_weights_write (const DemoWeights *weights, const char *path, GError **error);

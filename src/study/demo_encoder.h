/**
 * demo_encoder.h: a small CTViT for the demo, in the real checkpoint's format, made without a
 * label.
 *
 * A CTViT whose weights are written down instead of trained. What its parts do:
 *
 * - Patches of 4 × 4 × 4 voxels. HU are divided by 100,000, so that the epsilon of the first
 * LayerNorm (1e-5) is a contrast of 316 HU: smaller contrasts stay in proportion, larger ones are
 * compressed. (Of a patch that is divided by 1,000 only its pattern would be left, and noise would
 * look like a vessel.)
 * - The patch projection is the discrete cosine transform: one channel for each of the lowest
 * frequencies, and a pair of constant channels (+ and -) so that the second LayerNorm keeps
 * amplitudes too.
 * - The feed-forward of the spatial layer rectifies: gelu(x) + gelu(-x) is about |x|. What goes on
 * is the mean |x| in groups of frequencies that differ in direction and scale, each with its
 * negative so that LayerNorm's mean is 0. Texture, edges and bright specks become numbers that do
 * not depend on where exactly in the patch they lie.
 * - Attention, position encoding and the temporal layer have small random weights: they take part
 * and change little.
 * - The codebook is fitted by spherical k-means to tokens of a few phantoms that no cohort
 * contains.
 * - The projection to the latent is the cosine transform again, over the image plane: where in the
 * chest each group is strong, at the lowest spatial frequencies.
 *
 * Whoever wants the same encoder for the same seed runs it again: nothing but the seed decides (on
 * one machine, to the last bit).
 */
#pragma once

#include "model/engine.h"
#include "study/demo_cohort.h"

#define DEMO_ENCODER_CHECKPOINT "demo-ctvit.pt"
#define DEMO_ENCODER_DESCRIPTION "demo-ctvit.ini"

/**
 * demo_encoder_write: make the encoder and write its checkpoint and description into @directory.
 *
 * @engine: computes the tokens that the codebook is fitted to
 * @threads: to read phantoms with
 * @progress: (nullable) counts the phantoms
 */
gboolean demo_encoder_write (const char *directory, Engine *engine, guint64 seed, guint threads,
                             DemoProgress progress, gpointer user_data, GCancellable *cancellable,
                             GError **error);

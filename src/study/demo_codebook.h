/**
 * demo_codebook.h: a codebook for tokens, by spherical k-means.
 */
#pragma once

#include "base/random.h"
#include <gio/gio.h>

/**
 * demo_codebook_fit: directions that stand for the directions of many tokens.
 *
 * The start is farthest-first (Gonzalez 1985, "Clustering to minimize the maximum intercluster
 * distance"), so that rare kinds of tokens get codes too; then @rounds of spherical k-means
 * (Dhillon & Modha 2001, "Concept decompositions for large sparse text data").
 *
 * @tokens: (inout) n × dim; normalised in place
 * @codes:  (out) n_codes × dim of norm 1; n_codes <= n
 */
gboolean demo_codebook_fit (float *tokens, gsize n, guint dim, guint n_codes, guint rounds,
                            Random *random, float *codes, GCancellable *cancellable,
                            GError **error);

/**
 * ctvit_cpu_pass.h: what the files of the pass from a volume to its latent share.
 *
 * Each step is one loop over parts of the tokens, shared by the threads; within a part tokens lie
 * in panels (cpu_kernels.h), between the steps in rows of `dim` numbers. What a part needs stays in
 * the cache from its first product to its last.
 */
#pragma once

#include "model/ctvit_cpu.h"

/* Tokens that pass through a layer's products together. */
#define BLOCK_TOKENS 96

/* Short sequences are attended to in groups of about this many tokens. */
#define GROUP_TOKENS 96

/* Values and gates of the feed-forward that are made at once; they are multiplied while in the
 * cache. */
#define GATE_ROWS 96

/** What one thread computes in. */
struct _CtvitScratch
{
  float *patches;         /* of a panel, one behind the other */
  float *x, *normed;      /* a block of panels: patches or tokens, and their norm */
  float *wide;            /* queries of all panels of a group, or a block's hidden layer */
  float *change;          /* a block: keys and values, or what is added to the tokens */
  float *gates;           /* a panel */
  float *keys, *values;   /* of a group, in tiles, head by head */
  float *scores, *mask;   /* a panel: keys × lanes */
  float *out;             /* a panel: dim_head × lanes */
  float *largest, *least; /* of a block's tokens */
  float *sum;             /* lanes */
  gint32 *where;
  gint32 *rounded; /* %NULL, or a block of panels as the products take them */
  float *strips;   /* %NULL, or of a block's tokens the largest score of each whole_rows codes */
};

/** What stays the same during one pass, and the step at hand. */
typedef struct
{
  CtvitCpu *cpu;
  const Ctvit *net;
  const CpuKernels *kernels;
  const float *volume;
  EngineProbe probe; /* (nullable) */
  gpointer user_data;
  GCancellable *cancellable;

  float *x, *y;   /* tokens × dim: the tokens, and room for those to come */
  float *change;  /* (nullable) tokens × dim: for the probe, what a step adds */
  float *patches; /* (nullable) for the probe */
  gsize tokens;   /* t · h · w */

  const CtvitLayer *layer;
  const CtvitNorm *norm;
  gsize sequence, group; /* tokens of a sequence, sequences of a group */
  const float *position; /* (nullable) of the spatial transformer */
  gsize outer, inner;    /* rows are outer × inner and become inner × outer */

  gint64 *indices; /* tokens */
  float *pooled;   /* h · w · dim */
  float *raw;      /* latent_width */
} Pass;

/* ---- sizes ---- */

static inline gsize
ctvit_cpu_block_panels (const CpuKernels *kernels)
{
  return BLOCK_TOKENS / kernels->lanes;
}

/** Sequences of @n tokens that are attended to together. */
static inline gsize
ctvit_cpu_group (gsize n)
{
  return MAX (1, GROUP_TOKENS / n);
}

static inline gsize
ctvit_cpu_panels (const CpuKernels *kernels, gsize tokens)
{
  return (tokens + kernels->lanes - 1) / kernels->lanes;
}

/* ---- blocks ---- */

/** A block of panels of the pass's tokens. */
typedef struct
{
  gsize first, n; /* tokens */
  gsize panels;
} Block;

static inline gsize
ctvit_cpu_n_blocks (const Pass *pass)
{
  return (pass->tokens + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
}

/** Block @i of the @n tokens from @first on. */
static inline Block
ctvit_cpu_block (const CpuKernels *kernels, gsize first, gsize n, gsize i)
{
  const gsize start = i * BLOCK_TOKENS, length = MIN (BLOCK_TOKENS, n - start);

  return (Block){ first + start, length, ctvit_cpu_panels (kernels, length) };
}

/** Tokens of a block in panel @i. */
static inline gsize
ctvit_cpu_tokens_in (const CpuKernels *kernels, const Block *block, gsize i)
{
  return MIN (kernels->lanes, block->n - i * kernels->lanes);
}

/** ctvit_cpu_load_block: the block's tokens from their rows. */
void ctvit_cpu_load_block (const Pass *pass, const Block *block, float *panels);

/** ctvit_cpu_norm_block: @y may be @x. */
void ctvit_cpu_norm_block (const Pass *pass, const Block *block, const CtvitNorm *norm,
                           const float *x, float *y);

/** ctvit_cpu_store_block: the tokens' rows get (@add: get added) what lies in @panels, @step
 * numbers apart. */
void ctvit_cpu_store_block (const Pass *pass, const Block *block, const float *panels, gsize step,
                            gboolean add, float *rows);

/** ctvit_cpu_add_block: x += change, which the probe is shown too. */
void ctvit_cpu_add_block (const Pass *pass, const Block *block, const float *change);

/* ---- steps: TeamWork over a Pass ---- */

/** ctvit_cpu_add_attention: x += Attention(x), for a group of sequences. */
void ctvit_cpu_add_attention (gsize item, guint thread, gpointer pass);

/** ctvit_cpu_find_codes: for a block of tokens the codes with the largest cosine; the first on
 * ties.
 */
void ctvit_cpu_find_codes (gsize item, guint thread, gpointer pass);

/** ctvit_cpu_pool: the mean over time of a place's codes. */
void ctvit_cpu_pool (gsize item, guint thread, gpointer pass);

/** ctvit_cpu_project_latent: one number of the latent, before it has norm 1. */
void ctvit_cpu_project_latent (gsize item, guint thread, gpointer pass);

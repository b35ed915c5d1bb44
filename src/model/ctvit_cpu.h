/**
 * ctvit_cpu.h: the image encoder on the processor, in loops of our own.
 */
#pragma once

#include "base/team.h"
#include "model/cpu_kernels.h"
#include "model/ctvit.h"

/** A matrix or vector of the network. */
struct _Tensor
{
  gsize rows,
      columns;     /* of a vector 1 and its length; of more dimensions the last is the columns */
  float *numbers;  /* %NULL where only tiles are used */
  float *tiles;    /* what the kernels take in its place; %NULL for a vector */
  gint32 *rounded; /* and what they take where its products are rounded */
};

/** What one thread computes in; see ctvit_cpu_pass.h. */
typedef struct _CtvitScratch CtvitScratch;

/** An encoder, and the memory that it works in. */
typedef struct
{
  Ctvit *net;
  const CpuKernels *kernels;
  EncoderPrecision precision;
  GPtrArray *tensors; /* of Tensor *, all that `net` points to */

  float codes_scale; /* the largest of the rounded codes' */

  /* heads × panels × keys × lanes: position biases in the order of the scores; keys past the last
   * have CTVIT_NEVER */
  float *position;

  Team *team;
  CtvitScratch **scratch; /* of each thread of the team */
  float *x, *y;           /* tokens × dim */
} CtvitCpu;

/* A score that softmax makes 0 of. */
#define CTVIT_NEVER (-1e30f)

/** ctvit_cpu_load: read a checkpoint, for @threads threads and the processor's best kernels. */
CtvitCpu *ctvit_cpu_load (const char *checkpoint_path, const EncoderDescription *description,
                          guint threads, GError **error);
void ctvit_cpu_free (CtvitCpu *cpu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CtvitCpu, ctvit_cpu_free)

/**
 * ctvit_cpu_latent: the latent of one volume.
 *
 * @volume: frames × height × width
 * @latent: (out) latent_width numbers of norm 1
 * @probe: (nullable) is shown every intermediate
 *
 * Returns: %FALSE where it was cancelled
 */
gboolean ctvit_cpu_latent (CtvitCpu *cpu, const float *volume, float *latent, EngineProbe probe,
                           gpointer user_data, GCancellable *cancellable);

/* ---- what opening and the pass share ---- */

/** ctvit_cpu_floats: @n numbers that begin at a multiple of a register's size; g_free them. */
float *ctvit_cpu_floats (gsize n, GError **error);

/** ctvit_cpu_rows: rows that products with tiles fill. */
static inline gsize
ctvit_cpu_rows (const CpuKernels *kernels, gsize rows)
{
  return (rows + kernels->whole_rows - 1) / kernels->whole_rows * kernels->whole_rows;
}

/** ctvit_cpu_load_panel: @n ≤ lanes tokens of @width numbers each, zeros in the lanes after them.
 */
void ctvit_cpu_load_panel (const CpuKernels *kernels, const float *tokens, gsize n, gsize width,
                           float *panel);

/* ---- products ---- */

/** ctvit_cpu_tile: @rows × @columns numbers in tiles; rows past the last are 0. */
float *ctvit_cpu_tile (const CpuKernels *kernels, const float *numbers, gsize rows, gsize columns,
                       GError **error);

/** ctvit_cpu_round: the same in rounded tiles. */
gint32 *ctvit_cpu_round (const CpuKernels *kernels, const float *numbers, gsize rows, gsize columns,
                         GError **error);

/** Panels that a matrix is multiplied with. */
typedef struct
{
  gsize n;
  const float *panels;
  gsize step;            /* from panel to panel */
  const gint32 *rounded; /* %NULL where the matrix has no rounded tiles */
  gsize rounded_step;
} CtvitOperand;

/** ctvit_cpu_operand: @n panels as @weights take them; @rounded: room for them where that is
 * rounded.
 */
CtvitOperand ctvit_cpu_operand (const CpuKernels *kernels, const Tensor *weights,
                                const float *panels, gsize step, gsize n, gint32 *rounded);

/**
 * ctvit_cpu_multiply: rows of weights · panel @i.
 *
 * @first: a multiple of whole_rows
 * @out: has room for ctvit_cpu_rows (rows)
 */
void ctvit_cpu_multiply (const CpuKernels *kernels, const Tensor *weights, gsize first, gsize rows,
                         const CtvitOperand *x, gsize i, float *out);

/** ctvit_cpu_project: all rows of weights · every panel; @out: as many panels, @out_step apart. */
void ctvit_cpu_project (const CpuKernels *kernels, const Tensor *weights, const CtvitOperand *x,
                        float *out, gsize out_step);

/* ---- scratch ---- */

CtvitScratch *ctvit_cpu_scratch_new (const CtvitCpu *cpu, GError **error);
void ctvit_cpu_scratch_free (CtvitScratch *scratch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CtvitScratch, ctvit_cpu_scratch_free)

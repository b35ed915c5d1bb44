/**
 * ctvit_cpu.h: the image encoder on the processor, in loops of our own.
 */
#pragma once

#include "model/cpu_kernels.h"
#include "model/ctvit.h"
#include "model/team.h"

/** A matrix or vector of the network. */
struct _Tensor
{
  gsize rows,
      columns;    /* of a vector 1 and its length; of more dimensions the last is the columns */
  float *numbers; /* %NULL where only tiles are used */
  float *tiles;   /* what the kernels take in its place; %NULL for a vector */
};

/** What one thread computes in; see ctvit_cpu_pass.h. */
typedef struct _CtvitScratch CtvitScratch;

/** An encoder, and the memory that it works in. */
typedef struct
{
  Ctvit *net;
  const CpuKernels *kernels;
  GPtrArray *tensors; /* of Tensor *, all that `net` points to */

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

/** ctvit_cpu_whole: @n rounded up to a multiple of @unit. */
gsize ctvit_cpu_whole (gsize n, gsize unit);

/**
 * ctvit_cpu_project: panels of weights · x.
 *
 * @tiles: of @rows × @depth weights
 * @in, @out: @n_panels panels, @in_step and @out_step numbers apart; @out has room for whole tiles
 */
void ctvit_cpu_project (const CpuKernels *kernels, const float *tiles, gsize rows, gsize depth,
                        const float *in, gsize in_step, gsize n_panels, float *out, gsize out_step);

/** ctvit_cpu_tile: @rows × @columns numbers in tiles of kernels->tile_rows rows. */
float *ctvit_cpu_tile (const CpuKernels *kernels, const float *numbers, gsize rows, gsize columns,
                       GError **error);

/** ctvit_cpu_load_panel: @n ≤ lanes tokens of @width numbers each, zeros in the lanes after them.
 */
void ctvit_cpu_load_panel (const CpuKernels *kernels, const float *tokens, gsize n, gsize width,
                           float *panel);

CtvitScratch *ctvit_cpu_scratch_new (const CtvitCpu *cpu, GError **error);
void ctvit_cpu_scratch_free (CtvitScratch *scratch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CtvitScratch, ctvit_cpu_scratch_free)

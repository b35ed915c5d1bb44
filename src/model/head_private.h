/**
 * head_private.h: what the head's files share, and what the two forms of training (plain C,
 * libtorch) share so that both see the same batches and masks.
 */
#pragma once

#include "base/random.h"
#include "base/team.h"
#include "model/head.h"

/** head_draw_init: the generator of a fit; order first, then masks, epoch after epoch. */
void head_draw_init (Random *random, const HeadFitOptions *options);

/** head_draw_order: the epoch's order of the n rows: the given one, or shuffled. */
void head_draw_order (Random *random, const HeadFitOptions *options, guint epoch, guint32 *order,
                      gsize n);

/** head_draw_keep: masks of @n rows from position @first of the epoch; n × hidden bytes, 1 keeps a
 * unit. */
void head_draw_keep (Random *random, const HeadFitOptions *options, guint epoch, gsize first,
                     gsize n, gsize n_rows, guint hidden, guint8 *keep);

/** head_learning_rate: of step @step of @steps. */
double head_learning_rate (const HeadFitOptions *options, guint64 step, guint64 steps);

/**
 * head_tell_step: call options->on_step if there is one and it was not called just now.
 *
 * @told_us: (inout) when it was last called; 0 at the start
 * @step: of @steps in the epoch are done
 */
gboolean head_tell_step (const HeadFitOptions *options, gint64 *told_us, guint64 step,
                         guint64 steps, gpointer user_data, GError **error);

/** head_fit_check: numbers that no fit can work with, each named with what is allowed. */
gboolean head_fit_check (const Head *head, gsize n, const HeadFitOptions *options, GError **error);

/** head_new_hollow: a head's names and shapes; every tensor's data is %NULL, to be filled in. */
Head *head_new_hollow (HeadKind kind, guint width, guint hidden, guint classes);

/** head_standardize: a latent as the network sees it; both are `width` numbers. */
void head_standardize (const Head *head, const float *latent, float *input);

/* AdamW's constants. */
#define HEAD_BETA1 0.9
#define HEAD_BETA2 0.999
#define HEAD_EPSILON 1e-8
#define HEAD_NORM_EPSILON 1e-5 /* LayerNorm's */

/* ---- plain C, step by step ---- */

/** head_floats: @n zeros from the start of a line of the cache on, so that no two threads write to
 * one line. Free with g_free. */
float *head_floats (gsize n);

/** A batch as a step wants it. */
typedef struct
{
  guint n;        /* rows */
  guint8 *labels; /* n × classes */
  float *input;   /* n × width: latents as the network sees them */
  float *turned;  /* width × n, the same; mlp only */
  gboolean drops;
  guint8
      *keep; /* n × hidden, mlp only: where units drop out, 1 keeps one, divided by 1 − dropout */
} HeadBatch;

/** head_batch_new: room for up to @rows. */
HeadBatch *head_batch_new (const Head *head, guint rows);
void head_batch_free (HeadBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HeadBatch, head_batch_free)

/**
 * head_batch_gather: rows @first to @end - 1 of a batch whose n is set.
 *
 * @rows: (nullable) numbers of the batch's rows in @latents and @labels; %NULL: the first n
 */
void head_batch_gather (HeadBatch *batch, const Head *head, const float *latents,
                        const guint8 *labels, const guint32 *rows, guint first, guint end);

/** Work that other threads can do while one judges a batch. */
typedef struct
{
  gsize n; /* items */
  TeamWork work;
  gpointer user_data;
} HeadMeanwhile;

typedef struct _HeadTrainer HeadTrainer;

/** head_trainer_new: room for batches of up to @batch rows; @head is trained in place and must
 * outlive it. @threads: as in HeadFitOptions */
HeadTrainer *head_trainer_new (Head *head, guint batch, guint threads);
void head_trainer_free (HeadTrainer *trainer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HeadTrainer, head_trainer_free)

/**
 * head_trainer_step: forward, loss, gradient, AdamW. Changes @batch.
 *
 * @meanwhile: (nullable) is done when this returns, with any number of threads
 * Returns: the batch's mean loss
 */
double head_trainer_step (HeadTrainer *trainer, HeadBatch *batch, const HeadFitOptions *options,
                          double learning_rate, const HeadMeanwhile *meanwhile);

/** head_trainer_gradient: of the last step, for tensor @i of the head. */
const float *head_trainer_gradient (const HeadTrainer *trainer, guint i);

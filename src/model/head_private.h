/**
 * head_private.h: what the head's files share, and what the two forms of training (plain C,
 * libtorch) share so that both see the same batches and masks.
 */
#pragma once

#include "base/random.h"
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

typedef struct _HeadTrainer HeadTrainer;

/** head_trainer_new: room for batches of up to @batch rows; @head is trained in place and must
 * outlive it. */
HeadTrainer *head_trainer_new (Head *head, guint batch);
void head_trainer_free (HeadTrainer *trainer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HeadTrainer, head_trainer_free)

/**
 * head_trainer_step: forward, loss, gradient, AdamW.
 *
 * @rows: (nullable) numbers of the @n rows of @latents and @labels; %NULL: the first n
 * @keep: (nullable) n × hidden; kept units are divided by 1 − dropout
 * Returns: the batch's mean loss
 */
double head_trainer_step (HeadTrainer *trainer, const float *latents, const guint8 *labels,
                          const guint32 *rows, guint n, const guint8 *keep,
                          const HeadFitOptions *options, double learning_rate);

/** head_trainer_gradient: of the last step, for tensor @i of the head. */
const float *head_trainer_gradient (const HeadTrainer *trainer, guint i);

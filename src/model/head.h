/**
 * head.h: the small classification head on frozen latents: its parameters, its loss, its training.
 *
 * This is plain C that needs no libtorch; engine.h offers the same fit on another device.
 */
#pragma once

#include "base/team.h"

typedef enum
{
  HEAD_MLP,         /* Linear(width, hidden) - ReLU - Dropout - Linear(hidden, classes) */
  HEAD_LINEAR,      /* Linear(width, classes) */
  HEAD_NORM_LINEAR, /* LayerNorm(width) - Linear(width, classes) */
} HeadKind;

gboolean head_kind_parse (const char *text, HeadKind *kind,
                          GError **error); /* mlp, linear, norm-linear */
const char *head_kind_name (HeadKind kind);

#define HEAD_MAX_TENSORS 4

/** A head's numbers. Tensors are float32, C order; their names are PyTorch's ("0.weight", "3.bias",
 * ...). */
typedef struct
{
  HeadKind kind;
  guint width, hidden, classes; /* hidden is 0 but for HEAD_MLP */
  float *mean, *scale;          /* (nullable) `width` numbers each: input is (x - mean) * scale */
  guint n_tensors;
  struct
  {
    const char *name;
    guint n_dims;
    gint64 shape[2];
    float *data;
    gsize n;
  } tensors[HEAD_MAX_TENSORS];
} Head;

/** head_new: initialised as PyTorch does (uniform in ±1/sqrt(fan_in); LayerNorm 1 and 0), seeded.
 */
Head *head_new (HeadKind kind, guint width, guint hidden, guint classes, guint64 seed);
Head *head_copy (const Head *head);
void head_free (Head *head);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Head, head_free)

/**
 * head_apply: logits (n × classes) of latents (n × width), without dropout; never fails.
 *
 * @team: (nullable) shares the rows; the bits are the same whoever does
 */
void head_apply (const Head *head, const float *latents, gsize n, Team *team, double *logits);

/** head_save: safetensors; kind, sizes and @parameters (a run file's text) ride as
 * metadata. */
gboolean head_save (const Head *head, const char *path, gboolean replace, const char *parameters,
                    GError **error);
/** the same in memory, for the store. head_to_bytes never fails. */
GBytes *head_to_bytes (const Head *head);
Head *head_from_bytes (GBytes *bytes, GError **error);

/* ---- the loss ---- */

typedef struct
{
  double gamma;
  double alpha;             /* NaN: off */
  const double *pos_weight; /* (nullable) one per class */
} FocalLoss;

/**
 * focal_loss: Lin et al. 2017 (arXiv 1708.02002, eq. 4-5) with pos_weight, closed-form gradient.
 *
 * @gradient: (out, nullable) n × classes, dL/dlogit of the mean
 * Returns: mean over n × classes of w q^γ softplus(−u); finite for every finite logit.
 */
double focal_loss (const FocalLoss *loss, const double *logits, const guint8 *labels, gsize n,
                   guint classes, double *gradient);

/* ---- training ---- */

/**
 * HeadStepFunc: called between steps, at most every few ms; %FALSE (with @error set) ends the fit.
 * @step: of @steps in this epoch are done
 */
typedef gboolean (*HeadStepFunc) (guint step, guint steps, gpointer user_data, GError **error);

typedef struct
{
  guint epochs, batch;
  double learning_rate, weight_decay;
  gboolean cosine; /* learning rate falls to 0 along a half cosine over all steps */
  double dropout;
  FocalLoss loss;
  guint64 seed;         /* order of the batches and dropout */
  guint threads;        /* 0: as many as there are processors */
  HeadStepFunc on_step; /* (nullable) gets the fit's user_data */
  /* For the golden tests: given numbers in place of drawn ones. */
  const gint64 *order; /* (nullable) epochs × n row numbers */
  const guint8 *keep; /* (nullable) epochs × n × hidden: 1 keeps a unit, by position in the epoch */
  double *step_losses; /* (nullable, out) one number per step */
} HeadFitOptions;

/**
 * HeadEpochFunc: called after every epoch with the head as it stands; %FALSE (with @error set) ends
 * the fit.
 * @train_loss: mean over the epoch's samples
 */
typedef gboolean (*HeadEpochFunc) (guint epoch, const Head *head, double train_loss,
                                   gpointer user_data, GError **error);

/**
 * head_fit: AdamW (β 0.9, 0.999; ε 1e-8; decay on all tensors) over mini-batches; the last partial
 * batch is kept. The same input gives the same bits, whatever the number of threads; callbacks come
 * on the calling one.
 *
 * @head: (inout) the start; on success the head after the last epoch
 * @latents: n × width; @labels: n × classes
 */
gboolean head_fit (Head *head, const float *latents, const guint8 *labels, gsize n,
                   const HeadFitOptions *options, HeadEpochFunc on_epoch, gpointer user_data,
                   GCancellable *cancellable, GError **error);

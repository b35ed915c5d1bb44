/*
 * Training a head on libtorch: head_fit.c's batches, masks and formulas, with the gradients written
 * out.
 */
#include "model/head_torch.h"

#include "model/head_private.h"

#include <math.h>

/** A trained tensor and what AdamW remembers of it. */
typedef struct
{
  Tensor *weight, *moment1, *moment2;
} Parameter;

/** One fit; its tensors belong to the outermost scope. */
typedef struct
{
  Head *head;
  const HeadFitOptions *options;
  Tensor *latents; /* n × width, standardised */
  Tensor *labels;  /* n × classes, 0 or 1 */
  Tensor *positive_weight, *negative_weight;
  Parameter parameters[HEAD_MAX_TENSORS]; /* in the head's order */
} Fit;

/** One batch. */
typedef struct
{
  Tensor *x, *labels;
  Tensor *keep; /* (nullable) n × hidden: 1 / (1 − dropout) where a unit is kept, else 0 */
  double scale; /* of the kept units */
} Batch;

/* ---- putting things on the device ---- */

static Tensor *
standardize (TensorScope *s, const Head *head, const float *latents, gsize n)
{
  Tensor *x = t_from_floats (s, latents, (gint64) n, head->width);

  if (head->mean == NULL)
    return x;
  x = t_sub (s, x, t_from_floats (s, head->mean, head->width));
  t_mul_ (s, x, t_from_floats (s, head->scale, head->width));
  return x;
}

static Tensor *
labels_as_floats (TensorScope *s, const guint8 *labels, gsize n, guint classes)
{
  g_autofree float *numbers = g_new (float, n *classes);

  for (gsize i = 0; i < n * classes; i++)
    numbers[i] = labels[i] ? 1 : 0;
  return t_from_floats (s, numbers, (gint64) n, classes);
}

/** What the loss of an element with label 1, and with label 0, is multiplied with. */
static void
place_loss_weights (TensorScope *s, Fit *fit)
{
  const FocalLoss *loss = &fit->options->loss;
  const guint classes = fit->head->classes;
  const double alpha1 = isnan (loss->alpha) ? 1 : loss->alpha;
  const double alpha0 = isnan (loss->alpha) ? 1 : 1 - loss->alpha;
  g_autofree float *positive = g_new (float, classes);
  g_autofree float *negative = g_new (float, classes);

  for (guint c = 0; c < classes; c++)
    {
      positive[c] = (float) (alpha1 * (loss->pos_weight != NULL ? loss->pos_weight[c] : 1));
      negative[c] = (float) alpha0;
    }
  fit->positive_weight = t_from_floats (s, positive, classes);
  fit->negative_weight = t_from_floats (s, negative, classes);
}

static void
place_parameters (TensorScope *s, Fit *fit)
{
  for (guint i = 0; i < fit->head->n_tensors; i++)
    {
      Parameter *parameter = &fit->parameters[i];

      parameter->weight = tensor_from_floats (
          s, fit->head->tensors[i].data, fit->head->tensors[i].n_dims, fit->head->tensors[i].shape);
      parameter->moment1 = t_zeros_like (s, parameter->weight);
      parameter->moment2 = t_zeros_like (s, parameter->weight);
    }
}

static void
fetch_parameters (TensorScope *s, const Fit *fit)
{
  for (guint i = 0; i < fit->head->n_tensors; i++)
    t_read_floats (s, fit->parameters[i].weight, fit->head->tensors[i].data,
                   fit->head->tensors[i].n);
}

/* ---- forward and backward; each returns the loss and sets the gradients in the head's order ----
 */

static Tensor *
batch_loss (const Fit *fit, TensorScope *s, const Batch *batch, const Tensor *logits,
            Tensor **d_logits)
{
  return t_focal_loss (s, logits, batch->labels, fit->positive_weight, fit->negative_weight,
                       fit->options->loss.gamma, d_logits);
}

/** For y = x Wᵀ + b: dW = dyᵀ x, db = Σ dy. */
static void
linear_gradient (TensorScope *s, const Tensor *x, const Tensor *dy, Tensor **dw, Tensor **db)
{
  *dw = t_matmul (s, t_transpose (s, dy), x);
  *db = t_sum (s, dy, 0);
}

static Tensor *
mlp_step (const Fit *fit, TensorScope *s, const Batch *batch, Tensor **gradient)
{
  const Parameter *p = fit->parameters;
  Tensor *h = t_relu (s, t_linear (s, batch->x, p[0].weight, p[1].weight));
  Tensor *loss, *dz, *dh;

  if (batch->keep != NULL)
    t_mul_ (s, h, batch->keep);
  loss = batch_loss (fit, s, batch, t_linear (s, h, p[2].weight, p[3].weight), &dz);
  linear_gradient (s, h, dz, &gradient[2], &gradient[3]);
  /* Units that ReLU or dropout silenced pass nothing back. */
  dh = t_where_positive (s, h, t_matmul (s, dz, p[2].weight));
  t_scale_ (s, dh, batch->scale);
  linear_gradient (s, batch->x, dh, &gradient[0], &gradient[1]);
  return loss;
}

static Tensor *
linear_step (const Fit *fit, TensorScope *s, const Batch *batch, Tensor **gradient)
{
  const Parameter *p = fit->parameters;
  Tensor *dz;
  Tensor *loss = batch_loss (fit, s, batch, t_linear (s, batch->x, p[0].weight, p[1].weight), &dz);

  linear_gradient (s, batch->x, dz, &gradient[0], &gradient[1]);
  return loss;
}

static Tensor *
norm_linear_step (const Fit *fit, TensorScope *s, const Batch *batch, Tensor **gradient)
{
  const Parameter *p = fit->parameters;
  Tensor *x = t_layer_norm (s, batch->x, p[0].weight, p[1].weight);
  Tensor *loss, *dz, *dx;

  loss = batch_loss (fit, s, batch, t_linear (s, x, p[2].weight, p[3].weight), &dz);
  linear_gradient (s, x, dz, &gradient[2], &gradient[3]);
  /* x = γ x̂ + β; the latents themselves are not trained. */
  dx = t_matmul (s, dz, p[2].weight);
  gradient[0] = t_sum (s, t_mul (s, dx, t_layer_norm (s, batch->x, NULL, NULL)), 0);
  gradient[1] = t_sum (s, dx, 0);
  return loss;
}

static Tensor *
forward_and_backward (const Fit *fit, TensorScope *s, const Batch *batch, Tensor **gradient)
{
  switch (fit->head->kind)
    {
    case HEAD_MLP:
      return mlp_step (fit, s, batch, gradient);
    case HEAD_LINEAR:
      return linear_step (fit, s, batch, gradient);
    case HEAD_NORM_LINEAR:
      return norm_linear_step (fit, s, batch, gradient);
    }
  g_return_val_if_reached (NULL);
}

/**
 * AdamW with decoupled decay (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2), as PyTorch
 * orders it.
 *
 * @step: 1 for the first
 */
static void
adamw (TensorScope *s, Parameter *p, const Tensor *gradient, guint64 step, double learning_rate,
       double decay)
{
  const double correction1 = 1 - pow (HEAD_BETA1, (double) step);
  const double correction2 = 1 - pow (HEAD_BETA2, (double) step);
  Tensor *root;

  t_scale_ (s, p->weight, 1 - learning_rate * decay);
  t_lerp_ (s, p->moment1, gradient, 1 - HEAD_BETA1);
  t_scale_ (s, p->moment2, HEAD_BETA2);
  t_addcmul_ (s, p->moment2, gradient, gradient, 1 - HEAD_BETA2);
  root = t_sqrt (s, p->moment2);
  t_scale_ (s, root, 1 / sqrt (correction2));
  t_offset_ (s, root, HEAD_EPSILON);
  t_addcdiv_ (s, p->weight, p->moment1, root, -learning_rate / correction1);
}

/* ---- the fit ---- */

static Batch
gather_batch (const Fit *fit, TensorScope *s, const guint32 *order, gsize n, const guint8 *keep)
{
  const gsize hidden = fit->head->hidden;
  g_autofree gint64 *numbers = g_new (gint64, n);
  Batch batch = { .scale = 1 };
  Tensor *rows;

  for (gsize i = 0; i < n; i++)
    numbers[i] = order[i];
  rows = t_from_int64 (s, numbers, (gint64) n);
  batch.x = t_index_rows (s, fit->latents, rows);
  batch.labels = t_index_rows (s, fit->labels, rows);
  if (keep != NULL)
    {
      g_autofree float *kept = g_new (float, n *hidden);

      batch.scale = 1 / (1 - fit->options->dropout);
      for (gsize i = 0; i < n * hidden; i++)
        kept[i] = keep[i] ? (float) batch.scale : 0;
      batch.keep = t_from_floats (s, kept, (gint64) n, (gint64) hidden);
    }
  return batch;
}

/** @step: counted from 0. Returns: the batch's mean loss */
static double
take_step (Fit *fit, TensorScope *scope, const guint32 *order, gsize n, const guint8 *keep,
           guint64 step, guint64 steps)
{
  TensorScope *s = tensor_scope_push (scope);
  Batch batch = gather_batch (fit, s, order, n, keep);
  Tensor *gradient[HEAD_MAX_TENSORS] = { NULL };
  Tensor *loss = forward_and_backward (fit, s, &batch, gradient);
  float number = NAN;

  for (guint i = 0; i < fit->head->n_tensors; i++)
    adamw (s, &fit->parameters[i], gradient[i], step + 1,
           head_learning_rate (fit->options, step, steps), fit->options->weight_decay);
  t_read_floats (s, loss, &number, 1);
  tensor_scope_pop (s, NULL);
  return number;
}

/** @mean_loss: (out) of the epoch. FALSE where the step's function said so; what fails in the scope
 * is told by the scope. */
static gboolean
run_epoch (Fit *fit, TensorScope *s, Random *random, guint epoch, gsize n, double *mean_loss,
           gpointer user_data, GError **error)
{
  const HeadFitOptions *options = fit->options;
  const guint hidden = fit->head->hidden;
  const gsize batch = MIN (options->batch, n);
  const guint64 steps_per_epoch = (n + batch - 1) / batch;
  const gboolean drops = hidden > 0 && (options->dropout > 0 || options->keep != NULL);
  g_autofree guint32 *order = g_new (guint32, n);
  g_autofree guint8 *keep = drops ? g_new (guint8, batch * hidden) : NULL;
  guint64 step = epoch * steps_per_epoch;
  gint64 told_us = 0;
  double sum = 0;

  head_draw_order (random, options, epoch, order, n);
  for (gsize first = 0; first < n && tensor_scope_ok (s, NULL); first += batch, step++)
    {
      const gsize rows = MIN (batch, n - first);
      double loss;

      if (!head_tell_step (options, &told_us, step % steps_per_epoch, steps_per_epoch, user_data,
                           error))
        return FALSE;
      if (drops)
        head_draw_keep (random, options, epoch, first, rows, n, hidden, keep);
      loss = take_step (fit, s, order + first, rows, keep, step, options->epochs * steps_per_epoch);
      if (options->step_losses != NULL)
        options->step_losses[step] = loss;
      sum += loss * (double) rows;
    }
  *mean_loss = sum / (double) n;
  return TRUE;
}

gboolean
head_torch_fit (TensorDevice device, Head *head, const float *latents, const guint8 *labels,
                gsize n, const HeadFitOptions *options, HeadEpochFunc on_epoch, gpointer user_data,
                GCancellable *cancellable, GError **error)
{
  Fit fit = { .head = head, .options = options };
  TensorScope *s;
  Random random;

  if (!head_fit_check (head, n, options, error))
    return FALSE;
  s = tensor_scope_new (device, cancellable);
  fit.latents = standardize (s, head, latents, n);
  fit.labels = labels_as_floats (s, labels, n, head->classes);
  place_loss_weights (s, &fit);
  place_parameters (s, &fit);
  head_draw_init (&random, options);
  for (guint epoch = 0; epoch < options->epochs; epoch++)
    {
      double loss;

      if (!run_epoch (&fit, s, &random, epoch, n, &loss, user_data, error))
        {
          tensor_scope_end (s, NULL);
          return FALSE;
        }
      fetch_parameters (s, &fit);
      if (!tensor_scope_ok (s, NULL))
        break;
      if (on_epoch != NULL && !on_epoch (epoch + 1, head, loss, user_data, error))
        {
          tensor_scope_end (s, NULL);
          return FALSE;
        }
    }
  return tensor_scope_end (s, error);
}

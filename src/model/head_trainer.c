/* One step of training in plain C: the formulas, on the products of head_kernels.h. */
#include "model/head_private.h"

#include "model/head_kernels.h"

#include <math.h>
#include <string.h>

/* Loops over units want vectors, whatever the rest is compiled with. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

struct _HeadTrainer
{
  Head *head;
  const HeadKernels *kernels;
  guint64 steps;

  /* One batch of n rows. Units and their gradients lie unit by unit (hidden × n), the rest row by
   * row. */
  guint8 *labels; /* n × classes */
  float *input;   /* n × width, standardised; for norm-linear normalised, then γ x̂ + β */
  float *normal, *d_input; /* n × width, norm-linear only: x̂, and the gradient of γ x̂ + β */
  float *units, *d_units;  /* hidden × n, mlp only: after ReLU and dropout */
  float *outputs, *d_outputs; /* n × classes */
  double *logits, *d_logits;  /* the same for the loss */
  float *gradients[HEAD_MAX_TENSORS], *moments1[HEAD_MAX_TENSORS], *moments2[HEAD_MAX_TENSORS];
};

HeadTrainer *
head_trainer_new (Head *head, guint batch)
{
  HeadTrainer *trainer = g_new0 (HeadTrainer, 1);
  const gsize n_inputs = (gsize) batch * head->width, n_units = (gsize) batch * head->hidden,
              n_outputs = (gsize) batch * head->classes;

  trainer->head = head;
  trainer->kernels = head_kernels (0);
  trainer->labels = g_new (guint8, n_outputs);
  trainer->input = g_new (float, n_inputs);
  if (head->kind == HEAD_NORM_LINEAR)
    {
      trainer->normal = g_new (float, n_inputs);
      trainer->d_input = g_new (float, n_inputs);
    }
  trainer->units = g_new (float, n_units);
  trainer->d_units = g_new (float, n_units);
  trainer->outputs = g_new (float, n_outputs);
  trainer->d_outputs = g_new (float, n_outputs);
  trainer->logits = g_new (double, n_outputs);
  trainer->d_logits = g_new (double, n_outputs);
  for (guint i = 0; i < head->n_tensors; i++)
    {
      trainer->gradients[i] = g_new0 (float, head->tensors[i].n);
      trainer->moments1[i] = g_new0 (float, head->tensors[i].n);
      trainer->moments2[i] = g_new0 (float, head->tensors[i].n);
    }
  return trainer;
}

void
head_trainer_free (HeadTrainer *trainer)
{
  for (guint i = 0; i < trainer->head->n_tensors; i++)
    {
      g_free (trainer->gradients[i]);
      g_free (trainer->moments1[i]);
      g_free (trainer->moments2[i]);
    }
  g_free (trainer->labels);
  g_free (trainer->input);
  g_free (trainer->normal);
  g_free (trainer->d_input);
  g_free (trainer->units);
  g_free (trainer->d_units);
  g_free (trainer->outputs);
  g_free (trainer->d_outputs);
  g_free (trainer->logits);
  g_free (trainer->d_logits);
  g_free (trainer);
}

const float *
head_trainer_gradient (const HeadTrainer *trainer, guint i)
{
  return trainer->gradients[i];
}

/* ---- the batch ---- */

static void
gather_batch (HeadTrainer *trainer, const float *latents, const guint8 *labels, const guint32 *rows,
              guint n)
{
  const Head *head = trainer->head;

  for (gsize r = 0; r < n; r++)
    {
      const gsize row = rows != NULL ? rows[r] : r;

      head_standardize (head, latents + row * head->width, trainer->input + r * head->width);
      memcpy (trainer->labels + r * head->classes, labels + row * head->classes, head->classes);
    }
}

/* ---- the parts of a network, forward and backward ---- */

/** outputs (n × classes) = input (n × width) · weightᵀ + bias */
static void
output_layer (HeadTrainer *trainer, FloatMatrix input, guint width, guint first, guint n)
{
  const Head *head = trainer->head;
  const FloatMatrix weight = head_columns (head->tensors[first].data, width);
  const float *bias = head->tensors[first + 1].data;

  trainer->kernels->multiply_floats (input, weight, n, head->classes, width, trainer->outputs);
  for (gsize r = 0; r < n; r++)
    for (gsize c = 0; c < head->classes; c++)
      trainer->outputs[r * head->classes + c] += bias[c];
}

/** The gradients of its weight and bias. */
static void
output_layer_backward (HeadTrainer *trainer, FloatMatrix input, guint width, guint first, guint n)
{
  const guint classes = trainer->head->classes;
  const FloatMatrix d_outputs = head_columns (trainer->d_outputs, classes);
  float *d_bias = trainer->gradients[first + 1];

  trainer->kernels->multiply_floats (d_outputs, input, classes, width, n,
                                     trainer->gradients[first]);
  memset (d_bias, 0, classes * sizeof *d_bias);
  for (gsize r = 0; r < n; r++)
    for (gsize c = 0; c < classes; c++)
      d_bias[c] += trainer->d_outputs[r * classes + c];
}

/** Mean loss of the outputs, which are judged in double; their gradient. */
static double
judge (HeadTrainer *trainer, const FocalLoss *loss, guint n)
{
  const guint classes = trainer->head->classes;
  const gsize total = (gsize) n * classes;
  double mean;

  for (gsize i = 0; i < total; i++)
    trainer->logits[i] = (double) trainer->outputs[i];
  mean = focal_loss (loss, trainer->logits, trainer->labels, n, classes, trainer->d_logits);
  for (gsize i = 0; i < total; i++)
    trainer->d_outputs[i] = (float) trainer->d_logits[i];
  return mean;
}

/** units = ReLU (weight · inputᵀ + bias); those kept are divided by 1 − dropout, the rest are 0. */
static void
hidden_layer (HeadTrainer *trainer, const guint8 *keep, float scale, guint n)
{
  const Head *head = trainer->head;
  const gsize hidden = head->hidden;
  const FloatMatrix weight = head_rows (head->tensors[0].data, head->width),
                    input = head_columns (trainer->input, head->width);
  const float *bias = head->tensors[1].data;

  trainer->kernels->multiply_floats (weight, input, hidden, n, head->width, trainer->units);
  for (gsize u = 0; u < hidden; u++)
    {
      const float own_bias = bias[u];
      float *unit = trainer->units + u * n;

      for (gsize r = 0; r < n; r++)
        {
          const float sum = unit[r] + own_bias;

          unit[r] = sum > 0 ? sum * scale : 0;
        }
      for (gsize r = 0; keep != NULL && r < n; r++)
        unit[r] *= keep[r * hidden + u];
    }
}

/** From the outputs' gradient through the units to the first weight and bias. */
static void
hidden_layer_backward (HeadTrainer *trainer, float scale, guint n)
{
  const Head *head = trainer->head;
  const gsize hidden = head->hidden;
  const FloatMatrix weight = head_columns (head->tensors[2].data, hidden),
                    d_outputs = head_columns (trainer->d_outputs, head->classes),
                    d_units = head_rows (trainer->d_units, n),
                    input = head_rows (trainer->input, head->width);

  trainer->kernels->multiply_floats (weight, d_outputs, hidden, n, head->classes, trainer->d_units);
  for (gsize u = 0; u < hidden; u++)
    {
      const float *unit = trainer->units + u * n;
      float *d_unit = trainer->d_units + u * n, sum = 0;

      /* What ReLU or dropout silenced passes nothing back. */
      for (gsize r = 0; r < n; r++)
        d_unit[r] = unit[r] > 0 ? d_unit[r] * scale : 0;
      for (gsize r = 0; r < n; r++)
        sum += d_unit[r];
      trainer->gradients[1][u] = sum;
    }
  trainer->kernels->multiply_floats (d_units, input, hidden, head->width, n, trainer->gradients[0]);
}

/** input = γ x̂ + β, where x̂ is the input less its mean over its deviation, row by row. */
static void
norm_layer (HeadTrainer *trainer, guint n)
{
  const Head *head = trainer->head;
  const float *gamma = head->tensors[0].data, *beta = head->tensors[1].data;

  for (gsize r = 0; r < n; r++)
    {
      float *x = trainer->input + r * head->width, *normal = trainer->normal + r * head->width;
      double mean = 0, variance = 0, scale;

      for (gsize i = 0; i < head->width; i++)
        mean += (double) x[i];
      mean /= head->width;
      for (gsize i = 0; i < head->width; i++)
        variance += ((double) x[i] - mean) * ((double) x[i] - mean);
      scale = 1 / sqrt (variance / head->width + HEAD_NORM_EPSILON);
      for (gsize i = 0; i < head->width; i++)
        {
          normal[i] = (float) (((double) x[i] - mean) * scale);
          x[i] = normal[i] * gamma[i] + beta[i];
        }
    }
}

/** The gradients of γ and β; the latents themselves are not trained. */
static void
norm_layer_backward (HeadTrainer *trainer, guint n)
{
  const Head *head = trainer->head;
  const FloatMatrix weight = head_rows (head->tensors[2].data, head->width),
                    d_outputs = head_rows (trainer->d_outputs, head->classes);
  float *d_gamma = trainer->gradients[0], *d_beta = trainer->gradients[1];

  trainer->kernels->multiply_floats (d_outputs, weight, n, head->width, head->classes,
                                     trainer->d_input);
  memset (d_gamma, 0, head->width * sizeof *d_gamma);
  memset (d_beta, 0, head->width * sizeof *d_beta);
  for (gsize r = 0; r < n; r++)
    for (gsize i = 0; i < head->width; i++)
      {
        const float d = trainer->d_input[r * head->width + i];

        d_gamma[i] += d * trainer->normal[r * head->width + i];
        d_beta[i] += d;
      }
}

/* ---- the networks; each returns the loss and leaves the gradients ---- */

static double
mlp (HeadTrainer *trainer, const guint8 *keep, const HeadFitOptions *options, guint n)
{
  const guint hidden = trainer->head->hidden;
  const FloatMatrix units = head_columns (trainer->units, n);
  const float scale = keep != NULL ? (float) (1 / (1 - options->dropout)) : 1;
  double loss;

  hidden_layer (trainer, keep, scale, n);
  output_layer (trainer, units, hidden, 2, n);
  loss = judge (trainer, &options->loss, n);
  output_layer_backward (trainer, units, hidden, 2, n);
  hidden_layer_backward (trainer, scale, n);
  return loss;
}

static double
linear (HeadTrainer *trainer, const HeadFitOptions *options, guint n)
{
  const guint width = trainer->head->width;
  const FloatMatrix input = head_rows (trainer->input, width);
  double loss;

  output_layer (trainer, input, width, 0, n);
  loss = judge (trainer, &options->loss, n);
  output_layer_backward (trainer, input, width, 0, n);
  return loss;
}

static double
norm_linear (HeadTrainer *trainer, const HeadFitOptions *options, guint n)
{
  const guint width = trainer->head->width;
  const FloatMatrix input = head_rows (trainer->input, width);
  double loss;

  norm_layer (trainer, n);
  output_layer (trainer, input, width, 2, n);
  loss = judge (trainer, &options->loss, n);
  output_layer_backward (trainer, input, width, 2, n);
  norm_layer_backward (trainer, n);
  return loss;
}

static double
forward_and_backward (HeadTrainer *trainer, const guint8 *keep, const HeadFitOptions *options,
                      guint n)
{
  switch (trainer->head->kind)
    {
    case HEAD_MLP:
      return mlp (trainer, keep, options, n);
    case HEAD_LINEAR:
      return linear (trainer, options, n);
    case HEAD_NORM_LINEAR:
      return norm_linear (trainer, options, n);
    }
  g_return_val_if_reached (NAN);
}

double
head_trainer_step (HeadTrainer *trainer, const float *latents, const guint8 *labels,
                   const guint32 *rows, guint n, const guint8 *keep, const HeadFitOptions *options,
                   double learning_rate)
{
  Head *head = trainer->head;
  const double t = (double) ++trainer->steps;
  const HeadAdamW step = {
    .keep = (float) (1 - learning_rate * options->weight_decay),
    .beta1 = (float) HEAD_BETA1,
    .share1 = (float) (1 - HEAD_BETA1),
    .beta2 = (float) HEAD_BETA2,
    .share2 = (float) (1 - HEAD_BETA2),
    .size = (float) (learning_rate / (1 - pow (HEAD_BETA1, t))),
    .root_scale = (float) (1 / sqrt (1 - pow (HEAD_BETA2, t))),
    .epsilon = (float) HEAD_EPSILON,
  };
  double loss;

  gather_batch (trainer, latents, labels, rows, n);
  loss = forward_and_backward (trainer, keep, options, n);
  for (guint i = 0; i < head->n_tensors; i++)
    trainer->kernels->adamw (step, head->tensors[i].n, trainer->gradients[i], head->tensors[i].data,
                             trainer->moments1[i], trainer->moments2[i]);
  return loss;
}

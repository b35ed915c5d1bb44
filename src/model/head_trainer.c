/* One step of training in plain C: the formulas, on the products of head_kernels.h. */
#include "model/head_private.h"

#include "model/head_kernels.h"

#include <math.h>
#include <string.h>

/* Loops over units want vectors, whatever the rest is compiled with. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

#define UNITS_TOGETHER 64 /* in one thread's hands */

struct _HeadTrainer
{
  Head *head;
  const HeadKernels *kernels;
  Team *team;
  guint64 steps;

  /* The step in hand. */
  HeadBatch *batch;
  const HeadFitOptions *options;
  const HeadMeanwhile *meanwhile; /* (nullable) */
  HeadAdamW adamw;
  double loss;

  /* Of n rows. */
  float *normal, *d_input; /* n × width, norm-linear only: x̂, and the gradient of γ x̂ + β */
  float *units, *d_units;  /* hidden × n, mlp only: after ReLU and dropout */
  float *outputs;          /* classes × n */
  double *logits, *d_logits; /* n × classes, for the loss */
  float *d_outputs;          /* the same */
  float *gradients[HEAD_MAX_TENSORS], *moments1[HEAD_MAX_TENSORS], *moments2[HEAD_MAX_TENSORS];
};

/** Parts that the units are divided into; 0 where there are none. */
static guint
hidden_parts (const Head *head)
{
  return (head->hidden + UNITS_TOGETHER - 1) / UNITS_TOGETHER;
}

HeadTrainer *
head_trainer_new (Head *head, guint batch, guint threads)
{
  HeadTrainer *trainer = g_new0 (HeadTrainer, 1);
  const gsize n_inputs = (gsize) batch * head->width, n_units = (gsize) batch * head->hidden,
              n_outputs = (gsize) batch * head->classes;

  trainer->head = head;
  trainer->kernels = head_kernels (0);
  trainer->team =
      team_new (MIN (threads > 0 ? threads : g_get_num_processors (), hidden_parts (head)));
  if (head->kind == HEAD_NORM_LINEAR)
    {
      trainer->normal = head_floats (n_inputs);
      trainer->d_input = head_floats (n_inputs);
    }
  trainer->units = head_floats (n_units);
  trainer->d_units = head_floats (n_units);
  trainer->outputs = head_floats (n_outputs);
  trainer->d_outputs = head_floats (n_outputs);
  trainer->logits = g_new (double, n_outputs);
  trainer->d_logits = g_new (double, n_outputs);
  for (guint i = 0; i < head->n_tensors; i++)
    {
      trainer->gradients[i] = head_floats (head->tensors[i].n);
      trainer->moments1[i] = head_floats (head->tensors[i].n);
      trainer->moments2[i] = head_floats (head->tensors[i].n);
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
  team_free (trainer->team);
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

/* ---- the parts of a network, forward and backward ---- */

/** outputs (classes × n) = weight · inputᵀ (width × n) + bias */
static void
output_layer (HeadTrainer *trainer, FloatMatrix input, guint width, guint first, guint n)
{
  const Head *head = trainer->head;
  const FloatMatrix weight = head_rows (head->tensors[first].data, width);
  const float *bias = head->tensors[first + 1].data;

  trainer->kernels->multiply_floats (weight, input, head->classes, n, width, trainer->outputs);
  for (gsize c = 0; c < head->classes; c++)
    for (gsize r = 0; r < n; r++)
      trainer->outputs[c * n + r] += bias[c];
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
static void
judge (HeadTrainer *trainer)
{
  const HeadBatch *batch = trainer->batch;
  const guint n = batch->n, classes = trainer->head->classes;

  for (gsize r = 0; r < n; r++)
    for (gsize c = 0; c < classes; c++)
      trainer->logits[r * classes + c] = (double) trainer->outputs[c * n + r];
  trainer->loss = focal_loss (&trainer->options->loss, trainer->logits, batch->labels, n, classes,
                              trainer->d_logits);
  for (gsize i = 0; i < (gsize) n * classes; i++)
    trainer->d_outputs[i] = (float) trainer->d_logits[i];
}

/** One who judges, and the rest of the team. A TeamWork. */
static void
judge_or_other (gsize item, guint thread, gpointer data)
{
  HeadTrainer *trainer = data;

  if (item == 0)
    judge (trainer);
  else
    trainer->meanwhile->work (item - 1, thread, trainer->meanwhile->user_data);
}

static void
judge_meanwhile (HeadTrainer *trainer)
{
  const gsize others = trainer->meanwhile != NULL ? trainer->meanwhile->n : 0;

  team_run (trainer->team, 1 + others, judge_or_other, trainer, NULL);
}

/** Of the units that are kept. */
static float
kept_scale (const HeadTrainer *trainer)
{
  return trainer->batch->drops ? (float) (1 / (1 - trainer->options->dropout)) : 1;
}

/** One part of: units = ReLU (weight · inputᵀ + bias); those kept are divided by 1 − dropout, the
 * rest are 0. A TeamWork. */
static void
hidden_layer (gsize part, guint thread, gpointer data)
{
  HeadTrainer *trainer = data;
  const Head *head = trainer->head;
  const HeadBatch *batch = trainer->batch;
  const gsize n = batch->n, hidden = head->hidden, first = part * UNITS_TOGETHER,
              end = MIN (first + UNITS_TOGETHER, hidden);
  const FloatMatrix weight = head_rows (head->tensors[0].data + first * head->width, head->width),
                    input = head_rows (batch->turned, n);
  const float *bias = head->tensors[1].data, scale = kept_scale (trainer);

  trainer->kernels->multiply_floats (weight, input, end - first, n, head->width,
                                     trainer->units + first * n);
  for (gsize u = first; u < end; u++)
    {
      const float own_bias = bias[u];
      float *unit = trainer->units + u * n;

      for (gsize r = 0; r < n; r++)
        {
          const float sum = unit[r] + own_bias;

          unit[r] = sum > 0 ? sum * scale : 0;
        }
      for (gsize r = 0; batch->drops && r < n; r++)
        unit[r] *= batch->keep[r * hidden + u];
    }
}

/** AdamW on @n numbers of tensor @i from @first on. */
static void
adamw (HeadTrainer *trainer, guint i, gsize first, gsize n)
{
  trainer->kernels->adamw (trainer->adamw, n, trainer->gradients[i] + first,
                           trainer->head->tensors[i].data + first, trainer->moments1[i] + first,
                           trainer->moments2[i] + first);
}

/** One part of the way from the outputs' gradient through the units to the first weight and bias,
 * which are changed. A TeamWork. */
static void
hidden_layer_backward (gsize part, guint thread, gpointer data)
{
  HeadTrainer *trainer = data;
  const Head *head = trainer->head;
  const gsize n = trainer->batch->n, width = head->width, first = part * UNITS_TOGETHER,
              units = MIN (UNITS_TOGETHER, head->hidden - first);
  const float one = 1, scale = kept_scale (trainer);
  const FloatMatrix weight = head_columns (head->tensors[2].data + first, head->hidden),
                    d_outputs = head_columns (trainer->d_outputs, head->classes),
                    d_units = head_rows (trainer->d_units + first * n, n),
                    input = head_rows (trainer->batch->input, width), ones = { &one, 0, 0 };

  trainer->kernels->multiply_floats (weight, d_outputs, units, n, head->classes,
                                     trainer->d_units + first * n);
  for (gsize u = first; u < first + units; u++)
    {
      const float *unit = trainer->units + u * n;
      float *d_unit = trainer->d_units + u * n;

      /* What ReLU or dropout silenced passes nothing back. */
      for (gsize r = 0; r < n; r++)
        d_unit[r] = unit[r] > 0 ? d_unit[r] * scale : 0;
    }
  trainer->kernels->multiply_floats (d_units, ones, units, 1, n, trainer->gradients[1] + first);
  trainer->kernels->multiply_floats (d_units, input, units, width, n,
                                     trainer->gradients[0] + first * width);
  adamw (trainer, 0, first * width, units * width);
  adamw (trainer, 1, first, units);
}

/** input = γ x̂ + β, where x̂ is the input less its mean over its deviation, row by row. */
static void
norm_layer (HeadTrainer *trainer, guint n)
{
  const Head *head = trainer->head;
  const float *gamma = head->tensors[0].data, *beta = head->tensors[1].data;

  for (gsize r = 0; r < n; r++)
    {
      float *x = trainer->batch->input + r * head->width,
            *normal = trainer->normal + r * head->width;
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

/* ---- the networks; each leaves the loss and the gradients ---- */

static void
mlp (HeadTrainer *trainer, guint n)
{
  const guint hidden = trainer->head->hidden, parts = hidden_parts (trainer->head);

  team_run (trainer->team, parts, hidden_layer, trainer, NULL);
  output_layer (trainer, (FloatMatrix) head_rows (trainer->units, n), hidden, 2, n);
  judge_meanwhile (trainer);
  output_layer_backward (trainer, (FloatMatrix) head_columns (trainer->units, n), hidden, 2, n);
  team_run (trainer->team, parts, hidden_layer_backward, trainer, NULL);
}

/** @first: tensor with the weight */
static void
linear (HeadTrainer *trainer, guint first, guint n)
{
  const guint width = trainer->head->width;
  const float *input = trainer->batch->input;

  output_layer (trainer, (FloatMatrix) head_columns (input, width), width, first, n);
  judge_meanwhile (trainer);
  output_layer_backward (trainer, (FloatMatrix) head_rows (input, width), width, first, n);
}

static void
norm_linear (HeadTrainer *trainer, guint n)
{
  norm_layer (trainer, n);
  linear (trainer, 2, n);
  norm_layer_backward (trainer, n);
}

static void
forward_and_backward (HeadTrainer *trainer, guint n)
{
  switch (trainer->head->kind)
    {
    case HEAD_MLP:
      mlp (trainer, n);
      break;
    case HEAD_LINEAR:
      linear (trainer, 0, n);
      break;
    case HEAD_NORM_LINEAR:
      norm_linear (trainer, n);
      break;
    }
}

double
head_trainer_step (HeadTrainer *trainer, HeadBatch *batch, const HeadFitOptions *options,
                   double learning_rate, const HeadMeanwhile *meanwhile)
{
  const Head *head = trainer->head;
  const double t = (double) ++trainer->steps;

  trainer->batch = batch;
  trainer->options = options;
  trainer->meanwhile = meanwhile;
  trainer->adamw = (HeadAdamW){
    .keep = (float) (1 - learning_rate * options->weight_decay),
    .beta1 = (float) HEAD_BETA1,
    .share1 = (float) (1 - HEAD_BETA1),
    .beta2 = (float) HEAD_BETA2,
    .share2 = (float) (1 - HEAD_BETA2),
    .size = (float) (learning_rate / (1 - pow (HEAD_BETA1, t))),
    .root_scale = (float) (1 / sqrt (1 - pow (HEAD_BETA2, t))),
    .epsilon = (float) HEAD_EPSILON,
  };
  forward_and_backward (trainer, batch->n);
  /* The hidden layer's two are changed already. */
  for (guint i = head->hidden > 0 ? 2 : 0; i < head->n_tensors; i++)
    adamw (trainer, i, 0, head->tensors[i].n);
  return trainer->loss;
}

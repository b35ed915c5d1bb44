#include "model/head_private.h"

#include "base/error.h"
#include "config.h"

#include <math.h>
#include <string.h>

#define FIT_STREAM 0x66697400 /* apart from the other uses of the run's seed */

/* Loops over rows of floats, compiled once for each kind of processor; the choice is made at start.
 * The sanitizers' start-up does not go with that. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(CTCLIP_SANITIZED)
#define VECTORIZED                                                                                 \
  __attribute__ ((target_clones ("arch=x86-64-v4", "arch=x86-64-v3", "default"),                   \
                  optimize ("O3", "fast-math")))
#else
#define VECTORIZED
#endif

/* ---- what both forms draw ---- */

void
head_draw_init (Random *random, const HeadFitOptions *options)
{
  random_init (random, options->seed, FIT_STREAM);
}

void
head_draw_order (Random *random, const HeadFitOptions *options, guint epoch, guint32 *order,
                 gsize n)
{
  for (gsize i = 0; i < n; i++)
    order[i] =
        options->order != NULL ? (guint32) options->order[(gsize) epoch * n + i] : (guint32) i;
  if (options->order == NULL)
    random_shuffle (random, order, n);
}

void
head_draw_keep (Random *random, const HeadFitOptions *options, guint epoch, gsize first, gsize n,
                gsize n_rows, guint hidden, guint8 *keep)
{
  /* 16 bits a unit: dropout is met to 1.5e-5, at a quarter of the draws. */
  guint64 limit = (guint64) (options->dropout * 65536), bits = 0;
  gsize total = n * hidden;

  if (options->keep != NULL)
    {
      memcpy (keep, options->keep + ((gsize) epoch * n_rows + first) * hidden, total);
      return;
    }
  for (gsize i = 0; i < total; i++, bits >>= 16)
    {
      if (i % 4 == 0)
        bits = random_u64 (random);
      keep[i] = (bits & 0xffff) >= limit;
    }
}

double
head_learning_rate (const HeadFitOptions *options, guint64 step, guint64 steps)
{
  if (!options->cosine)
    return options->learning_rate;
  return options->learning_rate * 0.5 * (1 + cos (G_PI * (double) step / (double) steps));
}

gboolean
head_fit_check (const Head *head, gsize n, const HeadFitOptions *options, GError **error)
{
  if (n > 0 && n < G_MAXUINT32 && options->batch > 0 && options->epochs > 0 && options->dropout >= 0
      && options->dropout < 1)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "%" G_GSIZE_FORMAT " rows in batches of %u over %u epochs cannot be trained on", n,
               options->batch, options->epochs);
  return FALSE;
}

/* ---- plain C ---- */

struct _HeadTrainer
{
  Head *head;
  guint batch;
  guint64 steps;
  float *input;    /* batch × width, standardised (and for norm-linear normalised) */
  float *normal;   /* batch × width: before gamma and beta, norm-linear only */
  float *hidden;   /* batch × hidden, after ReLU and dropout */
  float *d_hidden; /* batch × hidden */
  double *logits, *d_logits;
  float *d_out;   /* batch × classes */
  guint8 *labels; /* batch × classes */
  float *gradient[HEAD_MAX_TENSORS], *moment1[HEAD_MAX_TENSORS], *moment2[HEAD_MAX_TENSORS];
};

HeadTrainer *
head_trainer_new (Head *head, guint batch)
{
  HeadTrainer *trainer = g_new0 (HeadTrainer, 1);
  gsize hidden = MAX (head->hidden, 1);

  trainer->head = head;
  trainer->batch = batch;
  trainer->input = g_new (float, (gsize) batch * head->width);
  trainer->normal = g_new (float, head->kind == HEAD_NORM_LINEAR ? (gsize) batch * head->width : 1);
  trainer->hidden = g_new (float, batch *hidden);
  trainer->d_hidden = g_new (float, batch *hidden);
  trainer->logits = g_new (double, (gsize) batch * head->classes);
  trainer->d_logits = g_new (double, (gsize) batch * head->classes);
  trainer->d_out = g_new (float, (gsize) batch * head->classes);
  trainer->labels = g_new (guint8, (gsize) batch * head->classes);
  for (guint i = 0; i < head->n_tensors; i++)
    {
      trainer->gradient[i] = g_new0 (float, head->tensors[i].n);
      trainer->moment1[i] = g_new0 (float, head->tensors[i].n);
      trainer->moment2[i] = g_new0 (float, head->tensors[i].n);
    }
  return trainer;
}

void
head_trainer_free (HeadTrainer *trainer)
{
  for (guint i = 0; i < trainer->head->n_tensors; i++)
    {
      g_free (trainer->gradient[i]);
      g_free (trainer->moment1[i]);
      g_free (trainer->moment2[i]);
    }
  g_free (trainer->input);
  g_free (trainer->normal);
  g_free (trainer->hidden);
  g_free (trainer->d_hidden);
  g_free (trainer->logits);
  g_free (trainer->d_logits);
  g_free (trainer->d_out);
  g_free (trainer->labels);
  g_free (trainer);
}

const float *
head_trainer_gradient (const HeadTrainer *trainer, guint i)
{
  return trainer->gradient[i];
}

/** out (n × n_out) = in (n × n_in) · weightᵀ + bias. Four outputs at a time share one pass over the
 * input. */
VECTORIZED static void
forward_linear (const float *restrict weight, const float *restrict bias, const float *restrict in,
                guint n, guint n_in, guint n_out, float *restrict out)
{
  for (guint row = 0; row < n; row++)
    {
      const float *restrict x = in + (gsize) row * n_in;
      guint o = 0;

      for (; o + 4 <= n_out; o += 4)
        {
          const float *restrict w = weight + (gsize) o * n_in;
          float sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;

          for (guint i = 0; i < n_in; i++)
            {
              sum0 += w[i] * x[i];
              sum1 += w[n_in + i] * x[i];
              sum2 += w[2 * (gsize) n_in + i] * x[i];
              sum3 += w[3 * (gsize) n_in + i] * x[i];
            }
          out[(gsize) row * n_out + o] = sum0 + bias[o];
          out[(gsize) row * n_out + o + 1] = sum1 + bias[o + 1];
          out[(gsize) row * n_out + o + 2] = sum2 + bias[o + 2];
          out[(gsize) row * n_out + o + 3] = sum3 + bias[o + 3];
        }
      for (; o < n_out; o++)
        {
          float sum = 0;

          for (guint i = 0; i < n_in; i++)
            sum += weight[(gsize) o * n_in + i] * x[i];
          out[(gsize) row * n_out + o] = sum + bias[o];
        }
    }
}

/** d_weight (n_out × n_in) = d_outᵀ · in, d_bias = column sums of d_out. */
VECTORIZED static void
backward_weights (const float *restrict d_out, const float *restrict in, guint n, guint n_in,
                  guint n_out, float *restrict d_weight, float *restrict d_bias)
{
  for (guint o = 0; o < n_out; o++)
    {
      float *restrict row = d_weight + (gsize) o * n_in;
      float sum = 0;
      guint r = 0;

      memset (row, 0, n_in * sizeof *row);
      for (; r + 4 <= n; r += 4)
        {
          const float *restrict x = in + (gsize) r * n_in;
          float d0 = d_out[(gsize) r * n_out + o], d1 = d_out[(gsize) (r + 1) * n_out + o],
                d2 = d_out[(gsize) (r + 2) * n_out + o], d3 = d_out[(gsize) (r + 3) * n_out + o];

          sum += d0 + d1 + d2 + d3;
          for (guint i = 0; i < n_in; i++)
            row[i] += d0 * x[i] + d1 * x[n_in + i] + d2 * x[2 * (gsize) n_in + i]
                      + d3 * x[3 * (gsize) n_in + i];
        }
      for (; r < n; r++)
        {
          float d = d_out[(gsize) r * n_out + o];

          sum += d;
          for (guint i = 0; i < n_in; i++)
            row[i] += d * in[(gsize) r * n_in + i];
        }
      d_bias[o] = sum;
    }
}

/** d_in (n × n_in) = d_out · weight. */
VECTORIZED static void
backward_input (const float *restrict d_out, const float *restrict weight, guint n, guint n_in,
                guint n_out, float *restrict d_in)
{
  for (guint r = 0; r < n; r++)
    {
      float *restrict row = d_in + (gsize) r * n_in;

      memset (row, 0, n_in * sizeof *row);
      for (guint o = 0; o < n_out; o++)
        {
          float d = d_out[(gsize) r * n_out + o];

          for (guint i = 0; i < n_in; i++)
            row[i] += d * weight[(gsize) o * n_in + i];
        }
    }
}

/** AdamW with decoupled decay (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2), as PyTorch
 * orders it. */
VECTORIZED static void
adamw (float *restrict weights, const float *restrict gradient, float *restrict moment1,
       float *restrict moment2, gsize n, float learning_rate, float decay, float correction1,
       float correction2_root)
{
  const float beta1 = (float) HEAD_BETA1, beta2 = (float) HEAD_BETA2,
              epsilon = (float) HEAD_EPSILON;
  const float step = learning_rate / correction1;

  for (gsize i = 0; i < n; i++)
    {
      float g = gradient[i];

      moment1[i] = beta1 * moment1[i] + (1 - beta1) * g;
      moment2[i] = beta2 * moment2[i] + (1 - beta2) * g * g;
      weights[i] = weights[i] * (1 - learning_rate * decay)
                   - step * moment1[i] / (sqrtf (moment2[i]) / correction2_root + epsilon);
    }
}

static void
gather_batch (HeadTrainer *trainer, const float *latents, const guint8 *labels, const guint32 *rows,
              guint n)
{
  const Head *head = trainer->head;

  for (guint r = 0; r < n; r++)
    {
      gsize row = rows != NULL ? rows[r] : r;
      const float *latent = latents + row * head->width;
      float *input = trainer->input + (gsize) r * head->width;

      for (guint i = 0; i < head->width; i++)
        input[i] = head->mean != NULL ? (latent[i] - head->mean[i]) * head->scale[i] : latent[i];
      memcpy (trainer->labels + (gsize) r * head->classes, labels + row * head->classes,
              head->classes);
    }
}

/** LayerNorm over each row, in place; `normal` keeps what came before gamma and beta. */
static void
normalize_batch (HeadTrainer *trainer, guint n)
{
  const Head *head = trainer->head;
  const float *gamma = head->tensors[0].data, *beta = head->tensors[1].data;

  for (guint r = 0; r < n; r++)
    {
      float *x = trainer->input + (gsize) r * head->width,
            *normal = trainer->normal + (gsize) r * head->width;
      double mean = 0, variance = 0, scale;

      for (guint i = 0; i < head->width; i++)
        mean += x[i];
      mean /= head->width;
      for (guint i = 0; i < head->width; i++)
        variance += (x[i] - mean) * (x[i] - mean);
      scale = 1 / sqrt (variance / head->width + HEAD_NORM_EPSILON);
      for (guint i = 0; i < head->width; i++)
        {
          normal[i] = (float) ((x[i] - mean) * scale);
          x[i] = normal[i] * gamma[i] + beta[i];
        }
    }
}

/** Gradients of gamma and beta; the latents themselves are not trained. */
static void
backward_norm (HeadTrainer *trainer, guint n, const float *d_input)
{
  const Head *head = trainer->head;

  for (guint t = 0; t < 2; t++)
    memset (trainer->gradient[t], 0, head->width * sizeof (float));
  for (guint r = 0; r < n; r++)
    for (guint i = 0; i < head->width; i++)
      {
        gsize at = (gsize) r * head->width + i;

        trainer->gradient[0][i] += d_input[at] * trainer->normal[at];
        trainer->gradient[1][i] += d_input[at];
      }
}

static void
drop_units (HeadTrainer *trainer, guint n, const guint8 *keep, float scale)
{
  gsize total = (gsize) n * trainer->head->hidden;

  for (gsize i = 0; i < total; i++)
    trainer->hidden[i] =
        trainer->hidden[i] > 0 && (keep == NULL || keep[i]) ? trainer->hidden[i] * scale : 0;
}

/** Through ReLU and dropout: units that were silent pass nothing back. */
static void
backward_units (HeadTrainer *trainer, guint n, float scale)
{
  gsize total = (gsize) n * trainer->head->hidden;

  for (gsize i = 0; i < total; i++)
    trainer->d_hidden[i] = trainer->hidden[i] > 0 ? trainer->d_hidden[i] * scale : 0;
}

/** Logits of the batch in `d_out` as float, then the loss in double; `d_out` ends as dL/dlogit. */
static double
judge_batch (HeadTrainer *trainer, guint n, const FocalLoss *loss)
{
  gsize total = (gsize) n * trainer->head->classes;
  double mean;

  for (gsize i = 0; i < total; i++)
    trainer->logits[i] = trainer->d_out[i];
  mean = focal_loss (loss, trainer->logits, trainer->labels, n, trainer->head->classes,
                     trainer->d_logits);
  for (gsize i = 0; i < total; i++)
    trainer->d_out[i] = (float) trainer->d_logits[i];
  return mean;
}

static double
forward_and_backward (HeadTrainer *trainer, guint n, const guint8 *keep,
                      const HeadFitOptions *options)
{
  const Head *head = trainer->head;
  guint width = head->width, hidden = head->hidden, classes = head->classes;
  float scale = keep != NULL ? (float) (1 / (1 - options->dropout)) : 1;
  double loss;

  switch (head->kind)
    {
    case HEAD_MLP:
      forward_linear (head->tensors[0].data, head->tensors[1].data, trainer->input, n, width,
                      hidden, trainer->hidden);
      drop_units (trainer, n, keep, scale);
      forward_linear (head->tensors[2].data, head->tensors[3].data, trainer->hidden, n, hidden,
                      classes, trainer->d_out);
      loss = judge_batch (trainer, n, &options->loss);
      backward_weights (trainer->d_out, trainer->hidden, n, hidden, classes, trainer->gradient[2],
                        trainer->gradient[3]);
      backward_input (trainer->d_out, head->tensors[2].data, n, hidden, classes, trainer->d_hidden);
      backward_units (trainer, n, scale);
      backward_weights (trainer->d_hidden, trainer->input, n, width, hidden, trainer->gradient[0],
                        trainer->gradient[1]);
      return loss;
    case HEAD_LINEAR:
      forward_linear (head->tensors[0].data, head->tensors[1].data, trainer->input, n, width,
                      classes, trainer->d_out);
      loss = judge_batch (trainer, n, &options->loss);
      backward_weights (trainer->d_out, trainer->input, n, width, classes, trainer->gradient[0],
                        trainer->gradient[1]);
      return loss;
    case HEAD_NORM_LINEAR:
      normalize_batch (trainer, n);
      forward_linear (head->tensors[2].data, head->tensors[3].data, trainer->input, n, width,
                      classes, trainer->d_out);
      loss = judge_batch (trainer, n, &options->loss);
      backward_weights (trainer->d_out, trainer->input, n, width, classes, trainer->gradient[2],
                        trainer->gradient[3]);
      /* The input is not needed any more and makes room for its gradient. */
      backward_input (trainer->d_out, head->tensors[2].data, n, width, classes, trainer->input);
      backward_norm (trainer, n, trainer->input);
      return loss;
    }
  g_return_val_if_reached (NAN);
}

double
head_trainer_step (HeadTrainer *trainer, const float *latents, const guint8 *labels,
                   const guint32 *rows, guint n, const guint8 *keep, const HeadFitOptions *options,
                   double learning_rate)
{
  Head *head = trainer->head;
  double loss, correction1, correction2_root;

  gather_batch (trainer, latents, labels, rows, n);
  loss = forward_and_backward (trainer, n, keep, options);
  trainer->steps++;
  correction1 = 1 - pow (HEAD_BETA1, (double) trainer->steps);
  correction2_root = sqrt (1 - pow (HEAD_BETA2, (double) trainer->steps));
  for (guint i = 0; i < head->n_tensors; i++)
    adamw (head->tensors[i].data, trainer->gradient[i], trainer->moment1[i], trainer->moment2[i],
           head->tensors[i].n, (float) learning_rate, (float) options->weight_decay,
           (float) correction1, (float) correction2_root);
  return loss;
}

gboolean
head_fit (Head *head, const float *latents, const guint8 *labels, gsize n,
          const HeadFitOptions *options, HeadEpochFunc on_epoch, gpointer user_data,
          GCancellable *cancellable, GError **error)
{
  g_autoptr (HeadTrainer) trainer = NULL;
  g_autofree guint32 *order = NULL;
  g_autofree guint8 *keep = NULL;
  gboolean drops = head->hidden > 0 && (options->dropout > 0 || options->keep != NULL);
  guint batch = (guint) MIN (options->batch, n);
  guint64 step = 0,
          steps = (guint64) options->epochs * ((n + options->batch - 1) / MAX (options->batch, 1));
  Random random;

  if (!head_fit_check (head, n, options, error))
    return FALSE;
  trainer = head_trainer_new (head, batch);
  order = g_new (guint32, n);
  keep = g_new (guint8, drops ? (gsize) batch * head->hidden : 1);
  head_draw_init (&random, options);
  for (guint epoch = 0; epoch < options->epochs; epoch++)
    {
      double loss_sum = 0;

      head_draw_order (&random, options, epoch, order, n);
      for (gsize first = 0; first < n; first += batch, step++)
        {
          guint rows = (guint) MIN (batch, n - first);
          double loss;

          if (g_cancellable_set_error_if_cancelled (cancellable, error))
            return FALSE;
          if (drops)
            head_draw_keep (&random, options, epoch, first, rows, n, head->hidden, keep);
          loss =
              head_trainer_step (trainer, latents, labels, order + first, rows, drops ? keep : NULL,
                                 options, head_learning_rate (options, step, steps));
          if (options->step_losses != NULL)
            options->step_losses[step] = loss;
          loss_sum += loss * rows;
        }
      if (on_epoch != NULL && !on_epoch (epoch + 1, head, loss_sum / (double) n, user_data, error))
        return FALSE;
    }
  return TRUE;
}

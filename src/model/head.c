#include "model/head_private.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

#define INIT_STREAM 0x696e6974 /* apart from the other uses of the run's seed */

static const char *const kind_names[] = {
  [HEAD_MLP] = "mlp", [HEAD_LINEAR] = "linear", [HEAD_NORM_LINEAR] = "norm-linear"
};

gboolean
head_kind_parse (const char *text, HeadKind *kind, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (kind_names); i++)
    if (strcmp (kind_names[i], text) == 0)
      {
        *kind = (HeadKind) i;
        return TRUE;
      }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "head '%s': give mlp, linear or norm-linear", text);
  return FALSE;
}

const char *
head_kind_name (HeadKind kind)
{
  return kind_names[kind];
}

/* ---- life ---- */

static float *
add_tensor (Head *head, const char *name, guint n_dims, gint64 rows, gint64 columns)
{
  guint i = head->n_tensors++;

  head->tensors[i].name = name;
  head->tensors[i].n_dims = n_dims;
  head->tensors[i].shape[0] = rows;
  head->tensors[i].shape[1] = columns;
  head->tensors[i].n = (gsize) rows * (gsize) (n_dims == 2 ? columns : 1);
  return head->tensors[i].data = g_new0 (float, head->tensors[i].n);
}

/** nn.Linear's own start: weights and biases uniform in ±1/sqrt(fan_in). */
static void
add_linear (Head *head, const char *weight, const char *bias, guint in, guint out, Random *random)
{
  float *const starts[] = { add_tensor (head, weight, 2, out, in),
                            add_tensor (head, bias, 1, out, 0) };
  const gsize sizes[] = { (gsize) in * out, out };
  double bound = 1 / sqrt (in);

  for (guint t = 0; t < 2; t++)
    for (gsize i = 0; i < sizes[t]; i++)
      starts[t][i] = (float) ((2 * random_uniform (random) - 1) * bound);
}

Head *
head_new (HeadKind kind, guint width, guint hidden, guint classes, guint64 seed)
{
  Head *head = g_new0 (Head, 1);
  Random random;

  head->kind = kind;
  head->width = width;
  head->hidden = kind == HEAD_MLP ? hidden : 0;
  head->classes = classes;
  random_init (&random, seed, INIT_STREAM);
  switch (kind)
    {
    case HEAD_MLP:
      /* The numbers are places in nn.Sequential (Linear, ReLU, Dropout, Linear). */
      add_linear (head, "0.weight", "0.bias", width, hidden, &random);
      add_linear (head, "3.weight", "3.bias", hidden, classes, &random);
      break;
    case HEAD_LINEAR:
      add_linear (head, "0.weight", "0.bias", width, classes, &random);
      break;
      case HEAD_NORM_LINEAR: {
        float *gamma = add_tensor (head, "0.weight", 1, width, 0);

        add_tensor (head, "0.bias", 1, width, 0);
        for (guint i = 0; i < width; i++)
          gamma[i] = 1;
        add_linear (head, "1.weight", "1.bias", width, classes, &random);
        break;
      }
    }
  return head;
}

Head *
head_copy (const Head *head)
{
  Head *copy = g_memdup2 (head, sizeof *head);

  copy->mean = g_memdup2 (head->mean, head->width * sizeof *head->mean);
  copy->scale = g_memdup2 (head->scale, head->width * sizeof *head->scale);
  for (guint i = 0; i < head->n_tensors; i++)
    copy->tensors[i].data = g_memdup2 (head->tensors[i].data, head->tensors[i].n * sizeof (float));
  return copy;
}

void
head_free (Head *head)
{
  for (guint i = 0; i < head->n_tensors; i++)
    g_free (head->tensors[i].data);
  g_free (head->mean);
  g_free (head->scale);
  g_free (head);
}

/* ---- use ---- */

/** out (n_out) = bias + weight (n_out × n_in) · in, summed in double. */
static void
linear (const float *weight, const float *bias, const double *in, guint n_in, guint n_out,
        double *out)
{
  for (guint o = 0; o < n_out; o++)
    {
      const float *row = weight + (gsize) o * n_in;
      double sum = 0;

      for (guint i = 0; i < n_in; i++)
        sum += row[i] * in[i];
      out[o] = sum + bias[o];
    }
}

static void
layer_norm (const float *gamma, const float *beta, double *x, guint n)
{
  double mean = 0, variance = 0, scale;

  for (guint i = 0; i < n; i++)
    mean += x[i];
  mean /= n;
  for (guint i = 0; i < n; i++)
    variance += (x[i] - mean) * (x[i] - mean);
  scale = 1 / sqrt (variance / n + HEAD_NORM_EPSILON);
  for (guint i = 0; i < n; i++)
    x[i] = (x[i] - mean) * scale * gamma[i] + beta[i];
}

void
head_apply (const Head *head, const float *latents, gsize n, double *logits)
{
  g_autofree double *x = g_new (double, head->width);
  g_autofree double *hidden = g_new (double, MAX (head->hidden, 1));

  for (gsize row = 0; row < n; row++)
    {
      const float *latent = latents + row * head->width;
      double *out = logits + row * head->classes;

      for (guint i = 0; i < head->width; i++)
        x[i] = head->mean != NULL ? (latent[i] - head->mean[i]) * head->scale[i] : latent[i];
      switch (head->kind)
        {
        case HEAD_MLP:
          linear (head->tensors[0].data, head->tensors[1].data, x, head->width, head->hidden,
                  hidden);
          for (guint i = 0; i < head->hidden; i++)
            hidden[i] = MAX (hidden[i], 0);
          linear (head->tensors[2].data, head->tensors[3].data, hidden, head->hidden, head->classes,
                  out);
          break;
        case HEAD_LINEAR:
          linear (head->tensors[0].data, head->tensors[1].data, x, head->width, head->classes, out);
          break;
        case HEAD_NORM_LINEAR:
          layer_norm (head->tensors[0].data, head->tensors[1].data, x, head->width);
          linear (head->tensors[2].data, head->tensors[3].data, x, head->width, head->classes, out);
          break;
        }
    }
}

#include "model/head_private.h"

#include "base/error.h"
#include "model/head_kernels.h"

#include <math.h>
#include <string.h>

/* Loops over numbers want vectors, whatever the rest is compiled with. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

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

static void
add_tensor (Head *head, const char *name, guint n_dims, gint64 rows, gint64 columns)
{
  guint i = head->n_tensors++;

  head->tensors[i].name = name;
  head->tensors[i].n_dims = n_dims;
  head->tensors[i].shape[0] = rows;
  head->tensors[i].shape[1] = columns;
  head->tensors[i].n = (gsize) rows * (gsize) columns;
}

/** nn.Linear's: weight (out × in), bias (out). */
static void
add_linear (Head *head, const char *weight, const char *bias, guint in, guint out)
{
  add_tensor (head, weight, 2, out, in);
  add_tensor (head, bias, 1, out, 1);
}

Head *
head_new_hollow (HeadKind kind, guint width, guint hidden, guint classes)
{
  Head *head = g_new0 (Head, 1);

  head->kind = kind;
  head->width = width;
  head->hidden = kind == HEAD_MLP ? hidden : 0;
  head->classes = classes;
  /* The numbers in the names are places in nn.Sequential. */
  switch (kind)
    {
    case HEAD_MLP: /* Linear, ReLU, Dropout, Linear */
      add_linear (head, "0.weight", "0.bias", width, hidden);
      add_linear (head, "3.weight", "3.bias", hidden, classes);
      break;
    case HEAD_LINEAR:
      add_linear (head, "0.weight", "0.bias", width, classes);
      break;
    case HEAD_NORM_LINEAR: /* LayerNorm, Linear */
      add_tensor (head, "0.weight", 1, width, 1);
      add_tensor (head, "0.bias", 1, width, 1);
      add_linear (head, "1.weight", "1.bias", width, classes);
      break;
    }
  return head;
}

static void
fill_uniform (float *numbers, gsize n, double bound, Random *random)
{
  for (gsize i = 0; i < n; i++)
    numbers[i] = (float) ((2 * random_uniform (random) - 1) * bound);
}

Head *
head_new (HeadKind kind, guint width, guint hidden, guint classes, guint64 seed)
{
  Head *head = head_new_hollow (kind, width, hidden, classes);
  Random random;

  random_init (&random, seed, INIT_STREAM);
  for (guint i = 0; i < head->n_tensors; i++)
    head->tensors[i].data = g_new0 (float, head->tensors[i].n);
  for (guint i = 0; i < head->n_tensors; i += 2)
    {
      const gint64 fan_in = head->tensors[i].shape[1];

      if (head->tensors[i].n_dims == 1)
        for (gsize j = 0; j < head->tensors[i].n; j++)
          head->tensors[i].data[j] = 1; /* LayerNorm's */
      else
        for (guint j = i; j < i + 2; j++)
          fill_uniform (head->tensors[j].data, head->tensors[j].n, 1 / sqrt ((double) fan_in),
                        &random);
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

void
head_standardize (const Head *head, const float *latent, float *input)
{
  if (head->mean == NULL)
    memcpy (input, latent, head->width * sizeof *input);
  else
    for (gsize i = 0; i < head->width; i++)
      input[i] = (latent[i] - head->mean[i]) * head->scale[i];
}

/** LayerNorm without γ and β. */
static void
normalize (double *x, gsize n)
{
  double mean = 0, variance = 0, scale;

  for (gsize i = 0; i < n; i++)
    mean += x[i];
  mean /= (double) n;
  for (gsize i = 0; i < n; i++)
    variance += (x[i] - mean) * (x[i] - mean);
  scale = 1 / sqrt (variance / (double) n + HEAD_NORM_EPSILON);
  for (gsize i = 0; i < n; i++)
    x[i] = (x[i] - mean) * scale;
}

#define BLOCK 64 /* rows at a time */

/** What head_apply works with, all in double. */
typedef struct
{
  const Head *head;
  const HeadKernels *kernels;
  const float *latents;
  gsize n;
  double *logits;
  double *tensors[HEAD_MAX_TENSORS];
  /* for each thread */
  float *row;            /* width */
  double *input, *units; /* BLOCK × width, BLOCK × hidden */
} Use;

/** out (n × n_out) = in (n × n_in) · weightᵀ + bias */
static void
apply_linear (const Use *use, guint first, const double *in, gsize n, gsize n_in, gsize n_out,
              double *out)
{
  const DoubleMatrix input = head_rows (in, n_in),
                     weight = head_columns (use->tensors[first], n_in);

  use->kernels->multiply_doubles (input, weight, n, n_out, n_in, out);
  for (gsize r = 0; r < n; r++)
    for (gsize o = 0; o < n_out; o++)
      out[r * n_out + o] += use->tensors[first + 1][o];
}

/** A TeamWork over blocks of rows. */
static void
apply_block (gsize block, guint thread, gpointer data)
{
  const Use *use = data;
  const Head *head = use->head;
  const gsize width = head->width, hidden = head->hidden, first = block * BLOCK,
              n = MIN (BLOCK, use->n - first);
  float *row = use->row + thread * width;
  double *input = use->input + thread * BLOCK * width,
         *units = use->units + thread * BLOCK * hidden,
         *logits = use->logits + first * head->classes;

  for (gsize r = 0; r < n; r++)
    {
      double *x = input + r * width;

      head_standardize (head, use->latents + (first + r) * width, row);
      for (gsize i = 0; i < width; i++)
        x[i] = (double) row[i];
    }
  switch (head->kind)
    {
    case HEAD_MLP:
      apply_linear (use, 0, input, n, width, hidden, units);
      for (gsize i = 0; i < n * hidden; i++)
        units[i] = MAX (units[i], 0);
      apply_linear (use, 2, units, n, hidden, head->classes, logits);
      break;
    case HEAD_LINEAR:
      apply_linear (use, 0, input, n, width, head->classes, logits);
      break;
    case HEAD_NORM_LINEAR:
      for (gsize r = 0; r < n; r++)
        {
          double *x = input + r * width;

          normalize (x, width);
          for (gsize i = 0; i < width; i++)
            x[i] = x[i] * use->tensors[0][i] + use->tensors[1][i];
        }
      apply_linear (use, 2, input, n, width, head->classes, logits);
      break;
    }
}

void
head_apply (const Head *head, const float *latents, gsize n, Team *team, double *logits)
{
  const gsize threads = team_size (team), rows = threads * BLOCK;
  Use use = { .head = head,
              .kernels = head_kernels (0),
              .latents = latents,
              .n = n,
              .logits = logits,
              .row = g_new (float, threads * head->width),
              .input = g_new (double, rows * head->width),
              .units = g_new (double, rows * head->hidden) };

  for (guint i = 0; i < head->n_tensors; i++)
    {
      use.tensors[i] = g_new (double, head->tensors[i].n);
      for (gsize j = 0; j < head->tensors[i].n; j++)
        use.tensors[i][j] = (double) head->tensors[i].data[j];
    }
  team_run (team, (n + BLOCK - 1) / BLOCK, apply_block, &use, NULL);
  for (guint i = 0; i < head->n_tensors; i++)
    g_free (use.tensors[i]);
  g_free (use.units);
  g_free (use.input);
  g_free (use.row);
}

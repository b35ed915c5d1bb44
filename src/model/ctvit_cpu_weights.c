/*
 * Opening an encoder for the processor: its weights, in the order in which the kernels read them.
 */
#include "model/ctvit_cpu.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- placing ---- */

static void
tensor_free (gpointer data)
{
  Tensor *tensor = data;

  g_free (tensor->numbers);
  g_free (tensor->tiles);
  g_free (tensor->rounded);
  g_free (tensor);
}

static Tensor *
place (float *numbers, guint n_dims, const gint64 *shape, gpointer tensors)
{
  Tensor *tensor = g_new0 (Tensor, 1);

  tensor->numbers = numbers;
  tensor->columns = (gsize) shape[n_dims - 1];
  tensor->rows = 1;
  for (guint i = 0; i + 1 < n_dims; i++)
    tensor->rows *= (gsize) shape[i];
  g_ptr_array_add (tensors, tensor);
  return tensor;
}

/** The kernels need the tiles only. */
static gboolean
pack (const CtvitCpu *cpu, Tensor *matrix, GError **error)
{
  matrix->tiles =
      ctvit_cpu_tile (cpu->kernels, matrix->numbers, matrix->rows, matrix->columns, error);
  g_clear_pointer (&matrix->numbers, g_free);
  return matrix->tiles != NULL;
}

/** Of a matrix whose products are rounded where the encoder's precision says so. */
static gboolean
pack_product (const CtvitCpu *cpu, Tensor *matrix, GError **error)
{
  if (cpu->precision == ENCODER_FLOAT32)
    return pack (cpu, matrix, error);
  matrix->rounded =
      ctvit_cpu_round (cpu->kernels, matrix->numbers, matrix->rows, matrix->columns, error);
  g_clear_pointer (&matrix->numbers, g_free);
  return matrix->rounded != NULL;
}

/** Values and gates each fill whole tiles. */
static gboolean
pack_halves (const CtvitCpu *cpu, Tensor *matrix, GError **error)
{
  const gsize half = matrix->rows / 2, n = half * matrix->columns;
  const gsize whole = ctvit_cpu_rows (cpu->kernels, half) * matrix->columns;
  g_autofree float *numbers = ctvit_cpu_floats (2 * whole, error);

  if (numbers == NULL)
    return FALSE;
  memset (numbers, 0, 2 * whole * sizeof *numbers);
  for (guint i = 0; i < 2; i++)
    memcpy (numbers + i * whole, matrix->numbers + i * n, n * sizeof *numbers);
  g_free (matrix->numbers);
  matrix->numbers = g_steal_pointer (&numbers);
  matrix->rows = 2 * whole / matrix->columns;
  return pack_product (cpu, matrix, error);
}

/** dim × 27 → 27 × dim */
static gboolean
pack_peg (const Ctvit *net, Tensor *kernel, GError **error)
{
  enum
  {
    TAPS = 27
  };

  kernel->tiles = ctvit_cpu_floats (TAPS * net->dim, error);
  if (kernel->tiles == NULL)
    return FALSE;
  for (gsize tap = 0; tap < TAPS; tap++)
    for (gsize c = 0; c < net->dim; c++)
      kernel->tiles[tap * net->dim + c] = kernel->numbers[c * TAPS + tap];
  g_clear_pointer (&kernel->numbers, g_free);
  return TRUE;
}

static gboolean
pack_transformer (const CtvitCpu *cpu, const CtvitTransformer *transformer, GError **error)
{
  for (guint i = 0; i < transformer->n_layers; i++)
    {
      const CtvitLayer *layer = &transformer->layers[i];

      if (!pack_peg (cpu->net, layer->peg.kernel, error)
          || !pack_product (cpu, layer->attention.to_q, error)
          || !pack_product (cpu, layer->attention.to_kv, error)
          || !pack_product (cpu, layer->attention.to_out, error)
          || !pack_halves (cpu, layer->feed_forward.in, error)
          || !pack_product (cpu, layer->feed_forward.out, error))
        return FALSE;
    }
  return TRUE;
}

/** Tiles of the codes at norm 1, beside the codes as stored. */
static gboolean
pack_codes (CtvitCpu *cpu, Tensor *codes, GError **error)
{
  const gsize n = codes->rows * codes->columns;
  g_autofree float *unit = g_memdup2 (codes->numbers, n * sizeof (float));

  for (float *code = unit; code < unit + n; code += codes->columns)
    {
      const float size = (float) sqrt (cpu->kernels->dot (code, code, codes->columns));

      for (gsize c = 0; c < codes->columns; c++)
        code[c] /= MAX (size, 1e-12f);
    }
  codes->tiles = ctvit_cpu_tile (cpu->kernels, unit, codes->rows, codes->columns, error);
  if (codes->tiles == NULL || cpu->precision == ENCODER_FLOAT32)
    return codes->tiles != NULL;
  codes->rounded = ctvit_cpu_round (cpu->kernels, unit, codes->rows, codes->columns, error);
  for (gsize i = 0; i < n; i++)
    cpu->codes_scale = MAX (cpu->codes_scale, fabsf (unit[i]) / CPU_ROUNDED_MOST);
  return codes->rounded != NULL;
}

/* ---- position bias ---- */

/** @x: a panel, which gets @bias and, unless it is the last layer's, LeakyReLU. */
static void
activate (const CtvitCpu *cpu, float *x, const Tensor *bias, gboolean last)
{
  const gsize lanes = cpu->kernels->lanes;

  for (gsize i = 0; i < bias->columns * lanes; i++)
    {
      x[i] += bias->numbers[i / lanes];
      if (!last && x[i] < 0)
        x[i] *= (float) CTVIT_LEAKY_SLOPE;
    }
}

/** The MLP's result for each offset: offsets × heads. */
static float *
offset_biases (const CtvitCpu *cpu, gsize n_offsets, GError **error)
{
  const CtvitPositionBias *w = &cpu->net->position;
  const CpuKernels *k = cpu->kernels;
  const gsize width = w->weight[0]->rows, heads = cpu->net->heads;
  const gsize size = ctvit_cpu_rows (k, MAX (width, heads)) * k->lanes;
  g_autofree float *offsets = g_new (float, 2 * n_offsets);
  g_autofree float *x = ctvit_cpu_floats (size, error);
  g_autofree float *y = x != NULL ? ctvit_cpu_floats (size, error) : NULL;
  float *biases;

  if (y == NULL)
    return NULL;
  biases = g_new (float, n_offsets *heads);
  ctvit_position_offsets (cpu->net, offsets);
  for (gsize first = 0; first < n_offsets; first += k->lanes)
    {
      const gsize n = MIN (k->lanes, n_offsets - first);

      ctvit_cpu_load_panel (k, offsets + 2 * first, n, 2, x);
      for (guint i = 0; i < 3; i++)
        {
          const CtvitOperand operand = { .n = 1, .panels = x };
          float *swap = x;

          ctvit_cpu_project (k, w->weight[i], &operand, y, 0);
          activate (cpu, y, w->bias[i], i == 2);
          x = y;
          y = swap;
        }
      for (gsize l = 0; l < n; l++)
        for (gsize head = 0; head < heads; head++)
          biases[(first + l) * heads + head] = x[head * k->lanes + l];
    }
  return biases;
}

static gboolean
place_position (CtvitCpu *cpu, GError **error)
{
  const Ctvit *net = cpu->net;
  const CpuKernels *k = cpu->kernels;
  const gsize n = (gsize) net->tokens_h * net->tokens_w, lanes = k->lanes;
  const gsize keys = ctvit_cpu_rows (k, n), queries = (n + lanes - 1) / lanes * lanes;
  g_autofree float *biases = NULL;
  float *to;

  for (guint i = 0; i < 3; i++)
    if (!pack (cpu, net->position.weight[i], error))
      return FALSE;
  biases =
      offset_biases (cpu, (2 * (gsize) net->tokens_h - 1) * (2 * (gsize) net->tokens_w - 1), error);
  if (biases == NULL
      || (cpu->position = ctvit_cpu_floats (net->heads * queries * keys, error)) == NULL)
    return FALSE;
  to = cpu->position;
  for (gsize head = 0; head < net->heads; head++)
    for (gsize first = 0; first < queries; first += lanes)
      for (gsize j = 0; j < keys; j++)
        for (gsize i = first; i < first + lanes; i++)
          *to++ = j >= n   ? CTVIT_NEVER
                  : i >= n ? 0
                           : biases[ctvit_position_offset (net, i, j) * net->heads + head];
  return TRUE;
}

/* ---- opening ---- */

CtvitCpu *
ctvit_cpu_load (const char *path, const EncoderDescription *description, guint threads,
                GError **error)
{
  g_autoptr (CtvitCpu) cpu = g_new0 (CtvitCpu, 1);
  const Ctvit *net;
  gsize numbers;

  cpu->kernels = cpu_kernels (0);
  cpu->precision = description->precision;
  cpu->tensors = g_ptr_array_new_with_free_func (tensor_free);
  net = cpu->net = ctvit_load (path, description, place, cpu->tensors, error);
  if (net == NULL)
    return NULL;
  numbers = (gsize) net->tokens_t * net->tokens_h * net->tokens_w * net->dim;
  if (!pack_product (cpu, net->patch_weight, error) || !pack_transformer (cpu, &net->spatial, error)
      || !pack_transformer (cpu, &net->temporal, error) || !pack_codes (cpu, net->codes, error)
      || !place_position (cpu, error) || (cpu->x = ctvit_cpu_floats (numbers, error)) == NULL
      || (cpu->y = ctvit_cpu_floats (numbers, error)) == NULL)
    return NULL;
  cpu->team = team_new (threads);
  cpu->scratch = g_new0 (CtvitScratch *, threads);
  for (guint i = 0; i < threads; i++)
    if ((cpu->scratch[i] = ctvit_cpu_scratch_new (cpu, error)) == NULL)
      return NULL;
  return g_steal_pointer (&cpu);
}

void
ctvit_cpu_free (CtvitCpu *cpu)
{
  for (guint i = 0; cpu->scratch != NULL && i < team_size (cpu->team); i++)
    ctvit_cpu_scratch_free (cpu->scratch[i]);
  g_free (cpu->scratch);
  g_clear_pointer (&cpu->team, team_free);
  g_clear_pointer (&cpu->net, ctvit_free);
  g_clear_pointer (&cpu->tensors, g_ptr_array_unref);
  g_free (cpu->position);
  g_free (cpu->x);
  g_free (cpu->y);
  g_free (cpu);
}

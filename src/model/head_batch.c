/* A batch of latents, laid out for a step of training. */
#include "model/head_private.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64
#define ROWS_TOGETHER 8

float *
head_floats (gsize n)
{
  const gsize lines = n * sizeof (float) / CACHE_LINE + 1;
  float *numbers = aligned_alloc (CACHE_LINE, lines * CACHE_LINE);

  if (numbers == NULL)
    g_error ("no memory for %" G_GSIZE_FORMAT " numbers", n);
  return memset (numbers, 0, lines * CACHE_LINE);
}

HeadBatch *
head_batch_new (const Head *head, guint rows)
{
  HeadBatch *batch = g_new0 (HeadBatch, 1);

  batch->labels = g_new (guint8, (gsize) rows * head->classes);
  batch->input = head_floats ((gsize) rows * head->width);
  if (head->kind == HEAD_MLP)
    {
      batch->turned = head_floats ((gsize) rows * head->width);
      batch->keep = g_new (guint8, (gsize) rows * head->hidden);
    }
  return batch;
}

void
head_batch_free (HeadBatch *batch)
{
  g_free (batch->labels);
  g_free (batch->input);
  g_free (batch->turned);
  g_free (batch->keep);
  g_free (batch);
}

/** A few rows of the input as columns: all at once, their lines of the cache are read only once. */
static void
turn (HeadBatch *batch, gsize width, gsize first, gsize end)
{
  for (gsize i = 0; i < width; i++)
    for (gsize r = first; r < end; r++)
      batch->turned[i * batch->n + r] = batch->input[r * width + i];
}

void
head_batch_gather (HeadBatch *batch, const Head *head, const float *latents, const guint8 *labels,
                   const guint32 *rows, guint first, guint end)
{
  const gsize width = head->width, classes = head->classes;

  for (gsize r = first; r < end; r++)
    {
      const gsize row = rows != NULL ? rows[r] : r;

      head_standardize (head, latents + row * width, batch->input + r * width);
      memcpy (batch->labels + r * classes, labels + row * classes, classes);
    }
  for (gsize r = first; batch->turned != NULL && r < end; r += ROWS_TOGETHER)
    turn (batch, width, r, MIN (r + ROWS_TOGETHER, end));
}

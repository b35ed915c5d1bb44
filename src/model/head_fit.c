#include "model/head_private.h"

#define ROWS_TOGETHER 16 /* of a batch that one thread gathers */

/** A fit while it goes on. */
typedef struct
{
  const Head *head;
  const float *latents;
  const guint8 *labels;
  gsize n;
  const HeadFitOptions *options;
  Random random;
  guint epoch;
  guint32 *order; /* of the epoch, n */
  /* the batch that is made ready while the one before it is trained on */
  HeadBatch *next;
  gsize next_first; /* its place in the order */
} Fit;

/** Of the next batch: part 0 the masks, the others a few rows each. A TeamWork. */
static void
load_part (gsize part, guint thread, gpointer data)
{
  Fit *fit = data;
  HeadBatch *batch = fit->next;

  if (part > 0)
    head_batch_gather (batch, fit->head, fit->latents, fit->labels, fit->order + fit->next_first,
                       (guint) (part - 1) * ROWS_TOGETHER,
                       (guint) MIN (part * ROWS_TOGETHER, batch->n));
  else if (batch->drops)
    head_draw_keep (&fit->random, fit->options, fit->epoch, fit->next_first, batch->n, fit->n,
                    fit->head->hidden, batch->keep);
}

/** The next batch is the one at @first, of up to @rows. Returns: its parts; 0 past the last */
static gsize
begin_next (Fit *fit, gsize first, guint rows)
{
  if (first >= fit->n)
    return 0;
  fit->next_first = first;
  fit->next->n = (guint) MIN (rows, fit->n - first);
  return 1 + (fit->next->n + ROWS_TOGETHER - 1) / ROWS_TOGETHER;
}

gboolean
head_fit (Head *head, const float *latents, const guint8 *labels, gsize n,
          const HeadFitOptions *options, HeadEpochFunc on_epoch, gpointer user_data,
          GCancellable *cancellable, GError **error)
{
  g_autoptr (HeadTrainer) trainer = NULL;
  g_autoptr (HeadBatch) even = NULL;
  g_autoptr (HeadBatch) odd = NULL;
  g_autofree guint32 *order = NULL;
  Fit fit = { .head = head, .latents = latents, .labels = labels, .n = n, .options = options };
  HeadMeanwhile load = { 0, load_part, &fit };
  guint64 step = 0, epoch_steps, steps;
  gint64 told_us = 0;
  guint rows;

  if (!head_fit_check (head, n, options, error))
    return FALSE;
  rows = (guint) MIN (options->batch, n);
  epoch_steps = (n + rows - 1) / rows;
  steps = options->epochs * epoch_steps;
  trainer = head_trainer_new (head, rows, options->threads);
  even = head_batch_new (head, rows);
  odd = head_batch_new (head, rows);
  even->drops = odd->drops = head->hidden > 0 && (options->dropout > 0 || options->keep != NULL);
  fit.order = order = g_new (guint32, n);
  head_draw_init (&fit.random, options);
  for (fit.epoch = 0; fit.epoch < options->epochs; fit.epoch++)
    {
      double loss_sum = 0;

      head_draw_order (&fit.random, options, fit.epoch, order, n);
      fit.next = even;
      load.n = begin_next (&fit, 0, rows);
      for (gsize part = 0; part < load.n; part++)
        load_part (part, 0, &fit);
      for (gsize first = 0; first < n; first += rows, step++)
        {
          HeadBatch *batch = fit.next;
          double loss;

          if (g_cancellable_set_error_if_cancelled (cancellable, error)
              || !head_tell_step (options, &told_us, step % epoch_steps, epoch_steps, user_data,
                                  error))
            return FALSE;
          fit.next = batch == even ? odd : even;
          load.n = begin_next (&fit, first + rows, rows);
          loss = head_trainer_step (trainer, batch, options,
                                    head_learning_rate (options, step, steps), &load);
          if (options->step_losses != NULL)
            options->step_losses[step] = loss;
          loss_sum += loss * batch->n;
        }
      if (on_epoch != NULL
          && !on_epoch (fit.epoch + 1, head, loss_sum / (double) n, user_data, error))
        return FALSE;
    }
  return TRUE;
}

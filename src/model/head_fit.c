#include "model/head_private.h"

gboolean
head_fit (Head *head, const float *latents, const guint8 *labels, gsize n,
          const HeadFitOptions *options, HeadEpochFunc on_epoch, gpointer user_data,
          GCancellable *cancellable, GError **error)
{
  g_autoptr (HeadTrainer) trainer = NULL;
  g_autofree guint32 *order = NULL;
  g_autofree guint8 *keep = NULL;
  gboolean drops = head->hidden > 0 && (options->dropout > 0 || options->keep != NULL);
  guint64 step = 0, epoch_steps, steps;
  gint64 told_us = 0;
  guint batch;
  Random random;

  if (!head_fit_check (head, n, options, error))
    return FALSE;
  batch = (guint) MIN (options->batch, n);
  epoch_steps = (n + batch - 1) / batch;
  steps = options->epochs * epoch_steps;
  trainer = head_trainer_new (head, batch);
  order = g_new (guint32, n);
  keep = drops ? g_new (guint8, (gsize) batch * head->hidden) : NULL;
  head_draw_init (&random, options);
  for (guint epoch = 0; epoch < options->epochs; epoch++)
    {
      double loss_sum = 0;

      head_draw_order (&random, options, epoch, order, n);
      for (gsize first = 0; first < n; first += batch, step++)
        {
          guint rows = (guint) MIN (batch, n - first);
          double loss;

          if (g_cancellable_set_error_if_cancelled (cancellable, error)
              || !head_tell_step (options, &told_us, step % epoch_steps, epoch_steps, user_data,
                                  error))
            return FALSE;
          if (drops)
            head_draw_keep (&random, options, epoch, first, rows, n, head->hidden, keep);
          loss = head_trainer_step (trainer, latents, labels, order + first, rows, keep, options,
                                    head_learning_rate (options, step, steps));
          if (options->step_losses != NULL)
            options->step_losses[step] = loss;
          loss_sum += loss * rows;
        }
      if (on_epoch != NULL && !on_epoch (epoch + 1, head, loss_sum / (double) n, user_data, error))
        return FALSE;
    }
  return TRUE;
}

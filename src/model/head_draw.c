/* What every form of training draws, checks and tells, so that all see the same batches and masks.
 */
#include "model/head_private.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

#define TELL_INTERVAL_US 5000
#define FIT_STREAM 0x66697400 /* apart from the other uses of the run's seed */

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
  const guint64 limit = (guint64) (options->dropout * 65536);
  const gsize total = n * hidden;

  if (options->keep != NULL)
    {
      memcpy (keep, options->keep + ((gsize) epoch * n_rows + first) * hidden, total);
      return;
    }
  for (gsize i = 0; i < total; i += 4)
    {
      guint64 bits = random_u64 (random);

      for (gsize j = i; j < MIN (i + 4, total); j++, bits >>= 16)
        keep[j] = (bits & 0xffff) >= limit;
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
head_tell_step (const HeadFitOptions *options, gint64 *told_us, guint64 step, guint64 steps,
                gpointer user_data, GError **error)
{
  gint64 now_us;

  if (options->on_step == NULL)
    return TRUE;
  now_us = g_get_monotonic_time ();
  if (now_us - *told_us < TELL_INTERVAL_US)
    return TRUE;
  *told_us = now_us;
  return options->on_step ((guint) step, (guint) steps, user_data, error);
}

static gboolean wrong (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
wrong (GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "cannot train with %s", text);
  return FALSE;
}

static gboolean
is_number_from_0 (double value)
{
  return isfinite (value) && value >= 0;
}

static gboolean
check_loss (const FocalLoss *loss, guint classes, GError **error)
{
  if (!is_number_from_0 (loss->gamma))
    return wrong (error, "gamma %g: give 0 or more", loss->gamma);
  if (loss->alpha < 0 || loss->alpha > 1)
    return wrong (error, "alpha %g: give a number from 0 to 1, or none", loss->alpha);
  for (guint c = 0; loss->pos_weight != NULL && c < classes; c++)
    if (!is_number_from_0 (loss->pos_weight[c]))
      return wrong (error, "pos_weight %g for label %u of %u: give 0 or more", loss->pos_weight[c],
                    c + 1, classes);
  return TRUE;
}

gboolean
head_fit_check (const Head *head, gsize n, const HeadFitOptions *options, GError **error)
{
  if (n == 0 || n >= G_MAXUINT32)
    return wrong (error, "%" G_GSIZE_FORMAT " rows: give at least 1 and fewer than %u", n,
                  G_MAXUINT32);
  if (options->epochs == 0)
    return wrong (error, "0 epochs: give at least 1");
  if (options->batch == 0)
    return wrong (error, "batches of 0 rows: give at least 1");
  if (!is_number_from_0 (options->learning_rate))
    return wrong (error, "learning rate %g: give 0 or more", options->learning_rate);
  if (!is_number_from_0 (options->weight_decay))
    return wrong (error, "weight decay %g: give 0 or more", options->weight_decay);
  if (!(options->dropout >= 0 && options->dropout < 1))
    return wrong (error, "dropout %g: give 0 or more, and less than 1", options->dropout);
  return check_loss (&options->loss, head->classes, error);
}

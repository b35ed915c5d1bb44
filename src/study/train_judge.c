/* What is done after every epoch. */
#include "study/train_private.h"

#include "base/error.h"
#include "report/json.h"

#include <math.h>
#include <string.h>

/** One probability per class from which a finding is called; never chosen on the scans it is judged
 * on. */
static void
choose_thresholds (Training *training, const Head *head)
{
  const TrainParameters *parameters = training->parameters;
  const StudyCohort *train = training->train;
  g_autofree double *scores = NULL;
  g_autofree guint8 *labels = NULL;

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    training->thresholds[label] = parameters->threshold;
  if (parameters->threshold_kind == THRESHOLD_FIXED)
    return;

  head_apply (head, train->latents, train->n, training->team, training->train_logits);
  scores = g_new (double, train->n);
  labels = g_new (guint8, train->n);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      double threshold;

      for (gsize i = 0; i < train->n; i++)
        {
          scores[i] = training->train_logits[i * CATALOG_N_LABELS + label];
          labels[i] = train->labels[i * CATALOG_N_LABELS + label];
        }
      threshold = metrics_youden_threshold (scores, labels, train->n);
      if (!isnan (threshold))
        training->thresholds[label] = metrics_probability (threshold);
    }
}

static CatalogEpochClass
class_row (int index, const MetricsTable *table)
{
  const MetricsClass *class;

  if (index < 0)
    return (CatalogEpochClass){ .class_index = -1,
                                .auroc = table->macro_auroc.value,
                                .auroc_low = table->macro_auroc.low,
                                .auroc_high = table->macro_auroc.high,
                                .sensitivity = table->macro_sensitivity,
                                .specificity = table->macro_specificity,
                                .accuracy = table->accuracy,
                                .threshold = NAN };
  class = &table->classes[index];
  return (CatalogEpochClass){ .class_index = index,
                              .auroc = class->auroc.value,
                              .auroc_low = class->auroc.low,
                              .auroc_high = class->auroc.high,
                              .sensitivity = class->sensitivity,
                              .specificity = class->specificity,
                              .accuracy = class->accuracy,
                              .threshold = class->threshold,
                              .positives = class->positives,
                              .negatives = class->negatives };
}

static gboolean
store_epoch (Training *training, guint epoch, double train_loss, const MetricsTable *table,
             GError **error)
{
  CatalogEpochClass rows[CATALOG_N_LABELS + 1];
  const char *names[CATALOG_N_LABELS];
  g_autofree char *json = NULL;

  for (int i = 0; i < CATALOG_N_LABELS; i++)
    {
      names[i] = catalog_label_name ((guint) i);
      rows[i] = class_row (i, table);
    }
  rows[CATALOG_N_LABELS] = class_row (-1, table);
  json = report_json_text (report_json_epoch (epoch, train_loss, table, names));
  return catalog_run_add_epoch (training->store, training->study->run->id, epoch, train_loss, json,
                                rows, G_N_ELEMENTS (rows), error);
}

/** Take this epoch's head as the run's, if it is to be kept. */
static void
keep (Training *training, guint epoch, const Head *head, const MetricsTable *table)
{
  double macro_auroc = table->macro_auroc.value;

  if (training->parameters->keep_best && training->kept_head != NULL
      && !(macro_auroc > training->kept_macro_auroc))
    return;
  g_clear_pointer (&training->kept_head, head_free);
  training->kept_head = head_copy (head);
  training->kept_macro_auroc = macro_auroc;
  memcpy (training->kept_thresholds, training->thresholds, sizeof training->thresholds);
  memcpy (training->kept_logits, training->valid_logits,
          training->valid->n * CATALOG_N_LABELS * sizeof *training->valid_logits);
  training->study->kept_epoch = epoch;
}

gboolean
training_judge (guint epoch, const Head *head, double train_loss, gpointer user_data,
                GError **error)
{
  Training *training = user_data;
  const StudyCohort *valid = training->valid;
  g_autoptr (MetricsTable) table = NULL;
  MetricsInput input = { .logits = training->valid_logits,
                         .labels = valid->labels,
                         .n = valid->n,
                         .n_classes = CATALOG_N_LABELS,
                         .thresholds = training->thresholds,
                         .groups = valid->groups,
                         .bootstrap_draws = training->parameters->bootstrap_draws,
                         .bootstrap_seed = training->parameters->seed,
                         .team = training->team };

  if (!isfinite (train_loss))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_FAILED,
                   "epoch %u: the loss is not a finite number; choose a smaller learning rate",
                   epoch);
      return FALSE;
    }
  choose_thresholds (training, head);
  head_apply (head, valid->latents, valid->n, training->team, training->valid_logits);
  table = metrics_table (&input, job_cancellable (training->job), error);
  if (table == NULL
      || (!training->study->preview && !store_epoch (training, epoch, train_loss, table, error)))
    return FALSE;
  keep (training, epoch, head, table);
  if (training->study->unpublished)
    job_progress (training->job, epoch);
  else
    job_add_epoch (training->job, job_epoch_new (epoch, train_loss, g_steal_pointer (&table),
                                                 training->valid_logits, valid->labels, valid->n));
  return job_checkpoint (training->job, error);
}

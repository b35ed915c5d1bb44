#include "study/train_private.h"

#include "base/error.h"
#include "base/version.h"
#include "study/sample_job.h"

#include <math.h>
#include <string.h>

#define MIN_SCALED_DEVIATION 1e-6 /* a feature that hardly varies is only centred */

static void
training_clear (Training *training)
{
  g_clear_pointer (&training->store, catalog_store_close);
  g_clear_pointer (&training->encoder, catalog_encoder_free);
  g_clear_pointer (&training->engine, engine_close);
  g_clear_pointer (&training->team, team_free);
  g_clear_pointer (&training->own_cache, study_train_cache_free);
  g_clear_pointer (&training->kept_head, head_free);
  g_free (training->train_logits);
  g_free (training->valid_logits);
  g_free (training->kept_logits);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Training, training_clear)

/* ---- before the first step ---- */

/** The sample's name: the given one, or that of the drawn one, which is stored unless this is only
 * a preview. %NULL without a name. */
static gboolean
choose_sample (Training *training, CatalogSplit split, const char *named, char **sample,
               GError **error)
{
  const TrainParameters *parameters = training->parameters;

  if (*named != '\0')
    *sample = g_strdup (named);
  else if (!training->study->preview)
    *sample =
        study_sample_ensure (training->store, split, parameters->fraction, parameters->seed, error);
  return *sample != NULL || training->study->preview;
}

static const StudyCohort *
load_split (Training *training, CatalogSplit split, const char *named, guint *missing,
            GError **error)
{
  const TrainParameters *parameters = training->parameters;
  StudyTrainRequest request = { .split = split,
                                .fraction = parameters->fraction,
                                .seed = parameters->seed,
                                .permute_labels = parameters->permute_labels };
  CatalogRun *run = training->study->run;
  g_autofree char *sample = NULL;
  const StudyCohort *cohort;

  if (!choose_sample (training, split, named, &sample, error))
    return NULL;
  request.sample = sample;
  cohort =
      study_train_cache_load (training->cache, training->store, training->encoder, &request, error);
  if (cohort == NULL)
    return NULL;
  *missing = cohort->missing->len;
  if (cohort->n == 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                   "sample %s: none of its %u scans has a latent of encoder %s; run `encode "
                   "--sample %s` first",
                   sample != NULL ? sample : catalog_split_name (split), cohort->missing->len,
                   training->encoder->name, sample != NULL ? sample : "NAME");
      return NULL;
    }
  for (guint i = 0; i < cohort->missing->len; i++)
    job_skip (training->job, g_ptr_array_index (cohort->missing, i), "has no latent; run encode");
  if (run != NULL)
    *(split == CATALOG_SPLIT_TRAIN ? &run->train_sample : &run->valid_sample) =
        g_steal_pointer (&sample);
  return cohort;
}

static gboolean
load (Training *training, GError **error)
{
  const TrainParameters *parameters = training->parameters;
  StudyTrain *study = training->study;

  job_stage (training->job, "loading latents", "scans", 0);
  training->train = load_split (training, CATALOG_SPLIT_TRAIN, parameters->train_sample,
                                &study->train_missing, error);
  if (training->train == NULL)
    return FALSE;
  training->valid = load_split (training, CATALOG_SPLIT_VALID, parameters->valid_sample,
                                &study->valid_missing, error);
  if (training->valid == NULL
      || !study_cohort_check_disjoint (training->train, training->valid, error))
    return FALSE;
  study->train_n = (guint) training->train->n;
  study->valid_n = (guint) training->valid->n;
  training->train_logits = g_new (double, training->train->n *CATALOG_N_LABELS);
  training->valid_logits = g_new (double, training->valid->n *CATALOG_N_LABELS);
  training->kept_logits = g_new (double, training->valid->n *CATALOG_N_LABELS);
  return TRUE;
}

/** Weight of the positives of every class, from the training sample. */
static void
choose_pos_weight (Training *training, double *pos_weight)
{
  const TrainParameters *parameters = training->parameters;
  const StudyCohort *train = training->train;

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      gsize positives = 0;

      for (gsize i = 0; i < train->n; i++)
        positives += train->labels[i * CATALOG_N_LABELS + label];
      if (positives == 0)
        job_warn (
            training->job,
            "%s: the training sample has no positives; its pos_weight is 1 and nothing is learnt",
            catalog_label_name (label));
      if (parameters->pos_weight == POS_WEIGHT_GIVEN)
        pos_weight[label] =
            parameters->given_pos_weights[parameters->n_given_pos_weights > 1 ? label : 0];
      else if (parameters->pos_weight == POS_WEIGHT_NONE || positives == 0)
        pos_weight[label] = 1;
      else
        pos_weight[label] = (double) (train->n - positives) / (double) positives;
      if (parameters->pos_weight == POS_WEIGHT_SQRT)
        pos_weight[label] = sqrt (pos_weight[label]);
    }
}

/** Mean and deviation of every feature over the training sample, kept with the head. Scan by scan,
 * as the numbers lie. */
static void
standardize (Head *head, const StudyCohort *train)
{
  const gsize n = train->n, width = train->width;
  g_autofree double *means = g_new0 (double, width), *variances = g_new0 (double, width);

  for (gsize i = 0; i < n; i++)
    for (gsize feature = 0; feature < width; feature++)
      means[feature] += train->latents[i * width + feature];
  for (gsize feature = 0; feature < width; feature++)
    means[feature] /= (double) n;
  for (gsize i = 0; i < n; i++)
    for (gsize feature = 0; feature < width; feature++)
      {
        const double difference = train->latents[i * width + feature] - means[feature];

        variances[feature] += difference * difference;
      }
  head->mean = g_new (float, width);
  head->scale = g_new (float, width);
  for (gsize feature = 0; feature < width; feature++)
    {
      const double deviation = sqrt (variances[feature] / (double) n);

      head->mean[feature] = (float) means[feature];
      head->scale[feature] = deviation > MIN_SCALED_DEVIATION ? (float) (1 / deviation) : 1;
    }
}

static gboolean
on_step (guint step, guint steps, gpointer user_data, GError **error)
{
  Training *training = user_data;

  job_step (training->job, step, steps);
  return job_checkpoint (training->job, error);
}

/* ---- the run ---- */

/** The run that has the name now; %NULL where none has. */
static CatalogRun *
run_named (CatalogStore *store, const char *name)
{
  g_autoptr (CatalogRun) run = *name != '\0' ? catalog_run_find (store, name, NULL) : NULL;

  return run != NULL && strcmp (run->name, name) == 0 ? g_steal_pointer (&run) : NULL;
}

gboolean
study_train_check (CatalogStore *store, const TrainParameters *parameters, GError **error)
{
  g_autoptr (CatalogRun) run = run_named (store, parameters->name);

  if (run == NULL || strcmp (run->status, "done") != 0)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "run name '%s': another run has it; choose another name, or rename or delete that "
               "run",
               parameters->name);
  return FALSE;
}

/** A run that came to nothing gives up the name that a new one wants. */
static gboolean
free_name (Training *training, const char *name, GError **error)
{
  g_autoptr (CatalogRun) run = run_named (training->store, name);
  g_autofree char *number = NULL;

  if (run == NULL || strcmp (run->status, "done") == 0)
    return TRUE;
  number = g_strdup_printf ("run-%" G_GINT64_FORMAT, run->id);
  if (strcmp (number, name) == 0)
    return TRUE;
  if (!catalog_run_rename (training->store, run->id, number, error))
    return FALSE;
  job_warn (training->job, "the %s run %s is now called %s", run->status, name, number);
  return TRUE;
}

/** The run file that makes the run again: "the last used encoder" is named, it may be another one
 * by then. Free with g_free. */
static char *
run_file (const Training *training)
{
  g_autoptr (TrainParameters) parameters = train_parameters_copy (training->parameters);

  g_free (parameters->encoder_name);
  parameters->encoder_name = g_strdup (training->encoder->name);
  return train_parameters_text (parameters);
}

static gboolean
begin_run (Training *training, GError **error)
{
  const TrainParameters *parameters = training->parameters;
  CatalogRun *run = training->study->run;
  guint abandoned;

  /* The caller holds the workspace's lock, so nobody else is training. */
  if (!catalog_runs_end_abandoned (training->store, &abandoned, error)
      || !free_name (training, parameters->name, error))
    return FALSE;
  run->name = *parameters->name != '\0' ? g_strdup (parameters->name) : NULL;
  run->parameters = run_file (training);
  run->encoder = g_strdup (training->encoder->name);
  run->code_version = g_strdup (version_text ());
  return catalog_run_begin (training->store, run, error);
}

static gboolean
fit (Training *training, GError **error)
{
  const TrainParameters *parameters = training->parameters;
  const StudyCohort *train = training->train;
  double *pos_weight = training->study->pos_weight;
  HeadFitOptions options = {
    .epochs = parameters->epochs,
    .batch = parameters->batch,
    .learning_rate = parameters->learning_rate,
    .weight_decay = parameters->weight_decay,
    .cosine = parameters->cosine,
    .dropout = parameters->dropout,
    .loss = { .gamma = parameters->gamma, .alpha = parameters->alpha, .pos_weight = pos_weight },
    .seed = parameters->seed,
    .threads = training->study->threads,
    .on_step = on_step
  };
  g_autoptr (Head) head = head_new (parameters->head, train->width,
                                    parameters->head == HEAD_MLP ? parameters->hidden : 0,
                                    CATALOG_N_LABELS, parameters->seed);

  training->team = team_new (
      MIN (options.threads > 0 ? options.threads : g_get_num_processors (), 1 + CATALOG_N_LABELS));
  choose_pos_weight (training, pos_weight);
  if (parameters->standardize)
    standardize (head, train);
  job_stage (training->job, "training", "epochs", parameters->epochs);
  if (training->engine != NULL)
    return engine_head_fit (training->engine, head, train->latents, train->labels, train->n,
                            &options, training_judge, training, job_cancellable (training->job),
                            error);
  return head_fit (head, train->latents, train->labels, train->n, &options, training_judge,
                   training, job_cancellable (training->job), error);
}

static gboolean
finish_run (Training *training, GError **error)
{
  const StudyCohort *valid = training->valid;
  StudyTrain *study = training->study;
  g_autoptr (GBytes) head = head_to_bytes (training->kept_head);
  CatalogRunResult result = { .kept_epoch = study->kept_epoch,
                              .macro_auroc = training->kept_macro_auroc,
                              .head = head,
                              .thresholds = training->kept_thresholds,
                              .volumes = (const char *const *) valid->volumes,
                              .labels = valid->label_bits,
                              .logits = training->kept_logits,
                              .n = valid->n,
                              .n_classes = CATALOG_N_LABELS };

  if (!catalog_run_finish (training->store, study->run->id, &result, error))
    return FALSE;
  study->run->macro_auroc = training->kept_macro_auroc;
  study->run->kept_epoch = (int) study->kept_epoch;
  return TRUE;
}

/** Everything that can fail before there is a run to be called failed. */
static gboolean
prepare (Training *training, GError **error)
{
  StudyTrain *study = training->study;
  const char *device = study->parameters->device;
  const char *encoder_name =
      *study->parameters->encoder_name != '\0' ? study->parameters->encoder_name : NULL;

  training->store = workspace_store (study->workspace, error);
  if (training->store == NULL)
    return FALSE;
  training->encoder = catalog_encoder_find (training->store, encoder_name, error);
  if (training->encoder == NULL)
    return FALSE;
  if (study->cache == NULL)
    training->own_cache = study_train_cache_new ();
  training->cache = study->cache != NULL ? study->cache : training->own_cache;
  if (study->preview)
    return load (training, error);

  study->run = g_new0 (CatalogRun, 1);
  if (!study_train_check (training->store, study->parameters, error))
    return FALSE;
  if (g_str_has_prefix (device, "cuda"))
    {
      training->engine = engine_open (device, study->threads, error);
      if (training->engine == NULL)
        return FALSE;
    }
  return load (training, error) && begin_run (training, error);
}

gboolean
study_train (Job *job, gpointer data, GError **error)
{
  StudyTrain *study = data;
  g_auto (Training) training = { .job = job, .study = study, .parameters = study->parameters };
  GError *fault = NULL;

  if (!prepare (&training, error))
    return FALSE;
  if (study->preview)
    return fit (&training, error);
  job_message (job, "%s: %u scans to train on, %u to judge on", study->run->name, study->train_n,
               study->valid_n);
  if (fit (&training, &fault) && finish_run (&training, &fault))
    return TRUE;

  /* Whatever ended it, the history says so; the first error is the one that counts. */
  catalog_run_end (training.store, study->run->id,
                   g_error_matches (fault, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? "cancelled"
                                                                             : "failed",
                   fault->message, NULL);
  g_propagate_error (error, fault);
  return FALSE;
}

void
study_train_clear (StudyTrain *train)
{
  g_clear_pointer (&train->run, catalog_run_free);
}

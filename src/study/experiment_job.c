#include "study/experiment_job.h"

#include "base/error.h"
#include "catalog/latents.h"
#include "study/encode_job.h"
#include "study/sample_job.h"
#include "study/settings.h"

#include <string.h>

/** By name, the precision that @checkpoint was last encoded with; %NULL where it never was. */
static char *
last_precision (CatalogStore *store, const char *checkpoint)
{
  g_autofree char *path = g_canonicalize_filename (checkpoint, NULL);
  g_autofree char *last = catalog_store_get (store, STUDY_SETTING_CHECKPOINT);

  return g_strcmp0 (path, last) == 0 ? catalog_store_get (store, STUDY_SETTING_PRECISION) : NULL;
}

/** By name, the precision of the encoder that lacks latents, or of one that is new. */
static char *
precision_of (CatalogStore *store, const CatalogEncoder *encoder, const char *checkpoint)
{
  g_autoptr (EncoderDescription) description =
      encoder != NULL ? encoder_description_parse (encoder->description, encoder->name, NULL)
                      : NULL;

  return description != NULL ? g_strdup (encoder_precision_name (description->precision))
                             : last_precision (store, checkpoint);
}

char *
study_experiment_encoder (CatalogStore *store, const TrainParameters *parameters,
                          const char *checkpoint)
{
  g_autoptr (CatalogEncoder) latest = NULL;

  if (*parameters->encoder_name != '\0')
    return g_strdup (parameters->encoder_name);
  if (checkpoint != NULL)
    {
      g_autofree char *name = last_precision (store, checkpoint);
      EncoderPrecision precision = ENCODER_FLOAT32;

      if (name != NULL)
        encoder_precision_parse (name, &precision, NULL);
      return encoding_encoder_name (checkpoint, precision);
    }
  latest = catalog_encoder_find (store, NULL, NULL);
  return latest != NULL ? g_strdup (latest->name) : NULL;
}

/* ---- who has no latent ---- */

/** The sample's members that are not in @encoded are added to @missing. */
static gboolean
add_missing (CatalogStore *store, const TrainParameters *parameters, CatalogSplit split,
             const char *named, GHashTable *encoded, GStrvBuilder *missing, GError **error)
{
  g_autofree char *sample =
      *named != '\0'
          ? g_strdup (named)
          : study_sample_ensure (store, split, parameters->fraction, parameters->seed, error);
  g_autoptr (CatalogMembers) members =
      sample != NULL ? catalog_sample_members (store, sample, error) : NULL;

  for (gsize i = 0; members != NULL && i < members->n; i++)
    if (!g_hash_table_contains (encoded, members->volumes[i]))
      g_strv_builder_add (missing, members->volumes[i]);
  return members != NULL;
}

/** @encoder: (nullable) %NULL where there is none yet */
static char **
find_missing (CatalogStore *store, const TrainParameters *parameters, const CatalogEncoder *encoder,
              GError **error)
{
  g_auto (GStrv) volumes =
      encoder != NULL ? catalog_latent_volumes (store, encoder->id, error) : g_new0 (char *, 1);
  g_autoptr (GHashTable) encoded = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GStrvBuilder) missing = g_strv_builder_new ();

  if (volumes == NULL)
    return NULL;
  for (char **volume = volumes; *volume != NULL; volume++)
    g_hash_table_add (encoded, *volume);
  if (!add_missing (store, parameters, CATALOG_SPLIT_TRAIN, parameters->train_sample, encoded,
                    missing, error)
      || !add_missing (store, parameters, CATALOG_SPLIT_VALID, parameters->valid_sample, encoded,
                       missing, error))
    return NULL;
  return g_strv_builder_end (missing);
}

/* ---- what to do about it ---- */

/** Without the means to encode, only those may be missing that could not be encoded before. */
static gboolean
check_known_failures (CatalogStore *store, const CatalogEncoder *encoder, char **missing,
                      GError **error)
{
  g_auto (GStrv) failed =
      encoder != NULL ? catalog_failed_volumes (store, encoder->id, error) : g_new0 (char *, 1);
  guint unknown = 0;

  if (failed == NULL)
    return FALSE;
  for (char **volume = missing; *volume != NULL; volume++)
    unknown += !g_strv_contains ((const char *const *) failed, *volume);
  if (unknown == 0)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
               "%u scans of the samples have no latent%s%s; give the encoder's checkpoint and the "
               "folder of scans to encode them",
               unknown, encoder != NULL ? " of encoder " : "",
               encoder != NULL ? encoder->name : "");
  return FALSE;
}

static gboolean
encode_missing (StudyExperiment *study, Job *job, const char *precision, char **missing,
                GError **error)
{
  const TrainParameters *parameters = study->parameters;
  const char *encoder_name = *parameters->encoder_name != '\0' ? parameters->encoder_name : NULL;
  g_auto (StudyEncode) encode = { .workspace = study->workspace,
                                  .options = { .checkpoint = study->checkpoint,
                                               .description = study->description,
                                               .device = parameters->device,
                                               .threads = study->threads,
                                               .rescale = VOLUME_RESCALE_AUTO,
                                               .orient = VOLUME_ORIENT_LPS,
                                               .precision = precision },
                                  .encoder_name = encoder_name,
                                  .volumes_directory = study->volumes_directory,
                                  .volumes = missing,
                                  .split = -1 };
  gboolean done = study_encode (job, &encode, error);

  study->encoded = encode.encoded;
  study->cached = encode.cached;
  return done;
}

static gboolean
complete_latents (StudyExperiment *study, Job *job, CatalogStore *store, const char *encoder_name,
                  GError **error)
{
  g_autoptr (CatalogEncoder) encoder =
      encoder_name != NULL ? catalog_encoder_find (store, encoder_name, NULL) : NULL;
  g_auto (GStrv) missing = find_missing (store, study->parameters, encoder, error);
  g_autofree char *precision = NULL;

  if (missing == NULL)
    return FALSE;
  study->missing = g_strv_length (missing);
  if (study->missing == 0 || (encoder != NULL && catalog_encoder_is_imported (encoder)))
    return TRUE;
  if (study->checkpoint == NULL || study->volumes_directory == NULL)
    return check_known_failures (store, encoder, missing, error);
  precision = precision_of (store, encoder, study->checkpoint);
  return encode_missing (study, job, precision, missing, error);
}

static gboolean
train (StudyExperiment *study, Job *job, const char *encoder_name, GError **error)
{
  g_autoptr (TrainParameters) parameters = train_parameters_copy (study->parameters);
  g_auto (StudyTrain) train = { .workspace = study->workspace,
                                .parameters = parameters,
                                .threads = study->threads,
                                .cache = study->cache };
  gboolean done;

  if (encoder_name != NULL)
    {
      g_free (parameters->encoder_name);
      parameters->encoder_name = g_strdup (encoder_name);
    }
  done = study_train (job, &train, error);
  study->run = g_steal_pointer (&train.run);
  study->train_n = train.train_n;
  study->valid_n = train.valid_n;
  study->kept_epoch = train.kept_epoch;
  return done;
}

gboolean
study_experiment (Job *job, gpointer data, GError **error)
{
  StudyExperiment *study = data;
  g_autoptr (CatalogStore) store = workspace_store (study->workspace, error);
  g_autofree char *encoder_name = NULL;

  if (store == NULL || !study_train_check (store, study->parameters, error))
    return FALSE;
  encoder_name = study_experiment_encoder (store, study->parameters, study->checkpoint);
  job_stage (job, "sampling", "", 0);
  return complete_latents (study, job, store, encoder_name, error) && job_checkpoint (job, error)
         && train (study, job, encoder_name, error);
}

void
study_experiment_clear (StudyExperiment *experiment)
{
  g_clear_pointer (&experiment->run, catalog_run_free);
}

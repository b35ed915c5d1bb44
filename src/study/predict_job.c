#include "study/predict_job.h"

#include "base/error.h"
#include "catalog/latents.h"
#include "catalog/query.h"
#include "catalog/runs.h"

#include <math.h>

/** A number from the command line, else from the CSV row. */
static double
prefer (double given, double recorded)
{
  return isnan (given) ? recorded : given;
}

/** What the CSV row of a scan says; one without a record is no fault. */
static gboolean
recorded_metadata (CatalogStore *store, const char *volume, VolumeMetadata *metadata,
                   GError **error)
{
  g_autoptr (GError) fault = NULL;
  g_autoptr (CatalogRecord) record = catalog_record_get (store, volume, &fault);

  *metadata = encoding_metadata (record);
  if (record != NULL || g_error_matches (fault, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&fault));
  return FALSE;
}

/** What is known of a scan beside its file. */
static gboolean
metadata_of (const StudyPredict *study, CatalogStore *store, const char *volume,
             VolumeMetadata *metadata, GError **error)
{
  const VolumeMetadata *given = &study->metadata;
  VolumeMetadata recorded;

  if (!recorded_metadata (store, volume, &recorded, error))
    return FALSE;
  *metadata =
      (VolumeMetadata){ .slope = prefer (given->slope, recorded.slope),
                        .intercept = prefer (given->intercept, recorded.intercept),
                        .spacing_z_mm = prefer (given->spacing_z_mm, recorded.spacing_z_mm),
                        .spacing_x_mm = prefer (given->spacing_x_mm, recorded.spacing_x_mm),
                        .spacing_y_mm = prefer (given->spacing_y_mm, recorded.spacing_y_mm) };
  return TRUE;
}

static gboolean
encode_file (const Encoding *encoding, const char *path, const VolumeMetadata *metadata,
             float *latent, Job *job, GError **error)
{
  g_autofree float *input = encoding_input_new (encoding, path, error);
  VolumePrepared prepared;

  return input != NULL
         && volume_prepare (path, metadata, &encoding->preparation, 2, input, &prepared,
                            job_cancellable (job), error)
         && engine_encode (encoding->encoder, input, 1, latent, NULL, NULL, job_cancellable (job),
                           error);
}

/** The latent that another program made of this volume. @fault: set where it made none */
static gboolean
load_imported (CatalogStore *store, const CatalogEncoder *encoder, const char *volume,
               float *latent, GError **fault, GError **error)
{
  const char *const volumes[] = { volume, NULL };
  guint8 present = 0;

  if (!catalog_latents_load (store, encoder->id, volumes, 1, encoder->width, latent, &present,
                             error))
    return FALSE;
  if (!present)
    g_set_error (
        fault, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
        "%s: the latents of encoder %s were imported, and none is of this volume; import it too",
        volume, encoder->name);
  return TRUE;
}

/**
 * Set the policies of @encoding to those that the latent of @volume was asked for with.
 *
 * What was asked is kept only as a hash, so every wish there can be is tried.
 * @found: (out) FALSE where none of them fits, and the policies are the last tried
 */
static gboolean
adopt_policies (CatalogStore *store, const CatalogEncoder *encoder, Encoding *encoding,
                const char *volume, gboolean *found, GError **error)
{
  g_autofree char *content_hash = NULL;
  g_auto (GStrv) asked = catalog_latent_requests (store, encoder->id, volume, &content_hash, error);
  VolumePreparation *preparation = &encoding->preparation;
  VolumeMetadata metadata;

  *found = FALSE;
  if (asked == NULL || !recorded_metadata (store, volume, &metadata, error))
    return FALSE;
  for (preparation->orient = VOLUME_ORIENT_LPS; preparation->orient <= VOLUME_ORIENT_AS_STORED;
       preparation->orient++)
    for (preparation->rescale = VOLUME_RESCALE_AUTO; preparation->rescale <= VOLUME_RESCALE_NONE;
         preparation->rescale++)
      {
        g_autofree char *key =
            content_hash != NULL ? encoding_request_key (encoding, content_hash, &metadata) : NULL;

        *found = key != NULL && g_strv_contains ((const char *const *) asked, key);
        if (*found)
          return TRUE;
      }
  return TRUE;
}

/** New scans are prepared as the run's were, unless the user says otherwise. */
static gboolean
choose_policies (const StudyPredict *study, CatalogStore *store, const CatalogRun *run,
                 const CatalogEncoder *encoder, Encoding *encoding, Job *job, GError **error)
{
  g_autoptr (CatalogPredictions) judged = catalog_run_predictions (store, run->id, error);
  VolumePreparation *preparation = &encoding->preparation;
  gboolean found = FALSE;

  for (gsize i = 0; judged != NULL && !found && i < judged->n; i++)
    if (!adopt_policies (store, encoder, encoding, judged->volumes[i], &found, error))
      return FALSE;
  if (judged == NULL)
    return FALSE;
  if (!found)
    {
      preparation->rescale = VOLUME_RESCALE_AUTO;
      preparation->orient = VOLUME_ORIENT_LPS;
      job_warn (job,
                "%s: how its scans were prepared is not known any more; scans are prepared "
                "with --rescale %s and --orient %s unless you say otherwise",
                run->name, volume_rescale_name (preparation->rescale),
                volume_orient_name (preparation->orient));
    }
  if (study->rescale != NULL && *study->rescale != preparation->rescale)
    {
      if (found)
        job_warn (job, "--rescale %s: the scans of %s were prepared with %s",
                  volume_rescale_name (*study->rescale), run->name,
                  volume_rescale_name (preparation->rescale));
      preparation->rescale = *study->rescale;
    }
  if (study->orient != NULL && *study->orient != preparation->orient)
    {
      if (found)
        job_warn (job, "--orient %s: the scans of %s were prepared with %s",
                  volume_orient_name (*study->orient), run->name,
                  volume_orient_name (preparation->orient));
      preparation->orient = *study->orient;
    }
  return TRUE;
}

static void
add_prediction (StudyPredict *study, const Head *head, const char *volume, const float *latent)
{
  double logits[CATALOG_N_LABELS];
  StudyPrediction prediction = { .volume = g_strdup (volume) };

  head_apply (head, latent, 1, NULL, logits);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    prediction.probabilities[label] = metrics_probability (logits[label]);
  g_array_append_val (study->predictions, prediction);
}

static void
prediction_clear (gpointer prediction)
{
  g_free (((StudyPrediction *) prediction)->volume);
}

/** The run's head, its thresholds and the encoder whose latents it takes. */
static gboolean
load_run (StudyPredict *study, CatalogStore *store, const CatalogRun *run, Head **head,
          CatalogEncoder **encoder, GError **error)
{
  g_autoptr (GBytes) bytes = catalog_run_head (store, run->id, error);
  guint n_classes;

  if (bytes == NULL || (*head = head_from_bytes (bytes, error)) == NULL)
    return FALSE;
  *encoder = catalog_encoder_find (store, run->encoder, error);
  study->thresholds =
      *encoder != NULL ? catalog_run_thresholds (store, run->id, &n_classes, error) : NULL;
  if (study->thresholds == NULL)
    return FALSE;
  if ((*head)->classes != CATALOG_N_LABELS || n_classes != CATALOG_N_LABELS
      || (*head)->width != (*encoder)->width)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: its head takes %u numbers to %u classes, not %u to %u", run->name,
                   (*head)->width, (*head)->classes, (*encoder)->width, CATALOG_N_LABELS);
      return FALSE;
    }
  study->run_name = g_strdup (run->name);
  return TRUE;
}

/**
 * One file.
 *
 * @encoding: (nullable) %NULL: its latent was imported
 * Returns: FALSE where the job ends: cancelled, a fault of the store, or of the only file
 */
static gboolean
predict_file (StudyPredict *study, CatalogStore *store, const Head *head,
              const CatalogEncoder *encoder, const Encoding *encoding, const char *path,
              float *latent, Job *job, GError **error)
{
  g_autofree char *volume = g_path_get_basename (path);
  g_autoptr (GError) fault = NULL;
  VolumeMetadata metadata;

  if (encoding == NULL)
    {
      if (!load_imported (store, encoder, volume, latent, &fault, error))
        return FALSE;
    }
  else if (!metadata_of (study, store, volume, &metadata, error))
    return FALSE;
  else
    encode_file (encoding, path, &metadata, latent, job, &fault);

  if (fault == NULL)
    add_prediction (study, head, volume, latent);
  else if (study->files[1] == NULL || g_error_matches (fault, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&fault));
      return FALSE;
    }
  else
    job_skip (job, path, fault->message);
  job_count (job, FALSE);
  return TRUE;
}

gboolean
study_predict (Job *job, gpointer data, GError **error)
{
  StudyPredict *study = data;
  g_autoptr (CatalogStore) store = workspace_store (study->workspace, error);
  g_autoptr (CatalogRun) run = store != NULL ? catalog_run_find (store, study->run, error) : NULL;
  g_autoptr (Head) head = NULL;
  g_autoptr (CatalogEncoder) encoder = NULL;
  g_autoptr (Encoding) encoding = NULL;
  g_autofree float *latent = NULL;

  if (run == NULL || !load_run (study, store, run, &head, &encoder, error))
    return FALSE;
  if (*encoder->weights_hash != '\0')
    {
      job_stage (job, "loading the encoder", "", 0);
      encoding = encoding_open_kept (encoder, study->device, study->threads, error);
      if (encoding == NULL || !choose_policies (study, store, run, encoder, encoding, job, error))
        return FALSE;
    }
  study->predictions = g_array_new (FALSE, FALSE, sizeof (StudyPrediction));
  g_array_set_clear_func (study->predictions, prediction_clear);
  latent = g_new (float, encoder->width);
  job_stage (job, "predicting", "scans", g_strv_length (study->files));
  for (guint i = 0; study->files[i] != NULL; i++)
    if (!predict_file (study, store, head, encoder, encoding, study->files[i], latent, job, error))
      return FALSE;
  return TRUE;
}

void
study_predict_clear (StudyPredict *predict)
{
  g_clear_pointer (&predict->run_name, g_free);
  g_clear_pointer (&predict->predictions, g_array_unref);
  g_clear_pointer (&predict->thresholds, g_free);
}

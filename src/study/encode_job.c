#include "study/encode_job.h"

#include "base/error.h"
#include "base/file_hash.h"
#include "catalog/latents.h"
#include "catalog/query.h"
#include "catalog/samples.h"
#include "catalog/volume_index.h"
#include "study/settings.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/** What a reader hands to the engine: a prepared volume, a latent found in the store, or a fault.
 */
typedef struct
{
  const char *volume;
  char *content_hash, *request_key, *latent_key, *prepared_text;
  float *input; /* %NULL where there is nothing to compute */
  gboolean cached;
  GError *error;
  gboolean fatal; /* the error is the store's, not this scan's */
} Item;

static void
item_free (Item *item)
{
  g_free (item->content_hash);
  g_free (item->request_key);
  g_free (item->latent_key);
  g_free (item->prepared_text);
  g_free (item->input);
  g_clear_error (&item->error);
  g_free (item);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Item, item_free)

/** The readers and the engine's thread share this; `mutex` guards the members after it. POSIX
    primitives, since ThreadSanitizer does not see GLib's. */
typedef struct
{
  Job *job;
  Workspace *workspace;
  const Encoding *encoding;
  gint64 encoder_id;
  char **volumes;
  gsize n;
  CatalogVolumeIndex *index;
  guint capacity; /* prepared volumes that may wait */

  pthread_mutex_t mutex;
  pthread_cond_t changed;
  gsize next; /* volume that no reader has taken yet */
  GQueue ready;
  guint readers;   /* that still run */
  gboolean closed; /* nobody will take items any more */
} Pipeline;

/* ---- readers ---- */

/** Note that a call of the store failed: that ends the job, where a bad scan is only skipped. */
static gboolean
stored (Item *item, gboolean done)
{
  item->fatal |= !done;
  return done;
}

static gboolean
hash_item (Item *item, CatalogStore *store, const char *path, FileStamp *stamp,
           GCancellable *cancellable, GError **error)
{
  /* The store may be asked from another folder next time. */
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);

  if (!file_stamp_of (path, stamp))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND, "%s: cannot be read: %s", path,
                   g_strerror (errno));
      return FALSE;
    }
  item->content_hash = catalog_file_hash_get (store, absolute, stamp->size, stamp->modified_ns);
  if (item->content_hash != NULL)
    return TRUE;
  item->content_hash = file_hash (path, cancellable, error);
  return item->content_hash != NULL
         && stored (item, catalog_file_hash_set (store, absolute, stamp->size, stamp->modified_ns,
                                                 item->content_hash, error));
}

/** Tell what can be told once, as warnings: a CSV that disagrees, a crooked volume. */
static void
warn_of (Pipeline *pipeline, const char *volume, const VolumePrepared *prepared)
{
  if (prepared->spacing_difference > 0.01)
    job_warn (pipeline->job,
              "%s: the CSV's spacing differs from the header's by %.1f %%; the CSV's is used",
              volume, 100 * prepared->spacing_difference);
  if (prepared->obliquity_deg > 10)
    job_warn (pipeline->job,
              "%s: its axes are %.0f degrees off the body's; they were snapped to the nearest",
              volume, prepared->obliquity_deg);
}

static gboolean
prepare_item (Pipeline *pipeline, CatalogStore *store, Item *item, GError **error)
{
  const Encoding *encoding = pipeline->encoding;
  GCancellable *cancellable = job_cancellable (pipeline->job);
  const char *path = catalog_volume_index_path (pipeline->index, item->volume);
  g_autoptr (CatalogRecord) record = catalog_record_get (store, item->volume, error);
  VolumeMetadata metadata = encoding_metadata (record);
  VolumePrepared prepared;
  FileStamp stamp;

  if (!stored (item, record != NULL) || !hash_item (item, store, path, &stamp, cancellable, error))
    return FALSE;
  item->request_key = encoding_request_key (encoding, item->content_hash, &metadata);
  if (!stored (item, catalog_latent_hit (store, pipeline->encoder_id, item->request_key,
                                         item->volume, &item->cached, error)))
    return FALSE;
  if (item->cached)
    return TRUE;

  item->input = encoding_input_new (encoding, path, error);
  if (item->input == NULL)
    return FALSE;
  if (!volume_prepare (path, &metadata, &encoding->preparation, 1, item->input, &prepared,
                       cancellable, error))
    return FALSE;
  /* A latent must not go by the hash of what the file held before. */
  if (!file_stamp_equal (&stamp, &prepared.stamp))
    return file_stamp_fail (path, error);
  warn_of (pipeline, item->volume, &prepared);
  item->prepared_text = volume_prepared_text (&encoding->preparation, &prepared);
  item->latent_key = encoding_latent_key (encoding, item->content_hash, item->prepared_text);
  /* Another wish may have led to the very same preparation; then this one is remembered with it. */
  return stored (item, catalog_latent_hit (store, pipeline->encoder_id, item->latent_key,
                                           item->volume, &item->cached, error))
         && (!item->cached
             || stored (item,
                        catalog_latent_add_request (store, pipeline->encoder_id, item->latent_key,
                                                    item->request_key, error)));
}

/** The next volume's number; FALSE when there is none. */
static gboolean
take_next (Pipeline *pipeline, gsize *i)
{
  gboolean taken;

  pthread_mutex_lock (&pipeline->mutex);
  while (!pipeline->closed && pipeline->ready.length >= pipeline->capacity)
    pthread_cond_wait (&pipeline->changed, &pipeline->mutex);
  taken = !pipeline->closed && pipeline->next < pipeline->n;
  if (taken)
    *i = pipeline->next++;
  pthread_mutex_unlock (&pipeline->mutex);
  return taken;
}

static gpointer
reader_thread (gpointer user_data)
{
  Pipeline *pipeline = user_data;
  g_autoptr (GError) store_error = NULL;
  g_autoptr (CatalogStore) store = workspace_store (pipeline->workspace, &store_error);
  gsize i;

  while (take_next (pipeline, &i))
    {
      Item *item = g_new0 (Item, 1);

      item->volume = pipeline->volumes[i];
      if (!stored (item, store != NULL))
        item->error = g_error_copy (store_error);
      else
        prepare_item (pipeline, store, item, &item->error);
      pthread_mutex_lock (&pipeline->mutex);
      g_queue_push_tail (&pipeline->ready, item);
      pthread_cond_broadcast (&pipeline->changed);
      pthread_mutex_unlock (&pipeline->mutex);
    }
  pthread_mutex_lock (&pipeline->mutex);
  pipeline->readers--;
  pthread_cond_broadcast (&pipeline->changed);
  pthread_mutex_unlock (&pipeline->mutex);
  return NULL;
}

/** What the readers have made next; %NULL when they are through. */
static Item *
pop_item (Pipeline *pipeline)
{
  Item *item;

  pthread_mutex_lock (&pipeline->mutex);
  while (pipeline->ready.length == 0 && pipeline->readers > 0)
    pthread_cond_wait (&pipeline->changed, &pipeline->mutex);
  item = g_queue_pop_head (&pipeline->ready);
  pthread_cond_broadcast (&pipeline->changed);
  pthread_mutex_unlock (&pipeline->mutex);
  return item;
}

/* ---- the engine's side ---- */

static gboolean
encode_item (Pipeline *pipeline, CatalogStore *store, const Item *item, float *latent,
             GError **error)
{
  const Encoding *encoding = pipeline->encoding;
  CatalogLatent row = { .key = item->latent_key,
                        .request_key = item->request_key,
                        .volume = item->volume,
                        .content_hash = item->content_hash,
                        .preparation = item->prepared_text,
                        .values = latent };

  return engine_encode (encoding->encoder, item->input, 1, latent, NULL, NULL,
                        job_cancellable (pipeline->job), error)
         && catalog_latent_save (store, pipeline->encoder_id, &row, error);
}

/** An item's fault: the whole job's where it is a cancellation or the store's, else only this
 * scan's. */
static gboolean
skip_item (Pipeline *pipeline, CatalogStore *store, const Item *item, GError **error)
{
  if (item->fatal || g_error_matches (item->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_error_copy (item->error));
      return FALSE;
    }
  if (!catalog_failure_save (store, pipeline->encoder_id, item->volume, item->error->message,
                             error))
    return FALSE;
  job_skip (pipeline->job, item->volume, item->error->message);
  job_count (pipeline->job, FALSE);
  return TRUE;
}

static gboolean
consume (Pipeline *pipeline, StudyEncode *study, CatalogStore *store, GError **error)
{
  g_autofree float *latent =
      g_new (float, engine_encoder_info (pipeline->encoding->encoder)->latent_width);

  for (;;)
    {
      g_autoptr (Item) item = pop_item (pipeline);

      if (item == NULL)
        return TRUE;
      if (!job_checkpoint (pipeline->job, error))
        return FALSE;
      if (item->error != NULL)
        {
          if (!skip_item (pipeline, store, item, error))
            return FALSE;
          continue;
        }
      if (!item->cached && !encode_item (pipeline, store, item, latent, error))
        return FALSE;
      *(item->cached ? &study->cached : &study->encoded) += 1;
      job_count (pipeline->job, item->cached);
    }
}

/** As many as the system allows; one is enough. Returns their number; 0 with @error set. */
static guint
start_readers (Pipeline *pipeline, GThread **threads, guint n, GError **error)
{
  g_autoptr (GError) fault = NULL;
  guint started = 0;

  while (started < n
         && (threads[started] = g_thread_try_new ("reader", reader_thread, pipeline, &fault))
                != NULL)
    started++;
  pthread_mutex_lock (&pipeline->mutex);
  pipeline->readers -= n - started;
  pthread_mutex_unlock (&pipeline->mutex);
  if (started == 0)
    g_set_error (
        error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
        "the system refuses a thread to read scans with: %s; raise the limits on processes "
        "(ulimit -u) and memory (ulimit -v)",
        fault->message);
  return started;
}

static gboolean
run_pipeline (Pipeline *pipeline, StudyEncode *study, CatalogStore *store, guint n_readers,
              GError **error)
{
  g_autofree GThread **threads = g_new (GThread *, n_readers);
  guint started;
  gboolean done;

  pthread_mutex_init (&pipeline->mutex, NULL);
  pthread_cond_init (&pipeline->changed, NULL);
  pipeline->readers = n_readers;
  started = start_readers (pipeline, threads, n_readers, error);
  done = started > 0 && consume (pipeline, study, store, error);

  pthread_mutex_lock (&pipeline->mutex);
  pipeline->closed = TRUE;
  pthread_cond_broadcast (&pipeline->changed);
  pthread_mutex_unlock (&pipeline->mutex);
  for (guint i = 0; i < started; i++)
    g_thread_join (threads[i]);
  g_queue_clear_full (&pipeline->ready, (GDestroyNotify) item_free);
  pthread_mutex_destroy (&pipeline->mutex);
  pthread_cond_destroy (&pipeline->changed);
  return done;
}

/* ---- the cohort ---- */

/** Names of the volumes that are asked for. */
static char **
wanted_volumes (StudyEncode *study, CatalogStore *store, GError **error)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (CatalogMembers) members = NULL;
  gboolean any = FALSE;

  if (study->volumes != NULL)
    return g_strdupv (study->volumes);
  if (study->sample != NULL)
    {
      members = catalog_sample_members (store, study->sample, error);
      return members != NULL ? g_strdupv (members->volumes) : NULL;
    }
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_autoptr (GError) fault = NULL;
      g_autoptr (CatalogMembers) of_split = NULL;

      if (study->split >= 0 && study->split != (int) split)
        continue;
      of_split = catalog_split_members (store, split, &fault);
      if (of_split == NULL
          && (study->split >= 0 || !g_error_matches (fault, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND)))
        {
          g_propagate_error (error, g_steal_pointer (&fault));
          return NULL;
        }
      if (of_split != NULL)
        {
          g_strv_builder_addv (names, (const char **) of_split->volumes);
          any = TRUE;
        }
    }
  if (!any)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                   "%s: no split was imported yet; run `import` first",
                   workspace_directory (study->workspace));
      return NULL;
    }
  return g_strv_builder_end (names);
}

/** Keep the names that are on disk; the others are skipped by name. */
static char **
present_volumes (StudyEncode *study, Job *job, CatalogVolumeIndex *index, char **wanted)
{
  g_autoptr (GStrvBuilder) present = g_strv_builder_new ();
  g_autofree char *reason = g_strdup_printf ("not found under %s", study->volumes_directory);

  for (gsize i = 0; wanted[i] != NULL; i++)
    if (catalog_volume_index_path (index, wanted[i]) != NULL)
      g_strv_builder_add (present, wanted[i]);
    else
      {
        study->lacking++;
        job_skip (job, wanted[i], reason);
      }
  return g_strv_builder_end (present);
}

static gboolean
ensure_encoder (StudyEncode *study, CatalogStore *store, const Encoding *encoding, gint64 *id,
                GError **error)
{
  const EngineEncoderInfo *info = engine_encoder_info (encoding->encoder);
  g_autofree char *base =
      encoding_encoder_name (study->options.checkpoint, encoding->description->precision);
  g_autofree char *checkpoint = g_canonicalize_filename (study->options.checkpoint, NULL);
  g_autofree char *description = encoder_description_text (encoding->description);
  CatalogEncoder encoder = { .name =
                                 study->encoder_name != NULL ? (char *) study->encoder_name : base,
                             .weights_hash = (char *) info->weights_hash,
                             .checkpoint_path = checkpoint,
                             .description = description,
                             .width = info->latent_width };

  if (!catalog_encoder_ensure (store, &encoder, error))
    return FALSE;
  study->encoder = g_strdup (encoder.name);
  *id = encoder.id;
  return TRUE;
}

/** For later experiments. */
static gboolean
remember_encoder (const StudyEncode *study, const Encoding *encoding, CatalogStore *store,
                  GError **error)
{
  const char *precision = encoder_precision_name (encoding->description->precision);

  return catalog_store_set (store, STUDY_SETTING_PRECISION, precision, error)
         && study_setting_set_path (store, STUDY_SETTING_CHECKPOINT, study->options.checkpoint,
                                    error)
         && study_setting_set_path (store, STUDY_SETTING_DESCRIPTION, study->options.description,
                                    error)
         && study_setting_set_path (store, STUDY_SETTING_VOLUMES, study->volumes_directory, error);
}

static gboolean
remember_device (const Encoding *encoding, CatalogStore *store, GError **error)
{
  EngineInfo info;
  g_autofree char *text = NULL;

  engine_info (encoding->engine, &info);
  text = strcmp (info.device, "cpu") == 0
             ? g_strdup (info.device)
             : g_strdup_printf ("%s %s", info.device, info.device_name);
  return catalog_store_set (store, STUDY_SETTING_DEVICE, text, error);
}

/** For estimates; where most scans were found in the store, the time says little. That it can't be
 * remembered would be no fault of the encoding. */
static void
remember_speed (const StudyEncode *study, CatalogStore *store)
{
  if (study->encoded > study->cached)
    study_setting_set_seconds_per_scan (store, study->encoder, study->seconds / study->encoded,
                                        NULL);
}

/** On a processor one reader keeps ahead of the network; a GPU is fed by as many as there are
 * cores. */
static guint
default_readers (const Encoding *encoding)
{
  EngineInfo info;

  engine_info (encoding->engine, &info);
  return strcmp (info.device, "cpu") == 0 ? 1 + (g_get_num_processors () > 2)
                                          : CLAMP (g_get_num_processors (), 1, 16);
}

gboolean
study_encode (Job *job, gpointer data, GError **error)
{
  StudyEncode *study = data;
  g_autoptr (CatalogStore) store = workspace_store (study->workspace, error);
  g_auto (GStrv) wanted = store != NULL ? wanted_volumes (study, store, error) : NULL;
  g_autoptr (CatalogVolumeIndex) index = NULL;
  g_auto (GStrv) present = NULL;
  g_autoptr (Encoding) encoding = NULL;
  Pipeline pipeline = { .job = job, .workspace = study->workspace };
  guint readers;
  gint64 started_us;
  gboolean done;

  if (wanted == NULL)
    return FALSE;
  job_stage (job, "looking for scans", "scans", g_strv_length (wanted));
  index = catalog_volume_index_new (study->volumes_directory, job_cancellable (job), error);
  if (index == NULL)
    return FALSE;
  job_warn_all (job, catalog_volume_index_warnings (index));
  present = present_volumes (study, job, index, wanted);
  if (present[0] == NULL && study->volumes != NULL)
    return TRUE;
  if (present[0] == NULL && wanted[0] != NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                   "%s: none of the %u wanted scans is there; name the folder that holds them",
                   study->volumes_directory, study->lacking);
      return FALSE;
    }
  job_stage (job, "loading the encoder", "", 0);
  encoding = encoding_open (&study->options, error);
  if (encoding == NULL || !ensure_encoder (study, store, encoding, &pipeline.encoder_id, error)
      || !remember_encoder (study, encoding, store, error)
      || !remember_device (encoding, store, error))
    return FALSE;

  pipeline.encoding = encoding;
  pipeline.volumes = present;
  pipeline.n = g_strv_length (present);
  pipeline.index = index;
  readers = study->readers > 0 ? study->readers : default_readers (encoding);
  pipeline.capacity = readers;
  started_us = g_get_monotonic_time ();
  job_stage (job, "encoding", "scans", pipeline.n);
  done = run_pipeline (&pipeline, study, store, readers, error);
  study->seconds = (double) (g_get_monotonic_time () - started_us) / G_USEC_PER_SEC;
  remember_speed (study, store);
  return done;
}

void
study_encode_clear (StudyEncode *encode)
{
  g_clear_pointer (&encode->encoder, g_free);
}

#include "study/plan.h"

#include "catalog/latents.h"
#include "catalog/stamp.h"
#include "study/experiment_job.h"
#include "study/settings.h"

#include <math.h>
#include <string.h>

struct _StudyPlanCache
{
  StudyRows *rows;
  char *stamp; /* of the encoder's latents when they were read */
  gboolean imported;
  GHashTable *encoded, *failed; /* names of volumes */
};

StudyPlanCache *
study_plan_cache_new (void)
{
  StudyPlanCache *cache = g_new0 (StudyPlanCache, 1);

  cache->rows = study_rows_new ();
  cache->encoded = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  cache->failed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return cache;
}

void
study_plan_cache_free (StudyPlanCache *cache)
{
  study_rows_free (cache->rows);
  g_free (cache->stamp);
  g_hash_table_unref (cache->encoded);
  g_hash_table_unref (cache->failed);
  g_free (cache);
}

void
study_plan_clear (StudyPlan *plan)
{
  g_clear_pointer (&plan->encoder, g_free);
}

/** Put the names into the set, which takes them. */
static gboolean
fill (GHashTable *set, char **names /* transfer full, nullable */)
{
  g_hash_table_remove_all (set);
  for (char **name = names; name != NULL && *name != NULL; name++)
    g_hash_table_add (set, *name);
  g_free (names);
  return names != NULL;
}

/** Read which volumes have a latent and which failed, unless that is known. */
static gboolean
refresh_volumes (StudyPlanCache *cache, CatalogStore *store, const char *encoder_name,
                 GError **error)
{
  g_autoptr (CatalogEncoder) encoder =
      encoder_name != NULL ? catalog_encoder_find (store, encoder_name, NULL) : NULL;
  g_autofree char *latents = NULL, *stamp = NULL;

  if (encoder == NULL)
    {
      /* Nothing was encoded by it yet. */
      g_clear_pointer (&cache->stamp, g_free);
      g_hash_table_remove_all (cache->encoded);
      g_hash_table_remove_all (cache->failed);
      cache->imported = FALSE;
      return TRUE;
    }
  latents = catalog_latents_stamp (store, encoder->id, error);
  if (latents == NULL)
    return FALSE;
  stamp = g_strdup_printf ("%" G_GINT64_FORMAT " %s", encoder->id, latents);
  if (g_strcmp0 (stamp, cache->stamp) == 0)
    return TRUE;
  g_clear_pointer (&cache->stamp, g_free);
  cache->imported = catalog_encoder_is_imported (encoder);
  if (!fill (cache->encoded, catalog_latent_volumes (store, encoder->id, error))
      || !fill (cache->failed, catalog_failed_volumes (store, encoder->id, error)))
    return FALSE;
  cache->stamp = g_steal_pointer (&stamp);
  return TRUE;
}

static gboolean
plan_split (StudyPlanCache *cache, CatalogStore *store, const TrainParameters *parameters,
            CatalogSplit split, StudyPlanSplit *plan, GError **error)
{
  const char *named =
      split == CATALOG_SPLIT_TRAIN ? parameters->train_sample : parameters->valid_sample;
  const StudyChoice *choice = study_rows_choose (cache->rows, store, split, named,
                                                 parameters->fraction, parameters->seed, error);

  if (choice == NULL)
    return FALSE;
  plan->of = choice->members->n;
  plan->n = choice->n;
  plan->shares = choice->shares;
  for (gsize i = 0; i < choice->members->n; i++)
    {
      const char *volume = choice->members->volumes[i];

      if (!choice->chosen[i])
        continue;
      if (g_hash_table_contains (cache->encoded, volume))
        plan->cached++;
      else if (cache->imported || g_hash_table_contains (cache->failed, volume))
        plan->lost++;
    }
  return TRUE;
}

static gboolean
make_plan (CatalogStore *store, const TrainParameters *parameters, const char *checkpoint,
           StudyPlanCache *cache, StudyPlan *plan, GCancellable *cancellable, GError **error)
{
  plan->encoder = study_experiment_encoder (store, parameters, checkpoint);
  if (!refresh_volumes (cache, store, plan->encoder, error))
    return FALSE;
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error)
          || !plan_split (cache, store, parameters, split, &plan->splits[split], error))
        return FALSE;
      plan->to_encode +=
          plan->splits[split].n - plan->splits[split].cached - plan->splits[split].lost;
    }
  if (plan->to_encode > 0)
    plan->seconds =
        plan->encoder != NULL
            ? (double) plan->to_encode * study_setting_seconds_per_scan (store, plan->encoder)
            : NAN;
  return TRUE;
}

gboolean
study_plan (Workspace *workspace, const TrainParameters *parameters, const char *checkpoint,
            StudyPlanCache *cache, StudyPlan *plan, GCancellable *cancellable, GError **error)
{
  g_autoptr (CatalogStore) store = workspace_store (workspace, error);

  *plan = (StudyPlan){ .seconds = 0 };
  if (store != NULL && make_plan (store, parameters, checkpoint, cache, plan, cancellable, error))
    return TRUE;
  study_plan_clear (plan);
  return FALSE;
}

#include "study/train_cache.h"

#include "catalog/stamp.h"
#include "study/rows.h"

typedef struct
{
  char *key; /* of what the cohort was made from */
  StudyCohort *cohort;
} Entry;

struct _StudyTrainCache
{
  StudyRows *rows;
  Entry entries[STUDY_N_SPLITS]; /* by CatalogSplit */
};

StudyTrainCache *
study_train_cache_new (void)
{
  StudyTrainCache *cache = g_new0 (StudyTrainCache, 1);

  cache->rows = study_rows_new ();
  return cache;
}

static void
forget (Entry *entry)
{
  g_clear_pointer (&entry->key, g_free);
  g_clear_pointer (&entry->cohort, study_cohort_free);
}

void
study_train_cache_free (StudyTrainCache *cache)
{
  for (guint i = 0; i < STUDY_N_SPLITS; i++)
    forget (&cache->entries[i]);
  study_rows_free (cache->rows);
  g_free (cache);
}

static char *
entry_key (const CatalogEncoder *encoder, const char *stamp, const StudyChoice *choice,
           const StudyTrainRequest *request)
{
  g_autofree char *permuted =
      request->permute_labels ? g_strdup_printf ("%" G_GUINT64_FORMAT, request->seed) : NULL;

  return g_strdup_printf ("encoder %" G_GINT64_FORMAT " with %s; %s; permuted: %s", encoder->id,
                          stamp, choice->identity, permuted != NULL ? permuted : "no");
}

const StudyCohort *
study_train_cache_load (StudyTrainCache *cache, CatalogStore *store, const CatalogEncoder *encoder,
                        const StudyTrainRequest *request, GError **error)
{
  Entry *entry = &cache->entries[request->split];
  const StudyChoice *choice = study_rows_choose (
      cache->rows, store, request->split, request->sample, request->fraction, request->seed, error);
  g_autofree char *stamp =
      choice != NULL ? catalog_latents_stamp (store, encoder->id, error) : NULL;
  g_autofree char *key = NULL, *drawn = NULL;
  g_autoptr (CatalogMembers) members = NULL;

  if (stamp == NULL)
    return NULL;
  key = entry_key (encoder, stamp, choice, request);
  if (g_strcmp0 (key, entry->key) == 0)
    return entry->cohort;

  forget (entry);
  drawn = g_strdup_printf ("%g of %s", request->fraction, catalog_split_name (request->split));
  members = study_choice_members (choice);
  entry->cohort = study_cohort_load_members (
      store, request->sample != NULL && *request->sample != '\0' ? request->sample : drawn, members,
      encoder, error);
  if (entry->cohort == NULL)
    return NULL;
  /* Both samples of a control run: against shuffled truths no score can be better than chance,
   * whatever the head has learnt. */
  if (request->permute_labels)
    study_cohort_permute_labels (entry->cohort, request->seed + request->split);
  entry->key = g_steal_pointer (&key);
  return entry->cohort;
}

#include "study/sample_job.h"

#include "base/error.h"
#include "catalog/volume_index.h"

#include <string.h>

/** The rows of @members that @chosen marks, as a %NULL-terminated array of borrowed names. */
static const char **
chosen_volumes (const CatalogMembers *members, const guint8 *chosen)
{
  GPtrArray *names = g_ptr_array_new ();

  for (gsize i = 0; i < members->n; i++)
    if (chosen[i])
      g_ptr_array_add (names, members->volumes[i]);
  g_ptr_array_add (names, NULL);
  return (const char **) g_ptr_array_free (names, FALSE);
}

/** Drop members without a scan on disk, keeping the order; returns how many went. */
static guint
keep_available (CatalogMembers *members, const CatalogVolumeIndex *index)
{
  gsize kept = 0, all = members->n;

  for (gsize i = 0; i < all; i++)
    {
      if (catalog_volume_index_path (index, members->volumes[i]) == NULL)
        {
          g_free (members->volumes[i]);
          g_free (members->patients[i]);
          continue;
        }
      members->volumes[kept] = members->volumes[i];
      members->patients[kept] = members->patients[i];
      members->labels[kept++] = members->labels[i];
    }
  members->volumes[kept] = members->patients[kept] = NULL;
  members->n = kept;
  return (guint) (all - kept);
}

static char *
drawn_name (CatalogSplit split, double fraction, guint64 seed, gboolean available)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (text, sizeof text, "%.6g", fraction);
  return g_strdup_printf ("%s-%s-%" G_GUINT64_FORMAT "%s", catalog_split_name (split), text, seed,
                          available ? "-available" : "");
}

/** Choose, measure and store. */
static gboolean
draw (CatalogStore *store, const CatalogMembers *members, CatalogSample *sample,
      StratifyShares *shares, GError **error)
{
  g_autofree guint8 *chosen = g_malloc0 (MAX (members->n, 1));
  g_autofree const char **volumes = NULL;

  stratify_sample (members->labels, members->n, CATALOG_N_LABELS, sample->fraction, sample->seed,
                   chosen);
  stratify_shares (members->labels, members->n, CATALOG_N_LABELS, chosen, shares);
  volumes = chosen_volumes (members, chosen);
  sample->n = (guint) stratify_sample_size (sample->fraction, members->n);
  sample->of = (guint) members->n;
  return catalog_sample_save (store, sample, volumes, error);
}

gboolean
study_sample (Job *job, gpointer data, GError **error)
{
  StudySample *study = data;
  gboolean available = study->volumes_directory != NULL;
  g_autoptr (CatalogStore) store = workspace_store (study->workspace, error);
  g_autoptr (CatalogMembers) members = NULL;
  g_autoptr (CatalogSample) sample = g_new0 (CatalogSample, 1);

  if (store == NULL || (members = catalog_split_members (store, study->split, error)) == NULL)
    return FALSE;
  if (available)
    {
      g_autoptr (CatalogVolumeIndex) index = NULL;

      job_stage (job, "looking for scans", "", 0);
      index = catalog_volume_index_new (study->volumes_directory, job_cancellable (job), error);
      if (index == NULL)
        return FALSE;
      study->lacking = keep_available (members, index);
      if (members->n == 0)
        {
          g_set_error (
              error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
              "%s: none of the %u scans of split %s is there; name the folder that holds them",
              study->volumes_directory, study->lacking, catalog_split_name (study->split));
          return FALSE;
        }
    }
  if (stratify_sample_size (study->fraction, members->n) == 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "a fraction of %g of %" G_GSIZE_FORMAT " scans is none; take a larger one",
                   study->fraction, members->n);
      return FALSE;
    }
  job_stage (job, "sampling", "rows", members->n);
  sample->name = study->name != NULL
                     ? g_strdup (study->name)
                     : drawn_name (study->split, study->fraction, study->seed, available);
  sample->split = study->split;
  sample->fraction = study->fraction;
  sample->seed = study->seed;
  sample->available = available;
  if (!draw (store, members, sample, &study->shares, error))
    return FALSE;
  job_progress (job, members->n);
  study->sample = g_steal_pointer (&sample);
  return TRUE;
}

void
study_sample_clear (StudySample *sample)
{
  g_clear_pointer (&sample->sample, catalog_sample_free);
}

char *
study_sample_ensure (CatalogStore *store, CatalogSplit split, double fraction, guint64 seed,
                     GError **error)
{
  g_autofree char *name = drawn_name (split, fraction, seed, FALSE);
  g_autoptr (CatalogMembers) members = catalog_split_members (store, split, error);
  g_autoptr (CatalogSample) sample = NULL;
  StratifyShares shares;

  if (members == NULL)
    return NULL;
  sample = catalog_sample_find (store, name, NULL);
  if (sample != NULL && sample->split == split && sample->of == members->n
      && sample->fraction == fraction && sample->seed == seed)
    {
      g_autoptr (CatalogMembers) still = catalog_sample_members (store, name, error);

      if (still == NULL)
        return NULL;
      if (still->n == sample->n)
        return g_steal_pointer (&name);
    }
  g_clear_pointer (&sample, catalog_sample_free);
  sample = g_new0 (CatalogSample, 1);
  sample->name = g_strdup (name);
  sample->split = split;
  sample->fraction = fraction;
  sample->seed = seed;
  if (!draw (store, members, sample, &shares, error))
    return NULL;
  return g_steal_pointer (&name);
}

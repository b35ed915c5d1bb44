#include "study/sample_job.h"

#include "base/error.h"
#include "catalog/volume_index.h"
#include "study/rows.h"

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
      job_warn_all (job, catalog_volume_index_warnings (index));
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
  if (!study_fraction_check (study->fraction, members->n, error))
    return FALSE;
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

/** Has this sample been drawn for @wanted, now or before another import? Only then is it ours. */
static gboolean
is_drawn_alike (const CatalogSample *sample, const CatalogSample *wanted)
{
  return sample->split == wanted->split && sample->fraction == wanted->fraction
         && sample->seed == wanted->seed && !sample->available;
}

/** All that was drawn is still there, and it was drawn from as many rows as there are. */
static gboolean
still_fits (CatalogStore *store, const CatalogSample *sample, gsize of)
{
  g_autoptr (CatalogMembers) members =
      sample->of == of ? catalog_sample_members (store, sample->name, NULL) : NULL;

  return members != NULL && members->n == sample->n;
}

char *
study_sample_ensure (CatalogStore *store, CatalogSplit split, double fraction, guint64 seed,
                     GError **error)
{
  g_autofree char *name = drawn_name (split, fraction, seed, FALSE);
  g_autoptr (CatalogMembers) members = catalog_split_members (store, split, error);
  CatalogSample wanted = { .name = name, .split = split, .fraction = fraction, .seed = seed };
  StratifyShares shares;

  if (members == NULL || !study_fraction_check (fraction, members->n, error))
    return NULL;
  for (;;)
    {
      g_autoptr (CatalogSample) sample = catalog_sample_find (store, wanted.name, NULL);
      char *next;

      if (sample != NULL && is_drawn_alike (sample, &wanted)
          && still_fits (store, sample, members->n))
        return g_steal_pointer (&name);
      if (sample == NULL || is_drawn_alike (sample, &wanted))
        break;
      /* The user gave the name to a sample of another kind. */
      next = g_strconcat (name, "-drawn", NULL);
      g_free (name);
      wanted.name = name = next;
    }
  return draw (store, members, &wanted, &shares, error) ? g_steal_pointer (&name) : NULL;
}

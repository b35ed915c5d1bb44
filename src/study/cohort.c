#include "study/cohort.h"

#include "base/error.h"
#include "base/random.h"
#include "catalog/record.h"

#include <string.h>

#define PERMUTATION_STREAM 0x7065726d /* apart from the other uses of the run's seed */
#define NAMED_PATIENTS 3              /* more are only counted in a message */

static void
spread_labels (StudyCohort *cohort)
{
  for (gsize i = 0; i < cohort->n; i++)
    for (guint label = 0; label < CATALOG_N_LABELS; label++)
      cohort->labels[i * CATALOG_N_LABELS + label] = cohort->label_bits[i] >> label & 1;
}

/** Move the members that have a latent to the front; list the others. */
static void
keep_present (StudyCohort *cohort, const CatalogMembers *members, const guint8 *present)
{
  g_autoptr (GHashTable) patients = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *volumes = g_ptr_array_new (), *names = g_ptr_array_new ();

  for (gsize i = 0; i < members->n; i++)
    {
      gpointer group;

      if (!present[i])
        {
          g_ptr_array_add (cohort->missing, g_strdup (members->volumes[i]));
          continue;
        }
      if (!g_hash_table_lookup_extended (patients, members->patients[i], NULL, &group))
        {
          group = GUINT_TO_POINTER (g_hash_table_size (patients));
          g_hash_table_insert (patients, members->patients[i], group);
          g_ptr_array_add (names, g_strdup (members->patients[i]));
        }
      cohort->groups[cohort->n] = GPOINTER_TO_UINT (group);
      cohort->label_bits[cohort->n] = members->labels[i];
      memmove (cohort->latents + cohort->n * cohort->width, cohort->latents + i * cohort->width,
               cohort->width * sizeof *cohort->latents);
      g_ptr_array_add (volumes, g_strdup (members->volumes[i]));
      cohort->n++;
    }
  g_ptr_array_add (volumes, NULL);
  cohort->volumes = (char **) g_ptr_array_free (volumes, FALSE);
  g_ptr_array_add (names, NULL);
  cohort->patients = (char **) g_ptr_array_free (names, FALSE);
}

StudyCohort *
study_cohort_load_members (CatalogStore *store, const char *sample, const CatalogMembers *members,
                           const CatalogEncoder *encoder, GError **error)
{
  g_autoptr (StudyCohort) cohort = g_new0 (StudyCohort, 1);
  g_autofree guint8 *present = NULL;

  cohort->width = encoder->width;
  cohort->missing = g_ptr_array_new_with_free_func (g_free);
  cohort->latents = g_try_new (float, MAX (members->n * encoder->width, 1));
  cohort->labels = g_try_new (guint8, MAX (members->n * CATALOG_N_LABELS, 1));
  if (cohort->latents == NULL || cohort->labels == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                   "sample %s: the latents of %" G_GSIZE_FORMAT
                   " scans do not fit into memory; take a smaller fraction",
                   sample, members->n);
      return NULL;
    }
  cohort->label_bits = g_new0 (guint32, MAX (members->n, 1));
  cohort->groups = g_new0 (guint32, MAX (members->n, 1));
  present = g_malloc0 (MAX (members->n, 1));
  if (!catalog_latents_load (store, encoder->id, (const char *const *) members->volumes, members->n,
                             encoder->width, cohort->latents, present, error))
    return NULL;
  keep_present (cohort, members, present);
  spread_labels (cohort);
  return g_steal_pointer (&cohort);
}

void
study_cohort_free (StudyCohort *cohort)
{
  g_free (cohort->latents);
  g_free (cohort->labels);
  g_free (cohort->label_bits);
  g_free (cohort->groups);
  g_strfreev (cohort->volumes);
  g_strfreev (cohort->patients);
  g_clear_pointer (&cohort->missing, g_ptr_array_unref);
  g_free (cohort);
}

void
study_cohort_permute_labels (StudyCohort *cohort, guint64 seed)
{
  Random random;

  random_init (&random, seed, PERMUTATION_STREAM);
  random_shuffle (&random, cohort->label_bits, cohort->n);
  spread_labels (cohort);
}

gboolean
study_cohort_check_disjoint (const StudyCohort *train, const StudyCohort *valid, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GString) names = g_string_new (NULL);
  guint shared = 0;

  for (char **patient = train->patients; *patient != NULL; patient++)
    g_hash_table_add (seen, *patient);
  for (char **patient = valid->patients; *patient != NULL; patient++)
    if (g_hash_table_contains (seen, *patient) && ++shared <= NAMED_PATIENTS)
      g_string_append_printf (names, "%s%s", shared > 1 ? ", " : "", *patient);
  if (shared == 0)
    return TRUE;
  if (shared > NAMED_PATIENTS)
    g_string_append (names, ", ...");
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "%u patient%s in both the training and the validation sample (%s), so the scores "
               "would be of what the head has seen; import splits that share no patient",
               shared, shared == 1 ? " is" : "s are",
               catalog_redacting () ? CATALOG_REDACTED : names->str);
  return FALSE;
}

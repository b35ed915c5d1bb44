#include "study/rows.h"

#include "base/error.h"
#include "catalog/stamp.h"

#include <string.h>

typedef struct
{
  char *stamp; /* of the split when its rows were read */
  CatalogMembers *members;
  StudyChoice choice; /* the last one */
} Split;

struct _StudyRows
{
  Split splits[STUDY_N_SPLITS];
};

StudyRows *
study_rows_new (void)
{
  return g_new0 (StudyRows, 1);
}

static void
forget_choice (Split *split)
{
  g_free (split->choice.chosen);
  g_free (split->choice.identity);
  split->choice = (StudyChoice){ 0 };
}

static void
forget_split (Split *split)
{
  forget_choice (split);
  g_clear_pointer (&split->stamp, g_free);
  g_clear_pointer (&split->members, catalog_members_free);
}

void
study_rows_free (StudyRows *rows)
{
  for (guint i = 0; i < STUDY_N_SPLITS; i++)
    forget_split (&rows->splits[i]);
  g_free (rows);
}

/** Read the split's rows, unless they are those that we have. */
static gboolean
refresh (Split *split, CatalogStore *store, CatalogSplit which, GError **error)
{
  g_autofree char *stamp = catalog_split_stamp (store, which, error);

  if (stamp == NULL)
    return FALSE;
  if (g_strcmp0 (stamp, split->stamp) == 0)
    return TRUE;
  forget_split (split);
  split->members = catalog_split_members (store, which, error);
  if (split->members == NULL)
    return FALSE;
  split->stamp = g_steal_pointer (&stamp);
  return TRUE;
}

/* ---- what a sample is known by ---- */

/** A head that is judged on scans of the training split would be judged on what it has seen. */
static char *
named_identity (CatalogStore *store, CatalogSplit split, const char *name, GError **error)
{
  g_autoptr (CatalogSample) sample = catalog_sample_find (store, name, error);

  if (sample == NULL)
    return NULL;
  if (sample->split != split)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "sample %s is of split %s; name one of split %s", name,
                   catalog_split_name (sample->split), catalog_split_name (split));
      return NULL;
    }
  return g_strdup_printf ("sample %s, %s, %u of %u, %.17g, %" G_GUINT64_FORMAT ", %d", name,
                          sample->created, sample->n, sample->of, sample->fraction, sample->seed,
                          sample->available);
}

gboolean
study_fraction_check (double fraction, gsize n, GError **error)
{
  if (stratify_sample_size (fraction, n) > 0)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "a fraction of %g of %" G_GSIZE_FORMAT " scans is none; take a larger one", fraction,
               n);
  return FALSE;
}

static char *
drawn_identity (gsize n, double fraction, guint64 seed, GError **error)
{
  return study_fraction_check (fraction, n, error)
             ? g_strdup_printf ("drawn %.17g, %" G_GUINT64_FORMAT, fraction, seed)
             : NULL;
}

/* ---- its members ---- */

static gboolean
choose_named (CatalogStore *store, const char *name, const CatalogMembers *members, guint8 *chosen,
              GError **error)
{
  g_autoptr (CatalogMembers) wanted = catalog_sample_members (store, name, error);
  gsize next = 0;

  if (wanted == NULL)
    return FALSE;
  /* Both are in the file's order. */
  for (gsize i = 0; i < members->n && next < wanted->n; i++)
    if (strcmp (members->volumes[i], wanted->volumes[next]) == 0)
      {
        chosen[i] = 1;
        next++;
      }
  return TRUE;
}

const StudyChoice *
study_rows_choose (StudyRows *rows, CatalogStore *store, CatalogSplit which, const char *named,
                   double fraction, guint64 seed, GError **error)
{
  Split *split = &rows->splits[which];
  StudyChoice *choice = &split->choice;
  g_autofree char *request = NULL, *identity = NULL;
  gboolean by_name = named != NULL && *named != '\0';
  const CatalogMembers *members;

  if (!refresh (split, store, which, error))
    return NULL;
  members = split->members;
  request = by_name ? named_identity (store, which, named, error)
                    : drawn_identity (members->n, fraction, seed, error);
  if (request == NULL)
    return NULL;
  identity = g_strdup_printf ("%s; %s", request, split->stamp);
  if (g_strcmp0 (identity, choice->identity) == 0)
    return choice;

  forget_choice (split);
  choice->members = members;
  choice->chosen = g_malloc0 (MAX (members->n, 1));
  if (!by_name)
    stratify_sample (members->labels, members->n, CATALOG_N_LABELS, fraction, seed, choice->chosen);
  else if (!choose_named (store, named, members, choice->chosen, error))
    return NULL;
  for (gsize i = 0; i < members->n; i++)
    choice->n += choice->chosen[i];
  stratify_shares (members->labels, members->n, CATALOG_N_LABELS, choice->chosen, &choice->shares);
  choice->identity = g_steal_pointer (&identity);
  return choice;
}

CatalogMembers *
study_choice_members (const StudyChoice *choice)
{
  CatalogMembers *copy = g_new0 (CatalogMembers, 1);

  copy->volumes = g_new0 (char *, choice->n + 1);
  copy->patients = g_new0 (char *, choice->n + 1);
  copy->labels = g_new (guint32, choice->n);
  for (gsize i = 0; i < choice->members->n; i++)
    if (choice->chosen[i])
      {
        copy->volumes[copy->n] = g_strdup (choice->members->volumes[i]);
        copy->patients[copy->n] = g_strdup (choice->members->patients[i]);
        copy->labels[copy->n++] = choice->members->labels[i];
      }
  return copy;
}

/**
 * cohort.h: the members of a sample with their latents, ready for fitting or judging a head.
 */
#pragma once

#include "catalog/latents.h"
#include "catalog/samples.h"

typedef struct
{
  gsize n;
  guint width;
  float *latents;      /* n × width */
  guint8 *labels;      /* n × CATALOG_N_LABELS */
  guint32 *label_bits; /* n */
  guint32 *groups;     /* n: patients numbered from 0 */
  char **patients;     /* %NULL-terminated: the names of those numbers */
  char **volumes;      /* %NULL-terminated */
  GPtrArray *missing;  /* (element-type utf8) members without a latent */
} StudyCohort;

/** study_cohort_load_members: those without a latent of @encoder are left out and listed; @sample
 * names the members in errors. */
StudyCohort *study_cohort_load_members (CatalogStore *store, const char *sample,
                                        const CatalogMembers *members,
                                        const CatalogEncoder *encoder, GError **error);
void study_cohort_free (StudyCohort *cohort);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StudyCohort, study_cohort_free)

/** study_cohort_permute_labels: deal the label rows out anew among the members, seeded. */
void study_cohort_permute_labels (StudyCohort *cohort, guint64 seed);

/** study_cohort_check_disjoint: TRUE where no patient is in both; else a USAGE error that names the
 * first ones. A head that is judged on patients of the training sample is judged on what it saw. */
gboolean study_cohort_check_disjoint (const StudyCohort *train, const StudyCohort *valid,
                                      GError **error);

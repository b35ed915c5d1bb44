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
  char **volumes;      /* %NULL-terminated */
  GPtrArray *missing;  /* (element-type utf8) members without a latent */
} StudyCohort;

/** study_cohort_load: members without a latent of @encoder are left out and listed. */
StudyCohort *study_cohort_load (CatalogStore *store, const char *sample,
                                const CatalogEncoder *encoder, GError **error);
void study_cohort_free (StudyCohort *cohort);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StudyCohort, study_cohort_free)

/** study_cohort_permute_labels: deal the label rows out anew among the members, seeded. */
void study_cohort_permute_labels (StudyCohort *cohort, guint64 seed);

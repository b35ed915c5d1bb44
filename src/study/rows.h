/**
 * rows.h: the kept rows of both splits in memory, and which of them a sample takes.
 *
 * Plans and previews ask for another sample at every turn of a knob and store none of them.
 */
#pragma once

#include "catalog/samples.h"
#include "sampling/stratify.h"

#define STUDY_N_SPLITS 2

/** For one thread at a time. */
typedef struct _StudyRows StudyRows;

StudyRows *study_rows_new (void);
void study_rows_free (StudyRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StudyRows, study_rows_free)

/** A sample of a split. */
typedef struct
{
  const CatalogMembers *members; /* all kept rows of the split */
  guint8 *chosen;                /* members->n bytes: 1 takes part */
  gsize n;                       /* how many do */
  StratifyShares shares;         /* of the labels, in all rows and in the sample */
  char *identity;                /* differs where another sample is meant or the split changed */
} StudyChoice;

/**
 * study_rows_choose: the sample's members among the kept rows.
 *
 * @named: (nullable) a sample's name; %NULL or "": drawn by @fraction and @seed, the very rows that
 * study_sample_ensure() would store
 *
 * Returns: (transfer none) valid until the next call for that split. A named sample of the other
 * split, and a fraction that takes no row, are CTCLIP_ERROR_USAGE.
 */
const StudyChoice *study_rows_choose (StudyRows *rows, CatalogStore *store, CatalogSplit split,
                                      const char *named, double fraction, guint64 seed,
                                      GError **error);

/** study_fraction_check: FALSE with CTCLIP_ERROR_USAGE where @fraction of @n rows is none. */
gboolean study_fraction_check (double fraction, gsize n, GError **error);

/** study_choice_members: a copy of the rows that take part. */
CatalogMembers *study_choice_members (const StudyChoice *choice);

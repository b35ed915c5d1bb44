/**
 * demo_cohort.h: a small synthetic cohort in CT-RATE's exact formats and layout.
 */
#pragma once

#include "catalog/record.h"
#include <gio/gio.h>

typedef struct
{
  guint n_train, n_valid; /* patients that are kept by the cleaning rules */
  guint64 seed;
  guint threads; /* that paint; 0: all cores that this process may use */
} DemoCohortOptions;

/** DemoProgress: so many scans of so many are done; called on the caller's thread. */
typedef void (*DemoProgress) (guint64 done, guint64 total, gpointer user_data);

/**
 * demo_cohort_write: tables and scans below @directory, which is made where it is not there.
 *
 *     train_reports.csv, train_predicted_labels.csv, train_metadata.csv, no_chest_train.txt
 *     validation_reports.csv, valid_predicted_labels.csv, validation_metadata.csv,
 * no_chest_valid.txt volumes/train/train_1/train_1_a/train_1_a_1.nii.gz, volumes/valid/...
 *
 * Beside the kept rows there are some that each cleaning rule drops: an unreadable name, no label,
 * no text, second reconstructions, another body part, later scans of a patient. As most people hold
 * part of CT-RATE, only kept rows have a volume file. The same options give the same bytes,
 * whatever the number of threads.
 *
 * A label is seen in the voxels and named in the report; nothing else of a row or file is drawn
 * with knowledge of it.
 */
gboolean demo_cohort_write (const char *directory, const DemoCohortOptions *options,
                            DemoProgress progress, gpointer user_data, GCancellable *cancellable,
                            GError **error);

/** demo_cohort_rows: (transfer full) (element-type DemoRow) the rows of a split, in the reports'
 * order. */
GPtrArray *demo_cohort_rows (const DemoCohortOptions *options, CatalogSplit split);

/**
 * import.h: CT-RATE's CSV files into the store, cleaned.
 */
#pragma once

#include "catalog/record.h"
#include "catalog/store.h"
#include "catalog/text_index.h"

typedef struct
{
  CatalogSplit split;
  const char *reports_path;  /* needed */
  const char *labels_path;   /* needed */
  const char *metadata_path; /* (nullable) */
  const char *no_chest_path; /* (nullable) */
  gboolean require_both;     /* findings and impression must both be there */
  gboolean index_later;      /* the caller sees to the full-text index (text_index.h) */
} CatalogImportOptions;

typedef struct
{
  CatalogSplit split;
  guint rows;
  guint count[CATALOG_N_REASONS];    /* [CATALOG_KEPT] are kept */
  guint positives[CATALOG_N_LABELS]; /* among the kept */
  guint without_metadata;            /* kept rows that the metadata file lacks; 0 without one */
} CatalogFunnel;

/**
 * catalog_import: read, clean and replace the split in one transaction; then fill the full-text
 * index, unless @options leaves that to the caller.
 *
 * Columns are found by name; a missing needed one is an error that names file and column. Needed
 * are all five of the reports, all 19 of the labels, and of the metadata the volume's name and what
 * the preparation of a scan depends on (spacing, slope, intercept); other tables may lack the rest,
 * which is then unknown.
 *
 * Rows that can't be read are kept with reason UNREADABLE and their line number: another number of
 * cells than the header has, a name that is no volume's, a volume that an earlier row has. A volume
 * whose row of the label table can't be used counts as not in it, and one whose metadata row can't
 * as without metadata; the record's reason_detail says so. On failure, and when cancelled before
 * the rows are there, the split is as it was.
 *
 * Others go on reading meanwhile, but for the first import into a store that nobody else has open:
 * whoever opens it then waits for the end (store_leave_log() in store_private.h).
 *
 * @progress: (nullable) in bytes
 * @funnel: (out)
 */
gboolean catalog_import (CatalogStore *store, const CatalogImportOptions *options,
                         CatalogProgress progress, gpointer user_data, CatalogFunnel *funnel,
                         GCancellable *cancellable, GError **error);

/** catalog_funnel_read: the funnel of an imported split; CTCLIP_ERROR_NOT_FOUND where none was
 * imported. */
gboolean catalog_funnel_read (CatalogStore *store, CatalogSplit split, CatalogFunnel *funnel,
                              GError **error);

/**
 * record.h: one row of a split: a reconstruction of a scan, why it was kept or dropped, what is
 * known of it.
 */
#pragma once

#include "catalog/labels.h"
#include <glib.h>

typedef enum
{
  CATALOG_SPLIT_TRAIN,
  CATALOG_SPLIT_VALID,
} CatalogSplit;

/** catalog_split_parse: "train", "valid" or "validation". */
gboolean catalog_split_parse (const char *text, CatalogSplit *split, GError **error);
const char *catalog_split_name (CatalogSplit split); /* "train", "valid" */

/** The cleaning funnel's rules, in their order. */
typedef enum
{
  CATALOG_KEPT,
  CATALOG_DROP_UNREADABLE,
  CATALOG_DROP_NO_LABEL,
  CATALOG_DROP_NO_TEXT,
  CATALOG_DROP_RECONSTRUCTION,
  CATALOG_DROP_NO_CHEST,
  CATALOG_DROP_PATIENT,
  CATALOG_N_REASONS,
} CatalogReason;

const char *
catalog_reason_name (CatalogReason reason); /* "kept", "unreadable", "no_label", ... as in JSON */
const char *
catalog_reason_description (CatalogReason reason); /* "not the first reconstruction", ... */

typedef struct
{
  gint64 id;
  CatalogSplit split;
  guint32 position; /* row number in the reports file, from 0; one split's order */
  CatalogReason reason;
  char *reason_detail; /* (nullable) the file, line and fault of what couldn't be read; for a later
                          study the volume that is kept */
  char *volume;        /* "train_1_a_1.nii.gz" */
  char *patient;       /* "train_1" */
  gboolean has_labels;
  guint32 labels;                                       /* bit i is label i */
  char *sex, *manufacturer, *model, *study_date;        /* "" where unknown */
  int age_years;                                        /* -1 where unknown */
  int rows, columns, slices;                            /* -1 where unknown */
  double spacing_xy_mm, spacing_z_mm, slope, intercept; /* NaN where unknown */
  /* only from catalog_records_page() */
  gboolean encoded;   /* has a latent of the encoder that was asked about */
  double probability; /* of the class that was asked about; NaN where there is none */
  /* report; %NULL in listings, see catalog_record_get */
  char *clinical, *technique, *findings, *impression;
} CatalogRecord;

/**
 * catalog_redact: from now on records come without their patient: patient, sex, age and date of the
 * study are unknown, and the report's texts, which may name any of them, say "(redacted)".
 *
 * Names of files stay, as everything goes by them. Queries see what is there: what they find is
 * hidden, not how much.
 */
void catalog_redact (void);

/* What stands in place of a text that is hidden. */
#define CATALOG_REDACTED "(redacted)"

/** catalog_redacting: whether catalog_redact() was called. */
gboolean catalog_redacting (void);

/** catalog_record_free: @record: (nullable) */
void catalog_record_free (CatalogRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CatalogRecord, catalog_record_free)

/**
 * ctrate_files.h: tables shaped like CT-RATE's, made from a seed.
 *
 * Names, order, quoting and quirks are those of the real files: reports with newlines, quotes,
 * curly quotes and bullets in their cells, "Not given." and blank cells, lists with commas, ages
 * such as 036Y. The validation files begin with a byte order mark and have CRLF without a final
 * newline; the training files have neither. The numbers of rows and of positives are exact; labels
 * come together as they do in patients.
 */
#pragma once

#include "catalog/labels.h"
#include "catalog/record.h"

typedef struct
{
  CatalogSplit split;
  guint rows;                        /* of the reports file */
  guint studies;                     /* of these the first reconstructions */
  guint patients;                    /* of these the first of a patient: what cleaning keeps */
  guint positives[CATALOG_N_LABELS]; /* among the kept */
} CtrateShape;

/**
 * ctrate_shape: a split's real numbers (the validation positives are in the proportions of the
 * training ones), or a smaller cohort like it.
 *
 * @patients: 0 is the real size
 */
CtrateShape ctrate_shape (CatalogSplit split, guint patients);

/** ctrate_files_write: the split's reports, labels and metadata, under CT-RATE's names. */
gboolean ctrate_files_write (const char *directory, const CtrateShape *shape, guint64 seed,
                             GError **error);

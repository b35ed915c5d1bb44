/**
 * import_files.h: CT-RATE's own names of a split's tables, in a folder that holds them.
 */
#pragma once

#include "catalog/record.h"

typedef struct
{
  char *reports, *labels;    /* where they are expected */
  char *metadata, *no_chest; /* (nullable) where they are there */
} StudyImportFiles;

StudyImportFiles study_import_files (const char *directory, CatalogSplit split);
void study_import_files_clear (StudyImportFiles *files);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyImportFiles, study_import_files_clear)

/** study_import_files_present: whether the split's reports are in the folder. */
gboolean study_import_files_present (const StudyImportFiles *files);

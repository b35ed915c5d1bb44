#include "study/import_files.h"

static char *
present_or_null (char *path)
{
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  g_free (path);
  return NULL;
}

StudyImportFiles
study_import_files (const char *directory, CatalogSplit split)
{
  /* CT-RATE calls the same split "validation" in two files and "valid" in the others. */
  gboolean train = split == CATALOG_SPLIT_TRAIN;
  StudyImportFiles files = {
    .reports =
        g_build_filename (directory, train ? "train_reports.csv" : "validation_reports.csv", NULL),
    .labels = g_build_filename (
        directory, train ? "train_predicted_labels.csv" : "valid_predicted_labels.csv", NULL),
    .metadata = g_build_filename (directory,
                                  train ? "train_metadata.csv" : "validation_metadata.csv", NULL),
    .no_chest =
        g_build_filename (directory, train ? "no_chest_train.txt" : "no_chest_valid.txt", NULL),
  };

  files.metadata = present_or_null (files.metadata);
  files.no_chest = present_or_null (files.no_chest);
  return files;
}

gboolean
study_import_files_present (const StudyImportFiles *files)
{
  return g_file_test (files->reports, G_FILE_TEST_EXISTS);
}

void
study_import_files_clear (StudyImportFiles *files)
{
  g_clear_pointer (&files->reports, g_free);
  g_clear_pointer (&files->labels, g_free);
  g_clear_pointer (&files->metadata, g_free);
  g_clear_pointer (&files->no_chest, g_free);
}

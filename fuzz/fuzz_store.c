#include "fuzz_store.h"

#include "catalog/labels.h"
#include "catalog/store_private.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEPARATOR '\036'

static char *directory;

static void
remove_directory (void)
{
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *name;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL)
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);

      g_unlink (path);
    }
  g_rmdir (directory);
}

/** Two records: one with everything said of it, one with nothing. */
static void
import_two (CatalogStore *store)
{
  g_autoptr (GString) tables = g_string_new (
      "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n"
      "train_1_a_1.nii.gz,Cough,CT,Emphysema and 100 % ground glass.,\"Normal, as it's said.\"\n"
      "train_2_a_1.nii.gz,,,Nothing.,\n\036VolumeName");
  CatalogFunnel funnel;

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    g_string_append_printf (tables, ",%s", catalog_label_name (label));
  g_string_append (tables,
                   "\ntrain_1_a_1.nii.gz,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0\n"
                   "train_2_a_1.nii.gz,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n\036"
                   "VolumeName,Manufacturer,PatientSex,PatientAge,XYSpacing,RescaleIntercept,"
                   "RescaleSlope,ZSpacing,StudyDate\n"
                   "train_1_a_1.nii.gz,SIEMENS,F,060Y,\"[0.7, 0.7]\",-1024,1,1.5,20180723\n\036");
  g_assert (fuzz_store_import (store, (const guint8 *) tables->str, tables->len, &funnel, NULL));
}

CatalogStore *
fuzz_store (void)
{
  g_autofree char *path = NULL;
  CatalogStore *store;

  directory = g_dir_make_tmp ("fuzz-XXXXXX", NULL);
  g_assert (directory != NULL);
  atexit (remove_directory);
  path = g_build_filename (directory, "store.db", NULL);
  store = catalog_store_open (path, TRUE, NULL);
  g_assert (store != NULL);
  /* What is thrown away need not reach the disk. */
  g_assert (store_exec (store, "PRAGMA synchronous = OFF", NULL));
  import_two (store);
  return store;
}

gboolean
fuzz_store_import (CatalogStore *store, const guint8 *tables, gsize size, CatalogFunnel *funnel,
                   GError **error)
{
  char *paths[3];
  CatalogImportOptions options = { .split = CATALOG_SPLIT_TRAIN };
  const guint8 *end = tables + size;
  gboolean done;

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      const guint8 *next = tables < end ? memchr (tables, SEPARATOR, (gsize) (end - tables)) : NULL;
      gsize length = (gsize) ((next != NULL ? next : end) - tables);

      paths[i] = g_strdup_printf ("%s/table%u.csv", directory, i);
      g_assert (g_file_set_contents_full (paths[i], (const char *) tables, (gssize) length,
                                          G_FILE_SET_CONTENTS_NONE, 0600, NULL));
      tables = next != NULL ? next + 1 : end;
    }
  options.reports_path = paths[0];
  options.labels_path = paths[1];
  options.metadata_path = paths[2];
  done = catalog_import (store, &options, NULL, NULL, funnel, NULL, error);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    g_free (paths[i]);
  return done;
}

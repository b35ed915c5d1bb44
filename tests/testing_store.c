#include "testing_store.h"

#include "catalog/latents.h"
#include "catalog/samples.h"

CatalogStore *
testing_store_open (const char *path)
{
  g_autoptr (GError) error = NULL;
  CatalogStore *store = catalog_store_open (path, TRUE, &error);

  assert_no_error (error);
  return store;
}

CatalogStore *
testing_store_new (const char *name, char **path)
{
  g_autofree char *made = testing_path (name);
  CatalogStore *store;

  assert_false (g_file_test (made, G_FILE_TEST_EXISTS));
  store = testing_store_open (made);
  if (path != NULL)
    *path = g_steal_pointer (&made);
  return store;
}

void
testing_store_exec (CatalogStore *store, const char *sql)
{
  g_autoptr (GError) error = NULL;

  store_exec (store, sql, &error);
  assert_no_error (error);
}

char *
testing_store_value (CatalogStore *store, const char *sql)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql, &error);

  assert_no_error (error);
  assert_int_equal (store_step (store, statement, &error), SQLITE_ROW);
  return store_column_text (statement, 0);
}

void
assert_store_value (CatalogStore *store, const char *sql, const char *expected)
{
  g_autofree char *value = testing_store_value (store, sql);

  assert_non_null (value);
  assert_string_equal (value, expected);
}

/* ---- a small cohort ---- */

const char *const testing_volumes[4] = { "train_3_a_1.nii.gz", "train_1_a_1.nii.gz",
                                         "train_2_a_1.nii.gz", "train_4_a_1.nii.gz" };
const guint32 testing_labels[4] = { 0x3, 0x20000, 0, 0x3ffff };

void
testing_store_import (CatalogStore *store)
{
  testing_store_exec (store,
                      "DELETE FROM volume; INSERT OR REPLACE INTO split (name) VALUES ('train');"
                      "INSERT INTO volume (split, position, name, patient, reason, labels) VALUES"
                      " (0, 5, 'train_4_a_1.nii.gz', 'train_4', 0, 262143),"
                      " (0, 0, 'train_3_a_1.nii.gz', 'train_3', 0, 3),"
                      " (0, 1, 'train_3_a_2.nii.gz', 'train_3', 4, 3),"
                      " (0, 3, 'train_1_a_1.nii.gz', 'train_1', 0, 131072),"
                      " (0, 4, 'train_2_a_1.nii.gz', 'train_2', 0, 0),"
                      " (0, 2, 'train_9_a_1.nii.gz', 'train_9', 2, NULL)");
}

void
testing_store_sample (CatalogStore *store, const char *name, const char *const *volumes, guint n)
{
  CatalogSample sample = { .name = (char *) name,
                           .split = CATALOG_SPLIT_TRAIN,
                           .fraction = 0.15,
                           .seed = TESTING_SEED,
                           .available = TRUE,
                           .n = n,
                           .of = 4 };
  g_autoptr (GError) error = NULL;

  catalog_sample_save (store, &sample, volumes, &error);
  assert_no_error (error);
}

gint64
testing_store_encoder (CatalogStore *store, const char *name, const char *hash)
{
  CatalogEncoder encoder = { .name = (char *) name,
                             .weights_hash = (char *) hash,
                             .checkpoint_path = (char *) "/data/weights.pt",
                             .description = (char *) "[encoder]",
                             .width = TESTING_WIDTH };
  g_autoptr (GError) error = NULL;

  catalog_encoder_ensure (store, &encoder, &error);
  assert_no_error (error);
  return encoder.id;
}

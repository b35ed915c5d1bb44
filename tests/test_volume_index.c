/* Finding the scans that are on disk. */
#include "testing.h"

#include "base/error.h"
#include "catalog/volume_index.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** An empty file below the root, with its folders; the root is @root in testing_directory(). */
static void
touch (const char *root, const char *relative)
{
  g_autofree char *path = g_build_filename (testing_directory (), root, relative, NULL);
  g_autofree char *folder = g_path_get_dirname (path);

  assert_int_equal (g_mkdir_with_parents (folder, 0700), 0);
  assert_true (g_file_set_contents (path, "", 0, NULL));
}

static CatalogVolumeIndex *
index_of (const char *root)
{
  g_autofree char *path = testing_path (root);
  g_autoptr (GError) error = NULL;
  CatalogVolumeIndex *index = catalog_volume_index_new (path, NULL, &error);

  assert_no_error (error);
  return index;
}

static void
assert_path (const CatalogVolumeIndex *index, const char *volume, const char *root,
             const char *relative)
{
  g_autofree char *expected = g_build_filename (testing_directory (), root, relative, NULL);
  const char *path = catalog_volume_index_path (index, volume);

  assert_non_null (path);
  assert_string_equal (path, expected);
}

static void
test_volumes_are_found_in_every_layout (void **state)
{
  g_autoptr (CatalogVolumeIndex) index = NULL;

  touch ("layouts", "train/train_1/train_1_a/train_1_a_1.nii.gz");
  touch ("layouts", "dataset/train_fixed/train_2/train_2_a/train_2_a_1.nii.gz");
  touch ("layouts", "valid_1_a_1.nii.gz");
  touch ("layouts", "valid_2_a_1.nii");
  touch ("layouts", "train_reports.csv");
  touch ("layouts", "train_3_a_1.nii.gz.part");
  touch ("layouts", "._train_4_a_1.nii.gz");
  touch ("layouts", ".cache/train_5_a_1.nii.gz");
  index = index_of ("layouts");
  assert_int_equal (catalog_volume_index_size (index), 4);
  assert_path (index, "train_1_a_1.nii.gz", "layouts",
               "train/train_1/train_1_a/train_1_a_1.nii.gz");
  assert_path (index, "train_2_a_1", "layouts",
               "dataset/train_fixed/train_2/train_2_a/train_2_a_1.nii.gz");
  assert_path (index, "valid_1_a_1.nii.gz", "layouts", "valid_1_a_1.nii.gz");
  assert_path (index, "valid_2_a_1.nii.gz", "layouts", "valid_2_a_1.nii");
  assert_null (catalog_volume_index_path (index, "train_3_a_1.nii.gz"));
  assert_null (catalog_volume_index_path (index, "train_4_a_1.nii.gz"));
  assert_null (catalog_volume_index_path (index, "train_5_a_1.nii.gz"));
  assert_int_equal (catalog_volume_index_warnings (index)->len, 0);
}

static void
test_first_path_of_a_repeated_name_is_used (void **state)
{
  g_autoptr (CatalogVolumeIndex) index = NULL;
  const GPtrArray *warnings;

  touch ("twice", "b/train_1_a_1.nii.gz");
  touch ("twice", "a/train_1_a_1.nii.gz");
  touch ("twice", "c/train_1_a_1.nii.gz");
  touch ("twice", "c/train_2_a_1.nii.gz");
  touch ("twice", "d/train_2_a_1.nii.gz");
  touch ("twice", "d/train_3_a_1.nii.gz");
  touch ("twice", "train_1_a_1.nii.gz");
  index = index_of ("twice");
  warnings = catalog_volume_index_warnings (index);
  assert_path (index, "train_1_a_1.nii.gz", "twice", "a/train_1_a_1.nii.gz");
  assert_path (index, "train_2_a_1.nii.gz", "twice", "c/train_2_a_1.nii.gz");
  assert_int_equal (catalog_volume_index_size (index), 3);
  assert_int_equal (warnings->len, 1);
  assert_non_null (
      strstr (g_ptr_array_index (warnings, 0), "twice: names found more than once: 2"));
  assert_non_null (strstr (g_ptr_array_index (warnings, 0), "a/train_1_a_1.nii.gz"));
}

static void
test_links_are_followed_and_may_lead_in_circles (void **state)
{
  g_autofree char *link = testing_path ("links/loop"), *outside = testing_path ("links/outside");
  g_autofree char *file = testing_path ("links/valid_1_a_1.nii.gz"), *elsewhere = NULL;
  g_autoptr (CatalogVolumeIndex) index = NULL;

  touch ("elsewhere", "train_1_a_1.nii.gz");
  touch ("elsewhere", "blob");
  touch ("links", "train_2_a_1.nii.gz");
  elsewhere = testing_path ("elsewhere");
  assert_int_equal (symlink (".", link), 0);
  assert_int_equal (symlink (elsewhere, outside), 0);
  assert_int_equal (symlink ("../elsewhere/blob", file), 0);
  index = index_of ("links");
  assert_path (index, "train_2_a_1.nii.gz", "links", "train_2_a_1.nii.gz");
  assert_path (index, "valid_1_a_1.nii.gz", "links", "valid_1_a_1.nii.gz");
  assert_non_null (catalog_volume_index_path (index, "train_1_a_1.nii.gz"));
  g_unlink (link);
  g_unlink (outside);
}

#define NOBODY 65534

static void
test_folders_that_cannot_be_read_are_a_warning (void **state)
{
  g_autofree char *locked = testing_path ("locked/secret"),
                  *other = testing_path ("locked/secret2");
  g_autoptr (CatalogVolumeIndex) index = NULL;
  const GPtrArray *warnings;
  gboolean root = geteuid () == 0;

  touch ("locked", "train_1_a_1.nii.gz");
  touch ("locked", "secret/train_2_a_1.nii.gz");
  touch ("locked", "secret2/train_3_a_1.nii.gz");
  assert_int_equal (chmod (locked, 0), 0);
  assert_int_equal (chmod (other, 0), 0);
  if (root)
    {
      /* Root may read everything; so be somebody else, who owns the place, for a moment. */
      g_autofree char *folder = testing_path ("locked");

      assert_int_equal (chown (testing_directory (), NOBODY, (gid_t) -1), 0);
      assert_int_equal (chown (folder, NOBODY, (gid_t) -1), 0);
      assert_int_equal (seteuid (NOBODY), 0);
    }
  index = index_of ("locked");
  if (root)
    assert_int_equal (seteuid (0), 0);
  chmod (locked, 0700);
  chmod (other, 0700);
  warnings = catalog_volume_index_warnings (index);
  assert_int_equal (warnings->len, 1);
  assert_non_null (strstr (g_ptr_array_index (warnings, 0), "locked/secret: Permission denied"));
  assert_non_null (strstr (g_ptr_array_index (warnings, 0), "1 more such folder"));
  assert_int_equal (catalog_volume_index_size (index), 1);
}

static void
test_absent_directory_is_an_error (void **state)
{
  g_autoptr (GError) error = NULL;

  assert_null (catalog_volume_index_new ("/nowhere/scans", NULL, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "/nowhere/scans", "folder", NULL);
}

static void
test_walk_can_be_cancelled (void **state)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  assert_null (catalog_volume_index_new (testing_directory (), cancellable, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_volumes_are_found_in_every_layout),
    cmocka_unit_test (test_first_path_of_a_repeated_name_is_used),
    cmocka_unit_test (test_links_are_followed_and_may_lead_in_circles),
    cmocka_unit_test (test_folders_that_cannot_be_read_are_a_warning),
    cmocka_unit_test (test_absent_directory_is_an_error),
    cmocka_unit_test (test_walk_can_be_cancelled),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

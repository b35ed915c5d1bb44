/** Files that are wrong: cut off, damaged, no volume at all; every fault is named. */
#include "nifti_maker.h"
#include "testing_volume.h"

#include "base/error.h"
#include "config.h"
#include "volume/prepare.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const VolumeMetadata nothing = VOLUME_METADATA_NONE;

/* ---- files that are wrong ---- */

/** A volume large enough for several pieces of input, that does not pack well. */
static GByteArray *
noisy_volume (void)
{
  const gsize n = 64 * 64 * 80;
  nifti_2_header header = nifti_maker_header (DT_INT16, 64, 64, 80);
  g_autofree double *values = g_new (double, n);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (gsize i = 0; i < n; i++)
    values[i] = g_rand_int_range (random, -1024, 3000);
  return nifti_maker_bytes (&header, values, 0);
}

static void
test_a_file_cut_off_anywhere_is_told_as_truncated (void **state)
{
  g_autoptr (GByteArray) bytes = noisy_volume ();
  g_autoptr (GByteArray) packed = nifti_maker_gzip (bytes->data, bytes->len);
  const gsize plain_cuts[] = { 10, 200, 347, 352, 353, 100000, bytes->len - 1 };
  const gsize packed_cuts[] = { 3,
                                100,
                                packed->len / 3,
                                packed->len / 2,
                                packed->len - 9,
                                packed->len - 8,
                                packed->len - 4,
                                packed->len - 1 };

  for (guint i = 0; i < G_N_ELEMENTS (plain_cuts); i++)
    {
      g_autofree char *path = testing_write ("cut.nii", bytes->data, plain_cuts[i]);

      assert_volume_refused (path, CTCLIP_ERROR_CORRUPT, "truncated", "download it again");
    }
  for (guint i = 0; i < G_N_ELEMENTS (packed_cuts); i++)
    {
      g_autofree char *path = testing_write ("cut.nii.gz", packed->data, packed_cuts[i]);

      assert_volume_refused (path, CTCLIP_ERROR_CORRUPT, "truncated", "download it again");
    }
}

static void
test_a_file_cut_off_at_every_percent_is_told_as_truncated (void **state)
{
  g_autoptr (GByteArray) plain = noisy_volume ();
  g_autoptr (GByteArray) packed = nifti_maker_gzip (plain->data, plain->len);
  GByteArray *const whole[] = { plain, packed };

  for (guint i = 0; i < G_N_ELEMENTS (whole); i++)
    {
      g_autofree char *path = testing_path (i == 0 ? "percent.nii" : "percent.nii.gz");

      testing_overwrite (path, whole[i]);
      for (off_t percent = 99; percent > 0; percent--)
        {
          assert_int_equal (truncate (path, (off_t) whole[i]->len * percent / 100), 0);
          assert_volume_refused (path, CTCLIP_ERROR_CORRUPT, "truncated", "download it again");
        }
    }
}

static void
test_a_truncated_message_says_how_far_it_came (void **state)
{
  const double values[100] = { 0 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 10, 10, 1);
  g_autoptr (GByteArray) bytes = nifti_maker_bytes (&header, values, 0);
  g_autoptr (GByteArray) packed = NULL;
  g_autofree char *path = NULL;
  gint16 claimed = 6000;

  memcpy (bytes->data + G_STRUCT_OFFSET (nifti_1_header, dim) + 6, &claimed, sizeof claimed);
  g_byte_array_set_size (bytes, 900000); /* noise, so that the claim could be true */
  for (guint i = 552; i < bytes->len; i++)
    bytes->data[i] = (guint8) (i * 2654435761u >> 24);
  packed = nifti_maker_gzip (bytes->data, bytes->len);
  path = testing_write ("short.nii.gz", packed->data, packed->len);
  assert_volume_refused (path, CTCLIP_ERROR_CORRUPT, "ends after 0.9 of 1.2 MB", "truncated");
}

static void
test_a_wrong_checksum_or_length_is_told (void **state)
{
  g_autoptr (GByteArray) bytes = noisy_volume ();

  for (gsize from_end = 1; from_end <= 8; from_end++)
    {
      g_autoptr (GByteArray) packed = nifti_maker_gzip (bytes->data, bytes->len);
      g_autofree char *path = NULL;

      packed->data[packed->len - from_end] ^= 0x10;
      path = testing_write ("checksum.nii.gz", packed->data, packed->len);
      assert_volume_refused (path, CTCLIP_ERROR_CORRUPT, "checksum", "download it again");
    }
}

static void
test_damage_inside_the_compressed_data_is_told (void **state)
{
  g_autoptr (GByteArray) bytes = noisy_volume ();
  g_autoptr (GRand) random = g_rand_new_with_seed (2);

  for (guint round = 0; round < 20; round++)
    {
      g_autoptr (GByteArray) packed = nifti_maker_gzip (bytes->data, bytes->len);
      g_autofree char *path = NULL;
      GError *error = NULL;
      guint at = (guint) g_rand_int_range (random, 1000, (gint) packed->len - 8);

      memset (packed->data + at, (int) round * 13, 8);
      path = testing_write ("damaged.nii.gz", packed->data, packed->len);
      assert_null (
          volume_load (path, &nothing, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, &error));
      assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT));
      assert_error_says (&error, path, "download it again", NULL);
    }
}

static void
test_members_one_after_another_are_one_volume (void **state)
{
  g_autoptr (GByteArray) bytes = noisy_volume ();
  g_autoptr (GByteArray) whole = g_byte_array_new ();
  g_autofree char *plain_path = testing_write ("members.nii", bytes->data, bytes->len);
  g_autoptr (Volume) expected = testing_volume_load (plain_path, VOLUME_ORIENT_LPS);
  const gsize n = expected->n[0] * expected->n[1] * expected->n[2];
  const gsize pieces[] = { 1, 347, 0, 5, 70000, 300001, 17 };
  gsize done = 0;

  for (guint i = 0; done < bytes->len; i++)
    {
      gsize size = i < G_N_ELEMENTS (pieces) ? pieces[i] : bytes->len - done;
      g_autoptr (GByteArray) packed = nifti_maker_gzip (bytes->data + done, size);
      g_autofree char *path = NULL;

      g_byte_array_append (whole, packed->data, packed->len);
      done += size;
    }
  for (guint trailing = 0; trailing < 3; trailing++)
    {
      g_autofree char *path = NULL;
      g_autoptr (Volume) volume = NULL;

      /* Zeros (tapes) and other bytes behind the last member are passed over, as gzip does. */
      if (trailing > 0)
        g_byte_array_append (whole, (const guint8 *) (trailing == 1 ? "\0\0\0" : "junk"), 3);
      path = testing_write ("members.nii.gz", whole->data, whole->len);
      volume = testing_volume_load (path, VOLUME_ORIENT_LPS);
      assert_memory_equal (volume->hu, expected->hu, n * sizeof (float));
    }
}

static void
test_content_decides_not_the_name (void **state)
{
  const double values[] = { 42 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 1, 1, 1);
  g_autofree char *plain = nifti_maker_write ("plain.nii.gz", &header, values, 0);
  g_autofree char *packed = nifti_maker_write ("packed.dat", &header, values, NIFTI_MAKER_GZIP);
  g_autoptr (Volume) a = testing_volume_load (plain, VOLUME_ORIENT_LPS),
                     b = testing_volume_load (packed, VOLUME_ORIENT_LPS);

  assert_true (a->hu[0] == 42 && b->hu[0] == 42);
}

/** Prepared to 2 x 2 x 2 voxels of 1 mm. */
static void
prepare_small (const char *path, float tensor[8])
{
  VolumePreparation preparation = volume_preparation_default ();
  VolumePrepared prepared;
  GError *error = NULL;

  for (guint i = 0; i < 3; i++)
    {
      preparation.shape[i] = 2;
      preparation.spacing_mm[i] = 1;
    }
  volume_prepare (path, &nothing, &preparation, 2, tensor, &prepared, NULL, &error);
  assert_no_error (error);
}

static void
test_a_volume_without_one_number_is_air (void **state)
{
  double values[64];
  nifti_2_header header = nifti_maker_header (DT_FLOAT32, 4, 4, 4);
  g_autofree char *path = NULL;
  g_autoptr (Volume) volume = NULL;
  float tensor[8];

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = NAN;
  path = nifti_maker_write ("nothing.nii.gz", &header, values, NIFTI_MAKER_GZIP);
  volume = testing_volume_load (path, VOLUME_ORIENT_LPS);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    assert_true (volume->hu[i] == -1024);
  prepare_small (path, tensor);
  for (guint i = 0; i < G_N_ELEMENTS (tensor); i++)
    assert_true (tensor[i] == -1);
}

static void
test_one_slice_is_a_volume_with_padding_around_it (void **state)
{
  const double values[] = { 500, 500, 500, 500 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 2, 2, 1);
  g_autofree char *path = nifti_maker_write ("one.nii", &header, values, 0);
  g_autoptr (Volume) volume = testing_volume_load (path, VOLUME_ORIENT_LPS);
  float tensor[8];

  assert_true (volume->n[2] == 1 && volume->hu[3] == 500);
  prepare_small (path, tensor);
  for (guint i = 0; i < G_N_ELEMENTS (tensor); i++)
    assert_true (tensor[i] == (i < 4 ? 0.5f : -1));
}

static void
test_things_that_are_no_volume_are_told_apart (void **state)
{
  guint8 noise[600], analyze[348] = { 0 };
  const gint32 analyze_size = sizeof analyze;
  g_autofree char *missing = testing_path ("missing.nii.gz");
  g_autofree char *empty = testing_write ("empty.nii", "", 0);
  g_autofree char *page = testing_write ("page.nii.gz", "<html>404 not found</html>\n", 27);
  g_autofree char *noise_path = NULL, *analyze_path = NULL, *pipe = testing_path ("pipe");

  for (guint i = 0; i < sizeof noise; i++)
    noise[i] = (guint8) (i * 37 + 1);
  memcpy (analyze, &analyze_size, sizeof analyze_size);
  noise_path = testing_write ("noise.nii", noise, sizeof noise);
  analyze_path = testing_write ("scan.hdr", analyze, sizeof analyze);
  assert_int_equal (mkfifo (pipe, 0600), 0);
  assert_volume_refused (missing, CTCLIP_ERROR_NOT_FOUND, "check the path");
  assert_volume_refused (empty, CTCLIP_ERROR_CORRUPT, "is empty");
  assert_volume_refused (page, CTCLIP_ERROR_UNSUPPORTED, "is text");
  assert_volume_refused (noise_path, CTCLIP_ERROR_UNSUPPORTED, "is not a NIfTI volume");
  assert_volume_refused (analyze_path, CTCLIP_ERROR_UNSUPPORTED, "ANALYZE", "nifti_tool");
  assert_volume_refused (testing_directory (), CTCLIP_ERROR_USAGE, "is a directory");
  assert_volume_refused (pipe, CTCLIP_ERROR_USAGE, "is not a file");
}

static void
test_dicom_leads_to_dcm2niix (void **state)
{
  guint8 dicom[400] = { 0 };
  g_autofree char *directory = testing_path ("series of 2 o'clock");
  g_autofree char *path = g_build_filename (directory, "IM0001", NULL);
  g_autofree char *quoted = g_shell_quote (directory);
  g_autofree char *command = g_strdup_printf ("dcm2niix -z y -o OUT %s", quoted);

  memcpy (dicom + 128, "DICM", 4);
  assert_int_equal (g_mkdir_with_parents (directory, 0700), 0);
  assert_true (g_file_set_contents (path, (const char *) dicom, sizeof dicom, NULL));
  assert_volume_refused (path, CTCLIP_ERROR_UNSUPPORTED, "is a DICOM file", command);
  assert_volume_refused (directory, CTCLIP_ERROR_UNSUPPORTED, "directory of DICOM files", command);
}

static void
test_cancelling_stops_the_reading (void **state)
{
  g_autoptr (GByteArray) bytes = noisy_volume ();
  g_autofree char *path = testing_write ("cancel.nii", bytes->data, bytes->len);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GError *error = NULL;

  g_cancellable_cancel (cancellable);
  assert_null (
      volume_load (path, &nothing, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, cancellable, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_clear_error (&error);
}

#ifndef CTCLIP_SANITIZED
/** In a process of its own: load under a limit that the volume does not fit into. */
static int
load_with_little_memory (const char *path)
{
  const struct rlimit limit = { 300 << 20, 300 << 20 };
  GError *error = NULL;

  setrlimit (RLIMIT_AS, &limit);
  if (volume_load (path, &nothing, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, &error) != NULL)
    return 1;
  if (!g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY))
    return 2;
  return strstr (error->message, "1600.0 MB") != NULL ? 0 : 3;
}

/** In a process of its own: prepare far more than there is memory for. */
static int
prepare_with_little_memory (const char *path)
{
  const struct rlimit limit = { 512 << 20, 512 << 20 };
  float tensor[8];

  setrlimit (RLIMIT_AS, &limit);
  prepare_small (path, tensor);
  return tensor[0] == 0 ? 0 : 1;
}

/** Sizes and places beyond 31 bits. */
static void
test_more_than_two_gib_are_read_through_a_small_window (void **state)
{
  nifti_2_header header = nifti_maker_header (DT_INT16, 1100, 1000, 1000);
  g_autofree char *path = nifti_maker_write ("huge.nii", &header, NULL, 0);
  int status;
  pid_t child;

  assert_int_equal (truncate (path, 352 + (off_t) 1100 * 1000 * 1000 * 2 - 1), 0);
  assert_volume_refused (path, CTCLIP_ERROR_CORRUPT, "truncated");
  assert_int_equal (truncate (path, 352 + (off_t) 1100 * 1000 * 1000 * 2), 0);
  child = fork ();
  if (child == 0)
    _exit (prepare_with_little_memory (path));
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_int_equal (status, 0);
}

static void
test_memory_that_is_refused_is_an_error_with_its_size (void **state)
{
  nifti_2_header header = nifti_maker_header (DT_UINT8, 1000, 1000, 400);
  g_autofree char *path = nifti_maker_write ("large.nii", &header, NULL, 0);
  int status;
  pid_t child;

  assert_int_equal (truncate (path, 352 + (off_t) 1000 * 1000 * 400), 0);
  child = fork ();
  if (child == 0)
    _exit (load_with_little_memory (path));
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_int_equal (status, 0);
}
#endif

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_a_file_cut_off_anywhere_is_told_as_truncated),
    cmocka_unit_test (test_a_file_cut_off_at_every_percent_is_told_as_truncated),
    cmocka_unit_test (test_a_truncated_message_says_how_far_it_came),
    cmocka_unit_test (test_a_wrong_checksum_or_length_is_told),
    cmocka_unit_test (test_damage_inside_the_compressed_data_is_told),
    cmocka_unit_test (test_members_one_after_another_are_one_volume),
    cmocka_unit_test (test_content_decides_not_the_name),
    cmocka_unit_test (test_a_volume_without_one_number_is_air),
    cmocka_unit_test (test_one_slice_is_a_volume_with_padding_around_it),
    cmocka_unit_test (test_things_that_are_no_volume_are_told_apart),
    cmocka_unit_test (test_dicom_leads_to_dcm2niix),
    cmocka_unit_test (test_cancelling_stops_the_reading),
#ifndef CTCLIP_SANITIZED
    cmocka_unit_test (test_more_than_two_gib_are_read_through_a_small_window),
    cmocka_unit_test (test_memory_that_is_refused_is_an_error_with_its_size),
#endif
  };

  return cmocka_run_group_tests_name ("volume faults", tests, NULL, NULL);
}

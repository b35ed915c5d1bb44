/** How a preparation decides, what it refuses, and that threads and cancelling change nothing else.
 */
#include "nifti_maker.h"
#include "testing.h"
#include "testing_prepare.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/* ---- rescale by itself ---- */

/** A volume of 20 slices: the first with @first everywhere, the others half air, half tissue. */
static char *
write_chest (int datatype, double first, double air, double tissue, double header_slope)
{
  const gsize area = 16 * 16;
  g_autofree double *values = g_new (double, 20 * area);
  nifti_2_header header = nifti_maker_header (datatype, 16, 16, 20);

  header.scl_slope = header_slope;
  for (gsize i = 0; i < 20 * area; i++)
    values[i] = i < area ? first : i % 2 ? air : tissue;
  return nifti_maker_write ("chest.nii.gz", &header, values, NIFTI_MAKER_GZIP);
}

static void
test_auto_takes_the_reading_that_has_more_air (void **state)
{
  const struct
  {
    double first, air, tissue, header_slope, slope, intercept;
    VolumeRescale expected;
  } cases[] = {
    { 24, 24, 1060, 0, 1, -1024, VOLUME_RESCALE_CSV },      /* raw values: CT-RATE's v1 */
    { 7192, 7192, 8230, 0, 1, -8192, VOLUME_RESCALE_CSV },  /* raw values of a Siemens row */
    { -1000, -1000, 40, 0, 1, -1024, VOLUME_RESCALE_NONE }, /* HU already: v2, same CSV */
    { 40, -1000, 40, 0, 1, -1024, VOLUME_RESCALE_NONE },    /* a first slice without air */
    { -1000, 24, 1060, 0, 1, -1024, VOLUME_RESCALE_CSV },   /* a first slice that misleads */
    { 24, -1000, 40, 0, 1, -1024, VOLUME_RESCALE_NONE },    /* the other way round */
    { 24, 24, 1060, 2, 1, -1024, VOLUME_RESCALE_HEADER },   /* the header speaks */
    { 24, 24, 1060, 0, NAN, NAN, VOLUME_RESCALE_NONE },     /* no CSV row */
    { 24, 24, 1060, 0, 1, 0, VOLUME_RESCALE_NONE },         /* one that changes nothing */
    { 3000, 3000, 3000, 0, 1, -1024, VOLUME_RESCALE_NONE }, /* no air in either: as stored */
    { 24, 24, 1060, 0, NAN, -1024, VOLUME_RESCALE_CSV },    /* an intercept alone */
    { 1000, 1000, -40, 0, -1, 0, VOLUME_RESCALE_CSV },      /* a slope below 0 */
  };
  const int datatypes[] = { DT_INT16, DT_INT32, DT_FLOAT32 };
  VolumePreparation preparation = volume_preparation_default ();

  preparation.shape[0] = preparation.shape[1] = preparation.shape[2] = 10;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint type = 0; type < G_N_ELEMENTS (datatypes); type++)
      for (guint threads = 1; threads <= 2; threads++)
        {
          VolumeMetadata metadata = VOLUME_METADATA_NONE;
          g_autofree char *path = write_chest (datatypes[type], cases[i].first, cases[i].air,
                                               cases[i].tissue, cases[i].header_slope);
          g_autofree float *tensor = NULL, *forced = NULL;
          g_autoptr (Volume) volume = NULL;
          VolumePreparation as_found = preparation;
          VolumePrepared prepared;

          metadata.slope = cases[i].slope;
          metadata.intercept = cases[i].intercept;
          tensor = prepare (path, &metadata, &preparation, threads, &prepared);
          if (prepared.rescale != cases[i].expected)
            fail_msg ("case %u: %s, not %s", i, volume_rescale_name (prepared.rescale),
                      volume_rescale_name (cases[i].expected));
          as_found.rescale = cases[i].expected;
          forced = prepare (path, &metadata, &as_found, threads, NULL);
          assert_memory_equal (tensor, forced, 1000 * sizeof (float));
          volume =
              volume_load (path, &metadata, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, NULL);
          assert_int_equal (volume->applied, cases[i].expected);
          assert_true (volume->slope == prepared.slope && volume->intercept == prepared.intercept);
        }
}

/** Filled by the body, so that with the CSV of a raw volume its tissue outnumbers the true air. */
static void
test_a_cropped_chest_in_hu_is_left_as_stored (void **state)
{
  const VolumeMetadata csv = { 1, -1024, NAN, NAN, NAN };
  const char *path = testing_data ("data/chest_cropped_lps.nii.gz");
  g_autoptr (Volume) volume =
      volume_load (path, &csv, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, NULL);

  assert_non_null (volume);
  assert_int_equal (volume->applied, VOLUME_RESCALE_NONE);
}

static void
test_voxels_that_are_no_number_count_as_air (void **state)
{
  const VolumeMetadata nothing = VOLUME_METADATA_NONE;
  const double values[] = { NAN, INFINITY, -INFINITY, 1e38, 500, 500, 500, 500 };
  VolumePreparation preparation = volume_preparation_default ();
  nifti_2_header header = nifti_maker_header (DT_FLOAT32, 2, 2, 2);
  g_autofree char *path = nifti_maker_write ("nan.nii", &header, values, 0);
  g_autofree float *tensor = NULL;

  for (guint i = 0; i < 3; i++)
    {
      preparation.shape[i] = 2;
      preparation.spacing_mm[i] = 1;
    }
  tensor = prepare (path, &nothing, &preparation, 1, NULL);
  /* The tensor is (z, x, y): stored 0, 2, 1, 3. */
  assert_true (tensor[0] == -1 && tensor[1] == -1 && tensor[2] == -1 && tensor[3] == 1);
  assert_true (tensor[4] == 0.5f);
}

/* ---- threads, faults, cancelling ---- */

static void
test_the_number_of_threads_changes_no_bit (void **state)
{
  const VolumeMetadata nothing = VOLUME_METADATA_NONE;
  const VolumePreparation preparation = volume_preparation_default ();
  const gsize n = preparation.shape[0] * preparation.shape[1] * preparation.shape[2];
  const char *path = testing_data ("data/chest_lidc_0314_small.nii.gz");
  g_autofree float *one = prepare (path, &nothing, &preparation, 1, NULL);
  g_autofree float *two = prepare (path, &nothing, &preparation, 2, NULL);
  g_autofree float *many = prepare (path, &nothing, &preparation, 7, NULL);

  assert_memory_equal (one, two, n * sizeof (float));
  assert_memory_equal (one, many, n * sizeof (float));
}

/** Preparing must fail; returns the error. */
static GError *
prepare_refused (const char *path, const VolumeMetadata *metadata,
                 const VolumePreparation *preparation, guint threads, GCancellable *cancellable)
{
  g_autofree float *tensor =
      g_new (float, preparation->shape[0] * preparation->shape[1] * preparation->shape[2]);
  VolumePrepared prepared;
  GError *error = NULL;

  assert_false (volume_prepare (path, metadata, preparation, threads, tensor, &prepared,
                                cancellable, &error));
  assert_non_null (error);
  return error;
}

static void
test_faults_are_found_with_one_thread_and_with_two (void **state)
{
  const VolumeMetadata nothing = VOLUME_METADATA_NONE;
  const VolumePreparation preparation = volume_preparation_default ();
  const gsize n = 64 * 64 * 40;
  nifti_2_header header = nifti_maker_header (DT_INT16, 64, 64, 40);
  g_autofree double *values = g_new (double, n);
  g_autoptr (GRand) random = g_rand_new_with_seed (4);
  g_autoptr (GByteArray) bytes = NULL, packed = NULL;
  g_autofree char *cut = NULL, *wrong = NULL;

  for (gsize i = 0; i < n; i++)
    values[i] = g_rand_int_range (random, 0, 4000);
  bytes = nifti_maker_bytes (&header, values, 0);
  packed = nifti_maker_gzip (bytes->data, bytes->len);
  cut = testing_write ("cut.nii.gz", packed->data, packed->len / 2);
  packed->data[packed->len - 6] ^= 1; /* all voxels are there and one of them must be wrong */
  wrong = testing_write ("wrong.nii.gz", packed->data, packed->len);
  for (guint threads = 1; threads <= 2; threads++)
    {
      GError *error = prepare_refused (cut, &nothing, &preparation, threads, NULL);

      assert_error_says (&error, cut, "of 0.3 MB", "truncated", NULL);
      error = prepare_refused (wrong, &nothing, &preparation, threads, NULL);
      assert_error_says (&error, wrong, "checksum", NULL);
    }
}

static void
test_numbers_that_make_no_sense_are_refused (void **state)
{
  const double values[8] = { 0 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 2, 2, 2);
  g_autofree char *path = nifti_maker_write ("small.nii", &header, values, 0);
  const VolumePreparation preparation = volume_preparation_default ();
  const struct
  {
    VolumeMetadata metadata;
    int code;
    const char *says;
  } cases[] = {
    { { 1, 0, -1, 1, 1 }, CTCLIP_ERROR_USAGE, "-1 mm along z" },
    { { 1, 0, 1, 0, 1 }, CTCLIP_ERROR_USAGE, "0 mm along x" },
    { { 1, 0, 1, 1, INFINITY }, CTCLIP_ERROR_USAGE, "inf mm along y" },
    { { 1, 0, 0.1, 1, 1 }, CTCLIP_ERROR_CORRUPT, "check its spacing" },
    { { 1, 0, 1, 1e300, 1 }, CTCLIP_ERROR_CORRUPT, "check its spacing" },
    { { 0, 0, 1, 1, 1 }, CTCLIP_ERROR_USAGE, "slope of 0" },
    { { 1, INFINITY, 1, 1, 1 }, CTCLIP_ERROR_USAGE, "intercept of inf" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      GError *error = prepare_refused (path, &cases[i].metadata, &preparation, 1, NULL);

      assert_true (g_error_matches (error, CTCLIP_ERROR, cases[i].code));
      assert_error_says (&error, path, cases[i].says, NULL);
    }
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (2000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancelling_ends_a_preparation_at_any_moment (void **state)
{
  const VolumeMetadata nothing = VOLUME_METADATA_NONE;
  const VolumePreparation preparation = volume_preparation_default ();
  const char *path = testing_data ("data/chest_lidc_0314.nii.gz");

  for (guint threads = 1; threads <= 2; threads++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      GThread *canceller = g_thread_new ("cancel", cancel_soon, cancellable);
      GError *error = prepare_refused (path, &nothing, &preparation, threads, cancellable);

      assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
      g_clear_error (&error);
      g_thread_join (canceller);
      error = prepare_refused (path, &nothing, &preparation, threads, cancellable);
      assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
      g_clear_error (&error);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_auto_takes_the_reading_that_has_more_air),
    cmocka_unit_test (test_a_cropped_chest_in_hu_is_left_as_stored),
    cmocka_unit_test (test_voxels_that_are_no_number_count_as_air),
    cmocka_unit_test (test_the_number_of_threads_changes_no_bit),
    cmocka_unit_test (test_faults_are_found_with_one_thread_and_with_two),
    cmocka_unit_test (test_numbers_that_make_no_sense_are_refused),
    cmocka_unit_test (test_cancelling_ends_a_preparation_at_any_moment),
  };

  return cmocka_run_group_tests_name ("prepare policies", tests, NULL, NULL);
}

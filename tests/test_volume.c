/** Reading volumes: every kind of file that is right, however its axes and numbers are stored. */
#include "nifti_maker.h"
#include "testing_volume.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static const VolumeMetadata nothing = VOLUME_METADATA_NONE;

/* ---- what is right ---- */

static const struct
{
  int datatype;
  gboolean is_signed;
} datatypes[] = {
  { DT_INT8, TRUE },    { DT_UINT8, FALSE },  { DT_INT16, TRUE }, { DT_UINT16, FALSE },
  { DT_INT32, TRUE },   { DT_UINT32, FALSE }, { DT_INT64, TRUE }, { DT_UINT64, FALSE },
  { DT_FLOAT32, TRUE }, { DT_FLOAT64, TRUE },
};

static void
test_every_datatype_order_version_and_packing_reads_the_same (void **state)
{
  const gsize n = 5 * 4 * 3;
  double values[5 * 4 * 3];

  for (guint type = 0; type < G_N_ELEMENTS (datatypes); type++)
    for (NiftiMakerFlags flags = 0; flags < 8; flags++)
      {
        nifti_2_header header = nifti_maker_header (datatypes[type].datatype, 5, 4, 3);
        g_autofree char *path = NULL;
        g_autoptr (Volume) volume = NULL;
        g_autoptr (VolumeHeader) read = NULL;

        for (gsize i = 0; i < n; i++)
          values[i] = (double) i * 2 - (datatypes[type].is_signed ? 60 : 0);
        header.pixdim[1] = 0.5;
        header.pixdim[3] = 2.5;
        path = nifti_maker_write ("any.nii", &header, values, flags);
        read = volume_header_read (path, NULL);
        assert_non_null (read);
        assert_int_equal (read->nifti_version, flags & NIFTI_MAKER_VERSION_2 ? 2 : 1);
        assert_int_equal (read->swapped, (flags & NIFTI_MAKER_SWAPPED) != 0);
        assert_int_equal (read->compressed, (flags & NIFTI_MAKER_GZIP) != 0);
        assert_int_equal (read->datatype, datatypes[type].datatype);
        assert_string_equal (read->name, "any.nii");
        assert_true (read->spacing_mm[0] == 0.5 && read->spacing_mm[2] == 2.5);

        volume = testing_volume_load (path, VOLUME_ORIENT_LPS);
        assert_true (volume->n[0] == 5 && volume->n[1] == 4 && volume->n[2] == 3);
        for (gsize i = 0; i < n; i++)
          assert_true (volume->hu[i] == (float) values[i]);
      }
}

static void
test_the_extremes_of_every_datatype_keep_their_values (void **state)
{
  const struct
  {
    int datatype;
    double least, most;
  } types[] = {
    { DT_INT8, -128, 127 },
    { DT_UINT8, 0, 255 },
    { DT_INT16, -32768, 32767 },
    { DT_UINT16, 0, 65535 },
    { DT_INT32, -2147483648.0, 2147483647.0 },
    { DT_UINT32, 0, 4294967295.0 },
    { DT_INT64, -0x1p63, 0x1p62 },
    { DT_UINT64, 0, 0x1p63 },
    { DT_FLOAT32, -1e30f, 1e30f },
    { DT_FLOAT64, -1e30, 1e30 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    for (NiftiMakerFlags flags = 0; flags <= NIFTI_MAKER_SWAPPED; flags += NIFTI_MAKER_SWAPPED)
      {
        const double values[] = { types[i].least, types[i].most, 0, 1 };
        nifti_2_header header = nifti_maker_header (types[i].datatype, 4, 1, 1);
        g_autofree char *path = nifti_maker_write ("extremes.nii", &header, values, flags);
        g_autoptr (Volume) volume = testing_volume_load (path, VOLUME_ORIENT_LPS);

        for (guint j = 0; j < G_N_ELEMENTS (values); j++)
          assert_true (volume->hu[j] == (float) values[j]);
      }
}

static void
test_voxels_behind_extensions_and_a_single_time_point_are_found (void **state)
{
  const double values[] = { 1, 2, 3, 4 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 2, 2, 1);
  g_autofree char *path = NULL;
  g_autoptr (Volume) volume = NULL;

  header.vox_offset = 352 + 9000;
  header.dim[0] = 4;
  path = nifti_maker_write ("extended.nii.gz", &header, values, NIFTI_MAKER_GZIP);
  volume = testing_volume_load (path, VOLUME_ORIENT_LPS);
  assert_true (volume->hu[0] == 1 && volume->hu[3] == 4);
}

static void
test_spacing_in_metres_or_microns_becomes_mm (void **state)
{
  const double values[] = { 1 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 1, 1, 1);

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *path = NULL;
      g_autoptr (VolumeHeader) read = NULL;

      header.xyzt_units = i == 0 ? NIFTI_UNITS_METER : NIFTI_UNITS_MICRON;
      header.pixdim[1] = header.pixdim[2] = header.pixdim[3] = i == 0 ? 0.0015 : 1500;
      nifti_maker_orient (&header, "LPS");
      path = nifti_maker_write ("units.nii", &header, values, NIFTI_MAKER_VERSION_2);
      read = volume_header_read (path, NULL);
      assert_true (fabs (read->spacing_mm[0] - 1.5) < 1e-9);
      assert_true (fabs (read->affine[0][0] + 1.5) < 1e-9);
    }
}

/* ---- orientation ---- */

/** Every way in which three axes can point: all orders of all signs. */
static void
axes_of (guint number, char axes[4])
{
  static const char *const orders[] = { "LPS", "LSP", "PLS", "PSL", "SLP", "SPL" };
  static const char opposite[] = { ['L'] = 'R', ['P'] = 'A', ['S'] = 'I' };

  for (guint i = 0; i < 3; i++)
    {
      char letter = orders[number / 8][i];

      axes[i] = number >> i & 1 ? opposite[(guchar) letter] : letter;
    }
  axes[3] = '\0';
}

static void
test_all_48_orientations_load_as_lps (void **state)
{
  /* The value of a voxel says where it lies: 100 * (steps to the left) + 10 * back + head. */
  const gsize lps[3] = { 4, 3, 2 };

  for (guint number = 0; number < 48; number++)
    {
      nifti_2_header header;
      g_autofree double *values = g_new (double, 4 * 3 * 2);
      g_autofree char *path = NULL;
      g_autoptr (Volume) volume = NULL;
      g_autoptr (VolumeHeader) read = NULL;
      guint body[3];
      gsize size[3], i = 0;
      char axes[4];

      axes_of (number, axes);
      for (guint axis = 0; axis < 3; axis++)
        {
          body[axis] = strchr ("LR", axes[axis]) ? 0 : strchr ("PA", axes[axis]) ? 1 : 2;
          size[axis] = lps[body[axis]];
        }
      for (gsize z = 0; z < size[2]; z++)
        for (gsize y = 0; y < size[1]; y++)
          for (gsize x = 0; x < size[0]; x++)
            {
              const gsize at[3] = { x, y, z };
              const double weight[3] = { 100, 10, 1 };

              values[i] = 0;
              for (guint axis = 0; axis < 3; axis++)
                values[i] +=
                    weight[body[axis]]
                    * (double) (strchr ("LPS", axes[axis]) ? at[axis] : size[axis] - 1 - at[axis]);
              i++;
            }
      header = nifti_maker_header (DT_INT16, size[0], size[1], size[2]);
      for (guint axis = 0; axis < 3; axis++)
        header.pixdim[axis + 1] = 1 + body[axis];
      nifti_maker_orient (&header, axes);
      path = nifti_maker_write ("oriented.nii", &header, values, 0);
      read = volume_header_read (path, NULL);
      assert_string_equal (read->axes, axes);
      assert_true (read->has_orientation && read->obliquity_deg < 1e-3);

      volume = testing_volume_load (path, VOLUME_ORIENT_LPS);
      assert_string_equal (volume->axes, "LPS");
      for (guint axis = 0; axis < 3; axis++)
        {
          assert_int_equal (volume->n[axis], lps[axis]);
          assert_true (volume->spacing_mm[axis] == 1 + axis);
        }
      i = 0;
      for (gsize z = 0; z < lps[2]; z++)
        for (gsize y = 0; y < lps[1]; y++)
          for (gsize x = 0; x < lps[0]; x++)
            assert_true (volume->hu[i++] == (float) (100 * x + 10 * y + z));
    }
}

static void
test_as_stored_ignores_the_affine (void **state)
{
  const double values[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 2, 2, 2);
  g_autofree char *path = NULL;
  g_autoptr (Volume) volume = NULL;

  nifti_maker_orient (&header, "SRA");
  path = nifti_maker_write ("stored.nii", &header, values, 0);
  volume = testing_volume_load (path, VOLUME_ORIENT_AS_STORED);
  assert_string_equal (volume->axes, "SRA");
  for (guint i = 0; i < 8; i++)
    assert_true (volume->hu[i] == (float) values[i]);
}

static void
test_a_header_without_orientation_is_taken_as_lps (void **state)
{
  const double values[] = { 1, 2 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 2, 1, 1);
  g_autofree char *path = nifti_maker_write ("unknown.nii", &header, values, 0);
  g_autoptr (VolumeHeader) read = volume_header_read (path, NULL);
  g_autoptr (Volume) volume = testing_volume_load (path, VOLUME_ORIENT_LPS);

  assert_false (read->has_orientation);
  assert_string_equal (read->axes, "LPS");
  assert_true (volume->hu[0] == 1);
}

static void
test_a_qform_counts_where_there_is_no_sform (void **state)
{
  const double values[] = { 1, 2 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 2, 1, 1);
  g_autofree char *path = NULL, *turned_path = NULL;
  g_autoptr (VolumeHeader) read = NULL, turned = NULL;

  /* Half a turn about z takes R A S to L P S; one about x, with the third axis reversed, to R P S.
   */
  header.qform_code = NIFTI_XFORM_SCANNER_ANAT;
  header.quatern_d = 1;
  path = nifti_maker_write ("qform.nii", &header, values, 0);
  read = volume_header_read (path, NULL);
  assert_string_equal (read->axes, "LPS");
  assert_true (read->has_orientation);

  header.quatern_d = 0;
  header.quatern_b = 1;
  header.pixdim[0] = -1;
  turned_path = nifti_maker_write ("qform2.nii", &header, values, 0);
  turned = volume_header_read (turned_path, NULL);
  assert_string_equal (turned->axes, "RPS");
}

static void
test_an_oblique_affine_snaps_and_says_how_far (void **state)
{
  const double values[] = { 1, 2 };
  const double turn = 20 * G_PI / 180;
  nifti_2_header header = nifti_maker_header (DT_INT16, 2, 1, 1);
  g_autofree char *path = NULL;
  g_autoptr (VolumeHeader) read = NULL;

  nifti_maker_orient (&header, "LPS");
  header.srow_x[0] = -cos (turn);
  header.srow_y[0] = sin (turn);
  header.srow_x[1] = -sin (turn);
  header.srow_y[1] = -cos (turn);
  path = nifti_maker_write ("oblique.nii", &header, values, 0);
  read = volume_header_read (path, NULL);
  assert_string_equal (read->axes, "LPS");
  assert_true (fabs (read->obliquity_deg - 20) < 1e-4);
}

/* ---- voxels to HU ---- */

static void
test_policies_combine_header_and_csv_as_they_say (void **state)
{
  const double values[] = { 100 };
  const VolumeMetadata csv = { 3, -7, NAN, NAN, NAN };
  const struct
  {
    VolumeRescale policy, applied;
    float hu;
  } expected[] = {
    { VOLUME_RESCALE_AUTO, VOLUME_RESCALE_HEADER, 210 },
    { VOLUME_RESCALE_HEADER, VOLUME_RESCALE_HEADER, 210 },
    { VOLUME_RESCALE_CSV, VOLUME_RESCALE_CSV, 293 },
    { VOLUME_RESCALE_BOTH, VOLUME_RESCALE_BOTH, 623 },
    { VOLUME_RESCALE_NONE, VOLUME_RESCALE_NONE, 100 },
  };
  nifti_2_header header = nifti_maker_header (DT_INT16, 1, 1, 1);
  g_autofree char *path = NULL;

  header.scl_slope = 2;
  header.scl_inter = 10;
  path = nifti_maker_write ("scaled.nii", &header, values, 0);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autoptr (Volume) volume =
          volume_load (path, &csv, expected[i].policy, VOLUME_ORIENT_LPS, NULL, NULL);

      assert_non_null (volume);
      assert_int_equal (volume->applied, expected[i].applied);
      assert_true (volume->hu[0] == expected[i].hu);
      assert_true (volume->hu[0] == (float) (volume->slope * 100 + volume->intercept));
    }
}

static void
test_a_slope_of_zero_or_nan_means_unscaled (void **state)
{
  const double values[] = { 7 };
  const double slopes[] = { 0, NAN };

  for (guint i = 0; i < G_N_ELEMENTS (slopes); i++)
    {
      nifti_2_header header = nifti_maker_header (DT_INT16, 1, 1, 1);
      g_autofree char *path = NULL;
      g_autoptr (Volume) volume = NULL;

      header.scl_slope = slopes[i];
      header.scl_inter = 1000;
      path = nifti_maker_write ("unscaled.nii", &header, values, 0);
      volume = testing_volume_load (path, VOLUME_ORIENT_LPS);
      assert_true (volume->hu[0] == 7);
      assert_int_equal (volume->applied, VOLUME_RESCALE_NONE);
    }
}

static void
test_scaling_that_makes_no_sense_is_refused_only_where_it_is_used (void **state)
{
  const double values[] = { 7 };
  const VolumeMetadata csv = { 0, -1024, NAN, NAN, NAN };
  nifti_2_header header = nifti_maker_header (DT_INT16, 1, 1, 1);
  g_autofree char *path = NULL, *plain = NULL;
  GError *error = NULL;

  plain = nifti_maker_write ("plain.nii", &header, values, 0);
  assert_null (volume_load (plain, &csv, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, &error));
  assert_error_says (&error, plain, "slope of 0", "--rescale none", NULL);

  header.scl_slope = INFINITY;
  path = nifti_maker_write ("infinite.nii", &header, values, 0);
  assert_volume_refused (path, CTCLIP_ERROR_CORRUPT, "inf", "scl_slope", "--rescale none");
  volume_free (volume_load (path, &nothing, VOLUME_RESCALE_NONE, VOLUME_ORIENT_LPS, NULL, &error));
  assert_no_error (error);
}

static void
test_voxels_that_are_no_number_become_air (void **state)
{
  const double values[] = { NAN, INFINITY, -INFINITY, 5 };
  nifti_2_header header = nifti_maker_header (DT_FLOAT32, 4, 1, 1);
  g_autofree char *path = NULL;
  g_autoptr (Volume) volume = NULL;

  header.scl_slope = 2;
  path = nifti_maker_write ("nan.nii", &header, values, 0);
  volume = testing_volume_load (path, VOLUME_ORIENT_LPS);
  for (guint i = 0; i < 3; i++)
    assert_true (volume->hu[i] == -1024);
  assert_true (volume->hu[3] == 10);
}

static void
test_names_of_policies_round_trip_and_others_are_refused (void **state)
{
  GError *error = NULL;
  VolumeRescale rescale;
  VolumeOrient orient;

  for (VolumeRescale i = VOLUME_RESCALE_AUTO; i <= VOLUME_RESCALE_NONE; i++)
    {
      assert_true (volume_rescale_parse (volume_rescale_name (i), &rescale, NULL));
      assert_int_equal (rescale, i);
    }
  for (VolumeOrient i = VOLUME_ORIENT_LPS; i <= VOLUME_ORIENT_AS_STORED; i++)
    {
      assert_true (volume_orient_parse (volume_orient_name (i), &orient, NULL));
      assert_int_equal (orient, i);
    }
  assert_false (volume_rescale_parse ("hounsfield", &rescale, &error));
  assert_error_says (&error, "hounsfield", "auto", "both", NULL);
  assert_false (volume_orient_parse ("RAS", &orient, &error));
  assert_error_says (&error, "RAS", "as-stored", NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_datatype_order_version_and_packing_reads_the_same),
    cmocka_unit_test (test_the_extremes_of_every_datatype_keep_their_values),
    cmocka_unit_test (test_voxels_behind_extensions_and_a_single_time_point_are_found),
    cmocka_unit_test (test_spacing_in_metres_or_microns_becomes_mm),
    cmocka_unit_test (test_all_48_orientations_load_as_lps),
    cmocka_unit_test (test_as_stored_ignores_the_affine),
    cmocka_unit_test (test_a_header_without_orientation_is_taken_as_lps),
    cmocka_unit_test (test_a_qform_counts_where_there_is_no_sform),
    cmocka_unit_test (test_an_oblique_affine_snaps_and_says_how_far),
    cmocka_unit_test (test_policies_combine_header_and_csv_as_they_say),
    cmocka_unit_test (test_a_slope_of_zero_or_nan_means_unscaled),
    cmocka_unit_test (test_scaling_that_makes_no_sense_is_refused_only_where_it_is_used),
    cmocka_unit_test (test_voxels_that_are_no_number_become_air),
    cmocka_unit_test (test_names_of_policies_round_trip_and_others_are_refused),
  };

  return cmocka_run_group_tests_name ("volume", tests, NULL, NULL);
}

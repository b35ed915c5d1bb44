/** What goes into the network: the golden tensors, the formula, every datatype and orientation. */
#include "nifti_maker.h"
#include "testing.h"
#include "testing_prepare.h"

#include <math.h>
#include <string.h>

#define TOLERANCE 2e-6

/* ---- golden tensors ---- */

/** The cells of a line of meta.csv or volumes.csv, whose fourth column is a list in quotes. */
static void
parse_row (const char *line, char **volume, VolumeMetadata *metadata)
{
  g_auto (GStrv) cells = g_strsplit (line, ",", 4);
  char *end;

  *volume = g_strdup (cells[0]);
  metadata->slope = g_ascii_strtod (cells[1], NULL);
  metadata->intercept = g_ascii_strtod (cells[2], NULL);
  metadata->spacing_x_mm = g_ascii_strtod (cells[3] + strlen ("\"["), &end);
  metadata->spacing_y_mm = metadata->spacing_x_mm;
  metadata->spacing_z_mm = g_ascii_strtod (strrchr (line, ',') + 1, NULL);
}

static char **
rows_of (const char *relative)
{
  g_autofree char *text = NULL;

  assert_true (g_file_get_contents (testing_data (relative), &text, NULL, NULL));
  return g_strsplit (g_strchomp (text), "\n", -1);
}

/** The reference scales by header and CSV both and knows no orientation. */
static VolumePreparation
reference_preparation (void)
{
  VolumePreparation preparation = volume_preparation_default ();

  preparation.rescale = VOLUME_RESCALE_BOTH;
  preparation.orient = VOLUME_ORIENT_AS_STORED;
  return preparation;
}

static void
test_golden_volumes_match_the_reference (void **state)
{
  g_auto (GStrv) rows = rows_of ("golden/prep/meta.csv");
  json_t *meta = testing_json ("golden/prep/meta.json");
  guint seen = 0;

  for (guint i = 1; rows[i] != NULL; i++)
    for (guint threads = 1; threads <= 2; threads++)
      {
        g_autofree char *volume = NULL, *file = NULL, *expected_file = NULL, *stem = NULL;
        g_autofree float *tensor = NULL;
        g_autoptr (NpyArray) expected = NULL;
        VolumePreparation preparation = reference_preparation ();
        VolumeMetadata metadata;
        VolumePrepared prepared;
        json_t *entry;

        parse_row (rows[i], &volume, &metadata);
        entry = json_object_get (meta, volume);
        for (guint axis = 0; axis < 3; axis++)
          preparation.shape[axis] = (gsize) json_integer_value (
              json_array_get (json_object_get (entry, "out_shape"), axis + 1));
        file = g_build_filename ("golden/prep", volume, NULL);
        stem = g_strndup (volume, strlen (volume) - strlen (".nii.gz"));
        expected_file = g_strdup_printf ("golden/prep/%s.npy", stem);
        expected = testing_npy (expected_file);
        tensor = prepare (testing_data (file), &metadata, &preparation, threads, &prepared);

        assert_int_equal (expected->n,
                          preparation.shape[0] * preparation.shape[1] * preparation.shape[2]);
        print_message ("%s: largest difference %.2g\n", volume,
                       testing_max_difference (tensor, expected->data, expected->n));
        assert_true (testing_max_difference (tensor, expected->data, expected->n) <= TOLERANCE);
        for (guint axis = 0; axis < 3; axis++)
          assert_int_equal (
              prepared.resized_shape[axis],
              json_integer_value (json_array_get (json_object_get (entry, "resized_zxy"), axis)));
        seen++;
      }
  assert_int_equal (seen, 10);
  json_decref (meta);
}

/** Every fourth voxel along each axis. */
static float *
every_fourth (const float *tensor, const gsize *shape)
{
  float *thinned = g_new (float, (shape[0] / 4) * (shape[1] / 4) * (shape[2] / 4));
  gsize n = 0;

  for (gsize z = 0; z < shape[0]; z += 4)
    for (gsize x = 0; x < shape[1]; x += 4)
      for (gsize y = 0; y < shape[2]; y += 4)
        thinned[n++] = tensor[(z * shape[1] + x) * shape[2] + y];
  return thinned;
}

static void
test_real_chests_match_the_reference (void **state)
{
  g_auto (GStrv) rows = rows_of ("golden/full_seed1/volumes.csv");
  const VolumePreparation preparation = reference_preparation ();
  const gsize n = preparation.shape[0] * preparation.shape[1] * preparation.shape[2];

  for (guint i = 1; rows[i] != NULL; i++)
    {
      g_autofree char *volume = NULL, *file = NULL, *expected_file = NULL, *stem = NULL;
      g_autofree float *tensor = NULL, *thinned = NULL;
      g_autoptr (NpyArray) expected = NULL;
      VolumeMetadata metadata;
      double difference;

      parse_row (rows[i], &volume, &metadata);
      file = g_build_filename ("data", volume, NULL);
      stem = g_strndup (volume, strlen (volume) - strlen (".nii.gz"));
      expected_file = g_strdup_printf ("golden/full_seed1/%s_input_every4.npy", stem);
      expected = testing_npy (expected_file);
      tensor = prepare (testing_data (file), &metadata, &preparation, 2, NULL);
      thinned = every_fourth (tensor, preparation.shape);
      assert_int_equal (expected->n, n / 64);
      difference = testing_max_difference (thinned, expected->data, expected->n);
      print_message ("%s: largest difference %.2g\n", volume, difference);
      assert_true (difference <= TOLERANCE);
    }
}

/* ---- against the formula, written the slow way ---- */

typedef struct
{
  gsize n[3];           /* source, z x y */
  const double *values; /* HU, x fastest, then y, then z */
  gsize resized[3];
} Source;

static double
source_at (const Source *source, gsize z, gsize x, gsize y)
{
  double hu = source->values[(z * source->n[2] + y) * source->n[1] + x];

  return CLAMP (hu, -1000, 1000);
}

/** The reference's number at one place of the target, trilinear in double. */
static double
expected_at (const Source *source, const gsize *shape, const gsize *place)
{
  gsize lower[3], upper[3];
  double weight[3], sum = 0;

  for (guint i = 0; i < 3; i++)
    {
      gsize resized = source->resized[i];
      gsize start = resized > shape[i] ? (resized - shape[i]) / 2 : 0;
      gsize before = resized < shape[i] ? (shape[i] - resized) / 2 : 0;
      double at;

      if (place[i] < before || place[i] - before >= MIN (resized, shape[i]))
        return -1;
      at = ((double) (place[i] - before + start) + 0.5) * ((double) source->n[i] / (double) resized)
           - 0.5;
      at = MAX (at, 0);
      lower[i] = (gsize) at;
      weight[i] = at - (double) lower[i];
      upper[i] = MIN (lower[i] + 1, source->n[i] - 1);
    }
  for (guint corner = 0; corner < 8; corner++)
    {
      gsize at[3];
      double share = 1;

      for (guint i = 0; i < 3; i++)
        {
          gboolean high = corner >> i & 1;

          at[i] = high ? upper[i] : lower[i];
          share *= high ? weight[i] : 1 - weight[i];
        }
      sum += share * source_at (source, at[0], at[1], at[2]);
    }
  return sum / 1000;
}

static void
test_random_sizes_and_spacings_match_the_formula (void **state)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);

  for (guint round = 0; round < 200; round++)
    {
      VolumePreparation preparation = volume_preparation_default ();
      VolumeMetadata metadata = VOLUME_METADATA_NONE;
      VolumePrepared prepared;
      nifti_2_header header;
      g_autofree double *values = NULL;
      g_autofree float *tensor = NULL;
      g_autofree char *path = NULL;
      Source source;
      gsize n = 1, place[3];

      for (guint i = 0; i < 3; i++)
        {
          source.n[i] = (gsize) g_rand_int_range (random, 1, 40);
          preparation.shape[i] = (gsize) g_rand_int_range (random, 1, 40);
          preparation.spacing_mm[i] = 1;
          n *= source.n[i];
        }
      metadata.spacing_z_mm = g_rand_double_range (random, 1, 2.5);
      metadata.spacing_x_mm = g_rand_double_range (random, 1, 2.5);
      metadata.spacing_y_mm = round % 3 == 0 ? 1 : g_rand_double_range (random, 1, 2.5);
      if (round % 2)
        for (guint i = 0; i < 3; i++)
          preparation.spacing_mm[i] = source.n[i] > 3 ? 2.5 : 1;
      values = g_new (double, n);
      for (gsize i = 0; i < n; i++)
        values[i] = g_rand_int_range (random, -1300, 1300);
      source.values = values;
      header = nifti_maker_header (DT_INT16, source.n[1], source.n[2], source.n[0]);
      path = nifti_maker_write ("formula.nii", &header, values, 0);
      tensor = prepare (path, &metadata, &preparation, 1 + round % 2, &prepared);
      for (guint i = 0; i < 3; i++)
        {
          assert_int_equal (prepared.source_shape[i], source.n[i]);
          source.resized[i] = prepared.resized_shape[i];
        }
      n = 0;
      for (place[0] = 0; place[0] < preparation.shape[0]; place[0]++)
        for (place[1] = 0; place[1] < preparation.shape[1]; place[1]++)
          for (place[2] = 0; place[2] < preparation.shape[2]; place[2]++)
            {
              double expected = expected_at (&source, preparation.shape, place);

              if (!(fabs (tensor[n] - expected) <= TOLERANCE))
                fail_msg ("round %u, (%zu, %zu, %zu): %.9g, not %.9g", round, place[0], place[1],
                          place[2], tensor[n], expected);
              n++;
            }
    }
}

static void
test_every_datatype_prepares_to_the_same_tensor (void **state)
{
  const int datatypes[] = { DT_INT16, DT_UINT16, DT_INT32,   DT_UINT32,
                            DT_INT64, DT_UINT64, DT_FLOAT32, DT_FLOAT64 };
  VolumePreparation preparation = volume_preparation_default ();
  const VolumeMetadata metadata = { 0.25, -1024, 1, 1, 1 };
  const gsize shape[] = { 8, 9, 10 };
  g_autofree float *first = NULL;
  double values[11 * 12 * 13];

  memcpy (preparation.shape, shape, sizeof shape);
  preparation.rescale = VOLUME_RESCALE_CSV;
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = (i * 7919) % 8000;
  for (guint i = 0; i < G_N_ELEMENTS (datatypes); i++)
    {
      nifti_2_header header = nifti_maker_header (datatypes[i], 11, 12, 13);
      g_autofree char *path =
          nifti_maker_write ("type.nii", &header, values, i % 2 ? NIFTI_MAKER_SWAPPED : 0);
      g_autofree float *tensor = prepare (path, &metadata, &preparation, 1, NULL);

      if (first == NULL)
        first = g_steal_pointer (&tensor);
      else
        assert_memory_equal (tensor, first, 8 * 9 * 10 * sizeof (float));
    }
}

/* ---- orientation ---- */

/** The axes that @number names, and the voxels of an L P S volume stored along them. */
static char *
write_turned (guint number, const gsize lps[3], const double *values, char axes[4])
{
  static const char *const orders[] = { "LPS", "LSP", "PLS", "PSL", "SLP", "SPL" };
  const gsize strides[3] = { 1, lps[0], lps[0] * lps[1] };
  g_autofree double *turned = g_new (double, lps[0] * lps[1] * lps[2]);
  nifti_2_header header;
  gsize size[3], i = 0;
  guint body[3];

  axes[3] = '\0';
  for (guint axis = 0; axis < 3; axis++)
    {
      char letter = orders[number / 8][axis];
      gboolean reversed = number >> axis & 1;

      body[axis] = letter == 'L' ? 0 : letter == 'P' ? 1 : 2;
      axes[axis] = !reversed ? letter : "RAI"[body[axis]];
      size[axis] = lps[body[axis]];
    }
  for (gsize z = 0; z < size[2]; z++)
    for (gsize y = 0; y < size[1]; y++)
      for (gsize x = 0; x < size[0]; x++)
        {
          const gsize at[3] = { x, y, z };
          gsize from = 0;

          for (guint axis = 0; axis < 3; axis++)
            from +=
                strides[body[axis]] * (number >> axis & 1 ? size[axis] - 1 - at[axis] : at[axis]);
          turned[i++] = values[from];
        }
  header = nifti_maker_header (DT_INT16, size[0], size[1], size[2]);
  for (guint axis = 0; axis < 3; axis++)
    header.pixdim[axis + 1] = 1 + 0.25 * body[axis];
  nifti_maker_orient (&header, axes);
  return nifti_maker_write ("turned.nii.gz", &header, turned, NIFTI_MAKER_GZIP);
}

static void
test_all_48_orientations_prepare_to_the_same_bits (void **state)
{
  const VolumeMetadata nothing = VOLUME_METADATA_NONE;
  const gsize lps[3] = { 19, 17, 13 }, shape[3] = { 12, 20, 11 };
  VolumePreparation preparation = volume_preparation_default ();
  g_autofree float *expected = NULL;
  double values[19 * 17 * 13];

  memcpy (preparation.shape, shape, sizeof shape);
  for (guint i = 0; i < 3; i++)
    preparation.spacing_mm[i] = 1.1;
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = (double) (i * 7919 % 2400) - 1200;
  for (guint number = 0; number < 48; number++)
    {
      char axes[4];
      g_autofree char *path = write_turned (number, lps, values, axes);
      VolumePrepared prepared;
      g_autofree float *tensor = prepare (path, &nothing, &preparation, 1 + number % 2, &prepared);

      assert_string_equal (prepared.axes, axes);
      assert_true (prepared.spacing_mm[0] == 1.5 && prepared.spacing_mm[1] == 1
                   && prepared.spacing_mm[2] == 1.25);
      assert_true (prepared.source_shape[0] == 13 && prepared.source_shape[1] == 19
                   && prepared.source_shape[2] == 17);
      if (number == 0)
        expected = g_steal_pointer (&tensor);
      else
        assert_memory_equal (tensor, expected, 12 * 20 * 11 * sizeof (float));
    }
}

static void
test_given_spacing_belongs_to_the_stored_axes (void **state)
{
  const VolumeMetadata metadata = { NAN, NAN, 3, 1, 2 };
  VolumePreparation preparation = volume_preparation_default ();
  const double values[4 * 5 * 6] = { 0 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 4, 5, 6);
  g_autofree float *tensor = NULL;
  g_autofree char *path = NULL;
  VolumePrepared prepared;

  header.pixdim[3] = 2.5;
  nifti_maker_orient (&header, "PSL");
  path = nifti_maker_write ("spacing.nii", &header, values, 0);
  tensor = prepare (path, &metadata, &preparation, 1, &prepared);
  /* Stored x points back, y up, z to the left; the tensor runs up, left, back. */
  assert_true (prepared.spacing_mm[0] == 2 && prepared.spacing_mm[1] == 3
               && prepared.spacing_mm[2] == 1);
  assert_true (fabs (prepared.spacing_difference - 1) < 1e-12);
}

/* ---- the key ---- */

static void
test_the_text_of_a_preparation_is_stable (void **state)
{
  const VolumePreparation preparation = volume_preparation_default ();
  const VolumePrepared prepared = { .rescale = VOLUME_RESCALE_CSV,
                                    .slope = 1,
                                    .intercept = -1024,
                                    .spacing_mm = { 1.25, 0.1, 0.78125 },
                                    .axes = "LAS" };
  g_autofree char *text = volume_prepared_text (&preparation, &prepared);

  assert_string_equal (text, "v1;rescale=csv;slope=1;intercept=-1024;orient=lps;axes=LAS;"
                             "spacing=1.25,0.10000000000000001,0.78125;target=1.5,0.75,0.75;"
                             "shape=240,480,480;clip=-1000,1000;scale=1000;pad=-1");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_golden_volumes_match_the_reference),
    cmocka_unit_test (test_real_chests_match_the_reference),
    cmocka_unit_test (test_random_sizes_and_spacings_match_the_formula),
    cmocka_unit_test (test_every_datatype_prepares_to_the_same_tensor),
    cmocka_unit_test (test_all_48_orientations_prepare_to_the_same_bits),
    cmocka_unit_test (test_given_spacing_belongs_to_the_stored_axes),
    cmocka_unit_test (test_the_text_of_a_preparation_is_stable),
  };

  return cmocka_run_group_tests_name ("prepare", tests, NULL, NULL);
}

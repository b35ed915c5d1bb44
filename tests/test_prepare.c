/** What goes into the network: the golden tensors, policies, orientations, threads. */
#include "nifti_maker.h"
#include "testing.h"

#include "base/error.h"
#include "volume/prepare.h"

#include <math.h>
#include <string.h>

#define TOLERANCE 2e-6

/** Prepare into a fresh tensor; fails the test on any error. */
static float *
prepare (const char *path, const VolumeMetadata *metadata, const VolumePreparation *preparation,
         guint threads, VolumePrepared *prepared)
{
  const gsize n = preparation->shape[0] * preparation->shape[1] * preparation->shape[2];
  float *tensor = g_new (float, n);
  VolumePrepared own;
  GError *error = NULL;

  for (gsize i = 0; i < n; i++)
    tensor[i] = NAN; /* whatever is not written stands out */
  volume_prepare (path, metadata, preparation, threads, tensor, prepared != NULL ? prepared : &own,
                  NULL, &error);
  assert_no_error (error);
  return tensor;
}

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
    cmocka_unit_test (test_auto_takes_the_reading_that_has_more_air),
    cmocka_unit_test (test_a_cropped_chest_in_hu_is_left_as_stored),
    cmocka_unit_test (test_voxels_that_are_no_number_count_as_air),
    cmocka_unit_test (test_the_number_of_threads_changes_no_bit),
    cmocka_unit_test (test_faults_are_found_with_one_thread_and_with_two),
    cmocka_unit_test (test_numbers_that_make_no_sense_are_refused),
    cmocka_unit_test (test_cancelling_ends_a_preparation_at_any_moment),
    cmocka_unit_test (test_the_text_of_a_preparation_is_stable),
  };

  return cmocka_run_group_tests_name ("prepare", tests, NULL, NULL);
}

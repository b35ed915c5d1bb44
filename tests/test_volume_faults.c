/** Volumes that are wrong: every fault is named, and nothing is believed that the file can't hold.
 */
#include "nifti_maker.h"
#include "testing.h"

#include "base/error.h"
#include "config.h"
#include "volume/prepare.h"
#include "volume/volume.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const VolumeMetadata nothing = VOLUME_METADATA_NONE;

static Volume *
load (const char *path, VolumeOrient orient)
{
  GError *error = NULL;
  Volume *volume = volume_load (path, &nothing, VOLUME_RESCALE_AUTO, orient, NULL, &error);

  assert_no_error (error);
  return volume;
}

/** Loading must fail with this code and a message that holds the file's name and these texts. */
#define assert_refused(path, wanted, ...)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GError *refusal = NULL;                                                                        \
                                                                                                   \
    assert_null (                                                                                  \
        volume_load (path, &nothing, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, &refusal));     \
    assert_non_null (refusal);                                                                     \
    assert_true (g_error_matches (refusal, CTCLIP_ERROR, wanted));                                 \
    assert_error_says (&refusal, path, __VA_ARGS__, NULL);                                         \
  }                                                                                                \
  G_STMT_END

/* ---- headers that are wrong ---- */

typedef void (*Spoil) (nifti_2_header *header);

static void
spoil_no_dimensions (nifti_2_header *header)
{
  header->dim[0] = 0;
}

static void
spoil_eight_dimensions (nifti_2_header *header)
{
  header->dim[0] = 8;
}

static void
spoil_zero_size (nifti_2_header *header)
{
  header->dim[2] = 0;
}

static void
spoil_negative_size (nifti_2_header *header)
{
  header->dim[1] = -5;
}

static void
spoil_huge_sizes (nifti_2_header *header)
{
  header->dim[1] = header->dim[2] = header->dim[3] = 32767;
}

static void
spoil_more_than_the_file (nifti_2_header *header)
{
  header->dim[3] = 30000;
}

static void
spoil_four_dimensions (nifti_2_header *header)
{
  header->dim[0] = 4;
  header->dim[4] = 6;
}

static void
spoil_zero_spacing (nifti_2_header *header)
{
  header->pixdim[3] = 0;
}

static void
spoil_negative_spacing (nifti_2_header *header)
{
  header->pixdim[1] = -0.7;
}

static void
spoil_nan_spacing (nifti_2_header *header)
{
  header->pixdim[2] = NAN;
}

static void
spoil_infinite_spacing (nifti_2_header *header)
{
  header->pixdim[2] = INFINITY;
}

static void
spoil_bits (nifti_2_header *header)
{
  header->bitpix = 8;
}

static void
spoil_unknown_datatype (nifti_2_header *header)
{
  header->datatype = 77;
}

static void
spoil_colour (nifti_2_header *header)
{
  header->datatype = DT_RGB24;
  header->bitpix = 24;
}

static void
spoil_complex (nifti_2_header *header)
{
  header->datatype = DT_COMPLEX64;
  header->bitpix = 64;
}

static void
spoil_float128 (nifti_2_header *header)
{
  header->datatype = DT_FLOAT128;
  header->bitpix = 128;
}

static void
spoil_offset_inside_the_header (nifti_2_header *header)
{
  header->vox_offset = 40;
}

static void
spoil_offset_below_zero (nifti_2_header *header)
{
  header->vox_offset = -352;
}

static void
spoil_offset_beyond_the_end (nifti_2_header *header)
{
  header->vox_offset = 1 << 20;
}

static void
spoil_singular_affine (nifti_2_header *header)
{
  memcpy (header->srow_y, header->srow_x, sizeof header->srow_y);
}

static void
spoil_nearly_singular_affine (nifti_2_header *header)
{
  header->srow_x[1] = header->srow_x[0];
  header->srow_y[1] = 1e-5;
}

static void
spoil_empty_affine (nifti_2_header *header)
{
  memset (header->srow_x, 0, sizeof header->srow_x);
  memset (header->srow_y, 0, sizeof header->srow_y);
  memset (header->srow_z, 0, sizeof header->srow_z);
}

static void
spoil_nan_affine (nifti_2_header *header)
{
  header->srow_z[1] = NAN;
}

static void
spoil_pair (nifti_2_header *header)
{
  memcpy (header->magic, "ni1", 4);
}

static void
test_every_fault_of_a_header_is_named (void **state)
{
  const struct
  {
    Spoil spoil;
    int code;
    const char *says, *remedy;
  } faults[] = {
    { spoil_no_dimensions, CTCLIP_ERROR_CORRUPT, "0 dimensions", "convert the scan again" },
    { spoil_eight_dimensions, CTCLIP_ERROR_CORRUPT, "8 dimensions", "convert" },
    { spoil_zero_size, CTCLIP_ERROR_CORRUPT, "size of 0 along dimension 2", "convert" },
    { spoil_negative_size, CTCLIP_ERROR_CORRUPT, "size of -5 along dimension 1", "convert" },
    { spoil_huge_sizes, CTCLIP_ERROR_CORRUPT, "32767 x 32767 x 32767", "convert" },
    { spoil_more_than_the_file, CTCLIP_ERROR_CORRUPT, "30000 voxels", "download it again" },
    { spoil_four_dimensions, CTCLIP_ERROR_UNSUPPORTED, "6 volumes", "nifti_tool -cbl" },
    { spoil_zero_spacing, CTCLIP_ERROR_CORRUPT, "spacing of 0 along axis z", "above 0" },
    { spoil_negative_spacing, CTCLIP_ERROR_CORRUPT, "spacing of -0.7 along axis x", "above 0" },
    { spoil_nan_spacing, CTCLIP_ERROR_CORRUPT, "spacing of nan along axis y", "above 0" },
    { spoil_infinite_spacing, CTCLIP_ERROR_CORRUPT, "spacing of inf along axis y", "above 0" },
    { spoil_bits, CTCLIP_ERROR_CORRUPT, "8 bits a voxel", "INT16" },
    { spoil_unknown_datatype, CTCLIP_ERROR_CORRUPT, "datatype 77", "convert" },
    { spoil_colour, CTCLIP_ERROR_UNSUPPORTED, "colour", "dcm2niix" },
    { spoil_complex, CTCLIP_ERROR_UNSUPPORTED, "complex", "dcm2niix" },
    { spoil_float128, CTCLIP_ERROR_UNSUPPORTED, "float128", "float32" },
    { spoil_offset_inside_the_header, CTCLIP_ERROR_CORRUPT, "vox_offset", "convert" },
    { spoil_offset_below_zero, CTCLIP_ERROR_CORRUPT, "vox_offset", "convert" },
    { spoil_offset_beyond_the_end, CTCLIP_ERROR_CORRUPT, "from byte 1048576", "truncated" },
    { spoil_singular_affine, CTCLIP_ERROR_CORRUPT, "sform", "convert" },
    { spoil_nearly_singular_affine, CTCLIP_ERROR_CORRUPT, "sform", "convert" },
    { spoil_empty_affine, CTCLIP_ERROR_CORRUPT, "sform", "convert" },
    { spoil_nan_affine, CTCLIP_ERROR_CORRUPT, "sform", "convert" },
    { spoil_pair, CTCLIP_ERROR_UNSUPPORTED, ".hdr/.img", "nifti_tool -copy_im" },
  };
  const double values[8] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    for (NiftiMakerFlags flags = 0; flags < 8; flags++)
      {
        nifti_2_header header = nifti_maker_header (DT_INT16, 2, 2, 2);
        GByteArray *bytes, *spoiled;
        g_autofree char *path = NULL;
        const gsize size = flags & NIFTI_MAKER_VERSION_2 ? 540 : 348;

        nifti_maker_orient (&header, "LPS");
        bytes = nifti_maker_bytes (&header, values, flags);
        faults[i].spoil (&header);
        spoiled = nifti_maker_bytes (&header, NULL, flags);
        memcpy (bytes->data, spoiled->data, size);
        if (flags & NIFTI_MAKER_GZIP)
          {
            g_autoptr (GByteArray) packed = nifti_maker_gzip (bytes->data, bytes->len);

            path = testing_write ("fault.nii.gz", packed->data, packed->len);
          }
        else
          path = testing_write ("fault.nii", bytes->data, bytes->len);
        assert_refused (path, faults[i].code, faults[i].says, faults[i].remedy);
        g_byte_array_unref (bytes);
        g_byte_array_unref (spoiled);
      }
}

static void
test_sizes_whose_product_overflows_are_refused (void **state)
{
  nifti_2_header header = nifti_maker_header (DT_FLOAT64, 1, 1, 1);
  g_autofree char *path = NULL;

  header.dim[1] = header.dim[2] = (gint64) 1 << 40;
  path = nifti_maker_write ("overflow.nii", &header, NULL, NIFTI_MAKER_VERSION_2);
  assert_refused (path, CTCLIP_ERROR_CORRUPT, "which no scan has");
}

/** As testing_write(), but without its sync, which is what takes the time. */
static void
overwrite (const char *path, const GByteArray *bytes)
{
  FILE *file = fopen (path, "wb");

  assert_non_null (file);
  assert_int_equal (fwrite (bytes->data, 1, bytes->len, file), bytes->len);
  assert_int_equal (fclose (file), 0);
}

/** Version 1 keeps the place of its data as a float, which can be anything. */
static void
test_a_place_of_the_data_that_is_no_place_is_refused (void **state)
{
  const float places[] = { NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 352.5f, -0.5f };
  const double values[8] = { 0 };
  nifti_2_header header = nifti_maker_header (DT_INT16, 2, 2, 2);
  g_autoptr (GByteArray) bytes = nifti_maker_bytes (&header, values, 0);
  g_autofree char *path = testing_path ("place.nii");

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      memcpy (bytes->data + G_STRUCT_OFFSET (nifti_1_header, vox_offset), &places[i],
              sizeof *places);
      overwrite (path, bytes);
      assert_refused (path, CTCLIP_ERROR_CORRUPT, "vox_offset", "convert");
    }
}

static void
test_random_headers_never_crash (void **state)
{
  g_autofree char *path = testing_path ("random.nii");
  nifti_2_header header = nifti_maker_header (DT_INT16, 2, 2, 2);
  const double values[8] = { 0 };
  g_autoptr (GRand) random = g_rand_new_with_seed (5);

  nifti_maker_orient (&header, "LPS");
  for (guint round = 0; round < 3000; round++)
    {
      g_autoptr (GByteArray) bytes =
          nifti_maker_bytes (&header, values, round % 2 ? NIFTI_MAKER_VERSION_2 : 0);
      GError *error = NULL;
      Volume *volume;

      for (guint i = 0; i < 1 + round % 5; i++)
        bytes->data[g_rand_int_range (random, 4, (gint) bytes->len)] =
            (guint8) g_rand_int_range (random, 0, 256);
      overwrite (path, bytes);
      volume = volume_load (path, &nothing, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, &error);
      assert_true ((volume == NULL) == (error != NULL));
      g_clear_pointer (&volume, volume_free);
      g_clear_error (&error);
    }
}

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

      assert_refused (path, CTCLIP_ERROR_CORRUPT, "truncated", "download it again");
    }
  for (guint i = 0; i < G_N_ELEMENTS (packed_cuts); i++)
    {
      g_autofree char *path = testing_write ("cut.nii.gz", packed->data, packed_cuts[i]);

      assert_refused (path, CTCLIP_ERROR_CORRUPT, "truncated", "download it again");
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

      overwrite (path, whole[i]);
      for (off_t percent = 99; percent > 0; percent--)
        {
          assert_int_equal (truncate (path, (off_t) whole[i]->len * percent / 100), 0);
          assert_refused (path, CTCLIP_ERROR_CORRUPT, "truncated", "download it again");
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
  assert_refused (path, CTCLIP_ERROR_CORRUPT, "ends after 0.9 of 1.2 MB", "truncated");
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
      assert_refused (path, CTCLIP_ERROR_CORRUPT, "checksum", "download it again");
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
  g_autoptr (Volume) expected = load (plain_path, VOLUME_ORIENT_LPS);
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
      volume = load (path, VOLUME_ORIENT_LPS);
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
  g_autoptr (Volume) a = load (plain, VOLUME_ORIENT_LPS), b = load (packed, VOLUME_ORIENT_LPS);

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
  volume = load (path, VOLUME_ORIENT_LPS);
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
  g_autoptr (Volume) volume = load (path, VOLUME_ORIENT_LPS);
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
  assert_refused (missing, CTCLIP_ERROR_NOT_FOUND, "check the path");
  assert_refused (empty, CTCLIP_ERROR_CORRUPT, "is empty");
  assert_refused (page, CTCLIP_ERROR_UNSUPPORTED, "is text");
  assert_refused (noise_path, CTCLIP_ERROR_UNSUPPORTED, "is not a NIfTI volume");
  assert_refused (analyze_path, CTCLIP_ERROR_UNSUPPORTED, "ANALYZE", "nifti_tool");
  assert_refused (testing_directory (), CTCLIP_ERROR_USAGE, "is a directory");
  assert_refused (pipe, CTCLIP_ERROR_USAGE, "is not a file");
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
  assert_refused (path, CTCLIP_ERROR_UNSUPPORTED, "is a DICOM file", command);
  assert_refused (directory, CTCLIP_ERROR_UNSUPPORTED, "directory of DICOM files", command);
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
  assert_refused (path, CTCLIP_ERROR_CORRUPT, "truncated");
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
    cmocka_unit_test (test_every_fault_of_a_header_is_named),
    cmocka_unit_test (test_sizes_whose_product_overflows_are_refused),
    cmocka_unit_test (test_a_place_of_the_data_that_is_no_place_is_refused),
    cmocka_unit_test (test_random_headers_never_crash),
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

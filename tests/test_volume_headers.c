/** Headers that are wrong: every fault is named, and nothing is believed that the file can't hold.
 */
#include "nifti_maker.h"
#include "testing_volume.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static const VolumeMetadata nothing = VOLUME_METADATA_NONE;

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
        assert_volume_refused (path, faults[i].code, faults[i].says, faults[i].remedy);
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
  assert_volume_refused (path, CTCLIP_ERROR_CORRUPT, "which no scan has");
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
      testing_overwrite (path, bytes);
      assert_volume_refused (path, CTCLIP_ERROR_CORRUPT, "vox_offset", "convert");
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
      testing_overwrite (path, bytes);
      volume = volume_load (path, &nothing, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, &error);
      assert_true ((volume == NULL) == (error != NULL));
      g_clear_pointer (&volume, volume_free);
      g_clear_error (&error);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_fault_of_a_header_is_named),
    cmocka_unit_test (test_sizes_whose_product_overflows_are_refused),
    cmocka_unit_test (test_a_place_of_the_data_that_is_no_place_is_refused),
    cmocka_unit_test (test_random_headers_never_crash),
  };

  return cmocka_run_group_tests_name ("volume headers", tests, NULL, NULL);
}

/** Slices as pictures: which way they lie, their greys, and the PNG files. */
#include "testing.h"

#include "base/error.h"
#include "volume/slice.h"

#include <math.h>
#include <png.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>

/** An L P S volume whose value says where it is: 100 * left + 10 * back + head. */
static Volume *
marked_volume (gsize nx, gsize ny, gsize nz)
{
  Volume *volume = g_new0 (Volume, 1);
  gsize i = 0;

  volume->n[0] = nx;
  volume->n[1] = ny;
  volume->n[2] = nz;
  volume->spacing_mm[0] = 0.5;
  volume->spacing_mm[1] = 0.75;
  volume->spacing_mm[2] = 2;
  volume->hu = g_new (float, nx *ny *nz);
  for (gsize z = 0; z < nz; z++)
    for (gsize y = 0; y < ny; y++)
      for (gsize x = 0; x < nx; x++)
        volume->hu[i++] = (float) (100 * x + 10 * y + z);
  return volume;
}

static float
at (const VolumeSlice *slice, gsize column, gsize row)
{
  return slice->hu[row * slice->width + column];
}

static void
test_slices_lie_as_radiologists_read_them (void **state)
{
  g_autoptr (Volume) volume = marked_volume (4, 3, 5);
  g_autoptr (VolumeSlice) axial = volume_slice_extract (volume, VOLUME_AXIS_AXIAL, 1);
  g_autoptr (VolumeSlice) coronal = volume_slice_extract (volume, VOLUME_AXIS_CORONAL, 2);
  g_autoptr (VolumeSlice) sagittal = volume_slice_extract (volume, VOLUME_AXIS_SAGITTAL, 3);

  assert_int_equal (volume_slice_count (volume, VOLUME_AXIS_AXIAL), 5);
  assert_int_equal (volume_slice_count (volume, VOLUME_AXIS_CORONAL), 3);
  assert_int_equal (volume_slice_count (volume, VOLUME_AXIS_SAGITTAL), 4);

  /* Axial: top left is the patient's right and front; to the right of it lies the left side. */
  assert_true (axial->width == 4 && axial->height == 3);
  assert_true (axial->pixel_width_mm == 0.5 && axial->pixel_height_mm == 0.75);
  assert_true (at (axial, 0, 0) == 1 && at (axial, 3, 0) == 301 && at (axial, 0, 2) == 21);

  /* Coronal: top left is right and head; feet are down. */
  assert_true (coronal->width == 4 && coronal->height == 5);
  assert_true (coronal->pixel_width_mm == 0.5 && coronal->pixel_height_mm == 2);
  assert_true (at (coronal, 0, 0) == 24 && at (coronal, 3, 0) == 324 && at (coronal, 0, 4) == 20);

  /* Sagittal: top left is front and head. */
  assert_true (sagittal->width == 3 && sagittal->height == 5);
  assert_true (sagittal->pixel_width_mm == 0.75 && sagittal->pixel_height_mm == 2);
  assert_true (at (sagittal, 0, 0) == 304 && at (sagittal, 2, 0) == 324
               && at (sagittal, 0, 4) == 300);
}

static void
test_names_of_axes (void **state)
{
  GError *error = NULL;
  VolumeAxis axis;

  assert_true (volume_axis_parse ("Coronal", &axis, NULL));
  assert_int_equal (axis, VOLUME_AXIS_CORONAL);
  assert_true (volume_axis_parse ("sagittal", &axis, NULL));
  assert_int_equal (axis, VOLUME_AXIS_SAGITTAL);
  assert_false (volume_axis_parse ("diagonal", &axis, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
  assert_error_says (&error, "diagonal", "axial, coronal or sagittal", NULL);
}

/* ---- windows ---- */

static void
test_windows_by_name_and_by_number (void **state)
{
  const char *const wrong[] = { "",      "liver", "40",      "40,", "40,0", "40,-5",
                                "nan,4", "4,inf", "40,400x", "a,b", "1,2,3" };
  VolumeWindow window;

  assert_true (volume_window_parse ("Lung", &window, NULL));
  assert_true (window.centre == -600 && window.width == 1500);
  assert_true (volume_window_parse ("mediastinum", &window, NULL));
  assert_true (window.centre == 40 && window.width == 400);
  assert_true (volume_window_parse ("bone", &window, NULL) && window.centre > 200);
  assert_true (volume_window_parse ("brain", &window, NULL));
  assert_true (volume_window_parse ("-50.5,350", &window, NULL));
  assert_true (window.centre == -50.5 && window.width == 350);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      GError *error = NULL;

      assert_false (volume_window_parse (wrong[i], &window, &error));
      assert_error_says (&error, wrong[i], "lung", "centre,width", NULL);
    }
}

static void
test_a_window_is_linear_between_its_edges_and_flat_outside (void **state)
{
  const VolumeWindow window = { 40, 400 };
  const float hu[] = {
    -160, -161, -1e30f, -INFINITY, 240, 241, 1e30f, INFINITY, NAN, 40, -110, 190
  };
  const guint8 expected[] = { 0, 0, 0, 0, 255, 255, 255, 255, 0, 128, 32, 223 };
  guint8 grey[G_N_ELEMENTS (hu)];

  volume_window (hu, G_N_ELEMENTS (hu), window, grey);
  assert_memory_equal (grey, expected, sizeof expected);
}

/* ---- PNG ---- */

typedef struct
{
  png_image image;
  guint8 *grey;
  double per_metre[2];
} Png;

static void
png_clear (Png *png)
{
  png_image_free (&png->image);
  g_free (png->grey);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Png, png_clear)

/** Read a file back; the resolution stands in the pHYs chunk. */
static void
read_png (const char *path, Png *png)
{
  g_autofree char *bytes = NULL;
  gsize size;
  const guint8 *chunk;
  guint32 numbers[2];

  memset (png, 0, sizeof *png);
  png->image.version = PNG_IMAGE_VERSION;
  assert_true (png_image_begin_read_from_file (&png->image, path));
  assert_int_equal (png->image.format, PNG_FORMAT_GRAY);
  png->grey = g_malloc (PNG_IMAGE_SIZE (png->image));
  assert_true (png_image_finish_read (&png->image, NULL, png->grey, 0, NULL));

  assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  chunk = memmem (bytes, size, "pHYs", 4);
  assert_non_null (chunk);
  memcpy (numbers, chunk + 4, sizeof numbers);
  png->per_metre[0] = GUINT32_FROM_BE (numbers[0]);
  png->per_metre[1] = GUINT32_FROM_BE (numbers[1]);
  assert_int_equal (chunk[12], PNG_RESOLUTION_METER);
}

static void
test_a_png_has_square_pixels_of_the_finer_spacing (void **state)
{
  const VolumeWindow window = { 150, 300 };
  g_autoptr (Volume) volume = marked_volume (4, 3, 5);
  g_autoptr (VolumeSlice) coronal = volume_slice_extract (volume, VOLUME_AXIS_CORONAL, 0);
  g_autofree char *path = testing_path ("coronal.png");
  g_auto (Png) png = { 0 };
  GError *error = NULL;

  volume_slice_write_png (coronal, window, path, FALSE, &error);
  assert_no_error (error);
  read_png (path, &png);
  assert_int_equal (png.image.width, 4);
  assert_int_equal (png.image.height, 20); /* 5 rows of 2 mm at 0.5 mm */
  assert_true (png.per_metre[0] == 2000 && png.per_metre[1] == 2000);
  for (guint row = 0; row < 20; row++)
    for (guint column = 1; column < 4; column++)
      assert_true (png.grey[row * 4 + column] > png.grey[row * 4 + column - 1]);
}

static void
test_a_png_of_square_pixels_keeps_every_voxel (void **state)
{
  float hu[] = { -160, 40, 240, 90, -60, 500 };
  const guint8 expected[] = { 0, 128, 255, 159, 64, 255 };
  VolumeSlice slice = {
    .width = 3, .height = 2, .pixel_width_mm = 0.8, .pixel_height_mm = 0.8, .hu = hu
  };
  const VolumeWindow window = { 40, 400 };
  g_autofree char *path = testing_path ("square.png");
  g_auto (Png) png = { 0 };

  assert_true (volume_slice_write_png (&slice, window, path, FALSE, NULL));
  read_png (path, &png);
  assert_true (png.image.width == 3 && png.image.height == 2 && png.per_metre[0] == 1250);
  assert_memory_equal (png.grey, expected, sizeof expected);
}

static void
test_absurd_proportions_still_make_a_picture_of_bounded_size (void **state)
{
  float hu[] = { 0, 1, 2, 3 };
  VolumeSlice slice = {
    .width = 2, .height = 2, .pixel_width_mm = 1e-6, .pixel_height_mm = 1e3, .hu = hu
  };
  const VolumeWindow window = { 40, 400 };
  g_autofree char *path = testing_path ("absurd.png");
  g_auto (Png) png = { 0 };

  assert_true (volume_slice_write_png (&slice, window, path, FALSE, NULL));
  read_png (path, &png);
  assert_int_equal (png.image.width, 1);
  assert_int_equal (png.image.height, 16384);
}

static void
test_a_png_that_cannot_be_written_leaves_nothing (void **state)
{
  float hu[] = { 0 };
  VolumeSlice slice = {
    .width = 1, .height = 1, .pixel_width_mm = 1, .pixel_height_mm = 1, .hu = hu
  };
  const VolumeWindow window = { 40, 400 };
  g_autofree char *path = testing_write ("there.png", "old", 3);
  g_autofree char *nowhere = testing_path ("no/such/directory/a.png");
  g_autofree char *kept = NULL;
  GError *error = NULL;

  assert_false (volume_slice_write_png (&slice, window, path, FALSE, &error));
  assert_error_says (&error, path, "--force", NULL);
  assert_true (g_file_get_contents (path, &kept, NULL, NULL));
  assert_string_equal (kept, "old");
  assert_true (volume_slice_write_png (&slice, window, path, TRUE, &error));
  assert_false (volume_slice_write_png (&slice, window, nowhere, TRUE, &error));
  assert_error_says (&error, nowhere, NULL);
}

/** As on a full disk: writes fail from some byte on. */
static void
test_a_full_disk_is_an_error_not_a_jump_into_nowhere (void **state)
{
  const gsize side = 700;
  g_autofree float *hu = g_new (float, side *side);
  VolumeSlice slice = {
    .width = side, .height = side, .pixel_width_mm = 1, .pixel_height_mm = 1, .hu = hu
  };
  const VolumeWindow window = { 0, 2000 };
  g_autofree char *path = testing_path ("full.png");
  g_autoptr (GRand) random = g_rand_new_with_seed (6);
  GError *error = NULL;
  struct rlimit limit;

  /* Noise packs badly, so that libpng writes long before the end. */
  for (gsize i = 0; i < side * side; i++)
    hu[i] = (float) g_rand_int_range (random, -1000, 1000);
  getrlimit (RLIMIT_FSIZE, &limit);
  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &(struct rlimit){ 100000, limit.rlim_max });
  assert_false (volume_slice_write_png (&slice, window, path, FALSE, &error));
  setrlimit (RLIMIT_FSIZE, &limit);
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_IO));
  assert_error_says (&error, path, "cannot be written", NULL);
  assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_slices_lie_as_radiologists_read_them),
    cmocka_unit_test (test_names_of_axes),
    cmocka_unit_test (test_windows_by_name_and_by_number),
    cmocka_unit_test (test_a_window_is_linear_between_its_edges_and_flat_outside),
    cmocka_unit_test (test_a_png_has_square_pixels_of_the_finer_spacing),
    cmocka_unit_test (test_a_png_of_square_pixels_keeps_every_voxel),
    cmocka_unit_test (test_absurd_proportions_still_make_a_picture_of_bounded_size),
    cmocka_unit_test (test_a_png_that_cannot_be_written_leaves_nothing),
    cmocka_unit_test (test_a_full_disk_is_an_error_not_a_jump_into_nowhere),
  };

  return cmocka_run_group_tests_name ("slice", tests, NULL, NULL);
}

/** Slices on a screen: proportions, greys, and which voxel lies under which pixel. */
#include "testing.h"

#include "volume/slice.h"

#include <math.h>
#include <string.h>

static const VolumeWindow hundred = { 50, 100 }; /* HU 0 to 100 become black to white */

static VolumeSlice *
slice_of (gsize width, gsize height, double pixel_width_mm, double pixel_height_mm)
{
  VolumeSlice *slice = g_new (VolumeSlice, 1);

  *slice = (VolumeSlice){ .width = width,
                          .height = height,
                          .pixel_width_mm = pixel_width_mm,
                          .pixel_height_mm = pixel_height_mm,
                          .hu = g_new0 (float, width *height) };
  return slice;
}

static VolumeView
view_of (guint width_px, guint height_px)
{
  return (VolumeView){ .zoom = 1, .width_px = width_px, .height_px = height_px, .pixel_aspect = 1 };
}

static guint8 *
render (const VolumeSlice *slice, const VolumeView *view, gboolean inverted)
{
  guint8 *grey = g_malloc ((gsize) view->width_px * view->height_px);

  memset (grey, 77, (gsize) view->width_px * view->height_px);
  volume_slice_render (slice, hundred, inverted, view, grey);
  return grey;
}

/* ---- proportions ---- */

static Volume *
sphere (double radius_mm)
{
  Volume *volume = g_new0 (Volume, 1);
  const Volume shape = { .n = { 120, 80, 30 }, .spacing_mm = { 0.5, 0.75, 2 }, .axes = "LPS" };
  gsize i = 0;

  *volume = shape;
  volume->hu = g_new (float, shape.n[0] * shape.n[1] * shape.n[2]);
  for (gsize z = 0; z < shape.n[2]; z++)
    for (gsize y = 0; y < shape.n[1]; y++)
      for (gsize x = 0; x < shape.n[0]; x++)
        {
          double r = hypot (hypot (((double) x - 59.5) * 0.5, ((double) y - 39.5) * 0.75),
                            ((double) z - 14.5) * 2);

          volume->hu[i++] = r <= radius_mm ? 100 : 0;
        }
  return volume;
}

static void
test_a_sphere_stays_round_whatever_spacing_and_pixels (void **state)
{
  static const double aspects[] = { 0.5, 1, 1.9, 2 };
  static const guint sizes[][2] = { { 80, 24 }, { 200, 60 }, { 300, 310 } };
  const double radius_mm = 22;
  g_autoptr (Volume) volume = sphere (radius_mm);

  for (VolumeAxis axis = VOLUME_AXIS_AXIAL; axis <= VOLUME_AXIS_SAGITTAL; axis++)
    for (guint a = 0; a < G_N_ELEMENTS (aspects); a++)
      for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
        {
          g_autoptr (VolumeSlice) slice =
              volume_slice_extract (volume, axis, volume_slice_count (volume, axis) / 2);
          VolumeView view = view_of (sizes[s][0], sizes[s][1]);
          g_autofree guint8 *grey = NULL;
          double mm, lit = 0;
          guint left = G_MAXUINT, right = 0, top = G_MAXUINT, bottom = 0;

          view.pixel_aspect = aspects[a];
          mm = volume_view_mm_per_pixel (&view, slice);
          grey = render (slice, &view, FALSE);
          for (guint y = 0; y < view.height_px; y++)
            for (guint x = 0; x < view.width_px; x++)
              {
                lit += grey[y * view.width_px + x] / 255.0;
                if (grey[y * view.width_px + x] < 128)
                  continue;
                left = MIN (left, x);
                right = MAX (right, x);
                top = MIN (top, y);
                bottom = MAX (bottom, y);
              }
          /* To a pixel, and to the voxels that the sphere is made of. */
          assert_true (fabs ((right - left + 1) * mm - 2 * radius_mm) <= mm + 2);
          assert_true (fabs ((bottom - top + 1) * mm * view.pixel_aspect - 2 * radius_mm)
                       <= mm * view.pixel_aspect + 2);
          assert_true (fabs (lit * mm * mm * view.pixel_aspect / (G_PI * radius_mm * radius_mm) - 1)
                       < 0.05);
        }
}

static void
test_all_of_a_slice_just_fits_with_black_beside_it (void **state)
{
  g_autoptr (VolumeSlice) wide = slice_of (20, 10, 1, 1), tall = slice_of (10, 20, 1, 1);
  const VolumeView view = view_of (40, 40);

  for (gsize i = 0; i < 200; i++)
    wide->hu[i] = tall->hu[i] = 60;
  for (gboolean inverted = FALSE; inverted <= TRUE; inverted++)
    {
      g_autofree guint8 *across = render (wide, &view, inverted);
      g_autofree guint8 *down = render (tall, &view, inverted);

      for (guint i = 0; i < 40; i++)
        for (guint k = 0; k < 40; k++)
          {
            const guint8 grey = i < 10 || i >= 30 ? 0 : inverted ? 102 : 153;

            assert_int_equal (across[i * 40 + k], grey);
            assert_int_equal (down[k * 40 + i], grey);
          }
    }
}

static void
test_an_even_slice_is_even_to_its_rim_at_any_zoom_and_place (void **state)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  g_autoptr (VolumeSlice) slice = slice_of (50, 70, 1, 1);

  for (gsize i = 0; i < 50 * 70; i++)
    slice->hu[i] = 60;
  for (guint round = 0; round < 200; round++)
    {
      VolumeView view = view_of (30, 30);
      g_autofree guint8 *grey = NULL;
      guint lit = 0;

      view.zoom = g_rand_double_range (random, 0.2, 5);
      view.pan_x_mm = g_rand_double_range (random, -20, 20);
      view.pan_y_mm = g_rand_double_range (random, -20, 20);
      grey = render (slice, &view, FALSE);
      for (guint i = 0; i < 30 * 30; i++)
        {
          assert_true (grey[i] == 0 || grey[i] == 153);
          lit += grey[i] == 153;
        }
      assert_true (lit > 0);
    }
}

/* ---- greys ---- */

static void
test_a_picture_of_the_slices_own_size_is_its_window (void **state)
{
  g_autoptr (VolumeSlice) slice = slice_of (37, 23, 0.7, 0.7);
  const VolumeView view = view_of (37, 23);
  g_autoptr (GRand) random = g_rand_new_with_seed (4);
  g_autofree guint8 *grey = NULL, *expected = g_malloc (37 * 23);

  for (gsize i = 0; i < 37 * 23; i++)
    slice->hu[i] = (float) g_rand_int_range (random, -20, 120);
  volume_window (slice->hu, 37 * 23, hundred, expected);
  grey = render (slice, &view, FALSE);
  assert_memory_equal (grey, expected, 37 * 23);
}

static void
test_shrinking_averages_areas (void **state)
{
  g_autoptr (VolumeSlice) slice = slice_of (6, 6, 1, 1);
  const VolumeView half = view_of (3, 3), odd = view_of (4, 4);
  g_autofree guint8 *halved = NULL, *shrunk = NULL;

  for (gsize i = 0; i < 36; i++)
    slice->hu[i] = (float) (i % 6 * 10 + i / 6 * 4);
  halved = render (slice, &half, FALSE);
  for (guint y = 0; y < 3; y++)
    for (guint x = 0; x < 3; x++)
      assert_int_equal (halved[y * 3 + x], (guint) ((20 * x + 5 + 8 * y + 2) * 2.55 + 0.5));

  /* Pixel 0 of 4 covers voxel 0 and half of voxel 1: (0 + 10 / 2) / 1.5 and (0 + 4 / 2) / 1.5. */
  shrunk = render (slice, &odd, FALSE);
  assert_int_equal (shrunk[0], (guint) ((5 + 2) / 1.5 * 2.55 + 0.5));
}

static void
test_enlarging_is_linear_between_voxels_and_flat_at_the_rim (void **state)
{
  g_autoptr (VolumeSlice) slice = slice_of (2, 1, 1, 1);
  const VolumeView view = view_of (8, 4);
  g_autofree guint8 *grey = NULL;
  /* Middles at 1/8, 3/8 ... of two voxels' width; voxels' middles at 1/4 and 3/4. */
  const double expected[] = { 20, 20, 27.5, 42.5, 57.5, 72.5, 80, 80 };

  slice->hu[0] = 20;
  slice->hu[1] = 80;
  grey = render (slice, &view, FALSE);
  for (guint y = 0; y < 4; y++)
    for (guint x = 0; x < 8; x++)
      assert_true (fabs (grey[y * 8 + x] - expected[x] * 2.55) <= 0.51);
}

static void
test_absent_voxels_are_black_inverted_or_not (void **state)
{
  static const guint sizes[] = { 5, 10, 33 };
  g_autoptr (VolumeSlice) slice = slice_of (10, 10, 1, 1);

  for (gsize i = 0; i < 100; i++)
    slice->hu[i] = i < 50 ? NAN : 40;
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (gboolean inverted = FALSE; inverted <= TRUE; inverted++)
      {
        const guint side = sizes[s];
        const VolumeView view = view_of (side, side);
        g_autofree guint8 *grey = render (slice, &view, inverted);

        assert_int_equal (grey[0], 0);
        assert_int_equal (grey[side - 1], 0);
        assert_int_equal (grey[side * side - 1], inverted ? 153 : 102);
      }
}

/* ---- the cursor ---- */

static void
test_a_voxel_is_drawn_where_its_point_is_and_found_there (void **state)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (9);
  guint seen = 0;

  for (guint round = 0; round < 300; round++)
    {
      g_autoptr (VolumeSlice) slice = slice_of (40, 25, 0.6, 1.4);
      VolumeView view =
          view_of (g_rand_int_range (random, 60, 200), g_rand_int_range (random, 60, 200));
      const gsize column = g_rand_int_range (random, 0, 40), row = g_rand_int_range (random, 0, 25);
      g_autofree guint8 *grey = NULL;
      double x, y;
      gsize found_column, found_row;

      view.zoom = g_rand_double_range (random, 1.5, 3);
      view.pan_x_mm = g_rand_double_range (random, -4, 4);
      view.pan_y_mm = g_rand_double_range (random, -6, 6);
      view.pixel_aspect = g_rand_double_range (random, 0.8, 2);
      slice->hu[row * 40 + column] = 100;
      volume_view_point (&view, slice, column, row, &x, &y);
      assert_true (volume_view_voxel (&view, slice, x, y, &found_column, &found_row));
      assert_true (found_column == column && found_row == row);
      if (x < 0 || y < 0 || x >= view.width_px || y >= view.height_px)
        continue;
      grey = render (slice, &view, FALSE);
      assert_true (grey[(guint) y * view.width_px + (guint) x] > 60);
      seen++;
    }
  assert_true (seen > 50);
}

static void
test_panning_moves_the_slice_and_zooming_keeps_the_middle (void **state)
{
  g_autoptr (VolumeSlice) slice = slice_of (100, 100, 2, 2);
  VolumeView view = view_of (50, 50);
  gsize column, row;

  assert_true (volume_view_mm_per_pixel (&view, slice) == 4);
  view.zoom = 4;
  assert_true (volume_view_mm_per_pixel (&view, slice) == 1);
  assert_true (volume_view_voxel (&view, slice, 25.1, 25.1, &column, &row));
  assert_true (column == 50 && row == 50);
  view.pan_x_mm = 20; /* to the right: ten voxels further */
  view.pan_y_mm = -40;
  assert_true (volume_view_voxel (&view, slice, 25.1, 25.1, &column, &row));
  assert_true (column == 60 && row == 30);
}

static void
test_beside_the_slice_the_nearest_voxel_is_named (void **state)
{
  g_autoptr (VolumeSlice) slice = slice_of (20, 10, 1, 1);
  const VolumeView view = view_of (40, 40);
  gsize column, row;

  assert_false (volume_view_voxel (&view, slice, 6.5, 0.5, &column, &row));
  assert_true (column == 3 && row == 0);
  assert_false (volume_view_voxel (&view, slice, 45, 35, &column, &row));
  assert_true (column == 19 && row == 9);
  assert_true (volume_view_voxel (&view, slice, 39.9, 29.9, &column, &row));
  assert_true (column == 19 && row == 9);
}

static void
test_any_size_zoom_and_pan_stays_inside_its_buffers (void **state)
{
  static const guint sizes[] = { 1, 2, 3, 17, 64 };
  static const double zooms[] = { 1e-3, 0.3, 1, 3, 1e4 }, pans[] = { -1e9, -7.3, 0, 1e9 };
  g_autoptr (VolumeSlice) slice = slice_of (31, 1, 0.3, 5);

  for (guint w = 0; w < G_N_ELEMENTS (sizes); w++)
    for (guint h = 0; h < G_N_ELEMENTS (sizes); h++)
      for (guint z = 0; z < G_N_ELEMENTS (zooms); z++)
        for (guint p = 0; p < G_N_ELEMENTS (pans); p++)
          {
            VolumeView view = view_of (sizes[w], sizes[h]);
            g_autofree guint8 *grey = NULL;

            view.zoom = zooms[z];
            view.pan_x_mm = view.pan_y_mm = pans[p];
            grey = render (slice, &view, FALSE);
            for (guint i = 0; i < view.width_px * view.height_px; i++)
              assert_int_equal (grey[i], 0);
          }
}

/* ---- sides and places ---- */

static void
test_letters_stand_at_the_sides_that_axes_point_to (void **state)
{
  static const struct
  {
    const char *axes;
    VolumeAxis axis;
    const char *left_right_top_bottom;
  } cases[] = {
    { "LPS", VOLUME_AXIS_AXIAL, "RLAP" },    { "LPS", VOLUME_AXIS_CORONAL, "RLSI" },
    { "LPS", VOLUME_AXIS_SAGITTAL, "APSI" }, { "RAS", VOLUME_AXIS_AXIAL, "LRPA" },
    { "RAI", VOLUME_AXIS_CORONAL, "LRIS" },  { "PSR", VOLUME_AXIS_AXIAL, "APIS" },
    { "PSR", VOLUME_AXIS_SAGITTAL, "ISRL" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char letters[4];

      volume_axis_letters (cases[i].axes, cases[i].axis, letters);
      assert_memory_equal (letters, cases[i].left_right_top_bottom, 4);
    }
}

static void
test_places_in_slices_are_voxels_and_back (void **state)
{
  g_autoptr (Volume) volume = sphere (1);

  for (gsize i = 0; i < volume->n[0] * volume->n[1] * volume->n[2]; i++)
    volume->hu[i] = (float) i;
  for (VolumeAxis axis = VOLUME_AXIS_AXIAL; axis <= VOLUME_AXIS_SAGITTAL; axis++)
    {
      g_autoptr (VolumeSlice) slice = volume_slice_extract (volume, axis, 7);

      for (gsize row = 0; row < slice->height; row++)
        for (gsize column = 0; column < slice->width; column++)
          {
            gsize voxel[3], index, back_column, back_row;

            volume_slice_voxel (axis, volume->n, 7, column, row, voxel);
            assert_true (
                slice->hu[row * slice->width + column]
                == volume->hu[(voxel[2] * volume->n[1] + voxel[1]) * volume->n[0] + voxel[0]]);
            volume_slice_place (axis, volume->n, voxel, &index, &back_column, &back_row);
            assert_true (index == 7 && back_column == column && back_row == row);
          }
    }
}

static void
test_presets_have_names_that_parse_and_keys_of_their_own (void **state)
{
  guint n;
  const VolumeWindowPreset *presets = volume_window_presets (&n);

  assert_true (n >= 4);
  for (guint i = 0; i < n; i++)
    {
      VolumeWindow window;

      assert_true (volume_window_parse (presets[i].name, &window, NULL));
      assert_true (window.centre == presets[i].window.centre
                   && window.width == presets[i].window.width);
      for (guint k = 0; k < i; k++)
        assert_true (presets[k].key != presets[i].key);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_a_sphere_stays_round_whatever_spacing_and_pixels),
    cmocka_unit_test (test_all_of_a_slice_just_fits_with_black_beside_it),
    cmocka_unit_test (test_an_even_slice_is_even_to_its_rim_at_any_zoom_and_place),
    cmocka_unit_test (test_a_picture_of_the_slices_own_size_is_its_window),
    cmocka_unit_test (test_shrinking_averages_areas),
    cmocka_unit_test (test_enlarging_is_linear_between_voxels_and_flat_at_the_rim),
    cmocka_unit_test (test_absent_voxels_are_black_inverted_or_not),
    cmocka_unit_test (test_a_voxel_is_drawn_where_its_point_is_and_found_there),
    cmocka_unit_test (test_panning_moves_the_slice_and_zooming_keeps_the_middle),
    cmocka_unit_test (test_beside_the_slice_the_nearest_voxel_is_named),
    cmocka_unit_test (test_any_size_zoom_and_pan_stays_inside_its_buffers),
    cmocka_unit_test (test_letters_stand_at_the_sides_that_axes_point_to),
    cmocka_unit_test (test_places_in_slices_are_voxels_and_back),
    cmocka_unit_test (test_presets_have_names_that_parse_and_keys_of_their_own),
  };

  return cmocka_run_group_tests_name ("slice_render", tests, NULL, NULL);
}

/* The Slices screen without a terminal: where the cursor is and what it reads, waiting for slices,
 * the mouse, and proportions. */
#include "app_private.h"
#include "slices_private.h"

#include "nifti_maker.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define N_SLICES 200

/* ---- a screen with a volume ---- */

/** An App that draws nothing. */
static App *
app_new (void)
{
  App *app = g_new0 (App, 1);

  app->draw_source = 1; /* a redraw is under way already */
  return app;
}

static void
wait_until_read (VolumeViewer *viewer)
{
  for (gboolean finished = FALSE; !finished;)
    {
      g_auto (VolumeViewerState) state = { 0 };

      volume_viewer_state (viewer, &state);
      finished = state.finished;
      g_usleep (200);
    }
}

static Slices *
slices_new (App *app, const char *path)
{
  Slices *slices = slices_screen.create (app);
  g_autoptr (GError) error = NULL;

  slices->path = g_strdup (path);
  slices->viewer =
      volume_viewer_open (path, NULL, VOLUME_RESCALE_NONE, VOLUME_ORIENT_LPS, NULL, NULL, &error);
  assert_no_error (error);
  wait_until_read (slices->viewer);
  slices_read_on (slices);
  assert_true (slices->state.error == NULL);
  return slices;
}

static char *
write_long_volume (void)
{
  nifti_2_header header = nifti_maker_header (DT_INT16, 3, 3, N_SLICES);
  static double values[9 * N_SLICES];

  nifti_maker_orient (&header, "LPS");
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = i / 9;
  return nifti_maker_write ("long.nii", &header, values, NIFTI_MAKER_PLAIN);
}

/** As if only so many slices had come by now, and the last of them were shown. */
static void
pretend_arrived (Slices *slices, gsize n)
{
  slices->state.arrived = n;
  slices->state.finished = FALSE;
  slices->voxel[2] = n - 1;
  slices->shown = slices_index_to_show (slices);
}

static void
assert_progress (const Slices *slices, const char *expected)
{
  Role role;
  g_autofree char *text = slices_progress (slices, &role);

  assert_string_equal (text, expected);
}

/* ---- slices that have not arrived ---- */

static void
test_a_jump_waits_for_its_slice_and_is_made_when_it_comes (void **state)
{
  g_autofree char *path = write_long_volume ();
  g_autofree App *app = app_new ();
  Slices *slices = slices_new (app, path);

  pretend_arrived (slices, 50);
  assert_true (slices_execute (slices, "140", NULL));
  assert_int_equal (slices_index_to_show (slices), 49);
  assert_progress (slices, "waiting for slice 140, 25 % read");
  slices->state.arrived = 100; /* the picture stays while others come */
  assert_int_equal (slices_index_to_show (slices), 49);
  slices_read_on (slices); /* all have come */
  assert_int_equal (slices_index_to_show (slices), 139);
  assert_false (slices->waiting);
  assert_progress (slices, "");
  slices_screen.destroy (slices);
}

static void
test_the_last_slice_is_waited_for_too (void **state)
{
  g_autofree char *path = write_long_volume ();
  g_autofree App *app = app_new ();
  Slices *slices = slices_new (app, path);

  pretend_arrived (slices, 100);
  assert_true (slices_command (slices, COMMAND_SLICES_LAST));
  assert_progress (slices, "waiting for slice 200, 50 % read");
  slices_read_on (slices);
  assert_int_equal (slices_index_to_show (slices), N_SLICES - 1);
  slices_screen.destroy (slices);
}

static void
test_another_move_ends_the_waiting (void **state)
{
  static const Command moves[] = { COMMAND_SLICES_PREVIOUS, COMMAND_SLICES_FIRST,
                                   COMMAND_SLICES_TEN_BACK };
  static const gsize places[] = { 48, 0, 39 };
  g_autofree char *path = write_long_volume ();
  g_autofree App *app = app_new ();
  Slices *slices = slices_new (app, path);

  for (guint i = 0; i < G_N_ELEMENTS (moves); i++)
    {
      pretend_arrived (slices, 50);
      assert_true (slices_execute (slices, "140", NULL));
      assert_true (slices->waiting);
      slices_command (slices, moves[i]);
      assert_false (slices->waiting);
      assert_progress (slices, "25 % read");
      assert_int_equal (slices_index_to_show (slices), places[i]);
      slices_read_on (slices);
      assert_int_equal (slices_index_to_show (slices), places[i]);
    }
  slices_screen.destroy (slices);
}

static void
test_a_jump_before_the_file_is_open_is_remembered (void **state)
{
  g_autofree char *path = write_long_volume ();
  g_autofree App *app = app_new ();
  Slices *slices = slices_new (app, path);

  volume_viewer_state_clear (&slices->state);
  slices->state = (VolumeViewerState){ 0 };
  slices->placed = FALSE;
  assert_true (slices_execute (slices, "7", NULL));
  slices_read_on (slices);
  assert_int_equal (slices_index_to_show (slices), 6);
  slices_screen.destroy (slices);
}

static void
test_a_number_beyond_the_last_slice_is_refused (void **state)
{
  g_autofree char *path = write_long_volume ();
  g_autofree App *app = app_new ();
  Slices *slices = slices_new (app, path);
  g_autoptr (GError) error = NULL;

  assert_false (slices_execute (slices, "201", &error));
  assert_error_says (&error, "201", "1 to 200", NULL);
  slices_screen.destroy (slices);
}

/* ---- what the cursor reads, against nibabel ---- */

/** A place of a slice as it is shown, the voxel there and where it lies (nibabel's affine, turned
 * to left, back and head). */
typedef struct
{
  VolumeAxis axis;
  gsize index, column, row;
  int hu;
  double lps_mm[3];
} Reading;

static void
assert_reads (Slices *slices, const Reading *reading)
{
  static const char sides[3][2] = { "LR", "PA", "SI" };
  g_autofree char *hu = NULL, *expected_hu = g_strdup_printf ("%d HU", reading->hu), *place = NULL;
  g_autoptr (VolumeSlice) slice =
      volume_viewer_slice (slices->viewer, reading->axis, reading->index);
  char side[3];
  double mm[3];

  slices->axis = reading->axis;
  slices->shown = reading->index;
  volume_slice_voxel (reading->axis, slices->state.n, reading->index, reading->column, reading->row,
                      slices->voxel);
  hu = slices_reading (slices);
  assert_string_equal (hu, expected_hu);
  assert_int_equal (lroundf (slice->hu[reading->row * slice->width + reading->column]),
                    reading->hu);
  place = slices_place (slices);
  assert_int_equal (sscanf (place, "%c %lf  %c %lf  %c %lf", &side[0], &mm[0], &side[1], &mm[1],
                            &side[2], &mm[2]),
                    6);
  for (guint i = 0; i < 3; i++)
    {
      assert_int_equal (side[i], sides[i][reading->lps_mm[i] < 0]);
      assert_true (fabs (mm[i] - fabs (reading->lps_mm[i])) < 0.051); /* one decimal is shown */
    }
}

static void
assert_letters (const Slices *slices)
{
  static const char *const edges[] = { "RLAP", "RLSI", "APSI" }; /* left, right, top, bottom */

  for (VolumeAxis axis = VOLUME_AXIS_AXIAL; axis <= VOLUME_AXIS_SAGITTAL; axis++)
    {
      char letters[4];

      volume_axis_letters (slices->state.axes, axis, letters);
      assert_memory_equal (letters, edges[axis], 4);
    }
}

static void
test_the_cursor_reads_real_scans_as_nibabel_does (void **state)
{
  static const char *const files[] = { "data/chest_cropped_lps.nii.gz",
                                       "data/chest_lidc_0314_small.nii.gz" };
  static const struct
  {
    guint file;
    Reading reading;
  } known[] = {
    { 0, { VOLUME_AXIS_AXIAL, 154, 75, 86, -809, { 40.842, -126.658, 771.200 } } },
    { 0, { VOLUME_AXIS_AXIAL, 147, 69, 97, -799, { 31.842, -110.158, 760.700 } } },
    { 0, { VOLUME_AXIS_AXIAL, 136, 27, 6, 21, { -31.158, -246.658, 744.200 } } },
    { 0, { VOLUME_AXIS_CORONAL, 37, 34, 143, 0, { -20.658, -200.158, 570.200 } } },
    { 0, { VOLUME_AXIS_CORONAL, 114, 0, 81, -830, { -71.658, -84.658, 663.200 } } },
    { 0, { VOLUME_AXIS_CORONAL, 103, 15, 130, -796, { -49.158, -101.158, 589.700 } } },
    { 0, { VOLUME_AXIS_SAGITTAL, 14, 58, 133, 61, { -50.658, -168.658, 585.200 } } },
    { 0, { VOLUME_AXIS_SAGITTAL, 36, 43, 45, -346, { -17.658, -191.158, 717.200 } } },
    { 0, { VOLUME_AXIS_SAGITTAL, 86, 32, 162, -969, { 57.342, -207.658, 541.700 } } },
    { 1, { VOLUME_AXIS_AXIAL, 60, 61, 64, 48, { -9.203, 142.172, -559.300 } } },
    { 1, { VOLUME_AXIS_AXIAL, 79, 70, 65, 5, { 18.922, 145.297, -521.300 } } },
    { 1, { VOLUME_AXIS_AXIAL, 136, 103, 101, -959, { 122.047, 257.797, -407.300 } } },
    { 1, { VOLUME_AXIS_CORONAL, 89, 79, 46, -861, { 47.047, 220.297, -499.300 } } },
    { 1, { VOLUME_AXIS_CORONAL, 126, 59, 29, -962, { -15.453, 335.922, -465.300 } } },
    { 1, { VOLUME_AXIS_CORONAL, 108, 20, 117, 311, { -137.328, 279.672, -641.300 } } },
    { 1, { VOLUME_AXIS_SAGITTAL, 78, 14, 6, -997, { 43.922, -14.078, -419.300 } } },
    { 1, { VOLUME_AXIS_SAGITTAL, 56, 4, 19, -997, { -24.828, -45.328, -445.300 } } },
    { 1, { VOLUME_AXIS_SAGITTAL, 65, 124, 63, -961, { 3.297, 329.672, -533.300 } } },
  };

  for (guint f = 0; f < G_N_ELEMENTS (files); f++)
    {
      const char *path = testing_data (files[f]);
      g_autofree App *app = app_new ();
      Slices *slices = slices_new (app, path);

      for (guint i = 0; i < G_N_ELEMENTS (known); i++)
        if (known[i].file == f)
          assert_reads (slices, &known[i].reading);
      assert_letters (slices);
      slices_screen.destroy (slices);
    }
}

/** 7 by 6 by 5 voxels of x + 10 y + 100 z - 300, with this affine. */
static char *
write_affine (float affine[3][4])
{
  nifti_2_header header = nifti_maker_header (DT_INT16, 7, 6, 5);
  double values[7 * 6 * 5];

  nifti_maker_orient (&header, "LPS");
  for (int i = 0; i < 4; i++)
    {
      header.srow_x[i] = affine[0][i];
      header.srow_y[i] = affine[1][i];
      header.srow_z[i] = affine[2][i];
    }
  for (int i = 0; i < 3; i++)
    header.pixdim[i + 1] = sqrt (affine[0][i] * affine[0][i] + affine[1][i] * affine[1][i]
                                 + affine[2][i] * affine[2][i]);
  for (int i = 0; i < 7 * 6 * 5; i++)
    values[i] = i % 7 + 10 * (i / 7 % 6) + 100 * (i / 42) - 300;
  return nifti_maker_write ("affine.nii", &header, values, NIFTI_MAKER_PLAIN);
}

static void
test_the_cursor_reads_turned_and_oblique_volumes_as_nibabel_does (void **state)
{
  static float affines[][3][4] = {
    /* RAS */ {
        { 0.8f, 0.0f, 0.0f, 12.5f }, { 0.0f, 0.9f, 0.0f, -30.25f }, { 0.0f, 0.0f, 2.5f, 100.0f } },
    /* PIR */
    { { 0.0f, 0.0f, 2.5f, 12.5f }, { -0.8f, 0.0f, 0.0f, -30.25f }, { 0.0f, -0.9f, 0.0f, 100.0f } },
    /* ASL */
    { { 0.0f, 0.0f, -2.5f, 12.5f }, { 0.8f, 0.0f, 0.0f, -30.25f }, { 0.0f, 0.9f, 0.0f, 100.0f } },
    /* LPS */
    { { -0.7878462f, 0.1468583f, 0.1484779f, 12.5f },
      { -0.1389185f, -0.8328749f, -0.8420602f, -30.25f },
      { 0.0f, -0.3078181f, 2.349231f, 100.0f } },
    /* SAR */
    { { 0.07317707f, 0.1765448f, 2.44074f, 12.5f },
      { 0.3300804f, 0.7963422f, -0.541099f, -30.25f },
      { 0.7250462f, -0.3803564f, 0.0f, 100.0f } },
  };
  static const struct
  {
    guint affine;
    Reading reading;
  } known[] = {
    { 0, { VOLUME_AXIS_AXIAL, 4, 6, 4, 110, { -12.500, 29.350, 110.000 } } },
    { 0, { VOLUME_AXIS_AXIAL, 3, 3, 3, 23, { -14.900, 28.450, 107.500 } } },
    { 0, { VOLUME_AXIS_CORONAL, 1, 3, 1, 43, { -14.900, 26.650, 107.500 } } },
    { 0, { VOLUME_AXIS_CORONAL, 1, 6, 0, 140, { -12.500, 26.650, 110.000 } } },
    { 0, { VOLUME_AXIS_SAGITTAL, 0, 1, 4, -254, { -17.300, 26.650, 100.000 } } },
    { 0, { VOLUME_AXIS_SAGITTAL, 4, 5, 1, 2, { -14.100, 30.250, 107.500 } } },
    { 1, { VOLUME_AXIS_AXIAL, 4, 1, 3, 13, { -20.000, 32.650, 99.100 } } },
    { 1, { VOLUME_AXIS_AXIAL, 0, 3, 5, -145, { -15.000, 34.250, 95.500 } } },
    { 1, { VOLUME_AXIS_CORONAL, 4, 0, 3, 134, { -22.500, 33.450, 97.300 } } },
    { 1, { VOLUME_AXIS_CORONAL, 1, 4, 5, -249, { -12.500, 31.050, 95.500 } } },
    { 1, { VOLUME_AXIS_SAGITTAL, 0, 3, 5, 153, { -22.500, 32.650, 95.500 } } },
    { 1, { VOLUME_AXIS_SAGITTAL, 4, 4, 3, -266, { -12.500, 33.450, 97.300 } } },
    { 2, { VOLUME_AXIS_AXIAL, 0, 3, 3, 3, { -5.000, 27.850, 100.000 } } },
    { 2, { VOLUME_AXIS_AXIAL, 0, 1, 3, -197, { -10.000, 27.850, 100.000 } } },
    { 2, { VOLUME_AXIS_CORONAL, 5, 2, 3, -79, { -7.500, 29.450, 101.800 } } },
    { 2, { VOLUME_AXIS_CORONAL, 6, 3, 2, 30, { -5.000, 30.250, 102.700 } } },
    { 2, { VOLUME_AXIS_SAGITTAL, 3, 4, 0, 52, { -5.000, 28.650, 104.500 } } },
    { 2, { VOLUME_AXIS_SAGITTAL, 0, 4, 2, -268, { -12.500, 28.650, 102.700 } } },
    { 3, { VOLUME_AXIS_AXIAL, 2, 2, 1, -88, { -11.368, 33.045, 104.391 } } },
    { 3, { VOLUME_AXIS_AXIAL, 0, 2, 4, -258, { -11.512, 33.859, 98.769 } } },
    { 3, { VOLUME_AXIS_CORONAL, 2, 2, 2, -78, { -11.515, 33.878, 104.083 } } },
    { 3, { VOLUME_AXIS_CORONAL, 5, 2, 2, -48, { -11.956, 36.376, 103.159 } } },
    { 3, { VOLUME_AXIS_SAGITTAL, 3, 3, 2, -67, { -10.874, 34.850, 103.775 } } },
    { 3, { VOLUME_AXIS_SAGITTAL, 4, 3, 3, -166, { -9.938, 34.146, 101.426 } } },
    { 4, { VOLUME_AXIS_AXIAL, 6, 0, 3, 126, { -23.055, 28.841, 103.590 } } },
    { 4, { VOLUME_AXIS_AXIAL, 3, 1, 1, 43, { -20.748, 27.698, 100.654 } } },
    { 4, { VOLUME_AXIS_CORONAL, 0, 2, 5, -49, { -18.337, 27.020, 98.823 } } },
    { 4, { VOLUME_AXIS_CORONAL, 0, 2, 6, -50, { -18.264, 27.350, 98.098 } } },
    { 4, { VOLUME_AXIS_SAGITTAL, 4, 1, 0, -254, { -13.645, 25.084, 102.829 } } },
    { 4, { VOLUME_AXIS_SAGITTAL, 3, 0, 2, -146, { -16.116, 25.489, 100.998 } } },
  };

  for (guint a = 0; a < G_N_ELEMENTS (affines); a++)
    {
      g_autofree char *path = write_affine (affines[a]);
      g_autofree App *app = app_new ();
      Slices *slices = slices_new (app, path);

      for (guint i = 0; i < G_N_ELEMENTS (known); i++)
        if (known[i].affine == a)
          assert_reads (slices, &known[i].reading);
      assert_letters (slices);
      slices_screen.destroy (slices);
    }
}

/* ---- proportions ---- */

/** The columns and rows of a picture that are not black, in mm of the screen, where a cell is as
 * high as the terminal says. */
static void
measure (const guint8 *grey, const VolumeView *view, double *across, double *down)
{
  guint left = view->width_px, right = 0, top = view->height_px, bottom = 0;

  for (guint y = 0; y < view->height_px; y++)
    for (guint x = 0; x < view->width_px; x++)
      if (grey[y * view->width_px + x] > 127)
        {
          left = MIN (left, x);
          right = MAX (right, x + 1);
          top = MIN (top, y);
          bottom = MAX (bottom, y + 1);
        }
  *across = right - left;
  *down = (bottom - top) * view->pixel_aspect;
}

static void
test_a_slice_has_its_true_proportions_in_cells_of_any_size (void **state)
{
  /* 40 × 20 × 10 voxels of 0.5 × 1.5 × 6 mm: 20 × 30 × 60 mm. */
  static const double shares[] = { 20.0 / 30, 20.0 / 60, 30.0 / 60 };
  static const struct winsize terminals[] = { { 24, 80, 80 * 8, 24 * 16 },
                                              { 24, 80, 80 * 10, 24 * 15 },
                                              { 24, 80, 80 * 7, 24 * 18 } };
  nifti_2_header header = nifti_maker_header (DT_INT16, 40, 20, 10);
  static double values[40 * 20 * 10];
  g_autofree char *path = NULL;
  g_autofree App *app = app_new ();
  Slices *slices;

  header.pixdim[1] = 0.5;
  header.pixdim[2] = 1.5;
  header.pixdim[3] = 6;
  nifti_maker_orient (&header, "LPS");
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = 1000;
  path = nifti_maker_write ("slab.nii", &header, values, NIFTI_MAKER_PLAIN);
  slices = slices_new (app, path);
  for (guint t = 0; t < G_N_ELEMENTS (terminals); t++)
    for (VolumeAxis axis = VOLUME_AXIS_AXIAL; axis <= VOLUME_AXIS_SAGITTAL; axis++)
      {
        const PictureCellSize cell = grey_picture_cell_size (&terminals[t]);
        const VolumeView view = { .zoom = 1,
                                  .width_px = 60 * 8,
                                  .height_px = 30 * 8,
                                  .pixel_aspect = (double) cell.height_px / cell.width_px };
        g_autoptr (VolumeSlice) slice = volume_viewer_slice (slices->viewer, axis, 0);
        g_autofree guint8 *grey = g_malloc (view.width_px * view.height_px);
        double across, down;

        volume_slice_render (slice, (VolumeWindow){ 0, 400 }, FALSE, &view, grey);
        measure (grey, &view, &across, &down);
        assert_true (fabs (across / down / shares[axis] - 1) < 0.03);
      }
  slices_screen.destroy (slices);
}

/* ---- the mouse ---- */

static void
test_a_drag_changes_window_and_level_and_comes_back (void **state)
{
  g_autofree char *path = write_long_volume ();
  g_autofree App *app = app_new ();
  Slices *slices = slices_new (app, path);
  const VolumeWindow before = slices->window;

  slices->layout.picture = (Area){ 2, 1, 20, 40 };
  slices_drag (slices, TRUE, 10, 20);
  slices_drag (slices, FALSE, 10, 30);
  assert_true (slices->window.width > before.width && slices->window.centre == before.centre);
  slices_drag (slices, FALSE, 5, 20);
  assert_true (slices->window.width == before.width && slices->window.centre > before.centre);
  slices_drag (slices, FALSE, 10, 20);
  assert_true (slices->window.width == before.width && slices->window.centre == before.centre);
  slices_drag (slices, TRUE, 0, 0); /* beside the picture */
  slices_drag (slices, FALSE, 10, 30);
  assert_true (slices->window.width == before.width);
  slices_screen.destroy (slices);
}

static void
test_the_wheel_steps_and_a_click_points (void **state)
{
  g_autofree char *path = write_long_volume ();
  g_autofree App *app = app_new ();
  Slices *slices = slices_new (app, path);

  slices->layout.frame = (Area){ 1, 0, 22, 42 };
  slices->layout.picture = (Area){ 2, 1, 20, 40 };
  slices->voxel[2] = 50;
  assert_true (slices_mouse (slices, MOUSE_WHEEL_DOWN, 10, 20));
  assert_int_equal (slices->voxel[2], 51);
  assert_true (slices_mouse (slices, MOUSE_WHEEL_UP, 10, 20));
  assert_int_equal (slices->voxel[2], 50);
  slices->shown = 50;
  slices->slice = volume_viewer_slice (slices->viewer, VOLUME_AXIS_AXIAL, 50);
  slices->view = (VolumeView){ .zoom = 1, .width_px = 320, .height_px = 160, .pixel_aspect = 2 };
  assert_true (slices_mouse (slices, MOUSE_CLICK, 2, 1)); /* its top left corner */
  assert_true (slices->cursor);
  assert_int_equal (slices->voxel[0], 0);
  assert_int_equal (slices->voxel[1], 0);
  assert_int_equal (slices->voxel[2], 50);
  assert_false (slices_mouse (slices, MOUSE_CLICK, 0, 0));
  slices_screen.destroy (slices);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_a_jump_waits_for_its_slice_and_is_made_when_it_comes),
    cmocka_unit_test (test_the_last_slice_is_waited_for_too),
    cmocka_unit_test (test_another_move_ends_the_waiting),
    cmocka_unit_test (test_a_jump_before_the_file_is_open_is_remembered),
    cmocka_unit_test (test_a_number_beyond_the_last_slice_is_refused),
    cmocka_unit_test (test_the_cursor_reads_real_scans_as_nibabel_does),
    cmocka_unit_test (test_the_cursor_reads_turned_and_oblique_volumes_as_nibabel_does),
    cmocka_unit_test (test_a_slice_has_its_true_proportions_in_cells_of_any_size),
    cmocka_unit_test (test_a_drag_changes_window_and_level_and_comes_back),
    cmocka_unit_test (test_the_wheel_steps_and_a_click_points),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

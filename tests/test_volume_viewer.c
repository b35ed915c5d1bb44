/** Volumes that are looked at while they are read. */
#include "nifti_maker.h"
#include "testing.h"

#include "base/error.h"
#include "volume/viewer.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const VolumeMetadata nothing = VOLUME_METADATA_NONE;

/** A main loop's stead; the mutex guards both numbers. */
typedef struct
{
  pthread_mutex_t mutex;
  pthread_cond_t woken;
  guint wakes, seen;
} Waiter;

#define WAITER_INIT                                                                                \
  {                                                                                                \
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0                                      \
  }

static void
wake (gpointer data)
{
  Waiter *waiter = data;

  pthread_mutex_lock (&waiter->mutex);
  waiter->wakes++;
  pthread_cond_signal (&waiter->woken);
  pthread_mutex_unlock (&waiter->mutex);
}

static void
wait_for_wake (Waiter *waiter)
{
  pthread_mutex_lock (&waiter->mutex);
  while (waiter->wakes == waiter->seen)
    pthread_cond_wait (&waiter->woken, &waiter->mutex);
  waiter->seen = waiter->wakes;
  pthread_mutex_unlock (&waiter->mutex);
}

/** Wait until nothing more comes; the state then is the caller's to clear. */
static void
wait_for_end (VolumeViewer *viewer, Waiter *waiter, VolumeViewerState *state)
{
  for (;;)
    {
      volume_viewer_state (viewer, state);
      if (state->finished)
        return;
      volume_viewer_state_clear (state);
      wait_for_wake (waiter);
    }
}

static VolumeViewer *
open_viewer (const char *path, const VolumeMetadata *metadata, VolumeOrient orient, Waiter *waiter)
{
  GError *error = NULL;
  VolumeViewer *viewer =
      volume_viewer_open (path, metadata, VOLUME_RESCALE_AUTO, orient, wake, waiter, &error);

  assert_no_error (error);
  return viewer;
}

/** Every slice of a viewer is that of the loaded volume. */
static void
assert_shows (VolumeViewer *viewer, const Volume *volume)
{
  for (VolumeAxis axis = VOLUME_AXIS_AXIAL; axis <= VOLUME_AXIS_SAGITTAL; axis++)
    {
      const gsize n = volume_slice_count (volume, axis);

      assert_null (volume_viewer_slice (viewer, axis, n));
      for (gsize i = 0; i < n; i++)
        {
          g_autoptr (VolumeSlice) expected = volume_slice_extract (volume, axis, i);
          g_autoptr (VolumeSlice) slice = volume_viewer_slice (viewer, axis, i);

          assert_non_null (slice);
          assert_true (slice->width == expected->width && slice->height == expected->height);
          assert_true (slice->pixel_width_mm == expected->pixel_width_mm
                       && slice->pixel_height_mm == expected->pixel_height_mm);
          assert_memory_equal (slice->hu, expected->hu,
                               slice->width * slice->height * sizeof (float));
          for (gsize row = 0; row < slice->height; row++)
            for (gsize column = 0; column < slice->width; column++)
              {
                gsize v[3];

                volume_slice_voxel (axis, volume->n, i, column, row, v);
                assert_true (volume_viewer_hu (viewer, v[0], v[1], v[2])
                             == slice->hu[row * slice->width + column]);
              }
        }
    }
  assert_true (isnan (volume_viewer_hu (viewer, volume->n[0], 0, 0)));
  assert_true (isnan (volume_viewer_hu (viewer, 0, G_MAXSIZE, 0)));
}

static double *
some_values (gsize n)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (12);
  double *values = g_new (double, n);

  for (gsize i = 0; i < n; i++)
    values[i] = g_rand_int_range (random, 0, 120);
  return values;
}

/* ---- all that is right ---- */

static void
test_every_kind_of_file_shows_what_loading_it_gives (void **state)
{
  static const char *const axes[] = { "LPS", "RAS", "LAI", "PSR", "SRA", "ILP" };
  static const struct
  {
    int datatype;
    guint kept;
  } types[] = { { DT_INT8, 1 },  { DT_UINT8, 1 },   { DT_INT16, 2 },   { DT_UINT16, 2 },
                { DT_INT32, 4 }, { DT_FLOAT32, 4 }, { DT_FLOAT64, 4 }, { DT_UINT64, 4 } };
  g_autofree double *values = some_values (5 * 4 * 3);

  for (guint a = 0; a < G_N_ELEMENTS (axes); a++)
    for (guint t = 0; t < G_N_ELEMENTS (types); t++)
      for (VolumeOrient orient = VOLUME_ORIENT_LPS; orient <= VOLUME_ORIENT_AS_STORED; orient++)
        {
          nifti_2_header header = nifti_maker_header (types[t].datatype, 5, 4, 3);
          g_autofree char *path = NULL;
          g_autoptr (Volume) volume = NULL;
          g_autoptr (VolumeViewer) viewer = NULL;
          g_auto (VolumeViewerState) seen = { 0 };
          Waiter waiter = WAITER_INIT;

          header.pixdim[1] = 0.5;
          header.pixdim[2] = 0.75;
          header.pixdim[3] = 2;
          header.scl_slope = 2;
          header.scl_inter = -30;
          nifti_maker_orient (&header, axes[a]);
          path = nifti_maker_write ("any.nii.gz", &header, values,
                                    NIFTI_MAKER_GZIP | (t % 2 ? NIFTI_MAKER_SWAPPED : 0));
          volume = volume_load (path, &nothing, VOLUME_RESCALE_AUTO, orient, NULL, NULL);
          assert_non_null (volume);
          viewer = open_viewer (path, NULL, orient, &waiter);
          wait_for_end (viewer, &waiter, &seen);
          assert_no_error (seen.error);
          assert_true (seen.ready && seen.has_orientation && seen.arrived == 3);
          assert_memory_equal (seen.n, volume->n, sizeof seen.n);
          assert_memory_equal (seen.spacing_mm, volume->spacing_mm, sizeof seen.spacing_mm);
          assert_string_equal (seen.axes, volume->axes);
          assert_true (seen.applied == VOLUME_RESCALE_HEADER && seen.slope == 2
                       && seen.intercept == -30);
          assert_int_equal (seen.size_bytes, 60 * types[t].kept);
          assert_shows (viewer, volume);
        }
}

static void
test_voxels_that_are_no_numbers_count_as_air (void **state)
{
  nifti_2_header header = nifti_maker_header (DT_FLOAT64, 2, 2, 1);
  const double values[] = { 10, NAN, INFINITY, -INFINITY };
  g_autofree char *path = NULL;
  g_autoptr (VolumeViewer) viewer = NULL;
  g_auto (VolumeViewerState) seen = { 0 };
  Waiter waiter = WAITER_INIT;

  header.scl_slope = 3;
  path = nifti_maker_write ("nan.nii", &header, values, 0);
  viewer = open_viewer (path, NULL, VOLUME_ORIENT_LPS, &waiter);
  wait_for_end (viewer, &waiter, &seen);
  assert_true (volume_viewer_hu (viewer, 0, 0, 0) == 30);
  assert_true (volume_viewer_hu (viewer, 1, 0, 0) == -1024);
  assert_true (volume_viewer_hu (viewer, 0, 1, 0) == -1024);
  assert_true (volume_viewer_hu (viewer, 1, 1, 0) == -1024);
}

/** Air and tissue, right as stored; but the first slice looks right only with the CSV's -1024. */
static void
test_a_first_slice_that_misleads_is_put_right_without_reading_again (void **state)
{
  const gsize area = 16, n = 20;
  nifti_2_header header = nifti_maker_header (DT_INT16, 4, 4, (gint64) n);
  g_autofree double *values = g_new (double, area *n);
  VolumeMetadata metadata = VOLUME_METADATA_NONE;
  g_autofree char *path = NULL;
  g_autoptr (Volume) volume = NULL;
  g_autoptr (VolumeViewer) viewer = NULL;
  g_auto (VolumeViewerState) seen = { 0 };
  Waiter waiter = WAITER_INIT;

  metadata.slope = 1;
  metadata.intercept = -1024;
  metadata.spacing_z_mm = 2.5;
  for (gsize i = 0; i < area * n; i++)
    values[i] = (i % 2 ? -1000 : 0) + (i < area ? 1024 : 0);
  path = nifti_maker_write ("misleading.nii", &header, values, 0);
  volume = volume_load (path, &metadata, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, NULL);
  assert_true (volume->applied == VOLUME_RESCALE_NONE && volume->spacing_mm[2] == 2.5);
  viewer = open_viewer (path, &metadata, VOLUME_ORIENT_LPS, &waiter);
  wait_for_end (viewer, &waiter, &seen);
  assert_true (seen.applied == VOLUME_RESCALE_NONE && seen.slope == 1 && seen.intercept == 0);
  assert_true (seen.spacing_mm[2] == 2.5);
  assert_shows (viewer, volume);
}

/* ---- millimetres ---- */

static void
test_positions_go_through_the_affine (void **state)
{
  nifti_2_header header = nifti_maker_header (DT_INT16, 5, 4, 3);
  g_autofree double *values = some_values (60);
  VolumeMetadata metadata = VOLUME_METADATA_NONE;
  g_autofree char *path = NULL;
  Waiter waiter = WAITER_INIT;

  header.pixdim[1] = 0.5;
  header.pixdim[2] = 0.75;
  header.pixdim[3] = 2;
  nifti_maker_orient (&header, "RAI"); /* all three are turned over on the way to L P S */
  header.srow_x[3] = 11;
  header.srow_y[3] = -7;
  header.srow_z[3] = 100;
  path = nifti_maker_write ("placed.nii", &header, values, 0);
  for (VolumeOrient orient = VOLUME_ORIENT_LPS; orient <= VOLUME_ORIENT_AS_STORED; orient++)
    {
      g_autoptr (VolumeViewer) viewer = open_viewer (path, &metadata, orient, &waiter);
      const gboolean turned = orient == VOLUME_ORIENT_LPS;
      g_auto (VolumeViewerState) seen = { 0 };
      double mm[3];

      wait_for_end (viewer, &waiter, &seen);
      /* Stored voxel (1, 2, 0): R 11 + 0.5, A -7 + 1.5, S 100. */
      assert_true (
          volume_viewer_position_mm (viewer, turned ? 3 : 1, turned ? 1 : 2, turned ? 2 : 0, mm));
      assert_true (mm[0] == -11.5 && mm[1] == 5.5 && mm[2] == 100);
    }
  metadata.spacing_z_mm = 3;
  {
    g_autoptr (VolumeViewer) viewer = open_viewer (path, &metadata, VOLUME_ORIENT_LPS, &waiter);
    g_auto (VolumeViewerState) seen = { 0 };
    double mm[3];

    wait_for_end (viewer, &waiter, &seen);
    assert_true (volume_viewer_position_mm (viewer, 3, 1, 0, mm));
    assert_true (mm[0] == -11.5 && mm[1] == 5.5 && mm[2] == 100 - 2 * 3);
  }
}

/* ---- what is wrong ---- */

static void
test_of_a_truncated_file_the_slices_that_came_stay_visible (void **state)
{
  static const char *const axes[] = { "LPS", "LPI", "SPL", "SPR" };

  for (guint a = 0; a < G_N_ELEMENTS (axes); a++)
    {
      const gsize n[3] = { 40, 30, 50 };
      nifti_2_header header = nifti_maker_header (DT_INT16, 40, 30, 50);
      g_autofree double *values = some_values (n[0] * n[1] * n[2]);
      g_autofree char *whole_path = NULL, *path = NULL, *bytes = NULL;
      g_autoptr (Volume) volume = NULL;
      g_autoptr (VolumeViewer) viewer = NULL;
      g_auto (VolumeViewerState) seen = { 0 };
      Waiter waiter = WAITER_INIT;
      gsize size, present = 0, absent = 0;

      nifti_maker_orient (&header, axes[a]);
      whole_path = nifti_maker_write ("whole.nii.gz", &header, values, NIFTI_MAKER_GZIP);
      volume =
          volume_load (whole_path, &nothing, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, NULL);
      assert_true (g_file_get_contents (whole_path, &bytes, &size, NULL));
      path = testing_write ("cut.nii.gz", bytes, size / 2);
      viewer = open_viewer (path, NULL, VOLUME_ORIENT_LPS, &waiter);
      wait_for_end (viewer, &waiter, &seen);
      assert_true (seen.ready && seen.arrived > 0 && seen.arrived < n[2]);
      assert_true (g_error_matches (seen.error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT));
      assert_non_null (strstr (seen.error->message, "truncated"));
      assert_int_equal (seen.arrival_axis, a >= 2 ? 0 : 2);
      assert_int_equal (seen.arrives_from_far_end, a % 2);

      for (VolumeAxis axis = VOLUME_AXIS_AXIAL; axis <= VOLUME_AXIS_SAGITTAL; axis++)
        for (gsize i = 0; i < volume_slice_count (volume, axis); i++)
          {
            g_autoptr (VolumeSlice) expected = volume_slice_extract (volume, axis, i);
            g_autoptr (VolumeSlice) slice = volume_viewer_slice (viewer, axis, i);
            gsize missing = 0;

            assert_int_equal (volume_viewer_state_count (&seen, axis),
                              volume_slice_count (volume, axis));
            for (gsize k = 0; k < slice->width * slice->height; k++)
              {
                missing += isnan (slice->hu[k]) != 0;
                assert_true (isnan (slice->hu[k]) || slice->hu[k] == expected->hu[k]);
              }
            assert_int_equal (volume_viewer_state_has (&seen, axis, i), missing == 0);
            absent += missing;
            present += slice->width * slice->height - missing;
          }
      assert_int_equal (present, 3 * seen.arrived * n[0] * n[1]);
      assert_int_equal (absent, 3 * (n[2] - seen.arrived) * n[0] * n[1]);
    }
}

static void
test_what_cannot_be_opened_says_so_in_its_state (void **state)
{
  g_autofree char *absent = testing_path ("absent.nii.gz");
  g_autofree char *text = testing_write ("text.nii", "no volume at all", 16);
  const char *const paths[] = { absent, text, testing_directory () };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      Waiter waiter = WAITER_INIT;
      g_autoptr (VolumeViewer) viewer = open_viewer (paths[i], NULL, VOLUME_ORIENT_LPS, &waiter);
      g_auto (VolumeViewerState) seen = { 0 };
      double mm[3];

      wait_for_end (viewer, &waiter, &seen);
      assert_false (seen.ready);
      assert_error_says (&seen.error, paths[i], NULL);
      assert_null (volume_viewer_slice (viewer, VOLUME_AXIS_AXIAL, 0));
      assert_true (isnan (volume_viewer_hu (viewer, 0, 0, 0)));
      assert_false (volume_viewer_position_mm (viewer, 0, 0, 0, mm));
      assert_int_equal (volume_viewer_state_count (&seen, VOLUME_AXIS_AXIAL), 0);
      assert_false (volume_viewer_state_has (&seen, VOLUME_AXIS_AXIAL, 0));
    }
}

/* ---- while it is being read ---- */

#define LARGE_SIDE 128
#define LARGE_SLICES 150

/** A file whose inflating takes a while. */
static char *
write_large (const char *name)
{
  const gsize n = (gsize) LARGE_SIDE * LARGE_SIDE * LARGE_SLICES;
  nifti_2_header header = nifti_maker_header (DT_INT16, LARGE_SIDE, LARGE_SIDE, LARGE_SLICES);
  g_autofree double *values = some_values (n);

  nifti_maker_orient (&header, "LPS");
  return nifti_maker_write (name, &header, values, NIFTI_MAKER_GZIP);
}

/** Look at a volume all the time until it is there; how often only a part of it was. */
static guint
look_while_it_is_read (const char *path, const Volume *volume)
{
  const gint64 start_us = g_get_monotonic_time ();
  Waiter waiter = WAITER_INIT;
  g_autoptr (VolumeViewer) viewer = open_viewer (path, NULL, VOLUME_ORIENT_LPS, &waiter);
  gboolean finished = FALSE;
  guint in_between = 0;

  while (!finished)
    {
      g_auto (VolumeViewerState) seen = { 0 };

      volume_viewer_state (viewer, &seen);
      in_between += seen.arrived > 0 && seen.arrived < LARGE_SLICES;
      for (VolumeAxis axis = VOLUME_AXIS_AXIAL; axis <= VOLUME_AXIS_SAGITTAL && seen.ready; axis++)
        {
          const gsize i = MIN (seen.arrived * 2 / 3, volume_slice_count (volume, axis) - 1);
          g_autoptr (VolumeSlice) expected = volume_slice_extract (volume, axis, i);
          g_autoptr (VolumeSlice) slice = volume_viewer_slice (viewer, axis, i);

          for (gsize k = 0; k < slice->width * slice->height; k++)
            assert_true (isnan (slice->hu[k]) || slice->hu[k] == expected->hu[k]);
          if (volume_viewer_state_has (&seen, axis, i))
            assert_memory_equal (slice->hu, expected->hu,
                                 slice->width * slice->height * sizeof (float));
        }
      finished = seen.finished;
    }

  pthread_mutex_lock (&waiter.mutex);
  /* Header, first slice, end; thirty a second; and the one that began a second. */
  assert_true (waiter.wakes >= 3);
  assert_true (waiter.wakes
               <= 4 + 30 * (double) (g_get_monotonic_time () - start_us) / G_USEC_PER_SEC);
  pthread_mutex_unlock (&waiter.mutex);
  return in_between;
}

static void
test_slices_are_absent_or_right_at_any_time (void **state)
{
  g_autofree char *path = write_large ("large.nii.gz");
  g_autoptr (Volume) volume =
      volume_load (path, &nothing, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, NULL);
  guint in_between = 0;

  /* More than once where a busy machine has the reader done before anyone looked. */
  for (guint round = 0; round < 50 && in_between == 0; round++)
    in_between = look_while_it_is_read (path, volume);
  assert_true (in_between > 0);
}

static double
cpu_s (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/** Wait until no thread works any more. */
static void
wait_until_idle (void)
{
  const double pause_s = 0.03;
  double before_s;

  do
    {
      before_s = cpu_s ();
      g_usleep ((gulong) (pause_s * G_USEC_PER_SEC));
    }
  while (cpu_s () - before_s > pause_s / 4);
}

static void
test_it_can_be_let_go_at_any_moment (void **state)
{
  g_autofree char *path = write_large ("let_go.nii.gz");

  for (guint round = 0; round < 40; round++)
    {
      Waiter *waiter = g_new (Waiter, 1);
      const Waiter fresh = WAITER_INIT;
      VolumeViewer *viewer;
      gint64 start_us;

      *waiter = fresh;
      viewer = open_viewer (path, NULL, VOLUME_ORIENT_LPS, waiter);
      g_usleep (round * 200);
      volume_viewer_ref (viewer);
      volume_viewer_unref (viewer);
      start_us = g_get_monotonic_time ();
      volume_viewer_unref (viewer);
      assert_true (g_get_monotonic_time () - start_us < G_USEC_PER_SEC);
      g_free (waiter); /* the sanitizers would see a later wake-up */
    }
}

static void
test_nobody_reads_on_for_an_owner_that_left (void **state)
{
  const guint rounds = 20;
  g_autofree char *path = write_large ("left.nii.gz");
  double start_s, whole_s;
  Waiter waiter = WAITER_INIT;
  guint wakes;

  wait_until_idle ();
  start_s = cpu_s ();
  {
    g_autoptr (VolumeViewer) viewer = open_viewer (path, NULL, VOLUME_ORIENT_LPS, &waiter);
    g_auto (VolumeViewerState) seen = { 0 };

    wait_for_end (viewer, &waiter, &seen);
  }
  wait_until_idle ();
  whole_s = cpu_s () - start_s;
  start_s = cpu_s ();
  wakes = waiter.wakes;
  for (guint round = 0; round < rounds; round++)
    volume_viewer_unref (open_viewer (path, NULL, VOLUME_ORIENT_LPS, &waiter));
  wait_until_idle ();
  assert_true (cpu_s () - start_s < rounds * whole_s / 2);
  assert_true (waiter.wakes - wakes < rounds); /* all would be three or more each */
}

typedef struct
{
  Waiter waiter;
  const char *path; /* cut to @size bytes at the first wake; then %NULL */
  off_t size;
} Cutter;

/** The reader waits for it, with the file open and most of it still to come. */
static void
cut_and_wake (gpointer data)
{
  Cutter *cutter = data;

  if (cutter->path != NULL)
    assert_int_equal (truncate (cutter->path, cutter->size), 0);
  cutter->path = NULL;
  wake (&cutter->waiter);
}

static void
test_a_file_that_is_cut_under_the_reader_says_so (void **state)
{
  nifti_2_header header = nifti_maker_header (DT_INT16, 160, 160, 40);
  g_autofree double *values = some_values (160 * 160 * 40);

  for (NiftiMakerFlags flags = NIFTI_MAKER_PLAIN; flags <= NIFTI_MAKER_GZIP; flags++)
    {
      g_autofree char *path = nifti_maker_write ("shrinks.nii", &header, values, flags);
      Cutter cutter = { WAITER_INIT, path, 500 };
      g_autoptr (VolumeViewer) viewer = volume_viewer_open (
          path, NULL, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, cut_and_wake, &cutter, NULL);
      g_auto (VolumeViewerState) seen = { 0 };

      wait_for_end (viewer, &cutter.waiter, &seen);
      assert_true (g_error_matches (seen.error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT));
      assert_non_null (strstr (seen.error->message, "changed while it was read"));
    }
}

/* ---- later ---- */

static void
test_a_file_that_was_written_anew_is_noticed (void **state)
{
  nifti_2_header header = nifti_maker_header (DT_INT16, 5, 4, 3);
  g_autofree double *values = some_values (5 * 4 * 4);
  g_autofree char *path = nifti_maker_write ("anew.nii", &header, values, 0), *again = NULL;
  Waiter waiter = WAITER_INIT;
  g_autoptr (VolumeViewer) viewer = open_viewer (path, NULL, VOLUME_ORIENT_LPS, &waiter);
  g_auto (VolumeViewerState) seen = { 0 };

  wait_for_end (viewer, &waiter, &seen);
  volume_viewer_check (viewer);
  assert_false (seen.changed_on_disk);
  header.dim[3] = 4;
  again = nifti_maker_write ("anew.nii", &header, values, 0);
  while (!seen.changed_on_disk)
    {
      volume_viewer_check (viewer);
      g_usleep (1000);
      volume_viewer_state_clear (&seen);
      volume_viewer_state (viewer, &seen);
    }
  assert_true (seen.n[2] == 3 && volume_viewer_hu (viewer, 1, 0, 0) == values[1]);
}

/** GLib's errors make themselves ready at the first of them, by means that ThreadSanitizer does not
 * see. */
static void
make_glib_ready (void)
{
  g_error_free (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, ""));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_kind_of_file_shows_what_loading_it_gives),
    cmocka_unit_test (test_voxels_that_are_no_numbers_count_as_air),
    cmocka_unit_test (test_a_first_slice_that_misleads_is_put_right_without_reading_again),
    cmocka_unit_test (test_positions_go_through_the_affine),
    cmocka_unit_test (test_of_a_truncated_file_the_slices_that_came_stay_visible),
    cmocka_unit_test (test_what_cannot_be_opened_says_so_in_its_state),
    cmocka_unit_test (test_slices_are_absent_or_right_at_any_time),
    cmocka_unit_test (test_it_can_be_let_go_at_any_moment),
    cmocka_unit_test (test_nobody_reads_on_for_an_owner_that_left),
    cmocka_unit_test (test_a_file_that_is_cut_under_the_reader_says_so),
    cmocka_unit_test (test_a_file_that_was_written_anew_is_noticed),
  };

  make_glib_ready ();
  return cmocka_run_group_tests_name ("volume_viewer", tests, NULL, NULL);
}

/** The last few volumes in memory: which stay, which go, and which are read anew. */
#include "nifti_maker.h"
#include "testing.h"

#include "volume/viewer_cache.h"

#include <math.h>
#include <unistd.h>
#include <utime.h>

#define SIDE 8
#define BYTES ((guint64) (SIDE * SIDE * SIDE * 2)) /* of one volume as it is kept */

/** A small volume, all of this value. */
static char *
write_volume (const char *name, double value)
{
  nifti_2_header header = nifti_maker_header (DT_INT16, SIDE, SIDE, SIDE);
  double values[SIDE * SIDE * SIDE];

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = value;
  return nifti_maker_write (name, &header, values, NIFTI_MAKER_GZIP);
}

static VolumeViewerRequest
request_for (const char *path)
{
  const VolumeViewerRequest request = { .path = path,
                                        .metadata = VOLUME_METADATA_NONE,
                                        .rescale = VOLUME_RESCALE_AUTO,
                                        .orient = VOLUME_ORIENT_LPS };

  return request;
}

static VolumeViewer *
get (VolumeViewerCache *cache, const VolumeViewerRequest *request)
{
  GError *error = NULL;
  VolumeViewer *viewer = volume_viewer_cache_get (cache, request, &error);

  assert_no_error (error);
  return viewer;
}

static void
wait_for_end (VolumeViewer *viewer)
{
  for (gboolean finished = FALSE; !finished;)
    {
      g_auto (VolumeViewerState) state = { 0 };

      volume_viewer_state (viewer, &state);
      finished = state.finished;
      g_usleep (200);
    }
}

/** Get, wait until all is read, trim as after a wake-up; the caller's reference. */
static VolumeViewer *
look (VolumeViewerCache *cache, const char *path)
{
  const VolumeViewerRequest request = request_for (path);
  VolumeViewer *viewer = get (cache, &request);

  wait_for_end (viewer);
  volume_viewer_cache_trim (cache);
  return viewer;
}

static void
test_what_was_seen_is_there_at_once (void **state)
{
  g_autofree char *path = write_volume ("one.nii.gz", 1);
  g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (10 * BYTES, NULL, NULL);
  g_autoptr (VolumeViewer) first = look (cache, path);

  assert_int_equal (volume_viewer_cache_bytes (cache), BYTES);
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (VolumeViewer) again = look (cache, path);

      assert_ptr_equal (again, first);
    }
}

static void
test_another_reading_of_a_file_is_another_volume (void **state)
{
  g_autofree char *path = write_volume ("two.nii.gz", 1);
  g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (10 * BYTES, NULL, NULL);
  VolumeViewerRequest plain = request_for (path), turned = plain, scaled = plain, given = plain;
  g_autoptr (VolumeViewer) first = get (cache, &plain);
  g_autoptr (VolumeViewer) second = NULL, third = NULL, fourth = NULL, again = NULL;

  turned.orient = VOLUME_ORIENT_AS_STORED;
  scaled.rescale = VOLUME_RESCALE_CSV;
  given.metadata.intercept = -1024;
  second = get (cache, &turned);
  third = get (cache, &scaled);
  fourth = get (cache, &given);
  again = get (cache, &given);
  assert_ptr_not_equal (second, first);
  assert_ptr_not_equal (third, first);
  assert_ptr_not_equal (fourth, first);
  assert_ptr_equal (again, fourth);
}

static void
test_the_longest_unused_goes_first_and_the_bound_holds (void **state)
{
  g_autofree char *a_path = write_volume ("a.nii.gz", 1), *b_path = write_volume ("b.nii.gz", 2);
  g_autofree char *c_path = write_volume ("c.nii.gz", 3);
  g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (2 * BYTES, NULL, NULL);
  g_autoptr (VolumeViewer) a = look (cache, a_path), b = look (cache, b_path);
  g_autoptr (VolumeViewer) a_again = look (cache, a_path); /* so that b is the older */
  g_autoptr (VolumeViewer) c = look (cache, c_path), a_kept = NULL, b_anew = NULL;

  assert_int_equal (volume_viewer_cache_bytes (cache), 2 * BYTES);
  a_kept = look (cache, a_path);
  assert_ptr_equal (a_kept, a);
  b_anew = look (cache, b_path);
  assert_ptr_not_equal (b_anew, b);
  assert_int_equal (volume_viewer_cache_bytes (cache), 2 * BYTES);

  /* Dropped by the cache, but not by who still looks at it. */
  assert_true (volume_viewer_hu (b, 0, 0, 0) == 2);
}

static void
test_the_one_in_view_stays_even_above_the_bound (void **state)
{
  g_autofree char *path = write_volume ("big.nii.gz", 1), *other = write_volume ("other.nii.gz", 2);
  g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (BYTES / 2, NULL, NULL);
  g_autoptr (VolumeViewer) viewer = look (cache, path), again = look (cache, path), next = NULL;

  assert_ptr_equal (again, viewer);
  assert_int_equal (volume_viewer_cache_bytes (cache), BYTES);
  next = look (cache, other);
  assert_int_equal (volume_viewer_cache_bytes (cache), BYTES);
}

/** Wait until what was prefetched is known or dropped; how much is kept then. */
static guint64
bytes_after_a_prefetch (VolumeViewerCache *cache, const char *path)
{
  const VolumeViewerRequest request = request_for (path);
  const guint64 before = volume_viewer_cache_bytes (cache);

  volume_viewer_cache_prefetch (cache, &request);
  while (volume_viewer_cache_bytes (cache) == before)
    g_usleep (200);
  volume_viewer_cache_trim (cache);
  return volume_viewer_cache_bytes (cache);
}

static void
test_a_prefetched_neighbour_takes_the_place_of_older_ones_only (void **state)
{
  g_autofree char *old = write_volume ("old.nii.gz", 1), *view = write_volume ("view.nii.gz", 2);
  g_autofree char *next = write_volume ("next.nii.gz", 3);
  g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (2 * BYTES, NULL, NULL);
  g_autoptr (VolumeViewer) seen_before = look (cache, old), seen = look (cache, view);
  g_autoptr (VolumeViewer) again = NULL, old_anew = NULL;

  assert_int_equal (bytes_after_a_prefetch (cache, next), 2 * BYTES);
  again = look (cache, view);
  assert_ptr_equal (again, seen);
  old_anew = look (cache, old);
  assert_ptr_not_equal (old_anew, seen_before);
}

static void
test_a_prefetch_leaves_itself_where_there_is_no_room (void **state)
{
  g_autofree char *view = write_volume ("view.nii.gz", 1), *next = write_volume ("next.nii.gz", 2);
  g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (BYTES, NULL, NULL);
  g_autoptr (VolumeViewer) seen = look (cache, view), again = NULL;

  assert_int_equal (bytes_after_a_prefetch (cache, next), BYTES);
  again = look (cache, view);
  assert_ptr_equal (again, seen);
}

static void
test_a_prefetched_volume_is_the_one_that_is_got (void **state)
{
  g_autofree char *path = write_volume ("wanted.nii.gz", 5);
  const VolumeViewerRequest request = request_for (path);
  g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (10 * BYTES, NULL, NULL);
  g_autoptr (VolumeViewer) viewer = NULL;

  bytes_after_a_prefetch (cache, path);
  volume_viewer_cache_prefetch (cache, &request); /* a second time: the same */
  viewer = get (cache, &request);
  wait_for_end (viewer);
  assert_int_equal (volume_viewer_cache_bytes (cache), BYTES);
  assert_true (volume_viewer_hu (viewer, 0, 0, 0) == 5);
}

/** A volume that takes a while to read. */
static char *
write_large_volume (guint64 *bytes)
{
  enum
  {
    LARGE = 256
  };
  nifti_2_header header = nifti_maker_header (DT_INT16, LARGE, LARGE, LARGE / 2);
  g_autofree double *values = g_new0 (double, LARGE *LARGE *LARGE / 2);

  *bytes = (guint64) LARGE * LARGE * LARGE;
  return nifti_maker_write ("large.nii.gz", &header, values, NIFTI_MAKER_GZIP);
}

static void
test_reading_ahead_is_given_up_for_what_is_wanted (void **state)
{
  guint64 large_bytes;
  g_autofree char *ahead = write_large_volume (&large_bytes);
  g_autofree char *wanted = write_volume ("wanted.nii.gz", 1);
  const VolumeViewerRequest request = request_for (wanted);

  /* Where all of it was read before the other one was asked for, it stays: try again. */
  for (guint attempt = 0; attempt < 20; attempt++)
    {
      g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (2 * large_bytes, NULL, NULL);
      g_autoptr (VolumeViewer) viewer = NULL;

      assert_int_equal (bytes_after_a_prefetch (cache, ahead), large_bytes);
      viewer = get (cache, &request);
      wait_for_end (viewer);
      if (volume_viewer_cache_bytes (cache) == BYTES)
        return;
    }
  fail_msg ("it was read on");
}

/** Ask again as long as the kept one is thought to be the file. */
static VolumeViewer *
look_until_read_anew (VolumeViewerCache *cache, const char *path, VolumeViewer *kept)
{
  for (;;)
    {
      VolumeViewer *viewer = look (cache, path);

      if (viewer != kept)
        return viewer;
      volume_viewer_unref (viewer);
    }
}

static void
test_a_file_of_another_size_or_time_is_read_anew (void **state)
{
  g_autofree char *path = write_volume ("changing.nii.gz", 1), *rewritten = NULL;
  g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (10 * BYTES, NULL, NULL);
  g_autoptr (VolumeViewer) first = look (cache, path), second = NULL, third = NULL;

  rewritten = write_volume ("changing.nii.gz", 300);
  second = look_until_read_anew (cache, path, first);
  assert_true (volume_viewer_hu (first, 0, 0, 0) == 1);
  assert_true (volume_viewer_hu (second, 0, 0, 0) == 300);

  assert_int_equal (utime (path, &(struct utimbuf){ 1, 1 }), 0);
  third = look_until_read_anew (cache, path, second);
  assert_int_equal (volume_viewer_cache_bytes (cache), BYTES);
}

static void
test_after_an_error_the_file_is_tried_again (void **state)
{
  g_autofree char *path = testing_path ("late.nii.gz"), *written = NULL;
  g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (10 * BYTES, NULL, NULL);
  g_autoptr (VolumeViewer) absent = look (cache, path), there = NULL;
  g_auto (VolumeViewerState) seen = { 0 };

  volume_viewer_state (absent, &seen);
  assert_error_says (&seen.error, path, "check the path", NULL);
  written = write_volume ("late.nii.gz", 7);
  there = look (cache, path);
  assert_true (volume_viewer_hu (there, 0, 0, 0) == 7);
}

static void
test_a_file_that_is_gone_stays_in_view (void **state)
{
  g_autofree char *path = write_volume ("gone.nii.gz", 9);
  g_autoptr (VolumeViewerCache) cache = volume_viewer_cache_new (10 * BYTES, NULL, NULL);
  g_autoptr (VolumeViewer) viewer = look (cache, path);

  assert_int_equal (unlink (path), 0);
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (VolumeViewer) again = look (cache, path);

      assert_ptr_equal (again, viewer);
    }
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
    cmocka_unit_test (test_what_was_seen_is_there_at_once),
    cmocka_unit_test (test_another_reading_of_a_file_is_another_volume),
    cmocka_unit_test (test_the_longest_unused_goes_first_and_the_bound_holds),
    cmocka_unit_test (test_the_one_in_view_stays_even_above_the_bound),
    cmocka_unit_test (test_a_prefetched_neighbour_takes_the_place_of_older_ones_only),
    cmocka_unit_test (test_a_prefetch_leaves_itself_where_there_is_no_room),
    cmocka_unit_test (test_a_prefetched_volume_is_the_one_that_is_got),
    cmocka_unit_test (test_reading_ahead_is_given_up_for_what_is_wanted),
    cmocka_unit_test (test_a_file_of_another_size_or_time_is_read_anew),
    cmocka_unit_test (test_after_an_error_the_file_is_tried_again),
    cmocka_unit_test (test_a_file_that_is_gone_stays_in_view),
  };

  make_glib_ready ();
  return cmocka_run_group_tests_name ("volume_viewer_cache", tests, NULL, NULL);
}

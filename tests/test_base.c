#include "testing.h"

#include "base/error.h"
#include "base/file_hash.h"
#include "base/output_file.h"
#include "base/random.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
test_npy_round_trip_keeps_every_type (void **state)
{
  const guint8 bytes[48] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
  const gsize shape[] = { 3, 2 };

  for (NpyType type = NPY_UINT8; type <= NPY_FLOAT64; type++)
    {
      g_autofree char *path = testing_path ("round_trip.npy");
      g_autoptr (GError) error = NULL;
      g_autoptr (NpyArray) array = NULL;

      npy_write (path, TRUE, type, 2, shape, bytes, &error);
      assert_no_error (error);
      array = npy_read (path, &error);
      assert_no_error (error);
      assert_int_equal (array->type, type);
      assert_int_equal (array->n_dims, 2);
      assert_int_equal (array->shape[0], 3);
      assert_int_equal (array->n, 6);
      assert_memory_equal (array->data, bytes, 6 * npy_type_size (type));
    }
}

static void
write_npy_text (const char *name, const char *header, const void *data, gsize size, char **path)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  guint8 start[10] = "\x93NUMPY\x01";

  start[8] = (guint8) strlen (header);
  g_byte_array_append (file, start, sizeof start);
  g_byte_array_append (file, (const guint8 *) header, (guint) strlen (header));
  g_byte_array_append (file, data, (guint) size);
  *path = testing_write (name, file->data, file->len);
}

static void
test_npy_fortran_order_and_big_endian_are_turned (void **state)
{
  /* Columns of [[1, 2, 3], [4, 5, 6]], big endian. */
  const guint8 data[] = { 0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6 };
  const gint16 expected[] = { 1, 2, 3, 4, 5, 6 };
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NpyArray) array = NULL;

  write_npy_text ("fortran.npy", "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n",
                  data, sizeof data, &path);
  array = npy_read (path, &error);
  assert_no_error (error);
  assert_memory_equal (array->data, expected, sizeof expected);
}

static void
test_npy_refuses_what_the_file_cannot_hold (void **state)
{
  g_autofree char *huge = NULL, *text = NULL, *complex_type = NULL;
  g_autoptr (GError) error = NULL;

  write_npy_text (
      "huge.npy",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }\n", "", 0,
      &huge);
  assert_null (npy_read (huge, &error));
  assert_error_says (&error, "huge.npy", "fewer numbers", NULL);

  write_npy_text ("complex.npy", "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }\n",
                  "12345678", 8, &complex_type);
  assert_null (npy_read (complex_type, &error));
  assert_error_says (&error, "complex.npy", "astype", NULL);

  text = testing_write ("text.npy", "hello", 5);
  assert_null (npy_read (text, &error));
  assert_error_says (&error, "text.npy", "not a NumPy", NULL);

  assert_null (npy_read ("/nowhere/a.npy", &error));
  assert_error_says (&error, "/nowhere/a.npy", NULL);
}

static guint folders_synced;

/** In the C library's place. */
int
fsync (int fd)
{
  struct stat info;

  folders_synced += fstat (fd, &info) == 0 && S_ISDIR (info.st_mode);
  return (int) syscall (SYS_fsync, fd);
}

static void
test_output_file_appears_only_when_committed (void **state)
{
  g_autofree char *path = testing_path ("out.txt");
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;
  OutputFile *file = output_file_open (path, FALSE, &error);

  assert_no_error (error);
  assert_true (output_file_write (file, "half", 4, &error));
  output_file_free (file);
  assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

  file = output_file_open (path, FALSE, &error);
  assert_true (output_file_write (file, "whole", 5, &error));
  folders_synced = 0;
  assert_true (output_file_commit (file, &error));
  assert_int_equal (folders_synced, 1);
  output_file_free (file);
  assert_true (g_file_get_contents (path, &content, NULL, NULL));
  assert_string_equal (content, "whole");

  assert_null (output_file_open (path, FALSE, &error));
  assert_error_says (&error, "out.txt", "--force", NULL);
}

static void
test_output_file_is_written_through_a_link_and_the_link_stays (void **state)
{
  g_autofree char *folder = testing_path ("elsewhere");
  g_autofree char *link = testing_path ("link.txt");
  g_autofree char *target = g_build_filename (folder, "target.txt", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (OutputFile) file = NULL;

  assert_int_equal (g_mkdir (folder, 0777), 0);
  assert_true (g_file_set_contents (target, "old", -1, NULL));
  assert_int_equal (symlink ("elsewhere/target.txt", link), 0);
  file = output_file_open (link, TRUE, &error);
  assert_no_error (error);
  assert_true (output_file_write (file, "new", 3, &error));
  assert_true (output_file_commit (file, &error));
  assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  assert_true (g_file_get_contents (target, &text, NULL, NULL));
  assert_string_equal (text, "new");
}

static void
test_output_file_replaces_nothing_but_regular_files (void **state)
{
  g_autofree char *pipe = testing_path ("pipe");
  g_autofree char *astray = testing_path ("astray");
  const char *const paths[] = { "/dev/null", pipe, astray, testing_directory (), "-" };
  const char *const faults[] = { "device", "pipe", "link", "directory", "standard output" };

  assert_int_equal (mkfifo (pipe, 0600), 0);
  assert_int_equal (symlink ("nothing-is-here", astray), 0);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GError) error = NULL;

      assert_false (output_file_check (paths[i], TRUE, &error));
      assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
      assert_error_says (&error, paths[i], faults[i], NULL);
      assert_null (output_file_open (paths[i], TRUE, &error));
      assert_error_says (&error, faults[i], NULL);
    }
}

static void
write_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (OutputFile) file = output_file_open (path, TRUE, &error);

  assert_no_error (error);
  assert_true (output_file_commit (file, &error));
}

static guint
mode_of (const char *path)
{
  struct stat info;

  assert_int_equal (stat (path, &info), 0);
  return info.st_mode & 0777;
}

static void
test_output_file_is_read_by_whom_the_umask_and_the_old_one_allow (void **state)
{
  g_autofree char *path = testing_path ("mode");
  mode_t mask = umask (027);

  write_file (path);
  assert_int_equal (mode_of (path), 0640);
  assert_int_equal (g_chmod (path, 0600), 0);
  write_file (path);
  umask (mask);
  assert_int_equal (mode_of (path), 0600);
}

#define FILES 5000 /* enough to be seen at it */

static guint
umask_now (void)
{
  g_autofree char *status = NULL;
  const char *line;

  assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  line = strstr (status, "Umask:");
  assert_non_null (line);
  return (guint) g_ascii_strtoull (line + strlen ("Umask:"), NULL, 8);
}

static gpointer
open_files (gpointer done)
{
  g_autofree char *path = testing_path ("opened");

  for (guint i = 0; i < FILES; i++)
    output_file_free (output_file_open (path, TRUE, NULL));
  g_atomic_int_set ((gint *) done, TRUE);
  return NULL;
}

/** It is the whole process's: what other threads make meanwhile would be for everybody. */
static void
test_output_file_leaves_the_umask_alone (void **state)
{
  mode_t mask = umask (027);
  gint done = FALSE;
  GThread *other = g_thread_new ("other", open_files, &done);
  guint others = 0;

  while (!g_atomic_int_get (&done))
    others += umask_now () != 027;
  g_thread_join (other);
  umask (mask);
  assert_int_equal (others, 0);
}

static void
test_output_file_names_a_full_disk (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = g_malloc0 (1 << 20);
  gboolean written;

  /* /dev/full can't be renamed over, so the write itself is what is tried: through a link in place
   * of the stream. */
  g_autofree char *path = testing_path ("full.bin");
  g_autoptr (OutputFile) file = output_file_open (path, FALSE, &error);

  assert_no_error (error);
  assert_non_null (freopen ("/dev/full", "wb", output_file_stream (file)));
  written = output_file_write (file, data, 1 << 20, &error);
  assert_false (written);
  assert_error_says (&error, "full.bin", "free some space", NULL);
}

static void
test_output_file_names_a_full_disk_that_only_the_stream_met (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = testing_path ("full.csv");
  g_autoptr (OutputFile) file = output_file_open (path, FALSE, &error);
  FILE *stream = output_file_stream (file);

  assert_no_error (error);
  assert_non_null (freopen ("/dev/full", "wb", stream));
  for (guint i = 0; !ferror (stream); i++)
    fprintf (stream, "%u,", i);
  errno = 0; /* as by what was done since */
  assert_false (output_file_commit (file, &error));
  assert_error_says (&error, "full.csv", "free some space", NULL);
}

static void
test_random_is_the_published_generator_and_seeded (void **state)
{
  Random a, b;
  double sum = 0, squares = 0;

  /* State (1, 2, 3, 4) gives 11520, 0, 1509978240 in the authors' C code. */
  Random known = { { 1, 2, 3, 4 } };
  assert_int_equal (random_u64 (&known), 11520);
  assert_int_equal (random_u64 (&known), 0);
  assert_int_equal (random_u64 (&known), 1509978240);

  random_init (&a, 7, 1);
  random_init (&b, 7, 2);
  assert_int_not_equal (random_u64 (&a), random_u64 (&b));
  random_init (&b, 7, 1);
  random_u64 (&b);
  assert_int_equal (random_u64 (&a), random_u64 (&b));

  for (guint i = 0; i < 100000; i++)
    {
      double x = random_normal (&a);

      sum += x;
      squares += x * x;
    }
  assert_true (fabs (sum / 100000) < 0.02);
  assert_true (fabs (squares / 100000 - 1) < 0.02);
}

static void
test_shuffle_is_a_permutation (void **state)
{
  guint32 indices[1000];
  gboolean seen[1000] = { FALSE };
  guint moved = 0;
  Random random;

  for (guint i = 0; i < 1000; i++)
    indices[i] = i;
  random_init (&random, 1, 0);
  random_shuffle (&random, indices, 1000);
  for (guint i = 0; i < 1000; i++)
    {
      assert_false (seen[indices[i]]);
      seen[indices[i]] = TRUE;
      moved += indices[i] != i;
    }
  assert_true (moved > 950);
}

static void
test_hash_of_file_and_bytes_agree (void **state)
{
  g_autofree char *data = g_malloc (3000000);
  g_autofree char *path = NULL, *of_file = NULL, *of_bytes = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 3000000; i++)
    data[i] = (char) (i * 31 >> 3);
  path = testing_write ("hash.bin", data, 3000000);
  of_file = file_hash (path, NULL, &error);
  assert_no_error (error);
  of_bytes = bytes_hash (data, 3000000);
  assert_string_equal (of_file, of_bytes);
  assert_int_equal (strlen (of_file), 32);
  /* XXH3_128bits of nothing, from the reference implementation's own vectors. */
  g_free (of_bytes);
  of_bytes = bytes_hash ("", 0);
  assert_string_equal (of_bytes, "99aa06d3014798d86001c324468d497f");
}

static void
test_a_pipe_has_no_hash_and_is_not_waited_for (void **state)
{
  g_autofree char *path = testing_path ("hash.pipe");
  g_autoptr (GError) error = NULL;

  assert_int_equal (mkfifo (path, 0600), 0);
  assert_null (file_hash (path, NULL, &error));
  assert_error_says (&error, "pipe: is not a file", NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_npy_round_trip_keeps_every_type),
    cmocka_unit_test (test_npy_fortran_order_and_big_endian_are_turned),
    cmocka_unit_test (test_npy_refuses_what_the_file_cannot_hold),
    cmocka_unit_test (test_output_file_appears_only_when_committed),
    cmocka_unit_test (test_output_file_is_written_through_a_link_and_the_link_stays),
    cmocka_unit_test (test_output_file_replaces_nothing_but_regular_files),
    cmocka_unit_test (test_output_file_is_read_by_whom_the_umask_and_the_old_one_allow),
    cmocka_unit_test (test_output_file_leaves_the_umask_alone),
    cmocka_unit_test (test_output_file_names_a_full_disk),
    cmocka_unit_test (test_output_file_names_a_full_disk_that_only_the_stream_met),
    cmocka_unit_test (test_random_is_the_published_generator_and_seeded),
    cmocka_unit_test (test_shuffle_is_a_permutation),
    cmocka_unit_test (test_hash_of_file_and_bytes_agree),
    cmocka_unit_test (test_a_pipe_has_no_hash_and_is_not_waited_for),
  };

  return cmocka_run_group_tests_name ("base", tests, NULL, NULL);
}

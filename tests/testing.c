#include "testing.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *
testing_data (const char *relative)
{
  const char *root = g_getenv ("CTCLIP_TEST_DATA");
  g_autofree char *path = NULL;

  if (root == NULL || *root == '\0')
    {
      print_message ("needs $CTCLIP_TEST_DATA/%s\n", relative);
      skip ();
      return NULL;
    }
  path = g_build_filename (root, relative, NULL);
  if (access (path, R_OK) != 0)
    fail_msg ("%s is not there, and $CTCLIP_TEST_DATA is set", path);
  return g_intern_string (path);
}

NpyArray *
testing_npy (const char *relative)
{
  g_autoptr (GError) error = NULL;
  NpyArray *array = npy_read (testing_data (relative), &error);

  assert_no_error (error);
  return array;
}

json_t *
testing_json (const char *relative)
{
  json_error_t error;
  json_t *document = json_load_file (testing_data (relative), 0, &error);

  if (document == NULL)
    fail_msg ("%s:%d: %s", relative, error.line, error.text);
  return document;
}

static char *directory;

static int
remove_entry (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

static void
remove_directory (void)
{
  nftw (directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
  g_free (directory);
}

const char *
testing_directory (void)
{
  if (directory == NULL)
    {
      g_autoptr (GError) error = NULL;

      directory = g_dir_make_tmp ("ctclip-test-XXXXXX", &error);
      assert_no_error (error);
      atexit (remove_directory);
    }
  return directory;
}

char *
testing_path (const char *name)
{
  return g_build_filename (testing_directory (), name, NULL);
}

char *
testing_write (const char *name, const void *data, gsize size)
{
  char *path = testing_path (name);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, data, (gssize) size, &error);
  assert_no_error (error);
  return path;
}

void
assert_error_says (GError **error, ...)
{
  va_list texts;
  const char *text;

  if (*error == NULL)
    fail_msg ("no error was reported");
  va_start (texts, error);
  while ((text = va_arg (texts, const char *)) != NULL)
    if (strstr ((*error)->message, text) == NULL)
      fail_msg ("'%s' does not say '%s'", (*error)->message, text);
  va_end (texts);
  g_clear_error (error);
}

double
testing_max_difference (const float *a, const float *b, gsize n)
{
  double largest = 0;

  for (gsize i = 0; i < n; i++)
    {
      double difference = fabs ((double) a[i] - (double) b[i]);

      if (isnan (difference))
        {
          if (isnan (a[i]) != isnan (b[i]))
            return INFINITY;
          continue;
        }
      largest = MAX (largest, difference);
    }
  return largest;
}

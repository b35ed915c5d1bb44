/**
 * testing.h: what every test program shares: cmocka, the golden files, temporary directories.
 *
 * Golden files and real volumes are found through $CTCLIP_TEST_DATA. Where it is unset, tests that
 * need them are skipped by name; where it is set, a missing file is a failure.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/npy.h"
#include <glib.h>
#include <jansson.h>

/**
 * testing_data: path of a file below $CTCLIP_TEST_DATA, for example "golden/tiny_a/latent.npy".
 * Skips the running test where the variable is unset; fails it where the file is absent. Owned by
 * the library until the program ends.
 */
const char *testing_data (const char *relative);

/** testing_npy: a golden array; fails the test on any error. */
NpyArray *testing_npy (const char *relative);

/** testing_json: a golden JSON document; json_decref it. */
json_t *testing_json (const char *relative);

/** testing_directory: a fresh directory, removed when the program ends. */
const char *testing_directory (void);

/** testing_path: a name inside testing_directory(). g_free it. */
char *testing_path (const char *name);

/** testing_write: make a file with these bytes in testing_directory(); returns its path, g_free it.
 */
char *testing_write (const char *name, const void *data, gsize size);

/** assert_no_error: fail with the message. */
#define assert_no_error(error)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if ((error) != NULL)                                                                           \
      fail_msg ("%s", (error)->message);                                                           \
  }                                                                                                \
  G_STMT_END

/** assert_error_says: an error is set and its message holds every one of the texts (end with
 * %NULL). Frees it. */
void assert_error_says (GError **error, ...) G_GNUC_NULL_TERMINATED;

/** testing_max_difference: largest |a − b| over n numbers; INFINITY where one of them is NaN and
 * the other not. */
double testing_max_difference (const float *a, const float *b, gsize n);

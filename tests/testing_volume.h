/**
 * testing_volume.h: volumes that must load, and those that must not.
 */
#pragma once

#include "testing.h"

#include "volume/volume.h"

/** testing_volume_load: the whole volume, by its header alone; fails the test on any error. */
Volume *testing_volume_load (const char *path, VolumeOrient orient);

/** assert_volume_refused: loading fails with the code @wanted and a message that holds the file's
 * name and these texts. */
#define assert_volume_refused(path, wanted, ...)                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GError *refusal = testing_volume_refusal (path);                                               \
                                                                                                   \
    assert_true (g_error_matches (refusal, CTCLIP_ERROR, wanted));                                 \
    assert_error_says (&refusal, path, __VA_ARGS__, NULL);                                         \
  }                                                                                                \
  G_STMT_END
/** testing_volume_refusal: why loading fails; fails the test where it does not. */
GError *testing_volume_refusal (const char *path);

/** testing_overwrite: as testing_write(), but without its sync, which is what takes the time. */
void testing_overwrite (const char *path, const GByteArray *bytes);

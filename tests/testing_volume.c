#include "testing_volume.h"

#include <math.h>
#include <string.h>

static const VolumeMetadata nothing = VOLUME_METADATA_NONE;

Volume *
testing_volume_load (const char *path, VolumeOrient orient)
{
  GError *error = NULL;
  Volume *volume = volume_load (path, &nothing, VOLUME_RESCALE_AUTO, orient, NULL, &error);

  assert_no_error (error);
  return volume;
}

GError *
testing_volume_refusal (const char *path)
{
  GError *refusal = NULL;

  assert_null (
      volume_load (path, &nothing, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, &refusal));
  assert_non_null (refusal);
  return refusal;
}

void
testing_overwrite (const char *path, const GByteArray *bytes)
{
  FILE *file = fopen (path, "wb");

  assert_non_null (file);
  assert_int_equal (fwrite (bytes->data, 1, bytes->len, file), bytes->len);
  assert_int_equal (fclose (file), 0);
}

/* A .nii or .nii.gz as a volume in memory. */
#include "fuzz.h"
#include "volume/volume.h"

#include <math.h>

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const VolumeMetadata nothing = VOLUME_METADATA_NONE;
  g_autoptr (GError) error = NULL;
  g_autoptr (Volume) volume = volume_load (fuzz_file (data, size), &nothing, VOLUME_RESCALE_AUTO,
                                           VOLUME_ORIENT_LPS, NULL, &error);

  for (gsize i = 0; volume != NULL && i < volume->n[0] * volume->n[1] * volume->n[2]; i++)
    g_assert (isfinite (volume->hu[i]));
  fuzz_check (volume != NULL, &error);
  return 0;
}

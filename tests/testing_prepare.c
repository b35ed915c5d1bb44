#include "testing_prepare.h"

#include "testing.h"

#include <math.h>

float *
prepare (const char *path, const VolumeMetadata *metadata, const VolumePreparation *preparation,
         guint threads, VolumePrepared *prepared)
{
  const gsize n = preparation->shape[0] * preparation->shape[1] * preparation->shape[2];
  float *tensor = g_new (float, n);
  VolumePrepared own;
  GError *error = NULL;

  for (gsize i = 0; i < n; i++)
    tensor[i] = NAN; /* whatever is not written stands out */
  volume_prepare (path, metadata, preparation, threads, tensor, prepared != NULL ? prepared : &own,
                  NULL, &error);
  assert_no_error (error);
  return tensor;
}

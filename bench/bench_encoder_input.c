#include "bench_encoder_input.h"

#include "bench_store.h"

#include "volume/prepare.h"

#include <math.h>

float *
bench_encoder_input (const char *scan, guint threads)
{
  const VolumePreparation preparation = volume_preparation_default ();
  const VolumeMetadata metadata = VOLUME_METADATA_NONE;
  float *input = g_new (float, preparation.shape[0] * preparation.shape[1] * preparation.shape[2]);
  VolumePrepared prepared;
  GError *error = NULL;

  volume_prepare (scan, &metadata, &preparation, threads, input, &prepared, NULL, &error);
  bench_stop_on (error);
  return input;
}

#include "batch/volume_options.h"

#include <math.h>

static gboolean
parse_number (const char *text, double *number)
{
  char *end;

  *number = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && isfinite (*number);
}

gboolean
volume_options_finish (const Batch *batch, VolumeOptions *options, int *code)
{
  const VolumeMetadata none = VOLUME_METADATA_NONE;
  double spacing[3];
  GError *error = NULL;

  options->metadata = none;
  options->rescale = VOLUME_RESCALE_AUTO;
  options->orient = VOLUME_ORIENT_LPS;
  if ((options->rescale_text != NULL
       && !volume_rescale_parse (options->rescale_text, &options->rescale, &error))
      || (options->orient_text != NULL
          && !volume_orient_parse (options->orient_text, &options->orient, &error)))
    {
      *code = batch_fail (error);
      return FALSE;
    }
  *code = BATCH_USAGE;
  if (options->spacing_text != NULL)
    {
      if (!batch_parse_triple (options->spacing_text, spacing)
          || !(spacing[0] > 0 && spacing[1] > 0 && spacing[2] > 0))
        {
          batch_usage (batch, "--spacing: give three numbers above 0, in mm: z,x,y");
          return FALSE;
        }
      options->metadata.spacing_z_mm = spacing[0];
      options->metadata.spacing_x_mm = spacing[1];
      options->metadata.spacing_y_mm = spacing[2];
    }
  if (options->slope_text != NULL && !parse_number (options->slope_text, &options->metadata.slope))
    {
      batch_usage (batch, "--slope: give a number");
      return FALSE;
    }
  if (options->intercept_text != NULL
      && !parse_number (options->intercept_text, &options->metadata.intercept))
    {
      batch_usage (batch, "--intercept: give a number");
      return FALSE;
    }
  return TRUE;
}

void
volume_options_clear (VolumeOptions *options)
{
  g_free (options->rescale_text);
  g_free (options->orient_text);
  g_free (options->spacing_text);
  g_free (options->slope_text);
  g_free (options->intercept_text);
}

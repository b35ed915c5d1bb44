#include "volume/spacing.h"

#include "base/error.h"

#include <math.h>

gboolean
volume_spacing (const VolumeHeader *header, const VolumeMetadata *metadata, double spacing_mm[3],
                double *difference, GError **error)
{
  const double given[3] = { metadata->spacing_x_mm, metadata->spacing_y_mm,
                            metadata->spacing_z_mm };

  *difference = 0;
  for (guint i = 0; i < 3; i++)
    {
      spacing_mm[i] = header->spacing_mm[i];
      if (isnan (given[i]))
        continue;
      if (!(given[i] > 0) || !isfinite (given[i]))
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                       "%s: a spacing of %g mm along %c was given for it; correct it or leave it "
                       "out, then the header's %g mm are used",
                       header->path, given[i], "xyz"[i], header -> spacing_mm[i]);
          return FALSE;
        }
      spacing_mm[i] = given[i];
      *difference = MAX (*difference, fabs (given[i] / header->spacing_mm[i] - 1));
    }
  return TRUE;
}

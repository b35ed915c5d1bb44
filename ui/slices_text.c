/* What the screen says of a slice, in words. */
#include "slices_private.h"

#include <math.h>
#include <string.h>

char *
slices_name (const Slices *slices)
{
  if (slices->record != NULL)
    return g_strdup (slices->record->volume);
  if (slices->volume != NULL)
    return g_strdup (slices->volume);
  return slices->path != NULL ? g_path_get_basename (slices->path) : g_strdup ("");
}

char *
slices_window_text (const Slices *slices, gboolean named)
{
  const char *name = "";
  guint n;
  const VolumeWindowPreset *presets = volume_window_presets (&n);

  for (guint i = 0; named && i < n; i++)
    if (presets[i].window.centre == slices->window.centre
        && presets[i].window.width == slices->window.width)
      name = presets[i].name;
  return g_strdup_printf ("%s%sC %.0f W %.0f%s", name, *name != '\0' ? " " : "",
                          slices->window.centre, slices->window.width,
                          slices->inverted ? " inverted" : "");
}

/** A coordinate with the side of the body that it is on: "R 34.2". */
static char *
side_text (guint axis, double mm)
{
  static const char *const sides[] = { "LR", "PA", "SI" };

  return g_strdup_printf ("%c %.1f", sides[axis][mm < 0], fabs (mm));
}

static gboolean
position (const Slices *slices, double lps_mm[3])
{
  gsize voxel[3] = { slices->voxel[0], slices->voxel[1], slices->voxel[2] };

  voxel[slices_through (slices->axis)] = slices->shown;
  return slices->viewer != NULL
         && volume_viewer_position_mm (slices->viewer, voxel[0], voxel[1], voxel[2], lps_mm);
}

char *
slices_position (const Slices *slices)
{
  const guint axis = slices_through (slices->axis);
  double lps_mm[3];
  g_autofree char *side = NULL;

  if (!position (slices, lps_mm))
    return g_strdup ("");
  side = side_text (axis, lps_mm[axis]);
  return g_strdup_printf ("%s mm", side);
}

char *
slices_reading (const Slices *slices)
{
  float hu = slices->viewer != NULL ? volume_viewer_hu (slices->viewer, slices->voxel[0],
                                                        slices->voxel[1], slices->voxel[2])
                                    : NAN;

  return isnan (hu) ? g_strdup_printf ("%s HU", symbol (SYMBOL_DASH))
                    : g_strdup_printf ("%.0f HU", (double) hu);
}

char *
slices_place (const Slices *slices)
{
  double lps_mm[3];
  g_autofree char *x = NULL, *y = NULL, *z = NULL;

  if (!position (slices, lps_mm))
    return g_strdup ("");
  x = side_text (0, lps_mm[0]);
  y = side_text (1, lps_mm[1]);
  z = side_text (2, lps_mm[2]);
  return g_strdup_printf ("%s  %s  %s", x, y, z);
}

char *
slices_spacing (const Slices *slices)
{
  const double *mm = slices->state.spacing_mm;

  return slices->state.ready ? g_strdup_printf ("%.2f×%.2f×%.2f mm", mm[0], mm[1], mm[2])
                             : g_strdup ("");
}

char *
slices_progress (const Slices *slices, Role *role)
{
  const VolumeViewerState *state = &slices->state;
  double percent;

  *role = ROLE_BAD;
  if (slices->fault != NULL)
    return g_strdup (slices->fault);
  if (state->error != NULL)
    return g_strdup (state->error->message);
  *role = ROLE_ACCENT;
  if (slices->viewer == NULL || state->finished)
    return g_strdup ("");
  if (!state->ready)
    return g_strdup ("opening");
  percent = floor (100.0 * (double) state->arrived / (double) state->n[state->arrival_axis]);
  if (slices->waiting)
    return g_strdup_printf ("waiting for slice %" G_GSIZE_FORMAT ", %.0f %% read",
                            slices->voxel[slices_through (slices->axis)] + 1, percent);
  return g_strdup_printf ("%.0f %% read", percent);
}

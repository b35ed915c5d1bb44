#include "base/error.h"
#include "volume/slice.h"

#include <math.h>
#include <stdio.h>

static const VolumeWindowPreset presets[] = {
  { "lung", 'l', { -600, 1500 } },
  { "mediastinum", 'm', { 40, 400 } },
  { "bone", 'b', { 400, 1800 } },
  { "brain", 'n', { 40, 80 } },
};

const VolumeWindowPreset *
volume_window_presets (guint *n)
{
  *n = G_N_ELEMENTS (presets);
  return presets;
}

gboolean
volume_window_parse (const char *text, VolumeWindow *window, GError **error)
{
  char *end, *width_text;

  for (guint i = 0; i < G_N_ELEMENTS (presets); i++)
    if (g_ascii_strcasecmp (text, presets[i].name) == 0)
      {
        *window = presets[i].window;
        return TRUE;
      }
  window->centre = g_ascii_strtod (text, &end);
  if (end != text && *end == ',')
    {
      width_text = end + 1;
      window->width = g_ascii_strtod (width_text, &end);
      if (end != width_text && *end == '\0' && isfinite (window->centre) && isfinite (window->width)
          && window->width > 0)
        return TRUE;
    }
  g_set_error (
      error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
      "'%s': no such window; choose lung, mediastinum, bone or brain, or give centre,width "
      "in HU with a width above 0",
      text);
  return FALSE;
}

void
volume_window (const float *hu, gsize n, VolumeWindow window, guint8 *grey)
{
  const double lower = window.centre - window.width / 2;

  for (gsize i = 0; i < n; i++)
    {
      double level = ((double) hu[i] - lower) / window.width * G_MAXUINT8;

      /* The comparison is false for NaN. */
      grey[i] = level > 0 ? (guint8) (MIN (level, G_MAXUINT8) + 0.5) : 0;
    }
}

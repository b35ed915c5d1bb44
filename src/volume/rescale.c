#include "volume/rescale.h"

#include "base/error.h"
#include "volume/voxels.h"

#include <math.h>

/* In HU: air in and around a chest; muscle, blood, fat and organs, with or without contrast. */
static const double air[2] = { -1100, -850 };
static const double tissue[2] = { -150, 250 };

static const char *const rescale_names[] = {
  [VOLUME_RESCALE_AUTO] = "auto", [VOLUME_RESCALE_HEADER] = "header", [VOLUME_RESCALE_CSV] = "csv",
  [VOLUME_RESCALE_BOTH] = "both", [VOLUME_RESCALE_NONE] = "none",
};

gboolean
volume_rescale_parse (const char *text, VolumeRescale *rescale, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (rescale_names); i++)
    if (g_ascii_strcasecmp (text, rescale_names[i]) == 0)
      {
        *rescale = (VolumeRescale) i;
        return TRUE;
      }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "'%s': no such way to rescale; choose auto, header, csv, both or none", text);
  return FALSE;
}

const char *
volume_rescale_name (VolumeRescale rescale)
{
  return rescale_names[rescale];
}

gboolean
volume_header_is_scaled (const VolumeHeader *header)
{
  return header->slope != 0 && !isnan (header->slope)
         && (header->slope != 1 || header->intercept != 0);
}

static gboolean
header_scaling (const VolumeHeader *header, VolumeScaling *scaling, GError **error)
{
  gboolean scaled = volume_header_is_scaled (header);

  *scaling = (VolumeScaling){ .rescale = VOLUME_RESCALE_HEADER,
                              .slope = scaled ? header->slope : 1,
                              .intercept = scaled ? header->intercept : 0 };
  if (isfinite (scaling->slope) && isfinite (scaling->intercept))
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: its header scales by %g and adds %g (scl_slope, scl_inter); use --rescale none "
               "or csv, which ignore the header",
               header->path, scaling->slope, scaling->intercept);
  return FALSE;
}

static gboolean
csv_scaling (const VolumeHeader *header, const VolumeMetadata *metadata, VolumeScaling *scaling,
             GError **error)
{
  *scaling = (VolumeScaling){ .rescale = VOLUME_RESCALE_CSV,
                              .slope = isnan (metadata->slope) ? 1 : metadata->slope,
                              .intercept = isnan (metadata->intercept) ? 0 : metadata->intercept };
  if (isfinite (scaling->slope) && scaling->slope != 0 && isfinite (scaling->intercept))
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "%s: a slope of %g and an intercept of %g were given for it (RescaleSlope, "
               "RescaleIntercept); correct them or use --rescale none or header",
               header->path, scaling->slope, scaling->intercept);
  return FALSE;
}

gboolean
rescale_begin (const VolumeHeader *header, const VolumeMetadata *metadata, VolumeRescale policy,
               RescaleDecision *decision, GError **error)
{
  const VolumeScaling none = { .rescale = VOLUME_RESCALE_NONE, .slope = 1 };
  VolumeScaling *first = &decision->candidates[0], *second = &decision->candidates[1];
  VolumeScaling csv;

  *decision = (RescaleDecision){ .candidates = { none, none } };
  switch (policy)
    {
    case VOLUME_RESCALE_NONE:
      return TRUE;
    case VOLUME_RESCALE_HEADER:
      return header_scaling (header, first, error);
    case VOLUME_RESCALE_CSV:
      return csv_scaling (header, metadata, first, error);
    case VOLUME_RESCALE_BOTH:
      if (!header_scaling (header, first, error) || !csv_scaling (header, metadata, &csv, error))
        return FALSE;
      first->rescale = VOLUME_RESCALE_BOTH;
      first->intercept = csv.slope * first->intercept + csv.intercept;
      first->slope *= csv.slope;
      return TRUE;
    case VOLUME_RESCALE_AUTO:
      break;
    }
  if (volume_header_is_scaled (header))
    return header_scaling (header, first, error);
  if (!csv_scaling (header, metadata, second, error))
    return FALSE;
  decision->open = second->slope != 1 || second->intercept != 0;
  return TRUE;
}

/** Count the voxels that a scaling puts between two HU. */
static guint64
count_hu (const VolumeScaling *scaling, int datatype, gconstpointer stored, gsize n,
          const double hu[2])
{
  double a = (hu[0] - scaling->intercept) / scaling->slope;
  double b = (hu[1] - scaling->intercept) / scaling->slope;

  return voxels_count_between (datatype, stored, n, MIN (a, b), MAX (a, b));
}

void
rescale_count (RescaleDecision *decision, int datatype, gconstpointer stored, gsize n)
{
  if (!decision->open)
    return;
  for (guint i = 0; i < 2; i++)
    {
      const VolumeScaling *scaling = &decision->candidates[i];

      decision->in_air[i] += count_hu (scaling, datatype, stored, n, air);
      decision->in_tissue[i] += count_hu (scaling, datatype, stored, n, tissue);
    }
}

const VolumeScaling *
rescale_favourite (const RescaleDecision *decision)
{
  guint64 stored = MIN (decision->in_air[0], decision->in_tissue[0]);
  guint64 csv = MIN (decision->in_air[1], decision->in_tissue[1]);
  gboolean csv_wins = csv != stored ? csv > stored : decision->in_air[1] > decision->in_air[0];

  return &decision->candidates[decision->open && csv_wins];
}

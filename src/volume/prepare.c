#include "volume/prepare.h"

#include "base/error.h"
#include "volume/buffer.h"
#include "volume/orient.h"
#include "volume/resample.h"
#include "volume/scan.h"
#include "volume/spacing.h"

#include <string.h>

/* Raise whenever the same file and numbers would give another tensor: kept latents are then made
 * anew. */
#define PREPARATION_VERSION 1

/* The oriented axis (x, y, z) of each tensor axis (z, x, y). */
static const guint oriented_of_tensor[3] = { 2, 0, 1 };

VolumePreparation
volume_preparation_default (void)
{
  return (VolumePreparation){
    .spacing_mm = { 1.5, 0.75, 0.75 },
    .shape = { 240, 480, 480 },
    .hu_min = -1000,
    .hu_max = 1000,
    .hu_scale = 1000,
    .pad = -1,
    .rescale = VOLUME_RESCALE_AUTO,
    .orient = VOLUME_ORIENT_LPS,
  };
}

/** One preparation under way. */
typedef struct
{
  const VolumeHeader *header;
  const VolumePreparation *preparation;
  float *tensor;
  OrientMap map;
  gsize n[3];           /* voxels along the oriented axes x, y, z */
  gsize stride[3];      /* ... and from one to the next in the stored volume */
  ResampleAxis axes[3]; /* z x y */
  VoxelMap *voxel_map;
  Resampler *resampler;
  guint8 *turned; /* a slice in oriented order; %NULL where the stored order is that already */
  guint8 *whole;  /* the stored volume; %NULL where its slices are axial and can be taken as they
                     come */
} Preparing;

static void
preparing_clear (Preparing *preparing)
{
  for (guint i = 0; i < 3; i++)
    resample_axis_clear (&preparing->axes[i]);
  g_clear_pointer (&preparing->resampler, resampler_free);
  g_clear_pointer (&preparing->voxel_map, voxel_map_free);
  g_free (preparing->turned);
  g_free (preparing->whole);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Preparing, preparing_clear)

/** int (n · (spacing / target)), with exactly these operations in double, as the reference. */
static gboolean
resolve_size (const VolumeHeader *header, gsize n, double spacing_mm, double target_mm, gsize *size,
              GError **error)
{
  double exact = (double) n * (spacing_mm / target_mm);

  if (exact >= 1 && exact <= G_MAXINT32)
    {
      *size = (gsize) exact;
      return TRUE;
    }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: %" G_GSIZE_FORMAT " voxels of %g mm come to %.3g of %g mm; check its spacing",
               header->path, n, spacing_mm, exact, target_mm);
  return FALSE;
}

static gboolean
lay_out (Preparing *preparing, const VolumeMetadata *metadata, VolumePrepared *prepared,
         GError **error)
{
  const VolumeHeader *header = preparing->header;
  double stored_spacing_mm[3];
  const gsize stored_stride[3] = { 1, header->n[0], header->n[0] * header->n[1] };
  const OrientMap *map = &preparing->map;

  if (!volume_spacing (header, metadata, stored_spacing_mm, &prepared->spacing_difference, error))
    return FALSE;
  for (guint i = 0; i < 3; i++)
    {
      preparing->n[i] = header->n[map->stored_axis[i]];
      preparing->stride[i] = stored_stride[map->stored_axis[i]];
    }
  for (guint i = 0; i < 3; i++)
    {
      const guint axis = oriented_of_tensor[i];

      prepared->source_shape[i] = preparing->n[axis];
      prepared->spacing_mm[i] = stored_spacing_mm[map->stored_axis[axis]];
      if (!resolve_size (header, preparing->n[axis], prepared->spacing_mm[i],
                         preparing->preparation->spacing_mm[i], &prepared->resized_shape[i], error))
        return FALSE;
      resample_axis_init (&preparing->axes[i], preparing->n[axis], prepared->resized_shape[i],
                          preparing->preparation->shape[i], map->flipped[axis]);
    }
  return TRUE;
}

/** Buffers for a volume whose stored axes are not x, y, z already. */
static gboolean
allocate (Preparing *preparing, GError **error)
{
  const VolumeHeader *header = preparing->header;
  const guint *stored_axis = preparing->map.stored_axis;

  if (stored_axis[0] == 0 && stored_axis[1] == 1)
    return TRUE;
  preparing->turned = buffer_new (header->path, "one slice", preparing->n[0] * preparing->n[1],
                                  header->bytes_per_voxel, error);
  if (preparing->turned == NULL)
    return FALSE;
  if (stored_axis[2] == 2)
    return TRUE;
  preparing->whole = buffer_new (header->path, "turning the volume to axial slices",
                                 preparing->n[0] * preparing->n[1] * preparing->n[2],
                                 header->bytes_per_voxel, error);
  return preparing->whole != NULL;
}

/** A slice of oriented x and y out of stored voxels that start at @from. */
static void
turn_slice (const Preparing *preparing, const guint8 *from)
{
  const gsize n_x = preparing->n[0], n_y = preparing->n[1];
  const gsize bytes = preparing->header->bytes_per_voxel;

  for (gsize y = 0; y < n_y; y++)
    for (gsize x = 0; x < n_x; x++)
      memcpy (preparing->turned + (y * n_x + x) * bytes,
              from + (y * preparing->stride[1] + x * preparing->stride[0]) * bytes, bytes);
}

static gboolean
begin_pass (gpointer data, const VolumeScaling *scaling, GError **error)
{
  Preparing *preparing = data;
  const VolumeHeader *header = preparing->header;
  const VolumePreparation *preparation = preparing->preparation;
  const VoxelFormula formula = { .slope = scaling->slope,
                                 .intercept = scaling->intercept,
                                 .low = preparation->hu_min,
                                 .high = preparation->hu_max,
                                 .divisor = preparation->hu_scale };

  g_clear_pointer (&preparing->resampler, resampler_free);
  g_clear_pointer (&preparing->voxel_map, voxel_map_free);
  preparing->voxel_map = voxel_map_new (header->datatype, &formula);
  preparing->resampler = resampler_new (
      header->path, preparing->axes, preparation->shape, preparing->n[0], preparing->voxel_map,
      header->bytes_per_voxel, preparation->pad, preparing->tensor, error);
  return preparing->resampler != NULL;
}

static void
take_slice (gpointer data, gsize index, gconstpointer stored)
{
  Preparing *preparing = data;
  const VolumeHeader *header = preparing->header;

  if (preparing->whole != NULL)
    {
      gsize size = header->n[0] * header->n[1] * header->bytes_per_voxel;

      memcpy (preparing->whole + index * size, stored, size);
    }
  else if (preparing->turned != NULL)
    {
      turn_slice (preparing, stored);
      resampler_push (preparing->resampler, index, preparing->turned);
    }
  else
    resampler_push (preparing->resampler, index, stored);
}

static gboolean
push_whole (Preparing *preparing, GCancellable *cancellable, GError **error)
{
  const gsize step = preparing->stride[2] * preparing->header->bytes_per_voxel;

  for (gsize z = 0; z < preparing->n[2]; z++)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      turn_slice (preparing, preparing->whole + z * step);
      resampler_push (preparing->resampler, z, preparing->turned);
    }
  return TRUE;
}

gboolean
volume_prepare (const char *path, const VolumeMetadata *metadata,
                const VolumePreparation *preparation, guint threads, float *tensor,
                VolumePrepared *prepared, GCancellable *cancellable, GError **error)
{
  static const ScanCalls calls = { .begin = begin_pass, .slice = take_slice };
  g_autoptr (VolumeHeader) header = volume_header_read (path, error);
  g_auto (Preparing) preparing = { .header = header, .preparation = preparation, .tensor = tensor };
  RescaleDecision decision;
  VolumeScaling scaling;

  memset (prepared, 0, sizeof *prepared);
  if (header == NULL || !rescale_begin (header, metadata, preparation->rescale, &decision, error))
    return FALSE;
  buffer_use_huge_pages (tensor, preparation->shape[0] * preparation->shape[1]
                                     * preparation->shape[2] * sizeof (float));
  preparing.map = orient_map (header, preparation->orient);
  if (!lay_out (&preparing, metadata, prepared, error) || !allocate (&preparing, error)
      || !volume_scan (header, &decision, threads, &calls, &preparing, &scaling, cancellable, error)
      || (preparing.whole != NULL && !push_whole (&preparing, cancellable, error)))
    return FALSE;
  prepared->rescale = scaling.rescale;
  prepared->slope = scaling.slope;
  prepared->intercept = scaling.intercept;
  prepared->has_orientation = header->has_orientation;
  prepared->obliquity_deg = header->obliquity_deg;
  prepared->stamp = header->stamp;
  memcpy (prepared->axes, header->axes, sizeof prepared->axes);
  return TRUE;
}

/* ---- the key ---- */

/** "name=a,b,c;" with as many digits as it takes to tell doubles apart, whatever the locale. */
static void
append_numbers (GString *text, const char *name, const double *numbers, guint n)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (text, ";%s=", name);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "," : "",
                            g_ascii_dtostr (digits, sizeof digits, numbers[i]));
}

char *
volume_prepared_text (const VolumePreparation *preparation, const VolumePrepared *prepared)
{
  GString *text = g_string_new (NULL);
  const double clip[] = { preparation->hu_min, preparation->hu_max };
  const gsize *shape = preparation->shape;

  g_string_printf (text, "v%d;rescale=%s", PREPARATION_VERSION,
                   volume_rescale_name (prepared->rescale));
  append_numbers (text, "slope", &prepared->slope, 1);
  append_numbers (text, "intercept", &prepared->intercept, 1);
  g_string_append_printf (text, ";orient=%s;axes=%s", volume_orient_name (preparation->orient),
                          prepared->axes);
  append_numbers (text, "spacing", prepared->spacing_mm, 3);
  append_numbers (text, "target", preparation->spacing_mm, 3);
  g_string_append_printf (text, ";shape=%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT,
                          shape[0], shape[1], shape[2]);
  append_numbers (text, "clip", clip, 2);
  append_numbers (text, "scale", &preparation->hu_scale, 1);
  append_numbers (text, "pad", &preparation->pad, 1);
  return g_string_free (text, FALSE);
}

#include "study/encoding.h"

#include "base/error.h"
#include "base/file_hash.h"
#include "base/share.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>

#define DEFAULT_DESCRIPTION "encoders/ct-clip.ini"

/** The description that goes with a checkpoint: the given one, the one beside it, or CT-CLIP's. */
static EncoderDescription *
find_description (const EncodingOptions *options, GError **error)
{
  const char *dot = strrchr (options->checkpoint, '.');
  g_autofree char *stem = dot != NULL
                              ? g_strndup (options->checkpoint, (gsize) (dot - options->checkpoint))
                              : g_strdup (options->checkpoint);
  g_autofree char *beside = g_strconcat (stem, ".ini", NULL);

  g_autofree char *shared = NULL;

  if (options->description_text != NULL)
    return encoder_description_parse (options->description_text, options->checkpoint, error);
  if (options->description != NULL)
    return encoder_description_read (options->description, error);
  if (g_file_test (beside, G_FILE_TEST_EXISTS))
    return encoder_description_read (beside, error);
  shared = share_find (DEFAULT_DESCRIPTION, error);
  return shared != NULL ? encoder_description_read (shared, error) : NULL;
}

VolumePreparation
encoding_preparation (const EncoderDescription *description, VolumeRescale rescale,
                      VolumeOrient orient)
{
  VolumePreparation preparation = { .hu_min = description->hu_min,
                                    .hu_max = description->hu_max,
                                    .hu_scale = description->hu_scale,
                                    .pad = description->pad,
                                    .rescale = rescale,
                                    .orient = orient };

  memcpy (preparation.spacing_mm, description->spacing_mm, sizeof preparation.spacing_mm);
  memcpy (preparation.shape, description->shape, sizeof preparation.shape);
  return preparation;
}

Encoding *
encoding_open (const EncodingOptions *options, GError **error)
{
  g_autoptr (Encoding) encoding = g_new0 (Encoding, 1);

  encoding->description = find_description (options, error);
  if (encoding->description == NULL
      || (options->precision != NULL
          && !encoder_precision_parse (options->precision, &encoding->description->precision,
                                       error)))
    return NULL;
  encoding->engine = engine_open (options->device, options->threads, error);
  if (encoding->engine == NULL)
    return NULL;
  encoding->encoder =
      engine_encoder_open (encoding->engine, options->checkpoint, encoding->description, error);
  if (encoding->encoder == NULL)
    return NULL;
  encoding->preparation =
      encoding_preparation (encoding->description, options->rescale, options->orient);
  encoding->input_n = encoding->preparation.shape[0] * encoding->preparation.shape[1]
                      * encoding->preparation.shape[2];
  return g_steal_pointer (&encoding);
}

Encoding *
encoding_open_kept (const CatalogEncoder *encoder, const char *device, guint threads,
                    GError **error)
{
  const EncodingOptions options = { .checkpoint = encoder->checkpoint_path,
                                    .description_text = encoder->description,
                                    .device = device,
                                    .threads = threads,
                                    .rescale = VOLUME_RESCALE_AUTO,
                                    .orient = VOLUME_ORIENT_LPS };
  g_autoptr (Encoding) encoding = encoding_open (&options, error);

  if (encoding == NULL
      || strcmp (engine_encoder_info (encoding->encoder)->weights_hash, encoder->weights_hash) == 0)
    return g_steal_pointer (&encoding);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_FAILED,
               "%s: its weights are not those that the run was trained on; put the old file back",
               encoder->checkpoint_path);
  return NULL;
}

void
encoding_free (Encoding *encoding)
{
  g_clear_pointer (&encoding->encoder, engine_encoder_close);
  g_clear_pointer (&encoding->engine, engine_close);
  g_clear_pointer (&encoding->description, encoder_description_free);
  g_free (encoding);
}

float *
encoding_input_new (const Encoding *encoding, const char *path, GError **error)
{
  float *input = g_try_new (float, encoding->input_n);

  if (input == NULL)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                 "%s: %.0f MB for the prepared volume were refused", path,
                 (double) encoding->input_n * sizeof (float) / 1e6);
  return input;
}

char *
encoding_encoder_name (const char *checkpoint, EncoderPrecision precision)
{
  g_autofree char *base = g_path_get_basename (checkpoint);

  return precision == ENCODER_FLOAT32
             ? g_steal_pointer (&base)
             : g_strconcat (base, "-", encoder_precision_name (precision), NULL);
}

VolumeMetadata
encoding_metadata (const CatalogRecord *record)
{
  VolumeMetadata metadata = VOLUME_METADATA_NONE;

  if (record == NULL)
    return metadata;
  metadata.slope = record->slope;
  metadata.intercept = record->intercept;
  metadata.spacing_z_mm = record->spacing_z_mm;
  metadata.spacing_x_mm = metadata.spacing_y_mm = record->spacing_xy_mm;
  return metadata;
}

static char *
key_of (const Encoding *encoding, const char *content_hash, const char *kind,
        const char *preparation)
{
  g_autofree char *text =
      g_strjoin ("|", kind, content_hash, engine_encoder_info (encoding->encoder)->weights_hash,
                 encoder_precision_name (encoding->description->precision), preparation, NULL);

  return bytes_hash (text, strlen (text));
}

char *
encoding_request_key (const Encoding *encoding, const char *content_hash,
                      const VolumeMetadata *metadata)
{
  /* The text of a preparation as if nothing had to be resolved, and the numbers that resolving
   * depends on. */
  VolumePrepared nothing = { .rescale = encoding->preparation.rescale };
  g_autofree char *wished = volume_prepared_text (&encoding->preparation, &nothing);
  g_autofree char *text = g_strdup_printf (
      "%s;csv=%.17g,%.17g,%.17g,%.17g,%.17g", wished, metadata->slope, metadata->intercept,
      metadata->spacing_z_mm, metadata->spacing_x_mm, metadata->spacing_y_mm);

  return key_of (encoding, content_hash, "request", text);
}

char *
encoding_latent_key (const Encoding *encoding, const char *content_hash, const char *prepared_text)
{
  return key_of (encoding, content_hash, "latent", prepared_text);
}

guint64
encoding_peak_memory_bytes (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (guint64) usage.ru_maxrss * 1024;
}

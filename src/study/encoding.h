/**
 * encoding.h: an encoder with everything that decides what it makes of a file.
 */
#pragma once

#include "catalog/latents.h"
#include "catalog/record.h"
#include "model/engine.h"
#include "volume/prepare.h"

typedef struct
{
  const char *checkpoint;  /* needed */
  const char *description; /* (nullable) path; %NULL: beside the checkpoint (same name, .ini), else
                              CT-CLIP's */
  const char *description_text; /* (nullable) the description itself, before any path */
  const char *device;           /* "auto", "cpu", "cuda:N", "torch" */
  guint threads;                /* 0: all */
  VolumeRescale rescale;
  VolumeOrient orient;
  const char *precision; /* (nullable) by name; %NULL: the description's */
} EncodingOptions;

typedef struct
{
  Engine *engine;
  EngineEncoder *encoder;
  EncoderDescription *description;
  VolumePreparation preparation;
  gsize input_n; /* floats in one prepared volume */
} Encoding;

/** encoding_open: read the description, open the engine and load the weights. */
Encoding *encoding_open (const EncodingOptions *options, GError **error);

/**
 * encoding_open_kept: an encoder of the store, as its latents were made.
 *
 * CTCLIP_ERROR_FAILED where its checkpoint holds other weights by now.
 */
Encoding *encoding_open_kept (const CatalogEncoder *encoder, const char *device, guint threads,
                              GError **error);
void encoding_free (Encoding *encoding);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Encoding, encoding_free)

/** encoding_input_new: room for a prepared volume of @path, which an error names. Free with g_free.
 */
float *encoding_input_new (const Encoding *encoding, const char *path, GError **error);

/** encoding_encoder_name: what an encoder is called where nobody names it: the checkpoint's base
 * name, and the precision where it is another than float32. Free with g_free. */
char *encoding_encoder_name (const char *checkpoint, EncoderPrecision precision);

/** encoding_preparation: the description's preparation with the user's policies. */
VolumePreparation encoding_preparation (const EncoderDescription *description,
                                        VolumeRescale rescale, VolumeOrient orient);

/** encoding_metadata: what a record's CSV row says; all NaN where @record is %NULL. */
VolumeMetadata encoding_metadata (const CatalogRecord *record);

/**
 * encoding_request_key: what a latent would be made from, before the file is read: its content, the
 * weights, the wished preparation and the CSV's numbers. Free with g_free.
 */
char *encoding_request_key (const Encoding *encoding, const char *content_hash,
                            const VolumeMetadata *metadata);

/** encoding_latent_key: what a latent was made from, with the preparation as resolved. Free with
 * g_free. */
char *encoding_latent_key (const Encoding *encoding, const char *content_hash,
                           const char *prepared_text);

/** encoding_peak_memory_bytes: largest resident size of this process so far. */
guint64 encoding_peak_memory_bytes (void);

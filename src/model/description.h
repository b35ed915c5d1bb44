/**
 * description.h: what a checkpoint's shapes don't tell of its encoder.
 *
 * A GLib key file, share/encoders/ct-clip.ini for example:
 *
 *     [encoder]
 *     architecture=ctvit
 *     image_size=480            one number, or height;width
 *     patch_size=20             likewise
 *     frames=240
 *     temporal_patch_size=10
 *     heads=8
 *     precision=int16           how products are computed: float32 (where it is not said), int16
 *                               or bf16
 *     [preparation]
 *     spacing_mm=1.5;0.75;0.75  target, z;x;y
 *     shape=240;480;480
 *     hu_min=-1000
 *     hu_max=1000
 *     hu_scale=1000
 *     pad=-1
 */
#pragma once

#include <glib.h>

/** What the matrix products are computed with; the rest is float32. */
typedef enum
{
  ENCODER_FLOAT32,
  ENCODER_INT16, /* numbers of 12 significant bits, in integers; see cpu_kernels.h */
  ENCODER_BF16,  /* bfloat16, on a GPU's tensor cores; see t_linear of tensor.h */
  ENCODER_N_PRECISIONS
} EncoderPrecision;

const char *encoder_precision_name (EncoderPrecision precision);

/** encoder_precision_parse: another word is CTCLIP_ERROR_USAGE that lists those there are. */
gboolean encoder_precision_parse (const char *name, EncoderPrecision *precision, GError **error);

typedef struct
{
  char *path;
  gsize image_height, image_width; /* the tensor's second and third axes (x, y of the volume) */
  gsize patch_height, patch_width;
  gsize frames, temporal_patch_size;
  guint heads;
  EncoderPrecision precision;
  double spacing_mm[3]; /* z x y */
  gsize shape[3];       /* z x y; equal to frames, image_height, image_width */
  double hu_min, hu_max, hu_scale, pad;
} EncoderDescription;

/** encoder_description_read: unknown keys, missing keys and sizes that don't divide are errors that
 * name the key. */
EncoderDescription *encoder_description_read (const char *path, GError **error);

/** encoder_description_parse: the same from text; @source names it in errors. */
EncoderDescription *encoder_description_parse (const char *text, const char *source,
                                               GError **error);

/** encoder_description_text: a key file that gives this description again. Free with g_free. */
char *encoder_description_text (const EncoderDescription *description);

void encoder_description_free (EncoderDescription *description);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncoderDescription, encoder_description_free)

#include "model/description.h"

#include "base/error.h"
#include "base/key_file.h"
#include "base/text_file.h"

#include <math.h>
#include <string.h>

#define ENCODER "encoder"
#define PREPARATION "preparation"
#define ARCHITECTURE "ctvit"
#define MAX_SIZE 8192

static const char *const precisions[ENCODER_N_PRECISIONS + 1] = {
  [ENCODER_FLOAT32] = "float32",
  [ENCODER_INT16] = "int16",
  [ENCODER_BF16] = "bf16",
};

const char *
encoder_precision_name (EncoderPrecision precision)
{
  return precisions[precision];
}

gboolean
encoder_precision_parse (const char *name, EncoderPrecision *precision, GError **error)
{
  g_autofree char *known = NULL;

  for (guint i = 0; i < ENCODER_N_PRECISIONS; i++)
    if (strcmp (name, precisions[i]) == 0)
      {
        *precision = i;
        return TRUE;
      }
  known = g_strjoinv (", ", (char **) precisions);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "precision %s: choose one of %s", name,
               known);
  return FALSE;
}

static gboolean
wrong (const char *source, const char *group, const char *key, const char *expected, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "%s: [%s] %s: give %s", source, group, key,
               expected);
  return FALSE;
}

/** @n numbers of a key, or one number for all of them where @single. */
static gboolean
read_numbers (GKeyFile *file, const char *source, const char *group, const char *key,
              gboolean single, guint n, double *numbers, GError **error)
{
  gsize length = 0;
  g_autofree double *list = g_key_file_get_double_list (file, group, key, &length, NULL);
  g_autofree char *expected = n == 1 ? g_strdup ("a number")
                                     : g_strdup_printf ("%s%u numbers with semicolons between them",
                                                        single ? "one number or " : "", n);

  if (list == NULL || (length != n && !(single && length == 1)))
    return wrong (source, group, key, expected, error);
  for (guint i = 0; i < n; i++)
    {
      numbers[i] = list[length == 1 ? 0 : i];
      if (!isfinite (numbers[i]))
        return wrong (source, group, key, expected, error);
    }
  return TRUE;
}

static gboolean
read_sizes (GKeyFile *file, const char *source, const char *group, const char *key, gboolean single,
            guint n, gsize *sizes, GError **error)
{
  double numbers[3];

  if (!read_numbers (file, source, group, key, single, n, numbers, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      if (numbers[i] < 1 || numbers[i] > MAX_SIZE || numbers[i] != floor (numbers[i]))
        return wrong (source, group, key, "whole numbers from 1 to " G_STRINGIFY (MAX_SIZE), error);
      sizes[i] = (gsize) numbers[i];
    }
  return TRUE;
}

/** A group or key that is not known is a typing error, and would silently mean something else. */
static gboolean
check_keys (GKeyFile *file, const char *source, GError **error)
{
  static const char *const groups[] = { ENCODER, PREPARATION, NULL };
  static const char *const known[][9] = {
    { "architecture", "image_size", "patch_size", "frames", "temporal_patch_size", "heads",
      "precision", NULL },
    { "spacing_mm", "shape", "hu_min", "hu_max", "hu_scale", "pad", NULL },
  };
  g_auto (GStrv) found = g_key_file_get_groups (file, NULL);

  for (guint i = 0; found[i] != NULL; i++)
    if (!g_strv_contains (groups, found[i]))
      {
        g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                     "%s: [%s]: no such group; known are " ENCODER " and " PREPARATION, source,
                     found[i]);
        return FALSE;
      }
  for (guint i = 0; groups[i] != NULL; i++)
    {
      g_auto (GStrv) keys = g_key_file_get_keys (file, groups[i], NULL, NULL);
      g_autofree char *expected = g_strjoinv (", ", (char **) known[i]);

      if (keys == NULL)
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                       "%s: the group [%s] is missing; it holds %s", source, groups[i], expected);
          return FALSE;
        }
      for (guint k = 0; keys[k] != NULL; k++)
        if (!g_strv_contains (known[i], keys[k]))
          {
            g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                         "%s: [%s] %s: no such key; known are %s", source, groups[i], keys[k],
                         expected);
            return FALSE;
          }
    }
  return TRUE;
}

/** Where it is not said, it is float32. */
static gboolean
read_precision (GKeyFile *file, const char *source, EncoderPrecision *precision, GError **error)
{
  g_autofree char *name = g_key_file_get_string (file, ENCODER, "precision", NULL);

  if (name == NULL || encoder_precision_parse (name, precision, error))
    return TRUE;
  g_prefix_error (error, "%s: [" ENCODER "] ", source);
  return FALSE;
}

/** Sizes must divide, and the two groups must speak of the same tensor. */
static gboolean
check_sizes (const EncoderDescription *d, const char *source, GError **error)
{
  if (d->image_height % d->patch_height != 0 || d->image_width % d->patch_width != 0)
    return wrong (source, ENCODER, "patch_size", "sizes that divide image_size", error);
  if (d->frames % d->temporal_patch_size != 0)
    return wrong (source, ENCODER, "temporal_patch_size", "a number that divides frames", error);
  if (d->shape[0] != d->frames || d->shape[1] != d->image_height || d->shape[2] != d->image_width)
    return wrong (source, PREPARATION, "shape", "frames;height;width as [encoder] says them",
                  error);
  if (!(d->spacing_mm[0] > 0 && d->spacing_mm[1] > 0 && d->spacing_mm[2] > 0))
    return wrong (source, PREPARATION, "spacing_mm", "numbers above 0", error);
  if (!(d->hu_min < d->hu_max))
    return wrong (source, PREPARATION, "hu_max", "a number above hu_min", error);
  if (!(d->hu_scale > 0))
    return wrong (source, PREPARATION, "hu_scale", "a number above 0", error);
  return TRUE;
}

EncoderDescription *
encoder_description_parse (const char *text, const char *source, GError **error)
{
  g_autoptr (EncoderDescription) d = g_new0 (EncoderDescription, 1);
  g_autoptr (GError) fault = NULL;
  g_autoptr (GKeyFile) file = key_file_parse (text, &fault);
  g_autofree char *architecture = NULL;
  gsize image[2], patch[2], heads;

  if (file == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "%s: is no encoder description: %s",
                   source, fault->message);
      return NULL;
    }
  if (!check_keys (file, source, error))
    return NULL;
  architecture = g_key_file_get_string (file, ENCODER, "architecture", NULL);
  if (g_strcmp0 (architecture, ARCHITECTURE) != 0)
    {
      wrong (source, ENCODER, "architecture", ARCHITECTURE ", the only one there is", error);
      return NULL;
    }
  d->path = g_strdup (source);
  if (!read_sizes (file, source, ENCODER, "image_size", TRUE, 2, image, error)
      || !read_sizes (file, source, ENCODER, "patch_size", TRUE, 2, patch, error)
      || !read_sizes (file, source, ENCODER, "frames", FALSE, 1, &d->frames, error)
      || !read_sizes (file, source, ENCODER, "temporal_patch_size", FALSE, 1,
                      &d->temporal_patch_size, error)
      || !read_sizes (file, source, ENCODER, "heads", FALSE, 1, &heads, error)
      || !read_precision (file, source, &d->precision, error)
      || !read_numbers (file, source, PREPARATION, "spacing_mm", FALSE, 3, d->spacing_mm, error)
      || !read_sizes (file, source, PREPARATION, "shape", FALSE, 3, d->shape, error)
      || !read_numbers (file, source, PREPARATION, "hu_min", FALSE, 1, &d->hu_min, error)
      || !read_numbers (file, source, PREPARATION, "hu_max", FALSE, 1, &d->hu_max, error)
      || !read_numbers (file, source, PREPARATION, "hu_scale", FALSE, 1, &d->hu_scale, error)
      || !read_numbers (file, source, PREPARATION, "pad", FALSE, 1, &d->pad, error))
    return NULL;
  d->image_height = image[0];
  d->image_width = image[1];
  d->patch_height = patch[0];
  d->patch_width = patch[1];
  d->heads = (guint) heads;
  return check_sizes (d, source, error) ? g_steal_pointer (&d) : NULL;
}

EncoderDescription *
encoder_description_read (const char *path, GError **error)
{
  g_autofree char *text = text_file_read (path, "encoder's description", error);

  return text != NULL ? encoder_description_parse (text, path, error) : NULL;
}

static void
set_sizes (GKeyFile *file, const char *group, const char *key, const gsize *sizes, gsize n)
{
  double numbers[3];

  for (gsize i = 0; i < n; i++)
    numbers[i] = (double) sizes[i];
  g_key_file_set_double_list (file, group, key, numbers, n);
}

char *
encoder_description_text (const EncoderDescription *d)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  const gsize image[] = { d->image_height, d->image_width },
              patch[] = { d->patch_height, d->patch_width }, heads = d->heads;

  g_key_file_set_string (file, ENCODER, "architecture", ARCHITECTURE);
  set_sizes (file, ENCODER, "image_size", image, 2);
  set_sizes (file, ENCODER, "patch_size", patch, 2);
  set_sizes (file, ENCODER, "frames", &d->frames, 1);
  set_sizes (file, ENCODER, "temporal_patch_size", &d->temporal_patch_size, 1);
  set_sizes (file, ENCODER, "heads", &heads, 1);
  if (d->precision != ENCODER_FLOAT32)
    g_key_file_set_string (file, ENCODER, "precision", precisions[d->precision]);
  g_key_file_set_double_list (file, PREPARATION, "spacing_mm", (double *) d->spacing_mm, 3);
  set_sizes (file, PREPARATION, "shape", d->shape, 3);
  g_key_file_set_double (file, PREPARATION, "hu_min", d->hu_min);
  g_key_file_set_double (file, PREPARATION, "hu_max", d->hu_max);
  g_key_file_set_double (file, PREPARATION, "hu_scale", d->hu_scale);
  g_key_file_set_double (file, PREPARATION, "pad", d->pad);
  return g_key_file_to_data (file, NULL, NULL);
}

void
encoder_description_free (EncoderDescription *description)
{
  g_free (description->path);
  g_free (description);
}

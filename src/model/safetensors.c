/* The format: https://github.com/huggingface/safetensors, "Format". */
#include "model/checkpoint_private.h"

#include "base/error.h"
#include "base/output_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER (16 << 20) /* that of 1,000 tensors has some 100 KB */
#define METADATA "__metadata__"

static const struct
{
  const char *name;
  CheckpointType type;
} types[] = {
  { "F32", CHECKPOINT_FLOAT32 },   { "F64", CHECKPOINT_FLOAT64 }, { "F16", CHECKPOINT_FLOAT16 },
  { "BF16", CHECKPOINT_BFLOAT16 }, { "I64", CHECKPOINT_INT64 },   { "I32", CHECKPOINT_INT32 },
  { "I16", CHECKPOINT_INT16 },     { "I8", CHECKPOINT_INT8 },     { "U8", CHECKPOINT_UINT8 },
  { "BOOL", CHECKPOINT_BOOL },
};

static gboolean
corrupt (Checkpoint *checkpoint, const char *name, const char *fault, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: %s%s%s; the file is damaged, fetch it again",
               bytes_source_name (checkpoint->source), name != NULL ? name : "",
               name != NULL ? ": " : "", fault);
  return FALSE;
}

static gboolean
read_shape (const json_t *shape, CheckpointEntry *entry)
{
  gint64 n = 1;

  if (!json_is_array (shape) || json_array_size (shape) > CHECKPOINT_MAX_DIMS)
    return FALSE;
  entry->tensor.n_dims = (guint) json_array_size (shape);
  for (guint i = 0; i < entry->tensor.n_dims; i++)
    {
      const json_t *size = json_array_get (shape, i);

      entry->tensor.shape[i] = json_integer_value (size);
      if (!json_is_integer (size) || entry->tensor.shape[i] < 0
          || __builtin_mul_overflow (n, entry->tensor.shape[i], &n))
        return FALSE;
    }
  entry->tensor.n = n;
  /* Where there are no elements the product of the other sizes may not be a number. */
  n = entry->tensor.n > 0 ? 1 : 0;
  for (guint i = entry->tensor.n_dims; i-- > 0; n *= entry->tensor.shape[i])
    entry->strides[i] = n;
  return TRUE;
}

/** One tensor of the header; its data must be as long as its shape says and lie in the file. */
static gboolean
add_entry (Checkpoint *checkpoint, const char *name, const json_t *object, guint64 data_start,
           GError **error)
{
  const char *dtype = json_string_value (json_object_get (object, "dtype"));
  const json_t *offsets = json_object_get (object, "data_offsets");
  CheckpointEntry entry = { 0 };
  gint64 begin, end, bytes;
  gboolean known = FALSE;

  if (!bytes_source_check_name (checkpoint->source, name, error))
    return FALSE;
  for (guint i = 0; dtype != NULL && i < G_N_ELEMENTS (types); i++)
    if (strcmp (types[i].name, dtype) == 0)
      {
        entry.tensor.type = types[i].type;
        known = TRUE;
      }
  if (!known)
    return corrupt (checkpoint, name, "its type is not known", error);
  if (!read_shape (json_object_get (object, "shape"), &entry))
    return corrupt (checkpoint, name, "its shape is impossible", error);
  begin = json_integer_value (json_array_get (offsets, 0));
  end = json_integer_value (json_array_get (offsets, 1));
  if (json_array_size (offsets) != 2 || begin < 0 || end < begin
      || __builtin_mul_overflow (entry.tensor.n, (gint64) checkpoint_type_size (entry.tensor.type),
                                 &bytes)
      || end - begin != bytes)
    return corrupt (checkpoint, name, "its place does not go with its shape", error);
  if ((guint64) end > bytes_source_size (checkpoint->source) - data_start)
    return corrupt (checkpoint, name, "it reaches past the end of the file", error);
  entry.position = data_start + (guint64) begin;
  return checkpoint_add (checkpoint, name, &entry, error);
}

static gint
compare_positions (gconstpointer a, gconstpointer b)
{
  guint64 x = (*(const CheckpointEntry *const *) a)->position,
          y = (*(const CheckpointEntry *const *) b)->position;

  return (x > y) - (x < y);
}

/** No two tensors may share a byte. */
static gboolean
check_overlaps (Checkpoint *checkpoint, GError **error)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  guint64 end = 0;

  for (guint i = 0; i < checkpoint->entries->len; i++)
    {
      CheckpointEntry *entry = &g_array_index (checkpoint->entries, CheckpointEntry, i);

      if (entry->tensor.n > 0)
        g_ptr_array_add (sorted, entry);
    }
  g_ptr_array_sort (sorted, compare_positions);
  for (guint i = 0; i < sorted->len; i++)
    {
      const CheckpointEntry *entry = g_ptr_array_index (sorted, i);

      if (entry->position < end)
        return corrupt (checkpoint, entry->tensor.name, "it overlaps another tensor", error);
      end = entry->position + (guint64) entry->tensor.n * checkpoint_type_size (entry->tensor.type);
    }
  return TRUE;
}

static void
read_metadata (Checkpoint *checkpoint, json_t *object)
{
  const char *key;
  json_t *value;

  checkpoint->metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  json_object_foreach (object, key, value)
  {
    if (json_is_string (value))
      g_hash_table_insert (checkpoint->metadata, g_strdup (key),
                           g_strdup (json_string_value (value)));
  }
}

gboolean
checkpoint_read_safetensors_contents (Checkpoint *checkpoint, GError **error)
{
  guint8 length_bytes[8];
  guint64 length = 0;
  g_autofree guint8 *text = NULL;
  json_t *header;
  const char *name;
  json_t *object;
  gboolean done = TRUE;

  if (!bytes_source_read (checkpoint->source, 0, 8, length_bytes, error))
    return FALSE;
  for (guint i = 8; i-- > 0;)
    length = length << 8 | length_bytes[i];
  if (length > MAX_HEADER || length > bytes_source_size (checkpoint->source) - 8)
    return corrupt (checkpoint, NULL, "its header is longer than the file or than any header",
                    error);
  text = bytes_source_load (checkpoint->source, 8, (gsize) length, error);
  if (text == NULL)
    return FALSE;
  header = json_loadb ((const char *) text, (size_t) length, JSON_REJECT_DUPLICATES, NULL);
  if (!json_is_object (header))
    {
      json_decref (header);
      return corrupt (checkpoint, NULL, "its header is not JSON", error);
    }
  json_object_foreach (header, name, object)
  {
    if (strcmp (name, METADATA) == 0)
      read_metadata (checkpoint, object);
    else if (done)
      done = add_entry (checkpoint, name, object, 8 + length, error);
  }
  json_decref (header);
  return done && check_overlaps (checkpoint, error);
}

/* ---- writing ---- */

/** The length and the header, padded with blanks so that the data begins at a multiple of 8. */
static guint8 *
header_bytes (const CheckpointItem *items, guint n, const char *const *metadata, gsize *size)
{
  json_t *header = json_object ();
  guint8 *bytes;
  char *text;
  gsize at = 0, text_size, padded_size;
  guint64 length;

  if (metadata != NULL)
    {
      json_t *object = json_object ();

      for (; metadata[0] != NULL; metadata += 2)
        json_object_set_new (object, metadata[0], json_string (metadata[1]));
      json_object_set_new (header, METADATA, object);
    }
  for (guint i = 0; i < n; i++)
    {
      gsize end = at + checkpoint_item_n (&items[i]) * sizeof (float);
      json_t *shape = json_array ();

      for (guint d = 0; d < items[i].n_dims; d++)
        json_array_append_new (shape, json_integer (items[i].shape[d]));
      json_object_set_new (header, items[i].name,
                           json_pack ("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
                                      "data_offsets", (json_int_t) at, (json_int_t) end));
      at = end;
    }
  text = json_dumps (header, JSON_COMPACT);
  json_decref (header);
  text_size = strlen (text);
  padded_size = (text_size + 7) / 8 * 8;
  length = GUINT64_TO_LE ((guint64) padded_size);
  *size = sizeof length + padded_size;
  bytes = g_malloc (*size);
  memcpy (bytes, &length, sizeof length);
  memset (bytes + sizeof length, ' ', padded_size);
  memcpy (bytes + sizeof length, text, text_size);
  free (text);
  return bytes;
}

GBytes *
checkpoint_safetensors_bytes (const CheckpointItem *items, guint n, const char *const *metadata)
{
  gsize at, size;
  guint8 *bytes = header_bytes (items, n, metadata, &at);

  size = at;
  for (guint i = 0; i < n; i++)
    size += checkpoint_item_n (&items[i]) * sizeof (float);
  bytes = g_realloc (bytes, size);
  for (guint i = 0; i < n; i++)
    {
      gsize item_size = checkpoint_item_n (&items[i]) * sizeof (float);

      /* An empty tensor may have no data at all. */
      if (item_size > 0)
        memcpy (bytes + at, items[i].data, item_size);
      at += item_size;
    }
  return g_bytes_new_take (bytes, size);
}

gboolean
checkpoint_write_safetensors (const char *path, gboolean replace, const CheckpointItem *items,
                              guint n, const char *const *metadata, GError **error)
{
  g_autoptr (OutputFile) file = output_file_open (path, replace, error);
  gsize header_size;
  g_autofree guint8 *header = header_bytes (items, n, metadata, &header_size);

  if (file == NULL || !output_file_write (file, header, header_size, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      g_autofree float *made = NULL;
      const float *numbers = checkpoint_item_numbers (&items[i], &made, error);

      if (numbers == NULL
          || !output_file_write (file, numbers, checkpoint_item_n (&items[i]) * sizeof *numbers,
                                 error))
        return FALSE;
    }
  return output_file_commit (file, error);
}

#include "model/checkpoint_private.h"

#include "base/error.h"

#include <string.h>

static const gsize type_sizes[] = {
  [CHECKPOINT_FLOAT32] = 4,  [CHECKPOINT_FLOAT64] = 8, [CHECKPOINT_FLOAT16] = 2,
  [CHECKPOINT_BFLOAT16] = 2, [CHECKPOINT_INT64] = 8,   [CHECKPOINT_INT32] = 4,
  [CHECKPOINT_INT16] = 2,    [CHECKPOINT_INT8] = 1,    [CHECKPOINT_UINT8] = 1,
  [CHECKPOINT_BOOL] = 1,
};

gsize
checkpoint_type_size (CheckpointType type)
{
  return type_sizes[type];
}

static void
entry_clear (gpointer entry)
{
  g_free ((char *) ((CheckpointEntry *) entry)->tensor.name);
}

void
checkpoint_free (Checkpoint *checkpoint)
{
  g_clear_pointer (&checkpoint->source, bytes_source_free);
  g_clear_pointer (&checkpoint->by_name, g_hash_table_unref);
  g_clear_pointer (&checkpoint->entries, g_array_unref);
  g_clear_pointer (&checkpoint->metadata, g_hash_table_unref);
  g_free (checkpoint);
}

gboolean
checkpoint_add (Checkpoint *checkpoint, const char *name, const CheckpointEntry *entry,
                GError **error)
{
  CheckpointEntry added = *entry;

  if (!bytes_source_check_name (checkpoint->source, name, error))
    return FALSE;
  if (g_hash_table_contains (checkpoint->by_name, name))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: two tensors are called %s; the file is damaged or forged, fetch it again",
                   checkpoint_path (checkpoint), name);
      return FALSE;
    }
  added.tensor.name = g_strdup (name);
  g_array_append_val (checkpoint->entries, added);
  g_hash_table_insert (checkpoint->by_name, (char *) added.tensor.name,
                       GUINT_TO_POINTER (checkpoint->entries->len));
  return TRUE;
}

/** The form is told by the first bytes, whatever the file is called. */
static gboolean
read_contents (Checkpoint *checkpoint, GError **error)
{
  const char *path = bytes_source_name (checkpoint->source);
  guint8 start[16] = { 0 };
  gsize n = (gsize) MIN (bytes_source_size (checkpoint->source), sizeof start);

  if (!bytes_source_read (checkpoint->source, 0, n, start, error))
    return FALSE;
  if (memcmp (start, "PK\x03\x04", 4) == 0)
    return checkpoint_read_zip_contents (checkpoint, error);
  /* A safetensors header is JSON behind its length. */
  if (n > 8 && start[8] == '{')
    return checkpoint_read_safetensors_contents (checkpoint, error);
  if (start[0] == 0x80)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: is a legacy pickle, from before PyTorch 1.6; save it anew: python3 -c "
                   "\"import torch; "
                   "torch.save(torch.load('%s', map_location='cpu'), 'new.pt')\"",
                   path, path);
      return FALSE;
    }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
               "%s: is neither a PyTorch checkpoint nor a safetensors file%s", path,
               n == 0 ? " (it is empty)" : "");
  return FALSE;
}

static Checkpoint *
open_source (BytesSource *source /* transfer full */, GError **error)
{
  g_autoptr (Checkpoint) checkpoint = g_new0 (Checkpoint, 1);

  checkpoint->source = source;
  checkpoint->entries = g_array_new (FALSE, FALSE, sizeof (CheckpointEntry));
  g_array_set_clear_func (checkpoint->entries, entry_clear);
  checkpoint->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return read_contents (checkpoint, error) ? g_steal_pointer (&checkpoint) : NULL;
}

Checkpoint *
checkpoint_open (const char *path, GError **error)
{
  BytesSource *source = bytes_source_open (path, error);

  return source != NULL ? open_source (source, error) : NULL;
}

Checkpoint *
checkpoint_open_bytes (GBytes *bytes, const char *name, GError **error)
{
  return open_source (bytes_source_of (bytes, name), error);
}

const char *
checkpoint_path (const Checkpoint *checkpoint)
{
  return bytes_source_name (checkpoint->source);
}

guint
checkpoint_n_tensors (const Checkpoint *checkpoint)
{
  return checkpoint->entries->len;
}

const CheckpointTensor *
checkpoint_tensor (const Checkpoint *checkpoint, guint i)
{
  return &g_array_index (checkpoint->entries, CheckpointEntry, i).tensor;
}

const CheckpointTensor *
checkpoint_find (const Checkpoint *checkpoint, const char *name)
{
  guint i = GPOINTER_TO_UINT (g_hash_table_lookup (checkpoint->by_name, name));

  return i > 0 ? checkpoint_tensor (checkpoint, i - 1) : NULL;
}

const char *
checkpoint_metadata (const Checkpoint *checkpoint, const char *key)
{
  return checkpoint->metadata != NULL ? g_hash_table_lookup (checkpoint->metadata, key) : NULL;
}

/* ---- numbers ---- */

static gboolean
is_contiguous (const CheckpointEntry *entry)
{
  gint64 expected = 1;

  for (guint i = entry->tensor.n_dims; i-- > 0; expected *= entry->tensor.shape[i])
    if (entry->tensor.shape[i] != 1 && entry->strides[i] != expected)
      return FALSE;
  return TRUE;
}

static gboolean
read_contiguous (Checkpoint *checkpoint, const CheckpointEntry *entry, float *numbers,
                 GError **error)
{
  guint8 chunk[1 << 16];
  gsize size = checkpoint_type_size (entry->tensor.type), n = (gsize) entry->tensor.n, at, part;

  if (entry->tensor.type == CHECKPOINT_FLOAT32)
    return bytes_source_read (checkpoint->source, entry->position, n * size, numbers, error);
  for (at = 0; at < n; at += part)
    {
      part = MIN (n - at, sizeof chunk / size);
      if (!bytes_source_read (checkpoint->source, entry->position + at * size, part * size, chunk,
                              error))
        return FALSE;
      checkpoint_convert (chunk, entry->tensor.type, size, part, numbers + at);
    }
  return TRUE;
}

/** Elements from the first to the last that the tensor touches. */
static gsize
span (const CheckpointEntry *entry)
{
  gint64 last = 0;

  for (guint i = 0; i < entry->tensor.n_dims; i++)
    last += (entry->tensor.shape[i] - 1) * entry->strides[i];
  return (gsize) last + 1;
}

/** Row by row in C order, each through the last dimension's stride. */
static gboolean
read_strided (Checkpoint *checkpoint, const CheckpointEntry *entry, float *numbers, GError **error)
{
  const CheckpointTensor *tensor = &entry->tensor;
  gsize size = checkpoint_type_size (tensor->type);
  guint last = tensor->n_dims - 1; /* a scalar is contiguous and never comes here */
  gint64 index[CHECKPOINT_MAX_DIMS] = { 0 }, at = 0;
  g_autofree guint8 *bytes =
      bytes_source_load (checkpoint->source, entry->position, span (entry) * size, error);

  if (bytes == NULL)
    return FALSE;
  for (gint64 i = 0; i < tensor->n; i += tensor->shape[last])
    {
      checkpoint_convert (bytes + (gsize) at * size, tensor->type,
                          (gsize) entry->strides[last] * size, (gsize) tensor->shape[last],
                          numbers + i);
      for (guint d = last; d-- > 0;)
        {
          at += entry->strides[d];
          if (++index[d] < tensor->shape[d])
            break;
          at -= entry->strides[d] * tensor->shape[d];
          index[d] = 0;
        }
    }
  return TRUE;
}

float *
checkpoint_read_float (Checkpoint *checkpoint, const CheckpointTensor *tensor, GError **error)
{
  const CheckpointEntry *entry = (const CheckpointEntry *) tensor; /* its first member */
  g_autofree float *numbers = NULL;

  /* A stride of 0 can make any number of elements out of one. */
  if ((guint64) tensor->n > bytes_source_size (checkpoint->source))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: tensor %s has more elements than the file has bytes; save it anew after "
                   ".contiguous()",
                   checkpoint_path (checkpoint), tensor->name);
      return NULL;
    }
  numbers = g_try_new (float, (gsize) MAX (tensor->n, 1));
  if (numbers == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                   "%s: tensor %s: %.0f MB of memory were refused", checkpoint_path (checkpoint),
                   tensor->name, (double) tensor->n * sizeof (float) / 1e6);
      return NULL;
    }
  if (tensor->n > 0
      && !(is_contiguous (entry) ? read_contiguous (checkpoint, entry, numbers, error)
                                 : read_strided (checkpoint, entry, numbers, error)))
    return NULL;
  return g_steal_pointer (&numbers);
}

#include "model/checkpoint_private.h"

#include "base/error.h"
#include "model/pickle.h"
#include "model/zip.h"

#include <string.h>

#define MAX_PICKLE (256 << 20)

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

/* ---- PyTorch's zip ---- */

/** Members are "<any name>/data.pkl", "<same name>/data/0" and so on. */
static const ZipMember *
find_member (GHashTable *members, const char *top, const char *rest)
{
  g_autofree char *name = g_strconcat (top, "/", rest, NULL);

  return g_hash_table_lookup (members, name);
}

static gboolean
add_tensor (Checkpoint *checkpoint, GHashTable *members, const char *top,
            const PickleTensor *tensor, GError **error)
{
  g_autofree char *rest = g_strconcat ("data/", tensor->storage, NULL);
  const ZipMember *member = find_member (members, top, rest);
  gsize size = checkpoint_type_size (tensor->type);
  CheckpointEntry entry = { .tensor = { .type = tensor->type, .n_dims = tensor->n_dims, .n = 1 } };

  if (member == NULL || (guint64) tensor->storage_n > member->size / size)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: tensor %s: its storage %s is %s; fetch the file again",
                   bytes_source_name (checkpoint->source), tensor->name, tensor->storage,
                   member == NULL ? "missing" : "shorter than the tensor");
      return FALSE;
    }
  entry.tensor.name = g_strdup (tensor->name);
  memcpy (entry.tensor.shape, tensor->shape, sizeof tensor->shape);
  memcpy (entry.strides, tensor->strides, sizeof tensor->strides);
  for (guint i = 0; i < tensor->n_dims; i++)
    entry.tensor.n *= tensor->shape[i];
  entry.position = member->offset + (guint64) tensor->offset * size;
  g_array_append_val (checkpoint->entries, entry);
  return TRUE;
}

/** Newer files say their byte order; all are little but for those made on rare machines. */
static gboolean
check_byte_order (Checkpoint *checkpoint, const ZipMember *member, GError **error)
{
  g_autofree guint8 *order = NULL;

  if (member == NULL)
    return TRUE;
  order =
      bytes_source_load (checkpoint->source, member->offset, (gsize) MIN (member->size, 16), error);
  if (order == NULL)
    return FALSE;
  if (g_str_has_prefix ((const char *) order, "little"))
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
               "%s: was written on a big-endian machine; save it anew on a little-endian one",
               bytes_source_name (checkpoint->source));
  return FALSE;
}

gboolean
checkpoint_read_zip_contents (Checkpoint *checkpoint, GError **error)
{
  const char *path = bytes_source_name (checkpoint->source);
  g_autoptr (GPtrArray) list = zip_read_members (checkpoint->source, error);
  g_autoptr (GHashTable) members = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) tensors = NULL;
  g_autofree guint8 *pickle = NULL;
  g_autofree char *top = NULL;
  const ZipMember *pickle_member;

  if (list == NULL)
    return FALSE;
  for (guint i = 0; i < list->len; i++)
    {
      ZipMember *member = g_ptr_array_index (list, i);

      g_hash_table_insert (members, member->name, member);
      if (top == NULL && g_str_has_suffix (member->name, "/data.pkl"))
        top = g_strndup (member->name, strlen (member->name) - strlen ("/data.pkl"));
    }
  if (top == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: is a zip archive but no PyTorch checkpoint (no data.pkl)", path);
      return FALSE;
    }
  pickle_member = find_member (members, top, "data.pkl");
  if (pickle_member->size > MAX_PICKLE)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: its data.pkl is larger than any state dict's", path);
      return FALSE;
    }
  pickle = bytes_source_load (checkpoint->source, pickle_member->offset,
                              (gsize) pickle_member->size, error);
  if (pickle == NULL
      || !check_byte_order (checkpoint, find_member (members, top, "byteorder"), error))
    return FALSE;
  tensors = pickle_read_tensors (pickle, (gsize) pickle_member->size, path, error);
  for (guint i = 0; tensors != NULL && i < tensors->len; i++)
    if (!add_tensor (checkpoint, members, top, g_ptr_array_index (tensors, i), error))
      return FALSE;
  return tensors != NULL;
}

/* ---- any form ---- */

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
  if (!read_contents (checkpoint, error))
    return NULL;
  checkpoint->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < checkpoint->entries->len; i++)
    g_hash_table_insert (checkpoint->by_name, (char *) checkpoint_tensor (checkpoint, i)->name,
                         GUINT_TO_POINTER (i + 1));
  return g_steal_pointer (&checkpoint);
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

static float
half_to_float (guint16 half)
{
  guint32 sign = (guint32) (half & 0x8000) << 16, exponent = half >> 10 & 0x1f,
          fraction = half & 0x3ff, bits;
  float value;

  if (exponent == 0)
    {
      /* Zero and the subnormal numbers: fraction × 2^-24. */
      value = (float) fraction * 0x1p-24f;
      return sign != 0 ? -value : value;
    }
  bits = sign | (exponent == 31 ? 0xffu : exponent + 112) << 23 | fraction << 13;
  memcpy (&value, &bits, sizeof value);
  return value;
}

static float
bfloat16_to_float (guint16 brain)
{
  guint32 bits = (guint32) brain << 16;
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

/** One stored element as float; the bytes need not be aligned. */
static float
element (const guint8 *bytes, CheckpointType type)
{
  union
  {
    float f32;
    double f64;
    guint16 u16;
    gint64 i64;
    gint32 i32;
    gint16 i16;
  } value;

  memcpy (&value, bytes, checkpoint_type_size (type));
  switch (type)
    {
    case CHECKPOINT_FLOAT32:
      return value.f32;
    case CHECKPOINT_FLOAT64:
      return (float) value.f64;
    case CHECKPOINT_FLOAT16:
      return half_to_float (value.u16);
    case CHECKPOINT_BFLOAT16:
      return bfloat16_to_float (value.u16);
    case CHECKPOINT_INT64:
      return (float) value.i64;
    case CHECKPOINT_INT32:
      return (float) value.i32;
    case CHECKPOINT_INT16:
      return value.i16;
    case CHECKPOINT_INT8:
      return (gint8) *bytes;
    case CHECKPOINT_UINT8:
    case CHECKPOINT_BOOL:
      return *bytes;
    }
  g_return_val_if_reached (0);
}

static gboolean
is_contiguous (const CheckpointEntry *entry)
{
  gint64 expected = 1;

  for (guint i = entry->tensor.n_dims; i-- > 0;)
    {
      if (entry->tensor.shape[i] != 1 && entry->strides[i] != expected)
        return FALSE;
      expected *= entry->tensor.shape[i];
    }
  return TRUE;
}

/** Walk the elements in C order through the strides. */
static void
gather (const CheckpointEntry *entry, const guint8 *bytes, float *numbers)
{
  gsize size = checkpoint_type_size (entry->tensor.type);
  gint64 index[CHECKPOINT_MAX_DIMS] = { 0 }, at = 0;

  for (gint64 i = 0; i < entry->tensor.n; i++)
    {
      numbers[i] = element (bytes + (gsize) at * size, entry->tensor.type);
      for (guint d = entry->tensor.n_dims; d-- > 0;)
        {
          at += entry->strides[d];
          if (++index[d] < entry->tensor.shape[d])
            break;
          at -= entry->strides[d] * entry->tensor.shape[d];
          index[d] = 0;
        }
    }
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

float *
checkpoint_read_float (Checkpoint *checkpoint, const CheckpointTensor *tensor, GError **error)
{
  const CheckpointEntry *entry = (const CheckpointEntry *) tensor; /* its first member */
  g_autofree float *numbers = g_try_new (float, (gsize) MAX (tensor->n, 1));
  g_autofree guint8 *bytes = NULL;

  if (numbers == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY, "%s: tensor %s: %.0f MB were refused",
                   checkpoint_path (checkpoint), tensor->name,
                   (double) tensor->n * sizeof (float) / 1e6);
      return NULL;
    }
  if (tensor->n == 0)
    return g_steal_pointer (&numbers);
  if (tensor->type == CHECKPOINT_FLOAT32 && is_contiguous (entry))
    {
      if (!bytes_source_read (checkpoint->source, entry->position,
                              (gsize) tensor->n * sizeof (float), numbers, error))
        return NULL;
      return g_steal_pointer (&numbers);
    }
  bytes = bytes_source_load (checkpoint->source, entry->position,
                             span (entry) * checkpoint_type_size (tensor->type), error);
  if (bytes == NULL)
    return NULL;
  gather (entry, bytes, numbers);
  return g_steal_pointer (&numbers);
}

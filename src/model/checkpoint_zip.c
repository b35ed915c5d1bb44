/* PyTorch's zip form: a pickle that speaks of tensors, and one member for each storage. Members are
 * "<any name>/data.pkl", "<same name>/data/0" and so on. */
#include "model/checkpoint_private.h"

#include "base/error.h"
#include "model/pickle.h"
#include "model/zip.h"

#include <string.h>

#define PICKLE "data.pkl"
#define MAX_PICKLE (64 << 20) /* that of 1,000 tensors has some 200 KB */

typedef struct
{
  GHashTable *by_name; /* of ZipMember */
  char *top;           /* the directory that holds everything, with its slash */
} Members;

static const ZipMember *
find_member (const Members *members, const char *rest)
{
  g_autofree char *name = g_strconcat (members->top, rest, NULL);

  return g_hash_table_lookup (members->by_name, name);
}

/** Shape and strides must keep every element inside the storage, and that inside its member. */
static gboolean
fits_storage (const PickleTensor *tensor, const ZipMember *member)
{
  guint64 storage_n, last = (guint64) tensor->offset, n = 1;

  if (tensor->storage_n < 0 || tensor->offset < 0)
    return FALSE;
  storage_n = (guint64) tensor->storage_n;
  if (storage_n > member->size / checkpoint_type_size (tensor->type) || last > storage_n)
    return FALSE;
  for (guint i = 0; i < tensor->n_dims; i++)
    {
      guint64 reach;

      if (tensor->shape[i] < 0 || tensor->strides[i] < 0
          || !g_uint64_checked_mul (&n, n, (guint64) tensor->shape[i]) || n > G_MAXINT64)
        return FALSE;
      if (tensor->shape[i] == 0)
        continue;
      if (!g_uint64_checked_mul (&reach, (guint64) tensor->shape[i] - 1,
                                 (guint64) tensor->strides[i])
          || !g_uint64_checked_add (&last, last, reach))
        return FALSE;
    }
  return n == 0 || last < storage_n;
}

static gboolean
add_tensor (Checkpoint *checkpoint, const Members *members, const PickleTensor *tensor,
            GError **error)
{
  g_autofree char *rest = g_strconcat ("data/", tensor->storage, NULL);
  const ZipMember *member = find_member (members, rest);
  CheckpointEntry entry = { .tensor = { .type = tensor->type, .n_dims = tensor->n_dims, .n = 1 } };

  if (member == NULL || !fits_storage (tensor, member))
    {
      g_autofree char *name = g_strescape (tensor->name, NULL);

      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: tensor %s: %s; the file is damaged or forged, fetch it again",
                   bytes_source_name (checkpoint->source), name,
                   member == NULL ? "its numbers are missing" : "it reaches outside its storage");
      return FALSE;
    }
  for (guint i = 0; i < tensor->n_dims; i++)
    {
      entry.tensor.shape[i] = tensor->shape[i];
      entry.tensor.n *= tensor->shape[i];
      /* One element has no next one, and its stride may be anything. */
      entry.strides[i] = tensor->shape[i] > 1 ? tensor->strides[i] : 0;
    }
  entry.position = member->offset + (guint64) tensor->offset * checkpoint_type_size (tensor->type);
  return checkpoint_add (checkpoint, tensor->name, &entry, error);
}

/** Newer files say their byte order; all are little but for those made on rare machines. */
static gboolean
check_byte_order (Checkpoint *checkpoint, const Members *members, GError **error)
{
  const ZipMember *member = find_member (members, "byteorder");
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

static GPtrArray *
read_pickle (Checkpoint *checkpoint, const Members *members, GError **error)
{
  const char *path = bytes_source_name (checkpoint->source);
  const ZipMember *member = find_member (members, PICKLE);
  g_autofree guint8 *pickle = NULL;

  if (member->size > MAX_PICKLE)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: its " PICKLE " has %.0f MB, more than any state dict's; save only the "
                   "state dict",
                   path, (double) member->size / 1e6);
      return NULL;
    }
  pickle = bytes_source_load (checkpoint->source, member->offset, (gsize) member->size, error);
  return pickle != NULL ? pickle_read_tensors (pickle, (gsize) member->size, path, error) : NULL;
}

gboolean
checkpoint_read_zip_contents (Checkpoint *checkpoint, GError **error)
{
  g_autoptr (GPtrArray) list = zip_read_members (checkpoint->source, error);
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) tensors = NULL;
  g_autofree char *top = NULL;
  Members members = { .by_name = by_name };

  if (list == NULL)
    return FALSE;
  for (guint i = 0; i < list->len; i++)
    {
      ZipMember *member = g_ptr_array_index (list, i);

      g_hash_table_insert (by_name, member->name, member);
      if (top == NULL && g_str_has_suffix (member->name, "/" PICKLE))
        members.top = top = g_strndup (member->name, strlen (member->name) - strlen (PICKLE));
    }
  if (top == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: is a zip archive but no PyTorch checkpoint (it holds no " PICKLE ")",
                   bytes_source_name (checkpoint->source));
      return FALSE;
    }
  if (!check_byte_order (checkpoint, &members, error))
    return FALSE;
  tensors = read_pickle (checkpoint, &members, error);
  for (guint i = 0; tensors != NULL && i < tensors->len; i++)
    if (!add_tensor (checkpoint, &members, g_ptr_array_index (tensors, i), error))
      return FALSE;
  return tensors != NULL;
}

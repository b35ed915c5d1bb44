/* PyTorch's zip form, as torch.save writes it: data.pkl first, every storage aligned to 64 bytes.
 */
#include "model/checkpoint_private.h"

#include "base/error.h"
#include "base/output_file.h"

#include <string.h>
#include <zlib.h>

#define TOP "archive"
#define ALIGNMENT 64
#define MAX_ITEMS 65000 /* a zip without zip64 holds 65,535 members */
#define BATCH 1000      /* items between two SETITEMS, as Python's pickler does */

/* ---- items ---- */

gsize
checkpoint_item_n (const CheckpointItem *item)
{
  gsize n = 1;

  for (guint i = 0; i < item->n_dims; i++)
    n *= (gsize) item->shape[i];
  return n;
}

const float *
checkpoint_item_numbers (const CheckpointItem *item, float **made, GError **error)
{
  gsize n = checkpoint_item_n (item);

  if (item->data != NULL)
    return item->data;
  *made = g_try_new (float, MAX (n, 1));
  if (*made == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                   "tensor %s: %.0f MB of memory were refused", item->name,
                   (double) n * sizeof **made / 1e6);
      return NULL;
    }
  return n == 0 || item->fill (*made, n, item->user_data, error) ? *made : NULL;
}

/* ---- little-endian bytes ---- */

static void
put (GByteArray *bytes, guint64 value, guint n)
{
  for (; n-- > 0; value >>= 8)
    {
      guint8 byte = value & 0xff;

      g_byte_array_append (bytes, &byte, 1);
    }
}

static void
put_text (GByteArray *bytes, const char *text)
{
  g_byte_array_append (bytes, (const guint8 *) text, (guint) strlen (text));
}

/* ---- the pickle ---- */

static void
pickle_text (GByteArray *pickle, const char *text)
{
  put (pickle, 'X', 1);
  put (pickle, strlen (text), 4);
  put_text (pickle, text);
}

static void
pickle_integer (GByteArray *pickle, gint64 value)
{
  if (value >= 0 && value < 256)
    {
      put (pickle, 'K', 1);
      put (pickle, (guint64) value, 1);
    }
  else if (value <= G_MAXINT32)
    {
      put (pickle, 'J', 1);
      put (pickle, (guint64) value, 4);
    }
  else
    {
      put (pickle, 0x8a, 1);
      put (pickle, 8, 1);
      put (pickle, (guint64) value, 8);
    }
}

static void
pickle_integers (GByteArray *pickle, const gint64 *values, guint n)
{
  put (pickle, '(', 1);
  for (guint i = 0; i < n; i++)
    pickle_integer (pickle, values[i]);
  put (pickle, 't', 1);
}

/** _rebuild_tensor_v2 (storage, 0, shape, strides, False, OrderedDict ()) */
static void
pickle_tensor (GByteArray *pickle, const CheckpointItem *item, guint key)
{
  g_autofree char *key_text = g_strdup_printf ("%u", key);
  gint64 strides[CHECKPOINT_MAX_DIMS], reach = 1;

  for (guint i = item->n_dims; i-- > 0; reach *= MAX (item->shape[i], 1))
    strides[i] = reach;
  put_text (pickle, "ctorch._utils\n_rebuild_tensor_v2\n((");
  pickle_text (pickle, "storage");
  put_text (pickle, "ctorch\nFloatStorage\n");
  pickle_text (pickle, key_text);
  pickle_text (pickle, "cpu");
  pickle_integer (pickle, (gint64) checkpoint_item_n (item));
  put_text (pickle, "tQ");
  pickle_integer (pickle, 0);
  pickle_integers (pickle, item->shape, item->n_dims);
  pickle_integers (pickle, strides, item->n_dims);
  put (pickle, 0x89, 1);
  put_text (pickle, "ccollections\nOrderedDict\n)RtR");
}

static GByteArray *
state_dict_pickle (const CheckpointItem *items, guint n)
{
  GByteArray *pickle = g_byte_array_new ();

  put (pickle, 0x80, 1);
  put (pickle, 2, 1);
  put_text (pickle, "ccollections\nOrderedDict\n)R");
  for (guint i = 0; i < n; i++)
    {
      if (i % BATCH == 0)
        put_text (pickle, "(");
      pickle_text (pickle, items[i].name);
      pickle_tensor (pickle, &items[i], i);
      if (i % BATCH == BATCH - 1 || i == n - 1)
        put_text (pickle, "u");
    }
  put_text (pickle, ".");
  return pickle;
}

/* ---- the archive ---- */

typedef struct
{
  OutputFile *file;
  guint64 at;
  GByteArray *directory;
  guint n;
} Archive;

static gboolean
archive_write (Archive *archive, const void *data, gsize size, GError **error)
{
  archive->at += size;
  return output_file_write (archive->file, data, size, error);
}

/** The fields that local header and directory share, from "version needed" to the name's length. */
static void
put_common (GByteArray *bytes, guint32 crc, gsize size, gsize name_size)
{
  put (bytes, 20, 2);   /* version needed */
  put (bytes, 0, 2);    /* flags */
  put (bytes, 0, 2);    /* stored */
  put (bytes, 0, 2);    /* time */
  put (bytes, 0x21, 2); /* 1 January 1980: the same input gives the same bytes */
  put (bytes, crc, 4);
  put (bytes, size, 4);
  put (bytes, size, 4);
  put (bytes, name_size, 2);
}

static gboolean
archive_add (Archive *archive, const char *name, const void *data, gsize size, GError **error)
{
  g_autofree char *full = g_strconcat (TOP "/", name, NULL);
  gsize name_size = strlen (full);
  guint32 crc = (guint32) crc32_z (0, data, size);
  guint64 local = archive->at;
  gsize padding = (ALIGNMENT - (local + 30 + name_size + 4) % ALIGNMENT) % ALIGNMENT;
  g_autoptr (GByteArray) header = g_byte_array_new ();

  if (local + size > G_MAXUINT32 - G_MAXUINT16)
    {
      g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                           "checkpoints of 4 GiB and more are not written; export the head alone");
      return FALSE;
    }
  put (header, 0x04034b50, 4);
  put_common (header, crc, size, name_size);
  put (header, 4 + padding, 2);
  put_text (header, full);
  put_text (header, "FB"); /* PyTorch's own extra field, for alignment */
  put (header, padding, 2);
  for (gsize i = 0; i < padding; i++)
    put (header, 'Z', 1);

  put (archive->directory, 0x02014b50, 4);
  put (archive->directory, 20, 2); /* made by */
  put_common (archive->directory, crc, size, name_size);
  put (archive->directory, 0, 2); /* extra */
  put (archive->directory, 0, 2); /* comment */
  put (archive->directory, 0, 2); /* disk */
  put (archive->directory, 0, 2);
  put (archive->directory, 0, 4);
  put (archive->directory, local, 4);
  put_text (archive->directory, full);
  archive->n++;
  return archive_write (archive, header->data, header->len, error)
         && archive_write (archive, data, size, error);
}

static gboolean
archive_end (Archive *archive, GError **error)
{
  g_autoptr (GByteArray) end = g_byte_array_new ();

  put (end, 0x06054b50, 4);
  put (end, 0, 4);
  put (end, archive->n, 2);
  put (end, archive->n, 2);
  put (end, archive->directory->len, 4);
  put (end, archive->at, 4);
  put (end, 0, 2);
  return archive_write (archive, archive->directory->data, archive->directory->len, error)
         && archive_write (archive, end->data, end->len, error);
}

static gboolean
add_item (Archive *archive, const CheckpointItem *item, guint key, GError **error)
{
  g_autofree char *name = g_strdup_printf ("data/%u", key);
  g_autofree float *made = NULL;
  const float *numbers = checkpoint_item_numbers (item, &made, error);

  return numbers != NULL
         && archive_add (archive, name, numbers, checkpoint_item_n (item) * sizeof *numbers, error);
}

gboolean
checkpoint_write_zip (const char *path, gboolean replace, const CheckpointItem *items, guint n,
                      GError **error)
{
  g_autoptr (OutputFile) file = output_file_open (path, replace, error);
  g_autoptr (GByteArray) pickle = NULL;
  g_autoptr (GByteArray) directory = g_byte_array_new ();
  Archive archive = { .file = file, .directory = directory };

  if (file == NULL)
    return FALSE;
  if (n > MAX_ITEMS)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: %u tensors are more than this form holds; export the head alone", path, n);
      return FALSE;
    }
  pickle = state_dict_pickle (items, n);
  if (!archive_add (&archive, "data.pkl", pickle->data, pickle->len, error)
      || !archive_add (&archive, "byteorder", "little", 6, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!add_item (&archive, &items[i], i, error))
      return FALSE;
  return archive_add (&archive, "version", "3\n", 2, error) && archive_end (&archive, error)
         && output_file_commit (file, error);
}

#include "forged_files.h"

#include "model/checkpoint.h"
#include "testing.h"

#include <string.h>

static void
put (GString *bytes, guint64 value, guint n)
{
  for (; n-- > 0; value >>= 8)
    g_string_append_c (bytes, (char) (value & 0xff));
}

/* ---- pickles ---- */

void
forged_text (GString *pickle, const char *text)
{
  put (pickle, 0x8c, 1);
  put (pickle, strlen (text), 1);
  g_string_append (pickle, text);
}

/** As Python writes it: as few bytes as keep the sign. */
void
forged_number (GString *pickle, gint64 number)
{
  guint n = 1;

  while (n < 8 && number >> (8 * n - 1) != (number < 0 ? -1 : 0))
    n++;
  put (pickle, 0x8a, 1);
  put (pickle, n, 1);
  put (pickle, (guint64) number, n);
}

void
forged_tuple (GString *pickle, const gint64 *numbers, guint n)
{
  g_string_append_c (pickle, '(');
  for (guint i = 0; i < n; i++)
    forged_number (pickle, numbers[i]);
  g_string_append_c (pickle, 't');
}

void
forged_tensor (GString *pickle, const ForgedTensor *tensor)
{
  g_string_append (pickle, "ctorch._utils\n_rebuild_tensor_v2\n((");
  forged_text (pickle, "storage");
  g_string_append_printf (pickle, "ctorch\n%s\n", tensor->storage_type);
  forged_text (pickle, tensor->key);
  forged_text (pickle, "cuda:0");
  forged_number (pickle, tensor->storage_n);
  g_string_append (pickle, "tQ");
  forged_number (pickle, tensor->offset);
  forged_tuple (pickle, tensor->shape, tensor->n_dims);
  forged_tuple (pickle, tensor->strides, tensor->n_dims);
  g_string_append (pickle, "\x89"
                           "ccollections\nOrderedDict\n)RtR");
}

GString *
forged_state_dict (const ForgedTensor *tensor)
{
  GString *pickle = g_string_new ("\x80\x02}");

  forged_text (pickle, "x");
  forged_tensor (pickle, tensor);
  g_string_append (pickle, "s.");
  return pickle;
}

/* ---- archives ---- */

/** The zip64 extra field, behind one of another kind. */
static void
put_extra (GString *extra, guint64 size, guint64 header, const ForgedArchive *archive)
{
  gboolean sizes = archive->form == FORGED_ZIP64;

  if (archive->form == FORGED_ZIP32)
    return;
  put (extra, 0x5455, 2);
  put (extra, 2, 2);
  put (extra, 0, 2);
  put (extra, 0x0001, 2);
  put (extra, (guint64) ((sizes ? 24 : 8) + archive->extra_shift), 2);
  if (sizes)
    {
      put (extra, size, 8);
      put (extra, size, 8);
    }
  put (extra, header, 8);
}

/** One entry of the directory. */
static void
put_entry (GString *directory, const ForgedMember *member, guint64 header,
           const ForgedArchive *archive)
{
  guint64 size = member->claimed_size > 0 ? member->claimed_size : member->size;
  guint64 short_size = archive->form == FORGED_ZIP64 ? G_MAXUINT32 : size;
  g_autoptr (GString) extra = g_string_new (NULL);

  put_extra (extra, size, header, archive);
  put (directory, 0x02014b50, 4);
  put (directory, 45 | 45 << 16, 4); /* versions */
  put (directory, member->flags, 2);
  put (directory, member->method, 2);
  put (directory, 0, 4); /* time */
  put (directory, 0, 4); /* check sum, which the reader does not ask for */
  put (directory, short_size, 4);
  put (directory, short_size, 4);
  put (directory, strlen (member->name), 2);
  put (directory, extra->len, 2);
  put (directory, 0, 2 + 2 + 2 + 4); /* comment, disk, attributes */
  put (directory, archive->form != FORGED_ZIP32 ? G_MAXUINT32 : header, 4);
  g_string_append (directory, member->name);
  g_string_append_len (directory, extra->str, (gssize) extra->len);
}

/** The end of the archive, from the zip64 record on. */
static void
put_end (GString *bytes, guint64 n, guint64 directory_place, guint64 directory_size,
         const ForgedArchive *archive)
{
  guint64 record = bytes->len + (guint64) archive->record_shift;
  gboolean zip64 = archive->form != FORGED_ZIP32;

  if (zip64)
    {
      put (bytes, 0x06064b50, 4);
      put (bytes, 44, 8);
      put (bytes, 45 | 45 << 16, 4);
      put (bytes, 0, 8); /* disks */
      put (bytes, n, 8);
      put (bytes, n, 8);
      put (bytes, directory_size, 8);
      put (bytes, directory_place, 8);
      put (bytes, 0x07064b50, 4);
      put (bytes, 0, 4);
      put (bytes, record, 8);
      put (bytes, 1, 4);
    }
  put (bytes, 0x06054b50, 4);
  put (bytes, 0, 4);
  put (bytes, zip64 ? G_MAXUINT16 : n, 2);
  put (bytes, zip64 ? G_MAXUINT16 : n, 2);
  put (bytes, zip64 ? G_MAXUINT32 : directory_size, 4);
  put (bytes, zip64 ? G_MAXUINT32 : directory_place, 4);
  put (bytes, 0, 2);
}

char *
forged_zip (const char *file_name, const ForgedMember *members, guint n,
            const ForgedArchive *archive)
{
  g_autoptr (GString) bytes = g_string_new (NULL);
  g_autoptr (GString) directory = g_string_new (NULL);
  g_autoptr (GHashTable) headers = g_hash_table_new (g_str_hash, g_str_equal);
  guint64 start;

  for (guint i = 0; i < n; i++)
    {
      const ForgedMember *member = &members[i];
      const char *place = member->points_to != NULL ? member->points_to : member->name;
      guint64 header;

      g_hash_table_insert (headers, (char *) member->name, GSIZE_TO_POINTER (bytes->len));
      put (bytes, 0x04034b50, 4);
      put (bytes, 0, 22); /* everything that the directory says */
      put (bytes, strlen (member->name), 2);
      put (bytes, 0, 2);
      g_string_append (bytes, member->name);
      g_string_append_len (bytes, member->data, (gssize) member->size);
      header = GPOINTER_TO_SIZE (g_hash_table_lookup (headers, place));
      put_entry (directory, member, header + (guint64) member->header_shift, archive);
    }
  start = bytes->len;
  g_string_append_len (bytes, directory->str, (gssize) directory->len);
  put_end (bytes, n + (guint64) archive->claimed_members,
           start + (guint64) archive->directory_shift, directory->len, archive);
  return testing_write (file_name, bytes->str, bytes->len);
}

char *
forged_checkpoint (const char *file_name, GString *pickle, const void *storage, gsize size)
{
  const ForgedArchive honest = { 0 };
  const ForgedMember members[] = {
    { .name = "forged/data.pkl", .data = pickle->str, .size = pickle->len },
    { .name = "forged/data/0", .data = storage, .size = size },
  };
  char *path = forged_zip (file_name, members, size > 0 ? 2 : 1, &honest);

  g_string_free (pickle, TRUE);
  return path;
}

/* ---- what comes of them ---- */

void
forged_expect_refused (const char *path, CtclipError code, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_path_get_basename (path);

  if (checkpoint_open (path, &error) != NULL)
    fail_msg ("%s was accepted; it should be refused with '%s'", name, says);
  if (!g_error_matches (error, CTCLIP_ERROR, (int) code))
    fail_msg ("'%s' has code %d, not %d", error->message, error->code, (int) code);
  assert_error_says (&error, name, says, NULL);
}

float *
forged_read_x (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) file = checkpoint_open (path, &error);
  float *numbers;

  assert_no_error (error);
  assert_int_equal (checkpoint_n_tensors (file), 1);
  numbers = checkpoint_read_float (file, checkpoint_find (file, "x"), &error);
  assert_no_error (error);
  return numbers;
}

/* Layout: APPNOTE.TXT 6.3.10 (PKWARE), sections 4.3.7, 4.3.12, 4.3.14-4.3.16, 4.5.3. */
#include "model/zip.h"

#include "base/error.h"

#include <string.h>

#define END_SIGNATURE 0x06054b50
#define END64_LOCATOR_SIGNATURE 0x07064b50
#define END64_SIGNATURE 0x06064b50
#define CENTRAL_SIGNATURE 0x02014b50
#define LOCAL_SIGNATURE 0x04034b50
#define END_SIZE 22
#define END64_LOCATOR_SIZE 20
#define END64_SIZE 56
#define CENTRAL_SIZE 46
#define LOCAL_SIZE 30
#define MAX_COMMENT 65535
#define MAX_DIRECTORY (64 << 20)
#define IN_ZIP64 0xffffffffu
#define ZIP64_EXTRA 0x0001

static guint64
read_le (const guint8 *bytes, guint n)
{
  guint64 value = 0;

  while (n-- > 0)
    value = value << 8 | bytes[n];
  return value;
}

static gboolean
corrupt (BytesSource *source, const char *fault, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: %s; the file is damaged, fetch it again", bytes_source_name (source), fault);
  return FALSE;
}

static void
member_free (gpointer data)
{
  ZipMember *member = data;

  g_free (member->name);
  g_free (member);
}

typedef struct
{
  guint64 offset, size, n;
} Directory;

/** Where the central directory lies, from the record at the end of the file. */
static gboolean
find_directory (BytesSource *source, Directory *directory, GError **error)
{
  guint64 file_size = bytes_source_size (source);
  gsize tail_size = (gsize) MIN (file_size, END_SIZE + MAX_COMMENT + END64_LOCATOR_SIZE);
  g_autofree guint8 *tail = bytes_source_load (source, file_size - tail_size, tail_size, error);
  const guint8 *end = NULL;

  if (tail == NULL)
    return FALSE;
  for (gsize i = tail_size; i >= END_SIZE && end == NULL; i--)
    if (read_le (tail + i - END_SIZE, 4) == END_SIGNATURE)
      end = tail + i - END_SIZE;
  if (end == NULL)
    return corrupt (source, "its table of contents is missing", error);
  directory->n = read_le (end + 10, 2);
  directory->size = read_le (end + 12, 4);
  directory->offset = read_le (end + 16, 4);
  if (end - tail >= END64_LOCATOR_SIZE
      && read_le (end - END64_LOCATOR_SIZE, 4) == END64_LOCATOR_SIGNATURE)
    {
      guint8 end64[END64_SIZE];

      if (!bytes_source_read (source, read_le (end - END64_LOCATOR_SIZE + 8, 8), END64_SIZE, end64,
                              error))
        return FALSE;
      if (read_le (end64, 4) != END64_SIGNATURE)
        return corrupt (source, "its zip64 record is not where it should be", error);
      directory->n = read_le (end64 + 32, 8);
      directory->size = read_le (end64 + 40, 8);
      directory->offset = read_le (end64 + 48, 8);
    }
  if (directory->size > MAX_DIRECTORY || directory->n > directory->size / CENTRAL_SIZE)
    return corrupt (source, "its table of contents has an impossible size", error);
  return TRUE;
}

/** Sizes and offset that do not fit 32 bits stand in an extra field, in this order, where the short
 * ones are all ones. */
static gboolean
read_zip64_extra (const guint8 *extra, gsize size, guint64 *uncompressed, guint64 *compressed,
                  guint64 *offset)
{
  guint64 *const values[] = { uncompressed, compressed, offset };

  while (size >= 4)
    {
      gsize field = (gsize) read_le (extra + 2, 2);

      if (field > size - 4)
        return FALSE;
      if (read_le (extra, 2) == ZIP64_EXTRA)
        {
          const guint8 *at = extra + 4, *end = at + field;

          for (guint i = 0; i < G_N_ELEMENTS (values); i++)
            if (*values[i] == IN_ZIP64)
              {
                if (end - at < 8)
                  return FALSE;
                *values[i] = read_le (at, 8);
                at += 8;
              }
          return TRUE;
        }
      extra += 4 + field;
      size -= 4 + field;
    }
  return TRUE;
}

/** Data lies behind the local header, whose name and extra field have lengths of their own. */
static gboolean
find_data (BytesSource *source, ZipMember *member, GError **error)
{
  guint8 header[LOCAL_SIZE];

  if (!bytes_source_read (source, member->header, LOCAL_SIZE, header, error))
    return FALSE;
  if (read_le (header, 4) != LOCAL_SIGNATURE)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: member %s is not where the table of contents says",
                   bytes_source_name (source), member->name);
      return FALSE;
    }
  member->offset =
      member->header + LOCAL_SIZE + read_le (header + 26, 2) + read_le (header + 28, 2);
  if (member->offset > bytes_source_size (source)
      || member->size > bytes_source_size (source) - member->offset)
    {
      g_set_error (
          error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
          "%s: member %s reaches past the end of the file; it is truncated, fetch it again",
          bytes_source_name (source), member->name);
      return FALSE;
    }
  return TRUE;
}

/** One entry of the central directory; advances @at. */
static ZipMember *
read_entry (BytesSource *source, const guint8 **at, const guint8 *end, GError **error)
{
  const guint8 *entry = *at;
  gsize name_size, extra_size, comment_size;
  guint64 compressed, uncompressed, header;
  ZipMember *member;

  if (end - entry < CENTRAL_SIZE || read_le (entry, 4) != CENTRAL_SIGNATURE)
    {
      corrupt (source, "its table of contents cannot be read", error);
      return NULL;
    }
  compressed = read_le (entry + 20, 4);
  uncompressed = read_le (entry + 24, 4);
  name_size = (gsize) read_le (entry + 28, 2);
  extra_size = (gsize) read_le (entry + 30, 2);
  comment_size = (gsize) read_le (entry + 32, 2);
  header = read_le (entry + 42, 4);
  if ((gsize) (end - entry) - CENTRAL_SIZE < name_size + extra_size + comment_size
      || !read_zip64_extra (entry + CENTRAL_SIZE + name_size, extra_size, &uncompressed,
                            &compressed, &header))
    {
      corrupt (source, "its table of contents cannot be read", error);
      return NULL;
    }
  member = g_new0 (ZipMember, 1);
  member->name = g_strndup ((const char *) entry + CENTRAL_SIZE, name_size);
  member->size = uncompressed;
  member->header = header;
  *at = entry + CENTRAL_SIZE + name_size + extra_size + comment_size;
  if (!bytes_source_check_name (source, member->name, error))
    g_clear_pointer (&member, member_free);
  else if (read_le (entry + 10, 2) != 0 || compressed != uncompressed || (entry[8] & 1))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: member %s is compressed or encrypted, which PyTorch never writes; save it "
                   "anew with torch.save",
                   bytes_source_name (source), member->name);
      g_clear_pointer (&member, member_free);
    }
  else if (!find_data (source, member, error))
    g_clear_pointer (&member, member_free);
  return member;
}

static gint
compare_offsets (gconstpointer a, gconstpointer b)
{
  const ZipMember *x = *(ZipMember *const *) a, *y = *(ZipMember *const *) b;

  return (x->offset > y->offset) - (x->offset < y->offset);
}

/** Sorted members may share no byte with each other or with the directory behind them, nor a name:
 * two readers would read such a file in two ways. */
static gboolean
check_members (BytesSource *source, GPtrArray *members, guint64 directory_offset, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < members->len; i++)
    {
      const ZipMember *member = g_ptr_array_index (members, i),
                      *next = i + 1 < members->len ? g_ptr_array_index (members, i + 1) : NULL;

      if (member->offset + member->size > (next != NULL ? next->header : directory_offset))
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                       "%s: members %s and %s overlap; the file is damaged or forged",
                       bytes_source_name (source), member->name,
                       next != NULL ? next->name : "the table of contents");
          return FALSE;
        }
      if (!g_hash_table_add (names, member->name))
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                       "%s: two members are called %s; the file is damaged or forged",
                       bytes_source_name (source), member->name);
          return FALSE;
        }
    }
  return TRUE;
}

GPtrArray *
zip_read_members (BytesSource *source, GError **error)
{
  g_autoptr (GPtrArray) members = g_ptr_array_new_with_free_func (member_free);
  g_autofree guint8 *bytes = NULL;
  Directory directory = { 0 };
  const guint8 *at;

  if (!find_directory (source, &directory, error))
    return NULL;
  bytes = bytes_source_load (source, directory.offset, (gsize) directory.size, error);
  if (bytes == NULL)
    return NULL;
  at = bytes;
  for (guint64 i = 0; i < directory.n; i++)
    {
      ZipMember *member = read_entry (source, &at, bytes + directory.size, error);

      if (member == NULL)
        return NULL;
      g_ptr_array_add (members, member);
    }
  g_ptr_array_sort (members, compare_offsets);
  if (!check_members (source, members, directory.offset, error))
    return NULL;
  return g_steal_pointer (&members);
}

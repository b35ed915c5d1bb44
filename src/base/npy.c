#include "base/npy.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_HEADER_SIZE 65536

static const struct
{
  const char *code;
  gsize size;
} types[] = {
  [NPY_UINT8] = { "u1", 1 },   [NPY_INT8] = { "i1", 1 },  [NPY_INT16] = { "i2", 2 },
  [NPY_INT32] = { "i4", 4 },   [NPY_INT64] = { "i8", 8 }, [NPY_FLOAT32] = { "f4", 4 },
  [NPY_FLOAT64] = { "f8", 8 },
};

gsize
npy_type_size (NpyType type)
{
  return types[type].size;
}

void
npy_array_free (NpyArray *array)
{
  g_free (array->data);
  g_free (array);
}

NpyArray *
npy_array_new (NpyType type, guint n_dims, const gsize *shape, GError **error)
{
  g_autoptr (NpyArray) array = g_new0 (NpyArray, 1);
  gsize bytes;
  gboolean fits = n_dims <= NPY_MAX_DIMS;

  array->type = type;
  array->n_dims = n_dims;
  array->n = 1;
  for (guint i = 0; fits && i < n_dims; i++)
    {
      array->shape[i] = shape[i];
      fits = g_size_checked_mul (&array->n, array->n, shape[i]);
    }
  fits = fits && g_size_checked_mul (&bytes, array->n, npy_type_size (type));
  if (fits)
    array->data = g_try_malloc0 (MAX (bytes, 1));
  if (array->data == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                   "%.1f MB for an array of %" G_GSIZE_FORMAT " numbers were refused",
                   (double) array->n * (double) npy_type_size (type) / 1e6, array->n);
      return NULL;
    }
  return g_steal_pointer (&array);
}

/* ---- reading ---- */

static gboolean
corrupt (const char *path, const char *fault, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT, "%s: %s; save it anew with numpy.save",
               path, fault);
  return FALSE;
}

/** Where the value of a key of the header's Python dictionary starts; %NULL if the key is not
 * there. */
static const char *
header_value (const char *header, const char *key)
{
  g_autofree char *quoted = g_strdup_printf ("'%s':", key);
  const char *value = strstr (header, quoted);

  if (value == NULL)
    return NULL;
  value += strlen (quoted);
  while (*value == ' ')
    value++;
  return value;
}

typedef struct
{
  NpyType type;
  gboolean swapped, fortran;
  guint n_dims;
  gsize shape[NPY_MAX_DIMS];
} Header;

static gboolean
parse_type (const char *descr, Header *header)
{
  if (descr == NULL || (*descr != '\'' && *descr != '"') || descr[1] == '\0'
      || strchr ("<>|=", descr[1]) == NULL)
    return FALSE;
  header->swapped = descr[1] == '>';
  if (strncmp (descr + 2, "b1", 2) == 0)
    {
      header->type = NPY_UINT8;
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (strncmp (descr + 2, types[i].code, 2) == 0 && descr[4] == descr[0])
      {
        header->type = (NpyType) i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
parse_shape (const char *text, Header *header)
{
  if (text == NULL || *text++ != '(')
    return FALSE;
  for (;;)
    {
      char *end;

      while (*text == ' ' || *text == ',')
        text++;
      if (*text == ')')
        return TRUE;
      if (!g_ascii_isdigit (*text) || header->n_dims == NPY_MAX_DIMS)
        return FALSE;
      header->shape[header->n_dims++] = g_ascii_strtoull (text, &end, 10);
      text = end;
    }
}

static gboolean
parse_header (const char *path, const char *text, Header *header, GError **error)
{
  const char *order = header_value (text, "fortran_order");

  if (!parse_type (header_value (text, "descr"), header))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: its numbers are of a type that is not read; convert it with numpy's "
                   "astype('float32')",
                   path);
      return FALSE;
    }
  if (order == NULL || !parse_shape (header_value (text, "shape"), header))
    return corrupt (path, "its header cannot be read", error);
  header->fortran = g_str_has_prefix (order, "True");
  return TRUE;
}

static gboolean
read_header (const char *path, FILE *stream, Header *header, GError **error)
{
  guint8 start[12];
  guint32 length;
  g_autofree char *text = NULL;

  if (fread (start, 1, 10, stream) != 10 || memcmp (start, "\x93NUMPY", 6) != 0 || start[6] < 1
      || start[6] > 3)
    return corrupt (path, "is not a NumPy .npy file", error);
  length = start[8] | (guint32) start[9] << 8;
  if (start[6] > 1)
    {
      if (fread (start + 10, 1, 2, stream) != 2)
        return corrupt (path, "ends inside its header", error);
      length |= (guint32) start[10] << 16 | (guint32) start[11] << 24;
    }
  if (length > MAX_HEADER_SIZE)
    return corrupt (path, "its header is longer than any array needs", error);
  text = g_malloc0 (length + 1);
  if (fread (text, 1, length, stream) != length)
    return corrupt (path, "ends inside its header", error);
  return parse_header (path, text, header, error);
}

static void
swap_bytes (guint8 *data, gsize n, gsize size)
{
  for (gsize i = 0; i < n; i++, data += size)
    for (gsize j = 0; j < size / 2; j++)
      {
        guint8 byte = data[j];

        data[j] = data[size - 1 - j];
        data[size - 1 - j] = byte;
      }
}

/** Fortran order to C order, through a copy. */
static gboolean
transpose (NpyArray *array, GError **error)
{
  gsize size = npy_type_size (array->type);
  g_autoptr (NpyArray) turned = npy_array_new (array->type, array->n_dims, array->shape, error);
  gsize index[NPY_MAX_DIMS] = { 0 };
  gpointer data;

  if (turned == NULL)
    return FALSE;
  for (gsize i = 0; i < array->n; i++)
    {
      gsize from = 0;

      for (guint d = array->n_dims; d-- > 0;)
        from = from * array->shape[d] + index[d];
      memcpy ((guint8 *) turned->data + i * size, (guint8 *) array->data + from * size, size);
      for (guint d = array->n_dims; d-- > 0;)
        {
          if (++index[d] < array->shape[d])
            break;
          index[d] = 0;
        }
    }
  data = array->data;
  array->data = turned->data;
  turned->data = data;
  return TRUE;
}

static NpyArray *
read_array (const char *path, FILE *stream, GError **error)
{
  Header header = { 0 };
  struct stat info;
  gsize n = 1, bytes = 0;
  g_autoptr (NpyArray) array = NULL;

  if (!read_header (path, stream, &header, error))
    return NULL;
  for (guint i = 0; i < header.n_dims; i++)
    if (!g_size_checked_mul (&n, n, header.shape[i]))
      n = G_MAXSIZE;
  if (!g_size_checked_mul (&bytes, n, npy_type_size (header.type))
      || fstat (fileno (stream), &info) != 0 || (guint64) info.st_size < bytes
      || (guint64) info.st_size - bytes < (guint64) ftello (stream))
    {
      corrupt (path, "holds fewer numbers than its header says", error);
      return NULL;
    }
  array = npy_array_new (header.type, header.n_dims, header.shape, error);
  if (array == NULL)
    return NULL;
  if (fread (array->data, 1, bytes, stream) != bytes)
    {
      corrupt (path, "cannot be read to its end", error);
      return NULL;
    }
  if (header.swapped)
    swap_bytes (array->data, n, npy_type_size (header.type));
  if (header.fortran && header.n_dims > 1 && !transpose (array, error))
    return NULL;
  return g_steal_pointer (&array);
}

NpyArray *
npy_read (const char *path, GError **error)
{
  struct stat info;
  FILE *stream;
  NpyArray *array;

  /* Opening a pipe would wait for its other end. */
  if (stat (path, &info) == 0 && !S_ISREG (info.st_mode))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: is not a file; name an .npy file", path);
      return NULL;
    }
  stream = fopen (path, "rbe");
  if (stream == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, errno == ENOENT ? CTCLIP_ERROR_NOT_FOUND : CTCLIP_ERROR_IO,
                   "%s: cannot be opened: %s", path, g_strerror (errno));
      return NULL;
    }
  array = read_array (path, stream, error);
  fclose (stream);
  return array;
}

/* ---- writing ---- */

OutputFile *
npy_begin (const char *path, gboolean replace, NpyType type, guint n_dims, const gsize *shape,
           const void *data, GError **error)
{
  g_autoptr (OutputFile) file = output_file_open (path, replace, error);
  g_autoptr (GString) header = g_string_new (NULL);
  guint8 start[10] = "\x93NUMPY\x01";
  gsize n = 1;

  if (file == NULL)
    return NULL;
  g_string_printf (header, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                   npy_type_size (type) == 1 ? '|' : '<', types[type].code);
  for (guint i = 0; i < n_dims; i++)
    {
      g_string_append_printf (header, "%" G_GSIZE_FORMAT ",%s", shape[i],
                              i + 1 < n_dims ? " " : "");
      n *= shape[i];
    }
  g_string_append (header, "), }");
  /* The data starts at a multiple of 64 bytes, after a newline. */
  while ((sizeof start + header->len + 1) % 64 != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');
  start[8] = header->len & 0xff;
  start[9] = (guint8) (header->len >> 8);

  if (!output_file_write (file, start, sizeof start, error)
      || !output_file_write (file, header->str, header->len, error)
      || !output_file_write (file, data, n * npy_type_size (type), error))
    return NULL;
  return g_steal_pointer (&file);
}

gboolean
npy_write (const char *path, gboolean replace, NpyType type, guint n_dims, const gsize *shape,
           const void *data, GError **error)
{
  g_autoptr (OutputFile) file = npy_begin (path, replace, type, n_dims, shape, data, error);

  return file != NULL && output_file_commit (file, error);
}

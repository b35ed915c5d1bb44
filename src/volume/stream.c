#include "volume/stream.h"

#include "base/error.h"
#include "volume/inflate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_SIZE ((gsize) 256 << 10)

struct _VolumeStream
{
  char *path;
  int fd;
  FileStamp stamp;
  guint64 file_read;
  GCancellable *cancellable;
  guint8 *input; /* INPUT_SIZE bytes; [in, in + in_n) is what was read and not used yet */
  const guint8 *in;
  gsize in_n;
  gboolean file_ended;
  gboolean ended;     /* no more data will come */
  gboolean truncated; /* ... because the file broke off inside a gzip member */
  gboolean in_member;
  Inflater *inflater; /* %NULL for a plain file */
};

static gssize
read_file (VolumeStream *stream, gpointer buffer, gsize size, GError **error)
{
  gssize n;

  if (g_cancellable_set_error_if_cancelled (stream->cancellable, error))
    return -1;
  do
    n = read (stream->fd, buffer, MIN (size, INPUT_SIZE));
  while (n < 0 && errno == EINTR);
  if (n < 0)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: cannot be read: %s", stream->path,
                 g_strerror (errno));
  else if (n == 0)
    stream->file_ended = TRUE;
  else
    stream->file_read += (guint64) n;
  return n;
}

/** Have at least @wanted bytes of the file at hand, or all that are left. */
static gboolean
fill (VolumeStream *stream, gsize wanted, GError **error)
{
  if (stream->in_n >= wanted)
    return TRUE;
  memmove (stream->input, stream->in, stream->in_n);
  stream->in = stream->input;
  while (stream->in_n < wanted && !stream->file_ended)
    {
      gssize n = read_file (stream, stream->input + stream->in_n, INPUT_SIZE - stream->in_n, error);

      if (n < 0)
        return FALSE;
      stream->in_n += (gsize) n;
    }
  return TRUE;
}

static gboolean
at_gzip_magic (const VolumeStream *stream)
{
  return stream->in_n >= 2 && stream->in[0] == 0x1f && stream->in[1] == 0x8b;
}

VolumeStream *
volume_stream_open (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (VolumeStream) stream = g_new0 (VolumeStream, 1);
  struct stat info;

  stream->path = g_strdup (path);
  /* Without O_NONBLOCK a pipe would be waited for before it can be refused. */
  stream->fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (stream->fd < 0 || fstat (stream->fd, &info) != 0)
    {
      gboolean absent = errno == ENOENT || errno == ENOTDIR;

      g_set_error (error, CTCLIP_ERROR, absent ? CTCLIP_ERROR_NOT_FOUND : CTCLIP_ERROR_IO,
                   "%s: cannot be opened: %s; %s", path, g_strerror (errno),
                   absent ? "check the path" : "check its permissions");
      return NULL;
    }
  if (!S_ISREG (info.st_mode))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s: is not a file; name a .nii or .nii.gz volume", path);
      return NULL;
    }
  posix_fadvise (stream->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  file_stamp_of_open (stream->fd, &stream->stamp);
  stream->input = g_malloc (INPUT_SIZE);
  stream->in = stream->input;
  if (cancellable != NULL)
    stream->cancellable = g_object_ref (cancellable);
  if (!fill (stream, 2, error))
    return NULL;
  if (at_gzip_magic (stream))
    stream->inflater = inflater_new ();
  return g_steal_pointer (&stream);
}

void
volume_stream_free (VolumeStream *stream)
{
  if (stream->fd >= 0)
    close (stream->fd);
  g_clear_pointer (&stream->inflater, inflater_free);
  g_clear_object (&stream->cancellable);
  g_free (stream->input);
  g_free (stream->path);
  g_free (stream);
}

gboolean
volume_stream_is_gzip (const VolumeStream *stream)
{
  return stream->inflater != NULL;
}

gboolean
volume_stream_is_truncated (const VolumeStream *stream)
{
  return stream->truncated;
}

FileStamp
volume_stream_stamp (const VolumeStream *stream)
{
  return stream->stamp;
}

gboolean
volume_stream_changed (const VolumeStream *stream, const FileStamp *stamp)
{
  FileStamp now;

  return file_stamp_of_open (stream->fd, &now) && !file_stamp_equal (&now, stamp);
}

static gssize
read_plain (VolumeStream *stream, guint8 *buffer, gsize size, GError **error)
{
  gsize done = MIN (size, stream->in_n);

  memcpy (buffer, stream->in, done);
  stream->in += done;
  stream->in_n -= done;
  while (done < size && !stream->file_ended)
    {
      gssize n = read_file (stream, buffer + done, size - done, error);

      if (n < 0)
        return -1;
      done += (gsize) n;
    }
  return (gssize) done;
}

/** Begin the next gzip member, or end the stream where none follows. */
static gboolean
begin_member (VolumeStream *stream, GError **error)
{
  if (!fill (stream, 2, error))
    return FALSE;
  if (at_gzip_magic (stream))
    {
      inflater_restart (stream->inflater);
      stream->in_member = TRUE;
    }
  else
    stream->ended = TRUE;
  return TRUE;
}

static gboolean
inflate_failed (const VolumeStream *stream, InflaterStatus status, GError **error)
{
  if (status == INFLATER_NO_MEMORY)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                 "%s: the memory for inflating was refused; close other programs", stream->path);
  else
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                 "%s: %s near byte %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                 "; the file is damaged, download it again",
                 stream->path,
                 status == INFLATER_WRONG_CHECKSUM ? "the gzip checksum is wrong"
                                                   : "the compressed data is broken",
                 stream->file_read - stream->in_n, stream->stamp.size);
  return FALSE;
}

static gboolean
inflate_piece (VolumeStream *stream, InflaterBuffers *buffers, GError **error)
{
  gsize room = buffers->out_n;
  InflaterStatus status;

  if (!fill (stream, 1, error))
    return FALSE;
  buffers->in = stream->in;
  buffers->in_n = stream->in_n;
  status = inflater_step (stream->inflater, buffers);
  stream->in = buffers->in;
  stream->in_n = buffers->in_n;
  if (status == INFLATER_MEMBER_END)
    stream->in_member = FALSE;
  else if (status != INFLATER_MORE)
    return inflate_failed (stream, status, error);
  else if (stream->file_ended && stream->in_n == 0 && buffers->out_n == room)
    stream->ended = stream->truncated = TRUE;
  return TRUE;
}

gssize
volume_stream_read (VolumeStream *stream, gpointer buffer, gsize size, GError **error)
{
  InflaterBuffers buffers = { .out = buffer, .out_n = size };

  if (stream->inflater == NULL)
    return read_plain (stream, buffer, size, error);
  while (buffers.out_n > 0 && !stream->ended)
    {
      if (g_cancellable_set_error_if_cancelled (stream->cancellable, error)
          || !(stream->in_member ? inflate_piece (stream, &buffers, error)
                                 : begin_member (stream, error)))
        return -1;
    }
  return (gssize) (size - buffers.out_n);
}

gboolean
volume_stream_finish (VolumeStream *stream, GError **error)
{
  g_autofree guint8 *rest = NULL;
  gssize n;

  if (stream->inflater == NULL)
    return TRUE; /* nothing to check in the rest of a plain file */
  rest = g_malloc (INPUT_SIZE);
  do
    n = volume_stream_read (stream, rest, INPUT_SIZE, error);
  while (n > 0);
  if (n == 0 && stream->truncated)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: the gzip stream breaks off; the file is truncated, download it again",
                   stream->path);
      return FALSE;
    }
  return n == 0;
}

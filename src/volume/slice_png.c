#include "base/error.h"
#include "base/output_file.h"
#include "volume/resample.h"
#include "volume/slice.h"

#include <math.h>
#include <png.h>

/* A header may claim pixels of any proportion; no picture gets longer than this. */
#define LONGEST_SIDE 16384

/** What libpng's callbacks know. */
typedef struct
{
  const char *path;
  OutputFile *file;
  GError *error; /* the first that happened */
} PngSink;

static void
write_bytes (png_structp png, png_bytep data, size_t size)
{
  PngSink *sink = png_get_io_ptr (png);

  if (!output_file_write (sink->file, data, size, &sink->error))
    png_error (png, "write failed");
}

/** OutputFile flushes when it commits. */
static void
flush_nothing (png_structp png)
{
}

/** Keep what went wrong and leave by the jump that libpng asks for. */
static void
take_error (png_structp png, png_const_charp message)
{
  PngSink *sink = png_get_error_ptr (png);

  if (sink->error == NULL)
    g_set_error (&sink->error, CTCLIP_ERROR, CTCLIP_ERROR_FAILED, "%s: no PNG could be made: %s",
                 sink->path, message);
  png_longjmp (png, 1);
}

static void
ignore_warning (png_structp png, png_const_charp message)
{
}

/** Rows of square pixels out of a slice whose own need not be square. */
typedef struct
{
  const VolumeSlice *slice;
  VolumeWindow window;
  double pixel_mm;
  ResampleAxis columns, rows;
  float *hu; /* one row */
  guint8 *grey;
} Picture;

static gsize
side_in_pixels (gsize n, double mm, double pixel_mm)
{
  return MAX ((gsize) floor ((double) n * mm / pixel_mm + 0.5), 1);
}

static void
picture_init (Picture *picture, const VolumeSlice *slice, VolumeWindow window)
{
  const double width_mm = slice->pixel_width_mm * (double) slice->width;
  const double height_mm = slice->pixel_height_mm * (double) slice->height;
  gsize width, height;

  picture->slice = slice;
  picture->window = window;
  picture->pixel_mm = MAX (MIN (slice->pixel_width_mm, slice->pixel_height_mm),
                           MAX (width_mm, height_mm) / LONGEST_SIDE);
  width = side_in_pixels (slice->width, slice->pixel_width_mm, picture->pixel_mm);
  height = side_in_pixels (slice->height, slice->pixel_height_mm, picture->pixel_mm);
  resample_axis_init (&picture->columns, slice->width, width, width, FALSE);
  resample_axis_init (&picture->rows, slice->height, height, height, FALSE);
  picture->hu = g_new (float, width);
  picture->grey = g_new (guint8, width);
}

static void
picture_clear (Picture *picture)
{
  resample_axis_clear (&picture->columns);
  resample_axis_clear (&picture->rows);
  g_free (picture->hu);
  g_free (picture->grey);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Picture, picture_clear)

static void
draw_row (Picture *picture, gsize row)
{
  const ResampleAxis *columns = &picture->columns, *rows = &picture->rows;
  const float *lower = picture->slice->hu + rows->lower[row] * picture->slice->width;
  const float *upper = picture->slice->hu + rows->upper[row] * picture->slice->width;
  const float down = rows->weight[row];

  for (gsize i = 0; i < columns->n; i++)
    {
      const gsize left = columns->lower[i], right = columns->upper[i];
      const float across = columns->weight[i];

      picture->hu[i] = (lower[left] * (1 - across) + lower[right] * across) * (1 - down)
                       + (upper[left] * (1 - across) + upper[right] * across) * down;
    }
  volume_window (picture->hu, columns->n, picture->window, picture->grey);
}

/** All calls that may jump; nothing here needs freeing, and nothing local is used after a jump. */
static gboolean
write_picture (png_structp png, png_infop info, Picture *picture)
{
  const double per_metre = CLAMP (floor (1e3 / picture->pixel_mm + 0.5), 1, PNG_UINT_31_MAX);

  if (setjmp (png_jmpbuf (png)))
    return FALSE;
  png_set_IHDR (png, info, (png_uint_32) picture->columns.n, (png_uint_32) picture->rows.n, 8,
                PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                PNG_FILTER_TYPE_DEFAULT);
  png_set_pHYs (png, info, (png_uint_32) per_metre, (png_uint_32) per_metre, PNG_RESOLUTION_METER);
  png_write_info (png, info);
  for (gsize row = 0; row < picture->rows.n; row++)
    {
      draw_row (picture, row);
      png_write_row (png, picture->grey);
    }
  png_write_end (png, info);
  return TRUE;
}

gboolean
volume_slice_write_png (const VolumeSlice *slice, VolumeWindow window, const char *path,
                        gboolean replace, GError **error)
{
  g_autoptr (OutputFile) file = output_file_open (path, replace, error);
  PngSink sink = { .path = path, .file = file };
  g_auto (Picture) picture = { 0 };
  png_structp png;
  png_infop info;
  gboolean written;

  if (file == NULL)
    return FALSE;
  picture_init (&picture, slice, window);
  png = png_create_write_struct (PNG_LIBPNG_VER_STRING, &sink, take_error, ignore_warning);
  info = png != NULL ? png_create_info_struct (png) : NULL;
  if (info == NULL)
    {
      png_destroy_write_struct (&png, NULL);
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                   "%s: the memory for a PNG was refused; close other programs", path);
      return FALSE;
    }
  png_set_write_fn (png, &sink, write_bytes, flush_nothing);
  written = write_picture (png, info, &picture);
  png_destroy_write_struct (&png, &info);
  if (!written)
    {
      g_propagate_error (error, sink.error);
      return FALSE;
    }
  return output_file_commit (file, error);
}

/* Writing the slice, off the UI thread. */
#include "slices_private.h"

#include "base/error.h"

#include <string.h>

#define MOST_NAMES 1000

typedef struct
{
  VolumeSlice *slice;
  VolumeWindow window;
  char *path;
} Png;

static void
png_free (gpointer data)
{
  Png *png = data;

  volume_slice_free (png->slice);
  g_free (png->path);
  g_free (png);
}

char *
slices_png_name (const char *volume, VolumeAxis axis, gsize index)
{
  static const char *const suffixes[] = { ".gz", ".nii" };
  g_autofree char *stem = g_path_get_basename (volume);

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (stem, suffixes[i]))
      stem[strlen (stem) - strlen (suffixes[i])] = '\0';
  return g_strdup_printf ("%s_%s_%" G_GSIZE_FORMAT ".png", stem, volume_axis_name (axis),
                          index + 1);
}

/** "a.png", "a-2.png", "a-3.png": the first that is not there. */
static char *
numbered (const char *path, guint number)
{
  const char *dot =
      g_str_has_suffix (path, ".png") ? path + strlen (path) - 4 : path + strlen (path);

  return number < 2 ? g_strdup (path)
                    : g_strdup_printf ("%.*s-%u%s", (int) (dot - path), path, number, dot);
}

static gpointer
write_png (gpointer data, GCancellable *cancellable, GError **error)
{
  Png *png = data;

  for (guint number = 1; number <= MOST_NAMES; number++)
    {
      g_autofree char *path = numbered (png->path, number);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        continue;
      return volume_slice_write_png (png->slice, png->window, path, FALSE, error)
                 ? g_steal_pointer (&path)
                 : NULL;
    }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "%s: there are %d numbered ones already; give another name", png->path, MOST_NAMES);
  return NULL;
}

static void
written (gpointer owner, gpointer result, const GError *error)
{
  Slices *slices = owner;

  if (error != NULL)
    app_error (slices->app, "%s", error->message);
  else
    app_message (slices->app, "Written: %s", (const char *) result);
  g_free (result);
}

void
slices_write_png (Slices *slices, const char *path)
{
  g_autofree char *volume = slices_name (slices);
  g_autofree char *name = NULL;
  Png *png;

  if (slices->slice == NULL)
    {
      app_error (slices->app, "There is no slice to write yet");
      return;
    }
  if (path != NULL && g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      g_free (slices->folder);
      slices->folder = g_canonicalize_filename (path, NULL);
      path = NULL;
    }
  name = slices_png_name (volume, slices->axis, slices->shown);
  png = g_new0 (Png, 1);
  png->slice = volume_viewer_slice (slices->viewer, slices->axis, slices->shown);
  png->window = slices->window;
  png->path = path != NULL
                  ? g_strdup (path)
                  : g_build_filename (slices->folder != NULL ? slices->folder : ".", name, NULL);
  /* Greys the other way round are those of negative HU. */
  if (slices->inverted)
    {
      for (gsize i = 0; i < png->slice->width * png->slice->height; i++)
        png->slice->hu[i] = -png->slice->hu[i];
      png->window.centre = -png->window.centre;
    }
  works_start (app_works (slices->app), write_png, png, png_free, g_free, written, slices);
}

/**
 * bench_slices FILE: how soon a volume can be looked at, and how quickly its slices follow.
 *
 * Prints when the first slice can be seen and when all has arrived, beside bare inflating, and for
 * each axis the mean and the slowest of all steps: taking a slice out and drawing it.
 */
#include "volume/stream.h"
#include "volume/viewer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define PICTURE_PX 400

static double
now_ms (void)
{
  return (double) g_get_monotonic_time () / 1e3;
}

static void
stop_on (GError *error)
{
  if (error == NULL)
    return;
  fprintf (stderr, "%s\n", error->message);
  exit (1);
}

static double
inflate_ms (const char *path)
{
  const double start_ms = now_ms ();
  GError *error = NULL;
  g_autoptr (VolumeStream) stream = volume_stream_open (path, NULL, &error);

  stop_on (error);
  volume_stream_finish (stream, &error);
  stop_on (error);
  return now_ms () - start_ms;
}

/** Wake-ups are counted, waited for and consumed like a main loop's. */
static void
wake (gpointer data)
{
  g_async_queue_push (data, GINT_TO_POINTER (1));
}

static VolumeViewer *
look (const char *path)
{
  g_autoptr (GAsyncQueue) wakes = g_async_queue_new ();
  const double start_ms = now_ms ();
  double first_ms = NAN;
  GError *error = NULL;
  VolumeViewer *viewer =
      volume_viewer_open (path, NULL, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, wake, wakes, &error);
  gboolean finished = FALSE;
  guint n_wakes = 0;

  stop_on (error);
  while (!finished)
    {
      g_auto (VolumeViewerState) state = { 0 };

      g_async_queue_pop (wakes);
      n_wakes++;
      volume_viewer_state (viewer, &state);
      if (isnan (first_ms) && state.arrived > 0)
        first_ms = now_ms () - start_ms;
      stop_on (state.error);
      finished = state.finished;
    }
  printf ("first slice after %.1f ms, all after %.0f ms, %u wake-ups\n", first_ms,
          now_ms () - start_ms, n_wakes);
  return viewer;
}

static void
step_through (VolumeViewer *viewer, VolumeAxis axis)
{
  const VolumeView view = {
    .zoom = 1, .width_px = PICTURE_PX, .height_px = PICTURE_PX, .pixel_aspect = 1
  };
  const VolumeWindow window = { -600, 1500 };
  static guint8 grey[PICTURE_PX * PICTURE_PX];
  g_auto (VolumeViewerState) state = { 0 };
  double take_ms = 0, draw_ms = 0, slowest_ms = 0;
  gsize n;

  volume_viewer_state (viewer, &state);
  n = volume_viewer_state_count (&state, axis);
  for (gsize i = 0; i < n; i++)
    {
      const double start_ms = now_ms ();
      g_autoptr (VolumeSlice) slice = volume_viewer_slice (viewer, axis, i);
      const double taken_ms = now_ms ();

      volume_slice_render (slice, window, FALSE, &view, grey);
      take_ms += taken_ms - start_ms;
      draw_ms += now_ms () - taken_ms;
      slowest_ms = MAX (slowest_ms, now_ms () - start_ms);
    }
  printf ("%-8s %4" G_GSIZE_FORMAT " steps: take %.2f ms, draw %.2f ms, slowest %.2f ms\n",
          volume_axis_name (axis), n, take_ms / (double) n, draw_ms / (double) n, slowest_ms);
}

int
main (int argc, char **argv)
{
  VolumeViewer *viewer;
  struct rusage usage;
  double start_ms;

  if (argc != 2)
    {
      fprintf (stderr, "usage: bench_slices FILE\n");
      return 2;
    }
  printf ("inflate %.0f ms\n", inflate_ms (argv[1]));
  viewer = look (argv[1]);
  for (VolumeAxis axis = VOLUME_AXIS_AXIAL; axis <= VOLUME_AXIS_SAGITTAL; axis++)
    step_through (viewer, axis);
  getrusage (RUSAGE_SELF, &usage);
  start_ms = now_ms ();
  volume_viewer_unref (viewer);
  printf ("let go in %.2f ms; peak %.1f MiB\n", now_ms () - start_ms,
          (double) usage.ru_maxrss / 1024);
  return 0;
}

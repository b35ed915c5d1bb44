/**
 * bench_slices FILE: how soon a volume can be looked at, and how quickly its slices follow.
 *
 * When the first slice can be drawn, beside inflating all of the file; and for each axis the mean
 * and the slowest of all steps: taking a slice out and drawing it.
 */
#include "bench_row.h"
#include "bench_store.h"

#include "volume/stream.h"
#include "volume/viewer.h"

#include <math.h>
#include <stdio.h>

#define ROUNDS 7
#define PICTURE_PX 400
#define FIRST_SHARE 0.1
#define STEP_LIMIT_MS 5

static double
inflate_ms (const char *path)
{
  const double start_ms = bench_now_ms ();
  GError *error = NULL;
  g_autoptr (VolumeStream) stream = volume_stream_open (path, NULL, &error);

  bench_stop_on (error);
  volume_stream_finish (stream, &error);
  bench_stop_on (error);
  return bench_now_ms () - start_ms;
}

/** Wake-ups are counted, waited for and consumed like a main loop's. */
static void
wake (gpointer data)
{
  g_async_queue_push (data, GINT_TO_POINTER (1));
}

static VolumeViewer *
look (const char *path, double *first_ms)
{
  g_autoptr (GAsyncQueue) wakes = g_async_queue_new ();
  const double start_ms = bench_now_ms ();
  GError *error = NULL;
  VolumeViewer *viewer =
      volume_viewer_open (path, NULL, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, wake, wakes, &error);
  gboolean finished = FALSE;

  bench_stop_on (error);
  *first_ms = NAN;
  while (!finished)
    {
      g_auto (VolumeViewerState) state = { 0 };

      g_async_queue_pop (wakes);
      volume_viewer_state (viewer, &state);
      if (isnan (*first_ms) && state.arrived > 0)
        *first_ms = bench_now_ms () - start_ms;
      bench_stop_on (state.error);
      finished = state.finished;
    }
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
      const double start_ms = bench_now_ms ();
      g_autoptr (VolumeSlice) slice = volume_viewer_slice (viewer, axis, i);
      const double taken_ms = bench_now_ms ();

      volume_slice_render (slice, window, FALSE, &view, grey);
      take_ms += taken_ms - start_ms;
      draw_ms += bench_now_ms () - taken_ms;
      slowest_ms = MAX (slowest_ms, bench_now_ms () - start_ms);
    }
  printf ("%-8s %4" G_GSIZE_FORMAT " steps: take %.2f ms, draw %.2f ms, slowest %.2f ms\n",
          volume_axis_name (axis), n, take_ms / (double) n, draw_ms / (double) n, slowest_ms);
  if (axis == VOLUME_AXIS_AXIAL)
    {
      double step_ms = (take_ms + draw_ms) / (double) n;

      bench_row_limit ("a step to the next axial slice, mean", "ms", &step_ms, 1, STEP_LIMIT_MS);
    }
}

int
main (int argc, char **argv)
{
  double first_ms[ROUNDS], all_ms[ROUNDS];
  VolumeViewer *viewer = NULL;

  if (argc != 2)
    {
      fprintf (stderr, "usage: bench_slices FILE\n");
      return 2;
    }
  for (guint i = 0; i < ROUNDS; i++)
    {
      g_clear_pointer (&viewer, volume_viewer_unref);
      all_ms[i] = i % 2 == 0 ? inflate_ms (argv[1]) : 0;
      viewer = look (argv[1], &first_ms[i]);
      if (i % 2 != 0)
        all_ms[i] = inflate_ms (argv[1]);
    }
  bench_row_pairs (&(BenchRow){ "first axial slice of the chest", "ms", "inflating the whole file",
                                FIRST_SHARE },
                   first_ms, all_ms, ROUNDS);
  for (VolumeAxis axis = VOLUME_AXIS_AXIAL; axis <= VOLUME_AXIS_SAGITTAL; axis++)
    step_through (viewer, axis);
  volume_viewer_unref (viewer);
  return 0;
}

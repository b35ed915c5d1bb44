/**
 * bench_screen PROGRAM DIR SCAN [RECORD-MARK]: how soon the workbench is there and answers.
 *
 * In a pseudo-terminal of 120x40 and 256 colours, over the workspace of bench_store.h in DIR: from
 * exec to the first complete screen, beside other programs for the terminal; from a key to the last
 * byte of its answer, while nothing runs, while another program works on every core, and while the
 * workbench itself makes and encodes the demo's scans; from a change in live mode to its table; and
 * what a step through the slices of SCAN sends, beside whole frames as libchafa prints them. What
 * has no other program to stand beside has its limit there.
 */
#include "bench_row.h"
#include "bench_store.h"
#include "bench_terminal.h"

#include "volume/viewer.h"

#include <chafa.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define COLUMNS 120
#define ROWS 40
#define STARTS 30
#define KEYS 1000
#define SEARCHES 10
#define CHANGES 20
#define SLICE_STEPS 40

#define START_LIMIT_MS 50
#define KEY_LIMIT_MS 16
#define LIVE_LIMIT_MS 500
#define STEP_LIMIT_MS 5
#define STEP_LIMIT_BYTES 40000

#define QUIET_MS 5      /* the answer to a key is over */
#define ANSWER_MS 300   /* a key that has no answer by then has none */
#define SILENCE_MS 400  /* everything that was to come has come */
#define PATIENCE_MS 1e4 /* for a screen */

static const char *const first_screen[] = { "[1 Records]", "quit", NULL };

static void
print_line (const char *name, double ours, const char *unit, const char *yardstick, double theirs)
{
  printf ("%-46s %9.2f %-5s %-22s %9.2f %-5s ratio %.3f\n", name, ours, unit, yardstick, theirs,
          unit, ours / theirs);
}

/* ---- starts ---- */

static gboolean
maps_torch (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/maps", pid);
  g_autofree char *maps = NULL;

  return g_file_get_contents (path, &maps, NULL, NULL) && strstr (maps, "libtorch") != NULL;
}

static BenchTerminal *
start_workbench (const char *program, const char *directory)
{
  const char *const arguments[] = { program, "-w", directory, NULL };

  return bench_terminal_start (arguments, COLUMNS, ROWS);
}

/** The state that the last session left there must not decide what the first screen is. */
static void
forget_state (const char *directory)
{
  g_autofree char *state = g_build_filename (directory, "workbench.ini", NULL);

  g_unlink (state);
}

typedef struct
{
  const char *program, *directory, *record_mark;
  gboolean torch; /* was ever mapped */
} Starts;

/** To the first complete screen. */
static double
start_ms (gpointer data)
{
  Starts *starts = data;
  const char *const marks[] = { first_screen[0], first_screen[1], starts->record_mark, NULL };
  BenchTerminal *terminal;
  double ms;

  forget_state (starts->directory);
  terminal = start_workbench (starts->program, starts->directory);
  if (!bench_terminal_await (terminal, marks, PATIENCE_MS))
    bench_fail ("the first screen did not come: %s", terminal->text->str);
  ms = terminal->heard_ms - terminal->started_ms;
  bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
  starts->torch |= maps_torch (terminal->pid);
  bench_terminal_stop (terminal);
  return ms;
}

/** Another program's, to its first output: less than a whole screen. */
static double
other_start_ms (gpointer arguments)
{
  static const char *const nothing[] = { " ", NULL };
  BenchTerminal *terminal = bench_terminal_start (arguments, COLUMNS, ROWS);
  double ms;

  if (!bench_terminal_await (terminal, nothing, PATIENCE_MS))
    bench_fail ("%s showed nothing", *(const char *const *) arguments);
  ms = terminal->heard_ms - terminal->started_ms;
  bench_terminal_stop (terminal);
  return ms;
}

static void
bench_starts (Starts *starts)
{
  static const char *const others[][2] = { { "htop", NULL }, { "tig", NULL } };
  double times_ms[STARTS];

  for (guint i = 0; i < STARTS; i++)
    times_ms[i] = start_ms (starts);
  bench_row_limit ("first screen of 50,188 records", "ms", times_ms, STARTS, START_LIMIT_MS);
  print_line ("  99th percentile", bench_quantile (times_ms, STARTS, 0.99), "ms", "limit",
              START_LIMIT_MS);
  printf ("%-46s %s\n", "libtorch mapped while browsing", starts->torch ? "YES" : "no");
  for (guint k = 0; k < G_N_ELEMENTS (others); k++)
    {
      g_autofree char *found = g_find_program_in_path (others[k][0]);
      g_autofree char *name = g_strdup_printf ("%s, to its first output", others[k][0]);

      if (found != NULL)
        bench_row_beside (&(BenchRow){ "first screen of 50,188 records", "ms", name, 1.5 },
                          STARTS / 2, start_ms, starts, other_start_ms, (gpointer) others[k]);
      else
        bench_row_left_out (name, "not installed");
    }
}

/* ---- keys ---- */

/** One key after the other, the last answered before the next is sent. */
typedef struct
{
  double times_ms[KEYS];
  guint n, unanswered;
} KeyTimes;

static void
press (BenchTerminal *terminal, const char *key, KeyTimes *times)
{
  double sent_ms, end_ms;
  guint64 bytes;

  bench_terminal_settle (terminal, QUIET_MS, ANSWER_MS);
  bytes = terminal->bytes;
  sent_ms = bench_now_ms ();
  bench_terminal_send (terminal, key);
  end_ms = sent_ms + ANSWER_MS;
  while (terminal->bytes == bytes && bench_now_ms () < end_ms)
    bench_terminal_settle (terminal, QUIET_MS, ANSWER_MS);
  if (terminal->bytes == bytes)
    times->unanswered++;
  else
    times->times_ms[times->n++] = terminal->heard_ms - sent_ms;
}

/* Rounds that end where they began. With records: the list, a line that is typed, every screen,
 * help. While the demo runs there is no list yet, and a key that changes nothing would seem to be
 * answered by the next progress; so there the help is scrolled. */
static const char *const with_records[] = { "j", "j",       "k",       "\033[6~", "j", "G",
                                            "k", "\033[5~", "g",       ":",       "n", "o",
                                            "d", "\177",    "\003",    "2",       "3", "4",
                                            "5", "1",       "j",       "j",       "?", "j",
                                            "q", "\033[6~", "\033[6~", "G",       "g", NULL };
static const char *const without_records[] = { "?", "j", "j", "k", "G",    "g",    "q",
                                               ":", "n", "o", "d", "\177", "\003", "2",
                                               "3", "4", "5", "1", "4",    NULL };

static gboolean
bench_keys (BenchTerminal *terminal, const char *name, const char *const *keys, const char *until)
{
  guint n_keys = g_strv_length ((char **) keys);
  g_autofree KeyTimes *times = g_new0 (KeyTimes, 1);
  g_autofree char *label = g_strdup_printf ("key, %s, median", name);
  gboolean over = FALSE;

  bench_terminal_forget (terminal);
  for (guint i = 0; i < KEYS && !over; i++)
    {
      press (terminal, keys[i % n_keys], times);
      over = until != NULL && strstr (terminal->text->str, until) != NULL;
    }
  if (kill (terminal->pid, 0) != 0 || waitpid (terminal->pid, NULL, WNOHANG) != 0)
    bench_fail ("%s: the program ended", name);
  print_line (label, bench_quantile (times->times_ms, times->n, 0.5), "ms", "limit", KEY_LIMIT_MS);
  print_line ("  99th percentile", bench_quantile (times->times_ms, times->n, 0.99), "ms", "limit",
              KEY_LIMIT_MS);
  print_line ("  worst", bench_quantile (times->times_ms, times->n, 1), "ms", "limit",
              KEY_LIMIT_MS);
  printf ("  %u keys answered, %u had nothing to say\n", times->n, times->unanswered);
  return over;
}

/** From the last letter of a search to the last byte of what was found. */
static void
bench_search (BenchTerminal *terminal)
{
  double times_ms[SEARCHES];

  for (guint i = 0; i < SEARCHES; i++)
    {
      double sent_ms;

      bench_terminal_send (terminal, "/");
      bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
      sent_ms = bench_now_ms ();
      bench_terminal_send (terminal, "nodule");
      bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
      times_ms[i] = terminal->heard_ms - sent_ms;
      bench_terminal_send (terminal, "\003");
      bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
    }
  printf ("%-46s %9.2f ms\n", "search of all reports until it is shown, median",
          bench_quantile (times_ms, SEARCHES, 0.5));
}

static void
bench_keys_alone (const char *program, const char *directory)
{
  BenchTerminal *terminal;

  forget_state (directory);
  terminal = start_workbench (program, directory);
  bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
  bench_keys (terminal, "50,188 records", with_records, NULL);
  bench_search (terminal);
  bench_terminal_stop (terminal);
}

/** Another program keeps every core at work. */
static void
bench_keys_beside (const char *program, const char *directory, const char *scratch)
{
  g_autofree char *other = g_build_filename (scratch, "beside", NULL);
  const char *const arguments[] = { program, "--batch", "demo", "-w", other, NULL };
  BenchTerminal *busy = bench_terminal_start (arguments, COLUMNS, ROWS), *terminal;

  forget_state (directory);
  terminal = start_workbench (program, directory);
  bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
  bench_keys (terminal, "another program on all cores", with_records, NULL);
  if (waitpid (busy->pid, NULL, WNOHANG) != 0)
    printf ("  the other program ended before the keys did\n");
  bench_terminal_stop (terminal);
  bench_terminal_stop (busy);
}

/** The workbench's own job on every core. */
static void
bench_keys_with_job (const char *program, const char *scratch)
{
  static const char *const encoding[] = { "encoding", NULL };
  g_autofree char *directory = g_build_filename (scratch, "own", NULL);
  BenchTerminal *terminal = start_workbench (program, directory);

  bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
  bench_terminal_send (terminal, ":demo\r");
  if (!bench_terminal_await (terminal, encoding, 1e5))
    bench_fail ("the demo does not encode: %s", terminal->text->str);
  if (bench_keys (terminal, "encoding", without_records, "The demo is done"))
    printf ("  the demo was over before all keys were pressed\n");
  bench_terminal_stop (terminal);
}

/* ---- live mode ---- */

/** From a change of gamma to the last byte of the table that it makes: 3,000 and 196 scans. */
static void
bench_live (const char *program, const char *directory)
{
  double times_ms[CHANGES];
  BenchTerminal *terminal;

  forget_state (directory);
  terminal = start_workbench (program, directory);
  bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
  bench_terminal_send (terminal, "3gjjjjL");
  bench_terminal_settle (terminal, 3 * SILENCE_MS, PATIENCE_MS);
  for (guint i = 0; i < CHANGES; i++)
    {
      const double sent_ms = bench_now_ms ();

      bench_terminal_send (terminal, i % 2 == 0 ? "l" : "h");
      bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
      times_ms[i] = terminal->heard_ms - sent_ms;
    }
  bench_terminal_stop (terminal);
  print_line ("live mode, a change to its table, median", bench_quantile (times_ms, CHANGES, 0.5),
              "ms", "limit", LIVE_LIMIT_MS);
  print_line ("  worst", bench_quantile (times_ms, CHANGES, 1), "ms", "limit", LIVE_LIMIT_MS);
}

/* ---- slices ---- */

static void
wake (gpointer queue)
{
  g_async_queue_push (queue, queue);
}

/** What libchafa prints for whole frames of the size of the picture; mean bytes. */
static double
whole_frames (const char *path, gsize columns, gsize rows)
{
  g_autoptr (GAsyncQueue) wakes = g_async_queue_new ();
  const VolumeView view = {
    .zoom = 1, .width_px = (guint) columns * 8, .height_px = (guint) rows * 8, .pixel_aspect = 2
  };
  gsize n = columns * 8 * rows * 8;
  g_autofree guint8 *grey = g_new (guint8, n), *pixels = g_new (guint8, 3 * n);
  ChafaCanvasConfig *config = chafa_canvas_config_new ();
  ChafaCanvas *canvas;
  GError *error = NULL;
  g_autoptr (VolumeViewer) viewer =
      volume_viewer_open (path, NULL, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, wake, wakes, &error);
  gboolean finished = FALSE;
  double bytes = 0;

  bench_stop_on (error);
  while (!finished)
    {
      g_auto (VolumeViewerState) state = { 0 };

      g_async_queue_pop (wakes);
      volume_viewer_state (viewer, &state);
      bench_stop_on (g_steal_pointer (&state.error));
      finished = state.finished;
    }
  chafa_canvas_config_set_geometry (config, (int) columns, (int) rows);
  chafa_canvas_config_set_canvas_mode (config, CHAFA_CANVAS_MODE_INDEXED_240);
  canvas = chafa_canvas_new (config);
  for (gsize i = 0; i < SLICE_STEPS; i++)
    {
      g_autoptr (VolumeSlice) slice = volume_viewer_slice (viewer, VOLUME_AXIS_AXIAL, i);
      GString *frame;

      volume_slice_render (slice, (VolumeWindow){ -600, 1500 }, FALSE, &view, grey);
      for (gsize p = 0; p < n; p++)
        memset (pixels + 3 * p, grey[p], 3);
      chafa_canvas_draw_all_pixels (canvas, CHAFA_PIXEL_RGB8, pixels, (int) view.width_px,
                                    (int) view.height_px, (int) view.width_px * 3);
      frame = chafa_canvas_print (canvas, NULL);
      bytes += (double) frame->len;
      g_string_free (frame, TRUE);
    }
  chafa_canvas_unref (canvas);
  chafa_canvas_config_unref (config);
  return bytes / SLICE_STEPS;
}

static void
bench_slices (const char *program, const char *directory, const char *scan)
{
  g_autofree char *open = g_strdup_printf ("2:open %s\r", scan);
  g_autofree KeyTimes *times = g_new0 (KeyTimes, 1);
  BenchTerminal *terminal;
  double step_bytes, frame_bytes;
  guint64 before;

  forget_state (directory);
  terminal = start_workbench (program, directory);
  bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
  bench_terminal_send (terminal, open);
  bench_terminal_settle (terminal, 3 * SILENCE_MS, PATIENCE_MS);
  bench_terminal_send (terminal, "g");
  bench_terminal_settle (terminal, SILENCE_MS, PATIENCE_MS);
  before = terminal->bytes;
  for (guint i = 0; i < SLICE_STEPS; i++)
    press (terminal, "j", times);
  /* One row each for header, footer and the slice's own line. */
  step_bytes = (double) (terminal->bytes - before) / SLICE_STEPS;
  frame_bytes = whole_frames (scan, COLUMNS, ROWS - 3);
  bench_row_pairs (&(BenchRow){ "bytes of a slice step at 120x40, 256 colours", "B",
                                "libchafa's whole frame", 0.5 },
                   &step_bytes, &frame_bytes, 1);
  bench_row_limit ("bytes of a slice step at 120x40, 256 colours", "B", &step_bytes, 1,
                   STEP_LIMIT_BYTES);
  bench_row_limit ("slice step on screen, key to last byte", "ms", times->times_ms, times->n,
                   STEP_LIMIT_MS);
  print_line ("slice step, 99th percentile", bench_quantile (times->times_ms, times->n, 0.99), "ms",
              "limit", KEY_LIMIT_MS);
  bench_terminal_stop (terminal);
}

int
main (int argc, char **argv)
{
  g_autofree char *path = NULL, *scratch = NULL;
  GError *error = NULL;

  if (argc < 4)
    {
      fprintf (stderr, "usage: bench_screen PROGRAM DIR SCAN [RECORD-MARK]\n");
      return 2;
    }
  setvbuf (stdout, NULL, _IOLBF, 0);
  path = bench_store_make (argv[2]);
  scratch = g_dir_make_tmp ("bench-screen-XXXXXX", &error);
  bench_stop_on (error);
  bench_starts (&(Starts){ argv[1], argv[2], argc > 4 ? argv[4] : "train_", FALSE });
  bench_keys_alone (argv[1], argv[2]);
  bench_keys_beside (argv[1], argv[2], scratch);
  bench_keys_with_job (argv[1], scratch);
  bench_live (argv[1], argv[2]);
  bench_slices (argv[1], argv[2], argv[3]);
  printf ("%s holds two demos and may be deleted\n", scratch);
  return 0;
}

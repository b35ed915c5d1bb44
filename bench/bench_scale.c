/**
 * bench_scale PROGRAM MAKE_CTRATE DIR [MOST-SCANS [MOST-ROWS]]: how each cost grows.
 *
 * Core-seconds and peak memory of the program, against scans that are encoded (the demo's encoder,
 * tiny scans), rows that are imported, voxels across the slices of a scan that is prepared; and
 * core-seconds against classes that are judged. Each is drawn with both axes logarithmic, in the
 * terminal and as DIR/scale-*.png, beside the exponent between neighbours: 1 is proportional, and
 * where that begins is the knee.
 */
#include "bench_row.h"
#include "bench_store.h"

#include "base/random.h"
#include "catalog/labels.h"
#include "metrics/metrics.h"
#include "report/canvas.h"
#include "report/sheet.h"

#include <glib/gstdio.h>
#include <math.h>
#include <nifti1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MOST_POINTS 8
#define CHART_COLUMNS 72
#define CHART_ROWS 14
#define KNEE 0.8 /* an exponent from which on a cost is called proportional */
#define SLICES 64
#define SCAN_SIDE 48

typedef struct
{
  const char *name, *unit;
  guint n;
  double x[MOST_POINTS], seconds[MOST_POINTS], mib[MOST_POINTS]; /* mib is NaN where not measured */
} Series;

typedef struct
{
  const char *program, *make_ctrate, *directory;
} Scale;

static void
add_point (Series *series, double x, double seconds, double mib)
{
  series->x[series->n] = x;
  series->seconds[series->n] = seconds;
  series->mib[series->n++] = mib;
  printf ("%-8s %9.0f %-8s %10.4f s %10.1f MiB\n", series->name, x, series->unit, seconds, mib);
  fflush (stdout);
}

/* ---- drawing ---- */

static void
logarithms (const double *values, guint n, double *out)
{
  for (guint i = 0; i < n; i++)
    out[i] = log10 (values[i]);
}

static void
draw_text (const Series *series, const char *title, const double *x, const double *y)
{
  g_autoptr (ReportCanvas) canvas =
      report_canvas_new (CHART_COLUMNS, CHART_ROWS, REPORT_GLYPHS_BRAILLE);

  printf ("\nlog10 of %s against log10 of %s\n", title, series->unit);
  report_canvas_axes (canvas, report_range (x, series->n), report_range (y, series->n));
  report_canvas_path (canvas, x, y, series->n, 0);
  for (guint i = 0; i < series->n; i++)
    report_canvas_point (canvas, x[i], y[i], 0);
  for (guint row = 0; row < CHART_ROWS; row++)
    {
      g_autofree char *text = report_canvas_row (canvas, row);

      printf ("%s\n", text);
    }
}

static void
draw_sheet_frame (cairo_t *cr, const Series *series, const char *title, const double *x,
                  const double *y, double top, SheetInk ink)
{
  const SheetFrame frame = { SHEET_MARGIN + 60,
                             top,
                             SHEET_WIDTH - 2 * SHEET_MARGIN - 80,
                             270,
                             report_range (x, series->n),
                             report_range (y, series->n) };
  const ReportTicks x_ticks = report_ticks (frame.x, 9), y_ticks = report_ticks (frame.y, 6);

  sheet_text (cr, SHEET_MARGIN, top - 16, ALIGN_LEFT, sheet_strong, title);
  sheet_y_axis (cr, &frame, &y_ticks, AXIS_GRID | AXIS_LABELS, sheet_remark);
  sheet_x_axis (cr, &frame, &x_ticks, AXIS_LABELS, sheet_remark);
  for (guint i = 0; i < series->n; i++)
    cairo_line_to (cr, sheet_x (&frame, x[i]), sheet_y (&frame, y[i]));
  sheet_ink (cr, ink, 1);
  cairo_set_line_width (cr, 2.5);
  cairo_stroke (cr);
  for (guint i = 0; i < series->n; i++)
    sheet_disc (cr, sheet_x (&frame, x[i]), sheet_y (&frame, y[i]), 4, FALSE, ink);
}

static void
draw (const Scale *scale, const Series *series)
{
  g_autofree char *name = g_strdup_printf ("scale-%s.png", series->name);
  g_autofree char *path = g_build_filename (scale->directory, name, NULL);
  g_autofree char *subtitle = g_strdup_printf ("against log10 of %s", series->unit);
  double x[MOST_POINTS], seconds[MOST_POINTS], mib[MOST_POINTS];
  gboolean with_memory = !isnan (series->mib[0]);
  cairo_t *cr = sheet_new (SHEET_WIDTH, SHEET_HEIGHT);
  GError *error = NULL;

  logarithms (series->x, series->n, x);
  logarithms (series->seconds, series->n, seconds);
  logarithms (series->mib, series->n, mib);
  draw_text (series, "core-seconds", x, seconds);
  sheet_title (cr, "How a cost grows", subtitle);
  draw_sheet_frame (cr, series, "log10 of core-seconds", x, seconds, SHEET_TITLE_HEIGHT + 36,
                    INK_VERMILION);
  if (with_memory)
    {
      draw_text (series, "MiB", x, mib);
      draw_sheet_frame (cr, series, "log10 of the peak memory in MiB", x, mib,
                        SHEET_TITLE_HEIGHT + 406, INK_BLUE);
    }
  sheet_save (cr, path, TRUE, &error);
  bench_stop_on (error);
}

/** The exponent between neighbours, and where a cost becomes proportional. */
static void
tell_knee (const Series *series, const char *what, const double *y)
{
  double knee = NAN;

  printf ("%s, exponents of %s:", series->name, what);
  for (guint i = 1; i < series->n; i++)
    {
      double exponent = log (y[i] / y[i - 1]) / log (series->x[i] / series->x[i - 1]);

      printf (" %.2f", exponent);
      if (exponent < KNEE)
        knee = NAN;
      else if (isnan (knee))
        knee = series->x[i - 1];
    }
  if (isnan (knee))
    printf ("; never proportional\n");
  else
    printf ("; proportional from %.0f %s on\n", knee, series->unit);
}

static void
finish (const Scale *scale, const Series *series)
{
  draw (scale, series);
  tell_knee (series, "core-seconds", series->seconds);
  if (!isnan (series->mib[0]))
    tell_knee (series, "memory", series->mib);
}

/* ---- scans ---- */

/** A scan of noise in air, of as many voxels across; @name is kept in the gzip header, so that no
 * two files are the same. */
static void
write_scan (const char *path, const char *name, gsize side, gsize slices)
{
  nifti_1_header header = { .sizeof_hdr = sizeof header,
                            .dim = { 3, (short) side, (short) side, (short) slices, 1, 1, 1, 1 },
                            .datatype = DT_INT16,
                            .bitpix = 16,
                            .pixdim = { 1, (float) (380.0 / (double) side),
                                        (float) (380.0 / (double) side), 380.0f / (float) slices },
                            .vox_offset = 352,
                            .magic = "n+1" };
  g_autofree gint16 *slice = g_new (gint16, side * side);
  gzFile file = gzopen (path, "wb1");
  Random random;

  random_init (&random, g_str_hash (name), 0);
  gzwrite (file, &header, sizeof header);
  gzwrite (file, "\0\0\0\0", 4);
  for (gsize z = 0; z < slices; z++)
    {
      for (gsize i = 0; i < side * side; i++)
        slice[i] = (gint16) (-1000 + (int) random_below (&random, 200));
      gzwrite (file, slice, (guint) (side * side * sizeof *slice));
    }
  if (gzclose (file) != Z_OK)
    bench_fail ("%s cannot be written", path);
}

/** The tables of @n scans, and those scans. */
static void
write_cohort (const char *directory, guint n)
{
  g_autofree char *scans = g_build_filename (directory, "scans", NULL);
  g_autofree char *reports_path = g_build_filename (directory, "train_reports.csv", NULL);
  g_autofree char *labels_path = g_build_filename (directory, "train_predicted_labels.csv", NULL);
  g_autoptr (GString) reports =
      g_string_new ("VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n");
  g_autoptr (GString) labels = g_string_new ("VolumeName");

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    g_string_append_printf (labels, ",%s", catalog_label_name (label));
  g_mkdir_with_parents (scans, 0700);
  for (guint i = 1; i <= n; i++)
    {
      g_autofree char *name = g_strdup_printf ("train_%u_a_1.nii.gz", i);
      g_autofree char *path = g_build_filename (scans, name, NULL);

      g_string_append_printf (reports, "%s,,,Lungs.,Normal.\n", name);
      g_string_append_printf (labels, "\n%s", name);
      for (guint label = 0; label < CATALOG_N_LABELS; label++)
        g_string_append (labels, ",0");
      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        write_scan (path, name, SCAN_SIDE, SCAN_SIDE);
    }
  if (!g_file_set_contents (reports_path, reports->str, -1, NULL)
      || !g_file_set_contents (labels_path, labels->str, -1, NULL))
    bench_fail ("%s: the tables cannot be written", directory);
}

static void
forget_workspace (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, "workspace.sqlite", NULL);

  g_unlink (path);
}

static void
scale_scans (const Scale *scale, guint most)
{
  g_autofree char *directory = g_build_filename (scale->directory, "scale-scans", NULL);
  g_autofree char *scans = g_build_filename (directory, "scans", NULL);
  g_autofree char *encoder = g_build_filename (scale->directory, "demo-encoder", NULL);
  g_autofree char *checkpoint = g_build_filename (encoder, "demo-ctvit.pt", NULL);
  const char *const make[] = { scale->program, "--batch", "demo", "--make-encoder", encoder, NULL };
  const char *const import[] = { scale->program, "-w",      directory, "--batch",
                                 "import",       directory, NULL };
  const char *const encode[] = { scale->program, "-w",       directory,   "--batch", "encode",
                                 "--encoder",    checkpoint, "--volumes", scans,     NULL };
  Series series = { .name = "scans", .unit = "scans" };

  if (!g_file_test (checkpoint, G_FILE_TEST_EXISTS))
    bench_command (make);
  for (guint n = 10; n <= most && series.n < MOST_POINTS; n *= 10)
    {
      BenchCommand command;

      write_cohort (directory, n);
      forget_workspace (directory);
      bench_command (import);
      command = bench_command (encode);
      add_point (&series, n, command.core_seconds, command.peak_mib);
    }
  finish (scale, &series);
}

/* ---- rows ---- */

static void
scale_rows (const Scale *scale, guint most)
{
  /* CT-RATE has 47,149 training rows of 20,000 patients. */
  const double rows_per_patient = 47149.0 / 20000;
  g_autofree char *directory = g_build_filename (scale->directory, "scale-rows", NULL);
  const char *const import[] = { scale->program, "-w",      directory, "--batch", "import",
                                 directory,      "--split", "train",   NULL };
  Series series = { .name = "records", .unit = "rows" };

  g_mkdir_with_parents (directory, 0700);
  for (guint n = 1000; n <= most && series.n < MOST_POINTS; n *= 10)
    {
      g_autofree char *patients = g_strdup_printf ("%.0f", n / rows_per_patient);
      const char *const make[] = { scale->make_ctrate, directory, patients, NULL };
      BenchCommand command;

      bench_command (make);
      forget_workspace (directory);
      command = bench_command (import);
      add_point (&series, n, command.core_seconds, command.peak_mib);
    }
  finish (scale, &series);
}

/* ---- voxels ---- */

static void
scale_voxels (const Scale *scale)
{
  g_autofree char *out = g_build_filename (scale->directory, "scale-tensor.npy", NULL);
  Series series = { .name = "voxels", .unit = "voxels across" };

  for (guint side = 128; side <= 1024; side *= 2)
    {
      g_autofree char *name = g_strdup_printf ("scale-%u.nii.gz", side);
      g_autofree char *path = g_build_filename (scale->directory, name, NULL);
      const char *const prepare[] = { scale->program, "--batch", "prepare", path,
                                      "--out",        out,       "--force", NULL };
      BenchCommand command;

      write_scan (path, name, side, SLICES);
      command = bench_command (prepare);
      add_point (&series, side, command.core_seconds, command.peak_mib);
      g_unlink (path);
    }
  g_unlink (out);
  finish (scale, &series);
}

/* ---- classes ---- */

static void
scale_classes (const Scale *scale)
{
  const gsize n = 1304;
  Series series = { .name = "classes", .unit = "classes" };

  for (guint classes = 2; classes <= 128; classes *= 2)
    {
      g_autofree double *logits = g_new (double, n *classes);
      g_autofree guint8 *labels = g_new (guint8, n * classes);
      const MetricsInput input = {
        .logits = logits, .labels = labels, .n = n, .n_classes = classes, .bootstrap_draws = 1000
      };
      double start_ms;
      Random random;

      random_init (&random, 1, 0);
      for (gsize i = 0; i < n * classes; i++)
        {
          labels[i] = random_below (&random, 5) == 0;
          logits[i] = random_normal (&random) + labels[i];
        }
      start_ms = bench_now_ms ();
      metrics_table_free (metrics_table (&input, NULL, NULL));
      add_point (&series, classes, (bench_now_ms () - start_ms) / 1e3, NAN);
    }
  finish (scale, &series);
}

int
main (int argc, char **argv)
{
  Scale scale;

  if (argc < 4)
    {
      fprintf (stderr, "usage: bench_scale PROGRAM MAKE_CTRATE DIR [MOST-SCANS [MOST-ROWS]]\n");
      return 2;
    }
  scale = (Scale){ argv[1], argv[2], argv[3] };
  g_mkdir_with_parents (scale.directory, 0700);
  scale_classes (&scale);
  scale_voxels (&scale);
  scale_rows (&scale, argc > 5 ? (guint) atoi (argv[5]) : 1000000);
  scale_scans (&scale, argc > 4 ? (guint) atoi (argv[4]) : 10000);
  return 0;
}

/**
 * chart.h: the arithmetic of charts, and charts as text, for whoever draws them.
 *
 * Nothing here knows of a screen or a picture. Text is UTF-8, or plain ASCII where asked for.
 */
#pragma once

#include <glib.h>

typedef struct
{
  double low, high; /* high > low */
} ReportRange;

/** report_range: of the finite values, widened to something drawable where they are all the same;
 * 0 to 1 where there is none. */
ReportRange report_range (const double *values, gsize n);

/* ---- ticks ---- */

typedef struct
{
  double first, step; /* 1, 2 or 5 times a power of ten */
  guint n;
  guint decimals; /* that its labels need */
} ReportTicks;

/** report_ticks: the finest round values inside @range of which there are at most @most (at least
 * 2; a range that holds a round value only once may get one). */
ReportTicks report_ticks (ReportRange range, guint most);

double report_tick (const ReportTicks *ticks, guint i);

/** report_tick_text: "0.25"; values beyond the usual as "1e+06". Free with g_free. */
char *report_tick_text (const ReportTicks *ticks, guint i);

/* ---- text in one line ---- */

/** report_sparkline: one character a value, low to high as ▁ to █, or _.-=+*#@ in ASCII; a blank
 * for NaN. Values outside @range take its ends. Free with g_free. */
char *report_sparkline (const double *values, gsize n, ReportRange range, gboolean ascii);

/** report_bar: @share (0 to 1, clamped; NaN is 0) of @width cells, in eighths of a cell, or in
 * whole ones as # in ASCII; filled up with blanks. Free with g_free. */
char *report_bar (double share, guint width, gboolean ascii);

/* ---- histogram ---- */

/**
 * report_histogram: how many values lie in each of @bins equal parts of [0, 1]; 1 is in the last.
 *
 * @labels: (nullable) count only the values whose label is @wanted
 * @counts: (out) @bins
 * Returns: how many were counted; NaN and what lies outside are not.
 */
gsize report_histogram (const double *values, const guint8 *labels, guint8 wanted, gsize n,
                        guint *counts, guint bins);

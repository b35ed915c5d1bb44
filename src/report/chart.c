#include "report/chart.h"

#include <math.h>

/* Labels with more digits before or behind the point than these are written with an exponent. */
#define MOST_DECIMALS 6
#define LARGEST_PLAIN 1e6

ReportRange
report_range (const double *values, gsize n)
{
  ReportRange range = { INFINITY, -INFINITY };

  for (gsize i = 0; i < n; i++)
    if (isfinite (values[i]))
      {
        range.low = MIN (range.low, values[i]);
        range.high = MAX (range.high, values[i]);
      }
  if (range.low > range.high)
    return (ReportRange){ 0, 1 };
  if (range.low == range.high)
    {
      double margin = range.low != 0 ? fabs (range.low) / 2 : 0.5;

      return (ReportRange){ range.low - margin, range.high + margin };
    }
  return range;
}

/* ---- ticks ---- */

ReportTicks
report_ticks (ReportRange range, guint most)
{
  static const double mantissas[] = { 1, 2, 5, 10 };
  double span = range.high - range.low;
  double power = floor (log10 (span / MAX (most, 2)));
  ReportTicks ticks = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (mantissas); i++)
    {
      double slack, first, last;

      ticks.step = mantissas[i] * pow (10, power);
      /* The ends themselves are inside, whatever a division made of them. */
      slack = 1e-9 * span / ticks.step;
      first = ceil (range.low / ticks.step - slack);
      last = floor (range.high / ticks.step + slack);
      ticks.first = first * ticks.step;
      ticks.n = (guint) (last - first + 1);
      ticks.decimals = (guint) MAX (0, -power - (mantissas[i] == 10 ? 1 : 0));
      if (ticks.n <= MAX (most, 2))
        break;
    }
  return ticks;
}

double
report_tick (const ReportTicks *ticks, guint i)
{
  double value = ticks->first + i * ticks->step;

  /* What is zero but for rounding would print as -0. */
  return fabs (value) < ticks->step / 2 ? 0 : value;
}

char *
report_tick_text (const ReportTicks *ticks, guint i)
{
  double value = report_tick (ticks, i);

  if (ticks->decimals > MOST_DECIMALS || fabs (value) >= LARGEST_PLAIN)
    return g_strdup_printf ("%g", value);
  return g_strdup_printf ("%.*f", (int) ticks->decimals, value);
}

/* ---- text in one line ---- */

char *
report_sparkline (const double *values, gsize n, ReportRange range, gboolean ascii)
{
  static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
  static const char *const marks[] = { "_", ".", "-", "=", "+", "*", "#", "@" };
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < n; i++)
    {
      double share = (values[i] - range.low) / (range.high - range.low);
      guint level =
          isnan (share) ? 0 : (guint) (CLAMP (share, 0, 1) * (G_N_ELEMENTS (blocks) - 1) + 0.5);

      g_string_append (text, isnan (share) ? " " : ascii ? marks[level] : blocks[level]);
    }
  return g_string_free (text, FALSE);
}

char *
report_bar (double share, guint width, gboolean ascii)
{
  static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
  guint parts = ascii ? 1 : G_N_ELEMENTS (eighths);
  guint filled = isnan (share) ? 0 : (guint) (CLAMP (share, 0, 1) * width * parts + 0.5);
  guint cells = filled / parts + (filled % parts > 0 ? 1 : 0);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < filled / parts; i++)
    g_string_append (text, ascii ? "#" : "█");
  g_string_append (text, eighths[filled % parts]);
  for (guint i = cells; i < width; i++)
    g_string_append_c (text, ' ');
  return g_string_free (text, FALSE);
}

/* ---- histogram ---- */

gsize
report_histogram (const double *values, const guint8 *labels, guint8 wanted, gsize n, guint *counts,
                  guint bins)
{
  gsize counted = 0;

  for (guint bin = 0; bin < bins; bin++)
    counts[bin] = 0;
  for (gsize i = 0; i < n && bins > 0; i++)
    if ((labels == NULL || labels[i] == wanted) && values[i] >= 0 && values[i] <= 1)
      {
        counts[MIN ((guint) (values[i] * bins), bins - 1)]++;
        counted++;
      }
  return counted;
}

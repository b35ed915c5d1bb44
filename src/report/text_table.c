#include "report/text_table.h"

#include "report/printable.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#define GAP 2
#define MAX_RULE 100 /* a last column of free text may be longer */

struct _TextTable
{
  char *alignments;
  guint n_columns;
  GPtrArray *rows; /* (element-type GStrv), %NULL for a rule */
  GString *text;
};

static void
row_free (gpointer row)
{
  g_strfreev (row);
}

TextTable *
text_table_new (const char *alignments)
{
  TextTable *table = g_new0 (TextTable, 1);

  table->alignments = g_strdup (alignments);
  table->n_columns = (guint) strlen (alignments);
  table->rows = g_ptr_array_new_with_free_func (row_free);
  table->text = g_string_new (NULL);
  return table;
}

void
text_table_free (TextTable *table)
{
  g_free (table->alignments);
  g_ptr_array_unref (table->rows);
  g_string_free (table->text, TRUE);
  g_free (table);
}

void
text_table_row (TextTable *table, ...)
{
  char **row = g_new0 (char *, table->n_columns + 1);
  va_list cells;

  va_start (cells, table);
  for (guint i = 0; i < table->n_columns; i++)
    row[i] = g_strdelimit (report_printable (va_arg (cells, const char *)), "\t\n", ' ');
  va_end (cells);
  g_ptr_array_add (table->rows, row);
}

void
text_table_rule (TextTable *table)
{
  g_ptr_array_add (table->rows, NULL);
}

static void
append_padding (GString *text, glong n)
{
  for (glong i = 0; i < n; i++)
    g_string_append_c (text, ' ');
}

static void
append_row (TextTable *table, char **row, const glong *widths)
{
  GString *text = table->text;

  for (guint i = 0; i < table->n_columns; i++)
    {
      glong padding = widths[i] - g_utf8_strlen (row[i], -1);

      if (i > 0)
        append_padding (text, GAP);
      if (table->alignments[i] == 'r')
        append_padding (text, padding);
      g_string_append (text, row[i]);
      if (table->alignments[i] == 'l')
        append_padding (text, padding);
    }
  while (text->len > 0 && text->str[text->len - 1] == ' ')
    g_string_truncate (text, text->len - 1);
  g_string_append_c (text, '\n');
}

const char *
text_table_text (TextTable *table)
{
  g_autofree glong *widths = g_new0 (glong, table->n_columns);
  glong total = GAP * ((glong) table->n_columns - 1);

  for (guint r = 0; r < table->rows->len; r++)
    {
      char **row = g_ptr_array_index (table->rows, r);

      for (guint i = 0; row != NULL && i < table->n_columns; i++)
        widths[i] = MAX (widths[i], g_utf8_strlen (row[i], -1));
    }
  for (guint i = 0; i < table->n_columns; i++)
    total += widths[i];

  g_string_truncate (table->text, 0);
  for (guint r = 0; r < table->rows->len; r++)
    {
      char **row = g_ptr_array_index (table->rows, r);

      if (row != NULL)
        append_row (table, row, widths);
      else
        {
          for (glong i = 0; i < MIN (total, MAX_RULE); i++)
            g_string_append (table->text, "─");
          g_string_append_c (table->text, '\n');
        }
    }
  return table->text->str;
}

/* ---- numbers ---- */

char *
report_decimals (double number, guint decimals)
{
  return isnan (number) ? g_strdup ("–") : g_strdup_printf ("%.*f", (int) decimals, number);
}

char *
report_percent (double share, guint decimals)
{
  return isnan (share) ? g_strdup ("–") : g_strdup_printf ("%.*f %%", (int) decimals, 100 * share);
}

char *
report_interval (double low, double high)
{
  return isnan (low) || isnan (high) ? g_strdup ("–") : g_strdup_printf ("[%.3f, %.3f]", low, high);
}

char *
report_count (guint64 count)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, count);
  gsize n = strlen (digits);
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < n; i++)
    {
      if (i > 0 && (n - i) % 3 == 0)
        g_string_append_c (text, ',');
      g_string_append_c (text, digits[i]);
    }
  return g_string_free (text, FALSE);
}

char *
report_duration (double seconds)
{
  guint64 whole;

  if (isnan (seconds))
    return g_strdup ("–");
  if (seconds < 10)
    return g_strdup_printf ("%.1f s", seconds);
  whole = (guint64) (seconds + 0.5);
  if (whole < 60)
    return g_strdup_printf ("%u s", (guint) whole);
  if (whole < 3600)
    return g_strdup_printf ("%u min %02u s", (guint) (whole / 60), (guint) (whole % 60));
  return g_strdup_printf ("%u h %02u min", (guint) (whole / 3600), (guint) (whole % 3600 / 60));
}

char *
report_bytes (guint64 bytes)
{
  g_autofree char *text = g_format_size (bytes);
  g_auto (GStrv) parts = g_strsplit (text, "\302\240", -1); /* a blank that plain ASCII lacks */

  return g_strjoinv (" ", parts);
}

static char *
count_text (guint64 n, gboolean bytes)
{
  return bytes ? report_bytes (n) : g_strdup_printf ("%" G_GUINT64_FORMAT, n);
}

char *
report_counts (guint64 done, guint64 total, const char *unit, double rate_per_s)
{
  gboolean bytes = strcmp (unit, "bytes") == 0;
  g_autofree char *so_far = count_text (done, bytes), *all = count_text (total, bytes);
  g_autofree char *rate = bytes && !isnan (rate_per_s) ? report_bytes ((guint64) rate_per_s) : NULL;
  GString *text = g_string_new (so_far);

  if (total > 0)
    g_string_append_printf (text, "%s%s", bytes ? " of " : "/", all);
  if (!bytes && *unit != '\0')
    g_string_append_printf (text, " %s", unit);
  if (rate != NULL)
    g_string_append_printf (text, ", %s/s", rate);
  else if (!isnan (rate_per_s))
    g_string_append_printf (text, ", %.3g/s", rate_per_s);
  return g_string_free (text, FALSE);
}

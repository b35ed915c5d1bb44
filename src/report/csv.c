#include "report/csv.h"

#include <glib.h>
#include <math.h>
#include <string.h>

static FILE *
next_cell (ReportCsv *csv)
{
  FILE *stream = output_file_stream (csv->file);

  if (csv->started)
    fputc (',', stream);
  csv->started = TRUE;
  return stream;
}

void
report_csv_text (ReportCsv *csv, const char *text)
{
  FILE *stream = next_cell (csv);

  if (text == NULL)
    return;
  if (strpbrk (text, ",\"\n\r") == NULL)
    {
      fputs (text, stream);
      return;
    }
  fputc ('"', stream);
  for (; *text != '\0'; text++)
    {
      if (*text == '"')
        fputc ('"', stream);
      fputc (*text, stream);
    }
  fputc ('"', stream);
}

void
report_csv_integer (ReportCsv *csv, gint64 number)
{
  fprintf (next_cell (csv), "%" G_GINT64_FORMAT, number);
}

void
report_csv_number (ReportCsv *csv, double number)
{
  FILE *stream = next_cell (csv);
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  static const char *const formats[] = { "%.15g", "%.16g", "%.17g" };

  if (isnan (number))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_ascii_formatd (text, sizeof text, formats[i], number);
      if (g_ascii_strtod (text, NULL) == number)
        break;
    }
  fputs (text, stream);
}

void
report_csv_end_row (ReportCsv *csv)
{
  fputc ('\n', output_file_stream (csv->file));
  csv->started = FALSE;
}

/**
 * csv.h: comma-separated rows (RFC 4180, LF line ends) into an OutputFile.
 *
 * Cells that a spreadsheet would take for a formula keep their text: numbers and names are all that
 * is written here.
 */
#pragma once

#include "base/output_file.h"

typedef struct
{
  OutputFile *file;
  gboolean started; /* the row has a cell */
} ReportCsv;

void report_csv_text (ReportCsv *csv, const char *text); /* %NULL: an empty cell */
void report_csv_integer (ReportCsv *csv, gint64 number);

/** report_csv_number: the shortest text that reads back as the same double; an empty cell for NaN.
 */
void report_csv_number (ReportCsv *csv, double number);
void report_csv_end_row (ReportCsv *csv);

/**
 * text_table.h: columns that line up.
 *
 *     table = text_table_new ("l", "r", "r", NULL);
 *     text_table_row (table, "finding", "AUROC", "n+", NULL);
 *     text_table_rule (table);
 *     ...
 *     g_print ("%s", text_table_text (table));
 */
#pragma once

#include <glib.h>

typedef struct _TextTable TextTable;

/** text_table_new: one of 'l' (left), 'r' (right) per column, as in "lrr". */
TextTable *text_table_new (const char *alignments);
void text_table_free (TextTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextTable, text_table_free)

/** text_table_row: one string per column; what would break the line is shown as a blank, other
 * control characters as '?'. */
void text_table_row (TextTable *table, ...);

/** text_table_rule: a line across. */
void text_table_rule (TextTable *table);

/** text_table_text: the whole table, two blanks between columns, no blanks at line ends. Owned by
 * the table. */
const char *text_table_text (TextTable *table);

/* ---- numbers as text; each returns a string to g_free; what is undefined is "–" ---- */

/** report_decimals: "0.873". */
char *report_decimals (double number, guint decimals);

/** report_percent: "87.3 %". */
char *report_percent (double share, guint decimals);

/** report_interval: "[0.841, 0.905]". */
char *report_interval (double low, double high);

/** report_count: "47,149". */
char *report_count (guint64 count);

/** report_duration: "0.4 s", "1 min 12 s", "3 h 05 min". */
char *report_duration (double seconds);

/** report_bytes: "157.3 MB". */
char *report_bytes (guint64 bytes);

/** report_counts: how far something is: "12/240 scans, 3.4/s", or of bytes "1.2 MB of 3.4 GB,
 * 56 MB/s". @total 0, @rate_per_s NaN: unknown. Free with g_free. */
char *report_counts (guint64 done, guint64 total, const char *unit, double rate_per_s);

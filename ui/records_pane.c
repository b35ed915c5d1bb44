#include "records_private.h"

#include "report/text_table.h"

#include <math.h>
#include <string.h>

static void
line_clear (gpointer data)
{
  PaneLine *line = data;

  g_free (line->text);
  g_clear_pointer (&line->spans, g_array_unref);
  g_free (line);
}

void
records_forget_pane (Records *records)
{
  g_clear_pointer (&records->lines, g_ptr_array_unref);
}

static PaneLine *
add_line (Records *records, Role role, const char *text)
{
  PaneLine *line = g_new0 (PaneLine, 1);

  line->text = g_strdup (text);
  line->role = role;
  g_ptr_array_add (records->lines, line);
  return line;
}

static void
add_wrapped (Records *records, Role role, const char *text)
{
  g_auto (GStrv) lines = text_wrap (text, records->lines_width);

  for (guint i = 0; lines[i] != NULL; i++)
    add_line (records, role, lines[i]);
}

/** The part of the text's spans that lies in a line of it, in the line's bytes. */
static GArray *
spans_in (const GArray *spans, gsize start, gsize end)
{
  GArray *found = NULL;

  for (guint i = 0; i < spans->len; i++)
    {
      CatalogSpan span = g_array_index (spans, CatalogSpan, i);

      if (span.end <= start || span.start >= end)
        continue;
      span.start = MAX (span.start, start) - start;
      span.end = MIN (span.end, end) - start;
      if (found == NULL)
        found = g_array_new (FALSE, FALSE, sizeof (CatalogSpan));
      g_array_append_val (found, span);
    }
  return found;
}

/** A section of the report, wrapped, with what the search found in it. */
static void
add_section (Records *records, const char *title, const char *text)
{
  g_auto (GStrv) lines = NULL;
  g_autoptr (GArray) spans = NULL;
  gsize at = 0;

  if (text == NULL || *text == '\0')
    return;
  add_line (records, ROLE_STRONG, title);
  lines = text_wrap (text, records->lines_width);
  spans = catalog_match_spans (text, records->terms);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      /* Wrapping only drops blanks, so each line stands in the text as it is. */
      const char *found = strstr (text + at, lines[i]);
      PaneLine *line = add_line (records, ROLE_NORMAL, lines[i]);

      if (found == NULL)
        continue;
      at = (gsize) (found - text);
      line->spans = spans_in (spans, at, at + strlen (lines[i]));
      at += strlen (lines[i]);
    }
  add_line (records, ROLE_NORMAL, "");
}

/** What was predicted and what is, in a word. */
static const char *
verdict (gboolean there, double probability)
{
  gboolean called = probability >= 0.5;

  if (called == there)
    return "";
  return there ? "missed" : "false alarm";
}

/** The findings that are there or were called, where there is no room for a table of all. */
static void
add_findings (Records *records)
{
  const CatalogRecord *record = records->record;
  g_autoptr (GString) text = g_string_new ("Findings: ");
  gsize empty = text->len;

  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    {
      gboolean there = record->labels >> i & 1;
      double probability = records->has_predictions ? records->predictions[i] : NAN;
      const char *word;

      if (!there && !(probability >= 0.5))
        continue;
      word = isnan (probability) ? "" : verdict (there, probability);
      g_string_append_printf (text, "%s%s", text->len > empty ? ", " : "", catalog_label_name (i));
      if (!isnan (probability))
        g_string_append_printf (text, " %.2f%s%s", probability, *word != '\0' ? " " : "", word);
    }
  if (!record->has_labels)
    g_string_append (text, "no labels");
  else if (text->len == empty)
    g_string_append (text, "none of the 18");
  add_wrapped (records, ROLE_ACCENT, text->str);
}

/** "20210427" as 2021-04-27, the way a query may say it; anything else as it stands. */
static void
append_date (GString *text, const char *date)
{
  if (strlen (date) == 8 && strspn (date, "0123456789") == 8)
    g_string_append_printf (text, ", %.4s-%.2s-%.2s", date, date + 4, date + 6);
  else if (*date != '\0')
    g_string_append_printf (text, ", %s", date);
}

static void
add_metadata (Records *records)
{
  const CatalogRecord *record = records->record;
  g_autofree char *xy = report_decimals (record->spacing_xy_mm, 2);
  g_autofree char *z = report_decimals (record->spacing_z_mm, 2);
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s, %s", catalog_split_name (record->split), record->patient);
  if (*record->sex != '\0')
    g_string_append_printf (text, ", %s", record->sex);
  if (record->age_years >= 0)
    g_string_append_printf (text, ", %d years", record->age_years);
  append_date (text, record->study_date);
  if (*record->manufacturer != '\0')
    g_string_append_printf (text, "; %s %s", record->manufacturer, record->model);
  if (record->slices >= 0)
    g_string_append_printf (text, "; %d slices of %d x %d, %s mm apart, %s mm within",
                            record->slices, record->rows, record->columns, z, xy);
  add_wrapped (records, ROLE_DIM, text->str);
  if (record->reason != CATALOG_KEPT)
    {
      g_autofree char *reason =
          g_strdup_printf ("Dropped: %s%s%s", catalog_reason_description (record->reason),
                           record->reason_detail != NULL ? ": " : "",
                           record->reason_detail != NULL ? record->reason_detail : "");

      add_wrapped (records, ROLE_WARNING, reason);
    }
}

static void
make_lines (Records *records, int width, gboolean with_labels)
{
  const CatalogRecord *record = records->record;

  records->lines = g_ptr_array_new_with_free_func (line_clear);
  records->lines_width = MAX (width, 1);
  records->lines_with_labels = with_labels;
  add_metadata (records);
  if (!with_labels)
    add_findings (records);
  add_line (records, ROLE_NORMAL, "");
  add_section (records, "Impression", record->impression);
  add_section (records, "Findings", record->findings);
  add_section (records, "Clinical information", record->clinical);
  add_section (records, "Technique", record->technique);
}

/** All 18, those of the record beside those of the run. */
static void
draw_labels (Records *records, Area area)
{
  const CatalogRecord *record = records->record;

  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    {
      gboolean there = record->has_labels && (record->labels >> i & 1);
      double probability = records->has_predictions ? records->predictions[i] : NAN;
      const char *word = isnan (probability) ? "" : verdict (there, probability);

      draw_text (area, (int) i, 0, there ? ROLE_ACCENT : ROLE_DIM,
                 symbol (there ? SYMBOL_YES : SYMBOL_NO));
      draw_printf (area, (int) i, 2, ROLE_DIM, "%s", records_finding_code (i));
      draw_text_in (area, (int) i, 5, 34, 'l', there ? ROLE_STRONG : ROLE_NORMAL,
                    catalog_label_name (i));
      if (!isnan (probability))
        draw_printf (area, (int) i, 40, *word != '\0' ? ROLE_BAD : ROLE_NORMAL, "%.2f %s",
                     probability, word);
    }
}

static void
draw_line (Area area, int row, const PaneLine *line)
{
  draw_text (area, row, 0, line->role, line->text);
  for (guint i = 0; line->spans != NULL && i < line->spans->len; i++)
    {
      CatalogSpan span = g_array_index (line->spans, CatalogSpan, i);
      g_autofree char *before = g_strndup (line->text, span.start);
      g_autofree char *match = g_strndup (line->text + span.start, span.end - span.start);

      draw_role (area, row, text_width (before), text_width (match), ROLE_MATCH);
    }
}

void
records_draw_pane (Records *records, Area labels, Area pane)
{
  guint most;

  if (records->record == NULL || pane.height <= 0)
    return;
  if (labels.width > 0)
    draw_labels (records, labels);
  if (records->lines == NULL || records->lines_width != MAX (pane.width - 1, 1)
      || records->lines_with_labels != (labels.width > 0))
    {
      records_forget_pane (records);
      make_lines (records, pane.width - 1, labels.width > 0);
    }
  records->pane_rows = (guint) pane.height;
  most = records->lines->len > records->pane_rows ? records->lines->len - records->pane_rows : 0;
  records->pane_top = MIN (records->pane_top, most);
  for (int row = 0; row < pane.height; row++)
    {
      guint i = records->pane_top + (guint) row;

      if (i < records->lines->len)
        draw_line (pane, row, g_ptr_array_index (records->lines, i));
    }
  draw_scrollbar (pane, records->pane_top, records->pane_rows, records->lines->len);
}

void
records_pane_scroll (Records *records, int rows)
{
  records->pane_top = (guint) MAX ((int) records->pane_top + rows, 0);
}

void
records_pane_match (Records *records, int step)
{
  int n = records->lines != NULL ? (int) records->lines->len : 0;

  for (int i = (int) records->pane_top + step; i >= 0 && i < n; i += step)
    if (((PaneLine *) g_ptr_array_index (records->lines, i))->spans != NULL)
      {
        records->pane_top = (guint) i;
        return;
      }
  app_message (records->app, step > 0 ? "No match further down in this report"
                                      : "No match further up in this report");
}

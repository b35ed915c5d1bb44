#include "records_private.h"

#include "report/text_table.h"

#include <math.h>
#include <string.h>

static const char *const fields[RECORDS_N_COLUMNS] = {
  [RECORDS_COLUMN_NAME] = "volume",       [RECORDS_COLUMN_SEX] = "sex",
  [RECORDS_COLUMN_AGE] = "age",           [RECORDS_COLUMN_SCANNER] = "manufacturer",
  [RECORDS_COLUMN_SPACING] = "spacing_z", [RECORDS_COLUMN_SLICES] = "slices",
  [RECORDS_COLUMN_ENCODED] = "encoded",   [RECORDS_COLUMN_PROBABILITY] = "probability",
  [RECORDS_COLUMN_REASON] = "reason",
};

const char *
records_sort_at (const Records *records, int x)
{
  for (guint i = 0; i < RECORDS_N_COLUMNS; i++)
    {
      int at = x - records->column_x[i];

      if (records->column_width[i] == 0 || at < 0 || at >= records->column_width[i])
        continue;
      return i == RECORDS_COLUMN_FINDINGS ? catalog_label_name ((guint) at) : fields[i];
    }
  return NULL;
}

/** The column that the rows are sorted by; -1: none of them. @label: (out) of the findings */
static int
sorted_column (const Records *records, int *label)
{
  *label = records->sort != NULL ? catalog_label_find (records->sort) : -1;
  if (*label >= 0)
    return RECORDS_COLUMN_FINDINGS;
  for (int i = 0; i < RECORDS_N_COLUMNS; i++)
    if (fields[i] != NULL && g_strcmp0 (records->sort, fields[i]) == 0)
      return i;
  return -1;
}

static void
draw_head (Records *records, Area area)
{
  int label, sorted = sorted_column (records, &label);
  int x = records->column_x[RECORDS_COLUMN_FINDINGS];

  table_draw_head (area_rows (area, 1, 1), records->columns, RECORDS_N_COLUMNS, records->column_x,
                   records->column_width, sorted == RECORDS_COLUMN_FINDINGS ? -1 : sorted,
                   records->descending);
  if (records->column_width[RECORDS_COLUMN_FINDINGS] == 0)
    return;
  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    {
      const char *code = records_finding_code (i);
      Role role = (int) i == label ? ROLE_WARNING : ROLE_COLUMN;

      draw_printf (area, 0, x + (int) i, role, "%c", code[0]);
      draw_printf (area, 1, x + (int) i, role, "%c", code[1]);
    }
}

static void
cell (Records *records, Area area, int row, RecordsColumn column, Role role, const char *text)
{
  if (records->column_width[column] > 0)
    draw_text_in (area, row, records->column_x[column], records->column_width[column],
                  records->columns[column].align, role, text);
}

/** "0.75 1.50": within a slice and from slice to slice. */
static char *
spacing_text (const CatalogRecord *record)
{
  g_autofree char *xy = report_decimals (record->spacing_xy_mm, 2);
  g_autofree char *z = report_decimals (record->spacing_z_mm, 2);

  return g_strdup_printf ("%s %s", xy, z);
}

static char *
count_text (int number)
{
  return number >= 0 ? g_strdup_printf ("%d", number) : g_strdup (symbol (SYMBOL_DASH));
}

static const char *
or_dash (const char *text)
{
  return *text != '\0' ? text : symbol (SYMBOL_DASH);
}

static void
draw_row (Records *records, Area area, int row, const CatalogRecord *record)
{
  g_autofree char *name = g_strndup (record->volume, strcspn (record->volume, "."));
  g_autofree char *age = count_text (record->age_years), *slices = count_text (record->slices);
  g_autofree char *spacing = spacing_text (record);
  g_autofree char *scanner =
      g_strstrip (g_strdup_printf ("%s %s", record->manufacturer, record->model));
  g_autofree char *probability = report_decimals (record->probability, 3);
  gboolean kept = record->reason == CATALOG_KEPT;
  Role role = kept ? ROLE_NORMAL : ROLE_DIM;

  cell (records, area, row, RECORDS_COLUMN_TAG, ROLE_TAGGED,
        g_hash_table_contains (records->tags, record->volume) ? symbol (SYMBOL_TAG) : "");
  cell (records, area, row, RECORDS_COLUMN_NAME, role, name);
  cell (records, area, row, RECORDS_COLUMN_SEX, role, or_dash (record->sex));
  cell (records, area, row, RECORDS_COLUMN_AGE, role, age);
  cell (records, area, row, RECORDS_COLUMN_SCANNER, role, or_dash (scanner));
  cell (records, area, row, RECORDS_COLUMN_SPACING, role, spacing);
  cell (records, area, row, RECORDS_COLUMN_SLICES, role, slices);
  cell (records, area, row, RECORDS_COLUMN_ENCODED, role,
        symbol (record->encoded ? SYMBOL_YES : SYMBOL_NO));
  cell (records, area, row, RECORDS_COLUMN_PROBABILITY, role, probability);
  cell (records, area, row, RECORDS_COLUMN_REASON, ROLE_WARNING,
        kept ? "" : catalog_reason_name (record->reason));
  if (records->column_width[RECORDS_COLUMN_FINDINGS] == CATALOG_N_LABELS)
    for (guint i = 0; i < CATALOG_N_LABELS; i++)
      {
        gboolean there = record->has_labels && (record->labels >> i & 1);

        draw_text (area, row, records->column_x[RECORDS_COLUMN_FINDINGS] + (int) i,
                   there ? ROLE_ACCENT : ROLE_DIM,
                   !record->has_labels ? " " : symbol (there ? SYMBOL_YES : SYMBOL_NO));
      }
}

void
records_draw_table (Records *records, Area area)
{
  Area rows = area_rows (area, 2, area.height - 2);

  records->table = rows;
  records_columns (app_chosen_run (records->app)->id != 0, records->dropped, records->columns);
  /* One column at the right is the scroll bar's. */
  table_layout (records->columns, RECORDS_N_COLUMNS, MAX (area.width - 1, 0), records->column_x,
                records->column_width);
  draw_head (records, area);
  list_fit (&records->list, (guint) MAX (rows.height, 0));
  for (int row = 0; row < rows.height; row++)
    {
      guint64 i = records->list.top + (guint64) row;
      const CatalogRecord *record = records_row (records, i);

      if (i >= records->list.n)
        break;
      if (record != NULL)
        draw_row (records, rows, row, record);
      if (i == records->list.cursor)
        {
          draw_role (rows, row, 0, rows.width, ROLE_SELECTED);
          if (record != NULL && !g_hash_table_contains (records->tags, record->volume))
            draw_text (rows, row, 0, ROLE_SELECTED, ">");
        }
    }
  draw_scrollbar (rows, records->list.top, (guint64) MAX (rows.height, 0), records->list.n);
}

/* ---- the funnel ---- */

#define FUNNEL_WORDS 40
#define FUNNEL_NUMBER 8

static void
draw_split (Records *records, Area area, CatalogSplit split, int column, int bar)
{
  const CatalogFunnel *funnel = &records->funnels[split];
  guint left = funnel->rows;

  draw_text_in (area, 0, column, FUNNEL_NUMBER, 'r', ROLE_COLUMN, catalog_split_name (split));
  for (int row = 0; row < 1 + CATALOG_N_REASONS; row++)
    {
      /* The rows of the table, then every rule and what it leaves, then what is kept. */
      CatalogReason reason = row == CATALOG_N_REASONS ? CATALOG_KEPT : (CatalogReason) MAX (row, 0);
      gboolean first = row == 0, last = row == CATALOG_N_REASONS;
      guint count = first ? funnel->rows : funnel->count[reason];
      g_autofree char *number =
          records->imported[split] ? report_count (count) : g_strdup (symbol (SYMBOL_DASH));
      g_autofree char *text = first || last || !records->imported[split] || count == 0
                                  ? g_strdup (number)
                                  : g_strconcat ("-", number, NULL);

      if (!first && !last)
        left -= count;
      draw_text_in (area, row + 1, column, FUNNEL_NUMBER, 'r',
                    last    ? ROLE_STRONG
                    : first ? ROLE_NORMAL
                            : ROLE_DIM,
                    text);
      if (bar > 0 && records->imported[split] && funnel->rows > 0)
        draw_bar (area, row + 1, column + FUNNEL_NUMBER + 1, bar,
                  (double) (last ? funnel->count[CATALOG_KEPT] : left) / funnel->rows,
                  last ? ROLE_SERIES_3 : ROLE_SERIES_1);
    }
}

void
records_draw_funnel (Records *records, Area area)
{
  int words = MIN (FUNNEL_WORDS, area.width / 2);
  int room = (area.width - words) / 2, bar = MIN (room - FUNNEL_NUMBER - 3, 32);
  Area inside = area_rows (area, 0, area.height);

  if (area.height == 0)
    return;
  draw_text_in (inside, 0, 0, words, 'l', ROLE_STRONG, "Cleaning");
  for (int row = 0; row <= CATALOG_N_REASONS; row++)
    draw_text_in (inside, row + 1, 1, words - 2, 'l',
                  row == CATALOG_N_REASONS ? ROLE_STRONG : ROLE_NORMAL,
                  row == 0                   ? "rows"
                  : row == CATALOG_N_REASONS ? "kept"
                                             : catalog_reason_description ((CatalogReason) row));
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    draw_split (records, inside, split, words + (int) split * room, MAX (bar, 0));
}

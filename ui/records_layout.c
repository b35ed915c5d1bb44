#include "records_layout.h"

#include "catalog/labels.h"

#define LEAST_TABLE_ROWS 5
#define LEAST_FUNNEL_HEIGHT 36 /* from here on the funnel shows by itself */
#define LABELS_WIDTH 57
#define LEAST_WIDTH_WITH_LABELS 112

RecordsLayout
records_layout (Area area, int funnel, gboolean zoomed)
{
  RecordsLayout layout = { .status = area_rows (area, 0, 1) };
  Area rest = area_rows (area, 1, area.height - 1), record;
  gboolean with_funnel = funnel > 0 || (funnel < 0 && area.height >= LEAST_FUNNEL_HEIGHT);
  int table;

  if (zoomed)
    table = 0;
  else
    {
      if (with_funnel && rest.height >= RECORDS_FUNNEL_ROWS + LEAST_TABLE_ROWS)
        {
          layout.funnel = area_rows (rest, 0, RECORDS_FUNNEL_ROWS);
          rest = area_rows (rest, RECORDS_FUNNEL_ROWS, rest.height);
        }
      table = rest.height < 2 * LEAST_TABLE_ROWS ? rest.height : rest.height * 11 / 20;
    }
  layout.table = area_rows (rest, 0, table);
  layout.rule = area_rows (rest, table, 1);
  record = area_rows (rest, table + 1, rest.height);
  if (record.width >= LEAST_WIDTH_WITH_LABELS)
    {
      layout.labels = area_columns (record, 0, LABELS_WIDTH);
      layout.pane = area_columns (record, LABELS_WIDTH + 2, record.width);
    }
  else
    layout.pane = record;
  return layout;
}

void
records_columns (gboolean run, gboolean dropped, TableColumn columns[RECORDS_N_COLUMNS])
{
  const TableColumn all[RECORDS_N_COLUMNS] = {
    [RECORDS_COLUMN_TAG] = { "", 1, 'l', FALSE, 0 },
    [RECORDS_COLUMN_NAME] = { "record", 18, 'l', FALSE, 0 },
    [RECORDS_COLUMN_SEX] = { "sex", 3, 'l', FALSE, 3 },
    [RECORDS_COLUMN_AGE] = { "age", 3, 'r', FALSE, 2 },
    [RECORDS_COLUMN_SCANNER] = { "scanner", 12, 'l', TRUE, 8, .most = 36 },
    [RECORDS_COLUMN_SPACING] = { "spacing mm", 10, 'r', FALSE, 7 },
    [RECORDS_COLUMN_SLICES] = { "slices", 6, 'r', FALSE, 6 },
    [RECORDS_COLUMN_FINDINGS] = { "", CATALOG_N_LABELS, 'l', FALSE, 1 },
    [RECORDS_COLUMN_ENCODED] = { "enc", 3, 'c', FALSE, 5 },
    [RECORDS_COLUMN_PROBABILITY] = { "prob", 5, 'r', FALSE, 1 },
    [RECORDS_COLUMN_REASON] = { "dropped as", 16, 'l', FALSE, 4 },
  };

  for (guint i = 0; i < RECORDS_N_COLUMNS; i++)
    columns[i] = all[i];
  if (!run)
    columns[RECORDS_COLUMN_PROBABILITY].width = 0;
  if (!dropped)
    columns[RECORDS_COLUMN_REASON].width = 0;
}

const char *
records_finding_code (guint label)
{
  static const char *const codes[CATALOG_N_LABELS] = { "Mm", "Ar", "Ca", "Pc", "Co", "Hh",
                                                       "Ly", "Em", "At", "No", "Op", "Fi",
                                                       "Pl", "Mo", "Pb", "Cs", "Br", "Is" };

  return codes[label];
}

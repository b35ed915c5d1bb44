#include "runs_table.h"

#include "study/parameters.h"

#include <math.h>
#include <string.h>

/* At 80 cells all but the encoder and the note have room; both stand below the table too. */
const TableColumn runs_columns[N_RUNS_COLUMNS] = {
  [RUNS_MARKS] = { "", 2, 'l', FALSE, 0 },
  [RUNS_NUMBER] = { "#", 4, 'r', FALSE, 1 },
  [RUNS_NAME] = { "name", 11, 'l', FALSE, 0 },
  [RUNS_WHEN] = { "when (UTC)", 11, 'l', FALSE, 4 },
  [RUNS_STATUS] = { "status", 9, 'l', FALSE, 2 },
  [RUNS_ENCODER] = { "encoder", 14, 'l', FALSE, 8 },
  [RUNS_SCANS] = { "scans", 9, 'r', FALSE, 5 },
  [RUNS_CHANGED] = { "parameters", 13, 'l', TRUE, 3 },
  [RUNS_AUROC] = { "AUROC", 6, 'r', FALSE, 0 },
  [RUNS_BEST] = { "", 4, 'l', FALSE, 6 },
  [RUNS_NOTE] = { "note", 14, 'l', TRUE, 7 },
};

#define LONG_TIME_WIDTH 16 /* "2026-11-23 05:10" */
#define LONG_TIMES_FROM 130

void
runs_fit_columns (GPtrArray *rows, int width, TableColumn columns[N_RUNS_COLUMNS])
{
  int least = runs_columns[RUNS_NAME].width, longest = least;

  memcpy (columns, runs_columns, sizeof runs_columns);
  for (guint i = 0; i < rows->len; i++)
    longest = MAX (longest, text_width (((RunsRow *) g_ptr_array_index (rows, i))->run->name));
  columns[RUNS_NAME].width = MIN (longest, MAX (least, width / 7));
  if (width >= LONG_TIMES_FROM)
    columns[RUNS_WHEN].width = LONG_TIME_WIDTH;
}

/* ---- rows ---- */

RunsRow *
runs_row_new (CatalogRun *run, guint train_n, guint valid_n)
{
  RunsRow *row = g_new0 (RunsRow, 1);

  *row = (RunsRow){ run, runs_changed_text (run->parameters), train_n, valid_n, FALSE };
  return row;
}

void
runs_row_free (RunsRow *row)
{
  catalog_run_free (row->run);
  g_free (row->changed);
  g_free (row);
}

/** How a parameter is listed: what was tried comes first, how it was sampled follows, and names and
 * places are left out (-1). */
static int
rank (const char *name)
{
  static const char *const places[] = { "name",         "encoder-name", "train-sample",
                                        "valid-sample", "device",       NULL };
  static const char *const sampling[] = { "fraction", "seed", NULL };

  return g_strv_contains (places, name) ? -1 : g_strv_contains (sampling, name);
}

char *
runs_changed_text (const char *parameters)
{
  g_autoptr (TrainParameters) given = train_parameters_new ();
  g_autoptr (TrainParameters) usual = train_parameters_new ();
  g_autoptr (GString) text = g_string_new (NULL);
  guint n;
  const ParameterSpec *specs = parameter_specs (&n);

  if (parameters == NULL || !train_parameters_parse (given, parameters, "run", NULL))
    return g_strdup ("unknown");
  for (int ranked = 0; ranked <= 1; ranked++)
    for (guint i = 0; i < n; i++)
      {
        g_autofree char *value = train_parameters_get (given, specs[i].name);
        g_autofree char *fallback = train_parameters_get (usual, specs[i].name);

        if (rank (specs[i].name) == ranked && strcmp (value, fallback) != 0)
          g_string_append_printf (text, "%s%s %s", text->len > 0 ? ", " : "", specs[i].name, value);
      }
  return g_strdup (text->len > 0 ? text->str : "defaults");
}

void
runs_mark_best (GPtrArray *rows)
{
  double best = NAN;

  for (guint i = 0; i < rows->len; i++)
    {
      const RunsRow *row = g_ptr_array_index (rows, i);

      if (strcmp (row->run->status, "done") == 0)
        best = fmax (best, row->run->macro_auroc);
    }
  for (guint i = 0; i < rows->len; i++)
    {
      RunsRow *row = g_ptr_array_index (rows, i);

      row->best = strcmp (row->run->status, "done") == 0 && row->run->macro_auroc == best;
    }
}

/* ---- sorting ---- */

RunsColumn
runs_next_sort (RunsColumn column, gboolean *descending)
{
  do
    column = (column + 1) % N_RUNS_COLUMNS;
  while (column == RUNS_MARKS || column == RUNS_BEST);
  *descending =
      column == RUNS_NUMBER || column == RUNS_WHEN || column == RUNS_SCANS || column == RUNS_AUROC;
  return column;
}

typedef struct
{
  RunsColumn column;
  gboolean descending;
} Order;

/** A column as text; %NULL where it is a number. */
static const char *
text_of (const RunsRow *row, RunsColumn column)
{
  switch (column)
    {
    case RUNS_NAME:
      return row->run->name;
    case RUNS_WHEN:
      return row->run->started;
    case RUNS_STATUS:
      return row->run->status;
    case RUNS_ENCODER:
      return row->run->encoder;
    case RUNS_CHANGED:
      return row->changed;
    case RUNS_NOTE:
      return row->run->note;
    default:
      return NULL;
    }
}

static double
number_of (const RunsRow *row, RunsColumn column)
{
  switch (column)
    {
    case RUNS_SCANS:
      return row->train_n > 0 ? row->train_n : NAN;
    case RUNS_AUROC:
      return row->run->macro_auroc;
    default:
      return (double) row->run->id;
    }
}

static gint
compare_rows (gconstpointer first, gconstpointer second, gpointer data)
{
  const RunsRow *a = *(const RunsRow *const *) first, *b = *(const RunsRow *const *) second;
  const Order *order = data;
  const char *text_a = text_of (a, order->column), *text_b = text_of (b, order->column);
  double number_a = number_of (a, order->column), number_b = number_of (b, order->column);
  gboolean without_a = text_a != NULL ? *text_a == '\0' : isnan (number_a);
  gboolean without_b = text_b != NULL ? *text_b == '\0' : isnan (number_b);
  int order_of_two = 0;

  if (without_a != without_b)
    return without_a ? 1 : -1;
  if (!without_a)
    order_of_two = text_a != NULL ? g_utf8_collate (text_a, text_b)
                                  : (number_a > number_b) - (number_a < number_b);
  if (order_of_two == 0)
    return (b->run->id > a->run->id) - (b->run->id < a->run->id);
  return order->descending ? -order_of_two : order_of_two;
}

void
runs_sort (GPtrArray *rows, RunsColumn column, gboolean descending)
{
  Order order = { column, descending };

  g_ptr_array_sort_with_data (rows, compare_rows, &order);
}

/* ---- text ---- */

char *
runs_when (const char *time, int width)
{
  const int date = (int) strlen ("2026-11-23"), clock = (int) strlen ("05:10");

  if (time == NULL || (int) strlen (time) < date + 1 + clock)
    return g_strdup (time != NULL ? time : "");
  if (width >= date + 1 + clock)
    return g_strdup_printf ("%.*s %.*s", date, time, clock, time + date + 1);
  return g_strdup_printf ("%.*s %.*s", date - 5, time + 5, clock, time + date + 1);
}

int
runs_interval_cell (double value, ReportRange range, int width)
{
  return (int) lround (CLAMP ((value - range.low) / (range.high - range.low), 0, 1) * (width - 1));
}

char *
runs_interval_text (MetricsInterval interval, ReportRange range, double reference, int width)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int from, to, at, line;

  if (width <= 0 || !(range.high > range.low) || isnan (interval.value))
    return g_strnfill ((gsize) MAX (width, 0), ' ');
  at = runs_interval_cell (interval.value, range, width);
  from = isnan (interval.low) ? at : runs_interval_cell (interval.low, range, width);
  to = isnan (interval.high) ? at : runs_interval_cell (interval.high, range, width);
  line = runs_interval_cell (reference, range, width);
  for (int cell = 0; cell < width; cell++)
    g_string_append (text, cell == at                 ? symbol (SYMBOL_KNOB)
                           : cell == from             ? symbol (SYMBOL_TEE_RIGHT)
                           : cell == to               ? symbol (SYMBOL_TEE_LEFT)
                           : cell > from && cell < to ? symbol (SYMBOL_HORIZONTAL)
                           : cell == line             ? symbol (SYMBOL_VERTICAL)
                                                      : " ");
  return g_strdup (text->str);
}

/* ---- layout ---- */

#define LEAST_TABLE 4    /* head and three rows */
#define LEAST_FACTS 3    /* result, parameters, note */
#define LEAST_BAR 38     /* cells: a finding, its number and a bar */
#define BESIDE_WIDTH 112 /* from here on facts and bars stand beside each other */

RunsLayout
runs_layout (Area area)
{
  RunsLayout layout = { .bar_columns = 1 };
  gboolean beside = area.width >= BESIDE_WIDTH;
  int facts_width = beside ? area.width * 2 / 5 : area.width;
  int bars_width = beside ? area.width - facts_width - 2 : area.width;
  int most = MAX (bars_width / LEAST_BAR, 1);
  int pane = area.height * 3 / 5, above = beside ? 0 : LEAST_FACTS;
  Area below;

  /* As few columns of bars as have room below the table. */
  while (layout.bar_columns < most
         && (CATALOG_N_LABELS + layout.bar_columns - 1) / layout.bar_columns + 1 + above > pane)
    layout.bar_columns++;
  layout.bar_rows = (CATALOG_N_LABELS + layout.bar_columns - 1) / layout.bar_columns;
  if (1 + above + layout.bar_rows <= pane)
    pane = MIN (pane, MAX (1 + above + layout.bar_rows, area.height / 2));
  else
    {
      layout.bar_rows = 0;
      pane = 1 + LEAST_FACTS;
    }
  if (area.height - pane < LEAST_TABLE)
    pane = 0;
  layout.head = area_rows (area, 0, 1);
  layout.rows = area_rows (area, 1, area.height - pane - 1);
  if (pane == 0)
    {
      layout.bar_rows = 0;
      return layout;
    }
  layout.rule = area_rows (area, area.height - pane, 1);
  below = area_rows (area, area.height - pane + 1, pane - 1);
  if (layout.bar_rows == 0)
    layout.facts = below;
  else if (beside)
    {
      layout.facts = area_columns (below, 0, facts_width);
      layout.bars = area_columns (below, facts_width + 2, bars_width);
    }
  else
    {
      layout.facts = area_rows (below, 0, below.height - layout.bar_rows);
      layout.bars = area_rows (below, below.height - layout.bar_rows, layout.bar_rows);
    }
  return layout;
}

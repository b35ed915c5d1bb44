/* The history and, below it, the selected run. */
#include "runs_private.h"

#include "report/text_table.h"

#include <math.h>
#include <string.h>

static char *
number_text (double number)
{
  return isnan (number) ? g_strdup (symbol (SYMBOL_DASH)) : report_decimals (number, 3);
}

static Role
status_role (const char *status)
{
  return strcmp (status, "done") == 0        ? ROLE_NORMAL
         : strcmp (status, "running") == 0   ? ROLE_ACCENT
         : strcmp (status, "cancelled") == 0 ? ROLE_WARNING
                                             : ROLE_BAD;
}

/* ---- the table ---- */

/** A cell's text; free with g_free. */
static char *
cell_text (RunsScreen *self, const RunsRow *row, RunsColumn column, int width)
{
  const CatalogRun *run = row->run;

  switch (column)
    {
    case RUNS_MARKS:
      return g_strconcat (runs_is_tagged (self, run->id) ? symbol (SYMBOL_TAG) : " ",
                          app_chosen_run (self->app)->id == run->id ? symbol (SYMBOL_YES) : " ",
                          NULL);
    case RUNS_NUMBER:
      return g_strdup_printf ("%" G_GINT64_FORMAT, run->id);
    case RUNS_NAME:
      return g_strdup (run->name);
    case RUNS_WHEN:
      return runs_when (run->started, width);
    case RUNS_STATUS:
      return g_strdup (run->status);
    case RUNS_ENCODER:
      return g_strdup (run->encoder);
    case RUNS_SCANS:
      return row->train_n > 0 ? g_strdup_printf ("%u/%u", row->train_n, row->valid_n)
                              : g_strdup (symbol (SYMBOL_DASH));
    case RUNS_CHANGED:
      return g_strdup (row->changed);
    case RUNS_AUROC:
      return number_text (run->macro_auroc);
    case RUNS_BEST:
      return g_strdup (row->best ? "best" : "");
    case RUNS_NOTE:
    default:
      return g_strdup (run->note);
    }
}

static Role
cell_role (const RunsRow *row, RunsColumn column)
{
  switch (column)
    {
    case RUNS_MARKS:
      return ROLE_TAGGED;
    case RUNS_STATUS:
      return status_role (row->run->status);
    case RUNS_AUROC:
      return row->best ? ROLE_STRONG : ROLE_NORMAL;
    case RUNS_BEST:
      return ROLE_GOOD;
    case RUNS_NUMBER:
    case RUNS_NOTE:
      return ROLE_DIM;
    default:
      return ROLE_NORMAL;
    }
}

static void
draw_table (RunsScreen *self, const RunsLayout *layout)
{
  int x[N_RUNS_COLUMNS], widths[N_RUNS_COLUMNS];
  TableColumn columns[N_RUNS_COLUMNS];

  runs_fit_columns (self->rows, layout->head.width - 1, columns);
  table_layout (columns, N_RUNS_COLUMNS, layout->head.width - 1, x, widths);
  table_draw_head (layout->head, columns, N_RUNS_COLUMNS, x, widths, (int) self->sort,
                   self->descending);
  for (int i = 0; i < layout->rows.height && self->list.top + (guint64) i < self->list.n; i++)
    {
      guint64 index = self->list.top + (guint64) i;
      const RunsRow *row = g_ptr_array_index (self->rows, index);

      for (RunsColumn column = 0; column < N_RUNS_COLUMNS; column++)
        {
          g_autofree char *text = cell_text (self, row, column, widths[column]);

          draw_text_in (layout->rows, i, x[column], widths[column], columns[column].align,
                        cell_role (row, column), text);
        }
      if (index == self->list.cursor)
        draw_role (layout->rows, i, 0, layout->rows.width - 1, ROLE_SELECTED);
    }
  draw_scrollbar (layout->rows, self->list.top, (guint64) MAX (layout->rows.height, 0),
                  self->list.n);
}

/* ---- the selected run ---- */

#define CHANCE 0.5    /* AUROC of a coin */
#define HEAD_WIDTH 11 /* "parameters " */
#define LEAST_CHART 8 /* rows and cells */
#define MOST_CHART 16 /* rows */
#define LEAST_LONG 70 /* cells of a finding that has room for its interval too */
#define LONGEST_NAME 34

/** How many runs there are and how many are tagged, at the right of the rule. */
static void
draw_rule_of (RunsScreen *self, Area rule, const RunsRow *row)
{
  const CatalogRun *run = row->run;
  int time_width = rule.width / 5; /* without the year where there is little room */
  g_autofree char *from = runs_when (run->started, time_width);
  g_autofree char *to = run->finished != NULL ? runs_when (run->finished, time_width) : NULL;
  gboolean same_day =
      to != NULL && strncmp (run->started, run->finished, strlen ("2026-11-23")) == 0;
  guint tagged = g_hash_table_size (self->tagged);
  g_autofree char *count =
      tagged > 0 ? g_strdup_printf (" %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ", %u tagged ",
                                    self->list.cursor + 1, self->list.n, tagged)
                 : g_strdup_printf (" %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " ",
                                    self->list.cursor + 1, self->list.n);
  g_autofree char *title =
      g_strdup_printf ("%s  %s, %s%s%s UTC%s", run->name, run->status, from,
                       to != NULL ? (theme_ascii () ? " to " : " – ") : "",
                       to != NULL ? same_day ? strrchr (to, ' ') + 1 : to : "",
                       app_chosen_run (self->app)->id == run->id ? ", in Records" : "");
  Area left = rule;

  draw_rule (rule, 0, NULL);
  left.width = MAX (rule.width - text_width (count) - 1, 0);
  draw_rule (left, 0, title);
  if (left.width > 0)
    draw_text (rule, 0, left.width, ROLE_DIM, count);
}

/** A curve over epochs in a line: "▂▅▇█  0.712 to 0.831". Free with g_free. */
static char *
epochs_text (const double *values, guint n, int width)
{
  /* Some of them, evenly spaced, where not all have room. */
  guint shown = MIN (n, (guint) MAX (width, 2));
  g_autofree double *points = g_new (double, shown);
  g_autofree char *first = number_text (values[0]);
  g_autofree char *last = number_text (values[n - 1]);
  g_autofree char *line = NULL;

  for (guint i = 0; i < shown; i++)
    points[i] = values[shown > 1 ? i * (n - 1) / (shown - 1) : 0];
  line = report_sparkline (points, shown, report_range (points, shown), theme_ascii ());
  return g_strdup_printf ("%s  %s to %s", line, first, last);
}

/** "; kept: epoch 4 of 5, 0.817 [0.799, 0.834]". Free with g_free. */
static char *
kept_text (const CatalogRun *run, const RunsDetails *details)
{
  g_autofree char *interval = NULL;

  if (run->kept_epoch < 0)
    return g_strdup_printf ("; %u epochs so far", details->n_epochs);
  if (details->table != NULL && !isnan (details->table->macro_auroc.low))
    interval = report_interval (details->table->macro_auroc.low, details->table->macro_auroc.high);
  return g_strdup_printf ("; kept: epoch %d of %u, %.3f %s", run->kept_epoch, details->n_epochs,
                          run->macro_auroc, interval != NULL ? interval : "");
}

/** What is known of the run, a head and a text in each line, see text_wrap(). Free with g_free. */
static char *
facts_text (RunsScreen *self, const RunsRow *row, int width)
{
  const CatalogRun *run = row->run;
  const RunsDetails *details = self->details;
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean known = details != NULL && details->run_id == run->id && details->n_epochs > 0;

  if (run->message != NULL && *run->message != '\0')
    g_string_append_printf (text, "%-11s\t%s\n", run->status, run->message);
  if (known)
    {
      g_autofree char *aurocs = epochs_text (details->macros, details->n_epochs, width / 3);
      g_autofree char *losses = epochs_text (details->losses, details->n_epochs, width / 3);
      g_autofree char *kept = kept_text (run, details);

      g_string_append_printf (text, "AUROC      \t%s%s\n", aurocs, kept);
      g_string_append_printf (text, "parameters \t%s\n", row->changed);
      if (*run->note != '\0')
        g_string_append_printf (text, "note       \t%s\n", run->note);
      g_string_append_printf (text, "loss       \t%s\n", losses);
    }
  else
    {
      g_string_append_printf (text, "parameters \t%s\n", row->changed);
      if (*run->note != '\0')
        g_string_append_printf (text, "note       \t%s\n", run->note);
    }
  g_string_append_printf (text, "encoder    \t%s\n", run->encoder);
  g_string_append_printf (text, "samples    \t%s (%u scans) and %s (%u scans)\n", run->train_sample,
                          row->train_n, run->valid_sample, row->valid_n);
  g_string_append_printf (text, "made by    \tctclip-tui %s", run->code_version);
  return g_strdup (text->str);
}

/** Returns the rows that were taken. */
static int
draw_facts (RunsScreen *self, Area area, const RunsRow *row)
{
  g_autofree char *text = facts_text (self, row, area.width);
  g_auto (GStrv) lines = text_wrap (text, area.width);
  int n = (int) g_strv_length (lines);

  for (int i = 0; i < n && i < area.height; i++)
    {
      g_autofree char *line = NULL;

      /* What has no room says so. */
      if (i == area.height - 1 && n > area.height)
        {
          g_autofree char *fit = text_fit (lines[i], MAX (area.width - 2, 0));

          line = g_strconcat (fit, " ", symbol (SYMBOL_ELLIPSIS), NULL);
        }
      draw_text (area, i, 0, ROLE_NORMAL, line != NULL ? line : lines[i]);
      if (*lines[i] != ' ')
        draw_role (area, i, 0, HEAD_WIDTH, ROLE_DIM);
    }
  return MIN (n, area.height);
}

/** Macro AUROC over the epochs, where there is room below the facts. */
static void
draw_chart (const RunsDetails *details, Area area)
{
  g_autoptr (ReportCanvas) canvas = NULL;
  g_autofree double *epochs = NULL;

  if (area.height < LEAST_CHART || area.width < LEAST_CHART || details->n_epochs < 2)
    return;
  epochs = g_new (double, details->n_epochs);
  for (guint i = 0; i < details->n_epochs; i++)
    epochs[i] = i + 1;
  draw_text (area, 0, 0, ROLE_DIM, "macro AUROC over epochs");
  area = area_rows (area, 1, MIN (area.height - 1, MOST_CHART));
  canvas = report_canvas_new ((guint) area.width, (guint) area.height,
                              theme_ascii () ? REPORT_GLYPHS_ASCII : REPORT_GLYPHS_BRAILLE);
  report_canvas_whole_x (canvas);
  report_canvas_axes (canvas, (ReportRange){ 1, details->n_epochs },
                      report_range (details->macros, details->n_epochs));
  report_canvas_path (canvas, epochs, details->macros, details->n_epochs, 0);
  draw_canvas (area, canvas, (guint) area.width, (guint) area.height);
}

/** From chance to 1, or from below where an interval reaches there. */
static ReportRange
auroc_range (const MetricsTable *table)
{
  ReportRange range = { CHANCE, 1 };

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      MetricsInterval auroc = table->classes[label].auroc;

      range.low = fmin (range.low, fmin (auroc.value, auroc.low)); /* fmin() passes NaN over */
    }
  return range;
}

/** Where a finding's picture begins, behind its name and its numbers. */
static int
picture_column (int width)
{
  return MIN (width / 2, LONGEST_NAME) + 7 + (width >= LEAST_LONG ? 15 : 0);
}

/** What the cells of the pictures stand for: the range's ends, and chance. */
static void
draw_scale (ReportRange range, Area cell)
{
  int column = picture_column (cell.width), width = cell.width - column - 1;
  int chance = column + runs_interval_cell (CHANCE, range, width);

  if (width < 12)
    return;
  if (chance - column > 5)
    draw_printf (cell, 0, column, ROLE_DIM, "%.2f", range.low);
  draw_printf (cell, 0, MAX (chance - 1, column), ROLE_DIM, "%.1f", CHANCE);
  draw_text_in (cell, 0, column + width - 3, 3, 'r', ROLE_DIM, "1.0");
}

static void
draw_class (const MetricsClass *class, const char *name, ReportRange range, Role role, Area cell)
{
  g_autofree char *value = number_text (class->auroc.value);
  g_autofree char *picture = NULL;
  int name_width = MIN (cell.width / 2, LONGEST_NAME), column = name_width + 1;

  draw_text_in (cell, 0, 0, name_width, 'l', role, name);
  draw_text_in (cell, 0, column, 5, 'r', ROLE_STRONG, value);
  column += 6;
  if (cell.width >= LEAST_LONG)
    {
      g_autofree char *interval = isnan (class->auroc.low)
                                      ? g_strdup (symbol (SYMBOL_DASH))
                                      : report_interval (class->auroc.low, class->auroc.high);

      draw_text_in (cell, 0, column, 14, 'r', ROLE_DIM, interval);
      column += 15;
    }
  picture = runs_interval_text (class->auroc, range, CHANCE, cell.width - column - 1);
  draw_text (cell, 0, column, ROLE_SERIES_1, picture);
}

static void
draw_bars (const MetricsTable *table, const RunsLayout *layout)
{
  int width = layout->bars.width / layout->bar_columns;
  ReportRange range = auroc_range (table);

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      int column = (int) label / layout->bar_rows, row = (int) label % layout->bar_rows;

      draw_class (&table->classes[label], catalog_label_name (label), range, ROLE_NORMAL,
                  area_columns (area_rows (layout->bars, row, 1), column * width, width));
    }
  if (layout->bars.height > layout->bar_rows + 2)
    draw_scale (range, area_columns (area_rows (layout->bars, layout->bar_rows + 2, 1), 0, width));
  if (layout->bars.height > layout->bar_rows + 1)
    {
      MetricsClass macro = { .auroc = table->macro_auroc };

      draw_class (&macro, "macro", range, ROLE_STRONG,
                  area_columns (area_rows (layout->bars, layout->bar_rows + 1, 1), 0, width));
    }
}

/* ---- all of it ---- */

static void
draw_words (Area area, const char *words)
{
  g_auto (GStrv) lines = text_wrap (words, MAX (area.width - 4, 1));
  int n = (int) g_strv_length (lines);

  for (int i = 0; i < n; i++)
    draw_text (area, MAX ((area.height - n) / 3, 0) + i, area.width > 8 ? 2 : 0, ROLE_NORMAL,
               lines[i]);
}

void
runs_draw (RunsScreen *self, Area area)
{
  RunsLayout layout = runs_layout (area);
  const RunsRow *row;
  int facts;

  self->table = layout.rows;
  list_fit (&self->list, (guint) MAX (layout.rows.height, 0));
  if (self->rows == NULL || self->rows->len == 0)
    {
      draw_words (area, self->fault != NULL ? self->fault
                        : app_workspace (self->app) == NULL
                            ? "No workspace is open yet. 1 shows how "
                              "to begin."
                        : self->rows == NULL ? "Reading the runs"
                                             : "No runs yet. 3 opens Experiment, where t trains "
                                               "one; :demo makes a synthetic cohort with a run.");
      return;
    }
  draw_table (self, &layout);
  row = runs_selected (self);
  if (layout.rule.height == 0 || row == NULL)
    return;
  draw_rule_of (self, layout.rule, row);
  facts = draw_facts (self, layout.facts, row);
  if (self->details == NULL || self->details->run_id != row->run->id)
    return;
  draw_chart (self->details, area_rows (layout.facts, facts + 1, layout.facts.height - facts - 1));
  if (layout.bar_rows == 0)
    return;
  if (self->details->table != NULL && self->details->table->n_classes == CATALOG_N_LABELS)
    draw_bars (self->details->table, &layout);
  else
    draw_text (layout.bars, 0, 0, ROLE_DIM, "No epoch was finished: there is no AUROC to show.");
}

/* Runs beside each other, class by class. */
#include "runs_private.h"

#include "report/text_table.h"

#include <math.h>

#define SIGNIFICANT 0.05
#define TALL (CATALOG_N_LABELS + 8) /* rows: the runs have a line each */
#define LEAST_WITH_FOOT 12

static char *
number_text (double number)
{
  return isnan (number) ? g_strdup (symbol (SYMBOL_DASH)) : report_decimals (number, 3);
}

static char *
signed_text (double number)
{
  return isnan (number) ? g_strdup (symbol (SYMBOL_DASH)) : g_strdup_printf ("%+.3f", number);
}

/** One finding's row, or the macro row, which is drawn first and does not scroll. */
typedef void (*DrawRow) (RunsScreen *self, Area area, int row, int label, const int *x,
                         const int *widths);
#define MACRO (-1)

/** The macro row, the findings in view, the cursor and the scroll bar. */
static void
draw_rows (RunsScreen *self, Area area, DrawRow draw_row, const int *x, const int *widths)
{
  Area rows = area_rows (area, 1, area.height - 1);

  self->table = rows;
  list_fit (&self->comparison_list, (guint) rows.height);
  draw_row (self, area, 0, MACRO, x, widths);
  for (int i = 0; i < rows.height; i++)
    {
      guint64 label = self->comparison_list.top + (guint64) i;

      if (label >= self->comparison_list.n)
        break;
      draw_row (self, rows, i, (int) label, x, widths);
      if (label == self->comparison_list.cursor)
        draw_role (rows, i, 0, rows.width - 1, ROLE_SELECTED);
    }
  draw_scrollbar (rows, self->comparison_list.top, (guint64) rows.height, self->comparison_list.n);
}

/* ---- two runs ---- */

typedef enum
{
  PAIR_FINDING,
  PAIR_POSITIVES,
  PAIR_A,
  PAIR_B,
  PAIR_DIFFERENCE,
  PAIR_INTERVAL,
  PAIR_P,
  PAIR_BETTER,
  PAIR_PICTURE,
  N_PAIR_COLUMNS,
} PairColumn;

static const TableColumn pair_columns[N_PAIR_COLUMNS] = {
  [PAIR_FINDING] = { "finding", 22, 'l', TRUE, 0 },
  [PAIR_POSITIVES] = { "n+", 5, 'r', FALSE, 4 },
  [PAIR_A] = { "A", 5, 'r', FALSE, 0 },
  [PAIR_B] = { "B", 5, 'r', FALSE, 0 },
  [PAIR_DIFFERENCE] = { "A - B", 6, 'r', FALSE, 0 },
  [PAIR_INTERVAL] = { "95 % interval", 16, 'r', FALSE, 3 },
  [PAIR_P] = { "p", 6, 'r', FALSE, 1 },
  [PAIR_BETTER] = { "", 5, 'l', FALSE, 2 },
  [PAIR_PICTURE] = { "B better | A better", 25, 'c', TRUE, 5 },
};

/** The widest interval, which the pictures are scaled to. */
static double
widest (const StudyComparison *pair)
{
  double most = 0;

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    most = fmax (most, fmax (fabs (pair->classes[label].difference.value),
                             fmax (fabs (pair->classes[label].difference.low),
                                   fabs (pair->classes[label].difference.high))));
  return most;
}

static void
draw_pair_row (RunsScreen *self, Area area, int row, int label, const int *x, const int *widths)
{
  const StudyComparison *pair = self->comparison->pairs;
  const StudyComparisonClass *class = label == MACRO ? &pair->macro : &pair->classes[label];
  MetricsInterval difference = class->difference;
  gboolean clear = class->p < SIGNIFICANT;
  Role role = label == MACRO ? ROLE_STRONG : ROLE_NORMAL;
  Role better = clear ? difference.value > 0 ? ROLE_SERIES_1 : ROLE_SERIES_2 : role;
  g_autofree char *macro_name = g_strdup_printf ("macro, %u findings", pair->classes_in_macro);
  g_autofree char *positives =
      label == MACRO ? g_strdup ("") : g_strdup_printf ("%u", class->positives);
  g_autofree char *a = number_text (class->auroc_a);
  g_autofree char *b = number_text (class->auroc_b);
  g_autofree char *minus = signed_text (difference.value);
  g_autofree char *interval =
      isnan (difference.low) ? g_strdup (symbol (SYMBOL_DASH))
                             : g_strdup_printf ("%+.3f, %+.3f", difference.low, difference.high);
  g_autofree char *p = label == MACRO     ? g_strdup ("")
                       : class->p < 0.001 ? g_strdup ("<0.001")
                                          : number_text (class->p);
  g_autofree char *picture = runs_interval_text (
      difference, (ReportRange){ -widest (pair), widest (pair) }, 0, widths[PAIR_PICTURE]);
  const char *texts[N_PAIR_COLUMNS] = { label == MACRO ? macro_name
                                                       : catalog_label_name ((guint) label),
                                        positives,
                                        a,
                                        b,
                                        minus,
                                        interval,
                                        p,
                                        clear ? difference.value > 0 ? "* A" : "* B" : "",
                                        picture };

  for (PairColumn column = 0; column < N_PAIR_COLUMNS; column++)
    draw_text_in (area, row, x[column], widths[column], pair_columns[column].align,
                  column == PAIR_BETTER || column == PAIR_DIFFERENCE || column == PAIR_PICTURE
                      ? better
                  : column == PAIR_POSITIVES ? ROLE_DIM
                                             : role,
                  texts[column]);
}

/** "A  run-3  gamma 3". */
static void
draw_legend (const RunsComparison *comparison, int run, Area area)
{
  int column = draw_printf (area, 0, 0, run == 0 ? ROLE_SERIES_1 : ROLE_SERIES_2, "%c  %s",
                            'A' + run, comparison->names[run]);

  draw_text_in (area, 0, column + 2, area.width - column - 3, 'l', ROLE_DIM,
                comparison->changed[run]);
}

static void
draw_pair (RunsScreen *self, Area area)
{
  const RunsComparison *comparison = self->comparison;
  const StudyComparison *pair = comparison->pairs;
  g_autofree char *common = report_count (pair->n);
  g_autofree char *alone =
      pair->only_a + pair->only_b > 0
          ? g_strdup_printf ("; %" G_GSIZE_FORMAT " only in A and %" G_GSIZE_FORMAT
                             " only in B are left out",
                             pair->only_a, pair->only_b)
          : g_strdup ("");
  int x[N_PAIR_COLUMNS], widths[N_PAIR_COLUMNS];
  gboolean tall = area.height >= TALL, foot = area.height >= LEAST_WITH_FOOT;
  int top = tall ? 3 : 1;

  if (tall)
    draw_rule (area, 0, "AUROC of two runs");
  for (int i = 0; i < 2; i++)
    draw_legend (comparison, i,
                 tall
                     ? area_rows (area, 1 + i, 1)
                     : area_columns (area_rows (area, 0, 1), i * (area.width / 2), area.width / 2));
  if (foot)
    draw_printf (
        area, area.height - 1, 0, ROLE_DIM,
        "%s scans in common%s. * p < %.2f by DeLong's test, not corrected for %u findings.", common,
        alone, SIGNIFICANT, CATALOG_N_LABELS);
  table_layout (pair_columns, N_PAIR_COLUMNS, area.width - 1, x, widths);
  table_draw_head (area_rows (area, top, 1), pair_columns, N_PAIR_COLUMNS, x, widths, -1, FALSE);
  draw_rows (self, area_rows (area, top + 1, area.height - top - 1 - foot), draw_pair_row, x,
             widths);
}

/* ---- more than two, or two that have no scan or label in common ---- */

#define RUN_WIDTH 15     /* "0.851● +0.012*" and a blank */
#define FINDING_WIDTH 34 /* the longest has room */

static double
auroc_of (const RunsComparison *comparison, guint run, int label)
{
  const MetricsTable *table = comparison->tables[run];

  if (table == NULL || label >= (int) table->n_classes)
    return NAN;
  return label == MACRO ? table->macro_auroc.value : table->classes[label].auroc.value;
}

static gboolean
excludes_zero (MetricsInterval difference)
{
  return difference.low > 0 || difference.high < 0;
}

/** "+0.012*" against the first run. @role: (out) the colour that says the same as the star */
static char *
difference_text (const StudyComparisonClass *class, Role *role)
{
  /* The macro mean has an interval, but no test. */
  gboolean clear = isnan (class->p) ? excludes_zero (class->difference) : class->p < SIGNIFICANT;
  g_autofree char *number = signed_text (class->difference.value);

  *role = !clear ? ROLE_DIM : class->difference.value > 0 ? ROLE_GOOD : ROLE_BAD;
  return g_strconcat (number, clear ? "*" : " ", NULL);
}

static void
draw_many_row (RunsScreen *self, Area area, int row, int label, const int *x, const int *widths)
{
  const RunsComparison *comparison = self->comparison;
  Role role = label == MACRO ? ROLE_STRONG : ROLE_NORMAL;
  double best = NAN;

  for (guint i = 0; i < comparison->n; i++)
    best = fmax (best, auroc_of (comparison, i, label));
  draw_text_in (area, row, x[0], widths[0], 'l', role,
                label == MACRO ? "macro" : catalog_label_name ((guint) label));
  for (guint i = 0; i < comparison->n && widths[i + 1] > 0; i++)
    {
      double auroc = auroc_of (comparison, i, label);
      g_autofree char *number = number_text (auroc);
      g_autofree char *text =
          g_strconcat (number, auroc == best ? symbol (SYMBOL_KNOB) : " ", NULL);
      int left = x[i + 1] + widths[i + 1] - RUN_WIDTH;

      draw_text_in (area, row, left + 1, 6, 'r', auroc == best ? ROLE_STRONG : role, text);
      if (i > 0 && comparison->pairs[i - 1].n > 0)
        {
          const StudyComparison *pair = &comparison->pairs[i - 1];
          Role of_difference;
          g_autofree char *difference = difference_text (
              label == MACRO ? &pair->macro : &pair->classes[label], &of_difference);

          draw_text_in (area, row, left + 8, 7, 'r', of_difference, difference);
        }
    }
}

/** What the marks mean, on how many scans, and why a difference is not there. */
static char *
many_foot (const RunsComparison *comparison, guint left_out)
{
  GString *foot = g_string_new (NULL);
  gsize least = 0;

  for (guint i = 0; i + 1 < comparison->n; i++)
    if (comparison->pairs[i].n > 0)
      least = least > 0 ? MIN (least, comparison->pairs[i].n) : comparison->pairs[i].n;
  g_string_printf (foot, "%s best", symbol (SYMBOL_KNOB));
  if (least > 0)
    {
      g_autofree char *common = report_count (least);

      g_string_append_printf (foot, "; * p < %.2f against %s on %s scans (DeLong)", SIGNIFICANT,
                              comparison->names[0], common);
    }
  if (left_out > 0)
    g_string_append_printf (foot, "; %u more need a wider terminal", left_out);
  if (comparison->has_strangers)
    g_string_append (foot, "; no difference where labels (a control's) or scans are others");
  return g_string_free (foot, FALSE);
}

static void
draw_many (RunsScreen *self, Area area)
{
  const RunsComparison *comparison = self->comparison;
  guint n = comparison->n + 1, left_out = 0;
  int longest = RUN_WIDTH, legend = CATALOG_N_LABELS + 4;
  g_autofree TableColumn *columns = g_new0 (TableColumn, n);
  g_autofree int *x = g_new0 (int, n), *widths = g_new0 (int, n);
  gboolean titled = area.height >= LEAST_WITH_FOOT;

  for (guint i = 0; i < comparison->n; i++)
    longest = MAX (longest, text_width (comparison->names[i]));
  columns[0] = (TableColumn){ "finding",
                              CLAMP (area.width - (int) comparison->n * (RUN_WIDTH + 1) - 1,
                                     MAX (area.width / 4, 1), MAX (FINDING_WIDTH, area.width / 4)),
                              'l', FALSE, 0 };
  /* The first to go is the last; names take what there is. */
  longest =
      MIN (longest, MAX ((area.width - columns[0].width) / (int) comparison->n - 2, RUN_WIDTH));
  for (guint i = 1; i < n; i++)
    columns[i] = (TableColumn){ comparison->names[i - 1], longest, 'r', FALSE, (int) i };
  table_layout (columns, n, area.width - 1, x, widths);
  for (guint i = 1; i < n; i++)
    left_out += widths[i] == 0;
  if (titled)
    {
      g_autofree char *title = g_strdup_printf ("AUROC of %u runs", comparison->n);
      g_autofree char *foot = many_foot (comparison, left_out);

      draw_rule (area, 0, title);
      draw_text (area, area.height - 1, 0, ROLE_DIM, foot);
      /* What each run was, where it has room below the table. */
      for (guint i = 0; i < comparison->n && legend + (int) comparison->n < area.height; i++)
        {
          draw_text_in (area, legend + (int) i, 0, longest, 'l', ROLE_STRONG, comparison->names[i]);
          draw_text (area, legend + (int) i, longest + 2, ROLE_NORMAL, comparison->changed[i]);
        }
    }
  table_draw_head (area_rows (area, titled ? 1 : 0, 1), columns, n, x, widths, -1, FALSE);
  draw_rows (self, area_rows (area, titled ? 2 : 1, area.height - (titled ? 3 : 1)), draw_many_row,
             x, widths);
}

void
runs_draw_comparison (RunsScreen *self, Area area)
{
  if (self->comparison->n == 2 && !self->comparison->has_strangers)
    draw_pair (self, area);
  else
    draw_many (self, area);
}

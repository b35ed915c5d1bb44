#include "experiment_layout.h"

#include "catalog/labels.h"

#define HELP_ROWS 6     /* every field's at the least width, with the title */
#define LEAST_ROWS 4    /* of the form, before its help goes */
#define LEAST_SIDE 76   /* narrower: the views are below the form */
#define LEAST_COLUMN 64 /* of views, before there are two */
#define LEAST_FORM 40
#define MOST_FORM 58

/** Rows with the title: the least with which a view joins others, and the most that it can use. */
static const struct
{
  int least, most;
} heights[N_EXPERIMENT_VIEWS] = {
  [EXPERIMENT_PLAN] = { 8, 8 },
  [EXPERIMENT_CURVE] = { 9, 22 },
  [EXPERIMENT_SHARES] = { CATALOG_N_LABELS + 3, 2 * CATALOG_N_LABELS + 5 },
  [EXPERIMENT_TABLE] = { CATALOG_N_LABELS + 3, CATALOG_N_LABELS + 3 },
};

/** The order in which spare rows are given away. */
static const ExperimentView growing[] = { EXPERIMENT_SHARES, EXPERIMENT_CURVE };

typedef struct
{
  int used[2]; /* rows of each column */
  int column[N_EXPERIMENT_VIEWS], height[N_EXPERIMENT_VIEWS];
} Placing;

/** Deal the views that @wanted says out to the columns, each to the emptier one; FALSE where a
 * column is too short. */
static gboolean
deal_out (const gboolean *wanted, int n_columns, int rows, Placing *placing)
{
  gboolean fits = TRUE;

  *placing = (Placing){ 0 };
  for (int view = 0; view < N_EXPERIMENT_VIEWS; view++)
    {
      int column = n_columns == 2 && placing->used[1] < placing->used[0] ? 1 : 0;

      if (!wanted[view])
        continue;
      placing->column[view] = column;
      placing->height[view] = MIN (heights[view].least, rows);
      placing->used[column] += heights[view].least;
      fits = fits && placing->used[column] <= rows;
    }
  return fits;
}

static void
place_views (Area area, ExperimentView first, Area *views)
{
  int n_columns = area.width >= 2 * LEAST_COLUMN + 1 ? 2 : 1;
  int width = (area.width - (n_columns - 1) * 2) / n_columns, next[2] = { 0 };
  gboolean wanted[N_EXPERIMENT_VIEWS] = { FALSE };
  Placing placing;

  for (int i = 0; i < N_EXPERIMENT_VIEWS; i++)
    {
      int view = ((int) first + i) % N_EXPERIMENT_VIEWS;

      wanted[view] = TRUE;
      wanted[view] = deal_out (wanted, n_columns, area.height, &placing) || i == 0;
    }
  deal_out (wanted, n_columns, area.height, &placing);
  for (guint i = 0; i < G_N_ELEMENTS (growing); i++)
    {
      ExperimentView view = growing[i];
      int *used = &placing.used[placing.column[view]];
      int spare = CLAMP (area.height - *used, 0, heights[view].most - placing.height[view]);

      if (!wanted[view])
        continue;
      placing.height[view] += spare;
      *used += spare;
    }
  for (int view = 0; view < N_EXPERIMENT_VIEWS; view++)
    if (wanted[view])
      {
        int column = placing.column[view];

        views[view] = area_columns (area_rows (area, next[column], placing.height[view]),
                                    column * (width + 2), width);
        next[column] += placing.height[view];
      }
}

ExperimentLayout
experiment_layout (Area area, ExperimentView first)
{
  ExperimentLayout layout = { 0 };
  Area form, views;
  int help;

  if (area.width < LEAST_SIDE)
    {
      int rows = area.height * 3 / 5;

      form = area_rows (area, 0, rows);
      views = area_rows (area, rows, area.height - rows);
    }
  else
    {
      int width = CLAMP (area.width * 2 / 5, LEAST_FORM, MOST_FORM);

      form = area_columns (area, 0, width);
      layout.divider = area_columns (area, width, 1);
      views = area_columns (area, width + 1, area.width - width - 1);
    }
  help = CLAMP (form.height - LEAST_ROWS, 0, MIN (HELP_ROWS, form.height / 3));
  layout.rows = area_rows (form, 0, form.height - help);
  layout.help = area_rows (form, form.height - help, help);
  place_views (views, first, layout.views);
  return layout;
}

ExperimentView
experiment_next_view (Area area, ExperimentView first)
{
  ExperimentLayout layout = experiment_layout (area, first);

  for (int i = 1; i < N_EXPERIMENT_VIEWS; i++)
    {
      ExperimentView view = (ExperimentView) (((int) first + i) % N_EXPERIMENT_VIEWS);

      if (layout.views[view].height == 0)
        return view;
    }
  return first;
}

#include "metrics/bootstrap.h"

#include "base/random.h"
#include "metrics/ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAW_STREAM 0x626f6f74 /* apart from the other uses of the run's seed */

/* Draws that are judged together: the order of a class is walked once for all of them, and what is
 * done for each is the same, which the compiler turns into vector instructions. */
#define LANES 8

/* Draws between two meetings of the threads; a thousand are 25 times as many. */
#define LANE_SETS 5
#define DRAWS_TOGETHER (LANE_SETS * LANES)

/* ---- a class in order ---- */

/**
 * One step through a class by ascending score. Negatives count in halves: one that shares its score
 * with positives comes twice, half of it before them and half after, as a tie is half won.
 */
typedef struct
{
  guint32 row;
  guint8 halves; /* 0: a positive */
} Step;

typedef struct
{
  Step *steps;
  gsize n;
} ClassOrder;

/** Append the positives of a run (@halves 0), or its negatives. */
static void
add_steps (ClassOrder *order, const RankedRow *run, gsize length, const guint8 *labels,
           guint8 halves)
{
  for (gsize i = 0; i < length; i++)
    if ((labels[run[i].row] != 0) == (halves == 0))
      order->steps[order->n++] = (Step){ run[i].row, halves };
}

static gboolean
has_both_kinds (const RankedRow *run, gsize length, const guint8 *labels)
{
  for (gsize i = 1; i < length; i++)
    if ((labels[run[i].row] != 0) != (labels[run[0].row] != 0))
      return TRUE;
  return FALSE;
}

static ClassOrder
class_order (const MetricsInput *input, guint class)
{
  g_autofree double *scores = g_new (double, input->n);
  g_autofree guint8 *labels = g_new (guint8, input->n);
  g_autofree RankedRow *ranked = NULL;
  ClassOrder order = { g_new (Step, 2 * input->n), 0 };

  for (gsize i = 0; i < input->n; i++)
    {
      scores[i] = input->logits[i * input->n_classes + class];
      labels[i] = input->labels[i * input->n_classes + class];
    }
  ranked = ranking_new (scores, input->n);
  for (gsize start = 0, end; start < input->n; start = end)
    {
      const RankedRow *run = ranked + start;
      gsize length = ranking_run_end (ranked, input->n, start) - start;
      gboolean tie = has_both_kinds (run, length, labels);

      end = start + length;
      add_steps (&order, run, length, labels, tie ? 1 : 2);
      add_steps (&order, run, length, labels, 0);
      if (tie)
        add_steps (&order, run, length, labels, 1);
    }
  return order;
}

/**
 * lane_aurocs: AUROC in each of the draws; NaN where a kind is absent.
 *
 * @counts: n × LANES: how often each row was drawn; small, as a group is drawn once on average
 */
static void
lane_aurocs (const ClassOrder *order, const guint16 *counts, double aurocs[LANES])
{
  /* Whole numbers that a double holds exactly: twice the negatives, and twice the pairs won. */
  double positives[LANES] = { 0 }, negatives[LANES] = { 0 }, won[LANES] = { 0 };

  for (gsize i = 0; i < order->n; i++)
    {
      const guint16 *count = counts + (gsize) order->steps[i].row * LANES;
      int halves = order->steps[i].halves;

      if (halves == 0)
        for (guint lane = 0; lane < LANES; lane++)
          {
            won[lane] += count[lane] * negatives[lane];
            positives[lane] += count[lane];
          }
      else
        for (guint lane = 0; lane < LANES; lane++)
          negatives[lane] += halves * count[lane];
    }
  /* 0 / 0 where a kind is absent. */
  for (guint lane = 0; lane < LANES; lane++)
    aurocs[lane] = won[lane] / (positives[lane] * negatives[lane]);
}

/* ---- drawing ---- */

/** Groups numbered from 0 without gaps, so that every number drawn has rows. */
static guint32 *
number_groups (const MetricsInput *input, guint32 *n_groups)
{
  g_autoptr (GHashTable) numbers = g_hash_table_new (NULL, NULL);
  guint32 *groups = g_new (guint32, input->n);

  for (gsize i = 0; i < input->n; i++)
    {
      gpointer name = GUINT_TO_POINTER (input->groups != NULL ? input->groups[i] : (guint32) i);
      gpointer number = GUINT_TO_POINTER (g_hash_table_size (numbers));

      if (!g_hash_table_contains (numbers, name))
        g_hash_table_insert (numbers, name, number);
      groups[i] = GPOINTER_TO_UINT (g_hash_table_lookup (numbers, name));
    }
  *n_groups = g_hash_table_size (numbers);
  return groups;
}

/** The draws while they go on. */
typedef struct
{
  const MetricsInput *input, *other; /* other: (nullable) */
  guint n_orders;
  ClassOrder *orders;               /* the input's classes, then the other's */
  double (*aurocs)[DRAWS_TOGETHER]; /* of each of them */
  guint32 *groups, n_groups;
  Random random;
  gboolean last;                 /* no draws come after those in hand */
  guint16 *group_counts;         /* n_groups */
  guint16 *counts, *next_counts; /* LANE_SETS × n × LANES: of the draws in hand, and of the next */
} Draws;

/** One of the orders. A TeamWork. */
static void
sort_class (gsize i, guint thread, gpointer data)
{
  Draws *draws = data;
  const guint n_classes = draws->input->n_classes;

  draws->orders[i] = i < n_classes ? class_order (draws->input, (guint) i)
                                   : class_order (draws->other, (guint) i - n_classes);
}

/** Draw as many groups as there are, with replacement; a row counts as often as its group came. */
static void
draw_lane (Draws *draws, guint16 *counts)
{
  memset (draws->group_counts, 0, draws->n_groups * sizeof *draws->group_counts);
  for (guint32 i = 0; i < draws->n_groups; i++)
    draws->group_counts[random_below (&draws->random, draws->n_groups)]++;
  for (gsize i = 0; i < draws->input->n; i++)
    counts[i * LANES] = draws->group_counts[draws->groups[i]];
}

static void
draw_next (Draws *draws)
{
  for (gsize set = 0; set < LANE_SETS && !draws->last; set++)
    for (guint lane = 0; lane < LANES; lane++)
      draw_lane (draws, draws->next_counts + set * draws->input->n * LANES + lane);
}

/** Item 0 draws for the next time, as one generator gives one number after the other; the rest
 * judge a class each. A TeamWork. */
static void
draw_or_judge (gsize item, guint thread, gpointer data)
{
  Draws *draws = data;

  if (item == 0)
    draw_next (draws);
  else
    for (gsize set = 0; set < LANE_SETS; set++)
      lane_aurocs (&draws->orders[item - 1], draws->counts + set * draws->input->n * LANES,
                   draws->aurocs[item - 1] + set * LANES);
}

/** Means of @n draws over the classes that have both kinds there; NaN where none has. */
static void
take_means (double (*aurocs)[DRAWS_TOGETHER], guint n_classes, guint n, double *means)
{
  for (guint draw = 0; draw < n; draw++)
    {
      double sum = 0;
      guint defined = 0;

      for (guint class = 0; class < n_classes; class ++)
        if (!isnan (aurocs[class][draw]))
          {
            sum += aurocs[class][draw];
            defined++;
          }
      means[draw] = defined > 0 ? sum / defined : NAN;
    }
}

static Draws *
draws_new (const MetricsInput *input, const MetricsInput *other)
{
  const guint n_orders = input->n_classes * (other != NULL ? 2 : 1);
  Draws *draws = g_new0 (Draws, 1);

  draws->input = input;
  draws->other = other;
  draws->orders = g_new0 (ClassOrder, n_orders);
  draws->aurocs = g_malloc_n (n_orders, sizeof *draws->aurocs);
  draws->groups = number_groups (input, &draws->n_groups);
  draws->group_counts = g_new (guint16, draws->n_groups);
  draws->counts = g_new (guint16, input->n * DRAWS_TOGETHER);
  draws->next_counts = g_new (guint16, input->n * DRAWS_TOGETHER);
  draws->n_orders = n_orders;
  random_init (&draws->random, input->bootstrap_seed, DRAW_STREAM);
  return draws;
}

static void
draws_free (Draws *draws)
{
  for (guint i = 0; i < draws->n_orders; i++)
    g_free (draws->orders[i].steps);
  g_free (draws->orders);
  g_free (draws->aurocs);
  g_free (draws->groups);
  g_free (draws->group_counts);
  g_free (draws->counts);
  g_free (draws->next_counts);
  g_free (draws);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Draws, draws_free)

/**
 * judge_draws: the macro AUROC of every draw; NaN where no class is defined.
 *
 * @other: (nullable) other scores of the same rows, which the same draws judge
 * @means, @other_means: (out) bootstrap_draws
 */
static gboolean
judge_draws (const MetricsInput *input, const MetricsInput *other, double *means,
             double *other_means, GCancellable *cancellable, GError **error)
{
  g_autoptr (Draws) draws = draws_new (input, other);

  team_run (input->team, draws->n_orders, sort_class, draws, NULL);
  draw_next (draws);
  for (guint done = 0; done < input->bootstrap_draws; done += DRAWS_TOGETHER)
    {
      const guint n = MIN (DRAWS_TOGETHER, input->bootstrap_draws - done);
      guint16 *const counts = draws->counts;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      draws->counts = draws->next_counts;
      draws->next_counts = counts;
      draws->last = done + n == input->bootstrap_draws;
      team_run (input->team, 1 + draws->n_orders, draw_or_judge, draws, NULL);
      take_means (draws->aurocs, input->n_classes, n, means + done);
      if (other != NULL)
        take_means (draws->aurocs + input->n_classes, input->n_classes, n, other_means + done);
    }
  return TRUE;
}

/* ---- the interval ---- */

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/** Linear interpolation between order statistics (NumPy's default). */
static double
quantile (const double *sorted, gsize n, double q)
{
  double place = q * (double) (n - 1);
  gsize below = (gsize) floor (place);

  return below + 1 < n
             ? sorted[below] + (place - (double) below) * (sorted[below + 1] - sorted[below])
             : sorted[below];
}

/** 2.5-97.5 % of the draws that are defined. @draws: sorted on return */
static void
percentiles (double *draws, gsize n, double *low, double *high)
{
  gsize defined = 0;

  for (gsize i = 0; i < n; i++)
    if (!isnan (draws[i]))
      draws[defined++] = draws[i];
  if (defined == 0)
    return;
  qsort (draws, defined, sizeof *draws, compare_doubles);
  *low = quantile (draws, defined, 0.025);
  *high = quantile (draws, defined, 0.975);
}

gboolean
bootstrap_macro_auroc (const MetricsInput *input, double *low, double *high,
                       GCancellable *cancellable, GError **error)
{
  g_autofree double *draws = NULL;

  *low = *high = NAN;
  if (input->n == 0 || input->bootstrap_draws == 0)
    return TRUE;
  draws = g_new (double, input->bootstrap_draws);
  if (!judge_draws (input, NULL, draws, NULL, cancellable, error))
    return FALSE;
  percentiles (draws, input->bootstrap_draws, low, high);
  return TRUE;
}

gboolean
metrics_macro_difference_interval (const MetricsInput *input, const double *other_logits,
                                   double *low, double *high, GCancellable *cancellable,
                                   GError **error)
{
  MetricsInput other = *input;
  g_autofree double *draws = NULL, *other_draws = NULL;

  other.logits = other_logits;
  *low = *high = NAN;
  if (input->n == 0 || input->bootstrap_draws == 0)
    return TRUE;
  draws = g_new (double, input->bootstrap_draws);
  other_draws = g_new (double, input->bootstrap_draws);
  if (!judge_draws (input, &other, draws, other_draws, cancellable, error))
    return FALSE;
  for (guint i = 0; i < input->bootstrap_draws; i++)
    draws[i] -= other_draws[i];
  percentiles (draws, input->bootstrap_draws, low, high);
  return TRUE;
}

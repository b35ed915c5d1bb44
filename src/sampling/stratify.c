#include "sampling/stratify.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

#define MAX_FOLDS 16
#define MAX_LABELS 32
#define TIE_STREAM 0x73747261 /* apart from the other uses of the user's seed */
#define ORDER_STREAM 0x6f726465
#define MAX_SWAPS 4096

/* ---- dealing rows out to folds ---- */

typedef struct
{
  const guint32 *labels;
  gsize n;
  guint n_labels, n_folds;
  Random *random;                                /* %NULL: the first candidate wins a tie */
  double wanted[MAX_FOLDS];                      /* c_j: rows that fold j still wants */
  double wanted_of_label[MAX_FOLDS][MAX_LABELS]; /* c_jl */
  gsize remaining[MAX_LABELS];                   /* positives not yet dealt out */
  gboolean *dealt;
  guint8 *folds;
} Deal;

/** The fold with the largest wish; ties by the second wish, then by lot. @of_label: %NULL where
 * only one counts. */
static guint
choose_fold (Deal *deal, int label)
{
  guint candidates[MAX_FOLDS], n = 0;
  double best = -INFINITY, best_wanted = -INFINITY;

  for (guint j = 0; j < deal->n_folds; j++)
    {
      double wish = label >= 0 ? deal->wanted_of_label[j][label] : deal->wanted[j];

      if (wish > best || (wish == best && deal->wanted[j] > best_wanted))
        {
          best = wish;
          best_wanted = deal->wanted[j];
          n = 0;
        }
      if (wish == best && deal->wanted[j] == best_wanted)
        candidates[n++] = j;
    }
  return deal->random != NULL && n > 1 ? candidates[random_below (deal->random, n)] : candidates[0];
}

static void
deal_row (Deal *deal, gsize row, guint fold)
{
  deal->folds[row] = (guint8) fold;
  deal->dealt[row] = TRUE;
  deal->wanted[fold] -= 1;
  for (guint32 bits = deal->labels[row]; bits != 0; bits &= bits - 1)
    {
      int label = __builtin_ctz (bits);

      deal->wanted_of_label[fold][label] -= 1;
      deal->remaining[label]--;
    }
}

/** The label with the fewest, but some, remaining positives; -1 when none is left. */
static int
rarest_label (const Deal *deal)
{
  int rarest = -1;

  for (guint label = 0; label < deal->n_labels; label++)
    if (deal->remaining[label] > 0
        && (rarest < 0 || deal->remaining[label] < deal->remaining[rarest]))
      rarest = (int) label;
  return rarest;
}

void
stratify_folds (const guint32 *labels, gsize n, guint n_labels, const double *shares, guint n_folds,
                const guint64 *seed, guint8 *folds)
{
  Random random;
  Deal deal = {
    .labels = labels, .n = n, .n_labels = n_labels, .n_folds = n_folds, .folds = folds
  };
  g_autofree gboolean *dealt = g_new0 (gboolean, MAX (n, 1));
  int label;

  g_return_if_fail (n_folds >= 1 && n_folds <= MAX_FOLDS && n_labels <= MAX_LABELS);
  deal.dealt = dealt;
  if (seed != NULL)
    {
      random_init (&random, *seed, TIE_STREAM);
      deal.random = &random;
    }
  for (gsize row = 0; row < n; row++)
    for (guint32 bits = labels[row]; bits != 0; bits &= bits - 1)
      deal.remaining[__builtin_ctz (bits)]++;
  for (guint j = 0; j < n_folds; j++)
    {
      deal.wanted[j] = shares[j] * (double) n;
      for (guint l = 0; l < n_labels; l++)
        deal.wanted_of_label[j][l] = shares[j] * (double) deal.remaining[l];
    }

  while ((label = rarest_label (&deal)) >= 0)
    for (gsize row = 0; row < n; row++)
      if (!dealt[row] && (labels[row] >> label & 1))
        deal_row (&deal, row, choose_fold (&deal, label));
  /* What is left has no positives at all. */
  for (gsize row = 0; row < n; row++)
    if (!dealt[row])
      deal_row (&deal, row, choose_fold (&deal, -1));
}

/* ---- one sample of an exact size ---- */

gsize
stratify_sample_size (double fraction, gsize n)
{
  return MIN (n, (gsize) floor (fraction * (double) n + 0.5));
}

/** Rows with one and the same label set are exchangeable: what counts is how many of each set are
 * chosen. */
typedef struct
{
  guint32 labels;
  gsize n, chosen;
} LabelSet;

typedef struct
{
  guint n_labels;
  double excess[MAX_LABELS]; /* chosen positives less fraction × all positives */
} Balance;

/** How far the sample is off, by label shares: the largest deviation, then the sum of squares. */
typedef struct
{
  double largest, squares;
} Badness;

/** Badness once @add joins and @leave goes (nullable both). Excess per chosen row is what shares
 * differ by. */
static Badness
badness (const Balance *balance, const LabelSet *add, const LabelSet *leave)
{
  guint32 plus = add != NULL ? add->labels : 0, minus = leave != NULL ? leave->labels : 0;
  Badness result = { 0, 0 };

  for (guint label = 0; label < balance->n_labels; label++)
    {
      double excess = balance->excess[label] + (plus >> label & 1) - (minus >> label & 1);

      result.largest = MAX (result.largest, fabs (excess));
      result.squares += excess * excess;
    }
  return result;
}

static gboolean
is_better (Badness a, Badness b)
{
  const double margin = 1e-9;

  return a.largest < b.largest - margin
         || (a.largest <= b.largest + margin && a.squares < b.squares - margin);
}

static void
apply (Balance *balance, LabelSet *add, LabelSet *leave)
{
  for (guint label = 0; label < balance->n_labels; label++)
    balance->excess[label] += (add != NULL ? (int) (add->labels >> label & 1) : 0)
                              - (leave != NULL ? (int) (leave->labels >> label & 1) : 0);
  if (add != NULL)
    add->chosen++;
  if (leave != NULL)
    leave->chosen--;
}

/** Take in or let go single rows, those that disturb least, until the size is exact. */
static void
fix_size (Balance *balance, LabelSet *sets, guint n_sets, gsize size, gsize wanted)
{
  for (; size != wanted; size < wanted ? size++ : size--)
    {
      LabelSet *best = NULL;
      Badness best_badness = { INFINITY, INFINITY };

      for (guint i = 0; i < n_sets; i++)
        {
          gboolean possible = size < wanted ? sets[i].chosen < sets[i].n : sets[i].chosen > 0;
          Badness after =
              size < wanted ? badness (balance, &sets[i], NULL) : badness (balance, NULL, &sets[i]);

          if (possible && is_better (after, best_badness))
            {
              best = &sets[i];
              best_badness = after;
            }
        }
      if (size < wanted)
        apply (balance, best, NULL);
      else
        apply (balance, NULL, best);
    }
}

/** The label that is farthest off. */
static guint
worst_label (const Balance *balance)
{
  guint worst = 0;

  for (guint label = 1; label < balance->n_labels; label++)
    if (fabs (balance->excess[label]) > fabs (balance->excess[worst]))
      worst = label;
  return worst;
}

/** Swap a row in and another out while that lowers the largest deviation. */
static void
swap_while_better (Balance *balance, LabelSet *sets, guint n_sets)
{
  for (guint swaps = 0; swaps < MAX_SWAPS && balance->n_labels > 0; swaps++)
    {
      guint worst = worst_label (balance);
      guint32 too_many = balance->excess[worst] > 0;
      Badness now = badness (balance, NULL, NULL), best = now;
      LabelSet *best_add = NULL, *best_leave = NULL;

      /* Half a row off is as near as whole rows come. */
      if (now.largest <= 0.5)
        return;
      for (guint i = 0; i < n_sets; i++)
        {
          LabelSet *add = &sets[i];

          if (add->chosen == add->n || (add->labels >> worst & 1) == too_many)
            continue;
          for (guint j = 0; j < n_sets; j++)
            {
              LabelSet *leave = &sets[j];
              Badness after;

              if (leave->chosen == 0 || (leave->labels >> worst & 1) != too_many)
                continue;
              after = badness (balance, add, leave);
              if (is_better (after, best))
                {
                  best = after;
                  best_add = add;
                  best_leave = leave;
                }
            }
          /* The first row that allows an improvement is good enough; the next round looks again. */
          if (best_add != NULL)
            break;
        }
      if (best_add == NULL)
        return;
      apply (balance, best_add, best_leave);
    }
}

static int
compare_rows (gconstpointer a, gconstpointer b, gpointer labels)
{
  guint32 of_a = ((const guint32 *) labels)[*(const guint32 *) a],
          of_b = ((const guint32 *) labels)[*(const guint32 *) b];

  if (of_a != of_b)
    return of_a < of_b ? -1 : 1;
  return *(const guint32 *) a < *(const guint32 *) b ? -1 : 1;
}

/** Two folds over the rows in a seeded order, so that every seed draws a sample of its own. */
static void
deal_in_random_order (const guint32 *labels, gsize n, guint n_labels, double fraction, guint64 seed,
                      guint8 *chosen)
{
  const double shares[2] = { 1 - fraction, fraction };
  g_autofree guint32 *order = g_new (guint32, MAX (n, 1));
  g_autofree guint32 *shuffled = g_new (guint32, MAX (n, 1));
  g_autofree guint8 *folds = g_new (guint8, MAX (n, 1));
  Random random;

  for (gsize i = 0; i < n; i++)
    order[i] = (guint32) i;
  random_init (&random, seed, ORDER_STREAM);
  random_shuffle (&random, order, n);
  for (gsize i = 0; i < n; i++)
    shuffled[i] = labels[order[i]];
  stratify_folds (shuffled, n, n_labels, shares, 2, &seed, folds);
  for (gsize i = 0; i < n; i++)
    chosen[order[i]] = folds[i];
}

void
stratify_sample (const guint32 *labels, gsize n, guint n_labels, double fraction, guint64 seed,
                 guint8 *chosen)
{
  gsize wanted = stratify_sample_size (fraction, n), size = 0;
  g_autofree guint32 *order = g_new (guint32, MAX (n, 1)); /* rows sorted by label set */
  g_autofree LabelSet *sets = g_new0 (LabelSet, MAX (n, 1));
  Balance balance = { .n_labels = n_labels };
  guint n_sets = 0;

  deal_in_random_order (labels, n, n_labels, fraction, seed, chosen);
  for (gsize row = 0; row < n; row++)
    {
      order[row] = (guint32) row;
      size += chosen[row];
      for (guint label = 0; label < n_labels; label++)
        if (labels[row] >> label & 1)
          balance.excess[label] += chosen[row] - (double) wanted / (double) n;
    }
  g_qsort_with_data (order, (gint) n, sizeof *order, compare_rows, (gpointer) labels);
  for (gsize i = 0; i < n; i++)
    {
      if (n_sets == 0 || sets[n_sets - 1].labels != labels[order[i]])
        sets[n_sets++].labels = labels[order[i]];
      sets[n_sets - 1].n++;
      sets[n_sets - 1].chosen += chosen[order[i]];
    }

  fix_size (&balance, sets, n_sets, size, wanted);
  swap_while_better (&balance, sets, n_sets);

  /* From counts back to rows: of each set, the first rows in or out make up the difference. */
  for (gsize set = 0, i = 0; set < n_sets; i += sets[set++].n)
    {
      gsize now = 0;

      for (gsize k = 0; k < sets[set].n; k++)
        now += chosen[order[i + k]];
      for (gsize k = 0; k < sets[set].n && now != sets[set].chosen; k++)
        {
          guint8 *row = &chosen[order[i + k]];

          if (*row == (now < sets[set].chosen))
            continue;
          *row = !*row;
          now += *row ? 1 : -1;
        }
    }
}

void
stratify_shares (const guint32 *labels, gsize n, guint n_labels, const guint8 *chosen,
                 StratifyShares *shares)
{
  gsize all[MAX_LABELS] = { 0 }, sample[MAX_LABELS] = { 0 }, size = 0;

  for (gsize row = 0; row < n; row++)
    {
      size += chosen[row];
      for (guint label = 0; label < n_labels; label++)
        {
          all[label] += labels[row] >> label & 1;
          sample[label] += chosen[row] && (labels[row] >> label & 1);
        }
    }
  memset (shares, 0, sizeof *shares);
  shares->n_labels = n_labels;
  shares->max_deviation = n > 0 && size > 0 ? 0 : NAN;
  for (guint label = 0; label < n_labels; label++)
    {
      shares->share_all[label] = n > 0 ? (double) all[label] / (double) n : NAN;
      shares->share_sample[label] = size > 0 ? (double) sample[label] / (double) size : NAN;
      shares->max_deviation = fmax (shares->max_deviation,
                                    fabs (shares->share_sample[label] - shares->share_all[label]));
    }
}

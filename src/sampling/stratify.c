#include "sampling/stratify.h"

#include "base/random.h"
#include "sampling/balance.h"

#include <math.h>
#include <string.h>

#define TIE_STREAM 0x73747261 /* apart from the other uses of the user's seed */
#define ORDER_STREAM 0x6f726465

/* ---- dealing rows out to folds ---- */

typedef struct
{
  const guint32 *labels;
  gsize n;
  guint n_labels, n_folds;
  Random *random;                    /* %NULL: the first candidate wins a tie */
  double wanted[STRATIFY_MAX_FOLDS]; /* c_j: rows that fold j still wants */
  double wanted_of_label[STRATIFY_MAX_FOLDS][STRATIFY_MAX_LABELS]; /* c_jl */
  gsize remaining[STRATIFY_MAX_LABELS];                            /* positives not yet dealt out */
  gboolean *dealt;
  guint8 *folds;
} Deal;

/** The fold that wants a row of this label most, ties by all rows it wants, then by lot. A negative
 * @label: only all rows count. */
static guint
choose_fold (Deal *deal, int label)
{
  guint candidates[STRATIFY_MAX_FOLDS], n = 0;
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

  g_return_if_fail (n_folds >= 1 && n_folds <= STRATIFY_MAX_FOLDS
                    && n_labels <= STRATIFY_MAX_LABELS);
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

/** Count the rows of each distinct label set, in the order that sorts them. */
static gsize
count_label_sets (const guint32 *labels, const guint32 *order, gsize n, const guint8 *chosen,
                  LabelSet *sets)
{
  gsize n_sets = 0;

  for (gsize i = 0; i < n; i++)
    {
      guint32 row = order[i];

      if (n_sets == 0 || sets[n_sets - 1].labels != labels[row])
        sets[n_sets++] = (LabelSet){ .labels = labels[row] };
      sets[n_sets - 1].n++;
      sets[n_sets - 1].chosen += chosen[row];
    }
  return n_sets;
}

/** From counts back to rows: of each set, its first rows in or out make up the difference. */
static void
choose_by_label_sets (const LabelSet *sets, gsize n_sets, const guint32 *order, guint8 *chosen)
{
  for (gsize set = 0; set < n_sets; order += sets[set++].n)
    {
      gsize now = 0;

      for (gsize i = 0; i < sets[set].n; i++)
        now += chosen[order[i]];
      for (gsize i = 0; now != sets[set].chosen; i++)
        {
          gboolean too_few = now < sets[set].chosen;

          if (chosen[order[i]] == too_few)
            continue;
          chosen[order[i]] = too_few;
          now += too_few ? 1 : -1;
        }
    }
}

void
stratify_sample (const guint32 *labels, gsize n, guint n_labels, double fraction, guint64 seed,
                 guint8 *chosen)
{
  g_autofree guint32 *order = g_new (guint32, MAX (n, 1)); /* rows sorted by label set */
  g_autofree LabelSet *sets = g_new (LabelSet, MAX (n, 1));
  gsize n_sets;

  deal_in_random_order (labels, n, n_labels, fraction, seed, chosen);
  for (gsize i = 0; i < n; i++)
    order[i] = (guint32) i;
  g_qsort_with_data (order, (gint) n, sizeof *order, compare_rows, (gpointer) labels);
  n_sets = count_label_sets (labels, order, n, chosen, sets);
  balance_label_sets (sets, n_sets, n_labels, stratify_sample_size (fraction, n));
  choose_by_label_sets (sets, n_sets, order, chosen);
}

void
stratify_shares (const guint32 *labels, gsize n, guint n_labels, const guint8 *chosen,
                 StratifyShares *shares)
{
  gsize all[STRATIFY_MAX_LABELS] = { 0 }, sample[STRATIFY_MAX_LABELS] = { 0 }, size = 0;

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

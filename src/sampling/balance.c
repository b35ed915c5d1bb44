#include "sampling/balance.h"

#include "sampling/stratify.h"

#define MAX_PAIRS 200000000 /* swaps that are looked at in one balancing */

typedef struct
{
  LabelSet *sets;
  gsize n_sets;
  guint n_labels;
  gint64 row; /* the number of all rows: in this unit every excess is a whole number */
  gint64 excess[STRATIFY_MAX_LABELS];
} Balance;

/** A set that has a chosen row to let go, and what that costs. */
typedef struct
{
  LabelSet *set;
  gint64 cost;
} Leaver;

static Balance
balance_of (LabelSet *sets, gsize n_sets, guint n_labels, gsize wanted)
{
  Balance balance = { .sets = sets, .n_sets = n_sets, .n_labels = n_labels };

  for (gsize i = 0; i < n_sets; i++)
    balance.row += (gint64) sets[i].n;
  for (gsize i = 0; i < n_sets; i++)
    for (guint32 bits = sets[i].labels; bits != 0; bits &= bits - 1)
      balance.excess[__builtin_ctz (bits)] +=
          (gint64) sets[i].chosen * balance.row - (gint64) sets[i].n * (gint64) wanted;
  return balance;
}

/** No label is more than half a row off. */
static gboolean
is_even (const Balance *balance)
{
  for (guint label = 0; label < balance->n_labels; label++)
    if (2 * ABS (balance->excess[label]) > balance->row)
      return FALSE;
  return TRUE;
}

/**
 * cost_of_move: what a row's joining (@rows 1) or going (-1) adds to the sum of squares.
 *
 * (e ± row)² − e² = row · (±2e + row), summed over the row's labels, without the common factor.
 */
static gint64
cost_of_move (const Balance *balance, guint32 labels, int rows)
{
  gint64 cost = 0;

  for (guint32 bits = labels; bits != 0; bits &= bits - 1)
    cost += rows * 2 * balance->excess[__builtin_ctz (bits)] + balance->row;
  return cost;
}

static void
move_row (Balance *balance, LabelSet *set, int rows)
{
  for (guint32 bits = set->labels; bits != 0; bits &= bits - 1)
    balance->excess[__builtin_ctz (bits)] += rows * balance->row;
  set->chosen += (gsize) rows;
}

/** The set that a row joins from (@rows 1) or goes to (-1) at the least cost. */
static LabelSet *
cheapest_move (const Balance *balance, int rows)
{
  LabelSet *cheapest = NULL;
  gint64 least = G_MAXINT64;

  for (LabelSet *set = balance->sets; set < balance->sets + balance->n_sets; set++)
    {
      gboolean possible = rows > 0 ? set->chosen < set->n : set->chosen > 0;
      gint64 cost = cost_of_move (balance, set->labels, rows);

      if (possible && cost < least)
        {
          least = cost;
          cheapest = set;
        }
    }
  return cheapest;
}

static gsize
list_leavers (const Balance *balance, Leaver *leavers)
{
  gsize n = 0;

  for (LabelSet *set = balance->sets; set < balance->sets + balance->n_sets; set++)
    if (set->chosen > 0)
      leavers[n++] = (Leaver){ set, cost_of_move (balance, set->labels, -1) };
  return n;
}

/** The set that best gives a row for one of @in; %NULL where no swap lowers the sum of squares. */
static LabelSet *
best_leaver (const Balance *balance, const LabelSet *in, const Leaver *leavers, gsize n)
{
  LabelSet *best = NULL;
  gint64 joining = cost_of_move (balance, in->labels, 1), least = 0;

  for (gsize i = 0; i < n; i++)
    {
      /* A label that both rows have stays as it is, yet each move counts a row for it. */
      int shared = __builtin_popcount (in->labels & leavers[i].set->labels);
      gint64 cost = joining + leavers[i].cost - 2 * shared * balance->row;

      if (cost < least)
        {
          least = cost;
          best = leavers[i].set;
        }
    }
  return best;
}

/** Offer every set's place in turn, until a whole round has brought no swap. */
static void
swap_while_better (Balance *balance)
{
  g_autofree Leaver *leavers = g_new (Leaver, MAX (balance->n_sets, 1));
  gsize n_leavers = list_leavers (balance, leavers), tried = 0, pairs = 0;

  for (gsize at = 0; tried < balance->n_sets && pairs < MAX_PAIRS && !is_even (balance);
       at = (at + 1) % balance->n_sets)
    {
      LabelSet *in = &balance->sets[at], *out = NULL;

      tried++;
      if (in->chosen == in->n)
        continue;
      pairs += n_leavers;
      out = best_leaver (balance, in, leavers, n_leavers);
      if (out == NULL)
        continue;
      move_row (balance, in, 1);
      move_row (balance, out, -1);
      n_leavers = list_leavers (balance, leavers);
      tried = 0;
    }
}

void
balance_label_sets (LabelSet *sets, gsize n_sets, guint n_labels, gsize wanted)
{
  Balance balance = balance_of (sets, n_sets, n_labels, wanted);
  gsize size = 0;

  for (gsize i = 0; i < n_sets; i++)
    size += sets[i].chosen;
  for (; size < wanted; size++)
    move_row (&balance, cheapest_move (&balance, 1), 1);
  for (; size > wanted; size--)
    move_row (&balance, cheapest_move (&balance, -1), -1);
  swap_while_better (&balance);
}

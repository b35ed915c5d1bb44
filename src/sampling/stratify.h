/**
 * stratify.h: iterative stratification of multi-label data.
 *
 * Sechidis, Tsoumakas & Vlahavas 2011, "On the stratification of multi-label data", in the form of
 * the `iterative-stratification` package: the rarest label is dealt out first, and each member
 * lowers the wish of its fold for all of its labels.
 */
#pragma once

#include <glib.h>

#define STRATIFY_MAX_LABELS 32
#define STRATIFY_MAX_FOLDS 16

/**
 * stratify_folds: deal rows out to folds.
 *
 * @labels:   n bit sets; bit l is label l
 * @n_labels: at most STRATIFY_MAX_LABELS
 * @shares:   n_folds shares that sum to 1; at most STRATIFY_MAX_FOLDS
 * @seed:     breaks ties; %NULL takes the first candidate (reproduces the golden folds)
 * @folds:    (out) n fold numbers
 */
void stratify_folds (const guint32 *labels, gsize n, guint n_labels, const double *shares,
                     guint n_folds, const guint64 *seed, guint8 *folds);

/**
 * stratify_sample: choose exactly stratify_sample_size (fraction, n) rows that keep every label's
 * share.
 *
 * Runs stratify_folds with shares (1 − fraction, fraction) over the rows in a seeded order, moves
 * the rows that disturb the shares least until the size is exact, then swaps rows in and out while
 * a swap brings the labels' shares nearer (in squares), until none is more than half a row off. The
 * same seed chooses the same rows on every machine.
 *
 * @fraction: from 0 to 1
 * @chosen:   (out) n bytes, 1 for a member
 */
void stratify_sample (const guint32 *labels, gsize n, guint n_labels, double fraction, guint64 seed,
                      guint8 *chosen);

/** stratify_sample_size: fraction × n, halves rounded up. */
gsize stratify_sample_size (double fraction, gsize n);

/** Share of each label in all rows and in the chosen ones; NaN over no rows. */
typedef struct
{
  guint n_labels;
  double share_all[STRATIFY_MAX_LABELS], share_sample[STRATIFY_MAX_LABELS];
  double max_deviation; /* largest |share_sample − share_all| */
} StratifyShares;

void stratify_shares (const guint32 *labels, gsize n, guint n_labels, const guint8 *chosen,
                      StratifyShares *shares);

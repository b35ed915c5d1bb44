/**
 * balance.h: even out how often each label occurs in a sample. Private to the sampling.
 */
#pragma once

#include <glib.h>

/** Rows with the same labels are exchangeable: what counts is how many of them are chosen. */
typedef struct
{
  guint32 labels;
  gsize n, chosen;
} LabelSet;

/**
 * balance_label_sets: choose @wanted rows in all, as even as swapping gets them.
 *
 * A label's excess is its chosen positives less the sample's due. Takes in or lets go single rows,
 * those that add least to the sum of squared excesses, until the number is exact; then swaps a row
 * in and another out while that lowers the sum. Done when no label is more than half a row off,
 * which is as near as whole rows come, or when no swap helps, or after a bounded search: under a
 * second, which only tens of thousands of rows with hardly two alike can take.
 *
 * @sets:   (inout) distinct sets; `chosen` is changed
 * @wanted: at most the number of all rows
 */
void balance_label_sets (LabelSet *sets, gsize n_sets, guint n_labels, gsize wanted);

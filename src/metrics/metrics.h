/**
 * metrics.h: how well scores separate two classes, and how sure that is.
 *
 * Scores are doubles and any monotone measure will do for ranking: pass logits to the AUROC
 * functions, not rounded probabilities. Labels are 0 or 1. NaN stands for "undefined" everywhere: a
 * class without positives has no sensitivity, and one without both kinds has no AUROC. A score that
 * is NaN ranks below every number, ties with others of its kind, and is never called positive.
 */
#pragma once

#include "base/team.h"

typedef struct
{
  double value, low, high; /* NaN where undefined */
} MetricsInterval;

typedef struct
{
  guint tp, fp, tn, fn;
} MetricsConfusion;

/** metrics_auroc: area under the ROC curve by midranks (ties count half); NaN where undefined.
 * O(n).
 */
double metrics_auroc (const double *scores, const guint8 *labels, gsize n);

/**
 * metrics_auroc_interval: AUROC with its 95 % DeLong interval, clipped to [0, 1].
 *
 * Sun & Xu, IEEE Signal Processing Letters 21(11), 2014: the fast algorithm. With a single positive
 * or a single negative the value is defined and the interval is not; where all pairs are won the
 * interval has no width, as DeLong's has none there.
 */
MetricsInterval metrics_auroc_interval (const double *scores, const guint8 *labels, gsize n);

/**
 * metrics_auroc_difference: AUROC(a) − AUROC(b) on the same labels, for correlated curves (DeLong
 * 1988).
 *
 * @difference: (out) value with its 95 % interval
 * Returns: the two-sided p value; NaN where undefined; 1 where both curves are the same.
 */
double metrics_auroc_difference (const double *a, const double *b, const guint8 *labels, gsize n,
                                 MetricsInterval *difference);

/** metrics_average_precision: area under precision-recall by steps (scikit-learn's definition). */
double metrics_average_precision (const double *scores, const guint8 *labels, gsize n);

/** metrics_probability: 1 / (1 + exp(−logit)). */
double metrics_probability (double logit);

/** metrics_confusion: counts with score >= threshold called positive. */
MetricsConfusion metrics_confusion (const double *scores, const guint8 *labels, gsize n,
                                    double threshold);

double metrics_sensitivity (MetricsConfusion c);
double metrics_specificity (MetricsConfusion c);
double metrics_accuracy (MetricsConfusion c);
double metrics_f1 (MetricsConfusion c);

/** metrics_brier: mean squared difference of probability and label. */
double metrics_brier (const double *probabilities, const guint8 *labels, gsize n);

/**
 * metrics_youden_threshold: the score that maximises sensitivity + specificity − 1; the highest of
 * equals. NaN where either class is absent. Choose it on training scores, never on those that are
 * judged.
 */
double metrics_youden_threshold (const double *scores, const guint8 *labels, gsize n);

/** One point of a ROC curve: predicting positive at score >= threshold. */
typedef struct
{
  double threshold, false_positive_rate, sensitivity;
} MetricsRocPoint;

/**
 * metrics_roc: the curve from (0, 0) to (1, 1), one point per distinct score, from the highest
 * down.
 *
 * The first point's threshold is infinite; scores that are NaN make a last point with threshold
 * NaN. A rate of a kind that is absent is NaN.
 *
 * Returns: (element-type MetricsRocPoint)
 */
GArray *metrics_roc (const double *scores, const guint8 *labels, gsize n);

/* ---- many classes at once ---- */

typedef struct
{
  MetricsInterval auroc;
  double average_precision, sensitivity, specificity, accuracy, f1, brier;
  double threshold; /* of the probability */
  MetricsConfusion confusion;
  guint positives, negatives;
} MetricsClass;

typedef struct
{
  guint n_classes;
  MetricsClass *classes;
  guint classes_in_macro;      /* classes whose AUROC is defined */
  MetricsInterval macro_auroc; /* interval: bootstrap over groups, percentile 2.5-97.5 */
  double micro_auroc;
  double macro_sensitivity, macro_specificity, macro_accuracy, macro_f1, macro_average_precision,
      macro_brier;
  double micro_sensitivity, micro_specificity, micro_f1;
  double accuracy;        /* element-wise */
  double subset_accuracy; /* all classes of a row right */
} MetricsTable;

typedef struct
{
  const double *logits; /* n × n_classes, row-major */
  const guint8 *labels; /* n × n_classes */
  gsize n;
  guint n_classes;
  const double *thresholds; /* n_classes probabilities; %NULL: 0.5 */
  const guint32 *groups;    /* n patient numbers, whatever they are, for the bootstrap; %NULL: every
                               row is its own group */
  guint bootstrap_draws;    /* 0: no macro interval; 1,000 is the house's number */
  guint64 bootstrap_seed;
  Team *team; /* (nullable) shares the work; the numbers are the same whoever does */
} MetricsInput;

/**
 * metrics_table: every number of the per-class table.
 *
 * Probabilities are metrics_probability(). A bootstrap draw in which a class has one kind
 * only leaves the class out of that draw's mean. %NULL with G_IO_ERROR_CANCELLED when cancelled.
 */
MetricsTable *metrics_table (const MetricsInput *input, GCancellable *cancellable, GError **error);

/**
 * metrics_macro_difference_interval: 95 % interval of the macro AUROC of @input minus that of
 * @other_logits, scores of the same rows, classes and labels.
 *
 * A paired bootstrap: each of @input's draws of groups judges both, percentile 2.5-97.5.
 *
 * @low, @high: (out) NaN as those of metrics_table()'s macro AUROC
 * Returns: %FALSE when cancelled.
 */
gboolean metrics_macro_difference_interval (const MetricsInput *input, const double *other_logits,
                                            double *low, double *high, GCancellable *cancellable,
                                            GError **error);

MetricsTable *metrics_table_copy (const MetricsTable *table);
void metrics_table_free (MetricsTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsTable, metrics_table_free)

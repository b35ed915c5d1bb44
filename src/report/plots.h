/**
 * plots.h: results as PNG pictures of 1200 × 900 pixels (pages of many classes are higher).
 *
 * Dark ink on white, Okabe and Ito's colours (2008), which the colour-blind can tell apart, and
 * never colour alone. Every function writes the whole file or none, and replaces one that is there
 * only with @replace. @subtitle: (nullable) such as the run's name. Safe on any thread.
 */
#pragma once

#include "metrics/metrics.h"
#include "report/comparison.h"

/** What a run said of one class. */
typedef struct
{
  const char *name;
  const double *logits; /* n */
  const guint8 *labels; /* n */
  gsize n;
  double threshold; /* of the probability; NaN: none is marked */
} ReportScores;

/** report_plot_roc: a class's ROC curve with AUROC, 95 % interval and the threshold's point. */
gboolean report_plot_roc (const ReportScores *scores, const char *subtitle, const char *path,
                          gboolean replace, GError **error);

/** report_plot_roc_page: the ROC curves of all classes as small multiples. */
gboolean report_plot_roc_page (const ReportScores *classes, guint n_classes, const char *subtitle,
                               const char *path, gboolean replace, GError **error);

/** report_plot_histogram: probabilities of the positives and of the negatives, mirrored, each as
 * shares of its kind. */
gboolean report_plot_histogram (const ReportScores *scores, const char *subtitle, const char *path,
                                gboolean replace, GError **error);

/** report_plot_histogram_page: those of all classes as small multiples. */
gboolean report_plot_histogram_page (const ReportScores *classes, guint n_classes,
                                     const char *subtitle, const char *path, gboolean replace,
                                     GError **error);

typedef struct
{
  guint epoch;
  double train_loss;
  MetricsInterval macro_auroc;
} ReportEpoch;

/** report_plot_epochs: loss and macro AUROC over epochs; @kept_epoch is marked (-1: none). */
gboolean report_plot_epochs (const ReportEpoch *epochs, guint n, int kept_epoch,
                             const char *subtitle, const char *path, gboolean replace,
                             GError **error);

/** report_plot_auroc: every class's AUROC with its interval, from the best down, and the macro. */
gboolean report_plot_auroc (const MetricsTable *table, const char *const *class_names,
                            const char *subtitle, const char *path, gboolean replace,
                            GError **error);

/** report_plot_comparison: two runs' AUROC per class, and their difference with its interval. */
gboolean report_plot_comparison (const ReportComparison *comparison, const char *path,
                                 gboolean replace, GError **error);

/**
 * compare.h: two runs on the scans that both were judged on.
 */
#pragma once

#include "catalog/runs.h"
#include "metrics/metrics.h"
#include "report/comparison.h"

typedef struct
{
  double auroc_a, auroc_b;
  MetricsInterval difference; /* a - b, DeLong for correlated curves */
  double p;                   /* two-sided; NaN where undefined, and for the macro mean */
  guint positives, negatives;
} StudyComparisonClass;

typedef struct
{
  gsize n;              /* scans in common */
  gsize only_a, only_b; /* scans that one of them has alone */
  guint classes_in_macro;
  StudyComparisonClass macro; /* over the defined classes; interval: paired bootstrap */
  StudyComparisonClass classes[CATALOG_N_LABELS];
} StudyComparison;

/** study_compare: from the stored predictions; runs without a scan in common are an error. */
gboolean study_compare (CatalogStore *store, const CatalogRun *a, const CatalogRun *b,
                        StudyComparison *comparison, GError **error);

/** study_comparison_report: the same, to be shown; it points into @classes and to the names. */
ReportComparison study_comparison_report (const StudyComparison *comparison, const char *run_a,
                                          const char *run_b,
                                          ReportComparisonClass classes[CATALOG_N_LABELS]);

/**
 * comparison.h: two runs beside each other, class by class.
 */
#pragma once

#include "metrics/metrics.h"
#include <jansson.h>

typedef struct
{
  const char *name;
  double auroc_a, auroc_b;    /* NaN where undefined, as all of these */
  MetricsInterval difference; /* a - b */
  double p;                   /* DeLong's test for correlated curves */
  guint positives, negatives;
} ReportComparisonClass;

typedef struct
{
  const char *run_a, *run_b;
  const ReportComparisonClass *classes;
  guint n_classes;
  ReportComparisonClass macro; /* its interval by a paired bootstrap; without a test */
  guint classes_in_macro;      /* that both runs define */
  gsize n;                     /* scans in common */
  gsize only_a, only_b;        /* scans that one of them has alone */
} ReportComparison;

/** report_comparison_text: a row per class, the macro row, and what it was computed on. Free with
 * g_free. */
char *report_comparison_text (const ReportComparison *comparison);

/** report_comparison_json: {a, b, n, ..., classes[]}; a new reference. */
json_t *report_comparison_json (const ReportComparison *comparison);

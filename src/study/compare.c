#include "study/compare.h"

#include "base/error.h"

#include <math.h>

#define BOOTSTRAP_DRAWS 1000

/** Rows of @b by volume name. */
static GHashTable *
index_volumes (const CatalogPredictions *predictions)
{
  GHashTable *index = g_hash_table_new (g_str_hash, g_str_equal);

  for (gsize i = 0; i < predictions->n; i++)
    g_hash_table_insert (index, predictions->volumes[i], GSIZE_TO_POINTER (i + 1));
  return index;
}

/** Rows that both runs judged, beside each other; n × CATALOG_N_LABELS. */
typedef struct
{
  gsize n;
  double *logits_a, *logits_b;
  guint8 *labels;
  guint32 *groups; /* n patient numbers */
} Common;

static void
common_free (Common *common)
{
  g_free (common->logits_a);
  g_free (common->logits_b);
  g_free (common->labels);
  g_free (common->groups);
  g_free (common);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Common, common_free)

/** Row @i of @a and row @j of @b, one scan's. @patients: numbers from 1, by name */
static void
add_scan (Common *common, const CatalogPredictions *a, gsize i, const CatalogPredictions *b,
          gsize j, GHashTable *patients)
{
  gsize at = common->n * CATALOG_N_LABELS;
  guint32 group = GPOINTER_TO_UINT (g_hash_table_lookup (patients, a->patients[i]));

  if (group == 0)
    {
      group = g_hash_table_size (patients) + 1;
      g_hash_table_insert (patients, a->patients[i], GUINT_TO_POINTER (group));
    }
  common->groups[common->n++] = group;
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      common->logits_a[at + label] = a->logits[i * CATALOG_N_LABELS + label];
      common->logits_b[at + label] = b->logits[j * CATALOG_N_LABELS + label];
      common->labels[at + label] = a->labels[i] >> label & 1;
    }
}

/** %NULL where the runs do not agree on what a scan shows. */
static Common *
common_scans (const CatalogPredictions *a, const char *name_a, const CatalogPredictions *b,
              const char *name_b, GError **error)
{
  g_autoptr (GHashTable) index = index_volumes (b);
  g_autoptr (GHashTable) patients = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (Common) common = g_new0 (Common, 1);

  common->logits_a = g_new (double, a->n *CATALOG_N_LABELS);
  common->logits_b = g_new (double, a->n *CATALOG_N_LABELS);
  common->labels = g_new (guint8, a->n * CATALOG_N_LABELS);
  common->groups = g_new (guint32, a->n);
  for (gsize i = 0; i < a->n; i++)
    {
      gsize j = GPOINTER_TO_SIZE (g_hash_table_lookup (index, a->volumes[i]));

      if (j == 0)
        continue;
      j--;
      if (a->labels[i] != b->labels[j])
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                       "runs %s and %s were judged by different labels of %s: one is a control, or "
                       "the labels were imported anew in between",
                       name_a, name_b, a->volumes[i]);
          return NULL;
        }
      add_scan (common, a, i, b, j, patients);
    }
  return g_steal_pointer (&common);
}

static void
compare_class (const Common *common, guint label, StudyComparisonClass *result)
{
  gsize n = common->n;
  g_autofree double *scores_a = g_new (double, n);
  g_autofree double *scores_b = g_new (double, n);
  g_autofree guint8 *labels = g_new (guint8, n);

  for (gsize i = 0; i < n; i++)
    {
      scores_a[i] = common->logits_a[i * CATALOG_N_LABELS + label];
      scores_b[i] = common->logits_b[i * CATALOG_N_LABELS + label];
      labels[i] = common->labels[i * CATALOG_N_LABELS + label];
      result->positives += labels[i];
    }
  result->negatives = (guint) n - result->positives;
  result->auroc_a = metrics_auroc (scores_a, labels, n);
  result->auroc_b = metrics_auroc (scores_b, labels, n);
  result->p = metrics_auroc_difference (scores_a, scores_b, labels, n, &result->difference);
}

static gboolean
compare_macro (const Common *common, StudyComparison *comparison, GError **error)
{
  StudyComparisonClass *macro = &comparison->macro;
  MetricsInput input = { .logits = common->logits_a,
                         .labels = common->labels,
                         .n = common->n,
                         .n_classes = CATALOG_N_LABELS,
                         .groups = common->groups,
                         .bootstrap_draws = BOOTSTRAP_DRAWS };

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      const StudyComparisonClass *class = &comparison->classes[label];

      if (isnan (class->auroc_a))
        continue; /* the labels are the same: then b's is undefined too */
      macro->auroc_a += class->auroc_a;
      macro->auroc_b += class->auroc_b;
      comparison->classes_in_macro++;
    }
  macro->auroc_a /= comparison->classes_in_macro;
  macro->auroc_b /= comparison->classes_in_macro;
  macro->difference.value = macro->auroc_a - macro->auroc_b;
  macro->p = NAN;
  return metrics_macro_difference_interval (&input, common->logits_b, &macro->difference.low,
                                            &macro->difference.high, NULL, error);
}

gboolean
study_compare (CatalogStore *store, const CatalogRun *run_a, const CatalogRun *run_b,
               StudyComparison *comparison, GError **error)
{
  g_autoptr (CatalogPredictions) a = catalog_run_predictions (store, run_a->id, error);
  g_autoptr (CatalogPredictions) b =
      a != NULL ? catalog_run_predictions (store, run_b->id, error) : NULL;
  g_autoptr (Common) common = NULL;

  *comparison = (StudyComparison){ 0 };
  if (b == NULL)
    return FALSE;
  if (a->n_classes == CATALOG_N_LABELS && b->n_classes == CATALOG_N_LABELS)
    {
      common = common_scans (a, run_a->name, b, run_b->name, error);
      if (common == NULL)
        return FALSE;
    }
  if (common == NULL || common->n == 0)
    {
      g_set_error (
          error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
          "runs %s and %s were judged on different scans; compare runs of one validation sample",
          run_a->name, run_b->name);
      return FALSE;
    }
  comparison->n = common->n;
  comparison->only_a = a->n - common->n;
  comparison->only_b = b->n - common->n;
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    compare_class (common, label, &comparison->classes[label]);
  return compare_macro (common, comparison, error);
}

static ReportComparisonClass
class_report (const char *name, const StudyComparisonClass *class)
{
  return (ReportComparisonClass){ .name = name,
                                  .auroc_a = class->auroc_a,
                                  .auroc_b = class->auroc_b,
                                  .difference = class->difference,
                                  .p = class->p,
                                  .positives = class->positives,
                                  .negatives = class->negatives };
}

ReportComparison
study_comparison_report (const StudyComparison *comparison, const char *run_a, const char *run_b,
                         ReportComparisonClass classes[CATALOG_N_LABELS])
{
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    classes[label] = class_report (catalog_label_name (label), &comparison->classes[label]);
  return (ReportComparison){ .run_a = run_a,
                             .run_b = run_b,
                             .classes = classes,
                             .n_classes = CATALOG_N_LABELS,
                             .macro = class_report ("macro", &comparison->macro),
                             .classes_in_macro = comparison->classes_in_macro,
                             .n = comparison->n,
                             .only_a = comparison->only_a,
                             .only_b = comparison->only_b };
}

#include "study/compare.h"

#include "base/error.h"

#include <math.h>

/** Rows of @b by volume name. */
static GHashTable *
index_volumes (const CatalogPredictions *predictions)
{
  GHashTable *index = g_hash_table_new (g_str_hash, g_str_equal);

  for (gsize i = 0; i < predictions->n; i++)
    g_hash_table_insert (index, predictions->volumes[i], GSIZE_TO_POINTER (i + 1));
  return index;
}

static void
compare_class (const CatalogPredictions *a, const CatalogPredictions *b, const GArray *pairs,
               guint label, StudyComparisonClass *result)
{
  gsize n = pairs->len / 2;
  g_autofree double *scores_a = g_new (double, n);
  g_autofree double *scores_b = g_new (double, n);
  g_autofree guint8 *labels = g_new (guint8, n);

  for (gsize i = 0; i < n; i++)
    {
      gsize row_a = g_array_index (pairs, gsize, 2 * i),
            row_b = g_array_index (pairs, gsize, 2 * i + 1);

      scores_a[i] = a->logits[row_a * a->n_classes + label];
      scores_b[i] = b->logits[row_b * b->n_classes + label];
      labels[i] = a->labels[row_a] >> label & 1;
      result->positives += labels[i];
    }
  result->negatives = (guint) n - result->positives;
  result->auroc_a = metrics_auroc (scores_a, labels, n);
  result->auroc_b = metrics_auroc (scores_b, labels, n);
  result->p = metrics_auroc_difference (scores_a, scores_b, labels, n, &result->difference);
}

gboolean
study_compare (CatalogStore *store, const CatalogRun *run_a, const CatalogRun *run_b,
               StudyComparison *comparison, GError **error)
{
  g_autoptr (CatalogPredictions) a = catalog_run_predictions (store, run_a->id, error);
  g_autoptr (CatalogPredictions) b =
      a != NULL ? catalog_run_predictions (store, run_b->id, error) : NULL;
  g_autoptr (GHashTable) index = NULL;
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (gsize));

  *comparison = (StudyComparison){ 0 };
  if (b == NULL)
    return FALSE;
  index = index_volumes (b);
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
                       run_a->name, run_b->name, a->volumes[i]);
          return FALSE;
        }
      g_array_append_val (pairs, i);
      g_array_append_val (pairs, j);
    }
  comparison->n = pairs->len / 2;
  comparison->only_a = a->n - comparison->n;
  comparison->only_b = b->n - comparison->n;
  if (comparison->n == 0 || a->n_classes != CATALOG_N_LABELS || b->n_classes != CATALOG_N_LABELS)
    {
      g_set_error (
          error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
          "runs %s and %s were judged on different scans; compare runs of one validation sample",
          run_a->name, run_b->name);
      return FALSE;
    }
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      StudyComparisonClass *class = &comparison->classes[label];

      compare_class (a, b, pairs, label, class);
      if (isnan (class->auroc_a) || isnan (class->auroc_b))
        continue;
      comparison->macro_a += class->auroc_a;
      comparison->macro_b += class->auroc_b;
      comparison->classes_in_macro++;
    }
  comparison->macro_a /= comparison->classes_in_macro;
  comparison->macro_b /= comparison->classes_in_macro;
  return TRUE;
}

ReportComparison
study_comparison_report (const StudyComparison *comparison, const char *run_a, const char *run_b,
                         ReportComparisonClass classes[CATALOG_N_LABELS])
{
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      const StudyComparisonClass *class = &comparison->classes[label];

      classes[label] = (ReportComparisonClass){ .name = catalog_label_name (label),
                                                .auroc_a = class->auroc_a,
                                                .auroc_b = class->auroc_b,
                                                .difference = class->difference,
                                                .p = class->p };
    }
  return (ReportComparison){ .run_a = run_a,
                             .run_b = run_b,
                             .classes = classes,
                             .n_classes = CATALOG_N_LABELS,
                             .macro_a = comparison->macro_a,
                             .macro_b = comparison->macro_b,
                             .classes_in_macro = comparison->classes_in_macro,
                             .n = comparison->n,
                             .only_a = comparison->only_a,
                             .only_b = comparison->only_b };
}

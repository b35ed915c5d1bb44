#include "study/export_comparison.h"

#include "base/error.h"
#include "base/output_file.h"
#include "report/csv.h"
#include "report/json.h"
#include "report/plots.h"
#include "study/compare.h"

#include <string.h>

/** Two runs; what is to be reported points into it. */
typedef struct
{
  CatalogRun *a, *b;
  ReportComparisonClass classes[CATALOG_N_LABELS];
  ReportComparison report;
} Pair;

static void
pair_free (Pair *pair)
{
  g_clear_pointer (&pair->a, catalog_run_free);
  g_clear_pointer (&pair->b, catalog_run_free);
  g_free (pair);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pair, pair_free)

static Pair *
pair_read (CatalogStore *store, const char *run_a, const char *run_b, GError **error)
{
  g_autoptr (Pair) pair = g_new0 (Pair, 1);
  StudyComparison comparison;

  pair->a = catalog_run_find (store, run_a, error);
  pair->b = pair->a != NULL ? catalog_run_find (store, run_b, error) : NULL;
  if (pair->b == NULL || !study_compare (store, pair->a, pair->b, &comparison, error))
    return NULL;
  pair->report = study_comparison_report (&comparison, pair->a->name, pair->b->name, pair->classes);
  return g_steal_pointer (&pair);
}

/** The two runs, or each of the others minus the first. Returns: (element-type Pair) */
static GPtrArray *
read_pairs (CatalogStore *store, const char *const *runs, GError **error)
{
  g_autoptr (GPtrArray) pairs = g_ptr_array_new_with_free_func ((GDestroyNotify) pair_free);
  guint n = g_strv_length ((char **) runs);

  if (n < 2)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "name the other run of the comparison with --with");
      return NULL;
    }
  for (guint i = 1; i < n; i++)
    {
      Pair *pair = n == 2 ? pair_read (store, runs[0], runs[1], error)
                          : pair_read (store, runs[i], runs[0], error);

      if (pair == NULL)
        return NULL;
      g_ptr_array_add (pairs, pair);
    }
  return g_steal_pointer (&pairs);
}

/* ---- formats ---- */

static void
write_text (OutputFile *file, const GPtrArray *pairs)
{
  for (guint i = 0; i < pairs->len; i++)
    {
      const Pair *pair = g_ptr_array_index (pairs, i);
      g_autofree char *text = report_comparison_text (&pair->report);

      fprintf (output_file_stream (file), "%s%s", i > 0 ? "\n" : "", text);
    }
}

static void
write_json (OutputFile *file, const GPtrArray *pairs)
{
  for (guint i = 0; i < pairs->len; i++)
    {
      const Pair *pair = g_ptr_array_index (pairs, i);
      g_autofree char *text = report_json_text (report_comparison_json (&pair->report));

      fprintf (output_file_stream (file), "%s\n", text);
    }
}

static void
write_class (ReportCsv *csv, const ReportComparison *report, const ReportComparisonClass *class)
{
  report_csv_text (csv, report->run_a);
  report_csv_text (csv, report->run_b);
  report_csv_text (csv, class->name);
  report_csv_number (csv, class->auroc_a);
  report_csv_number (csv, class->auroc_b);
  report_csv_number (csv, class->difference.value);
  report_csv_number (csv, class->difference.low);
  report_csv_number (csv, class->difference.high);
  report_csv_number (csv, class->p);
  report_csv_end_row (csv);
}

static void
write_csv (OutputFile *file, const GPtrArray *pairs)
{
  static const char *const titles[] = {
    "a", "b", "class", "auroc_a", "auroc_b", "difference", "difference_low", "difference_high", "p"
  };
  ReportCsv csv = { .file = file };

  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    report_csv_text (&csv, titles[i]);
  report_csv_end_row (&csv);
  for (guint i = 0; i < pairs->len; i++)
    {
      const ReportComparison *report = &((const Pair *) g_ptr_array_index (pairs, i))->report;

      for (guint class = 0; class < report->n_classes; class ++)
        write_class (&csv, report, &report->classes[class]);
      write_class (&csv, report, &report->macro);
    }
}

static gboolean
write_plot (const GPtrArray *pairs, const char *path, gboolean replace, GError **error)
{
  const Pair *pair = g_ptr_array_index (pairs, 0);

  if (pairs->len == 1)
    return report_plot_comparison (&pair->report, path, replace, error);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "%s: a picture compares two runs; name the file .csv, .json or .txt for more", path);
  return FALSE;
}

gboolean
study_export_comparison (CatalogStore *store, const char *const *runs, const char *path,
                         gboolean replace, guint64 *written, GError **error)
{
  static const struct
  {
    const char *suffix;
    void (*write) (OutputFile *file, const GPtrArray *pairs);
  } formats[] = { { ".txt", write_text }, { ".csv", write_csv }, { ".json", write_json } };
  g_autoptr (GPtrArray) pairs = read_pairs (store, runs, error);

  if (pairs == NULL)
    return FALSE;
  *written = (guint64) pairs->len * CATALOG_N_LABELS;
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_has_suffix (path, formats[i].suffix))
      {
        g_autoptr (OutputFile) file = output_file_open (path, replace, error);

        if (file == NULL)
          return FALSE;
        formats[i].write (file, pairs);
        return output_file_commit (file, error);
      }
  return write_plot (pairs, path, replace, error);
}

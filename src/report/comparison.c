#include "report/comparison.h"

#include "report/text_table.h"

#include <math.h>

static char *
signed_decimals (double number)
{
  return isnan (number) ? g_strdup ("–") : g_strdup_printf ("%+.4f", number);
}

static char *
p_value (double p)
{
  return p < 0.001 ? g_strdup ("<0.001") : report_decimals (p, 3);
}

static void
class_row (TextTable *table, const ReportComparisonClass *class)
{
  g_autofree char *auroc_a = report_decimals (class->auroc_a, 4);
  g_autofree char *auroc_b = report_decimals (class->auroc_b, 4);
  g_autofree char *difference = signed_decimals (class->difference.value);
  g_autofree char *interval = report_interval (class->difference.low, class->difference.high);
  g_autofree char *p = p_value (class->p);

  text_table_row (table, class->name, auroc_a, auroc_b, difference, interval, p);
}

char *
report_comparison_text (const ReportComparison *comparison)
{
  g_autoptr (TextTable) table = text_table_new ("lrrrlr");
  g_autofree char *macro =
      comparison->classes_in_macro == comparison->n_classes
          ? g_strdup ("macro")
          : g_strdup_printf ("macro over %u of %u", comparison->classes_in_macro,
                             comparison->n_classes);
  g_autofree char *macro_a = report_decimals (comparison->macro_a, 4);
  g_autofree char *macro_b = report_decimals (comparison->macro_b, 4);
  g_autofree char *difference = signed_decimals (comparison->macro_a - comparison->macro_b);
  g_autofree char *n = report_count (comparison->n);
  GString *text;

  text_table_row (table, "finding", comparison->run_a, comparison->run_b, "difference", "95 % CI",
                  "p");
  text_table_rule (table);
  for (guint i = 0; i < comparison->n_classes; i++)
    class_row (table, &comparison->classes[i]);
  text_table_rule (table);
  text_table_row (table, macro, macro_a, macro_b, difference, "", "");

  text = g_string_new (text_table_text (table));
  g_string_append_printf (text,
                          "on %s scans in common; p by DeLong's test for correlated curves, not "
                          "corrected for %u classes\n",
                          n, comparison->n_classes);
  if (comparison->only_a + comparison->only_b > 0)
    {
      g_autofree char *only_a = report_count (comparison->only_a);
      g_autofree char *only_b = report_count (comparison->only_b);

      g_string_append_printf (text, "left out: %s scans of %s alone, %s of %s alone\n", only_a,
                              comparison->run_a, only_b, comparison->run_b);
    }
  return g_string_free (text, FALSE);
}

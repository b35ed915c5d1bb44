#include "report/comparison.h"

#include "report/json.h"
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
  ReportComparisonClass macro = comparison->macro;
  g_autofree char *macro_name =
      g_strdup_printf ("macro over %u of %u", comparison->classes_in_macro, comparison->n_classes);
  g_autofree char *n = report_count (comparison->n);
  GString *text;

  text_table_row (table, "finding", comparison->run_a, comparison->run_b, "difference", "95 % CI",
                  "p");
  text_table_rule (table);
  for (guint i = 0; i < comparison->n_classes; i++)
    class_row (table, &comparison->classes[i]);
  text_table_rule (table);
  if (comparison->classes_in_macro < comparison->n_classes)
    macro.name = macro_name;
  class_row (table, &macro);

  text = g_string_new (text_table_text (table));
  g_string_append_printf (text,
                          "on %s scans in common; p by DeLong's test for correlated curves, not "
                          "corrected for %u classes\n"
                          "macro's interval by a paired bootstrap over patients\n",
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

static void
set_difference (json_t *object, const char *prefix, MetricsInterval difference)
{
  g_autofree char *value = g_strconcat (prefix, "difference", NULL);
  g_autofree char *low = g_strconcat (prefix, "difference_low", NULL);
  g_autofree char *high = g_strconcat (prefix, "difference_high", NULL);

  json_object_set_new (object, value, report_json_number (difference.value));
  json_object_set_new (object, low, report_json_number (difference.low));
  json_object_set_new (object, high, report_json_number (difference.high));
}

json_t *
report_comparison_json (const ReportComparison *comparison)
{
  const ReportComparisonClass *macro = &comparison->macro;
  json_t *object = json_object (), *classes = json_array ();

  json_object_set_new (object, "a", report_json_string (comparison->run_a));
  json_object_set_new (object, "b", report_json_string (comparison->run_b));
  json_object_set_new (object, "n", json_integer ((json_int_t) comparison->n));
  json_object_set_new (object, "only_a", json_integer ((json_int_t) comparison->only_a));
  json_object_set_new (object, "only_b", json_integer ((json_int_t) comparison->only_b));
  json_object_set_new (object, "classes_in_macro", json_integer (comparison->classes_in_macro));
  json_object_set_new (object, "macro_auroc_a", report_json_number (macro->auroc_a));
  json_object_set_new (object, "macro_auroc_b", report_json_number (macro->auroc_b));
  set_difference (object, "macro_", macro->difference);
  for (guint i = 0; i < comparison->n_classes; i++)
    {
      const ReportComparisonClass *class = &comparison->classes[i];
      json_t *item = json_object ();

      json_object_set_new (item, "name", json_string (class->name));
      json_object_set_new (item, "auroc_a", report_json_number (class->auroc_a));
      json_object_set_new (item, "auroc_b", report_json_number (class->auroc_b));
      set_difference (item, "", class->difference);
      json_object_set_new (item, "p", report_json_number (class->p));
      json_object_set_new (item, "positives", json_integer (class->positives));
      json_object_set_new (item, "negatives", json_integer (class->negatives));
      json_array_append_new (classes, item);
    }
  json_object_set_new (object, "classes", classes);
  return object;
}

#include "report/tables.h"

#include "report/text_table.h"

#include <math.h>

static void
class_row (TextTable *text, const MetricsClass *class, const char *name)
{
  g_autofree char *auroc = report_decimals (class->auroc.value, 3);
  g_autofree char *interval = report_interval (class->auroc.low, class->auroc.high);
  g_autofree char *sensitivity = report_decimals (class->sensitivity, 3);
  g_autofree char *specificity = report_decimals (class->specificity, 3);
  g_autofree char *accuracy = report_decimals (class->accuracy, 3);
  g_autofree char *threshold = report_decimals (class->threshold, 2);
  g_autofree char *positives = report_count (class->positives);
  g_autofree char *negatives = report_count (class->negatives);

  text_table_row (text, name, auroc, interval, sensitivity, specificity, accuracy, threshold,
                  positives, negatives);
}

char *
report_metrics_text (const MetricsTable *table, const char *const *class_names)
{
  g_autoptr (TextTable) text = text_table_new ("lrlrrrrrr");
  g_autofree char *macro =
      table->classes_in_macro == table->n_classes
          ? g_strdup ("macro")
          : g_strdup_printf ("macro over %u of %u", table->classes_in_macro, table->n_classes);
  g_autofree char *auroc = report_decimals (table->macro_auroc.value, 3);
  g_autofree char *interval = report_interval (table->macro_auroc.low, table->macro_auroc.high);
  g_autofree char *sensitivity = report_decimals (table->macro_sensitivity, 3);
  g_autofree char *specificity = report_decimals (table->macro_specificity, 3);
  g_autofree char *accuracy = report_decimals (table->accuracy, 3);

  text_table_row (text, "finding", "AUROC", "95 % CI", "sens", "spec", "acc", "thr", "n+", "n-");
  text_table_rule (text);
  for (guint i = 0; i < table->n_classes; i++)
    class_row (text, &table->classes[i], class_names[i]);
  text_table_rule (text);
  text_table_row (text, macro, auroc, interval, sensitivity, specificity, accuracy, "", "", "");
  return g_strdup (text_table_text (text));
}

char *
report_epoch_line (guint epoch, guint epochs, double train_loss, const MetricsTable *table)
{
  g_autofree char *auroc = report_decimals (table->macro_auroc.value, 4);
  g_autofree char *interval = report_interval (table->macro_auroc.low, table->macro_auroc.high);
  g_autofree char *sensitivity = report_decimals (table->macro_sensitivity, 3);
  g_autofree char *specificity = report_decimals (table->macro_specificity, 3);
  g_autofree char *accuracy = report_decimals (table->accuracy, 3);

  return g_strdup_printf ("epoch %*u/%u  loss %.5f  AUROC %s %s  sens %s  spec %s  acc %s",
                          epochs >= 100  ? 3
                          : epochs >= 10 ? 2
                                         : 1,
                          epoch, epochs, train_loss, auroc, interval, sensitivity, specificity,
                          accuracy);
}

char *
report_shares_text (const double *share_all, const double *share_sample, guint n,
                    const char *const *names)
{
  g_autoptr (TextTable) text = text_table_new ("lrrr");

  text_table_row (text, "finding", "in all", "in the sample", "difference, points");
  text_table_rule (text);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *all = report_percent (share_all[i], 2);
      g_autofree char *sample = report_percent (share_sample[i], 2);
      double difference = share_sample[i] - share_all[i];
      g_autofree char *points =
          isnan (difference) ? g_strdup ("–") : g_strdup_printf ("%+.3f", 100 * difference);

      text_table_row (text, names[i], all, sample, points);
    }
  return g_strdup (text_table_text (text));
}

char *
report_funnel_text (guint rows, const guint *counts, const char *const *descriptions, guint n)
{
  g_autoptr (TextTable) text = text_table_new ("lrr");
  g_autofree char *all = report_count (rows);
  g_autofree char *kept = report_count (counts[0]);
  guint left = rows;

  text_table_row (text, "rows of the reports file", "", all);
  for (guint i = 1; i < n; i++)
    {
      g_autofree char *dropped = report_count (counts[i]);
      g_autofree char *minus = g_strconcat (counts[i] > 0 ? "-" : "", dropped, NULL);
      g_autofree char *remaining = NULL;

      left -= counts[i];
      remaining = report_count (left);
      text_table_row (text, descriptions[i], minus, remaining);
    }
  text_table_row (text, descriptions[0], "", kept);
  return g_strdup (text_table_text (text));
}

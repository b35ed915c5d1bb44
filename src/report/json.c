#include "report/json.h"

#include "report/printable.h"

#include <math.h>
#include <stdlib.h>

json_t *
report_json_number (double number)
{
  return isfinite (number) ? json_real (number) : json_null ();
}

json_t *
report_json_string (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  return json_string (valid);
}

static void
set_number (json_t *object, const char *key, double number)
{
  json_object_set_new (object, key, report_json_number (number));
}

static json_t *
class_json (const MetricsClass *class, const char *name)
{
  json_t *object = json_object ();

  json_object_set_new (object, "name", json_string (name));
  set_number (object, "auroc", class->auroc.value);
  set_number (object, "auroc_low", class->auroc.low);
  set_number (object, "auroc_high", class->auroc.high);
  set_number (object, "sensitivity", class->sensitivity);
  set_number (object, "specificity", class->specificity);
  set_number (object, "accuracy", class->accuracy);
  set_number (object, "threshold", class->threshold);
  json_object_set_new (object, "positives", json_integer (class->positives));
  json_object_set_new (object, "negatives", json_integer (class->negatives));
  set_number (object, "average_precision", class->average_precision);
  set_number (object, "f1", class->f1);
  set_number (object, "brier", class->brier);
  return object;
}

static json_t *
table_json (const MetricsTable *table, const char *const *class_names)
{
  json_t *object = json_object ();
  json_t *classes = json_array ();

  set_number (object, "macro_auroc", table->macro_auroc.value);
  set_number (object, "macro_auroc_low", table->macro_auroc.low);
  set_number (object, "macro_auroc_high", table->macro_auroc.high);
  json_object_set_new (object, "classes_in_macro", json_integer (table->classes_in_macro));
  set_number (object, "macro_sensitivity", table->macro_sensitivity);
  set_number (object, "macro_specificity", table->macro_specificity);
  set_number (object, "macro_accuracy", table->macro_accuracy);
  set_number (object, "macro_f1", table->macro_f1);
  set_number (object, "macro_average_precision", table->macro_average_precision);
  set_number (object, "macro_brier", table->macro_brier);
  set_number (object, "micro_auroc", table->micro_auroc);
  set_number (object, "micro_sensitivity", table->micro_sensitivity);
  set_number (object, "micro_specificity", table->micro_specificity);
  set_number (object, "micro_f1", table->micro_f1);
  set_number (object, "accuracy", table->accuracy);
  set_number (object, "subset_accuracy", table->subset_accuracy);
  for (guint i = 0; i < table->n_classes; i++)
    json_array_append_new (classes, class_json (&table->classes[i], class_names[i]));
  json_object_set_new (object, "classes", classes);
  return object;
}

json_t *
report_json_epoch (guint epoch, double train_loss, const MetricsTable *table,
                   const char *const *class_names)
{
  json_t *object = json_object ();

  json_object_set_new (object, "epoch", json_integer (epoch));
  set_number (object, "train_loss", train_loss);
  json_object_set_new (object, "validation", table_json (table, class_names));
  return object;
}

/* ---- the way back ---- */

static double
get_number (const json_t *object, const char *key)
{
  const json_t *value = json_object_get (object, key);

  return json_is_number (value) ? json_number_value (value) : NAN;
}

static guint
get_count (const json_t *object, const char *key)
{
  return (guint) json_integer_value (json_object_get (object, key));
}

static void
parse_class (const json_t *object, MetricsClass *class)
{
  class->auroc.value = get_number (object, "auroc");
  class->auroc.low = get_number (object, "auroc_low");
  class->auroc.high = get_number (object, "auroc_high");
  class->sensitivity = get_number (object, "sensitivity");
  class->specificity = get_number (object, "specificity");
  class->accuracy = get_number (object, "accuracy");
  class->threshold = get_number (object, "threshold");
  class->positives = get_count (object, "positives");
  class->negatives = get_count (object, "negatives");
  class->average_precision = get_number (object, "average_precision");
  class->f1 = get_number (object, "f1");
  class->brier = get_number (object, "brier");
}

MetricsTable *
report_json_parse_epoch (const char *text, guint *epoch, double *train_loss)
{
  json_t *document = json_loads (text, 0, NULL);
  const json_t *validation = json_object_get (document, "validation");
  const json_t *classes = json_object_get (validation, "classes");
  MetricsTable *table = NULL;

  if (json_is_array (classes))
    {
      table = g_new0 (MetricsTable, 1);
      table->n_classes = (guint) json_array_size (classes);
      table->classes = g_new0 (MetricsClass, MAX (table->n_classes, 1));
      for (guint i = 0; i < table->n_classes; i++)
        parse_class (json_array_get (classes, i), &table->classes[i]);
      table->classes_in_macro = get_count (validation, "classes_in_macro");
      table->macro_auroc.value = get_number (validation, "macro_auroc");
      table->macro_auroc.low = get_number (validation, "macro_auroc_low");
      table->macro_auroc.high = get_number (validation, "macro_auroc_high");
      table->macro_sensitivity = get_number (validation, "macro_sensitivity");
      table->macro_specificity = get_number (validation, "macro_specificity");
      table->macro_accuracy = get_number (validation, "macro_accuracy");
      table->macro_f1 = get_number (validation, "macro_f1");
      table->macro_average_precision = get_number (validation, "macro_average_precision");
      table->macro_brier = get_number (validation, "macro_brier");
      table->micro_auroc = get_number (validation, "micro_auroc");
      table->micro_sensitivity = get_number (validation, "micro_sensitivity");
      table->micro_specificity = get_number (validation, "micro_specificity");
      table->micro_f1 = get_number (validation, "micro_f1");
      table->accuracy = get_number (validation, "accuracy");
      table->subset_accuracy = get_number (validation, "subset_accuracy");
      *epoch = get_count (document, "epoch");
      *train_loss = get_number (document, "train_loss");
    }
  json_decref (document);
  return table;
}

char *
report_json_text (json_t *document)
{
  char *dumped = json_dumps (document, JSON_COMPACT);
  GString *text = g_string_new (NULL);

  /* Of what a terminal would obey, jansson escapes what is below the blank only. */
  for (const char *at = dumped; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar character = g_utf8_get_char (at);

      if (report_is_obeyed (character) && character > G_MAXUINT16)
        g_string_append_printf (text, "\\u%04X\\u%04X", 0xd800 + ((character - 0x10000) >> 10),
                                0xdc00 + (character & 0x3ff));
      else if (report_is_obeyed (character))
        g_string_append_printf (text, "\\u%04X", character);
      else
        g_string_append_len (text, at, g_utf8_next_char (at) - at);
    }
  free (dumped);
  json_decref (document);
  return g_string_free (text, FALSE);
}

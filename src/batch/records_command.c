#include "batch/steps.h"

#include "catalog/query.h"
#include "report/json.h"
#include "report/text_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static json_t *
integer_or_null (int number)
{
  return number >= 0 ? json_integer (number) : json_null ();
}

static json_t *
text_or_null (const char *text)
{
  return text != NULL && *text != '\0' ? report_json_string (text) : json_null ();
}

static json_t *
record_json (const CatalogRecord *record)
{
  json_t *object = json_object (), *labels = json_null ();

  if (record->has_labels)
    {
      labels = json_object ();
      for (guint label = 0; label < CATALOG_N_LABELS; label++)
        json_object_set_new (labels, catalog_label_name (label),
                             json_integer (record->labels >> label & 1));
    }
  json_object_set_new (object, "volume", json_string (record->volume));
  json_object_set_new (object, "patient", json_string (record->patient));
  json_object_set_new (object, "split", json_string (catalog_split_name (record->split)));
  json_object_set_new (object, "kept", json_boolean (record->reason == CATALOG_KEPT));
  json_object_set_new (object, "reason",
                       record->reason == CATALOG_KEPT
                           ? json_null ()
                           : json_string (catalog_reason_name (record->reason)));
  json_object_set_new (object, "reason_detail", text_or_null (record->reason_detail));
  json_object_set_new (object, "labels", labels);
  json_object_set_new (object, "age", integer_or_null (record->age_years));
  json_object_set_new (object, "sex", text_or_null (record->sex));
  json_object_set_new (object, "manufacturer", text_or_null (record->manufacturer));
  json_object_set_new (object, "model", text_or_null (record->model));
  json_object_set_new (object, "study_date", text_or_null (record->study_date));
  json_object_set_new (object, "rows", integer_or_null (record->rows));
  json_object_set_new (object, "columns", integer_or_null (record->columns));
  json_object_set_new (object, "slices", integer_or_null (record->slices));
  json_object_set_new (object, "spacing_xy_mm", report_json_number (record->spacing_xy_mm));
  json_object_set_new (object, "spacing_z_mm", report_json_number (record->spacing_z_mm));
  json_object_set_new (object, "slope", report_json_number (record->slope));
  json_object_set_new (object, "intercept", report_json_number (record->intercept));
  if (record->findings != NULL || record->impression != NULL || record->clinical != NULL)
    {
      json_object_set_new (object, "clinical", text_or_null (record->clinical));
      json_object_set_new (object, "technique", text_or_null (record->technique));
      json_object_set_new (object, "findings", text_or_null (record->findings));
      json_object_set_new (object, "impression", text_or_null (record->impression));
    }
  return object;
}

static char *
finding_names (const CatalogRecord *record)
{
  GString *names = g_string_new (NULL);

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    if (record->labels >> label & 1)
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "",
                              catalog_label_name (label));
  return g_string_free (names, FALSE);
}

/** "–" where it is unknown, which is -1. */
static char *
known_integer (int number)
{
  return number >= 0 ? g_strdup_printf ("%d", number) : g_strdup ("–");
}

static char *
known_mm (double number)
{
  return isnan (number) ? g_strdup ("–") : g_strdup_printf ("%.4g", number);
}

static const char *
known_text (const char *text)
{
  return *text != '\0' ? text : "–";
}

static void
print_list (const GPtrArray *records)
{
  g_autoptr (TextTable) table = text_table_new ("llrrrll");

  text_table_row (table, "volume", "sex", "age", "slices", "z mm", "state", "findings");
  text_table_rule (table);
  for (guint i = 0; i < records->len; i++)
    {
      const CatalogRecord *record = g_ptr_array_index (records, i);
      g_autofree char *age = known_integer (record->age_years);
      g_autofree char *slices = known_integer (record->slices);
      g_autofree char *spacing = known_mm (record->spacing_z_mm);
      g_autofree char *findings = finding_names (record);

      text_table_row (table, record->volume, known_text (record->sex), age, slices, spacing,
                      catalog_reason_name (record->reason), findings);
    }
  fputs (text_table_text (table), stdout);
}

static void
print_section (const char *title, const char *text)
{
  if (text != NULL && *text != '\0')
    batch_print ("\n%s\n%s\n", title, text);
}

static void
print_scan (const CatalogRecord *record)
{
  g_autofree char *age = known_integer (record->age_years);
  g_autofree char *columns = known_integer (record->columns);
  g_autofree char *rows = known_integer (record->rows);
  g_autofree char *slices = known_integer (record->slices);
  g_autofree char *xy = known_mm (record->spacing_xy_mm);
  g_autofree char *z = known_mm (record->spacing_z_mm);

  batch_print ("%s %s, sex %s, age %s, %s x %s x %s, %s x %s x %s mm\n",
               known_text (record->manufacturer), record->model, known_text (record->sex), age,
               columns, rows, slices, xy, xy, z);
}

static int
show_record (const Batch *batch, Workspace *workspace, const char *volume)
{
  GError *error = NULL;
  g_autoptr (CatalogStore) store = workspace_store (workspace, &error);
  g_autoptr (CatalogRecord) record =
      store != NULL ? catalog_record_get (store, volume, &error) : NULL;
  g_autofree char *findings = NULL;

  if (record == NULL)
    return batch_fail (error);
  if (batch->json)
    {
      batch_print_json (record_json (record));
      return BATCH_DONE;
    }
  findings = finding_names (record);
  batch_print ("%s, patient %s, split %s: %s%s%s\n", record->volume, record->patient,
               catalog_split_name (record->split), catalog_reason_description (record->reason),
               record->reason_detail != NULL ? ": " : "",
               record->reason_detail != NULL ? record->reason_detail : "");
  print_scan (record);
  printf ("findings: %s\n", *findings != '\0' ? findings : record->has_labels ? "none" : "–");
  print_section ("Clinical information", record->clinical);
  print_section ("Technique", record->technique);
  print_section ("Findings", record->findings);
  print_section ("Impression", record->impression);
  return BATCH_DONE;
}

static int
list_records (const Batch *batch, Workspace *workspace, const CatalogQuery *query,
              const CatalogListOptions *options, gboolean only_count)
{
  GError *error = NULL;
  g_autoptr (CatalogStore) store = workspace_store (workspace, &error);
  g_autoptr (GPtrArray) records = NULL;
  gint64 total = store != NULL ? catalog_records_count (store, query, options, &error) : -1;

  if (total < 0)
    return batch_fail (error);
  if (!only_count)
    {
      records = catalog_records_list (store, query, options, &error);
      if (records == NULL)
        return batch_fail (error);
    }
  if (batch->json)
    {
      json_t *array = json_array ();

      for (guint i = 0; records != NULL && i < records->len; i++)
        json_array_append_new (array, record_json (g_ptr_array_index (records, i)));
      batch_print_json (json_pack ("{s:I, s:o}", "total", (json_int_t) total, "records", array));
      return BATCH_DONE;
    }
  if (records != NULL && records->len > 0)
    print_list (records);
  if (records != NULL && records->len < total)
    printf ("%u of %" G_GINT64_FORMAT " records; --limit and --offset show the others\n",
            records->len, total);
  else
    printf ("%" G_GINT64_FORMAT " records\n", total);
  return BATCH_DONE;
}

int
command_records (Batch *batch, int argc, char **argv)
{
  g_autofree char *text = NULL, *split = NULL, *sort = NULL, *show = NULL;
  gint limit = 50, offset = 0;
  gboolean count = FALSE, descending = FALSE, dropped = FALSE;
  const GOptionEntry entries[] = {
    { "query", 'q', 0, G_OPTION_ARG_STRING, &text, "what to look for, see below", "Q" },
    { "split", 0, 0, G_OPTION_ARG_STRING, &split, "train or valid (default: both)", "S" },
    { "show", 0, 0, G_OPTION_ARG_STRING, &show, "one record with its report", "VOLUME" },
    { "count", 0, 0, G_OPTION_ARG_NONE, &count, "only how many there are", NULL },
    { "dropped", 0, 0, G_OPTION_ARG_NONE, &dropped, "rows that cleaning dropped too", NULL },
    { "sort", 0, 0, G_OPTION_ARG_STRING, &sort, "a field to sort by (default: the file's order)",
      "FIELD" },
    { "descending", 0, 0, G_OPTION_ARG_NONE, &descending, "largest first", NULL },
    { "limit", 0, 0, G_OPTION_ARG_INT, &limit, "records to list, 0: all (default: 50)", "N" },
    { "offset", 0, 0, G_OPTION_ARG_INT, &offset, "records to pass over first", "N" },
    G_OPTION_ENTRY_NULL,
  };
  CatalogListOptions options = { .split = -1 };
  g_autoptr (CatalogQuery) query = NULL;
  g_autoptr (Workspace) workspace = NULL;
  GError *error = NULL;
  int code;

  if (!batch_parse (batch, argc, argv, entries, catalog_query_help (), &code))
    return code;
  if (split != NULL)
    {
      CatalogSplit only;

      if (!catalog_split_parse (split, &only, &error))
        return batch_fail (error);
      options.split = (int) only;
    }
  if (limit < 0 || offset < 0)
    return batch_usage (batch, "--limit and --offset: give 0 or more");
  if (batch->rest[0] != NULL)
    return batch_usage (batch, "%s: not understood; put a query behind --query, in quotes",
                        batch->rest[0]);
  workspace = batch_open (batch, FALSE, &code);
  if (workspace == NULL)
    return code;
  if (show != NULL)
    return show_record (batch, workspace, show);
  options.sort = sort;
  options.descending = descending;
  options.with_dropped = dropped;
  options.limit = (guint) limit;
  options.offset = (guint) offset;
  query = catalog_query_parse (text, &error);
  if (query == NULL)
    return batch_fail (error);
  /* Words of reports that wait to be indexed must not be missed. */
  code = catalog_query_reads_reports (query) ? batch_finish_index (batch, workspace) : BATCH_DONE;
  if (code != BATCH_DONE)
    return code;
  return list_records (batch, workspace, query, &options, count);
}

#include "testing_tables.h"

#include <string.h>

char *
testing_label_table (const char *name, ...)
{
  GString *table = g_string_new ("VolumeName");
  va_list arguments;

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    g_string_append_printf (table, ",%s", catalog_label_name (label));
  g_string_append_c (table, '\n');
  va_start (arguments, name);
  for (; name != NULL; name = va_arg (arguments, const char *))
    {
      guint bits = va_arg (arguments, guint);

      g_string_append (table, name);
      for (guint label = 0; label < CATALOG_N_LABELS; label++)
        g_string_append (table, bits >> label & 1 ? ",1" : ",0");
      g_string_append_c (table, '\n');
    }
  va_end (arguments);
  return g_string_free (table, FALSE);
}

/** %NULL where there is no text. */
static char *
write_table (const char *name, const char *text)
{
  return text != NULL ? testing_write (name, text, strlen (text)) : NULL;
}

gboolean
testing_tables_import (CatalogStore *store, CatalogSplit split, const TestingTables *tables,
                       CatalogFunnel *funnel, GError **error)
{
  g_autofree char *reports = write_table ("reports.csv", tables->reports);
  g_autofree char *labels = write_table ("labels.csv", tables->labels);
  g_autofree char *metadata = write_table ("metadata.csv", tables->metadata);
  g_autofree char *no_chest = write_table ("no_chest.txt", tables->no_chest);
  CatalogImportOptions options = { .split = split,
                                   .reports_path = reports,
                                   .labels_path = labels,
                                   .metadata_path = metadata,
                                   .no_chest_path = no_chest,
                                   .require_both = tables->require_both,
                                   .index_later = tables->index_later };

  return catalog_import (store, &options, NULL, NULL, funnel, NULL, error);
}

CatalogFunnel
testing_tables_must_import (CatalogStore *store, CatalogSplit split, const TestingTables *tables)
{
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel;

  testing_tables_import (store, split, tables, &funnel, &error);
  assert_no_error (error);
  return funnel;
}

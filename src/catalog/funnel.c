#include "catalog/import.h"

#include "base/error.h"
#include "catalog/store_private.h"

static gboolean
read_split (CatalogStore *store, CatalogFunnel *funnel, GError **error)
{
  const char *name = catalog_split_name (funnel->split);
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT without_metadata FROM split WHERE name = ?", error);
  int step;

  if (statement == NULL)
    return FALSE;
  store_bind_text (statement, 1, name);
  step = store_step (store, statement, error);
  if (step == SQLITE_ROW)
    funnel->without_metadata = (guint) sqlite3_column_int64 (statement, 0);
  if (step == SQLITE_DONE)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "%s: split %s has not been imported; import its reports and labels first",
                 store->path, name);
  return step == SQLITE_ROW;
}

static gboolean
count_volumes (CatalogStore *store, CatalogFunnel *funnel, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT reason, labels FROM volume WHERE split = ?", error);
  int step;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int (statement, 1, funnel->split);
  while ((step = store_step (store, statement, error)) == SQLITE_ROW)
    {
      CatalogReason reason = (CatalogReason) sqlite3_column_int (statement, 0);
      guint32 labels = (guint32) sqlite3_column_int64 (statement, 1);

      funnel->rows++;
      funnel->count[reason]++;
      for (guint label = 0; reason == CATALOG_KEPT && label < CATALOG_N_LABELS; label++)
        funnel->positives[label] += labels >> label & 1;
    }
  return step == SQLITE_DONE;
}

gboolean
catalog_funnel_read (CatalogStore *store, CatalogSplit split, CatalogFunnel *funnel, GError **error)
{
  *funnel = (CatalogFunnel){ .split = split };
  return read_split (store, funnel, error) && count_volumes (store, funnel, error);
}

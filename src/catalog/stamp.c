#include "catalog/stamp.h"

#include "catalog/store_private.h"

/** The one row's one column. */
static char *
read_text (CatalogStore *store, sqlite3_stmt *statement, GError **error)
{
  return store_step (store, statement, error) == SQLITE_ROW ? store_column_text (statement, 0)
                                                            : NULL;
}

char *
catalog_split_stamp (CatalogStore *store, CatalogSplit split, GError **error)
{
  /* Rows change only by an import. */
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store, "SELECT coalesce ((SELECT imported FROM split WHERE name = ?), '')", error);

  if (statement == NULL)
    return NULL;
  store_bind_text (statement, 1, catalog_split_name (split));
  return read_text (store, statement, error);
}

char *
catalog_latents_stamp (CatalogStore *store, gint64 encoder_id, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     "SELECT count (*) || ' ' || total (latent_id) || ' ' ||"
                     " (SELECT count (*) || ' ' || coalesce (max (failed), '') FROM failure"
                     " WHERE encoder_id = ?1) FROM volume_latent WHERE encoder_id = ?1",
                     error);

  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, encoder_id);
  return read_text (store, statement, error);
}

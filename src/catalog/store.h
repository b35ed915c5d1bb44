/**
 * store.h: the workspace's SQLite file.
 *
 * One CatalogStore is one connection and belongs to one thread; open another for another thread (WAL lets
 * readers go on while one writes; where WAL can't be had it falls back to a rollback journal). Every
 * writing function is one transaction unless said otherwise: a finished step is durable when it returns.
 */
#pragma once

#include <gio/gio.h>

typedef struct _CatalogStore CatalogStore;

/**
 * catalog_store_open: open or create the file; an older schema is migrated (after a backup copy beside
 * it), a newer one refused.
 *
 * @create: %FALSE makes an absent file CTCLIP_ERROR_NOT_FOUND
 */
CatalogStore *catalog_store_open (const char *path, gboolean create, GError **error);
void catalog_store_close (CatalogStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CatalogStore, catalog_store_close)

/** catalog_store_check: SQLite's integrity check; FALSE with what it found. */
gboolean catalog_store_check (CatalogStore *store, GError **error);

int catalog_store_schema_version (CatalogStore *store);

/** catalog_store_get / set: small named values that the front ends keep (nullable result; g_free). */
char *catalog_store_get (CatalogStore *store, const char *key);
gboolean catalog_store_set (CatalogStore *store, const char *key, const char *value, GError **error);

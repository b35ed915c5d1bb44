/**
 * store.h: the workspace's SQLite file.
 *
 * One CatalogStore is one connection and belongs to one thread; open another for another thread
 * (WAL lets readers go on while one writes; where WAL can't be had, a network file system for one,
 * it falls back to a rollback journal). No connection may be carried across a fork.
 *
 * Every writing function is one transaction unless said otherwise: a finished step is durable when
 * it returns, and one that failed has left nothing. A writer waits for another, up to a minute,
 * then fails with CTCLIP_ERROR_BUSY.
 */
#pragma once

#include <gio/gio.h>

typedef struct _CatalogStore CatalogStore;

/**
 * catalog_store_open: open or create the file (mode 0600); an older schema is migrated, after a
 * copy to `<path>.v<version>.backup`; a newer one is refused, and so is a file that is not ours.
 *
 * @create: %FALSE makes an absent file CTCLIP_ERROR_NOT_FOUND
 */
CatalogStore *catalog_store_open (const char *path, gboolean create, GError **error);
void catalog_store_close (CatalogStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CatalogStore, catalog_store_close)

/** catalog_store_check: integrity of the pages, the references and the full-text index; FALSE with
 * what it found. */
gboolean catalog_store_check (CatalogStore *store, GError **error);

int catalog_store_schema_version (CatalogStore *store);

/** catalog_store_get: a small named value that a front end keeps; %NULL if unknown, or where
 * the store can't be read. Free with g_free. */
char *catalog_store_get (CatalogStore *store, const char *key);

/** catalog_store_set: @value: (nullable) %NULL forgets it */
gboolean catalog_store_set (CatalogStore *store, const char *key, const char *value,
                            GError **error);

/**
 * catalog_stamp: a number that is another one after anything in the file has changed, through this
 * connection or any other: cheap enough (microseconds) to be asked before every redraw.
 *
 * It may change for nothing, and says nothing to another connection.
 */
guint64 catalog_stamp (CatalogStore *store);

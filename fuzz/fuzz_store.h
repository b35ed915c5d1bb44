/**
 * fuzz_store.h: a store for the targets that need one.
 */
#pragma once

#include "catalog/import.h"

/** fuzz_store: with two records, in a temporary folder that is removed at the end. Never fails. */
CatalogStore *fuzz_store (void);

/** fuzz_store_import: three tables, each ended by a record separator, as the training split. */
gboolean fuzz_store_import (CatalogStore *store, const guint8 *tables, gsize size,
                            CatalogFunnel *funnel, GError **error);

/**
 * salvage.h: what can still be read of a damaged store.
 */
#pragma once

#include <glib.h>

typedef struct
{
  guint64 rows;       /* that were kept */
  guint64 orphans;    /* rows that named a row which is lost, left out with it */
  GPtrArray *damaged; /* (element-type utf8) tables of which some rows could not be read */
  char *kept_path;    /* where the damaged file is now */
} CatalogSalvage;

void catalog_salvage_clear (CatalogSalvage *salvage);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CatalogSalvage, catalog_salvage_clear)

/**
 * catalog_store_salvage: put a sound store with all readable rows in a damaged one's place.
 *
 * The damaged file stays, under the name `<path>.damaged.<n>`; it is replaced in one step, when the
 * new one is complete. Rows are read through the pages that lead to them: those below a damaged
 * inner page are lost, those beside it are not. CTCLIP_ERROR_CORRUPT where even the list of tables
 * cannot be read, CTCLIP_ERROR_BUSY while another program has the store open.
 */
gboolean catalog_store_salvage (const char *path, CatalogSalvage *salvage, GError **error);

/* A query, and the search that it becomes; and the same text typed to search. */
#include "catalog/query.h"

#include "catalog/import.h"
#include "fuzz.h"
#include "fuzz_store.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static CatalogStore *store;
  static CatalogQuery *everything;
  const CatalogListOptions options = { .split = -1, .with_dropped = TRUE };
  CatalogListOptions search = options;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = fuzz_text (data, size);
  g_autoptr (CatalogQuery) query = catalog_query_parse (text, &error);
  gint64 n, total;

  if (store == NULL)
    {
      store = fuzz_store ();
      everything = catalog_query_parse (NULL, NULL);
    }
  fuzz_check (query != NULL, &error);
  /* What is typed to search is never an error. */
  search.search = text;
  n = catalog_records_count (store, everything, &search, &error);
  fuzz_check (n >= 0, &error);
  g_assert_cmpint (n, <=, 2);
  if (query == NULL)
    return 0;
  /* Whatever was accepted is a search that SQLite understands too, and it changes nothing. */
  n = catalog_records_count (store, query, &options, &error);
  fuzz_check (n >= 0, &error);
  total = catalog_records_count (store, everything, &options, &error);
  g_assert_cmpint (total, ==, 2);
  g_assert (n <= total);
  return 0;
}

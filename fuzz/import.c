/* CT-RATE's tables into a store. The reports, the labels and the metadata follow each other, each
 * ended by a record separator (octal 036). */
#include "catalog/import.h"

#include "fuzz.h"
#include "fuzz_store.h"

#include <string.h>

/** In GLib's stead: without a second thread the same bytes go the same way every time. */
GThread *
g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error)
{
  g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "no thread while fuzzing");
  return NULL;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static CatalogStore *store;
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel, read;
  guint rows = 0;

  if (store == NULL)
    store = fuzz_store ();
  if (!fuzz_store_import (store, data, size, &funnel, &error))
    {
      fuzz_check (FALSE, &error);
      return 0;
    }
  for (guint i = 0; i < CATALOG_N_REASONS; i++)
    rows += funnel.count[i];
  g_assert_cmpuint (rows, ==, funnel.rows);
  catalog_funnel_read (store, CATALOG_SPLIT_TRAIN, &read, &error);
  fuzz_check (error == NULL, &error);
  g_assert (memcmp (&read, &funnel, sizeof read) == 0);
  return 0;
}

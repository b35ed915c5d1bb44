/**
 * bench_records DIR: how long the record list takes at CT-RATE's size.
 *
 * Makes the workspace of bench_store.h in DIR where there is none, then prints the best of nine of
 * what a screen asks for.
 */
#include "bench_row.h"
#include "bench_store.h"

#include "catalog/listing.h"

#include <stdio.h>

#define ROUNDS 9
#define VISIBLE 50
#define PAGE_LIMIT_MS 5
#define COUNT_LIMIT_MS 50

/** What a screen asks for first: ids, and the rows of the first. */
static double
first_page_ms (CatalogStore *store, const CatalogQuery *query, const CatalogListOptions *options)
{
  const CatalogRowContext context = { .run_id = options->run_id };
  const double start_ms = bench_now_ms ();
  GError *error = NULL;
  g_autoptr (GArray) ids = catalog_records_ids (store, query, options, NULL, &error);
  g_autoptr (GPtrArray) page = NULL;

  bench_stop_on (error);
  page = catalog_records_page (store, (const gint64 *) ids->data, ids->len, &context, &error);
  bench_stop_on (error);
  return bench_now_ms () - start_ms;
}

static double
count_ms (CatalogStore *store, const CatalogQuery *query, const CatalogListOptions *options)
{
  const double start_ms = bench_now_ms ();
  GError *error = NULL;

  catalog_records_count (store, query, options, &error);
  bench_stop_on (error);
  return bench_now_ms () - start_ms;
}

/** One way of asking for records: its first page, and how many there are. */
static void
bench_list (CatalogStore *store, const char *name, const char *text, CatalogListOptions options)
{
  g_autofree char *page = g_strdup_printf ("first page of 50,188 records, %s", name);
  g_autofree char *count = g_strdup_printf ("count of 50,188 records, %s", name);
  double pages_ms[ROUNDS], counts_ms[ROUNDS];
  GError *error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse (text, &error);

  bench_stop_on (error);
  options.split = -1;
  options.with_dropped = TRUE;
  for (guint i = 0; i < ROUNDS; i++)
    {
      options.limit = VISIBLE;
      pages_ms[i] = first_page_ms (store, query, &options);
      options.limit = 0;
      counts_ms[i] = count_ms (store, query, &options);
    }
  bench_row_limit (page, "ms", pages_ms, ROUNDS, PAGE_LIMIT_MS);
  bench_row_limit (count, "ms", counts_ms, ROUNDS, COUNT_LIMIT_MS);
}

static void
bench_ids (CatalogStore *store, const char *text, CatalogListOptions options)
{
  double fastest = G_MAXDOUBLE;
  GError *error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse (text, &error);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint n = 0;

  bench_stop_on (error);
  options.split = -1;
  options.with_dropped = TRUE;
  for (guint round = 0; round < ROUNDS; round++)
    {
      double start = bench_now_ms ();
      g_autoptr (GArray) ids = catalog_records_ids (store, query, &options, cancellable, &error);

      bench_stop_on (error);
      fastest = MIN (fastest, bench_now_ms () - start);
      n = ids->len;
    }
  printf ("ids, sort %-32s query %-12s search %-16s %6.1f ms for %u\n",
          options.sort != NULL ? options.sort : "-", text, options.search ? options.search : "-",
          fastest, n);
}

static void
bench_pages (CatalogStore *store)
{
  const CatalogRowContext context = { .run_id = 1 };
  CatalogListOptions options = { .split = -1, .sort = "age", .with_dropped = TRUE };
  GError *error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse ("", &error);
  g_autoptr (GArray) ids = catalog_records_ids (store, query, &options, NULL, &error);
  double slowest = 0, sum = 0, start;
  guint n = 0;

  bench_stop_on (error);
  for (guint first = 0; first + VISIBLE <= ids->len; first += VISIBLE, n++)
    {
      g_autoptr (GPtrArray) page = NULL;

      start = bench_now_ms ();
      page = catalog_records_page (store, &g_array_index (ids, gint64, first), VISIBLE, &context,
                                   &error);
      bench_stop_on (error);
      slowest = MAX (slowest, bench_now_ms () - start);
      sum += bench_now_ms () - start;
    }
  printf ("page of %d rows by id: %.2f ms, the slowest of %u %.2f ms\n", VISIBLE, sum / n, n,
          slowest);
  start = bench_now_ms ();
  catalog_records_count (store, query, &options, &error);
  bench_stop_on (error);
  printf ("count: %.2f ms\n", bench_now_ms () - start);
  start = bench_now_ms ();
  for (guint round = 0; round < 1000; round++)
    catalog_stamp (store);
  printf ("stamp: %.4f ms\n", (bench_now_ms () - start) / 1000);
}

int
main (int argc, char **argv)
{
  static const char *const sorts[] = { "volume",    "patient",      "age",       "sex",
                                       "model",     "manufacturer", "spacing_z", "study_date",
                                       "emphysema", "encoded",      "reason",    "probability",
                                       "error" };
  static const char *const searches[] = { "nodule", "n", "train_7", "lung nodule right u", "zzz" };
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) store = NULL;
  GError *error = NULL;
  double start;

  if (argc < 2)
    {
      fprintf (stderr, "usage: bench_records DIR\n");
      return 2;
    }
  path = bench_store_make (argv[1]);
  start = bench_now_ms ();
  store = catalog_store_open (path, FALSE, &error);
  bench_stop_on (error);
  printf ("open: %.2f ms\n", bench_now_ms () - start);
  bench_list (store, "all", "", (CatalogListOptions){ 0 });
  bench_list (store, "filtered", "age > 60 AND emphysema", (CatalogListOptions){ 0 });
  bench_list (store, "searched", "", (CatalogListOptions){ .search = "nodule" });
  bench_list (store, "searched for a rare word", "",
              (CatalogListOptions){ .search = "osteophytes x" });
  bench_list (store, "searched for a letter", "", (CatalogListOptions){ .search = "n" });
  bench_list (store, "searched, sorted by age", "",
              (CatalogListOptions){ .search = "nodule", .sort = "age" });
  bench_list (store, "filtered, sorted by age", "emphysema AND sex = F",
              (CatalogListOptions){ .sort = "age" });
  bench_list (store, "errors first", "", (CatalogListOptions){ .sort = "error", .run_id = 1 });
  bench_list (store, "sorted by age", "", (CatalogListOptions){ .sort = "age" });
  bench_list (store, "sorted by a finding", "", (CatalogListOptions){ .sort = "emphysema" });
  bench_ids (store, "", (CatalogListOptions){ .limit = VISIBLE });
  bench_ids (store, "", (CatalogListOptions){ 0 });
  for (gsize i = 0; i < G_N_ELEMENTS (sorts); i++)
    bench_ids (store, "", (CatalogListOptions){ .sort = sorts[i], .run_id = 1 });
  for (gsize i = 0; i < G_N_ELEMENTS (searches); i++)
    bench_ids (store, "", (CatalogListOptions){ .search = searches[i] });
  bench_ids (store, "nodule*", (CatalogListOptions){ .sort = "age" });
  bench_ids (store, "age > 60", (CatalogListOptions){ .search = "nodule" });
  bench_pages (store);
  return 0;
}

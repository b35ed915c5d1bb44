/* CT-RATE's real numbers, on tables of its real size and shape. */
#include "ctrate_files.h"
#include "testing_store.h"

#include "catalog/import.h"
#include "catalog/query.h"
#include "catalog/samples.h"
#include "sampling/stratify.h"

#include <string.h>

#define SEED 2024
#define FRACTION 0.15

static CatalogStore *store;

static CatalogFunnel
import_split (CatalogSplit split)
{
  gboolean train = split == CATALOG_SPLIT_TRAIN;
  g_autofree char *reports = testing_path (train ? "train_reports.csv" : "validation_reports.csv");
  g_autofree char *labels =
      testing_path (train ? "train_predicted_labels.csv" : "valid_predicted_labels.csv");
  g_autofree char *metadata =
      testing_path (train ? "train_metadata.csv" : "validation_metadata.csv");
  const CatalogImportOptions options = {
    .split = split, .reports_path = reports, .labels_path = labels, .metadata_path = metadata
  };
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel;

  catalog_import (store, &options, NULL, NULL, &funnel, NULL, &error);
  assert_no_error (error);
  return funnel;
}

static CatalogFunnel funnels[2];

static int
make_store (void **state)
{
  store = testing_store_new ("ctrate.sqlite", NULL);
  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      CtrateShape shape = ctrate_shape (split, 0);
      g_autoptr (GError) error = NULL;

      ctrate_files_write (testing_directory (), &shape, SEED, &error);
      assert_no_error (error);
      funnels[split] = import_split (split);
    }
  return 0;
}

static int
close_store (void **state)
{
  catalog_store_close (store);
  return 0;
}

static void
assert_funnel (const CatalogFunnel *funnel, guint rows, guint studies, guint kept)
{
  assert_int_equal (funnel->rows, rows);
  assert_int_equal (rows - funnel->count[CATALOG_DROP_RECONSTRUCTION], studies);
  assert_int_equal (funnel->count[CATALOG_DROP_PATIENT], studies - kept);
  assert_int_equal (funnel->count[CATALOG_KEPT], kept);
  assert_int_equal (funnel->count[CATALOG_DROP_UNREADABLE], 0);
  assert_int_equal (funnel->count[CATALOG_DROP_NO_LABEL], 0);
  assert_int_equal (funnel->count[CATALOG_DROP_NO_TEXT], 0);
  assert_int_equal (funnel->count[CATALOG_DROP_NO_CHEST], 0);
  assert_int_equal (funnel->without_metadata, 0);
}

static void
test_train_split_gives_the_published_numbers (void **state)
{
  static const guint positives[CATALOG_N_LABELS] = { 1962, 5351, 2052, 1196, 4721, 2852,
                                                     4855, 3729, 4822, 9033, 7042, 5318,
                                                     1893, 1469, 1914, 3119, 1883, 1394 };

  assert_funnel (&funnels[CATALOG_SPLIT_TRAIN], 47149, 24128, 20000);
  assert_memory_equal (funnels[CATALOG_SPLIT_TRAIN].positives, positives, sizeof positives);
}

static void
test_validation_split_gives_the_published_numbers (void **state)
{
  assert_funnel (&funnels[CATALOG_SPLIT_VALID], 3039, 1564, 1304);
}

static void
test_sample_of_15_percent_keeps_the_label_shares (void **state)
{
  static const gsize expected[] = { [CATALOG_SPLIT_TRAIN] = 3000, [CATALOG_SPLIT_VALID] = 196 };

  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (CatalogMembers) members = catalog_split_members (store, split, &error);
      g_autofree guint8 *chosen = NULL;
      StratifyShares shares;
      gsize n = 0;

      assert_no_error (error);
      chosen = g_new0 (guint8, members->n);
      stratify_sample (members->labels, members->n, CATALOG_N_LABELS, FRACTION, SEED, chosen);
      stratify_shares (members->labels, members->n, CATALOG_N_LABELS, chosen, &shares);
      for (gsize i = 0; i < members->n; i++)
        n += chosen[i];
      assert_int_equal (n, expected[split]);
      if (split == CATALOG_SPLIT_TRAIN && shares.max_deviation > 2e-4)
        fail_msg ("largest deviation %g", shares.max_deviation);
    }
}

static void
test_labels_come_together_as_in_patients (void **state)
{
  g_autoptr (CatalogMembers) members = catalog_split_members (store, CATALOG_SPLIT_TRAIN, NULL);
  guint both = 0, none = 0;

  /* Lung nodule and opacity: 9033 × 7042 / 20000 = 3181 together if they were independent. */
  for (gsize i = 0; i < members->n; i++)
    {
      both += (members->labels[i] >> 9 & 1) && (members->labels[i] >> 10 & 1);
      none += members->labels[i] == 0;
    }
  assert_in_range (both, 3600, 5500);
  assert_in_range (none, 500, 4000);
}

static void
test_pages_and_counts_of_50_000_records (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogQuery) all = catalog_query_parse (NULL, &error);
  g_autoptr (CatalogQuery) query =
      catalog_query_parse ("emphysema AND age > 60 AND \"ground glass\"", &error);
  CatalogListOptions options = { .split = -1, .with_dropped = TRUE, .offset = 50150, .limit = 50 };
  g_autoptr (GPtrArray) page = catalog_records_list (store, all, &options, &error);
  g_autoptr (GPtrArray) found = NULL;
  const CatalogRecord *last;

  assert_no_error (error);
  assert_int_equal (catalog_records_count (store, all, &options, &error), 47149 + 3039);
  assert_int_equal (page->len, 47149 + 3039 - 50150);
  last = g_ptr_array_index (page, page->len - 1);
  assert_int_equal (last->position, 3038);
  options = (CatalogListOptions){ .split = -1 };
  found = catalog_records_list (store, query, &options, &error);
  assert_no_error (error);
  assert_int_equal (catalog_records_count (store, query, &options, &error), found->len);
  assert_true (found->len > 100);
  for (guint i = 0; i < found->len; i++)
    {
      const CatalogRecord *record = g_ptr_array_index (found, i);

      assert_true (record->age_years > 60 && (record->labels >> 7 & 1) == 1);
    }
}

static void
test_smaller_cohorts_have_the_same_shape (void **state)
{
  CtrateShape shape = ctrate_shape (CATALOG_SPLIT_TRAIN, 200);

  assert_int_equal (shape.patients, 200);
  assert_int_equal (shape.studies, 241);
  assert_int_equal (shape.rows, 471);
  assert_int_equal (shape.positives[9], 90);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_train_split_gives_the_published_numbers),
    cmocka_unit_test (test_validation_split_gives_the_published_numbers),
    cmocka_unit_test (test_sample_of_15_percent_keeps_the_label_shares),
    cmocka_unit_test (test_labels_come_together_as_in_patients),
    cmocka_unit_test (test_pages_and_counts_of_50_000_records),
    cmocka_unit_test (test_smaller_cohorts_have_the_same_shape),
  };

  return cmocka_run_group_tests (tests, make_store, close_store);
}

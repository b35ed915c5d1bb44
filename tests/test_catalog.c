/* Importing a split: the cleaning funnel, what is stored, replacing. */
#include "testing_tables.h"

#include "base/error.h"
#include "catalog/query.h"

#include <math.h>
#include <string.h>

#define HEART (1u << 2)
#define LUNG_NODULE (1u << 9)

static CatalogRecord *
get_record (CatalogStore *store, const char *volume)
{
  g_autoptr (GError) error = NULL;
  CatalogRecord *record = catalog_record_get (store, volume, &error);

  assert_no_error (error);
  return record;
}

static void
assert_reason (CatalogStore *store, const char *volume, CatalogReason reason)
{
  g_autoptr (CatalogRecord) record = get_record (store, volume);

  assert_string_equal (catalog_reason_name (record->reason), catalog_reason_name (reason));
}

static void
assert_same_funnel (const CatalogFunnel *a, const CatalogFunnel *b)
{
  assert_int_equal (a->split, b->split);
  assert_int_equal (a->rows, b->rows);
  assert_int_equal (a->without_metadata, b->without_metadata);
  assert_memory_equal (a->count, b->count, sizeof a->count);
  assert_memory_equal (a->positives, b->positives, sizeof a->positives);
}

/** What the store has of a split, the moment of its import aside. */
static char *
dump (CatalogStore *store)
{
  return testing_store_value (
      store, "SELECT group_concat (line, char (10)) FROM ("
             " SELECT name || reports_path || require_both AS line FROM split UNION ALL"
             " SELECT id || name || reason || coalesce (report_id, '-') FROM volume UNION ALL"
             " SELECT volume_id || coalesce (findings, '-') FROM report UNION ALL"
             " SELECT 'found ' || rowid FROM report_text WHERE report_text MATCH 'open')");
}

/* ---- the funnel ---- */

static void
test_each_rule_drops_its_row_in_the_funnels_order (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("rules.sqlite", NULL);
  /* Every row but the last two breaks all the rules from its own on: the first broken one counts.
   */
  g_autofree char *labels = testing_label_table (
      "train_1_a_1.nii.gz", HEART, "train_1_b_2.nii.gz", 0u, "train_1_c_2.nii.gz", 0u,
      "train_1_d_1.nii.gz", 0u, "train_1_e_1.nii.gz", HEART, "train_2_a_1.nii.gz",
      HEART | LUNG_NODULE, "elsewhere_1_a_1.nii.gz", HEART, NULL);
  const TestingTables tables = {
    .reports = REPORTS_HEADER GOOD_REPORT ("train_1_a_1.nii.gz") /* kept */
    "train_1_x_2.nii.gz,,\n"                                     /* ragged */
    "train_1_y_2.nii.gz,,,Not given.,\n"                         /* no label */
    "train_1_b_2.nii.gz,,,Not given.,NaN\n"                      /* no text */
    GOOD_REPORT ("train_1_c_2.nii.gz")                           /* second reconstruction */
    GOOD_REPORT ("train_1_d_1.nii.gz")                           /* no chest */
    GOOD_REPORT ("train_1_e_1.nii.gz")                           /* later study */
    GOOD_REPORT ("train_2_a_1.nii.gz"),                          /* kept */
    .labels = labels,
    .no_chest = "train_1_c_2.nii.gz\n/data/train/train_1_d_1.nii.gz\r\n\ntrain_1_b_2",
  };
  CatalogFunnel funnel = testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables), read;

  assert_int_equal (funnel.rows, 8);
  assert_int_equal (funnel.count[CATALOG_KEPT], 2);
  for (CatalogReason reason = CATALOG_KEPT + 1; reason < CATALOG_N_REASONS; reason++)
    assert_int_equal (funnel.count[reason], 1);
  assert_int_equal (funnel.positives[2], 2);
  assert_int_equal (funnel.positives[9], 1);
  assert_int_equal (funnel.positives[0], 0);
  assert_reason (store, "train_1_a_1", CATALOG_KEPT);
  assert_reason (store, "train_1_x_2", CATALOG_DROP_UNREADABLE);
  assert_reason (store, "train_1_y_2", CATALOG_DROP_NO_LABEL);
  assert_reason (store, "train_1_b_2", CATALOG_DROP_NO_TEXT);
  assert_reason (store, "train_1_c_2", CATALOG_DROP_RECONSTRUCTION);
  assert_reason (store, "train_1_d_1", CATALOG_DROP_NO_CHEST);
  assert_reason (store, "train_1_e_1", CATALOG_DROP_PATIENT);
  assert_true (catalog_funnel_read (store, CATALOG_SPLIT_TRAIN, &read, NULL));
  assert_same_funnel (&read, &funnel);
}

static void
test_unreadable_rows_say_line_and_fault (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("unreadable.sqlite", NULL);
  g_autofree char *labels = testing_label_table ("train_1_a_1.nii.gz", 0u, NULL);
  const TestingTables tables = {
    .reports = REPORTS_HEADER "train_1_a_1.nii.gz,,,\"two\nlines\",\n"
                              "CT of Mr X,,,open,\n"
                              "\"train_1_a_1.nii.gz\",,,again,\n"
                              "train_3_a_1.nii.gz,,open\n",
    .labels = labels,
  };
  CatalogFunnel funnel = testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables);

  assert_int_equal (funnel.rows, 4);
  assert_int_equal (funnel.count[CATALOG_DROP_UNREADABLE], 3);
  assert_store_value (store,
                      "SELECT group_concat (position || ' ' || reason_detail, char (10))"
                      " FROM volume WHERE reason = 1",
                      "1 reports.csv, line 4: VolumeName is not "
                      "split_patient_scan_reconstruction.nii.gz\n"
                      "2 reports.csv, line 5: repeats the volume of line 2\n"
                      "3 reports.csv, line 6: the header has 5 cells, this row 3");
  assert_reason (store, "train_1_a_1.nii.gz", CATALOG_KEPT);
}

static void
test_row_after_an_unreadable_one_of_its_name_is_kept (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("second_chance.sqlite", NULL);
  g_autofree char *labels = testing_label_table ("train_1_a_1.nii.gz", 0u, NULL);
  const TestingTables tables = {
    .reports = REPORTS_HEADER "train_1_a_1.nii.gz,,\n" GOOD_REPORT ("train_1_a_1.nii.gz"),
    .labels = labels,
  };
  CatalogFunnel funnel = testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables);

  assert_int_equal (funnel.count[CATALOG_KEPT], 1);
  assert_int_equal (funnel.count[CATALOG_DROP_UNREADABLE], 1);
}

static void
test_one_text_is_enough_unless_both_are_asked_for (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("texts.sqlite", NULL);
  g_autofree char *labels =
      testing_label_table ("train_1_a_1.nii.gz", 0u, "train_2_a_1.nii.gz", 0u, "train_3_a_1.nii.gz",
                           0u, "train_4_a_1.nii.gz", 0u, NULL);
  TestingTables tables = {
    .reports = REPORTS_HEADER "train_1_a_1.nii.gz,x,x,Not given.,Normal.\n"
                              "train_2_a_1.nii.gz,x,x,Open.,nan\n"
                              "train_3_a_1.nii.gz,x,x,\" \",not given.\n"
                              "train_4_a_1.nii.gz,,,Open.,Normal.\n",
    .labels = labels,
  };
  CatalogFunnel any = testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables), both;

  tables.require_both = TRUE;
  both = testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables);
  assert_int_equal (any.count[CATALOG_DROP_NO_TEXT], 1);
  assert_int_equal (any.count[CATALOG_KEPT], 3);
  assert_int_equal (both.count[CATALOG_DROP_NO_TEXT], 3);
  assert_reason (store, "train_4_a_1", CATALOG_KEPT);
}

static void
test_patient_keeps_the_first_study_that_passes_the_other_rules (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("patients.sqlite", NULL);
  g_autofree char *labels =
      testing_label_table ("train_1_a_1.nii.gz", 0u, "train_1_b_1.nii.gz", 0u, "train_1_c_1.nii.gz",
                           0u, "train_10_a_1.nii.gz", 0u, NULL);
  const TestingTables tables = {
    .reports = REPORTS_HEADER "train_1_c_1.nii.gz,,,,\n" GOOD_REPORT ("train_1_b_1.nii.gz")
        GOOD_REPORT ("train_1_a_1.nii.gz") GOOD_REPORT ("train_10_a_1.nii.gz"),
    .labels = labels,
  };
  g_autoptr (CatalogRecord) later = NULL;

  testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables);
  later = get_record (store, "train_1_a_1");
  assert_int_equal (later->reason, CATALOG_DROP_PATIENT);
  assert_string_equal (later->reason_detail, "train_1_b_1.nii.gz");
  assert_reason (store, "train_1_b_1", CATALOG_KEPT);
  assert_reason (store, "train_1_c_1", CATALOG_DROP_NO_TEXT);
  assert_reason (store, "train_10_a_1", CATALOG_KEPT);
}

static void
test_label_rows_that_cannot_be_used_say_so (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("bad_labels.sqlite", NULL);
  g_autofree char *table = testing_label_table (
      "train_1_a_1.nii.gz", 0u, "train_2_a_1.nii.gz", HEART, "train_2_a_1.nii.gz", HEART,
      "train_3_a_1.nii.gz", HEART, "train_3_a_1.nii.gz", 0u, "train_4_a_1.nii.gz", 0u, NULL);
  g_autofree char *labels =
      g_strconcat (table, "train_5_a_1.nii.gz,x,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n",
                   "train_6_a_1.nii.gz,0,0\n", NULL);
  const TestingTables tables = {
    .reports = REPORTS_HEADER GOOD_REPORT ("train_1_a_1.nii.gz") GOOD_REPORT ("train_2_a_1.nii.gz")
        GOOD_REPORT ("train_3_a_1.nii.gz") GOOD_REPORT ("train_5_a_1.nii.gz")
            GOOD_REPORT ("train_6_a_1.nii.gz"),
    .labels = labels,
  };
  CatalogFunnel funnel = testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables);
  g_autoptr (CatalogRecord) contradicted = get_record (store, "train_3_a_1");
  g_autoptr (CatalogRecord) no_number = get_record (store, "train_5_a_1");
  g_autoptr (CatalogRecord) ragged = get_record (store, "train_6_a_1");

  assert_int_equal (funnel.count[CATALOG_KEPT], 2);
  assert_int_equal (funnel.count[CATALOG_DROP_NO_LABEL], 3);
  assert_false (contradicted->has_labels);
  assert_string_equal (contradicted->reason_detail,
                       "labels.csv, line 6: contradicts an earlier row of this volume");
  assert_string_equal (no_number->reason_detail,
                       "labels.csv, line 8: Medical material is \"x\" and not 0 or 1");
  assert_string_equal (ragged->reason_detail,
                       "labels.csv, line 9: the header has 19 cells, this row 3");
}

/* ---- what is stored ---- */

static void
test_record_holds_what_the_files_say (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("record.sqlite", NULL);
  g_autofree char *labels = testing_label_table ("valid_1_a_1.nii.gz", HEART | LUNG_NODULE, NULL);
  const TestingTables tables = {
    .reports =
        REPORTS_HEADER "valid_1_a_1.nii.gz,Not given.,\"CT, low dose\",\"A \"\"q\"\"\nB\",Ok.\n",
    .labels = labels,
    .metadata =
        METADATA_HEADER "valid_1_a_1.nii.gz,Philips,iCT 256,M,036Y,1024,768,\"[0.341796875, "
                        "0.341796875]\",-1024,1,251,1.5,20210427\n",
  };
  g_autoptr (CatalogRecord) record = NULL;

  testing_tables_must_import (store, CATALOG_SPLIT_VALID, &tables);
  record = get_record (store, "valid_1_a_1");
  assert_int_equal (record->split, CATALOG_SPLIT_VALID);
  assert_int_equal (record->position, 0);
  assert_string_equal (record->volume, "valid_1_a_1.nii.gz");
  assert_string_equal (record->patient, "valid_1");
  assert_null (record->reason_detail);
  assert_true (record->has_labels);
  assert_int_equal (record->labels, HEART | LUNG_NODULE);
  assert_string_equal (record->manufacturer, "Philips");
  assert_string_equal (record->model, "iCT 256");
  assert_string_equal (record->sex, "M");
  assert_string_equal (record->study_date, "20210427");
  assert_int_equal (record->age_years, 36);
  assert_int_equal (record->rows, 1024);
  assert_int_equal (record->columns, 768);
  assert_int_equal (record->slices, 251);
  assert_true (record->spacing_xy_mm == 0.341796875);
  assert_true (record->spacing_z_mm == 1.5);
  assert_true (record->slope == 1);
  assert_true (record->intercept == -1024);
  assert_null (record->clinical);
  assert_string_equal (record->technique, "CT, low dose");
  assert_string_equal (record->findings, "A \"q\"\nB");
  assert_string_equal (record->impression, "Ok.");
}

static void
test_what_metadata_does_not_say_is_unknown (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("unknown.sqlite", NULL);
  g_autofree char *labels =
      testing_label_table ("train_1_a_1.nii.gz", 0u, "train_2_a_1.nii.gz", 0u, "train_3_a_1.nii.gz",
                           0u, "train_4_a_2.nii.gz", 0u, NULL);
  const TestingTables tables = {
    .reports = REPORTS_HEADER GOOD_REPORT ("train_1_a_1.nii.gz") GOOD_REPORT ("train_2_a_1.nii.gz")
        GOOD_REPORT ("train_3_a_1.nii.gz") GOOD_REPORT ("train_4_a_2.nii.gz"),
    .labels = labels,
    .metadata = METADATA_HEADER "train_1_a_1.nii.gz,,,,,,,,,,,,\ntrain_2_a_1.nii.gz,Philips\n",
  };
  CatalogFunnel funnel = testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables), read;
  g_autoptr (CatalogRecord) blank = get_record (store, "train_1_a_1");
  g_autoptr (CatalogRecord) ragged = get_record (store, "train_2_a_1");

  assert_string_equal (blank->sex, "");
  assert_string_equal (blank->manufacturer, "");
  assert_int_equal (blank->age_years, -1);
  assert_int_equal (blank->slices, -1);
  assert_true (isnan (blank->spacing_xy_mm) && isnan (blank->slope));
  assert_null (blank->reason_detail);
  assert_string_equal (ragged->manufacturer, "");
  assert_string_equal (ragged->reason_detail,
                       "metadata.csv, line 3: the header has 13 cells, this row 2");
  /* Of the kept ones, the ragged and the absent row; the dropped record doesn't count. */
  assert_int_equal (funnel.without_metadata, 2);
  assert_true (catalog_funnel_read (store, CATALOG_SPLIT_TRAIN, &read, NULL));
  assert_same_funnel (&read, &funnel);
}

static void
test_first_good_row_of_the_metadata_counts (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("twice.sqlite", NULL);
  g_autofree char *labels = testing_label_table ("train_1_a_1.nii.gz", 0u, NULL);
  const TestingTables tables = {
    .reports = REPORTS_HEADER GOOD_REPORT ("train_1_a_1.nii.gz"),
    .labels = labels,
    .metadata = METADATA_HEADER "train_1_a_1.nii.gz,ragged\n"
                                "train_1_a_1.nii.gz,good,,,,,,,,,,,\n"
                                "train_1_a_1.nii.gz,later,,,,,,,,,,,\n",
  };
  CatalogFunnel funnel = testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables);
  g_autoptr (CatalogRecord) record = get_record (store, "train_1_a_1");

  assert_int_equal (funnel.without_metadata, 0);
  assert_string_equal (record->manufacturer, "good");
  assert_null (record->reason_detail);
}

static void
test_deidentified_metadata_is_enough_but_not_without_spacing (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("deidentified.sqlite", NULL);
  g_autofree char *labels = testing_label_table ("train_1_a_1.nii.gz", 0u, NULL);
  TestingTables tables = {
    .reports = REPORTS_HEADER GOOD_REPORT ("train_1_a_1.nii.gz"),
    .labels = labels,
    .metadata = "ZSpacing,XYSpacing,RescaleIntercept,RescaleSlope,VolumeName\n"
                "2,0.7,-1024,1,train_1_a_1.nii.gz\n",
  };
  g_autoptr (CatalogRecord) record = NULL;
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel;

  testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables);
  record = get_record (store, "train_1_a_1");
  assert_true (record->spacing_xy_mm == 0.7);
  assert_int_equal (record->age_years, -1);
  tables.metadata = "VolumeName,XYSpacing,RescaleIntercept\ntrain_1_a_1.nii.gz,0.7,-1024\n";
  assert_false (testing_tables_import (store, CATALOG_SPLIT_TRAIN, &tables, &funnel, &error));
  assert_error_says (&error, "metadata.csv", "\"ZSpacing\", \"RescaleSlope\"", NULL);
}

static void
test_reconstructions_share_their_report_and_all_are_found (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("shared.sqlite", NULL);
  g_autofree char *labels = testing_label_table ("train_1_a_1.nii.gz", 0u, NULL);
  const TestingTables tables = {
    .reports = REPORTS_HEADER GOOD_REPORT ("train_1_a_1.nii.gz")
        GOOD_REPORT ("train_1_a_2.nii.gz") "train_1_a_3.nii.gz,Cough,CT,,Trachea is "
                                           "open.\n" GOOD_REPORT (
                                               "train_1_a_4.nii.gz") "train_1_a_5.nii.gz,,,,"
                                                                     "\ntrain_1_a_6.nii.gz,,,,"
                                                                     "\n" GOOD_REPORT ("train_1_a_"
                                                                                       "7.nii.gz"),
    .labels = labels,
  };
  g_autoptr (CatalogRecord) second = NULL, third = NULL, sixth = NULL, last = NULL;

  testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables);
  second = get_record (store, "train_1_a_2");
  third = get_record (store, "train_1_a_3");
  sixth = get_record (store, "train_1_a_6");
  last = get_record (store, "train_1_a_7");
  assert_store_value (store, "SELECT count (*) FROM report", "4");
  assert_string_equal (second->findings, "Trachea is open.");
  assert_null (third->findings);
  assert_string_equal (third->impression, "Trachea is open.");
  assert_null (sixth->clinical);
  assert_string_equal (last->impression, "Normal.");
  assert_store_value (store,
                      "SELECT count (*) FROM volume WHERE report_id IN"
                      " (SELECT rowid FROM report_text WHERE report_text MATCH 'trachea')",
                      "5");
}

static void
test_volume_that_is_not_there_is_named (void **state)
{
  g_autoptr (CatalogStore) store = testing_store_new ("nothing.sqlite", NULL);
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel;

  assert_null (catalog_record_get (store, "train_9_a_1", &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "train_9_a_1.nii.gz", NULL);
  assert_false (catalog_funnel_read (store, CATALOG_SPLIT_VALID, &funnel, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  assert_error_says (&error, "split valid", "import", NULL);
}

/* ---- replacing ---- */

/** A store with both splits; their tables are good until the next import. */
static CatalogStore *
store_with_two_splits (const char *name)
{
  g_autofree char *train_labels = testing_label_table ("train_1_a_1.nii.gz", HEART, NULL);
  g_autofree char *valid_labels = testing_label_table ("valid_1_a_1.nii.gz", 0u, NULL);
  CatalogStore *store = testing_store_new (name, NULL);

  testing_tables_must_import (
      store, CATALOG_SPLIT_TRAIN,
      &(TestingTables){ .reports = REPORTS_HEADER GOOD_REPORT ("train_1_a_1.nii.gz"),
                        .labels = train_labels });
  testing_tables_must_import (
      store, CATALOG_SPLIT_VALID,
      &(TestingTables){ .reports = REPORTS_HEADER GOOD_REPORT ("valid_1_a_1.nii.gz"),
                        .labels = valid_labels });
  return store;
}

static void
test_importing_again_replaces_the_split_and_leaves_the_other (void **state)
{
  g_autoptr (CatalogStore) store = store_with_two_splits ("again.sqlite");
  g_autofree char *labels =
      testing_label_table ("train_5_a_1.nii.gz", 0u, "train_6_a_1.nii.gz", 0u, NULL);
  const TestingTables tables = {
    .reports = REPORTS_HEADER "train_5_a_1.nii.gz,,,Bronchi are wide.,\n"
                              "train_6_a_1.nii.gz,,,Bronchi are narrow.,\n",
    .labels = labels,
  };

  testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables);
  assert_store_value (store, "SELECT group_concat (name) FROM volume",
                      "train_5_a_1.nii.gz,train_6_a_1.nii.gz,valid_1_a_1.nii.gz");
  assert_store_value (store, "SELECT count (*) FROM report", "3");
  assert_store_value (store, "SELECT count (*) FROM report_text WHERE report_text MATCH 'bronchi'",
                      "2");
  assert_store_value (store, "SELECT count (*) FROM report_text WHERE report_text MATCH 'trachea'",
                      "1");
  testing_store_exec (store, "INSERT INTO report_text (report_text) VALUES ('integrity-check')");
}

/* ---- the full-text index, left to whoever comes next ---- */

#define FOUND(word) "SELECT count (*) FROM report_text WHERE report_text MATCH '" word "'"

static void
import_without_index (CatalogStore *store, CatalogSplit split, const char *volume,
                      const char *findings)
{
  g_autofree char *labels = testing_label_table (volume, 0u, NULL);
  g_autofree char *reports = g_strdup_printf (REPORTS_HEADER "%s,,,%s,\n", volume, findings);

  testing_tables_must_import (
      store, split, &(TestingTables){ .reports = reports, .labels = labels, .index_later = TRUE });
  assert_false (catalog_text_index_is_finished (store));
}

static void
finish_index (CatalogStore *store)
{
  g_autoptr (GError) error = NULL;

  catalog_text_index_finish (store, NULL, NULL, NULL, &error);
  assert_no_error (error);
  assert_true (catalog_text_index_is_finished (store));
  catalog_store_check (store, &error); /* compares index and reports */
  assert_no_error (error);
}

static void
test_records_are_there_before_their_words_can_be_found (void **state)
{
  g_autoptr (CatalogStore) store = store_with_two_splits ("later.sqlite");
  g_autoptr (CatalogRecord) record = NULL;
  g_autoptr (GError) error = NULL;

  import_without_index (store, CATALOG_SPLIT_VALID, "valid_5_a_1.nii.gz", "Bronchi are wide.");
  record = get_record (store, "valid_5_a_1.nii.gz");
  assert_string_equal (record->findings, "Bronchi are wide.");
  assert_store_value (store, FOUND ("bronchi"), "0");
  catalog_store_check (store, &error);
  assert_no_error (error);
  finish_index (store);
  assert_store_value (store, FOUND ("bronchi"), "1");
  assert_store_value (store, FOUND ("trachea"), "1");
}

static void
test_index_is_right_whatever_the_order_of_imports (void **state)
{
  static const CatalogSplit orders[][3] = {
    { CATALOG_SPLIT_TRAIN, CATALOG_SPLIT_VALID, CATALOG_SPLIT_TRAIN },
    { CATALOG_SPLIT_VALID, CATALOG_SPLIT_TRAIN, CATALOG_SPLIT_VALID },
    { CATALOG_SPLIT_VALID, CATALOG_SPLIT_VALID, CATALOG_SPLIT_TRAIN },
  };

  /* Every order, with every choice of where the index is finished on the way. */
  for (guint order = 0; order < G_N_ELEMENTS (orders); order++)
    for (guint finished = 0; finished < 8; finished++)
      {
        g_autofree char *name = g_strdup_printf ("order-%u-%u.sqlite", order, finished);
        g_autoptr (CatalogStore) store = testing_store_new (name, NULL);

        for (guint i = 0; i < 3; i++)
          {
            if (orders[order][i] == CATALOG_SPLIT_TRAIN)
              import_without_index (store, CATALOG_SPLIT_TRAIN, "train_1_a_1.nii.gz", "Trachea.");
            else
              import_without_index (store, CATALOG_SPLIT_VALID, "valid_1_a_1.nii.gz", "Bronchi.");
            if (finished >> i & 1)
              finish_index (store);
          }
        finish_index (store);
        assert_store_value (store, FOUND ("trachea OR bronchi"), "2");
      }
}

static int
found (CatalogStore *store, const char *word)
{
  g_autofree char *sql = g_strdup_printf (FOUND ("%s"), word);
  g_autofree char *value = testing_store_value (store, sql);

  return atoi (value);
}

static void
test_index_goes_on_where_it_was_stopped (void **state)
{
  g_autofree char *path = NULL;
  g_autoptr (CatalogStore) store = testing_store_new ("stopped.sqlite", &path);
  g_autofree char *labels = testing_label_table ("train_1_a_1.nii.gz", 0u, NULL);
  g_autoptr (GString) reports = g_string_new (REPORTS_HEADER);
  g_autoptr (GError) error = NULL;

  for (guint i = 1; i <= 9; i++)
    {
      g_autofree char *words = g_strnfill (1 << 20, ' ');

      g_string_append_printf (reports, "train_%u_a_1.nii.gz,,,\"open %s%u\",\n", i, words, i);
    }
  testing_tables_must_import (
      store, CATALOG_SPLIT_TRAIN,
      &(TestingTables){ .reports = reports->str, .labels = labels, .index_later = TRUE });
  while (found (store, "open") == 0)
    assert_true (catalog_text_index_step (store, &error));
  assert_store_value (store, FOUND ("open"), "2");
  assert_false (catalog_text_index_is_finished (store));
  g_clear_pointer (&store, catalog_store_close); /* the program was killed; another comes */
  store = catalog_store_open (path, FALSE, &error);
  assert_no_error (error);
  finish_index (store);
  assert_store_value (store, FOUND ("open"), "9");
}

static void
test_full_disk_is_said_and_leaves_the_old_split (void **state)
{
  g_autoptr (CatalogStore) store = store_with_two_splits ("full.sqlite");
  g_autofree char *before = dump (store), *after = NULL;
  g_autofree char *labels = testing_label_table ("train_5_a_1.nii.gz", 0u, NULL);
  g_autofree char *text = g_strnfill (4 << 20, 'x');
  g_autofree char *reports = g_strdup_printf (REPORTS_HEADER "train_5_a_1.nii.gz,,,%s,\n", text);
  const TestingTables tables = { .reports = reports, .labels = labels };
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel;

  testing_store_exec (store, "PRAGMA max_page_count = 100");
  assert_false (testing_tables_import (store, CATALOG_SPLIT_TRAIN, &tables, &funnel, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_IO));
  assert_error_says (&error, "full.sqlite", "the disk is full", NULL);
  after = dump (store);
  assert_string_equal (after, before);
}

/** Cancels when more than so many bytes were read. */
typedef struct
{
  GCancellable *cancellable; /* (nullable) */
  guint64 cancel_after, done, total;
} Watch;

static void
note_progress (guint64 done, guint64 total, gpointer user_data)
{
  Watch *watch = user_data;

  assert_true (done > watch->done && done <= total);
  watch->done = done;
  watch->total = total;
  if (watch->cancellable != NULL && done > watch->cancel_after)
    g_cancellable_cancel (watch->cancellable);
}

static void
test_failed_import_leaves_the_old_split (void **state)
{
  g_autoptr (CatalogStore) store = store_with_two_splits ("failed.sqlite");
  g_autofree char *before = dump (store), *after = NULL;
  g_autofree char *labels = testing_label_table ("train_5_a_1.nii.gz", 0u, NULL);
  const TestingTables tables = { .reports = "VolumeName,Findings_EN\ntrain_5_a_1.nii.gz,x\n",
                                 .labels = labels };
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel;

  assert_false (testing_tables_import (store, CATALOG_SPLIT_TRAIN, &tables, &funnel, &error));
  assert_error_says (&error, "reports.csv", "\"Impressions_EN\"",
                     "VolumeName,ClinicalInformation_EN", NULL);
  after = dump (store);
  assert_string_equal (after, before);
}

static void
test_cancelled_import_leaves_the_old_split (void **state)
{
  g_autoptr (CatalogStore) store = store_with_two_splits ("cancelled.sqlite");
  g_autofree char *before = dump (store), *after = NULL;
  g_autofree char *table = testing_label_table ("train_5_a_1.nii.gz", 0u, NULL);
  g_autofree char *labels = testing_write ("labels.csv", table, strlen (table));
  const char rows[] = REPORTS_HEADER GOOD_REPORT ("train_5_a_1.nii.gz");
  g_autofree char *reports = testing_write ("reports.csv", rows, strlen (rows));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const CatalogImportOptions options = { .split = CATALOG_SPLIT_TRAIN,
                                         .reports_path = reports,
                                         .labels_path = labels };
  /* In the middle of the reports: the old split has been taken away by then. */
  Watch watch = { .cancellable = cancellable, .cancel_after = strlen (table) };
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel;

  assert_false (
      catalog_import (store, &options, note_progress, &watch, &funnel, cancellable, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  assert_int_equal (funnel.rows, 1);
  after = dump (store);
  assert_string_equal (after, before);
}

static void
test_progress_ends_with_all_bytes (void **state)
{
  g_autoptr (CatalogStore) store = store_with_two_splits ("progress.sqlite");
  g_autofree char *reports = testing_path ("reports.csv"), *labels = testing_path ("labels.csv");
  const CatalogImportOptions options = { .split = CATALOG_SPLIT_TRAIN,
                                         .reports_path = reports,
                                         .labels_path = labels };
  Watch watch = { NULL };
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel;

  assert_true (catalog_import (store, &options, note_progress, &watch, &funnel, NULL, &error));
  assert_true (watch.done > 0);
  assert_int_equal (watch.done, watch.total);
}

static void
test_absent_files_are_named (void **state)
{
  g_autoptr (CatalogStore) store = store_with_two_splits ("absent.sqlite");
  g_autofree char *reports = testing_path ("reports.csv"), *labels = testing_path ("labels.csv");
  CatalogImportOptions options = { .reports_path = "/nowhere/reports.csv", .labels_path = labels };
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel;

  assert_false (catalog_import (store, &options, NULL, NULL, &funnel, NULL, &error));
  assert_error_says (&error, "/nowhere/reports.csv", NULL);
  options = (CatalogImportOptions){ .reports_path = reports, .labels_path = "/nowhere/labels.csv" };
  assert_false (catalog_import (store, &options, NULL, NULL, &funnel, NULL, &error));
  assert_error_says (&error, "/nowhere/labels.csv", NULL);
  options = (CatalogImportOptions){ .reports_path = reports,
                                    .labels_path = labels,
                                    .no_chest_path = "/nowhere/no_chest.txt" };
  assert_false (catalog_import (store, &options, NULL, NULL, &funnel, NULL, &error));
  assert_error_says (&error, "/nowhere/no_chest.txt", NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_each_rule_drops_its_row_in_the_funnels_order),
    cmocka_unit_test (test_unreadable_rows_say_line_and_fault),
    cmocka_unit_test (test_row_after_an_unreadable_one_of_its_name_is_kept),
    cmocka_unit_test (test_one_text_is_enough_unless_both_are_asked_for),
    cmocka_unit_test (test_patient_keeps_the_first_study_that_passes_the_other_rules),
    cmocka_unit_test (test_label_rows_that_cannot_be_used_say_so),
    cmocka_unit_test (test_record_holds_what_the_files_say),
    cmocka_unit_test (test_what_metadata_does_not_say_is_unknown),
    cmocka_unit_test (test_first_good_row_of_the_metadata_counts),
    cmocka_unit_test (test_deidentified_metadata_is_enough_but_not_without_spacing),
    cmocka_unit_test (test_reconstructions_share_their_report_and_all_are_found),
    cmocka_unit_test (test_volume_that_is_not_there_is_named),
    cmocka_unit_test (test_importing_again_replaces_the_split_and_leaves_the_other),
    cmocka_unit_test (test_records_are_there_before_their_words_can_be_found),
    cmocka_unit_test (test_index_is_right_whatever_the_order_of_imports),
    cmocka_unit_test (test_index_goes_on_where_it_was_stopped),
    cmocka_unit_test (test_failed_import_leaves_the_old_split),
    cmocka_unit_test (test_full_disk_is_said_and_leaves_the_old_split),
    cmocka_unit_test (test_cancelled_import_leaves_the_old_split),
    cmocka_unit_test (test_progress_ends_with_all_bytes),
    cmocka_unit_test (test_absent_files_are_named),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

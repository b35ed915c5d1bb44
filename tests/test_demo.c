#include "testing.h"

#include "base/error.h"
#include "base/file_hash.h"
#include "catalog/import.h"
#include "catalog/volume_index.h"
#include "study/demo_cohort.h"
#include "study/demo_codebook.h"
#include "study/demo_labels.h"
#include "study/demo_tables.h"
#include "volume/volume.h"

#include <math.h>
#include <string.h>

#define SEED 7

/** Places of labels that the tests speak of; see labels.h. */
enum
{
  MEDICAL_MATERIAL = 0,
  ARTERIAL_CALCIFICATION = 1,
  CARDIOMEGALY = 2,
  CORONARY_CALCIFICATION = 4,
  EMPHYSEMA = 7,
  PLEURAL_EFFUSION = 12,
};

static const DemoCohortOptions small = { .n_train = 8, .n_valid = 5, .seed = SEED, .threads = 2 };

/** The small cohort, written once. */
static const char *
small_cohort (void)
{
  static char *directory;
  g_autoptr (GError) error = NULL;

  if (directory == NULL)
    {
      directory = testing_path ("cohort");
      demo_cohort_write (directory, &small, NULL, NULL, NULL, &error);
      assert_no_error (error);
    }
  return directory;
}

static char *
read_table (CatalogSplit split, DemoTable table, gsize *length)
{
  g_autofree char *path = g_build_filename (small_cohort (), demo_table_name (split, table), NULL);
  g_autoptr (GError) error = NULL;
  char *text;

  g_file_get_contents (path, &text, length, &error);
  assert_no_error (error);
  return text;
}

static CatalogVolumeIndex *
small_index (void)
{
  g_autofree char *volumes = g_build_filename (small_cohort (), "volumes", NULL);
  g_autoptr (GError) error = NULL;
  CatalogVolumeIndex *index = catalog_volume_index_new (volumes, NULL, &error);

  assert_no_error (error);
  return index;
}

/* ---- tables ---- */

static void
test_tables_have_the_published_header_lines (void **state)
{
  static const char labels[] =
      "VolumeName,Medical material,Arterial wall calcification,Cardiomegaly,";
  static const char metadata[] =
      "VolumeName,Manufacturer,SeriesDescription,ManufacturerModelName,PatientSex,PatientAge,"
      "ReconstructionDiameter,";
  g_autofree char *train = read_table (CATALOG_SPLIT_TRAIN, DEMO_TABLE_REPORTS, NULL);
  g_autofree char *valid = read_table (CATALOG_SPLIT_VALID, DEMO_TABLE_REPORTS, NULL);
  g_autofree char *valid_labels = read_table (CATALOG_SPLIT_VALID, DEMO_TABLE_LABELS, NULL);
  g_autofree char *train_metadata = read_table (CATALOG_SPLIT_TRAIN, DEMO_TABLE_METADATA, NULL);

  assert_true (g_str_has_prefix (train, "\xef\xbb\xbfVolumeName,ClinicalInformation_EN,Technique_"
                                        "EN,Findings_EN,Impressions_EN\ntrain_1_a_1.nii.gz,"));
  assert_true (g_str_has_prefix (valid, "VolumeName,ClinicalInformation_EN,"));
  assert_true (g_str_has_prefix (valid_labels, labels));
  assert_non_null (strstr (valid_labels, ",Interlobular septal thickening\nvalid_1_a_1.nii.gz,"));
  assert_true (g_str_has_prefix (train_metadata, metadata));
  assert_non_null (
      strstr (train_metadata,
              ",XYSpacing,RescaleIntercept,RescaleSlope,RescaleType,NumberofSlices,ZSpacing,"
              "StudyDate\n"));
}

static void
test_tables_have_the_published_quirks (void **state)
{
  const DemoCohortOptions many = { .n_train = 200, .seed = SEED };
  g_autoptr (GPtrArray) rows = demo_cohort_rows (&many, CATALOG_SPLIT_TRAIN);
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = testing_path ("");
  g_autofree char *path = testing_path (demo_table_name (CATALOG_SPLIT_TRAIN, DEMO_TABLE_REPORTS));
  g_autofree char *reports = NULL;
  gsize length;
  g_autofree char *crlf = read_table (CATALOG_SPLIT_VALID, DEMO_TABLE_METADATA, &length);
  g_autofree char *metadata = read_table (CATALOG_SPLIT_TRAIN, DEMO_TABLE_METADATA, NULL);

  assert_true (length > 2 && crlf[length - 1] != '\n');
  assert_non_null (strstr (crlf, "\r\nvalid_2_a_1.nii.gz,"));
  assert_non_null (strstr (metadata, ",\"[1, 0, 0, 0, 1, 0]\","));
  assert_true (g_regex_match_simple ("\n[^\n]*,0[0-9][0-9]Y,", metadata, 0, 0));
  assert_true (
      g_regex_match_simple (",\"\\[[0-9.]+, [0-9.]+\\]\",-(1024|8192),1,,[0-9]+,", metadata, 0, 0));

  demo_tables_write (directory, CATALOG_SPLIT_TRAIN, rows, &error);
  assert_no_error (error);
  g_file_get_contents (path, &reports, NULL, &error);
  assert_no_error (error);
  assert_non_null (strstr (reports, "\"\"stable\"\""));
  assert_non_null (strstr (reports, "\n• "));
  assert_non_null (strstr (reports, "\u201cfatty\u201d"));
  assert_non_null (strstr (reports, ",Not given.,"));
  assert_non_null (strstr (reports, ",,"));
}

static void
check_funnel (CatalogStore *store, CatalogSplit split, guint kept)
{
  g_autofree char *reports =
      g_build_filename (small_cohort (), demo_table_name (split, DEMO_TABLE_REPORTS), NULL);
  g_autofree char *labels =
      g_build_filename (small_cohort (), demo_table_name (split, DEMO_TABLE_LABELS), NULL);
  g_autofree char *metadata =
      g_build_filename (small_cohort (), demo_table_name (split, DEMO_TABLE_METADATA), NULL);
  g_autofree char *no_chest =
      g_build_filename (small_cohort (), demo_table_name (split, DEMO_TABLE_NO_CHEST), NULL);
  const CatalogImportOptions options = { .split = split,
                                         .reports_path = reports,
                                         .labels_path = labels,
                                         .metadata_path = metadata,
                                         .no_chest_path = no_chest };
  g_autoptr (GPtrArray) rows = demo_cohort_rows (&small, split);
  g_autoptr (GError) error = NULL;
  CatalogFunnel funnel;

  catalog_import (store, &options, NULL, NULL, &funnel, NULL, &error);
  assert_no_error (error);
  assert_int_equal (funnel.rows, rows->len);
  assert_int_equal (funnel.count[CATALOG_KEPT], kept);
  assert_int_equal (funnel.count[CATALOG_DROP_UNREADABLE], 1);
  assert_true (funnel.count[CATALOG_DROP_NO_LABEL] > 0);
  assert_true (funnel.count[CATALOG_DROP_NO_TEXT] > 0);
  assert_true (funnel.count[CATALOG_DROP_NO_CHEST] > 0);
  assert_true (funnel.count[CATALOG_DROP_RECONSTRUCTION] > 0);
  assert_int_equal (funnel.without_metadata, 0);
}

static void
test_import_keeps_the_wanted_patients (void **state)
{
  g_autofree char *path = testing_path ("workspace.sqlite");
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogStore) store = catalog_store_open (path, TRUE, &error);

  assert_no_error (error);
  check_funnel (store, CATALOG_SPLIT_TRAIN, small.n_train);
  check_funnel (store, CATALOG_SPLIT_VALID, small.n_valid);
}

static void
test_a_report_names_what_is_found (void **state)
{
  g_autoptr (DemoReport) found = NULL, clear = NULL;
  Random random;

  random_init (&random, SEED, 0);
  do
    {
      g_clear_pointer (&found, demo_report_free);
      found = demo_report_write (1u << EMPHYSEMA | 1u << CARDIOMEGALY, &random);
    }
  while (strcmp (found->impression, "Not given.") == 0);
  assert_string_equal (found->impression, "Cardiomegaly. Emphysema.");
  do
    {
      g_clear_pointer (&clear, demo_report_free);
      clear = demo_report_write (0, &random);
    }
  while (strcmp (clear->impression, "Not given.") == 0);
  assert_string_equal (clear->impression, "Thorax CT examination within normal limits.");
}

/* ---- scans ---- */

static void
test_every_kept_row_has_a_scan_that_agrees_with_its_table (void **state)
{
  g_autoptr (CatalogVolumeIndex) index = small_index ();
  guint storages = 0;

  assert_int_equal (catalog_volume_index_size (index), small.n_train + small.n_valid);
  for (guint split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_autoptr (GPtrArray) rows = demo_cohort_rows (&small, split);

      for (guint i = 0; i < rows->len; i++)
        {
          const DemoRow *row = g_ptr_array_index (rows, i);
          const char *path = catalog_volume_index_path (index, row->volume);
          g_autoptr (VolumeHeader) header = NULL;
          g_autoptr (Volume) volume = NULL;
          g_autoptr (GError) error = NULL;
          VolumeMetadata metadata = { 1, row->scan.scanner->intercept, NAN, NAN, NAN };
          g_autofree gint16 *hu = NULL;
          gsize n = row->scan.n[0] * row->scan.n[1] * row->scan.n[2];

          assert_int_equal (path != NULL, row->kept);
          if (!row->kept)
            continue;
          header = volume_header_read (path, &error);
          assert_no_error (error);
          assert_true (header->has_orientation);
          for (guint axis = 0; axis < 3; axis++)
            {
              assert_int_equal (header->n[axis], row->scan.n[axis]);
              assert_true (fabs (header->spacing_mm[axis] - row->scan.spacing_mm[axis]) < 1e-5);
            }
          /* However it is stored, the program finds the same HU. */
          volume =
              volume_load (path, &metadata, VOLUME_RESCALE_AUTO, VOLUME_ORIENT_LPS, NULL, &error);
          assert_no_error (error);
          hu = demo_scan_hu (&row->scan, row->labels);
          for (gsize k = 0; k < n; k++)
            assert_true (volume->hu[k] == hu[k]);
          storages |= 1u << row->scan.storage;
        }
    }
  assert_true (storages & 1u << DEMO_STORED_RAW && storages & 1u << DEMO_STORED_HU);
}

static void
test_the_same_seed_gives_the_same_bytes (void **state)
{
  DemoCohortOptions again = small;
  g_autofree char *directory = testing_path ("again");
  g_autoptr (CatalogVolumeIndex) first = small_index ();
  g_autoptr (CatalogVolumeIndex) second = NULL;
  g_autofree char *volumes = g_build_filename (directory, "volumes", NULL);
  g_autoptr (GPtrArray) rows = demo_cohort_rows (&small, CATALOG_SPLIT_TRAIN);
  g_autoptr (GError) error = NULL;

  again.threads = 1;
  demo_cohort_write (directory, &again, NULL, NULL, NULL, &error);
  assert_no_error (error);
  second = catalog_volume_index_new (volumes, NULL, &error);
  assert_no_error (error);
  for (guint i = 0; i < rows->len; i++)
    {
      const DemoRow *row = g_ptr_array_index (rows, i);
      g_autofree char *a = NULL, *b = NULL;

      if (!row->kept)
        continue;
      a = file_hash (catalog_volume_index_path (first, row->volume), NULL, &error);
      b = file_hash (catalog_volume_index_path (second, row->volume), NULL, &error);
      assert_no_error (error);
      assert_string_equal (a, b);
    }
  for (guint table = 0; table < DEMO_N_TABLES; table++)
    {
      const char *name = demo_table_name (CATALOG_SPLIT_VALID, table);
      g_autofree char *path_a = g_build_filename (small_cohort (), name, NULL);
      g_autofree char *path_b = g_build_filename (directory, name, NULL);
      g_autofree char *a = file_hash (path_a, NULL, &error), *b = file_hash (path_b, NULL, &error);

      assert_no_error (error);
      assert_string_equal (a, b);
    }
}

/* ---- findings ---- */

/** One patient on a coarse grid. */
static PhantomGrid *
paint_patient (guint32 index, guint32 labels)
{
  const gsize n[3] = { 72, 72, 44 };
  PhantomGrid *grid =
      phantom_grid_new (n, (PhantomVector){ 5, 5, 6.5f }, (PhantomVector){ 0, 0, 0 });

  phantom_paint (grid, SEED, index, labels);
  return grid;
}

typedef struct
{
  guint n;       /* changed voxels */
  double rise;   /* mean change in HU */
  double darker; /* share of the changed voxels that lost */
  float brightest;
  double x, y, z; /* middle of the changed voxels, mm */
} Change;

static Change
compare_patients (guint32 index, guint32 labels, guint label)
{
  g_autoptr (PhantomGrid) without = paint_patient (index, labels);
  g_autoptr (PhantomGrid) with = paint_patient (index, labels | 1u << label);
  Change change = { .brightest = -INFINITY };
  gsize i = 0;

  for (gsize z = 0; z < with->n[2]; z++)
    for (gsize y = 0; y < with->n[1]; y++)
      for (gsize x = 0; x < with->n[0]; x++, i++)
        if (with->hu[i] != without->hu[i])
          {
            assert_true (without->tissue[i] != PHANTOM_AIR);
            change.n++;
            change.rise += with->hu[i] - without->hu[i];
            change.darker += with->hu[i] < without->hu[i];
            change.brightest = MAX (change.brightest, with->hu[i]);
            change.x += with->origin_mm.x + with->spacing_mm.x * (float) x;
            change.y += with->origin_mm.y + with->spacing_mm.y * (float) y;
            change.z += with->origin_mm.z + with->spacing_mm.z * (float) z;
          }
  change.rise /= change.n;
  change.darker /= change.n;
  change.x /= change.n;
  change.y /= change.n;
  change.z /= change.n;
  return change;
}

static void
test_every_finding_shows_in_the_body_and_there_only (void **state)
{
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    for (guint32 index = 0; index < 3; index++)
      {
        Change change = compare_patients (index, 0, label);

        assert_true (change.n >= 15);
      }
}

static void
test_findings_look_like_what_they_are_called (void **state)
{
  for (guint32 index = 0; index < 5; index++)
    {
      assert_true (compare_patients (index, 0, MEDICAL_MATERIAL).brightest > 1000);
      assert_true (compare_patients (index, 0, ARTERIAL_CALCIFICATION).brightest > 500);
      assert_true (compare_patients (index, 0, CORONARY_CALCIFICATION).brightest > 500);
      assert_true (compare_patients (index, 0, CARDIOMEGALY).rise > 200);
      assert_true (compare_patients (index, 0, EMPHYSEMA).darker > 0.6);
      assert_true (compare_patients (index, 0, PLEURAL_EFFUSION).y > 20); /* behind */
      assert_true (
          compare_patients (index, 0, CORONARY_CALCIFICATION).y
          < compare_patients (index, 0, ARTERIAL_CALCIFICATION).y); /* in front of the aorta */
    }
}

static void
test_a_finding_leaves_the_others_as_they_are (void **state)
{
  /* What a label changes is the same beside another finding that lies elsewhere. */
  Change alone = compare_patients (1, 0, MEDICAL_MATERIAL);
  Change beside = compare_patients (1, 1u << PLEURAL_EFFUSION, MEDICAL_MATERIAL);

  assert_int_equal (alone.n, beside.n);
  assert_true (fabs (alone.rise - beside.rise) < 1e-6);
}

/* ---- labels, and what must not know of them ---- */

static void
test_labels_are_as_common_as_in_ct_rate (void **state)
{
  const guint n = 20000;
  guint positives[CATALOG_N_LABELS] = { 0 }, both = 0;
  Random random;

  random_init (&random, SEED, 0);
  for (guint i = 0; i < n; i++)
    {
      guint32 labels = demo_labels_draw (&random);

      for (guint label = 0; label < CATALOG_N_LABELS; label++)
        positives[label] += labels >> label & 1;
      both += (labels >> ARTERIAL_CALCIFICATION & labels >> CORONARY_CALCIFICATION & 1);
    }
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    assert_true (fabs ((double) positives[label] / n - demo_labels_prevalence (label)) < 0.015);
  /* Worn vessels go together. */
  assert_true ((double) both / n > 1.5 * demo_labels_prevalence (ARTERIAL_CALCIFICATION)
                                       * demo_labels_prevalence (CORONARY_CALCIFICATION));
}

/** Everything of a row that is not a label, as numbers. */
enum
{
  N_NUISANCES = 21
};

static void
list_nuisances (const DemoRow *row, guint position, double *numbers)
{
  const DemoScan *scan = &row->scan;
  const double list[N_NUISANCES] = {
    position,
    (double) scan->n[0],
    (double) scan->n[2],
    scan->spacing_mm[0],
    scan->spacing_mm[2],
    scan->spacing_mm[0] * (double) scan->n[0],
    scan->centre_mm.x,
    scan->centre_mm.y,
    scan->centre_mm.z,
    scan->noise_hu,
    scan->flip[0],
    scan->flip[1],
    scan->flip[2],
    scan->storage == DEMO_STORED_HU,
    scan->storage == DEMO_STORED_HEADER,
    scan->scanner->intercept,
    strcmp (scan->scanner->manufacturer, "SIEMENS") == 0,
    scan->scanner->model[0],
    strcmp (row->sex, "F") == 0,
    row->age_years,
    g_ascii_strtod (row->study_date, NULL),
  };

  memcpy (numbers, list, sizeof list);
}

static void
test_nothing_but_the_voxels_knows_a_label (void **state)
{
  const DemoCohortOptions many = { .n_train = 3000, .seed = SEED };
  g_autoptr (GPtrArray) rows = demo_cohort_rows (&many, CATALOG_SPLIT_TRAIN);
  double sum[N_NUISANCES] = { 0 }, squares[N_NUISANCES] = { 0 };
  double of_label[CATALOG_N_LABELS][N_NUISANCES] = { { 0 } }, n_label[CATALOG_N_LABELS] = { 0 },
         n = 0;

  for (guint i = 0; i < rows->len; i++)
    {
      const DemoRow *row = g_ptr_array_index (rows, i);
      double numbers[N_NUISANCES];

      if (!row->kept)
        continue;
      list_nuisances (row, i, numbers);
      n++;
      for (guint k = 0; k < N_NUISANCES; k++)
        {
          sum[k] += numbers[k];
          squares[k] += numbers[k] * numbers[k];
        }
      for (guint label = 0; label < CATALOG_N_LABELS; label++)
        if (row->labels >> label & 1)
          {
            n_label[label]++;
            for (guint k = 0; k < N_NUISANCES; k++)
              of_label[label][k] += numbers[k];
          }
    }
  assert_int_equal (n, many.n_train);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    for (guint k = 0; k < N_NUISANCES; k++)
      {
        double mean = sum[k] / n, variance = squares[k] / n - mean * mean;
        double deviation = sqrt (variance / n_label[label] * (1 - n_label[label] / n));
        double difference = of_label[label][k] / n_label[label] - mean;

        /* 378 comparisons of independent things: one beyond 4.5 deviations comes in 400 seeds. */
        assert_true (variance > 0);
        if (fabs (difference) > 4.5 * deviation)
          fail_msg ("%s goes with number %u of a row: %.2f deviations", catalog_label_name (label),
                    k, difference / deviation);
      }
}

/* ---- the codebook ---- */

static void
test_the_codebook_finds_kinds_of_tokens (void **state)
{
  enum
  {
    KINDS = 6,
    EACH = 200,
    DIM = 10
  };
  float kinds[KINDS][DIM], tokens[KINDS * EACH * DIM], codes[KINDS * DIM];
  g_autoptr (GError) error = NULL;
  Random random;

  random_init (&random, SEED, 0);
  for (guint kind = 0; kind < KINDS; kind++)
    for (guint k = 0; k < DIM; k++)
      kinds[kind][k] = k == kind ? 1 : 0;
  for (guint i = 0; i < KINDS * EACH; i++)
    for (guint k = 0; k < DIM; k++)
      tokens[i * DIM + k] = 3 * kinds[i % KINDS][k] + 0.2f * (float) random_normal (&random);
  assert_true (
      demo_codebook_fit (tokens, KINDS * EACH, DIM, KINDS, 3, &random, codes, NULL, &error));
  for (guint kind = 0; kind < KINDS; kind++)
    {
      float nearest = -1;

      for (guint code = 0; code < KINDS; code++)
        {
          float cosine = 0, square = 0;

          for (guint k = 0; k < DIM; k++)
            {
              cosine += kinds[kind][k] * codes[code * DIM + k];
              square += codes[code * DIM + k] * codes[code * DIM + k];
            }
          assert_true (fabsf (square - 1) < 1e-5f);
          nearest = MAX (nearest, cosine);
        }
      assert_true (nearest > 0.999f);
    }
}

/* ---- what can go wrong ---- */

static void
test_a_file_in_the_way_is_named (void **state)
{
  g_autofree char *in_the_way = testing_write ("in_the_way", "", 0);
  g_autofree char *directory = g_build_filename (in_the_way, "cohort", NULL);
  g_autoptr (GError) error = NULL;

  assert_false (demo_cohort_write (directory, &small, NULL, NULL, NULL, &error));
  assert_error_says (&error, "in_the_way", "cannot be made", "choose a directory", NULL);
}

static void
cancel_soon (guint64 done, guint64 total, gpointer user_data)
{
  assert_int_equal (total, small.n_train + small.n_valid);
  if (done >= 2)
    g_cancellable_cancel (user_data);
}

static void
test_a_cohort_can_be_cancelled (void **state)
{
  g_autofree char *directory = testing_path ("cancelled");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  assert_false (
      demo_cohort_write (directory, &small, cancel_soon, cancellable, cancellable, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_tables_have_the_published_header_lines),
    cmocka_unit_test (test_tables_have_the_published_quirks),
    cmocka_unit_test (test_import_keeps_the_wanted_patients),
    cmocka_unit_test (test_a_report_names_what_is_found),
    cmocka_unit_test (test_every_kept_row_has_a_scan_that_agrees_with_its_table),
    cmocka_unit_test (test_the_same_seed_gives_the_same_bytes),
    cmocka_unit_test (test_every_finding_shows_in_the_body_and_there_only),
    cmocka_unit_test (test_findings_look_like_what_they_are_called),
    cmocka_unit_test (test_a_finding_leaves_the_others_as_they_are),
    cmocka_unit_test (test_labels_are_as_common_as_in_ct_rate),
    cmocka_unit_test (test_nothing_but_the_voxels_knows_a_label),
    cmocka_unit_test (test_the_codebook_finds_kinds_of_tokens),
    cmocka_unit_test (test_a_file_in_the_way_is_named),
    cmocka_unit_test (test_a_cohort_can_be_cancelled),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

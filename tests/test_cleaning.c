/* What the cells of the tables mean, and the names of what is made of them. */
#include "testing.h"

#include "base/error.h"
#include "catalog/cleaning.h"
#include "catalog/labels.h"
#include "catalog/record.h"

#include <math.h>
#include <string.h>

/* ---- cells ---- */

static void
assert_name (const char *name, const char *patient, gboolean first)
{
  gsize length = 0;
  gboolean is_first = !first;

  assert_true (cleaning_parse_name (name, &length, &is_first));
  assert_int_equal (length, strlen (patient));
  assert_memory_equal (name, patient, length);
  assert_int_equal (is_first, first);
}

static void
test_volume_names_are_taken_apart (void **state)
{
  assert_name ("train_1_a_1.nii.gz", "train_1", TRUE);
  assert_name ("train_12_b_2.nii.gz", "train_12", FALSE);
  assert_name ("valid_7_a_11.nii.gz", "valid_7", FALSE);
  assert_name ("my_own-data_P03_a_1.nii.gz", "my_own-data_P03", TRUE);
}

static void
test_what_is_no_volume_name (void **state)
{
  static const char *const wrong[] = {
    "",
    "train_1_a_1",
    "train_1_a_1.nii",
    ".nii.gz",
    "train_1_1.nii.gz",
    "_1_a_1.nii.gz",
    "train__a_1.nii.gz",
    "train_1__1.nii.gz",
    "train_1_a_.nii.gz",
    "train_1_a_x.nii.gz",
    "train_1_a_1.nii.gz ",
    "../train_1_a_1.nii.gz",
    "train_1_a b_1.nii.gz",
    "train_1_\xc3\xa4_1.nii.gz",
  };
  gsize length;
  gboolean first;

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    if (cleaning_parse_name (wrong[i], &length, &first))
      fail_msg ("\"%s\" was taken for a name", wrong[i]);
}

static void
test_one_line_of_a_cell_is_short_and_without_control_characters (void **state)
{
  g_autofree char *plain = cleaning_one_line (" \x1b[31mCT\nof\t\xc3\xa9 ");
  g_autofree char *shortened = NULL;
  g_autoptr (GString) text = g_string_new ("x");

  assert_string_equal (plain, "[31mCT of \xc3\xa9");
  while (text->len < 10000)
    g_string_append (text, "\xe2\x82\xac");
  shortened = cleaning_one_line (text->str);
  assert_in_range (strlen (shortened), 200, 300);
  assert_true (g_utf8_validate (shortened, -1, NULL));
}

static void
test_nothing_written_in_all_its_forms (void **state)
{
  assert_true (cleaning_is_missing (""));
  assert_true (cleaning_is_missing (" \n\t"));
  assert_true (cleaning_is_missing ("NaN"));
  assert_true (cleaning_is_missing ("nan "));
  assert_true (cleaning_is_missing ("Not given."));
  assert_true (cleaning_is_missing ("\nnot given.                                      \n"));
  assert_false (cleaning_is_missing ("Not given. Normal."));
  assert_false (cleaning_is_missing ("NaNo"));
  assert_false (cleaning_is_missing ("."));
}

static void
test_ages_in_dicom_units (void **state)
{
  assert_int_equal (cleaning_age_years ("036Y"), 36);
  assert_int_equal (cleaning_age_years ("101y"), 101);
  assert_int_equal (cleaning_age_years ("030M"), 2);
  assert_int_equal (cleaning_age_years ("104W"), 1);
  assert_int_equal (cleaning_age_years ("012D"), 0);
  assert_int_equal (cleaning_age_years ("36"), 36);
  assert_int_equal (cleaning_age_years ("36.0"), 36);
  assert_int_equal (cleaning_age_years (""), -1);
  assert_int_equal (cleaning_age_years ("Y"), -1);
  assert_int_equal (cleaning_age_years ("-3Y"), -1);
  assert_int_equal (cleaning_age_years ("36X"), -1);
  assert_int_equal (cleaning_age_years ("99999999999Y"), -1);
}

static void
test_numbers_counts_and_flags (void **state)
{
  assert_true (cleaning_number ("-1024") == -1024);
  assert_true (cleaning_number (" 1.5 ") == 1.5);
  assert_true (isnan (cleaning_number ("")));
  assert_true (isnan (cleaning_number ("1,5")));
  assert_true (isnan (cleaning_number ("inf")));
  assert_int_equal (cleaning_count ("512"), 512);
  assert_int_equal (cleaning_count ("512.0"), 512);
  assert_int_equal (cleaning_count ("0"), -1);
  assert_int_equal (cleaning_count ("1.5"), -1);
  assert_int_equal (cleaning_count ("4294967297"), -1);
  assert_int_equal (cleaning_flag ("0"), 0);
  assert_int_equal (cleaning_flag ("1.0"), 1);
  assert_int_equal (cleaning_flag ("2"), -1);
  assert_int_equal (cleaning_flag (""), -1);
}

static void
test_short_numbers_are_what_strtod_makes_of_them (void **state)
{
  static const char *const cells[] = {
    "0.1",  "-0",          "1.",
    ".5",   "-.5",         "0.341796875",
    "1e3",  "0x10",        "999999999999999",
    "00.1", "0.999999999", "9007199254740993",
    "0.7",  "0.07",        "123456789012345.6",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cells); i++)
    {
      const double number = cleaning_number (cells[i]), expected = g_ascii_strtod (cells[i], NULL);

      if (memcmp (&number, &expected, sizeof number) != 0)
        fail_msg ("%s is read as %.17g", cells[i], number);
    }
}

static void
test_spacing_is_the_first_of_a_list (void **state)
{
  assert_true (cleaning_spacing_mm ("[0.341796875, 0.5]") == 0.341796875);
  assert_true (cleaning_spacing_mm ("0.75") == 0.75);
  assert_true (isnan (cleaning_spacing_mm ("[]")));
  assert_true (isnan (cleaning_spacing_mm ("[0, 0]")));
  assert_true (isnan (cleaning_spacing_mm ("")));
}

/* ---- names of labels, splits and reasons ---- */

static void
test_labels_stand_in_the_order_of_ct_rate (void **state)
{
  assert_string_equal (catalog_label_name (0), "Medical material");
  assert_string_equal (catalog_label_name (4), "Coronary artery wall calcification");
  assert_string_equal (catalog_label_name (9), "Lung nodule");
  assert_string_equal (catalog_label_name (17), "Interlobular septal thickening");
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    assert_int_equal (catalog_label_find (catalog_label_name (label)), label);
}

static void
test_labels_are_found_however_they_are_spelt (void **state)
{
  assert_int_equal (catalog_label_find ("pleural_effusion"), 12);
  assert_int_equal (catalog_label_find ("PLEURAL-Effusion"), 12);
  assert_int_equal (catalog_label_find ("pleural"), -1);
  assert_int_equal (catalog_label_find ("pleural effusions"), -1);
  assert_int_equal (catalog_label_find (""), -1);
}

static void
test_splits_and_reasons_have_their_names (void **state)
{
  g_autoptr (GError) error = NULL;
  CatalogSplit split;

  assert_true (catalog_split_parse ("validation", &split, NULL) && split == CATALOG_SPLIT_VALID);
  assert_true (catalog_split_parse ("valid", &split, NULL) && split == CATALOG_SPLIT_VALID);
  assert_true (catalog_split_parse ("train", &split, NULL) && split == CATALOG_SPLIT_TRAIN);
  assert_false (catalog_split_parse ("test", &split, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
  assert_error_says (&error, "test", "train and valid", NULL);
  assert_string_equal (catalog_reason_name (CATALOG_DROP_NO_LABEL), "no_label");
  assert_string_equal (catalog_reason_name (CATALOG_DROP_PATIENT), "patient");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_volume_names_are_taken_apart),
    cmocka_unit_test (test_what_is_no_volume_name),
    cmocka_unit_test (test_one_line_of_a_cell_is_short_and_without_control_characters),
    cmocka_unit_test (test_nothing_written_in_all_its_forms),
    cmocka_unit_test (test_ages_in_dicom_units),
    cmocka_unit_test (test_numbers_counts_and_flags),
    cmocka_unit_test (test_short_numbers_are_what_strtod_makes_of_them),
    cmocka_unit_test (test_spacing_is_the_first_of_a_list),
    cmocka_unit_test (test_labels_stand_in_the_order_of_ct_rate),
    cmocka_unit_test (test_labels_are_found_however_they_are_spelt),
    cmocka_unit_test (test_splits_and_reasons_have_their_names),
  };

  return cmocka_run_group_tests_name ("cleaning", tests, NULL, NULL);
}

/* The language of queries, and lists of records. */
#include "testing_tables.h"

#include "base/error.h"
#include "catalog/query.h"
#include "base/random.h"

#include <string.h>

#define CARDIOMEGALY (1u << 2)
#define EMPHYSEMA (1u << 7)
#define LUNG_NODULE (1u << 9)
#define PLEURAL_EFFUSION (1u << 12)

/* One store for all tests; none writes to it. */
static CatalogStore *store;

/*                  labels                        sex age scanner           slices z   date
 * train_1_a_1      emphysema, lung nodule        M   72  Siemens           300    1.5 2019-03-02
 * train_1_a_2      (another reconstruction)      M   72  Siemens           600    0.5
 * train_2_a_1      pleural effusion              F   45  Philips           250    2   2020-12-31
 * train_10_a_1     emphysema, pleural effusion   F   61  philips           200    3   2021-01-01
 * train_11_a_1     -                             ?   ?   ?                 ?      ?   ?
 * train_11_b_1     cardiomegaly (later study)    ?   ?   ?                 ?      ?   ?
 * valid_1_a_1      lung nodule                   F   80  100%_GE           150    1   2021-04-27
 * train_12_a_1     (no label, with a report) */
static int
make_store (void **state)
{
  g_autofree char *train = testing_label_table (
      "train_1_a_1.nii.gz", EMPHYSEMA | LUNG_NODULE, "train_1_a_2.nii.gz", EMPHYSEMA | LUNG_NODULE,
      "train_2_a_1.nii.gz", PLEURAL_EFFUSION, "train_10_a_1.nii.gz", EMPHYSEMA | PLEURAL_EFFUSION,
      "train_11_a_1.nii.gz", 0u, "train_11_b_1.nii.gz", CARDIOMEGALY, NULL);
  g_autofree char *valid = testing_label_table ("valid_1_a_1.nii.gz", LUNG_NODULE, NULL);
  const TestingTables tables[] = {
    [CATALOG_SPLIT_TRAIN] = {
      .reports = REPORTS_HEADER
          "train_1_a_1.nii.gz,,,Ground glass and a nodule.,Emphysema\n"
          "train_1_a_2.nii.gz,,,Ground glass and a nodule.,Emphysema\n"
          "train_2_a_1.nii.gz,,,Glass ground thin.,No nodules\n"
          "train_10_a_1.nii.gz,Smoker,,Emphys\xc3\xa8me; \"\"no\"\" nodularity.,Not given.\n"
          "train_11_a_1.nii.gz,,,Normal AND well.,Age is fine\n"
          "train_11_b_1.nii.gz,,,Large heart.,Cardiomegaly\n"
          "train_12_a_1.nii.gz,,,Ground glass.,x\n",
      .labels = train,
      .metadata = METADATA_HEADER
          "train_1_a_1.nii.gz,Siemens Healthineers,go.Top,M,072Y,512,512,0.7,0,1,300,1.5,20190302\n"
          "train_1_a_2.nii.gz,Siemens Healthineers,go.Top,M,072Y,512,512,0.7,0,1,600,0.5,20190302\n"
          "train_2_a_1.nii.gz,Philips,iCT 256,F,045Y,512,512,0.7,0,1,250,2,20201231\n"
          "train_10_a_1.nii.gz,philips,iCT 128,F,061Y,1024,512,0.7,-1024,1,200,3,20210101\n",
    },
    [CATALOG_SPLIT_VALID] = {
      .reports = REPORTS_HEADER "valid_1_a_1.nii.gz,,,\"Nodule, ground-glass\",Single\n",
      .labels = valid,
      .metadata = METADATA_HEADER
          "valid_1_a_1.nii.gz,100%_GE,Revolution,F,080Y,512,512,0.9,0,1,150,1,20210427\n",
    },
  };

  store = testing_store_new ("query.sqlite", NULL);
  testing_tables_must_import (store, CATALOG_SPLIT_VALID, &tables[CATALOG_SPLIT_VALID]);
  testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables[CATALOG_SPLIT_TRAIN]);
  return 0;
}

static int
close_store (void **state)
{
  catalog_store_close (store);
  return 0;
}

/** The page as "train_1_a_1 valid_1_a_1"; g_free it. */
static char *
list (const char *text, CatalogListOptions options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse (text, &error);
  g_autoptr (GPtrArray) records = NULL;
  GString *names = g_string_new (NULL);

  assert_no_error (error);
  records = catalog_records_list (store, query, &options, &error);
  assert_no_error (error);
  for (guint i = 0; i < records->len; i++)
    {
      const CatalogRecord *record = g_ptr_array_index (records, i);

      g_string_append_printf (names, "%s%.*s", i > 0 ? " " : "",
                              (int) (strlen (record->volume) - strlen (".nii.gz")), record->volume);
    }
  if (options.limit == 0 && options.offset == 0)
    {
      assert_int_equal (catalog_records_count (store, query, &options, &error), records->len);
      assert_no_error (error);
    }
  return g_string_free (names, FALSE);
}

static void
assert_found (const char *text, const char *expected)
{
  g_autofree char *names = list (text, (CatalogListOptions){ .split = -1 });

  if (strcmp (names, expected) != 0)
    fail_msg ("%s: found \"%s\" and not \"%s\"", text, names, expected);
}

static void
assert_wrong (const char *text, const char *says, const char *says_too)
{
  g_autoptr (GError) error = NULL;

  if (catalog_query_parse (text, &error) != NULL)
    fail_msg ("%s: was understood", text);
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
  assert_error_says (&error, says, says_too, NULL);
}

/* ---- terms ---- */

#define ALL_KEPT "train_1_a_1 train_2_a_1 train_10_a_1 train_11_a_1 valid_1_a_1"

static void
test_empty_query_finds_what_is_kept (void **state)
{
  assert_found (NULL, ALL_KEPT);
  assert_found ("", ALL_KEPT);
  assert_found ("  \n", ALL_KEPT);
}

static void
test_label_is_a_term_however_it_is_spelt (void **state)
{
  assert_found ("emphysema", "train_1_a_1 train_10_a_1");
  assert_found ("EMPHYSEMA", "train_1_a_1 train_10_a_1");
  assert_found ("\"pleural effusion\"", "train_2_a_1 train_10_a_1");
  assert_found ("pleural_effusion", "train_2_a_1 train_10_a_1");
  assert_found ("Pleural-Effusion", "train_2_a_1 train_10_a_1");
  assert_found ("pleural effusion", "train_2_a_1 train_10_a_1");
  assert_found ("pleural effusion emphysema", "train_10_a_1");
  assert_found ("label = pleural effusion AND label:emphysema", "train_10_a_1");
  assert_found ("label != emphysema", "train_2_a_1 train_11_a_1 valid_1_a_1");
  assert_found ("lung nodule = 1", "train_1_a_1 valid_1_a_1");
  assert_found ("lung nodule = 0 emphysema = 0", "train_2_a_1 train_11_a_1");
}

static void
test_words_and_phrases_are_looked_for_in_the_reports (void **state)
{
  assert_found ("nodule", "train_1_a_1 valid_1_a_1");
  assert_found ("nodul*", "train_1_a_1 train_2_a_1 train_10_a_1 valid_1_a_1");
  assert_found ("\"ground glass\"", "train_1_a_1 valid_1_a_1");
  assert_found ("ground glass", "train_1_a_1 train_2_a_1 valid_1_a_1");
  assert_found ("\"ground gl\"*", "train_1_a_1 valid_1_a_1");
  assert_found ("\"ground gl\"", "");
  assert_found ("\xe2\x80\x9cground glass\xe2\x80\x9d", "train_1_a_1 valid_1_a_1");
  assert_found ("\xe2\x80\x9c\"no\" nodularity\xe2\x80\x9d", "train_10_a_1");
  assert_found ("\xe2\x80\x9e\" OR ground\xe2\x80\x9c", "");
  assert_found ("ground-glass", "train_1_a_1 valid_1_a_1");
  assert_found ("SMOKER", "train_10_a_1");
  assert_found ("emphys\xc3\xa8me", "train_10_a_1");
  assert_found ("\"and well\"", "train_11_a_1");
  assert_found ("\"age\"", "train_11_a_1");
  assert_found ("text: emphysema", "train_1_a_1");
  assert_found ("text = \"single\"", "valid_1_a_1");
  assert_found ("text ~ nodul*", "train_1_a_1 train_2_a_1 train_10_a_1 valid_1_a_1");
}

static void
test_numbers_are_compared (void **state)
{
  assert_found ("age > 61", "train_1_a_1 valid_1_a_1");
  assert_found ("age>=61", "train_1_a_1 train_10_a_1 valid_1_a_1");
  assert_found ("age < 61", "train_2_a_1");
  assert_found ("Age <= 61", "train_2_a_1 train_10_a_1");
  assert_found ("age = 45", "train_2_a_1");
  assert_found ("age != 45", "train_1_a_1 train_10_a_1 valid_1_a_1");
  assert_found ("slices >= 200 spacing_z <= 2", "train_1_a_1 train_2_a_1");
  assert_found ("spacing-z = 1.5", "train_1_a_1");
  assert_found ("intercept = -1024", "train_10_a_1");
  assert_found ("rows > 512", "train_10_a_1");
  assert_found ("columns = 512 spacing_xy > .8", "valid_1_a_1");
}

static void
test_texts_are_compared_in_any_case (void **state)
{
  assert_found ("sex = f", "train_2_a_1 train_10_a_1 valid_1_a_1");
  assert_found ("manufacturer == PHILIPS", "train_2_a_1 train_10_a_1");
  assert_found ("manufacturer <> philips", "train_1_a_1 valid_1_a_1");
  assert_found ("manufacturer ~ HEALTH", "train_1_a_1");
  assert_found ("model = \"ict 256\"", "train_2_a_1");
  assert_found ("manufacturer ~ \"%_\"", "valid_1_a_1");
  assert_found ("manufacturer ~ \"_\"", "valid_1_a_1");
  assert_found ("manufacturer ~ \"\\\"", "");
  assert_found ("manufacturer = \"x' OR 1 = 1 --\"", "");
}

static void
test_dates_are_compared_with_as_much_as_was_said (void **state)
{
  assert_found ("study_date = 2021-04-27", "valid_1_a_1");
  assert_found ("study_date = 20210427", "valid_1_a_1");
  assert_found ("study_date = 2021", "train_10_a_1 valid_1_a_1");
  assert_found ("study_date <= 2021-01", "train_1_a_1 train_2_a_1 train_10_a_1");
  assert_found ("study_date > 2020", "train_10_a_1 valid_1_a_1");
}

static void
test_names_splits_and_states (void **state)
{
  assert_found ("volume = train_2_a_1", "train_2_a_1");
  assert_found ("volume = train_2_a_1.nii.gz", "train_2_a_1");
  assert_found ("volume ~ valid_", "valid_1_a_1");
  assert_found ("patient = train_1", "train_1_a_1");
  assert_found ("patient ~ TRAIN_1", "train_1_a_1 train_10_a_1 train_11_a_1");
  assert_found ("split:valid", "valid_1_a_1");
  assert_found ("split = validation", "valid_1_a_1");
  assert_found ("split != train", "valid_1_a_1");
  assert_found ("encoded", "");
  assert_found ("NOT encoded AND lung nodule", "train_1_a_1 valid_1_a_1");
}

static void
test_query_that_speaks_of_dropped_rows_finds_them (void **state)
{
  assert_found ("dropped", "train_1_a_2 train_11_b_1 train_12_a_1");
  assert_found ("NOT kept", "train_1_a_2 train_11_b_1 train_12_a_1");
  assert_found ("kept", ALL_KEPT);
  assert_found ("reason = patient", "train_11_b_1");
  assert_found ("reason = \"patient\"", "train_11_b_1");
  assert_found ("reason: reconstruction OR reason = NO_LABEL", "train_1_a_2 train_12_a_1");
  assert_found ("reason != kept AND emphysema", "train_1_a_2");
  assert_found ("dropped \"ground glass\"", "train_1_a_2 train_12_a_1");
  assert_found ("cardiomegaly", "");
}

static void
test_unknown_matches_neither_a_comparison_nor_its_opposite (void **state)
{
  assert_found ("age > 60 OR NOT age > 60", "train_1_a_1 train_2_a_1 train_10_a_1 valid_1_a_1");
  assert_found ("age = unknown", "train_11_a_1");
  assert_found ("sex:unknown", "train_11_a_1");
  assert_found ("study_date != unknown", "train_1_a_1 train_2_a_1 train_10_a_1 valid_1_a_1");
  /* A row without labels doesn't count as free of emphysema. */
  assert_found ("dropped NOT emphysema", "train_11_b_1");
}

/* ---- AND, OR, NOT ---- */

static void
test_not_binds_closest_then_and_then_or (void **state)
{
  assert_found ("lung nodule OR emphysema AND sex = F", "train_1_a_1 train_10_a_1 valid_1_a_1");
  assert_found ("(lung nodule OR emphysema) AND sex = F", "train_10_a_1 valid_1_a_1");
  assert_found ("(lung nodule OR emphysema) sex = F", "train_10_a_1 valid_1_a_1");
  assert_found ("NOT emphysema AND lung nodule", "valid_1_a_1");
  assert_found ("NOT (emphysema AND lung nodule)",
                "train_2_a_1 train_10_a_1 train_11_a_1 valid_1_a_1");
  assert_found ("not not emphysema and sex = m", "train_1_a_1");
  assert_found ("((emphysema))", "train_1_a_1 train_10_a_1");
  assert_found ("emphysema AND age > 60 AND \"ground glass\"", "train_1_a_1");
}

/* ---- wrong queries ---- */

static void
test_error_shows_the_query_with_a_caret_under_the_place (void **state)
{
  g_autoptr (GError) error = NULL;

  assert_null (catalog_query_parse ("emphysema AND agee > 60", &error));
  assert_string_equal (error->message,
                       "query, character 15: agee is neither a field nor a label, did you mean "
                       "\"age\"?\n"
                       "  emphysema AND agee > 60\n"
                       "                ^^^^");
}

static void
test_caret_stands_right_behind_wide_and_accented_letters (void **state)
{
  assert_wrong ("h\xc3\xa9 \xe8\x82\xba\n)",
                "character 6:", "\n  h\xc3\xa9 \xe8\x82\xba )\n        ^");
}

static void
test_what_was_expected_is_said (void **state)
{
  assert_wrong ("age > 60 AND (sex = F", "this bracket is not closed", "\n               ^");
  assert_wrong ("emphysema)", "no bracket is open", "\n           ^");
  assert_wrong ("emphysema AND", "the query ends here; expected a label", "\n               ^");
  assert_wrong ("OR emphysema", "expected a label", "not OR");
  assert_wrong ("emphysema AND OR nodule", "not OR", "^^");
  assert_wrong ("()", "expected a label", "not )");
  assert_wrong ("NOT", "the query ends here", "expected a label");
  assert_wrong ("\"ground glass", "this quote is not closed", "\n  ^");
  assert_wrong ("age", "expected an operator behind the field age", "in quotes");
  assert_wrong ("age >", "the query ends here", "a value");
  assert_wrong ("age > AND", "expected a value", "not AND");
  assert_wrong ("age > old", "expected a number", "not old");
  assert_wrong ("age ~ 6", "age can't be compared so", "= != < <= > >=");
  assert_wrong ("sex < F", "sex can't be compared so", "= != ~");
  assert_wrong ("age >< 6", "this is no operator", "^^");
  assert_wrong ("> 6", "expected a label", "not >");
  assert_wrong ("study_date > yesterday", "expected a date", "2021-04-27");
  assert_wrong ("split = test", "expected train or valid", "not test");
  assert_wrong ("reason = none", "reconstruction", "not none");
  assert_wrong ("label = emphysma", "this is no label", "did you mean \"Emphysema\"?");
  assert_wrong ("plueral_effusion = 1", "neither a field nor a label",
                "did you mean \"Pleural effusion\"?");
  assert_wrong ("zebra = 1", "zebra is neither a field nor a label; the fields are", "age");
  assert_wrong ("emphysema = 3", "a label is there or not", "= 1 or = 0");
  assert_wrong ("no*dule", "a star can only stand at the end", "^^^^^^^");
  assert_wrong ("volume = train*", "a star works for words of the report only", "~");
  assert_wrong ("***", "expected a word or phrase with letters", "^");
  assert_wrong ("\"...\"", "expected a word or phrase with letters", "^^^^^");
}

static char *
repeat (const char *part, guint times)
{
  GString *text = g_string_new (NULL);

  while (times-- > 0)
    g_string_append (text, part);
  return g_string_free (text, FALSE);
}

static void
test_endless_queries_are_refused_and_long_ones_work (void **state)
{
  g_autofree char *brackets = repeat ("(", 100000), *nots = repeat ("NOT ", 100000);
  g_autofree char *terms = repeat ("nodule ", 100000);
  g_autofree char *longest = repeat ("nodule ", 400);
  /* As much as a level can hold before the next begins. */
  g_autofree char *opened = repeat ("zebra OR nodule AND (", 11), *closed = repeat (")", 11);
  g_autofree char *deepest = g_strconcat (opened, "zebra OR lung nodule AND nodule", closed, NULL);
  g_autofree char *negated = repeat ("zebra OR nodule AND NOT ", 6);
  g_autofree char *negated_deepest = g_strconcat (negated, "NOT NOT NOT NOT nodule", NULL);

  assert_wrong (brackets, "no more than 12 brackets", "^");
  assert_wrong (nots, "no more than 12 brackets", "^");
  assert_wrong (terms, "no more than 400 terms", "^");
  assert_found (longest, "train_1_a_1 valid_1_a_1");
  assert_found (deepest, "train_1_a_1 valid_1_a_1");
  assert_found (negated_deepest, "train_1_a_1 valid_1_a_1");
}

static void
test_any_bytes_are_a_query_or_an_error (void **state)
{
  static const char letters[] = "()\"*=<>~: \\'%_-\xff\xe2\x80\x9c"
                                "aA1ANDORNOTage emphysema text:";
  Random random;

  random_init (&random, 5, 0);
  for (guint round = 0; round < 20000; round++)
    {
      char text[24] = "";
      g_autoptr (GError) error = NULL;
      g_autoptr (CatalogQuery) query = NULL;

      for (guint i = 0; i < sizeof text - 1; i++)
        text[i] = letters[random_below (&random, sizeof letters - 1)];
      query = catalog_query_parse (text, &error);
      if (query == NULL)
        {
          assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
          assert_true (g_utf8_validate (error->message, -1, NULL));
        }
      else if (catalog_records_count (store, query, &(CatalogListOptions){ .split = -1 }, &error)
               < 0)
        fail_msg ("%s: %s", text, error->message);
    }
}

/* ---- help ---- */

static void
test_help_names_every_field_and_label (void **state)
{
  const char *help = catalog_query_help ();

  assert_ptr_equal (help, catalog_query_help ());
  assert_non_null (strstr (help, "\n  spacing_xy "));
  assert_non_null (strstr (help, "\n  study_date "));
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    assert_non_null (strstr (help, catalog_label_name (label)));
}

/* ---- lists ---- */

static void
assert_list (CatalogListOptions options, const char *expected)
{
  g_autofree char *names = list (NULL, options);

  assert_string_equal (names, expected);
}

static void
test_lists_sort_by_any_field_with_the_unknown_last (void **state)
{
  assert_list ((CatalogListOptions){ .split = -1, .descending = TRUE },
               "valid_1_a_1 train_11_a_1 train_10_a_1 train_2_a_1 train_1_a_1");
  assert_list ((CatalogListOptions){ .split = -1, .sort = "age" },
               "train_2_a_1 train_10_a_1 train_1_a_1 valid_1_a_1 train_11_a_1");
  assert_list ((CatalogListOptions){ .split = -1, .sort = "age", .descending = TRUE },
               "valid_1_a_1 train_1_a_1 train_10_a_1 train_2_a_1 train_11_a_1");
  assert_list ((CatalogListOptions){ .split = 0, .sort = "volume", .descending = TRUE },
               "train_11_a_1 train_10_a_1 train_2_a_1 train_1_a_1");
  assert_list ((CatalogListOptions){ .split = -1, .sort = "SEX" },
               "train_2_a_1 train_10_a_1 valid_1_a_1 train_1_a_1 train_11_a_1");
}

static void
test_sorting_by_what_is_no_field_is_refused (void **state)
{
  g_autoptr (CatalogQuery) query = catalog_query_parse (NULL, NULL);
  static const char *const wrong[] = { "weight", "text", "" };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      assert_null (catalog_records_list (
          store, query, &(CatalogListOptions){ .split = -1, .sort = wrong[i] }, &error));
      assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
      assert_error_says (&error, "choose one of", "spacing_z", NULL);
    }
}

static void
test_pages_join_to_the_whole_list (void **state)
{
  static const char *const sorts[] = { NULL, "age", "manufacturer", "patient" };

  for (gsize i = 0; i < G_N_ELEMENTS (sorts); i++)
    {
      CatalogListOptions options = { .split = -1, .sort = sorts[i], .with_dropped = TRUE };
      g_autofree char *whole = list (NULL, options);
      g_autoptr (GString) pages = g_string_new (NULL);

      options.limit = 3;
      for (; options.offset < 9; options.offset += options.limit)
        {
          g_autofree char *page = list (NULL, options);

          g_string_append_printf (pages, "%s%s", options.offset > 0 && *page ? " " : "", page);
        }
      assert_string_equal (pages->str, whole);
    }
}

static void
test_options_narrow_and_widen_a_list (void **state)
{
  assert_list ((CatalogListOptions){ .split = CATALOG_SPLIT_VALID }, "valid_1_a_1");
  assert_list ((CatalogListOptions){ .split = CATALOG_SPLIT_TRAIN, .with_dropped = TRUE },
               "train_1_a_1 train_1_a_2 train_2_a_1 train_10_a_1 train_11_a_1 train_11_b_1 "
               "train_12_a_1");
  assert_list ((CatalogListOptions){ .split = -1, .offset = 4 }, "valid_1_a_1");
  assert_list ((CatalogListOptions){ .split = -1, .offset = 99, .limit = 5 }, "");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_empty_query_finds_what_is_kept),
    cmocka_unit_test (test_label_is_a_term_however_it_is_spelt),
    cmocka_unit_test (test_words_and_phrases_are_looked_for_in_the_reports),
    cmocka_unit_test (test_numbers_are_compared),
    cmocka_unit_test (test_texts_are_compared_in_any_case),
    cmocka_unit_test (test_dates_are_compared_with_as_much_as_was_said),
    cmocka_unit_test (test_names_splits_and_states),
    cmocka_unit_test (test_query_that_speaks_of_dropped_rows_finds_them),
    cmocka_unit_test (test_unknown_matches_neither_a_comparison_nor_its_opposite),
    cmocka_unit_test (test_not_binds_closest_then_and_then_or),
    cmocka_unit_test (test_error_shows_the_query_with_a_caret_under_the_place),
    cmocka_unit_test (test_caret_stands_right_behind_wide_and_accented_letters),
    cmocka_unit_test (test_what_was_expected_is_said),
    cmocka_unit_test (test_endless_queries_are_refused_and_long_ones_work),
    cmocka_unit_test (test_any_bytes_are_a_query_or_an_error),
    cmocka_unit_test (test_help_names_every_field_and_label),
    cmocka_unit_test (test_lists_sort_by_any_field_with_the_unknown_last),
    cmocka_unit_test (test_sorting_by_what_is_no_field_is_refused),
    cmocka_unit_test (test_pages_join_to_the_whole_list),
    cmocka_unit_test (test_options_narrow_and_widen_a_list),
  };

  return cmocka_run_group_tests (tests, make_store, close_store);
}

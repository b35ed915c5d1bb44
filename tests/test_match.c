/* Searching names and reports, and marking what was found. */
#include "testing_tables.h"

#include "base/random.h"
#include "catalog/listing.h"

#include <string.h>

/* ---- marks ---- */

/** @text with "[...]" around what @terms match; g_free it. */
static char *
marked (const char *text, const GPtrArray *terms)
{
  g_autoptr (GArray) spans = catalog_match_spans (text, terms);
  GString *out = g_string_new (NULL);
  gsize position = 0;

  for (guint i = 0; i < spans->len; i++)
    {
      CatalogSpan span = g_array_index (spans, CatalogSpan, i);

      assert_true (span.start >= position && span.end > span.start);
      g_string_append_len (out, text + position, (gssize) (span.start - position));
      g_string_append_c (out, '[');
      g_string_append_len (out, text + span.start, (gssize) (span.end - span.start));
      g_string_append_c (out, ']');
      position = span.end;
    }
  g_string_append (out, text + position);
  return g_string_free (out, FALSE);
}

static void
assert_marks (const char *search, const char *text, const char *expected)
{
  g_autoptr (GPtrArray) terms = catalog_search_terms (search);
  g_autofree char *found = marked (text, terms);

  assert_string_equal (found, expected);
}

static void
assert_query_marks (const char *text, const char *report, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse (text, &error);
  g_autoptr (GPtrArray) terms = NULL;
  g_autofree char *found = NULL;

  assert_no_error (error);
  terms = catalog_query_terms (query);
  found = marked (report, terms);
  assert_string_equal (found, expected);
}

static void
test_search_marks_whole_words_and_the_beginning_of_the_last (void **state)
{
  assert_marks ("nodule", "A nodule, Nodules; micronodule.", "A [nodule], [Nodules]; micronodule.");
  assert_marks ("nodule lung", "nodules: a nodule of the lungs",
                "nodules: a [nodule] of the [lungs]");
  assert_marks ("", "a nodule", "a nodule");
  assert_marks (NULL, "a nodule", "a nodule");
  assert_marks (" - ... !", "a nodule - ... !", "a nodule - ... !");
  assert_marks ("nodule", "", "");
}

static void
test_case_and_accents_do_not_matter (void **state)
{
  assert_marks ("EMPHYSEME", "Emphys\xc3\xa8me", "[Emphys\xc3\xa8me]");
  assert_marks ("emphys\xc3\xa8me", "EMPHYSEME", "[EMPHYSEME]");
  /* An accent of its own belongs to its letter's word. */
  assert_marks ("emphyseme", "emphyse\xcc\x80me.", "[emphyse\xcc\x80me].");
  assert_marks ("g\xc3\xb6\xc4\x9f\xc3\xbcs", "G\xc3\x96\xc4\x9e\xc3\x9cS",
                "[G\xc3\x96\xc4\x9e\xc3\x9cS]");
}

static void
test_hyphenated_word_is_a_phrase (void **state)
{
  assert_marks ("ground-glass", "ground glass, Ground-Glass and glass on ground",
                "[ground glass], [Ground-Glass] and glass on ground");
  assert_marks ("ground-gl", "ground glass", "[ground glass]");
}

static void
test_overlapping_marks_are_one (void **state)
{
  assert_query_marks ("\"ground glass\" \"glass opacity\"", "ground glass opacity",
                      "[ground glass opacity]");
  assert_query_marks ("\"ground glass\" \"glass\"", "ground glass glass", "[ground glass] [glass]");
}

static void
test_query_marks_words_phrases_and_prefixes (void **state)
{
  assert_query_marks ("nodule", "nodule nodules", "[nodule] nodules");
  assert_query_marks ("nodul*", "nodule nodules", "[nodule] [nodules]");
  assert_query_marks ("\"ground gl\"*", "ground glass", "[ground glass]");
  assert_query_marks ("text: emphysema", "emphysema", "[emphysema]");
  assert_query_marks ("(cough OR fever) age > 3", "cough, fever, age 3", "[cough], [fever], age 3");
}

static void
test_what_a_query_excludes_or_means_otherwise_is_not_marked (void **state)
{
  assert_query_marks ("cough NOT fever", "cough fever", "[cough] fever");
  assert_query_marks ("NOT (cough fever)", "cough fever", "cough fever");
  assert_query_marks ("NOT NOT cough", "cough", "[cough]");
  assert_query_marks ("NOT (NOT cough) fever", "cough fever", "[cough] [fever]");
  assert_query_marks ("emphysema sex = F", "emphysema f", "emphysema f");
  assert_query_marks ("", "emphysema", "emphysema");
}

/* ---- search ---- */

static CatalogStore *store;

static int
make_store (void **state)
{
  g_autofree char *labels =
      testing_label_table ("train_1_a_1.nii.gz", 0u, "train_7_a_1.nii.gz", 0u,
                           "train_70_b_1.nii.gz", 0u, "train_8_a_1.nii.gz", 0u, NULL);
  const TestingTables tables = {
    .reports = REPORTS_HEADER "train_1_a_1.nii.gz,Cough,CT,Ground-glass nodule.,Single\n"
                              "train_7_a_1.nii.gz,,,Emphys\xc3\xa8me and nodules.,train 7\n"
                              "train_70_b_1.nii.gz,,,Clear.,100% \"\"normal\"\" (AND well)\n"
                              "train_8_a_1.nii.gz,,,Glass on the ground.,Not given.\n",
    .labels = labels,
  };

  store = testing_store_new ("search.sqlite", NULL);
  testing_tables_must_import (store, CATALOG_SPLIT_TRAIN, &tables);
  return 0;
}

static int
close_store (void **state)
{
  catalog_store_close (store);
  return 0;
}

static GArray *
search_ids (const char *query_text, const char *search)
{
  const CatalogListOptions options = { .split = -1, .search = search };
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse (query_text, &error);
  GArray *ids;

  assert_no_error (error);
  ids = catalog_records_ids (store, query, &options, NULL, &error);
  assert_no_error (error);
  assert_int_equal (catalog_records_count (store, query, &options, &error), ids->len);
  return ids;
}

/** @expected: the patients' numbers, "1 7" */
static void
assert_search (const char *query, const char *search, const char *expected)
{
  g_autoptr (GArray) ids = search_ids (query, search);
  g_autoptr (GString) found = g_string_new (NULL);

  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (CatalogRecord) record =
          catalog_record_by_id (store, g_array_index (ids, gint64, i), NULL);

      g_string_append_printf (found, "%s%s", i > 0 ? " " : "", record->patient + strlen ("train_"));
    }
  if (strcmp (found->str, expected) != 0)
    fail_msg ("search %s: found %s and not %s", search, found->str, expected);
}

static void
test_search_looks_into_names_and_reports (void **state)
{
  assert_search ("", "nodule", "1 7");
  assert_search ("", "nodule single", "1");
  assert_search ("", "nodule cou", "1");
  assert_search ("", "nodul single", "");
  assert_search ("", "emphyseme", "7");
  assert_search ("", "EMPHYS\xc3\x88ME", "7");
  assert_search ("", "ground-glass", "1");
  assert_search ("", "ground glass", "1 8");
  assert_search ("", "train_7", "7 70");
  assert_search ("", "TRAIN_7", "7 70");
  assert_search ("", "train_7_a", "7");
  assert_search ("", "train_7_a_1.nii.gz", "7");
  assert_search ("", "rain_7", "");
  assert_search ("", "train_7 nod", "7");
  assert_search ("", "train_7 clear", "");
  assert_search ("", "70_b clear", "70");
  assert_search ("", "  ", "1 7 70 8");
  assert_search ("", NULL, "1 7 70 8");
}

static void
test_search_narrows_a_query (void **state)
{
  assert_search ("glass", "ground", "1 8");
  assert_search ("\"ground glass\" volume ~ train", "single", "1");
  assert_search ("nodule*", "train_7_", "7");
}

/* ---- words that most reports hold, and what is sorted meanwhile ---- */

#define MANY 1500

static CatalogStore *
store_of_many (void)
{
  g_autofree char *labels = testing_label_table ("train_1_a_1.nii.gz", 0u, NULL);
  g_autoptr (GString) reports = g_string_new (REPORTS_HEADER);
  CatalogStore *many = testing_store_new ("many.sqlite", NULL);

  for (guint i = 0; i < MANY; i++)
    g_string_append_printf (reports, "train_%u_a_1.nii.gz,,,%s,%u\n", i,
                            i % 3 == 0 ? "nodules of the lung" : "nodule", i);
  testing_tables_must_import (many, CATALOG_SPLIT_TRAIN,
                              &(TestingTables){ .reports = reports->str, .labels = labels });
  return many;
}

static void
assert_found (CatalogStore *many, const char *text, const char *search, const char *sort, guint n,
              guint first)
{
  CatalogListOptions options = {
    .split = -1, .with_dropped = TRUE, .search = search, .sort = sort, .offset = 2, .limit = 3
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogQuery) query = catalog_query_parse (text, &error);
  g_autoptr (GArray) page = catalog_records_ids (many, query, &options, NULL, &error);
  g_autoptr (GArray) all = NULL;

  assert_no_error (error);
  options.offset = options.limit = 0;
  all = catalog_records_ids (many, query, &options, NULL, &error);
  assert_no_error (error);
  assert_int_equal (all->len, n);
  assert_int_equal (catalog_records_count (many, query, &options, &error), n);
  if (n > 0)
    assert_int_equal (g_array_index (all, gint64, 0) & G_MAXUINT32, first);
  assert_int_equal (page->len, CLAMP ((int) n - 2, 0, 3));
  for (guint i = 0; i < page->len; i++)
    assert_int_equal (g_array_index (page, gint64, i), g_array_index (all, gint64, 2 + i));
}

static void
test_what_most_reports_hold_is_found_as_what_few_do (void **state)
{
  g_autoptr (CatalogStore) many = store_of_many ();

  assert_found (many, "", "nodule", NULL, MANY, 0);
  assert_found (many, "", "nodule", "volume", MANY, 0);
  assert_found (many, "", "nodules lung", NULL, MANY / 3, 0);
  assert_found (many, "", "nodules lu", "patient", MANY / 3, 0);
  assert_found (many, "", "lung train_3", "volume", 39, 3);
  assert_found (many, "", "nodule 1234", NULL, 1, 1234);
  assert_found (many, "", "train", NULL, MANY, 0);
  assert_found (many, "nodules", "n", "volume", MANY / 3, 0);
  assert_found (many, "NOT nodules", "nodule a_1.nii", NULL, MANY - MANY / 3, 1);
  assert_found (many, "NOT nodules lung*", "nod", NULL, 0, 0);
}

static void
test_nothing_that_is_typed_is_an_error (void **state)
{
  static const char *const hostile[] = { "\"",
                                         "\"\"",
                                         "'",
                                         "*",
                                         "(",
                                         ")",
                                         "AND",
                                         "OR NOT",
                                         "NEAR(",
                                         "a NEAR b",
                                         "^x",
                                         "x:y",
                                         "findings:nodule",
                                         "-",
                                         "--",
                                         ";",
                                         "x'; DROP TABLE volume; --",
                                         "%",
                                         "_",
                                         "\\",
                                         "{a b}:c",
                                         "+",
                                         "a + b",
                                         "*a",
                                         "a*",
                                         "\x01",
                                         "\xff\xfe",
                                         "\xc3",
                                         "\xf0\x9f\x98\x80",
                                         "\xe2\x80\xae"
                                         "a",
                                         "\n\t" };

  for (gsize i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      g_autoptr (GArray) ids = search_ids ("", hostile[i]);
      g_autoptr (GPtrArray) terms = catalog_search_terms (hostile[i]);
      g_autoptr (GArray) spans = catalog_match_spans ("a b, x' %_", terms);

      assert_true (ids->len <= 4);
    }
  assert_search ("", "(AND", "7 70");
}

static void
test_any_bytes_are_a_search (void **state)
{
  Random random;

  random_init (&random, 3, 0);
  for (guint round = 0; round < 3000; round++)
    {
      char search[24];
      gsize length = random_below (&random, sizeof search);

      for (gsize i = 0; i < length; i++)
        search[i] = (char) (1 + random_below (&random, 255));
      search[length] = '\0';
      g_array_unref (search_ids ("", search));
    }
}

static void
test_endless_search_is_no_error (void **state)
{
  g_autoptr (GString) words = g_string_new (NULL), phrase = g_string_new (NULL);

  for (guint i = 0; i < 5000; i++)
    {
      g_string_append (words, "nodule ");
      g_string_append (phrase, "nodule-");
    }
  assert_search ("", words->str, "1");
  assert_search ("", phrase->str, "");
}

static void
test_marks_are_where_the_search_found (void **state)
{
  g_autoptr (GArray) all = search_ids ("", NULL);
  static const char *const searches[] = { "nodule", "emphyseme", "ground-glass", "norm",
                                          "gro gla" };

  for (gsize i = 0; i < G_N_ELEMENTS (searches); i++)
    {
      g_autoptr (GPtrArray) terms = catalog_search_terms (searches[i]);
      g_autoptr (GArray) ids = search_ids ("", searches[i]);
      guint found = 0;

      for (guint j = 0; j < all->len; j++)
        {
          g_autoptr (CatalogRecord) record =
              catalog_record_by_id (store, g_array_index (all, gint64, j), NULL);
          g_autofree char *report = g_strjoin (" | ", record->findings, record->impression, NULL);
          g_autoptr (GArray) spans = catalog_match_spans (report, terms);

          found += spans->len >= terms->len;
        }
      assert_int_equal (found, ids->len);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_search_marks_whole_words_and_the_beginning_of_the_last),
    cmocka_unit_test (test_case_and_accents_do_not_matter),
    cmocka_unit_test (test_hyphenated_word_is_a_phrase),
    cmocka_unit_test (test_overlapping_marks_are_one),
    cmocka_unit_test (test_query_marks_words_phrases_and_prefixes),
    cmocka_unit_test (test_what_a_query_excludes_or_means_otherwise_is_not_marked),
    cmocka_unit_test (test_search_looks_into_names_and_reports),
    cmocka_unit_test (test_search_narrows_a_query),
    cmocka_unit_test (test_what_most_reports_hold_is_found_as_what_few_do),
    cmocka_unit_test (test_nothing_that_is_typed_is_an_error),
    cmocka_unit_test (test_any_bytes_are_a_search),
    cmocka_unit_test (test_endless_search_is_no_error),
    cmocka_unit_test (test_marks_are_where_the_search_found),
  };

  return cmocka_run_group_tests (tests, make_store, close_store);
}

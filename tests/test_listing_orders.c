/* The orders of a list of records: each is that of a plain sort. */
#include "testing_listing.h"

#include <math.h>
#include <string.h>

/* ---- orders ---- */

/** What a row is sorted by. */
typedef struct
{
  gint64 id;
  gboolean known;
  double number;
  char *text; /* where it is not %NULL, the key */
} Key;

static Key
text_key (const char *text)
{
  return (Key){ .known = *text != '\0', .text = g_strdup (text) };
}

static Key
number_key (double number)
{
  return (Key){ .known = !isnan (number), .number = number };
}

static Key
int_key (int number)
{
  return (Key){ .known = number >= 0, .number = number };
}

static double
error_of (const CatalogRecord *row)
{
  return fabs ((row->labels >> TESTING_LISTING_CLASS & 1) - row->probability);
}

static Key
key_of (const CatalogRecord *row, const char *sort)
{
  int label = catalog_label_find (sort);

  if (label >= 0)
    return int_key (row->has_labels ? (int) (row->labels >> label & 1) : -1);
  if (strcmp (sort, "volume") == 0)
    return (Key){ .known = TRUE,
                  .text = g_strdup_printf ("%04zu%s%04zu%s", strlen (row->patient), row->patient,
                                           strlen (row->volume), row->volume) };
  if (strcmp (sort, "patient") == 0)
    return (Key){ .known = TRUE,
                  .text = g_strdup_printf ("%04zu%s", strlen (row->patient), row->patient) };
  if (strcmp (sort, "split") == 0)
    return number_key (row->split);
  if (strcmp (sort, "reason") == 0)
    return number_key (row->reason);
  if (strcmp (sort, "age") == 0)
    return int_key (row->age_years);
  if (strcmp (sort, "sex") == 0)
    return text_key (row->sex);
  if (strcmp (sort, "manufacturer") == 0)
    return text_key (row->manufacturer);
  if (strcmp (sort, "model") == 0)
    return text_key (row->model);
  if (strcmp (sort, "study_date") == 0)
    return text_key (row->study_date);
  if (strcmp (sort, "slices") == 0)
    return int_key (row->slices);
  if (strcmp (sort, "rows") == 0)
    return int_key (row->rows);
  if (strcmp (sort, "columns") == 0)
    return int_key (row->columns);
  if (strcmp (sort, "spacing_xy") == 0)
    return number_key (row->spacing_xy_mm);
  if (strcmp (sort, "spacing_z") == 0)
    return number_key (row->spacing_z_mm);
  if (strcmp (sort, "slope") == 0)
    return number_key (row->slope);
  if (strcmp (sort, "intercept") == 0)
    return number_key (row->intercept);
  if (strcmp (sort, "encoded") == 0)
    return number_key (row->encoded);
  if (strcmp (sort, "probability") == 0)
    return number_key (row->probability);
  if (strcmp (sort, "error") == 0)
    return number_key (-error_of (row));
  fail_msg ("%s: is no sort of this test", sort);
  return number_key (NAN);
}

static int
compare_keys (gconstpointer a, gconstpointer b, gpointer descending)
{
  const Key *left = a, *right = b;
  int order;

  if (left->known != right->known)
    return right->known - left->known;
  order = !left->known         ? 0
          : left->text != NULL ? strcmp (left->text, right->text)
                               : (left->number > right->number) - (left->number < right->number);
  if (order == 0)
    order = (left->id > right->id) - (left->id < right->id);
  return GPOINTER_TO_INT (descending) ? -order : order;
}

static void
assert_order (const char *sort, gboolean descending)
{
  const CatalogListOptions options = { .split = -1,
                                       .with_dropped = TRUE,
                                       .sort = sort,
                                       .descending = descending,
                                       .run_id = testing_listing.run_id,
                                       .class_index = TESTING_LISTING_CLASS };
  g_autoptr (GArray) ids = testing_listing_ids (testing_listing.store, "", &options);
  Key keys[TESTING_LISTING_ROWS];

  for (guint i = 0; i < TESTING_LISTING_ROWS; i++)
    {
      keys[i] = key_of (&testing_listing.rows[i], sort);
      keys[i].id = testing_listing.rows[i].id;
    }
  g_qsort_with_data (keys, TESTING_LISTING_ROWS, sizeof *keys, compare_keys,
                     GINT_TO_POINTER (descending));
  assert_int_equal (ids->len, TESTING_LISTING_ROWS);
  for (guint i = 0; i < TESTING_LISTING_ROWS; i++)
    {
      gint64 id = g_array_index (ids, gint64, i);

      if (id != keys[i].id)
        fail_msg ("%s%s: row %u is %s and not %s", sort, descending ? ", descending" : "", i,
                  testing_listing.rows[id - 1].volume, testing_listing.rows[keys[i].id - 1].volume);
      g_free (keys[i].text);
    }
}

static void
test_every_order_is_that_of_a_plain_sort (void **state)
{
  static const char *const sorts[] = { "volume",     "patient",   "split",        "reason",
                                       "age",        "sex",       "manufacturer", "model",
                                       "study_date", "slices",    "rows",         "columns",
                                       "spacing_xy", "spacing_z", "slope",        "intercept",
                                       "encoded",    "error",     "probability" };

  for (gsize i = 0; i < G_N_ELEMENTS (sorts); i++)
    {
      assert_order (sorts[i], FALSE);
      assert_order (sorts[i], TRUE);
    }
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      assert_order (catalog_label_name (label), FALSE);
      assert_order (catalog_label_name (label), TRUE);
    }
}

static void
test_most_confident_errors_come_first (void **state)
{
  const CatalogListOptions options = { .split = -1,
                                       .with_dropped = TRUE,
                                       .sort = "error",
                                       .run_id = testing_listing.run_id,
                                       .class_index = TESTING_LISTING_CLASS };
  g_autoptr (GArray) ids = testing_listing_ids (testing_listing.store, "", &options);
  double largest = 0;

  for (guint i = 0; i < TESTING_LISTING_ROWS; i++)
    if (!isnan (testing_listing.rows[i].probability))
      largest = MAX (largest, error_of (&testing_listing.rows[i]));
  assert_true (largest > 0.5);
  assert_true (error_of (&testing_listing.rows[g_array_index (ids, gint64, 0) - 1]) == largest);
}

static void
test_order_by_encoding_is_that_of_the_encoder (void **state)
{
  CatalogListOptions options = { .split = -1, .with_dropped = TRUE, .sort = "encoded" };
  g_autoptr (GArray) latest = testing_listing_ids (testing_listing.store, "", &options);
  g_autoptr (GArray) named = NULL, other = NULL;

  options.encoder_id = testing_listing.encoder_id;
  named = testing_listing_ids (testing_listing.store, "", &options);
  assert_memory_equal (named->data, latest->data, TESTING_LISTING_ROWS * sizeof (gint64));
  /* The other encoder has made what this one has not. */
  options.encoder_id = testing_listing.encoder_id - 1;
  other = testing_listing_ids (testing_listing.store, "", &options);
  assert_false (testing_listing.rows[g_array_index (named, gint64, 0) - 1].encoded);
  assert_true (testing_listing.rows[g_array_index (other, gint64, 0) - 1].encoded);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_order_is_that_of_a_plain_sort),
    cmocka_unit_test (test_most_confident_errors_come_first),
    cmocka_unit_test (test_order_by_encoding_is_that_of_the_encoder),
  };

  return cmocka_run_group_tests_name ("listing orders", tests, testing_listing_setup,
                                      testing_listing_teardown);
}

/* A sample's members with their latents. */
#include "testing_store.h"

#include "base/error.h"
#include "catalog/latents.h"
#include "study/cohort.h"

/** Latents for the first @n volumes of the imported cohort: row i is i, i, i. */
static void
save_latents (CatalogStore *store, gint64 encoder_id, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      const float values[TESTING_WIDTH] = { (float) i, (float) i, (float) i };
      const CatalogLatent latent = { .key = testing_volumes[i],
                                     .volume = testing_volumes[i],
                                     .content_hash = "",
                                     .preparation = "",
                                     .values = values };
      g_autoptr (GError) error = NULL;

      catalog_latent_save (store, encoder_id, &latent, &error);
      assert_no_error (error);
    }
}

static void
test_members_come_with_patients_and_those_without_a_latent_are_listed (void **state)
{
  const char *chosen[] = { testing_volumes[0], testing_volumes[1], testing_volumes[3] };
  g_autoptr (CatalogStore) store = testing_store_new ("cohort.sqlite", NULL);
  g_autoptr (CatalogEncoder) encoder = NULL;
  g_autoptr (CatalogMembers) members = NULL;
  g_autoptr (StudyCohort) cohort = NULL;
  g_autoptr (GError) error = NULL;

  testing_store_import (store);
  testing_store_sample (store, "s", chosen, G_N_ELEMENTS (chosen));
  save_latents (store, testing_store_encoder (store, "e", "hash"), 2);
  encoder = catalog_encoder_find (store, "e", &error);
  assert_no_error (error);
  members = catalog_sample_members (store, "s", &error);
  assert_no_error (error);
  cohort = study_cohort_load_members (store, "s", members, encoder, &error);
  assert_no_error (error);

  assert_int_equal (cohort->n, 2);
  assert_string_equal (cohort->volumes[1], testing_volumes[1]);
  assert_true (cohort->latents[TESTING_WIDTH] == 1);
  assert_int_equal (g_strv_length (cohort->patients), 2);
  assert_string_equal (cohort->patients[cohort->groups[0]], "train_3");
  assert_string_equal (cohort->patients[cohort->groups[1]], "train_1");
  assert_int_equal (cohort->missing->len, 1);
  assert_string_equal (cohort->missing->pdata[0], testing_volumes[3]);
}

static void
test_a_patient_in_both_samples_is_refused_by_name (void **state)
{
  char *of_train[] = { (char *) "p1", (char *) "p2", (char *) "p3", (char *) "p4", NULL };
  char *others[] = { (char *) "p5", (char *) "p", NULL };
  char *one_shared[] = { (char *) "p5", (char *) "p3", NULL };
  char *nobody[] = { NULL };
  const StudyCohort train = { .patients = of_train };
  GError *error = NULL;

  assert_true (study_cohort_check_disjoint (&train, &(StudyCohort){ .patients = others }, &error));
  assert_true (study_cohort_check_disjoint (&train, &(StudyCohort){ .patients = nobody }, &error));
  assert_null (error);
  assert_false (
      study_cohort_check_disjoint (&train, &(StudyCohort){ .patients = one_shared }, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
  assert_error_says (&error, "1 patient is in both", "(p3)", NULL);
  assert_false (study_cohort_check_disjoint (&train, &train, &error));
  assert_error_says (&error, "4 patients are in both", "(p1, p2, p3, ...)", NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_members_come_with_patients_and_those_without_a_latent_are_listed),
    cmocka_unit_test (test_a_patient_in_both_samples_is_refused_by_name),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

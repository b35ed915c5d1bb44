/* What an experiment will take, before it is begun. */
#include "testing_study.h"

#include "base/error.h"
#include "catalog/latents.h"
#include "study/plan.h"
#include "study/sample_job.h"
#include "study/settings.h"

#include <math.h>
#include <string.h>

static Workspace *workspace;

static int
make_workspace (void **state)
{
  workspace = testing_study_workspace ("plan", 400, 100);
  return 0;
}

static int
free_workspace (void **state)
{
  g_clear_pointer (&workspace, workspace_free);
  return 0;
}

static void
test_a_plan_counts_what_is_to_be_encoded (void **state)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_autoptr (StudyPlanCache) cache = study_plan_cache_new ();
  g_autoptr (CatalogStore) store = workspace_store (workspace, NULL);
  g_auto (StudyPlan) before = { 0 }, after = { 0 };
  g_autoptr (GError) error = NULL;

  parameters->fraction = 1;
  study_plan (workspace, parameters, NULL, cache, &before, NULL, &error);
  assert_no_error (error);
  assert_null (before.encoder);
  assert_int_equal (before.splits[CATALOG_SPLIT_TRAIN].n, 400);
  assert_int_equal (before.to_encode, 500);
  assert_true (isnan (before.seconds));

  testing_study_latents (workspace, 8, 0.75);
  study_setting_set_seconds_per_scan (store, TESTING_ENCODER, 0.5, &error);
  assert_no_error (error);
  study_plan (workspace, parameters, NULL, cache, &after, NULL, &error);
  assert_no_error (error);
  assert_string_equal (after.encoder, TESTING_ENCODER);
  assert_int_equal (after.splits[CATALOG_SPLIT_TRAIN].cached, 300);
  assert_int_equal (after.splits[CATALOG_SPLIT_VALID].cached, 75);
  assert_int_equal (after.to_encode, 125);
  assert_true (after.seconds == 62.5);
}

static void
test_scans_that_failed_are_not_planned_again (void **state)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_autoptr (StudyPlanCache) cache = study_plan_cache_new ();
  g_autoptr (CatalogStore) store = workspace_store (workspace, NULL);
  g_autoptr (CatalogEncoder) encoder = NULL;
  g_autoptr (CatalogMembers) members = NULL;
  g_auto (StudyPlan) before = { 0 }, after = { 0 };
  g_autoptr (GError) error = NULL;

  testing_study_latents (workspace, 8, 0.75);
  parameters->fraction = 1;
  study_plan (workspace, parameters, NULL, cache, &before, NULL, &error);
  assert_no_error (error);
  encoder = catalog_encoder_find (store, TESTING_ENCODER, NULL);
  members = catalog_split_members (store, CATALOG_SPLIT_TRAIN, NULL);
  catalog_failure_save (store, encoder->id, members->volumes[members->n - 1], "is cut", &error);
  assert_no_error (error);
  study_plan (workspace, parameters, NULL, cache, &after, NULL, &error);
  assert_no_error (error);
  assert_int_equal (after.splits[CATALOG_SPLIT_TRAIN].lost, 1);
  assert_int_equal (after.to_encode, before.to_encode - 1);
}

static void
test_a_plan_shows_the_shares_of_the_sample_that_is_drawn (void **state)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_autoptr (StudyPlanCache) cache = study_plan_cache_new ();
  g_auto (StudySample)
      drawn = { .workspace = workspace, .split = CATALOG_SPLIT_TRAIN, .fraction = 0.2, .seed = 5 };
  g_auto (StudyPlan) plan = { 0 }, named = { 0 };
  g_auto (JobSnapshot) last = { 0 };
  g_autoptr (GError) error = NULL;

  parameters->fraction = 0.2;
  parameters->seed = 5;
  study_plan (workspace, parameters, NULL, cache, &plan, NULL, &error);
  assert_no_error (error);
  testing_study_run (study_sample, &drawn, &last);
  assert_int_equal (plan.splits[CATALOG_SPLIT_TRAIN].n, 80);
  assert_memory_equal (plan.splits[CATALOG_SPLIT_TRAIN].shares.share_sample,
                       drawn.shares.share_sample, CATALOG_N_LABELS * sizeof (double));

  /* The same rows by the sample's name. */
  train_parameters_set (parameters, "train-sample", drawn.sample->name, &error);
  parameters->fraction = 0.9;
  study_plan (workspace, parameters, NULL, cache, &named, NULL, &error);
  assert_no_error (error);
  assert_memory_equal (&named.splits[CATALOG_SPLIT_TRAIN].shares,
                       &plan.splits[CATALOG_SPLIT_TRAIN].shares, sizeof (StratifyShares));
  assert_int_equal (named.splits[CATALOG_SPLIT_VALID].n, 90);
}

static void
test_a_plan_that_cannot_be_says_why (void **state)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_autoptr (StudyPlanCache) cache = study_plan_cache_new ();
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autofree char *empty_path = testing_path ("empty");
  g_autoptr (Workspace) empty = workspace_open (empty_path, TRUE, NULL);
  g_auto (StudySample) valid = { .workspace = workspace,
                                 .split = CATALOG_SPLIT_VALID,
                                 .name = "judged",
                                 .fraction = 0.2,
                                 .seed = 5 };
  g_auto (JobSnapshot) last = { 0 };
  g_auto (StudyPlan) plan = { 0 };
  g_autoptr (GError) error = NULL;

  assert_false (study_plan (empty, parameters, NULL, cache, &plan, NULL, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND));
  g_clear_error (&error);
  g_cancellable_cancel (cancelled);
  assert_false (study_plan (workspace, parameters, NULL, cache, &plan, cancelled, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_clear_error (&error);
  parameters->fraction = 0.0001;
  assert_false (study_plan (workspace, parameters, NULL, cache, &plan, NULL, &error));
  assert_error_says (&error, "0.0001", "larger", NULL);
  testing_study_run (study_sample, &valid, &last);
  train_parameters_set (parameters, "train-sample", "judged", &error);
  assert_false (study_plan (workspace, parameters, NULL, cache, &plan, NULL, &error));
  assert_error_says (&error, "judged", "of split valid", NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_a_plan_counts_what_is_to_be_encoded),
    cmocka_unit_test (test_scans_that_failed_are_not_planned_again),
    cmocka_unit_test (test_a_plan_shows_the_shares_of_the_sample_that_is_drawn),
    cmocka_unit_test (test_a_plan_that_cannot_be_says_why),
  };

  return cmocka_run_group_tests_name ("plan", tests, make_workspace, free_workspace);
}

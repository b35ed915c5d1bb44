/* From nothing to a run in one job: the demo, and experiments on its cohort. A few seconds. */
#include "testing_study.h"

#include "base/error.h"
#include "catalog/latents.h"
#include "catalog/volume_index.h"
#include "study/demo_job.h"
#include "study/encode_job.h"
#include "study/experiment_job.h"
#include "study/plan.h"
#include "study/sample_job.h"
#include "study/settings.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define TRAIN_PATIENTS 60
#define VALID_PATIENTS 30

static Workspace *workspace;
static char *checkpoint, *volumes;

/** The stages that a job went through, as its own thread published them. */
typedef struct
{
  Job *job;
  GString *text;
} Stages;

static void
note_stage (gpointer user_data)
{
  Stages *stages = user_data;
  g_auto (JobSnapshot) now = { 0 };

  job_snapshot (stages->job, &now);
  if (!g_str_has_suffix (stages->text->str, now.stage))
    g_string_append_printf (stages->text, ", %s", now.stage);
}

static char *
run_noting_stages (JobFunc func, gpointer data, JobSnapshot *last)
{
  Stages stages = { .text = g_string_new (NULL) };
  g_autoptr (GError) error = NULL;

  stages.job = job_start ("test", func, data);
  job_set_wakeup (stages.job, note_stage, &stages);
  job_wait (stages.job, &error);
  assert_no_error (error);
  job_snapshot (stages.job, last);
  job_free (stages.job);
  return g_string_free (stages.text, FALSE);
}

static TrainParameters *
quick_parameters (double fraction)
{
  TrainParameters *parameters = train_parameters_new ();

  parameters->fraction = fraction;
  parameters->epochs = 2;
  parameters->bootstrap_draws = 20;
  return parameters;
}

static void
test_the_whole_demo_is_one_job (void **state)
{
  g_autofree char *directory = testing_path ("demo");
  g_autoptr (GError) error = NULL;
  g_auto (JobSnapshot) last = { 0 };
  g_autoptr (CatalogStore) store = NULL;
  g_autofree char *stages = NULL, *remembered_checkpoint = NULL, *remembered_volumes = NULL;

  workspace = workspace_open (directory, TRUE, &error);
  assert_no_error (error);
  {
    g_auto (StudyDemoAll) all = { .demo = { .workspace = workspace,
                                            .seed = STUDY_DEMO_SEED,
                                            .threads = 2,
                                            .n_train = TRAIN_PATIENTS,
                                            .n_valid = VALID_PATIENTS },
                                  .control = TRUE };

    stages = run_noting_stages (study_demo_all, &all, &last);
    assert_int_equal (all.funnels[CATALOG_SPLIT_TRAIN].count[CATALOG_KEPT], TRAIN_PATIENTS);
    assert_int_equal (all.funnels[CATALOG_SPLIT_VALID].count[CATALOG_KEPT], VALID_PATIENTS);
    assert_non_null (strstr (all.control_run->parameters, "permute-labels=yes"));
    assert_int_equal (all.run->id + 1, all.control_run->id);
    checkpoint = g_strdup (all.demo.checkpoint);
    volumes = g_strdup (all.demo.volumes);
  }
  assert_non_null (strstr (stages, "painting phantoms, making the encoder, importing, sampling, "
                                   "looking for scans, loading the encoder, encoding, loading "
                                   "latents, training"));
  /* The control's epochs are not among those on screen. */
  assert_int_equal (last.epochs->len, 5);
  assert_int_equal (last.skips->len, 0);

  store = workspace_store (workspace, NULL);
  remembered_checkpoint = catalog_store_get (store, STUDY_SETTING_CHECKPOINT);
  remembered_volumes = catalog_store_get (store, STUDY_SETTING_VOLUMES);
  assert_true (g_path_is_absolute (remembered_checkpoint));
  assert_true (g_str_has_suffix (remembered_checkpoint, "demo-ctvit.pt"));
  assert_true (g_str_has_suffix (remembered_volumes, "volumes"));
  assert_true (study_setting_seconds_per_scan (store, "demo-ctvit.pt") > 0);
}

static void
test_an_experiment_encodes_only_what_is_missing (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters (1);
  g_autoptr (StudyPlanCache) cache = study_plan_cache_new ();
  g_auto (StudyExperiment) experiment = { .workspace = workspace,
                                          .parameters = parameters,
                                          .checkpoint = checkpoint,
                                          .volumes_directory = volumes,
                                          .threads = 2 };
  g_auto (StudyPlan) before = { 0 }, after = { 0 };
  g_auto (JobSnapshot) last = { 0 };
  g_autofree char *stages = NULL;
  g_autoptr (GError) error = NULL;

  study_plan (workspace, parameters, checkpoint, cache, &before, NULL, &error);
  assert_no_error (error);
  assert_true (before.to_encode > 0 && before.to_encode < TRAIN_PATIENTS + VALID_PATIENTS);
  assert_true (before.seconds > 0);
  stages = run_noting_stages (study_experiment, &experiment, &last);
  assert_int_equal (experiment.missing, before.to_encode);
  assert_int_equal (experiment.encoded, before.to_encode);
  assert_int_equal (experiment.train_n, TRAIN_PATIENTS);
  assert_int_equal (experiment.valid_n, VALID_PATIENTS);
  assert_string_equal (experiment.run->encoder, "demo-ctvit.pt");
  study_plan (workspace, parameters, checkpoint, cache, &after, NULL, &error);
  assert_no_error (error);
  assert_int_equal (after.to_encode, 0);
  assert_true (after.seconds == 0);
}

static void
test_an_experiment_on_known_scans_loads_no_encoder (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters (1);
  g_auto (StudyExperiment) experiment = { .workspace = workspace,
                                          .parameters = parameters,
                                          .checkpoint = checkpoint,
                                          .volumes_directory = volumes };
  g_auto (JobSnapshot) last = { 0 };
  g_autofree char *stages = run_noting_stages (study_experiment, &experiment, &last);

  assert_int_equal (experiment.missing, 0);
  assert_null (strstr (stages, "looking for scans"));
  assert_null (strstr (stages, "loading the encoder"));
  assert_non_null (strstr (stages, "training"));
}

static void
test_an_experiment_without_the_means_to_encode_asks_for_them (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters (1);
  StudyExperiment experiment = { .workspace = workspace,
                                 .parameters = parameters,
                                 .checkpoint = checkpoint };
  g_autoptr (GError) error = NULL;

  train_parameters_set (parameters, "encoder-name", "another", &error);
  error = testing_study_fail (study_experiment, &experiment);
  assert_error_says (&error, "90 scans", "checkpoint", "folder", NULL);
}

static void
test_an_experiment_goes_on_without_scans_that_are_nowhere (void **state)
{
  g_autofree char *empty = testing_path ("nothing");
  g_autoptr (TrainParameters) parameters = quick_parameters (1);
  g_auto (StudyExperiment) experiment = { .workspace = workspace,
                                          .parameters = parameters,
                                          .checkpoint = checkpoint,
                                          .volumes_directory = empty };
  g_autoptr (CatalogStore) store = workspace_store (workspace, NULL);
  g_autoptr (CatalogEncoder) demo = catalog_encoder_find (store, "demo-ctvit.pt", NULL);
  g_auto (GStrv) encoded = catalog_latent_volumes (store, demo->id, NULL);
  CatalogEncoder few = { .name = (char *) "few",
                         .weights_hash = (char *) "few",
                         .checkpoint_path = (char *) "",
                         .description = (char *) "",
                         .width = demo->width };
  g_auto (JobSnapshot) last = { 0 };
  g_autoptr (GError) error = NULL;
  gsize n = g_strv_length (encoded);

  g_mkdir_with_parents (empty, 0700);
  catalog_encoder_ensure (store, &few, &error);
  assert_no_error (error);
  /* All but the first three have a latent. */
  for (gsize i = 3; i < n; i++)
    {
      g_autofree float *values = g_new (float, few.width);
      guint8 present;

      catalog_latents_load (store, demo->id, (const char *const *) &encoded[i], 1, few.width,
                            values, &present, &error);
      assert_no_error (error);
      catalog_latent_save (store, few.id,
                           &(CatalogLatent){ .key = encoded[i],
                                             .volume = encoded[i],
                                             .content_hash = "",
                                             .preparation = "",
                                             .values = values },
                           &error);
      assert_no_error (error);
    }
  train_parameters_set (parameters, "encoder-name", "few", &error);
  testing_study_run (study_experiment, &experiment, &last);
  assert_int_equal (experiment.missing, 3);
  assert_int_equal (experiment.encoded, 0);
  /* Each is named once, with the reason that came first. */
  assert_int_equal (last.skips->len, 3);
  assert_non_null (strstr (((JobSkip *) g_ptr_array_index (last.skips, 0))->reason, "not found"));
  assert_int_equal (experiment.train_n + experiment.valid_n, n - 3);
}

/** Whoever encoded in a precision goes on in it. */
static void
test_an_experiment_encodes_in_the_precision_of_the_last_time (void **state)
{
  g_autoptr (CatalogStore) store = workspace_store (workspace, NULL);
  g_autoptr (CatalogEncoder) demo = catalog_encoder_find (store, "demo-ctvit.pt", NULL);
  g_auto (GStrv) encoded = catalog_latent_volumes (store, demo->id, NULL);
  char *first[] = { encoded[0], NULL };
  g_autoptr (TrainParameters) parameters = quick_parameters (1);
  g_auto (StudyEncode) encode = {
    .workspace = workspace,
    .options = { .checkpoint = checkpoint, .device = "cpu", .threads = 2, .precision = "int16" },
    .volumes_directory = volumes,
    .volumes = first,
    .split = -1
  };
  g_auto (StudyExperiment) experiment = { .workspace = workspace,
                                          .parameters = parameters,
                                          .checkpoint = checkpoint,
                                          .volumes_directory = volumes,
                                          .threads = 2 };
  g_auto (JobSnapshot) last = { 0 };
  g_autofree char *name = NULL;

  testing_study_run (study_encode, &encode, &last);
  assert_string_equal (encode.encoder, "demo-ctvit.pt-int16");
  assert_int_equal (encode.encoded, 1);
  name = study_experiment_encoder (store, parameters, checkpoint);
  assert_string_equal (name, "demo-ctvit.pt-int16");
  job_snapshot_clear (&last);
  testing_study_run (study_experiment, &experiment, &last);
  assert_int_equal (experiment.missing, TRAIN_PATIENTS + VALID_PATIENTS - 1);
  assert_int_equal (experiment.encoded, experiment.missing);
  assert_int_equal (experiment.train_n, TRAIN_PATIENTS);
}

/** What a folder has twice is told by whoever looks through it. */
static void
test_scans_that_lie_twice_are_told_of (void **state)
{
  g_autofree char *twice = testing_path ("twice");
  g_autoptr (CatalogStore) store = workspace_store (workspace, NULL);
  g_autoptr (CatalogVolumeIndex) all = catalog_volume_index_new (volumes, NULL, NULL);
  g_autoptr (CatalogMembers) valid = catalog_split_members (store, CATALOG_SPLIT_VALID, NULL);
  char *first[] = { valid->volumes[0], NULL };
  const char *path = catalog_volume_index_path (all, first[0]);
  g_auto (StudySample) sample = {
    .workspace = workspace, .split = CATALOG_SPLIT_VALID, .fraction = 1, .volumes_directory = twice
  };
  g_auto (StudyEncode) encode = { .workspace = workspace,
                                  .options = { .checkpoint = checkpoint, .device = "cpu" },
                                  .volumes_directory = twice,
                                  .volumes = first,
                                  .split = -1 };
  g_auto (JobSnapshot) sampled = { 0 }, encoded = { 0 };

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *folder = g_build_filename (twice, i == 0 ? "a" : "b", NULL);
      g_autofree char *name = g_path_get_basename (path);
      g_autofree char *copy = g_build_filename (folder, name, NULL);

      assert_int_equal (g_mkdir_with_parents (folder, 0700), 0);
      assert_int_equal (link (path, copy), 0);
    }
  testing_study_run (study_sample, &sample, &sampled);
  assert_int_equal (sample.sample->n, 1);
  assert_int_equal (sampled.warnings->len, 1);
  assert_non_null (strstr (g_ptr_array_index (sampled.warnings, 0), "more than once: 1"));
  testing_study_run (study_encode, &encode, &encoded);
  assert_int_equal (encode.encoded + encode.cached, 1);
  assert_int_equal (encoded.warnings->len, 1);
  assert_string_equal (g_ptr_array_index (encoded.warnings, 0),
                       g_ptr_array_index (sampled.warnings, 0));
}

static int
free_workspace (void **state)
{
  g_clear_pointer (&workspace, workspace_free);
  g_free (checkpoint);
  g_free (volumes);
  return 0;
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_the_whole_demo_is_one_job),
    cmocka_unit_test (test_an_experiment_encodes_only_what_is_missing),
    cmocka_unit_test (test_an_experiment_on_known_scans_loads_no_encoder),
    cmocka_unit_test (test_an_experiment_without_the_means_to_encode_asks_for_them),
    cmocka_unit_test (test_an_experiment_goes_on_without_scans_that_are_nowhere),
    cmocka_unit_test (test_an_experiment_encodes_in_the_precision_of_the_last_time),
    cmocka_unit_test (test_scans_that_lie_twice_are_told_of),
  };

  engine_prepare_process ();
  return cmocka_run_group_tests_name ("experiment", tests, NULL, free_workspace);
}

/* Training on latents of a workspace: runs, previews, and what is kept between them. */
#include "testing_study.h"

#include "base/error.h"
#include "catalog/latents.h"
#include "study/sample_job.h"

#include <math.h>
#include <string.h>

#define WIDTH 36

static Workspace *workspace;

static int
make_workspace (void **state)
{
  workspace = testing_study_workspace ("train", 400, 150);
  testing_study_latents (workspace, WIDTH, 0.9);
  return 0;
}

static int
free_workspace (void **state)
{
  g_clear_pointer (&workspace, workspace_free);
  return 0;
}

/** Few epochs and draws, half of each split. */
static TrainParameters *
quick_parameters (void)
{
  TrainParameters *parameters = train_parameters_new ();

  parameters->fraction = 0.5;
  parameters->epochs = 3;
  parameters->hidden = 16;
  parameters->learning_rate = 0.01;
  parameters->bootstrap_draws = 50;
  return parameters;
}

static guint
count_runs (void)
{
  g_autoptr (CatalogStore) store = workspace_store (workspace, NULL);
  g_autoptr (GPtrArray) runs = catalog_runs_list (store, NULL);

  return runs->len;
}

static const JobEpoch *
last_epoch (const JobSnapshot *snapshot)
{
  return g_ptr_array_index (snapshot->epochs, snapshot->epochs->len - 1);
}

static void
test_a_preview_writes_nothing_and_shows_every_epoch (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters ();
  g_auto (StudyTrain) train = { .workspace = workspace, .parameters = parameters, .preview = TRUE };
  g_auto (JobSnapshot) last = { 0 };
  g_autoptr (CatalogStore) store = NULL;
  g_autoptr (GPtrArray) samples = NULL;

  testing_study_run (study_train, &train, &last);
  assert_int_equal (last.epochs->len, 3);
  assert_true (last_epoch (&last)->table->macro_auroc.value > 0.6);
  assert_true (last_epoch (&last)->table->macro_auroc.low
               < last_epoch (&last)->table->macro_auroc.value);
  assert_int_equal (train.kept_epoch, 3);
  assert_null (train.run);
  assert_int_equal (train.train_n + train.train_missing, 200);

  store = workspace_store (workspace, NULL);
  samples = catalog_samples_list (store, NULL);
  assert_int_equal (samples->len, 0);
  assert_int_equal (count_runs (), 0);
}

static void
test_an_epoch_carries_the_scores_of_its_table (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters ();
  g_auto (StudyTrain) train = { .workspace = workspace, .parameters = parameters, .preview = TRUE };
  g_auto (JobSnapshot) last = { 0 };
  const JobEpoch *epoch;

  testing_study_run (study_train, &train, &last);
  epoch = last_epoch (&last);
  assert_int_equal (epoch->n, train.valid_n);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      g_autofree double *scores = g_new (double, epoch->n);
      g_autofree guint8 *labels = g_new (guint8, epoch->n);
      double expected = epoch->table->classes[label].auroc.value, auroc;

      for (gsize i = 0; i < epoch->n; i++)
        {
          scores[i] = epoch->logits[i * CATALOG_N_LABELS + label];
          labels[i] = epoch->labels[i * CATALOG_N_LABELS + label];
        }
      auroc = metrics_auroc (scores, labels, epoch->n);
      assert_true (auroc == expected || (isnan (auroc) && isnan (expected)));
    }
}

static void
test_a_preview_gives_the_numbers_of_the_run (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters ();
  g_autoptr (StudyTrainCache) cache = study_train_cache_new ();
  g_auto (StudyTrain) preview = {
    .workspace = workspace, .parameters = parameters, .preview = TRUE, .cache = cache
  };
  g_auto (StudyTrain) run = { .workspace = workspace, .parameters = parameters };
  g_auto (JobSnapshot) of_preview = { 0 }, of_run = { 0 };

  /* A control in between must leave the cached labels as they were. */
  parameters->permute_labels = TRUE;
  testing_study_run (study_train, &preview, &of_preview);
  assert_true (last_epoch (&of_preview)->table->macro_auroc.value < 0.6);
  job_snapshot_clear (&of_preview);
  parameters->permute_labels = FALSE;
  testing_study_run (study_train, &preview, &of_preview);
  testing_study_run (study_train, &run, &of_run);
  assert_string_equal (run.run->status, "running"); /* as it was begun */
  assert_true (last_epoch (&of_preview)->train_loss == last_epoch (&of_run)->train_loss);
  assert_memory_equal (last_epoch (&of_preview)->logits, last_epoch (&of_run)->logits,
                       last_epoch (&of_run)->n * CATALOG_N_LABELS * sizeof (double));
}

static void
preview_counts (StudyTrainCache *cache, const TrainParameters *parameters, guint *train_n,
                guint *missing)
{
  g_auto (StudyTrain)
      train = { .workspace = workspace, .parameters = parameters, .preview = TRUE, .cache = cache };
  g_auto (JobSnapshot) last = { 0 };

  testing_study_run (study_train, &train, &last);
  *train_n = train.train_n;
  *missing = train.train_missing;
}

static void
test_the_cache_notices_new_latents_and_imports (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters ();
  g_autoptr (StudyTrainCache) cache = study_train_cache_new ();
  guint n, missing;

  preview_counts (cache, parameters, &n, &missing);
  assert_true (missing > 0);
  testing_study_latents (workspace, WIDTH, 1);
  preview_counts (cache, parameters, &n, &missing);
  assert_int_equal (missing, 0);
  assert_int_equal (n, 200);
  parameters->fraction = 0.25;
  preview_counts (cache, parameters, &n, &missing);
  assert_int_equal (n, 100);
  testing_study_import (workspace, CATALOG_SPLIT_TRAIN, 320, 1);
  preview_counts (cache, parameters, &n, &missing);
  assert_int_equal (n + missing, 80);
  testing_study_import (workspace, CATALOG_SPLIT_TRAIN, 400, 1);
}

static void
test_what_is_wrong_beforehand_leaves_no_run (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters ();
  g_auto (StudyTrain) first = { .workspace = workspace, .parameters = parameters };
  g_auto (StudyTrain) second = { .workspace = workspace, .parameters = parameters };
  g_auto (StudyTrain) third = { .workspace = workspace, .parameters = parameters };
  g_auto (JobSnapshot) last = { 0 };
  g_autoptr (GError) error = NULL;
  guint runs;

  train_parameters_set (parameters, "name", "tuned", &error);
  testing_study_run (study_train, &first, &last);
  runs = count_runs ();
  error = testing_study_fail (study_train, &second);
  assert_error_says (&error, "tuned", "another run has it", NULL);
  train_parameters_set (parameters, "name", "", &error);
  train_parameters_set (parameters, "device", "cuda:99", &error);
  error = testing_study_fail (study_train, &third);
  assert_non_null (error);
  assert_int_equal (count_runs (), runs);
}

/** Where a run says "the last used encoder", that may be another one when it is run again. */
static void
test_a_stored_run_names_the_encoder_that_it_used (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters (), again = train_parameters_new ();
  g_auto (StudyTrain) train = { .workspace = workspace, .parameters = parameters };
  g_auto (JobSnapshot) last = { 0 };
  g_autoptr (GError) error = NULL;

  assert_string_equal (parameters->encoder_name, "");
  testing_study_run (study_train, &train, &last);
  train_parameters_parse (again, train.run->parameters, "stored", &error);
  assert_no_error (error);
  assert_string_equal (again->encoder_name, TESTING_ENCODER);
}

static void
test_a_run_that_was_not_finished_gives_up_its_name (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters ();
  g_auto (StudyTrain) cancelled = { .workspace = workspace, .parameters = parameters };
  g_auto (StudyTrain) again = { .workspace = workspace, .parameters = parameters };
  g_auto (JobSnapshot) last = { 0 };
  g_autofree char *number = NULL;
  g_autoptr (CatalogStore) store = NULL;
  g_autoptr (CatalogRun) old = NULL;
  g_autoptr (GError) error = NULL;
  Job *job;

  train_parameters_set (parameters, "name", "wanted", &error);
  parameters->epochs = 1000;
  job = job_start ("train", study_train, &cancelled);
  for (gboolean begun = FALSE; !begun;)
    {
      g_auto (JobSnapshot) now = { 0 };

      job_snapshot (job, &now);
      begun = now.epochs->len > 0;
    }
  job_free (job);
  parameters->epochs = 1;
  testing_study_run (study_train, &again, &last);
  assert_string_equal (again.run->name, "wanted");

  store = workspace_store (workspace, NULL);
  number = g_strdup_printf ("run-%" G_GINT64_FORMAT, cancelled.run->id);
  old = catalog_run_find (store, number, &error);
  assert_no_error (error);
  assert_string_equal (old->name, number);
  assert_string_equal (old->status, "cancelled");
  assert_non_null (strstr (g_ptr_array_index (last.warnings, 0), number));
}

static void
test_a_samples_name_that_the_user_gave_stays_with_it (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters ();
  g_auto (StudyTrain) train = { .workspace = workspace, .parameters = parameters };
  g_auto (StudySample) own = { .workspace = workspace,
                               .split = CATALOG_SPLIT_TRAIN,
                               .name = "train-0.3-9",
                               .fraction = 0.3,
                               .seed = 1 };
  g_auto (JobSnapshot) sampled = { 0 }, trained = { 0 };
  g_autoptr (CatalogStore) store = NULL;
  g_autoptr (CatalogSample) still = NULL;

  testing_study_run (study_sample, &own, &sampled);
  parameters->fraction = 0.3;
  parameters->seed = 9;
  testing_study_run (study_train, &train, &trained);
  assert_string_equal (train.run->train_sample, "train-0.3-9-drawn");
  assert_int_equal (train.train_n, 120);
  store = workspace_store (workspace, NULL);
  still = catalog_sample_find (store, "train-0.3-9", NULL);
  assert_int_equal (still->seed, 1);
}

static void
test_one_pos_weight_is_every_classs (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters ();
  g_auto (StudyTrain) train = { .workspace = workspace, .parameters = parameters, .preview = TRUE };
  g_auto (JobSnapshot) last = { 0 };
  g_autoptr (GError) error = NULL;

  assert_true (train_parameters_set (parameters, "pos-weight", "2.5", &error));
  testing_study_run (study_train, &train, &last);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    assert_true (train.pos_weight[label] == 2.5);
}

/** Watches that steps are told within an epoch. */
typedef struct
{
  Job *job;
  gint most_steps; /* atomic */
} Steps;

static void
note_step (gpointer user_data)
{
  Steps *steps = user_data;
  g_auto (JobSnapshot) now = { 0 };

  job_snapshot (steps->job, &now);
  if ((gint) now.step_done > g_atomic_int_get (&steps->most_steps))
    {
      assert_true (now.step_done < now.step_total);
      g_atomic_int_set (&steps->most_steps, (gint) now.step_done);
    }
}

static void
test_steps_of_an_epoch_are_told (void **state)
{
  g_autoptr (TrainParameters) parameters = quick_parameters ();
  g_auto (StudyTrain) train = { .workspace = workspace, .parameters = parameters, .preview = TRUE };
  g_autoptr (GError) error = NULL;
  g_auto (JobSnapshot) last = { 0 };
  Steps steps = { 0 };

  parameters->batch = 1;
  parameters->hidden = 2048;
  parameters->epochs = 1;
  steps.job = job_start ("train", study_train, &train);
  job_set_wakeup (steps.job, note_step, &steps);
  assert_true (job_wait (steps.job, &error));
  job_snapshot (steps.job, &last);
  assert_true (g_atomic_int_get (&steps.most_steps) > 0);
  assert_int_equal (last.step_total, 0);
  job_free (steps.job);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_a_preview_writes_nothing_and_shows_every_epoch),
    cmocka_unit_test (test_an_epoch_carries_the_scores_of_its_table),
    cmocka_unit_test (test_a_preview_gives_the_numbers_of_the_run),
    cmocka_unit_test (test_the_cache_notices_new_latents_and_imports),
    cmocka_unit_test (test_what_is_wrong_beforehand_leaves_no_run),
    cmocka_unit_test (test_a_stored_run_names_the_encoder_that_it_used),
    cmocka_unit_test (test_a_run_that_was_not_finished_gives_up_its_name),
    cmocka_unit_test (test_a_samples_name_that_the_user_gave_stays_with_it),
    cmocka_unit_test (test_one_pos_weight_is_every_classs),
    cmocka_unit_test (test_steps_of_an_epoch_are_told),
  };

  return cmocka_run_group_tests_name ("train", tests, make_workspace, free_workspace);
}

/* The Experiment screen: its form, its steps, its loss curve, its layout, and what it trains. */
#include "program.h"
#include "testing_study.h"

#include "experiment_form.h"
#include "experiment_layout.h"
#include "model/head.h"

#include <math.h>
#include <string.h>

#define MOST_STEPS 5000 /* more than any slider has from end to end */

/* ---- the form ---- */

static void
test_every_parameter_is_in_the_form_once (void **state)
{
  guint n_specs, n_rows;
  const ParameterSpec *specs = parameter_specs (&n_specs);
  const FormRow *rows = form_rows (&n_rows);

  for (guint s = 0; s < n_specs; s++)
    {
      guint found = 0;

      for (guint i = 0; i < n_rows; i++)
        found += rows[i].kind == FORM_PARAMETER && strcmp (rows[i].name, specs[s].name) == 0;
      if (found != 1)
        fail_msg ("%s is in the form %u times", specs[s].name, found);
    }
  for (guint i = 0; i < n_rows; i++)
    if (rows[i].kind == FORM_PARAMETER)
      assert_non_null (form_spec (&rows[i]));
  assert_int_equal (rows[0].kind, FORM_HEADING);
  assert_int_not_equal (rows[n_rows - 1].kind, FORM_HEADING);
}

static void
test_defaults_are_unchanged_and_others_are_changed (void **state)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  guint n;
  const FormRow *rows = form_rows (&n);

  for (guint i = 0; i < n; i++)
    assert_false (form_is_changed (&rows[i], parameters));
  assert_true (train_parameters_set (parameters, "gamma", "2.25", NULL));
  for (guint i = 0; i < n; i++)
    assert_int_equal (form_is_changed (&rows[i], parameters), strcmp (rows[i].name, "gamma") == 0);
}

/* ---- steps ---- */

/** Set the parameter to what a step gives; FALSE where that is where it was. */
static gboolean
take_step (const FormRow *row, TrainParameters *parameters, int direction)
{
  g_autofree char *before = train_parameters_get (parameters, row->name);
  g_autofree char *after = form_step (row, parameters, direction);
  g_autoptr (GError) error = NULL;

  train_parameters_set (parameters, row->name, after, &error);
  assert_no_error (error);
  return strcmp (before, after) != 0;
}

static gboolean
has_steps (const FormRow *row, const TrainParameters *parameters)
{
  g_autofree char *after = row->kind == FORM_PARAMETER ? form_step (row, parameters, 1) : NULL;

  return after != NULL;
}

static void
test_steps_stay_in_range_from_end_to_end (void **state)
{
  guint n;
  const FormRow *rows = form_rows (&n);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TrainParameters) parameters = train_parameters_new ();
      const ParameterSpec *spec = form_spec (&rows[i]);
      g_autofree char *end = NULL;
      guint steps = 0;

      if (!has_steps (&rows[i], parameters) || strcmp (rows[i].name, "seed") == 0)
        continue;
      while (take_step (&rows[i], parameters, -1))
        assert_true (++steps < MOST_STEPS);
      end = train_parameters_get (parameters, rows[i].name);
      if (spec->kind == PARAMETER_NUMBER || spec->kind == PARAMETER_INTEGER)
        assert_float_equal (g_ascii_strtod (end, NULL), spec->low, 0);
      for (steps = 0; take_step (&rows[i], parameters, 1);)
        assert_true (++steps < MOST_STEPS);
      g_free (end);
      end = train_parameters_get (parameters, rows[i].name);
      if (rows[i].step != STEP_NONE)
        assert_float_equal (g_ascii_strtod (end, NULL), spec->high, 0);
    }
}

static void
test_a_step_and_one_back_come_to_the_same_value (void **state)
{
  guint n;
  const FormRow *rows = form_rows (&n);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TrainParameters) parameters = train_parameters_new ();

      if (!has_steps (&rows[i], parameters) || strcmp (rows[i].name, "seed") == 0)
        continue;
      while (take_step (&rows[i], parameters, -1))
        ;
      for (;;)
        {
          g_autofree char *here = train_parameters_get (parameters, rows[i].name);
          g_autofree char *again = NULL;

          if (!take_step (&rows[i], parameters, 1))
            break;
          take_step (&rows[i], parameters, -1);
          again = train_parameters_get (parameters, rows[i].name);
          assert_string_equal (here, again);
          take_step (&rows[i], parameters, 1);
        }
    }
}

static void
assert_steps (const char *name, const char *from, int direction, const char *to)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_autofree char *after = NULL;
  guint n;
  const FormRow *row = form_rows (&n);

  while (strcmp (row->name, name) != 0)
    row++;
  assert_true (train_parameters_set (parameters, name, from, NULL));
  after = form_step (row, parameters, direction);
  assert_string_equal (after, to);
}

static void
test_steps_are_those_that_one_would_type (void **state)
{
  assert_steps ("fraction", "0.15", 1, "0.2");
  assert_steps ("fraction", "0.05", -1, "0.02");
  assert_steps ("fraction", "0.173", 1, "0.2");
  assert_steps ("fraction", "0.173", -1, "0.15");
  assert_steps ("lr", "0.001", 1, "0.002");
  assert_steps ("lr", "0.001", -1, "0.0005");
  assert_steps ("lr", "0.0013", -1, "0.001");
  assert_steps ("weight-decay", "1e-05", -1, "0");
  assert_steps ("weight-decay", "0", 1, "1e-05");
  assert_steps ("batch", "48", 1, "64");
  assert_steps ("alpha", "off", 1, "0.05");
  assert_steps ("alpha", "0.05", -1, "off");
  assert_steps ("threshold", "youden", 1, "0.05");
  assert_steps ("pos-weight", "balanced", 1, "sqrt");
  assert_steps ("pos-weight", "balanced", -1, "balanced");
  assert_steps ("head", "mlp", 1, "linear");
  assert_steps ("standardize", "yes", -1, "no");
  assert_steps ("seed", "4000000000", 1, "4000000001");
}

/* ---- sliders ---- */

static void
test_every_place_on_a_slider_is_accepted_and_near_its_value (void **state)
{
  guint n;
  const FormRow *rows = form_rows (&n);

  for (guint i = 0; i < n; i++)
    for (guint place = 0; place <= 100 && rows[i].slider != SLIDER_NONE; place++)
      {
        g_autoptr (TrainParameters) parameters = train_parameters_new ();
        g_autofree char *value = form_value_at (&rows[i], place / 100.0);
        g_autoptr (GError) error = NULL;

        train_parameters_set (parameters, rows[i].name, value, &error);
        assert_no_error (error);
        /* Whole numbers and powers of two may be some way off at a logarithmic slider's start. */
        assert_float_equal (form_position (&rows[i], value), place / 100.0, 0.06);
      }
}

static void
test_what_has_no_slider_has_no_position (void **state)
{
  guint n;
  const FormRow *rows = form_rows (&n);

  for (guint i = 0; i < n; i++)
    if (rows[i].slider == SLIDER_NONE)
      assert_true (isnan (form_position (&rows[i], "1")));
}

/* ---- the loss curve ---- */

/** Lin et al. 2017, eq. 5, written down once more. */
static double
focal (double p, double gamma, double alpha, double pos_weight, guint8 label)
{
  double wrong = label ? 1 - p : p;
  double weight = isnan (alpha) ? 1 : label ? alpha : 1 - alpha;

  return weight * (label ? pos_weight : 1) * pow (wrong, gamma) * -log (1 - wrong);
}

static void
test_the_curve_is_the_loss_that_training_uses (void **state)
{
  static const char *const alphas[] = { "off", "0.25" };
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  double p[50], losses[50];

  for (double gamma = 0; gamma <= 4; gamma += 2)
    for (guint a = 0; a < G_N_ELEMENTS (alphas); a++)
      for (guint8 label = 0; label < 2; label++)
        {
          parameters->gamma = gamma;
          assert_true (train_parameters_set (parameters, "alpha", alphas[a], NULL));
          form_focal_curve (parameters, 3.5, label, p, losses, G_N_ELEMENTS (p));
          for (guint i = 0; i < G_N_ELEMENTS (p); i++)
            {
              assert_float_equal (p[i], (i + 0.5) / G_N_ELEMENTS (p), 1e-12);
              assert_float_equal (losses[i], focal (p[i], gamma, parameters->alpha, 3.5, label),
                                  1e-9);
            }
        }
}

static void
test_pos_weight_is_that_of_the_finding_s_share (void **state)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();

  assert_float_equal (form_pos_weight (parameters, 0, 0.1), 9, 1e-12);
  assert_float_equal (form_pos_weight (parameters, 0, 0), 1, 0);
  assert_float_equal (form_pos_weight (parameters, 0, NAN), 1, 0);
  assert_true (train_parameters_set (parameters, "pos-weight", "sqrt", NULL));
  assert_float_equal (form_pos_weight (parameters, 0, 0.1), 3, 1e-12);
  assert_true (train_parameters_set (parameters, "pos-weight", "none", NULL));
  assert_float_equal (form_pos_weight (parameters, 0, 0.1), 1, 0);
  assert_true (train_parameters_set (parameters, "pos-weight", "7", NULL));
  assert_float_equal (form_pos_weight (parameters, 17, 0.1), 7, 0);
}

/* ---- layout ---- */

static gboolean
is_inside (Area inner, Area outer)
{
  return inner.height == 0 || inner.width == 0
         || (inner.y >= outer.y && inner.x >= outer.x
             && inner.y + inner.height <= outer.y + outer.height
             && inner.x + inner.width <= outer.x + outer.width);
}

static gboolean
overlap (Area a, Area b)
{
  return a.height > 0 && b.height > 0 && a.width > 0 && b.width > 0 && a.y < b.y + b.height
         && b.y < a.y + a.height && a.x < b.x + b.width && b.x < a.x + a.width;
}

static void
check_layout (int height, int width, ExperimentView first)
{
  Area area = { 1, 0, height, width };
  ExperimentLayout layout = experiment_layout (area, first);
  Area all[3 + N_EXPERIMENT_VIEWS] = { layout.rows, layout.help, layout.divider };

  memcpy (all + 3, layout.views, sizeof layout.views);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      assert_true (all[i].height >= 0 && all[i].width >= 0);
      if (!is_inside (all[i], area))
        fail_msg ("%dx%d, view %d: part %u hangs over", width, height, (int) first, i);
      for (guint k = 0; k < i; k++)
        if (overlap (all[i], all[k]))
          fail_msg ("%dx%d, view %d: parts %u and %u overlap", width, height, (int) first, k, i);
    }
  /* A table of shares needs its four columns, a name and its numbers. */
  for (int view = 0; width >= 40 && view < N_EXPERIMENT_VIEWS; view++)
    if (layout.views[view].height > 0 && layout.views[view].width < 34)
      fail_msg ("%dx%d, view %d: only %d columns", width, height, view, layout.views[view].width);
  if (height >= 8 && width >= 40)
    {
      assert_true (layout.rows.height > 0);
      assert_true (layout.views[first].height > 0);
    }
}

static void
test_parts_stay_inside_and_apart_at_every_size (void **state)
{
  for (int height = 0; height <= 100; height++)
    for (int width = 0; width <= 300; width += height % 7 + 1)
      for (int first = 0; first < N_EXPERIMENT_VIEWS; first++)
        check_layout (height, width, (ExperimentView) first);
}

static void
test_v_comes_to_every_view_and_back (void **state)
{
  static const Area sizes[] = { { 1, 0, 22, 80 }, { 1, 0, 38, 120 }, { 1, 0, 10, 45 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      gboolean seen[N_EXPERIMENT_VIEWS] = { FALSE };
      ExperimentView first = EXPERIMENT_PLAN;

      for (guint press = 0; press <= N_EXPERIMENT_VIEWS; press++)
        {
          ExperimentLayout layout = experiment_layout (sizes[i], first);

          for (int view = 0; view < N_EXPERIMENT_VIEWS; view++)
            seen[view] = seen[view] || layout.views[view].height > 0;
          first = experiment_next_view (sizes[i], first);
        }
      for (int view = 0; view < N_EXPERIMENT_VIEWS; view++)
        assert_true (seen[view]);
    }
}

static void
test_a_large_screen_has_every_view_at_once (void **state)
{
  for (int first = 0; first < N_EXPERIMENT_VIEWS; first++)
    {
      Area area = { 1, 0, 58, 200 };
      ExperimentLayout layout = experiment_layout (area, (ExperimentView) first);

      for (int view = 0; view < N_EXPERIMENT_VIEWS; view++)
        assert_true (layout.views[view].height > 0);
      assert_int_equal (experiment_next_view (area, (ExperimentView) first), first);
    }
}

/* ---- the real program, by its keys ---- */

static void
replay (Workspace *workspace, const char *keys)
{
  g_autofree char *path = testing_write ("keys.replay", keys, strlen (keys));
  const char *const arguments[] = { program_path (), "-w", workspace_directory (workspace),
                                    "--replay",      path, NULL };
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status,
                &error);
  assert_no_error (error);
  if (status != 0)
    fail_msg ("the replay ended with %d: %s%s", status, out, err);
}

static double
macro_auroc (Workspace *workspace, const char *run_name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogStore) store = workspace_store (workspace, &error);
  g_autoptr (CatalogRun) run = store != NULL ? catalog_run_find (store, run_name, &error) : NULL;

  assert_no_error (error);
  assert_string_equal (run->status, "done");
  return run->macro_auroc;
}

static void
test_a_saved_run_file_trains_the_same_run_from_the_shell (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("saved", 200, 100);
  g_autofree char *file = testing_path ("saved.run");
  g_autofree char *keys = g_strdup_printf ("size 120x40\ntimeout 30\nkey 3\nwait t trains at once\n"
                                           "type :set fraction 0.8\nkey Enter\n"
                                           "type :set name tuned\nkey Enter\n"
                                           "key g j j j j l l\nwait 2.5\n" /* gamma, two steps up */
                                           "key w\ntype %s\nkey Enter\nwait Saved\n"
                                           "key t\nwait tuned is done\n",
                                           file);
  double tuned;

  testing_study_latents (workspace, 24, 1);
  replay (workspace, keys);
  tuned = macro_auroc (workspace, "tuned");
  {
    g_auto (ProgramResult) result =
        program_expect (0, "train", "-w", workspace_directory (workspace), "--config", file,
                        "--name", "again", NULL);
  }
  assert_true (tuned > 0.6);
  assert_float_equal (macro_auroc (workspace, "again"), tuned, 0);
}

static void
test_live_mode_follows_and_leaves_no_run (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("live", 200, 100);
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogStore) store = NULL;

  testing_study_latents (workspace, 24, 1);
  replay (workspace, "size 120x40\ntimeout 30\nkey 3\nwait t trains at once\n"
                     "type :set fraction 0.5\nkey Enter\n"
                     "key L\nwait live: 0.00 s\n"
                     "key g j j j j l\nwait 2.25\nwait live: 0.00 s\n"
                     "key l l l l\nkey L\nwait live: off\n");
  store = workspace_store (workspace, &error);
  assert_no_error (error);
  assert_int_equal (catalog_runs_count (store, &error), 0);
  assert_no_error (error);
}

static void
test_live_mode_says_what_has_no_latent (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("partly", 200, 100);

  testing_study_latents (workspace, 24, 0.5);
  replay (workspace, "size 120x40\ntimeout 30\nkey 3\nwait to encode\n"
                     "type :set fraction 1\nkey Enter\n"
                     "key L\nwait live: 0.00 s, without 150 of 300 scans\n");
}

static void
test_many_changes_end_in_one_result (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("burst", 200, 100);

  testing_study_latents (workspace, 24, 1);
  replay (workspace,
          "size 120x40\ntimeout 30\nclock real\nkey 3\nwait t trains at once\n"
          "type :set epochs 50\nkey Enter\nkey L\nwait live: epoch\n"
          "key g j j j j l l l l l l l h h h h h h h l\nwait 2.25\nwait-gone live: epoch\n"
          "wait best\nkey d\nwait live: epoch\nkey L\nwait live: off\n");
}

static void
test_the_best_result_can_be_taken_back (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("best", 200, 100);

  testing_study_latents (workspace, 24, 1);
  replay (workspace, "size 120x40\ntimeout 30\nkey 3\nwait t trains at once\n"
                     "key b\nwait Nothing was tried\n"
                     "type :set fraction 0.9\nkey Enter L\nwait ; best\n"
                     "type :set permute-labels yes\nkey Enter\nwait-gone ; best 0.8\n"
                     "type :set permute-labels no\nkey Enter\nwait ; best 0.8\n"
                     "type :set lr 0.9\nkey Enter\nwait 0.9 \nwait live: 0.00 s\n"
                     "key b\nwait Back at macro AUROC 0.8\nwait 0.001 \n");
}

static void
test_what_is_wrong_with_a_value_is_said_to_its_end (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("wrong", 200, 100);

  /* Behind a line of input and as a message: 80 columns have no room for it in one row. */
  replay (workspace, "size 80x24\ntimeout 30\nkey 3\nwait pos-weight\n"
                     "key g j j j j j j Enter\ntype x\nkey Enter\n"
                     "wait balancedx\nwait or 18 with commas between\nkey Esc\n"
                     "wait-gone or 18 with commas between\n"
                     "type :set pos-weight much\nkey Enter\nwait or 18 with commas between\n");
}

static void
test_samples_and_encoders_are_chosen_from_those_that_are_there (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("names", 200, 100);

  testing_study_latents (workspace, 24, 1);
  replay (workspace, "size 120x40\ntimeout 30\nkey 3\nwait t trains at once\n"
                     "key g j j Enter\nwait No sample of train is kept\n"
                     "type :set fraction 0.5\nkey Enter t\nwait is done\n"
                     "key 3 g j j Enter\nwait > drawn by\nkey j\nwait > train-0.5-42\nkey Enter\n"
                     "wait train-sample   train-0.5-42\n"
                     "key j Enter\nwait > drawn by\nkey j\nwait > valid-0.5-42\nkey Esc\n");
}

static void
test_the_help_of_every_field_is_whole_at_80_columns (void **state)
{
  ExperimentLayout layout = experiment_layout ((Area){ 1, 0, 24 - 2, 80 }, EXPERIMENT_PLAN);
  guint n;
  const FormRow *rows = form_rows (&n);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *accepted =
          rows[i].kind != FORM_HEADING ? form_accepted (&rows[i]) : g_strdup ("");
      g_auto (GStrv) first = text_wrap (accepted, layout.help.width - 1);
      g_auto (GStrv) then = text_wrap (form_help (&rows[i]), layout.help.width - 1);

      if ((int) (g_strv_length (first) + g_strv_length (then)) > layout.help.height - 1)
        fail_msg ("%s: %s; %s", rows[i].name, accepted, form_help (&rows[i]));
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_parameter_is_in_the_form_once),
    cmocka_unit_test (test_defaults_are_unchanged_and_others_are_changed),
    cmocka_unit_test (test_steps_stay_in_range_from_end_to_end),
    cmocka_unit_test (test_a_step_and_one_back_come_to_the_same_value),
    cmocka_unit_test (test_steps_are_those_that_one_would_type),
    cmocka_unit_test (test_every_place_on_a_slider_is_accepted_and_near_its_value),
    cmocka_unit_test (test_what_has_no_slider_has_no_position),
    cmocka_unit_test (test_the_curve_is_the_loss_that_training_uses),
    cmocka_unit_test (test_pos_weight_is_that_of_the_finding_s_share),
    cmocka_unit_test (test_parts_stay_inside_and_apart_at_every_size),
    cmocka_unit_test (test_v_comes_to_every_view_and_back),
    cmocka_unit_test (test_a_large_screen_has_every_view_at_once),
    cmocka_unit_test (test_a_saved_run_file_trains_the_same_run_from_the_shell),
    cmocka_unit_test (test_live_mode_follows_and_leaves_no_run),
    cmocka_unit_test (test_live_mode_says_what_has_no_latent),
    cmocka_unit_test (test_many_changes_end_in_one_result),
    cmocka_unit_test (test_the_best_result_can_be_taken_back),
    cmocka_unit_test (test_what_is_wrong_with_a_value_is_said_to_its_end),
    cmocka_unit_test (test_samples_and_encoders_are_chosen_from_those_that_are_there),
    cmocka_unit_test (test_the_help_of_every_field_is_whole_at_80_columns),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}

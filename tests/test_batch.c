/* The program as a script sees it: commands, JSON, exit codes. */
#include "testing_batch.h"

#include <math.h>
#include <string.h>
#include <sys/wait.h>

/* ---- records and samples ---- */

static void
test_import_reports_the_funnel_and_replaces_the_split (void **state)
{
  g_autofree char *reports = testing_path ("train_reports.csv");
  g_autofree char *labels = testing_path ("train_predicted_labels.csv");
  g_auto (ProgramResult) again =
      program_expect (0, "import", "-w", testing_batch (), "--split", "train", "--reports", reports,
                      "--labels", labels, "--json", NULL);
  g_autofree char *metadata = testing_path ("train_metadata.csv");
  g_auto (ProgramResult) full =
      program_expect (0, "import", "-w", testing_batch (), "--split", "train", "--reports", reports,
                      "--labels", labels, "--metadata", metadata, "--json", NULL);

  assert_int_equal (json_number_at (again.json, "rows"), TESTING_BATCH_PATIENTS);
  assert_int_equal (json_number_at (again.json, "kept"), TESTING_BATCH_PATIENTS);
  assert_int_equal (json_number_at (again.json, "dropped.patient"), 0);
  assert_int_equal (json_number_at (full.json, "kept"), TESTING_BATCH_PATIENTS);
}

static void
test_rows_that_cannot_be_read_are_named (void **state)
{
  const char text[] = "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n"
                      "train_1_a_1.nii.gz,Cough,CT,Clear.,Normal.\n"
                      "train_2_a.nii.gz,Cough,CT,Clear.,Normal.\n";
  g_autofree char *reports = testing_write ("unreadable.csv", text, strlen (text));
  g_autofree char *labels = testing_path ("train_predicted_labels.csv");
  g_autofree char *other = testing_path ("unreadable-workspace");
  g_auto (ProgramResult) result =
      program_expect (3, "import", "-w", other, "--split", "train", "--reports", reports,
                      "--labels", labels, "--json", NULL);

  assert_int_equal (json_number_at (result.json, "kept"), 1);
  assert_int_equal (json_number_at (result.json, "dropped.unreadable"), 1);
  assert_string_equal (json_string_value (json_at (result.json, "skipped.0.volume")),
                       "train_2_a.nii.gz");
  assert_non_null (
      strstr (json_string_value (json_at (result.json, "skipped.0.reason")), "line 3"));
  assert_non_null (strstr (result.err, "skipped: train_2_a.nii.gz: unreadable.csv, line 3"));
}

static void
test_records_filter_count_and_show (void **state)
{
  g_auto (ProgramResult) all =
      program_expect (0, "records", "-w", testing_batch (), "--json", "--limit", "3", NULL);
  g_auto (ProgramResult) some = program_expect (0, "records", "-w", testing_batch (), "--query",
                                                "age > 60 AND sex = F", "--count", "--json", NULL);
  g_auto (ProgramResult) phrase = program_expect (0, "records", "-w", testing_batch (), "--query",
                                                  "\"findings of 17\"", "--json", NULL);
  g_auto (ProgramResult) one = program_expect (0, "records", "-w", testing_batch (), "--show",
                                               "valid_3_a_1", "--json", NULL);

  assert_int_equal (json_number_at (all.json, "total"), 2 * TESTING_BATCH_PATIENTS);
  assert_int_equal (json_array_size (json_at (all.json, "records")), 3);
  assert_string_equal (json_string_value (json_at (all.json, "records.0.volume")),
                       "train_1_a_1.nii.gz");
  assert_true (json_is_null (json_at (all.json, "records.0.reason")));
  /* Ages run from 20 to 79; every second one is a woman: 4 rounds of 60, 19 above 60, 10 of them
   * odd rows. */
  assert_int_equal (json_number_at (some.json, "total"), 2 * 4 * 10);
  assert_int_equal (json_number_at (phrase.json, "total"), 2);
  assert_string_equal (json_string_value (json_at (one.json, "findings")),
                       "Findings of 2.\nSecond line");
}

static void
test_what_is_unknown_of_a_record_is_a_dash (void **state)
{
  const char reports_text[] =
      "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n"
      "train_1_a_1.nii.gz,Cough,CT,Clear.,Normal.\n";
  g_autofree char *reports = testing_write ("bare.csv", reports_text, strlen (reports_text));
  g_autofree char *labels = testing_path ("train_predicted_labels.csv");
  g_autofree char *other = testing_path ("bare-workspace");
  g_auto (ProgramResult) imported = program_expect (0, "import", "-w", other, "--split", "train",
                                                    "--reports", reports, "--labels", labels, NULL);
  g_auto (ProgramResult) shown =
      program_expect (0, "records", "-w", other, "--show", "train_1_a_1", NULL);

  assert_non_null (strstr (shown.out, "sex –, age –, – x – x –, – x – x – mm"));
}

static void
test_wrong_query_says_where (void **state)
{
  g_auto (ProgramResult) result = program_expect (2, "records", "-w", testing_batch (), "--query",
                                                  "age > 60 AND (sex = F", NULL);

  assert_non_null (strchr (result.err, '^'));
  assert_string_equal (result.out, "");
}

static void
test_sample_has_exactly_its_share (void **state)
{
  g_auto (ProgramResult) result = program_expect (0, "sample", "-w", testing_batch (), "--split",
                                                  "valid", "--fraction", "0.31", "--json", NULL);

  /* 0.31 × 240 = 74.4 */
  assert_int_equal (json_number_at (result.json, "n"), 74);
  assert_int_equal (json_number_at (result.json, "of"), TESTING_BATCH_PATIENTS);
  assert_int_equal (json_array_size (json_at (result.json, "labels")), 18);
  assert_true (json_number_at (result.json, "max_label_deviation") < 0.02);
}

/* ---- training ---- */

static void
test_train_streams_epochs_and_learns (void **state)
{
  g_auto (ProgramResult) result =
      program_expect (0, "train", "-w", testing_batch (), "--fraction", "1", "--epochs", "12",
                      "--watch", "--name", "streamed", "--batch", "16", NULL);
  g_auto (GStrv) lines = g_strsplit (g_strchomp (result.out), "\n", -1);
  json_t *epoch = json_loads (lines[0], 0, NULL);

  assert_int_equal (g_strv_length (lines), 13);
  assert_int_equal (json_number_at (epoch, "epoch"), 1);
  assert_int_equal (json_array_size (json_at (epoch, "validation.classes")), 18);
  assert_string_equal (json_string_value (json_at (result.json, "run")), "streamed");
  assert_int_equal (json_number_at (result.json, "train_n"), TESTING_BATCH_PATIENTS);
  assert_int_equal (json_number_at (result.json, "classes_in_macro"), 18);
  assert_true (json_number_at (result.json, "epochs.11.validation.macro_auroc") > 0.85);
  assert_true (json_number_at (result.json, "epochs.11.validation.macro_auroc_low")
               < json_number_at (result.json, "epochs.11.validation.macro_auroc"));
  assert_true (json_number_at (result.json, "epochs.11.train_loss")
               < json_number_at (epoch, "train_loss"));
  json_decref (epoch);
}

static void
test_same_seed_gives_the_same_bits_and_another_does_not (void **state)
{
  g_auto (ProgramResult) a = program_expect (0, "train", "-w", testing_batch (), "--fraction",
                                             "0.5", "--seed", "7", "--json", NULL);
  g_auto (ProgramResult) b = program_expect (0, "train", "-w", testing_batch (), "--fraction",
                                             "0.5", "--seed", "7", "--json", NULL);
  g_auto (ProgramResult) c = program_expect (0, "train", "-w", testing_batch (), "--fraction",
                                             "0.5", "--seed", "8", "--json", NULL);

  assert_true (json_equal (json_at (a.json, "epochs"), json_at (b.json, "epochs")));
  assert_false (json_equal (json_at (a.json, "epochs"), json_at (c.json, "epochs")));
}

static void
test_permuted_labels_land_at_one_half (void **state)
{
  g_auto (ProgramResult) result = program_expect (0, "train", "-w", testing_batch (), "--fraction",
                                                  "1", "--permute-labels", "--json", NULL);

  assert_true (json_number_at (result.json, "epochs.4.validation.macro_auroc_low") < 0.5);
  assert_true (json_number_at (result.json, "epochs.4.validation.macro_auroc_high") > 0.5);
}

static void
test_a_run_is_repeated_from_its_own_run_file (void **state)
{
  g_auto (ProgramResult) config = program_expect (0, "train", "--print-config", "--gamma", "1",
                                                  "--head", "linear", "--fraction", "0.4", NULL);
  g_autofree char *path = testing_write ("run.ini", config.out, strlen (config.out));
  g_auto (ProgramResult) a = program_expect (0, "train", "-w", testing_batch (), "--config", path,
                                             "--name", "first", "--json", NULL);
  g_auto (ProgramResult) b =
      program_expect (0, "train", "-w", testing_batch (), "--gamma", "1", "--head", "linear",
                      "--fraction", "0.4", "--name", "second", "--json", NULL);
  g_auto (ProgramResult) shown =
      program_expect (0, "runs", "-w", testing_batch (), "--show", "first", "--json", NULL);
  g_auto (ProgramResult) compared = program_expect (0, "runs", "-w", testing_batch (), "--compare",
                                                    "first", "second", "--json", NULL);

  assert_true (json_equal (json_at (a.json, "epochs"), json_at (b.json, "epochs")));
  assert_true (json_equal (json_at (a.json, "epochs"), json_at (shown.json, "epochs")));
  assert_true (json_number_at (shown.json, "parameters.gamma") == 1);
  assert_true (json_number_at (compared.json, "classes.0.difference") == 0);
  assert_true (json_number_at (compared.json, "classes.0.p") == 1);
}

static void
test_members_without_a_latent_are_left_out_and_counted (void **state)
{
  g_autofree char *names = testing_path ("few.txt");
  g_autofree char *npy = testing_path ("few.npy");
  float latents[60 * 2] = { 0 };
  const gsize shape[] = { 60, 2 };
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 60; i++)
    {
      g_string_append_printf (text, "%s_%u_a_1\n", i < 40 ? "train" : "valid", i % 40 + 1);
      latents[2 * i] = (float) i;
    }
  g_file_set_contents (names, text->str, -1, NULL);
  npy_write (npy, TRUE, NPY_FLOAT32, 2, shape, latents, &error);
  assert_no_error (error);
  {
    g_auto (ProgramResult) imported =
        program_expect (0, "import-latents", "-w", testing_batch (), "--npy", npy, "--names", names,
                        "--encoder-name", "few", NULL);
    g_auto (ProgramResult) partial =
        program_expect (3, "train", "-w", testing_batch (), "--encoder-name", "few", "--fraction",
                        "1", "--json", NULL);

    assert_int_equal (json_number_at (partial.json, "train_n"), 40);
    assert_int_equal (json_number_at (partial.json, "valid_n"), 20);
    assert_int_equal (json_number_at (partial.json, "without_latent"),
                      2 * TESTING_BATCH_PATIENTS - 60);
    assert_int_equal (json_array_size (json_at (partial.json, "skipped")),
                      2 * TESTING_BATCH_PATIENTS - 60);
  }
}

static void
test_predict_takes_imported_latents_by_name (void **state)
{
  g_auto (ProgramResult) trained =
      program_expect (0, "train", "-w", testing_batch (), "--encoder-name", "other", "--name",
                      "predicting", "--fraction", "1", NULL);
  g_auto (ProgramResult) result =
      program_expect (3, "predict", "-w", testing_batch (), "--run", "predicting", "--json",
                      "valid_1_a_1.nii.gz", "nobody_1_a_1.nii.gz", NULL);

  assert_int_equal (json_array_size (json_at (result.json, "predictions")), 1);
  assert_true (json_number_at (result.json, "predictions.0.probabilities.Emphysema") > 0);
  assert_true (json_number_at (result.json, "predictions.0.probabilities.Emphysema") < 1);
  assert_non_null (strstr (result.err, "nobody_1_a_1"));
}

static void
test_predict_of_nothing_but_strangers_fails (void **state)
{
  g_auto (ProgramResult) result =
      program_expect (1, "predict", "-w", testing_batch (), "--run", "predicting", "--json",
                      "nobody_1_a_1.nii.gz", "nobody_2_a_1.nii.gz", NULL);

  assert_int_equal (json_array_size (json_at (result.json, "predictions")), 0);
  assert_int_equal (json_array_size (json_at (result.json, "skipped")), 2);
}

/* ---- what goes wrong ---- */

static void
test_faults_are_one_line_with_the_documented_code (void **state)
{
  g_autofree char *no_column = testing_write ("no_column.csv", "VolumeName,Nothing\nx,1\n", 22);
  g_autofree char *labels = testing_path ("train_predicted_labels.csv");
  g_autofree char *not_nifti = testing_write ("text.nii.gz", "hello", 5);
  g_autofree char *out = testing_path ("never.npy");
  g_auto (ProgramResult) column =
      program_expect (1, "import", "-w", testing_batch (), "--split", "train", "--reports",
                      no_column, "--labels", labels, NULL);
  g_auto (ProgramResult) absent =
      program_expect (1, "prepare", "/nowhere/a.nii.gz", "--out", out, NULL);
  g_auto (ProgramResult) broken = program_expect (1, "prepare", not_nifti, "--out", out, NULL);
  g_auto (ProgramResult) nowhere = program_expect (1, "records", "-w", "/nowhere/workspace", NULL);
  g_auto (ProgramResult) unknown = program_expect (2, "frobnicate", NULL);
  g_auto (ProgramResult) option =
      program_expect (2, "train", "-w", testing_batch (), "--gamma", "eleven", NULL);
  g_auto (ProgramResult) run =
      program_expect (1, "runs", "-w", testing_batch (), "--show", "nobody", NULL);

  assert_non_null (strstr (column.err, "no_column.csv"));
  assert_non_null (strstr (column.err, "Findings_EN"));
  assert_non_null (strstr (absent.err, "/nowhere/a.nii.gz"));
  assert_non_null (strstr (broken.err, "text.nii.gz"));
  assert_non_null (strstr (nowhere.err, "demo"));
  assert_non_null (strstr (unknown.err, "frobnicate"));
  assert_non_null (strstr (option.err, "gamma"));
  assert_non_null (strstr (run.err, "nobody"));
  assert_false (g_file_test (out, G_FILE_TEST_EXISTS));
}

static void
test_an_import_that_cannot_begin_makes_no_workspace (void **state)
{
  g_autofree char *none = testing_path ("none"), *half = testing_path ("half");
  g_autofree char *reports = g_build_filename (half, "train_reports.csv", NULL);
  g_autofree char *labels = g_build_filename (half, "train_predicted_labels.csv", NULL);

  g_mkdir_with_parents (half, 0700);
  g_file_set_contents (reports, "VolumeName\n", -1, NULL);
  {
    g_auto (ProgramResult) folder =
        program_expect (1, "import", "-w", none, "/nowhere/tables", NULL);
    g_auto (ProgramResult) one_split =
        program_expect (1, "import", "-w", none, half, "--split", "valid", NULL);
    g_auto (ProgramResult) no_labels = program_expect (1, "import", "-w", none, half, NULL);
    g_auto (ProgramResult) files = program_expect (1, "import", "-w", none, "--split", "train",
                                                   "--reports", reports, "--labels", labels, NULL);
    g_auto (ProgramResult) latents =
        program_expect (1, "import-latents", "-w", none, "--npy", "/nowhere/l.npy", "--names",
                        reports, "--encoder-name", "x", NULL);

    assert_non_null (strstr (folder.err, "/nowhere/tables: neither"));
    assert_non_null (strstr (one_split.err, "validation_reports.csv"));
    assert_non_null (strstr (no_labels.err, labels));
    assert_non_null (strstr (files.err, labels));
    assert_non_null (strstr (latents.err, "/nowhere/l.npy"));
  }
  assert_false (g_file_test (none, G_FILE_TEST_EXISTS));
}

/** What is said to be typed can be typed where the program was. */
static void
test_commands_are_shown_as_the_program_was_called (void **state)
{
  g_auto (ProgramResult) help = program_expect (0, "help", NULL);
  g_auto (ProgramResult) wrong = program_expect (2, "runs", "--nonsense", NULL);
  g_autofree char *typed = g_strconcat (program_path (), " --batch ", NULL);

  assert_non_null (strstr (help.out, typed));
  assert_non_null (strstr (wrong.err, typed));
}

static void
test_what_a_lock_says_is_printed_without_its_escapes (void **state)
{
  g_autofree char *lock = g_build_filename (testing_batch (), "lock", NULL);

  assert_true (g_file_set_contents (lock, "process 1: \033]0;mine\007\033[2J", -1, NULL));
  {
    g_auto (ProgramResult) result = program_expect (0, "sample", "-w", testing_batch (), "--split",
                                                    "train", "--fraction", "0.5", NULL);

    assert_non_null (strstr (result.err, "did not end by itself (process 1: "));
    assert_null (strchr (result.err, '\033'));
    assert_null (strchr (result.err, '\007'));
  }
}

static void
test_a_result_that_stdout_does_not_take_is_a_failure (void **state)
{
  g_autofree char *line = g_strdup_printf ("exec '%s' --batch records -w '%s' >/dev/full",
                                           program_path (), testing_batch ());
  const char *arguments[] = { "sh", "-c", line, NULL };
  g_autofree char *err = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &err,
                &status, &error);
  assert_no_error (error);
  assert_true (WIFEXITED (status));
  assert_int_equal (WEXITSTATUS (status), 1);
  assert_non_null (strstr (err, "standard output"));
}

static void
test_demo_takes_its_directory_from_the_workspace_option (void **state)
{
  g_autofree char *occupied = testing_write ("no folder", "", 0);
  g_autofree char *inside = g_build_filename (occupied, "demo", NULL);
  g_auto (ProgramResult) result = program_expect (1, "demo", "-w", inside, NULL);

  assert_non_null (strstr (result.err, inside));
}

static const char *const all_commands[] = { "demo",   "import",  "import-latents", "records",
                                            "sample", "prepare", "slice",          "encode",
                                            "train",  "predict", "runs",           "export",
                                            "doctor" };

static void
test_every_command_has_help (void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (all_commands); i++)
    {
      g_auto (ProgramResult) result = program_expect (0, all_commands[i], "--help", NULL);

      assert_non_null (strstr (result.out, "--workspace"));
      assert_string_equal (result.err, "");
    }
}

static void
test_the_manual_says_what_help_says (void **state)
{
  const char *const arguments[] = {
    "sh", "-c",   "\"$1/update\" \"$2\" < \"$1/ctclip-tui.1.in\" | diff \"$1/ctclip-tui.1\" -",
    "sh", MANUAL, program_path (),
    NULL
  };
  g_autofree char *difference = NULL;
  g_autoptr (GError) error = NULL;

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &difference, NULL,
                NULL, &error);
  assert_no_error (error);
  if (*difference != '\0')
    fail_msg ("make update-man:\n%s", difference);
}

/* ---- completion ---- */

/** What bash offers for the last word of a line, a blank before every word. */
static char *
complete (const char *words, const char *last)
{
  static const char script[] = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1));"
                               " _ctclip_tui \"$1\"; echo \" ${COMPREPLY[*]} \"";
  g_auto (GStrv) split = g_strsplit (words, " ", -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *err = NULL;
  char *out = NULL;
  int status;

  g_strv_builder_add_many (builder, "bash", "-c", script, "bash", COMPLETION, program_path (),
                           NULL);
  g_strv_builder_addv (builder, (const char **) split);
  g_strv_builder_add (builder, last);
  arguments = g_strv_builder_end (builder);
  g_spawn_sync (NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status,
                &error);
  assert_no_error (error);
  assert_int_equal (status, 0);
  assert_string_equal (err, "");
  return g_strchomp (out);
}

/** Every command, every option of its --help, and the words that an option takes. */
static void
test_bash_completes_what_help_says (void **state)
{
  g_autofree char *bash = g_find_program_in_path ("bash");
  g_autofree char *commands = NULL, *choices = NULL, *workspace_named = NULL, *value = NULL,
                  *path = NULL;

  if (bash == NULL)
    skip ();
  commands = complete ("--batch", "");
  for (guint i = 0; i < G_N_ELEMENTS (all_commands); i++)
    {
      g_autofree char *word = g_strdup_printf (" %s", all_commands[i]);
      g_autofree char *line = g_strdup_printf ("--batch %s", all_commands[i]);
      g_autofree char *options = complete (line, "--");
      g_auto (ProgramResult) help = program_expect (0, all_commands[i], "--help", NULL);
      g_autoptr (GMatchInfo) match = NULL;
      g_autoptr (GRegex) regex =
          g_regex_new ("^  (?:-[a-z], )?(--[a-z-]+)", G_REGEX_MULTILINE, 0, NULL);

      assert_non_null (strstr (commands, word));
      assert_true (g_regex_match (regex, help.out, 0, &match));
      for (; g_match_info_matches (match); g_match_info_next (match, NULL))
        {
          g_autofree char *option = g_match_info_fetch (match, 1);

          if (strstr (options, option) == NULL)
            fail_msg ("%s %s is not completed: %s", all_commands[i], option, options);
        }
    }
  choices = complete ("--batch train --keep =", "");
  assert_string_equal (choices, " last best");
  workspace_named = complete ("-w demo --batch", "ru");
  assert_string_equal (workspace_named, " runs");
  value = complete ("--batch train --name", "");
  path = complete ("--batch", "/tmp/x");
  assert_string_equal (value, "");
  assert_string_equal (path, "");
}

static void
test_no_escape_codes_reach_a_pipe (void **state)
{
  g_auto (ProgramResult) result =
      program_expect (0, "train", "-w", testing_batch (), "--encoder-name", "other", NULL);

  assert_null (strchr (result.out, '\033'));
  assert_null (strchr (result.err, '\033'));
  assert_non_null (strstr (result.out, "macro"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_import_reports_the_funnel_and_replaces_the_split),
    cmocka_unit_test (test_rows_that_cannot_be_read_are_named),
    cmocka_unit_test (test_records_filter_count_and_show),
    cmocka_unit_test (test_what_is_unknown_of_a_record_is_a_dash),
    cmocka_unit_test (test_wrong_query_says_where),
    cmocka_unit_test (test_sample_has_exactly_its_share),
    cmocka_unit_test (test_train_streams_epochs_and_learns),
    cmocka_unit_test (test_same_seed_gives_the_same_bits_and_another_does_not),
    cmocka_unit_test (test_permuted_labels_land_at_one_half),
    cmocka_unit_test (test_a_run_is_repeated_from_its_own_run_file),
    cmocka_unit_test (test_members_without_a_latent_are_left_out_and_counted),
    cmocka_unit_test (test_predict_takes_imported_latents_by_name),
    cmocka_unit_test (test_predict_of_nothing_but_strangers_fails),
    cmocka_unit_test (test_faults_are_one_line_with_the_documented_code),
    cmocka_unit_test (test_an_import_that_cannot_begin_makes_no_workspace),
    cmocka_unit_test (test_commands_are_shown_as_the_program_was_called),
    cmocka_unit_test (test_what_a_lock_says_is_printed_without_its_escapes),
    cmocka_unit_test (test_a_result_that_stdout_does_not_take_is_a_failure),
    cmocka_unit_test (test_demo_takes_its_directory_from_the_workspace_option),
    cmocka_unit_test (test_every_command_has_help),
    cmocka_unit_test (test_the_manual_says_what_help_says),
    cmocka_unit_test (test_bash_completes_what_help_says),
    cmocka_unit_test (test_no_escape_codes_reach_a_pipe),
  };

  return cmocka_run_group_tests_name ("batch", tests, testing_batch_setup, testing_batch_teardown);
}

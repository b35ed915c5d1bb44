/* The program as a script sees it: commands, JSON, exit codes. */
#include "program.h"

#include "base/random.h"
#include "catalog/runs.h"
#include "study/workspace.h"

#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a small cohort with latents that tell the labels, and no scans ---- */

#define PATIENTS 240
#define WIDTH 24

static char *workspace;

static void
append_row (GString *reports, GString *labels, GString *names, float *latents, guint row,
            const char *split, Random *random)
{
  guint32 bits = 0;

  g_string_append_printf (reports,
                          "%s_%u_a_1.nii.gz,\"cough, \"\"dry\"\"\",CT,\"Findings of %u.\nSecond "
                          "line\",Impression %u\r\n",
                          split, row + 1, row, row);
  g_string_append_printf (labels, "%s_%u_a_1.nii.gz", split, row + 1);
  for (guint label = 0; label < 18; label++)
    {
      gboolean positive = random_uniform (random) < 0.1 + 0.02 * label;

      bits |= (guint32) positive << label;
      g_string_append_printf (labels, ",%d", positive);
    }
  g_string_append_c (labels, '\n');
  g_string_append_printf (names, "%s_%u_a_1.nii.gz\n", split, row + 1);
  for (guint feature = 0; feature < WIDTH; feature++)
    latents[feature] =
        (float) (random_normal (random) + (feature < 18 && (bits >> feature & 1) ? 2 : 0));
}

static void
write_split (const char *split, const char *reports_name, const char *labels_name,
             const char *metadata_name, guint n, GString *names, float *latents, Random *random)
{
  g_autoptr (GString) reports = g_string_new (
      "\xef\xbb\xbfVolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\r\n");
  g_autoptr (GString) labels =
      g_string_new ("VolumeName,Medical material,Arterial wall "
                    "calcification,Cardiomegaly,Pericardial effusion,Coronary artery wall "
                    "calcification,Hiatal hernia,Lymphadenopathy,Emphysema,Atelectasis,Lung "
                    "nodule,Lung opacity,Pulmonary fibrotic "
                    "sequela,Pleural effusion,Mosaic attenuation pattern,Peribronchial "
                    "thickening,Consolidation,Bronchiectasis,"
                    "Interlobular septal thickening\n");
  g_autoptr (GString) metadata =
      g_string_new ("VolumeName,Manufacturer,PatientSex,PatientAge,XYSpacing,ZSpacing,RescaleSlope,"
                    "RescaleIntercept,NumberofSlices\n");
  g_autofree char *reports_path = NULL, *labels_path = NULL, *metadata_path = NULL;

  for (guint row = 0; row < n; row++)
    {
      append_row (reports, labels, names, latents + row * WIDTH, row, split, random);
      g_string_append_printf (metadata,
                              "%s_%u_a_1.nii.gz,Siemens,%s,%03uY,\"[0.7, 0.7]\",1.5,1,-1024,%u\n",
                              split, row + 1, row % 2 ? "F" : "M", 20 + row % 60, 100 + row);
    }
  reports_path = testing_write (reports_name, reports->str, reports->len);
  labels_path = testing_write (labels_name, labels->str, labels->len);
  metadata_path = testing_write (metadata_name, metadata->str, metadata->len);
}

static int
make_workspace (void **state)
{
  g_autofree float *latents = g_new (float, 2 * PATIENTS * WIDTH);
  const gsize shape[] = { 2 * PATIENTS, WIDTH };
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *names_path = NULL, *npy_path = NULL;
  g_autoptr (GError) error = NULL;
  Random random;

  random_init (&random, 11, 0);
  write_split ("train", "train_reports.csv", "train_predicted_labels.csv", "train_metadata.csv",
               PATIENTS, names, latents, &random);
  write_split ("valid", "validation_reports.csv", "valid_predicted_labels.csv",
               "validation_metadata.csv", PATIENTS, names, latents + PATIENTS * WIDTH, &random);
  names_path = testing_write ("names.txt", names->str, names->len);
  npy_path = testing_path ("latents.npy");
  npy_write (npy_path, TRUE, NPY_FLOAT32, 2, shape, latents, &error);
  assert_no_error (error);
  workspace = testing_path ("workspace");
  {
    g_auto (ProgramResult) imported =
        program_expect (0, "import", "-w", workspace, testing_directory (), "--json", NULL);
    g_auto (ProgramResult) latents_imported =
        program_expect (0, "import-latents", "-w", workspace, "--npy", npy_path, "--names",
                        names_path, "--encoder-name", "other", NULL);
  }
  return 0;
}

static int
forget_workspace (void **state)
{
  g_free (workspace);
  return 0;
}

/* ---- records and samples ---- */

static void
test_import_reports_the_funnel_and_replaces_the_split (void **state)
{
  g_autofree char *reports = testing_path ("train_reports.csv");
  g_autofree char *labels = testing_path ("train_predicted_labels.csv");
  g_auto (ProgramResult) again =
      program_expect (0, "import", "-w", workspace, "--split", "train", "--reports", reports,
                      "--labels", labels, "--json", NULL);
  g_autofree char *metadata = testing_path ("train_metadata.csv");
  g_auto (ProgramResult) full =
      program_expect (0, "import", "-w", workspace, "--split", "train", "--reports", reports,
                      "--labels", labels, "--metadata", metadata, "--json", NULL);

  assert_int_equal (json_number_at (again.json, "rows"), PATIENTS);
  assert_int_equal (json_number_at (again.json, "kept"), PATIENTS);
  assert_int_equal (json_number_at (again.json, "dropped.patient"), 0);
  assert_int_equal (json_number_at (full.json, "kept"), PATIENTS);
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
      program_expect (0, "records", "-w", workspace, "--json", "--limit", "3", NULL);
  g_auto (ProgramResult) some = program_expect (0, "records", "-w", workspace, "--query",
                                                "age > 60 AND sex = F", "--count", "--json", NULL);
  g_auto (ProgramResult) phrase = program_expect (0, "records", "-w", workspace, "--query",
                                                  "\"findings of 17\"", "--json", NULL);
  g_auto (ProgramResult) one =
      program_expect (0, "records", "-w", workspace, "--show", "valid_3_a_1", "--json", NULL);

  assert_int_equal (json_number_at (all.json, "total"), 2 * PATIENTS);
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
  g_auto (ProgramResult) result =
      program_expect (2, "records", "-w", workspace, "--query", "age > 60 AND (sex = F", NULL);

  assert_non_null (strchr (result.err, '^'));
  assert_string_equal (result.out, "");
}

static void
test_sample_has_exactly_its_share (void **state)
{
  g_auto (ProgramResult) result = program_expect (0, "sample", "-w", workspace, "--split", "valid",
                                                  "--fraction", "0.31", "--json", NULL);

  /* 0.31 × 240 = 74.4 */
  assert_int_equal (json_number_at (result.json, "n"), 74);
  assert_int_equal (json_number_at (result.json, "of"), PATIENTS);
  assert_int_equal (json_array_size (json_at (result.json, "labels")), 18);
  assert_true (json_number_at (result.json, "max_label_deviation") < 0.02);
}

/* ---- training ---- */

static void
test_train_streams_epochs_and_learns (void **state)
{
  g_auto (ProgramResult) result =
      program_expect (0, "train", "-w", workspace, "--fraction", "1", "--epochs", "12", "--watch",
                      "--name", "streamed", "--batch", "16", NULL);
  g_auto (GStrv) lines = g_strsplit (g_strchomp (result.out), "\n", -1);
  json_t *epoch = json_loads (lines[0], 0, NULL);

  assert_int_equal (g_strv_length (lines), 13);
  assert_int_equal (json_number_at (epoch, "epoch"), 1);
  assert_int_equal (json_array_size (json_at (epoch, "validation.classes")), 18);
  assert_string_equal (json_string_value (json_at (result.json, "run")), "streamed");
  assert_int_equal (json_number_at (result.json, "train_n"), PATIENTS);
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
  g_auto (ProgramResult) a = program_expect (0, "train", "-w", workspace, "--fraction", "0.5",
                                             "--seed", "7", "--json", NULL);
  g_auto (ProgramResult) b = program_expect (0, "train", "-w", workspace, "--fraction", "0.5",
                                             "--seed", "7", "--json", NULL);
  g_auto (ProgramResult) c = program_expect (0, "train", "-w", workspace, "--fraction", "0.5",
                                             "--seed", "8", "--json", NULL);

  assert_true (json_equal (json_at (a.json, "epochs"), json_at (b.json, "epochs")));
  assert_false (json_equal (json_at (a.json, "epochs"), json_at (c.json, "epochs")));
}

static void
test_permuted_labels_land_at_one_half (void **state)
{
  g_auto (ProgramResult) result = program_expect (0, "train", "-w", workspace, "--fraction", "1",
                                                  "--permute-labels", "--json", NULL);

  assert_true (json_number_at (result.json, "epochs.4.validation.macro_auroc_low") < 0.5);
  assert_true (json_number_at (result.json, "epochs.4.validation.macro_auroc_high") > 0.5);
}

static void
test_a_run_is_repeated_from_its_own_run_file (void **state)
{
  g_auto (ProgramResult) config = program_expect (0, "train", "--print-config", "--gamma", "1",
                                                  "--head", "linear", "--fraction", "0.4", NULL);
  g_autofree char *path = testing_write ("run.ini", config.out, strlen (config.out));
  g_auto (ProgramResult) a = program_expect (0, "train", "-w", workspace, "--config", path,
                                             "--name", "first", "--json", NULL);
  g_auto (ProgramResult) b =
      program_expect (0, "train", "-w", workspace, "--gamma", "1", "--head", "linear", "--fraction",
                      "0.4", "--name", "second", "--json", NULL);
  g_auto (ProgramResult) shown =
      program_expect (0, "runs", "-w", workspace, "--show", "first", "--json", NULL);
  g_auto (ProgramResult) compared =
      program_expect (0, "runs", "-w", workspace, "--compare", "first", "second", "--json", NULL);

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
        program_expect (0, "import-latents", "-w", workspace, "--npy", npy, "--names", names,
                        "--encoder-name", "few", NULL);
    g_auto (ProgramResult) partial = program_expect (3, "train", "-w", workspace, "--encoder-name",
                                                     "few", "--fraction", "1", "--json", NULL);

    assert_int_equal (json_number_at (partial.json, "train_n"), 40);
    assert_int_equal (json_number_at (partial.json, "valid_n"), 20);
    assert_int_equal (json_number_at (partial.json, "without_latent"), 2 * PATIENTS - 60);
    assert_int_equal (json_array_size (json_at (partial.json, "skipped")), 2 * PATIENTS - 60);
  }
}

static void
test_predict_takes_imported_latents_by_name (void **state)
{
  g_auto (ProgramResult) trained =
      program_expect (0, "train", "-w", workspace, "--encoder-name", "other", "--name",
                      "predicting", "--fraction", "1", NULL);
  g_auto (ProgramResult) result =
      program_expect (3, "predict", "-w", workspace, "--run", "predicting", "--json",
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
      program_expect (1, "predict", "-w", workspace, "--run", "predicting", "--json",
                      "nobody_1_a_1.nii.gz", "nobody_2_a_1.nii.gz", NULL);

  assert_int_equal (json_array_size (json_at (result.json, "predictions")), 0);
  assert_int_equal (json_array_size (json_at (result.json, "skipped")), 2);
}

/* ---- the history ---- */

static void
test_runs_are_renamed_noted_and_deleted (void **state)
{
  g_auto (ProgramResult) trained =
      program_expect (0, "train", "-w", workspace, "--encoder-name", "other", "--name", "draft",
                      "--epochs", "1", NULL);
  g_auto (ProgramResult) renamed = program_expect (0, "runs", "-w", workspace, "--rename", "draft",
                                                   "--to", "chosen", "--json", NULL);
  g_auto (ProgramResult) noted = program_expect (0, "runs", "-w", workspace, "--note", "chosen",
                                                 "--text", "for the paper", "--json", NULL);
  g_auto (ProgramResult) unasked =
      program_expect (2, "runs", "-w", workspace, "--delete", "chosen", NULL);
  g_auto (ProgramResult) still =
      program_expect (0, "runs", "-w", workspace, "--show", "chosen", "--json", NULL);
  g_auto (ProgramResult) deleted =
      program_expect (0, "runs", "-w", workspace, "--delete", "chosen", "--yes", "--json", NULL);
  g_auto (ProgramResult) gone =
      program_expect (1, "runs", "-w", workspace, "--show", "chosen", NULL);
  g_auto (ProgramResult) never =
      program_expect (1, "runs", "-w", workspace, "--show", "draft", NULL);

  assert_string_equal (json_string_value (json_at (renamed.json, "run")), "chosen");
  assert_string_equal (json_string_value (json_at (noted.json, "note")), "for the paper");
  assert_non_null (strstr (unasked.err, "--yes"));
  assert_string_equal (json_string_value (json_at (still.json, "note")), "for the paper");
  assert_string_equal (json_string_value (json_at (deleted.json, "deleted")), "chosen");
}

static const char *
status_of (const ProgramResult *runs, const char *name)
{
  json_t *run;
  size_t i;

  json_array_foreach (json_at (runs->json, "runs"), i,
                      run) if (g_strcmp0 (json_string_value (json_object_get (run, "run")), name)
                               == 0) return json_string_value (json_object_get (run, "status"));
  return NULL;
}

/** What a program that is killed leaves: a run that was begun, and no lock. */
static void
test_a_run_that_nobody_trains_any_more_has_failed (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Workspace) own = workspace_open (workspace, FALSE, &error);
  g_autoptr (CatalogStore) store = own != NULL ? workspace_store (own, &error) : NULL;
  g_autoptr (CatalogRun) last = store != NULL ? catalog_run_find (store, "latest", &error) : NULL;
  CatalogRun begun = { .name = g_strdup ("abandoned") };
  g_auto (ProgramResult) held = { 0 }, left = { 0 }, deleted = { 0 };

  assert_no_error (error);
  begun.encoder = last->encoder;
  begun.train_sample = last->train_sample;
  begun.valid_sample = last->valid_sample;
  assert_true (workspace_lock (own, "train", &error));
  assert_true (catalog_run_begin (store, &begun, &error));
  held = program_expect (0, "runs", "-w", workspace, "--json", NULL);
  assert_string_equal (status_of (&held, "abandoned"), "running");
  workspace_unlock (own);
  left = program_expect (0, "runs", "-w", workspace, "--json", NULL);
  assert_string_equal (status_of (&left, "abandoned"), "failed");
  deleted = program_expect (0, "runs", "-w", workspace, "--delete", "abandoned", "--yes", NULL);
  g_free (begun.name);
  g_free (begun.status);
  g_free (begun.started);
}

static void
test_changes_of_runs_come_one_at_a_time_and_whole (void **state)
{
  g_auto (ProgramResult) half =
      program_expect (2, "runs", "-w", workspace, "--rename", "latest", NULL);
  g_auto (ProgramResult) no_text =
      program_expect (2, "runs", "-w", workspace, "--note", "latest", NULL);
  g_auto (ProgramResult) both = program_expect (2, "runs", "-w", workspace, "--delete", "latest",
                                                "--yes", "--show", "latest", NULL);
  g_auto (ProgramResult) taken =
      program_expect (2, "runs", "-w", workspace, "--rename", "latest", "--to", "latest", NULL);

  assert_non_null (strstr (half.err, "--to"));
  assert_non_null (strstr (no_text.err, "--text"));
  assert_non_null (strstr (both.err, "give one of"));
  assert_non_null (strstr (taken.err, "choose another name"));
}

/** Begin a long run called "again" and end it by a signal once it is in the history; its exit
 * status, and what it said. */
static int
train_until (int signal_number, char **said)
{
  const char *arguments[] = { program_path (), "--batch",        "train",    "-w",   workspace,
                              "--name",        "again",          "--epochs", "1000", "--bootstrap",
                              "10000",         "--encoder-name", "other",    NULL };
  g_autoptr (GError) error = NULL;
  g_auto (ProgramResult) shown = { 0 };
  g_autoptr (GString) text = g_string_new (NULL);
  GPid pid;
  int status, err;
  char block[256];
  gssize n;

  g_spawn_async_with_pipes (NULL, (char **) arguments, NULL,
                            G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                            &pid, NULL, NULL, &err, &error);
  assert_no_error (error);
  for (guint looks = 0;
       shown.json == NULL
       || strcmp (json_string_value (json_at (shown.json, "status")), "running") != 0;
       looks++)
    {
      if (looks == 1000)
        fail_msg ("the run does not begin");
      program_result_clear (&shown);
      shown = program_run ("runs", "-w", workspace, "--show", "again", "--json", NULL);
    }
  kill (pid, signal_number);
  while ((n = read (err, block, sizeof block)) > 0)
    g_string_append_len (text, block, n);
  close (err);
  waitpid (pid, &status, 0);
  *said = g_strdup (text->str);
  return status;
}

static void
test_a_run_that_came_to_nothing_gives_its_name_to_the_next (void **state)
{
  g_autofree char *interrupted = NULL, *killed = NULL;
  int status = train_until (SIGINT, &interrupted);

  assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 130);
  assert_non_null (strstr (interrupted, "train again"));
  assert_true (WIFSIGNALED (train_until (SIGKILL, &killed)));
  {
    g_auto (ProgramResult) next =
        program_expect (0, "train", "-w", workspace, "--encoder-name", "other", "--name", "again",
                        "--epochs", "1", "--json", NULL);
    g_auto (ProgramResult) all = program_expect (0, "runs", "-w", workspace, "--json", NULL);
    g_auto (ProgramResult) taken =
        program_expect (2, "train", "-w", workspace, "--encoder-name", "other", "--name", "again",
                        "--epochs", "1", NULL);

    assert_string_equal (json_string_value (json_at (next.json, "run")), "again");
    assert_non_null (strstr (next.err, "the failed run again is now called run-"));
    assert_string_equal (json_string_value (json_at (all.json, "runs.0.run")), "again");
    assert_string_equal (json_string_value (json_at (all.json, "runs.1.status")), "failed");
    assert_string_equal (json_string_value (json_at (all.json, "runs.2.status")), "cancelled");
    for (guint i = 1; i <= 2; i++)
      {
        g_autofree char *path = g_strdup_printf ("runs.%u.run", i);

        assert_true (g_str_has_prefix (json_string_value (json_at (all.json, path)), "run-"));
      }
    assert_non_null (strstr (taken.err, "another run has it"));
  }
}

/* ---- export ---- */

static void
test_every_export_is_written_and_not_twice (void **state)
{
  static const struct
  {
    const char *what, *name, *start;
  } exports[] = {
    { "records", "r.csv", "VolumeName,patient,split" },
    { "sample", "s.csv", "VolumeName,Medical material" },
    { "latents", "l.npy", "\x93NUMPY" },
    { "metrics", "m.csv", "epoch,train_loss,finding,auroc" },
    { "metrics", "m.json", "{\"run\":" },
    { "predictions", "p.csv", "VolumeName,Medical material" },
    { "predictions", "p.json", "{\"run\":" },
    { "roc", "roc-of-one.png", "\x89PNG" },
    { "histogram", "histogram-of-one.png", "\x89PNG" },
    { "comparison", "comparison.png", "\x89PNG" },
  };
  g_auto (ProgramResult) trained = program_expect (0, "train", "-w", workspace, "--encoder-name",
                                                   "other", "--fraction", "1", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (exports); i++)
    {
      g_autofree char *path = testing_path (exports[i].name);
      g_autofree char *content = NULL;
      g_auto (ProgramResult) first = program_expect (
          0, "export", "-w", workspace, exports[i].what, "--out", path, "--sample", "train-1-42",
          "--encoder-name", "other", "--class", "emphysema", "--with", "latest", NULL);
      g_auto (ProgramResult) second = program_expect (
          2, "export", "-w", workspace, exports[i].what, "--out", path, "--sample", "train-1-42",
          "--encoder-name", "other", "--class", "emphysema", "--with", "latest", NULL);

      assert_true (g_file_get_contents (path, &content, NULL, NULL));
      assert_memory_equal (content, exports[i].start, strlen (exports[i].start));
      assert_non_null (strstr (second.err, "--force"));
    }
}

static void
test_plots_are_all_written_or_none (void **state)
{
  static const char *const names[] = { "roc.png", "histograms.png", "auroc.png", "losses.png" };
  g_autofree char *directory = testing_path ("plots");
  g_autofree char *in_the_way = g_build_filename (directory, "losses.png", NULL);

  assert_int_equal (g_mkdir (directory, 0777), 0);
  assert_true (g_file_set_contents (in_the_way, "mine", 4, NULL));
  {
    g_auto (ProgramResult) refused =
        program_expect (2, "export", "-w", workspace, "plots", "--out", directory, NULL);

    assert_non_null (strstr (refused.err, "losses.png"));
    assert_non_null (strstr (refused.err, "--force"));
  }
  for (guint i = 0; i + 1 < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (directory, names[i], NULL);

      assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
    }
  {
    g_auto (ProgramResult) forced =
        program_expect (0, "export", "-w", workspace, "plots", "--out", directory, "--force", NULL);
  }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (directory, names[i], NULL);
      g_autofree char *content = NULL;

      assert_true (g_file_get_contents (path, &content, NULL, NULL));
      assert_memory_equal (content, "\x89PNG", 4);
    }
}

static void
test_a_plot_that_lacks_its_class_or_run_says_so (void **state)
{
  g_autofree char *path = testing_path ("none.png");
  g_auto (ProgramResult) unknown = program_expect (2, "export", "-w", workspace, "roc", "--class",
                                                   "Emphisema", "--out", path, NULL);
  g_auto (ProgramResult) unnamed =
      program_expect (2, "export", "-w", workspace, "histogram", "--out", path, NULL);
  g_auto (ProgramResult) alone =
      program_expect (2, "export", "-w", workspace, "comparison", "--out", path, NULL);
  g_auto (ProgramResult) three =
      program_expect (2, "export", "-w", workspace, "comparison", "--with", "latest", "--with",
                      "latest", "--out", path, NULL);

  assert_non_null (strstr (unknown.err, "Emphisema"));
  assert_non_null (strstr (unnamed.err, "--class"));
  assert_non_null (strstr (alone.err, "--with"));
  assert_non_null (strstr (three.err, "two runs"));
  assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_latents_are_not_exported_without_their_names (void **state)
{
  g_autofree char *npy = testing_path ("alone.npy");
  g_autofree char *names = testing_write ("alone.txt", "mine\n", 5);
  g_auto (ProgramResult) result = program_expect (2, "export", "-w", workspace, "latents", "--out",
                                                  npy, "--encoder-name", "other", NULL);

  assert_non_null (strstr (result.err, names));
  assert_false (g_file_test (npy, G_FILE_TEST_EXISTS));
}

static void
test_a_name_given_twice_is_told_with_both_lines (void **state)
{
  const float latents[3] = { 1, 2, 3 };
  const gsize shape[] = { 3, 1 };
  const char text[] = "train_1_a_1.nii.gz\n\ntrain_2_a_1\nsome/where/train_1_a_1\n";
  g_autofree char *names = testing_write ("twice.txt", text, strlen (text));
  g_autofree char *npy = testing_path ("twice.npy");
  g_autoptr (GError) error = NULL;

  npy_write (npy, TRUE, NPY_FLOAT32, 2, shape, latents, &error);
  assert_no_error (error);
  {
    g_auto (ProgramResult) result =
        program_expect (2, "import-latents", "-w", workspace, "--npy", npy, "--names", names,
                        "--encoder-name", "twice", NULL);

    assert_non_null (strstr (result.err, "lines 1 and 4"));
    assert_non_null (strstr (result.err, "train_1_a_1.nii.gz"));
  }
}

static void
test_exported_latents_can_be_imported_again (void **state)
{
  g_autofree char *npy = testing_path ("again.npy");
  g_autofree char *names = testing_path ("again.txt");
  g_auto (ProgramResult) out = program_expect (0, "export", "-w", workspace, "latents", "--out",
                                               npy, "--encoder-name", "other", NULL);
  g_auto (ProgramResult) in =
      program_expect (0, "import-latents", "-w", workspace, "--npy", npy, "--names", names,
                      "--encoder-name", "again", "--json", NULL);

  assert_int_equal (json_number_at (in.json, "imported"), 2 * PATIENTS);
  assert_int_equal (json_number_at (in.json, "width"), WIDTH);
}

/* ---- what goes wrong ---- */

static void
test_faults_are_one_line_with_the_documented_code (void **state)
{
  g_autofree char *no_column = testing_write ("no_column.csv", "VolumeName,Nothing\nx,1\n", 22);
  g_autofree char *labels = testing_path ("train_predicted_labels.csv");
  g_autofree char *not_nifti = testing_write ("text.nii.gz", "hello", 5);
  g_autofree char *out = testing_path ("never.npy");
  g_auto (ProgramResult) column = program_expect (1, "import", "-w", workspace, "--split", "train",
                                                  "--reports", no_column, "--labels", labels, NULL);
  g_auto (ProgramResult) absent =
      program_expect (1, "prepare", "/nowhere/a.nii.gz", "--out", out, NULL);
  g_auto (ProgramResult) broken = program_expect (1, "prepare", not_nifti, "--out", out, NULL);
  g_auto (ProgramResult) nowhere = program_expect (1, "records", "-w", "/nowhere/workspace", NULL);
  g_auto (ProgramResult) unknown = program_expect (2, "frobnicate", NULL);
  g_auto (ProgramResult) option =
      program_expect (2, "train", "-w", workspace, "--gamma", "eleven", NULL);
  g_auto (ProgramResult) run =
      program_expect (1, "runs", "-w", workspace, "--show", "nobody", NULL);

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
  g_autofree char *lock = g_build_filename (workspace, "lock", NULL);

  assert_true (g_file_set_contents (lock, "process 1: \033]0;mine\007\033[2J", -1, NULL));
  {
    g_auto (ProgramResult) result = program_expect (0, "sample", "-w", workspace, "--split",
                                                    "train", "--fraction", "0.5", NULL);

    assert_non_null (strstr (result.err, "did not end by itself (process 1: "));
    assert_null (strchr (result.err, '\033'));
    assert_null (strchr (result.err, '\007'));
  }
}

static void
test_a_result_that_stdout_does_not_take_is_a_failure (void **state)
{
  g_autofree char *line =
      g_strdup_printf ("exec '%s' --batch records -w '%s' >/dev/full", program_path (), workspace);
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
      program_expect (0, "train", "-w", workspace, "--encoder-name", "other", NULL);

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
    cmocka_unit_test (test_runs_are_renamed_noted_and_deleted),
    cmocka_unit_test (test_a_run_that_nobody_trains_any_more_has_failed),
    cmocka_unit_test (test_changes_of_runs_come_one_at_a_time_and_whole),
    cmocka_unit_test (test_a_run_that_came_to_nothing_gives_its_name_to_the_next),
    cmocka_unit_test (test_every_export_is_written_and_not_twice),
    cmocka_unit_test (test_plots_are_all_written_or_none),
    cmocka_unit_test (test_a_plot_that_lacks_its_class_or_run_says_so),
    cmocka_unit_test (test_latents_are_not_exported_without_their_names),
    cmocka_unit_test (test_a_name_given_twice_is_told_with_both_lines),
    cmocka_unit_test (test_exported_latents_can_be_imported_again),
    cmocka_unit_test (test_faults_are_one_line_with_the_documented_code),
    cmocka_unit_test (test_an_import_that_cannot_begin_makes_no_workspace),
    cmocka_unit_test (test_commands_are_shown_as_the_program_was_called),
    cmocka_unit_test (test_what_a_lock_says_is_printed_without_its_escapes),
    cmocka_unit_test (test_a_result_that_stdout_does_not_take_is_a_failure),
    cmocka_unit_test (test_demo_takes_its_directory_from_the_workspace_option),
    cmocka_unit_test (test_every_command_has_help),
    cmocka_unit_test (test_bash_completes_what_help_says),
    cmocka_unit_test (test_no_escape_codes_reach_a_pipe),
  };

  return cmocka_run_group_tests_name ("batch", tests, make_workspace, forget_workspace);
}

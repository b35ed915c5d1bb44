/* The whole path on the demo's cohort: real scans, real encoder, real files. Slow: some half a
 * minute. */
#include "nifti_maker.h"
#include "program.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *workspace, *demo, *volumes, *checkpoint;
static ProgramResult shown; /* what the demo said */

static int
run_demo (void **state)
{
  workspace = testing_path ("demo-workspace");
  demo = g_build_filename (workspace, "demo", NULL);
  volumes = g_build_filename (demo, "volumes", NULL);
  checkpoint = g_build_filename (demo, "demo-ctvit.pt", NULL);
  shown = program_expect (0, "demo", workspace, "--json", "--threads", "2", NULL);
  return 0;
}

static int
forget_demo (void **state)
{
  program_result_clear (&shown);
  g_free (workspace);
  g_free (demo);
  g_free (volumes);
  g_free (checkpoint);
  return 0;
}

static void
test_demo_learns_and_its_control_does_not (void **state)
{
  assert_true (json_number_at (shown.json, "macro_auroc") > 0.80);
  assert_true (json_number_at (shown.json, "control_macro_auroc_low") < 0.5);
  assert_true (json_number_at (shown.json, "control_macro_auroc_high") > 0.5);
}

static void
test_demo_cohort_is_cleaned_by_every_rule (void **state)
{
  g_auto (GStrv) lines = g_strsplit (shown.out, "\n", 2);
  json_t *funnel = json_loads (lines[0], 0, NULL);
  const char *reason;
  json_t *count;

  json_object_foreach (json_at (funnel, "dropped"), reason,
                       count) if (json_integer_value (count) == 0)
      fail_msg ("no row was dropped as %s", reason);
  json_decref (funnel);
}

static void
test_encoding_again_finds_everything_in_the_store (void **state)
{
  g_auto (ProgramResult) again =
      program_expect (0, "encode", "-w", workspace, "--encoder", checkpoint, "--volumes", volumes,
                      "--sample", "valid-0.9-1", "--json", NULL);

  assert_int_equal (json_number_at (again.json, "encoded"), 0);
  assert_true (json_number_at (again.json, "cached") > 0);
}

/** Start an encode under another name and kill it once some latents are announced. */
static void
kill_while_encoding (const char *encoder_name, const char *sample)
{
  const char *arguments[] = { program_path (), "--batch",        "encode",     "-w",    workspace,
                              "--encoder",     checkpoint,       "--volumes",  volumes, "--sample",
                              sample,          "--encoder-name", encoder_name, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;
  int status;

  g_spawn_async (NULL, (char **) arguments, NULL,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL
                     | G_SPAWN_STDERR_TO_DEV_NULL,
                 NULL, NULL, &pid, &error);
  assert_no_error (error);
  g_usleep (1500000); /* wherever it is then; every moment must do */
  kill (pid, SIGKILL);
  waitpid (pid, &status, 0);
}

static void
test_a_killed_encode_goes_on_and_gives_the_same_bits (void **state)
{
  g_autofree char *a_path = testing_path ("a.npy"), *b_path = testing_path ("b.npy");
  g_autoptr (NpyArray) a = NULL;
  g_autoptr (NpyArray) b = NULL;
  g_autoptr (GError) error = NULL;
  double encoded, cached;

  kill_while_encoding ("killed", "valid-0.9-1");
  {
    g_auto (ProgramResult) rest =
        program_expect (0, "encode", "-w", workspace, "--encoder", checkpoint, "--volumes", volumes,
                        "--sample", "valid-0.9-1", "--encoder-name", "killed", "--json", NULL);
    g_auto (ProgramResult) undisturbed =
        program_expect (0, "encode", "-w", workspace, "--encoder", checkpoint, "--volumes", volumes,
                        "--sample", "valid-0.9-1", "--encoder-name", "undisturbed", "--json", NULL);
    g_auto (ProgramResult) export_a = program_expect (
        0, "export", "-w", workspace, "latents", "--encoder-name", "killed", "--out", a_path, NULL);
    g_auto (ProgramResult) export_b =
        program_expect (0, "export", "-w", workspace, "latents", "--encoder-name", "undisturbed",
                        "--out", b_path, NULL);

    encoded = json_number_at (rest.json, "encoded");
    cached = json_number_at (rest.json, "cached");
    assert_true (encoded + cached == json_number_at (undisturbed.json, "encoded"));
  }
  a = npy_read (a_path, &error);
  assert_no_error (error);
  b = npy_read (b_path, &error);
  assert_no_error (error);
  assert_int_equal (a->n, b->n);
  assert_memory_equal (a->data, b->data, a->n * sizeof (float));
}

static void
test_unreadable_scans_are_named_and_the_others_go_on (void **state)
{
  g_autofree char *few = testing_path ("few");
  g_autofree char *listed = NULL, *good = NULL, *cut = NULL, *bytes = NULL, *target_good = NULL,
                  *target_cut = NULL;
  g_auto (ProgramResult) records = program_expect (0, "records", "-w", workspace, "--split",
                                                   "valid", "--limit", "3", "--json", NULL);
  const char *first = json_string_value (json_at (records.json, "records.0.volume"));
  const char *second = json_string_value (json_at (records.json, "records.1.volume"));
  g_autofree char *find =
      g_strdup_printf ("find '%s' -name '%s' -o -name '%s'", volumes, first, second);
  g_auto (GStrv) paths = NULL;
  gsize length;
  g_autoptr (GError) error = NULL;

  g_spawn_command_line_sync (find, &listed, NULL, NULL, &error);
  assert_no_error (error);
  paths = g_strsplit (g_strchomp (listed), "\n", -1);
  assert_int_equal (g_strv_length (paths), 2);
  g_mkdir_with_parents (few, 0755);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *base = g_path_get_basename (paths[i]);
      g_autofree char *to = g_build_filename (few, base, NULL);

      g_file_get_contents (paths[i], &bytes, &length, &error);
      assert_no_error (error);
      g_file_set_contents (to, bytes, i == 0 ? (gssize) length : (gssize) (length / 2), &error);
      assert_no_error (error);
      g_clear_pointer (&bytes, g_free);
    }
  {
    g_auto (ProgramResult) sampled =
        program_expect (0, "sample", "-w", workspace, "--split", "valid", "--fraction", "1",
                        "--available", "--volumes", few, "--name", "few", "--json", NULL);
    g_auto (ProgramResult) encoded =
        program_expect (3, "encode", "-w", workspace, "--encoder", checkpoint, "--volumes", few,
                        "--sample", "few", "--encoder-name", "few", "--json", NULL);

    assert_int_equal (json_number_at (sampled.json, "n"), 2);
    assert_true (json_number_at (sampled.json, "lacking") > 100);
    assert_int_equal (json_number_at (encoded.json, "encoded"), 1);
    assert_int_equal (json_array_size (json_at (encoded.json, "failed")), 1);
    assert_non_null (
        strstr (json_string_value (json_at (encoded.json, "failed.0.reason")), "truncated"));
  }
}

/** Predicting the first scan that run @run was judged on gives what the run predicted. */
static void
assert_predicts_again (const char *run)
{
  g_autofree char *name = g_strdup_printf ("p-%s.json", run);
  g_autofree char *csv = testing_path (name);
  g_auto (ProgramResult) exported = program_expect (0, "export", "-w", workspace, "predictions",
                                                    "--run", run, "--out", csv, NULL);
  json_t *predictions = json_load_file (csv, 0, NULL);
  const char *volume = json_string_value (json_at (predictions, "predictions.0.volume"));
  g_autofree char *find = g_strdup_printf ("find '%s' -name '%s'", volumes, volume);
  g_autofree char *path = NULL;
  const char *label;
  json_t *value;

  g_spawn_command_line_sync (find, &path, NULL, NULL, NULL);
  {
    g_auto (ProgramResult) predicted = program_expect (0, "predict", "-w", workspace, "--run", run,
                                                       "--json", g_strchomp (path), NULL);

    json_object_foreach (json_at (predictions, "predictions.0.probabilities"), label, value)
    {
      g_autofree char *at = g_strconcat ("predictions.0.probabilities.", label, NULL);

      assert_true (fabs (json_number_value (value) - json_number_at (predicted.json, at)) < 1e-6);
    }
  }
  json_decref (predictions);
}

static void
test_predict_gives_the_validation_prediction_of_the_run (void **state)
{
  assert_predicts_again ("1");
}

static ProgramResult
encode_on (const char *device, int code, const char *precision, const char *sample,
           const char *encoder_name)
{
  return program_expect (code, "encode", "-w", workspace, "--encoder", checkpoint, "--volumes",
                         volumes, "--sample", sample, "--device", device, "--precision", precision,
                         "--json", encoder_name != NULL ? "--encoder-name" : NULL, encoder_name,
                         NULL);
}

static ProgramResult
encode_as (int code, const char *precision, const char *sample, const char *encoder_name)
{
  return encode_on ("cpu", code, precision, sample, encoder_name);
}

static void
test_another_precision_is_another_encoder (void **state)
{
  g_auto (ProgramResult) first = encode_as (0, "int16", "valid-0.9-1", NULL);
  g_auto (ProgramResult) again = encode_as (0, "int16", "valid-0.9-1", NULL);
  g_auto (ProgramResult) float32 = encode_as (0, "float32", "valid-0.9-1", NULL);
  g_auto (ProgramResult) mixed = encode_as (2, "int16", "valid-0.9-1", "demo-ctvit.pt");
  g_auto (ProgramResult) unknown = encode_as (2, "int61", "valid-0.9-1", NULL);

  assert_int_equal (json_number_at (first.json, "cached"), 0);
  assert_string_equal (json_string_value (json_at (first.json, "encoder")), "demo-ctvit.pt-int16");
  assert_int_equal (json_number_at (again.json, "encoded"), 0);
  assert_true (json_number_at (again.json, "cached") == json_number_at (first.json, "encoded"));
  assert_int_equal (json_number_at (float32.json, "encoded"), 0);
  assert_non_null (strstr (mixed.err, "another precision"));
  assert_non_null (strstr (unknown.err, "float32, int16, bf16"));
}

static void
test_bf16_is_an_encoder_of_its_own_and_not_the_processors (void **state)
{
  g_auto (ProgramResult) refused = encode_on ("cpu", 1, "bf16", "valid-0.9-1", NULL);
  g_auto (ProgramResult) first = encode_on ("torch", 0, "bf16", "valid-0.9-1", NULL);
  g_auto (ProgramResult) again = encode_on ("torch", 0, "bf16", "valid-0.9-1", NULL);
  g_auto (ProgramResult) mixed = encode_on ("torch", 2, "bf16", "valid-0.9-1", "demo-ctvit.pt");

  assert_non_null (strstr (refused.err, "int16"));
  assert_int_equal (json_number_at (first.json, "cached"), 0);
  assert_string_equal (json_string_value (json_at (first.json, "encoder")), "demo-ctvit.pt-bf16");
  assert_int_equal (json_number_at (again.json, "encoded"), 0);
  assert_non_null (strstr (mixed.err, "another precision"));
}

/** Its weights can be told to be the same wherever it is exported. */
static void
test_a_checkpoint_with_a_bf16_encoder_is_exported (void **state)
{
  g_autofree char *out = testing_path ("bf16.pt");
  g_auto (ProgramResult) sample = program_expect (0, "sample", "-w", workspace, "--split", "train",
                                                  "--fraction", "0.05", "--name", "fewer", NULL);
  g_auto (ProgramResult) encoded = encode_on ("torch", 0, "bf16", "fewer", NULL);
  g_auto (ProgramResult) trained = program_expect (
      0, "train", "-w", workspace, "--encoder-name", "demo-ctvit.pt-bf16", "--train-sample",
      "fewer", "--valid-sample", "valid-0.9-1", "--name", "brain", "--epochs", "1", NULL);
  g_auto (ProgramResult) exported = program_expect (0, "export", "-w", workspace, "checkpoint",
                                                    "--run", "brain", "--out", out, NULL);

  assert_true (g_file_test (out, G_FILE_TEST_EXISTS));
}

static void
test_predict_takes_the_precision_of_the_run (void **state)
{
  g_auto (ProgramResult) sample = program_expect (0, "sample", "-w", workspace, "--split", "train",
                                                  "--fraction", "0.1", "--name", "few", NULL);
  g_auto (ProgramResult) encoded = encode_as (0, "int16", "few", NULL);
  g_auto (ProgramResult) trained = program_expect (
      0, "train", "-w", workspace, "--encoder-name", "demo-ctvit.pt-int16", "--train-sample", "few",
      "--valid-sample", "valid-0.9-1", "--name", "rounded", "--epochs", "1", NULL);

  assert_predicts_again ("rounded");
}

#define JUDGED 4

/** One finding's probability, added up over the first predictions. */
static double
added_up (json_t *document)
{
  double sum = 0;

  for (guint i = 0; i < JUDGED; i++)
    {
      g_autofree char *at = g_strdup_printf ("predictions.%u.probabilities.Cardiomegaly", i);

      sum += json_number_at (document, at);
    }
  return sum;
}

static void
test_predict_prepares_scans_as_those_of_the_run (void **state)
{
  const char *splits[] = { "train", "valid" };
  const char *samples[] = { "few-train", "few-valid" };
  g_autofree char *json = testing_path ("few.json");
  char *paths[JUDGED];
  json_t *predictions;

  for (guint i = 0; i < G_N_ELEMENTS (splits); i++)
    {
      g_auto (ProgramResult) sampled =
          program_expect (0, "sample", "-w", workspace, "--split", splits[i], "--fraction", "0.1",
                          "--name", samples[i], NULL);
      g_auto (ProgramResult) encoded = program_expect (
          0, "encode", "-w", workspace, "--encoder", checkpoint, "--volumes", volumes, "--sample",
          samples[i], "--encoder-name", "both", "--rescale", "both", "--orient", "as-stored", NULL);
    }
  {
    g_auto (ProgramResult) trained = program_expect (
        0, "train", "-w", workspace, "--encoder-name", "both", "--train-sample", samples[0],
        "--valid-sample", samples[1], "--epochs", "1", "--name", "both", NULL);
    g_auto (ProgramResult) exported = program_expect (0, "export", "-w", workspace, "predictions",
                                                      "--run", "both", "--out", json, NULL);
  }
  predictions = json_load_file (json, 0, NULL);
  for (guint i = 0; i < JUDGED; i++)
    {
      g_autofree char *at = g_strdup_printf ("predictions.%u.volume", i);
      g_autofree char *find = g_strdup_printf ("find '%s' -name '%s'", volumes,
                                               json_string_value (json_at (predictions, at)));

      g_spawn_command_line_sync (find, &paths[i], NULL, NULL, NULL);
      g_strchomp (paths[i]);
    }
  {
    g_auto (ProgramResult) alike =
        program_expect (0, "predict", "-w", workspace, "--run", "both", "--json", paths[0],
                        paths[1], paths[2], paths[3], NULL);
    g_auto (ProgramResult) otherwise =
        program_expect (0, "predict", "-w", workspace, "--run", "both", "--rescale", "auto",
                        "--json", paths[0], paths[1], paths[2], paths[3], NULL);

    assert_true (fabs (added_up (alike.json) - added_up (predictions)) < 1e-5);
    assert_string_equal (alike.err, "");
    assert_true (fabs (added_up (otherwise.json) - added_up (predictions)) > 1e-3);
    assert_non_null (strstr (otherwise.err, "prepared with both"));
  }
  for (guint i = 0; i < JUDGED; i++)
    g_free (paths[i]);
  json_decref (predictions);
}

static void
test_exported_checkpoint_encodes_as_the_original (void **state)
{
  g_autofree char *exported = testing_path ("exported.pt"),
                  *head = testing_path ("head.safetensors");
  g_autofree char *description = g_build_filename (demo, "demo-ctvit.ini", NULL);
  g_autofree char *find =
      g_strdup_printf ("sh -c \"find '%s' -name '*.nii.gz' | head -n 1\"", volumes);
  g_autofree char *path = NULL, *a_path = testing_path ("ea.npy"),
                  *b_path = testing_path ("eb.npy");
  g_auto (ProgramResult) a = program_expect (0, "export", "-w", workspace, "checkpoint", "--run",
                                             "1", "--out", exported, NULL);
  g_auto (ProgramResult) b =
      program_expect (0, "export", "-w", workspace, "head", "--run", "1", "--out", head, NULL);
  g_autoptr (NpyArray) latent_a = NULL;
  g_autoptr (NpyArray) latent_b = NULL;

  g_spawn_command_line_sync (find, &path, NULL, NULL, NULL);
  {
    g_auto (ProgramResult) first = program_expect (0, "encode", g_strchomp (path), "--encoder",
                                                   checkpoint, "--out", a_path, NULL);
    g_auto (ProgramResult) second =
        program_expect (0, "encode", path, "--encoder", exported, "--description", description,
                        "--out", b_path, NULL);
  }
  latent_a = npy_read (a_path, NULL);
  latent_b = npy_read (b_path, NULL);
  assert_memory_equal (latent_a->data, latent_b->data, latent_a->n * sizeof (float));
}

/** Change numbers in the middle of a file slightly, or change them back. */
static void
change_numbers (const char *path)
{
  g_autofree char *bytes = NULL;
  gsize size;

  assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize i = size / 2; i < size / 2 + 64; i++)
    bytes[i] ^= 1;
  assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
}

static void
test_a_head_is_not_exported_with_other_weights (void **state)
{
  g_autofree char *out = testing_path ("other.pt");

  change_numbers (checkpoint);
  {
    g_auto (ProgramResult) refused = program_expect (1, "export", "-w", workspace, "checkpoint",
                                                     "--run", "1", "--out", out, NULL);

    assert_non_null (strstr (refused.err, "its weights are not those"));
    assert_false (g_file_test (out, G_FILE_TEST_EXISTS));
  }
  change_numbers (checkpoint);
}

#define SIDE 40

/** A folder "scans" in @folder with one scan of that grey, as old as all of them. */
static void
make_scans (const char *folder, const char *volume, double hu)
{
  nifti_2_header header = nifti_maker_header (NIFTI_TYPE_INT16, SIDE, SIDE, SIDE);
  g_autofree double *values = g_new (double, SIDE *SIDE *SIDE);
  g_autofree char *made = NULL, *scans = g_build_filename (folder, "scans", NULL);
  g_autofree char *name = g_strndup (volume, strlen (volume) - strlen (".gz"));
  g_autofree char *path = g_build_filename (scans, name, NULL);
  const struct timespec times[] = { { 0 }, { 0 } };

  for (gsize i = 0; i < SIDE * SIDE * SIDE; i++)
    values[i] = hu;
  made = nifti_maker_write ("scan.nii", &header, values, NIFTI_MAKER_PLAIN);
  g_mkdir_with_parents (scans, 0700);
  assert_int_equal (g_rename (made, path), 0);
  assert_int_equal (utimensat (AT_FDCWD, path, times, 0), 0);
}

static void
test_a_scan_is_not_taken_for_one_of_another_folder (void **state)
{
  g_autofree char *start = g_get_current_dir ();
  g_auto (ProgramResult) records =
      program_expect (0, "records", "-w", workspace, "--limit", "1", "--json", NULL);
  const char *volume = json_string_value (json_at (records.json, "records.0.volume"));

  /* Both are "scans/..." where the program is started, of one size and time. */
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *name = g_strdup_printf ("site-%u", i), *folder = testing_path (name);
      g_auto (ProgramResult) encoded = { 0 };

      make_scans (folder, volume, i == 0 ? -500 : 40);
      assert_int_equal (g_chdir (folder), 0);
      encoded =
          program_expect (3, "encode", "-w", workspace, "--encoder", checkpoint, "--encoder-name",
                          "by-folder", "--volumes", "scans", "--json", NULL);
      assert_int_equal (g_chdir (start), 0);
      assert_int_equal (json_number_at (encoded.json, "encoded"), 1);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_demo_learns_and_its_control_does_not),
    cmocka_unit_test (test_demo_cohort_is_cleaned_by_every_rule),
    cmocka_unit_test (test_encoding_again_finds_everything_in_the_store),
    cmocka_unit_test (test_a_killed_encode_goes_on_and_gives_the_same_bits),
    cmocka_unit_test (test_unreadable_scans_are_named_and_the_others_go_on),
    cmocka_unit_test (test_predict_gives_the_validation_prediction_of_the_run),
    cmocka_unit_test (test_another_precision_is_another_encoder),
    cmocka_unit_test (test_bf16_is_an_encoder_of_its_own_and_not_the_processors),
    cmocka_unit_test (test_a_checkpoint_with_a_bf16_encoder_is_exported),
    cmocka_unit_test (test_predict_takes_the_precision_of_the_run),
    cmocka_unit_test (test_predict_prepares_scans_as_those_of_the_run),
    cmocka_unit_test (test_exported_checkpoint_encodes_as_the_original),
    cmocka_unit_test (test_a_head_is_not_exported_with_other_weights),
    cmocka_unit_test (test_a_scan_is_not_taken_for_one_of_another_folder),
  };

  return cmocka_run_group_tests_name ("end to end", tests, run_demo, forget_demo);
}

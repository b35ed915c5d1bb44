/* Files that are cut, overwritten, replaced or removed while the program reads them, at one of its
 * reads: the file is named in one line, the others go on, and what was there before is there
 * still. */
#include "harm.h"
#include "testing_store.h"
#include "testing_study.h"

#include "ctrate_files.h"
#include "nifti_maker.h"
#include "study/demo_job.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIDE 160 /* of a scan that takes several reads, compressed or not */
#define SLICES 40
#define PATIENTS 300
#define SCANS 4 /* to train on; half as many to judge on */

static char *big[2];      /* that scan, plain and compressed */
static char *work, *safe; /* a file that is harmed, and what it was */
static Workspace *of_demo;
static StudyDemo demo;

static void
make_big (void)
{
  nifti_2_header header = nifti_maker_header (NIFTI_TYPE_INT16, SIDE, SIDE, SLICES);
  g_autofree double *values = g_new (double, SIDE *SIDE *SLICES);
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);

  for (guint i = 0; i < SIDE * SIDE * SLICES; i++)
    values[i] = g_rand_int_range (rand, -1000, 1000);
  big[0] = nifti_maker_write ("big.nii", &header, values, NIFTI_MAKER_PLAIN);
  big[1] = nifti_maker_write ("big.nii.gz", &header, values, NIFTI_MAKER_GZIP);
}

static int
make_files (void **state)
{
  g_autofree char *path = testing_path ("demo");
  g_auto (JobSnapshot) last = { 0 };
  g_autoptr (GError) error = NULL;

  make_big ();
  of_demo = workspace_open (path, TRUE, &error);
  assert_no_error (error);
  demo = (StudyDemo){
    .workspace = of_demo, .seed = STUDY_DEMO_SEED, .n_train = SCANS, .n_valid = SCANS / 2
  };
  testing_study_run (study_demo, &demo, &last);
  {
    g_auto (ProgramResult) imported =
        program_expect (3, "import", "-w", path, demo.directory, NULL);
  }
  return 0;
}

static int
forget_files (void **state)
{
  study_demo_clear (&demo);
  g_clear_pointer (&of_demo, workspace_free);
  for (guint i = 0; i < G_N_ELEMENTS (big); i++)
    g_clear_pointer (&big[i], g_free);
  return 0;
}

/** A copy that may be harmed. */
static void
choose (const char *original)
{
  g_autofree char *base = g_path_get_basename (original);
  g_autofree char *name = g_strconcat ("work-", base, NULL);

  g_free (work);
  g_free (safe);
  work = testing_path (name);
  safe = g_strdup (original);
  harm_remove (work);
  harm_copy (safe, work);
}

static void
forget_choice (void)
{
  g_clear_pointer (&work, g_free);
  g_clear_pointer (&safe, g_free);
}

/* ---- the harm: HarmBefore ---- */

static int
cut (GPid pid, gpointer path)
{
  struct stat info;

  assert_int_equal (stat (path, &info), 0);
  assert_int_equal (truncate (path, info.st_size / 2), 0);
  return 0;
}

/** In place, with as many bytes of something else. */
static int
overwrite (GPid pid, gpointer path)
{
  static char other[1 << 16];
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  struct stat info;

  assert_true (fd >= 0);
  assert_int_equal (fstat (fd, &info), 0);
  memset (other, 7, sizeof other);
  for (off_t at = 0; at < info.st_size; at += (off_t) sizeof other)
    assert_true (pwrite (fd, other, MIN (sizeof other, (gsize) (info.st_size - at)), at) > 0);
  close (fd);
  return 0;
}

/** By renaming, as most programs write; the open file stays what it was. */
static int
replace (GPid pid, gpointer path)
{
  g_autofree char *other = testing_write ("other", "other", 5);

  assert_int_equal (g_rename (other, path), 0);
  return 0;
}

static int
remove_it (GPid pid, gpointer path)
{
  assert_int_equal (g_unlink (path), 0);
  return 0;
}

/** It failed with one line that holds the words. */
static void
assert_refused (const ProgramResult *result, const char *file, const char *word)
{
  if (result->code != 1 || harm_count_lines (result->err) != 1 || strstr (result->err, file) == NULL
      || strstr (result->err, word) == NULL)
    fail_msg ("ended with %d and said '%s', not '%s'", result->code, result->err, word);
}

static char *
contents (const char *path, gsize *size)
{
  g_autoptr (GError) error = NULL;
  char *bytes;

  g_file_get_contents (path, &bytes, size, &error);
  assert_no_error (error);
  return bytes;
}

static void
assert_same_file (const char *a_path, const char *b_path)
{
  gsize a_size, b_size;
  g_autofree char *a = contents (a_path, &a_size), *b = contents (b_path, &b_size);

  if (a_size != b_size || memcmp (a, b, a_size) != 0)
    fail_msg ("%s and %s differ", a_path, b_path);
}

/* ---- volumes ---- */

static void
test_a_volume_that_changes_while_it_is_read_is_refused (void **state)
{
  static const HarmBefore harms[] = { cut, overwrite };
  g_autofree char *out = testing_path ("refused.npy");

  harm_need_notices ();
  for (guint form = 0; form < G_N_ELEMENTS (big); form++)
    for (guint i = 0; i < G_N_ELEMENTS (harms); i++)
      for (guint nth = 2; nth <= 4; nth++) /* the first is the header's */
        {
          const char *prepare[] = { "prepare", NULL, "--out", out, NULL };
          gboolean hit;

          choose (big[form]);
          prepare[1] = work;
          {
            g_auto (ProgramResult) result =
                harm_before (HARM_READ, work, nth, harms[i], work, &hit, prepare);

            assert_true (hit);
            assert_refused (&result, work, "changed while it was read");
          }
          assert_false (g_file_test (out, G_FILE_TEST_EXISTS));
        }
  forget_choice ();
}

static void
test_a_volume_that_loses_its_name_is_read_to_its_end (void **state)
{
  static const HarmBefore harms[] = { replace, remove_it };
  g_autofree char *undisturbed = testing_path ("undisturbed.npy"), *out = testing_path ("out.npy");
  g_auto (ProgramResult) first = program_expect (0, "prepare", big[1], "--out", undisturbed, NULL);

  harm_need_notices ();
  for (guint i = 0; i < G_N_ELEMENTS (harms); i++)
    {
      const char *prepare[] = { "prepare", NULL, "--out", out, "--force", NULL };
      gboolean hit;

      choose (big[1]);
      prepare[1] = work;
      {
        g_auto (ProgramResult) result =
            harm_before (HARM_READ, work, 3, harms[i], work, &hit, prepare);

        assert_true (hit);
        assert_int_equal (result.code, 0);
      }
      assert_same_file (out, undisturbed);
    }
  forget_choice ();
}

static void
test_a_volume_that_is_another_after_its_header_is_refused (void **state)
{
  g_autofree char *out = testing_path ("replaced.npy");
  const char *prepare[] = { "prepare", NULL, "--out", out, NULL };
  gboolean hit;

  harm_need_notices ();
  choose (big[0]);
  prepare[1] = work;
  {
    g_auto (ProgramResult) result = harm_before (HARM_READ, work, 1, replace, work, &hit, prepare);

    assert_true (hit);
    assert_refused (&result, work, "changed while it was read");
  }
  forget_choice ();
}

/* ---- a cohort's scans ---- */

/** Where a scan of the cohort lies below the folder of scans. */
static char *
nth_scan (guint i)
{
  g_autofree char *pattern = g_build_filename (demo.volumes, "*", "*", "*", "*.nii.gz", NULL);
  glob_t found;
  char *name;

  if (glob (pattern, 0, NULL, &found) != 0)
    fail_msg ("%s: there is no scan", pattern);
  name = g_strdup (found.gl_pathv[i] + strlen (demo.volumes) + 1);
  globfree (&found);
  return name;
}

/** Another scan takes its place. */
static int
become_another (GPid pid, gpointer path)
{
  g_autofree char *name = nth_scan (1), *copy = testing_path ("another");
  g_autofree char *another = g_build_filename (demo.volumes, name, NULL);

  harm_copy (another, copy);
  assert_int_equal (g_rename (copy, path), 0);
  return 0;
}

static void
export_latents (const char *workspace, const char *path)
{
  g_auto (ProgramResult) result =
      program_expect (0, "export", "-w", workspace, "latents", "--force", "--out", path, NULL);
}

/** Every read of the first scan, in a workspace where nothing is encoded; then once more. */
static void
harm_encode (HarmBefore harm, const char *volumes, const char *undisturbed)
{
  g_autofree char *workspace = testing_path ("encoding"), *name = nth_scan (0);
  g_autofree char *scan = g_build_filename (volumes, name, NULL),
                  *whole = g_build_filename (demo.volumes, name, NULL),
                  *out = testing_path ("latents.npy");
  const char *const encode[] = { "encode",        "-w",        workspace, "--encoder",
                                 demo.checkpoint, "--volumes", volumes,   NULL };
  g_autofree char *base = g_path_get_basename (name);
  guint nth = 0, harmed = 0;
  gboolean hit = TRUE;

  while (hit)
    {
      harm_remove (workspace);
      harm_copy (workspace_directory (of_demo), workspace);
      {
        g_auto (ProgramResult) result =
            harm_before (HARM_READ, scan, ++nth, harm, scan, &hit, encode);

        /* A change after the last byte is none. */
        if (result.code != (hit ? 3 : 0) && !(hit && result.code == 0))
          fail_msg ("at read %u it ended with %d: %s", nth, result.code, result.err);
        if (result.code == 3)
          {
            assert_non_null (strstr (result.err, base));
            harmed++;
          }
      }
      harm_remove (scan);
      harm_copy (whole, scan);
      {
        g_auto (ProgramResult) again = harm_run (NULL, NULL, NULL, encode);

        assert_int_equal (again.code, 0);
      }
      export_latents (workspace, out);
      assert_same_file (out, undisturbed);
    }
  assert_true (harmed >= 2);
  print_message ("%u reads, %u of them harmed; every latent is its file's\n", nth - 1, harmed);
}

static void
test_a_scan_that_changes_is_skipped_and_no_latent_is_anothers (void **state)
{
  g_autofree char *volumes = testing_path ("volumes"), *workspace = testing_path ("whole"),
                  *undisturbed = testing_path ("whole.npy");

  harm_need_notices ();
  harm_copy (demo.volumes, volumes);
  harm_copy (workspace_directory (of_demo), workspace);
  {
    g_auto (ProgramResult) result = program_expect (0, "encode", "-w", workspace, "--encoder",
                                                    demo.checkpoint, "--volumes", volumes, NULL);
  }
  export_latents (workspace, undisturbed);
  harm_encode (cut, volumes, undisturbed);
  harm_encode (overwrite, volumes, undisturbed);
  harm_encode (become_another, volumes, undisturbed);
}

static void
test_a_checkpoint_that_is_cut_while_it_is_read_is_named (void **state)
{
  g_autofree char *description = NULL, *workspace = testing_path ("checkpointed"),
                  *ini = testing_path ("work.ini");
  const char *encode[] = { "encode",    "-w", workspace,       "--volumes", demo.volumes,
                           "--encoder", NULL, "--description", NULL,        NULL };
  static const guint reads[] = { 1, 2, 3, 5, 10, 20 };

  harm_need_notices ();
  harm_copy (workspace_directory (of_demo), workspace);
  {
    g_autofree char *stem = g_strndup (demo.checkpoint, strlen (demo.checkpoint) - 3);

    description = g_strconcat (stem, ".ini", NULL);
    if (!g_file_test (description, G_FILE_TEST_EXISTS))
      fail_msg ("%s is not there", description);
  }
  harm_copy (description, ini);
  for (guint i = 0; i < G_N_ELEMENTS (reads); i++)
    {
      gboolean hit;

      choose (demo.checkpoint);
      encode[6] = work;
      encode[8] = ini;
      {
        g_auto (ProgramResult) result =
            harm_before (HARM_READ, work, reads[i], cut, work, &hit, encode);

        assert_true (hit);
        assert_refused (&result, work, "truncated");
      }
    }
  forget_choice ();
}

/* ---- tables ---- */

static char *
records_of (const char *workspace)
{
  g_autofree char *path = testing_path ("records.csv");
  g_auto (ProgramResult) result =
      program_expect (0, "export", "-w", workspace, "records", "--force", "--out", path, NULL);

  return contents (path, NULL);
}

/** To a whole number of rows, as somebody who writes it anew leaves it for a while. */
static int
cut_at_a_row (GPid pid, gpointer path)
{
  gsize size;
  g_autofree char *text = contents (path, &size);
  char *half = strstr (text + size / 2, "\nvalid_");

  assert_non_null (half);
  assert_int_equal (truncate (path, half + 1 - text), 0);
  return 0;
}

static void
test_a_table_that_shrinks_is_refused_and_the_split_is_as_it_was (void **state)
{
  static const char *const tables[] = { "validation_reports.csv", "valid_predicted_labels.csv",
                                        "validation_metadata.csv" };
  static const HarmBefore harms[] = { cut, cut_at_a_row };
  g_autoptr (Workspace) workspace = testing_study_workspace ("tables", PATIENTS, PATIENTS);
  const char *directory = workspace_directory (workspace);
  g_autofree char *before = records_of (directory);
  CtrateShape shape = ctrate_shape (CATALOG_SPLIT_VALID, PATIENTS);
  g_autofree char *folder = testing_path ("csv");
  const char *const import[] = { "import", "-w", directory, folder, NULL };

  harm_need_notices ();
  for (guint t = 0; t < G_N_ELEMENTS (tables); t++)
    for (guint i = 0; i < G_N_ELEMENTS (harms); i++)
      {
        g_autofree char *table = g_build_filename (folder, tables[t], NULL);
        g_autoptr (GError) error = NULL;
        gboolean hit;

        harm_remove (folder);
        assert_int_equal (g_mkdir (folder, 0700), 0);
        ctrate_files_write (folder, &shape, 9, &error);
        assert_no_error (error);
        {
          g_auto (ProgramResult) result =
              harm_before (HARM_READ, table, 1, harms[i], table, &hit, import);
          g_autofree char *after = records_of (directory);

          assert_true (hit);
          assert_refused (&result, table, "changed while it was read");
          assert_string_equal (before, after);
        }
      }
}

/* ---- the workspace itself ---- */

static int
remove_workspace (GPid pid, gpointer directory)
{
  harm_remove (directory);
  return 0;
}

static void
test_a_workspace_that_is_removed_under_a_job_is_told (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("kept", PATIENTS, PATIENTS);
  g_autofree char *scratch = testing_path ("removed"),
                  *store = g_build_filename (scratch, "workspace.sqlite", NULL),
                  *log = g_strconcat (store, "-wal", NULL);
  const char *const train[] = {
    "train", "-w", scratch, "--fraction", "0.9", "--epochs", "6", NULL
  };
  const struct
  {
    HarmBefore harm;
    char *path;
  } harms[] = { { remove_it, store }, { remove_workspace, scratch } };

  harm_need_notices ();
  testing_study_latents (workspace, 24, 1);
  for (guint i = 0; i < G_N_ELEMENTS (harms); i++)
    for (guint nth = 2; nth < 20; nth += 8)
      {
        gboolean hit;

        harm_remove (scratch);
        harm_copy (workspace_directory (workspace), scratch);
        {
          g_auto (ProgramResult) result =
              harm_before (HARM_WRITE, log, nth, harms[i].harm, harms[i].path, &hit, train);

          assert_true (hit);
          assert_refused (&result, store, "removed");
        }
      }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_a_volume_that_changes_while_it_is_read_is_refused),
    cmocka_unit_test (test_a_volume_that_loses_its_name_is_read_to_its_end),
    cmocka_unit_test (test_a_volume_that_is_another_after_its_header_is_refused),
    cmocka_unit_test (test_a_scan_that_changes_is_skipped_and_no_latent_is_anothers),
    cmocka_unit_test (test_a_checkpoint_that_is_cut_while_it_is_read_is_named),
    cmocka_unit_test (test_a_table_that_shrinks_is_refused_and_the_split_is_as_it_was),
    cmocka_unit_test (test_a_workspace_that_is_removed_under_a_job_is_told),
  };

  return cmocka_run_group_tests_name ("faults: files that change", tests, make_files, forget_files);
}

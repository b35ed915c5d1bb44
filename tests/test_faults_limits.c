/* A machine that refuses: memory, threads, descriptors, locks, room on the disk, a writable folder,
 * the network. One clear line, the documented exit code, and what was there before is there still.
 */
#include "harm.h"
#include "testing_store.h"
#include "testing_study.h"

#include "config.h"
#include "nifti_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENTS 300
#define MIB ((gsize) 1 << 20)

static char *workspace, *scan;

static int
make_workspace (void **state)
{
  static double values[8 * 8 * 8];
  nifti_2_header header = nifti_maker_header (NIFTI_TYPE_INT16, 8, 8, 8);
  g_autoptr (Workspace) made = testing_study_workspace ("workspace", PATIENTS, PATIENTS);

  testing_study_latents (made, 24, 1);
  scan = nifti_maker_write ("scan.nii", &header, values, NIFTI_MAKER_PLAIN);
  workspace = g_strdup (workspace_directory (made));
  return 0;
}

static int
forget_workspace (void **state)
{
  g_clear_pointer (&workspace, g_free);
  g_clear_pointer (&scan, g_free);
  return 0;
}

/** It failed with one line that holds these words; end them with %NULL. A wrong name on the command
 * line is wrong usage. */
static void
assert_refused (const ProgramResult *result, const char *first, ...)
{
  va_list words;

  if ((result->code != 1 && result->code != 2) || harm_count_lines (result->err) != 1)
    fail_msg ("ended with %d and said: %s", result->code, result->err);
  va_start (words, first);
  for (const char *word = first; word != NULL; word = va_arg (words, const char *))
    if (strstr (result->err, word) == NULL)
      fail_msg ("'%s' does not say '%s'", result->err, word);
  va_end (words);
}

static void
assert_workspace_sound (void)
{
  g_autofree char *path = g_build_filename (workspace, "workspace.sqlite", NULL);
  g_autoptr (CatalogStore) store = testing_store_open (path);
  g_autoptr (GError) error = NULL;

  catalog_store_check (store, &error);
  assert_no_error (error);
  assert_store_value (store, "SELECT count (*) > 0 FROM volume_latent", "1");
}

/** ASan reserves terabytes of address space. */
static void
need_plain_memory (void)
{
#ifdef CTCLIP_SANITIZED
  print_message ("a sanitizer needs the memory that would be refused\n");
  skip ();
#endif
}

/* ---- memory, threads, descriptors ---- */

static void
test_however_little_memory_there_is_the_end_has_a_word (void **state)
{
  static const gsize limits[] = { 24, 28, 32, 40, 48, 56, 64, 80, 100, 150 };
  const char *const train[] = { "train",      "-w",  workspace, "--epochs", "1",
                                "--fraction", "0.5", "--json",  NULL };
  const char *const records[] = { "records", "-w", workspace, "--json", "--limit", "50", NULL };
  const char *const *const commands[] = { train, records };
  guint ended = 0;

  need_plain_memory ();
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    for (guint c = 0; c < G_N_ELEMENTS (commands); c++)
      {
        gsize bytes = limits[i] * MIB;
        int signal;
        g_auto (ProgramResult) result = harm_run (harm_address_space, &bytes, &signal, commands[c]);

        if (result.code != 0 && *result.err == '\0')
          fail_msg ("%s with %zu MiB ended with %d (signal %d) without a word", commands[c][0],
                    limits[i], result.code, signal);
        ended += result.code != 0;
      }
  assert_true (ended > 0);
  assert_workspace_sound ();
}

static void
test_a_volume_that_is_refused_memory_says_how_much (void **state)
{
  gsize bytes = 100 * MIB;
  g_autofree char *out = testing_path ("p.npy");
  const char *const prepare[] = { "prepare", scan, "--out", out, NULL };

  need_plain_memory ();
  {
    g_auto (ProgramResult) result = harm_run (harm_address_space, &bytes, NULL, prepare);

    assert_refused (&result, "221", "MB", NULL);
  }
  assert_false (g_file_test (out, G_FILE_TEST_EXISTS));
}

static void
test_max_memory_refuses_a_volume_and_says_how_much (void **state)
{
  g_autofree char *out = testing_path ("m.npy");

  need_plain_memory ();
  {
    g_auto (ProgramResult) result =
        program_run ("prepare", scan, "--out", out, "--max-memory", "100", NULL);
    g_auto (ProgramResult) enough =
        program_expect (0, "prepare", scan, "--out", out, "--max-memory", "1000", NULL);

    assert_refused (&result, "221", "MB", NULL);
  }
}

static void
test_without_threads_a_job_is_refused (void **state)
{
  const char *const train[] = { "train", "-w", workspace, "--fraction", "0.5", NULL };

  need_plain_memory ();
  harm_need_filter ();
  {
    g_auto (ProgramResult) result = harm_run (harm_no_threads, NULL, NULL, train);

    assert_refused (&result, "thread", "ulimit -u", NULL);
  }
  assert_workspace_sound ();
}

static void
test_without_descriptors_files_are_named (void **state)
{
  const char *const train[] = { "train", "-w", workspace, "--fraction", "0.5", "--json", NULL };
  guint refused = 0;

  need_plain_memory ();
  for (guint n = 3; n < 12; n++)
    {
      int signal;
      g_auto (ProgramResult) result = harm_run (harm_descriptors, &n, &signal, train);

      assert_int_equal (signal, 0);
      if (result.code == 0)
        continue;
      /* With less than it takes to load the program, the loader speaks. */
      assert_true (*result.err != '\0');
      refused++;
    }
  assert_true (refused > 0);
  assert_workspace_sound ();
}

/* ---- locks and the network ---- */

static void
test_a_file_system_without_locks_is_named (void **state)
{
  const char *const train[] = { "train", "-w", workspace, "--fraction", "0.5", NULL };

  harm_need_filter ();
  {
    g_auto (ProgramResult) result = harm_run (harm_no_locks, NULL, NULL, train);

    assert_refused (&result, "lock", "local disk", NULL);
  }
  assert_workspace_sound ();
}

/** That the filter bites: what ends a process that would connect. */
static int
signal_of_a_connection (void)
{
  pid_t child = fork ();
  int status;

  assert_true (child >= 0);
  if (child == 0)
    {
      harm_no_network (NULL);
      _exit (socket (AF_INET, SOCK_STREAM, 0) >= 0);
    }
  assert_int_equal (waitpid (child, &status, 0), child);
  return WIFSIGNALED (status) ? WTERMSIG (status) : 0;
}

static void
test_no_command_opens_a_connection (void **state)
{
  g_autofree char *csv = testing_path ("records.csv");
  g_autofree char *out = testing_path ("p.npy");
  const char *const train[] = { "train",  "-w",    workspace, "--fraction", "0.5",
                                "--name", "alone", "--json",  NULL };
  const char *const records[] = { "records", "-w", workspace, "--json", NULL };
  const char *const export[] = {
    "export", "-w", workspace, "records", "--out", csv, "--force", NULL
  };
  const char *const sample[] = { "sample", "-w",         workspace, "--split",
                                 "train",  "--fraction", "0.3",     NULL };
  const char *const prepare[] = { "prepare", scan, "--out", out, "--force", NULL };
  const char *const import[] = { "import", "-w", workspace, testing_directory (), NULL };
  const char *const doctor[] = { "doctor", "-w", workspace, NULL };
  const char *const *const commands[] = { train, records, export, sample, prepare, import, doctor };

  harm_need_filter ();
  assert_int_equal (signal_of_a_connection (), SIGSYS);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      int signal;
      g_auto (ProgramResult) result = harm_run (harm_no_network, NULL, &signal, commands[i]);

      if (signal != 0)
        fail_msg ("%s was ended by signal %d (%d is a socket)", commands[i][0], signal, SIGSYS);
    }
}

/* ---- the disk ---- */

static char *disk; /* a folder with a file system of its own, in the program's eyes alone */

/** Only async-signal-safe calls, as after any fork. */
static void
mount_disk (const char *options, gboolean read_only)
{
  if (unshare (CLONE_NEWNS) != 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
      || (options != NULL && mount ("none", disk, "tmpfs", 0, options) != 0)
      || (read_only
          && (mount (disk, disk, NULL, MS_BIND, NULL) != 0
              || mount (NULL, disk, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0)))
    _exit (99);
}

static void
small_disk (gpointer unused)
{
  mount_disk ("size=64k", FALSE);
}

static void
read_only_disk (gpointer unused)
{
  mount_disk (NULL, TRUE);
}

static void
need_mounts (void)
{
  const char *const help[] = { "help", NULL };

  g_free (disk);
  disk = testing_path ("disk");
  harm_remove (disk);
  assert_int_equal (g_mkdir (disk, 0700), 0);
  {
    g_auto (ProgramResult) result = harm_run (small_disk, NULL, NULL, help);

    if (result.code == 0)
      return;
  }
  print_message ("needs the right to mount a file system\n");
  skip ();
}

static void
test_a_full_disk_is_named (void **state)
{
  need_mounts ();
  {
    g_autofree char *csv = g_build_filename (disk, "latents.npy", NULL);
    g_autofree char *new = g_build_filename (disk, "workspace", NULL);
    const char *const export[] = { "export", "-w", workspace, "latents", "--out", csv, NULL };
    const char *const import[] = { "import", "-w", new, testing_directory (), NULL };
    g_auto (ProgramResult) exported = harm_run (small_disk, NULL, NULL, export);
    g_auto (ProgramResult) imported = harm_run (small_disk, NULL, NULL, import);

    assert_refused (&exported, csv, "No space left", "free some space", NULL);
    assert_refused (&imported, new, "full", "free some space", NULL);
  }
}

/* ---- limits on files, and quotas ---- */

/** What writes most: each with a file or folder of its own, @out. */
typedef struct
{
  const char *arguments[12];
  const char *out; /* a file, that is there whole or not at all */
  int code;
} Writer;

static guint
writers (Writer *list)
{
  static char *latents, *records, *tensor, *picture, *new;
  const Writer all[] = {
    { { "export", "-w", workspace, "latents", "--force", "--out", latents }, latents, 0 },
    { { "export", "-w", workspace, "records", "--out", records }, records, 0 },
    { { "prepare", scan, "--out", tensor }, tensor, 0 },
    { { "slice", scan, "--out", picture }, picture, 0 },
    { { "import", "-w", new, testing_directory () }, new, 0 },
    { { "train", "-w", workspace, "--fraction", "0.5", "--epochs", "2" }, NULL, 0 },
  };

  if (new == NULL)
    {
      latents = testing_path ("limited.npy");
      records = testing_path ("limited.csv");
      tensor = testing_path ("tensor.npy");
      picture = testing_path ("picture.png");
      new = testing_path ("limited");
      return writers (list);
    }
  memcpy (list, all, sizeof all);
  return G_N_ELEMENTS (all);
}

/** Whole or absent; one line that says why, and nobody killed. */
static void
assert_ended_well (const Writer *writer, const ProgramResult *result, int signal, const char *why,
                   guint *refused)
{
  if (signal != 0)
    fail_msg ("%s was ended by signal %d", writer->arguments[0], signal);
  if (result->code == 0)
    return;
  assert_refused (result, why, NULL);
  if (writer->out != NULL && !g_file_test (writer->out, G_FILE_TEST_IS_DIR))
    assert_false (g_file_test (writer->out, G_FILE_TEST_EXISTS));
  ++*refused;
}

static void
test_a_limit_on_files_is_told (void **state)
{
  static const guint64 limits[] = { 20, 5000, 40000, 300000, 3000000 };
  Writer list[8];
  guint n = writers (list);

  for (guint w = 0; w < n; w++)
    {
      guint refused = 0;

      for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
        {
          guint64 limit = limits[i];
          int signal;

          if (list[w].out != NULL)
            harm_remove (list[w].out);
          {
            g_auto (ProgramResult) result =
                harm_run (harm_file_size, &limit, &signal, list[w].arguments);

            assert_ended_well (&list[w], &result, signal, "ulimit -f", &refused);
          }
        }
      if (refused == 0)
        fail_msg ("%s never met the limit", list[w].arguments[0]);
    }
  assert_workspace_sound ();
}

static int
quota_is_used_up (GPid pid, gpointer unused)
{
  return EDQUOT;
}

static void
test_a_quota_that_is_used_up_is_told (void **state)
{
  Writer list[8];
  guint n = writers (list), refused = 0;

  harm_need_notices ();
  for (guint w = 0; w < n; w++)
    for (guint nth = 1;; nth += nth < 4 ? 1 : nth)
      {
        gboolean hit;

        if (list[w].out != NULL)
          harm_remove (list[w].out);
        {
          g_auto (ProgramResult) result =
              harm_before (HARM_WRITE, testing_directory (), nth, quota_is_used_up, NULL, &hit,
                           list[w].arguments);

          if (result.code == -1)
            fail_msg ("%s was killed: %s", list[w].arguments[0], result.err);
          assert_ended_well (&list[w], &result, 0, "uota", &refused);
        }
        if (!hit)
          break;
      }
  assert_true (refused >= 2 * n);
  print_message ("refused at %u writes; one line each, nothing lost\n", refused);
  assert_workspace_sound ();
}

static void
test_a_read_only_folder_is_named (void **state)
{
  need_mounts ();
  {
    g_autofree char *own = g_build_filename (disk, "own", NULL),
                    *csv = g_build_filename (disk, "records.csv", NULL),
                    *new = g_build_filename (disk, "new", NULL);
    const char *const export[] = { "export", "-w", workspace, "records", "--out", csv, NULL };
    const char *const import[] = { "import", "-w", new, testing_directory (), NULL };
    const char *const train[] = { "train", "-w", own, "--fraction", "0.5", NULL };

    harm_copy (workspace, own);
    {
      g_auto (ProgramResult) exported = harm_run (read_only_disk, NULL, NULL, export);
      g_auto (ProgramResult) imported = harm_run (read_only_disk, NULL, NULL, import);
      g_auto (ProgramResult) trained = harm_run (read_only_disk, NULL, NULL, train);

      assert_refused (&exported, csv, "Read-only", NULL);
      assert_refused (&imported, new, "Read-only", NULL);
      assert_refused (&trained, own, NULL);
    }
  }
}

static void
test_on_a_read_only_disk_everything_can_be_read (void **state)
{
  need_mounts ();
  {
    g_autofree char *own = g_build_filename (disk, "own", NULL),
                    *path = g_build_filename (own, "workspace.sqlite", NULL),
                    *csv = testing_path ("elsewhere.csv");
    const char *const list[] = { "records", "-w", own, "--limit", "3", "--json", NULL };
    const char *const aged[] = { "records", "-w", own, "--query", "age > 30", "--count", NULL };
    const char *const lung[] = { "records", "-w", own, "--query", "text: lung", "--count", NULL };
    const char *const runs[] = { "runs", "-w", own, NULL };
    const char *const export[] = { "export",   "-w",    own, "records", "--query",
                                   "age > 30", "--out", csv, "--force", NULL };
    const char *const words[] = { "export",     "-w",    own, "records", "--query",
                                  "text: lung", "--out", csv, "--force", NULL };
    const char *const *const reading[] = { list, aged, runs, export };

    harm_copy (workspace, own);
    for (guint finished = 0; finished < 2; finished++)
      {
        {
          g_autoptr (CatalogStore) store = testing_store_open (path);

          testing_store_exec (store, finished
                                         ? "DELETE FROM setting WHERE key = 'report_text.up_to'"
                                         : "INSERT INTO setting VALUES ('report_text.up_to', '5')");
        }
        for (guint i = 0; i < G_N_ELEMENTS (reading); i++)
          {
            g_auto (ProgramResult) result = harm_run (read_only_disk, NULL, NULL, reading[i]);

            if (result.code != 0)
              fail_msg ("%s ended with %d: %s", reading[i][0], result.code, result.err);
          }
        {
          g_auto (ProgramResult) counted = harm_run (read_only_disk, NULL, NULL, lung);
          g_auto (ProgramResult) written = harm_run (read_only_disk, NULL, NULL, words);

          if (finished)
            assert_int_equal (counted.code + written.code, 0);
          else
            {
              assert_refused (&counted, path, "not all indexed", "only be read", NULL);
              assert_refused (&written, path, "not all indexed", "only be read", NULL);
            }
        }
      }
  }
}

static void
test_a_folder_in_a_files_place_is_named (void **state)
{
  g_autofree char *folder = testing_path ("folder"), *out = testing_path ("out.npy");
  g_autofree char *reports = testing_path ("train_reports.csv");

  g_mkdir_with_parents (folder, 0700);
  {
    g_auto (ProgramResult) prepare = program_run ("prepare", folder, "--out", out, NULL);
    g_auto (ProgramResult) import = program_run ("import", "-w", workspace, "--split", "train",
                                                 "--reports", reports, "--labels", folder, NULL);
    g_auto (ProgramResult) encode =
        program_run ("encode", reports, "--encoder", folder, "--out", out, NULL);
    g_auto (ProgramResult) names = program_run ("import-latents", "-w", workspace, "--npy", folder,
                                                "--names", folder, "--encoder-name", "x", NULL);

    assert_refused (&prepare, folder, "directory", NULL);
    assert_refused (&import, folder, "directory", NULL);
    assert_refused (&encode, folder, NULL);
    assert_refused (&names, folder, NULL);
  }
  assert_workspace_sound ();
}

/* ---- who else may read ---- */

/** The workbench looks into it and leaves. */
static void
visit (const char *directory)
{
  static const char keys[] = "size 80x24\nkey 1\n";
  g_autofree char *replay = testing_write ("visit.replay", keys, strlen (keys));
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "TERM", "xterm", TRUE);
  const char *const arguments[] = { program_path (), "-w", directory, "--replay", replay, NULL };
  g_autofree char *out = NULL;
  int status;

  assert_true (g_spawn_sync (NULL, (char **) arguments, environment, G_SPAWN_DEFAULT, NULL, NULL,
                             &out, NULL, &status, NULL));
  assert_int_equal (status, 0);
}

static void
test_a_workspace_is_its_owners_alone (void **state)
{
  g_autofree char *new = testing_path ("owned");
  g_autoptr (GDir) dir = NULL;
  const char *name;
  struct stat info;
  mode_t mask = umask (0);
  g_auto (ProgramResult) imported = program_run ("import", "-w", new, testing_directory (), NULL);
  g_auto (ProgramResult) trained = program_run ("train", "-w", workspace, NULL);

  visit (new);
  umask (mask);
  assert_int_equal (stat (new, &info), 0);
  assert_int_equal (info.st_mode & 0777, 0700);
  dir = g_dir_open (new, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (new, name, NULL);

      assert_int_equal (stat (path, &info), 0);
      if ((info.st_mode & 0777) != 0600)
        fail_msg ("%s has mode %o", path, info.st_mode & 0777);
    }
}

static void
test_redacted_records_do_not_tell_the_patient (void **state)
{
  g_autofree char *csv = testing_path ("redacted.csv"), *text = NULL;
  g_autofree char *store_path = g_build_filename (workspace, "workspace.sqlite", NULL);
  g_autoptr (CatalogStore) store = testing_store_open (store_path);
  g_autofree char *findings = NULL;
  const char *record;
  g_auto (ProgramResult) listed =
      program_expect (0, "records", "-w", workspace, "--redact", "--json", "--limit", "1", NULL);
  g_auto (ProgramResult) exported =
      program_expect (0, "export", "-w", workspace, "records", "--redact", "--out", csv, NULL);

  testing_store_exec (store, "UPDATE volume SET sex = 'F', age = 77, study_date = '20180723'");
  record = json_string_value (json_at (listed.json, "records.0.volume"));
  {
    g_auto (ProgramResult) shown =
        program_expect (0, "records", "-w", workspace, "--redact", "--show", record, NULL);
    g_auto (ProgramResult) open =
        program_expect (0, "records", "-w", workspace, "--show", record, "--json", NULL);
    g_auto (ProgramResult) again = program_expect (0, "export", "-w", workspace, "records",
                                                   "--redact", "--force", "--out", csv, NULL);

    findings = g_strdup (json_string_value (json_at (open.json, "impression")));
    assert_non_null (strstr (shown.out, "patient (redacted)"));
    assert_null (strstr (shown.out, "77"));
    assert_null (strstr (shown.out, findings));
  }
  assert_true (g_file_get_contents (csv, &text, NULL, NULL));
  assert_non_null (strstr (text, "(redacted)"));
  assert_null (strstr (text, "20180723"));
  assert_null (strstr (text, ",77,"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_however_little_memory_there_is_the_end_has_a_word),
    cmocka_unit_test (test_a_volume_that_is_refused_memory_says_how_much),
    cmocka_unit_test (test_max_memory_refuses_a_volume_and_says_how_much),
    cmocka_unit_test (test_without_threads_a_job_is_refused),
    cmocka_unit_test (test_without_descriptors_files_are_named),
    cmocka_unit_test (test_a_file_system_without_locks_is_named),
    cmocka_unit_test (test_no_command_opens_a_connection),
    cmocka_unit_test (test_a_full_disk_is_named),
    cmocka_unit_test (test_a_limit_on_files_is_told),
    cmocka_unit_test (test_a_quota_that_is_used_up_is_told),
    cmocka_unit_test (test_a_read_only_folder_is_named),
    cmocka_unit_test (test_on_a_read_only_disk_everything_can_be_read),
    cmocka_unit_test (test_a_folder_in_a_files_place_is_named),
    cmocka_unit_test (test_a_workspace_is_its_owners_alone),
    cmocka_unit_test (test_redacted_records_do_not_tell_the_patient),
  };

  return cmocka_run_group_tests_name ("faults: limits", tests, make_workspace, forget_workspace);
}

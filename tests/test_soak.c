/* Many encodes and many trainings in one process: memory, descriptors and threads stay where they
 * were after the first. $CTCLIP_SOAK=1 (`make check-soak`) makes it 2,000 encodes and 500
 * trainings, as an uninterrupted week would; without it a short form shows the same. */
#include "testing_store.h"
#include "testing_study.h"

#include "study/demo_job.h"
#include "study/encode_job.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENTS 300
#define SCANS 8 /* and half as many to judge on */
#define ENCODES_A_ROUND (SCANS + SCANS / 2)

/* What a fragmented heap and SQLite's caches may take after a quarter of the rounds. */
#define SPREAD_BYTES (8 << 20)
/* What may be in use more: less than a hundredth of what a lost volume or network would leave. */
#define LEAK_BYTES (256 << 10)

typedef struct
{
  gsize resident, used; /* bytes: of the process, and of what was allocated */
  guint descriptors, threads;
} Footprint;

static guint
count_entries (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static gsize
resident_bytes (void)
{
  g_autofree char *text = NULL;
  gsize pages = 0;

  assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  assert_int_equal (sscanf (text, "%*u %zu", &pages), 1);
  return pages * (gsize) sysconf (_SC_PAGESIZE);
}

static Footprint
footprint (void)
{
  struct mallinfo2 heap = mallinfo2 ();

  malloc_trim (0);
  return (Footprint){ resident_bytes (), heap.uordblks + heap.hblkhd,
                      count_entries ("/proc/self/fd"), count_entries ("/proc/self/task") };
}

static gboolean
in_full (void)
{
  return g_strcmp0 (g_getenv ("CTCLIP_SOAK"), "1") == 0;
}

/** Do it so often; from a quarter on nothing may grow. */
static void
soak (const char *what, guint rounds, guint a_round, void (*once) (gpointer data), gpointer data)
{
  guint warm = rounds / 4;
  Footprint first = { 0 }, last;

  for (guint i = 0; i < rounds; i++)
    {
      if (i == warm)
        first = footprint ();
      once (data);
    }
  last = footprint ();
  print_message ("%u %s: memory %.1f MB after %u of them and %.1f MB at the end (in use %+.1f kB), "
                 "%u descriptors and %u, %u threads and %u\n",
                 rounds * a_round, what, (double) first.resident / 1e6, warm * a_round,
                 (double) last.resident / 1e6, ((double) last.used - (double) first.used) / 1e3,
                 first.descriptors, last.descriptors, first.threads, last.threads);
  assert_int_equal (last.descriptors, first.descriptors);
  assert_int_equal (last.threads, first.threads);
  assert_true (last.used <= first.used + LEAK_BYTES);
  assert_true (last.resident <= first.resident + SPREAD_BYTES);
}

/* ---- encodes ---- */

typedef struct
{
  StudyDemo demo;
  CatalogStore *store;
} Encodes;

static void
encode_all (gpointer data)
{
  Encodes *encodes = data;
  g_auto (StudyEncode) study = { .workspace = encodes->demo.workspace,
                                 .options = { .checkpoint = encodes->demo.checkpoint,
                                              .device = "cpu",
                                              .rescale = VOLUME_RESCALE_AUTO,
                                              .orient = VOLUME_ORIENT_LPS },
                                 .volumes_directory = encodes->demo.volumes,
                                 .split = -1 };
  g_auto (JobSnapshot) last = { 0 };

  testing_store_exec (encodes->store, "DELETE FROM latent; DELETE FROM file_hash");
  testing_study_run (study_encode, &study, &last);
  assert_int_equal (study.encoded, ENCODES_A_ROUND);
}

static void
test_encodes_leave_nothing_behind (void **state)
{
  g_autofree char *path = testing_path ("demo"),
                  *store_path = g_build_filename (path, "workspace.sqlite", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Workspace) workspace = workspace_open (path, TRUE, &error);
  g_autoptr (CatalogStore) store = NULL;
  g_auto (StudyDemoAll) all = { .demo = { .workspace = workspace,
                                          .seed = STUDY_DEMO_SEED,
                                          .n_train = SCANS,
                                          .n_valid = SCANS / 2 } };
  g_auto (JobSnapshot) last = { 0 };
  Encodes encodes;

  assert_no_error (error);
  testing_study_run (study_demo_all, &all, &last);
  store = testing_store_open (store_path);
  encodes = (Encodes){ all.demo, store };
  soak ("encodes", in_full () ? 168 : 8, ENCODES_A_ROUND, encode_all, &encodes);
}

/* ---- trainings ---- */

static void
train_once (gpointer workspace)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new ();
  g_auto (StudyTrain) train = { .workspace = workspace, .parameters = parameters };
  g_auto (JobSnapshot) last = { 0 };

  parameters->epochs = 2;
  parameters->fraction = 0.9;
  testing_study_run (study_train, &train, &last);
}

static void
test_trainings_leave_nothing_behind (void **state)
{
  g_autoptr (Workspace) workspace = testing_study_workspace ("trained", PATIENTS, PATIENTS);

  testing_study_latents (workspace, 24, 1);
  soak ("trainings", in_full () ? 500 : 24, 1, train_once, workspace);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_encodes_leave_nothing_behind),
    cmocka_unit_test (test_trainings_leave_nothing_behind),
  };

  return cmocka_run_group_tests_name ("soak", tests, NULL, NULL);
}

/**
 * bench_cohort PROGRAM MAKE_LIPRO DIR SCAN: a cohort of full-size scans into a workspace, beside
 * the work that there is in it.
 *
 * The work is what inflating, preparing and encoding a scan takes of one core, told apart from
 * loading the network by encoding one scan and three; divided among the cores that are given it is
 * a bound. The cohort's time is what the program says of its own, from the first scan to the last;
 * only a quiet machine can show it. Its core-seconds, without the network's, are those of the two
 * halves where no core works in vain, on a machine with other work too.
 */
#include "bench_row.h"
#include "bench_store.h"

#include "catalog/labels.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SCANS 4
#define ROUNDS 2 /* a minute each */
#define CORES 2

typedef struct
{
  const char *program;
  char *directory, *checkpoint, *scans, *reports, *labels, *latent;
  char *paths[SCANS];

  /* of the rounds so far */
  double start_core_s, scan_core_s[ROUNDS], cohort_core_s[ROUNDS];
  guint n_bounds, n_cohorts;
} Cohort;

/** A file for each scan; a gzip member without content, which says whose it is, tells them apart.
 */
static void
write_scans (Cohort *cohort, const char *scan)
{
  /* magic, deflate, a name follows; no time; an empty block; checksum and size 0 */
  static const char start[] = "\x1f\x8b\x08\x08\0\0\0\0\0\xff", end[] = "\x03\0\0\0\0\0\0\0\0\0";
  g_autofree char *content = NULL;
  GError *error = NULL;
  gsize size;

  g_file_get_contents (scan, &content, &size, &error);
  bench_stop_on (error);
  for (guint i = 0; i < SCANS; i++)
    {
      g_autofree char *name = g_strdup_printf ("train_%u_a_1.nii.gz", i + 1);
      g_autoptr (GString) file = g_string_new_len (content, (gssize) size);

      g_string_append_len (file, start, sizeof start - 1);
      g_string_append_len (file, name, (gssize) strlen (name) + 1);
      g_string_append_len (file, end, sizeof end - 1);
      cohort->paths[i] = g_build_filename (cohort->scans, name, NULL);
      g_file_set_contents (cohort->paths[i], file->str, (gssize) file->len, &error);
      bench_stop_on (error);
    }
}

static void
write_tables (const Cohort *cohort)
{
  g_autoptr (GString) reports =
      g_string_new ("VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n");
  g_autoptr (GString) labels = g_string_new ("VolumeName");
  GError *error = NULL;

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    g_string_append_printf (labels, ",%s", catalog_label_name (label));
  for (guint i = 0; i < SCANS; i++)
    {
      g_string_append_printf (reports, "train_%u_a_1.nii.gz,,,Lungs.,Normal.\n", i + 1);
      g_string_append_printf (labels, "\ntrain_%u_a_1.nii.gz", i + 1);
      for (guint label = 0; label < CATALOG_N_LABELS; label++)
        g_string_append (labels, ",0");
    }
  g_file_set_contents (cohort->reports, reports->str, -1, &error);
  bench_stop_on (error);
  g_file_set_contents (cohort->labels, labels->str, -1, &error);
  bench_stop_on (error);
}

/** Core-seconds of encoding the first @n scans with one thread, the start and the network included.
 */
static double
encode_core_s (const Cohort *cohort, guint n)
{
  const char *arguments[20 + SCANS] = { cohort->program,
                                        "--batch",
                                        "encode",
                                        "--encoder",
                                        cohort->checkpoint,
                                        "--out",
                                        cohort->latent,
                                        "--force",
                                        "--threads",
                                        "1",
                                        NULL };

  for (guint i = 0; i < n; i++)
    arguments[10 + i] = cohort->paths[i];
  return bench_command (arguments).core_seconds;
}

/** A scan's share of its two cores. */
static double
bound_s (gpointer data)
{
  Cohort *cohort = data;
  const double one_s = encode_core_s (cohort, 1), scan_s = (encode_core_s (cohort, 3) - one_s) / 2;

  cohort->start_core_s = one_s - scan_s;
  cohort->scan_core_s[cohort->n_bounds++] = scan_s;
  return scan_s / CORES;
}

/** Core-seconds of the programs that were run and have ended. */
static double
children_core_s (void)
{
  struct rusage usage;

  getrusage (RUSAGE_CHILDREN, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/** Seconds a scan of the cohort, as the program counts. */
static double
cohort_s (gpointer data)
{
  Cohort *cohort = data;
  g_autofree char *workspace = g_build_filename (cohort->directory, "workspace.sqlite", NULL);
  g_autofree char *cores = g_strdup_printf ("%d", CORES);
  const char *const import[] = { cohort->program, "-w",       cohort->directory, "--batch",
                                 "import",        "--split",  "train",           "--reports",
                                 cohort->reports, "--labels", cohort->labels,    NULL };
  const char *const encode[] = { cohort->program,
                                 "-w",
                                 cohort->directory,
                                 "--batch",
                                 "encode",
                                 "--encoder",
                                 cohort->checkpoint,
                                 "--volumes",
                                 cohort->scans,
                                 "--json",
                                 "--threads",
                                 cores,
                                 NULL };
  g_autofree char *output = NULL;
  const char *seconds;
  GError *error = NULL;
  double before_s;

  g_unlink (workspace);
  bench_command (import);
  before_s = children_core_s ();
  g_spawn_sync (NULL, (char **) encode, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, NULL,
                &error);
  bench_stop_on (error);
  cohort->cohort_core_s[cohort->n_cohorts++] = children_core_s () - before_s;
  seconds = strstr (output, "\"seconds\":");
  if (seconds == NULL)
    bench_fail ("encode said %s", output);
  return g_ascii_strtod (seconds + strlen ("\"seconds\":"), NULL) / SCANS;
}

int
main (int argc, char **argv)
{
  Cohort cohort = { 0 };

  if (argc != 5)
    {
      fprintf (stderr, "usage: bench_cohort PROGRAM MAKE_LIPRO DIR SCAN\n");
      return 2;
    }
  cohort.program = argv[1];
  cohort.directory = g_build_filename (argv[3], "cohort", NULL);
  cohort.scans = g_build_filename (cohort.directory, "scans", NULL);
  cohort.reports = g_build_filename (cohort.directory, "reports.csv", NULL);
  cohort.labels = g_build_filename (cohort.directory, "labels.csv", NULL);
  cohort.latent = g_build_filename (cohort.directory, "latent.npy", NULL);
  cohort.checkpoint = g_build_filename (argv[3], "full.pt", NULL);
  g_mkdir_with_parents (cohort.scans, 0700);
  if (!g_file_test (cohort.checkpoint, G_FILE_TEST_EXISTS))
    {
      const char *const make[] = { argv[2], cohort.checkpoint, NULL };

      bench_command (make);
    }
  write_scans (&cohort, argv[4]);
  write_tables (&cohort);
  bench_row_beside (&(BenchRow){ "encode a cohort of full-size scans, each", "s",
                                 "core-seconds of both halves / 2", 1 / 0.95 },
                    ROUNDS, cohort_s, &cohort, bound_s, &cohort);
  for (guint i = 0; i < cohort.n_cohorts; i++)
    cohort.cohort_core_s[i] = (cohort.cohort_core_s[i] - cohort.start_core_s) / SCANS;
  bench_row_pairs (&(BenchRow){ "  its core-seconds, each", "s", "of both halves", 1 / 0.95 },
                   cohort.cohort_core_s, cohort.scan_core_s, ROUNDS);
  return 0;
}

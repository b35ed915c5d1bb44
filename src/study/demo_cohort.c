#include "study/demo_cohort.h"

#include "base/error.h"
#include "study/demo_labels.h"
#include "study/demo_tables.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>

/* Patients of the two splits are different people. */
#define VALID_FIRST_INDEX (1u << 24)
/* A patient's second scan is another scan: other findings, other noise. */
#define LATER_SCAN_INDEX (1u << 25)

/* Shares of rows that the cleaning rules are there for; about as many as in CT-RATE. */
#define SHARE_SECOND_RECONSTRUCTION 0.5
#define SHARE_LATER_SCAN 0.15
#define SHARE_NO_TEXT 0.03
#define SHARE_NO_LABEL 0.01
#define SHARE_NO_CHEST 0.01

typedef enum
{
  FATE_KEPT,
  FATE_NO_TEXT,
  FATE_NO_LABEL,
  FATE_NO_CHEST,
} Fate;

/* ---- rows ---- */

static char *
row_name (CatalogSplit split, guint patient, char scan, guint reconstruction)
{
  return g_strdup_printf ("%s_%u_%c_%u.nii.gz", catalog_split_name (split), patient, scan,
                          reconstruction);
}

static DemoRow *
row_new (guint64 seed, guint32 index, char *volume)
{
  g_autoptr (DemoRow) row = g_new0 (DemoRow, 1);
  Random random;

  row->volume = volume;
  row->labelled = TRUE;
  phantom_random (&random, seed, index, PHANTOM_STREAM_LABELS);
  row->labels = demo_labels_draw (&random);
  phantom_random (&random, seed, index, PHANTOM_STREAM_TEXT);
  row->report = demo_report_write (row->labels, &random);
  demo_scan_draw (&row->scan, seed, index);
  phantom_random (&random, seed, index, PHANTOM_STREAM_RECORD);
  row->sex = random_uniform (&random) < 0.03 ? "" : random_uniform (&random) < 0.58 ? "M" : "F";
  row->age_years = random_uniform (&random) < 0.03 ? -1 : 18 + (int) random_below (&random, 73);
  g_snprintf (row->study_date, sizeof row->study_date, "%04d%02d%02d",
              2015 + (int) random_below (&random, 8), 1 + (int) random_below (&random, 12),
              1 + (int) random_below (&random, 28));
  return g_steal_pointer (&row);
}

static Fate
draw_fate (Random *random)
{
  double fate = random_uniform (random);

  if (fate < SHARE_NO_TEXT)
    return FATE_NO_TEXT;
  if (fate < SHARE_NO_TEXT + SHARE_NO_LABEL)
    return FATE_NO_LABEL;
  if (fate < SHARE_NO_TEXT + SHARE_NO_LABEL + SHARE_NO_CHEST)
    return FATE_NO_CHEST;
  return FATE_KEPT;
}

static void
meet_fate (DemoRow *row, Fate fate, Random *random)
{
  if (fate == FATE_NO_TEXT)
    {
      demo_report_free (row->report);
      row->report = demo_report_empty (random);
    }
  row->labelled = fate != FATE_NO_LABEL;
  row->no_chest = fate == FATE_NO_CHEST;
}

/* All rows of one patient. Returns whether one of them is kept. */
static gboolean
add_patient (GPtrArray *rows, const DemoCohortOptions *options, CatalogSplit split, guint patient,
             Fate fate, Random *random)
{
  guint32 index = (split == CATALOG_SPLIT_VALID ? VALID_FIRST_INDEX : 0) + patient;
  DemoRow *row = row_new (options->seed, index, row_name (split, patient, 'a', 1));

  meet_fate (row, fate, random);
  row->kept = fate == FATE_KEPT;
  g_ptr_array_add (rows, row);
  if (random_uniform (random) < SHARE_SECOND_RECONSTRUCTION)
    {
      row = row_new (options->seed, index, row_name (split, patient, 'a', 2));
      meet_fate (row, fate, random);
      g_ptr_array_add (rows, row);
    }
  /* Only after a kept scan: else the later one would be the patient's first. */
  if (fate == FATE_KEPT && random_uniform (random) < SHARE_LATER_SCAN)
    g_ptr_array_add (
        rows, row_new (options->seed, LATER_SCAN_INDEX + index, row_name (split, patient, 'b', 1)));
  return fate == FATE_KEPT;
}

GPtrArray *
demo_cohort_rows (const DemoCohortOptions *options, CatalogSplit split)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) demo_row_free);
  guint wanted = split == CATALOG_SPLIT_TRAIN ? options->n_train : options->n_valid, kept = 0,
        patient = 0;
  DemoRow *unreadable;
  Random random;

  /* The first patients meet each fate once, so that the smallest cohort shows every rule. */
  phantom_random (&random, options->seed, split, PHANTOM_STREAM_COHORT);
  while (kept < wanted)
    {
      Fate fate = patient > 0 && patient <= FATE_NO_CHEST ? (Fate) patient : draw_fate (&random);

      kept += add_patient (rows, options, split, ++patient, fate, &random);
    }
  unreadable =
      row_new (options->seed, LATER_SCAN_INDEX + VALID_FIRST_INDEX + split,
               g_strdup_printf ("%s_%u_a.nii.gz", catalog_split_name (split), patient + 1));
  g_ptr_array_add (rows, unreadable);
  return rows;
}

/* ---- scans ---- */

/** What the painting threads share; the mutex guards what stands below it. POSIX primitives, since
    ThreadSanitizer does not see GLib's. */
typedef struct
{
  const char *directory;
  CatalogSplit split;
  GCancellable *cancellable;
  GPtrArray *rows; /* those that are kept, not owned */
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  guint next;    /* the first row that no thread has taken */
  guint left;    /* rows that no thread has finished */
  GError *error; /* of the first that failed */
} Painting;

static gboolean
make_directory (const char *path, GError **error)
{
  int saved_errno;

  if (g_mkdir_with_parents (path, 0777) == 0)
    return TRUE;
  saved_errno = errno;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
               "%s: cannot be made: %s; choose a directory that you may write to", path,
               g_strerror (saved_errno));
  return FALSE;
}

/* train_1_a_1.nii.gz lies in volumes/train/train_1/train_1_a. */
static gboolean
write_scan (const Painting *painting, const DemoRow *row, GError **error)
{
  g_autofree char *scan =
      g_strndup (row->volume, (gsize) (strrchr (row->volume, '_') - row->volume));
  g_autofree char *patient = g_strndup (scan, (gsize) (strrchr (scan, '_') - scan));
  g_autofree char *folder = g_build_filename (
      painting->directory, "volumes", catalog_split_name (painting->split), patient, scan, NULL);
  g_autofree char *path = g_build_filename (folder, row->volume, NULL);

  return make_directory (folder, error) && demo_scan_write (&row->scan, row->labels, path, error);
}

static gpointer
paint (gpointer data)
{
  Painting *painting = data;

  pthread_mutex_lock (&painting->mutex);
  while (painting->next < painting->rows->len)
    {
      const DemoRow *row = g_ptr_array_index (painting->rows, painting->next++);
      gboolean stopped = painting->error != NULL;
      GError *error = NULL;

      pthread_mutex_unlock (&painting->mutex);
      if (!stopped && !g_cancellable_set_error_if_cancelled (painting->cancellable, &error))
        write_scan (painting, row, &error);
      pthread_mutex_lock (&painting->mutex);
      painting->left--;
      if (painting->error == NULL)
        painting->error = g_steal_pointer (&error);
      g_clear_error (&error);
      pthread_cond_signal (&painting->changed);
    }
  pthread_mutex_unlock (&painting->mutex);
  return NULL;
}

static gboolean
write_scans (Painting *painting, GPtrArray *rows, guint threads, guint64 done, guint64 total,
             DemoProgress progress, gpointer user_data, GError **error)
{
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  g_autofree GThread **painters = g_new0 (GThread *, threads);
  guint left, n_painters = 0;

  for (guint i = 0; i < rows->len; i++)
    if (((DemoRow *) g_ptr_array_index (rows, i))->kept)
      g_ptr_array_add (kept, g_ptr_array_index (rows, i));
  painting->rows = kept;
  painting->left = kept->len;
  pthread_mutex_init (&painting->mutex, NULL);
  pthread_cond_init (&painting->changed, NULL);
  while (n_painters < threads
         && (painters[n_painters] = g_thread_try_new ("painter", paint, painting, NULL)) != NULL)
    n_painters++;
  if (n_painters == 0)
    paint (painting);
  do
    {
      pthread_mutex_lock (&painting->mutex);
      left = painting->left;
      pthread_mutex_unlock (&painting->mutex);
      if (progress != NULL)
        progress (done + kept->len - left, total, user_data);
      pthread_mutex_lock (&painting->mutex);
      while (painting->left == left && left > 0)
        pthread_cond_wait (&painting->changed, &painting->mutex);
      pthread_mutex_unlock (&painting->mutex);
    }
  while (left > 0);
  for (guint i = 0; i < n_painters; i++)
    g_thread_join (painters[i]);
  pthread_mutex_destroy (&painting->mutex);
  pthread_cond_destroy (&painting->changed);
  if (painting->error == NULL)
    return TRUE;
  g_propagate_error (error, painting->error);
  return FALSE;
}

gboolean
demo_cohort_write (const char *directory, const DemoCohortOptions *options, DemoProgress progress,
                   gpointer user_data, GCancellable *cancellable, GError **error)
{
  guint threads = options->threads > 0 ? options->threads : g_get_num_processors ();
  guint64 total = (guint64) options->n_train + options->n_valid, done = 0;

  if (!make_directory (directory, error))
    return FALSE;
  for (guint split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      g_autoptr (GPtrArray) rows = demo_cohort_rows (options, split);
      Painting painting = { .directory = directory, .split = split, .cancellable = cancellable };

      if (!demo_tables_write (directory, split, rows, error)
          || !write_scans (&painting, rows, threads, done, total, progress, user_data, error))
        return FALSE;
      done += split == CATALOG_SPLIT_TRAIN ? options->n_train : options->n_valid;
    }
  return TRUE;
}

#include "testing_study.h"

#include "base/random.h"
#include "catalog/latents.h"
#include "ctrate_files.h"
#include "study/import_job.h"

#define SIGNAL 1.5 /* of a label, beside noise of deviation 1 */

void
testing_study_run (JobFunc func, gpointer data, JobSnapshot *last)
{
  g_autoptr (Job) job = job_start ("test", func, data);
  g_autoptr (GError) error = NULL;

  job_wait (job, &error);
  assert_no_error (error);
  job_snapshot (job, last);
}

GError *
testing_study_fail (JobFunc func, gpointer data)
{
  g_autoptr (Job) job = job_start ("test", func, data);
  GError *error = NULL;

  assert_false (job_wait (job, &error));
  return error;
}

void
testing_study_import (Workspace *workspace, CatalogSplit split, guint patients, guint64 seed)
{
  const char *directory = testing_directory ();
  const gboolean train = split == CATALOG_SPLIT_TRAIN;
  g_autofree char *reports =
      g_build_filename (directory, train ? "train_reports.csv" : "validation_reports.csv", NULL);
  g_autofree char *labels = g_build_filename (
      directory, train ? "train_predicted_labels.csv" : "valid_predicted_labels.csv", NULL);
  CtrateShape shape = ctrate_shape (split, patients);
  StudyImport import = { .workspace = workspace,
                         .options = {
                             .split = split, .reports_path = reports, .labels_path = labels } };
  g_auto (JobSnapshot) last = { 0 };
  g_autoptr (GError) error = NULL;

  ctrate_files_write (directory, &shape, seed, &error);
  assert_no_error (error);
  testing_study_run (study_import, &import, &last);
}

Workspace *
testing_study_workspace (const char *name, guint n_train, guint n_valid)
{
  g_autofree char *directory = testing_path (name);
  g_autoptr (GError) error = NULL;
  Workspace *workspace = workspace_open (directory, TRUE, &error);

  assert_no_error (error);
  testing_study_import (workspace, CATALOG_SPLIT_TRAIN, n_train, 1);
  testing_study_import (workspace, CATALOG_SPLIT_VALID, n_valid, 2);
  return workspace;
}

static void
save_latents (CatalogStore *store, const CatalogEncoder *encoder, CatalogSplit split, double share)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogMembers) members = catalog_split_members (store, split, &error);
  g_autofree CatalogLatent *latents = NULL;
  g_autofree float *values = NULL;
  gsize n;
  Random random;

  assert_no_error (error);
  n = (gsize) ((double) members->n * share);
  latents = g_new0 (CatalogLatent, n);
  values = g_new (float, n * encoder->width);
  random_init (&random, 7, split);
  for (gsize i = 0; i < n; i++)
    {
      float *row = values + i * encoder->width;

      for (guint feature = 0; feature < encoder->width; feature++)
        row[feature] = (float) (random_normal (&random)
                                + SIGNAL * (members->labels[i] >> feature % CATALOG_N_LABELS & 1));
      latents[i] = (CatalogLatent){ .key = members->volumes[i],
                                    .volume = members->volumes[i],
                                    .content_hash = "",
                                    .preparation = "",
                                    .values = row };
    }
  catalog_latents_save (store, encoder->id, latents, n, &error);
  assert_no_error (error);
}

void
testing_study_latents (Workspace *workspace, guint width, double share)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogStore) store = workspace_store (workspace, &error);
  CatalogEncoder encoder = { .name = (char *) TESTING_ENCODER,
                             .weights_hash = (char *) "made-up",
                             .checkpoint_path = (char *) "",
                             .description = (char *) "",
                             .width = width };

  assert_no_error (error);
  catalog_encoder_ensure (store, &encoder, &error);
  assert_no_error (error);
  save_latents (store, &encoder, CATALOG_SPLIT_TRAIN, share);
  save_latents (store, &encoder, CATALOG_SPLIT_VALID, share);
}

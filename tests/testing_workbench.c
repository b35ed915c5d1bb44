#include "testing_workbench.h"

#include "nifti_maker.h"
#include "catalog/runs.h"
#include "program.h"
#include "study/settings.h"
#include "testing_study.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SCAN_WIDTH 24
#define SCAN_HEIGHT 20
#define SCAN_DEPTH 30

static Workspace *workspace;

/** Every record of a split gets the same scan. */
static void
make_scans (CatalogStore *store, CatalogSplit split, const char *directory, const char *scan)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogMembers) members = catalog_split_members (store, split, &error);

  assert_no_error (error);
  for (gsize i = 0; i < members->n; i++)
    {
      g_autofree char *stem = g_strndup (members->volumes[i], strcspn (members->volumes[i], "."));
      g_autofree char *name = g_strconcat (stem, ".nii", NULL);
      g_autofree char *path = g_build_filename (directory, name, NULL);

      assert_int_equal (link (scan, path), 0);
    }
}

static void
make_volumes (void)
{
  static double values[SCAN_WIDTH * SCAN_HEIGHT * SCAN_DEPTH];
  nifti_2_header header =
      nifti_maker_header (NIFTI_TYPE_INT16, SCAN_WIDTH, SCAN_HEIGHT, SCAN_DEPTH);
  g_autofree char *scan = NULL, *directory = testing_path ("scans");
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogStore) store = workspace_store (workspace, &error);

  assert_no_error (error);
  nifti_maker_orient (&header, "LPS");
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = -1000 + (double) (i % SCAN_WIDTH) * 40
                + (double) (i / SCAN_WIDTH % SCAN_HEIGHT) * 60
                + (double) (i / SCAN_WIDTH / SCAN_HEIGHT) * 10;
  scan = nifti_maker_write ("scan.nii", &header, values, NIFTI_MAKER_PLAIN);
  g_mkdir_with_parents (directory, 0700);
  make_scans (store, CATALOG_SPLIT_TRAIN, directory, scan);
  make_scans (store, CATALOG_SPLIT_VALID, directory, scan);
  study_setting_set_path (store, STUDY_SETTING_VOLUMES, directory, &error);
  assert_no_error (error);
}

int
testing_workbench_setup (void **state)
{
  static const char *const gammas[] = { "2", "0" }, *const names[] = { "first", "second" };

  workspace = testing_study_workspace ("workbench", 200, 100);
  testing_study_latents (workspace, 24, 1);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_auto (ProgramResult) result =
          program_expect (0, "train", "-w", workspace_directory (workspace), "--fraction", "0.9",
                          "--name", names[i], "--gamma", gammas[i], NULL);
    }
  make_volumes ();
  return 0;
}

int
testing_workbench_teardown (void **state)
{
  g_clear_pointer (&workspace, workspace_free);
  return 0;
}

const char *
testing_workbench (void)
{
  return workspace_directory (workspace);
}

guint
testing_workbench_runs (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogStore) store = workspace_store (workspace, &error);
  int n;

  assert_no_error (error);
  n = (int) catalog_runs_count (store, &error);
  assert_no_error (error);
  return (guint) n;
}

void
testing_workbench_forget (void)
{
  g_autofree char *path = g_build_filename (testing_workbench (), "workbench.ini", NULL);

  g_unlink (path);
}

Tmux *
testing_workbench_start (int width, int height, const char *terminal, const char *const *more)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) arguments = NULL;

  testing_workbench_forget ();
  g_strv_builder_add_many (builder, program_path (), "-w", testing_workbench (), NULL);
  if (more != NULL)
    g_strv_builder_addv (builder, (const char **) more);
  arguments = g_strv_builder_end (builder);
  return tmux_start (width, height, terminal, (const char *const *) arguments);
}

void
testing_workbench_train (Tmux *tmux, guint epochs)
{
  g_autofree char *set = g_strdup_printf (":set fraction 0.9\r:set epochs %u\r"
                                          ":set batch 4\r:set hidden 512\r",
                                          epochs);

  tmux_keys (tmux, "3", NULL);
  tmux_wait (tmux, "[3 Experiment]");
  tmux_type (tmux, set);
  tmux_keys (tmux, "t", NULL);
  tmux_wait (tmux, "macro "); /* the first epoch's table */
  tmux_keys (tmux, "p", NULL);
  tmux_wait (tmux, "experiment  paused");
}

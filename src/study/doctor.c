#include "study/doctor.h"

#include "base/error.h"
#include "base/share.h"
#include "catalog/import.h"
#include "catalog/latents.h"
#include "catalog/runs.h"

#include <math.h>
#include <string.h>

static void
fault (StudyDoctor *doctor, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (doctor->faults, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static void
examine_engine (StudyDoctor *doctor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Engine) engine = engine_open (doctor->device, doctor->threads, &error);

  if (engine == NULL)
    {
      fault (doctor, "the engine does not open: %s", error->message);
      return;
    }
  doctor->engine_works = TRUE;
  engine_info (engine, &doctor->engine);
  doctor->gflops = engine_gflops (engine, &error);
  if (error != NULL)
    fault (doctor, "a matrix product fails: %s", error->message);
  /* Debian's reference BLAS: two orders of magnitude slower than the processor allows. */
  if (doctor->engine.blas_slow)
    fault (doctor,
           "matrix products end in the reference BLAS (%s): apt-get install libopenblas0-pthread",
           doctor->engine.blas);
}

/** The processor does without libtorch; that it does not load is told, but is no fault. */
static void
examine_torch (StudyDoctor *doctor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Engine) engine = engine_open ("torch", doctor->threads, &error);

  if (engine != NULL)
    engine_info (engine, &doctor->torch);
  else
    doctor->torch_fault = g_strdup (error->message);
}

static void
examine_share (StudyDoctor *doctor)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = share_find ("encoders/ct-clip.ini", &error);

  if (path == NULL)
    fault (doctor, "%s", error->message);
}

static void
count_contents (StudyDoctor *doctor, CatalogStore *store)
{
  g_autoptr (GPtrArray) encoders = catalog_encoders_list (store, NULL);
  g_autoptr (GPtrArray) runs = catalog_runs_list (store, NULL);

  for (CatalogSplit split = CATALOG_SPLIT_TRAIN; split <= CATALOG_SPLIT_VALID; split++)
    {
      CatalogFunnel funnel;

      if (catalog_funnel_read (store, split, &funnel, NULL))
        doctor->records_kept += funnel.count[CATALOG_KEPT];
    }
  doctor->encoders = encoders != NULL ? encoders->len : 0;
  for (guint i = 0; i < doctor->encoders; i++)
    doctor->latents += ((CatalogEncoder *) g_ptr_array_index (encoders, i))->n_latents;
  doctor->runs = runs != NULL ? runs->len : 0;
}

/** The workspace's store, if it is sound; %NULL with @error set if not. */
static CatalogStore *
open_sound (StudyDoctor *doctor, GError **error)
{
  g_autoptr (Workspace) workspace = workspace_open (doctor->directory, FALSE, error);
  g_autoptr (CatalogStore) store = workspace != NULL ? workspace_store (workspace, error) : NULL;

  return store != NULL && catalog_store_check (store, error) ? g_steal_pointer (&store) : NULL;
}

static void
examine_workspace (StudyDoctor *doctor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CatalogStore) store = open_sound (doctor, &error);

  if (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND))
    return;
  doctor->has_workspace = TRUE;
  if (doctor->repair && g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT))
    {
      g_clear_error (&error);
      doctor->repaired = workspace_repair (doctor->directory, &doctor->salvage, &error);
      if (doctor->repaired)
        store = open_sound (doctor, &error);
    }
  if (store == NULL)
    {
      fault (doctor, "%s", error->message);
      return;
    }
  doctor->workspace_sound = TRUE;
  doctor->schema_version = catalog_store_schema_version (store);
  count_contents (doctor, store);
}

gboolean
study_doctor (Job *job, gpointer data, GError **error)
{
  StudyDoctor *doctor = data;

  doctor->faults = g_ptr_array_new_with_free_func (g_free);
  doctor->gflops = NAN;
  job_stage (job, "looking at the workspace", "", 0);
  examine_workspace (doctor);
  examine_share (doctor);
  if (!job_checkpoint (job, error))
    return FALSE;
  job_stage (job, "measuring the engine", "", 0);
  examine_engine (doctor);
  if (!job_checkpoint (job, error))
    return FALSE;
  examine_torch (doctor);
  return TRUE;
}

void
study_doctor_clear (StudyDoctor *doctor)
{
  g_clear_pointer (&doctor->faults, g_ptr_array_unref);
  g_clear_pointer (&doctor->torch_fault, g_free);
  catalog_salvage_clear (&doctor->salvage);
}

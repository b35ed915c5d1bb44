/**
 * doctor.h: what this machine and this workspace have, and what they lack.
 */
#pragma once

#include "model/engine.h"
#include "study/job.h"
#include "study/workspace.h"

typedef struct
{
  const char *directory; /* (nullable) of the workspace; an absent one is no fault */
  const char *device;
  guint threads;
  gboolean repair; /* a damaged workspace: keep all that can be read */

  /* out */
  gboolean engine_works;
  EngineInfo engine;
  EngineInfo torch; /* of libtorch's form, which GPUs need; its form is "" where it does not load */
  char *torch_fault; /* (nullable) why */
  double gflops;     /* NaN where not measured */
  gboolean has_workspace, workspace_sound;
  gboolean repaired;
  CatalogSalvage salvage; /* where repaired */
  int schema_version;
  guint records_kept, encoders, latents, runs;
  GPtrArray *faults; /* (element-type utf8) what is missing or wrong, each with the remedy */
} StudyDoctor;

/** study_doctor: a JobFunc over a StudyDoctor; finds faults, does not fail on them. */
gboolean study_doctor (Job *job, gpointer doctor, GError **error);

void study_doctor_clear (StudyDoctor *doctor);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyDoctor, study_doctor_clear)

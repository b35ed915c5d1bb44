/**
 * import_job.h: CSV files or latents of another program into the workspace.
 */
#pragma once

#include "catalog/import.h"
#include "study/job.h"
#include "study/workspace.h"

typedef struct
{
  Workspace *workspace;
  CatalogImportOptions options;
  CatalogFunnel funnel; /* (out) */
} StudyImport;

/** study_import: a JobFunc over a StudyImport; replaces the split. */
gboolean study_import (Job *job, gpointer import, GError **error);

/** study_index: a JobFunc over a Workspace, which need not be locked: finishes the full-text index
 * that an import left to it. */
gboolean study_index (Job *job, gpointer workspace, GError **error);

typedef struct
{
  Workspace *workspace;
  const char *npy_path;   /* n × width, float32 or float64 */
  const char *names_path; /* n volume names, one a line */
  const char *encoder_name;
  guint imported, width, unknown; /* (out) unknown: names that are in no imported split */
} StudyImportLatents;

/** study_import_latents: a JobFunc over a StudyImportLatents; latents of any frozen encoder, of any
 * width. */
gboolean study_import_latents (Job *job, gpointer import, GError **error);

/**
 * export_job.h: what the workspace holds, as files for other programs.
 */
#pragma once

#include "catalog/query.h"
#include "study/job.h"
#include "study/workspace.h"

typedef enum
{
  EXPORT_RECORDS,     /* CSV */
  EXPORT_SAMPLE,      /* CSV */
  EXPORT_LATENTS,     /* .npy, and the names beside it as .txt */
  EXPORT_METRICS,     /* CSV, or JSON where the file is called so */
  EXPORT_PREDICTIONS, /* CSV, or JSON */
  EXPORT_HEAD,        /* safetensors */
  EXPORT_CHECKPOINT,  /* PyTorch's zip: the encoder's tensors and the head's */
  EXPORT_PLOTS,       /* a directory of PNG pictures of a run */
  EXPORT_ROC,         /* PNG, of one class */
  EXPORT_HISTOGRAM,   /* PNG, of one class */
  EXPORT_COMPARISON,  /* PNG of two runs; CSV, JSON or text of two or more */
  EXPORT_N,
} ExportWhat;

/** export_what_parse: "records", "sample", ... */
gboolean export_what_parse (const char *text, ExportWhat *what, GError **error);

typedef struct
{
  Workspace *workspace;
  ExportWhat what;
  const char *out_path;
  gboolean replace;
  const char *run;              /* name, number or "latest" */
  const char *const *with_runs; /* (nullable) the other runs of a comparison */
  const char *class_name;       /* (nullable) of a ROC curve or histogram */
  const char *sample;           /* (nullable) */
  const char *encoder_name;     /* (nullable) */
  const char *query;            /* (nullable) of the records */
  CatalogListOptions list;      /* which of them, and in what order */
  guint64 written;              /* (out) rows, tensors, plots or scans on a plot */
} StudyExport;

/** study_export: a JobFunc over a StudyExport. */
gboolean study_export (Job *job, gpointer export, GError **error);

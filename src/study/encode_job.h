/**
 * encode_job.h: scans to latents: a cohort into the store, or files into an array.
 */
#pragma once

#include "catalog/record.h"
#include "study/encoding.h"
#include "study/job.h"
#include "study/workspace.h"

typedef struct
{
  Workspace *workspace;
  EncodingOptions options;
  const char *encoder_name; /* (nullable) %NULL: the checkpoint's base name */
  const char *volumes_directory;
  char **volumes;     /* (nullable) these records, or as many as are in the directory ... */
  const char *sample; /* (nullable) ... or a sample's members ... */
  int split;          /* ... or a CatalogSplit, or -1 for every kept row */
  guint readers;      /* threads that prepare volumes ahead; 0: chosen by device */

  /* out */
  char *encoder;         /* name */
  guint encoded, cached; /* new latents, and those that were in the store */
  guint lacking;         /* scans that are not in the directory; named among the job's skips */
  double seconds;
} StudyEncode;

/**
 * study_encode: a JobFunc over a StudyEncode.
 *
 * Each latent is in the store before it is counted; interrupted at any moment, the same call goes
 * on where it was. A scan that can't be read is stored with its reason, skipped, and the rest go
 * on. Checkpoint, description and folder are remembered in the workspace (settings.h), and so is
 * how long a scan took.
 */
gboolean study_encode (Job *job, gpointer encode, GError **error);

void study_encode_clear (StudyEncode *encode);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (StudyEncode, study_encode_clear)

typedef struct
{
  EncodingOptions options;
  char **files; /* NIfTI volumes or prepared .npy tensors [batch,]1,T,H,W; %NULL-terminated */
  VolumeMetadata metadata;    /* of every volume */
  const char *out_path;       /* latents, (n, width) */
  const char *dump_directory; /* (nullable) vq_in.npy, vq_indices.npy, latent.npy */
  gboolean replace;

  /* out */
  guint encoded, width;
  double seconds;
} StudyEncodeFiles;

/** study_encode_files: a JobFunc over a StudyEncodeFiles; needs no workspace. Unreadable files are
 * skipped. */
gboolean study_encode_files (Job *job, gpointer encode, GError **error);

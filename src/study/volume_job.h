/**
 * volume_job.h: one volume to the encoder's input, or to pictures.
 */
#pragma once

#include "study/job.h"
#include "volume/prepare.h"
#include "volume/slice.h"

typedef struct
{
  const char *path, *out_path;
  VolumeMetadata metadata;
  VolumePreparation preparation;
  guint threads;
  gboolean replace;
  VolumePrepared prepared; /* (out) */
} StudyPrepare;

/** study_prepare: a JobFunc over a StudyPrepare; writes a float32 tensor of shape (1, z, x, y). */
gboolean study_prepare (Job *job, gpointer prepare, GError **error);

#define STUDY_SLICE_MIDDLE (-1)
#define STUDY_SLICE_ALL (-2)

typedef struct
{
  const char *path;
  const char *out_path; /* "F.png"; all slices go to "F_0001.png" and so on */
  VolumeMetadata metadata;
  VolumeRescale rescale;
  VolumeAxis axis;
  VolumeWindow window;
  gint64 index; /* from 0, or one of the above */
  gboolean replace;
  guint written;      /* (out) */
  gsize count;        /* (out) slices along the axis */
  gint64 first_index; /* (out) of those written */
} StudySlices;

/** study_slices: a JobFunc over a StudySlices. */
gboolean study_slices (Job *job, gpointer slices, GError **error);

/**
 * volume_options.h: the options that say how a volume's voxels and axes are meant, shared by the
 * commands that read volumes.
 */
#pragma once

#include "batch/batch.h"
#include "volume/volume.h"

typedef struct
{
  char *rescale_text, *orient_text, *spacing_text, *slope_text, *intercept_text;
  /* after volume_options_finish() */
  VolumeRescale rescale;
  VolumeOrient orient;
  VolumeMetadata metadata;
} VolumeOptions;

/* @rescale, @orient: what holds where the option is not given */
#define VOLUME_POLICY_ENTRIES(options, rescale, orient)                                            \
  { "rescale",                                                                                     \
    0,                                                                                             \
    0,                                                                                             \
    G_OPTION_ARG_STRING,                                                                           \
    &(options).rescale_text,                                                                       \
    "stored values to HU: auto, header, csv, both or none (default: " rescale ")",                 \
    "HOW" },                                                                                       \
  {                                                                                                \
    "orient", 0, 0, G_OPTION_ARG_STRING, &(options).orient_text,                                   \
        "lps or as-stored (default: " orient ")", "HOW"                                            \
  }

#define VOLUME_METADATA_ENTRIES(options)                                                            \
  { "spacing",                                                                                      \
    0,                                                                                              \
    0,                                                                                              \
    G_OPTION_ARG_STRING,                                                                            \
    &(options).spacing_text,                                                                        \
    "source spacing in mm (default: the header's)",                                                 \
    "Z,X,Y" },                                                                                      \
      { "slope", 0, 0, G_OPTION_ARG_STRING, &(options).slope_text, "the CSV's RescaleSlope", "S" }, \
  {                                                                                                 \
    "intercept", 0, 0, G_OPTION_ARG_STRING, &(options).intercept_text,                              \
        "the CSV's RescaleIntercept", "I"                                                           \
  }

/** volume_options_finish: from text to values; prints what is wrong and sets @code on failure. */
gboolean volume_options_finish (const Batch *batch, VolumeOptions *options, int *code);

void volume_options_clear (VolumeOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VolumeOptions, volume_options_clear)

/**
 * finding.h: one finding of an epoch: ROC curve, histogram of scores, and a threshold to move.
 */
#pragma once

#include "draw.h"
#include "keys.h"
#include "study/job.h"

typedef struct
{
  guint class_index;
  double threshold; /* of the probability; NaN: the epoch's own */
} Finding;

typedef enum
{
  FINDING_STEP = 1, /* hundredths of the threshold */
  FINDING_BIG_STEP = 10,
} FindingStep;

/** finding_step: @hundredths up or down, on the grid of hundredths, within [0, 1]. */
double finding_step (double threshold, int hundredths);

/** finding_threshold: the one in force. */
double finding_threshold (const Finding *finding, const JobEpoch *epoch);

/** finding_probabilities: of one class; %NULL where the epoch has no scores. Free with g_free.
 * @labels: (out) (transfer full) */
double *finding_probabilities (const JobEpoch *epoch, guint class_index, guint8 **labels);

/** finding_command: %FALSE for a command that is not about the threshold or the finding. */
gboolean finding_command (Finding *finding, const JobEpoch *epoch, Command command);

void finding_draw (const Finding *finding, const JobEpoch *epoch, Area area);

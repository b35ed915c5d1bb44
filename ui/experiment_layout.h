/**
 * experiment_layout.h: where the form and the views beside it are. Pure.
 */
#pragma once

#include "draw.h"

typedef enum
{
  EXPERIMENT_PLAN,   /* what is to be done */
  EXPERIMENT_CURVE,  /* focal loss */
  EXPERIMENT_SHARES, /* of the labels */
  EXPERIMENT_TABLE,  /* of the preview */
  N_EXPERIMENT_VIEWS,
} ExperimentView;

typedef struct
{
  Area rows;                      /* of the form */
  Area help;                      /* below them: the field under the cursor */
  Area divider;                   /* one column, or empty */
  Area views[N_EXPERIMENT_VIEWS]; /* empty: not in view */
} ExperimentLayout;

/** experiment_layout: @first is in view whatever the room; others where there is room for them. */
ExperimentLayout experiment_layout (Area area, ExperimentView first);

/** experiment_next_view: the view to put first so that one comes that was not there; @first where
 * all are. */
ExperimentView experiment_next_view (Area area, ExperimentView first);

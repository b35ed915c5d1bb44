/**
 * replay_private.h: the steps of a replay, for the file that reads them and the one that runs them.
 */
#pragma once

#include "replay.h"

typedef enum
{
  STEP_SIZE,
  STEP_KEY,
  STEP_WAIT,
  STEP_WAIT_GONE,
  STEP_TIMEOUT,
  STEP_DUMP,
  STEP_CLOCK,
} StepKind;

typedef struct
{
  StepKind kind;
  guint line;
  Key key;
  int width, height; /* or seconds */
  char *text;
} Step;

struct _Replay
{
  char *path;
  GArray *steps; /* (element-type Step) */
  guint next;
  gboolean real_time;
  int timeout_s;
  gint64 waiting_since_us; /* 0: not waiting */
  App *app;
  guint source;
};

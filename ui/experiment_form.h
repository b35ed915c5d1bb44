/**
 * experiment_form.h: the fields of the form, in groups, and how far a step of each goes. Pure.
 */
#pragma once

#include "study/parameters.h"

typedef enum
{
  FORM_HEADING,
  FORM_PARAMETER, /* of parameter_specs() */
  FORM_CHECKPOINT,
  FORM_DESCRIPTION,
  FORM_VOLUMES,
} FormKind;

typedef enum
{
  STEP_NONE,    /* through the choices, where there are any */
  STEP_BY,      /* to the next multiple of `by` */
  STEP_DECIMAL, /* 1, 2, 5, 10, ... */
  STEP_DOUBLE,  /* powers of two */
} FormStep;

typedef enum
{
  SLIDER_NONE,
  SLIDER_LINEAR,
  SLIDER_LOG,
} FormSlider;

typedef struct
{
  FormKind kind;
  const char *name; /* the heading's, the parameter's or the path's */
  FormStep step;
  FormSlider slider;
  double by;    /* for STEP_BY */
  double least; /* smallest number above the range's low end that a step reaches; 0: that end */
} FormRow;

/** form_rows: the table in the order of the screen; @n: (out) */
const FormRow *form_rows (guint *n);

/** form_spec: %NULL for what is no parameter. */
const ParameterSpec *form_spec (const FormRow *row);

/**
 * form_step: the value one step down (@direction -1) or up (1).
 *
 * Up and down again from a value that a step reached comes back to it. A parameter that is a number
 * or one word has the word below its smallest number.
 *
 * Returns: text for train_parameters_set(), the present one at either end; %NULL where there are no
 * steps. Free with g_free.
 */
char *form_step (const FormRow *row, const TrainParameters *parameters, int direction);

/** form_position: where the slider's knob is, 0 to 1; NaN where there is no slider. */
double form_position (const FormRow *row, const char *value);

/** form_value_at: the value for a place on the slider, rounded to something one would type. Free
 * with g_free. */
char *form_value_at (const FormRow *row, double position);

/** form_is_changed: whether it differs from the default. */
gboolean form_is_changed (const FormRow *row, const TrainParameters *parameters);

/** form_accepted: what is, in words: "default 2; 0 to 10". Free with g_free. */
char *form_accepted (const FormRow *row);
/** form_help: what it is for. */
const char *form_help (const FormRow *row);

/**
 * form_focal_curve: the loss of one scan against the predicted probability.
 *
 * @label: 1 for a scan with the finding, 0 without
 * @probabilities, @losses: (out) @n numbers, from 1 / (2 n) on in equal steps
 */
void form_focal_curve (const TrainParameters *parameters, double pos_weight, guint8 label,
                       double *probabilities, double *losses, guint n);

/** form_pos_weight: of a finding that has @share of positives, as training would weigh it. */
double form_pos_weight (const TrainParameters *parameters, guint finding, double share);

#include "experiment_form.h"

#include <math.h>
#include <string.h>

#define SLIGHTLY 1e-9 /* a number this near to a step is at it */

static const FormRow rows[] = {
  { FORM_HEADING, "Cohort" },
  { FORM_PARAMETER, "fraction", STEP_BY, SLIDER_LINEAR, .by = 0.05, .least = 1e-4 },
  { FORM_PARAMETER, "seed", STEP_BY, .by = 1 },
  { FORM_PARAMETER, "train-sample" },
  { FORM_PARAMETER, "valid-sample" },
  { FORM_HEADING, "Loss" },
  { FORM_PARAMETER, "gamma", STEP_BY, SLIDER_LINEAR, .by = 0.25 },
  { FORM_PARAMETER, "alpha", STEP_BY, SLIDER_LINEAR, .by = 0.05 },
  { FORM_PARAMETER, "pos-weight" },
  { FORM_HEADING, "Optimiser" },
  { FORM_PARAMETER, "lr", STEP_DECIMAL, SLIDER_LOG, .least = 1e-7 },
  { FORM_PARAMETER, "schedule" },
  { FORM_PARAMETER, "weight-decay", STEP_DECIMAL, SLIDER_LOG, .least = 1e-5 },
  { FORM_PARAMETER, "epochs", STEP_BY, SLIDER_LOG, .by = 1, .least = 1 },
  { FORM_PARAMETER, "batch", STEP_DOUBLE, SLIDER_LOG, .least = 1 },
  { FORM_HEADING, "Head" },
  { FORM_PARAMETER, "head" },
  { FORM_PARAMETER, "hidden", STEP_DOUBLE, SLIDER_LOG, .least = 1 },
  { FORM_PARAMETER, "dropout", STEP_BY, SLIDER_LINEAR, .by = 0.05 },
  { FORM_PARAMETER, "standardize" },
  { FORM_HEADING, "Judging" },
  { FORM_PARAMETER, "threshold", STEP_BY, SLIDER_LINEAR, .by = 0.05 },
  { FORM_PARAMETER, "keep" },
  { FORM_PARAMETER, "bootstrap", STEP_DECIMAL, .least = 100 },
  { FORM_PARAMETER, "permute-labels" },
  { FORM_HEADING, "Run" },
  { FORM_PARAMETER, "name" },
  { FORM_PARAMETER, "device" },
  { FORM_HEADING, "Encoder" },
  { FORM_PARAMETER, "encoder-name" },
  { FORM_CHECKPOINT, "checkpoint" },
  { FORM_DESCRIPTION, "description" },
  { FORM_VOLUMES, "volumes" },
};

const FormRow *
form_rows (guint *n)
{
  *n = G_N_ELEMENTS (rows);
  return rows;
}

const ParameterSpec *
form_spec (const FormRow *row)
{
  return row->kind == FORM_PARAMETER ? parameter_spec_find (row->name) : NULL;
}

/* ---- numbers ---- */

/** Without the last digits, which multiplying leaves behind. */
static char *
number_text (double number)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.12g", number));
}

/** The next of 1, 2, 5, 10, ... above or below. */
static double
next_decimal (double value, int direction)
{
  double power = pow (10, floor (log10 (value) + SLIGHTLY)), mantissa = value / power;

  if (direction > 0)
    return power * (mantissa < 2 - SLIGHTLY ? 2 : mantissa < 5 - SLIGHTLY ? 5 : 10);
  return power
         * (mantissa > 5 + SLIGHTLY   ? 5
            : mantissa > 2 + SLIGHTLY ? 2
            : mantissa > 1 + SLIGHTLY ? 1
                                      : 0.5);
}

static double
step_up (const FormRow *row, double value)
{
  if (value < row->least - SLIGHTLY * row->least)
    return row->least;
  switch (row->step)
    {
    case STEP_DECIMAL:
      return next_decimal (value, 1);
    case STEP_DOUBLE:
      return exp2 (floor (log2 (value) + SLIGHTLY) + 1);
    default:
      /* Below the first multiple the steps get finer, where there is something to reach. */
      if (row->least > 0 && value < row->by * (1 - SLIGHTLY))
        return MIN (next_decimal (value, 1), row->by);
      return (floor (value / row->by + SLIGHTLY) + 1) * row->by;
    }
}

static double
step_down (const FormRow *row, double value, double low)
{
  if (value <= row->least * (1 + SLIGHTLY))
    return low;
  switch (row->step)
    {
    case STEP_DECIMAL:
      return MAX (next_decimal (value, -1), row->least);
    case STEP_DOUBLE:
      return exp2 (ceil (log2 (value) - SLIGHTLY) - 1);
    default:
      if (value <= row->by * (1 + SLIGHTLY))
        return row->least > 0 ? next_decimal (value, -1) : low;
      return (ceil (value / row->by - SLIGHTLY) - 1) * row->by;
    }
}

/** FALSE for a word. */
static gboolean
read_number (const char *text, double *number)
{
  char *end;

  *number = g_ascii_strtod (text, &end);
  return end != text && *end == '\0';
}

/* ---- steps ---- */

static char *
step_choice (const char *choices, const char *value, int direction)
{
  g_auto (GStrv) all = g_strsplit (choices, "|", -1);
  int n = (int) g_strv_length (all), at = -1;

  for (int i = 0; i < n; i++)
    if (strcmp (all[i], value) == 0)
      at = i;
  return at < 0 ? g_strdup (all[0]) : g_strdup (all[CLAMP (at + direction, 0, n - 1)]);
}

char *
form_step (const FormRow *row, const TrainParameters *parameters, int direction)
{
  const ParameterSpec *spec = form_spec (row);
  g_autofree char *value = spec != NULL ? train_parameters_get (parameters, row->name) : NULL;
  double number;

  if (spec == NULL || spec->kind == PARAMETER_TEXT)
    return NULL;
  if (spec->kind == PARAMETER_SWITCH)
    return g_strdup (direction > 0 ? "yes" : "no");
  if (row->step == STEP_NONE)
    return step_choice (spec->choices, value, direction);
  if (!read_number (value, &number)) /* the word below the numbers */
    return direction > 0 ? number_text (row->by) : g_steal_pointer (&value);
  if (direction < 0 && spec->kind == PARAMETER_MIXED && number <= row->by * (1 + SLIGHTLY))
    return g_strdup (spec->choices);
  number = direction > 0 ? step_up (row, number) : step_down (row, number, spec->low);
  return number_text (CLAMP (number, spec->low, spec->high));
}

double
form_position (const FormRow *row, const char *value)
{
  const ParameterSpec *spec = form_spec (row);
  double number;

  if (row->slider == SLIDER_NONE)
    return NAN;
  if (!read_number (value, &number))
    return 0;
  if (row->slider == SLIDER_LINEAR)
    return (number - spec->low) / (spec->high - spec->low);
  return number <= row->least ? 0 : log (number / row->least) / log (spec->high / row->least);
}

char *
form_value_at (const FormRow *row, double position)
{
  const ParameterSpec *spec = form_spec (row);
  char two_digits[G_ASCII_DTOSTR_BUF_SIZE];
  double number;

  if (position <= 0)
    return spec->kind == PARAMETER_MIXED ? g_strdup (spec->choices) : number_text (spec->low);
  if (row->slider == SLIDER_LINEAR)
    number = round ((spec->low + position * (spec->high - spec->low)) / row->by) * row->by;
  else
    {
      number = row->least * pow (spec->high / row->least, position);
      if (row->step == STEP_DOUBLE)
        number = exp2 (round (log2 (number)));
      g_ascii_formatd (two_digits, sizeof two_digits, "%.2g", number);
      if (row->step == STEP_DECIMAL)
        number = g_ascii_strtod (two_digits, NULL);
      if (spec->kind == PARAMETER_INTEGER)
        number = round (number);
    }
  return number_text (CLAMP (number, spec->low, spec->high));
}

/* ---- words ---- */

gboolean
form_is_changed (const FormRow *row, const TrainParameters *parameters)
{
  const ParameterSpec *spec = form_spec (row);
  g_autofree char *value = spec != NULL ? train_parameters_get (parameters, row->name) : NULL;

  return value != NULL && strcmp (value, spec->fallback) != 0;
}

static char *
range_text (const FormRow *row)
{
  const ParameterSpec *spec = form_spec (row);
  g_autofree char *words = NULL;

  if (spec == NULL)
    return g_strdup ("a path; Tab completes it");
  if (spec->choices != NULL)
    {
      g_auto (GStrv) choices = g_strsplit (spec->choices, "|", -1);

      words = g_strjoinv (", ", choices);
    }
  switch (spec->kind)
    {
    case PARAMETER_NUMBER:
    case PARAMETER_INTEGER:
      return g_strdup_printf ("%.10g to %.10g", spec->low, spec->high);
    case PARAMETER_MIXED:
      return g_strdup_printf ("%s or %.10g to %.10g", words, spec->low, spec->high);
    case PARAMETER_SWITCH:
      return g_strdup ("yes or no");
    default:
      return words != NULL ? g_steal_pointer (&words) : g_strdup ("a name or a path");
    }
}

char *
form_accepted (const FormRow *row)
{
  const ParameterSpec *spec = form_spec (row);
  g_autofree char *range = range_text (row);

  return spec != NULL && *spec->fallback != '\0'
             ? g_strdup_printf ("default %s; %s", spec->fallback, range)
             : g_steal_pointer (&range);
}

const char *
form_help (const FormRow *row)
{
  switch (row->kind)
    {
    case FORM_HEADING:
      return "";
    case FORM_CHECKPOINT:
      return "the encoder's weights, to encode scans that have no latent";
    case FORM_DESCRIPTION:
      return "the encoder's sizes, where the checkpoint does not tell them";
    case FORM_VOLUMES:
      return "the folder that holds the scans";
    default:
      return form_spec (row)->help;
    }
}

/* ---- the loss ---- */

void
form_focal_curve (const TrainParameters *parameters, double pos_weight, guint8 label,
                  double *probabilities, double *losses, guint n)
{
  const FocalLoss loss = { parameters->gamma, parameters->alpha, &pos_weight };

  for (guint i = 0; i < n; i++)
    {
      double probability = (i + 0.5) / n, logit = log (probability / (1 - probability));

      probabilities[i] = probability;
      losses[i] = focal_loss (&loss, &logit, &label, 1, 1, NULL);
    }
}

double
form_pos_weight (const TrainParameters *parameters, guint finding, double share)
{
  double balanced = share > 0 ? (1 - share) / share : 1; /* NaN too: nothing is known */

  switch (parameters->pos_weight)
    {
    case POS_WEIGHT_GIVEN:
      return parameters->given_pos_weights[parameters->n_given_pos_weights > 1 ? finding : 0];
    case POS_WEIGHT_NONE:
      return 1;
    case POS_WEIGHT_SQRT:
      return sqrt (balanced);
    default:
      return balanced;
    }
}

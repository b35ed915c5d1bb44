/**
 * parameters.h: what a training run is told, by the command line, a run file or a form on screen.
 *
 * One table says every parameter's name, kind, range, default and help; the three ways in share it,
 * so that a value is accepted or refused alike everywhere.
 */
#pragma once

#include "catalog/labels.h"
#include "model/head.h"
#include <glib.h>

typedef enum
{
  POS_WEIGHT_BALANCED, /* negatives / positives of the training sample */
  POS_WEIGHT_SQRT,     /* its square root */
  POS_WEIGHT_NONE,
  POS_WEIGHT_GIVEN,
} PosWeightKind;

typedef enum
{
  THRESHOLD_FIXED,
  THRESHOLD_YOUDEN, /* chosen per class on the training sample */
} ThresholdKind;

typedef struct
{
  char *name;                                       /* of the run; "" is numbered */
  char *encoder_name, *train_sample, *valid_sample; /* "" means: the only one; drawn */
  double fraction;
  guint64 seed;
  guint epochs, batch;
  double learning_rate;
  gboolean cosine;
  double weight_decay;
  double gamma, alpha; /* alpha NaN: off */
  PosWeightKind pos_weight;
  double given_pos_weights[CATALOG_N_LABELS];
  guint n_given_pos_weights; /* 1: it is every class's; else CATALOG_N_LABELS */
  HeadKind head;
  guint hidden;
  double dropout;
  gboolean standardize;
  ThresholdKind threshold_kind;
  double threshold;
  gboolean keep_best;
  gboolean permute_labels;
  guint bootstrap_draws;
  char *device; /* "auto", "cpu" or "cuda:N" */
} TrainParameters;

/** train_parameters_new: every parameter at its default. */
TrainParameters *train_parameters_new (void);
TrainParameters *train_parameters_copy (const TrainParameters *parameters);
void train_parameters_free (TrainParameters *parameters);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainParameters, train_parameters_free)

typedef enum
{
  PARAMETER_TEXT,
  PARAMETER_NUMBER,  /* a double in [low, high] */
  PARAMETER_INTEGER, /* a whole number in [low, high] */
  PARAMETER_SWITCH,  /* yes or no */
  PARAMETER_CHOICE,  /* one of `choices` */
  PARAMETER_MIXED,   /* one of `choices`, or numbers in [low, high] */
} ParameterKind;

typedef struct
{
  const char *name; /* "weight-decay": the option, the key and the field */
  ParameterKind kind;
  double low, high;
  const char *choices;  /* "a|b|c"; (nullable) a text without it may be anything */
  const char *fallback; /* the default, as text */
  const char *help;     /* one line */
  gsize offset;         /* into TrainParameters; for the kinds that need no code of their own */
} ParameterSpec;

/** parameter_specs: the table, in the order of the form; @n: (out) */
const ParameterSpec *parameter_specs (guint *n);
const ParameterSpec *parameter_spec_find (const char *name);

/** train_parameters_set: by name, from text; an unknown name or a bad value is CTCLIP_ERROR_USAGE
 * that says what is accepted. */
gboolean train_parameters_set (TrainParameters *parameters, const char *name, const char *text,
                               GError **error);

/** train_parameters_get: a parameter as text that train_parameters_set() takes back. Free with
 * g_free. */
char *train_parameters_get (const TrainParameters *parameters, const char *name);

/** train_parameters_load: a run file (GLib key file, group [train]) over the present values. */
gboolean train_parameters_load (TrainParameters *parameters, const char *path, GError **error);

/** train_parameters_parse: the same from text; @source names it in errors. */
gboolean train_parameters_parse (TrainParameters *parameters, const char *text, const char *source,
                                 GError **error);

/** train_parameters_text: the run file that gives these parameters again. Free with g_free. */
char *train_parameters_text (const TrainParameters *parameters);

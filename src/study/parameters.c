#include "study/parameters.h"

#include "base/error.h"
#include "base/key_file.h"
#include "base/text_file.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define GROUP "train"
#define FIELD(member) G_STRUCT_OFFSET (TrainParameters, member)
#define AT(parameters, spec, type) (*(type *) G_STRUCT_MEMBER_P (parameters, (spec)->offset))

static const ParameterSpec specs[] = {
  { "name", PARAMETER_TEXT, 0, 0, NULL, "", "name of the run; empty: numbered", FIELD (name) },
  { "encoder-name", PARAMETER_TEXT, 0, 0, NULL, "",
    "whose latents to train on; empty: the last used encoder's", FIELD (encoder_name) },
  { "train-sample", PARAMETER_TEXT, 0, 0, NULL, "",
    "a sample's name; empty: drawn by fraction and seed", FIELD (train_sample) },
  { "valid-sample", PARAMETER_TEXT, 0, 0, NULL, "",
    "a sample's name; empty: drawn by fraction and seed", FIELD (valid_sample) },
  { "fraction", PARAMETER_NUMBER, 0.0001, 1, NULL, "0.15", "share of each split that is sampled",
    FIELD (fraction) },
  { "seed", PARAMETER_INTEGER, 0, 4294967295.0, NULL, "42",
    "of sampling, initial weights, batches and dropout", FIELD (seed) },
  { "epochs", PARAMETER_INTEGER, 1, 1000, NULL, "5", "passes over the training sample",
    FIELD (epochs) },
  { "batch", PARAMETER_INTEGER, 1, 4096, NULL, "32", "scans per step", FIELD (batch) },
  { "lr", PARAMETER_NUMBER, 1e-7, 1, NULL, "0.001", "AdamW's learning rate",
    FIELD (learning_rate) },
  { "schedule", PARAMETER_CHOICE, 0, 0, "constant|cosine", "constant",
    "how the learning rate goes over the steps", FIELD (cosine) },
  { "weight-decay", PARAMETER_NUMBER, 0, 1, NULL, "0.01", "AdamW's decay, on all four tensors",
    FIELD (weight_decay) },
  { "gamma", PARAMETER_NUMBER, 0, 10, NULL, "2",
    "focal loss: how much easy examples are played down; 0 is cross-entropy", FIELD (gamma) },
  { "alpha", PARAMETER_MIXED, 0, 1, "off", "off",
    "focal loss: weight of positives, 1 - alpha of negatives", FIELD (alpha) },
  { "pos-weight", PARAMETER_MIXED, 1e-6, 1e6, "balanced|sqrt|none", "balanced",
    "weight of positives per class: negatives / positives, its root, 1, one number or one per "
    "class",
    0 },
  { "head", PARAMETER_CHOICE, 0, 0, "mlp|linear|norm-linear", "mlp", "shape of the new head",
    FIELD (head) },
  { "hidden", PARAMETER_INTEGER, 1, 8192, NULL, "256", "hidden units of the mlp head",
    FIELD (hidden) },
  { "dropout", PARAMETER_NUMBER, 0, 0.95, NULL, "0.3", "share of hidden units dropped in training",
    FIELD (dropout) },
  { "standardize", PARAMETER_SWITCH, 0, 0, NULL, "yes",
    "scale each latent feature by the training sample's mean and deviation", FIELD (standardize) },
  { "threshold", PARAMETER_MIXED, 0, 1, "youden", "0.5",
    "probability from which a finding is called; youden: chosen per class on the training sample",
    0 },
  { "keep", PARAMETER_CHOICE, 0, 0, "last|best", "last",
    "which epoch's head is kept; best is by validation AUROC, the scans it is judged on",
    FIELD (keep_best) },
  { "permute-labels", PARAMETER_SWITCH, 0, 0, NULL, "no",
    "control run: labels shuffled among the scans; AUROC must fall to 0.5",
    FIELD (permute_labels) },
  { "bootstrap", PARAMETER_INTEGER, 0, 100000, NULL, "1000",
    "draws for the interval of the macro AUROC; 0: none", FIELD (bootstrap_draws) },
  { "device", PARAMETER_TEXT, 0, 0, "auto|cpu|cuda:N", "auto",
    "auto is the processor, as the head is too small to gain; cuda is cuda:0", FIELD (device) },
};

const ParameterSpec *
parameter_specs (guint *n)
{
  *n = G_N_ELEMENTS (specs);
  return specs;
}

const ParameterSpec *
parameter_spec_find (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    if (strcmp (specs[i].name, name) == 0)
      return &specs[i];
  return NULL;
}

/* ---- text to value ---- */

/** Say what is accepted. */
static gboolean
refuse (const ParameterSpec *spec, const char *text, GError **error)
{
  g_autoptr (GString) accepted = g_string_new (NULL);
  gboolean per_class = strcmp (spec->name, "pos-weight") == 0;

  if (spec->choices != NULL)
    {
      g_auto (GStrv) choices = g_strsplit (spec->choices, "|", -1);
      g_autofree char *joined = g_strjoinv (", ", choices);

      g_string_append (accepted, joined);
    }
  if (spec->kind == PARAMETER_SWITCH)
    g_string_append (accepted, "yes or no");
  if (spec->kind == PARAMETER_NUMBER || spec->kind == PARAMETER_INTEGER
      || spec->kind == PARAMETER_MIXED)
    g_string_append_printf (accepted, "%sa %snumber from %.15g to %.15g",
                            accepted->len > 0 ? " or " : "",
                            spec->kind == PARAMETER_INTEGER ? "whole " : "", spec->low, spec->high);
  if (per_class)
    g_string_append_printf (accepted, " (one for all classes, or %u with commas between)",
                            CATALOG_N_LABELS);
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "%s: '%s' is not accepted; give %s",
               spec->name, text, accepted->str);
  return FALSE;
}

static gboolean
parse_number (const ParameterSpec *spec, const char *text, double *number)
{
  char *end;

  errno = 0;
  *number = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && errno == 0 && *number >= spec->low && *number <= spec->high;
}

/** Position of @text among "a|b|c"; -1 if it is none of them. */
static int
parse_choice (const ParameterSpec *spec, const char *text)
{
  g_auto (GStrv) choices = g_strsplit (spec->choices, "|", -1);

  for (int i = 0; choices[i] != NULL; i++)
    if (g_ascii_strcasecmp (choices[i], text) == 0)
      return i;
  return -1;
}

static gboolean
parse_switch (const char *text, gboolean *value)
{
  static const char *const on[] = { "yes", "true", "on", "1", NULL };
  static const char *const off[] = { "no", "false", "off", "0", NULL };
  g_autofree char *lower = g_ascii_strdown (text, -1);

  *value = g_strv_contains (on, lower);
  return *value || g_strv_contains (off, lower);
}

static gboolean
set_pos_weight (TrainParameters *parameters, const ParameterSpec *spec, const char *text)
{
  static const PosWeightKind kinds[] = { POS_WEIGHT_BALANCED, POS_WEIGHT_SQRT, POS_WEIGHT_NONE };
  int choice = parse_choice (spec, text);
  g_auto (GStrv) numbers = NULL;
  double given[CATALOG_N_LABELS];
  guint n = 0;

  if (choice >= 0)
    {
      parameters->pos_weight = kinds[choice];
      return TRUE;
    }
  numbers = g_strsplit (text, ",", -1);
  for (; numbers[n] != NULL; n++)
    if (n == CATALOG_N_LABELS || !parse_number (spec, g_strstrip (numbers[n]), &given[n]))
      return FALSE;
  if (n != 1 && n != CATALOG_N_LABELS)
    return FALSE;
  parameters->pos_weight = POS_WEIGHT_GIVEN;
  parameters->n_given_pos_weights = n;
  memcpy (parameters->given_pos_weights, given, n * sizeof given[0]);
  return TRUE;
}

static gboolean
set_mixed (TrainParameters *parameters, const ParameterSpec *spec, const char *text)
{
  double number;

  if (strcmp (spec->name, "pos-weight") == 0)
    return set_pos_weight (parameters, spec, text);
  if (strcmp (spec->name, "threshold") == 0)
    {
      gboolean youden = parse_choice (spec, text) >= 0;

      if (!youden && !parse_number (spec, text, &number))
        return FALSE;
      if (!youden)
        parameters->threshold = number;
      parameters->threshold_kind = youden ? THRESHOLD_YOUDEN : THRESHOLD_FIXED;
      return TRUE;
    }
  if (parse_choice (spec, text) >= 0)
    number = NAN;
  else if (!parse_number (spec, text, &number))
    return FALSE;
  AT (parameters, spec, double) = number;
  return TRUE;
}

static gboolean
set_integer (TrainParameters *parameters, const ParameterSpec *spec, const char *text)
{
  double number;

  if (!parse_number (spec, text, &number) || number != floor (number))
    return FALSE;
  if (spec->offset == FIELD (seed))
    parameters->seed = (guint64) number;
  else
    AT (parameters, spec, guint) = (guint) number;
  return TRUE;
}

/** The device's name as the engine takes it; %NULL where it is none. */
static char *
parse_device (const char *text)
{
  guint64 number = 0;

  if (strcmp (text, "auto") == 0 || strcmp (text, "cpu") == 0)
    return g_strdup (text);
  if (strcmp (text, "cuda") != 0
      && (!g_str_has_prefix (text, "cuda:")
          || !g_ascii_string_to_unsigned (text + strlen ("cuda:"), 10, 0, G_MAXINT8, &number,
                                          NULL)))
    return NULL;
  return g_strdup_printf ("cuda:%u", (guint) number);
}

static gboolean
set_text (TrainParameters *parameters, const ParameterSpec *spec, const char *text)
{
  char *value = spec->offset == FIELD (device) ? parse_device (text) : g_strdup (text);

  if (value == NULL)
    return FALSE;
  g_free (AT (parameters, spec, char *));
  AT (parameters, spec, char *) = value;
  return TRUE;
}

static gboolean
set_value (TrainParameters *parameters, const ParameterSpec *spec, const char *text)
{
  double number;
  int choice;

  switch (spec->kind)
    {
    case PARAMETER_TEXT:
      return set_text (parameters, spec, text);
    case PARAMETER_NUMBER:
      if (!parse_number (spec, text, &number))
        return FALSE;
      AT (parameters, spec, double) = number;
      return TRUE;
    case PARAMETER_INTEGER:
      return set_integer (parameters, spec, text);
    case PARAMETER_SWITCH:
      return parse_switch (text, &AT (parameters, spec, gboolean));
    case PARAMETER_CHOICE:
      choice = parse_choice (spec, text);
      if (choice < 0)
        return FALSE;
      /* The choices stand in the order of the enumeration, or are (no, yes) of a switch. */
      AT (parameters, spec, int) = choice;
      return TRUE;
    case PARAMETER_MIXED:
      return set_mixed (parameters, spec, text);
    }
  return FALSE;
}

gboolean
train_parameters_set (TrainParameters *parameters, const char *name, const char *text,
                      GError **error)
{
  const ParameterSpec *spec = parameter_spec_find (name);

  if (spec == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s: no such parameter; `train --help` lists them", name);
      return FALSE;
    }
  return set_value (parameters, spec, text) || refuse (spec, text, error);
}

/* ---- value to text ---- */

static char *
number_text (double number)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  /* The shortest form that reads back as the same number; trailing zeros are left out of it, and
   * fewer digits would write 10 as 1e+01. */
  for (int digits = 15; digits <= 17; digits++)
    {
      g_autofree char *format = g_strdup_printf ("%%.%dg", digits);

      g_ascii_formatd (buffer, sizeof buffer, format, number);
      if (g_ascii_strtod (buffer, NULL) == number)
        break;
    }
  return g_strdup (buffer);
}

static char *
choice_text (const ParameterSpec *spec, int choice)
{
  g_auto (GStrv) choices = g_strsplit (spec->choices, "|", -1);

  return g_strdup (choices[choice]);
}

static char *
pos_weight_text (const TrainParameters *parameters)
{
  static const char *const names[] = {
    [POS_WEIGHT_BALANCED] = "balanced", [POS_WEIGHT_SQRT] = "sqrt", [POS_WEIGHT_NONE] = "none"
  };
  g_autoptr (GString) text = g_string_new (NULL);

  if (parameters->pos_weight != POS_WEIGHT_GIVEN)
    return g_strdup (names[parameters->pos_weight]);
  for (guint i = 0; i < parameters->n_given_pos_weights; i++)
    {
      g_autofree char *number = number_text (parameters->given_pos_weights[i]);

      g_string_append_printf (text, "%s%s", i > 0 ? "," : "", number);
    }
  return g_strdup (text->str);
}

static char *
mixed_text (const TrainParameters *parameters, const ParameterSpec *spec)
{
  if (strcmp (spec->name, "pos-weight") == 0)
    return pos_weight_text (parameters);
  if (strcmp (spec->name, "threshold") == 0)
    return parameters->threshold_kind == THRESHOLD_YOUDEN ? g_strdup ("youden")
                                                          : number_text (parameters->threshold);
  return isnan (AT (parameters, spec, double)) ? g_strdup (spec->choices)
                                               : number_text (AT (parameters, spec, double));
}

char *
train_parameters_get (const TrainParameters *parameters, const char *name)
{
  const ParameterSpec *spec = parameter_spec_find (name);

  g_return_val_if_fail (spec != NULL, NULL);
  switch (spec->kind)
    {
    case PARAMETER_TEXT:
      return g_strdup (AT (parameters, spec, char *));
    case PARAMETER_NUMBER:
      return number_text (AT (parameters, spec, double));
    case PARAMETER_INTEGER:
      if (spec->offset == FIELD (seed))
        return g_strdup_printf ("%" G_GUINT64_FORMAT, parameters->seed);
      return g_strdup_printf ("%u", AT (parameters, spec, guint));
    case PARAMETER_SWITCH:
      return g_strdup (AT (parameters, spec, gboolean) ? "yes" : "no");
    case PARAMETER_CHOICE:
      return choice_text (spec, AT (parameters, spec, int));
    case PARAMETER_MIXED:
      return mixed_text (parameters, spec);
    }
  return NULL;
}

/* ---- life ---- */

TrainParameters *
train_parameters_new (void)
{
  TrainParameters *parameters = g_new0 (TrainParameters, 1);

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    if (!set_value (parameters, &specs[i], specs[i].fallback))
      g_error ("the default of %s is not accepted", specs[i].name);
  return parameters;
}

TrainParameters *
train_parameters_copy (const TrainParameters *parameters)
{
  TrainParameters *copy = g_memdup2 (parameters, sizeof *parameters);

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    if (specs[i].kind == PARAMETER_TEXT)
      AT (copy, &specs[i], char *) = g_strdup (AT (parameters, &specs[i], char *));
  return copy;
}

void
train_parameters_free (TrainParameters *parameters)
{
  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    if (specs[i].kind == PARAMETER_TEXT)
      g_free (AT (parameters, &specs[i], char *));
  g_free (parameters);
}

/* ---- run files ---- */

gboolean
train_parameters_parse (TrainParameters *parameters, const char *text, const char *source,
                        GError **error)
{
  g_autoptr (GError) fault = NULL;
  g_autoptr (GKeyFile) file = key_file_parse (text, &fault);
  g_auto (GStrv) keys = file != NULL ? g_key_file_get_keys (file, GROUP, NULL, &fault) : NULL;

  if (keys == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s: %s; a run file has a group [%s] of name=value lines", source,
                   fault->message, GROUP);
      return FALSE;
    }
  for (guint i = 0; keys[i] != NULL; i++)
    {
      g_autofree char *value = g_key_file_get_string (file, GROUP, keys[i], &fault);

      /* A list's escape in a plain value gives an error and a value. */
      if (fault != NULL || !train_parameters_set (parameters, keys[i], g_strstrip (value), &fault))
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "%s: %s", source, fault->message);
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
train_parameters_load (TrainParameters *parameters, const char *path, GError **error)
{
  g_autofree char *text = text_file_read (path, "run file", error);

  return text != NULL && train_parameters_parse (parameters, text, path, error);
}

char *
train_parameters_text (const TrainParameters *parameters)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      g_autofree char *value = train_parameters_get (parameters, specs[i].name);

      g_key_file_set_string (file, GROUP, specs[i].name, value);
    }
  return g_key_file_to_data (file, NULL, NULL);
}

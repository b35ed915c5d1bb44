#include "catalog/query_private.h"

#include "catalog/labels.h"

#include <string.h>

static const QueryField fields[] = {
  { "volume", QUERY_FIELD_VOLUME, "name", "length (patient), patient, length (name), name",
    "volume's name, with or without .nii.gz" },
  { "patient", QUERY_FIELD_PATIENT, "patient", "length (patient), patient", "train_12" },
  { "split", QUERY_FIELD_SPLIT, "split", "split", "train or valid" },
  { "reason", QUERY_FIELD_REASON, "reason", "reason",
    "why a row was dropped: unreadable, no_label, no_text, reconstruction, no_chest, patient" },
  { "age", QUERY_FIELD_NUMBER, "age", "age", "years" },
  { "sex", QUERY_FIELD_TEXT, "sex", "sex", "F or M" },
  { "manufacturer", QUERY_FIELD_TEXT, "manufacturer", "manufacturer", "of the scanner" },
  { "model", QUERY_FIELD_TEXT, "model", "model", "of the scanner" },
  { "study_date", QUERY_FIELD_DATE, "study_date", "study_date",
    "2021-04-27 or 20210427; also a month (2021-04) or a year" },
  { "slices", QUERY_FIELD_NUMBER, "slices", "slices", "axial slices" },
  { "rows", QUERY_FIELD_NUMBER, "rows", "rows", "voxels of a slice from front to back" },
  { "columns", QUERY_FIELD_NUMBER, "columns", "columns", "voxels of a slice from side to side" },
  { "spacing_xy", QUERY_FIELD_NUMBER, "spacing_xy", "spacing_xy", "mm within a slice" },
  { "spacing_z", QUERY_FIELD_NUMBER, "spacing_z", "spacing_z", "mm from slice to slice" },
  { "slope", QUERY_FIELD_NUMBER, "slope", "slope", "HU = slope * value + intercept" },
  { "intercept", QUERY_FIELD_NUMBER, "intercept", "intercept", "HU" },
  { "label", QUERY_FIELD_LABEL, NULL, NULL, "a label's name, for example label = emphysema" },
  { "text", QUERY_FIELD_REPORT, NULL, NULL,
    "a word or phrase of the report, even where it is a label's name" },
};

/* ---- finding ---- */

static char
fold (char c)
{
  return c == '-' ? '_' : g_ascii_tolower (c);
}

static gboolean
same_name (const char *a, const char *b)
{
  while (*a != '\0' && fold (*a) == fold (*b))
    {
      a++;
      b++;
    }
  return *a == *b;
}

const QueryField *
query_field_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    if (same_name (fields[i].name, name))
      return &fields[i];
  return NULL;
}

const QueryField *
query_field_at (guint i)
{
  return i < G_N_ELEMENTS (fields) ? &fields[i] : NULL;
}

char *
query_field_names (gboolean sortable)
{
  GString *names = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    if (!sortable || fields[i].order != NULL)
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", fields[i].name);
  return g_string_free (names, FALSE);
}

/* ---- suggesting ---- */

/** Letters to insert, remove or replace (Levenshtein), any case. */
static guint
distance (const char *a, const char *b)
{
  gsize length = strlen (b);
  g_autofree guint *row = g_new (guint, length + 1);

  for (gsize j = 0; j <= length; j++)
    row[j] = (guint) j;
  for (; *a != '\0'; a++)
    {
      guint diagonal = row[0]++;

      for (gsize j = 1; j <= length; j++)
        {
          guint replaced = diagonal + (fold (*a) != fold (b[j - 1]));

          diagonal = row[j];
          row[j] = MIN (replaced, MIN (row[j], row[j - 1]) + 1);
        }
    }
  return row[length];
}

/** Keep the better of two candidates; more than a third of the letters wrong is no likeness. */
static void
consider (const char *name, const char *candidate, const char **best, guint *best_distance)
{
  guint letters = distance (name, candidate);

  if (letters < *best_distance && 3 * letters <= strlen (candidate))
    {
      *best = candidate;
      *best_distance = letters;
    }
}

static char *
suggestion (const char *name, gboolean with_fields)
{
  const char *best = NULL;
  guint best_distance = G_MAXUINT;

  for (gsize i = 0; with_fields && i < G_N_ELEMENTS (fields); i++)
    consider (name, fields[i].name, &best, &best_distance);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    consider (name, catalog_label_name (label), &best, &best_distance);
  return best != NULL ? g_strdup_printf (", did you mean \"%s\"?", best) : g_strdup ("");
}

char *
query_suggest_field (const char *name)
{
  return suggestion (name, TRUE);
}

char *
query_suggest_label (const char *name)
{
  return suggestion (name, FALSE);
}

/* ---- help ---- */

static char *
make_help (void)
{
  GString *help = g_string_new (
      "A query is made of terms, joined by AND (or just a space), OR, NOT and brackets; NOT binds\n"
      "closest, then AND, then OR. A term is\n"
      "  a label             emphysema, \"pleural effusion\", pleural_effusion or pleural "
      "effusion\n"
      "  a word or phrase    of the report: nodule, \"ground glass\"; nodul* finds every word "
      "that\n"
      "                      begins so\n"
      "  FIELD OP VALUE      age > 60, manufacturer ~ siemens, model = \"iCT 256\"\n"
      "  kept, dropped       what cleaning kept or dropped; without one of these, or `reason`, "
      "only\n"
      "                      kept records are looked at\n"
      "  encoded             records that have a latent of some encoder\n"
      "Operators are = (or :) != < <= > >= and ~ (contains). Letters may be of any case. What is "
      "not\n"
      "known matches neither a comparison nor its NOT; FIELD = unknown finds it. A word that is "
      "also\n"
      "a field or AND, OR, NOT is looked for in the reports when it stands in quotes.\n"
      "Fields:\n");

  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    g_string_append_printf (help, "  %-19s %s\n", fields[i].name, fields[i].help);
  g_string_append (help, "Labels:\n");
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    g_string_append_printf (help, "  %s\n", catalog_label_name (label));
  g_string_append (help, "Example: emphysema AND age > 60 AND NOT \"ground glass\"");
  return g_string_free (help, FALSE);
}

const char *
catalog_query_help (void)
{
  static gsize made;

  if (g_once_init_enter (&made))
    g_once_init_leave (&made, (gsize) make_help ());
  return (const char *) made;
}

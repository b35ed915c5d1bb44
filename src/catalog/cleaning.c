#include "catalog/cleaning.h"

#include <math.h>
#include <string.h>

#define MAX_LINE_BYTES 300

/** The start of the last part of @stem's first @length bytes, which an underscore precedes; 0 where
 * there is none, or where it is empty. */
static gsize
last_part (const char *stem, gsize length)
{
  const char *underscore = memrchr (stem, '_', length);
  gsize start = underscore != NULL ? (gsize) (underscore - stem) + 1 : 0;

  return start < length ? start : 0;
}

gboolean
cleaning_parse_name (const char *name, gsize *patient_length, gboolean *first_reconstruction)
{
  gsize stem, reconstruction, scan, patient;

  if (!g_str_has_suffix (name, CLEANING_SUFFIX))
    return FALSE;
  stem = strlen (name) - strlen (CLEANING_SUFFIX);
  for (gsize i = 0; i < stem; i++)
    if (!g_ascii_isalnum (name[i]) && name[i] != '-' && name[i] != '_')
      return FALSE;
  reconstruction = last_part (name, stem);
  scan = reconstruction > 0 ? last_part (name, reconstruction - 1) : 0;
  patient = scan > 0 ? last_part (name, scan - 1) : 0;
  if (patient < 2 || strspn (name + reconstruction, "0123456789") != stem - reconstruction)
    return FALSE;
  *patient_length = scan - 1;
  *first_reconstruction = stem - reconstruction == 1 && name[reconstruction] == '1';
  return TRUE;
}

char *
cleaning_one_line (const char *cell)
{
  char *line = g_strndup (cell, MAX_LINE_BYTES);
  const char *valid_end;

  /* The cut may have gone through a letter. */
  g_utf8_validate (line, -1, &valid_end);
  line[valid_end - line] = '\0';
  for (char *c = line; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  return g_strstrip (line);
}

gboolean
cleaning_is_one_line (const char *cell)
{
  gsize length = 0;

  while (length <= MAX_LINE_BYTES && g_ascii_isprint (cell[length]))
    length++;
  return length <= MAX_LINE_BYTES && cell[length] == '\0'
         && (length == 0 || (cell[0] != ' ' && cell[length - 1] != ' '));
}

gboolean
cleaning_is_missing (const char *cell)
{
  static const char *const words[] = { "NaN", "Not given.", "Not given" };
  gsize length;

  while (g_ascii_isspace (*cell))
    cell++;
  length = strlen (cell);
  while (length > 0 && g_ascii_isspace (cell[length - 1]))
    length--;
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (length == strlen (words[i]) && g_ascii_strncasecmp (cell, words[i], length) == 0)
      return TRUE;
  return length == 0;
}

/** What nearly all numbers are: few digits, with a point or without. Returns what follows; %NULL
 * for any other. They and the power of ten are exact, so the quotient is rounded once, as strtod ()
 * has it (Clinger 1990). */
static const char *
read_short_number (const char *text, double *number)
{
  static const double powers[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
  gboolean negative = *text == '-', point = FALSE;
  gint64 digits = 0;
  gsize n = 0, decimals = 0;

  for (text += negative; g_ascii_isdigit (*text) || (*text == '.' && !point); text++)
    if (*text == '.')
      point = TRUE;
    else if (++n == G_N_ELEMENTS (powers))
      return NULL;
    else
      {
        digits = 10 * digits + (*text - '0');
        decimals += point;
      }
  *number = (negative ? -1 : 1) * ((double) digits / powers[decimals]);
  return n > 0 ? text : NULL;
}

double
cleaning_number (const char *cell)
{
  double number;
  const char *short_end = read_short_number (cell, &number);
  char *end;

  if (short_end != NULL && *short_end == '\0')
    return number;
  number = g_ascii_strtod (cell, &end);
  if (end == cell || !isfinite (number))
    return NAN;
  while (g_ascii_isspace (*end))
    end++;
  return *end == '\0' ? number : NAN;
}

int
cleaning_flag (const char *cell)
{
  double number;

  if ((cell[0] == '0' || cell[0] == '1') && cell[1] == '\0')
    return cell[0] - '0'; /* nearly all */
  number = cleaning_number (cell);
  return number == 0 ? 0 : number == 1 ? 1 : -1;
}

int
cleaning_count (const char *cell)
{
  double number = cleaning_number (cell);

  return number >= 1 && number <= G_MAXINT && number == floor (number) ? (int) number : -1;
}

int
cleaning_age_years (const char *cell)
{
  static const struct
  {
    char unit;
    double in_a_year;
  } units[] = { { 'Y', 1 }, { 'M', 12 }, { 'W', 365.25 / 7 }, { 'D', 365.25 } };
  g_autofree char *digits = NULL;
  double in_a_year = 1, number;
  const char *end = read_short_number (cell, &number);
  gsize length;

  if (end != NULL && strcmp (end, "Y") == 0 && number >= 0 && number < G_MAXINT)
    return (int) number; /* nearly all */
  digits = g_strstrip (g_strdup (cell));
  length = strlen (digits);
  for (gsize i = 0; length > 0 && i < G_N_ELEMENTS (units); i++)
    if (g_ascii_toupper (digits[length - 1]) == units[i].unit)
      {
        in_a_year = units[i].in_a_year;
        digits[length - 1] = '\0';
        break;
      }
  number = cleaning_number (digits) / in_a_year;
  return number >= 0 && number < G_MAXINT ? (int) number : -1;
}

double
cleaning_spacing_mm (const char *cell)
{
  gsize open = strspn (cell, " \t[");
  g_autofree char *first = NULL;
  double spacing_mm;
  const char *end = read_short_number (cell + open, &spacing_mm);

  if (end == NULL || (*end != ',' && *end != ']' && *end != '\0'))
    {
      first = g_strndup (cell + open, strcspn (cell + open, ",]"));
      spacing_mm = cleaning_number (first);
    }
  return spacing_mm > 0 ? spacing_mm : NAN;
}

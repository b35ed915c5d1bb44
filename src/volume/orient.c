#include "volume/orient.h"

#include "base/error.h"

#include <math.h>
#include <nifti2_io.h>
#include <string.h>

/* Axes whose directions span less than this share of a cube's volume have no orientation. */
#define LEAST_SPAN 1e-3

/** The letter of a nifticlib direction code, which says from where to where: NIFTI_L2R points R. */
static char
letter_of (int code)
{
  static const char letters[] = "?RLAPSI";

  G_STATIC_ASSERT (NIFTI_L2R == 1 && NIFTI_R2L == 2 && NIFTI_P2A == 3 && NIFTI_A2P == 4
                   && NIFTI_I2S == 5 && NIFTI_S2I == 6);
  return letters[code >= 0 && code <= 6 ? code : 0];
}

char
orient_opposite (char letter)
{
  static const char pairs[] = "RLAPSI";

  return pairs[(strchr (pairs, letter) - pairs) ^ 1];
}

/** The body axis (0: right-left, 1: front-back, 2: up-down) that a letter lies on. */
static guint
body_axis_of (char letter)
{
  return letter == 'L' || letter == 'R' ? 0 : letter == 'P' || letter == 'A' ? 1 : 2;
}

static double
length_of_column (const VolumeHeader *header, guint column)
{
  return hypot (hypot (header->affine[0][column], header->affine[1][column]),
                header->affine[2][column]);
}

static gboolean
affine_is_usable (const VolumeHeader *header)
{
  const double (*a)[4] = header->affine;
  double determinant = a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1])
                       - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0])
                       + a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
  double cube =
      length_of_column (header, 0) * length_of_column (header, 1) * length_of_column (header, 2);

  return isfinite (determinant) && isfinite (cube) && cube > 0
         && fabs (determinant) > LEAST_SPAN * cube;
}

gboolean
orient_describe (VolumeHeader *header)
{
  nifti_dmat44 matrix;
  int codes[3] = { 0 };

  if (!affine_is_usable (header))
    return FALSE;
  memset (&matrix, 0, sizeof matrix);
  memcpy (matrix.m, header->affine, sizeof header->affine);
  matrix.m[3][3] = 1;
  nifti_dmat44_to_orientation (matrix, &codes[0], &codes[1], &codes[2]);
  header->obliquity_deg = 0;
  for (guint i = 0; i < 3; i++)
    {
      double cosine;

      header->axes[i] = letter_of (codes[i]);
      if (header->axes[i] == '?')
        return FALSE;
      cosine =
          fabs (header->affine[body_axis_of (header->axes[i])][i]) / length_of_column (header, i);
      header->obliquity_deg = MAX (header->obliquity_deg, acos (MIN (cosine, 1)) * 180 / G_PI);
    }
  return TRUE;
}

OrientMap
orient_map (const VolumeHeader *header, VolumeOrient orient)
{
  static const char wanted[] = "LPS";
  OrientMap map = { .stored_axis = { 0, 1, 2 } };

  if (orient == VOLUME_ORIENT_AS_STORED)
    return map;
  for (guint stored = 0; stored < 3; stored++)
    {
      guint axis = body_axis_of (header->axes[stored]);

      map.stored_axis[axis] = stored;
      map.flipped[axis] = header->axes[stored] != wanted[axis];
    }
  return map;
}

void
orient_axes (const VolumeHeader *header, const OrientMap *map, char axes[4])
{
  for (guint axis = 0; axis < 3; axis++)
    {
      char letter = header->axes[map->stored_axis[axis]];

      axes[axis] = map->flipped[axis] ? orient_opposite (letter) : letter;
    }
  axes[3] = '\0';
}

/* ---- names ---- */

static const char *const orient_names[] = {
  [VOLUME_ORIENT_LPS] = "lps",
  [VOLUME_ORIENT_AS_STORED] = "as-stored",
};

gboolean
volume_orient_parse (const char *text, VolumeOrient *orient, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (orient_names); i++)
    if (g_ascii_strcasecmp (text, orient_names[i]) == 0)
      {
        *orient = (VolumeOrient) i;
        return TRUE;
      }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
               "'%s': no such orientation; choose lps or as-stored", text);
  return FALSE;
}

const char *
volume_orient_name (VolumeOrient orient)
{
  return orient_names[orient];
}

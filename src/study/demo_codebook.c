#include "study/demo_codebook.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Four sums at once: the order is fixed, so are the bits, and the compiler can use vectors. */
static float
dot (const float *a, const float *b, guint dim)
{
  float sums[4] = { 0, 0, 0, 0 };
  guint i;

  for (i = 0; i + 4 <= dim; i += 4)
    for (guint lane = 0; lane < 4; lane++)
      sums[lane] += a[i + lane] * b[i + lane];
  for (; i < dim; i++)
    sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static void
normalize (float *vector, guint dim)
{
  float length = sqrtf (dot (vector, vector, dim));

  for (guint i = 0; i < dim && length > 0; i++)
    vector[i] /= length;
}

/* Each next code is the token that is farthest from all codes so far. */
static gboolean
choose_far_apart (const float *tokens, gsize n, guint dim, guint n_codes, gsize first, float *codes,
                  GCancellable *cancellable, GError **error)
{
  g_autofree float *nearest = g_new (float, n); /* cosine to the nearest code */
  gsize next = first;

  for (gsize i = 0; i < n; i++)
    nearest[i] = -FLT_MAX;
  for (guint code = 0; code < n_codes; code++)
    {
      const float *chosen =
          memcpy (codes + (gsize) code * dim, tokens + next * dim, dim * sizeof *codes);

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      next = 0;
      for (gsize i = 0; i < n; i++)
        {
          nearest[i] = MAX (nearest[i], dot (chosen, tokens + i * dim, dim));
          if (nearest[i] < nearest[next])
            next = i;
        }
    }
  return TRUE;
}

static guint
nearest_code (const float *token, const float *codes, guint n_codes, guint dim)
{
  guint best = 0;
  float highest = -FLT_MAX;

  for (guint code = 0; code < n_codes; code++)
    {
      float cosine = dot (token, codes + (gsize) code * dim, dim);

      if (cosine > highest)
        {
          highest = cosine;
          best = code;
        }
    }
  return best;
}

/* Every code moves to the middle of the tokens that it stands for; one that stands for none stays.
 */
static gboolean
move_to_middles (const float *tokens, gsize n, guint dim, guint n_codes, float *codes,
                 GCancellable *cancellable, GError **error)
{
  g_autofree float *sums = g_new0 (float, (gsize) n_codes *dim);
  g_autofree guint *members = g_new0 (guint, n_codes);

  for (gsize i = 0; i < n; i++)
    {
      guint code = nearest_code (tokens + i * dim, codes, n_codes, dim);

      if (i % 1024 == 0 && g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      members[code]++;
      for (guint k = 0; k < dim; k++)
        sums[(gsize) code * dim + k] += tokens[i * dim + k];
    }
  for (guint code = 0; code < n_codes; code++)
    if (members[code] > 0)
      {
        memcpy (codes + (gsize) code * dim, sums + (gsize) code * dim, dim * sizeof *codes);
        normalize (codes + (gsize) code * dim, dim);
      }
  return TRUE;
}

gboolean
demo_codebook_fit (float *tokens, gsize n, guint dim, guint n_codes, guint rounds, Random *random,
                   float *codes, GCancellable *cancellable, GError **error)
{
  for (gsize i = 0; i < n; i++)
    normalize (tokens + i * dim, dim);
  if (!choose_far_apart (tokens, n, dim, n_codes, random_below (random, n), codes, cancellable,
                         error))
    return FALSE;
  for (guint round = 0; round < rounds; round++)
    if (!move_to_middles (tokens, n, dim, n_codes, codes, cancellable, error))
      return FALSE;
  return TRUE;
}

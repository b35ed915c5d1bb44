#include "study/phantom.h"

#include "study/phantom_findings.h"

/* Textures of the whole lung first, then what lies in it, then what covers it; bright things last.
 */
static const guint8 painting_order[CATALOG_N_LABELS] = { 7, 13, 17, 10, 11, 16, 14, 9, 15,
                                                         8, 6,  5,  12, 2,  3,  1,  4, 0 };

PhantomGrid *
phantom_grid_new (const gsize n[3], PhantomVector spacing_mm, PhantomVector centre_mm)
{
  g_autoptr (PhantomGrid) grid = g_new0 (PhantomGrid, 1);
  gsize n_voxels = n[0] * n[1] * n[2];

  for (guint axis = 0; axis < 3; axis++)
    grid->n[axis] = n[axis];
  grid->spacing_mm = spacing_mm;
  grid->origin_mm = (PhantomVector){ centre_mm.x - spacing_mm.x * (float) (n[0] - 1) / 2,
                                     centre_mm.y - spacing_mm.y * (float) (n[1] - 1) / 2,
                                     centre_mm.z - spacing_mm.z * (float) (n[2] - 1) / 2 };
  grid->hu = g_try_new (float, n_voxels);
  grid->tissue = g_try_new (guint8, n_voxels);
  if (grid->hu == NULL || grid->tissue == NULL)
    return NULL;
  return g_steal_pointer (&grid);
}

void
phantom_grid_free (PhantomGrid *grid)
{
  if (grid == NULL)
    return;
  g_free (grid->hu);
  g_free (grid->tissue);
  g_free (grid);
}

void
phantom_random (Random *random, guint64 seed, guint32 index, guint stream)
{
  random_init (random, seed, (guint64) stream << 32 | index);
}

void
phantom_paint (PhantomGrid *grid, guint64 seed, guint32 index, guint32 labels)
{
  PhantomAnatomy anatomy;
  Random random;

  phantom_random (&random, seed, index, PHANTOM_STREAM_ANATOMY);
  phantom_anatomy_draw (&anatomy, &random);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    if (labels >> label & 1)
      {
        phantom_random (&random, seed, index, PHANTOM_STREAM_FINDINGS + label);
        phantom_finding_shape (label, &anatomy, &random);
      }
  phantom_anatomy_paint (grid, &anatomy);
  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    if (labels >> painting_order[i] & 1)
      {
        phantom_random (&random, seed, index, PHANTOM_STREAM_FINDINGS + painting_order[i]);
        phantom_finding_paint (painting_order[i], grid, &anatomy, &random);
      }
}

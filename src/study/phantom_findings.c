#include "study/phantom_findings.h"

#include <math.h>

/* In the order of labels.h. */
enum
{
  MEDICAL_MATERIAL,
  ARTERIAL_CALCIFICATION,
  CARDIOMEGALY,
  PERICARDIAL_EFFUSION,
  CORONARY_CALCIFICATION,
  HIATAL_HERNIA,
  LYMPHADENOPATHY,
  EMPHYSEMA,
  ATELECTASIS,
  NODULE,
  OPACITY,
  FIBROTIC_SEQUELA,
  PLEURAL_EFFUSION,
  MOSAIC,
  PERIBRONCHIAL_THICKENING,
  CONSOLIDATION,
  BRONCHIECTASIS,
  SEPTAL_THICKENING,
};

enum
{
  HU_AIR = -1000,
  HU_FLUID = 10,
  HU_SOFT = 40,
  HU_CALCIUM = 950,
  HU_METAL = 2800,
};

#define LUNG PHANTOM_IN (PHANTOM_LUNG)
#define CHEST (PHANTOM_ANYWHERE & ~PHANTOM_IN (PHANTOM_AIR))

typedef void (*PaintFinding) (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random);

static guint
count (Random *random, guint low, guint high)
{
  return low + (guint) random_below (random, high - low + 1);
}

static guint
any_side (Random *random)
{
  return (guint) random_below (random, PHANTOM_N_SIDES);
}

static PhantomVector
jitter (PhantomVector at, Random *random, float reach)
{
  return phantom_add (at, phantom_vector (phantom_uniform (random, -reach, reach),
                                          phantom_uniform (random, -reach, reach),
                                          phantom_uniform (random, -reach, reach)));
}

static PhantomVector
anywhere_in_lung (const PhantomAnatomy *anatomy, guint side, Random *random, float lowest,
                  float highest)
{
  return phantom_lung_point (anatomy, side, phantom_uniform (random, -0.8f, 0.8f),
                             phantom_uniform (random, -0.8f, 0.8f),
                             phantom_uniform (random, lowest, highest));
}

/* ---- things of the heart and vessels ---- */

static void
paint_pacemaker (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  PhantomMaterial metal = phantom_material (HU_METAL, CHEST);
  float sign = phantom_side_sign (PHANTOM_LEFT);
  PhantomVector box =
      phantom_vector (sign * phantom_uniform (random, 72, 88), -anatomy->cage_y_mm * 0.75f - 14,
                      phantom_uniform (random, 62, 84));
  PhantomVector vein = phantom_vector (-20, -16, 84), atrium = phantom_vector (-20, -14, 0);

  phantom_plate (grid, box, phantom_vector (0.2f, 1, 0.2f), 21, 9, metal);
  phantom_capsule (grid, box, vein, 3, 3, metal);
  phantom_capsule (grid, vein, atrium, 3, 3, metal);
  phantom_capsule (grid, atrium, phantom_add (anatomy->heart, phantom_vector (24, -8, -26)), 2.2f,
                   2.2f, metal);
}

static void
paint_sternal_wires (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  PhantomMaterial metal = phantom_material (HU_METAL, CHEST);
  guint n = count (random, 5, 7);

  for (guint i = 0; i < n; i++)
    {
      float z = -44 + 104.0f * (float) i / (float) (n - 1), y = -anatomy->cage_y_mm * 0.94f - 8;

      phantom_capsule (grid, phantom_vector (-10, y, z), phantom_vector (10, y + 4, z + 3), 2.8f,
                       2.8f, metal);
      phantom_ellipsoid (grid, phantom_vector (0, y - 4, z), phantom_vector (4.5f, 4.5f, 4.5f),
                         metal);
    }
}

static void
paint_port (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  PhantomMaterial metal = phantom_material (HU_METAL, CHEST);
  PhantomVector port =
      phantom_vector (-phantom_uniform (random, 70, 86), -anatomy->cage_y_mm * 0.75f - 14,
                      phantom_uniform (random, 64, 84));
  PhantomVector vein = phantom_vector (-26, -14, 92);

  phantom_ellipsoid (grid, port, phantom_vector (14, 9, 14), metal);
  metal.hu = HU_METAL / 2;
  phantom_capsule (grid, port, vein, 3, 3, metal);
  phantom_capsule (grid, vein, phantom_vector (-22, -10, phantom_uniform (random, -5, 20)), 2.4f,
                   2.4f, metal);
}

static void
paint_medical_material (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  static const PaintFinding devices[] = { paint_pacemaker, paint_sternal_wires, paint_port };

  devices[random_below (random, G_N_ELEMENTS (devices))](grid, anatomy, random);
}

static void
paint_arterial_calcification (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  guint n = count (random, 8, 18);

  for (guint i = 0; i < n; i++)
    {
      guint part = count (random, 3, PHANTOM_N_AORTA - 2);
      PhantomVector on_axis = phantom_between (anatomy->aorta[part], anatomy->aorta[part + 1],
                                               phantom_uniform (random, 0, 0.9f));
      PhantomVector out = phantom_unit (jitter (phantom_vector (0, 0, 0), random, 1));
      float size = phantom_uniform (random, 4, 7);

      phantom_ellipsoid (grid, phantom_add (on_axis, phantom_scale (out, anatomy->aorta_radius_mm)),
                         phantom_vector (size, size, size * phantom_uniform (random, 1, 2)),
                         phantom_material (HU_CALCIUM, CHEST));
    }
}

static void
shape_cardiomegaly (PhantomAnatomy *anatomy, Random *random)
{
  anatomy->heart_radii =
      phantom_scale (anatomy->heart_radii, phantom_uniform (random, 1.25f, 1.5f));
  anatomy->heart.x += 6;
}

static void
shape_pericardial_effusion (PhantomAnatomy *anatomy, Random *random)
{
  anatomy->pericardium_mm = phantom_uniform (random, 12, 24);
}

static void
paint_coronary_calcification (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  /* Directions from the heart's middle along the left anterior descending, circumflex and right
   * coronary artery. */
  static const PhantomVector courses[][2] = {
    { { -0.1f, -0.5f, 0.85f }, { 0.65f, -0.75f, -0.1f } },
    { { 0.2f, 0.1f, 0.95f }, { 0.85f, 0.5f, 0.1f } },
    { { -0.5f, -0.6f, 0.6f }, { -0.85f, -0.3f, -0.45f } },
  };
  guint arteries = count (random, 2, G_N_ELEMENTS (courses));

  for (guint artery = 0; artery < arteries; artery++)
    {
      guint n = count (random, 6, 10);

      for (guint i = 0; i < n; i++)
        {
          PhantomVector on = phantom_unit (phantom_between (courses[artery][0], courses[artery][1],
                                                            phantom_uniform (random, 0, 1)));
          PhantomVector at =
              phantom_vector (on.x * anatomy->heart_radii.x, on.y * anatomy->heart_radii.y,
                              on.z * anatomy->heart_radii.z);
          float size = phantom_uniform (random, 4, 7);

          phantom_ellipsoid (grid, phantom_add (anatomy->heart, at),
                             phantom_vector (size, size, size),
                             phantom_material (HU_CALCIUM, CHEST));
        }
    }
}

static void
paint_hiatal_hernia (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  float size = phantom_uniform (random, 26, 42);
  PhantomVector at =
      phantom_vector (phantom_uniform (random, -2, 14), phantom_uniform (random, 24, 34),
                      anatomy->dome_mm[PHANTOM_LEFT] + phantom_uniform (random, 8, 22));
  guint within = CHEST & ~(PHANTOM_IN (PHANTOM_BONE) | PHANTOM_IN (PHANTOM_BODY));

  phantom_ellipsoid (grid, at, phantom_vector (size, size * 0.85f, size),
                     phantom_material (HU_SOFT - 10, within));
  /* Swallowed air over the fluid. */
  phantom_ellipsoid (grid, phantom_add (at, phantom_vector (0, -size * 0.3f, 2)),
                     phantom_vector (size * 0.62f, size * 0.38f, size * 0.6f),
                     phantom_material (HU_AIR, within));
}

static void
paint_lymphadenopathy (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  /* Paratracheal, subcarinal, aortopulmonary, hilar. */
  const PhantomVector stations[] = {
    { -20, 2, 66 },
    { 12, -6, 50 },
    { 2, 24, 22 },
    { -12, -26, 44 },
    anatomy->hilum[PHANTOM_RIGHT],
    anatomy->hilum[PHANTOM_LEFT],
  };
  guint n = count (random, 7, 12);

  for (guint i = 0; i < n; i++)
    {
      float size = phantom_uniform (random, 11, 20);

      phantom_ellipsoid (grid, jitter (stations[i % G_N_ELEMENTS (stations)], random, 8),
                         phantom_vector (size, size, size * 1.2f),
                         phantom_material (HU_SOFT + 5, LUNG | PHANTOM_IN (PHANTOM_MEDIASTINUM)));
    }
}

/* ---- things of the lung ---- */

static void
paint_emphysema (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  gsize n_voxels = grid->n[0] * grid->n[1] * grid->n[2];
  float loss = phantom_uniform (random, 40, 70);
  guint n = count (random, 100, 170);

  for (gsize i = 0; i < n_voxels; i++)
    if (grid->tissue[i] == PHANTOM_LUNG && grid->hu[i] < anatomy->lung_hu + 60)
      grid->hu[i] -= loss;
  for (guint i = 0; i < n; i++)
    {
      PhantomVector at = anywhere_in_lung (anatomy, any_side (random), random, -0.2f, 1);
      float size = phantom_uniform (random, 8, 19);

      phantom_ellipsoid (grid, at, phantom_vector (size + 2, size + 2, size + 2),
                         phantom_material (-350, LUNG));
      phantom_ellipsoid (grid, at, phantom_vector (size, size, size),
                         phantom_material (HU_AIR, LUNG));
    }
}

static guint
atelectasis_side (Random *random)
{
  return any_side (random);
}

static void
shape_atelectasis (PhantomAnatomy *anatomy, Random *random)
{
  /* Less air, so the diaphragm rises on that side. */
  anatomy->dome_mm[atelectasis_side (random)] += phantom_uniform (random, 12, 24);
}

static void
paint_atelectasis (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  guint side = atelectasis_side (random), n = count (random, 2, 3);
  PhantomMaterial collapsed = phantom_material (HU_SOFT, LUNG);

  for (guint i = 0; i < n; i++)
    {
      PhantomVector at = phantom_lung_point (anatomy, side, phantom_uniform (random, -0.4f, 0.5f),
                                             phantom_uniform (random, -0.2f, 0.9f),
                                             phantom_uniform (random, -1, -0.45f));
      PhantomVector normal = phantom_vector (phantom_uniform (random, -0.5f, 0.5f),
                                             phantom_uniform (random, -0.5f, 0.5f), 1);

      phantom_plate (grid, at, normal, phantom_uniform (random, 24, 42),
                     phantom_uniform (random, 7, 13), collapsed);
    }
}

static void
paint_nodule (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  guint n = count (random, 6, 12);

  for (guint i = 0; i < n; i++)
    {
      float size = phantom_uniform (random, 11, 19);

      phantom_ellipsoid (grid, anywhere_in_lung (anatomy, any_side (random), random, -0.9f, 0.9f),
                         phantom_vector (size, size, size), phantom_material (HU_SOFT, LUNG));
    }
}

static void
paint_opacity (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  guint n = count (random, 4, 8);

  for (guint i = 0; i < n; i++)
    {
      PhantomMaterial haze = phantom_material (phantom_uniform (random, -560, -420), LUNG);
      float size = phantom_uniform (random, 28, 48);

      haze.opacity = 0.85f;
      haze.edge_mm = 8;
      haze.texture = 200;
      haze.texture_mm = 7;
      phantom_ellipsoid (grid, anywhere_in_lung (anatomy, any_side (random), random, -0.8f, 0.8f),
                         phantom_vector (size, size * phantom_uniform (random, 0.7f, 1.1f), size),
                         haze);
    }
}

static void
paint_fibrotic_sequela (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  guint sides = count (random, 1, 2), first = any_side (random);
  PhantomMaterial scar = phantom_material (-20, LUNG);

  for (guint i = 0; i < sides; i++)
    {
      guint side = (first + i) % PHANTOM_N_SIDES, n = count (random, 10, 16);
      PhantomVector apex = phantom_lung_point (anatomy, side, 0, 0, 1.08f);

      phantom_ellipsoid (grid, apex, phantom_vector (24, 24, phantom_uniform (random, 9, 15)),
                         scar);
      for (guint streak = 0; streak < n; streak++)
        {
          PhantomVector from =
              jitter (phantom_lung_point (anatomy, side, phantom_uniform (random, -0.4f, 0.9f),
                                          phantom_uniform (random, -0.9f, 0.9f), 0.92f),
                      random, 6);
          PhantomVector to = phantom_lung_point (
              anatomy, side, phantom_uniform (random, -0.9f, 0.3f),
              phantom_uniform (random, -0.7f, 0.7f), phantom_uniform (random, 0.25f, 0.6f));

          phantom_capsule (grid, from, to, 6, 4, scar);
          /* Old granulomas calcify. */
          if (streak % 3 != 0)
            phantom_ellipsoid (
                grid, phantom_between (from, to, phantom_uniform (random, 0.2f, 0.8f)),
                phantom_vector (4.5f, 4.5f, 4.5f), phantom_material (HU_CALCIUM, LUNG));
        }
    }
}

/* Fluid lies behind and below: everything of the lung under a surface that climbs along the wall.
 */
static void
paint_pleural_effusion (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  guint sides = count (random, 1, 2), first = any_side (random);
  float edge = phantom_voxel_mm (grid), level[PHANTOM_N_SIDES] = { INFINITY, INFINITY };
  float height[PHANTOM_N_SIDES];

  for (guint i = 0; i < sides; i++)
    {
      level[(first + i) % PHANTOM_N_SIDES] =
          phantom_uniform (random, 0.10f, 0.5f) * anatomy->cage_y_mm;
      height[(first + i) % PHANTOM_N_SIDES] = phantom_uniform (random, 0, 70);
    }
  for (gsize z = 0; z < grid->n[2]; z++)
    for (gsize y = 0; y < grid->n[1]; y++)
      for (gsize x = 0; x < grid->n[0]; x++)
        {
          gsize i = (z * grid->n[1] + y) * grid->n[0] + x;
          float px = grid->origin_mm.x + grid->spacing_mm.x * (float) x;
          float py = grid->origin_mm.y + grid->spacing_mm.y * (float) y;
          float pz = grid->origin_mm.z + grid->spacing_mm.z * (float) z;
          guint side = px > 0 ? PHANTOM_LEFT : PHANTOM_RIGHT;
          float surface, up, across = px / anatomy->cage_x_mm;

          if (grid->tissue[i] != PHANTOM_LUNG || isinf (level[side]))
            continue;
          up = MAX (pz - height[side], 0);
          surface = level[side] - 18 * across * across + 0.02f * up * up;
          grid->hu[i] += phantom_edge_cover (surface - py, edge) * (HU_FLUID - grid->hu[i]);
        }
}

/* Lungs as a wall of irregular bricks: which brick a place lies in, and how far (mm) from its side.
 */
static guint32
brick_at (PhantomVector p, float size_mm, float *from_side_mm)
{
  float bend = size_mm * 0.22f;
  PhantomVector q =
      phantom_vector (p.x + bend * sinf (p.y / size_mm * 2.3f + p.z / size_mm * 1.1f),
                      p.y + bend * sinf (p.z / size_mm * 2.1f + p.x / size_mm * 1.3f),
                      p.z + bend * sinf (p.x / size_mm * 1.9f + p.y / size_mm * 1.7f));
  float layer = floorf (q.z / size_mm), row = floorf ((q.y + 0.5f * size_mm * layer) / size_mm);
  float z = q.z / size_mm - layer, y = (q.y + 0.5f * size_mm * layer) / size_mm - row;
  float across = (q.x + 0.5f * size_mm * (row + layer)) / size_mm, column = floorf (across),
        x = across - column;
  float nearest = MIN (MIN (MIN (x, 1 - x), MIN (y, 1 - y)), MIN (z, 1 - z));
  guint32 hash = (guint32) (gint32) column * 73856093u ^ (guint32) (gint32) row * 19349663u
                 ^ (guint32) (gint32) layer * 83492791u;

  *from_side_mm = nearest * size_mm;
  hash = (hash ^ (hash >> 13)) * 0x5bd1e995u;
  return hash ^ (hash >> 15);
}

typedef struct
{
  float brick_mm;
  float wall_mm, wall_hu;      /* walls of that thickness, or 0 */
  float lighter_hu, darker_hu; /* what is added to one half of the bricks, and to the other */
  PhantomVector shift;
} BrickPattern;

static void
paint_bricks (PhantomGrid *grid, const PhantomAnatomy *anatomy, const BrickPattern *pattern)
{
  float edge = phantom_voxel_mm (grid);

  for (gsize z = 0; z < grid->n[2]; z++)
    for (gsize y = 0; y < grid->n[1]; y++)
      for (gsize x = 0; x < grid->n[0]; x++)
        {
          gsize i = (z * grid->n[1] + y) * grid->n[0] + x;
          float from_side, cover;
          guint32 brick;

          if (grid->tissue[i] != PHANTOM_LUNG || grid->hu[i] > anatomy->lung_hu + 400)
            continue;
          brick = brick_at (
              phantom_add (phantom_vector (grid->origin_mm.x + grid->spacing_mm.x * (float) x,
                                           grid->origin_mm.y + grid->spacing_mm.y * (float) y,
                                           grid->origin_mm.z + grid->spacing_mm.z * (float) z),
                           pattern->shift),
              pattern->brick_mm, &from_side);
          grid->hu[i] += brick & 1 ? pattern->lighter_hu : pattern->darker_hu;
          if (pattern->wall_mm > 0)
            {
              cover = phantom_edge_cover (from_side - pattern->wall_mm / 2, edge);
              grid->hu[i] += cover * (pattern->wall_hu - grid->hu[i]);
            }
        }
}

static void
paint_mosaic (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  BrickPattern pattern = { .brick_mm = phantom_uniform (random, 24, 32),
                           .lighter_hu = phantom_uniform (random, 160, 230),
                           .darker_hu = -70 };

  pattern.shift = jitter (phantom_vector (400, 400, 400), random, 100);
  paint_bricks (grid, anatomy, &pattern);
}

static void
paint_septal_thickening (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  BrickPattern pattern = { .brick_mm = phantom_uniform (random, 19, 24),
                           .wall_mm = phantom_uniform (random, 2.5f, 4),
                           .wall_hu = phantom_uniform (random, -350, -200) };

  pattern.shift = jitter (phantom_vector (400, 400, 400), random, 100);
  paint_bricks (grid, anatomy, &pattern);
}

/* A length of bronchus with a wall: outer radius first, then the air in it. */
static void
paint_tube (PhantomGrid *grid, PhantomVector from, PhantomVector to, float lumen_mm, float wall_mm,
            float wall_hu)
{
  phantom_capsule (grid, from, to, lumen_mm + wall_mm, lumen_mm + wall_mm,
                   phantom_material (wall_hu, LUNG));
  phantom_capsule (grid, from, to, lumen_mm, lumen_mm, phantom_material (HU_AIR, LUNG));
}

static void
paint_peribronchial_thickening (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  for (guint side = 0; side < PHANTOM_N_SIDES; side++)
    for (guint i = 0; i < PHANTOM_N_BRONCHI; i++)
      {
        PhantomVector hilum = anatomy->hilum[side], end = anatomy->bronchus[side][i];

        if (random_uniform (random) < 0.8)
          paint_tube (grid, phantom_between (hilum, end, 0.1f),
                      phantom_between (hilum, end, phantom_uniform (random, 0.6f, 0.85f)), 3,
                      phantom_uniform (random, 7, 10), HU_SOFT);
      }
}

static void
paint_consolidation (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  guint n = count (random, 1, 3);

  for (guint i = 0; i < n; i++)
    {
      PhantomMaterial dense = phantom_material (HU_SOFT - 10, LUNG);
      PhantomVector at = anywhere_in_lung (anatomy, any_side (random), random, -0.9f, 0.5f);
      float size = phantom_uniform (random, 34, 54);
      guint patches = count (random, 3, 5);

      dense.texture = 40;
      dense.texture_mm = 9;
      for (guint patch = 0; patch < patches; patch++)
        {
          float part = size * phantom_uniform (random, 0.5f, 0.9f);

          phantom_ellipsoid (grid, jitter (at, random, size * 0.5f),
                             phantom_vector (part, part, part), dense);
        }
      /* Air bronchograms. */
      for (guint tube = 0; tube < 12; tube++)
        phantom_capsule (grid, jitter (at, random, size * 0.5f), jitter (at, random, size), 4, 4,
                         phantom_material (HU_AIR, LUNG));
    }
}

static void
paint_bronchiectasis (PhantomGrid *grid, const PhantomAnatomy *anatomy, Random *random)
{
  guint sides = count (random, 1, 2), first = any_side (random);

  for (guint i = 0; i < sides; i++)
    {
      guint side = (first + i) % PHANTOM_N_SIDES;

      for (guint lower = PHANTOM_N_BRONCHI - PHANTOM_N_LOWER_BRONCHI; lower < PHANTOM_N_BRONCHI;
           lower++)
        {
          PhantomVector hilum = anatomy->hilum[side], end = anatomy->bronchus[side][lower];

          paint_tube (grid, phantom_between (hilum, end, phantom_uniform (random, 0.3f, 0.5f)),
                      phantom_between (hilum, end, phantom_uniform (random, 1, 1.2f)),
                      phantom_uniform (random, 8, 11), 3.5f, 0);
          for (guint cyst = 0; cyst < 2; cyst++)
            {
              PhantomVector at = jitter (end, random, 16);

              paint_tube (grid, at, at, phantom_uniform (random, 7, 9), 3.5f, 0);
            }
        }
    }
}

static const PaintFinding painters[CATALOG_N_LABELS] = {
  [MEDICAL_MATERIAL] = paint_medical_material,
  [ARTERIAL_CALCIFICATION] = paint_arterial_calcification,
  [CORONARY_CALCIFICATION] = paint_coronary_calcification,
  [HIATAL_HERNIA] = paint_hiatal_hernia,
  [LYMPHADENOPATHY] = paint_lymphadenopathy,
  [EMPHYSEMA] = paint_emphysema,
  [ATELECTASIS] = paint_atelectasis,
  [NODULE] = paint_nodule,
  [OPACITY] = paint_opacity,
  [FIBROTIC_SEQUELA] = paint_fibrotic_sequela,
  [PLEURAL_EFFUSION] = paint_pleural_effusion,
  [MOSAIC] = paint_mosaic,
  [PERIBRONCHIAL_THICKENING] = paint_peribronchial_thickening,
  [CONSOLIDATION] = paint_consolidation,
  [BRONCHIECTASIS] = paint_bronchiectasis,
  [SEPTAL_THICKENING] = paint_septal_thickening,
};

void
phantom_finding_shape (guint label, PhantomAnatomy *anatomy, Random *random)
{
  if (label == CARDIOMEGALY)
    shape_cardiomegaly (anatomy, random);
  else if (label == PERICARDIAL_EFFUSION)
    shape_pericardial_effusion (anatomy, random);
  else if (label == ATELECTASIS)
    shape_atelectasis (anatomy, random);
}

void
phantom_finding_paint (guint label, PhantomGrid *grid, const PhantomAnatomy *anatomy,
                       Random *random)
{
  if (painters[label] != NULL)
    painters[label](grid, anatomy, random);
}

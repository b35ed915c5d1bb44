#include "study/phantom_anatomy.h"

#include <math.h>

enum
{
  HU_AIR = -1000,
  HU_TABLE = -500,
  HU_FAT = -100,
  HU_MUSCLE = 50,
  HU_LIVER = 58,
  HU_BONE = 330,
  HU_DISC = 90,
};

#define SOLID                                                                                      \
  (PHANTOM_IN (PHANTOM_BODY) | PHANTOM_IN (PHANTOM_MEDIASTINUM) | PHANTOM_IN (PHANTOM_ABDOMEN))
#define DIAPHRAGM_EDGE_MM 14.0f /* the dome stands this much over the body's sides */

float
phantom_uniform (Random *random, float low, float high)
{
  return low + (high - low) * (float) random_uniform (random);
}

static void
draw_aorta (PhantomAnatomy *anatomy, Random *random)
{
  const PhantomVector *heart = &anatomy->heart;
  PhantomVector arch = phantom_vector (2, 14, phantom_uniform (random, 62, 78));
  float descending_x = phantom_uniform (random, 18, 26),
        descending_y = phantom_uniform (random, 42, 52);
  guint n = 0;

  anatomy->aorta_radius_mm = phantom_uniform (random, 11, 15);
  anatomy->aorta[n++] = phantom_vector (heart->x - 18, heart->y + 8, heart->z + 30);
  anatomy->aorta[n++] = phantom_vector (-16, -16, arch.z - 40);
  /* A half circle from the front right to the back left. */
  for (guint i = 0; i < 6; i++)
    {
      float angle = G_PI * (float) i / 5;

      anatomy->aorta[n++] =
          phantom_vector (arch.x - 16 * cosf (angle) + 4, arch.y - 30 * cosf (angle),
                          arch.z - 22 + 20 * sinf (angle));
    }
  anatomy->aorta[n++] = phantom_vector (descending_x, descending_y, arch.z - 50);
  anatomy->aorta[n++] = phantom_vector (descending_x - 2, descending_y, -10);
  anatomy->aorta[n++] = phantom_vector (descending_x - 6, descending_y - 2, -90);
  anatomy->aorta[n++] = phantom_vector (descending_x - 14, descending_y - 6, -220);
  g_assert (n == PHANTOM_N_AORTA);
}

static void
draw_bronchi (PhantomAnatomy *anatomy, Random *random)
{
  /* Breadth, depth and height (see phantom_lung_point) where segmental bronchi end. */
  static const float ends[PHANTOM_N_BRONCHI][3] = {
    { 0.1f, -0.2f, 0.75f }, { 0.5f, 0.3f, 0.45f }, { 0.4f, -0.7f, 0.15f }, { 0.5f, -0.5f, -0.35f },
    { 0.0f, 0.6f, -0.75f }, { 0.6f, 0.4f, -0.6f }, { 0.3f, 0.75f, -0.2f },
  };

  anatomy->carina = phantom_vector (0, 12, phantom_uniform (random, 34, 44));
  for (guint side = 0; side < PHANTOM_N_SIDES; side++)
    {
      anatomy->hilum[side] =
          phantom_vector (phantom_side_sign (side) * phantom_uniform (random, 34, 40),
                          phantom_uniform (random, 6, 14), phantom_uniform (random, 8, 20));
      for (guint i = 0; i < PHANTOM_N_BRONCHI; i++)
        {
          const float *end = ends[i];

          anatomy->bronchus[side][i] =
              phantom_lung_point (anatomy, side, end[0] + phantom_uniform (random, -0.2f, 0.2f),
                                  end[1] + phantom_uniform (random, -0.15f, 0.15f),
                                  end[2] + phantom_uniform (random, -0.15f, 0.15f));
        }
    }
}

void
phantom_anatomy_draw (PhantomAnatomy *anatomy, Random *random)
{
  float size = phantom_uniform (random, 0.93f, 1.07f),
        heart = phantom_uniform (random, 0.88f, 1.06f);

  *anatomy = (PhantomAnatomy){ 0 };
  anatomy->fat_mm = phantom_uniform (random, 8, 24);
  anatomy->cage_x_mm = 122 * size * phantom_uniform (random, 0.97f, 1.03f);
  anatomy->cage_y_mm = 86 * size * phantom_uniform (random, 0.95f, 1.05f);
  anatomy->body_x_mm = anatomy->cage_x_mm + 24 + anatomy->fat_mm;
  anatomy->body_y_mm = anatomy->cage_y_mm + 20 + anatomy->fat_mm;
  anatomy->apex_mm = phantom_uniform (random, 112, 124);
  anatomy->dome_mm[PHANTOM_RIGHT] = phantom_uniform (random, -76, -58);
  anatomy->dome_mm[PHANTOM_LEFT] =
      anatomy->dome_mm[PHANTOM_RIGHT] - phantom_uniform (random, 6, 14);
  anatomy->lung_hu = phantom_uniform (random, -865, -825);
  anatomy->blood_hu = random_uniform (random) < 0.15 ? phantom_uniform (random, 110, 160)
                                                     : phantom_uniform (random, 36, 50);
  anatomy->heart =
      phantom_vector (phantom_uniform (random, 14, 22), phantom_uniform (random, -26, -18),
                      anatomy->dome_mm[PHANTOM_LEFT] + phantom_uniform (random, 40, 46));
  anatomy->heart_radii = phantom_scale (phantom_vector (54, 42, 46), heart * size);
  draw_aorta (anatomy, random);
  draw_bronchi (anatomy, random);
  anatomy->rib_spacing_mm = phantom_uniform (random, 24, 29);
  anatomy->rib_radius_mm = phantom_uniform (random, 4.5f, 6);
  anatomy->stomach_gas_mm = phantom_uniform (random, 0, 26);
  random_init (&anatomy->vessels, random_u64 (random), 0);
}

float
phantom_dome_height (const PhantomAnatomy *anatomy, float x, float y)
{
  guint side = x > 0 ? PHANTOM_LEFT : PHANTOM_RIGHT;
  float across = (x - phantom_side_sign (side) * 55) / 70, along = (y + 10) / anatomy->cage_y_mm;

  return anatomy->dome_mm[side] + DIAPHRAGM_EDGE_MM
         - 40 * (across * across * 0.5f + along * along * 0.9f);
}

/* The rib cage narrows towards the apex; 1 at its widest. */
static float
cage_width (const PhantomAnatomy *anatomy, float z)
{
  float up = (z + 40) / (anatomy->apex_mm + 40);

  if (up <= 0)
    return 1;
  return up >= 1 ? 0 : sqrtf (1 - up * up * up);
}

PhantomVector
phantom_lung_point (const PhantomAnatomy *anatomy, guint side, float breadth, float depth,
                    float height)
{
  float base = anatomy->dome_mm[side],
        z = base + (anatomy->apex_mm - base) * (0.5f + 0.42f * height);
  float width = cage_width (anatomy, z), y = anatomy->cage_y_mm * width * 0.8f * depth;
  float wall = anatomy->cage_x_mm * width * sqrtf (MAX (1 - depth * depth * 0.64f, 0)), inner = 34;
  float x = inner + MAX (wall - inner, 0) * (0.5f + 0.42f * breadth);

  return phantom_vector (phantom_side_sign (side) * x, y,
                         MAX (z, phantom_dome_height (anatomy, x, y) + 6));
}

/* Largest of three signed distances, with the corners rounded by @radius. */
static float
rounded_max (float a, float b, float c, float radius)
{
  float u = MAX (a + radius, 0), v = MAX (b + radius, 0), w = MAX (c + radius, 0);
  float inside = MIN (MAX (a, MAX (b, c)) + radius, 0);

  return sqrtf (u * u + v * v + w * w) + inside - radius;
}

static float
blend (float from, float to, float cover)
{
  return from + cover * (to - from);
}

/* Trunk, fat, muscle, mediastinal fat, lungs and abdomen of one row of voxels. */
static void
paint_trunk_row (PhantomGrid *grid, const PhantomAnatomy *anatomy, gsize row, float y, float z,
                 float edge)
{
  float width = cage_width (anatomy, z), neck = MAX (z - 60, 0) / 90;
  float body_x = anatomy->body_x_mm * (1 - 0.10f * neck * neck),
        body_y = anatomy->body_y_mm * (1 - 0.22f * neck * neck);
  float cage_x = MAX (anatomy->cage_x_mm * width, 1), cage_y = MAX (anatomy->cage_y_mm * width, 1);
  /* Wide over the spine behind and the heart in front, narrow between. */
  float middle = 20 + 12 * (y > 0 ? y : -y * 0.6f) / anatomy->cage_y_mm;

  for (gsize x = 0; x < grid->n[0]; x++)
    {
      float px = grid->origin_mm.x + grid->spacing_mm.x * (float) x;
      float u = px * px / (body_x * body_x), v = y * y / (body_y * body_y);
      float round = 0.6f * sqrtf (u + v) + 0.4f * sqrtf (sqrtf (u * u + v * v));
      float depth = (1 - round) * body_y, in_cage, in_lung, dome, hu = HU_AIR;
      guint8 tissue = PHANTOM_AIR;

      if (depth > -edge)
        {
          in_cage = (sqrtf (px * px / (cage_x * cage_x) + y * y / (cage_y * cage_y)) - 1)
                    * MIN (cage_x, cage_y);
          dome = phantom_dome_height (anatomy, px, y);
          in_lung = rounded_max (in_cage, middle - fabsf (px), dome - z, 10);
          hu = blend (HU_AIR, HU_FAT, phantom_edge_cover (-depth, edge));
          hu = blend (hu, HU_MUSCLE, phantom_edge_cover (anatomy->fat_mm - depth, edge));
          tissue = depth > 0 ? PHANTOM_BODY : PHANTOM_AIR;
          if (in_cage < 0 && z > dome)
            {
              tissue = PHANTOM_MEDIASTINUM;
              hu = blend (hu, HU_FAT + 10, phantom_edge_cover (in_cage, edge));
            }
          else if (in_cage < 4)
            {
              tissue = PHANTOM_ABDOMEN;
              hu = blend (hu, px < 30 ? HU_LIVER : HU_LIVER - 14,
                          phantom_edge_cover (in_cage, edge));
            }
          if (in_lung < edge)
            {
              /* The dependent lung is a little denser. */
              hu = blend (hu, anatomy->lung_hu + 0.35f * y, phantom_edge_cover (in_lung, edge));
              if (in_lung < 0)
                tissue = PHANTOM_LUNG;
            }
        }
      grid->hu[row + x] = hu;
      grid->tissue[row + x] = tissue;
    }
}

static void
paint_trunk (PhantomGrid *grid, const PhantomAnatomy *anatomy)
{
  float edge = phantom_voxel_mm (grid);

  for (gsize z = 0; z < grid->n[2]; z++)
    for (gsize y = 0; y < grid->n[1]; y++)
      paint_trunk_row (grid, anatomy, (z * grid->n[1] + y) * grid->n[0],
                       grid->origin_mm.y + grid->spacing_mm.y * (float) y,
                       grid->origin_mm.z + grid->spacing_mm.z * (float) z, edge);
}

static void
paint_bones (PhantomGrid *grid, const PhantomAnatomy *anatomy)
{
  PhantomMaterial bone = phantom_material (HU_BONE, SOLID | PHANTOM_IN (PHANTOM_LUNG));
  PhantomMaterial disc = phantom_material (HU_DISC, SOLID | PHANTOM_IN (PHANTOM_LUNG));
  float spine_y = anatomy->cage_y_mm - 16, wall = anatomy->rib_radius_mm + 1,
        pitch = anatomy->rib_spacing_mm;
  float bottom = grid->origin_mm.z, top = bottom + grid->spacing_mm.z * (float) grid->n[2];

  bone.becomes = disc.becomes = PHANTOM_BONE;
  for (float z = floorf (bottom / pitch) * pitch; z < top; z += pitch)
    {
      phantom_capsule (grid, phantom_vector (0, spine_y, z + 5),
                       phantom_vector (0, spine_y, z + pitch - 6), 17, 17, disc);
      phantom_ellipsoid (grid, phantom_vector (0, spine_y, z + pitch / 2),
                         phantom_vector (19, 16, pitch * 0.46f), bone);
      phantom_capsule (grid, phantom_vector (0, spine_y + 20, z + pitch / 2),
                       phantom_vector (0, spine_y + 42, z + pitch / 2 - 8), 6, 4, bone);
    }
  bone.hu = HU_BONE * 0.6f;
  phantom_capsule (grid, phantom_vector (-6, -anatomy->cage_y_mm + 2, -45),
                   phantom_vector (-6, -anatomy->cage_y_mm * 0.86f, 60), 8, 9, bone);
  phantom_capsule (grid, phantom_vector (6, -anatomy->cage_y_mm + 2, -45),
                   phantom_vector (6, -anatomy->cage_y_mm * 0.86f, 60), 8, 9, bone);
  bone.hu = HU_BONE;
  for (guint rib = 0; rib < 9; rib++)
    for (guint side = 0; side < PHANTOM_N_SIDES; side++)
      {
        float sign = phantom_side_sign (side), start = anatomy->apex_mm - 6 - pitch * (float) rib;
        PhantomVector last = { 0, 0, 0 };

        /* From the spine around the side to the front, falling as it goes. */
        for (guint i = 0; i <= 9; i++)
          {
            float angle = (float) (G_PI * (0.08 + 0.80 * i / 9)),
                  z = start - 9.0f * (float) i * 0.8f;
            float width = MAX (cage_width (anatomy, z), 0.35f);
            PhantomVector at =
                phantom_vector (sign * (anatomy->cage_x_mm * width + wall) * sinf (angle),
                                (anatomy->cage_y_mm * width + wall) * cosf (angle), z);

            if (i > 0)
              phantom_capsule (grid, last, at, anatomy->rib_radius_mm, anatomy->rib_radius_mm,
                               bone);
            last = at;
          }
      }
}

static void
paint_heart_and_aorta (PhantomGrid *grid, const PhantomAnatomy *anatomy)
{
  guint within =
      PHANTOM_IN (PHANTOM_LUNG) | PHANTOM_IN (PHANTOM_MEDIASTINUM) | PHANTOM_IN (PHANTOM_ABDOMEN);
  PhantomMaterial fat = phantom_material (HU_FAT, within & ~PHANTOM_IN (PHANTOM_ABDOMEN));
  PhantomMaterial fluid = phantom_material (8, within),
                  blood = phantom_material (anatomy->blood_hu, within);
  float fluid_mm = anatomy->pericardium_mm;

  fat.becomes = PHANTOM_MEDIASTINUM;
  fluid.becomes = blood.becomes = PHANTOM_HEART;
  phantom_ellipsoid (
      grid, anatomy->heart,
      phantom_add (anatomy->heart_radii, phantom_vector (fluid_mm + 6, fluid_mm + 6, fluid_mm + 6)),
      fat);
  if (fluid_mm > 0)
    phantom_ellipsoid (
        grid, anatomy->heart,
        phantom_add (anatomy->heart_radii, phantom_vector (fluid_mm, fluid_mm, fluid_mm)), fluid);
  blood.within |= PHANTOM_IN (PHANTOM_HEART);
  if (fluid_mm > 0)
    {
      /* Epicardial fat keeps the muscle apart from the fluid. */
      fat.within = PHANTOM_IN (PHANTOM_HEART);
      fat.becomes = PHANTOM_HEART;
      phantom_ellipsoid (grid, anatomy->heart,
                         phantom_add (anatomy->heart_radii, phantom_vector (3, 3, 3)), fat);
    }
  phantom_ellipsoid (grid, anatomy->heart, anatomy->heart_radii, blood);

  blood.becomes = PHANTOM_MEDIASTINUM;
  for (guint i = 1; i < PHANTOM_N_AORTA; i++)
    phantom_capsule (grid, anatomy->aorta[i - 1], anatomy->aorta[i], anatomy->aorta_radius_mm,
                     anatomy->aorta_radius_mm, blood);
  for (guint side = 0; side < PHANTOM_N_SIDES; side++)
    phantom_capsule (grid, phantom_vector (2, -6, anatomy->hilum[side].z + 6), anatomy->hilum[side],
                     11, 8, blood);
  /* Superior vena cava. */
  phantom_capsule (grid, phantom_vector (-24, -12, 0), phantom_vector (-22, -10, 95), 8, 8, blood);
}

static void
paint_airways (PhantomGrid *grid, const PhantomAnatomy *anatomy)
{
  guint within = PHANTOM_ANYWHERE & ~PHANTOM_IN (PHANTOM_AIR);
  PhantomMaterial wall = phantom_material (20, within), air = phantom_material (HU_AIR, within);
  PhantomMaterial thin = phantom_material (-450, PHANTOM_IN (PHANTOM_LUNG));
  PhantomVector carina = anatomy->carina;

  wall.becomes = PHANTOM_MEDIASTINUM;
  phantom_capsule (grid, phantom_vector (0, 8, 170), carina, 10, 10, wall);
  for (guint side = 0; side < PHANTOM_N_SIDES; side++)
    phantom_capsule (grid, carina, anatomy->hilum[side], 8, 7, wall);
  phantom_capsule (grid, phantom_vector (0, 8, 170), carina, 8, 8, air);
  for (guint side = 0; side < PHANTOM_N_SIDES; side++)
    phantom_capsule (grid, carina, anatomy->hilum[side], 6, 5, air);
  for (guint side = 0; side < PHANTOM_N_SIDES; side++)
    for (guint i = 0; i < PHANTOM_N_BRONCHI; i++)
      {
        PhantomVector hilum = anatomy->hilum[side],
                      far = phantom_between (hilum, anatomy->bronchus[side][i], 0.6f);

        phantom_capsule (grid, hilum, far, 4, 2, thin);
        phantom_capsule (grid, hilum, far, 2.5f, 1, air);
      }
}

/* A vessel that divides until it is thin. */
static void
paint_vessel (PhantomGrid *grid, Random *random, PhantomVector from, PhantomVector direction,
              float length, float radius, guint depth, const PhantomMaterial *blood)
{
  PhantomVector to = phantom_add (from, phantom_scale (direction, length));

  phantom_capsule (grid, from, to, radius, radius * 0.75f, *blood);
  if (depth == 0)
    return;
  for (guint branch = 0; branch < 2; branch++)
    {
      PhantomVector turn = phantom_vector (phantom_uniform (random, -0.7f, 0.7f),
                                           phantom_uniform (random, -0.7f, 0.7f),
                                           phantom_uniform (random, -0.7f, 0.7f));

      paint_vessel (grid, random, to, phantom_unit (phantom_add (direction, turn)),
                    length * phantom_uniform (random, 0.65f, 0.9f), radius * 0.72f, depth - 1,
                    blood);
    }
}

static void
paint_vessels (PhantomGrid *grid, const PhantomAnatomy *anatomy)
{
  PhantomMaterial blood = phantom_material (anatomy->blood_hu - 20, PHANTOM_IN (PHANTOM_LUNG));
  Random random = anatomy->vessels;

  for (guint side = 0; side < PHANTOM_N_SIDES; side++)
    for (guint i = 0; i < PHANTOM_N_BRONCHI; i++)
      {
        PhantomVector hilum = anatomy->hilum[side];
        PhantomVector to = phantom_add (anatomy->bronchus[side][i], phantom_scale (hilum, -1));

        /* Arteries keep company with bronchi, a little to the side. */
        paint_vessel (grid, &random, phantom_add (hilum, phantom_vector (0, 5, 4)),
                      phantom_unit (to), phantom_length (to) * 0.42f, 3.2f, 3, &blood);
      }
}

static void
paint_stomach (PhantomGrid *grid, const PhantomAnatomy *anatomy)
{
  PhantomVector centre = phantom_vector (58, -10, anatomy->dome_mm[PHANTOM_LEFT] - 30);
  float gas = anatomy->stomach_gas_mm;

  phantom_ellipsoid (grid, centre, phantom_vector (38, 34, 28),
                     phantom_material (25, PHANTOM_IN (PHANTOM_ABDOMEN)));
  if (gas > 4)
    phantom_ellipsoid (grid, phantom_add (centre, phantom_vector (0, -14, 6)),
                       phantom_vector (gas, gas * 0.6f, gas * 0.6f),
                       phantom_material (HU_AIR, PHANTOM_IN (PHANTOM_ABDOMEN)));
}

static void
paint_table (PhantomGrid *grid, const PhantomAnatomy *anatomy)
{
  phantom_ellipsoid (grid, phantom_vector (0, anatomy->body_y_mm + 6, 0),
                     phantom_vector (190, 5, 1000),
                     phantom_material (HU_TABLE, PHANTOM_IN (PHANTOM_AIR)));
}

void
phantom_anatomy_paint (PhantomGrid *grid, const PhantomAnatomy *anatomy)
{
  paint_trunk (grid, anatomy);
  paint_table (grid, anatomy);
  paint_stomach (grid, anatomy);
  paint_heart_and_aorta (grid, anatomy);
  paint_bones (grid, anatomy);
  paint_airways (grid, anatomy);
  paint_vessels (grid, anatomy);
}

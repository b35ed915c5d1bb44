#include "study/phantom_shapes.h"

#include <math.h>

typedef struct
{
  PhantomVector a,
      b; /* centre and short axis of a plate, centre and radii of an ellipsoid, or a rod's ends */
  float size_a, size_b;
} Shape;

/* Signed distance in mm from a shape's surface; exact for rods, first order for the others. */
typedef float (*ShapeDistance) (const Shape *shape, PhantomVector p);

PhantomVector
phantom_vector (float x, float y, float z)
{
  return (PhantomVector){ x, y, z };
}

PhantomVector
phantom_add (PhantomVector a, PhantomVector b)
{
  return phantom_vector (a.x + b.x, a.y + b.y, a.z + b.z);
}

PhantomVector
phantom_scale (PhantomVector a, float factor)
{
  return phantom_vector (a.x * factor, a.y * factor, a.z * factor);
}

PhantomVector
phantom_between (PhantomVector a, PhantomVector b, float t)
{
  return phantom_add (phantom_scale (a, 1 - t), phantom_scale (b, t));
}

static float
dot (PhantomVector a, PhantomVector b)
{
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

float
phantom_length (PhantomVector a)
{
  return sqrtf (dot (a, a));
}

PhantomVector
phantom_unit (PhantomVector a)
{
  return phantom_scale (a, 1 / MAX (phantom_length (a), 1e-6f));
}

PhantomMaterial
phantom_material (float hu, guint within)
{
  return (
      PhantomMaterial){ .hu = hu, .opacity = 1, .within = within, .becomes = PHANTOM_KEEP_TISSUE };
}

float
phantom_voxel_mm (const PhantomGrid *grid)
{
  return (grid->spacing_mm.x + grid->spacing_mm.y + grid->spacing_mm.z) / 3;
}

/* A few waves in directions that share no period look irregular enough and cost little. */
float
phantom_smooth_noise (PhantomVector at, float scale_mm)
{
  PhantomVector p = phantom_scale (at, 1 / scale_mm);

  return (sinf (2.1f * p.x + 1.3f * p.y) + sinf (1.7f * p.y - 2.3f * p.z + 1)
          + sinf (2.9f * p.z + 1.1f * p.x + 2) + sinf (3.7f * (p.x - p.y) + 1.9f * p.z + 4))
         * 0.4f;
}

static float
ellipsoid_distance (const Shape *shape, PhantomVector p)
{
  PhantomVector q = phantom_vector (p.x - shape->a.x, p.y - shape->a.y, p.z - shape->a.z);
  PhantomVector unit = phantom_vector (q.x / shape->b.x, q.y / shape->b.y, q.z / shape->b.z);
  PhantomVector slope =
      phantom_vector (unit.x / shape->b.x, unit.y / shape->b.y, unit.z / shape->b.z);
  float k = phantom_length (unit);

  return k * (k - 1) / MAX (phantom_length (slope), 1e-6f);
}

static float
plate_distance (const Shape *shape, PhantomVector p)
{
  PhantomVector q = phantom_vector (p.x - shape->a.x, p.y - shape->a.y, p.z - shape->a.z);
  float height = dot (q, shape->b);
  float across = sqrtf (MAX (dot (q, q) - height * height, 0));

  return MAX (fabsf (height) - shape->size_b / 2, across - shape->size_a);
}

static float
capsule_distance (const Shape *shape, PhantomVector p)
{
  PhantomVector along = phantom_add (shape->b, phantom_scale (shape->a, -1));
  PhantomVector q = phantom_add (p, phantom_scale (shape->a, -1));
  float t = CLAMP (dot (q, along) / MAX (dot (along, along), 1e-6f), 0.0f, 1.0f);

  return phantom_length (phantom_add (q, phantom_scale (along, -t)))
         - (shape->size_a + t * (shape->size_b - shape->size_a));
}

/* Voxels [first, last) along one axis that lie within [low, high] mm. */
static void
voxel_range (float low, float high, float origin, float spacing, gsize n, gsize *first, gsize *last)
{
  float from = ceilf ((low - origin) / spacing), to = floorf ((high - origin) / spacing) + 1;

  *first = (gsize) CLAMP (from, 0.0f, (float) n);
  *last = (gsize) CLAMP (to, 0.0f, (float) n);
}

static void
paint (PhantomGrid *grid, const Shape *shape, ShapeDistance distance, PhantomVector low,
       PhantomVector high, const PhantomMaterial *material)
{
  float edge = phantom_voxel_mm (grid) + material->edge_mm, margin = edge / 2;
  gsize first[3], last[3];

  voxel_range (low.x - margin, high.x + margin, grid->origin_mm.x, grid->spacing_mm.x, grid->n[0],
               &first[0], &last[0]);
  voxel_range (low.y - margin, high.y + margin, grid->origin_mm.y, grid->spacing_mm.y, grid->n[1],
               &first[1], &last[1]);
  voxel_range (low.z - margin, high.z + margin, grid->origin_mm.z, grid->spacing_mm.z, grid->n[2],
               &first[2], &last[2]);
  for (gsize z = first[2]; z < last[2]; z++)
    for (gsize y = first[1]; y < last[1]; y++)
      for (gsize x = first[0]; x < last[0]; x++)
        {
          gsize i = (z * grid->n[1] + y) * grid->n[0] + x;
          PhantomVector p;
          float cover, hu;

          if (!(material->within & PHANTOM_IN (grid->tissue[i])))
            continue;
          p = phantom_vector (grid->origin_mm.x + grid->spacing_mm.x * (float) x,
                              grid->origin_mm.y + grid->spacing_mm.y * (float) y,
                              grid->origin_mm.z + grid->spacing_mm.z * (float) z);
          cover = phantom_edge_cover (distance (shape, p), edge);
          if (cover <= 0)
            continue;
          hu = material->hu;
          if (material->texture > 0)
            hu += material->texture * phantom_smooth_noise (p, material->texture_mm);
          grid->hu[i] += cover * material->opacity * (hu - grid->hu[i]);
          if (material->becomes != PHANTOM_KEEP_TISSUE && cover > 0.5f)
            grid->tissue[i] = (guint8) material->becomes;
        }
}

void
phantom_ellipsoid (PhantomGrid *grid, PhantomVector centre, PhantomVector radii,
                   PhantomMaterial material)
{
  Shape shape = { .a = centre, .b = radii };

  paint (grid, &shape, ellipsoid_distance, phantom_add (centre, phantom_scale (radii, -1)),
         phantom_add (centre, radii), &material);
}

void
phantom_plate (PhantomGrid *grid, PhantomVector centre, PhantomVector normal, float radius_mm,
               float thickness_mm, PhantomMaterial material)
{
  Shape shape = {
    .a = centre, .b = phantom_unit (normal), .size_a = radius_mm, .size_b = thickness_mm
  };
  float reach = sqrtf (radius_mm * radius_mm + thickness_mm * thickness_mm / 4);
  PhantomVector box = phantom_vector (reach, reach, reach);

  paint (grid, &shape, plate_distance, phantom_add (centre, phantom_scale (box, -1)),
         phantom_add (centre, box), &material);
}

void
phantom_capsule (PhantomGrid *grid, PhantomVector a, PhantomVector b, float radius_a,
                 float radius_b, PhantomMaterial material)
{
  Shape shape = { .a = a, .b = b, .size_a = radius_a, .size_b = radius_b };
  float reach = MAX (radius_a, radius_b);
  PhantomVector low =
      phantom_vector (MIN (a.x, b.x) - reach, MIN (a.y, b.y) - reach, MIN (a.z, b.z) - reach);
  PhantomVector high =
      phantom_vector (MAX (a.x, b.x) + reach, MAX (a.y, b.y) + reach, MAX (a.z, b.z) + reach);

  paint (grid, &shape, capsule_distance, low, high, &material);
}

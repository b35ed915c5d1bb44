/**
 * phantom_shapes.h: solid shapes in millimetres, painted onto a grid with soft edges.
 */
#pragma once

#include "study/phantom.h"

/** One bit for each PhantomTissue. */
#define PHANTOM_IN(tissue) (1u << (tissue))
#define PHANTOM_ANYWHERE 0xffu
#define PHANTOM_KEEP_TISSUE -1

typedef struct
{
  float hu;      /* what the shape is made of */
  float opacity; /* 1 replaces what was there, less blends */
  float edge_mm; /* width of the soft edge beyond a voxel's own; 0 is as sharp as the grid allows */
  float texture, texture_mm; /* amplitude (HU) and scale of smooth irregularities inside */
  guint within;              /* PHANTOM_IN bits of the tissues that may be painted on */
  int becomes; /* PhantomTissue that painted voxels turn into, or PHANTOM_KEEP_TISSUE */
} PhantomMaterial;

/** phantom_material: @hu everywhere, opaque, sharp, keeping the tissue. */
PhantomMaterial phantom_material (float hu, guint within);

PhantomVector phantom_vector (float x, float y, float z);
PhantomVector phantom_add (PhantomVector a, PhantomVector b);
PhantomVector phantom_scale (PhantomVector a, float factor);
PhantomVector phantom_between (PhantomVector a, PhantomVector b, float t); /* t = 0: a, 1: b */
float phantom_length (PhantomVector a);
PhantomVector phantom_unit (PhantomVector a);

/** phantom_smooth_noise: a fixed field in about [-1, 1] that varies over about @scale_mm. */
float phantom_smooth_noise (PhantomVector at, float scale_mm);

/** phantom_ellipsoid: axis-aligned. */
void phantom_ellipsoid (PhantomGrid *grid, PhantomVector centre, PhantomVector radii,
                        PhantomMaterial material);

/** phantom_plate: a flat round plate; @normal is its short axis. */
void phantom_plate (PhantomGrid *grid, PhantomVector centre, PhantomVector normal, float radius_mm,
                    float thickness_mm, PhantomMaterial material);

/** phantom_capsule: a rod with round ends; its radius goes from @radius_a to @radius_b. */
void phantom_capsule (PhantomGrid *grid, PhantomVector a, PhantomVector b, float radius_a,
                      float radius_b, PhantomMaterial material);

/** phantom_edge_cover: how much of a voxel lies inside a surface at signed distance @distance_mm (<
 * 0 inside). */
static inline float
phantom_edge_cover (float distance_mm, float edge_mm)
{
  float cover = 0.5f - distance_mm / edge_mm;

  return CLAMP (cover, 0.0f, 1.0f);
}

/** phantom_voxel_mm: the grid's mean spacing, the least width of an edge. */
float phantom_voxel_mm (const PhantomGrid *grid);

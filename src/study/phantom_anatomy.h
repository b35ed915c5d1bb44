/**
 * phantom_anatomy.h: the patient that a phantom shows: where things lie, and how to paint them
 * without findings.
 */
#pragma once

#include "base/random.h"
#include "study/phantom_shapes.h"

/** Patient's right and left; also the index of paired organs. */
enum
{
  PHANTOM_RIGHT,
  PHANTOM_LEFT,
  PHANTOM_N_SIDES,
};

/** phantom_side_sign: x grows to the left. */
static inline float
phantom_side_sign (guint side)
{
  return side == PHANTOM_LEFT ? 1.0f : -1.0f;
}

#define PHANTOM_N_BRONCHI                                                                          \
  7 /* segmental bronchi of each lung; the last ones go to the lower lobe                          \
     */
#define PHANTOM_N_LOWER_BRONCHI 3
#define PHANTOM_N_AORTA 12

typedef struct
{
  float body_x_mm, body_y_mm, fat_mm; /* half axes of the trunk, thickness of its fat */
  float cage_x_mm, cage_y_mm;         /* half axes of the rib cage's inside */
  float apex_mm;                      /* height of the lungs' top */
  float dome_mm[PHANTOM_N_SIDES];     /* height of each half of the diaphragm */
  float lung_hu, blood_hu;
  PhantomVector heart, heart_radii;
  float pericardium_mm; /* fluid around the heart */
  float aorta_radius_mm;
  PhantomVector aorta[PHANTOM_N_AORTA]; /* from the valve over the arch to the abdomen */
  PhantomVector carina, hilum[PHANTOM_N_SIDES];
  PhantomVector bronchus[PHANTOM_N_SIDES]
                        [PHANTOM_N_BRONCHI]; /* far ends; they start at the hilum */
  float rib_spacing_mm, rib_radius_mm, stomach_gas_mm;
  Random vessels; /* grows the vessel trees */
} PhantomAnatomy;

/** phantom_anatomy_draw: a patient without findings. */
void phantom_anatomy_draw (PhantomAnatomy *anatomy, Random *random);

/** phantom_anatomy_paint: everything but the findings. */
void phantom_anatomy_paint (PhantomGrid *grid, const PhantomAnatomy *anatomy);

/** phantom_uniform: uniform in [low, high). */
float phantom_uniform (Random *random, float low, float high);

/** phantom_dome_height: z of the diaphragm over a place. */
float phantom_dome_height (const PhantomAnatomy *anatomy, float x, float y);

/** phantom_lung_point: a point in a lung; @depth, @height and @breadth run over [-1, 1] from front,
 * base and midline to back, apex and chest wall. */
PhantomVector phantom_lung_point (const PhantomAnatomy *anatomy, guint side, float breadth,
                                  float depth, float height);

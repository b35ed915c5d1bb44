/**
 * phantom.h: schematic chest CT volumes with chosen findings.
 *
 * A phantom is geometry in millimetres (body, ribs, spine, lungs with vessels and bronchi, heart,
 * aorta, liver) painted onto a voxel grid with soft edges; every finding of CT-RATE's table is
 * something that can be seen in the voxels, where a radiologist would look for it. It is meant for
 * demonstrations and tests, not for learning medicine.
 *
 * What a phantom looks like comes from independent random streams: the patient (habitus, heart,
 * vessels), and one stream for each finding. A label switches its finding on and draws from that
 * finding's stream only, so that two phantoms that differ in one label differ in that finding and
 * nothing else.
 */
#pragma once

#include "catalog/labels.h"
#include <glib.h>

/** A point or direction in mm: x to the patient's left, y to the back, z to the head (L P S). */
typedef struct
{
  float x, y, z;
} PhantomVector;

/** Voxels along x, y, z in L P S order, x fastest. */
typedef struct
{
  gsize n[3];
  PhantomVector spacing_mm;
  PhantomVector origin_mm; /* centre of the first voxel; (0, 0, 0) is the middle of the chest */
  float *hu;
  guint8 *tissue; /* PhantomTissue of each voxel */
} PhantomGrid;

typedef enum
{
  PHANTOM_AIR, /* around the body */
  PHANTOM_BODY,
  PHANTOM_ABDOMEN,
  PHANTOM_LUNG,
  PHANTOM_MEDIASTINUM,
  PHANTOM_HEART,
  PHANTOM_BONE,
} PhantomTissue;

/** phantom_grid_new: a grid whose middle lies at @centre_mm; %NULL when memory is refused. */
PhantomGrid *phantom_grid_new (const gsize n[3], PhantomVector spacing_mm, PhantomVector centre_mm);
void phantom_grid_free (PhantomGrid *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhantomGrid, phantom_grid_free)

/**
 * phantom_paint: paint patient @index of the cohort @seed into a grid, in HU, without noise.
 *
 * @labels: bit i shows finding i (the order of labels.h)
 */
void phantom_paint (PhantomGrid *grid, guint64 seed, guint32 index, guint32 labels);

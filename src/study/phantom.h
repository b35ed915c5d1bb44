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

#include "base/random.h"
#include "catalog/labels.h"

/** Random streams of one patient. Only the findings' streams are drawn from because of a label. */
typedef enum
{
  PHANTOM_STREAM_LABELS,
  PHANTOM_STREAM_ANATOMY,
  PHANTOM_STREAM_SCAN,
  PHANTOM_STREAM_NOISE,
  PHANTOM_STREAM_RECORD,
  PHANTOM_STREAM_TEXT,
  PHANTOM_STREAM_COHORT,
  PHANTOM_STREAM_FINDINGS = 16, /* and one more for each label */
} PhantomStream;

/** phantom_random: begin one of patient @index's streams in the cohort @seed. */
void phantom_random (Random *random, guint64 seed, guint32 index, guint stream);

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

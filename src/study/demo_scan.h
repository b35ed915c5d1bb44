/**
 * demo_scan.h: how a phantom was scanned: grid, placement, noise, scanner, and the way its numbers
 * are stored.
 *
 * None of this takes a label: everything here is drawn from streams of its own, so that a scan's
 * size, spacing, orientation, noise, slope or maker says nothing of what is found in it.
 */
#pragma once

#include "study/phantom.h"
#include <gio/gio.h>

/** The three ways in which CT-RATE's voxels come, and the one that other sources use. */
typedef enum
{
  DEMO_STORED_RAW,    /* CT-RATE v1: value = HU - intercept of the table */
  DEMO_STORED_HU,     /* CT-RATE v2: HU, though the table has an intercept */
  DEMO_STORED_HEADER, /* scaled by the NIfTI header */
} DemoStorage;

typedef struct
{
  const char *manufacturer, *model, *kernel, *series;
  int intercept; /* as the table says */
} DemoScanner;

typedef struct
{
  const DemoScanner *scanner;
  DemoStorage storage;
  gsize n[3]; /* along x, y, z */
  double spacing_mm[3];
  PhantomVector centre_mm; /* what of the patient lies in the middle */
  double noise_hu;         /* standard deviation inside the body */
  gboolean flip[3];        /* stored against the L P S direction */
  guint64 seed;
  guint32 index; /* patient in the cohort */
} DemoScan;

/** demo_scan_draw: patient @index's scan. */
void demo_scan_draw (DemoScan *scan, guint64 seed, guint32 index);

/** demo_scan_hu: the scan in L P S order as whole HU, x fastest, noise included; %NULL when memory
 * is refused. Free with g_free. */
gint16 *demo_scan_hu (const DemoScan *scan, guint32 labels);

/** demo_scan_write: the scan as a gzipped NIfTI-1 file of int16. The same scan gives the same
 * bytes. */
gboolean demo_scan_write (const DemoScan *scan, guint32 labels, const char *path, GError **error);

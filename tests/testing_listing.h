/**
 * testing_listing.h: a store with hundreds of made-up records, and what stands in it.
 */
#pragma once

#include "testing_store.h"

#include "catalog/listing.h"

#define TESTING_LISTING_ROWS 700
#define TESTING_LISTING_CLASSES 3 /* that the run predicts ... */
#define TESTING_LISTING_CLASS 1   /* ... and of them the one that is in the rows */

typedef struct
{
  CatalogStore *store; /* tests that write open one of their own */
  char *path;
  CatalogRecord rows[TESTING_LISTING_ROWS]; /* by id - 1 */
  gint64 encoder_id, run_id; /* the latest used of two encoders; a run that is done */
} TestingListing;
extern TestingListing testing_listing;

/** testing_listing_setup: for cmocka. */
int testing_listing_setup (void **state);
int testing_listing_teardown (void **state);

/** testing_listing_ids: catalog_records_ids() by a query's text; fails the test on any error. */
GArray *testing_listing_ids (CatalogStore *store, const char *text,
                             const CatalogListOptions *options);

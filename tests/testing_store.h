/**
 * testing_store.h: a store to test with, and a look behind its curtain.
 */
#pragma once

#include "testing.h"

#include "catalog/store_private.h"

/** testing_store_open: open or make; fails the test on any error. */
CatalogStore *testing_store_open (const char *path);

/** testing_store_new: a fresh one in testing_directory(). @path: (out) (optional) g_free it. */
CatalogStore *testing_store_new (const char *name, char **path);

/** testing_store_exec: run SQL; fails the test on any error. */
void testing_store_exec (CatalogStore *store, const char *sql);

/** testing_store_value: the first value that a query gives, as text. Free with g_free. */
char *testing_store_value (CatalogStore *store, const char *sql);

/** assert_store_value: that value is @expected. */
void assert_store_value (CatalogStore *store, const char *sql, const char *expected);

/* ---- a small cohort ---- */

/** Four kept volumes in the file's order, and their labels. */
extern const char *const testing_volumes[4];
extern const guint32 testing_labels[4];

#define TESTING_WIDTH 3                                      /* numbers in a latent */
#define TESTING_SEED G_GUINT64_CONSTANT (0xfedcba9876543210) /* of the samples */

/** testing_store_import: the training split as an import leaves it: those four and two dropped
 * rows. */
void testing_store_import (CatalogStore *store);

/** testing_store_sample: save a sample of these @n volumes. */
void testing_store_sample (CatalogStore *store, const char *name, const char *const *volumes,
                           guint n);

/** testing_store_encoder: make sure of an encoder; its number. */
gint64 testing_store_encoder (CatalogStore *store, const char *name, const char *hash);

/**
 * samples.h: named subsets of a split.
 */
#pragma once

#include "catalog/record.h"
#include "catalog/store.h"

/** The kept rows of a split, in the file's order, as sampling and training need them. */
typedef struct
{
  gsize n;
  char **volumes;  /* %NULL-terminated */
  char **patients; /* %NULL-terminated, parallel */
  guint32 *labels;
} CatalogMembers;

void catalog_members_free (CatalogMembers *members);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CatalogMembers, catalog_members_free)

/** catalog_split_members: all kept rows of a split; CTCLIP_ERROR_NOT_FOUND where it was not
 * imported. */
CatalogMembers *catalog_split_members (CatalogStore *store, CatalogSplit split, GError **error);

typedef struct
{
  char *name;
  CatalogSplit split;
  double fraction;
  guint64 seed;
  gboolean available; /* drawn among the scans that were on disk */
  guint n, of;        /* members, and rows it was drawn from */
  char *created;      /* ISO 8601, UTC */
} CatalogSample;

void catalog_sample_free (CatalogSample *sample);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CatalogSample, catalog_sample_free)

/**
 * catalog_sample_save: store a sample under its name, replacing one of that name.
 *
 * @volumes: @sample->n names
 *
 * Runs that used the replaced sample still refer to its members.
 */
gboolean catalog_sample_save (CatalogStore *store, const CatalogSample *sample,
                              const char *const *volumes, GError **error);

/** catalog_sample_find: by name; CTCLIP_ERROR_NOT_FOUND lists the names that exist. */
CatalogSample *catalog_sample_find (CatalogStore *store, const char *name, GError **error);

/** catalog_samples_list: (element-type CatalogSample) */
GPtrArray *catalog_samples_list (CatalogStore *store, GError **error);

/** catalog_sample_members: the members that are (still) kept rows of the split, in the file's
 * order. */
CatalogMembers *catalog_sample_members (CatalogStore *store, const char *name, GError **error);

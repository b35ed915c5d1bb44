/**
 * volume_index.h: which scans are on this disk.
 *
 * A directory is walked once and files are matched by name, whatever CT-RATE layout they lie in
 * (train/train_1/train_1_a/..., train_fixed/..., flat).
 */
#pragma once

#include <gio/gio.h>

/** Immutable, shared by reference count. */
typedef struct _CatalogVolumeIndex CatalogVolumeIndex;

/** catalog_volume_index_new: walk @directory for *.nii.gz and *.nii. Of a name that is found
 * more than once the first in the order of paths is used. */
CatalogVolumeIndex *catalog_volume_index_new (const char *directory, GCancellable *cancellable,
                                              GError **error);
CatalogVolumeIndex *catalog_volume_index_ref (CatalogVolumeIndex *index);
void catalog_volume_index_unref (CatalogVolumeIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CatalogVolumeIndex, catalog_volume_index_unref)

guint catalog_volume_index_size (const CatalogVolumeIndex *index);

/** catalog_volume_index_names: (transfer container) record names without suffix, in the order of
 * names, %NULL-terminated; the strings are the index's. */
const char **catalog_volume_index_names (const CatalogVolumeIndex *index);

/** catalog_volume_index_path: path of a volume by record name; %NULL where it is not on disk. Owned
 * by the index. */
const char *catalog_volume_index_path (const CatalogVolumeIndex *index, const char *volume);

/** catalog_volume_index_warnings: (element-type utf8) what whoever misses a scan should know, a
 * line each: of folders that could not be read, of names that were found more than once. */
const GPtrArray *catalog_volume_index_warnings (const CatalogVolumeIndex *index);

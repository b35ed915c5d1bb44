#include "catalog/volume_index.h"

#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct _CatalogVolumeIndex
{
  GHashTable *paths;    /* name without suffix → path */
  GHashTable *seen;     /* folders that were entered, by device and inode: a link may lead back */
  GHashTable *repeated; /* the set of names that were found more than once */
  char *closed;         /* (nullable) the first folder that could not be read, and why */
  guint n_closed;
  GPtrArray *warnings;
};

static void
clear (gpointer data)
{
  CatalogVolumeIndex *index = data;

  g_hash_table_unref (index->paths);
  g_hash_table_unref (index->seen);
  g_hash_table_unref (index->repeated);
  g_free (index->closed);
  g_ptr_array_unref (index->warnings);
}

CatalogVolumeIndex *
catalog_volume_index_ref (CatalogVolumeIndex *index)
{
  return g_atomic_rc_box_acquire (index);
}

void
catalog_volume_index_unref (CatalogVolumeIndex *index)
{
  g_atomic_rc_box_release_full (index, clear);
}

/** The name without .nii.gz or .nii; %NULL where it ends in neither. */
static char *
strip_suffix (const char *name)
{
  static const char *const suffixes[] = { ".nii.gz", ".nii" };

  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (name, suffixes[i]))
      return g_strndup (name, strlen (name) - strlen (suffixes[i]));
  return NULL;
}

static void
add_file (CatalogVolumeIndex *index, char *name, const char *path)
{
  const char *known = g_hash_table_lookup (index->paths, name);

  if (known != NULL)
    g_hash_table_add (index->repeated, g_strdup (name));
  if (known == NULL || strcmp (path, known) < 0)
    g_hash_table_replace (index->paths, name, g_strdup (path));
  else
    g_free (name);
}

/** Asks the disk only where the folder did not say it: that is slow over a network. */
static gboolean
is_folder (const struct dirent *entry, const char *path)
{
  struct stat info;

  if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
    return entry->d_type == DT_DIR;
  return stat (path, &info) == 0 && S_ISDIR (info.st_mode);
}

/** FALSE where the folder was entered before, under whatever name. */
static gboolean
enter (CatalogVolumeIndex *index, DIR *folder)
{
  struct stat info;

  return fstat (dirfd (folder), &info) == 0
         && g_hash_table_add (index->seen, g_strdup_printf ("%ju:%ju", (uintmax_t) info.st_dev,
                                                            (uintmax_t) info.st_ino));
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/** Take the folder's files, and put its folders on the stack, the first on top. */
static void
walk_folder (CatalogVolumeIndex *index, const char *path, DIR *folder, GPtrArray *stack)
{
  g_autoptr (GPtrArray) folders = g_ptr_array_new ();
  struct dirent *entry;

  while ((entry = readdir (folder)) != NULL)
    {
      g_autofree char *child = NULL;
      char *name;

      /* Among the hidden ones are "._train_1_a_1.nii.gz" of macOS and caches of downloads. */
      if (entry->d_name[0] == '.')
        continue;
      child = g_build_filename (path, entry->d_name, NULL);
      if (is_folder (entry, child))
        g_ptr_array_add (folders, g_steal_pointer (&child));
      else if ((name = strip_suffix (entry->d_name)) != NULL)
        add_file (index, name, child);
    }
  g_ptr_array_sort (folders, compare_paths);
  for (guint i = folders->len; i > 0; i--)
    g_ptr_array_add (stack, folders->pdata[i - 1]);
}

/** Take the topmost folder from the stack. */
static void
visit (CatalogVolumeIndex *index, GPtrArray *stack)
{
  g_autofree char *path = g_ptr_array_steal_index (stack, stack->len - 1);
  DIR *folder = opendir (path);

  if (folder == NULL)
    {
      if (index->n_closed++ == 0)
        index->closed = g_strdup_printf ("%s: %s", path, g_strerror (errno));
      return;
    }
  if (enter (index, folder))
    walk_folder (index, path, folder, stack);
  closedir (folder);
}

/** There may be thousands of either, and one of them says what to look for. */
static void
add_warnings (CatalogVolumeIndex *index, const char *directory)
{
  const char *first = NULL, *name;
  GHashTableIter iter;

  if (index->n_closed == 1)
    g_ptr_array_add (index->warnings,
                     g_strdup_printf ("%s; no scan in it is found", index->closed));
  else if (index->n_closed > 1)
    g_ptr_array_add (index->warnings,
                     g_strdup_printf ("%s; no scan in it or in %u more such folders is found",
                                      index->closed, index->n_closed - 1));
  g_hash_table_iter_init (&iter, index->repeated);
  while (g_hash_table_iter_next (&iter, (gpointer *) &name, NULL))
    if (first == NULL || strcmp (name, first) < 0)
      first = name;
  if (first != NULL)
    g_ptr_array_add (index->warnings,
                     g_strdup_printf ("%s: names found more than once: %u; the first in the order "
                                      "of paths is used, for %s %s",
                                      directory, g_hash_table_size (index->repeated), first,
                                      (const char *) g_hash_table_lookup (index->paths, first)));
}

static gboolean
check_directory (const char *directory, GError **error)
{
  DIR *folder = opendir (directory);

  if (folder != NULL)
    {
      closedir (folder);
      return TRUE;
    }
  g_set_error (error, CTCLIP_ERROR, errno == ENOENT ? CTCLIP_ERROR_NOT_FOUND : CTCLIP_ERROR_IO,
               "%s: cannot be opened: %s; name the folder that holds the scans", directory,
               g_strerror (errno));
  return FALSE;
}

CatalogVolumeIndex *
catalog_volume_index_new (const char *directory, GCancellable *cancellable, GError **error)
{
  g_autoptr (CatalogVolumeIndex) index = g_atomic_rc_box_new0 (CatalogVolumeIndex);
  g_autoptr (GPtrArray) stack = g_ptr_array_new_with_free_func (g_free);

  index->paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  index->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  index->repeated = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  index->warnings = g_ptr_array_new_with_free_func (g_free);
  if (!check_directory (directory, error))
    return NULL;
  g_ptr_array_add (stack, g_strdup (directory));
  while (stack->len > 0)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
      visit (index, stack);
    }
  add_warnings (index, directory);
  return g_steal_pointer (&index);
}

guint
catalog_volume_index_size (const CatalogVolumeIndex *index)
{
  return g_hash_table_size (index->paths);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

const char **
catalog_volume_index_names (const CatalogVolumeIndex *index)
{
  guint n;
  const char **names = (const char **) g_hash_table_get_keys_as_array (index->paths, &n);

  qsort (names, n, sizeof *names, compare_names);
  return names;
}

const char *
catalog_volume_index_path (const CatalogVolumeIndex *index, const char *volume)
{
  g_autofree char *stem = strip_suffix (volume);

  return g_hash_table_lookup (index->paths, stem != NULL ? stem : volume);
}

const GPtrArray *
catalog_volume_index_warnings (const CatalogVolumeIndex *index)
{
  return index->warnings;
}

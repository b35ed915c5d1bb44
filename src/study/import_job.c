#include "study/import_job.h"

#include "base/error.h"
#include "base/file_hash.h"
#include "base/npy.h"
#include "base/text_file.h"
#include "catalog/latents.h"
#include "catalog/query.h"

#include <math.h>
#include <string.h>

#define MAX_WIDTH (1 << 20) /* of a latent; a head takes no wider ones */

typedef struct
{
  Job *job;
  const char *stage, *unit;
  guint64 total; /* as told last */
} ImportProgress;

/** How much there is to do is known from the first report on. */
static void
report_progress (guint64 done, guint64 total, gpointer user_data)
{
  ImportProgress *progress = user_data;

  if (total != progress->total)
    job_stage (progress->job, progress->stage, progress->unit, total);
  progress->total = total;
  job_progress (progress->job, done);
}

gboolean
study_import (Job *job, gpointer data, GError **error)
{
  StudyImport *import = data;
  g_autoptr (CatalogStore) store = workspace_store (import->workspace, error);
  ImportProgress progress = { job, "importing", "bytes", 0 };

  job_stage (job, progress.stage, progress.unit, 0);
  return store != NULL
         && catalog_import (store, &import->options, report_progress, &progress, &import->funnel,
                            job_cancellable (job), error);
}

gboolean
study_index (Job *job, gpointer workspace, GError **error)
{
  g_autoptr (CatalogStore) store = workspace_store (workspace, error);
  ImportProgress progress = { job, "indexing reports", "reports", 0 };

  job_stage (job, progress.stage, progress.unit, 0);
  return store != NULL
         && catalog_text_index_finish (store, report_progress, &progress, job_cancellable (job),
                                       error);
}

/* ---- latents ---- */

/** The lines of a names file, without blank ones; file names and paths are taken too. */
static GPtrArray *
read_names (const char *path, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *text = text_file_read (path, "list of names", error);
  g_auto (GStrv) lines = NULL;
  g_autoptr (GHashTable) lines_by_name = g_hash_table_new (g_str_hash, g_str_equal);

  if (text == NULL)
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*g_strstrip (lines[i]) != '\0')
      {
        g_autofree char *base = g_path_get_basename (lines[i]);
        char *name = g_str_has_suffix (base, ".nii.gz") || g_str_has_suffix (base, ".nii")
                         ? g_steal_pointer (&base)
                         : g_strconcat (base, ".nii.gz", NULL);
        guint earlier = GPOINTER_TO_UINT (g_hash_table_lookup (lines_by_name, name));

        g_ptr_array_add (names, name);
        if (earlier > 0)
          {
            g_set_error (
                error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                "%s: lines %u and %u both name %s; a scan has one latent, so leave one out "
                "of names and array",
                path, earlier, i + 1, name);
            return NULL;
          }
        g_hash_table_insert (lines_by_name, name, GUINT_TO_POINTER (i + 1));
      }
  return g_steal_pointer (&names);
}

/** The array as n × width floats; every number must be finite. */
static float *
as_floats (const NpyArray *array, const char *path, GError **error)
{
  g_autofree float *values = NULL;

  if (array->n_dims != 2 || array->shape[0] == 0 || array->shape[1] == 0
      || array->shape[1] > MAX_WIDTH || (array->type != NPY_FLOAT32 && array->type != NPY_FLOAT64))
    {
      g_set_error (
          error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
          "%s: latents are a float32 or float64 array of shape (scans, width); save it as such",
          path);
      return NULL;
    }
  values = g_try_new (float, MAX (array->n, 1));
  if (values == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY,
                   "%s: %" G_GSIZE_FORMAT " numbers do not fit into memory", path, array->n);
      return NULL;
    }
  for (gsize i = 0; i < array->n; i++)
    {
      values[i] = array->type == NPY_FLOAT32 ? ((const float *) array->data)[i]
                                             : (float) ((const double *) array->data)[i];
      if (!isfinite (values[i]))
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                       "%s: row %" G_GSIZE_FORMAT
                       " holds a number that is not finite; leave that scan out",
                       path, i / array->shape[1]);
          return NULL;
        }
    }
  return g_steal_pointer (&values);
}

/** Names that no imported split has. */
static gboolean
count_unknown (CatalogStore *store, GPtrArray *names, guint *unknown, GError **error)
{
  *unknown = 0;
  for (guint i = 0; i < names->len; i++)
    {
      g_autoptr (GError) fault = NULL;
      g_autoptr (CatalogRecord) record =
          catalog_record_get (store, g_ptr_array_index (names, i), &fault);

      if (record != NULL)
        continue;
      if (!g_error_matches (fault, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND))
        {
          g_propagate_error (error, g_steal_pointer (&fault));
          return FALSE;
        }
      ++*unknown;
    }
  return TRUE;
}

gboolean
study_import_latents (Job *job, gpointer data, GError **error)
{
  StudyImportLatents *import = data;
  g_autoptr (CatalogStore) store = workspace_store (import->workspace, error);
  g_autoptr (NpyArray) array = store != NULL ? npy_read (import->npy_path, error) : NULL;
  g_autofree float *values = array != NULL ? as_floats (array, import->npy_path, error) : NULL;
  g_autoptr (GPtrArray) names = values != NULL ? read_names (import->names_path, error) : NULL;
  g_autofree CatalogLatent *latents = NULL;
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  CatalogEncoder encoder = { 0 };
  gsize width;

  if (names == NULL)
    return FALSE;
  if (names->len != array->shape[0])
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s holds %u names, %s %" G_GSIZE_FORMAT " rows; give one name a row",
                   import->names_path, names->len, import->npy_path, array->shape[0]);
      return FALSE;
    }
  width = array->shape[1];
  job_stage (job, "importing latents", "scans", names->len);

  encoder.name = (char *) import->encoder_name;
  encoder.weights_hash = encoder.checkpoint_path = encoder.description = (char *) "";
  encoder.width = (guint) width;
  if (!catalog_encoder_ensure (store, &encoder, error))
    return FALSE;

  latents = g_new0 (CatalogLatent, names->len);
  for (guint i = 0; i < names->len; i++)
    {
      const float *row = values + i * width;
      g_autofree char *content = bytes_hash (row, width * sizeof *row);
      g_autofree char *text =
          g_strdup_printf ("imported|%s|%s|%s", import->encoder_name,
                           (const char *) g_ptr_array_index (names, i), content);

      g_ptr_array_add (keys, bytes_hash (text, strlen (text)));
      latents[i].key = g_ptr_array_index (keys, i);
      latents[i].volume = g_ptr_array_index (names, i);
      latents[i].content_hash = "";
      latents[i].preparation = "imported";
      latents[i].values = row;
    }
  if (!count_unknown (store, names, &import->unknown, error)
      || !catalog_latents_save (store, encoder.id, latents, names->len, error))
    return FALSE;
  job_progress (job, names->len);
  import->imported = names->len;
  import->width = (guint) width;
  return TRUE;
}

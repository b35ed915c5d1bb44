#include "study/volume_job.h"

#include "base/error.h"
#include "base/npy.h"
#include "base/output_file.h"

#include <string.h>

gboolean
study_prepare (Job *job, gpointer data, GError **error)
{
  StudyPrepare *study = data;
  const gsize *target = study->preparation.shape;
  const gsize shape[] = { 1, target[0], target[1], target[2] };
  g_autoptr (NpyArray) tensor = NULL;

  if (!output_file_check (study->out_path, study->replace, error))
    return FALSE;
  job_stage (job, "preparing", "", 0);
  tensor = npy_array_new (NPY_FLOAT32, 4, shape, error);
  return tensor != NULL
         && volume_prepare (study->path, &study->metadata, &study->preparation, study->threads,
                            tensor->data, &study->prepared, job_cancellable (job), error)
         && npy_write (study->out_path, study->replace, NPY_FLOAT32, 4, shape, tensor->data, error);
}

/* ---- slices ---- */

/** "F.png" to "F_0001.png": one-based, as slices are counted on screen. */
static char *
numbered_path (const char *path, gsize index)
{
  const char *dot = strrchr (path, '.');
  const char *slash = strrchr (path, '/');

  if (dot == NULL || (slash != NULL && dot < slash))
    dot = path + strlen (path);
  return g_strdup_printf ("%.*s_%04" G_GSIZE_FORMAT "%s", (int) (dot - path), path, index + 1, dot);
}

static gboolean
write_slice (const StudySlices *study, const Volume *volume, gsize index, GError **error)
{
  g_autoptr (VolumeSlice) slice = volume_slice_extract (volume, study->axis, index);
  g_autofree char *path = study->index == STUDY_SLICE_ALL ? numbered_path (study->out_path, index)
                                                          : g_strdup (study->out_path);

  return volume_slice_write_png (slice, study->window, path, study->replace, error);
}

gboolean
study_slices (Job *job, gpointer data, GError **error)
{
  StudySlices *study = data;
  g_autoptr (Volume) volume = NULL;
  gsize first, last;

  job_stage (job, "reading", "", 0);
  volume = volume_load (study->path, &study->metadata, study->rescale, VOLUME_ORIENT_LPS,
                        job_cancellable (job), error);
  if (volume == NULL)
    return FALSE;
  study->count = volume_slice_count (volume, study->axis);
  if (study->index >= (gint64) study->count)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s: there is no slice %" G_GINT64_FORMAT
                   "; the first is 0, the last %" G_GSIZE_FORMAT,
                   study->path, study->index, study->count - 1);
      return FALSE;
    }
  first = study->index == STUDY_SLICE_ALL      ? 0
          : study->index == STUDY_SLICE_MIDDLE ? study->count / 2
                                               : (gsize) study->index;
  last = study->index == STUDY_SLICE_ALL ? study->count - 1 : first;
  study->first_index = (gint64) first;

  job_stage (job, "writing", "slices", last - first + 1);
  for (gsize index = first; index <= last; index++)
    {
      if (!job_checkpoint (job, error) || !write_slice (study, volume, index, error))
        return FALSE;
      study->written++;
      job_count (job, FALSE);
    }
  return TRUE;
}

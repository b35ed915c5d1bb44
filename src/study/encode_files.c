#include "study/encode_job.h"

#include "base/error.h"
#include "base/npy.h"
#include "base/output_file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* in the dump's folder */
#define LATENT_NPY "latent.npy"
#define VQ_IN_NPY "vq_in.npy"
#define VQ_INDICES_NPY "vq_indices.npy"

/** Latents and, for a dump, intermediates of all files so far. */
typedef struct
{
  gboolean dump;
  GArray *latents;    /* of float */
  GArray *vq_in;      /* of float */
  GArray *vq_indices; /* of gint64 */
} Sink;

static void
sink_clear (Sink *sink)
{
  g_clear_pointer (&sink->latents, g_array_unref);
  g_clear_pointer (&sink->vq_in, g_array_unref);
  g_clear_pointer (&sink->vq_indices, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sink, sink_clear)

static void
probe (const char *name, guint n_dims, const gint64 *shape, const void *data, gpointer user_data)
{
  Sink *sink = user_data;
  gint64 n = 1;

  for (guint i = 0; i < n_dims; i++)
    n *= shape[i];
  if (strcmp (name, "vq_in") == 0)
    g_array_append_vals (sink->vq_in, data, (guint) n);
  else if (strcmp (name, "vq_indices") == 0)
    g_array_append_vals (sink->vq_indices, data, (guint) n);
}

static gboolean
encode_input (const Encoding *encoding, const float *input, gsize n, Sink *sink, Job *job,
              GError **error)
{
  guint width = engine_encoder_info (encoding->encoder)->latent_width;

  /* One at a time, so that memory does not grow with the batch. */
  for (gsize i = 0; i < n; i++)
    {
      guint start = sink->latents->len;

      g_array_set_size (sink->latents, start + width);
      if (!engine_encode (encoding->encoder, input + i * encoding->input_n, 1,
                          &g_array_index (sink->latents, float, start), sink->dump ? probe : NULL,
                          sink, job_cancellable (job), error))
        return FALSE;
    }
  return TRUE;
}

/** A tensor that was prepared before: [batch,]1,T,H,W. */
static gboolean
encode_tensor (const Encoding *encoding, const char *path, Sink *sink, Job *job, GError **error)
{
  g_autoptr (NpyArray) array = npy_read (path, error);
  const gsize *shape = encoding->preparation.shape;
  guint d;

  if (array == NULL)
    return FALSE;
  d = array->n_dims;
  if (array->type != NPY_FLOAT32 || (d != 4 && d != 5) || array->shape[d - 4] != 1
      || array->shape[d - 3] != shape[0] || array->shape[d - 2] != shape[1]
      || array->shape[d - 1] != shape[2])
    {
      g_set_error (
          error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
          "%s: a prepared tensor for this encoder is float32 of shape ([batch,] 1, %" G_GSIZE_FORMAT
          ", %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT ")",
          path, shape[0], shape[1], shape[2]);
      return FALSE;
    }
  return encode_input (encoding, array->data, d == 5 ? array->shape[0] : 1, sink, job, error);
}

static gboolean
encode_volume (const Encoding *encoding, const StudyEncodeFiles *study, const char *path,
               Sink *sink, Job *job, GError **error)
{
  g_autofree float *input = encoding_input_new (encoding, path, error);
  VolumePrepared prepared;

  return input != NULL
         && volume_prepare (path, &study->metadata, &encoding->preparation, 2, input, &prepared,
                            job_cancellable (job), error)
         && encode_input (encoding, input, 1, sink, job, error);
}

/** All rows of a file or none, so that they line up with the files. */
static gboolean
encode_file (const Encoding *encoding, const StudyEncodeFiles *study, const char *path, Sink *sink,
             Job *job, GError **error)
{
  const guint latents = sink->latents->len, vq_in = sink->vq_in->len,
              vq_indices = sink->vq_indices->len;

  if (g_str_has_suffix (path, ".npy") ? encode_tensor (encoding, path, sink, job, error)
                                      : encode_volume (encoding, study, path, sink, job, error))
    return TRUE;
  g_array_set_size (sink->latents, latents);
  g_array_set_size (sink->vq_in, vq_in);
  g_array_set_size (sink->vq_indices, vq_indices);
  return FALSE;
}

static gboolean
write_dump (const char *directory, const char *name, gboolean replace, NpyType type,
            const GArray *numbers, gsize n, gsize tokens, gsize width, GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  const gsize shape[] = { n, tokens, width };

  return npy_write (path, replace, type, width > 0 ? 3 : 2, shape, numbers->data, error);
}

static gboolean
write_all (const StudyEncodeFiles *study, const EngineEncoderInfo *info, const Sink *sink,
           GError **error)
{
  gsize tokens = (gsize) info->tokens_t * info->tokens_h * info->tokens_w;
  const gsize shape[] = { study->encoded, info->latent_width };
  g_autofree char *latent_path = NULL;

  if (!npy_write (study->out_path, study->replace, NPY_FLOAT32, 2, shape, sink->latents->data,
                  error))
    return FALSE;
  if (!sink->dump)
    return TRUE;
  if (g_mkdir_with_parents (study->dump_directory, 0777) != 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: cannot be made: %s",
                   study->dump_directory, g_strerror (errno));
      return FALSE;
    }
  latent_path = g_build_filename (study->dump_directory, LATENT_NPY, NULL);
  return npy_write (latent_path, study->replace, NPY_FLOAT32, 2, shape, sink->latents->data, error)
         && write_dump (study->dump_directory, VQ_IN_NPY, study->replace, NPY_FLOAT32, sink->vq_in,
                        study->encoded, tokens, info->dim, error)
         && write_dump (study->dump_directory, VQ_INDICES_NPY, study->replace, NPY_INT64,
                        sink->vq_indices, study->encoded, tokens, 0, error);
}

/** Before anything is encoded: nothing that is to be written is in the way. */
static gboolean
check_targets (const StudyEncodeFiles *study, GError **error)
{
  static const char *const dumped[] = { LATENT_NPY, VQ_IN_NPY, VQ_INDICES_NPY };

  if (!output_file_check (study->out_path, study->replace, error))
    return FALSE;
  for (guint i = 0; study->dump_directory != NULL && i < G_N_ELEMENTS (dumped); i++)
    {
      g_autofree char *path = g_build_filename (study->dump_directory, dumped[i], NULL);

      if (!output_file_check (path, study->replace, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
study_encode_files (Job *job, gpointer data, GError **error)
{
  StudyEncodeFiles *study = data;
  g_autoptr (Encoding) encoding = NULL;
  g_auto (Sink) sink = { .dump = study->dump_directory != NULL };
  gint64 started_us;

  if (!check_targets (study, error))
    return FALSE;
  job_stage (job, "loading the encoder", "", 0);
  encoding = encoding_open (&study->options, error);
  if (encoding == NULL)
    return FALSE;
  study->width = engine_encoder_info (encoding->encoder)->latent_width;
  sink.latents = g_array_new (FALSE, FALSE, sizeof (float));
  sink.vq_in = g_array_new (FALSE, FALSE, sizeof (float));
  sink.vq_indices = g_array_new (FALSE, FALSE, sizeof (gint64));

  job_stage (job, "encoding", "scans", g_strv_length (study->files));
  started_us = g_get_monotonic_time ();
  for (guint i = 0; study->files[i] != NULL; i++)
    {
      const char *path = study->files[i];
      g_autoptr (GError) fault = NULL;
      gboolean done = encode_file (encoding, study, path, &sink, job, &fault);

      if (!done
          && (study->files[1] == NULL || g_error_matches (fault, G_IO_ERROR, G_IO_ERROR_CANCELLED)))
        {
          g_propagate_error (error, g_steal_pointer (&fault));
          return FALSE;
        }
      if (!done)
        job_skip (job, path, fault->message);
      job_count (job, FALSE);
    }
  study->seconds = (double) (g_get_monotonic_time () - started_us) / G_USEC_PER_SEC;
  study->encoded = sink.latents->len / study->width;
  if (study->encoded == 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_FAILED, "none of the files could be encoded");
      return FALSE;
    }
  return write_all (study, engine_encoder_info (encoding->encoder), &sink, error);
}

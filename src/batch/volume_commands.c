#include "batch/volume_options.h"

#include "base/share.h"
#include "model/description.h"
#include "report/json.h"
#include "study/encoding.h"
#include "study/volume_job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- prepare ---- */

static json_t *
triple_json (const double *numbers)
{
  return json_pack ("[f, f, f]", numbers[0], numbers[1], numbers[2]);
}

static json_t *
sizes_json (const gsize *sizes)
{
  return json_pack ("[I, I, I]", (json_int_t) sizes[0], (json_int_t) sizes[1],
                    (json_int_t) sizes[2]);
}

static void
report_prepared (const Batch *batch, const StudyPrepare *study)
{
  const VolumePrepared *prepared = &study->prepared;
  const gsize *shape = study->preparation.shape;

  if (prepared->spacing_difference > 0.01)
    batch_say ("warning: %s: the given spacing differs from the header's by %.1f %%; the given one "
               "is used\n",
               study->path, 100 * prepared->spacing_difference);
  if (prepared->obliquity_deg > 10)
    batch_say (
        "warning: %s: its axes are %.0f degrees off the body's; they were snapped to the nearest\n",
        study->path, prepared->obliquity_deg);
  if (batch->json)
    {
      json_t *object = json_object ();

      json_object_set_new (object, "file", report_json_string (study->path));
      json_object_set_new (object, "out", report_json_string (study->out_path));
      json_object_set_new (object, "shape", sizes_json (shape));
      json_object_set_new (object, "source_shape", sizes_json (prepared->source_shape));
      json_object_set_new (object, "source_spacing_mm", triple_json (prepared->spacing_mm));
      json_object_set_new (object, "resized_shape", sizes_json (prepared->resized_shape));
      json_object_set_new (object, "axes", json_string (prepared->axes));
      json_object_set_new (object, "rescale",
                           json_string (volume_rescale_name (prepared->rescale)));
      json_object_set_new (object, "slope", report_json_number (prepared->slope));
      json_object_set_new (object, "intercept", report_json_number (prepared->intercept));
      batch_print_json (object);
      return;
    }
  batch_print ("%s: 1 x %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT
               " from %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT
               " (z x y, stored %s), rescale %s: HU = %g v %+g\n",
               study->out_path, shape[0], shape[1], shape[2], prepared->source_shape[0],
               prepared->source_shape[1], prepared->source_shape[2], prepared->axes,
               volume_rescale_name (prepared->rescale), prepared->slope, prepared->intercept);
}

int
command_prepare (Batch *batch, int argc, char **argv)
{
  g_auto (VolumeOptions) options = { 0 };
  g_autofree char *out = NULL, *shape_text = NULL, *description_path = NULL;
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "the tensor, float32 (1, z, x, y)", "FILE.npy" },
    VOLUME_METADATA_ENTRIES (options),
    VOLUME_POLICY_ENTRIES (options, "auto", "lps"),
    { "shape", 0, 0, G_OPTION_ARG_STRING, &shape_text, "target shape (default: the description's)",
      "Z,X,Y" },
    { "description", 0, 0, G_OPTION_ARG_FILENAME, &description_path,
      "encoder description (default: CT-CLIP's)", "FILE" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (EncoderDescription) description = NULL;
  GError *error = NULL;
  StudyPrepare study = { 0 };
  double shape[3];
  int code;

  if (!batch_parse (batch, argc, argv, entries, NULL, &code)
      || !volume_options_finish (batch, &options, &code))
    return code;
  if (batch->rest[0] == NULL || batch->rest[1] != NULL || out == NULL)
    return batch_usage (batch, "give one volume and --out FILE.npy");
  if (description_path == NULL
      && (description_path = share_find ("encoders/ct-clip.ini", &error)) == NULL)
    return batch_fail (error);
  description = encoder_description_read (description_path, &error);
  if (description == NULL)
    return batch_fail (error);
  study.preparation = encoding_preparation (description, options.rescale, options.orient);
  if (shape_text != NULL)
    {
      if (!batch_parse_triple (shape_text, shape))
        return batch_usage (batch, "--shape: give three whole numbers: z,x,y");
      for (guint i = 0; i < 3; i++)
        {
          if (shape[i] < 1 || shape[i] > 4096 || shape[i] != floor (shape[i]))
            return batch_usage (batch, "--shape: give whole numbers from 1 to 4096");
          study.preparation.shape[i] = (gsize) shape[i];
        }
    }
  study.path = batch->rest[0];
  study.out_path = out;
  study.metadata = options.metadata;
  study.threads = batch->threads > 0 ? (guint) batch->threads : 2;
  study.replace = batch->force;
  code = batch_run (batch, "prepare", study_prepare, &study, NULL, NULL, NULL, NULL);
  if (code == BATCH_DONE)
    report_prepared (batch, &study);
  return code;
}

/* ---- slice ---- */

static gboolean
parse_index (const char *text, gint64 *index)
{
  char *end;

  if (text == NULL || strcmp (text, "middle") == 0)
    *index = STUDY_SLICE_MIDDLE;
  else if (strcmp (text, "all") == 0)
    *index = STUDY_SLICE_ALL;
  else
    {
      *index = g_ascii_strtoll (text, &end, 10);
      return end != text && *end == '\0' && *index >= 0;
    }
  return TRUE;
}

int
command_slice (Batch *batch, int argc, char **argv)
{
  g_auto (VolumeOptions) options = { 0 };
  g_autofree char *out = NULL, *axis = NULL, *window = NULL, *index = NULL;
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out,
      "the picture; with --index all F_0001.png and so on", "F.png" },
    { "axis", 0, 0, G_OPTION_ARG_STRING, &axis, "axial (default), coronal or sagittal", "AXIS" },
    { "index", 0, 0, G_OPTION_ARG_STRING, &index,
      "middle (default), all, or a number from 0: the lowest, foremost or rightmost slice", "I" },
    { "window", 0, 0, G_OPTION_ARG_STRING, &window,
      "lung (default), mediastinum, bone, brain, or centre,width in HU", "W" },
    { "rescale", 0, 0, G_OPTION_ARG_STRING, &options.rescale_text,
      "stored values to HU: auto (default), header, csv, both or none", "HOW" },
    VOLUME_METADATA_ENTRIES (options),
    G_OPTION_ENTRY_NULL,
  };
  StudySlices study = { 0 };
  GError *error = NULL;
  int code;

  if (!batch_parse (batch, argc, argv, entries,
                    "The patient's right is on the left of axial and coronal pictures, feet are "
                    "down. For exploration,\n"
                    "not for diagnosis.",
                    &code)
      || !volume_options_finish (batch, &options, &code))
    return code;
  if (batch->rest[0] == NULL || batch->rest[1] != NULL || out == NULL)
    return batch_usage (batch, "give one volume and --out FILE.png");
  if (!volume_axis_parse (axis != NULL ? axis : "axial", &study.axis, &error)
      || !volume_window_parse (window != NULL ? window : "lung", &study.window, &error))
    return batch_fail (error);
  if (!parse_index (index, &study.index))
    return batch_usage (batch, "--index: give middle, all, or a number from 0");
  study.path = batch->rest[0];
  study.out_path = out;
  study.metadata = options.metadata;
  study.rescale = options.rescale;
  study.replace = batch->force;
  code = batch_run (batch, "slice", study_slices, &study, NULL, NULL, NULL, NULL);
  if (code != BATCH_DONE)
    return code;
  if (batch->json)
    batch_print_json (
        json_pack ("{s:o, s:o, s:I, s:I, s:I}", "file", report_json_string (study.path), "out",
                   report_json_string (out), "written", (json_int_t) study.written, "first_index",
                   (json_int_t) study.first_index, "slices", (json_int_t) study.count));
  else if (study.index == STUDY_SLICE_ALL)
    batch_print ("%u slices of %s\n", study.written, study.path);
  else
    batch_print ("%s: slice %" G_GINT64_FORMAT " of 0-%" G_GSIZE_FORMAT "\n", out,
                 study.first_index, study.count - 1);
  return BATCH_DONE;
}

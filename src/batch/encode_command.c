#include "batch/steps.h"
#include "batch/volume_options.h"

#include "report/json.h"
#include "report/text_table.h"
#include "study/encode_job.h"

#include <stdio.h>

static json_t *
encode_json (guint encoded, guint cached, json_t *failed /* transfer full */, double seconds)
{
  json_t *object = json_object ();

  json_object_set_new (object, "encoded", json_integer (encoded));
  json_object_set_new (object, "cached", json_integer (cached));
  json_object_set_new (object, "failed", failed);
  json_object_set_new (object, "seconds", json_real (seconds));
  json_object_set_new (object, "volumes_per_second",
                       report_json_number (seconds > 0 ? encoded / seconds : 0));
  json_object_set_new (object, "peak_memory_bytes",
                       json_integer ((json_int_t) encoding_peak_memory_bytes ()));
  return object;
}

static void
print_encoded (guint encoded, guint cached, gsize failed, double seconds)
{
  g_autofree char *duration = report_duration (seconds);
  g_autofree char *memory = report_bytes (encoding_peak_memory_bytes ());

  printf ("%u encoded, %u already in the store, %" G_GSIZE_FORMAT " skipped, in %s", encoded,
          cached, failed, duration);
  if (encoded > 0 && seconds > 0)
    printf (" (%.3g/s)", encoded / seconds);
  printf ("; peak memory %s\n", memory);
  fflush (stdout);
}

int
batch_encode_cohort (const Batch *batch, StudyEncode *study)
{
  json_t *failed = NULL;
  int code =
      batch_run (batch, "encode", study_encode, study, study->workspace, NULL, NULL, &failed);

  if (code == BATCH_INTERRUPTED)
    fprintf (stderr, "what was encoded is in the store and is not encoded again\n");
  if (failed == NULL)
    return code;
  if (code == BATCH_SKIPPED && study->encoded + study->cached == 0)
    code = BATCH_FAILED;
  if (batch->json)
    {
      json_t *object =
          encode_json (study->encoded, study->cached, json_incref (failed), study->seconds);

      json_object_set_new (object, "encoder", report_json_string (study->encoder));
      json_object_set_new (object, "lacking", json_integer (study->lacking));
      batch_print_json (object);
    }
  else
    {
      print_encoded (study->encoded, study->cached, json_array_size (failed), study->seconds);
      if (study->lacking > 0)
        batch_print ("%u of the skipped scans are not in %s\n", study->lacking,
                     study->volumes_directory);
    }
  json_decref (failed);
  return code;
}

static int
encode_files (const Batch *batch, StudyEncodeFiles *study)
{
  json_t *failed = NULL;
  int code = batch_run (batch, "encode", study_encode_files, study, NULL, NULL, NULL, &failed);

  if (failed == NULL)
    return code;
  if (batch->json)
    batch_print_json (encode_json (study->encoded, 0, json_incref (failed), study->seconds));
  else
    print_encoded (study->encoded, 0, json_array_size (failed), study->seconds);
  json_decref (failed);
  return code;
}

int
command_encode (Batch *batch, int argc, char **argv)
{
  g_auto (VolumeOptions) options = { 0 };
  g_autofree char *encoder = NULL, *description = NULL, *device = NULL, *out = NULL, *dump = NULL,
                  *volumes = NULL, *sample = NULL, *split = NULL, *encoder_name = NULL,
                  *precision = NULL;
  gint readers = 0;
  const GOptionEntry entries[] = {
    { "encoder", 0, 0, G_OPTION_ARG_FILENAME, &encoder,
      "the checkpoint: CT_LiPro_v2.pt, CT-CLIP_v2.pt, .safetensors", "FILE" },
    { "description", 0, 0, G_OPTION_ARG_FILENAME, &description,
      "what its shapes don't tell (default: the .ini beside the checkpoint, else CT-CLIP's)",
      "FILE" },
    { "device", 0, 0, G_OPTION_ARG_STRING, &device,
      "auto (default), cpu, cuda:N, or torch: libtorch on the processor", "DEVICE" },
    { "precision", 0, 0, G_OPTION_ARG_STRING, &precision,
      "of the matrix products: float32 (default); int16: quicker on the processor, 12 significant "
      "bits; bf16: quicker on a GPU, 8 of them; a cohort of another precision is another encoder",
      "P" },
    VOLUME_POLICY_ENTRIES (options, "auto", "lps"),
    { "volumes", 0, 0, G_OPTION_ARG_FILENAME, &volumes,
      "a cohort: the folder of scans, searched through", "DIR" },
    { "sample", 0, 0, G_OPTION_ARG_STRING, &sample,
      "a cohort: this sample's members (default: every kept record)", "NAME" },
    { "split", 0, 0, G_OPTION_ARG_STRING, &split, "a cohort: this split's kept records", "S" },
    { "encoder-name", 0, 0, G_OPTION_ARG_STRING, &encoder_name,
      "a cohort: what to call the encoder (default: the file's name)", "NAME" },
    { "readers", 0, 0, G_OPTION_ARG_INT, &readers, "a cohort: threads that prepare volumes ahead",
      "N" },
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "files: the latents, float32 (files, width)",
      "L.npy" },
    { "dump", 0, 0, G_OPTION_ARG_FILENAME, &dump,
      "files: vq_in.npy, vq_indices.npy and latent.npy go here", "DIR" },
    VOLUME_METADATA_ENTRIES (options),
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (Workspace) workspace = NULL;
  GError *error = NULL;
  EncodingOptions encoding;
  CatalogSplit only = CATALOG_SPLIT_TRAIN;
  EncoderPrecision parsed;
  int code;

  if (!batch_parse (batch, argc, argv, entries,
                    "With files, no workspace is needed: each FILE is a NIfTI volume or a prepared "
                    ".npy tensor\n"
                    "([batch,] 1, T, H, W). With --volumes the records of the workspace are "
                    "encoded into its store;\n"
                    "what is there already is not encoded again, and an interrupted command goes "
                    "on where it was.",
                    &code)
      || !volume_options_finish (batch, &options, &code))
    return code;
  if (encoder == NULL)
    return batch_usage (batch, "give --encoder FILE");
  if (readers < 0 || readers > 64)
    return batch_usage (batch, "--readers: give a number from 1 to 64");
  if ((split != NULL && !catalog_split_parse (split, &only, &error))
      || (precision != NULL && !encoder_precision_parse (precision, &parsed, &error)))
    return batch_fail (error);
  encoding = (EncodingOptions){ .checkpoint = encoder,
                                .description = description,
                                .device = device != NULL ? device : "auto",
                                .threads = (guint) batch->threads,
                                .rescale = options.rescale,
                                .orient = options.orient,
                                .precision = precision };
  if (volumes == NULL)
    {
      StudyEncodeFiles files = { .options = encoding,
                                 .files = batch->rest,
                                 .metadata = options.metadata,
                                 .out_path = out,
                                 .dump_directory = dump,
                                 .replace = batch->force };

      if (batch->rest[0] == NULL || out == NULL)
        return batch_usage (batch, "give files and --out L.npy, or --volumes DIR for a cohort");
      return encode_files (batch, &files);
    }
  if (batch->rest[0] != NULL || out != NULL || dump != NULL)
    return batch_usage (batch, "files, --out and --dump do not go with --volumes");
  if (sample != NULL && split != NULL)
    return batch_usage (batch, "choose one of --sample and --split");
  workspace = batch_open (batch, FALSE, &code);
  if (workspace == NULL)
    return code;
  {
    g_auto (StudyEncode) study = { .workspace = workspace,
                                   .options = encoding,
                                   .encoder_name = encoder_name,
                                   .volumes_directory = volumes,
                                   .sample = sample,
                                   .split = split != NULL ? (int) only : -1,
                                   .readers = (guint) readers };

    return batch_encode_cohort (batch, &study);
  }
}

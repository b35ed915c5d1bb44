#include "batch/batch.h"

#include "base/version.h"
#include "report/json.h"
#include "study/doctor.h"

#include <math.h>
#include <stdio.h>

static void
print_repair (const CatalogSalvage *salvage)
{
  printf ("repaired: %" G_GUINT64_FORMAT " rows kept", salvage->rows);
  if (salvage->orphans > 0)
    printf (", %" G_GUINT64_FORMAT " left out with the lost ones that they belong to",
            salvage->orphans);
  for (guint i = 0; i < salvage->damaged->len; i++)
    printf ("%s%s", i == 0 ? "; not all could be read of: " : ", ",
            (const char *) g_ptr_array_index (salvage->damaged, i));
  printf ("\nthe damaged file is kept: %s\n", salvage->kept_path);
}

static json_t *
repair_json (const CatalogSalvage *salvage)
{
  json_t *damaged = json_array ();

  for (guint i = 0; i < salvage->damaged->len; i++)
    json_array_append_new (damaged, json_string (g_ptr_array_index (salvage->damaged, i)));
  return json_pack ("{s:I, s:I, s:o, s:o}", "rows", (json_int_t) salvage->rows, "orphans",
                    (json_int_t) salvage->orphans, "damaged", damaged, "kept_file",
                    report_json_string (salvage->kept_path));
}

static void
print_json (const StudyDoctor *doctor)
{
  json_t *object = json_object (), *faults = json_array ();

  json_object_set_new (object, "version", json_string (version_text ()));
  json_object_set_new (object, "engine_works", json_boolean (doctor->engine_works));
  json_object_set_new (object, "engine", json_string (doctor->engine.form));
  json_object_set_new (object, "libtorch", json_string (doctor->torch.torch_version));
  json_object_set_new (object, "device", json_string (doctor->engine.device));
  json_object_set_new (object, "device_name", json_string (doctor->engine.device_name));
  json_object_set_new (object, "cuda_devices", json_integer (doctor->torch.cuda_devices));
  json_object_set_new (object, "cuda_kernels", json_boolean (doctor->torch.cuda_kernels));
  json_object_set_new (object, "threads", json_integer (doctor->engine.threads));
  json_object_set_new (object, "blas", json_string (doctor->torch.blas));
  json_object_set_new (object, "gflop_per_s", report_json_number (doctor->gflops));
  json_object_set_new (object, "workspace", json_boolean (doctor->has_workspace));
  json_object_set_new (object, "workspace_sound", json_boolean (doctor->workspace_sound));
  if (doctor->repaired)
    json_object_set_new (object, "repaired", repair_json (&doctor->salvage));
  json_object_set_new (object, "schema_version", json_integer (doctor->schema_version));
  json_object_set_new (object, "records_kept", json_integer (doctor->records_kept));
  json_object_set_new (object, "latents", json_integer (doctor->latents));
  json_object_set_new (object, "runs", json_integer (doctor->runs));
  for (guint i = 0; i < doctor->faults->len; i++)
    json_array_append_new (faults, report_json_string (g_ptr_array_index (doctor->faults, i)));
  json_object_set_new (object, "faults", faults);
  batch_print_json (object);
}

static void
print_text (const StudyDoctor *doctor, const char *workspace)
{
  version_print ();
  if (doctor->engine_works)
    {
      printf ("engine: %s on %s (%s), %u thread%s", doctor->engine.form, doctor->engine.device,
              doctor->engine.device_name, doctor->engine.threads,
              doctor->engine.threads == 1 ? "" : "s");
      if (!isnan (doctor->gflops))
        printf (", %.0f GFLOP/s", doctor->gflops);
      printf ("\n");
    }
  if (doctor->torch_fault != NULL)
    printf ("for GPUs: none: %s\n", doctor->torch_fault);
  else
    printf ("for GPUs: %s, %u CUDA device%s, CUDA kernels %s; BLAS: %s\n", doctor->torch.form,
            doctor->torch.cuda_devices, doctor->torch.cuda_devices == 1 ? "" : "s",
            doctor->torch.cuda_kernels ? "compiled in" : "not compiled in", doctor->torch.blas);
  if (doctor->repaired)
    print_repair (&doctor->salvage);
  if (!doctor->has_workspace)
    batch_print ("workspace: none%s%s\n", workspace != NULL ? " at " : "",
                 workspace != NULL ? workspace : "");
  else if (doctor->workspace_sound)
    printf ("workspace: sound, schema %d; %u records kept, %u encoders, %u latents, %u runs\n",
            doctor->schema_version, doctor->records_kept, doctor->encoders, doctor->latents,
            doctor->runs);
  for (guint i = 0; i < doctor->faults->len; i++)
    batch_print ("fault: %s\n", (const char *) g_ptr_array_index (doctor->faults, i));
  if (doctor->faults->len == 0)
    printf ("nothing is missing\n");
}

int
command_doctor (Batch *batch, int argc, char **argv)
{
  g_autofree char *device = NULL;
  gboolean repair = FALSE;
  const GOptionEntry entries[] = {
    { "device", 0, 0, G_OPTION_ARG_STRING, &device,
      "auto (default), cpu, cuda:N, or torch: libtorch on the processor", "DEVICE" },
    { "repair", 0, 0, G_OPTION_ARG_NONE, &repair,
      "put all that can be read of a damaged workspace into a sound one; the damaged file is kept",
      NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (StudyDoctor) doctor = { 0 };
  int code;

  if (!batch_parse (batch, argc, argv, entries, "The exit code is 1 where a fault was found.",
                    &code))
    return code;
  if (batch->rest[0] != NULL)
    return batch_usage (batch, "%s: not understood", batch->rest[0]);
  doctor.directory = batch->workspace;
  doctor.device = device != NULL ? device : "auto";
  doctor.repair = repair;
  doctor.threads = (guint) batch->threads;
  code = batch_run (batch, "doctor", study_doctor, &doctor, NULL, NULL, NULL, NULL);
  if (code != BATCH_DONE)
    return code;
  if (batch->json)
    print_json (&doctor);
  else
    print_text (&doctor, batch->workspace);
  return doctor.faults->len > 0 ? BATCH_FAILED : BATCH_DONE;
}

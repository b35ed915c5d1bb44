#include "testing_batch.h"

#include "base/random.h"

static char *workspace;

static void
append_row (GString *reports, GString *labels, GString *names, float *latents, guint row,
            const char *split, Random *random)
{
  guint32 bits = 0;

  g_string_append_printf (reports,
                          "%s_%u_a_1.nii.gz,\"cough, \"\"dry\"\"\",CT,\"Findings of %u.\nSecond "
                          "line\",Impression %u\r\n",
                          split, row + 1, row, row);
  g_string_append_printf (labels, "%s_%u_a_1.nii.gz", split, row + 1);
  for (guint label = 0; label < 18; label++)
    {
      gboolean positive = random_uniform (random) < 0.1 + 0.02 * label;

      bits |= (guint32) positive << label;
      g_string_append_printf (labels, ",%d", positive);
    }
  g_string_append_c (labels, '\n');
  g_string_append_printf (names, "%s_%u_a_1.nii.gz\n", split, row + 1);
  for (guint feature = 0; feature < TESTING_BATCH_WIDTH; feature++)
    latents[feature] =
        (float) (random_normal (random) + (feature < 18 && (bits >> feature & 1) ? 2 : 0));
}

static void
write_split (const char *split, const char *reports_name, const char *labels_name,
             const char *metadata_name, guint n, GString *names, float *latents, Random *random)
{
  g_autoptr (GString) reports = g_string_new (
      "\xef\xbb\xbfVolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\r\n");
  g_autoptr (GString) labels =
      g_string_new ("VolumeName,Medical material,Arterial wall "
                    "calcification,Cardiomegaly,Pericardial effusion,Coronary artery wall "
                    "calcification,Hiatal hernia,Lymphadenopathy,Emphysema,Atelectasis,Lung "
                    "nodule,Lung opacity,Pulmonary fibrotic "
                    "sequela,Pleural effusion,Mosaic attenuation pattern,Peribronchial "
                    "thickening,Consolidation,Bronchiectasis,"
                    "Interlobular septal thickening\n");
  g_autoptr (GString) metadata =
      g_string_new ("VolumeName,Manufacturer,PatientSex,PatientAge,XYSpacing,ZSpacing,RescaleSlope,"
                    "RescaleIntercept,NumberofSlices\n");
  g_autofree char *reports_path = NULL, *labels_path = NULL, *metadata_path = NULL;

  for (guint row = 0; row < n; row++)
    {
      append_row (reports, labels, names, latents + row * TESTING_BATCH_WIDTH, row, split, random);
      g_string_append_printf (metadata,
                              "%s_%u_a_1.nii.gz,Siemens,%s,%03uY,\"[0.7, 0.7]\",1.5,1,-1024,%u\n",
                              split, row + 1, row % 2 ? "F" : "M", 20 + row % 60, 100 + row);
    }
  reports_path = testing_write (reports_name, reports->str, reports->len);
  labels_path = testing_write (labels_name, labels->str, labels->len);
  metadata_path = testing_write (metadata_name, metadata->str, metadata->len);
}

int
testing_batch_setup (void **state)
{
  g_autofree float *latents = g_new (float, 2 * TESTING_BATCH_PATIENTS * TESTING_BATCH_WIDTH);
  const gsize shape[] = { 2 * TESTING_BATCH_PATIENTS, TESTING_BATCH_WIDTH };
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *names_path = NULL, *npy_path = NULL;
  g_autoptr (GError) error = NULL;
  Random random;

  random_init (&random, 11, 0);
  write_split ("train", "train_reports.csv", "train_predicted_labels.csv", "train_metadata.csv",
               TESTING_BATCH_PATIENTS, names, latents, &random);
  write_split ("valid", "validation_reports.csv", "valid_predicted_labels.csv",
               "validation_metadata.csv", TESTING_BATCH_PATIENTS, names,
               latents + TESTING_BATCH_PATIENTS * TESTING_BATCH_WIDTH, &random);
  names_path = testing_write ("names.txt", names->str, names->len);
  npy_path = testing_path ("latents.npy");
  npy_write (npy_path, TRUE, NPY_FLOAT32, 2, shape, latents, &error);
  assert_no_error (error);
  workspace = testing_path ("workspace");
  {
    g_auto (ProgramResult) imported =
        program_expect (0, "import", "-w", workspace, testing_directory (), "--json", NULL);
    g_auto (ProgramResult) latents_imported =
        program_expect (0, "import-latents", "-w", workspace, "--npy", npy_path, "--names",
                        names_path, "--encoder-name", "other", NULL);
  }
  return 0;
}

int
testing_batch_teardown (void **state)
{
  g_free (workspace);
  return 0;
}

const char *
testing_batch (void)
{
  return workspace;
}

#include "ctrate_files.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

/* Independent streams of one seed. */
enum
{
  STREAM_COHORT,
  STREAM_LABELS,
  STREAM_REPORTS,
  STREAM_METADATA,
};

/* How much of a finding comes from how ill the patient is: pairs of labels correlate by its square.
 */
#define LOADING 0.6

/* ---- the shape ---- */

CtrateShape
ctrate_shape (CatalogSplit split, guint patients)
{
  static const struct
  {
    guint rows, studies, patients;
  } real[] = {
    [CATALOG_SPLIT_TRAIN] = { 47149, 24128, 20000 },
    [CATALOG_SPLIT_VALID] = { 3039, 1564, 1304 },
  };
  static const guint positives[CATALOG_N_LABELS] = { 1962, 5351, 2052, 1196, 4721, 2852,
                                                     4855, 3729, 4822, 9033, 7042, 5318,
                                                     1893, 1469, 1914, 3119, 1883, 1394 };
  CtrateShape shape = { .split = split };
  double scale = patients > 0 ? (double) patients / real[split].patients : 1;

  shape.patients = patients > 0 ? patients : real[split].patients;
  shape.studies = (guint) lround (real[split].studies * scale);
  shape.rows = (guint) lround (real[split].rows * scale);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    shape.positives[label] = (guint) lround (positives[label] * (double) shape.patients
                                             / real[CATALOG_SPLIT_TRAIN].patients);
  return shape;
}

/* ---- the cohort ---- */

typedef struct
{
  guint patient, scan; /* from 0 */
  guint reconstructions;
  guint32 labels;
} Study;

/** Studies in the files' order: by patient, then by scan. */
static Study *
make_studies (const CtrateShape *shape, guint64 seed)
{
  g_autofree guint *scans = g_new0 (guint, shape->patients);
  Study *studies = g_new0 (Study, shape->studies), *study = studies;
  Random random;

  random_init (&random, seed, STREAM_COHORT);
  for (guint i = 0; i < shape->studies; i++)
    scans[i < shape->patients ? i : random_below (&random, shape->patients)]++;
  for (guint patient = 0; patient < shape->patients; patient++)
    for (guint scan = 0; scan < scans[patient]; scan++)
      *study++ = (Study){ .patient = patient, .scan = scan, .reconstructions = 1 };
  for (guint i = shape->studies; i < shape->rows; i++)
    studies[random_below (&random, shape->studies)].reconstructions++;
  return studies;
}

static int
compare_descending (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return left < right ? 1 : left > right ? -1 : 0;
}

/** The score that exactly @n of the patients' first scans reach. */
static double
find_cut (const double *scores, const Study *studies, const CtrateShape *shape, guint n)
{
  g_autofree double *firsts = g_new (double, shape->patients);
  guint n_firsts = 0;

  for (guint i = 0; i < shape->studies; i++)
    if (studies[i].scan == 0)
      firsts[n_firsts++] = scores[i];
  qsort (firsts, n_firsts, sizeof *firsts, compare_descending);
  return n > 0 ? firsts[n - 1] : INFINITY;
}

static void
make_labels (Study *studies, const CtrateShape *shape, guint64 seed)
{
  g_autofree double *illness = g_new (double, shape->patients);
  g_autofree double *scores = g_new (double, shape->studies);
  Random random;

  random_init (&random, seed, STREAM_LABELS);
  for (guint patient = 0; patient < shape->patients; patient++)
    illness[patient] = random_normal (&random);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      double cut;

      for (guint i = 0; i < shape->studies; i++)
        scores[i] = LOADING * illness[studies[i].patient]
                    + sqrt (1 - LOADING * LOADING) * random_normal (&random);
      cut = find_cut (scores, studies, shape, shape->positives[label]);
      for (guint i = 0; i < shape->studies; i++)
        studies[i].labels |= (guint32) (scores[i] >= cut) << label;
    }
}

/* ---- writing tables ---- */

typedef struct
{
  GString *text;
  const char *line_end;
} Table;

static void
begin_table (Table *table, CatalogSplit split, const char *header)
{
  gboolean train = split == CATALOG_SPLIT_TRAIN;

  table->text = g_string_new (train ? "" : "\xef\xbb\xbf");
  table->line_end = train ? "\n" : "\r\n";
  g_string_append (table->text, header);
}

static void
begin_row (Table *table, CatalogSplit split, const Study *study, guint reconstruction)
{
  g_string_append_printf (table->text, "%s%s_%u_%c_%u.nii.gz", table->line_end,
                          catalog_split_name (split), study->patient + 1, 'a' + (int) study->scan,
                          reconstruction);
}

static void
add_cell (Table *table, const char *cell)
{
  g_string_append_c (table->text, ',');
  if (strpbrk (cell, ",\"\r\n") == NULL)
    {
      g_string_append (table->text, cell);
      return;
    }
  g_string_append_c (table->text, '"');
  for (; *cell != '\0'; cell++)
    {
      if (*cell == '"')
        g_string_append_c (table->text, '"');
      g_string_append_c (table->text, *cell);
    }
  g_string_append_c (table->text, '"');
}

static gboolean
end_table (Table *table, CatalogSplit split, const char *directory, const char *name,
           GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  gboolean written;

  if (split == CATALOG_SPLIT_TRAIN)
    g_string_append (table->text, table->line_end);
  written = g_file_set_contents (path, table->text->str, (gssize) table->text->len, error);
  g_string_free (table->text, TRUE);
  return written;
}

/* ---- reports ---- */

static const char *const positive_sentences[CATALOG_N_LABELS] = {
  "A central venous catheter ends in the superior vena cava.",
  "Calcified plaques are seen along the wall of the aorta.",
  "The heart is larger than normal; the cardiothoracic ratio is above one half.",
  "Pericardial effusion of 9 mm is seen.",
  "There are calcified plaques in the walls of the coronary arteries.",
  "A sliding hiatal hernia is seen at the lower end of the esophagus.",
  "Lymph nodes with a short axis of 14 mm are seen in the mediastinum.",
  "Emphysematous areas, more marked in the upper lobes, are present.",
  "Linear atelectasis is seen at the base of both lungs.",
  "A nodule of 5 mm is seen in the right upper lobe.",
  "Patchy \"ground glass\" opacities are seen, mostly below the pleura.",
  "Sequela fibrotic bands lie in both apices.",
  "Pleural effusion, 32 mm at its thickest, is seen on the right.",
  "A \xe2\x80\x9cmosaic\xe2\x80\x9d attenuation pattern is seen, which suggests disease of small "
  "airways.",
  "The walls of the bronchi are thicker than normal.",
  "Consolidation with air bronchograms fills the left lower lobe.",
  "Bronchiectasis, tubular in shape, is seen in the middle lobe.",
  "Smooth thickening of the interlobular septa is seen.",
};

static const char *const other_sentences[] = {
  "Trachea and both main bronchi are open.",
  "No occlusive pathology was seen in trachea or main bronchi.",
  "The mediastinum can't be judged optimally, because no contrast agent was given; as far as can "
  "be "
  "seen, its great vessels are of normal calibre.",
  "The contour of the heart and its size are normal.",
  "No pleural or pericardial effusion or thickening was detected.",
  "The esophagus within the sections is of normal calibre, without a pathological increase in the "
  "thickness of its wall.",
  "No enlarged lymph nodes were found in prevascular, pre- and paratracheal, subcarinal or hilar "
  "places, nor in the axillae.",
  "When examined in the lung window, ventilation of both lungs is natural.",
  "No mass, nodule or infiltration was seen in the parenchyma of either lung.",
  "In the upper abdomen, as far as the sections reach, liver, spleen, pancreas and both kidneys "
  "are "
  "natural.",
  "No space-occupying lesion was seen in the liver within the sections; the gall bladder is "
  "absent.",
  "Both adrenal glands are of normal size, and no lesion was found in them.",
  "Bone structures in the study area are natural; heights of the vertebral bodies are preserved.",
  "Degenerative changes and small osteophytes are seen at the ends of the vertebral bodies.",
  "The thyroid gland looks heterogeneous, with hypodense nodules up to 11 mm in the left lobe.",
  "The pulmonary trunk is 29 mm wide, and the ascending aorta is 38 mm.",
};

static gboolean
chance (Random *random, double probability)
{
  return random_uniform (random) < probability;
}

/** How CT-RATE says that nothing was written. */
static const char *
nothing_written (Random *random)
{
  static const char *const words[] = { "Not given.", "", "NaN", "not given." };

  return words[random_below (random, G_N_ELEMENTS (words))];
}

static void
make_findings (GString *findings, const Study *study, Random *random)
{
  gboolean bullets = chance (random, 0.1), lines = chance (random, 0.3);
  /* Few run to thousands of letters. */
  guint rounds = chance (random, 0.002) ? 6 : 1;

  g_string_truncate (findings, 0);
  while (rounds-- > 0)
    for (guint i = 0; i < G_N_ELEMENTS (other_sentences); i++)
      {
        if (i < G_N_ELEMENTS (positive_sentences) && (study->labels >> i & 1) != 0)
          g_string_append_printf (findings, "%s%s%s", bullets ? "\xe2\x80\xa2 " : "",
                                  positive_sentences[i], lines ? "\n" : " ");
        if (chance (random, 0.75))
          g_string_append_printf (findings, "%s%s", other_sentences[i], lines ? "\r\n" : " ");
      }
}

static void
make_impression (GString *impression, const Study *study)
{
  g_string_truncate (impression, 0);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    if ((study->labels >> label & 1) != 0)
      g_string_append_printf (impression, "%s%s", impression->len > 0 ? ", " : "",
                              catalog_label_name (label));
  if (impression->len == 0)
    g_string_append (impression, "Findings within normal limits");
  g_string_append_c (impression, '.');
}

static gboolean
write_reports (const char *directory, const CtrateShape *shape, const Study *studies, guint64 seed,
               GError **error)
{
  static const char *const complaints[] = { "Cough, fever.", "Chest pain", "Covid-19 pneumonia?",
                                            "Follow-up of a nodule; \"smoker\", 40 packs/year" };
  g_autoptr (GString) findings = g_string_new (NULL), impression = g_string_new (NULL);
  Table table;
  Random random;

  random_init (&random, seed, STREAM_REPORTS);
  begin_table (&table, shape->split,
               "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN");
  for (const Study *study = studies; study < studies + shape->studies; study++)
    {
      /* One of the two texts may be missing, never both: cleaning keeps such a record. */
      gboolean no_findings = chance (&random, 0.005);
      gboolean no_impression = !no_findings && chance (&random, 0.02);
      const char *complaint = chance (&random, 0.3)
                                  ? nothing_written (&random)
                                  : complaints[random_below (&random, G_N_ELEMENTS (complaints))];

      make_findings (findings, study, &random);
      make_impression (impression, study);
      for (guint reconstruction = 1; reconstruction <= study->reconstructions; reconstruction++)
        {
          begin_row (&table, shape->split, study, reconstruction);
          add_cell (&table, complaint);
          add_cell (&table, "Sections of 1.5 mm were taken without contrast agent.");
          add_cell (&table, no_findings ? nothing_written (&random) : findings->str);
          add_cell (&table, no_impression ? nothing_written (&random) : impression->str);
        }
    }
  return end_table (
      &table, shape->split, directory,
      shape->split == CATALOG_SPLIT_TRAIN ? "train_reports.csv" : "validation_reports.csv", error);
}

/* ---- labels ---- */

static gboolean
write_labels (const char *directory, const CtrateShape *shape, const Study *studies, GError **error)
{
  Table table;

  begin_table (&table, shape->split, "VolumeName");
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    add_cell (&table, catalog_label_name (label));
  for (const Study *study = studies; study < studies + shape->studies; study++)
    for (guint reconstruction = 1; reconstruction <= study->reconstructions; reconstruction++)
      {
        begin_row (&table, shape->split, study, reconstruction);
        for (guint label = 0; label < CATALOG_N_LABELS; label++)
          add_cell (&table, (study->labels >> label & 1) != 0 ? "1" : "0");
      }
  return end_table (&table, shape->split, directory,
                    shape->split == CATALOG_SPLIT_TRAIN ? "train_predicted_labels.csv"
                                                        : "valid_predicted_labels.csv",
                    error);
}

/* ---- metadata ---- */

#define METADATA_HEADER                                                                            \
  "VolumeName,Manufacturer,SeriesDescription,ManufacturerModelName,PatientSex,PatientAge,"         \
  "ReconstructionDiameter,DistanceSourceToDetector,DistanceSourceToPatient,GantryDetectorTilt,"    \
  "TableHeight,RotationDirection,ExposureTime,XRayTubeCurrent,Exposure,FilterType,GeneratorPower," \
  "FocalSpots,ConvolutionKernel,PatientPosition,RevolutionTime,SingleCollimationWidth,"            \
  "TotalCollimationWidth,TableSpeed,TableFeedPerRotation,SpiralPitchFactor,"                       \
  "DataCollectionCenterPatient,ReconstructionTargetCenterPatient,ExposureModulationType,CTDIvol,"  \
  "ImagePositionPatient,ImageOrientationPatient,SliceLocation,SamplesPerPixel,"                    \
  "PhotometricInterpretation,Rows,Columns,XYSpacing,RescaleIntercept,RescaleSlope,RescaleType,"    \
  "NumberofSlices,ZSpacing,StudyDate"

static const struct
{
  const char *manufacturer, *series, *model;
  int intercept;
} scanners[] = {
  { "Philips", "HRCT", "iCT 256", -1024 },
  { "Siemens Healthineers", "Thorax  1,5  B70f", "SOMATOM go.Top", -8192 },
  { "PNMS", "", "Ingenuity Core 128", -1024 },
};

static guint
matrix_size (Random *random)
{
  double which = random_uniform (random);

  return which < 0.65 ? 512 : which < 0.96 ? 1024 : 768;
}

static gboolean
write_metadata (const char *directory, const CtrateShape *shape, const Study *studies, guint64 seed,
                GError **error)
{
  Table table;
  Random random;

  random_init (&random, seed, STREAM_METADATA);
  begin_table (&table, shape->split, METADATA_HEADER);
  for (const Study *study = studies; study < studies + shape->studies; study++)
    {
      guint scanner = (guint) random_below (&random, G_N_ELEMENTS (scanners));
      const char *sex = chance (&random, 0.01) ? "" : chance (&random, 0.58) ? "M" : "F";
      guint age = 18 + (guint) random_below (&random, 80);
      guint date = 20150101 + 10000 * (guint) random_below (&random, 8)
                   + 100 * (guint) random_below (&random, 12) + (guint) random_below (&random, 28);

      for (guint reconstruction = 1; reconstruction <= study->reconstructions; reconstruction++)
        {
          guint size = matrix_size (&random);
          double spacing = (300 + 200 * random_uniform (&random)) / size;
          double thickness = chance (&random, 0.7) ? 1.5 : 0.5 + 0.5 * random_below (&random, 4);
          guint slices = (guint) (380 / thickness);

          begin_row (&table, shape->split, study, reconstruction);
          g_string_append_printf (
              table.text,
              ",%s,%s%s%s,%s,%s,%03uY,350,,,0,71,CW,500,281,,A,,\"[0.6, 1.2]\",,HFS,,,,,,,,"
              "\"[0.8, -166, 9.3]\",,7.4,\"[-166, 9, 56.2998657]\",\"[1, 0, 0, 0, 1, "
              "0]\",56.2998657,"
              "1,MONOCHROME2,%u,%u,\"[%.9g, %.9g]\",%d,1,,%u,%g,%u",
              scanners[scanner].manufacturer, scanner == 1 ? "\"" : "", scanners[scanner].series,
              scanner == 1 ? "\"" : "", scanners[scanner].model, sex, age, size, size, spacing,
              spacing, scanners[scanner].intercept, slices, thickness, date);
        }
    }
  return end_table (&table, shape->split, directory,
                    shape->split == CATALOG_SPLIT_TRAIN ? "train_metadata.csv"
                                                        : "validation_metadata.csv",
                    error);
}

/* ---- all of a split ---- */

gboolean
ctrate_files_write (const char *directory, const CtrateShape *shape, guint64 seed, GError **error)
{
  g_autofree Study *studies = make_studies (shape, seed);

  make_labels (studies, shape, seed);
  return write_reports (directory, shape, studies, seed, error)
         && write_labels (directory, shape, studies, error)
         && write_metadata (directory, shape, studies, seed, error);
}

#include "study/demo_report.h"

#define NOT_GIVEN "Not given."

static const struct
{
  const char *present[2]; /* in the findings */
  const char *absent;
  const char *summary; /* in the impression */
} phrases[CATALOG_N_LABELS] = {
  { { "Metallic density of a medical device is observed and causes artifacts.",
      "A catheter or wire of metal density is seen." },
    "No foreign material is seen.",
    "Medical material." },
  { { "Calcific atheroma plaques are observed on the walls of the aortic arch and the descending "
      "aorta.",
      "Wall calcifications are present in the thoracic aorta." },
    "The calibration of the thoracic aorta is natural and its wall is free of calcification.",
    "Aortic wall calcifications." },
  { { "The heart size is increased.",
      "The cardiothoracic ratio has increased in favor of the heart." },
    "The heart contour and size are normal.",
    "Cardiomegaly." },
  { { "Effusion is observed between the pericardial leaves.",
      "There is fluid that surrounds the heart." },
    "Pericardial effusion-thickening was not observed.",
    "Pericardial effusion." },
  { { "Calcific plaques are observed in the coronary arteries.",
      "There are millimetric calcifications along the LAD." },
    "The coronary arteries show no calcification.",
    "Coronary artery calcifications." },
  { { "A sliding type hiatal hernia is observed at the lower end of the esophagus.",
      "The stomach is herniated behind the heart through the hiatus." },
    "There is no hiatal hernia.",
    "Hiatal hernia." },
  { { "Enlarged lymph nodes are observed in the paratracheal and subcarinal stations.",
      "Lymphadenopathies are present in the mediastinum and at both hila." },
    "No lymph node of pathological size is seen.",
    "Mediastinal lymphadenopathy." },
  { { "Emphysematous changes are present in both lungs, more in the upper lobes.",
      "Bullae and centriacinar emphysema are observed." },
    "No emphysematous change is seen.",
    "Emphysema." },
  { { "Linear atelectasis is observed in the lower lobe with loss of volume.",
      "Band-like atelectatic changes are present at the lung base." },
    "There is no atelectasis.",
    "Atelectasis." },
  { { "Nodules are observed in both lungs.",
      "Several solid pulmonary nodules of different size are seen." },
    "No mass or nodule was detected in the lungs.",
    "Pulmonary nodules." },
  { { "Patchy ground-glass opacities are observed in both lungs.",
      "There are areas of ground glass in the lungs." },
    "No ground-glass opacity is seen.",
    "Ground-glass opacities; viral pneumonia may be considered." },
  { { "Fibrotic sequela bands are observed at the apices.",
      "Sequela changes and calcified granulomas are present in the upper lobes." },
    "There is no fibrotic change.",
    "Fibrotic sequela." },
  { { "Pleural effusion is observed in the dependent part of the hemithorax.",
      "Free fluid is present in the pleural space." },
    "Pleural effusion was not detected.",
    "Pleural effusion." },
  { { "A mosaic attenuation pattern is present in both lungs.",
      "Mosaic attenuation is observed and may belong to small airway disease." },
    "The attenuation of both lungs is even.",
    "Mosaic attenuation." },
  { { "Peribronchial thickening is observed in the central parts of both lungs.",
      "The walls of the segmental bronchi are thickened." },
    "Bronchial walls are of normal thickness.",
    "Peribronchial thickening." },
  { { "An area of consolidation with air bronchograms is observed.",
      "Consolidation is present in the lung." },
    "There is no consolidation.",
    "Consolidation, in favor of pneumonia." },
  { { "Bronchiectatic changes are observed in the lower lobes.",
      "Dilated bronchi are seen towards the periphery." },
    "The bronchi are not dilated.",
    "Bronchiectasis." },
  { { "Interlobular septal thickenings are observed.",
      "Thickened interlobular septa form a polygonal net." },
    "No septal thickening is seen.",
    "Interlobular septal thickening." },
};

static const char *
choose (Random *random, const char *const *texts, guint n)
{
  return texts[random_below (random, n)];
}

static char *
write_findings (guint32 labels, Random *random)
{
  GString *text = g_string_new ("Trachea and both main bronchi are open. ");
  guint style = (guint) random_below (random, 8);

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      const char *sentence = NULL;

      if (labels >> label & 1)
        sentence = choose (random, phrases[label].present, G_N_ELEMENTS (phrases[label].present));
      else if (random_uniform (random) < 0.25)
        sentence = phrases[label].absent;
      if (sentence == NULL)
        continue;
      /* A few reports are lists, as in the real tables. */
      if (style == 0)
        g_string_append_printf (text, "\n• %s", sentence);
      else
        g_string_append_printf (text, "%s ", sentence);
    }
  if (style == 1)
    g_string_append (
        text,
        "The dimensions were reported as \"stable\" when compared with the previous examination. ");
  if (style == 2)
    g_string_append (text, "The patient\u2019s liver shows a \u201cfatty\u201d density. ");
  g_string_append (text, "No lytic-destructive lesions were detected in the bone structures.");
  return g_string_free (text, FALSE);
}

static char *
write_impression (guint32 labels)
{
  GString *text = g_string_new (NULL);

  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    if (labels >> label & 1)
      g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", phrases[label].summary);
  if (text->len == 0)
    g_string_append (text, "Thorax CT examination within normal limits.");
  return g_string_free (text, FALSE);
}

DemoReport *
demo_report_write (guint32 labels, Random *random)
{
  static const char *const clinical[] = { "Cough, shortness of breath.",
                                          "Fever.",
                                          "Chest pain, follow-up.",
                                          "Covid-19?",
                                          "Preoperative examination.",
                                          NOT_GIVEN,
                                          "" };
  static const char *const technique[] = {
    "Sections were taken in the axial plane without the administration of contrast material.",
    "1.5 mm thick non-contrast sections were taken in the axial plane.", NOT_GIVEN
  };
  DemoReport *report = g_new0 (DemoReport, 1);
  double left_out = random_uniform (random);

  report->clinical = g_strdup (choose (random, clinical, G_N_ELEMENTS (clinical)));
  report->technique = g_strdup (choose (random, technique, G_N_ELEMENTS (technique)));
  report->findings = left_out < 0.02 ? g_strdup (NOT_GIVEN) : write_findings (labels, random);
  report->impression = left_out > 0.97 ? g_strdup (NOT_GIVEN) : write_impression (labels);
  return report;
}

DemoReport *
demo_report_empty (Random *random)
{
  static const char *const nothing[] = { NOT_GIVEN, "", "NaN", NOT_GIVEN };
  DemoReport *report = g_new0 (DemoReport, 1);

  report->clinical = g_strdup (NOT_GIVEN);
  report->technique = g_strdup (NOT_GIVEN);
  report->findings = g_strdup (choose (random, nothing, G_N_ELEMENTS (nothing)));
  report->impression = g_strdup (choose (random, nothing, G_N_ELEMENTS (nothing)));
  return report;
}

void
demo_report_free (DemoReport *report)
{
  if (report == NULL)
    return;
  g_free (report->clinical);
  g_free (report->technique);
  g_free (report->findings);
  g_free (report->impression);
  g_free (report);
}

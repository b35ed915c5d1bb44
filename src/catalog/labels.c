#include "catalog/labels.h"

static const char *const label_names[CATALOG_N_LABELS] = {
  "Medical material",
  "Arterial wall calcification",
  "Cardiomegaly",
  "Pericardial effusion",
  "Coronary artery wall calcification",
  "Hiatal hernia",
  "Lymphadenopathy",
  "Emphysema",
  "Atelectasis",
  "Lung nodule",
  "Lung opacity",
  "Pulmonary fibrotic sequela",
  "Pleural effusion",
  "Mosaic attenuation pattern",
  "Peribronchial thickening",
  "Consolidation",
  "Bronchiectasis",
  "Interlobular septal thickening",
};

const char *
catalog_label_name (guint label)
{
  return label_names[label];
}

static char
fold (char c)
{
  return c == '_' || c == '-' ? ' ' : g_ascii_tolower (c);
}

static gboolean
same_name (const char *a, const char *b)
{
  while (*a != '\0' && fold (*a) == fold (*b))
    {
      a++;
      b++;
    }
  return *a == *b;
}

int
catalog_label_find (const char *name)
{
  for (int label = 0; label < CATALOG_N_LABELS; label++)
    if (same_name (label_names[label], name))
      return label;
  return -1;
}

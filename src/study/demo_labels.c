#include "study/demo_labels.h"

#include <math.h>

#define N_TRAITS 3
#define CT_RATE_SCANS 20000

static const struct
{
  int positives; /* among CT-RATE's cleaned training scans */
  double loading[N_TRAITS];
} findings[CATALOG_N_LABELS] = {
  { 1962, { 0.4, 0, 0 } },   { 5351, { 0.8, 0, 0.2 } }, { 2052, { 0.6, 0.3, 0 } },
  { 1196, { 0.3, 0.4, 0 } }, { 4721, { 0.8, 0, 0 } },   { 2852, { 0.4, 0, 0 } },
  { 4855, { 0, 0.4, 0 } },   { 3729, { 0, 0, 0.5 } },   { 4822, { 0, 0.4, 0 } },
  { 9033, { 0, 0, 0.3 } },   { 7042, { 0, 0.5, 0 } },   { 5318, { 0, 0, 0.4 } },
  { 1893, { 0.3, 0.6, 0 } }, { 1469, { 0, 0, 0.4 } },   { 1914, { 0, 0.3, 0.4 } },
  { 3119, { 0, 0.6, 0 } },   { 1883, { 0, 0, 0.5 } },   { 1394, { 0, 0.5, 0.2 } },
};

double
demo_labels_prevalence (guint label)
{
  return (double) findings[label].positives / CT_RATE_SCANS;
}

guint32
demo_labels_draw (Random *random)
{
  double traits[N_TRAITS];
  guint32 labels = 0;

  for (guint i = 0; i < N_TRAITS; i++)
    traits[i] = random_normal (random);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    {
      double sum = 0, own = 1;

      for (guint i = 0; i < N_TRAITS; i++)
        {
          sum += findings[label].loading[i] * traits[i];
          own -= findings[label].loading[i] * findings[label].loading[i];
        }
      sum += sqrt (own) * random_normal (random);
      /* sum > Φ⁻¹(1 − p) said without the inverse: its upper tail is thinner than p. */
      if (erfc (sum * G_SQRT2 / 2) / 2 < demo_labels_prevalence (label))
        labels |= 1u << label;
    }
  return labels;
}

#include "catalog/record.h"

#include "base/error.h"

#include <string.h>

static const char *const split_names[] = { "train", "valid" };

gboolean
catalog_split_parse (const char *text, CatalogSplit *split, GError **error)
{
  if (strcmp (text, "train") == 0)
    *split = CATALOG_SPLIT_TRAIN;
  else if (strcmp (text, "valid") == 0 || strcmp (text, "validation") == 0)
    *split = CATALOG_SPLIT_VALID;
  else
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s: is not a split; the splits are train and valid", text);
      return FALSE;
    }
  return TRUE;
}

const char *
catalog_split_name (CatalogSplit split)
{
  return split_names[split];
}

static const struct
{
  const char *name, *description;
} reasons[CATALOG_N_REASONS] = {
  [CATALOG_KEPT] = { "kept", "kept" },
  [CATALOG_DROP_UNREADABLE] = { "unreadable", "row that can't be read" },
  [CATALOG_DROP_NO_LABEL] = { "no_label", "not in the label table" },
  [CATALOG_DROP_NO_TEXT] = { "no_text", "no report text" },
  [CATALOG_DROP_RECONSTRUCTION] = { "reconstruction", "not the first reconstruction" },
  [CATALOG_DROP_NO_CHEST] = { "no_chest", "not of the chest" },
  [CATALOG_DROP_PATIENT] = { "patient", "later study of a patient already kept" },
};

const char *
catalog_reason_name (CatalogReason reason)
{
  return reasons[reason].name;
}

const char *
catalog_reason_description (CatalogReason reason)
{
  return reasons[reason].description;
}

static int redacting;

void
catalog_redact (void)
{
  g_atomic_int_set (&redacting, TRUE);
}

gboolean
catalog_redacting (void)
{
  return g_atomic_int_get (&redacting);
}

void
catalog_record_free (CatalogRecord *record)
{
  if (record == NULL)
    return;
  g_free (record->reason_detail);
  g_free (record->volume);
  g_free (record->patient);
  g_free (record->sex);
  g_free (record->manufacturer);
  g_free (record->model);
  g_free (record->study_date);
  g_free (record->clinical);
  g_free (record->technique);
  g_free (record->findings);
  g_free (record->impression);
  g_free (record);
}

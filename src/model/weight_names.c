#include "model/weight_names.h"

#include <string.h>

static const char *const prefixes[] = { "", "trained_model.", "module.", "module.trained_model.",
                                        "trained_model.module." };

const CheckpointTensor *
weight_names_find (const Checkpoint *checkpoint, const char *name)
{
  const CheckpointTensor *tensor = NULL;

  for (guint i = 0; tensor == NULL && i < G_N_ELEMENTS (prefixes); i++)
    {
      g_autofree char *full = g_strconcat (prefixes[i], name, NULL);

      tensor = checkpoint_find (checkpoint, full);
    }
  return tensor;
}

const char *
weight_names_strip (const char *name)
{
  for (guint i = G_N_ELEMENTS (prefixes); i-- > 1;)
    if (g_str_has_prefix (name, prefixes[i]))
      return name + strlen (prefixes[i]);
  return name;
}

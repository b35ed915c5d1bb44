#include "model/processor.h"

#include <string.h>

char *
processor_name (void)
{
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;
  const char *model, *name;

  if (!g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL)
      || (model = strstr (text, "model name")) == NULL || (name = strchr (model, ':')) == NULL)
    return g_strdup ("processor");
  line = g_strndup (name + 1, strcspn (name + 1, "\n"));
  return g_strdup (g_strstrip (line));
}
